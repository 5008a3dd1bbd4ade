//! What shs-1.2, 11 adds to the common test plan. The rows of 2.13 and the file names of 2.9 have files of
//! their own.

use std::fmt::Write as _;

use samsvar_actors::outbox::ListQuery;
use samsvar_actors::tally::TransferEnd;
use samsvar_actors::transfers::TransferState as State;
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::mime::TransferEncoding;
use shs_schemas::shs::label::{LABEL_BYTES_SAFE, Meta, Status};
use shs_schemas::shs::management::Outcome;
use shs_schemas::shs::{DataPart, Management, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::avtal::Avtal;
use crate::letter::{adress, data, error_code, event, part, replaced, text, without_receiver};
use crate::rig::{A_OWN, At, B_OWN, KOMMUN, KVITTERAD, PROVSTAD, Plan, Rig, THIRD, TYST};
use crate::sandbox::eventually;
use crate::wire::Wire;

#[tokio::test]
async fn add_a_duplicate_tx_id_is_accepted_and_delivered_once() {
    let rig = Plan::usual().start().await;
    let sent = event(KOMMUN, PROVSTAD, TYST);
    let mut local_ids = Vec::new();
    for (at, certificate) in [(At::A, "kommun"), (At::B, "node-a")] {
        for duplicate in ["no", "yes", "yes"] {
            // B has it from A already when it is sent there.
            let duplicate = if at == At::B { "yes" } else { duplicate };
            let answer = rig.send(certificate, at, &sent).await;
            assert_eq!(answer.status, 202);
            assert_eq!(answer.header("x-shs-duplicatemsg"), Some(duplicate));
            assert_eq!(answer.body.expose(), sent.label.tx_id.as_str().as_bytes());
            let arrived = answer.header("x-shs-arrivaldate").unwrap();
            assert!(arrived.starts_with("20"), "{arrived}");
            local_ids.extend(answer.header("x-shs-localid").map(str::to_owned));
            rig.state(At::A, &sent.label.tx_id, State::Sent, false)
                .await;
        }
    }
    assert_eq!(local_ids.len(), 1, "none for a duplicate");
    assert_eq!(rig.lying(At::B, PROVSTAD), 1);
}

#[tokio::test]
async fn add_many_copies_at_once_are_one_message() {
    let rig = Plan::usual().start().await;
    let sent = event(KOMMUN, PROVSTAD, TYST);
    let copies = (0..8).map(|_| rig.send("kommun", At::A, &sent));
    let answers = futures_util::future::join_all(copies).await;
    let first = |answer: &&samsvar::client::sending::HttpAnswer| {
        answer.header("x-shs-duplicatemsg") == Some("no")
    };
    assert!(answers.iter().all(|answer| answer.status == 202));
    assert_eq!(answers.iter().filter(first).count(), 1);
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    assert_eq!(rig.lying(At::B, PROVSTAD), 1);
}

#[tokio::test]
async fn add_internal_ids_have_mailboxes_of_their_own() {
    let rig = Plan::usual().start().await;
    let inner = format!("{PROVSTAD}.ekonomi");
    let from = format!("{KOMMUN}.Bistånd.3");
    let sent = event(&from, &inner, KVITTERAD);
    rig.post("kommun", At::A, &sent).await;
    let arrived = rig.arrives("provstad", At::B, &inner, KVITTERAD).await;
    assert_eq!(arrived.label.tx_id, sent.label.tx_id);
    for other in [PROVSTAD, &format!("{PROVSTAD}.Ekonomi")] {
        assert_eq!(rig.lying(At::B, other), 0, "{other}");
    }
    let outbox = rig.outbox("provstad", At::B, &inner);
    outbox.acknowledge(&sent.label.tx_id).await.unwrap();
    let confirmation = rig.arrives("kommun", At::A, &from, "confirm").await;
    assert_eq!(confirmation.label.from.unwrap().address.bare(), inner);
    rig.state(At::A, &sent.label.tx_id, State::Sent, true).await;
}

#[tokio::test]
async fn add_one_to_many_reaches_every_receiver_and_each_copy_has_its_own_end() {
    let other = crate::other_node::OtherNode::answering(|_| crate::other_node::response(403, b""));
    let other = other.await;
    let plan = Plan::usual()
        .with(&Avtal::between(10, B_OWN, KOMMUN, KVITTERAD))
        .with(&Avtal::between(11, THIRD, KOMMUN, KVITTERAD))
        .with(&Avtal::between(12, PROVSTAD, A_OWN, KVITTERAD))
        .third_at(&other.url);
    let rig = plan.start().await;
    let sent = without_receiver(event(KOMMUN, PROVSTAD, KVITTERAD));
    rig.post("kommun", At::A, &sent).await;
    rig.state(At::A, &sent.label.tx_id, State::OneToMany, false)
        .await;
    // PROVSTAD gets its copy, the service of B takes no events, THIRD refuses.
    let copy = rig.arrives("provstad", At::B, PROVSTAD, KVITTERAD).await;
    assert_ne!(copy.label.tx_id, sent.label.tx_id);
    assert_eq!(copy.label.corr_id, sent.label.corr_id);
    assert_eq!(copy.label.content.id, sent.label.content.id);
    assert_eq!(data(&copy, 0), data(&sent, 0));
    let asynch = rig.node(At::A).node().asynch().unwrap();
    let errors = ListQuery {
        products: Some(vec![crate::letter::produkt("error")]),
        ..ListQuery::default()
    };
    let told = || asynch.outboxes().list(&adress(KOMMUN), &errors).len();
    eventually("one error for THIRD's copy", || told() == 1).await;
    let error = rig.arrives("kommun", At::A, KOMMUN, "error").await;
    assert_eq!(error_code(&error), "MissingDeliveryExecution");
    assert_eq!(error.label.from.unwrap().address.bare(), THIRD);
    // Only the copy that failed is quarantined: PROVSTAD's is confirmed.
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    outbox.acknowledge(&copy.label.tx_id).await.unwrap();
    rig.state(At::A, &copy.label.tx_id, State::Sent, true).await;
    assert_eq!(
        rig.node(At::A).node().tally().transfers(TransferEnd::Split),
        1
    );
}

/// The message with a label of about so many bytes, counted as in shs-1.2, 2.11.
fn with_label_of(bytes: usize) -> (Message, usize) {
    let mut sent = event(KOMMUN, PROVSTAD, TYST);
    let end = |message: &Message| {
        let written = message.write();
        let end = b"</shs.label>";
        let at = written.windows(end.len()).position(|at| at == end);
        at.unwrap() + end.len()
    };
    sent.label.subject = Some(text("x"));
    let missing = bytes - end(&sent);
    sent.label.subject = Some(text(&"x".repeat(missing + 1)));
    let end = end(&sent);
    (sent, end)
}

#[tokio::test]
async fn add_a_label_of_4000_bytes_fits_every_node_also_after_ours() {
    let (sent, end) = with_label_of(4_000);
    // Without line breaks a little less.
    assert!((3_900..=4_000).contains(&end), "{end}");
    let rig = Plan::usual().start().await;
    rig.post("kommun", At::A, &sent).await;
    let arrived = rig.arrives("provstad", At::B, PROVSTAD, TYST).await;
    assert_eq!(arrived.label.subject, sent.label.subject);
    assert_eq!(arrived.label.history.len(), 2);
}

#[tokio::test]
async fn add_a_label_of_5000_bytes_is_taken_and_relayed_whole() {
    for bytes in [5_000, 64 * 1024] {
        let (sent, end) = with_label_of(bytes);
        assert!(end > LABEL_BYTES_SAFE, "{end}");
        let rig = Plan::usual().start().await;
        rig.post("kommun", At::A, &sent).await;
        let arrived = rig.arrives("provstad", At::B, PROVSTAD, TYST).await;
        assert_eq!(arrived.label.subject, sent.label.subject);
        assert_eq!(data(&arrived, 0), data(&sent, 0));
    }
}

#[tokio::test]
async fn add_test_messages_are_listed_only_when_asked_for_and_so_is_what_comes_of_them() {
    let rig = Plan::usual().start().await;
    let production = event(KOMMUN, PROVSTAD, KVITTERAD);
    let mut test = event(KOMMUN, PROVSTAD, KVITTERAD);
    test.label.status = Status::Test;
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    for sent in [&production, &test] {
        rig.post("kommun", At::A, sent).await;
        rig.state(At::A, &sent.label.tx_id, State::Sent, false)
            .await;
    }
    for (parameters, expected) in [
        (&[][..], &production),
        (&[("status", "production")], &production),
        (&[("status", "TEST")], &test),
    ] {
        let listed = outbox.list(parameters).await.unwrap().messages;
        let listed: Vec<_> = listed.iter().map(|listed| &listed.tx_id).collect();
        assert_eq!(listed, [&expected.label.tx_id], "{parameters:?}");
    }
    assert!(outbox.list(&[("status", "alla")]).await.is_err());
    outbox.acknowledge(&test.label.tx_id).await.unwrap();
    rig.state(At::A, &test.label.tx_id, State::Sent, true).await;
    let outbox = rig.outbox("kommun", At::A, KOMMUN);
    assert_eq!(outbox.list(&[]).await.unwrap().messages, []);
    let listed = outbox.list(&[("status", "test")]).await.unwrap().messages;
    assert_eq!(listed[0].product, Some(crate::letter::produkt("confirm")));
}

#[tokio::test]
async fn add_acknowledging_twice_confirms_once() {
    let rig = Plan::usual().start().await;
    let sent = event(KOMMUN, PROVSTAD, KVITTERAD);
    rig.post("kommun", At::A, &sent).await;
    rig.arrives("provstad", At::B, PROVSTAD, KVITTERAD).await;
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    for _ in 0..3 {
        outbox.acknowledge(&sent.label.tx_id).await.unwrap();
    }
    // What is sent after the confirmations is there after them.
    let after = event(PROVSTAD, KOMMUN, TYST);
    rig.state(At::A, &sent.label.tx_id, State::Sent, true).await;
    rig.post("provstad", At::B, &after).await;
    rig.arrives("kommun", At::A, KOMMUN, TYST).await;
    assert_eq!(
        rig.lying(At::A, KOMMUN),
        1,
        "the other is hidden: it was fetched"
    );
    let confirmation = rig.arrives("kommun", At::A, KOMMUN, "confirm").await;
    let outbox = rig.outbox("kommun", At::A, KOMMUN);
    outbox.acknowledge(&confirmation.label.tx_id).await.unwrap();
    rig.is_quiet(At::A).await;
    assert_eq!(
        rig.lying(At::B, PROVSTAD),
        0,
        "a confirmation is not confirmed"
    );
}

async fn connection(rig: &Rig, certificate: &str, at: At) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(rig.address(at)).await.unwrap();
    let config = rig.certificates.tls(Some(certificate));
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(std::sync::Arc::new(config));
    connector.connect(name, stream).await.unwrap()
}

