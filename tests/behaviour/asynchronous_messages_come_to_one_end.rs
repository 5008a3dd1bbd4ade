//! An asynchronous message is accepted, noted, and comes to one end (shs-1.2, 5.3, 6.2, 7.2).

use bytes::Bytes;
use samsvar_actors::tally::TransferEnd;
use shs_schemas::ids::TxId;
use shs_schemas::mime::Limits;
use shs_schemas::shs::Message;
use shs_schemas::shs::label::TransferType;

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
