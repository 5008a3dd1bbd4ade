//! Errors and confirmations: those that come are matched with what they are about and delivered; none is
//! ever made about another; one that is agreed on is made once (shs-1.2, 6.2, 6.3, 7.9, 7.10).

use samsvar_actors::tally::TransferEnd;
use samsvar_actors::transfers::TransferState;
use shs_schemas::ErrorCode as Code;
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::mime::Limits;
use shs_schemas::shs::label::Label;
use shs_schemas::shs::management::Outcome;
use shs_schemas::shs::{Management, Message, Produkt};

use crate::exchange::{
    DESCRIBED, EXEMPELKOPING, Further, NEIGHBOUR, NOBODY, PROVSTAD, actor, asynch_question, file,
    file_to, node, produkt,
};
use crate::next_node::{NextNode, Says};
use crate::rig::Rig;
use crate::sandbox::{Builder, eventually};
use crate::told::{assert_about, label_in};
use crate::xmllint::{Kind, assert_valid};

fn error_about(label: &Label) -> Message {
    let own = label.to.clone().unwrap();
    let now = chrono::Utc::now();
    Message::error_about(
        label,
        &own,
        Code::IllegalDatapartContent,
        "fel",
        vec![],
        now,
    )
}

fn confirmation_of(label: &Label) -> Message {
    let own = label.to.clone().unwrap();
    Message::confirmation_of(label, &own, chrono::Utc::now())
}

/// A message that was pushed to the neighbour.
async fn pushed(next: &NextNode) -> (Rig, Message) {
    let rig = Rig::over(node().neighbour(Some(next.url()))).await;
    let message = file_to(Some(NEIGHBOUR));
    rig.accepted(&message).await;
    rig.settled().await;
    assert_eq!(
        rig.state(&message.label.tx_id),
        Some((TransferState::Sent, false))
    );
    (rig, message)
}

#[tokio::test]
async fn a_received_error_quarantines_its_message_and_is_delivered() {
    let next = NextNode::that_takes().await;
    let (rig, message) = pushed(&next).await;
    let error = error_about(&message.label);
    rig.accepted(&error).await;
    let (lies, _) = rig.only(EXEMPELKOPING, "?producttype=error").await;
    assert_eq!(lies.label.tx_id, error.label.tx_id);
    assert_eq!(lies.parts, error.parts);
    let state = TransferState::Quarantined {
        code: Code::IllegalDatapartContent,
    };
    assert_eq!(rig.state(&message.label.tx_id), Some((state, false)));
    assert_eq!(rig.end(TransferEnd::Error), 0, "no error about an error");
    assert_eq!(next.posts(), 1);
}

#[tokio::test]
async fn a_received_confirmation_acknowledges_its_message_with_and_without_the_element() {
    for element in ["<confirmation/>", ""] {
        let next = NextNode::that_takes().await;
        let (rig, message) = pushed(&next).await;
        let mut confirmation = confirmation_of(&message.label);
        let document = String::from_utf8(confirmation.parts[0].data.expose().to_vec()).unwrap();
        assert!(document.contains("<confirmation/>"));
        let document = document.replace("<confirmation/>", element);
        confirmation.parts[0].data = bytes::Bytes::from(document).into();
        rig.accepted(&confirmation).await;
        let (lies, _) = rig.only(EXEMPELKOPING, "?producttype=confirm").await;
        assert_eq!(lies.label.tx_id, confirmation.label.tx_id);
        let state = rig.state(&message.label.tx_id);
        assert_eq!(state, Some((TransferState::Sent, true)));
        assert!(rig.ledger().contains("bekraftelse"), "{}", rig.ledger());
    }
}

#[tokio::test]
async fn the_management_document_decides_what_an_error_is_about_and_not_its_label() {
    let next = NextNode::that_takes().await;
    let (rig, message) = pushed(&next).await;
    let mut error = error_about(&message.label);
    error.label.content.id = ContentId::fresh();
    error.label.corr_id = CorrId::parse("another").unwrap();
    rig.accepted(&error).await;
    rig.settled().await;
    let (state, _) = rig.state(&message.label.tx_id).unwrap();
    assert!(matches!(state, TransferState::Quarantined { .. }));
}

#[tokio::test]
async fn what_is_about_nothing_known_is_delivered_all_the_same() {
    let rig = Rig::over(node()).await;
    let unknown = file_to(Some(NEIGHBOUR));
    let mut unreadable = error_about(&unknown.label);
    unreadable.label.tx_id = TxId::fresh();
    unreadable.parts[0].data = bytes::Bytes::from_static(b"inget dokument").into();
    for message in [
        error_about(&unknown.label),
        confirmation_of(&unknown.label),
        unreadable,
    ] {
        rig.accepted(&message).await;
    }
    rig.settled().await;
    assert_eq!(rig.list(EXEMPELKOPING, "").await.len(), 3);
    assert_eq!((rig.end(TransferEnd::Outbox), rig.ends()), (3, 3));
}

