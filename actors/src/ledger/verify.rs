//! Finds the first line of a ledger that is not what was written, and says what was done to it (design
//! 8.5; R-087).
//!
//! It reads each file once, from the first day to the last (and again behind a bad line, to say what was
//! done), and holds two lines at most, so it needs no more memory for a year than for a day. It only reads: it works beside a running node, whose half-written
//! last line it leaves out, and on a copy.
//!
//! What it cannot see: a change of the lines behind the last checkpoint by somebody who ties them anew; a
//! ledger that was made anew from its beginning, with its checkpoints, under another key. Against both,
//! keep checkpoints and the public key elsewhere: they are in the ordinary log, too.

mod checkpoints;
mod lines;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use self::checkpoints::Checkpoints;
use self::lines::{Line, Lines};
use super::chain::{Hash, Hashing, Head, Link};
use super::checkpoint::Stated;
use super::event::{Event, Ids, Lagat, What};
use super::folder::Folder;

/// What was done to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is not what was written.
    Changed,
    /// Lines before it are gone; how many, where that is known.
    Removed(Option<u64>),
    /// It was not written there.
    Inserted,
    /// It stands in another place than it was written in.
    Swapped,
    /// Lines behind it are gone, up to the one with this number at least.
    CutOff(u64),
    /// It is a piece of a line, and no line behind it accounts for it.
    Torn,
    /// It is a checkpoint that its key did not sign.
    BadSignature,
    /// It is not the line that a checkpoint outside the ledger is about.
    NotAsStated,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("changed"),
            Self::Removed(None) => f.write_str("removed: lines before it are gone"),
            Self::Removed(Some(1)) => f.write_str("removed: 1 line before it is gone"),
            Self::Removed(Some(n)) => write!(f, "removed: {n} lines before it are gone"),
            Self::Inserted => f.write_str("inserted"),
            Self::Swapped => {
                f.write_str("swapped: it stands in another place than it was written in")
            }
            Self::CutOff(seq) => {
                write!(
                    f,
                    "cut off: lines behind it are gone, up to number {seq} at least"
                )
            }
            Self::Torn => f.write_str("torn, and not mended by the line behind it"),
            Self::BadSignature => f.write_str("bad signature"),
            Self::NotAsStated => f.write_str("changed: a checkpoint is about another line"),
        }
    }
}

/// The first bad line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its file.
    pub file: PathBuf,
    /// Its place in the file, from 1.
    pub line: u64,
    /// What was done.
    pub act: Act,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.act)
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files.
    pub files: usize,
    /// Lines that are as they were written; up to the first bad one.
    pub lines: u64,
    /// Number of the first line.
    pub first_seq: u64,
    /// Number of the last line.
    pub last_seq: u64,
    /// Checkpoints in the ledger.
    pub checkpoints: u64,
    /// Checkpoints in the file beside it.
    pub stated: u64,
    /// Number of the last line that a checkpoint covers.
    pub stated_seq: u64,
    /// The public keys that signed, in the order of their first checkpoint. More than one, and nobody
    /// has said which is right: look why.
    pub public_keys: Vec<String>,
    /// Pieces of lines that were mended.
    pub mended: u64,
    /// The last line is not whole: it is being written, or a crash tore it.
    pub half_written: bool,
    /// The first bad line.
    pub finding: Option<Finding>,
}

/// What is to be verified.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Folder of the ledger.
    pub folder: PathBuf,
    /// Checkpoints that are kept outside it.
    pub checkpoints: Option<PathBuf>,
    /// The public key, in hexadecimal digits; without one, whatever key signed is believed and named.
    pub public_key: Option<String>,
}

/// Verifies a ledger.
///
/// # Errors
/// When it cannot be read.
pub fn verify(subject: &Subject) -> io::Result<Verified> {
    // First: a checkpoint is in its file only after its line is on disk.
    let stated = Checkpoints::open(subject.checkpoints.as_deref())?;
    let folder = Folder::at(&subject.folder);
    let files: Vec<_> = folder
        .days()?
        .into_iter()
        .map(|day| folder.file(day))
        .collect();
    let mut walk = Walk::new(
        Lines::over(files.clone()),
        stated,
        subject.public_key.clone(),
    );
    walk.verified.files = files.len();
    walk.all()?;
    Ok(walk.verified)
}

