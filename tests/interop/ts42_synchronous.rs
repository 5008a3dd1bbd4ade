//! TS42: synchronous messages between two nodes (shs-1.2, 11). TS42-K-003 needs the directory: see
//! `ts43_published`.

use samsvar::client::sending::HttpAnswer;
use shs_schemas::ErrorCode;
use shs_schemas::shs::label::SequenceType;

use crate::avtal::Avtal;
use crate::letter::{data, read, request, without_receiver};
use crate::rig::{At, B_OWN, KOMMUN, KVITTERAD, PING, PROVSTAD, Plan, TYST};

fn refusal(answer: &HttpAnswer) -> (u16, ErrorCode) {
    (answer.status, answer.refusal().code)
}

#[tokio::test]
async fn ts42_k_001_request_and_reply() {
    let rig = Plan::usual().start().await;
    let ping = request(KOMMUN, B_OWN, PING);
    let answer = rig.send("kommun", At::A, &ping).await;
    assert_eq!(answer.status, 200, "{:?}", answer.refusal());
    let pong = read(answer.body.into_exposed());
    assert_eq!(pong.label.sequence_type, SequenceType::Reply);
    assert_eq!(pong.label.tx_id, ping.label.tx_id);
    assert_eq!(pong.label.corr_id, ping.label.corr_id);
    assert_eq!(pong.label.to.as_ref().unwrap().address.bare(), KOMMUN);
    assert!(!data(&pong, 0).is_empty());
}

#[tokio::test]
async fn ts42_k_001_an_unknown_product_has_no_agreement_here_and_no_service_there() {
    let plan = Plan::usual().with(&Avtal::between(10, B_OWN, KOMMUN, KVITTERAD));
    let rig = plan.start().await;
    let answer = rig
        .send("kommun", At::A, &request(KOMMUN, B_OWN, TYST))
        .await;
    assert_eq!(refusal(&answer), (400, ErrorCode::MissingAgreement));
    let answer = rig
        .send("kommun", At::A, &request(KOMMUN, B_OWN, KVITTERAD))
        .await;
    assert_eq!(refusal(&answer), (400, ErrorCode::MissingDeliveryExecution));
    let body = String::from_utf8(answer.body.expose().to_vec()).unwrap();
    assert!(body.contains("UnknownProductType"), "{body}");
}

#[tokio::test]
async fn ts42_k_001_a_wrong_address_is_told() {
    // A thinks that B takes messages elsewhere; nobody does there.
    let third = format!("https://localhost:{}/shs/rs", crate::rig::free_port());
    let avtal = Avtal::between(10, crate::rig::THIRD, KOMMUN, PING);
    let rig = Plan::usual().with(&avtal).third_at(&third).start().await;
    let ping = request(KOMMUN, crate::rig::THIRD, PING);
    let answer = rig.send("kommun", At::A, &ping).await;
    assert_eq!(refusal(&answer), (400, ErrorCode::MissingDeliveryExecution));
    // A path that is none of B's.
    let third = rig.rs(At::B).replace("/shs/rs", "/shs/annat");
    let rig = Plan::usual().with(&avtal).third_at(&third).start().await;
    let answer = rig.send("kommun", At::A, &ping).await;
    assert_eq!(refusal(&answer), (400, ErrorCode::MissingDeliveryExecution));
    // An actor that only has a mailbox.
    let ping = request(KOMMUN, PROVSTAD, TYST);
    let answer = rig.send("kommun", At::A, &ping).await;
    assert_eq!(refusal(&answer), (400, ErrorCode::MissingDeliveryExecution));
}

#[tokio::test]
async fn ts42_k_001_an_unknown_actor_is_told() {
    let rig = Plan::usual().start().await;
    let answer = rig
        .send("kommun", At::A, &request(KOMMUN, "0000000099", PING))
        .await;
    assert_eq!(refusal(&answer), (400, ErrorCode::UnknownReceiver));
    let answer = rig
        .send("kommun", At::A, &request(PROVSTAD, B_OWN, PING))
        .await;
    assert_eq!(refusal(&answer), (400, ErrorCode::IllegalSender));
}

/// Product addressing is for asynchronous messages: a synchronous one is one HTTP exchange with one
/// receiver, `to` is required (shs-1.2, 1.5 and 7.2 step 12), and the installed base has no other way.
#[tokio::test]
async fn ts42_k_002_product_addressing_is_refused_as_unknown_receiver() {
    let rig = Plan::usual().start().await;
    let ping = without_receiver(request(KOMMUN, B_OWN, PING));
    for at in [At::A, At::B] {
        let certificate = if at == At::A { "kommun" } else { "node-a" };
        let answer = rig.send(certificate, at, &ping).await;
        assert_eq!(
            refusal(&answer),
            (400, ErrorCode::UnknownReceiver),
            "{at:?}"
        );
    }
}
