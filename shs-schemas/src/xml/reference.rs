//! References: the five predefined entities and character references; nothing else is known.

use std::borrow::Cow;

use super::chars::is_char;
use crate::error::Fault;

/// The character that a reference stands for; `body` is what stands between `&` and `;`.
pub(super) fn resolve(body: &str) -> Result<char, Fault> {
    const BAD: Fault = Fault::NotWellFormed("character reference to no legal character");
    match body {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => {}
    }
    let Some(number) = body.strip_prefix('#') else {
        return Err(Fault::Entity);
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(hex) => (hex, 16),
        None => (number, 10),
    };
    if digits.is_empty() || !digits.bytes().all(|b| char::from(b).is_digit(radix)) {
        return Err(BAD);
    }
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
        .filter(|&c| is_char(c))
        .ok_or(BAD)
}

/// Checks every reference in an attribute value. The error has the offset within `raw`.
pub(super) fn check(raw: &str) -> Result<(), (usize, Fault)> {
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'&', &raw.as_bytes()[from..]) {
        let at = from + found;
        let rest = &raw[at + 1..];
        let end = memchr::memchr(b';', rest.as_bytes())
            .ok_or((at, Fault::NotWellFormed("reference without end")))?;
        resolve(&rest[..end]).map_err(|fault| (at, fault))?;
        from = at + 1 + end + 1;
    }
    Ok(())
}

/// The value of an attribute whose references are already checked: references resolved, white
/// space made blanks (XML 1.0, 3.3.3 for CDATA attributes).
pub(super) fn attribute_value(raw: &str) -> Cow<'_, str> {
    if !raw
        .bytes()
        .any(|b| matches!(b, b'&' | b'\t' | b'\n' | b'\r'))
    {
        return Cow::Borrowed(raw);
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
        value.push_str(&rest[..at]);
        let tail = &rest[at..];
        let used = if let Some(body) = tail.strip_prefix('&') {
            let end = body.find(';').unwrap_or(body.len());
            value.extend(resolve(&body[..end]).ok());
            (end + 2).min(tail.len())
        } else {
            value.push(' ');
            if tail.starts_with("\r\n") { 2 } else { 1 }
        };
        rest = &tail[used..];
    }
    value.push_str(rest);
    Cow::Owned(value)
}

/// Text as an XML reader gives it: CR LF and lone CR become LF (XML 1.0, 2.11).
pub(super) fn line_ends(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\r', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_entities_and_legal_characters_are_known() {
        for (body, c) in [
            ("amp", '&'),
            ("lt", '<'),
            ("gt", '>'),
            ("quot", '"'),
            ("apos", '\''),
        ] {
            assert_eq!(resolve(body), Ok(c));
        }
        assert_eq!(resolve("#13"), Ok('\r'));
        assert_eq!(resolve("#xe5"), Ok('å'));
        assert_eq!(resolve("#x10FFFF"), Ok('\u{10FFFF}'));
        assert_eq!(resolve("#0000000065"), Ok('A'));
    }

    #[test]
    fn other_references_are_refused() {
        for body in ["nbsp", "", "AMP", " amp", "amp "] {
            assert_eq!(resolve(body), Err(Fault::Entity), "{body}");
        }
        for body in [
            "#",
            "#x",
            "#0",
            "#xD800",
            "#xFFFE",
            "#x110000",
            "#+5",
            "#X41",
            "#99999999999",
        ] {
            assert!(
                matches!(resolve(body), Err(Fault::NotWellFormed(_))),
                "{body}"
            );
        }
    }

    #[test]
    fn an_attribute_value_is_normalised() {
        assert_eq!(attribute_value("plain"), "plain");
        assert_eq!(attribute_value("a\r\nb\tc&#10;d&lt;&#xe5;"), "a b c\nd<å");
    }
}
