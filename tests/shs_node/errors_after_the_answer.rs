//! Errors that are found after the 202: each ends in an error message in the sender's mailbox, and the
//! message is quarantined (shs-1.2, 6.2 and 7.2 from step 11 on).

use samsvar_actors::tally::TransferEnd;
use samsvar_actors::transfers::TransferState;
use shs_schemas::ErrorCode as Code;
use shs_schemas::ids::AgreementId;
use shs_schemas::shs::label::{SequenceType, Status};
use shs_schemas::shs::{Message, Produkt};

use crate::exchange::{
    CIRCULAR, DESCRIBED, EXEMPELKOPING, FILES_AGREED, Further, NEIGHBOUR, NOBODY, OWN, PROVSTAD,
    STRANGER, actor, agreement, asynch_question, file, file_to, node, produkt, text_part,
};
use crate::next_node::{NextNode, Says, nobody};
use crate::rig::Rig;
use crate::sandbox::eventually;
use crate::told::{appinfo, assert_about, assert_told};

/// Each of these is accepted, and its sender is told this code.
async fn tells(code: Code, messages: impl IntoIterator<Item = Message>) {
    for message in messages {
        let rig = Rig::over(node()).await;
        assert_told(&rig, &message, code).await;
        assert_eq!((rig.end(TransferEnd::Error), rig.ends()), (1, 1));
        let ledger = rig.ledger();
        assert!(
            ledger.contains(&format!("\"code\":\"{}\"", code.as_str())),
            "{ledger}"
        );
    }
}

fn with(change: impl FnOnce(&mut Message)) -> Message {
    let mut message = file();
    change(&mut message);
    message
}

#[tokio::test]
async fn unresolved_receiver() {
    let message = with(|message| {
        message.label.to = None;
        message.label.from = Some(actor(STRANGER));
    });
    tells(Code::UnresolvedReceiver, [message]).await;
}

#[tokio::test]
async fn missing_agreement() {
    let none = with(|message| message.label.to = Some(actor(STRANGER)));
    let unknown =
        with(|message| message.label.agreement = Some(AgreementId::parse("nowhere").unwrap()));
    let misfit = with(|message| {
        message.label.agreement = Some(AgreementId::parse(FILES_AGREED).unwrap());
        message.label.product.produkt = produkt(DESCRIBED);
    });
    let unknown_and_unaddressed = with(|message| {
        message.label.agreement = Some(AgreementId::parse("nowhere").unwrap());
        message.label.to = None;
    });
    tells(
        Code::MissingAgreement,
        [none, unknown, misfit, unknown_and_unaddressed],
    )
    .await;
}

#[tokio::test]
async fn the_error_is_signed_by_the_internal_id_that_the_message_was_for() {
    let mut message = with(|message| {
        message.label.to = Some(actor("2120000142.ekonomi"));
        message.label.from = Some(actor("2120009994.skola"));
        message.label.status = Status::Test;
    });
    message.label.to.as_mut().unwrap().common_name = Some("Främlingarna".to_owned());
    let rig = Rig::over(node()).await;
    rig.accepted(&message).await;
    let (error, _) = rig.only("2120009994.skola", "?status=test").await;
    assert_about(&error, &message.label, Produkt::Error);
    assert_eq!(error.label.from, message.label.to);
    assert_eq!(rig.list(EXEMPELKOPING, "?status=test").await, []);
}

#[tokio::test]
async fn unknown_receiver() {
    let bare = with(|message| message.label.to = Some(actor(NOBODY)));
    let inner = with(|message| message.label.to = Some(actor("5560000001.ekonomi")));
    tells(Code::UnknownReceiver, [bare, inner]).await;
}

/// Nobody has a mailbox here, and the error about its message ends with the operator.
#[tokio::test]
async fn unknown_sender() {
    let rig = Rig::over(node()).await;
    let message = with(|message| message.label.from = Some(actor(NOBODY)));
    rig.accepted(&message).await;
    rig.settled().await;
    let code = Code::UnknownSender;
    let state = rig.state(&message.label.tx_id);
    assert_eq!(state, Some((TransferState::Quarantined { code }, false)));
    let noted = || rig.ledger().contains("UnknownSender");
    eventually("the error is noted", noted).await;
    assert_eq!((rig.end(TransferEnd::Error), rig.ends()), (1, 1));
    assert_eq!(rig.node().tally().own_lost(), 1);
    assert_eq!(rig.asynch().outboxes().counts().messages, 0);
    rig.assert_no_place_is_held().await;
}

#[tokio::test]
async fn missing_delivery_address() {
    let rig = Rig::over(node().neighbour(None)).await;
    let message = file_to(Some(NEIGHBOUR));
    assert_told(&rig, &message, Code::MissingDeliveryAddress).await;
}

#[tokio::test]
async fn missing_delivery_execution_when_the_next_node_refuses() {
    for status in [400, 403, 404, 413] {
        let next = NextNode::that([Says {
            status,
            ..Says::refusal("IllegalSender")
        }])
        .await;
        let rig = Rig::over(node().neighbour(Some(next.url()))).await;
        let message = file_to(Some(NEIGHBOUR));
        let management = assert_told(&rig, &message, Code::MissingDeliveryExecution).await;
        assert_eq!(
            appinfo(&management, "remoteErrorcode"),
            Some("IllegalSender")
        );
        assert_eq!(next.posts(), 1, "it is not asked again");
    }
}

