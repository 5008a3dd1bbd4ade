//! Bad input gets exactly one refusal: the right status, `X-shs-errorcode`, and an `shs.management`
//! document that says what and where and quotes nothing. Nobody is asked (issue 2, "Bad input";
//! R-001; shs-1.2, 5.5 and 6.2).

use bytes::Bytes;
use chrono::Utc;
use samsvar::client::answer::PersonAnswer;
use samsvar::client::question::{self, Asker};
use samsvar_actors::tally::OutcomeClass;
use shs_schemas::Sensitive;
use shs_schemas::mime::Limits;
use shs_schemas::shs::label::{Label, SequenceType, TransferType};
use shs_schemas::shs::management::Outcome;
use shs_schemas::shs::{Management, Message};

use crate::log::{MARK, holds_content};
use crate::sandbox::{DEMO, Sandbox, question_about};
use crate::wire::{Response, Wire};
use crate::xmllint::{Kind, assert_valid};

const BODY_MAX: u32 = 128 * 1024;
const HEADERS_MAX: u32 = 4 * 1024;

async fn sandbox() -> Sandbox {
    let builder = Sandbox::new().with(|settings| {
        settings.listener.body_bytes_max = BODY_MAX;
        settings.listener.header_bytes_max = HEADERS_MAX;
        settings.listener.body_timeout_ms = 300;
        settings.listener.client_request_timeout_ms = 300;
        // Connected, and without an agreement.
        let mut stranger = settings.aktorer[0].clone();
        "2120000142".clone_into(&mut stranger.organisationsnummer);
        settings.aktorer.push(stranger);
    });
    builder.start().await
}

/// A good question with the mark in its free texts, from a municipality.
fn from(number: &str, persons: usize) -> Message {
    let asker = Asker {
        from: number.to_owned(),
        handlaggare: MARK.to_owned(),
        arendeidentitet: MARK.to_owned(),
        ..Asker::default()
    };
    let persons = vec![DEMO.to_owned(); persons];
    let mut message = question::message(&asker, &persons, Utc::now()).unwrap();
    message.label.subject = Some(Sensitive::new(MARK.to_owned()));
    message
}

fn good() -> Message {
    from("2120009994", 1)
}

/// A good message with something changed in its label.
fn label(change: impl FnOnce(&mut Label)) -> Bytes {
    let mut message = good();
    change(&mut message.label);
    message.write()
}

/// A good message with something exchanged in its bytes: label and MIME are plain text.
fn text(from: &str, to: &str) -> Bytes {
    let written = String::from_utf8(good().write().to_vec()).unwrap();
    assert!(written.contains(from), "{from} is there to be exchanged");
    Bytes::from(written.replacen(from, to, 1))
}

/// A good message with something exchanged in its question.
fn fraga(from: &str, to: &str) -> Bytes {
    let mut message = good();
    exchange(&mut message, 0, from, to);
    message.write()
}

fn exchange(message: &mut Message, part: usize, from: &str, to: &str) {
    let data = message.parts[part].data.expose().to_vec();
    let document = String::from_utf8(data).unwrap();
    assert!(document.contains(from), "{from} is there to be exchanged");
    message.parts[part].data = Sensitive::new(Bytes::from(document.replace(from, to)));
}

fn two_questions() -> Message {
    from("2120009994", 2)
}

/// A good message of two parts with something exchanged in the second question.
fn second(from: &str, to: &str) -> Bytes {
    let mut message = two_questions();
    exchange(&mut message, 1, from, to);
    message.write()
}

/// Label and question with their places exchanged.
fn label_second() -> Bytes {
    let written = String::from_utf8(good().write().to_vec()).unwrap();
    let (_, after) = written.split_once("boundary=\"").unwrap();
    let boundary = format!("--{}", after.split('"').next().unwrap());
    let pieces: Vec<_> = written.split(&boundary).collect();
    let [head, label, question, tail] = pieces[..] else {
        panic!("a label, a part and what surrounds them")
    };
    Bytes::from([head, question, label, tail].join(&boundary))
}

/// A message, the code of its refusal, and words that its text must have.
type Case = (&'static str, Bytes, &'static str, &'static [&'static str]);

const STRUCTURE: &str = "IllegalMessageStructure";
const CONTENT: &str = "IllegalDatapartContent";

