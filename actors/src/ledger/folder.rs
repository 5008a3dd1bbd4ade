//! Where the lines lie: a folder with one file per UTC day, `ledger-2026-11-22.jsonl`.
//!
//! Files are only ever appended to. What a crash tore off stays as it is; what is written next begins
//! with a line end where one is missing. A file that was removed or replaced under the ledger takes
//! writes and fsync without complaint, so every [`DayFile::sync`] looks whether the name still
//! leads to it. Whole days are removed when their time is over, and only then.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::chain::{self, Head};
use super::private::{self, sync_folder};
use super::tail::{self, Tail};

/// Rights of the folder: the node's user and nobody else.
const FOLDER_MODE: u32 = 0o700;

/// Something that keeps lines. A trait so that tests count and fail its calls.
pub trait Storage: Send + Sync + 'static {
    /// Opens the file of a day, making it when there is none.
    ///
    /// # Errors
    /// When it can be neither opened nor made.
    fn open(&self, day: NaiveDate) -> io::Result<Opened>;

    /// The days before this one, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn before(&self, day: NaiveDate) -> io::Result<Vec<Sealed>>;

    /// Removes a day.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove(&self, day: NaiveDate) -> io::Result<()>;
}

/// A day that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Which.
    pub day: NaiveDate,
    /// Lines that it holds.
    pub lines: u64,
    /// Its last line.
    pub last: Head,
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
    /// The end of the ledger, in this file or one of an earlier day.
    pub tail: Tail,
    /// Whether this file ends within a line: a line end is to be written first.
    pub unended: bool,
    /// The newest day before the one that was asked for of which there is a file.
    pub previous: Option<NaiveDate>,
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
            Ok(()) => private::sync_folder_of(&self.0),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The days of which there is a file, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn days(&self) -> io::Result<Vec<NaiveDate>> {
        let mut days = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let name = entry?.file_name();
            let day = name.to_str().and_then(|name| {
                let day = name.strip_prefix("ledger-")?.strip_suffix(".jsonl")?;
                day.parse::<NaiveDate>().ok()
            });
            days.extend(day);
        }
        days.sort_unstable();
        Ok(days)
    }

    /// The file of a day.
    #[must_use]
    pub fn file(&self, day: NaiveDate) -> PathBuf {
        self.0.join(format!("ledger-{day}.jsonl"))
    }
}

impl Storage for Folder {
    /// A clock that was put back does not: lines go on at the end of the last day there is.
    fn open(&self, day: NaiveDate) -> io::Result<Opened> {
        let days = self.days()?;
        let previous = days.iter().rev().find(|earlier| **earlier < day).copied();
        let day = days.last().map_or(day, |last| day.max(*last));
        let path = self.file(day);
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(private::MODE)
            .open(&path)?;
        // Two writers would take each other's half lines for torn ones.
        file.try_lock()?;
        let end = tail::read(&mut file)?;
        let unended = end.unended;
        let earlier = days.iter().rev().filter(|earlier| **earlier < day);
        let earlier = earlier.map(|day| tail::read(&mut File::open(self.file(*day))?));
        let tail = Tail::of(std::iter::once(Ok(end)).chain(earlier))?;
        // Always, not only for a new file: who made it may have fallen before this.
        sync_folder(&self.0)?;
        Ok(Opened {
            file: Box::new(OnDisk { file, path }),
            tail,
            unended,
            previous,
        })
    }

    fn before(&self, day: NaiveDate) -> io::Result<Vec<Sealed>> {
        let days = self.days()?;
        let before = days.into_iter().filter(|one| *one < day);
        before.map(|day| sealed(day, &self.file(day))).collect()
    }

    fn remove(&self, day: NaiveDate) -> io::Result<()> {
        fs::remove_file(self.file(day))?;
        sync_folder(&self.0)
    }
}

/// What a day that is over holds. Lines are numbered, so that none needs to be counted.
fn sealed(day: NaiveDate, path: &Path) -> io::Result<Sealed> {
    let mut file = File::open(path)?;
    let last = tail::read(&mut file)?.head.unwrap_or(Head::START);
    let mut first = Vec::new();
    let mut lines = BufReader::new(File::open(path)?);
    let mut seq = None;
    while seq.is_none() && last.seq > 0 {
        first.clear();
        if lines.read_until(b'\n', &mut first)? == 0 {
            break;
        }
        let line = first.strip_suffix(b"\n").unwrap_or(&first);
        seq = chain::read(line).map(|(link, _)| link.seq);
    }
    let lines = seq.map_or(0, |first| (last.seq + 1).saturating_sub(first));
    Ok(Sealed { day, lines, last })
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

    /// Appends an event to the chain.
    fn append(folder: &Folder, day: NaiveDate) -> Tail {
        let Opened {
            mut file,
            tail,
            unended,
            ..
        } = folder.open(day).unwrap();
        let mut lines = if unended { b"\n".to_vec() } else { Vec::new() };
        let _ = tail.head.tie(br#"{"event":"a"}"#, &mut lines);
        file.append(&lines).unwrap();
        file.sync().unwrap();
        tail
    }

    #[test]
    fn folder_and_file_are_the_nodes_own_and_an_existing_file_is_appended_to() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("ledger");
        let folder = Folder::at(&path);
        folder.prepare().unwrap();
        folder.prepare().unwrap();
        assert_eq!(append(&folder, day()).head, Head::START);
        assert_eq!(append(&folder, day()).head.seq, 1);
        let file = path.join("ledger-2026-11-22.jsonl");
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
        assert_eq!((mode(&path), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn a_torn_last_line_gets_an_end_and_keeps_its_content() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::at(parent.path());
        append(&folder, day());
        let before = fs::read_to_string(folder.file(day())).unwrap();
        fs::write(folder.file(day()), before.clone() + "{\"b\":").unwrap();
        let torn = append(&folder, day()).torn.unwrap();
        assert_eq!((torn.lines, torn.bytes), (1, 5));
        let text = fs::read_to_string(folder.file(day())).unwrap();
        assert!(
            text.starts_with(&(before + "{\"b\":\n{\"seq\":2,")),
            "{text}"
        );
        let tail = append(&folder, day());
        assert_eq!((tail.head.seq, tail.torn), (2, None), "once");
    }

    #[test]
    fn the_chain_goes_on_over_days_and_a_clock_that_is_put_back() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::at(parent.path());
        append(&folder, day());
        let next = day().succ_opt().unwrap();
        let first = append(&folder, next);
        assert_eq!(first.head.seq, 1);
        let third = append(&folder, day());
        assert_eq!(third.head.seq, 2);
        assert_eq!(folder.days().unwrap(), [day(), next]);
        let sealed = folder.before(next).unwrap();
        let expected = Sealed {
            day: day(),
            lines: 1,
            last: first.head,
        };
        assert_eq!(sealed, [expected]);
        folder.remove(day()).unwrap();
        assert_eq!(append(&folder, next).head.seq, 3);
    }

    #[test]
    fn the_day_before_is_the_newest_one_before_the_day_that_is_asked_for() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::at(parent.path());
        let (first, next) = (day(), day().succ_opt().unwrap());
        let previous = |day| folder.open(day).unwrap().previous;
        assert_eq!(previous(first), None);
        assert_eq!(previous(first), None, "its own file is none before it");
        assert_eq!(previous(next), Some(first));
        assert_eq!(previous(first), None, "a clock that was put back");
        assert_eq!(previous(next.succ_opt().unwrap()), Some(next));
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
