//! An asynchronous message is accepted, noted, and comes to one end (shs-1.2, 5.3, 6.2, 7.2).

use bytes::Bytes;
use samsvar_actors::tally::TransferEnd;
use shs_schemas::ids::TxId;
use shs_schemas::mime::Limits;
use shs_schemas::shs::label::{SequenceType, TransferType};
use shs_schemas::shs::{Actor, Adress, Message};

use crate::log;
use crate::sandbox::{DEMO, Sandbox, eventually, question_about};

fn asynch(message: Bytes) -> Message {
    let mut message = Message::read(message, None, &Limits::default()).unwrap();
    message.label.transfer_type = TransferType::Asynch;
    message.label.tx_id = TxId::fresh();
    message
}

#[tokio::test]
async fn a_question_is_accepted_and_its_answer_lies_in_the_senders_mailbox() {
    let sandbox = Sandbox::new().asynch().start().await;
    let message = asynch(question_about(&[DEMO]));
    let url = format!("http://{}/shs/rs", sandbox.service());
    let client = reqwest::Client::new();
    let answer = client
        .post(&url)
        .body(message.write())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.headers()["x-shs-duplicatemsg"], "no");
    assert_eq!(answer.text().await.unwrap(), message.label.tx_id.as_str());
    let tally = sandbox.node().tally();
    eventually("the question is answered", || {
        tally.transfers(TransferEnd::Answered) == 1
    })
    .await;
    let list = format!("http://{}/shs/ds/urn:X-shs:2120009994", sandbox.service());
    let list = client
        .get(&list)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(list.contains("sequence-type=\"reply\""), "{list}");
    assert!(list.contains("<data datapartType=\"fraga\""), "{list}");
    let again = client
        .post(&url)
        .body(message.write())
        .send()
        .await
        .unwrap();
    assert_eq!(again.headers()["x-shs-duplicatemsg"], "yes");
    let ledger = sandbox.ledger();
    assert!(ledger.contains("\"event\":\"mottaget\""), "{ledger}");
}

#[tokio::test]
async fn an_identity_number_in_a_tx_id_gets_into_no_log_by_being_fetched() {
    let sandbox = Sandbox::new().asynch().start().await;
    let mut message = asynch(question_about(&[DEMO]));
    message.label.tx_id = TxId::parse(&format!("arende-{DEMO}")).unwrap();
    message.label.sequence_type = SequenceType::Reply;
    message.label.from = message.label.to.take();
    message.label.to = Some(Actor::new(Adress::parse("2120009994").unwrap(), None));
    let client = reqwest::Client::new();
    let url = |path: &str| format!("http://{}/shs/{path}", sandbox.service());
    let sent = client.post(url("rs")).body(message.write()).send().await;
    assert_eq!(sent.unwrap().status(), 202);
    let tally = sandbox.node().tally();
    let delivered = || tally.transfers(TransferEnd::Outbox) == 1;
    eventually("it lies in the mailbox", delivered).await;
    let lies = url(&format!("ds/2120009994/{}", message.label.tx_id));
    assert_eq!(client.get(&lies).send().await.unwrap().status(), 200);
    let acknowledged = client.post(format!("{lies}?action=ack")).send().await;
    assert_eq!(acknowledged.unwrap().status(), 200);
    assert_eq!(log::leaks(), Vec::<String>::new());
}

#[tokio::test]
async fn an_operator_sees_messages_their_ends_and_who_carries_them() {
    let sandbox = Sandbox::new().asynch().start().await;
    let url = format!("http://{}/shs/rs", sandbox.service());
    let client = reqwest::Client::new();
    for _ in 0..3 {
        let message = asynch(question_about(&[DEMO])).write();
        let answer = client.post(&url).body(message).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }
    let tally = sandbox.node().tally();
    eventually("the questions are answered", || {
        tally.transfers(TransferEnd::Answered) == 3
    })
    .await;
    let ended = r#"samsvar_transfers_ended_total{end="answered"}"#;
    assert_eq!(sandbox.metric(ended).await, 3);
    let fetched = r#"samsvar_transfers{state="fetched"}"#;
    assert_eq!(sandbox.metric(fetched).await, 3, "the questions");
    let received = r#"samsvar_transfers{state="received"}"#;
    assert_eq!(sandbox.metric(received).await, 3, "their replies");
    assert_eq!(sandbox.metric("samsvar_outbox_messages").await, 3);
    assert_eq!(sandbox.metric("samsvar_outbox_expired_total").await, 0);
    let refused = "samsvar_transfers_changes_refused_total";
    assert_eq!(sandbox.metric(refused).await, 0);
    let page = sandbox.admin("/api/v1/transfers?limit=4").await;
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["states"]["fetched"], 3);
    let lines = page["transfers"].as_array().unwrap();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().any(|line| line["sequence_type"] == "reply"));
    assert!(!page.to_string().contains(DEMO));
    let refusal = sandbox.admin("/api/v1/transfers?limit=many").await;
    assert_eq!(refusal, "limit is a number from 0 to 1000");
    for name in ["relay", "ledger"] {
        assert_eq!(sandbox.actor(name).await["state"], "running");
    }
    assert_eq!(sandbox.actor("relay").await["handled"], 3);
}
