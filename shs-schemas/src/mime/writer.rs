//! Writing the outer layout of an SHS message (shs-1.2, 2.2-2.4, 2.8).

use bytes::Bytes;
use uuid::Uuid;

use super::content_type::ContentType;
use super::filename::{self, FileNames, safe_filename};
use super::part::TransferEncoding;
use crate::sensitive::Sensitive;

/// How far into a message some receivers look for the end of the label, in bytes (shs-1.2, 2.11).
pub const LABEL_END_MAX: usize = 4096;

/// Characters in a line of base64.
pub const BASE64_LINE_CHARS: usize = 76;

/// Bytes that make one line of base64.
const BASE64_LINE_BYTES: usize = BASE64_LINE_CHARS / 4 * 3;

const LABEL_HEADERS: &[u8] =
    b"Content-Type: text/xml; charset=ISO-8859-1\r\nContent-Transfer-Encoding: binary\r\n\r\n";

/// A data part to be written.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingPart<'a> {
    /// Its real type.
    pub content_type: &'a ContentType,
    /// Its file name, if it has one; it is made harmless ([`safe_filename`]).
    pub filename: Option<&'a str>,
    /// `Binary` as it is, anything else as base64.
    pub encoding: TransferEncoding,
    /// Its content, not encoded.
    pub data: &'a [u8],
}

/// A message as it is sent.
#[derive(Clone, Debug)]
pub struct Written {
    /// The body of the HTTP request or response.
    pub body: Sensitive<Bytes>,
    /// Where `</shs.label>` ends, in bytes from the start of the body.
    pub label_end: usize,
}

impl Written {
    /// True when every node finds the label. One that ends beyond [`LABEL_END_MAX`] is refused by
    /// part of the installed base as `IllegalMessageStructure` (shs-1.2, 2.11); the message is
    /// right all the same.
    #[must_use]
    pub const fn fits_every_node(&self) -> bool {
        self.label_end <= LABEL_END_MAX
    }
}

/// Writes a message: outer header block, the label in clear, the data parts, all in one buffer of
/// the right size. The boundary is fresh and occurs in no part.
#[must_use]
pub fn write(label: &[u8], parts: &[OutgoingPart<'_>]) -> Bytes {
    write_for(label, parts, FileNames::default())
        .body
        .into_exposed()
}

/// The same with file names as a peer wants them.
#[must_use]
pub fn write_for(label: &[u8], parts: &[OutgoingPart<'_>], file_names: FileNames) -> Written {
    let boundary = loop {
        let candidate = format!("=_{}", Uuid::new_v4().simple());
        if !occurs(&candidate, label, parts) {
            break candidate;
        }
    };
    write_with_boundary(&boundary, label, parts, file_names)
}

/// Base64 has no hyphen, so only what is written in clear can hold a boundary.
fn occurs(boundary: &str, label: &[u8], parts: &[OutgoingPart<'_>]) -> bool {
    let finder = memchr::memmem::Finder::new(boundary);
    let in_clear = parts
        .iter()
        .filter(|part| part.encoding == TransferEncoding::Binary);
    finder.find(label).is_some() || in_clear.into_iter().any(|p| finder.find(p.data).is_some())
}

pub(super) fn write_with_boundary(
    boundary: &str,
    label: &[u8],
    parts: &[OutgoingPart<'_>],
    file_names: FileNames,
) -> Written {
    let headers: Vec<Vec<u8>> = parts.iter().map(|p| part_headers(p, file_names)).collect();
    let outer = format!(
        "Subject: SHS Message\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n\t\
         boundary=\"{boundary}\"\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    );
    // "--" boundary "\r\n" before the label, "\r\n--" boundary "\r\n" before each part,
    // "\r\n--" boundary "--\r\n" at the end.
    let delimiters = (parts.len() + 2) * (boundary.len() + 6);
    let contents = parts.iter().map(content_len).sum::<usize>();
    let headers_len = headers.iter().map(Vec::len).sum::<usize>();
    let capacity =
        outer.len() + LABEL_HEADERS.len() + label.len() + delimiters + headers_len + contents;
    let mut out = Vec::with_capacity(capacity);
    out.extend_from_slice(outer.as_bytes());
    delimiter_line(&mut out, boundary, "\r\n");
    out.extend_from_slice(LABEL_HEADERS);
    out.extend_from_slice(label);
    let label_end = out.len();
    for (part, headers) in parts.iter().zip(&headers) {
        out.extend_from_slice(b"\r\n");
        delimiter_line(&mut out, boundary, "\r\n");
        out.extend_from_slice(headers);
        match part.encoding {
            TransferEncoding::Binary => out.extend_from_slice(part.data),
            _ => base64_lines(&mut out, part.data),
        }
    }
    out.extend_from_slice(b"\r\n");
    delimiter_line(&mut out, boundary, "--\r\n");
    debug_assert_eq!(out.len(), capacity, "the buffer is exact");
    Written {
        body: Sensitive::new(Bytes::from(out)),
        label_end,
    }
}

fn delimiter_line(out: &mut Vec<u8>, boundary: &str, end: &str) {
    out.extend_from_slice(b"--");
    out.extend_from_slice(boundary.as_bytes());
    out.extend_from_slice(end.as_bytes());
}

fn part_headers(part: &OutgoingPart<'_>, file_names: FileNames) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let name = part.filename.and_then(safe_filename);
    out.extend_from_slice(b"Content-Type: ");
    part.content_type.write(&mut out);
    if let Some(name) = &name {
        filename::write(&mut out, "name", name, file_names);
    }
    out.extend_from_slice(match part.encoding {
        TransferEncoding::Binary => b"\r\nContent-Transfer-Encoding: binary",
        _ => b"\r\nContent-Transfer-Encoding: base64",
    });
    out.extend_from_slice(b"\r\nContent-Disposition: attachment");
    if let Some(name) = &name {
        filename::write(&mut out, "filename", name, file_names);
    }
    out.extend_from_slice(b"\r\n\r\n");
    out
}

/// Length of a part's content as it is written.
fn content_len(part: &OutgoingPart<'_>) -> usize {
    if part.encoding == TransferEncoding::Binary {
        return part.data.len();
    }
    let characters = part.data.len().div_ceil(3) * 4;
    let line_ends = characters.div_ceil(BASE64_LINE_CHARS).saturating_sub(1);
    characters + 2 * line_ends
}

fn base64_lines(out: &mut Vec<u8>, data: &[u8]) {
    let mut lines = data.chunks(BASE64_LINE_BYTES);
    if let Some(first) = lines.next() {
        base64_simd::STANDARD.encode_append(first, out);
    }
    for line in lines {
        out.extend_from_slice(b"\r\n");
        base64_simd::STANDARD.encode_append(line, out);
    }
}
