//! From received bytes to text: byte order mark, declared character set, XML declaration
//! (ssbtek-10, 8 item 12).

use std::borrow::Cow;

use bytes::Bytes;

use super::Limits;
use super::prolog;
use crate::error::{Fault, WireError};

/// An XML declaration is looked for in no more bytes than this.
const DECLARATION_BYTES_MAX: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Charset {
    Utf8,
    Utf16Le,
    Utf16Be,
    Latin1,
}

impl Charset {
    /// The character set with this name. `UTF-16` needs `bytes` to tell the byte order.
    fn named(name: &str, bytes: &[u8]) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is(&["utf-8", "utf8", "us-ascii", "ascii"]) {
            Some(Self::Utf8)
        } else if is(&["iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "l1"]) {
            Some(Self::Latin1)
        } else if is(&["utf-16le"]) {
            Some(Self::Utf16Le)
        } else if is(&["utf-16be"]) {
            Some(Self::Utf16Be)
        } else if is(&["utf-16", "utf16"]) {
            Self::unmarked_utf16(bytes)
        } else {
            None
        }
    }

    /// UTF-16 without mark shows itself: a document begins with `<`.
    fn unmarked_utf16(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'<', 0, ..] => Some(Self::Utf16Le),
            [0, b'<', ..] => Some(Self::Utf16Be),
            _ => None,
        }
    }

    /// The byte order mark, which beats every declaration, and its length.
    fn marked(bytes: &[u8]) -> Option<(Self, usize)> {
        match bytes {
            [0xEF, 0xBB, 0xBF, ..] => Some((Self::Utf8, 3)),
            [0xFF, 0xFE, ..] => Some((Self::Utf16Le, 2)),
            [0xFE, 0xFF, ..] => Some((Self::Utf16Be, 2)),
            _ => None,
        }
    }
}

/// The text of an XML document: UTF-8, UTF-16 or ISO-8859-1, without byte order mark.
///
/// In this order decide: the byte order mark, `charset` (from the part's header), the form of the
/// first bytes, the XML declaration. An XML declaration that names another encoding than UTF-8 is
/// overwritten with blanks, so that decoding twice changes nothing and offsets stay right.
///
/// # Errors
/// [`Fault::Encoding`] for an unknown character set and for bytes that are not text in it,
/// [`Fault::Limit`] when the text is longer than `bytes_max`.
pub fn decode<'a>(
    bytes: &'a [u8],
    charset: Option<&str>,
    document: &'static str,
    limits: &Limits,
) -> Result<Cow<'a, str>, WireError> {
    let fail = |offset, fault| WireError::new(document, offset, fault);
    let too_long = || {
        fail(
            limits.bytes_max,
            Fault::Limit("bytes_max", limits.bytes_max),
        )
    };
    // UTF-16 takes two bytes a character at least, the mark two more.
    if bytes.len() / 2 > limits.bytes_max.saturating_add(1) {
        return Err(too_long());
    }
    let (found, mark) = match Charset::marked(bytes) {
        Some(marked) => marked,
        None => (unmarked(bytes, charset).ok_or(fail(0, Fault::Encoding))?, 0),
    };
    let body = &bytes[mark..];
    let text = match found {
        Charset::Utf8 => {
            let text = std::str::from_utf8(body)
                .map_err(|error| fail(mark + error.valid_up_to(), Fault::Encoding))?;
            Cow::Borrowed(text)
        }
        Charset::Latin1 => Cow::Owned(body.iter().map(|&b| char::from(b)).collect()),
        Charset::Utf16Le => {
            Cow::Owned(utf16(body, u16::from_le_bytes).ok_or(fail(0, Fault::Encoding))?)
        }
        Charset::Utf16Be => {
            Cow::Owned(utf16(body, u16::from_be_bytes).ok_or(fail(0, Fault::Encoding))?)
        }
    };
    if text.len() > limits.bytes_max {
        return Err(too_long());
    }
    // One mark is dropped here; the reader would take a second one for the first.
    if text.starts_with('\u{FEFF}') {
        return Err(fail(mark, Fault::NotWellFormed("text outside the root")));
    }
    Ok(without_foreign_declaration(text))
}

