//! What goes from one node to the other and comes back (shs-1.2, 5.6, 6.2, 7.9, 7.10).

use bytes::Bytes;
use samsvar::client::Answered;
use samsvar_actors::tally::TransferEnd;
use samsvar_actors::transfers::TransferState as State;
use shs_schemas::ErrorCode;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::management::{Management, Outcome, REMOTE_ERROR_CODE};

use crate::avtal::Avtal;
use crate::certificates::Certificates;
use crate::letter::{
    appinfo, asynchronous_question, data, error_code, event, every_byte, management, replaced,
    request, without_receiver,
};
use crate::other_node::{OtherNode, response};
use crate::rig::{A_OWN, Rig, TYST};
use crate::rig::{At, B_OWN, KOMMUN, KVITTERAD, OAVTALAD, PING, PROVSTAD, Plan, SSBTEK, THIRD};
use crate::sandbox::{DEMO, eventually, question_about};

fn quarantined(code: ErrorCode) -> State {
    State::Quarantined { code }
}

#[tokio::test]
async fn a_question_goes_to_the_other_node_and_its_answer_and_confirmations_come_back() {
    let rig = Plan::usual().start().await;
    let question = asynchronous_question();
    rig.post("kommun", At::A, &question).await;
    let reply = rig.arrives("kommun", At::A, KOMMUN, SSBTEK).await;
    assert_eq!(reply.label.sequence_type, SequenceType::Reply);
    assert_eq!(reply.label.corr_id, question.label.corr_id);
    assert_eq!(reply.label.history.len(), 1, "A; a reply begins without");
    let answered = Answered::read(reply.write()).unwrap();
    assert_eq!(answered.persons.len(), 1);
    rig.state(At::A, &question.label.tx_id, State::Sent, true)
        .await;
    let confirmation = rig.arrives("kommun", At::A, KOMMUN, "confirm").await;
    let about = management(&confirmation);
    assert_eq!(about.content_id, question.label.content.id);
    rig.state(At::B, &reply.label.tx_id, State::Sent, false)
        .await;
    let outbox = rig.outbox("kommun", At::A, KOMMUN);
    outbox.acknowledge(&reply.label.tx_id).await.unwrap();
    rig.state(At::B, &reply.label.tx_id, State::Sent, true)
        .await;
    rig.state(At::A, &reply.label.tx_id, State::Fetched, true)
        .await;
}

#[tokio::test]
async fn an_event_is_delivered_at_the_other_node_and_its_confirmation_comes_back() {
    let rig = Plan::usual().start().await;
    let event = event(KOMMUN, PROVSTAD, KVITTERAD);
    let nameless = format!(" commonName=\"{KOMMUN}\"");
    let body = replaced(&event.write(), &nameless, "");
    let accepted = rig.send_bytes("kommun", At::A, body.into()).await;
    assert_eq!(accepted.status, 202, "{:?}", accepted.refusal());
    let arrived = rig.arrives("provstad", At::B, PROVSTAD, KVITTERAD).await;
    assert_eq!(data(&arrived, 0), &every_byte());
    let nodes = arrived.label.history.iter().map(|h| h.node_id.as_str());
    assert_eq!(nodes.collect::<Vec<_>>(), ["node-a", "node-b"]);
    let from = arrived.label.from.unwrap();
    assert_eq!(from.common_name.as_deref(), Some("Exempelköpings kommun"));
    rig.state(At::A, &event.label.tx_id, State::Sent, false)
        .await;
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    outbox.acknowledge(&event.label.tx_id).await.unwrap();
    let confirmation = rig.arrives("kommun", At::A, KOMMUN, "confirm").await;
    let about = management(&confirmation);
    assert_eq!(about.outcome, Outcome::Confirmation);
    assert_eq!(about.corr_id, event.label.corr_id);
    assert_eq!(about.content_id, event.label.content.id);
    rig.state(At::A, &event.label.tx_id, State::Sent, true)
        .await;
    rig.state(At::B, &event.label.tx_id, State::Fetched, true)
        .await;
}

