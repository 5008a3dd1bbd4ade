//! The way to the server: TCP, TLS at once or after `StartTLS` (RFC 4511, 4.14), and the guard in front of
//! the LDAP library.

use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;

use super::fault::TlsFault;
use super::guard;
use crate::settings::{Ldap, LdapUrl};
use crate::tls::provider;

/// "Go over to TLS": message 1, an extended request with the name 1.3.6.1.4.1.1466.20037.
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// Tag of the answer, and what its first element is when the server agrees.
const EXTENDED_RESPONSE: u8 = 0x78;
const AGREED: &[u8] = b"\x0a\x01\x00";

/// Where the server is and how it is talked to.
pub(super) struct Route {
    host: String,
    port: u16,
    start_tls: bool,
    /// Whom it trusts, when the connection is not plain.
    tls: Option<Arc<ClientConfig>>,
}

/// The library's end of a connection, and the task between it and the server.
pub(super) struct Guarded {
    pub(super) stream: StdUnixStream,
    pub(super) guard: AbortHandle,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Route {
    /// The way to this address.
    ///
    /// # Errors
    /// When the certificates of the settings cannot be used.
    pub(super) fn new(url: &LdapUrl, settings: &Ldap) -> Result<Self, TlsFault> {
        let tls = url.is_tls() || settings.start_tls;
        let tls = tls.then(|| trusting(settings.ca.as_deref())).transpose()?;
        Ok(Self {
            host: url.host().to_owned(),
            port: url.port(),
            start_tls: settings.start_tls,
            tls,
        })
    }

    /// Connects. Takes its time from whoever waits.
    ///
    /// # Errors
    /// When nobody listens there, or TLS fails.
    pub(super) async fn open(&self) -> io::Result<Guarded> {
        let server = self.server().await?;
        let (ours, library) = UnixStream::pair()?;
        let between = tokio::spawn(async move {
            let (from_server, mut to_server) = split(server);
            let (mut from_library, to_library) = ours.into_split();
            // Either side's end is the other's.
            tokio::select! {
                _ = guard::pass(from_server, to_library) => {}
                _ = copy(&mut from_library, &mut to_server) => {}
            }
        });
        Ok(Guarded {
            stream: library.into_std()?,
            guard: between.abort_handle(),
        })
    }

    async fn server(&self) -> io::Result<Box<dyn Stream>> {
        let mut tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(tcp));
        };
        if self.start_tls {
            tcp.write_all(START_TLS).await?;
            let answer = guard::message(&mut tcp).await?;
            if !answer.is_some_and(|answer| agrees(&answer)) {
                return Err(io::Error::other("it does not go over to TLS"));
            }
        }
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(tls));
        Ok(Box::new(connector.connect(name, tcp).await?))
    }
}

/// Trust in these certificates and no others; without them in those of the system.
fn trusting(ca: Option<&str>) -> Result<Arc<ClientConfig>, TlsFault> {
    let mut roots = RootCertStore::empty();
    if let Some(ca) = ca {
        for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
            let certificate = certificate.map_err(|_| TlsFault("is not PEM".to_owned()))?;
            let added = roots.add(certificate);
            added.map_err(|error| TlsFault(error.to_string()))?;
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsFault(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn agrees(answer: &[u8]) -> bool {
    let response = || {
        let message = guard::element(answer, 0)?;
        let id = guard::element(answer, message.begin)?;
        let response = guard::element(answer, id.end)?;
        Some((response.tag, &answer[response.begin..response.end]))
    };
    response().is_some_and(|(tag, content)| tag == EXTENDED_RESPONSE && content.starts_with(AGREED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_agrees() {
        assert!(agrees(
            b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
        ));
        for other in [
            b"".as_slice(),
            b"\x30\x00",
            b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00",
            b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00",
            b"\x30\x05\x02\x01\x01\x78\x00",
        ] {
            assert!(!agrees(other), "{other:x?}");
        }
    }
}
