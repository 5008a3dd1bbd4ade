//! shs-1.2, 2.2 to 2.6: the layers, the headers, parts and label together, line ends.

use shs_schemas::mime::ContentType;

use super::sample::{DATA, Sample, read, read_with_http, refused, usual, with_line_feeds};

#[test]
fn the_outer_headers_are_written_as_2_2_asks() {
    let written = usual().write();
    let head = &written[..memchr::memmem::find(&written, b"\r\n\r\n").expect("an end")];
    let lines: Vec<&str> = std::str::from_utf8(head)
        .expect("ASCII")
        .split("\r\n")
        .collect();
    assert_eq!(lines[..2], ["Subject: SHS Message", "MIME-Version: 1.0"]);
    assert_eq!(lines[2], "Content-Type: multipart/mixed;");
    assert!(lines[3].starts_with("\tboundary=\"=_") && lines[3].ends_with('"'));
    assert_eq!(lines[4..], ["Content-Transfer-Encoding: binary"]);
}

#[test]
fn the_label_part_is_written_as_2_3_asks() {
    let written = usual().write();
    let text = std::str::from_utf8(&written).expect("ASCII");
    let part = text.split("\r\n--=_").nth(1).expect("the label part");
    let (headers, content) = part.split_once("\r\n\r\n").expect("headers");
    let headers: Vec<&str> = headers.split("\r\n").skip(1).collect();
    assert_eq!(
        headers,
        [
            "Content-Type: text/xml; charset=ISO-8859-1",
            "Content-Transfer-Encoding: binary"
        ]
    );
    assert!(content.ends_with("</shs.label>"));
}

#[test]
fn headers_that_mean_nothing_to_us_are_passed_over() {
    let mut sample = Sample::usual();
    sample.outer = format!(
        "Received: from a by b;\r\n\tTue, 4 Mar 2031 10:00:00 +0100\r\nDate: x\r\nMessage-ID: <a@b>\r\n{}X-Own:\r\n",
        sample.outer.replace("SHS Message", "=?utf-8?Q?annat?=")
    );
    assert_eq!(sample.message(), usual());
}

#[test]
fn a_folded_content_type_is_unfolded_at_any_blank() {
    for header in [
        "Content-Type:\r\n multipart/mixed\r\n ;\r\n\tboundary\r\n =\r\n \"=_prov\"\r\n",
        "Content-Type: multipart/mixed;\r\n        boundary=\"=_prov\";\r\n\ttype=\"text/xml\"\r\n",
        "Content-Type: multipart/mixed;\n\tboundary==_prov\r\n",
    ] {
        let outer = header.to_owned();
        let sample = Sample {
            outer,
            ..Sample::usual()
        };
        assert_eq!(sample.message(), usual(), "{header:?}");
    }
}

#[test]
fn a_boundary_that_only_http_names_will_do() {
    let http = Some("multipart/mixed; boundary=\"=_prov\"");
    for outer in [
        "",
        "Subject: SHS Message\r\n",
        "Subject: SHS Message\r\nContent-Type: multipart/mixed\r\n",
        "Content-Type: multipart/mixed; boundary=\r\n",
        "Content-Type: multipart/mixed; boundary=\"\"; charset=x\r\n",
    ] {
        let sample = Sample {
            outer: outer.to_owned(),
            ..Sample::usual()
        };
        assert_eq!(
            read_with_http(sample.body(), http),
            Ok(usual()),
            "{outer:?}"
        );
        let element = refused(read(sample.body()));
        assert!(["boundary", "Content-Type"].contains(&element), "{outer:?}");
    }
}

#[test]
fn the_boundary_of_the_body_counts_more_than_that_of_http() {
    let http = Some("multipart/mixed; boundary=another");
    assert_eq!(read_with_http(Sample::usual().body(), http), Ok(usual()));
}

