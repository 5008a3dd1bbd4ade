//! [`Earlier`]: what stood in the ledger before this life of the node wrote anything. It is looked at when
//! the file of the day is first opened: then no other process writes, and this one has not begun.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use memchr::memchr;
use serde::Deserialize;
use tokio::sync::oneshot;

use super::LOOK_BACK_MAX;
use crate::ledger::book::Before;
use crate::ledger::folder::Folder;

/// Most bytes of a line. No line of ours is as long; one that is longer is none.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// Bytes at the end of a file in which its last line is looked for.
const END_BYTES: u64 = 256 * 1024;

/// Files that are held open for reading: one a day, one for the day that goes on, and one to spare.
const FILES_MAX: usize = (LOOK_BACK_MAX.as_secs() / (24 * 3600)) as usize + 2;

/// Files that are read whatever their day: around midnight a promise lies in two.
const FILES_MIN: usize = 2;

/// Whether reading is to end.
#[derive(Clone, Debug, Default)]
pub struct Stopped(Arc<AtomicBool>);

impl Stopped {
    /// Reading ends with an error, soon.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(())
    }
}

/// One file, as far as it reached.
#[derive(Debug)]
struct Day {
    date: NaiveDate,
    file: File,
    length: u64,
}

/// The files of the ledger as they were, the oldest first. They are open: days that are removed
/// meanwhile are read all the same.
#[derive(Debug, Default)]
pub struct Earlier {
    days: Vec<Day>,
    last_time: Option<DateTime<Utc>>,
}

impl Earlier {
    /// What is there now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let folder = Folder::at(folder);
        let mut earlier = Self::default();
        for date in folder.days()?.into_iter().rev().take(FILES_MAX) {
            let mut file = File::open(folder.file(date))?;
            let length = file.seek(SeekFrom::End(0))?;
            if earlier.last_time.is_none() {
                earlier.last_time = last_time(&mut file, length)?;
            }
            earlier.days.push(Day { date, file, length });
        }
        earlier.days.reverse();
        Ok(earlier)
    }

    /// When the last line was written; `None` when there is none.
    pub(super) const fn last_time(&self) -> Option<DateTime<Utc>> {
        self.last_time
    }

    /// Gives every line since this time to `each`, and perhaps some before it; gives the number of bytes
    /// that were read.
    pub(super) fn each_line(
        self,
        since: DateTime<Utc>,
        stopped: &Stopped,
        mut each: impl FnMut(Line<'_>),
    ) -> io::Result<u64> {
        let always = self.days.len().saturating_sub(FILES_MIN);
        let (first, mut bytes) = (since.date_naive(), 0);
        for (index, day) in self.days.into_iter().enumerate() {
            if index >= always || day.date >= first {
                bytes += day.length;
                each_line_of(day, stopped, &mut each)?;
            }
        }
        Ok(bytes)
    }
}

/// A line, or a piece of one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line<'l> {
    /// With its line end.
    Whole(&'l [u8]),
    /// The last of a file, without one: torn, unless it can be read.
    Unended(&'l [u8]),
    /// It is longer than any line.
    Endless,
}

fn each_line_of(
    Day {
        mut file, length, ..
    }: Day,
    stopped: &Stopped,
    each: &mut impl FnMut(Line<'_>),
) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, file.take(length));
    // The beginning of a line whose end is not in the buffer.
    let (mut begun, mut endless) = (Vec::new(), false);
    loop {
        let buffer = reader.fill_buf()?;
        let read = buffer.len();
        if read == 0 {
            break;
        }
        stopped.check()?;
        let mut rest = buffer;
        while let Some(end) = memchr(b'\n', rest) {
            let piece = &rest[..end];
            rest = &rest[end + 1..];
            if endless || begun.len() + piece.len() > LINE_BYTES_MAX {
                each(Line::Endless);
            } else if begun.is_empty() {
                each(Line::Whole(piece));
            } else {
                begun.extend_from_slice(piece);
                each(Line::Whole(&begun));
            }
            begun.clear();
            endless = false;
        }
        endless = endless || begun.len() + rest.len() > LINE_BYTES_MAX;
        if endless {
            begun.clear();
        } else {
            begun.extend_from_slice(rest);
        }
        reader.consume(read);
    }
    if endless {
        each(Line::Endless);
    } else if !begun.is_empty() {
        each(Line::Unended(&begun));
    }
    Ok(())
}

/// When the last line of a file that can be read was written.
fn last_time(file: &mut File, length: u64) -> io::Result<Option<DateTime<Utc>>> {
    #[derive(Deserialize)]
    struct Timed {
        time: DateTime<Utc>,
    }
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(END_BYTES)))?;
    file.take(END_BYTES.min(length)).read_to_end(&mut end)?;
    let lines = end.rsplit(|byte| *byte == b'\n');
    let mut times = lines.filter_map(|line| serde_json::from_slice::<Timed>(line).ok());
    Ok(times.next().map(|timed| timed.time))
}

/// Who waits for the files to be as they were: whoever opens the ledger first fills it, once.
#[derive(Debug)]
pub struct EarlierPort {
    folder: PathBuf,
    waiting: Mutex<Option<Waiting>>,
}

type Waiting = oneshot::Sender<io::Result<Earlier>>;

impl EarlierPort {
    /// For the ledger in this folder.
    #[must_use]
    pub fn new(folder: &Path) -> (Self, Before) {
        let (sender, receiver) = oneshot::channel();
        let port = Self {
            folder: folder.to_owned(),
            waiting: Mutex::new(Some(sender)),
        };
        (port, receiver)
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is still to be filled, and there may be something to fill it with.
    pub(in crate::ledger) fn is_wanted(&self) -> bool {
        let wanted = self.waiting().is_some();
        wanted
            && Folder::at(&self.folder)
                .days()
                .is_ok_and(|days| !days.is_empty())
    }

    /// Nothing of this life stands in the ledger yet, and nobody else writes.
    pub(in crate::ledger) fn fill(&self) {
        if let Some(waiting) = self.waiting().take() {
            // Who waits may be gone.
            let _ = waiting.send(Earlier::of(&self.folder));
        }
    }
}
