//! What the files say at one moment, checked and ready for use. Another moment is another
//! [`Material`]: nothing in it changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};

use super::files::{Kind, Named, TlsFault};
use super::{client, provider};
use crate::settings::{ListenerTls, NextNode, Settings, Terminator};

/// The settings that name files.
#[derive(Clone, Debug)]
pub struct Sources {
    pub(super) tls: Option<ListenerTls>,
    pub(super) terminator: Option<Terminator>,
    pub(super) next_node: NextNode,
}

impl Sources {
    /// The files that the settings name.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self {
            tls: settings.listener.tls.clone(),
            terminator: settings.listener.terminator.clone(),
            next_node: settings.next_node.clone(),
        }
    }

    /// Whether any file is named.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.files().is_empty()
    }

    /// Every file, with the setting that names it.
    pub(super) fn files(&self) -> Vec<(Kind, Named<'_>)> {
        let mut files = Vec::new();
        let mut add = |kind, setting, file| files.push((kind, named(setting, file)));
        if let Some(tls) = &self.tls {
            let certificate = tls.certificate.as_path();
            add(Kind::Certificates, "listener.tls.certificate", certificate);
            add(Kind::Key, "listener.tls.key", &tls.key);
            add(Kind::Certificates, "listener.tls.client_ca", &tls.client_ca);
            for file in &tls.crls {
                add(Kind::RevocationLists, "listener.tls.crls", file);
            }
        }
        if let Some(terminator) = &self.terminator {
            if let Some(file) = &terminator.client_ca {
                add(Kind::Certificates, "listener.terminator.client_ca", file);
            }
            for file in &terminator.crls {
                add(Kind::RevocationLists, "listener.terminator.crls", file);
            }
        }
        let next_node = &self.next_node;
        if let Some(file) = &next_node.ca {
            add(Kind::Certificates, "next_node.ca", file);
        }
        if let Some(file) = &next_node.certificate {
            add(Kind::Certificates, "next_node.certificate", file);
        }
        if let Some(file) = &next_node.key {
            add(Kind::Key, "next_node.key", file);
        }
        files
    }

    /// A digest of what is in the files. A file that cannot be read counts as itself.
    pub(super) fn digest(&self) -> Vec<u8> {
        let mut digest = Context::new(&SHA256);
        for (_, file) in self.files() {
            let bytes = file.bytes();
            let length = bytes.as_ref().map_or(u64::MAX, |bytes| bytes.len() as u64);
            digest.update(&length.to_be_bytes());
            digest.update(&bytes.unwrap_or_default());
        }
        digest.finish().as_ref().to_owned()
    }
}

/// What the files say at one moment.
#[derive(Debug)]
pub struct Material {
    /// How many came before it.
    pub generation: u64,
    /// What the service listener shows.
    pub(super) shown: Option<Arc<CertifiedKey>>,
    /// Who judges client certificates of the service listener.
    pub(super) callers: Option<Arc<dyn ClientCertVerifier>>,
    /// Who judges client certificates that a terminator hands over.
    pub(super) terminated: Option<Arc<dyn ClientCertVerifier>>,
    /// How other nodes are talked to over TLS.
    pub(super) next_node: Option<Arc<ClientConfig>>,
}

impl Material {
    /// Reads every file.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(sources: &Sources, generation: u64) -> Result<Self, Vec<TlsFault>> {
        let mut reading = Reading::default();
        let listener = sources.tls.as_ref();
        let shown = listener.and_then(|tls| {
            reading.certified(
                named("listener.tls.certificate", &tls.certificate),
                named("listener.tls.key", &tls.key),
            )
        });
        let callers = listener.and_then(|tls| {
            let ca = named("listener.tls.client_ca", &tls.client_ca);
            let crls = Lists::of("listener.tls.crls", &tls.crls, tls.crls_must_be_fresh);
            reading.client_verifier(ca, crls)
        });
        let terminated = match &sources.terminator {
            Some(Terminator {
                client_ca: Some(ca),
                crls,
                crls_must_be_fresh,
                ..
            }) => {
                let crls = Lists::of("listener.terminator.crls", crls, *crls_must_be_fresh);
                reading.client_verifier(named("listener.terminator.client_ca", ca), crls)
            }
            Some(_) => callers.clone(),
            None => None,
        };
        let next_node = reading.next_node(&sources.next_node, listener, shown.as_ref());
        if reading.faults.is_empty() {
            Ok(Self {
                generation,
                shown,
                callers,
                terminated,
                next_node,
            })
        } else {
            Err(reading.faults)
        }
    }

    /// The calling side by itself, whose `ca` is set.
    pub(super) fn next_node_alone(next_node: &NextNode) -> Result<Arc<ClientConfig>, TlsFault> {
        let mut reading = Reading::default();
        let config = reading.next_node(next_node, None, None);
        config.ok_or_else(|| {
            let ca = next_node.ca.as_deref().unwrap_or(Path::new(""));
            let unset = || named("next_node.ca", ca).fault("is not set");
            reading.faults.into_iter().next().unwrap_or_else(unset)
        })
    }

    /// Everything that is wrong with the files.
    #[must_use]
    pub fn faults(sources: &Sources) -> Vec<TlsFault> {
        Self::read(sources, 0).err().unwrap_or_default()
    }
}

