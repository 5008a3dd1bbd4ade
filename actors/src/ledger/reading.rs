//! Who has read the ledger (R-084, R-088). Whoever reads it by command first leaves a note in a file
//! beside it; the node that keeps the ledger takes the note over, because only one process writes. A
//! ledger that no node keeps has its notes beside it until one does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::Avlast;
use super::private;

/// Most bytes that notes which nobody has taken over may take. More reading is refused.
const BYTES_MAX: u64 = 1024 * 1024;

/// Name of the file, in the folder of the ledger.
const NAME: &str = "avlast.jsonl";

/// A note that waits to be taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When.
    pub time: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub what: Avlast,
}

/// Where notes wait.
#[derive(Clone, Debug)]
pub struct Readings(PathBuf);

impl Readings {
    /// Beside the ledger in this folder.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self(folder.join(NAME))
    }

    /// Leaves a note, on disk when this returns. The file belongs to whom the folder belongs to.
    ///
    /// # Errors
    /// When it cannot be written, or so many wait that nobody seems to take them over.
    pub fn leave(&self, reading: &Reading) -> io::Result<()> {
        let mut line = serde_json::to_vec(reading)?;
        line.push(b'\n');
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(private::MODE)
            .open(&self.0)?;
        file.lock()?;
        let folder = fs::metadata(self.0.parent().unwrap_or(Path::new(".")))?;
        let ours = file.metadata()?;
        if ours.len() >= BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::QuotaExceeded,
                "too many notes wait for a node that keeps this ledger",
            ));
        }
        if ours.uid() != folder.uid() {
            fchown(&file, Some(folder.uid()), Some(folder.gid()))?;
        }
        file.write_all(&line)?;
        file.sync_all()?;
        private::sync_folder_of(&self.0)
    }

    /// The notes that wait. They stay until [`Waiting::taken`] says that they are in the ledger: after
    /// a crash in between they come twice. `None` when there are none.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn waiting(&self) -> io::Result<Option<Waiting>> {
        match fs::metadata(&self.0) {
            Ok(found) if found.len() > 0 => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => return Ok(None),
        }
        let mut file = OpenOptions::new().read(true).write(true).open(&self.0)?;
        // Whoever holds it writes one line; the ledger does not wait for it.
        file.try_lock()?;
        let mut content = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        (&file).take(2 * BYTES_MAX).read_to_end(&mut content)?;
        let lines = content.split(|byte| *byte == b'\n');
        let readings = lines.filter_map(|line| serde_json::from_slice(line).ok());
        Ok(Some(Waiting {
            readings: readings.collect(),
            file,
        }))
    }
}

/// Notes that wait, held so that none comes meanwhile.
pub(super) struct Waiting {
    /// The notes.
    pub(super) readings: Vec<Reading>,
    file: File,
}

impl Waiting {
    /// They are in the ledger now.
    pub(super) fn taken(self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::event::{Command, Filter, Resultat};

    fn reading(uid: u32) -> Reading {
        Reading {
            time: "2026-11-22T10:00:00Z".parse().unwrap(),
            what: Avlast {
                uid,
                sudo_uid: None,
                command: Command::Show,
                filters: vec![Filter::TxId],
                result: Some(Resultat::Utlamnat),
            },
        }
    }

    #[test]
    fn notes_wait_until_they_are_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let readings = Readings::of(folder.path());
        assert!(readings.waiting().unwrap().is_none());
        for uid in [1, 2] {
            readings.leave(&reading(uid)).unwrap();
        }
        let uids = |waiting: &Waiting| -> Vec<u32> {
            let readings = waiting.readings.iter();
            readings.map(|reading| reading.what.uid).collect()
        };
        assert_eq!(uids(&readings.waiting().unwrap().unwrap()), [1, 2]);
        let waiting = readings.waiting().unwrap().unwrap();
        assert_eq!(uids(&waiting), [1, 2], "not taken yet");
        assert_eq!(waiting.readings[0], reading(1));
        waiting.taken().unwrap();
        assert!(readings.waiting().unwrap().is_none());
        readings.leave(&reading(3)).unwrap();
        assert_eq!(uids(&readings.waiting().unwrap().unwrap()), [3]);
    }

    #[test]
    fn what_is_no_note_says_nothing_and_too_many_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let readings = Readings::of(folder.path());
        let free =
            r#"{"time":"2026-11-22T10:00:00Z","uid":1,"command":"199503142383","filters":[]}"#;
        fs::write(&readings.0, format!("{free}\n{{\"ti")).unwrap();
        let waiting = readings.waiting().unwrap().unwrap();
        assert!(waiting.readings.is_empty());
        waiting.taken().unwrap();
        let of_earlier = r#"{"time":"2026-11-22T10:00:00Z","uid":1,"command":"show","filters":[]}"#;
        fs::write(&readings.0, of_earlier).unwrap();
        let waiting = readings.waiting().unwrap().unwrap();
        assert_eq!(waiting.readings[0].what.result, None);
        waiting.taken().unwrap();
        let much = usize::try_from(BYTES_MAX).unwrap();
        fs::write(&readings.0, "x".repeat(much)).unwrap();
        let refused = readings.leave(&reading(1)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::QuotaExceeded);
    }
}
