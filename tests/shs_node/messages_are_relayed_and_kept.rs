//! What a node keeps for its own actors' systems and what it passes on, and what it changes in a label on
//! the way (shs-1.2, 1.5, 7.2 to 7.4, 7.8, 7.11).

use samsvar::settings::Status as Served;
use samsvar_actors::tally::TransferEnd;
use samsvar_actors::transfers::TransferState;
use shs_schemas::ErrorCode as Code;
use shs_schemas::mime::Limits;
use shs_schemas::shs::Message;
use shs_schemas::shs::label::{Label, SequenceType, Status, TransferType};

use crate::exchange::{
    CIRCULAR, EXEMPELKOPING, FILES, Further, NEIGHBOUR, OWN, PROVSTAD, actor, asynch_question,
    exchanged, file, file_to, node, ping, produkt,
};
use crate::next_node::{NextNode, Says};
use crate::rig::Rig;
use crate::told::{assert_refused, label_in};
use crate::xmllint::{Kind, assert_valid};

/// What a fetched or pushed label says beyond what its sender wrote (7.3).
fn assert_relayed(label: &Label, original: &Label, name_of_to: &str) {
    let [entry] = &label.history[original.history.len()..] else {
        panic!("one more history entry")
    };
    assert_eq!(entry.node_id.as_str(), "samsvar-demo");
    assert_eq!(entry.tx_id.as_ref(), Some(&label.tx_id));
    assert_eq!(entry.content_id.as_ref(), Some(&label.content.id));
    assert_eq!(
        entry.from,
        label.from.as_ref().map(|from| from.address.to_string())
    );
    assert!(entry.local_id.is_some());
    let expected = Label {
        history: label.history.clone(),
        to: label.to.clone(),
        content: label.content.clone(),
        ..original.clone()
    };
    assert_eq!(*label, expected, "nothing else is changed");
    assert_eq!(label.content.id, original.content.id);
    let to = label.to.as_ref().unwrap();
    assert_eq!(to.common_name.as_deref(), Some(name_of_to));
    if let Some(named) = &original.to {
        assert_eq!(to.address, named.address);
        assert_eq!(
            entry.to.as_deref(),
            Some(named.address.to_string().as_str())
        );
    }
}

#[tokio::test]
async fn a_message_is_kept_for_its_receiver_with_history_and_names() {
    let rig = Rig::over(node()).await;
    let mut message = file();
    let nameless = exchanged(
        &message,
        "<from commonName=\"Exempelk&#246;pings kommun\">",
        "<from>",
    );
    let answer = rig.post(nameless).await;
    assert_eq!(answer.status, 202);
    let (kept, bytes) = rig.only(PROVSTAD, "").await;
    let from = kept.label.from.as_ref().unwrap();
    assert_eq!(from.common_name.as_deref(), Some("Exempelköpings kommun"));
    message.label.from.as_mut().unwrap().common_name = from.common_name.clone();
    assert_relayed(&kept.label, &message.label, "Provstads kommun");
    let local = kept.label.history[0].local_id.as_ref().unwrap();
    assert_eq!(answer.header("x-shs-localid"), Some(local.as_str()));
    assert_eq!(kept.parts, message.parts);
    assert_valid(Kind::Label, &[label_in(&bytes)]);
    let state = rig.state(&message.label.tx_id);
    assert_eq!(state, Some((TransferState::Received, false)));
}

#[tokio::test]
async fn an_internal_id_is_a_mailbox_of_its_own() {
    let rig = Rig::over(node()).await;
    let (inner, outer) = (file_to(Some("2120009986.ekonomi")), file());
    for message in [&inner, &outer] {
        rig.accepted(message).await;
    }
    let (kept, _) = rig.only("2120009986.ekonomi", "").await;
    assert_eq!(kept.label.tx_id, inner.label.tx_id);
    assert_relayed(&kept.label, &inner.label, "Provstads kommun");
    let (kept, _) = rig.only(PROVSTAD, "").await;
    assert_eq!(kept.label.tx_id, outer.label.tx_id);
    assert_eq!(rig.list("2120009986.Ekonomi", "").await, []);
}

