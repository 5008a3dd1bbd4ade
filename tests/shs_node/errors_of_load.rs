//! `OtherError`: what a node says that has too much to do, cannot note what it takes, or goes down. It is
//! said before the answer, with `Retry-After`, and the message is not known afterwards: the next copy of
//! it is the first (shs-1.2, 5.3, 5.5; 7.2 step 8).

use samsvar::settings::Settings;
use samsvar_actors::ledger::PROBE_EVERY;
use samsvar_actors::tally::TransferEnd;
use shs_schemas::ErrorCode as Code;
use shs_schemas::shs::Message;

use crate::exchange::{
    EXEMPELKOPING, Further, NEIGHBOUR, PROVSTAD, STRANGER, actor, again, asynch_question, file,
    file_to, node, question,
};
use crate::next_node::{NextNode, Says};
use crate::rig::Rig;
use crate::sandbox::{Gate, eventually};
use crate::told::{assert_refused_with, label_in};

async fn rig(change: impl FnOnce(&mut Settings)) -> Rig {
    Rig::over(node().with(change)).await
}

async fn assert_busy(rig: &Rig, message: &Message) {
    let answer = rig.post(message.write()).await;
    assert_refused_with(&answer, 503, Code::OtherError, Some(&message.label));
    assert_eq!(rig.state(&message.label.tx_id), None, "it is not known");
}

async fn assert_first(rig: &Rig, message: &Message) {
    let answer = rig.accepted(message).await;
    assert_eq!(answer.header("x-shs-duplicatemsg"), Some("no"));
}

#[tokio::test]
async fn a_message_that_cannot_be_noted_is_not_taken() {
    let rig = rig(|_| {}).await;
    assert_first(&rig, &file()).await;
    rig.settled().await;
    let (ledger, aside) = (rig.folder().join("ledger"), rig.folder().join("aside"));
    std::fs::rename(&ledger, &aside).unwrap();
    let message = file();
    // The first one finds out, unless a note of the message before did; after that nothing is read before
    // it is refused.
    for _ in 0..2 {
        let answer = rig.post(message.write()).await;
        assert_refused_with(&answer, 503, Code::OtherError, None);
    }
    assert_eq!(rig.state(&message.label.tx_id), None, "it is not known");
    assert_eq!(rig.asynch().underway().messages(), 0);
    std::fs::rename(&aside, &ledger).unwrap();
    // The ledger finds out by itself.
    tokio::time::sleep(4 * PROBE_EVERY).await;
    assert_first(&rig, &message).await;
    rig.settled().await;
    assert_eq!(rig.list(PROVSTAD, "").await.len(), 2);
    assert_eq!(rig.ends(), 2);
}

#[tokio::test]
async fn a_full_mailbox_of_the_receiver_is_told_until_something_is_fetched() {
    let rig = rig(|settings| settings.outbox.messages_max = 2).await;
    let messages = [file(), file(), file()];
    for message in &messages[..2] {
        assert_first(&rig, message).await;
    }
    rig.settled().await;
    assert_busy(&rig, &messages[2]).await;
    let first = &messages[0].label.tx_id;
    assert_eq!(rig.acknowledge(PROVSTAD, first).await, 200);
    // Its confirmation lies in the sender's mailbox by now, which has room for two.
    eventually("it is confirmed", || {
        rig.asynch().outboxes().counts().messages == 2
    })
    .await;
    assert_first(&rig, &messages[2]).await;
}

#[tokio::test]
async fn a_full_mailbox_of_the_sender_is_told_because_its_error_would_have_no_place() {
    let rig = rig(|settings| settings.outbox.messages_max = 1).await;
    let refused = file_to(Some(STRANGER));
    assert_first(&rig, &refused).await;
    rig.settled().await;
    assert_eq!(rig.end(TransferEnd::Error), 1);
    for message in [file(), asynch_question()] {
        assert_busy(&rig, &message).await;
    }
    let error = rig.list(EXEMPELKOPING, "").await.remove(0);
    assert_eq!(rig.acknowledge(EXEMPELKOPING, &error.tx_id).await, 200);
    assert_first(&rig, &file()).await;
}

#[tokio::test]
async fn too_many_messages_under_way() {
    let gate = Gate::closed();
    let builder = node()
        .held_by(&gate)
        .with(|settings| settings.relay.underway_max = 2);
    let rig = Rig::over(builder).await;
    for _ in 0..2 {
        assert_first(&rig, &again(&asynch_question())).await;
    }
    let message = file();
    assert_busy(&rig, &message).await;
    assert_eq!(rig.asynch().underway().messages(), 2);
    gate.open();
    rig.settled().await;
    assert_first(&rig, &message).await;
    rig.settled().await;
    assert_eq!(rig.end(TransferEnd::Answered), 2);
    rig.assert_no_place_is_held().await;
}

#[tokio::test]
async fn too_many_bytes_under_way() {
    let rig = rig(|settings| settings.relay.underway_bytes_max = 8 * 1024).await;
    let mut message = file();
    message.parts[0].data = bytes::Bytes::from(vec![b'x'; 8 * 1024]).into();
    assert_busy(&rig, &message).await;
    assert_first(&rig, &file()).await;
}

