//! shs-1.2, 2.7: the six rows of the table, and the three steps for reading.

use super::sample::{LABEL, Sample, usual};

const NAME: &str = "Å-ä-ö-kontoret";

fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(c).expect("fits ISO-8859-1"))
        .collect()
}

/// A label with å, ä, ö in it, whose declaration says `declared`.
fn label(declared: &str) -> String {
    LABEL
        .replace("ISO-8859-1", declared)
        .replace("Underlag", NAME)
}

/// The subject of a message whose label part has this MIME charset and these bytes.
fn subject(mime: Option<&str>, label: Vec<u8>) -> String {
    let charset = mime.map(|name| format!("; charset={name}"));
    let sample = Sample {
        label_headers: format!("Content-Type: text/xml{}\r\n", charset.unwrap_or_default()),
        label,
        ..Sample::usual()
    };
    let subject = sample.message().label.subject.expect("a subject");
    subject.into_exposed()
}

#[test]
fn row_1_latin_1_said_and_sent_is_right() {
    for declared in ["ISO-8859-1", "UTF-8"] {
        let bytes = latin1(&label(declared));
        assert_eq!(subject(Some("ISO-8859-1"), bytes), NAME, "{declared}");
    }
}

#[test]
fn row_2_latin_1_sent_with_nothing_said_is_right() {
    for declared in ["ISO-8859-1", "UTF-8"] {
        assert_eq!(subject(None, latin1(&label(declared))), NAME, "{declared}");
    }
}

#[test]
fn row_3_utf_8_said_and_sent_is_right() {
    for said in ["UTF-8", "utf-8", "\"UTF-8\"", "utf8"] {
        for declared in ["ISO-8859-1", "UTF-8"] {
            let bytes = label(declared).into_bytes();
            assert_eq!(subject(Some(said), bytes), NAME, "{said} {declared}");
        }
    }
}

#[test]
fn row_4_latin_1_sent_as_utf_8_is_right_because_it_is_no_valid_utf_8() {
    for declared in ["ISO-8859-1", "UTF-8"] {
        let bytes = latin1(&label(declared));
        assert_eq!(subject(Some("UTF-8"), bytes), NAME, "{declared}");
    }
}

#[test]
fn row_5_utf_8_sent_as_latin_1_is_right_when_either_declaration_says_utf_8() {
    for said in [Some("ISO-8859-1"), Some("us-ascii"), None] {
        assert_eq!(subject(said, label("UTF-8").into_bytes()), NAME, "{said:?}");
    }
    // When both say ISO-8859-1 the bytes are taken as that, by step 3.
    let garbled = subject(Some("ISO-8859-1"), label("ISO-8859-1").into_bytes());
    assert_eq!(latin1(&garbled), NAME.as_bytes());
}

#[test]
fn row_6_ascii_with_references_is_right_whatever_is_said() {
    let references: String = NAME
        .chars()
        .map(|c| match c {
            ' '..='~' => c.to_string(),
            _ => format!("&#{};", u32::from(c)),
        })
        .collect();
    for said in [
        None,
        Some("ISO-8859-1"),
        Some("UTF-8"),
        Some("utf-16"),
        Some("x-unknown"),
    ] {
        for declared in ["ISO-8859-1", "UTF-8", "US-ASCII", "windows-1252"] {
            let text = label(declared).replace(NAME, &references);
            assert_eq!(
                subject(said, text.into_bytes()),
                NAME,
                "{said:?} {declared}"
            );
        }
    }
}

#[test]
fn a_byte_order_mark_is_believed_before_both_declarations() {
    let bytes = [b"\xEF\xBB\xBF", label("ISO-8859-1").as_bytes()].concat();
    assert_eq!(subject(Some("ISO-8859-1"), bytes), NAME);
}

#[test]
fn what_we_write_is_ascii_and_says_iso_8859_1_twice() {
    let mut message = usual();
    message.label.subject = Some(format!("{NAME} 5 €").into());
    let written = message.write();
    let text = std::str::from_utf8(&written).expect("ASCII");
    assert!(text.is_ascii());
    assert!(text.contains("Content-Type: text/xml; charset=ISO-8859-1\r\n"));
    assert!(text.contains("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<!DOCTYPE shs.label "));
    assert!(text.contains("<subject>&#197;-&#228;-&#246;-kontoret 5 &#8364;</subject>"));
}
