//! Header blocks and the parameters of structured header values.

use std::borrow::Cow;

use super::Limits;
use super::boundary::{Delimiter, LineEnds, line_at};
use crate::error::{Fault, WireError};

/// Longest boundary, in bytes. RFC 2046 allows 70; some senders pass that.
const BOUNDARY_BYTES_MAX: usize = 200;

/// Most parameters of one header value; those beyond are passed over.
const PARAMETERS_MAX: usize = 64;

/// The headers of a block that matter, unfolded, and where the content begins.
pub(super) struct HeaderBlock<'a> {
    pub(super) content_type: Option<Cow<'a, [u8]>>,
    pub(super) transfer_encoding: Option<Cow<'a, [u8]>>,
    pub(super) disposition: Option<Cow<'a, [u8]>>,
    /// Offset of the first byte after the empty line.
    pub(super) end: usize,
    pub(super) line_ends: LineEnds,
}

impl<'a> HeaderBlock<'a> {
    /// Reads the header lines from `start` to the first empty line. `stop` is the delimiter that
    /// must not come before it.
    pub(super) fn read(
        body: &'a [u8],
        start: usize,
        stop: Option<&Delimiter>,
        limits: &Limits,
    ) -> Result<Self, WireError> {
        let mut lines = Lines {
            body,
            start,
            at: start,
            line_ends: None,
            stop,
            limits,
        };
        let mut block = Self {
            content_type: None,
            transfer_encoding: None,
            disposition: None,
            end: start,
            line_ends: LineEnds::Crlf,
        };
        let mut current: Option<(&[u8], Cow<'a, [u8]>)> = None;
        let mut headers = 0;
        while let Some((at, line)) = lines.next()? {
            if let ([b' ' | b'\t', ..], Some((_, value))) = (line, &mut current) {
                value.to_mut().extend_from_slice(line);
                continue;
            }
            headers += 1;
            if headers > limits.headers_max {
                let fault = Fault::Limit("headers_max", limits.headers_max);
                return Err(WireError::new("header", at, fault));
            }
            let header = split_header(line, at)?;
            if let Some((name, value)) = current.replace(header) {
                block.keep(name, value);
            }
        }
        if let Some((name, value)) = current {
            block.keep(name, value);
        }
        block.end = lines.at;
        block.line_ends = lines.line_ends.unwrap_or(LineEnds::Crlf);
        Ok(block)
    }

    /// Keeps a header that matters. Of several with one name the first counts.
    fn keep(&mut self, name: &[u8], value: Cow<'a, [u8]>) {
        let slot = if name.eq_ignore_ascii_case(b"Content-Type") {
            &mut self.content_type
        } else if name.eq_ignore_ascii_case(b"Content-Transfer-Encoding") {
            &mut self.transfer_encoding
        } else if name.eq_ignore_ascii_case(b"Content-Disposition") {
            &mut self.disposition
        } else {
            return;
        };
        slot.get_or_insert(value);
    }
}

/// The lines of one header block, bounded.
struct Lines<'a, 'l> {
    body: &'a [u8],
    start: usize,
    at: usize,
    line_ends: Option<LineEnds>,
    stop: Option<&'l Delimiter>,
    limits: &'l Limits,
}

impl<'a> Lines<'a, '_> {
    /// The next line with its offset, or `None` at the empty line that ends the block.
    fn next(&mut self) -> Result<Option<(usize, &'a [u8])>, WireError> {
        let at = self.at;
        let left = (self.start + self.limits.header_bytes_max).saturating_sub(at);
        let Some(line) = line_at(self.body, at, left) else {
            let fault = if self.body.len() - at >= left {
                Fault::Limit("header_bytes_max", self.limits.header_bytes_max)
            } else {
                Fault::NotWellFormed("the header block has no end")
            };
            return Err(WireError::new("header", at, fault));
        };
        if self.stop.is_some_and(|stop| stop.is_at(self.body, at)) {
            let fault = Fault::NotWellFormed("a boundary inside a header block");
            return Err(WireError::new("header", at, fault));
        }
        self.at = line.next;
        self.line_ends = Some(self.line_ends.map_or(line.end, |seen| seen.and(line.end)));
        Ok((!line.content.is_empty()).then_some((at, line.content)))
    }
}