/// More than all buffers between the two ends of a connection hold.
const BEYOND_BUFFERS: usize = 24 * 1024 * 1024;

#[tokio::test]
async fn add_a_connection_that_ends_in_the_middle_of_a_fetch_costs_nothing() {
    let mut plan = Plan::usual();
    // With the strict rule a whole fetch takes the message away: half a fetch may not.
    plan.b.outbox = "strict_fetch = true".to_owned();
    let rig = plan.start().await;
    let mut sent = event(KOMMUN, PROVSTAD, TYST);
    sent.parts[0] = part(TransferEncoding::Binary, vec![b'x'; BEYOND_BUFFERS]);
    rig.post("kommun", At::A, &sent).await;
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    eventually("it is there", || rig.lying(At::B, PROVSTAD) == 1).await;
    let mut stream = connection(&rig, "provstad", At::B).await;
    let tx_id = sent.label.tx_id.as_str();
    let get = format!("GET /shs/ds/urn:X-shs:{PROVSTAD}/{tx_id} HTTP/1.1\r\nHost: b\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 100_000]).await.unwrap();
    eventually("it is being fetched", || rig.lying(At::B, PROVSTAD) == 0).await;
    drop(stream);
    eventually("it is back", || rig.lying(At::B, PROVSTAD) == 1).await;
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    let fetched = outbox.fetch(&sent.label.tx_id).await.unwrap();
    assert!(fetched.expose().len() > BEYOND_BUFFERS);
    let gone = outbox.fetch(&sent.label.tx_id).await.unwrap_err();
    assert!(gone.is_not_there(), "{gone}");
}

#[tokio::test]
async fn add_a_connection_that_ends_in_the_middle_of_a_send_leaves_nothing() {
    let rig = Plan::usual().start().await;
    let mut sent = event(KOMMUN, PROVSTAD, TYST);
    sent.parts[0] = part(TransferEncoding::Binary, vec![b'x'; 1024 * 1024]);
    let body = sent.write();
    let head = |framing: &str| format!("POST /shs/rs HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n");
    let length = head(&format!("Content-Length: {}", body.len()));
    let chunked = head("Transfer-Encoding: chunked") + &format!("{:x}\r\n", body.len());
    for head in [length, chunked] {
        let mut stream = connection(&rig, "kommun", At::A).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body[..body.len() - 1]).await.unwrap();
        stream.flush().await.unwrap();
        drop(stream);
    }
    // A whole chunk, and not the last one: the framing is broken, not the message.
    let mut stream = connection(&rig, "kommun", At::A).await;
    let mut pieces = String::new();
    write!(
        pieces,
        "{}{:x}\r\n",
        head("Transfer-Encoding: chunked"),
        body.len()
    )
    .unwrap();
    stream.write_all(pieces.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    stream.write_all(b"\r\n").await.unwrap();
    drop(stream);
    let asynch = rig.node(At::A).node().asynch().unwrap();
    let admin = async || rig.node(At::A).admin("/metrics").await;
    let metrics = admin().await;
    assert!(!metrics.is_empty());
    assert_eq!(asynch.transfers().state(&sent.label.tx_id), None);
    // Sent again it is the first, not a duplicate.
    let answer = rig.send("kommun", At::A, &sent).await;
    assert_eq!(answer.header("x-shs-duplicatemsg"), Some("no"));
    let arrived = rig.arrives("provstad", At::B, PROVSTAD, TYST).await;
    assert_eq!(data(&arrived, 0), data(&sent, 0));
}

#[tokio::test]
async fn add_an_answer_that_is_lost_is_made_good_by_sending_again() {
    let rig = Plan::usual().start().await;
    let sent = event(KOMMUN, PROVSTAD, TYST);
    let body = sent.write();
    let stream = connection(&rig, "kommun", At::A).await;
    let mut wire = Wire::over(stream);
    wire.post("", &body).await;
    // It hangs up without having read the answer.
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    drop(wire);
    let answer = rig.send("kommun", At::A, &sent).await;
    assert_eq!(answer.header("x-shs-duplicatemsg"), Some("yes"));
    assert_eq!(rig.lying(At::B, PROVSTAD), 1);
}

/// An error message from PROVSTAD to KOMMUN about nothing that anybody sent, and a confirmation.
fn about_nothing() -> [Message; 2] {
    let mut original = event(KOMMUN, PROVSTAD, KVITTERAD).label;
    original.corr_id = CorrId::parse("okand-korrelation").unwrap();
    let own = original.to.clone().unwrap();
    let now = chrono::Utc::now();
    let code = shs_schemas::ErrorCode::OtherError;
    [
        Message::error_about(&original, &own, code, "Okänt", Vec::new(), now),
        Message::confirmation_of(&original, &own, now),
    ]
}

#[tokio::test]
async fn add_an_error_message_for_an_unknown_corr_id_is_delivered_and_changes_nothing() {
    let rig = Plan::usual().start().await;
    let sent = event(KOMMUN, PROVSTAD, KVITTERAD);
    rig.post("kommun", At::A, &sent).await;
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    for (message, product) in about_nothing().iter().zip(["error", "confirm"]) {
        rig.post("provstad", At::B, message).await;
        let arrived = rig.arrives("kommun", At::A, KOMMUN, product).await;
        assert_eq!(arrived.label.tx_id, message.label.tx_id);
    }
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    rig.is_quiet(At::A).await;
    assert_eq!(rig.lying(At::B, PROVSTAD), 1, "nothing is answered");
}

#[tokio::test]
async fn add_an_error_message_that_cannot_be_delivered_is_the_end() {
    let rig = Plan::usual().start().await;
    let [mut error, _] = about_nothing();
    error.label.to = Some(shs_schemas::shs::label::Actor::new(adress(THIRD), None));
    rig.post("provstad", At::B, &error).await;
    let code = shs_schemas::ErrorCode::MissingDeliveryExecution;
    let quarantined = State::Quarantined { code };
    // THIRD's node does not exist; nobody waits for the hours until that is certain.
    let asynch = rig.node(At::B).node().asynch().unwrap();
    eventually("it is being tried", || asynch.underway().messages() == 1).await;
    assert_ne!(
        asynch.transfers().state(&error.label.tx_id),
        Some((quarantined, false))
    );
    assert_eq!(rig.lying(At::B, PROVSTAD), 0);
}

/// What a confirmation of the event looks like with or without its element (shs-1.2, 3.3).
async fn confirmed_by(change: impl Fn(&str) -> String) {
    let rig = Plan::usual().start().await;
    let sent = event(KOMMUN, PROVSTAD, TYST);
    rig.post("kommun", At::A, &sent).await;
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    let own = sent.label.to.clone().unwrap();
    let mut confirmation = Message::confirmation_of(&sent.label, &own, chrono::Utc::now());
    let document = String::from_utf8(data(&confirmation, 0).to_vec()).unwrap();
    let changed = change(&document);
    confirmation.parts[0] = DataPart {
        data: bytes::Bytes::from(changed.clone()).into(),
        ..confirmation.parts[0].clone()
    };
    rig.post("node-b", At::A, &confirmation).await;
    rig.state(At::A, &sent.label.tx_id, State::Sent, true).await;
    let arrived = rig.arrives("kommun", At::A, KOMMUN, "confirm").await;
    assert_eq!(
        data(&arrived, 0),
        changed.as_bytes(),
        "delivered as it came"
    );
}

#[tokio::test]
async fn add_a_confirmation_with_its_element_is_one() {
    confirmed_by(|document| {
        assert!(document.contains("<confirmation/>"), "{document}");
        document.to_owned()
    })
    .await;
}

#[tokio::test]
async fn add_a_confirmation_without_its_element_is_one() {
    confirmed_by(|document| document.replace("<confirmation/>", "")).await;
}

#[tokio::test]
async fn add_a_confirmation_of_somebody_else_confirms_nothing() {
    let rig = Plan::usual().start().await;
    let sent = event(KOMMUN, PROVSTAD, TYST);
    rig.post("kommun", At::A, &sent).await;
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    let mut original = sent.label.clone();
    original.to = Some(shs_schemas::shs::label::Actor::new(adress(B_OWN), None));
    let own = original.to.clone().unwrap();
    let now = chrono::Utc::now();
    let confirmation = Message::confirmation_of(&original, &own, now);
    rig.post("node-b", At::A, &confirmation).await;
    rig.arrives("kommun", At::A, KOMMUN, "confirm").await;
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
}

#[tokio::test]
async fn add_metadata_of_an_error_is_what_correlates_not_its_label() {
    let rig = Plan::usual().start().await;
    let sent = event(KOMMUN, PROVSTAD, TYST);
    rig.post("kommun", At::A, &sent).await;
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    let own = sent.label.to.clone().unwrap();
    let code = shs_schemas::ErrorCode::OtherError;
    let now = chrono::Utc::now();
    let mut error = Message::error_about(&sent.label, &own, code, "", Vec::new(), now);
    // As real nodes do (shs-1.2, 7.8).
    error.label.content.id = ContentId::fresh();
    error.label.corr_id = CorrId::parse(TxId::fresh().as_str()).unwrap();
    let name = |name: &str| Meta {
        name: text(name),
        value: text("x"),
    };
    error.label.meta = vec![name("a")];
    let misspelt = replaced(
        &error.write(),
        "errorcode=\"OtherError\"",
        "errorcode=\"OTHERERROR\"",
    );
    let answer = rig.send_bytes("node-b", At::A, misspelt.into()).await;
    assert_eq!(answer.status, 202, "{:?}", answer.refusal());
    rig.state(At::A, &sent.label.tx_id, State::Quarantined { code }, false)
        .await;
    let arrived = rig.arrives("kommun", At::A, KOMMUN, "error").await;
    let document: Management = crate::letter::management(&arrived);
    assert!(matches!(document.outcome, Outcome::Error { .. }));
}
