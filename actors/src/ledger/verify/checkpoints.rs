//! The checkpoints that are kept outside the ledger, in the order of their lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take};
use std::path::Path;

use super::super::checkpoint::Stated;

/// Reads checkpoints, as far as the file reached when it was opened.
pub(super) struct Checkpoints {
    lines: Option<BufReader<Take<File>>>,
    ahead: Option<Stated>,
    last_seq: u64,
}

impl Checkpoints {
    /// Of this file; none when there is no file.
    pub(super) fn open(path: Option<&Path>) -> io::Result<Self> {
        let mut lines = None;
        if let Some(path) = path {
            match File::open(path) {
                Ok(file) => {
                    let length = file.metadata()?.len();
                    lines = Some(BufReader::new(file.take(length)));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self {
            lines,
            ahead: None,
            last_seq: 0,
        })
    }

    /// The checkpoints about lines up to this one are left out: those lines were removed in good order.
    pub(super) fn skip_to(&mut self, seq: u64) -> io::Result<()> {
        while self
            .peek()?
            .is_some_and(|stated| stated.checkpoint.last_seq <= seq)
        {
            self.ahead = None;
        }
        Ok(())
    }

    /// The next checkpoint, if it is about a line up to this one.
    pub(super) fn next_at(&mut self, seq: u64) -> io::Result<Option<Stated>> {
        if self
            .peek()?
            .is_some_and(|stated| stated.checkpoint.last_seq <= seq)
        {
            return Ok(self.ahead.take());
        }
        Ok(None)
    }

    /// The greatest number that any checkpoint is about, once the ledger has been read.
    pub(super) fn last_seq(&mut self) -> u64 {
        while let Ok(Some(_)) = self.peek() {
            self.ahead = None;
        }
        self.last_seq
    }

    fn peek(&mut self) -> io::Result<Option<&Stated>> {
        while self.ahead.is_none() {
            let Some(lines) = &mut self.lines else { break };
            let mut line = Vec::new();
            if lines.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            // A line that a crash tore is left out.
            self.ahead = serde_json::from_slice(&line).ok();
            if let Some(stated) = &self.ahead {
                self.last_seq = self.last_seq.max(stated.checkpoint.last_seq);
            }
        }
        Ok(self.ahead.as_ref())
    }
}