#[tokio::test]
async fn without_an_agreement_at_the_receiver_the_error_comes_back_to_the_senders_mailbox() {
    let mut plan = Plan::usual();
    plan.b.avtal.retain(|avtal| avtal.number != 3);
    let rig = plan.start().await;
    let event = event(KOMMUN, PROVSTAD, KVITTERAD);
    rig.post("kommun", At::A, &event).await;
    let error = rig.arrives("kommun", At::A, KOMMUN, "error").await;
    assert_eq!(error_code(&error), "MissingAgreement");
    let detected_by = appinfo(&management(&error), "detectedBy");
    assert_eq!(detected_by.as_deref(), Some(B_OWN));
    let from = error.label.from.unwrap();
    assert_eq!(from.address.bare(), PROVSTAD, "the intended receiver");
    let missing = quarantined(ErrorCode::MissingAgreement);
    rig.state(At::A, &event.label.tx_id, missing, false).await;
    rig.state(At::B, &event.label.tx_id, missing, false).await;
}

#[tokio::test]
async fn without_an_agreement_at_the_sender_nothing_leaves() {
    let mut plan = Plan::usual();
    plan.a.avtal.retain(|avtal| avtal.number != 3);
    let rig = plan.start().await;
    let event = event(KOMMUN, PROVSTAD, KVITTERAD);
    rig.post("kommun", At::A, &event).await;
    let error = rig.arrives("kommun", At::A, KOMMUN, "error").await;
    assert_eq!(error_code(&error), "MissingAgreement");
    let detected_by = appinfo(&management(&error), "detectedBy");
    assert_eq!(detected_by.as_deref(), Some(A_OWN));
    let at_b = rig.node(At::B).node().asynch().unwrap();
    assert_eq!(at_b.transfers().state(&event.label.tx_id), None);
}

#[tokio::test]
async fn a_node_that_is_down_is_tried_until_it_is_back() {
    let mut rig = Plan::usual().start().await;
    rig.stop(At::B).await;
    // Whoever listens in its place hangs up: a try that came to nothing.
    let instead = tokio::net::TcpListener::bind(rig.address(At::B))
        .await
        .unwrap();
    let event = event(KOMMUN, PROVSTAD, TYST);
    rig.post("kommun", At::A, &event).await;
    drop(instead.accept().await.unwrap());
    drop(instead);
    rig.state(At::A, &event.label.tx_id, State::New, false)
        .await;
    rig.start(At::B).await;
    let arrived = rig.arrives("provstad", At::B, PROVSTAD, TYST).await;
    assert_eq!(arrived.label.tx_id, event.label.tx_id);
    rig.state(At::A, &event.label.tx_id, State::Sent, false)
        .await;
}

#[tokio::test]
async fn a_node_whose_certificate_is_not_trusted_is_given_up() {
    let strangers = Certificates::new();
    let mut plan = Plan::usual();
    plan.a.next_node_ca = Some(strangers.file("ca.pem"));
    // A second is the shortest that can be set.
    plan.a.relay = "give_up_after_s = 1".to_owned();
    let rig = plan.start().await;
    let event = event(KOMMUN, PROVSTAD, TYST);
    rig.post("kommun", At::A, &event).await;
    let error = rig.arrives("kommun", At::A, KOMMUN, "error").await;
    assert_eq!(error_code(&error), "MissingDeliveryExecution");
    let failed = quarantined(ErrorCode::MissingDeliveryExecution);
    rig.state(At::A, &event.label.tx_id, failed, false).await;
    assert_eq!(rig.lying(At::B, PROVSTAD), 0);
}

#[tokio::test]
async fn a_ping_and_a_question_are_answered_by_the_other_node() {
    let rig = Plan::usual().start().await;
    let ping = request(KOMMUN, B_OWN, PING);
    let answer = rig.send("kommun", At::A, &ping).await;
    assert_eq!(answer.status, 200, "{:?}", answer.refusal());
    let reply = crate::letter::read(answer.body.into_exposed());
    assert_eq!(&data(&reply, 0)[..], b"PONG!");
    assert!(
        reply.label.history.is_empty(),
        "nothing is added on the way"
    );
    let question = question_about(&[DEMO]);
    let answer = rig.send_bytes("kommun", At::A, question).await;
    assert_eq!(answer.status, 200, "{:?}", answer.refusal());
    let answered = Answered::read(answer.body.into_exposed()).unwrap();
    assert!(crate::sandbox::without_data(&answered).is_empty());
}

