//! The folder of agreements, read in a fixed order (shs-1.2, 3.4).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use shs_schemas::shs::Agreement;
use shs_schemas::shs::agreement::AGREEMENT_BYTES_MAX;

use super::fault::{Fault, Faults};
use super::folder::{parse, read_folder};

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
    let read = documents.into_iter().map(|(name, document)| {
        let file = folder.join(name);
        let agreement = parse(&file, document, Agreement::read)?;
        Ok((file, agreement))
    });
    check_unique(read.collect::<Result<_, Fault>>()?, Faults::default())
}

/// Reads the folder.
pub(super) fn read_agreements(folder: &Path) -> Result<Vec<AgreementFile>, Faults> {
    let (read, faults) = read_folder(
        folder,
        "agreements",
        AGREEMENTS_MAX,
        AGREEMENT_BYTES_MAX,
        Agreement::read,
    );
    check_unique(read, faults)
}

/// Two with the same uuid would make a label that names it ambiguous.
fn check_unique(
    read: Vec<(PathBuf, Agreement)>,
    mut faults: Faults,
) -> Result<Vec<AgreementFile>, Faults> {
    let mut seen: HashMap<String, PathBuf> = HashMap::new();
    let mut files = Vec::with_capacity(read.len());
    for (file, agreement) in read {
        let id = agreement.id.as_str().to_ascii_lowercase();
        if let Some(twin) = seen.insert(id, file.clone()) {
            let message = format!("has the same uuid as {}", twin.display());
            faults.push(Fault::in_file(&file, None, message));
        }
        files.push(AgreementFile { file, agreement });
    }
    faults.or(files)
}
