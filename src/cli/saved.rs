//! Messages on disk: where `samsvar fetch` and `samsvar send` put what they receive. Nothing is ever
//! overwritten, and nobody else may read it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use shs_schemas::ids::TxId;
use shs_schemas::mime::safe_filename;
use shs_schemas::shs::{DataPart, Message};

use super::file_types::name_end;

/// Longest name of a file or folder, in bytes: file systems take 255, and a number comes before or after.
const NAME_BYTES_MAX: usize = 240;
/// Longest end of a name that survives when it is cut, in bytes, with its dot.
const END_BYTES_MAX: usize = 17;
/// Folders of one `tx.id` that are tried before giving up: fetched again and again without being
/// acknowledged.
const FOLDERS_MAX: usize = 1000;

/// Writes a message into a new folder in `folder`: the label, and each part in a file of its own. It is
/// on disk when this returns.
///
/// Files are called `part-1.xml` and so on: a sender's names may tell about a person. With `own_names`
/// they keep theirs, made harmless.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn message(folder: &Path, message: &Message, own_names: bool) -> io::Result<PathBuf> {
    let saved = new_folder(folder, &message.label.tx_id)?;
    file(&saved, "label.xml", &message.label.write())?;
    for (place, part) in message.parts.iter().enumerate() {
        let name = part_name(part, place + 1, own_names);
        file(&saved, &name, part.data.expose())?;
    }
    File::open(&saved)?.sync_all()?;
    // Its own entry, too: whoever acknowledges has nothing but this.
    File::open(folder)?.sync_all()?;
    Ok(saved)
}

/// Writes a message that cannot be read as it came.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn unreadable(folder: &Path, tx_id: &TxId, bytes: &[u8]) -> io::Result<PathBuf> {
    let saved = new_folder(folder, tx_id)?;
    file(&saved, "message.mime", bytes)?;
    Ok(saved)
}

fn part_name(part: &DataPart, number: usize, own_names: bool) -> String {
    let own = part.filename.as_ref().filter(|_| own_names);
    match own.and_then(|name| safe_filename(name.expose())) {
        // The number keeps two parts of one name apart.
        Some(name) => format!("{number}-{}", fitting(name)),
        None => format!("part-{number}.{}", name_end(&part.content_type)),
    }
}

/// A name that file systems take: a sender's may be longer, and would keep its message at the node.
fn fitting(name: String) -> String {
    if name.len() <= NAME_BYTES_MAX {
        return name;
    }
    let end = name.rfind('.').map_or("", |dot| &name[dot..]);
    let end = Some(end).filter(|end| end.len() <= END_BYTES_MAX);
    let end = end.unwrap_or_default();
    let stem = name.floor_char_boundary(NAME_BYTES_MAX - end.len());
    format!("{}{end}", &name[..stem])
}

/// A folder that was not there before, called by the `tx.id`.
fn new_folder(folder: &Path, tx_id: &TxId) -> io::Result<PathBuf> {
    let builder = |recursive| {
        let mut builder = DirBuilder::new();
        builder.mode(0o700).recursive(recursive);
        builder
    };
    builder(true).create(folder)?;
    // A tx.id may be nothing but dots.
    let name = safe_filename(tx_id.as_str()).unwrap_or_else(|| "message".to_owned());
    let name = fitting(name);
    for number in 1..=FOLDERS_MAX {
        let path = match number {
            1 => folder.join(&name),
            _ => folder.join(format!("{name}_{number}")),
        };
        match builder(false).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(path),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(folder.join(name))?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use bytes::Bytes;
    use chrono::Utc;
    use shs_schemas::mime::ContentType;

    use super::*;
    use crate::client::question::{self, Asker};

    fn with_part(filename: &str) -> Message {
        let mut message = question::message(&Asker::default(), &[], Utc::now()).unwrap();
        let data = Bytes::from_static(b"<a/>");
        let part = DataPart::new("fraga", filename, ContentType::XML_UTF_8, data);
        message.parts = vec![part.clone(), part];
        message
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string();
        let mut names: Vec<_> = entries.map(|entry| name(entry).unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn parts_lie_in_files_of_their_own_that_only_the_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let saved = message(&folder.path().join("in/korg"), &with_part("a.xml"), false).unwrap();
        assert_eq!(names(&saved), ["label.xml", "part-1.xml", "part-2.xml"]);
        assert_eq!(fs::read(saved.join("part-2.xml")).unwrap(), b"<a/>");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&saved), mode(&saved.join("part-1.xml"))),
            (0o700, 0o600)
        );
    }

    #[test]
    fn a_senders_file_name_is_kept_only_on_demand_and_never_leaves_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let saved = message(folder.path(), &with_part("../../Åsa\x1b.xml"), true).unwrap();
        assert_eq!(names(&saved), ["1-Åsa.xml", "2-Åsa.xml", "label.xml"]);
        let saved = message(folder.path(), &with_part(".."), true).unwrap();
        assert_eq!(names(&saved), ["label.xml", "part-1.xml", "part-2.xml"]);
    }

    #[test]
    fn no_name_is_too_long_for_a_file_system() {
        let folder = tempfile::tempdir().unwrap();
        let mut long = with_part(&format!("{}.xml", "å".repeat(251)));
        long.label.tx_id = TxId::parse(&"x".repeat(256)).unwrap();
        for _ in 0..2 {
            let saved = message(folder.path(), &long, true).unwrap();
            let names = names(&saved);
            assert!(names[0].starts_with("1-åå") && names[0].ends_with("å.xml"));
            assert_eq!(names[2], "label.xml");
        }
        let mut endless = with_part(&"a".repeat(255));
        endless.label.tx_id = TxId::parse(&".x".repeat(128)).unwrap();
        message(folder.path(), &endless, true).unwrap();
    }

    #[test]
    fn a_message_that_comes_again_gets_a_folder_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut twice = with_part("a.xml");
        twice.label.tx_id = TxId::parse("..").unwrap();
        for _ in 0..2 {
            message(folder.path(), &twice, false).unwrap();
        }
        unreadable(folder.path(), &twice.label.tx_id, b"x").unwrap();
        assert_eq!(names(folder.path()), ["message", "message_2", "message_3"]);
    }
}