/// THIRD may be sent the product and answer it.
fn third_plan(url: &str) -> Plan {
    let avtal = Avtal::between(10, THIRD, KOMMUN, TYST);
    Plan::usual().with(&avtal).third_at(url)
}

#[tokio::test]
async fn request_and_reply_pass_a_synchronous_relay_byte_for_byte() {
    // Nothing that we would write: odd headers, bare line feeds, every byte.
    let reply = [b"X-Odd: 1\n\n".as_slice(), &every_byte(), b"\r\n\r\n"].concat();
    let said = reply.clone();
    let other = OtherNode::answering(move |_| response(200, &said)).await;
    let rig = third_plan(&other.url).start().await;
    let request = request(KOMMUN, THIRD, TYST);
    let body = request.write();
    let odd = [b"X-Odd:  Request\r\n".as_slice(), &body].concat();
    let answer = rig.send_bytes("kommun", At::A, odd.clone().into()).await;
    assert_eq!(answer.status, 200, "{:?}", answer.refusal());
    assert_eq!(answer.body.expose(), &reply);
    assert_eq!(other.received(), [Bytes::from(odd)]);
}

async fn refused(rig: &Rig, product: &str) -> (u16, String, Management) {
    let refused = rig
        .send("kommun", At::A, &request(KOMMUN, B_OWN, product))
        .await;
    let code = refused.header("x-shs-errorcode").unwrap().to_owned();
    let document = Management::read(
        refused.body.expose(),
        None,
        &shs_schemas::mime::Limits::default(),
    );
    (refused.status, code, document.unwrap())
}

#[tokio::test]
async fn what_the_other_node_refuses_is_told_with_its_code() {
    let mut plan = Plan::usual();
    plan.b.avtal.retain(|avtal| avtal.number != 2);
    let rig = plan.start().await;
    let (status, code, document) = refused(&rig, PING).await;
    assert_eq!((status, code.as_str()), (400, "MissingDeliveryExecution"));
    let remote = appinfo(&document, REMOTE_ERROR_CODE);
    assert_eq!(remote.as_deref(), Some("MissingAgreement"));
    let (_, code, document) = refused(&rig, OAVTALAD).await;
    assert_eq!(code, "MissingAgreement");
    assert_eq!(appinfo(&document, REMOTE_ERROR_CODE), None);
}

#[tokio::test]
async fn an_asynchronous_message_that_the_other_node_refuses_is_told_with_its_code() {
    let other = OtherNode::answering(|_| {
        b"HTTP/1.1 400 No\r\nX-shs-errorcode: IllegalSender\r\nContent-Length: 0\r\n\r\n".to_vec()
    });
    let other = other.await;
    let rig = third_plan(&other.url).start().await;
    rig.post("kommun", At::A, &event(KOMMUN, THIRD, TYST)).await;
    let error = rig.arrives("kommun", At::A, KOMMUN, "error").await;
    assert_eq!(error_code(&error), "MissingDeliveryExecution");
    let remote = appinfo(&management(&error), REMOTE_ERROR_CODE);
    assert_eq!(remote.as_deref(), Some("IllegalSender"));
    assert_eq!(other.received().len(), 1, "not worth another try");
}

/// Answers that are worth another try, then acceptance.
async fn reluctant() -> OtherNode {
    let tries = std::sync::atomic::AtomicUsize::new(0);
    // Nothing at all: the connection ends after the message, whose fate the sender cannot know.
    let statuses = [Some(503), Some(500), Some(408), Some(429), None, Some(202)];
    OtherNode::answering(move |_| {
        let before = tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let status = statuses[before.min(statuses.len() - 1)];
        status.map_or_else(Vec::new, |status| response(status, b""))
    })
    .await
}