/// A line that was read, and where.
#[derive(Clone, Copy)]
struct Seen {
    at: Place,
    link: Link,
    hash: Hash,
}

/// File and line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    file: usize,
    line: u64,
}

/// Pieces of lines between two lines.
struct Pieces {
    at: Place,
    lines: u64,
    bytes: u64,
    hashing: Hashing,
    unended: bool,
}

struct Walk {
    lines: Lines,
    stated: Checkpoints,
    public_key: Option<String>,
    verified: Verified,
    /// The last good line.
    last: Option<Seen>,
    /// What the last good line pointed at.
    before: Head,
    /// What the first line points at, until something says that this is right.
    anchor: Option<Head>,
    first: Option<Place>,
    pieces: Option<Pieces>,
    /// A checkpoint outside is about the last good line: a checkpoint must come next.
    owed: bool,
}

/// Bad: where and what.
type Bad = (Place, Act);

impl Walk {
    fn new(lines: Lines, stated: Checkpoints, public_key: Option<String>) -> Self {
        Self {
            lines,
            stated,
            public_key,
            verified: Verified::default(),
            last: None,
            before: Head::START,
            anchor: None,
            first: None,
            pieces: None,
            owed: false,
        }
    }

    fn all(&mut self) -> io::Result<()> {
        let found = match self.walk()? {
            Some(bad) => Some(bad),
            None => self.end(),
        };
        self.verified.finding = found.map(|(at, act)| Finding {
            file: self.lines.file(at.file).to_owned(),
            line: at.line,
            act,
        });
        Ok(())
    }

    fn walk(&mut self) -> io::Result<Option<Bad>> {
        while let Some(line) = self.lines.next()? {
            let Some((link, event)) = line.read() else {
                self.add_piece(&line);
                continue;
            };
            let event = event.to_owned();
            let seen = Seen {
                at: line.at,
                link,
                hash: line.hash,
            };
            if self.last.is_none() {
                self.begin(seen)?;
            }
            if let Some(bad) = self.check(seen, &line, &event)? {
                return Ok(Some(bad));
            }
            if let Some(bad) = self.accept(seen, &line, &event)? {
                return Ok(Some(bad));
            }
        }
        Ok(None)
    }

    fn add_piece(&mut self, line: &Line) {
        let pieces = self.pieces.get_or_insert_with(|| Pieces {
            at: line.at,
            lines: 0,
            bytes: 0,
            hashing: Hashing::new(),
            unended: false,
        });
        if pieces.lines > 0 {
            pieces.hashing.add(b"\n");
            pieces.bytes += 1;
        }
        pieces.lines += 1;
        pieces.bytes += line.length;
        // A line that is too long to be one of ours is not kept: its hash cannot be joined.
        pieces.hashing.add(&line.bytes);
        pieces.unended = line.unended;
    }

    /// The first line: what it points at may have been removed in good order.
    fn begin(&mut self, seen: Seen) -> io::Result<()> {
        self.verified.first_seq = seen.link.seq;
        self.first = Some(seen.at);
        self.before = Head {
            seq: seen.link.seq.saturating_sub(1),
            hash: seen.link.prev,
        };
        if self.before != Head::START {
            self.anchor = Some(self.before);
            self.stated.skip_to(self.before.seq)?;
        }
        Ok(())
    }

    /// Where the next line is tied.
    fn head(&self) -> Head {
        self.last.map_or(self.before, |last| Head {
            seq: last.link.seq,
            hash: last.hash,
        })
    }

