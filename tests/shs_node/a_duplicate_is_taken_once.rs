//! A `tx.id` that is known is not taken again, however its copies come (shs-1.2, 5.3).

use futures_util::future::join_all;
use samsvar_actors::tally::{OutcomeClass, TransferEnd};
use shs_schemas::shs::Message;
use shs_schemas::shs::label::TransferType;

use crate::exchange::{PROVSTAD, STRANGER, actor, file, file_to, node, ping, text_part};
use crate::rig::{Answer, Rig};
use crate::wire::{Response, Wire};

fn is_duplicate(answer: &Answer) -> bool {
    answer.header("x-shs-duplicatemsg") == Some("yes")
}

#[tokio::test]
async fn the_second_copy_gets_the_arrival_of_the_first_and_no_local_id() {
    let rig = Rig::over(node()).await;
    let message = file();
    let (first, second) = (rig.accepted(&message).await, rig.accepted(&message).await);
    assert!(!is_duplicate(&first) && is_duplicate(&second));
    assert!(first.header("x-shs-localid").is_some());
    assert_eq!(second.header("x-shs-localid"), None);
    let arrival = first.header("x-shs-arrivaldate").unwrap();
    assert_eq!(second.header("x-shs-arrivaldate"), Some(arrival));
    assert_eq!(arrival.len(), "2031-03-04T10:00:00".len());
    for (name, value) in [
        ("x-shs-txid", message.label.tx_id.as_str()),
        ("x-shs-corrid", message.label.corr_id.as_str()),
        ("x-shs-contentid", message.label.content.id.as_str()),
        ("x-shs-nodeid", "samsvar-demo"),
    ] {
        assert_eq!(first.header(name), Some(value));
        assert_eq!(second.header(name), Some(value));
    }
    rig.settled().await;
    assert_eq!((rig.list(PROVSTAD, "").await.len(), rig.ends()), (1, 1));
    rig.noted("\"event\":\"duplett\"").await;
}

#[tokio::test]
async fn whatever_else_it_says_a_known_tx_id_is_a_duplicate() {
    let rig = Rig::over(node()).await;
    let message = file();
    rig.accepted(&message).await;
    let mut other = file_to(Some(STRANGER));
    other.label.tx_id = message.label.tx_id.clone();
    other.parts.push(text_part("bilaga"));
    assert!(is_duplicate(&rig.accepted(&other).await));
    rig.settled().await;
    assert_eq!((rig.list(PROVSTAD, "").await.len(), rig.ends()), (1, 1));
}

#[tokio::test]
async fn a_message_that_failed_and_one_that_was_fetched_are_still_known() {
    let rig = Rig::over(node()).await;
    let failed = file_to(Some(STRANGER));
    let fetched = file();
    for message in [&failed, &fetched] {
        rig.accepted(message).await;
    }
    rig.settled().await;
    rig.acknowledge(PROVSTAD, &fetched.label.tx_id).await;
    for message in [&failed, &fetched] {
        assert!(is_duplicate(&rig.accepted(message).await));
    }
    rig.settled().await;
    assert_eq!((rig.end(TransferEnd::Error), rig.ends()), (1, 2));
}

/// So many copies at once, each over a connection of its own that is open before any is sent.
async fn at_once(rig: &Rig, message: &Message, copies: usize) -> Vec<Response> {
    let open = (0..copies).map(|_| Wire::to(rig.service()));
    let body = message.write();
    let sending = join_all(open).await.into_iter().map(|mut wire| {
        let body = body.clone();
        async move {
            wire.post("", &body).await;
            wire.receive().await.unwrap()
        }
    });
    join_all(sending).await
}

#[tokio::test]
async fn of_copies_that_come_at_once_exactly_one_is_the_first() {
    let rig = Rig::over(node()).await;
    for (round, copies) in [2, 2, 2, 20, 20].into_iter().enumerate() {
        let answers = at_once(&rig, &file(), copies).await;
        assert!(answers.iter().all(|answer| answer.status == 202));
        let said = |wanted: &str| {
            let of = |answer: &&Response| answer.header("x-shs-duplicatemsg") == Some(wanted);
            answers.iter().filter(of).count()
        };
        assert_eq!((said("no"), said("yes")), (1, copies - 1));
        let arrivals = answers
            .iter()
            .map(|answer| answer.header("x-shs-arrivaldate"));
        assert!(arrivals.collect::<std::collections::HashSet<_>>().len() == 1);
        rig.settled().await;
        assert_eq!(rig.list(PROVSTAD, "").await.len(), round + 1);
    }
    assert_eq!(rig.outcome(OutcomeClass::Accepted), 46);
    assert_eq!(rig.ends(), 5);
}

#[tokio::test]
async fn of_copies_that_come_at_once_to_a_full_mailbox_none_is_a_duplicate() {
    let rig = Rig::over(node().with(|settings| settings.outbox.messages_max = 1)).await;
    rig.accepted(&file()).await;
    rig.settled().await;
    let message = file();
    let answers = at_once(&rig, &message, 20).await;
    assert!(answers.iter().all(|answer| answer.status == 503));
    assert_eq!(rig.state(&message.label.tx_id), None);
    assert_eq!(rig.ends(), 1);
}

#[tokio::test]
async fn a_synchronous_message_has_no_duplicates() {
    let rig = Rig::over(node()).await;
    let mut message = ping();
    for _ in 0..2 {
        assert_eq!(rig.post(message.write()).await.status, 200);
    }
    // Nor is it one of an asynchronous message.
    message.label.transfer_type = TransferType::Asynch;
    assert!(!is_duplicate(&rig.accepted(&message).await));
    message.label.to = Some(actor(PROVSTAD));
    assert!(is_duplicate(&rig.accepted(&message).await));
}
