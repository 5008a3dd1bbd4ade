//! shs-1.2, 2.13: one test for each row of the tolerance table.

use shs_schemas::shs::label::{SequenceType, Status, TransferType};
use shs_schemas::shs::time;

use super::sample::{DATA, LABEL, Sample, read, read_with_http, refused, usual, with_line_feeds};

#[test]
fn line_feeds_instead_of_crlf_are_accepted() {
    let mut sample = Sample::usual();
    sample.data = b"a;b\n".to_vec();
    let message = read(with_line_feeds(&sample.body())).expect("readable");
    assert_eq!(message, sample.message());
}

#[test]
fn no_mime_version_is_accepted() {
    let mut sample = Sample::usual();
    sample.outer = sample.outer.replace("MIME-Version: 1.0\r\n", "");
    assert_eq!(sample.message(), usual());
}

#[test]
fn multipart_related_and_other_subtypes_are_accepted() {
    for subtype in ["related", "form-data", "x-own", "MIXED"] {
        let mut sample = Sample::usual();
        sample.outer = sample.outer.replace("mixed", subtype);
        assert_eq!(sample.message(), usual(), "{subtype}");
    }
}

#[test]
fn a_boundary_with_spaces_quoted_is_accepted() {
    for boundary in ["a b", "=_prov (1)", "a  b?:/,'+_.=", "--"] {
        let body = String::from_utf8(Sample::usual().body()).expect("ASCII");
        let message = read(body.replace("=_prov", boundary)).expect(boundary);
        assert_eq!(message, usual(), "{boundary}");
    }
}

#[test]
fn header_names_in_any_letter_case_are_accepted() {
    let body = String::from_utf8(Sample::usual().body()).expect("ASCII");
    for change in [str::to_lowercase as fn(&str) -> String, str::to_uppercase] {
        let mut changed = body.clone();
        for name in [
            "Content-Type:",
            "Content-Transfer-Encoding:",
            "Content-Disposition:",
        ] {
            changed = changed.replace(name, &change(name));
        }
        assert_eq!(read(changed), Ok(usual()));
    }
}

#[test]
fn text_before_the_first_and_after_the_last_boundary_is_ignored() {
    let sample = Sample::usual();
    let body = [
        sample.outer.as_bytes(),
        b"\r\nThis is a message in MIME format.\r\n--=_provx\r\n\xFF\0\r\n",
        &sample.parts(),
        b"epilogue\r\n--=_prov\r\nContent-Type: text/plain\r\n\r\nx\r\n--=_prov--\r\n",
    ]
    .concat();
    assert_eq!(read(body), Ok(usual()));
}

#[test]
fn no_closing_boundary_is_rejected() {
    let body = String::from_utf8(Sample::usual().body()).expect("ASCII");
    for end in [
        "",
        "\r\n--=_prov\r\n",
        "\r\n--=_prov-",
        "\r\n--=_prov--x",
        "\r\n --=_prov--",
    ] {
        let cut = body.replace("\r\n--=_prov--\r\n", end);
        let element = refused(read(cut));
        assert!(["boundary", "header"].contains(&element), "{end:?}");
    }
}

#[test]
fn a_body_that_starts_at_the_boundary_is_accepted_if_http_has_the_boundary() {
    let parts = Sample::usual().parts();
    for http in [
        "multipart/mixed; boundary=\"=_prov\"",
        "multipart/mixed; boundary==_prov",
        "message/rfc822; Boundary=\"=_prov\"; x=y",
    ] {
        assert_eq!(read_with_http(&parts, Some(http)), Ok(usual()), "{http}");
    }
    assert_eq!(refused(read(&parts)), "boundary");
    assert_eq!(
        refused(read_with_http(&parts, Some("multipart/mixed; boundary=x"))),
        "boundary"
    );
}

#[test]
fn a_label_that_is_not_first_is_rejected() {
    let sample = Sample {
        label_headers: "Content-Type: text/xml\r\n".to_owned(),
        label: b"<fraga/>".to_vec(),
        part_headers: b"Content-Type: text/xml\r\n".to_vec(),
        data: LABEL.as_bytes().to_vec(),
        ..Sample::usual()
    };
    assert_eq!(refused(sample.read()), "shs.label");
}

#[test]
fn a_label_as_application_xml_is_accepted() {
    let mut sample = Sample::usual();
    sample.label_headers = sample.label_headers.replace("text/xml", "application/xml");
    assert_eq!(sample.message(), usual());
}

#[test]
fn a_data_part_without_content_type_is_text_plain() {
    let part = Sample::with_part("", DATA).message().parts.remove(0);
    assert_eq!(part.content_type.essence(), "text/plain");
}