#[test]
fn http_without_boundary_helps_nobody_and_harms_nobody() {
    for http in [
        "multipart/mixed",
        "message/rfc822",
        "",
        ";;=",
        "multipart/mixed; boundary=",
    ] {
        let sample = Sample::usual();
        assert_eq!(
            read_with_http(sample.body(), Some(http)),
            Ok(usual()),
            "{http:?}"
        );
        let read = read_with_http(sample.parts(), Some(http));
        assert_eq!(refused(read), "boundary", "{http:?}");
    }
}

#[test]
fn a_blank_line_before_the_first_header_is_refused() {
    let body = [b"\r\n", &*Sample::usual().body()].concat();
    assert_eq!(refused(read(body)), "Content-Type");
}

#[test]
fn a_label_is_xml_of_either_name_with_any_charset() {
    for header in [
        "text/xml",
        "TEXT/XML",
        "text/xml; charset=x-unknown",
        "text/xml;charset=\"\"; name=label.xml",
        "application/xml; charset=utf-8",
    ] {
        let label_headers = format!("Content-Type: {header}\r\n");
        let sample = Sample {
            label_headers,
            ..Sample::usual()
        };
        assert_eq!(sample.message(), usual(), "{header}");
    }
    for header in [
        "text/plain",
        "text/html",
        "application/octet-stream",
        "xml",
        "",
    ] {
        let label_headers = format!("Content-Type: {header}\r\n");
        let sample = Sample {
            label_headers,
            ..Sample::usual()
        };
        assert_eq!(refused(sample.read()), "shs.label", "{header}");
    }
}

#[test]
fn the_disposition_of_the_label_is_ignored() {
    let label_headers = "Content-Type: text/xml\r\n\
        Content-Disposition: attachment; filename=\"../../label.xml\"\r\n";
    let sample = Sample {
        label_headers: label_headers.to_owned(),
        ..Sample::usual()
    };
    assert_eq!(sample.message(), usual());
}

#[test]
fn any_type_of_data_part_is_taken() {
    for (header, essence) in [
        ("Content-Type: */*\r\n", "*/*"),
        (
            "Content-Type: application/octet-stream\r\n",
            "application/octet-stream",
        ),
        (
            "Content-Type: Application/PKCS7-MIME; smime-type=x\r\n",
            "application/pkcs7-mime",
        ),
        ("Content-Type: \r\n", "application/octet-stream"),
        ("", "text/plain"),
    ] {
        let part = Sample::with_part(header, DATA).message().parts.remove(0);
        assert_eq!(part.content_type.essence(), essence, "{header:?}");
        assert_eq!(part.data.expose(), DATA);
    }
}

#[test]
fn a_disposition_may_be_absent_or_say_nothing() {
    for header in [
        "",
        "Content-Disposition: attachment;\r\n",
        "Content-Disposition:\r\n",
        "Content-Disposition: attachment; filename\r\n",
        "Content-Disposition: inline; ;;=\r\n",
    ] {
        let part = Sample::with_part(header, DATA).message().parts.remove(0);
        assert_eq!(part.filename, None, "{header:?}");
    }
}

#[test]
fn the_n_th_data_element_describes_part_n() {
    let mut sample = Sample::with_label(
        "<data datapartType=\"underlag\"/>",
        "<data datapartType='a' no-of-records='2'/>\n<comment>x</comment><data datapartType='b' filename='b.xml'/>",
    );
    sample.data =
        b"ett\r\n--=_prov\r\nContent-Type: text/xml; name=annan.xml\r\n\r\ntv\xE5".to_vec();
    let parts = sample.message().parts;
    assert_eq!(parts.len(), 2);
    assert_eq!(
        (&*parts[0].datapart_type, parts[0].no_of_records),
        ("a", Some(2))
    );
    assert_eq!(parts[0].data.expose(), "ett");
    assert_eq!(parts[1].datapart_type, "b");
    assert_eq!(
        parts[1].filename.as_ref().expect("a name").expose(),
        "b.xml"
    );
    assert_eq!(parts[1].data.expose().as_ref(), b"tv\xE5");
}