fn envelopes() -> Vec<Case> {
    let whole = good().write();
    let cut = |at: usize| whole.slice(..at);
    vec![
        ("nothing", Bytes::new(), STRUCTURE, &[]),
        (
            "no MIME",
            Bytes::from_static(b"MARKORD-UR-INNEHALLET"),
            STRUCTURE,
            &[],
        ),
        (
            "no closing boundary",
            cut(whole.len() - 12),
            STRUCTURE,
            &["boundary", "position"],
        ),
        (
            "cut in the middle",
            cut(whole.len() / 2),
            STRUCTURE,
            &["boundary", "position"],
        ),
        ("label not first", label_second(), STRUCTURE, &["shs.label"]),
        (
            "label not well-formed",
            text("</shs.label>", "</shs.lebal>"),
            STRUCTURE,
            &["shs.label", "position"],
        ),
        (
            "label with an internal subset",
            text(
                "\"shs-label-1.2.dtd\">",
                "\"shs-label-1.2.dtd\" [<!ENTITY e \"MARKORD-UR-INNEHALLET\">]>",
            ),
            STRUCTURE,
            &["shs.label", "position", "dokumenttypsdeklaration"],
        ),
        (
            "label with an entity",
            text("<subject>", "<subject>&e;"),
            STRUCTURE,
            &["entitetsreferens", "position"],
        ),
        ("no tx.id", text("tx.id=", "xt.id="), STRUCTURE, &["tx.id"]),
        (
            "a transfer type of its own",
            text("\"synch\"", "\"MARKORD-UR-INNEHALLET\""),
            STRUCTURE,
            &["transfer-type"],
        ),
    ]
}

fn labels() -> Vec<Case> {
    let number = |number: &str| from(number, 1).write();
    let elsewhere = "2120009986";
    vec![
        (
            "asynch",
            label(|l| l.transfer_type = TransferType::Asynch),
            STRUCTURE,
            &["synkrona"],
        ),
        (
            "adm",
            label(|l| l.sequence_type = SequenceType::Adm),
            STRUCTURE,
            &["sequence-type"],
        ),
        (
            "no sender",
            label(|l| l.from = None),
            "IllegalSender",
            &["from"],
        ),
        ("unknown sender", number("5560000001"), "UnknownSender", &[]),
        (
            "no receiver",
            label(|l| l.to = None),
            "UnknownReceiver",
            &["to"],
        ),
        (
            "another receiver",
            text("urn:X-shs:2021009994", &format!("urn:X-shs:{elsewhere}")),
            "MissingDeliveryAddress",
            &[],
        ),
        (
            "unknown product",
            text("55b7e000-0010", "55b7e000-0099"),
            "UnknownProductType",
            &[],
        ),
        (
            "malformed product",
            text("55b7e000-0010", MARK),
            "IllegalProductType",
            &["product"],
        ),
        (
            "no agreement",
            number("2120000142"),
            "MissingAgreement",
            &[],
        ),
    ]
}

