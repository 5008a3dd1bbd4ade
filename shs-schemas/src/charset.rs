//! Which charset an SHS document is in. Three places can say it and in real traffic they
//! disagree, so the bytes decide (shs-1.2, 2.7).

use std::borrow::Cow;

/// How far into a document its XML declaration is looked for, in bytes.
const DECLARATION_BYTES_MAX: usize = 256;

const UTF8_BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Decodes an SHS document: ASCII as it is; UTF-8 when it starts with a byte order mark, or when
/// it is valid and the MIME parameter or the XML declaration says so; else ISO-8859-1, which
/// cannot fail. The XML declaration of the result must be ignored.
#[must_use]
pub fn decode<'a>(bytes: &'a [u8], mime_charset: Option<&str>) -> Cow<'a, str> {
    let (marked, bytes) = match bytes.strip_prefix(UTF8_BYTE_ORDER_MARK) {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    match std::str::from_utf8(bytes) {
        Ok(text)
            if text.is_ascii()
                || marked
                || mime_charset.is_some_and(is_utf8)
                || declares_utf8(bytes) =>
        {
            Cow::Borrowed(text)
        }
        _ => Cow::Owned(latin1(bytes)),
    }
}

/// Decodes ISO-8859-1 proper: every byte is the character of the same number.
#[must_use]
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The line, counted from 1, of an offset that an error of a document names.
#[must_use]
pub fn line_of(document: &[u8], offset: usize) -> usize {
    let text = decode(document, None);
    let before = &text.as_bytes()[..offset.min(text.len())];
    1 + memchr::memchr_iter(b'\n', before).count()
}

fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim();
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// True when the document's own XML declaration says UTF-8.
fn declares_utf8(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(DECLARATION_BYTES_MAX)];
    let head = head.trim_ascii_start();
    if !head.starts_with(b"<?xml") {
        return false;
    }
    let declaration = memchr::memmem::find(head, b"?>").map_or(head, |end| &head[..end]);
    let Some(at) = memchr::memmem::find(declaration, b"encoding") else {
        return false;
    };
    let value = declaration[at + b"encoding".len()..].trim_ascii_start();
    let Some(value) = value.strip_prefix(b"=").map(<[u8]>::trim_ascii_start) else {
        return false;
    };
    let [quote @ (b'"' | b'\''), value @ ..] = value else {
        return false;
    };
    memchr::memchr(*quote, value)
        .and_then(|end| std::str::from_utf8(&value[..end]).ok())
        .is_some_and(is_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISO: &str = r#"<?xml version="1.0" encoding="ISO-8859-1"?>"#;
    const UTF: &str = r#"<?xml version='1.0' encoding = 'utf-8'?>"#;

    fn utf8(declaration: &str) -> Vec<u8> {
        format!("{declaration}<a>åäö</a>").into_bytes()
    }

    fn iso(declaration: &str) -> Vec<u8> {
        [declaration.as_bytes(), b"<a>\xE5\xE4\xF6</a>"].concat()
    }

    #[test]
    fn the_bytes_decide_when_the_declarations_disagree() {
        let cases: [(Vec<u8>, Option<&str>, bool); 8] = [
            (iso(ISO), Some("ISO-8859-1"), true),
            (iso(ISO), None, true),
            (iso(ISO), Some("UTF-8"), true),
            (iso(UTF), Some("UTF-8"), true),
            (utf8(ISO), Some("utf8"), true),
            (utf8(UTF), Some("ISO-8859-1"), true),
            (utf8(UTF), None, true),
            // Nobody says UTF-8: it is read as ISO-8859-1, whatever it looks like.
            (utf8(ISO), Some("ISO-8859-1"), false),
        ];
        for (number, (bytes, charset, right)) in cases.into_iter().enumerate() {
            let text = decode(&bytes, charset);
            assert_eq!(text.ends_with("<a>åäö</a>"), right, "case {number}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_taken_at_its_word_and_removed() {
        let bytes = [UTF8_BYTE_ORDER_MARK, "<a>å</a>".as_bytes()].concat();
        assert_eq!(decode(&bytes, Some("ISO-8859-1")), "<a>å</a>");
    }

    #[test]
    fn ascii_is_not_copied() {
        assert!(matches!(decode(b"<a>&#229;</a>", None), Cow::Borrowed(_)));
    }
}
