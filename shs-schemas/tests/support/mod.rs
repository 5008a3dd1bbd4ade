//! What the tests need from outside: the corpus, xmllint, and the original schemas, which are
//! never part of the repository.

#![allow(dead_code, reason = "each test uses its own share")]

pub(crate) mod xsd;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The crate's own folder.
pub(crate) fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every message of a corpus folder: name and bytes, in the order of the names.
pub(crate) fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(here().join("tests/corpus").join(folder))
        .expect("the corpus lies beside the test")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "mime"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus is not empty");
    let read = |path: PathBuf| {
        let name = path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        (name, std::fs::read(path).expect("readable"))
    };
    files.into_iter().map(read).collect()
}

/// The folder with the original schemas, when it is at hand: `SAMSVAR_CONTRACT`, or
/// `../shared/contract` beside the repository.
pub(crate) fn contract() -> Option<PathBuf> {
    let folder = std::env::var_os("SAMSVAR_CONTRACT")
        .map_or_else(|| here().join("../../shared/contract"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    aloud("skipped: the original schemas are not at hand (SAMSVAR_CONTRACT)");
    None
}

/// True when xmllint can be run.
pub(crate) fn has_xmllint() -> bool {
    let found = Command::new("xmllint")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !found {
        aloud("skipped: xmllint is not installed (libxml2-utils)");
    }
    found
}

/// Validates a document against a DTD with xmllint, without network; the error is its report.
pub(crate) fn validate(document: &[u8], dtd: &Path) -> Result<(), String> {
    let mut child = Command::new("xmllint")
        .args(["--nonet", "--noout", "--dtdvalid"])
        .arg(dtd)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xmllint runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(document).expect("xmllint reads");
    drop(stdin);
    let output = child.wait_with_output().expect("xmllint ends");
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Says something that the test harness does not swallow.
pub(crate) fn aloud(text: &str) {
    let mut stderr = std::io::stderr();
    let _ = writeln!(stderr, "{text}");
}