#[tokio::test]
async fn a_next_node_that_is_busy_is_asked_again_until_it_takes_the_message() {
    let busy = [
        Says::status(503),
        Says::status(500),
        Says::status(429),
        Says::status(408),
    ];
    let says: Vec<_> = busy.into_iter().chain([Says::status(202)]).collect();
    let next = NextNode::that(says).await;
    let rig = Rig::over(node().neighbour(Some(next.url()))).await;
    let message = file_to(Some(NEIGHBOUR));
    rig.accepted(&message).await;
    rig.settled().await;
    assert_eq!((rig.end(TransferEnd::Pushed), rig.ends()), (1, 1));
    assert_eq!(
        rig.state(&message.label.tx_id),
        Some((TransferState::Sent, false))
    );
    let taken = next.taken();
    assert_eq!(taken.len(), 5);
    for copy in &taken {
        assert_eq!(copy.label.tx_id, message.label.tx_id);
        assert_eq!(copy.parts, message.parts);
    }
    assert!(rig.ledger().contains("\"attempts\":5"), "{}", rig.ledger());
    assert_eq!(rig.list(EXEMPELKOPING, "").await, []);
    rig.assert_no_place_is_held().await;
}

#[tokio::test]
async fn missing_delivery_execution_when_the_next_node_stays_away() {
    let quickly = |url| {
        node().neighbour(Some(url)).with(|settings| {
            settings.relay.give_up_after_s = 1;
        })
    };
    let next = NextNode::that([Says::status(503)]).await;
    let busy = Rig::over(quickly(next.url())).await;
    let away = Rig::over(quickly(nobody().await)).await;
    let message = file_to(Some(NEIGHBOUR));
    let code = Code::MissingDeliveryExecution;
    let (one, other) = tokio::join!(
        assert_told(&busy, &message, code),
        assert_told(&away, &message, code)
    );
    for management in [one, other] {
        assert_eq!(appinfo(&management, "remoteErrorcode"), None);
    }
    assert!(next.posts() > 1, "it was asked again");
}

#[tokio::test]
async fn missing_delivery_execution_when_nobody_fetches() {
    let builder = node().with(|settings| settings.outbox.age_max_s = 1);
    let rig = Rig::over(builder).await;
    let message = file();
    rig.accepted(&message).await;
    eventually("it has lain too long", || {
        rig.end(TransferEnd::Expired) == 1
    })
    .await;
    eventually("its sender is told", || {
        rig.asynch().outboxes().counts().messages == 1
    })
    .await;
    let code = Code::MissingDeliveryExecution;
    crate::told::assert_error_lies(&rig, &message, code).await;
}

#[tokio::test]
async fn illegal_message_structure_of_what_a_service_does_not_answer() {
    let event = {
        let mut message = asynch_question();
        message.label.sequence_type = SequenceType::Event;
        message
    };
    tells(Code::IllegalMessageStructure, [event]).await;
}

#[tokio::test]
async fn illegal_datapart_content() {
    let described = |roles: &[&str]| {
        let mut message = file();
        message.label.product.produkt = produkt(DESCRIBED);
        message.parts = roles.iter().map(|role| text_part(role)).collect();
        message
    };
    let wrong = [described(&["bilaga"]), described(&["underlag", "underlag"])];
    tells(Code::IllegalDatapartContent, wrong).await;
    let mut no_question = asynch_question();
    no_question.parts = vec![text_part("fraga")];
    tells(Code::IllegalDatapartContent, [no_question]).await;
    let rig = Rig::over(node()).await;
    rig.accepted(&described(&["underlag"])).await;
    rig.settled().await;
    assert_eq!(rig.list(PROVSTAD, "").await.len(), 1);
}

#[tokio::test]
async fn illegal_receiver_is_nothing_that_several_receivers_make_of_an_asynchronous_message() {
    let rig = Rig::over(node()).await;
    let message = with(|message| {
        message.label.to = None;
        message.label.product.produkt = produkt(CIRCULAR);
        message.label.from = Some(actor(EXEMPELKOPING));
    });
    rig.accepted(&message).await;
    rig.settled().await;
    assert_eq!(
        (rig.end(TransferEnd::Split), rig.end(TransferEnd::Error)),
        (1, 0)
    );
}

#[tokio::test]
#[cfg(debug_assertions)]
async fn other_error_when_a_transfer_falls() {
    let rig = Rig::over(node()).await;
    rig.failpoints().arm("transfer", 1);
    assert_told(&rig, &file(), Code::OtherError).await;
    let good = file();
    rig.accepted(&good).await;
    rig.settled().await;
    assert_eq!(rig.list(PROVSTAD, "").await[0].tx_id, good.label.tx_id);
}

#[tokio::test]
#[cfg(debug_assertions)]
async fn a_relay_that_falls_ends_the_message_that_it_held_and_no_other() {
    let rig = Rig::over(node()).await;
    rig.failpoints().arm("relay", 1);
    assert_told(&rig, &file(), Code::OtherError).await;
    assert_eq!(rig.actor("relay").await["restarts"], 1);
    let good = file();
    rig.accepted(&good).await;
    rig.settled().await;
    assert_eq!(rig.list(PROVSTAD, "").await[0].tx_id, good.label.tx_id);
}

#[tokio::test]
async fn a_push_and_the_error_about_it_go_to_the_places_of_their_products() {
    // The sender has a node of its own: the error is pushed to it.
    let next = NextNode::that_takes().await;
    let builder = node()
        .neighbour(Some(next.url()))
        .agreed(agreement(PROVSTAD, NEIGHBOUR, DESCRIBED));
    let rig = Rig::over(builder).await;
    let mut message = file();
    message.label.from = Some(actor(NEIGHBOUR));
    message.label.to = Some(actor(STRANGER));
    rig.accepted(&message).await;
    rig.settled().await;
    let [error] = &next.taken()[..] else {
        panic!("one error message")
    };
    assert_about(error, &message.label, Produkt::Error);
    assert_eq!(rig.asynch().outboxes().counts().messages, 0);
    assert_ne!(OWN, STRANGER);
}
