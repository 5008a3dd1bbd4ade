//! shs-1.2, 7.8: every row of the table, for every column.

use chrono::{DateTime, Utc};
use shs_schemas::ids::{AgreementId, ContentId};
use shs_schemas::shs::label::{InnerParty, MessageType, SequenceType, Status, TransferType};
use shs_schemas::shs::{Actor, Administrative, Adress, Label, Produkt, time};

use super::sample::{Sample, usual};

fn now() -> DateTime<Utc> {
    "2031-03-04T11:30:00.9Z".parse().expect("a time")
}

fn own() -> Actor {
    Actor::new(
        Adress::parse("0000000009").expect("an address"),
        Some("Egen".to_owned()),
    )
}

/// A label with everything in it.
fn original(transfer_type: TransferType) -> Label {
    let mut label = usual().label;
    label.transfer_type = transfer_type;
    label.sequence_type = SequenceType::Request;
    label.status = Status::Test;
    label.agreement = AgreementId::parse("a-1").ok();
    label.originator = Some(InnerParty::new("inre avsändare"));
    label.end_recipient = Some(InnerParty {
        name: Some("Namn".to_owned().into()),
        ..InnerParty::new("urn:X-shs:0000000002.x")
    });
    label.meta = vec![shs_schemas::shs::label::Meta {
        name: "n".to_owned().into(),
        value: "v".to_owned().into(),
    }];
    label.received(
        shs_schemas::ids::NodeId::parse("nod-1").expect("an id"),
        shs_schemas::ids::LocalId::parse("l-1").expect("an id"),
        now(),
    );
    label
}

struct Column {
    name: &'static str,
    original: Label,
    derived: Label,
}

/// The four columns of the table.
fn columns() -> [Column; 4] {
    let reply = |transfer_type| {
        let original = original(transfer_type);
        let derived = original.reply(ContentId::fresh(), &own(), now());
        (original, derived)
    };
    let administrative = |transfer_type, kind| {
        let original = original(transfer_type);
        let derived = original.administrative(kind, &own(), now());
        (original, derived)
    };
    [
        ("synch reply", reply(TransferType::Synch)),
        ("asynch reply", reply(TransferType::Asynch)),
        (
            "asynch error",
            administrative(TransferType::Asynch, Administrative::Error),
        ),
        (
            "synch error",
            administrative(TransferType::Synch, Administrative::Error),
        ),
    ]
    .map(|(name, (original, derived))| Column {
        name,
        original,
        derived,
    })
}

#[test]
fn the_version_written_is_1_2_also_for_an_original_of_1_1() {
    let sample = Sample::with_label("version=\"1.2\"", "version=\"1.1\"");
    let label = sample.message().label;
    for derived in [
        label.reply(ContentId::fresh(), &own(), now()),
        label.administrative(Administrative::Confirm, &own(), now()),
    ] {
        let text = String::from_utf8(derived.write()).expect("ASCII");
        assert!(text.contains("<shs.label version=\"1.2\" "));
    }
}

#[test]
fn the_tx_id_is_that_of_the_request_in_a_synch_answer_else_new() {
    for Column {
        name,
        original,
        derived,
    } in columns()
    {
        let same = derived.tx_id == original.tx_id;
        assert_eq!(same, name.starts_with("synch"), "{name}");
    }
    let original = original(TransferType::Asynch);
    let kind = Administrative::Confirm;
    let first = original.administrative(kind, &own(), now()).tx_id;
    assert_ne!(first, original.administrative(kind, &own(), now()).tx_id);
}

#[test]
fn the_corr_id_and_agreement_and_status_are_copied() {
    for Column {
        name,
        original,
        derived,
    } in columns()
    {
        assert_eq!(derived.corr_id, original.corr_id, "{name}");
        assert_eq!(derived.agreement, original.agreement, "{name}");
        assert_eq!(derived.status, original.status, "{name}");
    }
}

