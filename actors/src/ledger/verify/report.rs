//! What a verification found, and how it is said.

use std::fmt;
use std::path::PathBuf;

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