    /// Whether a line follows the last good one.
    fn check(&mut self, seen: Seen, line: &Line, event: &str) -> io::Result<Option<Bad>> {
        let head = self.head();
        let follows = seen.link.seq == head.seq.wrapping_add(1) && seen.link.prev == head.hash;
        let is_mending = event == What::LAGAT;
        if let Some(pieces) = self.pieces.take() {
            let mended = is_mending
                && serde_json::from_slice(&line.bytes).is_ok_and(|lagat: Lagat| {
                    lagat.torn_lines == pieces.lines
                        && lagat.torn_bytes == pieces.bytes
                        && lagat.torn_sha256 == pieces.hashing.hash().to_string()
                });
            let act = match (follows, mended) {
                (true, true) => {
                    self.verified.mended += pieces.lines;
                    return Ok(None);
                }
                (true, false) if !is_mending => Act::Inserted,
                // The piece is as it was; the line before it is not, unless it is the one behind it.
                (false, true) if seen.link.seq == head.seq.wrapping_add(1) => {
                    let next = self.lines.link_behind()?;
                    let is_whole = next.is_none_or(|next| next.prev == seen.hash);
                    let at = self
                        .last
                        .filter(|_| is_whole)
                        .map_or(seen.at, |last| last.at);
                    return Ok(Some((at, Act::Changed)));
                }
                (false, true) if seen.link.prev == head.hash => {
                    return Ok(Some((seen.at, Act::Changed)));
                }
                (false, true) if seen.link.seq > head.seq.wrapping_add(1) => {
                    Act::Removed(Some(seen.link.seq - head.seq - 1))
                }
                _ => Act::Changed,
            };
            return Ok(Some((pieces.at, act)));
        }
        if follows && is_mending {
            // What it mended is not there.
            return Ok(Some((seen.at, Act::Removed(None))));
        }
        if follows && self.last.is_some() {
            return Ok(None);
        }
        if self.last.is_none() {
            return self.check_first(seen);
        }
        self.classify(seen, head).map(Some)
    }

    /// The first line can only be judged by the second.
    fn check_first(&mut self, seen: Seen) -> io::Result<Option<Bad>> {
        if self.before == Head::START {
            return Ok(None);
        }
        let Some(next) = self.lines.link_behind()? else {
            return Ok(None);
        };
        if next.seq == seen.link.seq.wrapping_add(1) {
            return Ok(None);
        }
        let missing = next.seq.saturating_sub(1);
        let act = if self.lines.comes_again(seen.link.seq)? {
            Act::Inserted
        } else if missing == 0 || self.lines.comes_again(missing)? {
            Act::Swapped
        } else {
            Act::Changed
        };
        Ok(Some((seen.at, act)))
    }

    /// A line that does not follow the last good one: which of the two is bad, and why. The line behind
    /// it, and where missing numbers come later, tell.
    fn classify(&mut self, seen: Seen, head: Head) -> io::Result<Bad> {
        let last_at = self.last.map_or(seen.at, |last| last.at);
        let (seq, expected) = (seen.link.seq, head.seq.wrapping_add(1));
        let next = self.lines.link_behind()?;
        let next_seq = next.map(|next| next.seq);
        let has_successor = next.is_some_and(|next| next.prev == seen.hash);
        if seq != expected && seen.link.prev == head.hash {
            // It hangs in the right place, and its number is wrong.
            return Ok((seen.at, Act::Changed));
        }
        if seen.link.prev == self.before.hash && seq == head.seq {
            // It hangs where the line before it hangs.
            return Ok((last_at, Act::Inserted));
        }
        if seq == expected {
            return Ok(if next_seq == Some(seq) {
                (seen.at, Act::Inserted)
            } else if has_successor || next.is_none() {
                (last_at, Act::Changed)
            } else {
                (seen.at, Act::Changed)
            });
        }
        let act = if seq < expected {
            if next_seq == Some(expected.wrapping_add(1)) {
                Act::Changed
            } else {
                Act::Inserted
            }
        } else if has_successor || next.is_none() {
            if self.lines.comes_again(expected)? {
                Act::Swapped
            } else {
                Act::Removed(Some(seq - expected))
            }
        } else if next_seq == Some(expected) && self.lines.comes_again(seq)? {
            Act::Inserted
        } else if next_seq == Some(expected) || self.lines.comes_again(expected)? {
            Act::Swapped
        } else if next_seq == Some(expected.wrapping_add(1)) {
            Act::Changed
        } else {
            Act::Removed(Some(seq - expected))
        };
        Ok((seen.at, act))
    }