#[test]
fn surplus_parts_are_kept_and_sent_on_without_a_role() {
    let mut sample = Sample::usual();
    sample.data = b"ett\r\n--=_prov\r\n\r\ntv\xE5\r\n--=_prov\r\n\r\n".to_vec();
    let message = sample.message();
    let again = read(message.write()).expect("readable");
    for parts in [message.parts, again.parts] {
        let data: Vec<&[u8]> = parts
            .iter()
            .map(|part| part.data.expose().as_ref())
            .collect();
        assert_eq!(data, [&b"ett"[..], b"tv\xE5", b""]);
        assert_eq!(parts[1].datapart_type, "");
    }
}

#[test]
fn a_label_without_data_elements_is_read_with_its_parts() {
    let sample = Sample::with_label("<data datapartType=\"underlag\"/>", "");
    let message = sample.message();
    assert_eq!(message.parts.len(), 1);
    assert_eq!(
        read(message.write())
            .expect("readable")
            .label
            .content
            .data
            .len(),
        1
    );
}

#[test]
fn a_label_alone_and_more_data_elements_than_parts_are_refused() {
    let more = Sample::with_label("<data ", "<data datapartType='a'/><data ");
    assert_eq!(refused(more.read()), "data part");
    let body = Sample::usual().body();
    let text = String::from_utf8(body).expect("ASCII");
    let start = text
        .find("\r\n--=_prov\r\nContent-Type: text/csv")
        .expect("the part");
    let alone = format!("{}\r\n--=_prov--", &text[..start]);
    assert_eq!(refused(read(alone)), "data part");
}

#[test]
fn with_crlf_framing_exactly_one_crlf_is_no_content() {
    for data in ["", "\r\n", "\r\n\r\n", "a\n", "a\r", "\n", "a\r\n\n"] {
        let part = Sample::with_part("", data).message().parts.remove(0);
        assert_eq!(part.data.expose(), data, "{data:?}");
    }
}

#[test]
fn with_line_feed_framing_exactly_one_line_feed_is_no_content() {
    for data in ["", "\n", "\n\n", "a\r", "a\r\n", "\r"] {
        let marked = Sample::with_part("", "@@").body();
        let body = String::from_utf8(with_line_feeds(&marked)).expect("ASCII");
        let part = read(body.replace("@@", data))
            .expect("readable")
            .parts
            .remove(0);
        assert_eq!(part.data.expose(), data, "{data:?}");
    }
}

#[test]
fn boundary_like_lines_in_binary_data_are_data() {
    let data = b"--=_prov\n\n--=_prov--\n--=_prov \r\r\n--=_provx\r\n--=_pro\r\n-- =_prov\r\n";
    // At the very start of the content it would be a delimiter.
    let data = [b"a\n", &data[..]].concat();
    let part = Sample::with_part("", &data).message().parts.remove(0);
    assert_eq!(part.data.expose(), &data);
}

#[test]
fn a_part_that_is_a_multipart_itself_passes_untouched() {
    let inner = b"--=_prov-inner\r\nContent-Type: text/plain\r\n\r\nx\r\n--=_prov-inner--\r\n";
    let headers = "Content-Type: multipart/signed; boundary=\"=_prov-inner\"; micalg=sha1\r\n";
    let mut message = Sample::with_part(headers, inner).message();
    for _ in 0..2 {
        assert_eq!(message.parts[0].data.expose().as_ref(), inner);
        let written = message.write();
        let header = b"multipart/signed; boundary=\"=_prov-inner\"; micalg=sha1\r\n";
        assert!(memchr::memmem::find(&written, header).is_some());
        message = read(written).expect("readable");
    }
}

#[test]
fn the_content_type_of_a_part_without_one_is_text() {
    assert_eq!(
        Sample::with_part("", "").message().parts[0].content_type,
        ContentType::TEXT
    );
}
