//! Which actors a certificate stands for (shs-1.2, 7.6): those whose number its subject holds, and
//! those that the configuration lists it for.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use shs_schemas::shs::Organisationsnummer;
use x509_parser::der_parser::Oid;
use x509_parser::der_parser::asn1_rs::oid;
use x509_parser::x509::X509Name;

use crate::settings::{Aktor, Fingerprint};

/// `serialNumber` of a subject.
const SERIAL_NUMBER: Oid<'static> = oid!(2.5.4.5);
/// `organizationIdentifier` of a subject.
const ORGANIZATION_IDENTIFIER: Oid<'static> = oid!(2.5.4.97);
/// Digits of an organisation number.
const DIGITS: usize = 10;
/// What a VAT number has behind the organisation number.
const VAT_SUFFIX: &str = "01";

/// The configured table from certificates to actors. One certificate may stand for many: a hosting
/// node sends for all of its customers.
#[derive(Clone, Debug, Default)]
pub struct CertificateTable(HashMap<Fingerprint, Vec<Organisationsnummer>>);

impl CertificateTable {
    /// The table that these actors' entries make up.
    #[must_use]
    pub fn of(aktorer: &[Aktor]) -> Self {
        let mut table: HashMap<_, Vec<_>> = HashMap::new();
        for aktor in aktorer {
            let Ok(number) = Organisationsnummer::parse(&aktor.organisationsnummer) else {
                continue;
            };
            for fingerprint in &aktor.certificates {
                table.entry(*fingerprint).or_default().push(number.clone());
            }
        }
        Self(table)
    }

    /// Every actor that the certificate stands for, each once; none when nothing says so.
    #[must_use]
    pub fn actors(&self, certificate: &CertificateDer<'_>) -> Arc<[Organisationsnummer]> {
        let mut actors = numbers_in(certificate);
        if let Some(listed) = self.0.get(&fingerprint(certificate)) {
            actors.extend(listed.iter().cloned());
        }
        actors.sort();
        actors.dedup();
        actors.into()
    }
}

/// SHA-256 over the whole certificate, as `openssl x509 -fingerprint -sha256` shows it.
#[must_use]
pub fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
    Fingerprint::new(bytes)
}

/// The organisation numbers in the subject; none when it cannot be read.
fn numbers_in(certificate: &CertificateDer<'_>) -> Vec<Organisationsnummer> {
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(certificate) else {
        return Vec::new();
    };
    let subject = certificate.subject();
    values(subject, &SERIAL_NUMBER)
        .chain(values(subject, &ORGANIZATION_IDENTIFIER))
        .filter_map(number)
        .collect()
}

fn values<'n>(name: &'n X509Name<'_>, oid: &'n Oid<'_>) -> impl Iterator<Item = &'n str> {
    name.iter_by_oid(oid)
        .filter_map(|attribute| attribute.as_str().ok())
}

/// The number in one attribute. Certificates in use hold `2120009994`, `212000-9994`,
/// `162120009994`, `NTRSE-2120009994`, `SE212000999401` (a VAT number) and `SE2120009994-A12` (an id
/// within an organisation).
fn number(value: &str) -> Option<Organisationsnummer> {
    let value = value.trim();
    let within_organisation = value
        .strip_prefix("SE")
        .and_then(|rest| rest.split_once('-'))
        .map(|(organisation, _)| organisation)
        .filter(|organisation| organisation.len() == DIGITS);
    let value = within_organisation.unwrap_or(value);
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let ten = match digits.len() {
        DIGITS => digits.as_str(),
        12 if digits.starts_with("16") => &digits[2..],
        12 if value.starts_with("SE") => digits.strip_suffix(VAT_SUFFIX)?,
        _ => return None,
    };
    Organisationsnummer::parse(ten).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_in_every_form_that_certificates_have() {
        for value in [
            "2120009994",
            "212000-9994",
            "162120009994",
            "16212000-9994",
            " 2120009994 ",
            "NTRSE-2120009994",
            "NTRSE-212000-9994",
            "SE2120009994",
            "SE212000999401",
            "SE162120009994",
            "SE2120009994-A12",
            "SE2120009994-1234",
            "SE212000-9994",
        ] {
            let found = number(value).map(|number| number.as_str().to_owned());
            assert_eq!(found.as_deref(), Some("2120009994"), "{value}");
        }
    }

    #[test]
    fn what_is_no_organisation_number_stands_for_nobody() {
        for value in [
            "",
            "Exempelköping",
            "212000999",
            "21200099940",
            "199503142383",
            "212000999401",
            "SE212000999402",
            "2120009994-1234",
            "16212000999401",
        ] {
            assert_eq!(number(value), None, "{value}");
        }
    }

    #[test]
    fn something_that_is_no_certificate_stands_for_nobody() {
        let table = CertificateTable::default();
        let nothing = CertificateDer::from(vec![0x30, 0x00]);
        assert!(table.actors(&nothing).is_empty());
    }
}
