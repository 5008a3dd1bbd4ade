//! The certificates of this moment, and their exchange. What cannot be read changes nothing: the last
//! good ones stay.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, Error};

use super::files::TlsFault;
use super::inspection::{Inspection, inspect};
use super::material::{Judge, Material, Sources};

/// The certificates of this moment.
#[derive(Debug)]
pub struct Store {
    sources: Sources,
    current: ArcSwap<Material>,
    seen: Mutex<Seen>,
}

/// What the last look at the files came to.
#[derive(Debug)]
struct Seen {
    /// Digest of the files, good or not.
    digest: Vec<u8>,
    /// Why they were not used; nothing when they were.
    faults: Vec<TlsFault>,
}

/// What a look at the files came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// Nothing has changed since the last look.
    Unchanged,
    /// The new ones count from now on.
    Exchanged {
        /// How many exchanges there have been.
        generation: u64,
    },
    /// The new ones cannot be used; the last good ones stay.
    Kept(Vec<TlsFault>),
}

/// Why a certificate is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disbelief {
    /// It cannot be read as a certificate.
    Unreadable,
    /// It can, and is not accepted; why is for the log.
    Refused(&'static str),
}

impl Store {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn open(sources: Sources) -> Result<Arc<Self>, Vec<TlsFault>> {
        let digest = sources.digest();
        let material = Material::read(&sources, 0)?;
        let faults = Vec::new();
        Ok(Arc::new(Self {
            sources,
            current: ArcSwap::from_pointee(material),
            seen: Mutex::new(Seen { digest, faults }),
        }))
    }

    /// Looks at the files again. Reads files: not for a thread that serves.
    pub fn reload(&self) -> Reloaded {
        let digest = self.sources.digest();
        self.look(digest, |generation| {
            Material::read(&self.sources, generation)
        })
    }

    /// Files that could not be used are read again although they are the same: it may have been the
    /// reading that failed, and a revocation list must not wait for the next one because of that.
    fn look(
        &self,
        digest: Vec<u8>,
        read: impl FnOnce(u64) -> Result<Material, Vec<TlsFault>>,
    ) -> Reloaded {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = seen.digest == digest;
        if is_same && seen.faults.is_empty() {
            return Reloaded::Unchanged;
        }
        let generation = self.generation() + 1;
        let (faults, reloaded) = match read(generation) {
            Ok(material) => {
                self.current.store(Arc::new(material));
                (Vec::new(), Reloaded::Exchanged { generation })
            }
            Err(faults) if is_same && faults == seen.faults => (faults, Reloaded::Unchanged),
            Err(faults) => (faults.clone(), Reloaded::Kept(faults)),
        };
        *seen = Seen { digest, faults };
        reloaded
    }

    /// Why the files of the last look are not in use; nothing when they are.
    #[must_use]
    pub fn unused(&self) -> Vec<TlsFault> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.faults.clone()
    }

    /// What an operator should know about the files as they are now. Reads files.
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        inspect(&self.sources, chrono::Utc::now().timestamp())
    }

    /// How many exchanges there have been.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.current.load().generation
    }

    /// What the service listener shows now.
    #[must_use]
    pub fn shown(&self) -> Option<Arc<CertifiedKey>> {
        self.current.load().shown.clone()
    }

    /// How other nodes are talked to over TLS now, and since which exchange; `None` when no issuers of
    /// their certificates are configured.
    #[must_use]
    pub fn next_node(&self) -> Option<(u64, Arc<ClientConfig>)> {
        let material = self.current.load();
        let config = material.next_node.clone()?;
        Some((material.generation, config))
    }

    /// Judges a chain that a caller of the service listener showed, its own certificate first.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn judge_caller(&self, chain: &[CertificateDer<'_>]) -> Result<(), Disbelief> {
        judge(self.current.load().callers.as_ref(), chain)
    }

    /// Judges a chain that a terminator handed over.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn judge_terminated(&self, chain: &[CertificateDer<'_>]) -> Result<(), Disbelief> {
        judge(self.current.load().terminated.as_ref(), chain)
    }

    /// Who judges callers of the service listener now.
    pub(super) fn callers(&self) -> Option<Judge> {
        self.current.load().callers.clone()
    }
}

fn judge(judge: Option<&Judge>, chain: &[CertificateDer<'_>]) -> Result<(), Disbelief> {
    let judge = judge.ok_or(Disbelief::Refused("nobody is believed here"))?;
    let (end_entity, intermediates) = chain.split_first().ok_or(Disbelief::Unreadable)?;
    let verdict = judge.verify_client_cert(end_entity, intermediates, UnixTime::now());
    verdict.map(drop).map_err(|error| Disbelief::of(&error))
}

impl Disbelief {
    fn of(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(CertificateError::BadEncoding) => Self::Unreadable,
            error => Self::Refused(reason(error)),
        }
    }
}

/// The reason in words that hold nothing of the certificate.
pub(super) fn reason(error: &Error) -> &'static str {
    use CertificateError as Why;
    let Error::InvalidCertificate(why) = error else {
        return "cannot be checked";
    };
    match why {
        Why::Expired | Why::ExpiredContext { .. } => "expired",
        Why::NotValidYet | Why::NotValidYetContext { .. } => "not valid yet",
        Why::Revoked => "revoked",
        Why::UnknownIssuer => "unknown issuer",
        Why::UnknownRevocationStatus => "unknown revocation status",
        Why::ExpiredRevocationList | Why::ExpiredRevocationListContext { .. } => {
            "the revocation list has passed its next update"
        }
        Why::BadEncoding => "not a certificate",
        Why::BadSignature => "bad signature",
        Why::InvalidPurpose | Why::InvalidPurposeContext { .. } => "not for this purpose",
        Why::NotValidForName | Why::NotValidForNameContext { .. } => "another host name",
        _ => "not acceptable",
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_reading_that_failed_is_made_up_for_although_the_files_are_the_same() {
        let sources = Sources::of(&Settings::demo());
        let store = Store::open(sources.clone()).unwrap();
        let fault = TlsFault {
            setting: "listener.tls.crls",
            file: PathBuf::from("crl.pem"),
            reason: "cannot be read: too many open files".to_owned(),
        };
        let failing = || store.look(vec![1], |_| Err(vec![fault.clone()]));
        assert_eq!(failing(), Reloaded::Kept(vec![fault.clone()]));
        assert_eq!(failing(), Reloaded::Unchanged, "said once");
        assert_eq!(store.unused(), std::slice::from_ref(&fault));
        let read = |generation| Material::read(&sources, generation);
        let exchanged = Reloaded::Exchanged { generation: 1 };
        assert_eq!(store.look(vec![1], read), exchanged);
        assert_eq!(store.unused(), []);
        assert_eq!(store.look(vec![1], read), Reloaded::Unchanged);
    }
}
