//! The accepting side of TLS: client certificates are demanded, by the certificates of the moment of
//! each handshake.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};

use samsvar_actors::avvisat::Avvisade;
use samsvar_actors::ledger::event::Dorr;

use super::provider;
use super::store::{Store, reason};

/// TLS 1.2 and 1.3 for the service listener. Whose certificate is not accepted is noted there; who shows none
/// is refused by rustls, which tells nobody.
///
/// # Errors
/// When the crypto provider cannot do them.
pub fn config(store: &Arc<Store>, avvisade: Avvisade) -> Result<ServerConfig, Error> {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let store = Arc::clone(store);
    let callers = Callers {
        store: Arc::clone(&store),
        algorithms,
        avvisade,
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12, &rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(callers))
        .with_cert_resolver(Arc::new(Shown(store)));
    // A resumed session is not verified: a revoked caller would come back with it.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Shows the certificate of the moment.
#[derive(Debug)]
struct Shown(Arc<Store>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.shown()
    }
}

/// Judges callers by the issuers and revocation lists of the moment.
#[derive(Debug)]
struct Callers {
    store: Arc<Store>,
    algorithms: WebPkiSupportedAlgorithms,
    avvisade: Avvisade,
}

impl ClientCertVerifier for Callers {
    /// None: who may call is nobody else's business, and a long list breaks some clients.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let refusal = Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        let verdict = match self.store.callers() {
            Some(judge) => judge.verify_client_cert(end_entity, intermediates, now),
            None => Err(refusal),
        };
        verdict.inspect_err(|error| {
            let reason = reason(error);
            tracing::info!(reason, "caller refused in the TLS handshake");
            self.avvisade.note_plain(Dorr::Tls, reason, None);
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