/// Splits `Name: value`.
fn split_header(line: &[u8], at: usize) -> Result<(&[u8], Cow<'_, [u8]>), WireError> {
    let fault = Fault::NotWellFormed("a header line without name and colon");
    let error = WireError::new("header", at, fault);
    let colon = memchr::memchr(b':', line).ok_or(error)?;
    let name = line[..colon].trim_ascii_end();
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return Err(error);
    }
    Ok((name, Cow::Borrowed(&line[colon + 1..])))
}

/// A structured header value: the word before the first semicolon, and the parameters.
pub(super) struct Parameters<'a> {
    pub(super) word: &'a [u8],
    pub(super) list: Vec<Parameter<'a>>,
}

/// One parameter, quotes removed.
pub(super) struct Parameter<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: Cow<'a, [u8]>,
}

impl<'a> Parameters<'a> {
    /// Reads leniently: an unquoted value goes to the next semicolon, blanks and 8-bit characters
    /// included (shs-1.2, 2.9); what has no equals sign is passed over.
    pub(super) fn parse(value: &'a [u8]) -> Self {
        let (word, mut rest) = cut(value, b';');
        let mut list = Vec::new();
        while !rest.is_empty() && list.len() < PARAMETERS_MAX {
            let start = rest.trim_ascii_start();
            let stop = memchr::memchr2(b'=', b';', start).unwrap_or(start.len());
            if start.get(stop) != Some(&b'=') {
                rest = start.get(stop + 1..).unwrap_or_default();
                continue;
            }
            let (value, after) = parameter_value(&start[stop + 1..]);
            list.push(Parameter {
                name: start[..stop].trim_ascii(),
                value,
            });
            rest = after;
        }
        Self {
            word: word.trim_ascii(),
            list,
        }
    }

    /// The first parameter of this name, in any letter case.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.list
            .iter()
            .find(|parameter| parameter.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|parameter| &*parameter.value)
    }

    pub(super) fn is_multipart(&self) -> bool {
        self.word
            .get(..10)
            .is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
    }

    /// The boundary, when there is a usable one.
    pub(super) fn boundary(&self) -> Option<Vec<u8>> {
        let boundary = self.get("boundary")?.trim_ascii_end();
        let usable = !boundary.is_empty()
            && boundary.len() <= BOUNDARY_BYTES_MAX
            && !boundary.iter().any(u8::is_ascii_control);
        usable.then(|| boundary.to_vec())
    }
}

/// Cuts at the first `separator`, which belongs to neither side.
fn cut(value: &[u8], separator: u8) -> (&[u8], &[u8]) {
    memchr::memchr(separator, value).map_or((value, &[]), |at| (&value[..at], &value[at + 1..]))
}

/// Reads a parameter's value and gives what follows its semicolon.
fn parameter_value(text: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let text = text.trim_ascii_start();
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let (value, rest) = cut(text, b';');
        return (Cow::Borrowed(value.trim_ascii_end()), rest);
    };
    let mut end = 0;
    let mut escaped = false;
    while let Some(&byte) = quoted.get(end) {
        match byte {
            b'"' => break,
            // Only these two are escapes; a backslash elsewhere is a Windows path.
            b'\\' if matches!(quoted.get(end + 1), Some(b'"' | b'\\')) => {
                escaped = true;
                end += 2;
            }
            _ => end += 1,
        }
    }
    let value = &quoted[..end.min(quoted.len())];
    let (_, rest) = cut(quoted.get(end..).unwrap_or_default(), b';');
    let value = if escaped {
        Cow::Owned(unescape(value))
    } else {
        Cow::Borrowed(value)
    };
    (value, rest)
}

fn unescape(value: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'\\', Some(&next @ (b'"' | b'\\'))) => {
                plain.push(next);
                bytes.next();
            }
            _ => plain.push(byte),
        }
    }
    plain
}
