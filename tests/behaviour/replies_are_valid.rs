//! Whatever the authorities do, the reply is a valid SHS message with valid responses in it (issue
//! 2, "Shows"; ssbtek-10, 3).

use std::time::Duration;

use futures_util::future::join_all;
use samsvar::adapter::behaviour::{Behaviour, Fault, Garbage};
use samsvar::adapter::simulated::{EXEMPELPERSONER, SEED_DEFAULT};
use samsvar::client::Answered;
use samsvar_actors::transport::in_process::Reach;
use shs_schemas::Uppgiftslamnare;

use crate::sandbox::{DEMO, Sandbox, eventually, without_data};
use crate::xmllint::{Kind, assert_valid};

/// Ways to fail, by turns over the authorities.
const FAULTS: [Fault; 7] = [
    Fault::Fail,
    Fault::Silent,
    Fault::GarbageOf(Garbage::Truncated),
    Fault::GarbageOf(Garbage::WrongNamespace),
    Fault::Late(Duration::from_millis(20)),
    Fault::GarbageOf(Garbage::ErrorFromSsbt),
    Fault::GarbageOf(Garbage::Binary),
];

/// Real seconds pass where an authority is silent: the limit is shortened to 4 s.
async fn replies_with_failing(parties: &[Uppgiftslamnare]) -> Vec<Answered> {
    let mut builder = Sandbox::new();
    if parties.len() > 1 {
        // One of them is silent.
        builder = builder.limit(4);
    }
    let (unreachable, failing) = match parties.split_last() {
        // With all of them out, one has no queue at all.
        Some((last, others)) if parties.len() == 8 => (Some(*last), others),
        _ => (None, parties),
    };
    for (fault, ul) in FAULTS.into_iter().cycle().zip(failing) {
        builder = builder.behaving(*ul, &Behaviour::always(fault, SEED_DEFAULT));
    }
    let sandbox = builder.start().await;
    if let Some(ul) = unreachable {
        sandbox.set_reach(ul, Reach::NoQueue);
    }
    let asking = EXEMPELPERSONER
        .iter()
        .map(|(person, _)| sandbox.ask(person));
    let replies = join_all(asking).await.into_iter();
    replies.map(|reply| reply.unwrap()).collect()
}

/// The label as it stands in the message: the first part, which travels as plain text.
fn label(raw: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    let start = text.find("<?xml").unwrap();
    let end = text.find("</shs.label>").unwrap() + "</shs.label>".len();
    text.as_bytes()[start..end].to_vec()
}

fn assert_all_valid(replies: &[Answered]) {
    let labels: Vec<_> = replies.iter().map(|reply| label(&reply.raw)).collect();
    assert_valid(Kind::Label, &labels);
    let parts = replies.iter().flat_map(|reply| &reply.message.parts);
    let responses: Vec<_> = parts.map(|part| part.data.expose().to_vec()).collect();
    assert_valid(Kind::Response, &responses);
}

async fn are_valid_with_failing(parties: &[Uppgiftslamnare]) {
    let replies = replies_with_failing(parties).await;
    assert_eq!(replies.len(), EXEMPELPERSONER.len());
    assert_all_valid(&replies);
    // The first person is the one about whom everybody has data.
    assert_eq!(EXEMPELPERSONER[0].0, DEMO);
    assert_eq!(without_data(&replies[0]), parties);
}

#[tokio::test]
async fn for_every_kind_of_person_with_nobody_failing() {
    are_valid_with_failing(&[]).await;
}

#[tokio::test]
async fn for_every_kind_of_person_with_one_authority_failing() {
    are_valid_with_failing(&[Uppgiftslamnare::SKV]).await;
}

#[tokio::test]
async fn for_every_kind_of_person_with_three_authorities_failing() {
    let parties = [
        Uppgiftslamnare::CSN,
        Uppgiftslamnare::FK,
        Uppgiftslamnare::SO,
    ];
    are_valid_with_failing(&parties).await;
}

#[tokio::test]
async fn for_every_kind_of_person_with_all_eight_failing() {
    let parties: Vec<_> = Uppgiftslamnare::all().collect();
    are_valid_with_failing(&parties).await;
}

#[tokio::test]
async fn for_ten_persons_in_one_message() {
    let sandbox = Sandbox::new().start().await;
    let persons = EXEMPELPERSONER.iter().map(|(number, _)| *number);
    let persons: Vec<_> = persons.collect();
    let reply = sandbox.ask_about(&persons).await.unwrap();
    assert_eq!(reply.persons.len(), 10);
    assert_all_valid(&[reply]);
}

#[tokio::test]
async fn when_a_party_comes_and_goes() {
    let sandbox = Sandbox::new().start().await;
    let mut replies = Vec::new();
    for reach in [Reach::NoConsumer, Reach::NoQueue, Reach::NoBroker] {
        sandbox.set_reach(Uppgiftslamnare::PM, reach);
        let mut reply = sandbox.ask(DEMO).await.unwrap();
        // The dispatcher hears of it a moment later.
        while without_data(&reply).is_empty() {
            reply = sandbox.ask(DEMO).await.unwrap();
        }
        assert_eq!(without_data(&reply), [Uppgiftslamnare::PM]);
        replies.push(reply);
        sandbox.set_reach(Uppgiftslamnare::PM, Reach::Consuming);
        eventually("nothing is in flight", || sandbox.in_flight() == 0).await;
    }
    assert_all_valid(&replies);
}