/// As [`decode`], for a document that is kept: the same bytes when they already are UTF-8.
///
/// # Errors
/// As [`decode`].
#[expect(
    clippy::needless_pass_by_value,
    reason = "what is given back is a slice of it"
)]
pub fn decode_bytes(
    bytes: Bytes,
    charset: Option<&str>,
    document: &'static str,
    limits: &Limits,
) -> Result<Bytes, WireError> {
    decode(&bytes, charset, document, limits).map(|text| kept(&bytes, text))
}

/// The bytes of a text that [`decode`] made of `bytes`: a slice of them when nothing but the byte
/// order mark was taken away.
#[must_use]
pub fn kept(bytes: &Bytes, text: Cow<'_, str>) -> Bytes {
    match text {
        Cow::Borrowed(text) => bytes.slice(bytes.len().saturating_sub(text.len())..),
        Cow::Owned(text) => Bytes::from(text),
    }
}

/// As [`decode_bytes`], for a document whose header may name a character set. Header, declaration
/// and bytes disagree in real traffic (shs-1.2, 2.7), so the header counts only for bytes that are
/// no text without it, and where it says UTF-8 of what is.
///
/// # Errors
/// As [`decode`].
pub fn decode_declared(
    bytes: Bytes,
    charset: Option<&str>,
    document: &'static str,
    limits: &Limits,
) -> Result<Bytes, WireError> {
    if charset.is_some_and(|name| name.eq_ignore_ascii_case("utf-8")) && is_beyond_ascii(&bytes) {
        // Latin-1 that happens to be UTF-8 is not written: here header and bytes agree, against a
        // declaration inside that was not kept up (RFC 7303, 3).
        return decode_bytes(bytes, charset, document, limits);
    }
    match (decode_bytes(bytes.clone(), None, document, limits), charset) {
        (Err(error), Some(_)) if error.fault == Fault::Encoding => {
            decode_bytes(bytes, charset, document, limits)
        }
        (decoded, _) => decoded,
    }
}

/// True for UTF-8 with other characters than those of ASCII.
fn is_beyond_ascii(bytes: &[u8]) -> bool {
    !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok()
}

/// The character set of a document without byte order mark.
fn unmarked(bytes: &[u8], charset: Option<&str>) -> Option<Charset> {
    if let Some(name) = charset {
        return Charset::named(name, bytes);
    }
    if let Some(shown) = Charset::unmarked_utf16(bytes) {
        return Some(shown);
    }
    match declared(bytes) {
        // A document that was readable up to here is no UTF-16, whatever it says.
        Some(name) => match Charset::named(name, bytes)? {
            Charset::Utf16Le | Charset::Utf16Be => None,
            known => Some(known),
        },
        None => Some(Charset::Utf8),
    }
}

/// The encoding that the XML declaration names; only ASCII up to there.
fn declared(bytes: &[u8]) -> Option<&str> {
    let content = bytes.strip_prefix(b"<?xml")?;
    let window = &content[..content.len().min(DECLARATION_BYTES_MAX)];
    let end = memchr::memmem::find(window, b"?>")?;
    let content = std::str::from_utf8(&window[..end]).ok()?;
    prolog::declaration(content).ok().flatten()
}

