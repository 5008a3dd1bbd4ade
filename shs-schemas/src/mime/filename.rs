//! File names in MIME headers (shs-1.2, 2.9). Real traffic carries raw ISO-8859-1 in them.

use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;

use super::content_type::header_text;
use super::header::Parameters;
use super::quoted_printable::hexadecimal;

/// Most pieces of a file name split by RFC 2231.
const CONTINUATIONS_MAX: usize = 32;

/// Longest file name that is read from a header, in bytes as they stand there; a longer one is
/// no file name. It bounds what decoding can cost.
const FILENAME_BYTES_MAX: usize = 1024;

/// Longest file name that is kept, in characters; a longer one loses the end of its stem.
pub const FILENAME_CHARS_MAX: usize = 255;

/// Longest extension that survives when a name is cut, in characters.
const EXTENSION_CHARS_MAX: usize = 16;

/// How names beyond ASCII are written into MIME headers (shs-1.2, 2.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FileNames {
    /// Raw ISO-8859-1 in quotes when the name fits, as the installed base does; else as
    /// [`FileNames::Rfc2231`].
    #[default]
    Latin1,
    /// An ASCII stand-in, and the name by RFC 2231: for peers with a newer MIME library.
    Rfc2231,
}

/// Makes a received name harmless: the last component of any path, without control characters,
/// line separators, signs that turn the direction of reading, and what XML cannot hold; not longer
/// than [`FILENAME_CHARS_MAX`]. `None` when nothing is left, or only dots.
#[must_use]
pub fn safe_filename(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let clean: String = last.chars().filter(|&c| is_harmless(c)).collect();
    let short = shortened(clean.trim());
    (!short.trim_matches('.').is_empty()).then_some(short)
}

fn is_harmless(c: char) -> bool {
    let turns = matches!(c,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let separates = matches!(c, '\u{2028}' | '\u{2029}');
    !(c.is_control() || turns || separates || matches!(c, '\u{FFFE}' | '\u{FFFF}'))
}

/// The name, if need be with a shorter stem and the same extension.
fn shortened(name: &str) -> String {
    if name.chars().count() <= FILENAME_CHARS_MAX {
        return name.to_owned();
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, end)) if end.chars().count() <= EXTENSION_CHARS_MAX => {
            (stem, format!(".{end}"))
        }
        _ => (name, String::new()),
    };
    let room = FILENAME_CHARS_MAX - extension.chars().count();
    let stem: String = stem.chars().take(room).collect();
    format!("{}{extension}", stem.trim_end())
}

/// The file name of a part: of its disposition, else of its content type.
pub(super) fn read(
    disposition: Option<&Parameters<'_>>,
    content_type: Option<&Parameters<'_>>,
) -> Option<String> {
    let of = |parameters: Option<&Parameters<'_>>, name| {
        let parameters = parameters?;
        let plain = || short(parameters.get(name)).map(plain);
        let usable = |text: String| safe_filename(&text);
        extended(parameters, name)
            .and_then(usable)
            .or_else(|| plain().and_then(usable))
    };
    of(disposition, "filename").or_else(|| of(content_type, "name"))
}

fn short(value: Option<&[u8]>) -> Option<&[u8]> {
    value.filter(|value| value.len() <= FILENAME_BYTES_MAX)
}

