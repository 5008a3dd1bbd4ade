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
/// Digits behind the hyphen of an organisation number.
const LAST_DIGITS: usize = 4;
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
/// `162120009994`, `NTRSE-2120009994`, `SE212000999401` (a VAT number, also as `VATSE-212000999401`)
/// and `SE2120009994-A12` (an id within an organisation). Any other form stands for nobody: ten digits
/// are also what companies of other countries and Swedish persons have (`VATPL-…`, `PNOSE-…`).
fn number(value: &str) -> Option<Organisationsnummer> {
    let value = value.trim();
    let registered = value.strip_prefix("NTRSE-");
    let taxed = value.strip_prefix("VATSE-");
    let swedish = value.strip_prefix("SE");
    let rest = registered.or(taxed).or(swedish).unwrap_or(value);
    let rest = match swedish.and_then(|rest| rest.split_once('-')) {
        Some((organisation, _)) if organisation.len() == DIGITS => organisation,
        _ => rest,
    };
    let digits = digits(rest)?;
    let ten = match digits.len() {
        DIGITS => digits.as_str(),
        12 if digits.starts_with("16") => &digits[2..],
        12 if taxed.or(swedish).is_some() => digits.strip_suffix(VAT_SUFFIX)?,
        _ => return None,
    };
    Organisationsnummer::parse(ten).ok()
}

/// Nothing but digits, perhaps with the one hyphen before the last four.
fn digits(text: &str) -> Option<String> {
    let digits = match text.split_once('-') {
        Some((before, last)) if last.len() == LAST_DIGITS => format!("{before}{last}"),
        Some(_) => return None,
        None => text.to_owned(),
    };
    digits.bytes().all(|b| b.is_ascii_digit()).then_some(digits)
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
            "VATSE-212000999401",
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
            // Ten digits of somebody else: a company elsewhere, a person.
            "VATPL-2120009994",
            "NTRPL-2120009994",
            "NTRBE-2120009994",
            "PNOSE-2120009994",
            "PNOSE-162120009994",
            "NO2120009994",
            "LEIXG-2120009994",
            // Digits that something else stands between.
            "2120009994 2021009994",
            "21200 09994",
            "2-1-2-0-0-0-9-9-9-4",
            "212000-9994-",
            "-2120009994",
            "nr 2120009994",
            "２2120009994",
            "NTRSE-SE2120009994",
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