const fn named<'f>(setting: &'static str, file: &'f Path) -> Named<'f> {
    Named { setting, file }
}

/// Files of revocation lists, and how they are used.
#[derive(Clone, Copy)]
struct Lists<'f> {
    setting: &'static str,
    files: &'f [PathBuf],
    must_be_fresh: bool,
}

impl<'f> Lists<'f> {
    const fn of(setting: &'static str, files: &'f [PathBuf], must_be_fresh: bool) -> Self {
        Self {
            setting,
            files,
            must_be_fresh,
        }
    }
}

/// Reads file after file and keeps what is wrong, so that all of it can be told at once.
#[derive(Default)]
struct Reading {
    faults: Vec<TlsFault>,
}

impl Reading {
    fn keep<T>(&mut self, read: Result<T, TlsFault>) -> Option<T> {
        read.map_err(|fault| self.faults.push(fault)).ok()
    }

    fn certified(&mut self, certificate: Named<'_>, key: Named<'_>) -> Option<Arc<CertifiedKey>> {
        let chain = self.keep(certificate.certificates());
        let private = self.keep(key.key());
        let certified = CertifiedKey::from_der(chain?, private?, &provider());
        let certified = certified.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => key.fault("does not belong to the certificate"),
            _ => key.fault("cannot be used with the certificate"),
        });
        self.keep(certified).map(Arc::new)
    }

    fn roots(&mut self, ca: Named<'_>) -> Option<Arc<RootCertStore>> {
        let mut roots = RootCertStore::empty();
        for certificate in self.keep(ca.certificates())? {
            let added = roots.add(certificate);
            self.keep(added.map_err(|_| ca.fault("holds a certificate that cannot be an issuer")))?;
        }
        Some(Arc::new(roots))
    }

    fn lists(&mut self, lists: Lists<'_>) -> Option<Vec<CertificateRevocationListDer<'static>>> {
        let mut all = Vec::new();
        for file in lists.files {
            all.append(&mut self.keep(named(lists.setting, file).revocation_lists())?);
        }
        Some(all)
    }

    /// Certificates must chain to one of the issuers and be on no revocation list. An issuer without
    /// a list is believed (docs/adr/0010).
    fn client_verifier(
        &mut self,
        ca: Named<'_>,
        lists: Lists<'_>,
    ) -> Option<Arc<dyn ClientCertVerifier>> {
        let roots = self.roots(ca);
        let crls = self.lists(lists);
        let mut builder = WebPkiClientVerifier::builder_with_provider(roots?, provider())
            .with_crls(crls?)
            .clear_root_hint_subjects()
            .allow_unknown_revocation_status();
        if lists.must_be_fresh {
            builder = builder.enforce_revocation_expiration();
        }
        self.keep(builder.build().map_err(|error| ca.fault(error.to_string())))
    }

    fn next_node(
        &mut self,
        next_node: &NextNode,
        listener: Option<&ListenerTls>,
        shown: Option<&Arc<CertifiedKey>>,
    ) -> Option<Arc<ClientConfig>> {
        let own = match (&next_node.certificate, &next_node.key) {
            (Some(certificate), Some(key)) => self.certified(
                named("next_node.certificate", certificate),
                named("next_node.key", key),
            ),
            _ => shown.cloned(),
        };
        let ca = named("next_node.ca", next_node.ca.as_deref()?);
        let roots = self.roots(ca);
        let crls = match listener {
            Some(tls) => self.lists(Lists::of("listener.tls.crls", &tls.crls, false)),
            None => Some(Vec::new()),
        };
        let fresh = listener.is_some_and(|tls| tls.crls_must_be_fresh);
        let verifier = client::verifier(roots?, crls?, fresh, next_node.check_host_name);
        let verifier: Arc<dyn ServerCertVerifier> =
            self.keep(verifier.map_err(|reason| ca.fault(reason)))?;
        let config = client::config(verifier, own).map_err(|reason| ca.fault(reason));
        self.keep(config).map(Arc::new)
    }
}

/// What an end entity and its intermediates are judged by.
pub(super) type Judge = Arc<dyn ClientCertVerifier>;