    /// A line follows: what it and the checkpoints say is looked at, and it becomes the last good one.
    fn accept(&mut self, seen: Seen, line: &Line, event: &str) -> io::Result<Option<Bad>> {
        let head = self.head();
        let is_checkpoint = event == What::KONTROLLPUNKT;
        if std::mem::take(&mut self.owed) && !is_checkpoint {
            return Ok(Some((seen.at, Act::Inserted)));
        }
        if is_checkpoint {
            if let Some(act) = self.checkpoint(line, head) {
                return Ok(Some((seen.at, act)));
            }
            self.verified.checkpoints += 1;
            self.verified.stated_seq = head.seq;
        }
        if event == What::GALLRAD_DAG {
            self.release_anchor(&line.bytes);
        }
        self.before = head;
        self.last = Some(seen);
        self.verified.lines += 1;
        self.verified.last_seq = seen.link.seq;
        while let Some(stated) = self.stated.next_at(seen.link.seq)? {
            self.verified.stated += 1;
            if let Some(act) = self.judge(&stated) {
                return Ok(Some((seen.at, act)));
            }
            if stated.head().is_none_or(|head| head.hash != seen.hash) {
                return Ok(Some((seen.at, Act::NotAsStated)));
            }
            self.owed = true;
        }
        Ok(None)
    }

    /// What is wrong with a checkpoint in the ledger.
    fn checkpoint(&mut self, line: &Line, head: Head) -> Option<Act> {
        let Ok(stated) = serde_json::from_slice::<Stated>(&line.bytes) else {
            return Some(Act::Changed);
        };
        if let Some(act) = self.judge(&stated) {
            return Some(act);
        }
        // The last line of a ledger has no line behind it that would point at it: it must be exactly
        // what a node writes.
        let exact = written_again(&stated, head).is_some_and(|bytes| bytes == line.bytes);
        (stated.head() != Some(head) || !exact).then_some(Act::Changed)
    }

    /// What is wrong with a checkpoint's signature, wherever it stands.
    fn judge(&mut self, stated: &Stated) -> Option<Act> {
        let claimed = &stated.checkpoint.public_key;
        let key = self.public_key.as_ref().unwrap_or(claimed);
        if !stated.is_signed_by(key) {
            return Some(Act::BadSignature);
        }
        if !self.verified.public_keys.contains(key) {
            self.verified.public_keys.push(key.clone());
        }
        None
    }

    /// A day was removed in good order: what the first line points at may be its last.
    fn release_anchor(&mut self, line: &[u8]) {
        #[derive(Deserialize)]
        struct Removed {
            last_seq: u64,
            last_hash: String,
        }
        let Ok(removed) = serde_json::from_slice::<Removed>(line) else {
            return;
        };
        let head = Hash::parse(&removed.last_hash).map(|hash| Head {
            seq: removed.last_seq,
            hash,
        });
        if head.is_some() && head == self.anchor {
            self.anchor = None;
        }
    }

    /// No line is left.
    fn end(&mut self) -> Option<Bad> {
        if let Some(pieces) = &self.pieces {
            if pieces.lines > 1 || !pieces.unended {
                return Some((pieces.at, Act::Torn));
            }
            self.verified.half_written = true;
        }
        if let (Some(_), Some(first)) = (self.anchor, self.first) {
            return Some((first, Act::Removed(Some(self.verified.first_seq - 1))));
        }
        let last = self.last.map_or(Place { file: 0, line: 0 }, |last| last.at);
        let reaches = self.verified.last_seq;
        let stated = self.stated.last_seq();
        // A checkpoint is in its file only after its own line is on disk: the line after its last_seq.
        (stated > 0 && stated >= reaches).then_some((last, Act::CutOff(stated + 1)))
    }
}

/// The line of a checkpoint, as a node writes it.
fn written_again(stated: &Stated, head: Head) -> Option<Vec<u8>> {
    let happened: DateTime<Utc> = stated.time.parse().ok()?;
    let event = Event {
        happened,
        request_id: Uuid::nil(),
        ids: Ids::default(),
        what: What::Kontrollpunkt(stated.checkpoint.clone()),
    };
    let mut json = Vec::new();
    event.write(&stated.node, None, &mut json).ok()?;
    let mut line = Vec::new();
    let _ = head.tie(&json, &mut line);
    line.pop();
    Some(line)
}

/// Every file of a ledger, from the first day to the last.
///
/// # Errors
/// When the folder cannot be read.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::metadata(folder)?;
    let folder = Folder::at(folder);
    Ok(folder
        .days()?
        .into_iter()
        .map(|day| folder.file(day))
        .collect())
}

#[cfg(test)]
#[path = "verify/verify_tests.rs"]
mod tests;