#[test]
fn the_content_id_is_new_in_a_reply_and_that_of_the_original_in_an_error() {
    for Column {
        name,
        original,
        derived,
    } in columns()
    {
        let same = derived.content.id == original.content.id;
        assert_eq!(same, name.ends_with("error"), "{name}");
    }
}

#[test]
fn transfer_and_sequence_type_are_those_of_the_column() {
    for Column { name, derived, .. } in columns() {
        let (transfer, kind) = name.split_once(' ').expect("two words");
        assert_eq!(derived.transfer_type.as_str(), transfer, "{name}");
        let sequence = if kind == "reply" {
            SequenceType::Reply
        } else {
            SequenceType::Adm
        };
        assert_eq!(derived.sequence_type, sequence, "{name}");
        assert_eq!(derived.message_type, MessageType::Simple, "{name}");
    }
}

#[test]
fn a_confirmation_is_always_asynchronous() {
    for transfer_type in [TransferType::Asynch, TransferType::Synch] {
        let original = original(transfer_type);
        let derived = original.administrative(Administrative::Confirm, &own(), now());
        assert_eq!(derived.transfer_type, TransferType::Asynch);
        assert_eq!(derived.product.produkt, Produkt::Confirm);
        assert_eq!(derived.content.id, original.content.id);
        assert_ne!(derived.tx_id, original.tx_id);
    }
}

#[test]
fn parties_change_places_inner_ids_and_names_included() {
    for Column {
        name,
        original,
        derived,
    } in columns()
    {
        assert_eq!(derived.from, original.to, "{name}");
        assert_eq!(derived.to, original.from, "{name}");
        assert_eq!(derived.originator, original.end_recipient, "{name}");
        assert_eq!(derived.end_recipient, original.originator, "{name}");
    }
}

#[test]
fn the_own_actor_signs_for_an_original_without_receiver() {
    let mut label = original(TransferType::Asynch);
    label.to = None;
    label.end_recipient = None;
    for derived in [
        label.reply(ContentId::fresh(), &own(), now()),
        label.administrative(Administrative::Error, &own(), now()),
        label.administrative(Administrative::Confirm, &own(), now()),
    ] {
        assert_eq!(derived.from, Some(own()));
        assert_eq!(derived.originator, None);
    }
}

#[test]
fn a_receiver_has_no_mail_address_nor_uri() {
    let mut label = original(TransferType::Asynch);
    let from = label.from.as_mut().expect("a sender");
    from.e_mail = Some("a@b.example".to_owned().into());
    from.labeled_uri = Some("https://b.example".to_owned());
    let derived = label.administrative(Administrative::Error, &own(), now());
    let to = derived.to.expect("a receiver");
    assert_eq!((to.e_mail, to.labeled_uri), (None, None));
}

#[test]
fn the_product_is_the_same_in_a_reply_and_special_in_an_error() {
    for Column {
        name,
        original,
        derived,
    } in columns()
    {
        if name.ends_with("reply") {
            assert_eq!(derived.product, original.product, "{name}");
        } else {
            assert_eq!(derived.product, Produkt::Error.into(), "{name}");
        }
    }
}

#[test]
fn nothing_else_of_the_original_goes_along_and_the_time_is_now() {
    for Column {
        name,
        original,
        derived,
    } in columns()
    {
        assert!(!original.meta.is_empty() && !original.history.is_empty());
        assert!(
            derived.meta.is_empty() && derived.history.is_empty(),
            "{name}"
        );
        assert_eq!(derived.subject, None, "{name}");
        assert_eq!(derived.content.comment, None, "{name}");
        assert_eq!(
            time::write(derived.datetime),
            "2031-03-04T12:30:00",
            "{name}"
        );
    }
}

#[test]
fn originator_is_written_before_from() {
    for Column { name, derived, .. } in columns() {
        let text = String::from_utf8(derived.write()).expect("ASCII");
        assert!(text.find("<originator") < text.find("<from"), "{name}");
    }
}