#[tokio::test]
async fn a_message_is_passed_on_to_its_receivers_node_with_history_and_names() {
    let next = NextNode::that_takes().await;
    let rig = Rig::over(node().neighbour(Some(next.url()))).await;
    let message = file_to(Some("5560000027.arkiv"));
    rig.accepted(&message).await;
    rig.settled().await;
    let [taken] = &next.taken()[..] else {
        panic!("one post")
    };
    assert_relayed(&taken.label, &message.label, "Grannbolaget");
    assert_eq!(taken.parts, message.parts);
}

#[tokio::test]
async fn a_message_of_another_node_is_kept_behind_the_history_it_has() {
    let next = NextNode::that_takes().await;
    let rig = Rig::over(node().neighbour(Some(next.url()))).await;
    rig.accepted(&file_to(Some(NEIGHBOUR))).await;
    rig.settled().await;
    // The neighbour sends back what it got.
    let mut message = next.taken().remove(0);
    message.label.tx_id = shs_schemas::ids::TxId::fresh();
    std::mem::swap(&mut message.label.from, &mut message.label.to);
    rig.accepted(&message).await;
    let (kept, _) = rig.only(EXEMPELKOPING, "").await;
    assert_eq!(kept.label.history.len(), 2);
    assert_relayed(&kept.label, &message.label, "Exempelköpings kommun");
}

#[tokio::test]
async fn a_product_with_one_receiver_addresses_a_message() {
    // Of the three agreements about files the customer is one party of two.
    let rig = Rig::over(node()).await;
    let mut message = file_to(None);
    message.label.agreement =
        Some(shs_schemas::ids::AgreementId::parse(crate::exchange::FILES_AGREED).unwrap());
    rig.accepted(&message).await;
    let (kept, _) = rig.only(PROVSTAD, "").await;
    assert_relayed(&kept.label, &message.label, "Provstads kommun");
    assert_eq!(
        kept.label.history[0].to, None,
        "it had no receiver when it came"
    );
    assert_eq!((rig.end(TransferEnd::Outbox), rig.ends()), (1, 1));

    let mut ping = ping();
    ping.label.transfer_type = TransferType::Asynch;
    ping.label.to = None;
    rig.accepted(&ping).await;
    rig.settled().await;
    assert_eq!(rig.end(TransferEnd::Answered), 1);
}

#[tokio::test]
async fn a_product_with_several_receivers_makes_a_copy_for_each() {
    let rig = Rig::over(node()).await;
    let mut message = file_to(None);
    message.label.product.produkt = produkt(CIRCULAR);
    rig.accepted(&message).await;
    rig.settled().await;
    let state = rig.state(&message.label.tx_id);
    assert_eq!(state, Some((TransferState::OneToMany, false)));
    let mut tx_ids = vec![message.label.tx_id.clone()];
    for (receiver, name) in [(PROVSTAD, "Provstads kommun"), (OWN, "Exempelkassan")] {
        let (copy, _) = rig.only(receiver, "").await;
        assert!(!tx_ids.contains(&copy.label.tx_id), "a transfer of its own");
        tx_ids.push(copy.label.tx_id.clone());
        assert_eq!(copy.label.history.len(), 1);
        let mut original = message.label.clone();
        original.tx_id = copy.label.tx_id.clone();
        original.to = Some(actor(receiver));
        assert_relayed(&copy.label, &original, name);
        assert_eq!(copy.parts, message.parts);
        let state = rig.state(&copy.label.tx_id);
        assert_eq!(state, Some((TransferState::Received, false)));
    }
    assert_eq!(
        (
            rig.end(TransferEnd::Split),
            rig.end(TransferEnd::Outbox),
            rig.ends()
        ),
        (1, 2, 3)
    );
    rig.assert_no_place_is_held().await;
}