fn without_foreign_declaration(text: Cow<'_, str>) -> Cow<'_, str> {
    let foreign = declared(text.as_bytes())
        .is_some_and(|name| Charset::named(name, text.as_bytes()) != Some(Charset::Utf8));
    if !foreign {
        return text;
    }
    let end = text.find("?>").map_or(0, |at| at + 2);
    let mut blanked = " ".repeat(end);
    blanked.push_str(&text[end..]);
    Cow::Owned(blanked)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    char::decode_utf16(units.iter().map(|&pair| unit(pair)))
        .collect::<Result<_, _>>()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], charset: Option<&str>) -> Result<String, Fault> {
        decode(bytes, charset, "fraga", &Limits::default())
            .map(Cow::into_owned)
            .map_err(|error| error.fault)
    }

    fn utf16_of(text: &str, mark: bool, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let marked = mark.then_some('\u{FEFF}');
        let text: String = marked.into_iter().chain(text.chars()).collect();
        text.encode_utf16().flat_map(bytes_of).collect()
    }

    #[test]
    fn utf_8_is_borrowed_and_its_mark_dropped() {
        let bytes = Bytes::from("\u{FEFF}<a>å</a>");
        let text = decode_bytes(bytes.clone(), None, "fraga", &Limits::default()).unwrap();
        assert_eq!(text, "<a>å</a>");
        assert_eq!(text.as_ptr(), bytes[3..].as_ptr());
    }

    #[test]
    fn utf_16_is_known_by_mark_by_form_and_by_name() {
        let text = "<a>å𝄞</a>";
        for (bytes, charset) in [
            (utf16_of(text, true, u16::to_le_bytes), None),
            (utf16_of(text, true, u16::to_be_bytes), None),
            (utf16_of(text, true, u16::to_be_bytes), Some("utf-8")),
            (utf16_of(text, false, u16::to_le_bytes), None),
            (utf16_of(text, false, u16::to_be_bytes), Some("UTF-16")),
            (utf16_of(text, false, u16::to_le_bytes), Some("utf-16le")),
        ] {
            assert_eq!(read(&bytes, charset).as_deref(), Ok(text));
        }
    }

    #[test]
    fn latin_1_is_read_when_declared_and_twice_is_once() {
        let document = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE5</a>";
        let once = read(document, None).unwrap();
        assert!(once.ends_with("<a>å</a>") && once.starts_with("    "));
        assert_eq!(once.find("<a>"), Some(43));
        assert_eq!(read(once.as_bytes(), None).unwrap(), once);
        assert_eq!(
            read(b"<a>\xE5</a>", Some("iso-8859-1")).as_deref(),
            Ok("<a>å</a>")
        );
        // The header beats the declaration.
        let utf8 = "<?xml version='1.0' encoding='ISO-8859-1'?><a>å</a>";
        assert!(
            read(utf8.as_bytes(), Some("utf-8"))
                .unwrap()
                .ends_with("<a>å</a>")
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        for (bytes, charset) in [
            (&b"<a>\xE5</a>"[..], None),
            (b"<a/>", Some("ebcdic")),
            (b"<?xml version='1.0' encoding='UTF-16'?><a/>", None),
            (b"<?xml version='1.0' encoding='koi8-r'?><a/>", None),
            (b"<\0a\0/\0>\0\n", None),
            (b"\xFF\xFE<\0\x00\xD8", None),
        ] {
            assert_eq!(read(bytes, charset), Err(Fault::Encoding));
        }
    }

    #[test]
    fn a_document_has_one_byte_order_mark_at_most() {
        for bytes in [
            "\u{FEFF}\u{FEFF}<a/>".as_bytes(),
            &utf16_of("\u{FEFF}<a/>", true, u16::to_le_bytes),
        ] {
            let fault = Fault::NotWellFormed("text outside the root");
            assert_eq!(read(bytes, None), Err(fault));
        }
    }

    #[test]
    fn the_text_is_bounded() {
        let limits = Limits {
            bytes_max: 10,
            ..Limits::default()
        };
        for bytes in [&b"<a>........</a>"[..], "<a>åå</a>".repeat(9).as_bytes()] {
            let error = decode(bytes, None, "fraga", &limits).unwrap_err();
            assert_eq!(error.fault, Fault::Limit("bytes_max", 10));
        }
        let grown = decode(b"<a>\xE5\xE5</a>", Some("latin1"), "fraga", &limits).unwrap_err();
        assert_eq!(grown.fault, Fault::Limit("bytes_max", 10));
    }
}
