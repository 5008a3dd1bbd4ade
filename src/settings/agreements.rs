//! The folder of agreements. Here they are only read, bounded and in a fixed order; what they say
//! is the business of `shs-schemas` (shs-1.2, 3.4).

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::fault::{Fault, Faults};
use super::source::read_bounded;

/// Most agreements in the folder.
pub const AGREEMENTS_MAX: usize = 10_000;
/// Largest agreement, in bytes.
pub const AGREEMENT_BYTES_MAX: u64 = 64 * 1024;

/// One agreement as it was read.
#[derive(Clone, Debug)]
pub struct AgreementFile {
    /// Where it lies, for faults.
    pub file: PathBuf,
    /// The document.
    pub content: Bytes,
}

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_bytes!(concat!("../../config/agreements/", $name)).as_slice())),+]
    };
}

/// The agreements of the demo, built into the binary.
pub(super) fn built_in() -> Vec<AgreementFile> {
    embedded![
        "exempelkoping-ping.xml",
        "exempelkoping-ssbtek.xml",
        "provstad-ping.xml",
        "provstad-ssbtek.xml",
    ]
    .into_iter()
    .map(|(name, content)| AgreementFile {
        file: Path::new("agreements").join(name),
        content: Bytes::from_static(content),
    })
    .collect()
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
    let mut faults = Faults::default();
    let mut agreements = Vec::with_capacity(files.len());
    for file in files {
        match read_bounded(&file, AGREEMENT_BYTES_MAX) {
            Ok(content) => agreements.push(AgreementFile {
                file,
                content: content.into(),
            }),
            Err(fault) => faults.push(fault),
        }
    }
    faults.or(agreements)
}