#[tokio::test]
async fn copies_that_cannot_be_delivered_are_told_one_by_one() {
    let next = NextNode::that([Says::status(403)]).await;
    let builder = node()
        .neighbour(Some(next.url()))
        .agreed(crate::exchange::agreement(
            EXEMPELKOPING,
            NEIGHBOUR,
            CIRCULAR,
        ));
    let rig = Rig::over(builder).await;
    let mut message = file_to(None);
    message.label.product.produkt = produkt(CIRCULAR);
    rig.accepted(&message).await;
    let (error, _) = rig.only(EXEMPELKOPING, "?producttype=error").await;
    assert_eq!(error.label.from.as_ref().unwrap().address.bare(), NEIGHBOUR);
    assert_eq!(error.label.corr_id, message.label.corr_id);
    assert_eq!(
        (
            rig.end(TransferEnd::Outbox),
            rig.end(TransferEnd::Error),
            rig.ends()
        ),
        (2, 1, 4)
    );
    rig.assert_no_place_is_held().await;
}

#[tokio::test]
async fn events_requests_and_replies_are_carried_alike() {
    let rig = Rig::over(node()).await;
    let kinds = [
        SequenceType::Event,
        SequenceType::Request,
        SequenceType::Reply,
    ];
    for sequence_type in kinds {
        // The agreement permits either direction.
        for (from, to) in [
            (EXEMPELKOPING, PROVSTAD),
            (PROVSTAD, EXEMPELKOPING),
            (EXEMPELKOPING, OWN),
        ] {
            let mut message = file_to(Some(to));
            message.label.from = Some(actor(from));
            message.label.sequence_type = sequence_type;
            rig.accepted(&message).await;
        }
    }
    rig.settled().await;
    for outbox in [PROVSTAD, EXEMPELKOPING, OWN] {
        let mut listed: Vec<_> = rig.list(outbox, "").await;
        listed.sort_by_key(|one| one.sequence_type.unwrap().as_str());
        let listed: Vec<_> = listed
            .iter()
            .map(|one| one.sequence_type.unwrap())
            .collect();
        assert_eq!(
            listed,
            [
                SequenceType::Event,
                SequenceType::Reply,
                SequenceType::Request
            ]
        );
    }
    assert_eq!((rig.end(TransferEnd::Outbox), rig.ends()), (9, 9));
    assert_eq!(rig.asked().count(), 0);
}

#[tokio::test]
async fn a_message_without_sender_is_the_nodes_own_actors() {
    let rig = Rig::over(node()).await;
    let mut message = file_to(Some(EXEMPELKOPING));
    message.label.from = None;
    rig.accepted(&message).await;
    let (kept, _) = rig.only(EXEMPELKOPING, "").await;
    let from = kept.label.from.unwrap();
    assert_eq!(from.address.bare(), OWN);
    assert_eq!(
        kept.label.history[0].from.as_deref(),
        Some("urn:X-shs:2021009994")
    );
}

#[tokio::test]
async fn a_ping_is_answered_at_once_or_into_the_mailbox() {
    let rig = Rig::over(node()).await;
    let mut message = ping();
    let answer = rig.post(message.write()).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("message/rfc822"))
    );
    let reply = Message::read(answer.body, None, &Limits::default()).unwrap();
    assert_eq!(reply.label.tx_id, message.label.tx_id);
    assert_eq!(reply.label.sequence_type, SequenceType::Reply);
    assert_eq!(reply.parts[0].data.expose().as_ref(), b"PONG!");

    message.label.transfer_type = TransferType::Asynch;
    rig.accepted(&message).await;
    let (reply, bytes) = rig.only(EXEMPELKOPING, "").await;
    assert_reply(&reply.label, &message.label);
    assert_eq!(reply.parts[0].data.expose().as_ref(), b"PONG!");
    assert_valid(Kind::Label, &[label_in(&bytes)]);
    assert_eq!(
        rig.state(&message.label.tx_id),
        Some((TransferState::Fetched, false))
    );
    assert_eq!(rig.asked().count(), 0);
}