#[tokio::test]
async fn a_node_that_goes_down_takes_nothing_and_finishes_what_it_took() {
    let gate = Gate::closed();
    let builder = node()
        .held_by(&gate)
        .with(|settings| settings.drain.drain_s = 20);
    let rig = Rig::over(builder).await;
    let taken = asynch_question();
    assert_first(&rig, &taken).await;
    eventually("it is asked", || rig.asked().count() == 8).await;
    let stopping = async {
        let left = rig.stop().await;
        assert_eq!(left, 0);
    };
    let meanwhile = async {
        eventually("it drains", || rig.node().load().is_draining()).await;
        for message in [question(), file()] {
            let answer = rig.post(message.write()).await;
            assert_refused_with(&answer, 503, Code::OtherError, None);
            assert_eq!(rig.state(&message.label.tx_id), None);
        }
        // What came before is fetched and acknowledged while the node drains.
        assert!(rig.list(EXEMPELKOPING, "").await.is_empty());
        gate.open();
    };
    tokio::join!(stopping, meanwhile);
    assert_eq!(rig.end(TransferEnd::Answered), 1);
}

/// A question that waits for its turn was promised an answer before the node began to go down.
#[tokio::test]
async fn an_accepted_question_that_waits_for_its_turn_is_asked_although_the_node_drains() {
    let gate = Gate::closed();
    let builder = node().held_by(&gate).with(|settings| {
        settings.drain.drain_s = 20;
        settings.load.open_per_sender_max = 1;
    });
    let rig = Rig::over(builder).await;
    for _ in 0..2 {
        assert_first(&rig, &again(&asynch_question())).await;
    }
    eventually("the first is asked", || rig.asked().count() == 8).await;
    let meanwhile = async {
        eventually("it drains", || rig.node().load().is_draining()).await;
        gate.open();
    };
    let (left, ()) = tokio::join!(rig.stop(), meanwhile);
    assert_eq!(left, 0);
    assert_eq!(rig.end(TransferEnd::Answered), 2);
    assert_eq!(rig.end(TransferEnd::Error), 0);
}

#[tokio::test]
async fn a_sender_without_a_mailbox_here_needs_no_place() {
    let next = NextNode::that([Says::status(202)]).await;
    let builder = node()
        .neighbour(Some(next.url()))
        .with(|settings| settings.outbox.messages_max = 1);
    let rig = Rig::over(builder).await;
    let mut message = asynch_question();
    message.label.from = Some(actor(NEIGHBOUR));
    assert_first(&rig, &message).await;
    rig.settled().await;
    assert_eq!(next.posts(), 1);
    assert!(!label_in(&message.write()).is_empty());
}

/// What is held for the error about each is a small place, not that of an answer.
#[tokio::test]
async fn files_on_their_way_to_a_slow_node_leave_their_sender_room() {
    let next = NextNode::that([Says::status(503)]).await;
    let builder = node()
        .neighbour(Some(next.url()))
        .with(|settings| settings.outbox.bytes_max = 2 * settings.outbox.reserve_bytes);
    let rig = Rig::over(builder).await;
    for _ in 0..20 {
        assert_first(&rig, &file_to(Some(NEIGHBOUR))).await;
    }
    assert_eq!(rig.asynch().underway().messages(), 20);
    assert_first(&rig, &asynch_question()).await;
    eventually("the question is answered", || {
        rig.end(TransferEnd::Answered) == 1
    })
    .await;
}

/// A sender whose node is away cannot be told; that takes time, and costs the receiver no room.
#[tokio::test]
async fn an_error_that_cannot_be_told_yet_holds_no_room_of_the_receivers() {
    let next = NextNode::that([Says::status(503)]).await;
    let builder = node()
        .neighbour(Some(next.url()))
        .with(|settings| settings.outbox.messages_max = 1);
    let rig = Rig::over(builder).await;
    let mut message = file_to(Some(STRANGER));
    message.label.from = Some(actor(NEIGHBOUR));
    assert_first(&rig, &message).await;
    eventually("its sender's node is asked", || next.posts() > 0).await;
    let underway = rig.asynch().underway();
    assert_eq!((underway.messages(), underway.room().used()), (1, 0));
    rig.assert_no_place_is_held().await;
    assert_eq!(
        rig.asynch().underway().messages(),
        1,
        "it is still being told"
    );
}

/// The reply has a place, the confirmation has to find one: it does not hold the reply up.
#[tokio::test]
async fn a_reply_does_not_wait_for_room_for_a_confirmation() {
    let builder = node().with(|settings| {
        settings.relay.confirm_always = true;
        settings.outbox.messages_max = 1;
    });
    let rig = Rig::over(builder).await;
    let question = asynch_question();
    assert_first(&rig, &question).await;
    let counts = || rig.asynch().outboxes().counts();
    eventually("something lies there", || counts().messages == 1).await;
    let list = rig.list(EXEMPELKOPING, "").await;
    assert_eq!(list[0].product, Some(question.label.product.produkt));
    // The question itself is under way until its end is noted.
    let underway = || rig.asynch().underway().messages();
    eventually("it is answered and not confirmed yet", || underway() == 1).await;
    rig.acknowledge(EXEMPELKOPING, &list[0].tx_id).await;
    rig.settled().await;
    let list = rig.list(EXEMPELKOPING, "").await;
    assert_eq!(list[0].product, Some(shs_schemas::shs::Produkt::Confirm));
}
