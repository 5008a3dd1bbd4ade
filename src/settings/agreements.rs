//! The folder of agreements, read in a fixed order (shs-1.2, 3.4).

use std::path::{Path, PathBuf};

use shs_schemas::charset;
use shs_schemas::shs::Agreement;
use shs_schemas::shs::agreement::AGREEMENT_BYTES_MAX;

use super::fault::{Fault, Faults};
use super::source::read_bounded;

/// Most agreements in the folder.
pub const AGREEMENTS_MAX: usize = 10_000;

/// One agreement, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementFile {
    /// Where it lies.
    pub file: PathBuf,
    /// What it says.
    pub agreement: Agreement,
}

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_bytes!(concat!("../../config/agreements/", $name)).as_slice())),+]
    };
}

/// The agreements of the demo, built into the binary.
pub(super) fn built_in() -> Result<Vec<AgreementFile>, Faults> {
    let folder = Path::new("agreements");
    let documents = embedded![
        "exempelkoping-ping.xml",
        "exempelkoping-ssbtek.xml",
        "provstad-ping.xml",
        "provstad-ssbtek.xml",
    ];
    let read = documents
        .into_iter()
        .map(|(name, document)| parse(folder.join(name), document));
    gather(read)
}

/// Reads every `*.xml` of the folder, in order of their names.
pub(super) fn read_agreements(folder: &Path) -> Result<Vec<AgreementFile>, Faults> {
    let unreadable =
        |error: std::io::Error| Fault::in_file(folder, None, format!("cannot be read: {error}"));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        if files.len() == AGREEMENTS_MAX {
            let message = format!("holds more than {AGREEMENTS_MAX} agreements");
            return Err(Fault::in_file(folder, None, message).into());
        }
        files.push(file);
    }
    files.sort();
    gather(files.into_iter().map(|file| {
        let document = read_bounded(&file, AGREEMENT_BYTES_MAX as u64)?;
        parse(file, &document)
    }))
}

fn parse(file: PathBuf, document: &[u8]) -> Result<AgreementFile, Fault> {
    match Agreement::read(document) {
        Ok(agreement) => Ok(AgreementFile { file, agreement }),
        Err(error) => {
            let line = charset::line_of(document, error.offset);
            let message = format!("{} {}", error.element, error.fault);
            Err(Fault::in_file(file, Some(line), message))
        }
    }
}

/// All of them, or every fault. Two with the same uuid would make a label that names it ambiguous.
fn gather(
    read: impl Iterator<Item = Result<AgreementFile, Fault>>,
) -> Result<Vec<AgreementFile>, Faults> {
    let mut faults = Faults::default();
    let mut agreements: Vec<AgreementFile> = Vec::new();
    for one in read {
        match one {
            Ok(one) => {
                let twin = agreements
                    .iter()
                    .find(|other| other.agreement.id == one.agreement.id);
                if let Some(twin) = twin {
                    let message = format!("has the same uuid as {}", twin.file.display());
                    faults.push(Fault::in_file(&one.file, None, message));
                }
                agreements.push(one);
            }
            Err(fault) => faults.push(fault),
        }
    }
    faults.or(agreements)
}
