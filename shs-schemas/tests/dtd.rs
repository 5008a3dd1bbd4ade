//! What we write is valid: against our own DTDs, and against the original ones when they are at
//! hand. And ours judge like the originals, about right and wrong documents.

mod judged;
mod support;

use std::path::PathBuf;

use bytes::Bytes;
use shs_schemas::ErrorCode;
use shs_schemas::ids::{ContentId, LocalId, NodeId};
use shs_schemas::mime::Limits;
use shs_schemas::shs::management::AppInfo;
use shs_schemas::shs::message_list::{self, Entry};
use shs_schemas::shs::{
    Actor, Administrative, Adress, Agreement, KnownIds, Label, Management, Message, MessageList,
    ProductType, WriteOptions,
};

use judged::{AGREEMENT, JUDGED, LABEL, MANAGEMENT, MESSAGE_LIST, PRODUCT};

fn ours(dtd: &str) -> PathBuf {
    support::here().join("schemas").join(dtd)
}

/// Our DTD, and the original when it is at hand.
fn both(dtd: &str) -> Vec<PathBuf> {
    let original = support::contract().map(|contract| contract.join("shs").join(dtd));
    [Some(ours(dtd)), original].into_iter().flatten().collect()
}

/// Every document that we write from the corpus: labels as they came, replies, errors; and what
/// goes with a refusal.
fn written() -> Vec<(String, Vec<u8>, &'static str)> {
    let address = Adress::parse("2021009994").expect("an address");
    let own = Actor::new(address, Some("Exempelkassan".to_owned()));
    let now = "2031-03-04T08:15:01Z".parse().expect("a time");
    let mut documents = Vec::new();
    let mut labels = Vec::new();
    for (name, bytes) in [support::corpus("spec"), support::corpus("legacy")].concat() {
        let message = Message::read(Bytes::from(bytes), None, &Limits::default())
            .expect("the corpus is readable");
        let label = message.label;
        let reply = label.reply(ContentId::fresh(), &own, now);
        let error = label.administrative(Administrative::Error, &own, now);
        let refusal = Management::refusal(
            &label.known_ids(),
            ErrorCode::MissingAgreement,
            "å <&>",
            now,
        );
        documents.push((name.clone(), label.write(), LABEL));
        documents.push((format!("{name}: reply"), reply.write(), LABEL));
        documents.push((format!("{name}: error"), error.write(), LABEL));
        documents.push((format!("{name}: refusal"), refusal.write(), MANAGEMENT));
        documents.push((
            format!("{name}: relayed"),
            relayed(&label, &own).write(),
            LABEL,
        ));
        for (kind, told) in told(&label, &own) {
            let document = told.parts[0].data.expose().to_vec();
            documents.push((format!("{name}: {kind}"), label_in(&told), LABEL));
            documents.push((format!("{name}: {kind} document"), document, MANAGEMENT));
        }
        for part in message.parts {
            let document = part.data.expose();
            if let Ok(read) = Management::read(document, None, &Limits::default()) {
                documents.push((format!("{name}: document"), read.write(), MANAGEMENT));
            }
        }
        labels.push(label);
    }
    documents.push((
        "empty list".to_owned(),
        message_list::write([]),
        MESSAGE_LIST,
    ));
    let entries = labels.iter().map(|label| Entry::of(label, 1));
    let list = message_list::write(entries);
    documents.push(("list".to_owned(), list, MESSAGE_LIST));
    let nothing = KnownIds::default();
    let refusal = Management::refusal(&nothing, ErrorCode::OtherError, "", now);
    documents.push(("nothing known".to_owned(), refusal.write(), MANAGEMENT));
    documents
}

/// The label after a node has done everything to it that a node may do.
fn relayed(label: &Label, own: &Actor) -> Label {
    let mut label = label.clone();
    label.set_from_if_absent(own);
    label.address_to(own.address.clone(), None);
    label.fill_names(Some("Å <&> \"Namn\""), Some("https://a.example"), Some("'"));
    let node = NodeId::parse("nod-1").expect("an id");
    let now = "2031-03-04T08:15:01Z".parse().expect("a time");
    label.received(node, LocalId::parse("l-1").expect("an id"), now);
    label
}