fn contents() -> Vec<Case> {
    const FRAGA: &str = "hamtaBastjanstInformation";
    let bare = {
        let mut message = good();
        message.parts.clear();
        message.write()
    };
    vec![
        ("no part", bare, CONTENT, &["SSBT-ANTAL-PERSONER"]),
        (
            "eleven parts",
            from("2120009994", 11).write(),
            CONTENT,
            &["SSBT-ANTAL-PERSONER"],
        ),
        (
            "question not well-formed",
            fraga("</ssbt:syfte>", "</ssbt:sytfe>"),
            CONTENT,
            &["SSBT-OGILTIG-FRAGA", "datadel 1", "position"],
        ),
        (
            "question with a DTD",
            fraga(
                "<ssbt:hamtaBastjanstInformation ",
                "<!DOCTYPE a [<!ENTITY e \"MARKORD-UR-INNEHALLET\">]><ssbt:hamtaBastjanstInformation ",
            ),
            CONTENT,
            &["dokumenttypsdeklaration", "datadel 1", "position"],
        ),
        (
            "question with an entity",
            fraga("<ssbt:syfte>", "<ssbt:syfte>&e;"),
            CONTENT,
            &["entitetsreferens", "position"],
        ),
        (
            "another document",
            fraga(FRAGA, MARK),
            CONTENT,
            &[FRAGA, "datadel 1", "position"],
        ),
        (
            "a namespace of no version",
            fraga("/ssbt/10", "/ssbt/MARKORD-UR-INNEHALLET"),
            CONTENT,
            &[FRAGA, "position"],
        ),
        (
            "no arendeidentitet",
            fraga("ssbt:arendeidentitet", "ssbt:nagotannat"),
            CONTENT,
            &["arendeidentitet", "position"],
        ),
        (
            "eleven digits",
            fraga("<ssbt:personidentitet>1", "<ssbt:personidentitet>"),
            CONTENT,
            &["personidentitet", "position"],
        ),
        (
            "a date that is none",
            fraga("<ssbt:tomDatum>", "<ssbt:tomDatum>MARKORD-UR-INNEHALLET"),
            CONTENT,
            &["tomDatum", "position"],
        ),
        (
            "inkludera that is neither",
            fraga("inkludera=\"true\"", "inkludera=\"MARKORD-UR-INNEHALLET\""),
            CONTENT,
            &["AF, position"],
        ),
        (
            "no purpose",
            fraga("ssbt:syfte", "ssbt:nagotannat"),
            CONTENT,
            &["syfte", "position"],
        ),
        (
            "the second is wrong",
            second("ssbt:lagtext", "ssbt:nagotannat"),
            CONTENT,
            &["datadel 2", "lagtext", "position"],
        ),
        (
            "two ingivare",
            second("162120009994", "162120009986"),
            CONTENT,
            &["SSBT-OBEHORIG", "ingivare"],
        ),
        (
            "two versions",
            second("/ssbt/10", "/ssbt/11"),
            CONTENT,
            &["SSBT-OGILTIG-FRAGA"],
        ),
    ]
}

fn all_cases() -> Vec<Case> {
    [envelopes(), labels(), contents()].concat()
}

/// Checks a refusal on its own; gives its document.
fn assert_refuses(
    name: &str,
    response: &Response,
    status: u16,
    code: &str,
    words: &[&str],
) -> Vec<u8> {
    assert_eq!(response.status, status, "{name}: {}", response.head);
    assert_eq!(response.header("x-shs-errorcode"), Some(code), "{name}");
    let content_type = response.header("content-type").unwrap_or_default();
    assert!(
        content_type.starts_with("text/xml"),
        "{name}: {content_type}"
    );
    assert!(!holds_content(response.head.as_bytes()), "{name} quotes");
    assert!(!holds_content(&response.body), "{name} quotes");
    let document = Management::read(&response.body, None, &Limits::default()).unwrap();
    let Outcome::Error {
        code: said, info, ..
    } = document.outcome
    else {
        panic!("{name}: no error")
    };
    assert_eq!(said.as_str(), code, "{name}");
    let info = info.map(Sensitive::into_exposed).unwrap_or_default();
    assert!(!info.is_empty(), "{name} says nothing");
    for word in words {
        assert!(info.contains(word), "{name}: no {word} in {info:?}");
    }
    response.body.clone()
}

#[tokio::test]
async fn every_malformed_message() {
    let sandbox = sandbox().await;
    let mut documents = Vec::new();
    for (name, message, code, words) in all_cases() {
        let before = (sandbox.ended(), sandbox.outcome(OutcomeClass::Refused));
        let mut wire = Wire::to(sandbox.service()).await;
        wire.post("Content-Type: message/rfc822\r\n", &message)
            .await;
        let response = wire.receive().await.unwrap();
        documents.push(assert_refuses(name, &response, 400, code, words));
        let after = (sandbox.ended(), sandbox.outcome(OutcomeClass::Refused));
        assert_eq!(after, (before.0 + 1, before.1 + 1), "{name}: one outcome");
    }
    assert_eq!(sandbox.asked().count(), 0, "nobody was asked");
    assert_valid(Kind::Management, &documents);
}

/// The identifiers that could be read stand in the refusal (shs-1.2, 6.2).
#[tokio::test]
async fn and_the_refusal_names_the_message() {
    let sandbox = sandbox().await;
    let mut message = good();
    message.label.transfer_type = TransferType::Asynch;
    let mut wire = Wire::to(sandbox.service()).await;
    wire.post("", &message.write()).await;
    let response = wire.receive().await.unwrap();
    let label = message.label;
    assert_eq!(response.header("x-shs-txid"), Some(label.tx_id.as_str()));
    assert_eq!(
        response.header("x-shs-corrid"),
        Some(label.corr_id.as_str())
    );
    let document = Management::read(&response.body, None, &Limits::default()).unwrap();
    assert_eq!(document.corr_id, label.corr_id);
    assert_eq!(document.content_id, label.content.id);
}

