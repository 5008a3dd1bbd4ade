//! `samsvar check` with a directory in the settings.

use std::fs;
use std::path::Path;

use samsvar::check::{Asked, Report, check};

use crate::slapd::{Readers, Slapd};

/// The report on settings with this `[ldap]`, of a node that is Provmyndigheten's.
fn report(folder: &Path, number: &str, ldap: &str) -> Report {
    let file = folder.join("samsvar.toml");
    let text = format!(
        "[node]\norganisationsnummer = \"{number}\"\nnamn = \"Provmyndigheten\"\n\
         node_id = \"n1\"\n[transport]\nkind = \"in-process\"\n[ldap]\n{ldap}\n"
    );
    fs::write(&file, text).unwrap();
    fs::write(
        folder.join("uppgiftslamnare.toml"),
        "[CSN]\nconnected = true\n",
    )
    .unwrap();
    fs::create_dir_all(folder.join("agreements")).unwrap();
    check(&file, Asked::Everybody)
}

/// What is said of the directory.
fn warned(report: &Report) -> Vec<&str> {
    let warnings = report.warnings.iter().map(|fault| fault.message.as_str());
    warnings
        .filter(|message| message.contains("directory"))
        .collect()
}

#[test]
fn a_directory_that_does_not_answer_or_does_not_know_the_node_is_a_warning() {
    let Some(mut slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let ldap = format!("url = \"{}\"", slapd.url());
    let known = report(folder.path(), "0000000002", &ldap);
    assert!(known.ok);
    assert_eq!(warned(&known), [""; 0]);
    let stranger = report(folder.path(), "0000000099", &ldap);
    assert!(stranger.ok);
    let expected = "the SHS directory does not know this node's actor";
    assert_eq!(warned(&stranger), [expected]);
    slapd.stop();
    let away = report(folder.path(), "0000000002", &ldap);
    assert!(away.ok);
    let warnings = warned(&away);
    let expected = "the SHS directory cannot be reached: ";
    assert!(warnings[0].starts_with(expected), "{warnings:?}");
}

#[test]
fn certificates_that_cannot_be_used_are_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    fs::write(folder.path().join("ca.pem"), pem).unwrap();
    let ldap = "url = \"ldaps://katalog.example\"\nca_file = \"ca.pem\"";
    let report = report(folder.path(), "0000000002", ldap);
    assert!(!report.ok);
    assert!(report.faults[0].message.starts_with("ldap.ca_file: "));
}
