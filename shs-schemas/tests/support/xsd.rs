//! Validation of many documents by xmllint, against our own schemas of SSBTEK or the original ones.

use std::path::{Path, PathBuf};
use std::process::Command;

use shs_schemas::ssbtek::{Kontrakt, wsdl};
use tempfile::TempDir;

/// A schema and the means to validate against it.
pub(crate) struct Schema {
    path: PathBuf,
    /// Where our own lie while they are used.
    _folder: Option<TempDir>,
}

impl Schema {
    /// The original of this version, when it and xmllint are at hand.
    pub(crate) fn original(kontrakt: Kontrakt) -> Option<Self> {
        let path = original_folder(kontrakt)?
            .join(format!("sammansatt_bastjanst_v{}.xsd", kontrakt.version()));
        Self::at(path, None)
    }

    /// Our own of this version, when xmllint is at hand.
    pub(crate) fn ours(kontrakt: Kontrakt) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write_ours(kontrakt, folder.path());
        Self::at(folder.path().join("ssbt.xsd"), Some(folder))
    }

    /// Both, as far as they are at hand.
    pub(crate) fn all(kontrakt: Kontrakt) -> impl Iterator<Item = Self> {
        [Self::ours(kontrakt), Self::original(kontrakt)]
            .into_iter()
            .flatten()
    }

    fn at(path: PathBuf, folder: Option<TempDir>) -> Option<Self> {
        super::has_xmllint().then_some(Self {
            path,
            _folder: folder,
        })
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Which of these documents are valid; one run of xmllint for some thousands.
    pub(crate) fn valid(&self, documents: &[impl AsRef<[u8]>]) -> Vec<bool> {
        documents
            .chunks(4000)
            .flat_map(|some| self.valid_at_once(some))
            .collect()
    }

    fn valid_at_once(&self, documents: &[impl AsRef<[u8]>]) -> Vec<bool> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let name = |n: usize| format!("document-{n}.xml");
        let mut xmllint = Command::new("xmllint");
        xmllint
            .args(["--nonet", "--noout", "--schema"])
            .arg(&self.path)
            .current_dir(folder.path());
        for (n, document) in documents.iter().enumerate() {
            std::fs::write(folder.path().join(name(n)), document).expect("written");
            xmllint.arg(name(n));
        }
        let output = xmllint.output().expect("xmllint runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("failed to compile"), "{said}");
        assert!(!said.contains("failed to load"), "{said}");
        let valid: std::collections::HashSet<&str> = said
            .lines()
            .filter_map(|line| line.strip_suffix(" validates"))
            .collect();
        (0..documents.len())
            .map(|n| valid.contains(name(n).as_str()))
            .collect()
    }

    /// Fails unless every document is valid.
    pub(crate) fn assert_valid(&self, documents: &[impl AsRef<[u8]>]) {
        for (document, valid) in documents.iter().zip(self.valid(documents)) {
            let document = String::from_utf8_lossy(document.as_ref());
            assert!(valid, "not valid: {document}");
        }
    }
}

/// Where the original WSDL and schema of this version lie, when they are at hand.
pub(crate) fn original_folder(kontrakt: Kontrakt) -> Option<PathBuf> {
    let folder = super::contract()?.join(format!(
        "ssbtek-v10/se/forsakringskassan/schema/integration/ssbt/_{}",
        kontrakt.version()
    ));
    if !folder.is_dir() {
        super::aloud(&format!("skipped: no original schema of {kontrakt:?}"));
        return None;
    }
    Some(folder)
}

/// Writes our schemas of this version as files that refer to each other.
pub(crate) fn write_ours(kontrakt: Kontrakt, folder: &Path) {
    let mut names = wsdl::schema_names();
    for name in names.clone() {
        let text = wsdl::schema(kontrakt, name, "urn:here").expect("there is one");
        let text = names.clone().fold(text, |text, other| {
            text.replace(
                &format!("urn:here?xsd={other}\""),
                &format!("{other}.xsd\""),
            )
        });
        assert!(!text.contains("urn:here"), "{name}");
        std::fs::write(folder.join(format!("{name}.xsd")), text).expect("written");
    }
    assert_eq!(names.next(), Some("ssbt"));
}
