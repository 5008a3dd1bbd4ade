//! 202 is kept over a crash, over HTTP: who was promised something that never ended is told so by the node
//! that starts next, and what is sent again is answered (design 9; shs-1.2, 6.2). The node is "killed" by
//! starting another one on a copy of what is on disk at that moment.

use samsvar_actors::tally::PromiseEnd;
use shs_schemas::ErrorCode;
use shs_schemas::ids::TxId;
use shs_schemas::mime::Limits;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::{Management, Message};

use crate::exchange::{EXEMPELKOPING, Further, NEIGHBOUR, PROVSTAD, asynch_question, file, node};
use crate::next_node::NextNode;
use crate::rig::Rig;
use crate::sandbox::eventually;
use crate::told::{appinfo, code_of, label_in};
use crate::xmllint::{Kind, assert_valid};

async fn killed(rig: &Rig) -> Rig {
    Rig::over(node().on_a_copy_of(rig)).await
}

/// Waits until the node has read its ledger and told so many.
async fn told(rig: &Rig, senders: u64) {
    let told = || rig.node().tally().promises(PromiseEnd::Told) == senders;
    eventually("senders are told", told).await;
}

/// Waits until an acknowledgement is on disk: nobody else does.
async fn acknowledged(rig: &Rig, outbox: &str, message: &Message, slag: &str) {
    assert_eq!(rig.acknowledge(outbox, &message.label.tx_id).await, 200);
    rig.noted(&format!(r#""event":"kvitterat","slag":"{slag}""#))
        .await;
}

/// The error about a message, as its sender reads it.
fn assert_about(error: &Message, bytes: &bytes::Bytes, message: &Message) {
    assert_valid(Kind::Label, &[label_in(bytes)]);
    assert_eq!(error.label.sequence_type, SequenceType::Adm);
    assert_eq!(error.label.corr_id, message.label.corr_id);
    let management = Management::of(error, &Limits::default()).unwrap().unwrap();
    assert_eq!(code_of(&management), ErrorCode::OtherError);
    assert_eq!(management.corr_id, message.label.corr_id);
    assert_eq!(management.content_id, message.label.content.id);
    assert_eq!(
        appinfo(&management, "txId"),
        Some(message.label.tx_id.as_str())
    );
    assert_valid(Kind::Management, &[error.parts[0].data.expose().to_vec()]);
}

#[tokio::test]
async fn a_file_that_died_unread_is_told_until_that_is_acknowledged() {
    let first = Rig::over(node()).await;
    let file = file();
    first.accepted(&file).await;
    first.settled().await;
    assert_eq!(first.list(PROVSTAD, "").await.len(), 1);

    let second = killed(&first).await;
    told(&second, 1).await;
    assert_eq!(
        second.list(PROVSTAD, "").await.len(),
        0,
        "mailboxes die with the node"
    );
    let (error, bytes) = second.only(EXEMPELKOPING, "/error").await;
    assert_about(&error, &bytes, &file);
    assert_eq!(
        second
            .metric(r#"samsvar_promises_total{done="told"}"#)
            .await,
        1
    );

    let third = killed(&second).await;
    told(&third, 1).await;
    let (error, bytes) = third.only(EXEMPELKOPING, "/error").await;
    assert_about(&error, &bytes, &file);
    acknowledged(&third, EXEMPELKOPING, &error, "fel").await;
}

#[tokio::test]
async fn a_question_whose_reply_died_unread_is_answered_when_it_is_sent_again() {
    let first = Rig::over(node()).await;
    let mut question = asynch_question();
    // No UUID: it stands in the ledger hidden.
    question.label.tx_id = TxId::parse("arende-199503142383").unwrap();
    first.accepted(&question).await;
    first.only(EXEMPELKOPING, "").await;

    let second = killed(&first).await;
    told(&second, 1).await;
    let (error, bytes) = second.only(EXEMPELKOPING, "").await;
    assert_about(&error, &bytes, &question);
    assert!(!second.ledger().contains("199503142383"));
    acknowledged(&second, EXEMPELKOPING, &error, "fel").await;

    let again = second.accepted(&question).await;
    assert_eq!(again.header("x-shs-duplicatemsg"), Some("no"));
    let (reply, _) = second.only(EXEMPELKOPING, "").await;
    assert_eq!(reply.label.sequence_type, SequenceType::Reply);
    let again = second.accepted(&question).await;
    assert_eq!(again.header("x-shs-duplicatemsg"), Some("yes"));
    acknowledged(&second, EXEMPELKOPING, &reply, "svar").await;
}

#[tokio::test]
async fn a_neighbour_is_told_at_its_node() {
    let next = NextNode::that_takes().await;
    let first = Rig::over(node().neighbour(Some(next.url()))).await;
    let mut file = file();
    file.label.from = Some(crate::exchange::actor(NEIGHBOUR));
    file.label.to = Some(crate::exchange::actor(EXEMPELKOPING));
    first.accepted(&file).await;
    first.settled().await;
    assert_eq!(first.list(EXEMPELKOPING, "").await.len(), 1);

    let second = node().neighbour(Some(next.url())).on_a_copy_of(&first);
    let second = Rig::over(second).await;
    told(&second, 1).await;
    let [error] = &next.taken()[..] else {
        panic!("one post")
    };
    assert_about(error, &error.write(), &file);
}
