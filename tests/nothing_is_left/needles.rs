//! What is searched for, and where it is found in a piece of memory or of a file.
//!
//! A marker is known by its beginning, in each form in which a text may lie around: as it is (UTF-8 and
//! ISO-8859-1 alike, since the beginning is ASCII), in lower case, UTF-16, hexadecimal, percent-encoded throughout, base64
//! at each of its three places within four letters, and base64 of that base64, as the question to LEFI
//! travels. Of a beginning in base64 only those letters count that it alone decides.

use std::collections::HashMap;
use std::sync::OnceLock;

use base64_simd::STANDARD;

use crate::marker;

/// Shortest needle: shorter ones turn up by chance.
const SHORTEST: usize = 6;
/// Bytes that are shown before and after a hit.
const SHOWN: usize = 72;
/// Letters of base64 that are read to find out which marker it is, and of those before it.
const LETTERS: usize = 96;
const LETTERS_BEFORE: usize = 12;
/// Bytes that are looked at to read the rest of a marker.
const REST: usize = 400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    /// As the name of an HTTP header is kept.
    LowerCase,
    Utf16,
    Hex,
    Percent,
    Base64,
    Base64Twice,
}

struct Needle {
    form: Form,
    core: &'static [u8],
    bytes: Vec<u8>,
}

/// One place where something of a marker is.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    /// Where in the piece that was searched.
    pub(crate) at: usize,
    /// In which form.
    pub(crate) form: String,
    /// Which field and which message, as far as they can be read.
    pub(crate) what: String,
    /// What stands around it; what is not printable is a dot.
    pub(crate) around: String,
}

/// The search.
pub(crate) struct Needles {
    needles: Vec<Needle>,
    /// For each pair of bytes, whether a needle begins so.
    begins: Vec<bool>,
}

impl Needles {
    pub(crate) fn new() -> Self {
        let mut needles = Vec::new();
        for core in [marker::CORE, marker::PERSON] {
            add_forms(&mut needles, core.as_bytes());
        }
        let mut begins = vec![false; 1 << 16];
        for needle in &needles {
            begins[pair(&needle.bytes, 0)] = true;
        }
        Self { needles, begins }
    }

    /// Bytes that the end of one piece must overlap with the next, so that nothing is cut in two.
    pub(crate) fn overlap() -> usize {
        REST
    }

    /// Every place in `bytes` at which something begins, before `until`.
    pub(crate) fn find(&self, bytes: &[u8], until: usize) -> Vec<Hit> {
        const BLOCK: usize = 4096;
        static ZEROS: [u8; BLOCK] = [0; BLOCK];
        let mut hits = Vec::new();
        let mut from = 0;
        while from < until.min(bytes.len()) {
            let end = (from + BLOCK).min(bytes.len());
            // Most of a node's memory. No needle begins with a zero.
            if bytes[from..end] == ZEROS[..end - from] {
                from = end;
                continue;
            }
            self.find_in(bytes, from..end.min(until), &mut hits);
            from = end;
        }
        hits
    }

    fn find_in(&self, bytes: &[u8], range: std::ops::Range<usize>, hits: &mut Vec<Hit>) {
        let mut at = range.start;
        let last = range.end.min(bytes.len().saturating_sub(1));
        while at < last {
            if self.begins[pair(bytes, at)] {
                let found = self
                    .needles
                    .iter()
                    .find(|needle| bytes[at..].starts_with(&needle.bytes));
                if let Some(hit) = found.and_then(|needle| read(needle, bytes, at)) {
                    hits.push(hit);
                }
            }
            at += 1;
        }
    }
}

fn pair(bytes: &[u8], at: usize) -> usize {
    usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])
}

fn add_forms(needles: &mut Vec<Needle>, core: &'static [u8]) {
    let mut add = |form, bytes: Vec<u8>| {
        if bytes.len() >= SHORTEST {
            needles.push(Needle { form, core, bytes });
        }
    };
    let each = |each: &dyn Fn(u8) -> String| {
        core.iter()
            .map(|b| each(*b))
            .collect::<String>()
            .into_bytes()
    };
    add(Form::Plain, core.to_vec());
    if core.iter().any(u8::is_ascii_uppercase) {
        add(Form::LowerCase, core.to_ascii_lowercase());
    }
    // In either byte order: the zero at its end belongs to one of them only.
    let mut wide: Vec<u8> = core.iter().flat_map(|b| [*b, 0]).collect();
    wide.pop();
    add(Form::Utf16, wide);
    add(Form::Hex, each(&|b| format!("{b:02x}")));
    add(Form::Hex, each(&|b| format!("{b:02X}")));
    add(Form::Percent, each(&|b| format!("%{b:02x}")));
    add(Form::Percent, each(&|b| format!("%{b:02X}")));
    for once in in_base64(core) {
        for twice in in_base64(&once) {
            add(Form::Base64Twice, twice);
        }
        add(Form::Base64, once);
    }
}