#[tokio::test]
async fn a_node_that_is_busy_or_breaks_off_is_tried_again_with_the_same_message() {
    let other = reluctant().await;
    let rig = third_plan(&other.url).start().await;
    let sent = event(KOMMUN, THIRD, TYST);
    rig.post("kommun", At::A, &sent).await;
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    let received = other.received();
    assert_eq!(received.len(), 6);
    for tried in received {
        let tried = crate::letter::read(tried);
        assert_eq!(tried.label.tx_id, sent.label.tx_id);
        assert_eq!(tried.label.history.len(), 1);
        assert_eq!(data(&tried, 0), data(&sent, 0));
    }
    assert_eq!(rig.lying(At::A, KOMMUN), 0);
}

#[tokio::test]
async fn many_messages_at_once_all_arrive_once() {
    const MANY: usize = 100;
    let rig = Plan::usual().start().await;
    let events: Vec<_> = (0..MANY).map(|_| event(KOMMUN, PROVSTAD, TYST)).collect();
    let posts = events.iter().map(|event| rig.post("kommun", At::A, event));
    futures_util::future::join_all(posts).await;
    eventually("all are there", || rig.lying(At::B, PROVSTAD) == MANY).await;
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    let listed = outbox.list(&[]).await.unwrap().messages;
    let listed: std::collections::HashSet<_> = listed.iter().map(|one| &one.tx_id).collect();
    assert!(
        events
            .iter()
            .all(|event| listed.contains(&event.label.tx_id))
    );
    assert_eq!(listed.len(), MANY);
    rig.is_quiet(At::A).await;
}

#[tokio::test]
async fn a_message_of_another_node_without_receiver_does_not_leave_again() {
    let other = OtherNode::accepting().await;
    let mut plan = third_plan(&other.url);
    // At B the product leads to THIRD alone.
    plan.b.avtal.retain(|avtal| avtal.number != 4);
    let rig = plan.start().await;
    let unaddressed = without_receiver(event(KOMMUN, THIRD, TYST));
    rig.post("node-a", At::B, &unaddressed).await;
    let error = rig.arrives("kommun", At::A, KOMMUN, "error").await;
    assert_eq!(error_code(&error), "IllegalReceiver");
    // Not from THIRD, for which B's certificate does not stand.
    assert_eq!(error.label.from.unwrap().address.bare(), B_OWN);
    assert_eq!(other.received().len(), 0);
}

#[tokio::test]
async fn a_node_does_not_relay_for_another() {
    let other = OtherNode::accepting().await;
    let rig = third_plan(&other.url).start().await;
    for message in [event(A_OWN, THIRD, TYST), request(A_OWN, THIRD, TYST)] {
        // The certificate is that of A, as when A itself posts.
        let refused = rig.send("node-a", At::B, &message).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.refusal().code, ErrorCode::IllegalReceiver);
    }
    // B's own systems may send there.
    let own = event(PROVSTAD, THIRD, OAVTALAD);
    rig.post("provstad", At::B, &own).await;
    let tally = rig.node(At::B).node().tally();
    eventually("it is checked", || tally.transfers(TransferEnd::Error) == 1).await;
    assert_eq!(other.received().len(), 0);
}

#[tokio::test]
async fn the_nodes_own_actor_gets_its_confirmations_and_errors_like_any_other() {
    let plan = Plan::usual().with(&Avtal::between(10, PROVSTAD, A_OWN, KVITTERAD).confirmed());
    let rig = plan.start().await;
    let sent = event(A_OWN, PROVSTAD, KVITTERAD);
    rig.post("driftbolaget", At::A, &sent).await;
    rig.arrives("provstad", At::B, PROVSTAD, KVITTERAD).await;
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    outbox.acknowledge(&sent.label.tx_id).await.unwrap();
    let confirmation = rig.arrives("driftbolaget", At::A, A_OWN, "confirm").await;
    assert_eq!(management(&confirmation).corr_id, sent.label.corr_id);
    rig.state(At::A, &sent.label.tx_id, State::Sent, true).await;
    let mut refused_there = event(A_OWN, B_OWN, PING);
    refused_there.label.agreement = None;
    rig.post("driftbolaget", At::A, &refused_there).await;
    let error = rig.arrives("driftbolaget", At::A, A_OWN, "error").await;
    assert_eq!(error_code(&error), "MissingAgreement");
}
