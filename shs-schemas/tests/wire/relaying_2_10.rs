//! shs-1.2, 2.10 and 10 (row 42): what is read and written again is the same; nothing that the
//! installed base keeps is lost here, and nothing that it loses either.

use bytes::Bytes;
use proptest::prelude::*;
use shs_schemas::ids::{AgreementId, ContentId, CorrId, LocalId, NodeId, TxId};
use shs_schemas::mime::{FileNames, Limits, TransferEncoding, safe_filename};
use shs_schemas::shs::label::{
    Content, Data, History, InnerParty, Label, MessageType, Meta, Product, SequenceType, Status,
    TransferType,
};
use shs_schemas::shs::{Actor, Adress, DataPart, Message, Produkt, WriteOptions, time};

use super::sample::{Sample, read, usual};

/// Two binary parts of this size fit into a body of the default limit.
const LARGE: usize = 17 * 1024 * 1024;

fn is_slice_of(body: &Bytes, part: &Bytes) -> bool {
    body.as_ptr_range().start <= part.as_ptr_range().start
        && part.as_ptr_range().end <= body.as_ptr_range().end
}

#[test]
fn all_256_byte_values_and_nothing_at_all_survive_in_clear_and_in_base64() {
    let all: Vec<u8> = (0..=255).collect();
    let mut message = usual();
    let mut parts = Vec::new();
    for data in [
        all.clone(),
        Vec::new(),
        all.repeat(20),
        b"\r\n".to_vec(),
        b"\n--".to_vec(),
    ] {
        for encoding in [TransferEncoding::Binary, TransferEncoding::Base64] {
            let mut part = message.parts[0].clone();
            part.data = Bytes::from(data.clone()).into();
            part.encoding = encoding;
            parts.push(part);
        }
    }
    message.parts = parts;
    let once = read(message.write()).expect("readable");
    assert_eq!(once.parts, message.parts);
    let twice = read(once.write()).expect("readable");
    assert_eq!(twice, once);
}

#[test]
fn seventeen_megabytes_in_clear_are_sliced_not_copied() {
    let mut message = usual();
    let data: Bytes = (0..=255).cycle().take(LARGE).collect::<Vec<u8>>().into();
    message.parts[0].data = data.clone().into();
    let written = message.write();
    assert!(written.len() < LARGE + 4096);
    let read = Message::read(written.clone(), None, &Limits::default()).expect("readable");
    let part = read.parts[0].data.expose();
    assert!(*part == data, "the data changed");
    assert!(is_slice_of(&written, part));
    // A message taken over from its buffer is no longer than its bytes.
    let buffer = Vec::from(written);
    assert_eq!(buffer.capacity(), buffer.len());
}

#[test]
fn seventeen_megabytes_in_base64_survive() {
    let mut message = usual();
    let data: Bytes = (0..=255).cycle().take(LARGE).collect::<Vec<u8>>().into();
    message.parts[0].data = data.clone().into();
    message.parts[0].encoding = TransferEncoding::Base64;
    let limits = Limits {
        body_bytes_max: 2 * LARGE,
        ..Limits::default()
    };
    let read = Message::read(message.write(), None, &limits).expect("readable");
    assert!(*read.parts[0].data.expose() == data, "the data changed");
}

#[test]
fn quoted_printable_is_sent_on_as_base64_and_stays_so() {
    let sample = Sample::with_part("Content-Transfer-Encoding: quoted-printable\r\n", "fr=E5ga");
    let message = sample.message();
    assert_eq!(message.parts[0].encoding, TransferEncoding::QuotedPrintable);
    let once = read(message.write()).expect("readable");
    assert_eq!(once.parts[0].encoding, TransferEncoding::Base64);
    assert_eq!(once.parts[0].data.expose().as_ref(), b"fr\xE5ga");
    assert_eq!(read(once.write()), Ok(once));
}

#[test]
fn every_parameter_of_a_content_type_survives() {
    let headers = b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; x=\"a; \\\"b\\\\\"; titel=\"fr\xE5ga\"; charset=UTF-8; boundary=\"a b\"; name=\"smime.p7m\"\r\n";
    let message = Sample::with_part(headers, "x").message();
    let written = message.write();
    for parameter in [
        &b"application/pkcs7-mime; charset=UTF-8; smime-type=enveloped-data"[..],
        b"; x=\"a; \\\"b\\\\\"",
        b"; titel=\"fr\xE5ga\"",
        b"; boundary=\"a b\"",
        b"; name=\"smime.p7m\"",
    ] {
        assert!(
            memchr::memmem::find(&written, parameter).is_some(),
            "{parameter:?}"
        );
    }
    let again = read(written).expect("readable");
    assert_eq!(again.parts, message.parts);
}

