//! The MIME layer of an SHS message (shs-1.2, section 2): reading and writing.
//!
//! ```text
//! HTTP body = header block, empty line, (preamble,)
//!             "--" boundary, part headers, empty line, content      part 0: the label
//!             "--" boundary, part headers, empty line, content      part 1…n: the data parts
//!             "--" boundary "--"(, epilogue)
//! ```
//!
//! The reader is hand-written because ready-made ones either need the header block in the HTTP
//! header, or cut binary content at anything that looks like a boundary. It takes what the
//! installed base sends (shs-1.2, 2.13) and never copies: a [`Part`] is a slice of the body until
//! its transfer encoding is undone.

mod boundary;
mod content_type;
mod filename;
mod header;
mod part;
mod quoted_printable;
mod writer;

use bytes::Bytes;

use crate::error::{Fault, WireError};
use boundary::{Delimiter, Found, LineEnds};
use header::{HeaderBlock, Parameters};

pub use content_type::ContentType;
pub use filename::{FILENAME_CHARS_MAX, FileNames, safe_filename};
pub use part::{Part, TransferEncoding};
pub use writer::{BASE64_LINE_CHARS, LABEL_END_MAX, OutgoingPart, Written, write, write_for};

/// Bounds on a received message. Each is named in the error when it is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest body, in bytes.
    pub body_bytes_max: usize,
    /// Longest header block, outer or of a part, in bytes.
    pub header_bytes_max: usize,
    /// Most header lines in one block.
    pub headers_max: usize,
    /// Most parts, the label included. By default far more than the ten questions of a message, so
    /// that too many of them are told from a broken message (R-018).
    pub parts_max: usize,
    /// Longest label after its transfer encoding is undone, in bytes (shs-1.2, 2.11 asks for at
    /// least 64 KiB).
    pub label_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 20 * 1024 * 1024,
            header_bytes_max: 16 * 1024,
            headers_max: 64,
            parts_max: 1_024,
            label_bytes_max: 128 * 1024,
        }
    }
}

/// A message taken apart: its parts in order, the label first.
#[derive(Clone, Debug)]
pub struct Multipart {
    /// The parts, as slices of the body.
    pub parts: Vec<Part>,
}

/// How the line end before a delimiter is judged; see [`split`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Unencoded content framed by CRLF ends at CRLF only.
    ByFraming,
    /// Any line end will do.
    AnyLineEnd,
}

/// Takes an SHS message apart (shs-1.2, 2.2-2.6, 2.13, 2.14).
///
/// The boundary comes from the header block inside the body; from `http_content_type` when the
/// body has no such block, or one without boundary. In an unencoded part whose own framing is CRLF throughout, a delimiter
/// counts only after CRLF, so that binary content may hold bare line feeds and boundary-like
/// text; if the message cannot be read so, it is read once more with any line end accepted.
///
/// # Errors
/// A [`WireError`] with the offset into the body: a limit passed, no boundary, headers that are
/// not headers, an unknown transfer encoding, or no closing boundary (the only sign of a complete
/// transfer).
#[allow(
    clippy::needless_pass_by_value,
    reason = "the parts take over the body: they are slices of it"
)]
pub fn split(
    body: Bytes,
    http_content_type: Option<&str>,
    limits: &Limits,
) -> Result<Multipart, WireError> {
    if body.len() > limits.body_bytes_max {
        return Err(WireError::new(
            "message",
            limits.body_bytes_max,
            Fault::Limit("body_bytes_max", limits.body_bytes_max),
        ));
    }
    let (boundary, start) = find_boundary(&body, http_content_type, limits)?;
    let delimiter = Delimiter::new(&boundary);
    let parts = match read_parts(&body, start, &delimiter, Reading::ByFraming, limits) {
        Err(WireError {
            fault: Fault::NotWellFormed(boundary::NOT_CLOSED),
            ..
        }) => read_parts(&body, start, &delimiter, Reading::AnyLineEnd, limits)?,
        read => read?,
    };
    Ok(Multipart { parts })
}

/// The boundary and the offset from which its first line is looked for.
fn find_boundary(
    body: &[u8],
    http_content_type: Option<&str>,
    limits: &Limits,
) -> Result<(Vec<u8>, usize), WireError> {
    let from_http =
        || http_content_type.and_then(|value| Parameters::parse(value.as_bytes()).boundary());
    if body.starts_with(b"--") {
        let boundary = from_http();
        return boundary.map(|boundary| (boundary, 0)).ok_or(WireError::new(
            "boundary",
            0,
            Fault::Missing,
        ));
    }
    let block = HeaderBlock::read(body, 0, None, limits)?;
    let Some(value) = &block.content_type else {
        return from_http()
            .map(|boundary| (boundary, block.end))
            .ok_or(WireError::new("Content-Type", 0, Fault::Missing));
    };
    let parameters = Parameters::parse(value);
    if !parameters.is_multipart() {
        let fault = Fault::Invalid("the message is not multipart");
        return Err(WireError::new("Content-Type", 0, fault));
    }
    parameters
        .boundary()
        .or_else(from_http)
        .map(|boundary| (boundary, block.end))
        .ok_or(WireError::new("boundary", 0, Fault::Missing))
}

fn read_parts(
    body: &Bytes,
    start: usize,
    delimiter: &Delimiter,
    reading: Reading,
    limits: &Limits,
) -> Result<Vec<Part>, WireError> {
    let mut parts = Vec::with_capacity(2);
    let mut open = delimiter.find(body, start, false).ok_or(WireError::new(
        "boundary",
        start,
        Fault::Missing,
    ))?;
    while !open.closing {
        if parts.len() == limits.parts_max {
            let fault = Fault::Limit("parts_max", limits.parts_max);
            return Err(WireError::new("message", open.at, fault));
        }
        let (part, next) = read_part(body, &open, delimiter, parts.len(), reading, limits)?;
        parts.push(part);
        open = next;
    }
    Ok(parts)
}

/// Reads the part that the delimiter line `open` begins, up to the next delimiter line.
fn read_part(
    body: &Bytes,
    open: &Found,
    delimiter: &Delimiter,
    index: usize,
    reading: Reading,
    limits: &Limits,
) -> Result<(Part, Found), WireError> {
    let block = HeaderBlock::read(body, open.next_line, Some(delimiter), limits)?;
    let encoding = TransferEncoding::read(block.transfer_encoding.as_deref(), open.next_line)?;
    let framing = open.line_end.and(block.line_ends);
    let crlf_only = reading == Reading::ByFraming
        && index > 0
        && !encoding.is_encoded()
        && framing == LineEnds::Crlf;
    let close = delimiter
        .find(body, block.end, crlf_only)
        .ok_or(WireError::new(
            "boundary",
            body.len(),
            Fault::NotWellFormed(boundary::NOT_CLOSED),
        ))?;
    let end = boundary::without_line_end(body, block.end, close.at, framing);
    let content = body.slice(block.end..end);
    Ok((Part::new(&block, encoding, content, block.end), close))
}

#[cfg(test)]
mod tests;
