//! How lines are tied together (design 8.5; R-087): each begins with its number and the SHA-256 of the
//! bytes of the line before it, so that none can be changed, removed, inserted or put elsewhere unseen.
//!
//! ```text
//! {"seq":7,"prev":"<SHA-256 of line 6, in hex>","time":…,"event":…,…}
//! ```
//!
//! Numbers go on over days and restarts; the first line of a day points at the last one of the file
//! before. What is hashed is the line without its line end, so that `sed -n 6p … | tr -d '\n' |
//! sha256sum` says the same.

use std::fmt;
use std::io::Write as _;

use aws_lc_rs::digest::{Context, SHA256, digest};
use serde::{Deserialize, Serialize, Serializer};

/// Bytes that tying adds to an event: the greatest number, the hash and the words around them.
pub const LINK_BYTES_MAX: usize = 110;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Stands before the first line.
    pub const NOTHING: Self = Self([0; 32]);

    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::taken(digest(&SHA256, bytes).as_ref())
    }

    /// The one that is written so, in 64 hexadecimal digits of lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = from_hex(text)?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn taken(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(bytes);
        Self(hash)
    }
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_hex(&self.0))
    }
}

/// A SHA-256 of what comes piece by piece.
pub(super) struct Hashing(Context);

impl Hashing {
    pub(super) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Of what came so far.
    pub(super) fn hash(&self) -> Hash {
        Hash::taken(self.0.clone().finish().as_ref())
    }
}

/// Bytes in hexadecimal digits of lower case.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(half)]));
        }
    }
    text
}

/// The bytes that are written so; `None` for anything but pairs of digits of lower case.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

/// The last line so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// Before the first line.
    pub const START: Self = Self {
        seq: 0,
        hash: Hash::NOTHING,
    };

    /// Ties an event, a JSON object without line end, to this line, and writes it with its line end
    /// behind what `out` holds. Returns the new last line.
    ///
    /// # Panics
    /// Never: writing into a vector does not fail.
    #[must_use]
    pub fn tie(&self, event: &[u8], out: &mut Vec<u8>) -> Self {
        let begin = out.len();
        let seq = self.seq + 1;
        out.reserve(event.len() + LINK_BYTES_MAX);
        let _ = write!(out, "{{\"seq\":{seq},\"prev\":\"");
        out.extend_from_slice(to_hex(self.hash.as_bytes()).as_bytes());
        out.extend_from_slice(b"\",");
        out.extend_from_slice(event.strip_prefix(b"{").unwrap_or(event));
        let hash = Hash::of(&out[begin..]);
        out.push(b'\n');
        Self { seq, hash }
    }
}

/// What a line says of its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub seq: u64,
    /// The hash of the line before it.
    pub prev: Hash,
}

/// What is read of every line.
#[derive(Deserialize)]
struct Read<'l> {
    seq: u64,
    #[serde(borrow)]
    prev: &'l str,
    #[serde(borrow)]
    event: &'l str,
}

/// Reads a whole line, without its line end: its place, and what it says happened. `None` when it is
/// none: torn, or changed beyond reading.
#[must_use]
pub fn read(line: &[u8]) -> Option<(Link, &str)> {
    let read: Read<'_> = serde_json::from_slice(line).ok()?;
    let prev = Hash::parse(read.prev)?;
    Some((
        Link {
            seq: read.seq,
            prev,
        },
        read.event,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_its_number_and_the_hash_of_the_line_before() {
        let mut out = Vec::new();
        let first = Head::START.tie(br#"{"event":"a"}"#, &mut out);
        let second = first.tie(br#"{"event":"b"}"#, &mut out);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let zeros = "0".repeat(64);
        assert_eq!(
            lines[0],
            format!(r#"{{"seq":1,"prev":"{zeros}","event":"a"}}"#)
        );
        assert_eq!(first.hash, Hash::of(lines[0].as_bytes()));
        let (link, event) = read(lines[1].as_bytes()).unwrap();
        assert_eq!((link.seq, link.prev, event), (2, first.hash, "b"));
        assert_eq!(second.seq, 2);
    }

    #[test]
    fn a_line_that_is_cut_anywhere_is_none() {
        let mut out = Vec::new();
        let _ = Head::START.tie(br#"{"event":"a","n":{"x":[1]}}"#, &mut out);
        for cut in 0..out.len() - 1 {
            assert!(read(&out[..cut]).is_none(), "{cut}");
        }
        assert!(read(&out[..out.len() - 1]).is_some());
    }

    #[test]
    fn hexadecimal_digits_are_of_lower_case_and_in_pairs() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Hash::of(b"abc").to_string(), abc);
        assert_eq!(Hash::parse(abc), Some(Hash::of(b"abc")));
        for bad in ["", "0", "0G", "BA", "åä"] {
            assert!(Hash::parse(bad).is_none());
            assert!(bad.is_empty() || from_hex(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn what_tying_adds_is_within_its_bound() {
        let mut out = Vec::new();
        let last = Head {
            seq: u64::MAX - 1,
            hash: Hash::NOTHING,
        };
        let _ = last.tie(b"{}", &mut out);
        assert!(out.len() - 2 <= LINK_BYTES_MAX, "{}", out.len());
    }
}