#[test]
fn free_text_in_originator_and_end_recipient_stays_as_it_came() {
    for text in [
        "mailto:a@b.example",
        "12345",
        " Enhet 7 ",
        "urn:x-SHS:0000000001.x",
        "urn:X-shs:",
    ] {
        let sample = Sample::with_label(
            "  <product>",
            &format!(
                "<end-recipient name=' n '>{text}</end-recipient><originator labeledURI='u'>{text}</originator>  <product>"
            ),
        );
        let mut message = sample.message();
        for _ in 0..2 {
            let label = &message.label;
            for party in [&label.originator, &label.end_recipient] {
                assert_eq!(party.as_ref().expect("a party").value.expose(), text);
            }
            message = read(message.write()).expect("readable");
        }
    }
}

#[test]
fn a_part_with_the_longest_headers_can_be_sent_on() {
    let headers = format!(
        "Content-Type: text/x; a=\"{}\"; name*=utf-8''{}\r\nContent-Disposition: a; filename*=utf-8''{}\r\n",
        "\\\\".repeat(2_000),
        "%F0%9F%98%80".repeat(400),
        "%F0%9F%98%80".repeat(400)
    );
    let message = Sample::with_part(headers, "x").message();
    let once = read(message.write()).expect("readable");
    assert_eq!(once.parts, message.parts);
}

/// Text that XML can hold.
fn text() -> impl Strategy<Value = String> {
    "([ -~åäöÅÄÖ€\n\t]|[\u{A0}-\u{FFFD}]|\\PC){0,24}"
        .prop_map(|text| text.replace(['\u{FFFE}', '\u{FFFF}'], ""))
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-zåäöÅÄÖ€ &<\"']{0,12}[a-zö]"
}

fn id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._:-]{1,40}"
}

fn moment() -> impl Strategy<Value = chrono::NaiveDateTime> {
    (2000..2100_i32, 1..=12_u32, 1..=28_u32, 0..86_400_u32).prop_map(
        |(year, month, day, second)| {
            let text = format!(
                "{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
                second / 3600,
                second / 60 % 60,
                second % 60
            );
            time::read(&text).expect("a time")
        },
    )
}

fn address() -> impl Strategy<Value = Adress> {
    "[1-9][0-9]{9}(\\.[a-zA-Zåäö.-]{1,8})?"
        .prop_map(|text| Adress::parse(&text).expect("an address"))
}

fn receiver() -> impl Strategy<Value = Actor> {
    (address(), prop::option::of(name())).prop_map(|(address, name)| Actor::new(address, name))
}

fn sender() -> impl Strategy<Value = Actor> {
    (
        address(),
        name(),
        prop::option::of(text()),
        prop::option::of(text()),
    )
        .prop_map(|(address, name, e_mail, uri)| Actor {
            e_mail: e_mail.map(Into::into),
            labeled_uri: uri,
            ..Actor::new(address, Some(name))
        })
}

fn party() -> impl Strategy<Value = InnerParty> {
    (text(), prop::option::of(text()), prop::option::of(text())).prop_map(|(value, name, uri)| {
        InnerParty {
            value: value.into(),
            name: name.map(Into::into),
            labeled_uri: uri.map(Into::into),
        }
    })
}

fn history() -> impl Strategy<Value = History> {
    let texts = (
        prop::option::of(text()),
        prop::option::of(text()),
        prop::option::of(text()),
    );
    (id(), prop::option::of(id()), moment(), texts).prop_map(|(node, ids, datetime, texts)| {
        History {
            node_id: NodeId::parse(&node).expect("an id"),
            content_id: ids.as_deref().and_then(|id| ContentId::parse(id).ok()),
            tx_id: ids.as_deref().and_then(|id| TxId::parse(id).ok()),
            from: texts.0,
            to: texts.1,
            local_id: ids.as_deref().and_then(|id| LocalId::parse(id).ok()),
            agreement: ids.as_deref().and_then(|id| AgreementId::parse(id).ok()),
            datetime,
            comment: texts.2.map(Into::into),
        }
    })
}

fn meta() -> impl Strategy<Value = Meta> {
    (text(), text()).prop_map(|(name, value)| Meta {
        name: name.into(),
        value: value.into(),
    })
}