/// An asynchronous reply (7.8).
fn assert_reply(reply: &Label, asked: &Label) {
    assert_ne!(reply.tx_id, asked.tx_id);
    assert_ne!(reply.content.id, asked.content.id);
    assert_eq!(reply.corr_id, asked.corr_id);
    assert_eq!(reply.transfer_type, TransferType::Asynch);
    assert_eq!(reply.sequence_type, SequenceType::Reply);
    assert_eq!(reply.status, asked.status);
    assert_eq!(reply.product.produkt, asked.product.produkt);
    let (from, to) = (reply.from.as_ref().unwrap(), reply.to.as_ref().unwrap());
    assert_eq!(from.address, asked.to.as_ref().unwrap().address);
    assert_eq!(to.address, asked.from.as_ref().unwrap().address);
}

#[tokio::test]
async fn a_question_is_answered_by_a_reply_to_who_asked_internal_id_and_all() {
    let rig = Rig::over(node()).await;
    let mut message = asynch_question();
    message.label.from = Some(actor("2120009994.bistand"));
    message.label.status = Status::Test;
    rig.accepted(&message).await;
    let (reply, _) = rig.only("2120009994.bistand", "?status=test").await;
    assert_reply(&reply.label, &message.label);
    assert_eq!(
        rig.list("2120009994.bistand", "").await,
        [],
        "test traffic is asked for"
    );
    assert_eq!(
        rig.state(&reply.label.tx_id),
        Some((TransferState::Received, false))
    );
    assert_eq!(
        rig.state(&message.label.tx_id),
        Some((TransferState::Fetched, false))
    );
    assert_eq!((rig.end(TransferEnd::Answered), rig.ends()), (1, 1));
    rig.assert_no_place_is_held().await;
}

#[tokio::test]
async fn a_reply_goes_to_the_node_of_who_asked() {
    let next = NextNode::that_takes().await;
    let rig = Rig::over(node().neighbour(Some(next.url())).agreed({
        let question = asynch_question().label.product.produkt.bare();
        crate::exchange::agreement(OWN, NEIGHBOUR, &question)
    }))
    .await;
    let mut message = asynch_question();
    message.label.from = Some(actor(NEIGHBOUR));
    rig.accepted(&message).await;
    rig.settled().await;
    let [reply] = &next.taken()[..] else {
        panic!("one reply")
    };
    assert_reply(&reply.label, &message.label);
    assert_eq!(
        rig.state(&reply.label.tx_id),
        Some((TransferState::Sent, false))
    );
}

#[tokio::test]
async fn a_synchronous_message_is_passed_on_as_it_came_and_so_is_its_answer() {
    let answer = crate::exchange::question().write();
    let next = NextNode::that([Says {
        body: answer.clone(),
        ..Says::status(200)
    }])
    .await;
    let rig = Rig::over(node().neighbour(Some(next.url()))).await;
    let mut message = ping();
    message.label.to = Some(actor(NEIGHBOUR));
    let got = rig.post(message.write()).await;
    assert_eq!((got.status, got.body), (200, answer));
    let [taken] = &next.taken()[..] else {
        panic!("one post")
    };
    assert_eq!(
        taken.label,
        Message::read(message.write(), None, &Limits::default())
            .unwrap()
            .label
    );
}

#[tokio::test]
async fn test_and_production_are_kept_apart() {
    let rig = Rig::over(node()).await;
    let (real, mut test) = (file(), file());
    test.label.status = Status::Test;
    for message in [&real, &test] {
        rig.accepted(message).await;
    }
    let (kept, _) = rig.only(PROVSTAD, "").await;
    assert_eq!(kept.label.tx_id, real.label.tx_id);
    let (kept, _) = rig.only(PROVSTAD, "?status=test").await;
    assert_eq!(kept.label.tx_id, test.label.tx_id);
    let only_real = Rig::over(node().with(|settings| {
        settings.node.status = vec![Served::Production];
    }))
    .await;
    let answer = only_real.post(test.write()).await;
    assert_refused(&answer, Code::IllegalMessageStructure, &test.label);
    assert_eq!(only_real.list(PROVSTAD, "?status=test").await, []);
    assert_eq!(test.label.product.produkt, produkt(FILES));
}