/// What a node may tell about a message, as whole messages.
fn told(label: &Label, own: &Actor) -> [(&'static str, Message); 2] {
    let now = "2031-03-04T08:15:01Z".parse().expect("a time");
    let appinfo = ["txId", "", "två ord"].map(|name| AppInfo {
        name: name.to_owned(),
        text: format!("å <&> {name}\u{1}").into(),
    });
    let code = ErrorCode::MissingAgreement;
    let error = Message::error_about(label, own, code, "\"å\" <&>\n€", appinfo.into(), now);
    let confirmation = Message::confirmation_of(label, own, now);
    [("error message", error), ("confirmation", confirmation)]
}

/// The label of a message as it is sent.
fn label_in(message: &Message) -> Vec<u8> {
    let written = message.write_for(&WriteOptions::default());
    let body = written.body.expose();
    let start = memchr::memmem::find(body, b"<?xml ").expect("a label");
    body[start..written.label_end].to_vec()
}

#[test]
fn what_is_written_is_valid() {
    if !support::has_xmllint() {
        return;
    }
    for (name, document, kind) in written() {
        must_be_valid(&name, &document, kind);
    }
}

fn must_be_valid(name: &str, document: &[u8], kind: &str) {
    for dtd in both(kind) {
        let result = support::validate(document, &dtd);
        assert_eq!(result, Ok(()), "{name} against {}", dtd.display());
    }
}

/// What the readers' tests start from is valid too, or they would prove little.
#[test]
fn the_examples_of_the_specification_are_valid_and_read() {
    let example = |name: &str| {
        let path = support::here().join("tests/corpus/documents").join(name);
        std::fs::read(path).expect("the example lies beside the test")
    };
    let product = example("product.xml");
    ProductType::read(&product).expect("a product description");
    let agreement = example("agreement.xml");
    Agreement::read(&agreement).expect("an agreement");
    let list = example("message-list.xml");
    MessageList::read(&list, None).expect("a message list");
    let label = example("label.xml");
    Label::read(&label, None, &Limits::default()).expect("a label");
    if !support::has_xmllint() {
        return;
    }
    for (name, document, kind) in [
        ("product", product, PRODUCT),
        ("agreement", agreement, AGREEMENT),
        ("message list", list, MESSAGE_LIST),
        ("label", label, LABEL),
    ] {
        must_be_valid(name, &document, kind);
    }
}

/// The agreements and product descriptions that come with the node are valid, as they are copied from.
#[test]
fn what_the_configuration_holds_is_valid() {
    let config = support::here().join("../config");
    for (folder, kind, many) in [("agreements", AGREEMENT, 4), ("products", PRODUCT, 1)] {
        let files = std::fs::read_dir(config.join(folder)).expect("a folder");
        let files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        assert!(files.len() >= many, "{folder}");
        for file in files {
            let document = std::fs::read(&file).expect("a document");
            let read = match kind {
                PRODUCT => ProductType::read(&document).map(|_| ()),
                _ => Agreement::read(&document).map(|_| ()),
            };
            assert_eq!(read, Ok(()), "{}", file.display());
            if support::has_xmllint() {
                must_be_valid(&file.display().to_string(), &document, kind);
            }
        }
    }
}

#[test]
fn our_dtds_judge_like_the_originals() {
    let Some(contract) = support::contract() else {
        return;
    };
    if !support::has_xmllint() {
        return;
    }
    let mut verdicts = [0, 0];
    for (dtd, frame, words) in JUDGED {
        let original = contract.join("shs").join(dtd);
        for word in words {
            let document = frame.replace("{}", word);
            let our = support::validate(document.as_bytes(), &ours(dtd)).is_ok();
            let theirs = support::validate(document.as_bytes(), &original).is_ok();
            assert_eq!(our, theirs, "{document}");
            verdicts[usize::from(our)] += 1;
        }
    }
    // The list must hold both kinds, or the comparison says nothing.
    assert!(verdicts[0] > 60 && verdicts[1] > 30, "{verdicts:?}");
}