fn part() -> impl Strategy<Value = DataPart> {
    let content_type = prop::sample::select(vec![
        "text/xml; charset=ISO-8859-1",
        "*/*",
        "application/pkcs7-mime; smime-type=signed-data; a=\"b c\"",
        "multipart/signed; boundary=\"=_inner\"; micalg=sha1",
    ]);
    let data = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "(\r\n|\n|--|=_prov|--=_[0-9a-f]{32}| |-){0,20}".prop_map(String::into_bytes),
    ];
    let numbers = (any::<bool>(), prop::option::of(any::<u64>()));
    (
        text(),
        prop::option::of(text()),
        content_type,
        numbers,
        data,
    )
        .prop_map(
            |(role, name, content_type, (binary, records), data)| DataPart {
                filename: name.and_then(|name| safe_filename(&name)).map(Into::into),
                encoding: if binary {
                    TransferEncoding::Binary
                } else {
                    TransferEncoding::Base64
                },
                no_of_records: records,
                ..DataPart::new(&role, String::new(), typed(content_type), data.into())
            },
        )
}

/// A content type as a message has it.
fn typed(header: &str) -> shs_schemas::mime::ContentType {
    let sample = Sample::with_part(format!("Content-Type: {header}\r\n"), "");
    sample.message().parts.remove(0).content_type
}

fn label() -> impl Strategy<Value = Label> {
    let ids = (id(), id(), id(), prop::option::of(id()));
    let kinds = (any::<bool>(), 0..4_usize, any::<bool>());
    let parties = (
        prop::option::of(party()),
        sender(),
        prop::option::of(receiver()),
        prop::option::of(party()),
    );
    let texts = (
        prop::collection::vec(meta(), 0..4),
        prop::option::of(text()),
        prop::option::of(text()),
        prop::option::of(name()),
    );
    let entries = (moment(), prop::collection::vec(history(), 0..3));
    (ids, kinds, parties, texts, entries).prop_map(|(ids, kinds, parties, texts, entries)| {
        let sequence = [
            SequenceType::Event,
            SequenceType::Request,
            SequenceType::Reply,
            SequenceType::Adm,
        ];
        Label {
            tx_id: TxId::parse(&ids.0).expect("an id"),
            corr_id: CorrId::parse(&ids.1).expect("an id"),
            agreement: ids.3.map(|id| AgreementId::parse(&id).expect("an id")),
            transfer_type: if kinds.0 {
                TransferType::Synch
            } else {
                TransferType::Asynch
            },
            message_type: MessageType::Simple,
            sequence_type: sequence[kinds.1],
            status: if kinds.2 {
                Status::Test
            } else {
                Status::Production
            },
            originator: parties.0,
            from: Some(parties.1),
            to: parties.2,
            end_recipient: parties.3,
            product: Product {
                common_name: texts.3.clone(),
                labeled_uri: texts.3,
                ..Product::from(
                    Produkt::parse("5a1e0000-1111-4222-8333-444455557777").expect("one"),
                )
            },
            meta: texts.0,
            subject: texts.1.map(Into::into),
            datetime: entries.0,
            content: Content {
                id: ContentId::parse(&ids.2).expect("an id"),
                data: Vec::new(),
                compound: false,
                comment: texts.2.map(Into::into),
            },
            history: entries.1,
        }
    })
}

/// The `data` elements that belong to the parts.
fn elements(parts: &[DataPart]) -> Vec<Data> {
    let element = |part: &DataPart| Data {
        datapart_type: part.datapart_type.clone(),
        filename: part.filename.clone(),
        no_of_bytes: Some(part.data.expose().len() as u64),
        no_of_records: part.no_of_records,
    };
    parts.iter().map(element).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn an_arbitrary_message_is_the_same_after_one_relay_and_after_two(
        label in label(),
        parts in prop::collection::vec(part(), 1..4),
        newer in any::<bool>(),
    ) {
        let mut message = Message { label, parts };
        message.label.content.data = elements(&message.parts);
        let file_names = if newer { FileNames::Rfc2231 } else { FileNames::Latin1 };
        let written = message.write_for(&WriteOptions { file_names }).body.into_exposed();
        let once = Message::read(written.clone(), None, &Limits::default());
        prop_assert_eq!(once.as_ref(), Ok(&message));
        let once = once.expect("just checked");
        for part in &once.parts {
            let sliced = is_slice_of(&written, part.data.expose());
            prop_assert!(sliced || part.encoding == TransferEncoding::Base64);
        }
        let twice = Message::read(once.write(), None, &Limits::default());
        prop_assert_eq!(twice, Ok(message));
    }
}
