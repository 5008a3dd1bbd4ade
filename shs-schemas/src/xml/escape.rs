//! Escaping what is written. CR is written as `&#13;`, or a reader would turn it into LF
//! (ssbtek-10, 8 item 8).

use std::borrow::Cow;

/// Appends `text` as element content.
pub fn push_text(out: &mut Vec<u8>, text: &str) {
    push(out, text, |b| match b {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

/// Appends `text` as the value of an attribute in double or single quotes.
pub fn push_attribute(out: &mut Vec<u8>, text: &str) {
    push(out, text, |b| match b {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&apos;"),
        b'\t' => Some("&#9;"),
        b'\n' => Some("&#10;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

/// `text` as element content.
#[must_use]
pub fn escape_text(text: &str) -> Cow<'_, str> {
    escape(text, &['&', '<', '>', '\r'], push_text)
}

/// `text` as the value of an attribute.
#[must_use]
pub fn escape_attribute(text: &str) -> Cow<'_, str> {
    escape(
        text,
        &['&', '<', '>', '"', '\'', '\t', '\n', '\r'],
        push_attribute,
    )
}

fn escape<'a>(text: &'a str, special: &[char], push: fn(&mut Vec<u8>, &str)) -> Cow<'a, str> {
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 16);
    push(&mut out, text);
    Cow::Owned(String::from_utf8(out).expect("ASCII is put between whole characters"))
}

/// Characters that XML cannot carry at all (controls, U+FFFE, U+FFFF) become U+FFFD, so that what
/// is written is well-formed whatever the text was.
fn push(out: &mut Vec<u8>, text: &str, replacement: impl Fn(u8) -> Option<&'static str>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let non_character =
            byte == 0xEF && matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF]));
        let illegal = byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
        let put = if non_character || illegal {
            Some("\u{FFFD}")
        } else {
            replacement(byte)
        };
        if let Some(put) = put {
            out.extend_from_slice(&bytes[done..at]);
            out.extend_from_slice(put.as_bytes());
            done = at + if non_character { 3 } else { 1 };
        }
    }
    out.extend_from_slice(&bytes[done..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped() {
        assert_eq!(escape_text("a<b&c>d\r\n\"'"), "a&lt;b&amp;c&gt;d&#13;\n\"'");
        assert_eq!(
            escape_attribute("<\"'&\t\n\r"),
            "&lt;&quot;&apos;&amp;&#9;&#10;&#13;"
        );
        assert!(matches!(escape_text("åäö"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_xml_cannot_carry_is_replaced() {
        let mut out = Vec::new();
        push_text(&mut out, "a\0b\u{FFFE}c");
        assert_eq!(out, "a\u{FFFD}b\u{FFFD}c".as_bytes());
    }
}
