//! Messages that nobody should send: bombs of every kind, samples cut at every byte and with every
//! byte changed. Each is read or refused within a bound of time, and nothing panics. Those that
//! are small lie in `tests/corpus/malformed`; these are made here, because they are large.

use std::time::{Duration, Instant};

use bytes::Bytes;
use shs_schemas::mime::Limits;
use shs_schemas::shs::{Message, ReadError};

use super::sample::{DATA, LABEL, Sample, read, read_with_http, refused, usual};
use super::support;

/// Longest time that a bomb may cost, in an unoptimised build on a busy machine. What is not
/// linear takes minutes.
const PATIENCE: Duration = Duration::from_secs(20);

#[allow(
    clippy::disallowed_methods,
    reason = "nothing here waits: what is measured is work, and no runtime has a clock to pause"
)]
fn in_time<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let elapsed = start.elapsed();
    assert!(elapsed < PATIENCE, "{name}: {elapsed:?}");
    result
}

fn within_bounds(name: &str, body: Vec<u8>) -> Result<Message, ReadError> {
    in_time(name, || {
        Message::read(Bytes::from(body), None, &Limits::default())
    })
}

fn refused_in_time(name: &str, sample: &Sample) -> &'static str {
    refused(within_bounds(name, sample.body()))
}

fn with_label_of(label: String) -> Sample {
    Sample {
        label: label.into_bytes(),
        ..Sample::usual()
    }
}

#[test]
fn a_billion_laughs_are_refused_unexpanded() {
    let mut subset = "<!ENTITY a0 \"ha\">".to_owned();
    for level in 1..30 {
        let references = format!("&a{};", level - 1).repeat(10);
        let entity = format!("<!ENTITY a{level} \"{references}\">");
        subset.push_str(&entity);
    }
    let label = LABEL
        .replace("dtd\">", &format!("dtd\" [{subset}]>"))
        .replace("Underlag<", "&a29;<");
    assert_eq!(
        refused_in_time("laughs", &with_label_of(label)),
        "shs.label"
    );
}

#[test]
fn a_quadratic_blowup_of_one_long_entity_is_refused() {
    let entity = format!("dtd\" [<!ENTITY a \"{}\">]>", "x".repeat(50_000));
    let label = LABEL
        .replace("dtd\">", &entity)
        .replace("Underlag<", &format!("{}<", "&a;".repeat(10_000)));
    assert_eq!(
        refused_in_time("blowup", &with_label_of(label)),
        "shs.label"
    );
}

#[test]
fn nesting_beyond_the_bound_is_refused_at_once() {
    for (open, close) in [("<a>", "</a>"), ("<a>", ""), ("<meta name='a'>", "</meta>")] {
        let nested = format!("{}{}<subject>", open.repeat(5_000), close.repeat(5_000));
        let sample = with_label_of(LABEL.replace("<subject>", &nested));
        refused_in_time(open, &sample);
    }
}

#[test]
fn a_huge_attribute_is_bounded_by_the_label() {
    let long = |length| {
        let attribute = format!("<data filename=\"{}.xml\" ", "å".repeat(length));
        with_label_of(LABEL.replace("<data ", &attribute))
    };
    let message = within_bounds("fits", long(20_000).body()).expect("readable");
    let name = message.parts[0].filename.as_ref().expect("a name");
    assert_eq!(name.expose().chars().count(), 255);
    assert!(read(message.write()).is_ok());
    assert_eq!(refused_in_time("too long", &long(200_000)), "shs.label");
}

#[test]
fn thousands_of_attributes_are_refused() {
    let many: Vec<String> = (0..10_000).map(|n| format!("a{n}=''")).collect();
    let many = many.join("\n");
    let sample = with_label_of(LABEL.replace("<data ", &format!("<data {many}")));
    assert_eq!(refused_in_time("attributes", &sample), "shs.label");
    let same = "a='' ".repeat(10_000);
    let sample = with_label_of(LABEL.replace("<data ", &format!("<data {same}")));
    assert_eq!(refused_in_time("one attribute", &sample), "shs.label");
}

