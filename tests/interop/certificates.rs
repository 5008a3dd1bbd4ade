//! One authority for all nodes and systems of a test, and what they show and accept.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use samsvar::client::Client;
use samsvar::dev_ca::{DevCa, Purpose, Wanted};
use samsvar::tls;
use shs_schemas::shs::Organisationsnummer;
use tempfile::TempDir;

/// An authority in a folder of its own.
pub struct Certificates {
    folder: TempDir,
    ca: DevCa,
}

impl Certificates {
    /// An authority that has issued nothing.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ca, _) = DevCa::open(folder.path()).unwrap();
        Self { folder, ca }
    }

    /// A file of it: `ca.pem`, `NAME.pem`, `NAME.key`.
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

    /// Issues a node's certificate.
    pub fn node(&self, name: &str, number: &str) {
        let hosts = vec!["localhost".to_owned()];
        self.make(name, number, Purpose::Node { hosts });
    }

    /// Issues a system's certificate.
    pub fn system(&self, name: &str, number: &str) {
        self.make(name, number, Purpose::Client);
    }

    /// SHA-256 of a certificate, as settings have it.
    pub fn fingerprint(&self, name: &str) -> String {
        let pem = fs::read(self.file(&format!("{name}.pem"))).unwrap();
        let der = CertificateDer::from_pem_slice(&pem).unwrap();
        let mut text = String::new();
        for byte in digest(&SHA256, &der).as_ref() {
            write!(text, "{byte:02x}").unwrap();
        }
        text
    }

    /// What a system with this certificate does; without one when there is no name.
    pub fn tls(&self, name: Option<&str>) -> rustls::ClientConfig {
        let file = |name: &str, kind| self.file(&format!("{name}.{kind}"));
        let own = name.map(|name| (file(name, "pem"), file(name, "key")));
        tls::client::from_files(self.file("ca.pem"), own, true).unwrap()
    }

    /// What a node that is not ours shows; it takes everybody.
    pub fn server(&self, name: &str) -> rustls::ServerConfig {
        let file = |kind| fs::read(self.file(&format!("{name}.{kind}"))).unwrap();
        let certificate = CertificateDer::from_pem_slice(&file("pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&file("key")).unwrap();
        rustls::ServerConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap()
    }

    /// A client with this certificate.
    pub fn client(&self, name: &str) -> Client {
        Client::with_tls(self.tls(Some(name))).unwrap()
    }
}
