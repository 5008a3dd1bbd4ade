//! shs-1.2, 2.8: every transfer encoding, sent and received.

use base64_simd::STANDARD;
use shs_schemas::mime::TransferEncoding;

use super::sample::{DATA, Sample, read, refused, usual};

/// The content of the data part under this header value.
fn received(encoding: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
    let headers = format!("Content-Transfer-Encoding:{encoding}\r\n");
    let part = Sample::with_part(headers, content)
        .message()
        .parts
        .remove(0);
    part.data.expose().to_vec()
}

#[test]
fn binary_7bit_and_8bit_are_the_bytes_as_they_are() {
    let all: Vec<u8> = (0..=255).collect();
    for encoding in [
        " binary",
        " 8bit",
        " 7bit",
        "BINARY",
        " 8BIT ",
        " 7Bit;x=y",
        "",
    ] {
        assert_eq!(received(encoding, &all), all, "{encoding:?}");
    }
}

#[test]
fn without_the_header_a_part_is_binary() {
    let part = Sample::with_part("", DATA).message().parts.remove(0);
    assert_eq!(part.data.expose(), DATA);
    assert_eq!(part.encoding, TransferEncoding::Binary);
}

#[test]
fn base64_is_known_in_any_letter_case() {
    for name in [" base64", " BASE64", " Base64", "\tbAsE64 "] {
        assert_eq!(received(name, "AP8NCg=="), b"\0\xFF\r\n", "{name:?}");
    }
}

#[test]
fn base64_is_read_with_any_line_length_and_line_end() {
    let data: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let encoded = STANDARD.encode_to_string(&data);
    for length in [1, 3, 60, 64, 76, 77, 998, 10_000] {
        for end in ["\r\n", "\n", "\r\n\r\n", " \r\n", "\t\n", ""] {
            let lines: Vec<&str> = encoded
                .as_bytes()
                .chunks(length)
                .map(|line| std::str::from_utf8(line).expect("ASCII"))
                .collect();
            let text = lines.join(end);
            assert_eq!(received(" base64", &text), data, "{length} {end:?}");
            assert_eq!(received(" base64", format!("\r\n{text}{end}")), data);
        }
    }
}

#[test]
fn base64_may_lack_its_padding_and_may_be_empty() {
    for (text, data) in [("AP8", "\0\u{FF}"), ("AA", "\0"), ("", ""), ("\r\n", "")] {
        let data: Vec<u8> = data.chars().map(|c| c as u8).collect();
        assert_eq!(received(" base64", text), data, "{text:?}");
    }
}

#[test]
fn what_is_no_base64_is_refused() {
    for text in [
        "A", "A===", "AP8!", "AP=8", "AP8=AP8=", "AP8=;", "\u{FF}", "AP_-",
    ] {
        let sample = Sample::with_part("Content-Transfer-Encoding: base64\r\n", text);
        assert_eq!(refused(sample.read()), "part", "{text:?}");
    }
}

#[test]
fn quoted_printable_is_decoded_line_ends_kept() {
    let text = "fr=E5ga=20\r\nen rad =\r\nsom =\nslutar\nh=c3=a4r";
    let data = b"fr\xE5ga \r\nen rad som slutar\nh\xC3\xA4r";
    for name in [" quoted-printable", " Quoted-Printable"] {
        assert_eq!(received(name, text), data);
    }
}

#[test]
fn broken_quoted_printable_is_refused() {
    for text in ["a=b", "=4", "= x", "=\rb"] {
        let sample = Sample::with_part("Content-Transfer-Encoding: quoted-printable\r\n", text);
        assert_eq!(refused(sample.read()), "part", "{text:?}");
    }
}

#[test]
fn uuencode_is_refused_by_name() {
    for name in ["uuencode", "x-uuencode", "X-UUENCODE", "uue", "x-uue"] {
        let headers = format!("Content-Transfer-Encoding: {name}\r\n");
        let error = Sample::with_part(headers, "begin 644 a\n#0V%T\n`\nend\n").read();
        assert!(
            error
                .as_ref()
                .unwrap_err()
                .to_string()
                .contains("uuencode is not supported"),
            "{name}"
        );
        assert_eq!(refused(error), "Content-Transfer-Encoding");
    }
}

#[test]
fn an_unknown_encoding_is_refused() {
    for name in ["gzip", "base-64", "base64 binary", "8 bit", "x-own"] {
        let headers = format!("Content-Transfer-Encoding: {name}\r\n");
        let read = Sample::with_part(headers, "").read();
        assert_eq!(refused(read), "Content-Transfer-Encoding", "{name}");
    }
}

#[test]
fn the_encoding_of_the_whole_message_is_nobodys_business() {
    for name in ["base64", "7bit", "x-own", ""] {
        let mut sample = Sample::usual();
        sample.outer = sample.outer.replace(": binary", &format!(": {name}"));
        assert_eq!(sample.message().parts[0].data.expose(), DATA, "{name}");
    }
}

#[test]
fn what_is_sent_is_binary_or_base64_in_lines_of_76() {
    let mut message = usual();
    for (encoding, name) in [
        (TransferEncoding::Binary, "binary"),
        (TransferEncoding::Base64, "base64"),
        (TransferEncoding::QuotedPrintable, "base64"),
    ] {
        message.parts[0].encoding = encoding;
        message.parts[0].data = bytes::Bytes::from(vec![0xA5; 1000]).into();
        let written = message.write();
        let header = format!("Content-Transfer-Encoding: {name}\r\nContent-Disposition: ");
        assert!(memchr::memmem::find(&written, header.as_bytes()).is_some());
        let again = read(&written).expect("readable");
        assert_eq!(again.parts[0].data, message.parts[0].data);
        if name == "base64" {
            let text = std::str::from_utf8(&written).expect("ASCII");
            let lines = text.split("\r\n").filter(|line| line.starts_with("paWl"));
            assert_eq!(lines.map(str::len).max(), Some(76));
        }
    }
}
