//! Reading certificates, keys and revocation lists from files. A fault names the setting and the file,
//! and never a byte of what is in it.

use std::fmt;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::settings::read_bounded;

/// Largest file of certificates or of a key, in bytes.
const PEM_BYTES_MAX: u64 = 1024 * 1024;
/// Largest file of revocation lists, in bytes.
const CRL_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// What only PEM begins with.
const PEM_BEGIN: &[u8] = b"-----BEGIN ";

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFault {
    /// The setting that names the file, for example `listener.tls.key`.
    pub setting: &'static str,
    /// The file.
    pub file: PathBuf,
    /// What is wrong, in lower case without a final period.
    pub reason: String,
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.file.display(), self.reason)
    }
}

impl std::error::Error for TlsFault {}

/// What a file is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Certificates.
    Certificates,
    /// A private key.
    Key,
    /// Revocation lists.
    RevocationLists,
}

/// A file, and the setting that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<'f> {
    /// The setting.
    pub setting: &'static str,
    /// The file.
    pub file: &'f Path,
}

impl Named<'_> {
    pub(super) fn fault(self, reason: impl Into<String>) -> TlsFault {
        TlsFault {
            setting: self.setting,
            file: self.file.to_owned(),
            reason: reason.into(),
        }
    }

    /// The content, of a bounded size.
    pub(super) fn bytes(self) -> Result<Vec<u8>, TlsFault> {
        self.read(CRL_BYTES_MAX)
    }

    fn read(self, bytes_max: u64) -> Result<Vec<u8>, TlsFault> {
        read_bounded(self.file, bytes_max).map_err(|fault| self.fault(fault.message))
    }

    /// At least one certificate in PEM, in the order of the file.
    ///
    /// # Errors
    /// When the file cannot be read, or holds none or a broken one.
    pub fn certificates(self) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
        let bytes = self.read(PEM_BYTES_MAX)?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        let certificates =
            certificates.map_err(|_| self.fault("holds a certificate that is not PEM"))?;
        if certificates.is_empty() {
            return Err(self.fault("holds no certificate in PEM"));
        }
        for certificate in &certificates {
            x509_parser::parse_x509_certificate(certificate)
                .map_err(|_| self.fault("holds something that is not a certificate"))?;
        }
        Ok(certificates)
    }

    /// One private key in PEM (PKCS #8, PKCS #1 or SEC 1), not encrypted.
    ///
    /// # Errors
    /// When the file cannot be read or holds none.
    pub fn key(self) -> Result<PrivateKeyDer<'static>, TlsFault> {
        let bytes = self.read(PEM_BYTES_MAX)?;
        PrivateKeyDer::from_pem_slice(&bytes)
            .map_err(|_| self.fault("holds no private key in PEM (an encrypted one is not read)"))
    }

    /// Revocation lists: any number in PEM, or one in DER.
    ///
    /// # Errors
    /// When the file cannot be read, or holds none or a broken one.
    pub fn revocation_lists(self) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsFault> {
        let bytes = self.read(CRL_BYTES_MAX)?;
        let lists = if memory_holds(&bytes, PEM_BEGIN) {
            let lists: Result<Vec<_>, _> =
                CertificateRevocationListDer::pem_slice_iter(&bytes).collect();
            lists.map_err(|_| self.fault("holds a revocation list that is not PEM"))?
        } else {
            vec![CertificateRevocationListDer::from(bytes)]
        };
        if lists.is_empty() {
            return Err(self.fault("holds no revocation list"));
        }
        for list in &lists {
            x509_parser::parse_x509_crl(list)
                .map_err(|_| self.fault("holds something that is not a revocation list"))?;
        }
        Ok(lists)
    }
}

fn memory_holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(file: &Path) -> Named<'_> {
        let setting = "listener.tls.certificate";
        Named { setting, file }
    }

    #[test]
    fn a_file_that_holds_something_else_is_refused_with_its_name_and_not_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file.pem");
        let broken = "-----BEGIN CERTIFICATE-----\nhemligt\n-----END CERTIFICATE-----\n";
        let nothing = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let crl = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
        for content in ["", "hemligt", broken, nothing, crl] {
            std::fs::write(&file, content).unwrap();
            let named = named(&file);
            let faults = [
                named.certificates().map(drop).unwrap_err(),
                named.key().map(drop).unwrap_err(),
                named.revocation_lists().map(drop).unwrap_err(),
            ];
            for fault in faults {
                let text = fault.to_string();
                assert!(text.starts_with(file.to_str().unwrap()), "{text}");
                assert!(!text.contains("hemligt"), "{text}");
            }
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let fault = named(Path::new("missing.pem")).certificates().unwrap_err();
        assert!(fault.to_string().starts_with("missing.pem cannot be read"));
    }
}
