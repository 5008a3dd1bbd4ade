//! Validation by somebody else: xmllint, against our own schemas always and against the original
//! ones when they are at hand. Many documents cost one process.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use shs_schemas::ssbtek::{Kontrakt, wsdl};

/// What a document is to be valid against.
#[derive(Clone, Copy)]
pub enum Kind {
    /// `shs.label`.
    Label,
    /// `shs.management`.
    Management,
    /// The compiled response, version 10.
    Response,
}

impl Kind {
    fn option(self) -> &'static str {
        match self {
            Self::Label | Self::Management => "--dtdvalid",
            Self::Response => "--schema",
        }
    }

    /// Where our own lies; that of the response is written into the folder first.
    fn ours(self, folder: &Path) -> PathBuf {
        let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("shs-schemas/schemas");
        match self {
            Self::Label => schemas.join("shs-label-1.2.dtd"),
            Self::Management => schemas.join("shs-management-1.2.dtd"),
            Self::Response => {
                write_schemas(folder);
                folder.join("ssbt.xsd")
            }
        }
    }

    fn original(self) -> PathBuf {
        let root = std::env::var_os("SAMSVAR_CONTRACT").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/contract"),
            PathBuf::from,
        );
        root.join(match self {
            Self::Label => "shs/shs-label-1.2.dtd",
            Self::Management => "shs/shs-management-1.2.dtd",
            Self::Response => {
                "ssbtek-v10/se/forsakringskassan/schema/integration/ssbt/_10/\
                 sammansatt_bastjanst_v10.xsd"
            }
        })
    }
}

/// Fails unless every document is valid.
pub fn assert_valid(kind: Kind, documents: &[Vec<u8>]) {
    assert!(!documents.is_empty(), "there is something to validate");
    let version = Command::new("xmllint")
        .arg("--version")
        .stderr(Stdio::null())
        .status();
    if version.is_err() {
        return aloud("SKIPPED: xmllint is not installed (libxml2-utils)");
    }
    let folder = tempfile::tempdir().unwrap();
    for schema in [kind.ours(folder.path()), kind.original()] {
        if schema.exists() {
            lint(kind, &schema, documents);
        } else {
            aloud(&format!(
                "SKIPPED: no original schema at {} (SAMSVAR_CONTRACT)",
                schema.display()
            ));
        }
    }
}

/// Writes our schemas of version 10 as files that refer to each other.
fn write_schemas(folder: &Path) {
    for name in wsdl::schema_names() {
        let text = wsdl::schema(Kontrakt::V10, name, "urn:here").unwrap();
        let text = wsdl::schema_names().fold(text, |text, other| {
            text.replace(
                &format!("urn:here?xsd={other}\""),
                &format!("{other}.xsd\""),
            )
        });
        std::fs::write(folder.join(format!("{name}.xsd")), text).unwrap();
    }
}

fn lint(kind: Kind, schema: &Path, documents: &[Vec<u8>]) {
    let folder = tempfile::tempdir().unwrap();
    let mut xmllint = Command::new("xmllint");
    xmllint
        .args(["--nonet", "--noout", kind.option()])
        .arg(std::path::absolute(schema).unwrap())
        .current_dir(folder.path());
    for (number, document) in documents.iter().enumerate() {
        let name = format!("{number}.xml");
        std::fs::write(folder.path().join(&name), document).unwrap();
        xmllint.arg(name);
    }
    let output = xmllint.output().unwrap();
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}:\n{report:.4000}",
        schema.display()
    );
}

/// Says something that the test harness does not swallow.
fn aloud(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
