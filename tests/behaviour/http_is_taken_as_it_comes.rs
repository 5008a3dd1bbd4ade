//! HTTP details that the installed base varies in (shs-1.2, 2.13 and 5.2), and what a reply says
//! about its request (shs-1.2, 7.8).

use std::time::Duration;

use bytes::Bytes;
use shs_schemas::mime::Limits;
use shs_schemas::shs::Message;
use shs_schemas::shs::label::SequenceType;
use tokio::time::Instant;

use crate::sandbox::{DEMO, Sandbox, question_about};
use crate::wire::{Response, Wire};

/// Longest wait for what is to happen.
const PATIENCE: Duration = Duration::from_secs(20);

fn assert_is_the_reply(response: &Response, question: &Bytes) {
    assert_eq!(response.status, 200, "{}", response.head);
    let read =
        |bytes: &[u8]| Message::read(Bytes::copy_from_slice(bytes), None, &Limits::default());
    let asked = read(question).unwrap();
    let reply = read(&response.body).unwrap();
    assert_eq!(reply.label.corr_id, asked.label.corr_id);
    assert_eq!(reply.parts.len(), asked.parts.len());
}

fn header_block_ends(message: &[u8]) -> usize {
    let end = message.windows(4).position(|at| at == b"\r\n\r\n");
    end.unwrap() + 4
}

fn boundary(message: &[u8]) -> String {
    let head = String::from_utf8_lossy(&message[..header_block_ends(message)]).into_owned();
    let (_, after) = head.split_once("boundary=\"").unwrap();
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_body_in_chunks() {
    let sandbox = Sandbox::new().start().await;
    let question = question_about(&[DEMO]);
    let mut wire = Wire::to(sandbox.service()).await;
    wire.send("POST /shs/rs HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    for chunk in question.chunks(100) {
        let size = format!("{:x}\r\n", chunk.len());
        wire.send([size.as_bytes(), chunk, b"\r\n"].concat()).await;
    }
    wire.send("0\r\n\r\n").await;
    assert_is_the_reply(&wire.receive().await.unwrap(), &question);
}

#[tokio::test]
async fn a_body_without_header_block_whose_boundary_is_in_the_http_header() {
    let sandbox = Sandbox::new().start().await;
    let question = question_about(&[DEMO]);
    let body = &question[header_block_ends(&question)..];
    let content_type = format!(
        "Content-Type: multipart/mixed; boundary=\"{}\"\r\n",
        boundary(&question)
    );
    let mut wire = Wire::to(sandbox.service()).await;
    wire.post(&content_type, body).await;
    assert_is_the_reply(&wire.receive().await.unwrap(), &question);
}

#[tokio::test]
async fn any_content_type_before_a_body_with_a_header_block_of_its_own() {
    let sandbox = Sandbox::new().start().await;
    for content_type in [
        "Content-Type: multipart/mixed\r\n",
        "Content-Type: message/rfc822\r\n",
        "Content-Type: application/octet-stream\r\n",
        "Content-Type: text/xml; charset=ISO-8859-1\r\n",
        "Content-Type: nonsense\r\n",
        "",
    ] {
        let question = question_about(&[DEMO]);
        let mut wire = Wire::to(sandbox.service()).await;
        wire.post(content_type, &question).await;
        assert_is_the_reply(&wire.receive().await.unwrap(), &question);
    }
}

#[tokio::test]
async fn several_requests_over_one_connection() {
    let sandbox = Sandbox::new().start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    for _ in 0..3 {
        let question = question_about(&[DEMO]);
        wire.post("", &question).await;
        assert_is_the_reply(&wire.receive().await.unwrap(), &question);
    }
}

/// Real time: it is how long a connection has been open that counts. (The library's clock goes in steps of
/// half a second: a shorter time would end it as idle.)
#[tokio::test]
async fn a_connection_that_is_never_idle_is_closed_all_the_same_and_the_answer_says_so() {
    const LONGEST: Duration = Duration::from_millis(1500);
    let sandbox = Sandbox::new()
        .with(|settings| settings.listener.keep_alive_ms = LONGEST.as_millis().try_into().unwrap())
        .start()
        .await;
    let opened = Instant::now();
    let mut wire = Wire::to(sandbox.service()).await;
    let mut answered = 0;
    loop {
        let question = question_about(&[DEMO]);
        wire.post("", &question).await;
        let reply = wire.receive().await.expect("answered before it is closed");
        assert_is_the_reply(&reply, &question);
        answered += 1;
        if reply.header("connection") == Some("close") {
            break;
        }
        assert!(opened.elapsed() < PATIENCE);
        tokio::time::sleep(LONGEST / 30).await;
    }
    assert!(answered > 1 && opened.elapsed() >= LONGEST, "{answered}");
    assert!(wire.is_closed_by_the_node().await);
}

#[tokio::test]
async fn a_connection_goes_on_after_a_refusal() {
    let sandbox = Sandbox::new().start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    wire.post("", b"nonsense").await;
    assert_eq!(wire.receive().await.unwrap().status, 400);
    let question = question_about(&[DEMO]);
    wire.post("", &question).await;
    assert_is_the_reply(&wire.receive().await.unwrap(), &question);
}

#[tokio::test]
async fn a_caller_that_waits_to_be_told_to_continue() {
    let sandbox = Sandbox::new().start().await;
    let question = question_about(&[DEMO]);
    let mut wire = Wire::to(sandbox.service()).await;
    let head = format!(
        "POST /shs/rs HTTP/1.1\r\nHost: node\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        question.len()
    );
    wire.send(head).await;
    assert_eq!(wire.receive().await.unwrap().status, 100);
    wire.send(&question).await;
    assert_is_the_reply(&wire.receive().await.unwrap(), &question);
}

#[tokio::test]
async fn the_reply_names_the_request_and_turns_the_parties_around() {
    let sandbox = Sandbox::new().start().await;
    let question = question_about(&[DEMO, "199503022387"]);
    let asked = Message::read(question.clone(), None, &Limits::default()).unwrap();
    let answered = sandbox.send(question).await.unwrap();
    let (asked, reply) = (asked, answered.message);
    assert_eq!(reply.label.tx_id, asked.label.tx_id);
    assert_eq!(reply.label.corr_id, asked.label.corr_id);
    assert_ne!(reply.label.content.id, asked.label.content.id);
    let address = |actor: &Option<shs_schemas::shs::Actor>| actor.as_ref().unwrap().address.clone();
    assert_eq!(address(&reply.label.from), address(&asked.label.to));
    assert_eq!(address(&reply.label.to), address(&asked.label.from));
    assert_eq!(reply.label.product.produkt, asked.label.product.produkt);
    assert_eq!(reply.label.status, asked.label.status);
    assert_eq!(reply.label.sequence_type, SequenceType::Reply);
    assert_eq!(reply.parts.len(), 2);
    for (asked, reply) in asked.parts.iter().zip(&reply.parts) {
        assert_eq!(reply.datapart_type, asked.datapart_type);
        assert!(reply.filename == asked.filename);
    }
}

#[tokio::test]
async fn a_browser_on_this_machine_is_refused() {
    let sandbox = Sandbox::new().start().await;
    for header in ["Origin: https://page.example", "Sec-Fetch-Site: cross-site"] {
        let mut wire = Wire::to(sandbox.service()).await;
        wire.post(&format!("{header}\r\n"), &question_about(&[DEMO]))
            .await;
        let response = wire.receive().await.unwrap();
        assert_eq!(response.status, 400, "{header}");
        assert_eq!(response.header("x-shs-errorcode"), Some("IllegalSender"));
    }
}
