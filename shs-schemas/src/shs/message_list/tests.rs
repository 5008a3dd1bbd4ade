use proptest::prelude::*;

use super::*;
use crate::error::{Fault, WireError};
use crate::mime::Limits;
use crate::shs::label::{Actor, InnerParty};
use crate::shs::time;

/// The list of shs-1.2, 9.7.
const LIST: &str = include_str!("../../../tests/corpus/documents/message-list.xml");

/// The label of the message that it lists (9.4).
const LABEL: &[u8] = include_bytes!("../../../tests/corpus/documents/label.xml");

fn label() -> Label {
    Label::read(LABEL, None, &Limits::default()).unwrap()
}

fn read(text: &str) -> Result<MessageList, WireError> {
    MessageList::read(text.as_bytes(), None)
}

/// What a reader of the list gets to know of an entry.
fn listed(entry: Entry<'_>) -> Listed {
    let Label {
        tx_id,
        corr_id,
        content,
        ..
    } = entry.label.clone();
    let label = entry.label;
    let inner = |party: &InnerParty| Sensitive::new(party.bare().to_owned());
    let address = |actor: &Actor| actor.address.clone();
    Listed {
        tx_id,
        timestamp: Some(entry.timestamp),
        corr_id: Some(corr_id),
        content_id: Some(content.id),
        size: Some(entry.size),
        originator: label.originator.as_ref().map(inner),
        from: label.from.as_ref().map(address),
        to: label.to.as_ref().map(address),
        end_recipient: label.end_recipient.as_ref().map(inner),
        product: Some(label.product.produkt),
        sequence_type: Some(label.sequence_type),
        status: label.status,
        meta: label.meta.clone(),
        subject: label.subject.clone(),
        data: content.data,
    }
}

#[test]
fn a_list_is_written_as_the_specification_shows_it() {
    let label = label();
    let written = String::from_utf8(write([Entry::of(&label, 1681)])).unwrap();
    assert_eq!(written, LIST.trim_end());
}

#[test]
fn what_the_specification_shows_is_read() {
    let label = label();
    let list = read(LIST).unwrap();
    assert_eq!(list.messages, [listed(Entry::of(&label, 1681))]);
}

#[test]
fn an_empty_mailbox_is_a_root_without_children() {
    let written = String::from_utf8(write([])).unwrap();
    assert!(
        written.ends_with("<shs.message-list version=\"1.2\"/>"),
        "{written}"
    );
    assert_eq!(read(&written).unwrap().messages, []);
    assert_eq!(
        read("<shs.message-list></shs.message-list>")
            .unwrap()
            .messages,
        []
    );
}

#[test]
fn a_message_without_texts_and_parts_has_no_children() {
    let mut label = label();
    label.meta.clear();
    label.subject = None;
    label.content.data.clear();
    label.originator = Some(InnerParty::new("urn:X-shs:0000000001.å"));
    label.end_recipient = Some(InnerParty::new("mailto:a@b.example"));
    label.to = None;
    let written = String::from_utf8(write([Entry::of(&label, 0)])).unwrap();
    assert!(written.contains(" originator=\"0000000001.&#229;\" from=\"urn:X-shs:0000000001\""));
    assert!(written.contains(" end-recipient=\"mailto:a@b.example\" product="));
    assert!(!written.contains(" to=\""));
    assert!(written.contains(" status=\"production\"/>\n</shs.message-list>"));
    assert_eq!(
        read(&written).unwrap().messages,
        [listed(Entry::of(&label, 0))]
    );
}

#[test]
fn ten_thousand_messages_come_back_in_order() {
    const MANY: usize = 10_000;
    let label = label();
    let labels: Vec<Label> = (0..MANY)
        .map(|i| Label {
            tx_id: TxId::parse(&format!("tx-{i}")).unwrap(),
            ..label.clone()
        })
        .collect();
    let written = write(labels.iter().map(|label| Entry::of(label, 1681)));
    assert!(written.is_ascii());
    let list = MessageList::read(&written, None).unwrap();
    assert_eq!(list.messages.len(), MANY);
    let in_order = |(i, one): (usize, &Listed)| one.tx_id.as_str() == format!("tx-{i}");
    assert!(list.messages.iter().enumerate().all(in_order));
}

