//! Where the lines lie: a folder with one file per UTC day, `ledger-2026-11-22.jsonl`.
//!
//! Files are only ever appended to. What a crash tore off stays as it is and gets a line end, so
//! that the next line begins as one. A file that was removed or replaced under the ledger takes
//! writes and fsync without complaint, so every [`DayFile::sync`] looks whether the name still
//! leads to it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

/// Rights of the folder: the node's user and nobody else.
const FOLDER_MODE: u32 = 0o700;
/// Rights of a file.
const FILE_MODE: u32 = 0o600;

/// Something that keeps lines. A trait so that tests count and fail its calls.
pub trait Storage: Send + Sync + 'static {
    /// Opens the file of a day, making it when there is none.
    ///
    /// # Errors
    /// When it can be neither opened nor made.
    fn open(&self, day: NaiveDate) -> io::Result<Opened>;
}

/// A file that takes lines.
pub trait DayFile: Send {
    /// Writes whole lines behind what there is.
    ///
    /// # Errors
    /// When they are not all written; some may be.
    fn append(&mut self, lines: &[u8]) -> io::Result<()>;

    /// Returns when everything appended is on disk.
    ///
    /// # Errors
    /// When it is not, or lies where nobody will find it.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file, opened.
pub struct Opened {
    /// The file.
    pub file: Box<dyn DayFile>,
    /// Whether its last line was torn.
    pub torn: bool,
}

/// A folder on disk.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at this path.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Makes the folder when there is none; the one it stands in must exist. Done once, when a node
    /// starts: a folder that goes away later is a fault, not a reason to begin anew.
    ///
    /// # Errors
    /// When there is none and it cannot be made.
    pub fn prepare(&self) -> io::Result<()> {
        match DirBuilder::new().mode(FOLDER_MODE).create(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && self.0.is_dir() => Ok(()),
            Err(error) => Err(error),
            Ok(()) => match self.0.parent() {
                Some(parent) if parent != Path::new("") => sync_folder(parent),
                _ => sync_folder(Path::new(".")),
            },
        }
    }

    /// The file of a day.
    #[must_use]
    pub fn file(&self, day: NaiveDate) -> PathBuf {
        self.0.join(format!("ledger-{day}.jsonl"))
    }
}

impl Storage for Folder {
    fn open(&self, day: NaiveDate) -> io::Result<Opened> {
        let path = self.file(day);
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(FILE_MODE)
            .open(&path)?;
        // Two writers would take each other's half lines for torn ones.
        file.try_lock()?;
        let torn = is_torn(&mut file)?;
        if torn {
            file.write_all(b"\n")?;
        }
        // Always, not only for a new file: who made it may have fallen before this.
        sync_folder(&self.0)?;
        let file = OnDisk { file, path };
        Ok(Opened {
            file: Box::new(file),
            torn,
        })
    }
}

/// Makes the names in a folder survive a loss of power.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Whether there is a last line without an end.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

struct OnDisk {
    file: File,
    path: PathBuf,
}

impl DayFile for OnDisk {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.write_all(lines)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        let (ours, named) = (self.file.metadata()?, fs::metadata(&self.path)?);
        if (ours.dev(), ours.ino()) == (named.dev(), named.ino()) {
            Ok(())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn append(folder: &Folder, lines: &str) -> bool {
        let Opened { mut file, torn } = folder.open(day()).unwrap();
        file.append(lines.as_bytes()).unwrap();
        file.sync().unwrap();
        torn
    }

    #[test]
    fn folder_and_file_are_the_nodes_own_and_an_existing_file_is_appended_to() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("ledger");
        let folder = Folder::at(&path);
        folder.prepare().unwrap();
        folder.prepare().unwrap();
        assert!(!append(&folder, "{\"a\":1}\n"));
        assert!(!append(&folder, "{\"b\":2}\n"));
        let file = path.join("ledger-2026-11-22.jsonl");
        assert_eq!(fs::read_to_string(&file).unwrap(), "{\"a\":1}\n{\"b\":2}\n");
        assert_eq!((mode(&path), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn a_torn_last_line_gets_an_end_and_keeps_its_content() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::at(parent.path());
        fs::write(folder.file(day()), "{\"a\":1}\n{\"b\":").unwrap();
        assert!(append(&folder, "{\"c\":3}\n"));
        let text = fs::read_to_string(folder.file(day())).unwrap();
        assert_eq!(text, "{\"a\":1}\n{\"b\":\n{\"c\":3}\n");
        assert!(!append(&folder, "{\"d\":4}\n"), "closed once");
    }

    #[test]
    fn a_file_that_is_removed_or_replaced_is_noticed_although_it_takes_the_write() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::at(parent.path());
        for replacement in [None, Some("{}\n")] {
            let mut file = folder.open(day()).unwrap().file;
            fs::remove_file(folder.file(day())).unwrap();
            if let Some(text) = replacement {
                fs::write(folder.file(day()), text).unwrap();
            }
            file.append(b"{}\n").unwrap();
            assert_eq!(file.sync().unwrap_err().kind(), io::ErrorKind::NotFound);
        }
    }

    #[test]
    fn a_missing_folder_is_not_made_again_and_a_file_in_its_place_is_no_folder() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("ledger");
        let folder = Folder::at(&path);
        let missing = folder.open(day()).err().unwrap();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        fs::write(&path, "").unwrap();
        assert!(folder.prepare().is_err());
        assert!(Folder::at(path.join("deeper/still")).prepare().is_err());
    }

    #[test]
    fn two_writers_do_not_share_a_file() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::at(parent.path());
        let first = folder.open(day()).unwrap();
        let second = folder.open(day()).err().unwrap();
        assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
        drop(first);
        assert!(folder.open(day()).is_ok());
    }
}
