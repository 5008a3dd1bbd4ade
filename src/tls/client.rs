//! The calling side of TLS: other nodes' certificates are checked against their issuers always, and
//! against the host name unless that is switched off (shs-1.2, 5.1); this node shows its own.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::files::TlsFault;
use super::material::Material;
use super::provider;
use crate::settings::NextNode;

/// The configuration of a client command: certificates from files.
///
/// # Errors
/// What is wrong with the first file that cannot be used; the settings in it are those of
/// `[next_node]`.
pub fn from_files(
    ca: PathBuf,
    own: Option<(PathBuf, PathBuf)>,
    check_host_name: bool,
) -> Result<ClientConfig, TlsFault> {
    let (certificate, key) = own.unzip();
    let next_node = NextNode {
        ca: Some(ca),
        certificate,
        key,
        check_host_name,
        ..NextNode::default()
    };
    let config = Material::next_node_alone(&next_node)?;
    Ok(ClientConfig::clone(&config))
}

/// Who judges other nodes' certificates.
pub(super) fn verifier(
    roots: Arc<RootCertStore>,
    crls: Vec<CertificateRevocationListDer<'static>>,
    crls_must_be_fresh: bool,
    check_host_name: bool,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut builder = WebPkiServerVerifier::builder_with_provider(roots, provider())
        .with_crls(crls)
        .allow_unknown_revocation_status();
    if crls_must_be_fresh {
        builder = builder.enforce_revocation_expiration();
    }
    let chain = builder.build().map_err(|error| error.to_string())?;
    Ok(if check_host_name {
        chain
    } else {
        Arc::new(AnyHostName(chain))
    })
}

/// No session is resumed: each connection is judged by the certificates of today.
pub(super) fn config(
    verifier: Arc<dyn ServerCertVerifier>,
    own: Option<Arc<CertifiedKey>>,
) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match own {
        Some(own) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own))),
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Checks the chain and takes any host name.
#[derive(Debug)]
struct AnyHostName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyHostName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verdict {
            // The name comes last: everything else is in order.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