#[tokio::test]
async fn an_error_about_an_administrative_message_is_never_made() {
    let next = NextNode::that([Says::status(400)]).await;
    let rig = Rig::over(node().neighbour(Some(next.url()))).await;
    for (place, to) in [NOBODY, NEIGHBOUR].into_iter().enumerate() {
        for mut message in [error_about(&file().label), confirmation_of(&file().label)] {
            message.label.from = Some(actor(EXEMPELKOPING));
            message.label.to = Some(actor(to));
            rig.accepted(&message).await;
            rig.settled().await;
            let (state, _) = rig.state(&message.label.tx_id).unwrap();
            assert!(
                matches!(state, TransferState::Quarantined { .. }),
                "{place}"
            );
        }
    }
    let mut nowhere = error_about(&file().label);
    nowhere.label.to = None;
    rig.accepted(&nowhere).await;
    rig.settled().await;
    assert_eq!((rig.end(TransferEnd::Quarantined), rig.ends()), (5, 5));
    assert_eq!(next.posts(), 2);
    assert_eq!(rig.asynch().outboxes().counts().messages, 0);
    rig.assert_no_place_is_held().await;
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn not_even_when_it_makes_a_transfer_fall() {
    let rig = Rig::over(node()).await;
    rig.failpoints().arm("transfer", 1);
    rig.accepted(&error_about(&file().label)).await;
    rig.settled().await;
    assert_eq!((rig.end(TransferEnd::Quarantined), rig.ends()), (1, 1));
    assert_eq!(rig.asynch().outboxes().counts().messages, 0);
}

/// A file to a municipality that has been acknowledged twice.
async fn acknowledged_twice(builder: Builder, product: Option<&str>) -> (Rig, Message) {
    let rig = Rig::over(builder).await;
    let mut message = file_to(Some("2120009986.ekonomi"));
    if let Some(product) = product {
        message.label.product.produkt = produkt(product);
    }
    rig.accepted(&message).await;
    rig.settled().await;
    let tx_id = &message.label.tx_id;
    for _ in 0..2 {
        assert_eq!(rig.acknowledge("2120009986.ekonomi", tx_id).await, 200);
    }
    eventually("it is noted", || rig.ledger().contains("kvitterat")).await;
    eventually("its state is known", || {
        rig.state(tx_id) == Some((TransferState::Fetched, true))
    })
    .await;
    (rig, message)
}

async fn assert_confirmed_once(rig: &Rig, message: &Message) {
    let counts = || rig.asynch().outboxes().counts().messages;
    eventually("it is confirmed", || counts() == 1).await;
    let (confirmation, bytes) = rig.only(EXEMPELKOPING, "?producttype=confirm").await;
    assert_about(&confirmation, &message.label, Produkt::Confirm);
    let document = confirmation.parts[0].data.expose();
    assert_valid(Kind::Label, &[label_in(&bytes)]);
    assert_valid(Kind::Management, &[document.to_vec()]);
    assert!(String::from_utf8_lossy(document).contains("<confirmation/>"));
    let management = Management::read(document, None, &Limits::default()).unwrap();
    assert_eq!(management.outcome, Outcome::Confirmation);
    assert_eq!(management.corr_id, message.label.corr_id);
    assert_eq!(management.content_id, message.label.content.id);
    // Acknowledging it makes no other.
    let tx_id = &confirmation.label.tx_id;
    assert_eq!(rig.acknowledge(EXEMPELKOPING, tx_id).await, 200);
    assert_eq!(counts(), 0);
}

#[tokio::test]
async fn a_confirmation_that_is_agreed_on_is_made_once_at_the_first_acknowledgement() {
    let (rig, message) = acknowledged_twice(node(), None).await;
    assert_confirmed_once(&rig, &message).await;
}

#[tokio::test]
async fn a_confirmation_that_nobody_agreed_on_is_not_made() {
    let (rig, message) = acknowledged_twice(node(), Some(DESCRIBED)).await;
    // A message that comes after is confirmed: nothing was on its way before it.
    let agreed = file();
    rig.accepted(&agreed).await;
    rig.settled().await;
    assert_eq!(rig.acknowledge(PROVSTAD, &agreed.label.tx_id).await, 200);
    eventually("the other is confirmed", || {
        rig.asynch().outboxes().counts().messages == 1
    })
    .await;
    let (confirmation, _) = rig.only(EXEMPELKOPING, "").await;
    assert_eq!(confirmation.label.corr_id, agreed.label.corr_id);
    assert_ne!(confirmation.label.corr_id, message.label.corr_id);
}

#[tokio::test]
async fn a_confirmation_is_always_made_when_the_operator_wants_it() {
    let always = node().with(|settings| settings.relay.confirm_always = true);
    let (rig, message) = acknowledged_twice(always, Some(DESCRIBED)).await;
    assert_confirmed_once(&rig, &message).await;
}

#[tokio::test]
async fn a_question_that_is_answered_is_confirmed_when_the_operator_wants_it() {
    let rig = Rig::over(node().with(|settings| settings.relay.confirm_always = true)).await;
    let question = asynch_question();
    rig.accepted(&question).await;
    rig.settled().await;
    let products: Vec<_> = rig.list(EXEMPELKOPING, "").await;
    let products: Vec<_> = products.iter().map(|one| one.product.unwrap()).collect();
    assert_eq!(products, [question.label.product.produkt, Produkt::Confirm]);
}

#[tokio::test]
async fn an_error_about_a_reply_of_this_nodes_own_ends_here() {
    let rig = Rig::over(node()).await;
    let question = asynch_question();
    rig.accepted(&question).await;
    let (reply, _) = rig.only(EXEMPELKOPING, "").await;
    let error = error_about(&reply.label);
    rig.accepted(&error).await;
    rig.settled().await;
    assert_eq!(rig.end(TransferEnd::Kept), 1);
    let (state, _) = rig.state(&reply.label.tx_id).unwrap();
    assert!(matches!(state, TransferState::Quarantined { .. }));
    assert_eq!(rig.list("2021009994", "").await, []);
}
