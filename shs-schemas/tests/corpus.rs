//! Messages as files: what must be read (`spec`), what the installed base sends (`legacy`), and
//! what must be refused (`malformed`, whose file names say with which code and at which element).

mod support;

use std::sync::LazyLock;

use bytes::Bytes;
use proptest::prelude::*;
use shs_schemas::mime::Limits;
use shs_schemas::shs::label::{SequenceType, TransferType};
use shs_schemas::shs::{Management, Message, ReadError};

fn read(bytes: &[u8]) -> Result<Message, ReadError> {
    Message::read(Bytes::copy_from_slice(bytes), None, &Limits::default())
}

/// Reads a message that must be readable, and again after writing it.
fn read_twice(name: &str, bytes: &[u8]) -> Message {
    let message = read(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut again = read(&message.write()).unwrap_or_else(|error| panic!("{name} again: {error}"));
    // Sizes are written anew, names are supplied where a receiver needs them.
    again
        .label
        .content
        .data
        .clone_from(&message.label.content.data);
    again.label.from.clone_from(&message.label.from);
    for (again, first) in again.parts.iter_mut().zip(&message.parts) {
        again.encoding = first.encoding;
    }
    assert_eq!(again, message, "{name}");
    message
}

#[test]
fn messages_by_the_book_are_read_and_written_back() {
    for (name, bytes) in support::corpus("spec") {
        let message = read_twice(&name, &bytes);
        let label = &message.label;
        let synch = label.transfer_type == TransferType::Synch;
        assert_eq!(synch, name.starts_with("synch-"), "{name}");
        assert_eq!(message.parts.len(), label.content.data.len(), "{name}");
        if label.sequence_type == SequenceType::Adm {
            let document = message.parts[0].data.expose();
            let read = Management::read(document, None, &Limits::default()).unwrap();
            assert_eq!(read.content_id, label.content.id, "{name}");
        }
    }
}

#[test]
fn messages_of_the_installed_base_are_read_alike() {
    let usual = support::corpus("spec")
        .into_iter()
        .find(|(name, _)| name == "synch-question.mime")
        .map(|(_, bytes)| read(&bytes).unwrap())
        .expect("the usual question");
    for (name, bytes) in support::corpus("legacy") {
        let message = read_twice(&name, &bytes);
        let (label, usual) = (&message.label, &usual.label);
        assert_eq!(label.tx_id, usual.tx_id, "{name}");
        assert_eq!(label.content.id, usual.content.id, "{name}");
        assert_eq!(label.product.produkt, usual.product.produkt, "{name}");
        assert_eq!(label.datetime, usual.datetime, "{name}");
        let (from, usual) = (label.from.as_ref().unwrap(), usual.from.as_ref().unwrap());
        assert_eq!(from.address, usual.address, "{name}");
        assert!(
            from.common_name.is_none() || from.common_name == usual.common_name,
            "{name}"
        );
    }
}

#[test]
fn odd_data_parts_keep_their_bytes_and_names() {
    let part = |name: &str| {
        let files = support::corpus("legacy");
        let (_, bytes) = files.iter().find(|(file, _)| file == name).expect(name);
        read(bytes).unwrap().parts.swap_remove(0)
    };
    let raw = part("data-filename-raw-latin1.mime");
    assert_eq!(raw.filename.unwrap().expose(), "fråga 1.xml");
    let binary = part("data-binary-with-boundary-like-text.mime");
    let content = b"a\n--=_samsvar_corpus\n\nb\n--=_samsvar_corpus--\n\xff\0";
    assert_eq!(binary.data.expose().as_ref(), content);
    let untyped = part("data-7bit-without-type.mime");
    assert_eq!(untyped.content_type.essence(), "text/plain");
    assert_eq!(untyped.data.expose(), "fraga");
}

#[test]
fn malformed_messages_are_refused_as_their_names_say() {
    for (name, bytes) in support::corpus("malformed") {
        let mut words = name
            .strip_suffix(".mime")
            .expect("a message")
            .splitn(3, '.')
            .skip(1);
        let (code, element) = (words.next().unwrap(), words.next().unwrap());
        let error = read(&bytes).map(|_| panic!("{name} was read")).unwrap_err();
        assert_eq!(error.code.as_str(), code, "{name}: {error}");
        assert_eq!(error.fault.element, element, "{name}: {error}");
        assert!(error.fault.offset <= bytes.len(), "{name}");
    }
}

#[test]
fn a_body_without_header_block_is_read_with_the_http_header() {
    let name = "body-starts-at-boundary.IllegalMessageStructure.boundary.mime";
    let files = support::corpus("malformed");
    let (_, bytes) = files.iter().find(|(file, _)| file == name).expect(name);
    let http = Some("multipart/mixed; boundary=\"=_samsvar_corpus\"");
    let body = Bytes::copy_from_slice(bytes);
    assert!(Message::read(body, http, &Limits::default()).is_ok());
}

#[test]
fn every_corpus_message_cut_short_is_an_error_and_never_a_panic() {
    for (name, bytes) in support::corpus("spec") {
        for end in 0..bytes.len() - 2 {
            assert!(read(&bytes[..end]).is_err(), "{name} cut at {end}");
        }
    }
    for (_, bytes) in support::corpus("legacy") {
        for end in 0..bytes.len() {
            let _ = read(&bytes[..end]);
        }
    }
    // A prime, so that the cuts fall everywhere in files that have much in common.
    for (_, bytes) in support::corpus("malformed") {
        for end in (0..bytes.len()).step_by(13) {
            let _ = read(&bytes[..end]);
        }
    }
}

/// Every message of the corpus.
static FILES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    ["spec", "legacy", "malformed"]
        .map(support::corpus)
        .concat()
});