#[test]
fn a_label_without_doctype_or_with_another_path_or_url_is_accepted() {
    let doctype = "<!DOCTYPE shs.label SYSTEM \"shs-label-1.2.dtd\">\n";
    for other in [
        "",
        "<!DOCTYPE shs.label SYSTEM \"file:///opt/shs/dtd/shs-label-1.2.dtd\">",
        "<!DOCTYPE shs.label SYSTEM 'http://www.example.org/shs-label-1.2.dtd'>",
        "<!DOCTYPE shs.label PUBLIC \"-//X//SHS label//SV\" \"shs-label-1.2.dtd\">",
        "<!DOCTYPE shs.label>",
    ] {
        assert_eq!(
            Sample::with_label(doctype, other).message(),
            usual(),
            "{other}"
        );
    }
}

#[test]
fn a_label_with_an_unknown_dtd_name_is_accepted_and_nothing_is_loaded() {
    for other in ["egen.dtd", "/nowhere/at/all.dtd", "https://192.0.2.1/x.dtd"] {
        let sample = Sample::with_label("shs-label-1.2.dtd", other);
        assert_eq!(sample.message(), usual(), "{other}");
    }
}

#[test]
fn unknown_elements_and_attributes_are_ignored() {
    let sample = Sample::with_label(
        "  <product>",
        "<x-own a='b'><to>urn:X-shs:0000000009</to></x-own><!-- c --><?pi x?>text<tomt/><product>",
    );
    assert_eq!(sample.message(), usual());
    let sample = Sample::with_label("<shs.label ", "<shs.label xmlns:x='y' x:own='1' extra='' ");
    assert_eq!(sample.message(), usual());
    let sample = Sample::with_label("<data ", "<okand/><data okand='1' ");
    assert_eq!(sample.message(), usual());
}

#[test]
fn child_elements_in_wrong_order_are_accepted() {
    let (head, rest) = LABEL.split_once("\n  <from").expect("from");
    let (children, end) = rest.split_once("\n</shs.label>").expect("end");
    let (first, content) = children.split_once("\n  <content").expect("content");
    let children = format!("<from{first}");
    let mut lines: Vec<&str> = children.split('\n').collect();
    lines.reverse();
    let label = format!(
        "{head}\n  <content{content}\n{}</shs.label>{end}",
        lines.join("\n")
    );
    let sample = Sample {
        label: label.into_bytes(),
        ..Sample::usual()
    };
    assert_eq!(sample.message(), usual());
}

/// Every enumerated attribute, its right value and its element in errors.
const ENUMERATED: [(&str, &str); 5] = [
    ("transfer-type", "asynch"),
    ("message-type", "simple"),
    ("document-type", "simple"),
    ("sequence-type", "event"),
    ("status", "production"),
];

#[test]
fn an_unknown_value_of_an_enumerated_attribute_is_rejected() {
    for (name, value) in ENUMERATED {
        let right = format!(" {name}=\"{value}\"");
        for wrong in [
            "",
            "x",
            "synch asynch",
            "any",
            "1",
            "prod",
            "simple-compound",
        ] {
            let sample = Sample::with_label(&right, &format!(" {name}=\"{wrong}\""));
            assert_eq!(refused(sample.read()), name, "{wrong}");
        }
    }
}

#[test]
fn an_upper_case_enumerated_value_is_rejected() {
    for (name, value) in ENUMERATED {
        let right = format!(" {name}=\"{value}\"");
        for wrong in [value.to_uppercase(), format!("E{}", &value[1..])] {
            let sample = Sample::with_label(&right, &format!(" {name}=\"{wrong}\""));
            assert_eq!(refused(sample.read()), name, "{wrong}");
        }
    }
}

#[test]
fn white_space_at_the_ends_of_ids_and_enumerated_values_is_trimmed() {
    for (name, value) in ENUMERATED {
        let right = format!(" {name}=\"{value}\"");
        let sample = Sample::with_label(&right, &format!(" {name}=\"\n\t {value} &#13;\""));
        assert_eq!(sample.message(), usual(), "{name}");
    }
    for id in [
        "tx.id=\"",
        "corr.id=\"",
        "content.id=\"",
        "<shs.label version=\"",
    ] {
        let sample = Sample::with_label(id, &format!("{id}\n  "));
        assert_eq!(sample.message(), usual(), "{id}");
    }
    let sample = Sample::with_label(" transfer", " shs.agreement='\n a-1 ' transfer");
    let agreement = sample.message().label.agreement.expect("an agreement");
    assert_eq!(agreement.as_str(), "a-1");
}

#[test]
fn white_space_in_cdata_values_is_kept() {
    let sample = Sample::with_label("\"underlag\"", "\" under lag \"");
    assert_eq!(sample.message().parts[0].datapart_type, " under lag ");
    let sample = Sample::with_label("<subject>", "<meta name=' a '> b </meta><subject>");
    let meta = sample.message().label.meta.remove(0);
    assert_eq!(
        (&**meta.name.expose(), &**meta.value.expose()),
        (" a ", " b ")
    );
}