#[tokio::test]
async fn another_method_than_post() {
    let sandbox = sandbox().await;
    let mut documents = Vec::new();
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let mut wire = Wire::to(sandbox.service()).await;
        wire.send(format!(
            "{method} /shs/rs HTTP/1.1\r\nHost: node\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
        let response = wire.receive().await.unwrap();
        assert_eq!(response.header("allow"), Some("POST"));
        documents.push(assert_refuses(method, &response, 405, STRUCTURE, &["POST"]));
    }
    assert_valid(Kind::Management, &documents);
    assert_eq!(sandbox.outcome(OutcomeClass::Refused), 4);
    assert_eq!(sandbox.asked().count(), 0);
}

#[tokio::test]
async fn a_body_that_is_announced_or_turns_out_too_large() {
    let sandbox = sandbox().await;
    let mut wire = Wire::to(sandbox.service()).await;
    let announced = BODY_MAX + 1;
    wire.send(format!(
        "POST /shs/rs HTTP/1.1\r\nHost: node\r\nContent-Length: {announced}\r\n\r\n"
    ))
    .await;
    let response = wire.receive().await.unwrap();
    let first = assert_refuses("announced", &response, 413, STRUCTURE, &[]);

    let mut wire = Wire::to(sandbox.service()).await;
    wire.send("POST /shs/rs HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    for _ in 0..=BODY_MAX / 0x1000 {
        wire.send(&chunk).await;
    }
    let response = wire.receive().await.unwrap();
    let second = assert_refuses("in chunks", &response, 413, STRUCTURE, &[]);
    assert_valid(Kind::Management, &[first, second]);
    assert_eq!(sandbox.outcome(OutcomeClass::Refused), 2);
    assert_eq!(sandbox.asked().count(), 0);
}

#[tokio::test]
async fn a_header_block_that_is_too_large() {
    let sandbox = sandbox().await;
    let mut wire = Wire::to(sandbox.service()).await;
    let header = format!("X-Surplus: {}\r\n", "x".repeat(HEADERS_MAX as usize));
    wire.post(&header, &good().write()).await;
    let response = wire.receive().await.unwrap();
    assert_refuses("headers", &response, 400, STRUCTURE, &[]);
    assert_eq!(sandbox.asked().count(), 0);
}

/// Real time passes: 0.3 s, to which the setting has shortened what a sender may take.
#[tokio::test]
async fn a_sender_that_takes_too_long() {
    let sandbox = sandbox().await;
    let body = good().write();
    let mut wire = Wire::to(sandbox.service()).await;
    let head = format!(
        "POST /shs/rs HTTP/1.1\r\nHost: node\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    wire.send([head.as_bytes(), &body[..100]].concat()).await;
    let response = wire.receive().await.unwrap();
    assert_refuses("slow body", &response, 400, STRUCTURE, &[]);
    assert!(wire.is_closed_by_the_node().await);

    // Without a whole header block there is no message to refuse: the connection ends.
    let mut wire = Wire::to(sandbox.service()).await;
    wire.send("POST /shs/rs HTTP/1.1\r\nHost: no").await;
    assert!(wire.is_closed_by_the_node().await);
    assert_eq!(sandbox.ended(), 1);
    assert_eq!(sandbox.asked().count(), 0);
}

/// A wrong check digit makes its own part a fault; the others are answered.
#[tokio::test]
async fn but_a_wrong_identity_number_costs_its_own_part_only() {
    let sandbox = sandbox().await;
    let wrong = "199503142384";
    let persons = [DEMO, wrong, "199503022387"];
    let answered = sandbox.send(question_about(&persons)).await.unwrap();
    let kinds: Vec<_> = answered
        .persons
        .iter()
        .map(|person| matches!(person, PersonAnswer::Fault { .. }))
        .collect();
    assert_eq!(kinds, [false, true, false]);
    assert_eq!(sandbox.asked().count(), 16, "nobody was asked about it");
    let fault = answered.message.parts[1].data.expose();
    let quoted = fault.windows(wrong.len()).any(|at| at == wrong.as_bytes());
    assert!(!quoted, "the fault quotes the number");
    assert_eq!(sandbox.ended(), 1);
}
