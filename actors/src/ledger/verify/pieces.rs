//! [`Pieces`]: what stands between two lines and is none, and whether a line that mends accounts for it.

use super::super::chain::{Hash, Hashing};
use super::super::event::{Lagat, What};
use super::Place;
use super::lines::Line;

/// Pieces that are kept to tell which of them does not belong there. A crash leaves one, one while mending
/// two.
const KEPT_MAX: usize = 8;

/// Pieces of lines between two lines.
pub(super) struct Pieces {
    /// Where the first stands.
    pub(super) first: Place,
    pub(super) lines: u64,
    pub(super) unended: bool,
    bytes: u64,
    hashing: Hashing,
    kept: Vec<(Place, Vec<u8>)>,
}

impl Default for Pieces {
    fn default() -> Self {
        Self {
            first: Place { file: 0, line: 0 },
            lines: 0,
            unended: false,
            bytes: 0,
            hashing: Hashing::new(),
            kept: Vec::new(),
        }
    }
}

/// How pieces stand to the line that mends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// It is about these.
    Same,
    /// It is, but for this one.
    Without(Place),
    /// It is about more than these.
    Fewer,
    /// It is about something else.
    Otherwise,
}

impl Pieces {
    /// Adds the next piece. One that is too long to be a line of ours is not kept as a whole: it cannot be
    /// accounted for.
    pub(super) fn add(&mut self, line: &Line) {
        if self.lines == 0 {
            self.first = line.at;
        } else {
            self.hashing.add(b"\n");
            self.bytes += 1;
        }
        self.lines += 1;
        self.bytes += line.length;
        self.hashing.add(&line.bytes);
        self.unended = line.unended;
        if self.kept.len() < KEPT_MAX {
            self.kept.push((line.at, line.bytes.clone()));
        }
    }

    /// The one that was changed, if one of them was a line: that which mended those before it, where there is
    /// one, for else nothing would account for them.
    pub(super) fn changed(&self) -> Place {
        let word = format!(r#""event":"{}""#, What::LAGAT);
        let mending = self.kept.iter().skip(1).find(|(_, bytes)| {
            let mut parts = bytes.windows(word.len());
            parts.any(|part| part == word.as_bytes())
        });
        mending.map_or(self.first, |(at, _)| *at)
    }

    /// Compares them with what a line says that it mended.
    pub(super) fn compare(&self, lagat: &Lagat) -> Joined {
        let is_same = lagat.torn_lines == self.lines
            && lagat.torn_bytes == self.bytes
            && lagat.torn_sha256 == self.hashing.hash().to_string();
        if is_same {
            return Joined::Same;
        }
        if lagat.torn_lines > self.lines {
            return Joined::Fewer;
        }
        let is_odd = |odd: &usize| {
            let others = self.kept.iter().enumerate().filter(|(nth, _)| nth != odd);
            let others: Vec<_> = others.map(|(_, (_, bytes))| bytes.as_slice()).collect();
            lagat.torn_sha256 == Hash::of(&others.join(&b'\n')).to_string()
        };
        let all_kept = self.kept.len() as u64 == self.lines;
        let odd = (0..self.kept.len())
            .filter(|_| all_kept && self.lines == lagat.torn_lines + 1)
            .find(is_odd);
        odd.map_or(Joined::Otherwise, |odd| Joined::Without(self.kept[odd].0))
    }
}
