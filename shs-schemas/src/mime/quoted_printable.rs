//! Quoted-printable, which other nodes may send and ours never does (shs-1.2, 2.8).
//!
//! Hand-written because ready-made decoders make all line ends of a part alike; a part is bytes,
//! and bytes arrive as they were sent.

/// Undoes quoted-printable. `None` when an equals sign is followed by neither two hexadecimal
/// digits nor a line end.
pub(super) fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(encoded.len());
    for line in encoded.split_inclusive(|&b| b == b'\n') {
        let (content, end) = without_end(line);
        // Blanks at the end of a line were added on the way (RFC 2045, 6.7 rule 3).
        let mut rest = trim_blanks(content);
        let soft = rest.strip_suffix(b"=");
        rest = soft.unwrap_or(rest);
        while let Some(at) = memchr::memchr(b'=', rest) {
            let &[high, low] = rest.get(at + 1..at + 3)? else {
                return None;
            };
            plain.extend_from_slice(&rest[..at]);
            plain.push(hexadecimal(high, low)?);
            rest = &rest[at + 3..];
        }
        plain.extend_from_slice(rest);
        if soft.is_none() {
            plain.extend_from_slice(end);
        }
    }
    Some(plain)
}

/// The byte of two hexadecimal digits, in any letter case.
pub(super) fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// A line and its end, which is CRLF, LF or nothing.
fn without_end(line: &[u8]) -> (&[u8], &[u8]) {
    let length = match line {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    };
    line.split_at(line.len() - length)
}

fn trim_blanks(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_undone() {
        let cases: [(&[u8], &[u8]); 10] = [
            (b"", b""),
            (b"fr=E5ga", b"fr\xE5ga"),
            (b"fr=e5ga", b"fr\xE5ga"),
            (b"a=3D=3D", b"a=="),
            (b"one=\r\nline", b"oneline"),
            (b"one= \t\nline=", b"oneline"),
            (b"end \t\r\nnext \n", b"end\r\nnext\n"),
            (b"kept=20\r\n", b"kept \r\n"),
            // Each line end as it came, a bare carriage return too.
            (b"a\r\nb\nc\rd\r", b"a\r\nb\nc\rd\r"),
            (b"\x00=00=FF\xFF", b"\x00\x00\xFF\xFF"),
        ];
        for (encoded, plain) in cases {
            assert_eq!(decode(encoded).as_deref(), Some(plain));
        }
    }

    #[test]
    fn an_equals_sign_that_means_nothing_is_refused() {
        for bad in ["a=b", "=4", "=G0", "=0G", "==", "a=\rb", "= b"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