#[test]
fn version_1_1_calls_its_elements_otherwise() {
    let old = LIST
        .replace("shs.message-list", "shs.document-list")
        .replace("shs-message-list-1.2.01.dtd", "shs-document-list-1.1.dtd")
        .replace("<message ", "<document ")
        .replace("</message>", "</document>")
        .replace("version=\"1.2\"", "version=\"1.1\"")
        .replace(" content.id=\"c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c02\"", "")
        .replace(" datapartType=\"underlag\"", "");
    let mut expected = read(LIST).unwrap();
    let message = &mut expected.messages[0];
    message.content_id = None;
    message.data[0].datapart_type.clear();
    assert_eq!(read(&old).unwrap(), expected);
}

#[test]
fn what_other_nodes_leave_out_or_write_their_own_way_is_taken() {
    let text = "<shs.message-list><message tx.id=' a ' timestamp='' size='' from='kontoret' \
                to='0000000002' product='okänd' corr.id='b c' content.id='' sequence-type=' adm '>\
                <x><meta name='n'>v</meta></x><subject>s</subject><data/></message>\
                <comment/></shs.message-list>";
    let list = MessageList::read(text.as_bytes(), Some("utf-8")).unwrap();
    let [message] = &*list.messages else { panic!() };
    assert_eq!(message.tx_id.as_str(), "a");
    assert_eq!((message.timestamp, message.size), (None, None));
    assert_eq!((&message.corr_id, &message.content_id), (&None, &None));
    assert_eq!((&message.from, message.product), (&None, None));
    assert_eq!(message.to.as_ref().unwrap().bare(), "0000000002");
    assert_eq!(message.sequence_type, Some(SequenceType::Adm));
    assert_eq!(message.status, Status::Production);
    assert_eq!(message.meta, []);
    assert_eq!(message.data[0].datapart_type, "");
    let bare = read("<shs.message-list><message tx.id='a'/></shs.message-list>").unwrap();
    assert_eq!(bare.messages[0].sequence_type, None);
}

#[test]
fn raw_characters_are_read_by_the_charset_of_the_answer() {
    let raw = LIST.replace("&#229;", "å");
    let latin1: Vec<u8> = raw
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let value = |bytes: &[u8], charset| {
        let list = MessageList::read(bytes, charset).unwrap();
        list.messages[0].meta[1].value.expose().clone()
    };
    assert_eq!(value(&latin1, Some("ISO-8859-1")), "månad");
    assert_eq!(value(&latin1, Some("UTF-8")), "månad");
    assert_eq!(value(raw.as_bytes(), Some("UTF-8")), "månad");
}

#[test]
fn every_fault_names_its_element_and_quotes_nothing() {
    let tx_id = " tx.id=\"c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01\"";
    let cases = [
        (tx_id, "", "tx.id"),
        (tx_id, " tx.id=\"\"", "tx.id"),
        (tx_id, " tx.id=\"hemlig hemlig\"", "tx.id"),
        (tx_id, " tx.id=\"../hemlig\"", "tx.id"),
        ("\"event\"", "\"EVENT\"", "sequence-type"),
        ("\"event\"", "\"\"", "sequence-type"),
        ("\"production\"", "\"hemlig\"", "status"),
        ("<shs.message-list ", "<shs.label ", "shs.message-list"),
        ("</message>", "", "shs.message-list"),
        (
            "</shs.message-list>",
            "</shs.message-list>hemlig",
            "shs.message-list",
        ),
        ("&#229;", "&hemlig;", "shs.message-list"),
        ("&#229;", "&#0;", "shs.message-list"),
        ("<subject>", "<subject><hemlig/>", "subject"),
        (
            "<meta name=\"period\">",
            "<meta name=\"period\" name=\"hemlig\">",
            "shs.message-list",
        ),
        (
            "01.dtd\">",
            "01.dtd\" [<!ENTITY hemlig \"x\">]>",
            "shs.message-list",
        ),
        (LIST, "", "shs.message-list"),
        (LIST, "OK", "shs.message-list"),
    ];
    for (from, to, element) in cases {
        assert!(LIST.contains(from), "{from}");
        let error = read(&LIST.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.element, element, "{to}");
        assert!(!error.to_string().contains("hemlig"), "{error}");
    }
}

#[test]
fn a_list_cut_short_at_any_byte_is_an_error() {
    let whole = LIST.trim_end();
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "{end}");
    }
}

