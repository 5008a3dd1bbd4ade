//! The lines of all files, one after the other, with a look at what comes behind.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::super::chain::{self, Hash, Hashing, Link};
use super::Place;

/// Most bytes of a line that are kept. No line of ours is as long; one that is longer is none.
const KEPT_MAX: usize = 64 * 1024;

/// A line.
pub(super) struct Line {
    pub(super) at: Place,
    /// Its bytes, up to a bound.
    pub(super) bytes: Vec<u8>,
    /// All of its bytes.
    pub(super) length: u64,
    pub(super) hash: Hash,
    /// No line end is behind it.
    pub(super) unended: bool,
}

impl Line {
    /// Its place in the chain, and its event; `None` when it is no line of ours.
    pub(super) fn read(&self) -> Option<(Link, &str)> {
        if self.length > KEPT_MAX as u64 {
            return None;
        }
        chain::read(&self.bytes)
    }
}

/// A line that was looked at.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    pub(super) link: Link,
}

/// Reads lines.
pub(super) struct Lines {
    files: Vec<PathBuf>,
    /// The open file, and its place.
    open: Option<(usize, BufReader<File>)>,
    /// The file to open next.
    next_file: usize,
    /// Lines read in the open file.
    read: u64,
    peeked: Option<Line>,
}

impl Lines {
    pub(super) fn over(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            open: None,
            next_file: 0,
            read: 0,
            peeked: None,
        }
    }

    /// Name of a file.
    pub(super) fn file(&self, index: usize) -> &Path {
        self.files
            .get(index)
            .map_or(Path::new(""), PathBuf::as_path)
    }

    /// The next line; `None` behind the last one.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        match self.peeked.take() {
            Some(line) => Ok(Some(line)),
            None => self.fetch(),
        }
    }

    /// A look at the next line, if it is one.
    pub(super) fn peek_link(&mut self) -> io::Result<Option<Ahead>> {
        if self.peeked.is_none() {
            self.peeked = self.fetch()?;
        }
        let link = self.peeked.as_ref().and_then(Line::read);
        Ok(link.map(|(link, _)| Ahead { link }))
    }

    /// Whether a line with this number is still to come. Nothing is left to read after this, except
    /// what it is asked again.
    pub(super) fn comes_again(&mut self, seq: u64) -> io::Result<bool> {
        let mut rest = Self {
            files: self.files.clone(),
            open: None,
            next_file: self.open.as_ref().map_or(self.next_file, |(file, _)| *file),
            read: 0,
            peeked: None,
        };
        // From where this one is, in a reader of its own.
        let (file, read) = match (&self.peeked, &self.open) {
            (Some(line), _) => (line.at.file, line.at.line - 1),
            (None, Some((file, _))) => (*file, self.read),
            (None, None) => return Ok(false),
        };
        rest.next_file = file;
        while let Some(line) = rest.fetch()? {
            let is_behind = line.at.file > file || line.at.line > read;
            if is_behind && line.read().is_some_and(|(link, _)| link.seq == seq) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn fetch(&mut self) -> io::Result<Option<Line>> {
        loop {
            if self.open.is_none() {
                let Some(path) = self.files.get(self.next_file) else {
                    return Ok(None);
                };
                self.open = Some((self.next_file, BufReader::new(File::open(path)?)));
                self.next_file += 1;
                self.read = 0;
            }
            let Some((file, reader)) = &mut self.open else {
                return Ok(None);
            };
            let at = Place {
                file: *file,
                line: self.read + 1,
            };
            if let Some(line) = read_line(reader, at)? {
                self.read += 1;
                return Ok(Some(line));
            }
            self.open = None;
        }
    }
}

fn read_line(reader: &mut impl BufRead, at: Place) -> io::Result<Option<Line>> {
    let (mut bytes, mut length, mut hashing) = (Vec::new(), 0, Hashing::new());
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() && length == 0 {
            return Ok(None);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let piece = &buffer[..end.unwrap_or(buffer.len())];
        hashing.add(piece);
        let room = KEPT_MAX.saturating_sub(bytes.len());
        bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        length += piece.len() as u64;
        let is_last = end.is_some() || buffer.is_empty();
        let used = piece.len() + usize::from(end.is_some());
        reader.consume(used);
        if is_last {
            return Ok(Some(Line {
                at,
                bytes,
                length,
                hash: hashing.hash(),
                unended: end.is_none(),
            }));
        }
    }
}