/// The letters of base64 that these bytes alone decide, at each of the three places.
fn in_base64(bytes: &[u8]) -> Vec<Vec<u8>> {
    let at = |before: usize| {
        let padded = [&[0; 2][..before], bytes].concat();
        let letters = STANDARD.encode_to_string(&padded).into_bytes();
        let first = (before * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        letters[first..last].to_vec()
    };
    (0..3).map(at).collect()
}

/// Reads on from a needle. Nothing when it is a number that belongs to no marker.
fn read(needle: &Needle, bytes: &[u8], at: usize) -> Option<Hit> {
    let window = &bytes[at.saturating_sub(REST)..(at + REST).min(bytes.len())];
    let here = at.min(REST);
    let decoded = match needle.form {
        Form::Plain => window[here..].to_vec(),
        // The letters for a field and the number behind it are the same in lower case.
        Form::LowerCase => [needle.core, &window[here + needle.core.len()..]].concat(),
        Form::Utf16 => window[here..].iter().copied().step_by(2).collect(),
        Form::Hex => from_hex(&window[here..], 0),
        Form::Percent => from_hex(&window[here..], 1),
        Form::Base64 => from_base64(window, here)
            .map(|(decoded, at)| decoded[at..].to_vec())
            .unwrap_or_default(),
        Form::Base64Twice => from_base64(window, here)
            .and_then(|(once, at)| from_base64(&once, at))
            .map(|(decoded, at)| decoded[at..].to_vec())
            .unwrap_or_default(),
    };
    let is_whole = matches!(needle.form, Form::Base64 | Form::Base64Twice);
    let what = name(&decoded, is_whole)?;
    let around = &bytes[at.saturating_sub(SHOWN)..(at + SHOWN).min(bytes.len())];
    let around = around.iter().map(|b| match b {
        b' '..=b'~' => char::from(*b),
        _ => '.',
    });
    Some(Hit {
        at,
        form: format!("{:?}", needle.form),
        what,
        around: around.collect(),
    })
}

/// What a decoded marker says of itself. `within`: it may begin later.
fn name(decoded: &[u8], within: bool) -> Option<String> {
    let find = |core: &str| {
        let at = decoded
            .windows(core.len())
            .position(|window| window == core.as_bytes());
        at.filter(|at| within || *at == 0)
    };
    if let Some(at) = find(marker::CORE) {
        let rest = &decoded[at + marker::CORE.len()..];
        let text = String::from_utf8_lossy(
            &rest[..rest.len().min(marker::CODE_LETTERS + marker::NUMBER_DIGITS)],
        )
        .into_owned();
        let code: String = text.chars().take(marker::CODE_LETTERS).collect();
        let number: String = text.chars().skip(marker::CODE_LETTERS).collect();
        let field = marker::field(&code).unwrap_or_else(|| format!("of no field: {code:?}"));
        return Some(format!("{field} of {number}"));
    }
    if let Some(at) = find(marker::PERSON) {
        let digits = decoded[at..]
            .iter()
            .take(marker::PERSON_DIGITS)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let digits = &decoded[at..at + digits];
        if digits.len() < marker::PERSON_DIGITS {
            // What follows may have been overwritten. In a digest letters follow: that is chance.
            let next = decoded.get(at + digits.len());
            let is_digest = next.is_some_and(u8::is_ascii_hexdigit);
            return (!is_digest).then(|| "personidentitet, cut short".to_owned());
        }
        let text = std::str::from_utf8(digits).ok()?;
        let number: usize = text
            .get(marker::PERSON.len()..marker::PERSON_DIGITS - 1)?
            .parse()
            .ok()?;
        let number = number.checked_sub(1000)?;
        return (marker::person(number) == text).then(|| format!("personidentitet of {number:05}"));
    }
    // A beginning in base64 whose surroundings do not decode: kept, unless it is short enough for chance.
    within.then(|| "unreadable".to_owned())
}

fn from_hex(text: &[u8], skip: usize) -> Vec<u8> {
    let digits = text.chunks(2 + skip).map(|chunk| {
        let digits = std::str::from_utf8(chunk.get(skip..)?).ok()?;
        u8::from_str_radix(digits, 16).ok()
    });
    digits.map_while(|digit| digit).collect()
}

/// What the base64 around a place says, and where in it a marker begins, in clear or in base64 again. What the
/// letters before the place belong to is not known, so each of the four places within four is tried.
fn from_base64(text: &[u8], here: usize) -> Option<(Vec<u8>, usize)> {
    let is_letter = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let is_within = |b: &&u8| is_letter(b) || matches!(**b, b'\r' | b'\n');
    let before = text[..here]
        .iter()
        .rev()
        .take(LETTERS_BEFORE)
        .take_while(is_within)
        .count();
    let run = text[here - before..].iter().take_while(is_within).copied();
    let run: Vec<u8> = run.filter(is_letter).take(LETTERS).collect();
    (0..run.len().min(4)).find_map(|skip| {
        let run = &run[skip..];
        let decoded = STANDARD.decode_to_vec(&run[..run.len() / 4 * 4]).ok()?;
        let begins = |at: &usize| {
            let rest = &decoded[*at..];
            let begins =
                |core: &str| rest.starts_with(core.as_bytes()) || begins_in_base64(rest, core);
            [marker::CORE, marker::PERSON].into_iter().any(begins)
        };
        let at = (0..decoded.len().min(LETTERS_BEFORE)).find(begins)?;
        Some((decoded, at))
    })
}

fn begins_in_base64(text: &[u8], core: &str) -> bool {
    static PACKED: OnceLock<HashMap<&str, Vec<Vec<u8>>>> = OnceLock::new();
    let packed = PACKED.get_or_init(|| {
        let cores = [marker::CORE, marker::PERSON];
        let of = |core: &str| {
            in_base64(core.as_bytes())
                .into_iter()
                .filter(|it| it.len() >= SHORTEST)
        };
        cores.map(|core| (core, of(core).collect())).into()
    });
    packed[core].iter().any(|letters| text.starts_with(letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> Vec<String> {
        let hits = Needles::new().find(bytes, bytes.len());
        hits.into_iter()
            .map(|hit| format!("{}: {}", hit.form, hit.what))
            .collect()
    }

    #[test]
    fn a_marker_is_found_in_every_form_and_at_every_place() {
        let text = marker::text("a field", 417);
        let plain = ["Plain: a field of 00417"];
        for before in 0..9 {
            let around = |inner: &[u8]| [&vec![b'x'; before][..], inner, b"</x>"].concat();
            assert_eq!(found(&around(text.as_bytes())), plain);
            let latin1: Vec<u8> = text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect();
            assert_eq!(found(&around(&latin1)), plain);
            for number in [text.clone(), marker::person(417)] {
                let once = STANDARD.encode_to_string(around(number.as_bytes()));
                let said = found(once.as_bytes());
                assert!(
                    matches!(&said[..], [it] if it.starts_with("Base64: ") && it.ends_with("of 00417")),
                    "{said:?}"
                );
                let twice = STANDARD.encode_to_string(around(once.as_bytes()));
                let said = found(twice.as_bytes());
                assert!(
                    said.iter().any(|one| one.ends_with("of 00417")),
                    "{said:?} {before}"
                );
            }
        }
        let utf16 =
            |to: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(to).collect() };
        assert_eq!(found(&utf16(u16::to_le_bytes)), ["Utf16: a field of 00417"]);
        assert_eq!(found(&utf16(u16::to_be_bytes)), ["Utf16: a field of 00417"]);
        let each = |form: fn(u8) -> String| text.bytes().map(form).collect::<Vec<_>>().concat();
        let percent = each(|b| format!("%{b:02X}"));
        assert_eq!(found(percent.as_bytes()), ["Percent: a field of 00417"]);
        let hex = each(|b| format!("{b:02x}"));
        assert_eq!(found(hex.as_bytes()), ["Hex: a field of 00417"]);
        assert_eq!(
            found(text.to_lowercase().as_bytes()),
            ["LowerCase: a field of 00417"]
        );
        let half = &text.as_bytes()[..marker::CORE.len() + 4];
        assert_eq!(found(half).len(), 1, "cut short, too");
    }

    #[test]
    fn a_person_is_found_and_another_number_is_not() {
        assert_eq!(
            found(marker::person(999).as_bytes()),
            ["Plain: personidentitet of 00999"]
        );
        assert_eq!(
            found(marker::person(1000).as_bytes()),
            ["Plain: personidentitet of 01000"]
        );
        assert!(found(b"188808110001").is_empty() || found(b"188808110002").is_empty());
        assert!(found(&vec![0; 100_000]).is_empty());
    }
}
