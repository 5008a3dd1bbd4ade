//! A certificate authority for development: what `samsvar dev-certs` and the tests make certificates
//! with. Its key lies beside the certificates in clear, so nothing real may ever trust it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevocationReason, RevokedCertParams, SerialNumber,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use shs_schemas::shs::Organisationsnummer;
use time::OffsetDateTime;
use uuid::Uuid;

/// How long the authority's own certificate lasts.
const CA_LASTS: Duration = days(3650);
/// How long certificates and revocation lists last.
const LASTS: Duration = days(365);
/// How long ago certificates that have expired ended, and others begin: clocks differ.
const AGO: Duration = days(1);
/// OID of `serialNumber` in a subject, which holds the organisation number.
const SERIAL_NUMBER: &[u64] = &[2, 5, 4, 5];
/// File mode of keys: for their owner alone.
const KEY_MODE: u32 = 0o600;
/// File mode of certificates.
const CERTIFICATE_MODE: u32 = 0o644;
/// Longest name of a certificate, in bytes.
const NAME_BYTES_MAX: usize = 64;

const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 60 * 60)
}

/// Why a certificate was not made.
#[derive(Debug, thiserror::Error)]
pub enum DevCaError {
    /// A file cannot be read or written.
    #[error("{file}: {error}")]
    File {
        /// The file.
        file: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A file holds something else than this authority wrote.
    #[error("{0} holds something that this command did not write")]
    Foreign(PathBuf),
    /// A name that cannot be the name of a file.
    #[error("{0:?} is not 1 to 64 letters, digits and . - _")]
    Name(String),
    /// There is no certificate of this name to revoke.
    #[error("there is no certificate {0:?} here")]
    Missing(String),
    /// The library refuses.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// For what a certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A node: it is called under these host names and addresses, and calls others.
    Node {
        /// Host names and IP addresses.
        hosts: Vec<String>,
    },
    /// A client that calls nodes.
    Client,
    /// A client whose certificate has ended.
    ExpiredClient,
}

/// What a certificate is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Name: also of the files.
    pub name: String,
    /// The organisation number that it stands for.
    pub number: Organisationsnummer,
    /// For what.
    pub purpose: Purpose,
}

/// Whether something was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was.
    New,
    /// It was there already and is untouched.
    Kept,
}

/// An entry of the revocation list: serial number, and since when.
type Revoked = (Vec<u8>, OffsetDateTime);

/// A certificate authority in a folder.
pub struct DevCa {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl DevCa {
    /// The authority of the folder; a new one with an empty revocation list when there is none.
    ///
    /// # Errors
    /// When files cannot be read or written.
    pub fn open(folder: &Path) -> Result<(Self, Made), DevCaError> {
        fs::create_dir_all(folder).map_err(in_file(folder))?;
        let certificate = folder.join("ca.pem");
        let made = if certificate.exists() {
            Made::Kept
        } else {
            create(folder)?;
            Made::New
        };
        let foreign = |_| DevCaError::Foreign(certificate.clone());
        let key = KeyPair::from_pem(&read(&folder.join("ca.key"))?)?;
        let issuer = Issuer::from_ca_cert_pem(&read(&certificate)?, key).map_err(foreign)?;
        let ca = Self {
            folder: folder.to_owned(),
            issuer,
        };
        if !ca.folder.join("crl.pem").exists() {
            ca.write_list(Vec::new(), 1)?;
        }
        Ok((ca, made))
    }

    /// A file of the folder: `ca.pem`, `crl.pem`, `NAME.pem`, `NAME.key`.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes a certificate and its key, or keeps those that are there; `force` makes them anew.
    ///
    /// # Errors
    /// When the name cannot be the name of a file, or files cannot be written.
    pub fn make(&self, wanted: &Wanted, force: bool) -> Result<Made, DevCaError> {
        check_name(&wanted.name)?;
        let certificate = self.file(&format!("{}.pem", wanted.name));
        let key_file = self.file(&format!("{}.key", wanted.name));
        // One without the other is of a run that was broken off.
        if !force && certificate.exists() && key_file.exists() {
            return Ok(Made::Kept);
        }
        let key = KeyPair::generate()?;
        let made = params(wanted)?.signed_by(&key, &self.issuer)?;
        write(&key_file, &key.serialize_pem(), KEY_MODE)?;
        write(&certificate, &made.pem(), CERTIFICATE_MODE)?;
        Ok(Made::New)
    }

    /// Puts a certificate on the revocation list.
    ///
    /// # Errors
    /// When there is none of this name, or files cannot be read or written.
    pub fn revoke(&self, name: &str) -> Result<(), DevCaError> {
        check_name(name)?;
        let file = self.file(&format!("{name}.pem"));
        if !file.exists() {
            return Err(DevCaError::Missing(name.to_owned()));
        }
        let foreign = || DevCaError::Foreign(file.clone());
        let der = CertificateDer::from_pem_slice(read(&file)?.as_bytes()).map_err(|_| foreign())?;
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).map_err(|_| foreign())?;
        let (mut revoked, number) = self.revoked()?;
        let serial = certificate.raw_serial().to_vec();
        if !revoked.iter().any(|(known, _)| *known == serial) {
            revoked.push((serial, OffsetDateTime::from(now())));
        }
        self.write_list(revoked, number + 1)
    }

