//! Which characters XML 1.0 allows, and which may stand in names.

/// White space of XML 1.0: blank, tab, line feed, carriage return.
#[must_use]
pub const fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// `text` without XML white space at its ends.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

/// True for the characters of the production `Char`.
pub(super) const fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Offset of the first character that XML does not allow. Reads the whole text at memory speed:
/// the loop has no exit, so that it compiles to vector instructions.
pub(super) fn find_illegal(text: &str) -> Option<usize> {
    const CHUNK: usize = 4096;
    let bytes = text.as_bytes();
    let control = |b: u8| b < 0x20 && b != b'\t' && b != b'\n' && b != b'\r';
    for (n, chunk) in bytes.chunks(CHUNK).enumerate() {
        if chunk.iter().fold(false, |any, &b| any | control(b)) {
            let place = chunk.iter().position(|&b| control(b)).unwrap_or(0);
            return Some(n * CHUNK + place);
        }
    }
    // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
    memchr::memchr_iter(0xEF, bytes)
        .find(|&at| matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])))
}

const START: u8 = 1;
const PART: u8 = 2;

/// Class of each byte in a name; every byte of a multi-byte character counts as possible, and is
/// looked at again by [`is_ncname`].
const CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 {
            START | PART
        } else if byte.is_ascii_digit() || byte == b'-' || byte == b'.' {
            PART
        } else {
            0
        };
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Length of the name (colons included) that `bytes` begins with, not yet checked.
#[inline]
pub(super) fn name_len(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|&b| CLASS[b as usize] == 0 && b != b':')
        .unwrap_or(bytes.len())
}

/// True when `name` is a legal name without colon (`NCName`).
#[inline]
pub(super) fn is_ncname(name: &str) -> bool {
    let bytes = name.as_bytes();
    let Some((&first, rest)) = bytes.split_first() else {
        return false;
    };
    if CLASS[first as usize] & START == 0 || rest.iter().any(|&b| CLASS[b as usize] & PART == 0) {
        return false;
    }
    name.is_ascii() || has_only_name_characters(name)
}

/// True when `name` is a legal name in which colons mean nothing (`Name`).
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.')
        && name
            .split(':')
            .all(|part| part.bytes().all(|b| CLASS[b as usize] & PART != 0))
        && (name.is_ascii() || has_only_name_characters(name))
}

/// The slow look at names with letters beyond ASCII.
fn has_only_name_characters(name: &str) -> bool {
    name.chars()
        .enumerate()
        .all(|(place, c)| c.is_ascii() || is_name_start(c) || (place > 0 && is_name_extra(c)))
}

/// `NameStartChar` beyond ASCII.
const fn is_name_start(c: char) -> bool {
    matches!(c,
        '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// What `NameChar` adds beyond ASCII.
const fn is_name_extra(c: char) -> bool {
    matches!(c, '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_non_characters_are_found_where_they_stand() {
        assert_eq!(
            find_illegal("a\tb\r\n å\u{85}\u{FEFF}\u{FFFD}\u{10FFFF}"),
            None
        );
        for (text, at) in [
            ("\0", 0),
            ("ab\u{8}", 2),
            ("å\u{FFFE}", 2),
            ("a\u{FFFF}", 1),
        ] {
            assert_eq!(find_illegal(text), Some(at));
        }
        let late = format!("{}\u{1}", "x".repeat(10_000));
        assert_eq!(find_illegal(&late), Some(10_000));
    }

    #[test]
    fn names_follow_xml_1_0() {
        for good in ["a", "_", "Å", "a-b.c1", "a\u{B7}", "ÅÄÖ"] {
            assert!(is_ncname(good) && is_name(good), "{good}");
        }
        for bad in [
            "",
            "1",
            "-a",
            ".a",
            "a b",
            "a'",
            "a/",
            "\u{B7}",
            "\u{D7}",
            "a\u{2028}",
        ] {
            assert!(!is_ncname(bad) && !is_name(bad), "{bad}");
        }
        for only_name in [":", "a:b", ":a:b:"] {
            assert!(!is_ncname(only_name) && is_name(only_name), "{only_name}");
        }
    }
}
