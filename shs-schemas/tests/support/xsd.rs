//! Validation against an XML schema with xmllint, without network.

#![allow(clippy::unwrap_used, reason = "helpers of tests, where it is allowed")]

use std::path::PathBuf;
use std::process::Command;

use shs_schemas::ssbtek::Kontrakt;

use super::{aloud, contract, has_xmllint, here};

/// A schema and the means to validate against it.
pub(crate) struct Schema(pub(crate) PathBuf);

impl Schema {
    /// The original schema of a version of SSBTEK, when it is at hand.
    pub(crate) fn original(kontrakt: Kontrakt) -> Option<Self> {
        let version = kontrakt.version();
        Self::at(contract()?.join(format!(
            "ssbtek-v10/se/forsakringskassan/schema/integration/ssbt/_{version}/\
             sammansatt_bastjanst_v{version}.xsd"
        )))
    }

    /// Both, as far as they are at hand.
    pub(crate) fn all(kontrakt: Kontrakt) -> impl Iterator<Item = Self> {
        [Self::ours(kontrakt), Self::original(kontrakt)]
            .into_iter()
            .flatten()
    }

    /// Our own schema of that version.
    fn ours(kontrakt: Kontrakt) -> Option<Self> {
        Self::at(here().join(format!("schemas/ssbt-{}.xsd", kontrakt.version())))
    }

    fn at(path: PathBuf) -> Option<Self> {
        if !path.exists() {
            aloud(&format!("skipped: {} is not at hand", path.display()));
            return None;
        }
        has_xmllint().then_some(Self(path))
    }

    /// Which of these documents are valid; one run of xmllint for all.
    pub(crate) fn valid(&self, documents: &[impl AsRef<[u8]>]) -> Vec<bool> {
        let folder = tempfile::tempdir().unwrap();
        let name = |n: usize| format!("document-{n}.xml");
        let mut xmllint = Command::new("xmllint");
        xmllint
            .args(["--nonet", "--noout", "--schema"])
            .arg(&self.0)
            .current_dir(folder.path());
        for (n, document) in documents.iter().enumerate() {
            std::fs::write(folder.path().join(name(n)), document).unwrap();
            xmllint.arg(name(n));
        }
        let output = xmllint.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("failed to compile"), "{said}");
        (0..documents.len())
            .map(|n| said.contains(&format!("{} validates\n", name(n))))
            .collect()
    }

    /// That all of these documents are valid.
    pub(crate) fn assert_valid(&self, documents: &[impl AsRef<[u8]>]) {
        for (document, valid) in documents.iter().zip(self.valid(documents)) {
            assert!(
                valid,
                "not valid: {}",
                String::from_utf8_lossy(document.as_ref())
            );
        }
    }
}
