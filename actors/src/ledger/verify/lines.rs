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

/// Reads lines.
pub(super) struct Lines {
    files: Vec<PathBuf>,
    /// The open file, and its place.
    open: Option<(usize, BufReader<File>)>,
    /// The file to open next.
    next_file: usize,
    /// Lines read in the open file.
    read: u64,
}

impl Lines {
    pub(super) fn over(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            open: None,
            next_file: 0,
            read: 0,
        }
    }

    /// Name of a file.
    pub(super) fn file(&self, index: usize) -> &Path {
        self.files
            .get(index)
            .map_or(Path::new(""), PathBuf::as_path)
    }

    /// The place in the chain of the first line of ours behind the one read last, in whatever file, that is
    /// wanted. It is read in its turn all the same.
    pub(super) fn find_behind(
        &self,
        wanted: impl Fn(Link, &Line) -> bool,
    ) -> io::Result<Option<Link>> {
        let mut rest = Self::over(self.files.clone());
        // Without an open file the last one is at its end.
        let (file, read) = match &self.open {
            Some((file, _)) => (*file, self.read),
            None => (self.next_file, 0),
        };
        rest.next_file = file;
        while let Some(line) = rest.next()? {
            let is_behind = line.at.file > file || line.at.line > read;
            let link = line.read().filter(|_| is_behind).map(|(link, _)| link);
            if let Some(link) = link.filter(|link| wanted(*link, &line)) {
                return Ok(Some(link));
            }
        }
        Ok(None)
    }

    /// The first line of ours behind the one read last.
    pub(super) fn link_behind(&self) -> io::Result<Option<Link>> {
        self.find_behind(|_, _| true)
    }

    /// Whether a line with this number is still to come.
    pub(super) fn comes_again(&self, seq: u64) -> io::Result<bool> {
        Ok(self.find_behind(|link, _| link.seq == seq)?.is_some())
    }

    /// The next line; `None` behind the last one.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
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
