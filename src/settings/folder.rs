//! Folders of XML documents that belong to the configuration, read in a fixed order: agreements,
//! product descriptions.

use std::path::{Path, PathBuf};

use shs_schemas::{WireError, charset};

use super::fault::{Fault, Faults};
use super::source::read_bounded;

/// Reads every `*.xml` of the folder, in order of their names. `what` is what they are, in faults.
pub(super) fn read_folder<T>(
    folder: &Path,
    what: &str,
    files_max: usize,
    bytes_max: usize,
    read: impl Fn(&[u8]) -> Result<T, WireError>,
) -> Result<Vec<(PathBuf, T)>, Faults> {
    let mut faults = Faults::default();
    let mut documents = Vec::new();
    for file in xml_files(folder, what, files_max)? {
        let document =
            read_bounded(&file, bytes_max as u64).and_then(|bytes| parse(&file, &bytes, &read));
        match document {
            Ok(document) => documents.push((file, document)),
            Err(fault) => faults.push(fault),
        }
    }
    faults.or(documents)
}

fn xml_files(folder: &Path, what: &str, files_max: usize) -> Result<Vec<PathBuf>, Fault> {
    let unreadable =
        |error: std::io::Error| Fault::in_file(folder, None, format!("cannot be read: {error}"));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        if files.len() == files_max {
            let message = format!("holds more than {files_max} {what}");
            return Err(Fault::in_file(folder, None, message));
        }
        files.push(file);
    }
    files.sort();
    Ok(files)
}

/// Reads one document; a fault names its line.
pub(super) fn parse<T>(
    file: &Path,
    document: &[u8],
    read: impl Fn(&[u8]) -> Result<T, WireError>,
) -> Result<T, Fault> {
    read(document).map_err(|error| {
        let line = charset::line_of(document, error.offset);
        let message = format!("{} {}", error.element, error.fault);
        Fault::in_file(file, Some(line), message)
    })
}