/// A value without RFC 2231: 8-bit text, perhaps with RFC 2047 words in it.
fn plain(value: &[u8]) -> String {
    if memchr::memmem::find(value, b"=?").is_none() {
        return header_text(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some(at) = memchr::memmem::find(rest, b"=?") {
        let mut stream = MessageStream::new(&rest[at + 1..]);
        let Some(word) = stream.decode_rfc2047() else {
            text.push_str(&header_text(&rest[..at + 2]));
            rest = &rest[at + 2..];
            after_word = false;
            continue;
        };
        // Blanks between two encoded words only separate them.
        if !(after_word && rest[..at].trim_ascii().is_empty()) {
            text.push_str(&header_text(&rest[..at]));
        }
        text.push_str(&word);
        rest = &rest[(at + 1 + stream.offset()).min(rest.len())..];
        after_word = true;
    }
    text.push_str(&header_text(rest));
    text
}

/// A value by RFC 2231: `name*`, or in pieces `name*0*`, `name*1`, …
fn extended(parameters: &Parameters<'_>, name: &str) -> Option<String> {
    let (first, in_pieces) = match parameters.get(&format!("{name}*")) {
        Some(value) => (value, false),
        None => match parameters.get(&format!("{name}*0*")) {
            Some(value) => (value, true),
            None => return unencoded_pieces(parameters, name),
        },
    };
    let mut fields = first.splitn(3, |&b| b == b'\'');
    let (charset, _language, text) = (fields.next()?, fields.next()?, fields.next()?);
    let mut bytes = percent_decoded(text);
    if in_pieces {
        further_pieces(&mut bytes, parameters, name);
    }
    Some(match charset_decoder(charset) {
        Some(decode) if !charset.eq_ignore_ascii_case(b"utf-8") => decode(&bytes),
        _ => header_text(&bytes),
    })
}

/// Pieces of which the first says no charset.
fn unencoded_pieces(parameters: &Parameters<'_>, name: &str) -> Option<String> {
    let mut bytes = parameters.get(&format!("{name}*0"))?.to_vec();
    further_pieces(&mut bytes, parameters, name);
    Some(header_text(&bytes))
}

/// Appends the pieces 1, 2, … of a value, up to the first that is not there.
fn further_pieces(bytes: &mut Vec<u8>, parameters: &Parameters<'_>, name: &str) {
    for number in 1..CONTINUATIONS_MAX {
        if let Some(piece) = parameters.get(&format!("{name}*{number}*")) {
            bytes.extend(percent_decoded(piece));
        } else if let Some(piece) = parameters.get(&format!("{name}*{number}")) {
            bytes.extend_from_slice(piece);
        } else {
            break;
        }
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| hexadecimal(two[0], two[1]));
        if let (b'%', Some(value)) = (byte, digits) {
            bytes.push(value);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    bytes
}

/// Writes `; NAME="…"`: raw, when the name fits what `file_names` allows and is read back as
/// itself; else an ASCII stand-in and the name by RFC 2231 (shs-1.2, 2.9). The name must be a
/// [`safe_filename`]: a line end in it would begin a header.
pub(super) fn write(out: &mut Vec<u8>, parameter: &str, name: &str, file_names: FileNames) {
    let latin1: Option<Vec<u8>> = name.chars().map(|c| u8::try_from(c).ok()).collect();
    let raw = latin1
        .filter(|bytes| file_names == FileNames::Latin1 || bytes.is_ascii())
        .filter(|bytes| plain(bytes) == name);
    let stand_in = || {
        name.chars()
            .map(|c| if c.is_ascii() { c as u8 } else { b'_' })
    };
    out.extend_from_slice(b"; ");
    out.extend_from_slice(parameter.as_bytes());
    out.extend_from_slice(b"=\"");
    let is_raw = raw.is_some();
    for byte in raw.unwrap_or_else(|| stand_in().collect()) {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    if !is_raw {
        out.extend_from_slice(b"; ");
        out.extend_from_slice(parameter.as_bytes());
        out.extend_from_slice(b"*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
                out.push(byte);
            } else {
                out.extend_from_slice(format!("%{byte:02X}").as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_disposition(value: &[u8]) -> Option<String> {
        read(Some(&Parameters::parse(value)), None)
    }

    #[test]
    fn every_form_seen_in_traffic_is_read() {
        let cases: [(&[u8], &str); 11] = [
            (b"attachment; filename=fraga.xml", "fraga.xml"),
            (b"attachment; FileName=\"fr\xE5ga 1.xml\"", "fråga 1.xml"),
            (b"attachment; filename=fr\xE5ga 1.xml; x=y", "fråga 1.xml"),
            ("attachment; filename=\"fråga.xml\"".as_bytes(), "fråga.xml"),
            (
                b"attachment; filename*=UTF-8''fr%C3%A5ga%F0%9F%98%80.xml",
                "fråga😀.xml",
            ),
            (
                b"attachment; filename*=iso-8859-1'sv'fr%E5ga.xml",
                "fråga.xml",
            ),
            (b"attachment; filename=a; filename*=UTF-8''b", "b"),
            (
                b"attachment; filename*0*=UTF-8''fr%C3; filename*1*=%A5; filename*2=ga",
                "fråga",
            ),
            (
                b"attachment; filename*0=fra; filename*1=\"ga.xml\"",
                "fraga.xml",
            ),
            (
                b"attachment; filename=\"=?ISO-8859-1?Q?fr=E5?= =?utf-8?B?Z2E=?=.xml\"",
                "fråga.xml",
            ),
            (b"attachment; filename=\"a\\\"b.xml\"", "a\"b.xml"),
        ];
        for (value, name) in cases {
            assert_eq!(read_disposition(value).as_deref(), Some(name));
        }
    }

    #[test]
    fn the_content_type_name_is_the_fallback() {
        let content_type = Parameters::parse(b"text/xml; name=b.xml");
        for disposition in ["attachment", "attachment;", "attachment; filename=\"\""] {
            let disposition = Parameters::parse(disposition.as_bytes());
            let name = read(Some(&disposition), Some(&content_type));
            assert_eq!(name.as_deref(), Some("b.xml"));
        }
    }

    #[test]
    fn a_name_that_is_no_name_costs_nothing() {
        let many = format!("a; filename=\"{}\"", "=?aa?q?".repeat(FILENAME_BYTES_MAX));
        assert_eq!(read_disposition(many.as_bytes()), None);
        let longest = format!("a; filename={}", "x".repeat(FILENAME_BYTES_MAX));
        assert!(read_disposition(longest.as_bytes()).is_some());
    }

    #[test]
    fn a_name_is_never_a_path() {
        let cases = [
            ("../../etc/passwd", Some("passwd")),
            ("C:\\temp\\a.xml", Some("a.xml")),
            ("a\r\n\0b", Some("ab")),
            ("..", None),
            ("a/..", None),
            (" ", None),
            (".profil", Some(".profil")),
        ];
        for (name, safe) in cases {
            assert_eq!(safe_filename(name).as_deref(), safe, "{name:?}");
        }
    }

    #[test]
    fn a_swedish_name_is_written_as_raw_iso_8859_1() {
        let mut out = Vec::new();
        write(&mut out, "filename", "fråga.xml", FileNames::Latin1);
        assert_eq!(out, b"; filename=\"fr\xE5ga.xml\"");
        out.clear();
        write(&mut out, "filename", "pris€.xml", FileNames::Latin1);
        assert_eq!(
            out,
            b"; filename=\"pris_.xml\"; filename*=UTF-8''pris%E2%82%AC.xml"
        );
    }

    #[test]
    fn by_rfc_2231_only_ascii_is_written_raw() {
        let written = |name| {
            let mut out = Vec::new();
            write(&mut out, "filename", name, FileNames::Rfc2231);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written("fraga 1.xml"), "; filename=\"fraga 1.xml\"");
        assert_eq!(
            written("fråga.xml"),
            "; filename=\"fr_ga.xml\"; filename*=UTF-8''fr%C3%A5ga.xml"
        );
    }

    #[test]
    fn signs_that_turn_the_direction_of_reading_are_removed() {
        for c in "\u{061C}\u{200E}\u{200F}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}".chars() {
            let name = safe_filename(&format!("faktura{c}gpj.exe"));
            assert_eq!(name.as_deref(), Some("fakturagpj.exe"), "{c:?}");
        }
        for c in ['\u{2028}', '\u{2029}', '\u{85}', '\0', '\u{FFFE}'] {
            assert_eq!(
                safe_filename(&format!("a{c}b")).as_deref(),
                Some("ab"),
                "{c:?}"
            );
        }
    }

    #[test]
    fn a_very_long_name_keeps_its_extension() {
        let stem = "å".repeat(FILENAME_CHARS_MAX + 1);
        let name = safe_filename(&format!("{stem}.xml")).unwrap();
        assert_eq!(name.chars().count(), FILENAME_CHARS_MAX);
        assert!(name.ends_with("å.xml"));
        assert_eq!(safe_filename(&name), Some(name));
        let name = safe_filename(&stem).unwrap();
        assert_eq!(name.chars().count(), FILENAME_CHARS_MAX);
    }

    #[test]
    fn pieces_may_be_encoded_or_not_from_any_piece_on() {
        let value = b"attachment; filename*0=fr; filename*1*=%C3%A5ga; filename*2=\".xml\"";
        assert_eq!(read_disposition(value).as_deref(), Some("fråga.xml"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(name in "\\PC{0,300}", newer in any::<bool>()) {
            let file_names = if newer { FileNames::Rfc2231 } else { FileNames::Latin1 };
            if let Some(name) = safe_filename(&name) {
                prop_assert_eq!(safe_filename(&name), Some(name.clone()));
                let mut out = b"attachment".to_vec();
                write(&mut out, "filename", &name, file_names);
                prop_assert_eq!(read_disposition(&out), Some(name));
            }
        }

        #[test]
        fn no_header_value_panics(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_disposition(&value);
        }
    }
}