    /// What the list holds now, and its number.
    fn revoked(&self) -> Result<(Vec<Revoked>, u64), DevCaError> {
        let file = self.file("crl.pem");
        let foreign = || DevCaError::Foreign(file.clone());
        let text = read(&file)?;
        let der = CertificateRevocationListDer::from_pem_slice(text.as_bytes());
        let der = der.map_err(|_| foreign())?;
        let (_, list) = x509_parser::parse_x509_crl(&der).map_err(|_| foreign())?;
        let revoked = list.iter_revoked_certificates().map(|entry| {
            let serial = entry.raw_serial().to_vec();
            (serial, entry.revocation_date.to_datetime())
        });
        let number = list
            .crl_number()
            .and_then(|number| u64::try_from(number).ok());
        Ok((revoked.collect(), number.unwrap_or_default()))
    }

    fn write_list(&self, revoked: Vec<Revoked>, number: u64) -> Result<(), DevCaError> {
        let entry = |(serial, time): Revoked| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&serial),
            revocation_time: time,
            reason_code: Some(RevocationReason::Unspecified),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: (now() - AGO).into(),
            next_update: (now() + LASTS).into(),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.into_iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let pem = list.signed_by(&self.issuer)?.pem()?;
        write(&self.file("crl.pem"), &pem, CERTIFICATE_MODE)
    }
}

fn now() -> std::time::SystemTime {
    Utc::now().into()
}

fn create(folder: &Path) -> Result<(), DevCaError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    // Of several such authorities each has its own name: lists are found by it.
    let id = Uuid::new_v4().simple().to_string();
    params.distinguished_name = subject(&format!("samsvar development CA {}", &id[..8]));
    params.serial_number = Some(serial());
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = (now() - AGO).into();
    params.not_after = (now() + CA_LASTS).into();
    let certificate = params.self_signed(&key)?;
    write(&folder.join("ca.key"), &key.serialize_pem(), KEY_MODE)?;
    write(&folder.join("ca.pem"), &certificate.pem(), CERTIFICATE_MODE)
}

fn params(wanted: &Wanted) -> Result<CertificateParams, DevCaError> {
    let (hosts, usages) = match &wanted.purpose {
        Purpose::Node { hosts } => (hosts.clone(), NODE_USAGES),
        Purpose::Client | Purpose::ExpiredClient => (Vec::new(), CLIENT_USAGES),
    };
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = subject(&wanted.name);
    let number = DnType::CustomDnType(SERIAL_NUMBER.to_vec());
    params
        .distinguished_name
        .push(number, wanted.number.as_str());
    params.serial_number = Some(serial());
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = usages.to_vec();
    params.use_authority_key_identifier_extension = true;
    let (begins, ends) = if wanted.purpose == Purpose::ExpiredClient {
        (now() - LASTS, now() - AGO)
    } else {
        (now() - AGO, now() + LASTS)
    };
    (params.not_before, params.not_after) = (begins.into(), ends.into());
    Ok(params)
}

const NODE_USAGES: &[ExtendedKeyUsagePurpose] = &[
    ExtendedKeyUsagePurpose::ServerAuth,
    ExtendedKeyUsagePurpose::ClientAuth,
];
const CLIENT_USAGES: &[ExtendedKeyUsagePurpose] = &[ExtendedKeyUsagePurpose::ClientAuth];

fn subject(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

/// A serial number that no other certificate has: positive, 16 bytes.
fn serial() -> SerialNumber {
    let mut bytes = *Uuid::new_v4().as_bytes();
    bytes[0] = bytes[0] & 0x7F | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn check_name(name: &str) -> Result<(), DevCaError> {
    let right = (1..=NAME_BYTES_MAX).contains(&name.len())
        && !name.starts_with('.')
        && !matches!(name, "ca" | "crl")
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if right {
        Ok(())
    } else {
        Err(DevCaError::Name(name.to_owned()))
    }
}

fn in_file(file: &Path) -> impl FnOnce(std::io::Error) -> DevCaError {
    let file = file.to_owned();
    move |error| DevCaError::File { file, error }
}

fn read(file: &Path) -> Result<String, DevCaError> {
    fs::read_to_string(file).map_err(in_file(file))
}

/// Writes a file whole or not at all: a node may be reading it.
fn write(file: &Path, text: &str, mode: u32) -> Result<(), DevCaError> {
    let unfinished = file.with_added_extension("new");
    let written = || {
        let _ = fs::remove_file(&unfinished);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        options.open(&unfinished)?.write_all(text.as_bytes())?;
        fs::rename(&unfinished, file)
    };
    written().map_err(in_file(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_broken_off_is_made_up_for() {
        let folder = tempfile::tempdir().unwrap();
        let (ca, _) = DevCa::open(folder.path()).unwrap();
        let wanted = Wanted {
            name: "provstad".to_owned(),
            number: Organisationsnummer::parse("2120009986").unwrap(),
            purpose: Purpose::Client,
        };
        assert_eq!(ca.make(&wanted, false).unwrap(), Made::New);
        assert_eq!(ca.make(&wanted, false).unwrap(), Made::Kept);
        fs::remove_file(ca.file("provstad.pem")).unwrap();
        assert_eq!(ca.make(&wanted, false).unwrap(), Made::New);
        ca.revoke("provstad").unwrap();
    }
}
