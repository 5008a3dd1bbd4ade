//! shs-1.2, 2.9: file names, read and written.

use shs_schemas::mime::FileNames;
use shs_schemas::shs::WriteOptions;

use super::sample::{DATA, Sample, read, usual};

/// The name read from these headers of the data part.
fn name_of(headers: impl AsRef<[u8]>) -> Option<String> {
    let part = Sample::with_part(headers, DATA).message().parts.remove(0);
    part.filename.map(shs_schemas::Sensitive::into_exposed)
}

fn disposition(value: impl AsRef<[u8]>) -> Option<String> {
    name_of([b"Content-Disposition: ", value.as_ref(), b"\r\n"].concat())
}

/// The message with a part of this name, written for such a peer.
fn written(name: &str, file_names: FileNames) -> Vec<u8> {
    let mut message = usual();
    message.parts[0].filename = Some(name.to_owned().into());
    let written = message.write_for(&WriteOptions { file_names });
    written.body.expose().to_vec()
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(bytes, text).is_some()
}

#[test]
fn a_name_is_optional_in_all_three_places() {
    let message = usual();
    assert_eq!(message.parts[0].filename, None);
    let bytes = message.write();
    assert!(!holds(&bytes, b"; name=") && !holds(&bytes, b"filename"));
    assert!(holds(&bytes, b"Content-Disposition: attachment\r\n\r\n"));
}

#[test]
fn on_conflict_the_label_is_preferred() {
    let mut sample = Sample::with_label("<data ", "<data filename=\"fr&#229;ga.xml\" ");
    sample.part_headers = b"Content-Disposition: attachment; filename=annan.xml\r\n".to_vec();
    let message = sample.message();
    assert_eq!(
        message.parts[0].filename.as_ref().expect("a name").expose(),
        "fråga.xml"
    );
    let bytes = message.write();
    assert!(holds(&bytes, b"; filename=\"fr\xE5ga.xml\"") && !holds(&bytes, b"annan"));
}

#[test]
fn an_unusable_name_in_the_label_gives_way_to_that_of_mime() {
    for unusable in ["", " ", "..", "a/", "&#x202E;"] {
        let mut sample = Sample::with_label("<data ", &format!("<data filename=\"{unusable}\" "));
        sample.part_headers = b"Content-Disposition: attachment; filename=b.xml\r\n".to_vec();
        let part = sample.message().parts.remove(0);
        assert_eq!(
            part.filename.expect("a name").expose(),
            "b.xml",
            "{unusable:?}"
        );
    }
}

#[test]
fn the_name_of_the_content_type_is_the_fallback() {
    for headers in [
        "Content-Type: text/xml; name=\"a.xml\"\r\n",
        "Content-Type: text/xml; NAME=a.xml\r\nContent-Disposition: attachment;\r\n",
        "Content-Type: text/xml; name*=utf-8''a.xml\r\nContent-Disposition: attachment; filename=\"\"\r\n",
    ] {
        assert_eq!(name_of(headers).as_deref(), Some("a.xml"), "{headers}");
    }
}

#[test]
fn an_unquoted_value_goes_to_the_next_semicolon() {
    let cases: [(&[u8], &str); 4] = [
        (b"attachment; filename=fr\xE5ga 17 a.xml", "fråga 17 a.xml"),
        (
            b"attachment; filename=fr\xE5ga 17 a.xml ; size=3",
            "fråga 17 a.xml",
        ),
        (b"attachment;filename=a'b(c).xml;x", "a'b(c).xml"),
        (b"attachment; filename = a=b.xml", "a=b.xml"),
    ];
    for (value, name) in cases {
        assert_eq!(disposition(value).as_deref(), Some(name));
    }
}

#[test]
fn eight_bit_names_are_utf_8_if_valid_else_iso_8859_1() {
    for value in [
        &b"attachment; filename=\"fr\xE5ga.xml\""[..],
        b"attachment; filename=\"fr\xC3\xA5ga.xml\"",
        b"attachment; filename=fr\xE5ga.xml",
        b"attachment; filename=fr\xC3\xA5ga.xml",
    ] {
        assert_eq!(disposition(value).as_deref(), Some("fråga.xml"));
        let value = [b"x; name=", &value[b"attachment; filename=".len()..]].concat();
        let header = [b"Content-Type: ", &value[..], b"\r\n"].concat();
        assert_eq!(name_of(header).as_deref(), Some("fråga.xml"));
    }
}

#[test]
fn rfc_2231_is_preferred_to_the_plain_name_and_read_with_any_charset() {
    for value in [
        "attachment; filename=\"fr_ga.xml\"; filename*=UTF-8''fr%C3%A5ga.xml",
        "attachment; filename*=UTF-8''fr%c3%a5ga.xml; filename=\"fr_ga.xml\"",
        "attachment; filename*=iso-8859-1'sv'fr%E5ga.xml",
        "attachment; filename*=windows-1252''fr%E5ga.xml",
        "attachment; filename*0*=utf-8''fr%C3; filename*1*=%A5ga; filename*2=.xml",
        "attachment; filename*1*=%A5ga.xml; filename*0*=utf-8''fr%C3",
    ] {
        assert_eq!(disposition(value).as_deref(), Some("fråga.xml"), "{value}");
    }
}