#[test]
fn the_bounds_are_named() {
    let long = vec![b' '; LIST_BYTES_MAX + 1];
    assert_eq!(
        MessageList::read(&long, None).unwrap_err().fault,
        Fault::Limit("LIST_BYTES_MAX", LIST_BYTES_MAX)
    );
    let wrapped = |inner: String| format!("<shs.message-list>{inner}</shs.message-list>");
    let messages = "<message tx.id='a'/>".repeat(LIST_ELEMENTS_MAX + 1);
    let parts = "<data/>".repeat(LIST_ELEMENTS_MAX);
    let parts = format!("<message tx.id='a'>{parts}</message>");
    let unknown = "<x/>".repeat(LIST_ELEMENTS_MAX + 1);
    for inner in [messages, parts, unknown] {
        let error = read(&wrapped(inner)).unwrap_err();
        let limit = Fault::Limit("LIST_ELEMENTS_MAX", LIST_ELEMENTS_MAX);
        assert_eq!(error.fault, limit);
    }
}

#[test]
fn what_is_listed_about_people_is_never_shown() {
    let mut label = label();
    label.subject = Some(Sensitive::new("hemlig".to_owned()));
    label.originator = Some(InnerParty::new("hemlig"));
    label.content.data[0].filename = Some(Sensitive::new("hemlig.pdf".to_owned()));
    let entry = Entry::of(&label, 1);
    let list = MessageList::read(&write([entry]), None).unwrap();
    assert!(!format!("{entry:?} {list:?}").contains("hemlig"));
}

/// Text that XML can hold, with everything that must be escaped.
fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[ -~\t\n\r\u{7F}-\u{FF}€\u{2028}\u{D7FF}😀]{0,20}").unwrap()
}

fn sensitive() -> impl Strategy<Value = Sensitive<String>> {
    text().prop_map(Sensitive::new)
}

prop_compose! {
    fn any_data()(
        datapart_type in text(),
        filename in proptest::option::of(sensitive()),
        no_of_bytes in any::<Option<u64>>(),
        no_of_records in any::<Option<u64>>(),
    ) -> Data {
        Data { datapart_type, filename, no_of_bytes, no_of_records }
    }
}

prop_compose! {
    fn any_label()(
        tx_id in "[A-Za-z0-9._:-]{1,40}",
        subject in proptest::option::of(sensitive()),
        originator in proptest::option::of(text()),
        end_recipient in proptest::option::of(text()),
        to in proptest::option::of("[0-9]{10}(\\.[a-zåäö]{1,8})?"),
        meta in proptest::collection::vec((sensitive(), sensitive()), 0..3),
        data in proptest::collection::vec(any_data(), 0..3),
        seconds in 0..4_000_000_000_i64,
        sequence_type in prop_oneof![
            Just(SequenceType::Event), Just(SequenceType::Request),
            Just(SequenceType::Reply), Just(SequenceType::Adm),
        ],
        status in prop_oneof![Just(Status::Test), Just(Status::Production)],
    ) -> Label {
        let mut label = label();
        label.tx_id = TxId::parse(&tx_id).unwrap();
        label.subject = subject;
        label.originator = originator.map(InnerParty::new);
        label.end_recipient = end_recipient.map(InnerParty::new);
        label.to = to.map(|to| Actor::new(Adress::parse(&to).unwrap(), None));
        label.meta = meta.into_iter().map(|(name, value)| Meta { name, value }).collect();
        label.content.data = data;
        label.datetime = time::swedish(chrono::DateTime::from_timestamp(seconds, 0).unwrap());
        label.sequence_type = sequence_type;
        label.status = status;
        label
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        labels in proptest::collection::vec((any_label(), any::<u64>()), 0..4),
    ) {
        let entries = labels.iter().map(|(label, size)| Entry::of(label, *size));
        let written = write(entries.clone());
        prop_assert!(written.is_ascii());
        let list = MessageList::read(&written, None).unwrap();
        let expected: Vec<Listed> = entries.map(listed).collect();
        prop_assert_eq!(list.messages, expected);
    }

    #[test]
    fn no_bytes_panic(
        start in 0..LIST.len(),
        bytes in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut list = LIST.as_bytes().to_vec();
        let end = (start + bytes.len()).min(list.len());
        list.splice(start..end, bytes);
        let _ = MessageList::read(&list, None);
    }
}
