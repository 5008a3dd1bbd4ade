//! Certificates of a test: an authority in a folder of its own, and connections made with them.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use samsvar::client::Client;
use samsvar::dev_ca::{DevCa, Purpose, Wanted};
use samsvar::settings::{ListenerTls, Settings};
use samsvar::tls;
use shs_schemas::shs::Organisationsnummer;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::wire::Wire;

/// The demo's two municipalities.
pub const EXEMPELKOPING: &str = "2120009994";
pub const PROVSTAD: &str = "2120009986";
/// The node's own actor.
pub const NODE: &str = "2021009994";

/// A certificate authority and what it has issued.
pub struct Pki {
    folder: TempDir,
    pub ca: DevCa,
}

impl Pki {
    /// An authority with a certificate for a node, and one for each municipality.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ca, _) = DevCa::open(folder.path()).unwrap();
        let pki = Self { folder, ca };
        pki.node("node", &["localhost", "127.0.0.1"]);
        pki.client("exempelkoping", EXEMPELKOPING);
        pki.client("provstad", PROVSTAD);
        pki
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn make(&self, name: &str, number: &str, purpose: Purpose) {
        let wanted = Wanted {
            name: name.to_owned(),
            number: Organisationsnummer::parse(number).unwrap(),
            purpose,
        };
        self.ca.make(&wanted, true).unwrap();
    }

    pub fn node(&self, name: &str, hosts: &[&str]) {
        let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        self.make(name, NODE, Purpose::Node { hosts });
    }

    pub fn client(&self, name: &str, number: &str) {
        self.make(name, number, Purpose::Client);
    }

    pub fn expired(&self, name: &str, number: &str) {
        self.make(name, number, Purpose::ExpiredClient);
    }

    /// Settings of a listener that lets this authority's clients in.
    pub fn listener(&self) -> ListenerTls {
        ListenerTls {
            certificate: self.file("node.pem"),
            key: self.file("node.key"),
            client_ca: self.file("ca.pem"),
            crls: vec![self.file("crl.pem")],
            crls_must_be_fresh: true,
            reload_every_s: 86_400,
        }
    }

    /// Changes settings to such a listener.
    pub fn guard(&self, settings: &mut Settings) {
        settings.listener.tls = Some(self.listener());
    }

    /// What a client with this certificate does; without one when there is no name.
    pub fn config(&self, name: Option<&str>) -> ClientConfig {
        let file = |name: &str, kind| self.file(&format!("{name}.{kind}"));
        let own = name.map(|name| (file(name, "pem"), file(name, "key")));
        tls::client::from_files(self.file("ca.pem"), own, true).unwrap()
    }

    pub fn http_client(&self, name: Option<&str>) -> Client {
        Client::with_tls(self.config(name)).unwrap()
    }

    /// A connection over which a test sends every byte.
    pub async fn wire(&self, name: &str, port: u16) -> Wire {
        Wire::over(connect(self.config(Some(name)), port).await.unwrap())
    }

    /// The certificate as a header's value: DER in base64.
    pub fn in_base64(&self, name: &str) -> String {
        let pem = std::fs::read_to_string(self.file(&format!("{name}.pem"))).unwrap();
        pem.lines().filter(|line| !line.starts_with('-')).collect()
    }
}

/// A TLS connection to a port of this machine.
pub async fn connect(config: ClientConfig, port: u16) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

impl Pki {
    /// The same in one version of TLS only.
    pub fn config_of(
        &self,
        version: &'static rustls::SupportedProtocolVersion,
        name: &str,
    ) -> ClientConfig {
        let pem = |kind| std::fs::read(self.file(&format!("{name}.{kind}"))).unwrap();
        let ca = std::fs::read(self.file("ca.pem")).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(&ca).unwrap())
            .unwrap();
        ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(&pem("pem")).unwrap()],
                PrivateKeyDer::from_pem_slice(&pem("key")).unwrap(),
            )
            .unwrap()
    }
}

impl Pki {
    /// Replaces the revocation list by one in DER that had its next update an hour ago; it holds the
    /// certificate of that name.
    pub fn publish_a_stale_list(&self, revoked: &str) {
        let read = |name: &str| std::fs::read_to_string(self.file(name)).unwrap();
        let key = rcgen::KeyPair::from_pem(&read("ca.key")).unwrap();
        let issuer = rcgen::Issuer::from_ca_cert_pem(&read("ca.pem"), key).unwrap();
        let der = CertificateDer::from_pem_slice(read(&format!("{revoked}.pem")).as_bytes());
        let der = der.unwrap();
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
        let now = time::OffsetDateTime::from(std::time::SystemTime::now());
        let hour = time::Duration::HOUR;
        let list = rcgen::CertificateRevocationListParams {
            this_update: now - 2 * hour,
            next_update: now - hour,
            crl_number: rcgen::SerialNumber::from(9),
            issuing_distribution_point: None,
            revoked_certs: vec![rcgen::RevokedCertParams {
                serial_number: rcgen::SerialNumber::from_slice(certificate.raw_serial()),
                revocation_time: now - 2 * hour,
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&issuer).unwrap();
        std::fs::write(self.file("crl.pem"), list.der()).unwrap();
    }
}