proptest! {
    /// Bytes replaced, cut out or doubled anywhere in any message: read or refused, and what is
    /// read can be written and read again, and is the same ever after.
    #[test]
    fn damaged_messages_are_read_or_refused(
        file in any::<prop::sample::Index>(),
        damage in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..4_usize, prop::collection::vec(any::<u8>(), 0..4)),
            1..6,
        ),
        copied in any::<[prop::sample::Index; 3]>(),
    ) {
        let mut bytes = file.get(&FILES).1.clone();
        bytes.push(b'\n');
        let [from, to, at] = copied.map(|index| index.index(bytes.len()));
        let copy = bytes[from.min(to)..from.max(to)].to_vec();
        bytes.splice(at..at, copy);
        for (index, cut, new) in damage {
            let at = index.index(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, new);
            bytes.push(b'\n');
        }
        if let Ok(message) = read(&bytes) {
            let again = read(&message.write());
            prop_assert!(again.is_ok(), "{:?}", again);
            let again = again.expect("just checked");
            prop_assert_eq!(again.parts.len(), message.parts.len());
            for (again, first) in again.parts.iter().zip(&message.parts) {
                prop_assert_eq!(&again.data, &first.data);
                prop_assert_eq!(&again.filename, &first.filename);
                prop_assert_eq!(&again.content_type, &first.content_type);
            }
            prop_assert_eq!(read(&again.write()), Ok(again));
        }
    }
}

#[test]
fn original_samples_are_read_when_they_are_at_hand() {
    let Some(contract) = support::contract() else {
        return;
    };
    for (file, role) in [
        ("shsTextMessage.mime", "txt"),
        ("shsErrorMessage.mime", "error"),
    ] {
        let bytes = std::fs::read(contract.join("shs/samples").join(file)).expect(file);
        let message = read_twice(file, &bytes);
        assert_eq!(message.parts[0].datapart_type, role);
        assert_eq!(message.label.history.len(), 1);
        if role == "error" {
            let document = message.parts[0].data.expose();
            assert!(Management::read(document, None, &Limits::default()).is_ok());
        }
    }
}