#[test]
fn thousands_of_elements_references_comments_and_sections_are_read_or_refused() {
    for piece in [
        "<meta name=''/>",
        "<a/>",
        "&#229;",
        "&lt;",
        "<!---->",
        "<?a?>",
        "<![CDATA[]]>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "<",
        "&",
        "&#",
        "\r",
        "<!DOCTYPE a>",
        "</subject>",
        "<history/>",
        "<to/>",
    ] {
        for place in ["<subject>", "Underlag<"] {
            let bomb = format!("{}{place}", piece.repeat(120_000 / piece.len()));
            let sample = with_label_of(LABEL.replacen(place, &bomb, 1));
            let _ = within_bounds(piece, sample.body());
        }
    }
}

#[test]
fn a_long_history_is_kept_within_the_bound() {
    let entry = "<history node.id='n'><datetime>2031-03-04</datetime></history>\n</shs.label>";
    let label = |entries: usize| {
        let all = entry.replace("\n</shs.label>", "").repeat(entries);
        with_label_of(LABEL.replace("</shs.label>", &format!("{all}</shs.label>")))
    };
    let message = within_bounds("history", label(1_000).body()).expect("readable");
    assert_eq!(message.label.history.len(), 1_000);
    let written = message.write_for(&shs_schemas::shs::WriteOptions::default());
    assert!(!written.fits_every_node());
    assert_eq!(refused_in_time("longer", &label(10_000)), "shs.label");
}

#[test]
fn invalid_utf_8_that_is_twice_called_utf_8_is_read_as_latin_1() {
    let label = LABEL.replace("ISO-8859-1", "UTF-8").into_bytes();
    let at = memchr::memmem::find(&label, b"Underlag").expect("the subject");
    for bytes in [
        &b"\xFF\xFE"[..],
        b"\xC0\x80",
        b"\xED\xA0\x80",
        b"\xF5\x80\x80\x80",
        b"\xE5",
    ] {
        let mut label = label.clone();
        label.splice(at..at, bytes.iter().copied());
        let sample = Sample {
            label_headers: "Content-Type: text/xml; charset=UTF-8\r\n".to_owned(),
            label,
            ..Sample::usual()
        };
        let subject = sample.message().label.subject.expect("a subject");
        let latin1: String = bytes.iter().copied().map(char::from).collect();
        assert_eq!(*subject.expose(), format!("{latin1}Underlag"));
    }
}

#[test]
fn parts_beyond_the_bound_are_refused_by_name() {
    let parts = |number: usize| {
        let mut sample = Sample::usual();
        sample.data = b"\r\n--=_prov\r\n\r\n".repeat(number);
        sample.body()
    };
    let message = within_bounds("as many as may be", parts(1_022)).expect("readable");
    assert_eq!(message.parts.len(), 1_023);
    for number in [1_023, 100_000] {
        let error = within_bounds("too many", parts(number)).unwrap_err();
        assert!(
            error.fault.to_string().contains("parts_max = 1024"),
            "{error}"
        );
        assert_eq!(error.known.tx_id, Some(usual().label.tx_id));
    }
}

#[test]
fn header_bombs_are_refused_by_name() {
    for (line, limit) in [
        ("X: y\r\n", "headers_max"),
        ("X:\r\n", "headers_max"),
        ("Content-Type: a/b\r\n", "headers_max"),
        ("\tfolded;\r\n", "header_bytes_max"),
        ("x=\"y\";", "header_bytes_max"),
    ] {
        let bomb = line.repeat(1_000_000 / line.len());
        let mut sample = Sample::usual();
        sample.outer.push_str("X-Own: ;\r\n");
        sample.outer.push_str(&bomb);
        let error = within_bounds(line, sample.body()).unwrap_err();
        assert!(error.fault.to_string().contains(limit), "{error}");
        let headers = format!("Content-Type: text/plain;\r\n{bomb}");
        let error = within_bounds(line, Sample::with_part(headers, "").body()).unwrap_err();
        assert!(error.fault.to_string().contains(limit), "{error}");
    }
}

