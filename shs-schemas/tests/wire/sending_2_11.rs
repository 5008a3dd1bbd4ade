//! shs-1.2, 2.11: what existing nodes need of us, and what we take ourselves.

use shs_schemas::mime::LABEL_END_MAX;
use shs_schemas::shs::label::{LABEL_BYTES_SAFE, Meta};
use shs_schemas::shs::{Message, WriteOptions, Written};

use super::sample::{LABEL, Sample, read, usual};

fn write(message: &Message) -> Written {
    message.write_for(&WriteOptions::default())
}

fn with_subject(length: usize) -> Message {
    let mut message = usual();
    message.label.subject = Some("x".repeat(length).into());
    message
}

/// Where the label ends in the bytes themselves.
fn end_in(body: &[u8]) -> usize {
    memchr::memmem::find(body, b"</shs.label>").expect("a label") + "</shs.label>".len()
}

#[test]
fn the_label_ends_where_the_writer_says() {
    for length in [0, 100, 5_000] {
        let written = write(&with_subject(length));
        assert_eq!(written.label_end, end_in(written.body.expose()));
    }
}

#[test]
fn a_label_ends_within_4096_bytes_as_long_as_its_texts_allow() {
    let shortest = write(&with_subject(0)).label_end;
    let mut longest = 0;
    for length in 0..LABEL_END_MAX {
        let written = write(&with_subject(length));
        // White space is the first to go, so what does not fit has none to give.
        if !written.fits_every_node() {
            let text = String::from_utf8(written.body.expose().to_vec()).expect("ASCII");
            let label = &text[text.find("<shs.label ").expect("a label")..written.label_end];
            assert!(!label.contains('\n'), "{length}");
            break;
        }
        longest = length;
    }
    assert!(longest > LABEL_BYTES_SAFE - shortest, "{longest}");
    assert!(write(&with_subject(longest)).fits_every_node());
}

#[test]
fn texts_too_long_to_fit_are_forwarded_whole_and_told() {
    let mut message = usual();
    let meta = Meta {
        name: "namn".to_owned().into(),
        value: "å".repeat(700).into(),
    };
    message.label.meta = vec![meta; 3];
    message.label.subject = Some("€".repeat(1_000).into());
    let written = write(&message);
    assert!(!written.fits_every_node());
    assert!(written.label_end > LABEL_END_MAX);
    let again = read(written.body.expose()).expect("readable");
    assert_eq!(again.label.meta, message.label.meta);
    assert_eq!(again.label.subject, message.label.subject);
}

#[test]
fn the_start_tag_is_literal_and_the_label_in_clear() {
    for message in [usual(), with_subject(4_000)] {
        let body = message.write();
        let head = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(
            head.matches("<shs.label version=\"1.2\" tx.id=\"").count(),
            1
        );
    }
}

#[test]
fn an_encoded_label_is_sent_on_in_clear() {
    let sample = Sample {
        label_headers: "Content-Type: text/xml\r\nContent-Transfer-Encoding: base64\r\n".to_owned(),
        label: base64_simd::STANDARD.encode_to_string(LABEL).into_bytes(),
        ..Sample::usual()
    };
    let body = sample.message().write();
    assert_eq!(read(&body), Ok(usual_written()));
    assert!(end_in(&body) < LABEL_END_MAX);
}

/// The usual message after it was written: its sizes stated.
fn usual_written() -> Message {
    read(usual().write()).expect("readable")
}

#[test]
fn labels_of_4000_5000_and_65536_bytes_are_accepted() {
    for size in [4_000, 5_000, 64 * 1024] {
        let subject = "x".repeat(size - (LABEL.len() - "Underlag".len()));
        let sample = Sample::with_label("Underlag", &subject);
        assert_eq!(sample.label.len(), size);
        let message = sample.message();
        assert_eq!(
            message.label.subject.as_ref().expect("a subject").expose(),
            &subject
        );
    }
}

#[test]
fn the_size_that_is_stated_is_that_of_the_decoded_data() {
    let mut message = usual();
    for size in [0, 1, 57, 1_000] {
        message.parts[0].data = bytes::Bytes::from(vec![0; size]).into();
        let label = read(message.write()).expect("readable").label;
        assert_eq!(label.content.data[0].no_of_bytes, Some(size as u64));
    }
}
