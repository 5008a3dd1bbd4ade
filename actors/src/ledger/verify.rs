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
mod pieces;
mod report;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use self::checkpoints::Checkpoints;
use self::lines::{Line, Lines};
use self::pieces::{Joined, Pieces};
pub use self::report::{Act, Finding, Verified};
use super::chain::{Hash, Head, Link};
use super::checkpoint::Stated;
use super::event::{Event, Ids, Lagat, What};
use super::folder::Folder;

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
                self.pieces.get_or_insert_with(Pieces::default).add(&line);
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
            return self.check_pieces(&pieces, seen, line, is_mending);
        }
        if follows && is_mending {
            // What it mended is not there.
            return Ok(Some((seen.at, Act::Removed(None))));
        }
        if follows && self.last.is_some() {
            return Ok(None);
        }
        if self.last.is_none() {
            return self.check_first(seen, line);
        }
        self.classify(seen, line, head).map(Some)
    }

    /// Whether a line accounts for the pieces before it, and follows the last good one.
    fn check_pieces(
        &mut self,
        pieces: &Pieces,
        seen: Seen,
        line: &Line,
        is_mending: bool,
    ) -> io::Result<Option<Bad>> {
        let head = self.head();
        let expected = head.seq.wrapping_add(1);
        let follows = seen.link.seq == expected && seen.link.prev == head.hash;
        let lagat = is_mending.then(|| serde_json::from_slice::<Lagat>(&line.bytes).ok());
        let joined = lagat
            .flatten()
            .map_or(Joined::Otherwise, |lagat| pieces.compare(&lagat));
        if follows && joined == Joined::Same {
            self.verified.mended += pieces.lines;
            return Ok(None);
        }
        let next = self.lines.link_behind()?;
        let is_confirmed = next.is_some_and(|next| next.prev == seen.hash);
        let bad = match joined {
            // The piece is as it was; the line before it is not, unless it is the one behind it.
            Joined::Same if seen.link.seq == expected => {
                let is_whole = is_confirmed || next.is_none();
                let last = self.last.filter(|_| is_whole);
                (last.map_or(seen.at, |last| last.at), Act::Changed)
            }
            Joined::Same if seen.link.prev == head.hash => (seen.at, Act::Changed),
            Joined::Same if seen.link.seq > expected => {
                (pieces.first, Act::Removed(Some(seen.link.seq - expected)))
            }
            // The line behind it does not know it: it is the one that is not what was written.
            _ if !is_confirmed && next.is_some() => (seen.at, Act::Changed),
            Joined::Without(one) => (one, Act::Inserted),
            Joined::Fewer => (seen.at, Act::Removed(None)),
            _ if follows && !is_mending => (pieces.first, Act::Inserted),
            Joined::Same | Joined::Otherwise => (pieces.changed(), Act::Changed),
        };
        Ok(Some(bad))
    }

    /// The first line can only be judged by the second, and by the one that says which day was removed
    /// before it.
    fn check_first(&mut self, seen: Seen, line: &Line) -> io::Result<Option<Bad>> {
        if seen.link.seq == 0 {
            // Lines are numbered from 1.
            return Ok(Some((seen.at, Act::Changed)));
        }
        if self.before == Head::START {
            return Ok(None);
        }
        let Some(next) = self.lines.link_behind()? else {
            return Ok(None);
        };
        if next.seq == seen.link.seq.wrapping_add(1) {
            return Ok(None);
        }
        let before = self.before;
        let removed = |line: &Line| removed_day(line) == Some(before);
        if removed(line) || self.lines.find_behind(|_, line| removed(line))?.is_some() {
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
    fn classify(&mut self, seen: Seen, line: &Line, head: Head) -> io::Result<Bad> {
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
            } else if self.states(line, head) {
                // What it signed is the line before it: it is this one that says so no more.
                (seen.at, Act::Changed)
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
        // A day was removed in good order: what the first line points at may be its last.
        if self.anchor.is_some() && removed_day(line) == self.anchor {
            self.anchor = None;
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

    /// Whether a line is a checkpoint that was signed about this one.
    fn states(&self, line: &Line, head: Head) -> bool {
        let Ok(stated) = serde_json::from_slice::<Stated>(&line.bytes) else {
            return false;
        };
        let key = self.public_key.as_ref();
        let key = key.unwrap_or(&stated.checkpoint.public_key);
        stated.head() == Some(head) && stated.is_signed_by(key)
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

    /// No line is left.
    fn end(&mut self) -> Option<Bad> {
        if let Some(pieces) = &self.pieces {
            if pieces.lines > 1 || !pieces.unended {
                return Some((pieces.first, Act::Torn));
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

/// The last line of the day that a line says was removed.
fn removed_day(line: &Line) -> Option<Head> {
    #[derive(Deserialize)]
    struct Removed {
        event: String,
        last_seq: u64,
        last_hash: String,
    }
    let removed: Removed = serde_json::from_slice(&line.bytes).ok()?;
    let hash = Hash::parse(&removed.last_hash)?;
    (removed.event == What::GALLRAD_DAG).then_some(Head {
        seq: removed.last_seq,
        hash,
    })
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
mod every_what;
#[cfg(test)]
#[path = "verify/verify_tests.rs"]
mod tests;