#[test]
fn white_space_around_urns_is_trimmed() {
    for urn in [
        "urn:X-shs:0000000001<",
        "urn:X-shs:0000000002.ekonomi<",
        "urn:X-shs:5a1e0000-1111-4222-8333-444455557777<",
    ] {
        let (value, end) = urn.split_at(urn.len() - 1);
        let sample = Sample::with_label(urn, &format!("\r\n\t {value}\n {end}"));
        assert_eq!(sample.message(), usual(), "{urn}");
    }
}

#[test]
fn the_prefix_in_other_letter_case_or_absent_is_accepted() {
    for prefix in ["urn:x-SHS:", "URN:X-SHS:", "urn:x-shs:", ""] {
        let label = LABEL.replace("urn:X-shs:", prefix).into_bytes();
        let sample = Sample {
            label,
            ..Sample::usual()
        };
        assert_eq!(sample.message(), usual(), "{prefix}");
    }
}

#[test]
fn a_time_with_zone_or_fractions_is_accepted_and_converted() {
    for (text, read) in [
        ("2031-03-04T10:00:00.123", "2031-03-04T10:00:00"),
        ("2031-03-04T10:00:00Z", "2031-03-04T11:00:00"),
        ("2031-07-04T10:00:00Z", "2031-07-04T12:00:00"),
        ("2031-03-04T10:00:00+05:30", "2031-03-04T05:30:00"),
        ("2031-03-04T10:00:00.5-0100", "2031-03-04T12:00:00"),
        ("\n 2031-03-04T10:00:00 \n", "2031-03-04T10:00:00"),
        ("2031-03-04T10:00:00 CET", "2031-03-04T10:00:00"),
    ] {
        let sample = Sample::with_label("2031-03-04T10:00:00", text);
        assert_eq!(time::write(sample.message().label.datetime), read, "{text}");
    }
}

#[test]
fn a_date_alone_is_its_midnight() {
    for text in ["2031-03-04", "2031-03-04+01:00", " 2031-03-04Z "] {
        let sample = Sample::with_label("2031-03-04T10:00:00", text);
        let read = time::write(sample.message().label.datetime);
        assert_eq!(read, "2031-03-04T00:00:00", "{text}");
    }
}

#[test]
fn a_label_of_version_1_1_is_read_and_written_as_1_2() {
    let label = LABEL
        .replace("version=\"1.2\"", "version=\"1.1\"")
        .replace(" message-type=\"simple\"", "")
        .replace("shs-label-1.2.dtd", "shs-label-1.1.dtd")
        .replace("content.id=", "uuid=")
        .replace(" datapartType=\"underlag\"", "");
    let sample = Sample {
        label: label.into_bytes(),
        ..Sample::usual()
    };
    let mut message = sample.message();
    let expected = usual();
    assert_eq!(message.parts[0].datapart_type, "");
    let written = String::from_utf8(message.write().to_vec()).expect("ASCII");
    assert!(written.contains("<shs.label version=\"1.2\" "));
    assert!(written.contains("<content content.id=\"0d9b6f2e-5c1a-4f7b-9a31-6e2d0c000003\">"));
    message
        .label
        .content
        .data
        .clone_from(&expected.label.content.data);
    message.parts.clone_from(&expected.parts);
    assert_eq!(message, expected);
}

#[test]
fn absent_enumerated_attributes_have_their_defaults() {
    let mut label = LABEL.replace(" version=\"1.2\"", "");
    for (name, value) in ENUMERATED {
        if name != "sequence-type" {
            label = label.replace(&format!(" {name}=\"{value}\""), "");
        }
    }
    let sample = Sample {
        label: label.into_bytes(),
        ..Sample::usual()
    };
    let label = sample.message().label;
    assert_eq!(
        (label.transfer_type, label.sequence_type, label.status),
        (
            TransferType::Asynch,
            SequenceType::Event,
            Status::Production
        )
    );
    let sample = Sample::with_label(" sequence-type=\"event\"", "");
    assert_eq!(refused(sample.read()), "sequence-type");
}

#[test]
fn boundary_lines_may_end_in_blanks() {
    let body = String::from_utf8(Sample::usual().body()).expect("ASCII");
    let blank = body
        .replace("--=_prov\r\n", "--=_prov \t \r\n")
        .replace("_prov--", "_prov-- \t");
    assert_eq!(read(blank), Ok(usual()));
}

#[test]
fn a_wrong_no_of_bytes_is_told_and_never_refused() {
    let stated = |number: &str| {
        let sample = Sample::with_label("<data ", &format!("<data no-of-bytes='{number}' "));
        sample.message().misstated_sizes().collect::<Vec<_>>()
    };
    assert_eq!(stated("18"), [] as [usize; 0]);
    assert_eq!(stated("19"), [0]);
    assert_eq!(stated("0"), [0]);
    assert_eq!(stated("many"), [] as [usize; 0]);
    assert_eq!(usual().misstated_sizes().count(), 0);
}
