//! The original schemas, which are no part of this repository: looked for in `../shared/contract` beside
//! it, or where `SAMSVAR_CONTRACT` points. Without them, or without xmllint, the tests say so.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use shs_schemas::ssbtek::Kontrakt;
use tempfile::TempDir;

/// Files that one run of xmllint is given.
const BATCH: usize = 500;

/// Documents to be held against the schema of their version, all at once: starting xmllint takes longer
/// than reading any of them.
#[derive(Debug, Default)]
pub struct Documents(Vec<(Kontrakt, String)>);

impl Documents {
    /// Adds documents in this version, bare or in envelopes.
    pub fn extend(&mut self, kontrakt: Kontrakt, documents: Vec<String>) {
        let documents = documents.into_iter();
        self.0
            .extend(documents.map(|document| (kontrakt, document)));
    }

    /// All are well-formed, and what they hold is valid by the original schema.
    pub fn assert_valid(self) {
        if Command::new("xmllint").arg("--version").output().is_err() {
            return aloud("SKIPPED: xmllint is not installed (libxml2-utils)");
        }
        let folder = TempDir::new().unwrap();
        let (whole, inner) = (folder.path().join("whole"), folder.path().join("inner"));
        std::fs::create_dir(&whole).unwrap();
        std::fs::create_dir(&inner).unwrap();
        let mut versions = Vec::new();
        for (place, (kontrakt, document)) in self.0.iter().enumerate() {
            let name = format!("{place}.xml");
            std::fs::write(whole.join(&name), document).unwrap();
            std::fs::write(inner.join(&name), inner_of(document)).unwrap();
            versions.push((*kontrakt, name));
        }
        let every = versions.iter().map(|(_, name)| whole.join(name));
        xmllint(&["--noout".as_ref()], &every.collect::<Vec<_>>());
        for kontrakt in Kontrakt::all() {
            let of_it = versions.iter().filter(|(version, _)| *version == kontrakt);
            let files: Vec<_> = of_it.map(|(_, name)| inner.join(name)).collect();
            let Some(schema) = schema(kontrakt) else {
                continue;
            };
            let arguments = ["--noout".as_ref(), "--schema".as_ref(), schema.as_os_str()];
            xmllint(&arguments, &files);
        }
    }
}

/// The contract's own document: what the body of an envelope, or the detail of a fault, holds.
fn inner_of(document: &str) -> &str {
    let between = |start: &str, end: &str| {
        let (_, rest) = document.split_once(start)?;
        rest.split_once(end).map(|(inner, _)| inner)
    };
    between("<detail>", "</detail>")
        .or_else(|| between("<soap:Body>", "</soap:Body>"))
        .unwrap_or(document)
}

fn schema(kontrakt: Kontrakt) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = std::env::var_os("SAMSVAR_CONTRACT")
        .map_or_else(|| here.join("../../shared/contract"), PathBuf::from);
    let version = kontrakt.version();
    let schema = root.join(format!(
        "ssbtek-v10/se/forsakringskassan/schema/integration/ssbt/_{version}/\
         sammansatt_bastjanst_v{version}.xsd"
    ));
    if schema.is_file() {
        return Some(schema);
    }
    let text = format!("SKIPPED: no original schema of version {version} (SAMSVAR_CONTRACT)");
    aloud(&text);
    None
}

fn xmllint(arguments: &[&OsStr], files: &[PathBuf]) {
    for batch in files.chunks(BATCH) {
        let output = Command::new("xmllint")
            .arg("--nonet")
            .args(arguments)
            .args(batch)
            .output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let wrong: Vec<_> = said
            .lines()
            .filter(|line| !line.ends_with(" validates"))
            .take(5)
            .collect();
        let documents = batch
            .iter()
            .find(|file| said.contains(&format!("{} fails", file.display())));
        let shown = documents.map(|file| std::fs::read_to_string(file).unwrap());
        assert!(output.status.success(), "{wrong:#?} {shown:?}");
    }
}

/// Says something that the test harness does not swallow.
fn aloud(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