#[test]
fn parameter_bombs_cost_nothing() {
    for piece in [
        "a=b;",
        ";",
        "=",
        "\"",
        "\\\"",
        "filename*1=a;",
        "filename*=a'b'c;",
        "=?utf-8?q?a?=",
        "=?",
        "%41",
    ] {
        for start in [
            "attachment;filename*0=a;",
            "attachment; filename=\"",
            "attachment; filename*=utf-8''",
            "",
        ] {
            let value = format!("{start}{}", piece.repeat(15_000 / piece.len()));
            let headers = format!("Content-Disposition: {value}\r\n");
            let message = within_bounds(piece, Sample::with_part(headers, DATA).body());
            let message = message.expect("readable");
            assert_eq!(message.parts[0].data.expose(), DATA, "{value:.40}");
            assert!(read(message.write()).is_ok());
        }
    }
}

#[test]
fn a_body_full_of_almost_boundaries_is_read_in_time() {
    for piece in [
        "--=_prov",
        "\r\n--=_prov",
        "\n--=_prov-",
        "\r\n--=_prov          x",
        "\n--=_prov \t",
        "-",
        "\r\n",
        "\n--=_prov\n",
    ] {
        let mut sample = Sample::usual();
        sample.data = format!("x{}", piece.repeat(4_000_000 / piece.len())).into_bytes();
        let _ = within_bounds(piece, sample.body());
    }
}

#[test]
fn a_base64_part_of_nothing_but_line_ends_is_empty() {
    let headers = "Content-Transfer-Encoding: base64\r\n";
    let sample = Sample::with_part(headers, b"\r\n".repeat(1_000_000));
    let message = within_bounds("line ends", sample.body()).expect("readable");
    assert!(message.parts[0].data.expose().is_empty());
}

/// Three samples of the specification's kinds: a question, an event with a binary part, an error.
fn samples() -> Vec<(String, Vec<u8>)> {
    let names = [
        "synch-question.mime",
        "asynch-event-two-parts.mime",
        "asynch-error.mime",
    ];
    let mut samples = support::corpus("spec");
    samples.retain(|(name, _)| names.contains(&name.as_str()));
    assert_eq!(samples.len(), names.len());
    samples
}

#[test]
fn a_message_cut_at_any_byte_is_refused_for_its_structure() {
    in_time("cuts", || {
        for (name, bytes) in samples() {
            for end in 0..bytes.len() - 2 {
                let element = refused(read(&bytes[..end]));
                let known = [
                    "header",
                    "boundary",
                    "Content-Type",
                    "shs.label",
                    "data part",
                    "part",
                ];
                assert!(known.contains(&element), "{name} cut at {end}: {element}");
            }
        }
    });
}

#[test]
fn a_message_without_its_first_bytes_is_read_or_refused() {
    in_time("starts", || {
        for (_, bytes) in samples() {
            for start in 0..bytes.len() {
                let _ = read_with_http(
                    &bytes[start..],
                    Some("multipart/mixed; boundary==_samsvar_corpus"),
                );
            }
        }
    });
}

#[test]
fn a_message_with_any_byte_changed_is_read_or_refused_and_what_is_read_can_be_sent_on() {
    in_time("changes", || {
        for (name, bytes) in samples() {
            for at in 0..bytes.len() {
                for flip in [0x01, 0x20, 0x80, 0xFF] {
                    let mut changed = bytes.clone();
                    changed[at] ^= flip;
                    let Ok(message) = read(&changed) else {
                        continue;
                    };
                    let again = read(message.write());
                    let again = again.unwrap_or_else(|error| panic!("{name} at {at}: {error}"));
                    assert_eq!(again.label.tx_id, message.label.tx_id, "{name} at {at}");
                    for (again, first) in again.parts.iter().zip(&message.parts) {
                        assert_eq!(again.data, first.data, "{name} at {at}");
                        assert_eq!(again.filename, first.filename, "{name} at {at}");
                        assert_eq!(again.content_type, first.content_type, "{name} at {at}");
                    }
                }
            }
        }
    });
}