#[test]
fn an_rfc_2231_value_that_is_none_gives_way_to_the_plain_name() {
    for value in [
        "filename*=abc",
        "filename*=utf-8'x",
        "filename*=",
        "filename*=utf-8''%2e%2e",
    ] {
        let value = format!("attachment; {value}; filename=b.xml");
        assert_eq!(disposition(&value).as_deref(), Some("b.xml"), "{value}");
    }
}

#[test]
fn rfc_2047_words_are_decoded() {
    for value in [
        "attachment; filename=\"=?ISO-8859-1?Q?fr=E5ga?=.xml\"",
        "attachment; filename=\"=?utf-8?B?ZnLDpWdhLnhtbA==?=\"",
        "attachment; filename==?utf-8?q?fr=C3=A5ga?= =?us-ascii?q?.xml?=",
    ] {
        assert_eq!(disposition(value).as_deref(), Some("fråga.xml"), "{value}");
    }
    let kept = disposition("attachment; filename=\"=?a?=.xml\"");
    assert_eq!(kept.as_deref(), Some("=?a?=.xml"));
}

#[test]
fn escapes_and_windows_paths_are_told_apart() {
    let cases = [
        (r#"attachment; filename="a\"b;c.xml"; x=y"#, "a\"b;c.xml"),
        (r#"attachment; filename="C:\temp\a.xml""#, "a.xml"),
        (r#"attachment; filename="C:\\temp\\a.xml""#, "a.xml"),
        (r#"attachment; filename="a;b.xml""#, "a;b.xml"),
        (r#"attachment; filename="a.xml"#, "a.xml"),
    ];
    for (value, name) in cases {
        assert_eq!(disposition(value).as_deref(), Some(name), "{value}");
    }
}

#[test]
fn a_received_name_is_never_a_path_nor_a_disguise() {
    for (value, name) in [
        ("../../etc/passwd", Some("passwd")),
        ("..\\\\..\\\\a.xml", Some("a.xml")),
        ("/a.xml", Some("a.xml")),
        ("a/", None),
        ("..", None),
        (".", None),
        ("faktura\u{202E}lmx.exe", Some("fakturalmx.exe")),
        ("\u{2067}a\u{2069}\u{200F}.xml", Some("a.xml")),
        ("a\u{1}\u{7F}b.xml", Some("ab.xml")),
    ] {
        let read = disposition(format!("attachment; filename=\"{value}\""));
        assert_eq!(read.as_deref(), name, "{value:?}");
    }
}

#[test]
fn a_name_that_fits_iso_8859_1_is_written_raw_in_quotes() {
    let bytes = written("Fråga 1 \"ny\".xml", FileNames::Latin1);
    assert!(holds(
        &bytes,
        b"charset=us-ascii; name=\"Fr\xE5ga 1 \\\"ny\\\".xml\"\r\n"
    ));
    assert!(holds(
        &bytes,
        b"attachment; filename=\"Fr\xE5ga 1 \\\"ny\\\".xml\"\r\n"
    ));
    assert!(holds(
        &bytes,
        b"filename=\"Fr&#229;ga 1 &quot;ny&quot;.xml\" no-of-bytes="
    ));
}

#[test]
fn another_name_is_written_as_ascii_and_by_rfc_2231() {
    let bytes = written("pris 5 €.xml", FileNames::Latin1);
    let value = b"filename=\"pris 5 _.xml\"; filename*=UTF-8''pris%205%20%E2%82%AC.xml\r\n";
    assert!(holds(&bytes, value));
    assert!(holds(
        &bytes,
        b"; name=\"pris 5 _.xml\"; name*=UTF-8''pris%205%20%E2%82%AC.xml\r\n"
    ));
}

#[test]
fn for_a_peer_with_rfc_2231_headers_are_ascii() {
    let bytes = written("fråga.xml", FileNames::Rfc2231);
    assert!(bytes.is_ascii());
    let value = b"attachment; filename=\"fr_ga.xml\"; filename*=UTF-8''fr%C3%A5ga.xml\r\n";
    assert!(holds(&bytes, value));
    let plain = written("fraga.xml", FileNames::Rfc2231);
    assert!(holds(&plain, b"filename=\"fraga.xml\"\r\n") && !holds(&plain, b"filename*="));
}

#[test]
fn every_name_is_read_back_from_the_headers_alone() {
    for name in [
        "a.xml",
        "fråga.xml",
        "pris €.xml",
        "Ã¥.xml",
        "=?utf-8?q?a?=.xml",
        "a;b\"c.xml",
        "日本.xml",
    ] {
        for file_names in [FileNames::Latin1, FileNames::Rfc2231] {
            let bytes = written(name, file_names);
            let label_end = memchr::memmem::find(&bytes, b"</shs.label>").expect("a label");
            let start = memchr::memmem::find(&bytes, b"filename=").expect("a name");
            let end = start + memchr::memmem::find(&bytes[start..], b" no-of").expect("a size");
            assert!(end < label_end);
            let without = [&bytes[..start], &bytes[end..]].concat();
            let read = read(without).expect("readable").parts.remove(0).filename;
            assert_eq!(read.expect("a name").expose(), name, "{file_names:?}");
        }
    }
}

#[test]
fn what_is_written_is_harmless_whoever_named_it() {
    let bytes = written("../a\r\nX-Evil: 1\r\n\r\nb\u{202E}.xml", FileNames::Latin1);
    assert!(holds(&bytes, b"filename=\"aX-Evil: 1b.xml\"\r\n"));
    assert!(!holds(&bytes, b"\nX-Evil"));
}
