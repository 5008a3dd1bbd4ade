//! What becomes of a message after 202, by the clock (shs-1.2, 5.6, 6.2, 7.1, 7.2, 7.7, 7.10;
//! design 4, 9).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use samsvar_actors::caller::Caller;
use samsvar_actors::failure::Failure;
use samsvar_actors::ledger::PROBE_EVERY;
use samsvar_actors::ledger::event::Origin;
use samsvar_actors::node::NodeSettings;
use samsvar_actors::observation::State;
use samsvar_actors::outbox::{ListQuery, Stored, TAKEN_MAX};
use samsvar_actors::relay::Kvitterat;
use samsvar_actors::reply::Outcome;
use samsvar_actors::tally::TransferEnd;
use samsvar_actors::transfers::{COPIES_MAX, TransferState};
use shs_schemas::ids::TxId;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::{Agreements, Message, Produkt};
use shs_schemas::{ErrorCode, Sensitive};
use tokio::time::Instant;

use crate::relay_rig::{
    Does, LOCAL, OTHER_REMOTE, REMOTE, Rig, SENDER, Told, accepted, address, agreement_with,
    asynch_question, event, number, url_of,
};
use crate::{ms, paused, settle};

const SECOND: Duration = Duration::from_secs(1);

fn to(receiver: &str) -> Message {
    event(SENDER, Some(receiver), 100)
}

fn told(code: ErrorCode, about: &Message) -> Told {
    Told {
        code,
        remote_code: None,
        about: about.label.corr_id.clone(),
    }
}

fn agreed_with(receivers: &[&str]) -> impl FnOnce(&mut NodeSettings) {
    let agreements = receivers.iter().enumerate();
    let agreements = agreements.map(|(serial, receiver)| agreement_with(receiver, serial));
    let agreements = Agreements::new(agreements.collect());
    |settings| settings.rules.agreements = agreements
}

#[actix::test]
async fn trouble_is_tried_again_with_doubling_waits_up_to_the_longest() {
    paused();
    let rig = Rig::with(|settings| {
        let relay = &mut settings.asynch.as_mut().unwrap().relay;
        relay.retry_longest = 10 * SECOND;
    })
    .await;
    rig.nodes.script(|_, post| match post {
        1 => Does::Unreachable,
        2 => Does::Refuse(408, None),
        3 => Does::Refuse(429, Some(ErrorCode::OtherError)),
        4 => Does::Refuse(500, None),
        5..10 => Does::Refuse(503, None),
        _ => Does::Take,
    });
    let message = to(REMOTE);
    rig.accepted(&message).await;
    tokio::time::sleep(200 * SECOND).await;
    let posts = rig.nodes.posts_to(&url_of(REMOTE));
    assert_eq!(posts.len(), 10);
    let waits = posts.windows(2).map(|pair| pair[1] - pair[0]);
    for (wait, least) in waits.zip([1, 2, 4, 8, 10, 10, 10, 10, 10]) {
        let most = (2 * least).min(10) * SECOND + ms(2);
        assert!(
            (least * SECOND..=most).contains(&wait),
            "{wait:?} for {least} s"
        );
    }
    assert_eq!(rig.state(&message), TransferState::Sent);
    let noted = ["mottaget", "levererat", "gallrat levererat"];
    assert_eq!(rig.noted(&message), noted);
    assert!(rig.mailbox(SENDER).is_empty());
    rig.assert_clean(1).await;
}

#[actix::test]
async fn acknowledgements_leave_accepted_messages_their_room_and_are_noted_all_the_same() {
    paused();
    let rig = Rig::with(|settings| {
        settings.asynch.as_mut().unwrap().underway.messages_max = 2;
    })
    .await;
    let message = to(LOCAL);
    rig.accepted(&message).await;
    settle().await;
    for _ in 0..5 {
        rig.asynch().acknowledged(Kvitterat {
            label: Arc::new(message.label.clone()),
            confirm: true,
            origin: Origin::message(uuid::Uuid::from_u128(7)),
            lay_for: Duration::ZERO,
        });
    }
    assert_eq!(rig.relay().mailbox_depth, 2, "the others wait nowhere");
    assert_eq!(rig.node.tally().own_lost(), 3, "their confirmations");
    settle().await;
    let noted = rig.noted(&message);
    let kvitterat = noted.iter().filter(|event| *event == "kvitterat");
    assert_eq!(kvitterat.count(), 5);
    assert_eq!(rig.state(&message), TransferState::Fetched);
}

#[actix::test]
async fn a_message_that_comes_back_on_its_way_to_somebody_else_is_refused_as_no_duplicate() {
    paused();
    let rig = Rig::new().await;
    let message = to(REMOTE);
    rig.accepted(&message).await;
    settle().await;
    // The directory led to this node itself, say: its certificate stands for the sender.
    let back = rig.nodes.last();
    let itself = Caller::certified([number(SENDER)]);
    let Outcome::Rejected(rejection) = rig.send_as(&back, itself).await else {
        panic!("nobody has the message: 202 would lose it")
    };
    assert_eq!(rejection.failure, Failure::NoRelay);
    // One that its own sender sends again has not been here on the way.
    assert!(rig.accepted(&message).await.is_duplicate());
}

#[actix::test]
async fn a_node_that_takes_a_message_has_it_however_long_its_answer_is() {
    paused();
    let rig = Rig::new().await;
    rig.nodes.script(|_, _| Does::TakeWithMuchToSay);
    let message = to(REMOTE);
    rig.accepted(&message).await;
    settle().await;
    assert_eq!(rig.state(&message), TransferState::Sent);
    assert!(rig.errors_of(SENDER).is_empty());
    rig.assert_clean(1).await;
}

#[actix::test]
async fn the_ledger_says_how_long_a_delivery_took_to_the_millisecond() {
    paused();
    let rig = Rig::new().await;
    rig.nodes.script(|_, _| Does::TakeAfter(3 * SECOND));
    let message = to(REMOTE);
    rig.accepted(&message).await;
    tokio::time::sleep(4 * SECOND).await;
    let ms: Vec<u64> = rig
        .lines(&message)
        .iter()
        .filter_map(|line| line["ms"].as_u64())
        .collect();
    assert!(matches!(ms[..], [3_000..3_100, 3_000..3_100]), "{ms:?}");
}

#[actix::test]
async fn the_ledger_says_into_how_many_copies_a_message_was_split() {
    paused();
    let rig = Rig::with(agreed_with(&[LOCAL, REMOTE])).await;
    let message = event(SENDER, None, 100);
    rig.accepted(&message).await;
    settle().await;
    assert_eq!(rig.noted(&message), ["mottaget", "delat"]);
    rig.assert_clean(3).await;
}

#[actix::test]
async fn what_stands_around_the_parts_takes_room_too() {
    paused();
    let rig = Rig::with(|settings| {
        settings.asynch.as_mut().unwrap().underway.bytes_max = 50_000;
    })
    .await;
    rig.nodes.script(|_, _| Does::Unreachable);
    let mut message = to(REMOTE);
    message.label.subject = Some("x".repeat(30_000).into());
    rig.accepted(&message).await;
    message.label.tx_id = TxId::fresh();
    assert_eq!(rig.refused(&message).await, Failure::TransfersFull);
}

#[actix::test]
async fn a_refusal_ends_at_once_and_its_code_is_repeated() {
    paused();
    for status in [301, 400, 403, 404, 413] {
        let rig = Rig::new().await;
        rig.nodes
            .script(move |_, _| Does::Refuse(status, Some(ErrorCode::UnknownReceiver)));
        let message = to(REMOTE);
        rig.accepted(&message).await;
        settle().await;
        let told = Told {
            remote_code: Some("UnknownReceiver".to_owned()),
            ..told(ErrorCode::MissingDeliveryExecution, &message)
        };
        assert_eq!(rig.errors_of(SENDER), [told], "{status}");
        assert_eq!(rig.nodes.posts_to(&url_of(REMOTE)).len(), 1);
        let code = ErrorCode::MissingDeliveryExecution;
        assert_eq!(rig.state(&message), TransferState::Quarantined { code });
        let noted = ["mottaget", "fel", "gallrat avslutat"];
        assert_eq!(rig.noted(&message), noted);
        rig.assert_clean(1).await;
    }
}

#[actix::test]
async fn what_nobody_takes_is_given_up_exactly_in_time_after_a_last_try() {
    paused();
    let rig = Rig::new().await;
    rig.nodes
        .script(|_, _| Does::Refuse(503, Some(ErrorCode::OtherError)));
    let message = to(REMOTE);
    let begun = Instant::now();
    rig.accepted(&message).await;
    let give_up = Duration::from_hours(4);
    tokio::time::sleep_until(begun + give_up - ms(5)).await;
    assert!(rig.mailbox(SENDER).is_empty(), "not before");
    assert_eq!(rig.relay().waiting, 1);
    tokio::time::sleep_until(begun + give_up + ms(5)).await;
    let told = Told {
        remote_code: Some("OtherError".to_owned()),
        ..told(ErrorCode::MissingDeliveryExecution, &message)
    };
    assert_eq!(rig.errors_of(SENDER), [told]);
    let last = *rig.nodes.posts_to(&url_of(REMOTE)).last().unwrap();
    assert!(last - begun >= give_up, "{:?}", last - begun);
    rig.assert_clean(1).await;
}

#[actix::test]
async fn a_stuck_node_gets_a_few_posts_at_once_and_delays_nobody_elses() {
    paused();
    let rig = Rig::new().await;
    let stuck = url_of(REMOTE);
    rig.nodes.script(move |url, _| {
        if url == stuck {
            Does::TakeAfter(30 * SECOND)
        } else {
            Does::Take
        }
    });
    for _ in 0..10 {
        rig.accepted(&to(REMOTE)).await;
    }
    let other = to(OTHER_REMOTE);
    rig.accepted(&other).await;
    settle().await;
    assert_eq!(rig.state(&other), TransferState::Sent);
    assert_eq!(rig.nodes.posts_to(&url_of(REMOTE)).len(), 4);
    assert_eq!(rig.relay().in_flight, 10);
    tokio::time::sleep(91 * SECOND).await;
    assert_eq!(rig.nodes.at_once_most(), 4);
    assert_eq!(rig.ended(TransferEnd::Pushed), 11);
    rig.assert_clean(11).await;
}

#[actix::test]
async fn the_bound_on_posts_to_an_actor_holds_over_a_restart_of_the_relay() {
    paused();
    let rig = Rig::new().await;
    rig.nodes.script(|_, _| Does::TakeAfter(30 * SECOND));
    for _ in 0..6 {
        rig.accepted(&to(REMOTE)).await;
    }
    rig.node.failpoints().arm("relay", 1);
    rig.accepted(&to(LOCAL)).await;
    settle().await;
    for _ in 0..6 {
        rig.accepted(&to(REMOTE)).await;
    }
    tokio::time::sleep(100 * SECOND).await;
    assert_eq!(rig.nodes.at_once_most(), 4);
    assert_eq!(rig.ended(TransferEnd::Pushed), 12);
    rig.assert_clean(13).await;
}

#[actix::test]
async fn who_waits_too_long_for_a_stuck_node_is_given_up_in_time_too() {
    paused();
    let rig = Rig::with(|settings| {
        let relay = &mut settings.asynch.as_mut().unwrap().relay;
        relay.posts_per_actor_max = 1;
        relay.give_up_after = 20 * SECOND;
    })
    .await;
    rig.nodes.script(|_, _| Does::Hang(60 * SECOND));
    rig.accepted(&to(REMOTE)).await;
    let second = to(REMOTE);
    rig.accepted(&second).await;
    tokio::time::sleep(21 * SECOND).await;
    let expected = [told(ErrorCode::MissingDeliveryExecution, &second)];
    assert_eq!(rig.errors_of(SENDER), expected);
    tokio::time::sleep(60 * SECOND).await;
    rig.assert_clean(2).await;
}

#[actix::test]
async fn a_directory_that_is_away_is_waited_for_and_then_given_up() {
    paused();
    let rig = Rig::new().await;
    rig.katalog.away.store(true, Ordering::Relaxed);
    let message = to(REMOTE);
    let begun = Instant::now();
    rig.accepted(&message).await;
    settle().await;
    let line = rig.relay();
    assert_eq!(
        (line.state, line.detail),
        (State::Impaired, Some("directory away"))
    );
    tokio::time::sleep_until(begun + 60 * SECOND - ms(5)).await;
    assert!(rig.mailbox(SENDER).is_empty());
    tokio::time::sleep_until(begun + 60 * SECOND + ms(5)).await;
    assert_eq!(
        rig.errors_of(SENDER),
        [told(ErrorCode::OtherError, &message)]
    );
    let line = rig.relay();
    assert_eq!((line.state, line.detail), (State::Running, None));
    rig.assert_clean(1).await;
}

#[actix::test]
async fn a_directory_that_comes_back_in_time_costs_nothing_but_time() {
    paused();
    let rig = Rig::new().await;
    rig.katalog.away.store(true, Ordering::Relaxed);
    let message = to(REMOTE);
    rig.accepted(&message).await;
    tokio::time::sleep(20 * SECOND).await;
    rig.katalog.away.store(false, Ordering::Relaxed);
    tokio::time::sleep(40 * SECOND).await;
    assert_eq!(rig.state(&message), TransferState::Sent);
    assert!(rig.mailbox(SENDER).is_empty());
    rig.assert_clean(1).await;
}

#[actix::test]
async fn a_message_addressed_by_product_waits_for_room_in_its_receivers_mailbox() {
    paused();
    let rig = Rig::with(|settings| {
        agreed_with(&[LOCAL])(settings);
        settings.asynch.as_mut().unwrap().outboxes.messages_max = 2;
    })
    .await;
    for _ in 0..2 {
        rig.accepted(&to(LOCAL)).await;
    }
    assert_eq!(rig.refused(&to(LOCAL)).await, Failure::OutboxFull);
    let by_product = event(SENDER, None, 100);
    rig.accepted(&by_product).await;
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(rig.state(&by_product), TransferState::New);
    assert_eq!(rig.relay().waiting, 1);
    assert_eq!(rig.empty(LOCAL), 2);
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(rig.state(&by_product), TransferState::Received);
    assert_eq!(
        rig.mailbox(LOCAL)[0].label.corr_id,
        by_product.label.corr_id
    );
    rig.assert_clean(3).await;
}

#[actix::test]
async fn a_question_that_the_node_is_too_busy_for_is_asked_later() {
    paused();
    let rig = Rig::with(|settings| settings.load.open_per_sender_max = 1).await;
    let busy = rig.node.load().admit(&number(SENDER)).unwrap();
    let question = asynch_question();
    rig.accepted(&question).await;
    tokio::time::sleep(20 * SECOND).await;
    assert_eq!(rig.state(&question), TransferState::New);
    drop(busy);
    tokio::time::sleep(40 * SECOND).await;
    let mailbox = rig.mailbox(SENDER);
    assert_eq!(mailbox.len(), 1);
    assert_eq!(mailbox[0].label.sequence_type, SequenceType::Reply);
    assert_eq!(rig.state(&question), TransferState::Fetched);
    assert_eq!(rig.noted(&question), ["mottaget", "besvarat"]);
    rig.assert_clean(1).await;
}

/// each chain of events ends with what says that nothing is held any more.
#[actix::test]
async fn the_last_line_about_a_question_says_that_its_reply_is_held_no_more() {
    paused();
    let rig = Rig::new().await;
    let question = asynch_question();
    rig.accepted(&question).await;
    tokio::time::sleep(20 * SECOND).await;
    let request_id = rig.lines(&question)[0]["request_id"].clone();
    let noted = || -> Vec<_> {
        let lines = rig.all_lines().into_iter();
        let of = lines.filter(|line| line["request_id"] == request_id);
        of.map(|line| line["event"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(noted().last().unwrap(), "levererat");
    rig.acknowledge(SENDER, &rig.mailbox(SENDER));
    settle().await;
    let ends = ["besvarat", "levererat", "kvitterat", "gallrat"];
    let noted = noted();
    assert!(noted.ends_with(&ends.map(str::to_owned)), "{noted:?}");
    let gallrat = rig.all_lines().pop().unwrap();
    assert_eq!(
        (&gallrat["slag"], &gallrat["reason"]),
        (&"svar".into(), &"kvitterat".into())
    );
    assert!(gallrat["ms"].as_u64().unwrap() > 0);
}

#[actix::test]
async fn a_question_that_never_gets_its_turn_ends_in_an_error() {
    paused();
    let rig = Rig::with(|settings| settings.load.open_per_sender_max = 1).await;
    let _busy = rig.node.load().admit(&number(SENDER)).unwrap();
    let question = asynch_question();
    rig.accepted(&question).await;
    tokio::time::sleep(61 * SECOND).await;
    assert_eq!(
        rig.errors_of(SENDER),
        [told(ErrorCode::OtherError, &question)]
    );
    rig.assert_clean(1).await;
}

#[actix::test]
async fn a_message_that_nobody_fetched_in_time_ends_in_an_error_to_its_sender() {
    paused();
    let rig = Rig::new().await;
    let (unfetched, fetched) = (to(LOCAL), to(LOCAL));
    rig.accepted(&unfetched).await;
    rig.accepted(&fetched).await;
    settle().await;
    let outboxes = rig.asynch().outboxes();
    let transfer = outboxes.fetch(&address(LOCAL), &fetched.label.tx_id);
    transfer.unwrap().complete();
    tokio::time::sleep(Duration::from_hours(1) + 2 * SECOND).await;
    let expected = [told(ErrorCode::MissingDeliveryExecution, &unfetched)];
    assert_eq!(rig.errors_of(SENDER), expected);
    assert_eq!(rig.ended(TransferEnd::Expired), 2);
    let events = ["mottaget", "levererat", "gallrat ej_kvitterat"];
    assert_eq!(rig.noted(&fetched), events);
    let events = ["mottaget", "levererat", "gallrat tiden_ute", "fel"];
    assert_eq!(rig.noted(&unfetched), events);
    // The error itself is not fetched either: of that nobody is told.
    tokio::time::sleep(Duration::from_hours(1) + 2 * SECOND).await;
    assert!(rig.mailbox(SENDER).is_empty());
    assert_eq!(rig.ended(TransferEnd::Expired), 3);
    rig.assert_clean(2).await;
}

#[actix::test]
async fn a_message_that_was_taken_and_forgotten_is_noted_as_not_acknowledged() {
    paused();
    let rig = Rig::with(|settings| {
        settings.asynch.as_mut().unwrap().outboxes.strict_fetch = true;
    })
    .await;
    let forgotten = to(LOCAL);
    rig.accepted(&forgotten).await;
    settle().await;
    let outboxes = rig.asynch().outboxes();
    let take = |message: &Message| {
        let fetched = outboxes.fetch(&address(LOCAL), &message.label.tx_id);
        fetched.unwrap().complete();
    };
    take(&forgotten);
    for _ in 0..TAKEN_MAX {
        let other = to(LOCAL);
        outboxes.reserve(&address(LOCAL)).unwrap().put(Stored {
            label: other.label.clone(),
            message: Sensitive::new(Bytes::from_static(b"content")),
            arrived: Utc::now(),
            confirm: false,
            origin: Origin::message(uuid::Uuid::from_u128(7)),
        });
        take(&other);
    }
    tokio::time::sleep(2 * SECOND).await;
    let events = ["mottaget", "levererat", "gallrat ej_kvitterat"];
    assert_eq!(rig.noted(&forgotten), events);
    assert_eq!(rig.ended(TransferEnd::Expired), 1);
    assert!(rig.mailbox(SENDER).is_empty(), "it was fetched");
    rig.assert_clean(1).await;
}

#[actix::test]
async fn of_many_that_nobody_fetched_every_sender_is_told_however_few_at_once() {
    paused();
    let rig = Rig::with(|settings| {
        settings.asynch.as_mut().unwrap().underway.messages_max = 2;
    })
    .await;
    let messages: Vec<Message> = (0..20).map(|_| to(LOCAL)).collect();
    for message in &messages {
        rig.accepted(message).await;
        settle().await;
    }
    // All expire within one look.
    tokio::time::sleep(Duration::from_hours(1) + SECOND).await;
    assert_eq!(rig.ended(TransferEnd::Expired), 20);
    assert!(rig.relay().waiting > 10, "they wait");
    tokio::time::sleep(10 * SECOND).await;
    let told_of: HashSet<_> = rig
        .errors_of(SENDER)
        .into_iter()
        .map(|it| it.about)
        .collect();
    let expected = messages.iter().map(|it| it.label.corr_id.clone());
    assert_eq!(told_of, expected.collect());
    assert_eq!(rig.node.tally().own_lost(), 0);
    rig.assert_clean(20).await;
}

/// A node that can tell one sender at a time, whose node is away, and three of whose messages nobody
/// fetched.
async fn three_that_cannot_be_told() -> (Rig, [Message; 3]) {
    let rig = Rig::with(|settings| {
        settings.asynch.as_mut().unwrap().underway.messages_max = 1;
    })
    .await;
    rig.nodes.script(|_, _| Does::Unreachable);
    let messages = [(); 3].map(|()| event(REMOTE, Some(LOCAL), 100));
    for message in &messages {
        rig.accepted(message).await;
        settle().await;
    }
    tokio::time::sleep(Duration::from_hours(1) + 2 * SECOND).await;
    assert_eq!(rig.asynch().underway().messages(), 3);
    (rig, messages)
}

#[actix::test]
async fn who_waits_too_long_to_be_told_is_given_up_and_counted() {
    paused();
    let (rig, messages) = three_that_cannot_be_told().await;
    // One is tried as long as anything is, perhaps another one after it, and never a third.
    tokio::time::sleep(Duration::from_hours(8) + 10 * SECOND).await;
    assert_eq!(rig.asynch().underway().messages(), 0);
    assert_eq!(rig.node.tally().own_lost(), 3);
    for message in &messages {
        let events = ["mottaget", "levererat", "gallrat tiden_ute", "fel"];
        assert_eq!(rig.noted(message), events, "the next start tells it");
    }
    rig.assert_clean(3).await;
}

#[actix::test]
async fn who_waits_to_be_told_when_the_relay_falls_or_the_node_stops_is_not_forgotten() {
    paused();
    let (rig, messages) = three_that_cannot_be_told().await;
    rig.node.failpoints().arm("relay", 1);
    rig.accepted(&to(LOCAL)).await;
    settle().await;
    assert_eq!(
        (rig.relay().restarts, rig.asynch().underway().messages()),
        (1, 3)
    );
    rig.node.stop().await;
    settle().await;
    for message in &messages {
        let noted = rig.noted(message);
        assert_eq!(noted.last().unwrap(), "avbrutet nedstangning");
    }
    let lines = rig.all_lines();
    let mut events = lines.iter().map(|line| &line["event"]);
    let last = events.rfind(|event| *event == "stoppat" || *event == "avbrutet");
    assert_eq!(last.unwrap(), "stoppat", "all is noted before it");
    assert_eq!(rig.asynch().underway().messages(), 0);
}

/// A message from another node for an actor here, which no agreement permits.
async fn refused_after_acceptance(rig: &Rig) -> Message {
    rig.katalog.permits.store(false, Ordering::Relaxed);
    let message = event(REMOTE, Some(LOCAL), 100);
    let caller = Caller::certified([number(REMOTE)]);
    accepted(rig.send_as(&message, caller).await);
    settle().await;
    message
}

#[actix::test]
async fn an_error_goes_to_the_senders_own_address_for_errors_and_else_to_the_next_best() {
    paused();
    let produkt = event(REMOTE, None, 0).label.product.produkt;
    let kinds = [
        (Some(Produkt::Error), "https://fel.example/"),
        (Some(produkt), "https://produkt.example/"),
        (None, "https://nagon.example/"),
    ];
    for known in 0..kinds.len() {
        let rig = Rig::new().await;
        {
            let mut urls = rig.katalog.urls.lock().unwrap();
            urls.clear();
            for (kind, url) in &kinds[known..] {
                urls.insert((REMOTE.to_owned(), *kind), (*url).to_owned());
            }
        }
        let message = refused_after_acceptance(&rig).await;
        assert_eq!(rig.nodes.urls(), [kinds[known].1]);
        let error = rig.nodes.last();
        assert_eq!(error.label.corr_id, message.label.corr_id);
        assert_eq!(error.label.product.produkt, Produkt::Error);
        rig.assert_clean(1).await;
    }
}

#[actix::test]
async fn an_error_that_cannot_be_delivered_is_the_end_of_it() {
    paused();
    let rig = Rig::new().await;
    rig.katalog.urls.lock().unwrap().clear();
    refused_after_acceptance(&rig).await;
    assert!(rig.nodes.urls().is_empty());
    assert_eq!(rig.ended(TransferEnd::Error), 1);
    assert_eq!(rig.node.tally().own_lost(), 1);
    assert_eq!(rig.asynch().underway().messages(), 0);
}

#[actix::test]
async fn a_panic_over_one_message_costs_that_one_and_its_sender_is_told() {
    paused();
    let rig = Rig::new().await;
    rig.node.failpoints().arm("transfer", 1);
    let (fallen, next) = (to(LOCAL), to(LOCAL));
    rig.accepted(&fallen).await;
    rig.accepted(&next).await;
    settle().await;
    assert_eq!(
        rig.errors_of(SENDER),
        [told(ErrorCode::OtherError, &fallen)]
    );
    assert_eq!(rig.state(&next), TransferState::Received);
    assert_eq!(rig.relay().restarts, 0);
    rig.assert_clean(2).await;
}

#[actix::test]
async fn a_fall_of_the_relay_loses_nothing_and_ends_what_it_handled_once() {
    paused();
    let rig = Rig::new().await;
    rig.node.failpoints().arm("relay", 3);
    let messages: Vec<_> = (0..10).map(|_| to(LOCAL)).collect();
    let sent = messages.iter().map(|message| rig.accepted(message));
    futures_util::future::join_all(sent).await;
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(rig.relay().restarts, 3);
    assert_eq!(rig.ended(TransferEnd::Outbox), 7);
    assert_eq!(rig.ended(TransferEnd::Error), 3);
    let errors = rig.errors_of(SENDER);
    assert_eq!(errors.len(), 3);
    assert!(errors.iter().all(|told| told.code == ErrorCode::OtherError));
    for message in &messages {
        let failed = errors
            .iter()
            .any(|told| told.about == message.label.corr_id);
        let noted: &[&str] = if failed {
            &["mottaget", "fel", "gallrat avslutat"]
        } else {
            &["mottaget", "levererat"]
        };
        assert_eq!(rig.noted(message), noted);
    }
    rig.assert_clean(10).await;
}

#[actix::test]
async fn a_message_that_cannot_be_noted_is_refused_and_new_when_it_comes_again() {
    paused();
    let rig = Rig::new().await;
    let (folder, aside) = (
        rig.ledger_folder(),
        rig.ledger_folder().with_extension("aside"),
    );
    std::fs::rename(&folder, &aside).unwrap();
    let message = to(LOCAL);
    assert_eq!(rig.refused(&message).await, Failure::NotNoted);
    let line = rig.relay();
    assert_eq!(
        (line.state, line.detail),
        (State::Impaired, Some("ledger fails"))
    );
    assert_eq!(
        rig.asynch().outboxes().counts().bytes,
        0,
        "places are given back"
    );
    std::fs::rename(&aside, &folder).unwrap();
    // The ledger finds out by itself.
    tokio::time::sleep(2 * PROBE_EVERY).await;
    let receipt = rig.accepted(&message).await;
    assert!(!receipt.is_duplicate());
    settle().await;
    assert_eq!(rig.mailbox(LOCAL).len(), 1);
    assert_eq!(rig.relay().state, State::Running);
    assert!(rig.accepted(&message).await.is_duplicate());
    rig.assert_clean(1).await;
}

#[actix::test]
async fn a_node_that_drains_waits_for_what_is_under_way() {
    paused();
    let rig = Rig::with(|settings| settings.load.open_per_sender_max = 1).await;
    rig.nodes.script(|_, _| Does::TakeAfter(2 * SECOND));
    let busy = rig.node.load().admit(&number(SENDER)).unwrap();
    let (message, question) = (to(REMOTE), asynch_question());
    rig.accepted(&message).await;
    rig.accepted(&question).await;
    settle().await;
    drop(busy);
    let begun = Instant::now();
    assert_eq!(rig.node.drain(10 * SECOND).await, 0);
    assert!(begun.elapsed() < 3 * SECOND);
    assert_eq!(rig.state(&message), TransferState::Sent);
    assert_eq!(rig.state(&question), TransferState::Fetched);
    assert_eq!(rig.refused(&to(LOCAL)).await, Failure::Draining);
    rig.assert_clean(2).await;
}

#[actix::test]
async fn what_is_left_when_the_node_stops_is_noted_as_interrupted() {
    paused();
    let rig = Rig::new().await;
    rig.nodes.script(|_, post| {
        if post == 1 {
            Does::Hang(3600 * SECOND)
        } else {
            Does::Unreachable
        }
    });
    let (hangs, waits, done) = (to(REMOTE), to(REMOTE), to(LOCAL));
    for message in [&hangs, &waits, &done] {
        rig.accepted(message).await;
    }
    assert_eq!(rig.node.drain(5 * SECOND).await, 2);
    rig.node.stop().await;
    settle().await;
    for message in [&hangs, &waits] {
        assert_eq!(rig.noted(message), ["mottaget", "avbrutet nedstangning"]);
    }
    assert_eq!(rig.noted(&done), ["mottaget", "levererat"]);
    assert_eq!(rig.ended(TransferEnd::Interrupted), 2);
    let posts = rig.nodes.urls().len();
    tokio::time::sleep(Duration::from_hours(2)).await;
    assert_eq!(rig.nodes.urls().len(), posts, "no task outlives its node");
    assert_eq!(rig.asynch().underway().messages(), 0);
}

#[actix::test]
async fn the_ledger_says_whose_sender_was_not_told_yet_when_the_node_stopped() {
    paused();
    let rig = Rig::new().await;
    rig.katalog.permits.store(false, Ordering::Relaxed);
    rig.nodes.script(|_, _| Does::Unreachable);
    let (untold, told) = (event(REMOTE, Some(LOCAL), 100), to(LOCAL));
    rig.accepted(&untold).await;
    rig.accepted(&told).await;
    settle().await;
    assert_eq!(rig.errors_of(SENDER).len(), 1);
    rig.node.stop().await;
    settle().await;
    let wiped = ["mottaget", "fel", "gallrat avslutat"];
    assert_eq!(rig.noted(&told), wiped);
    let interrupted = [&wiped[..], &["avbrutet nedstangning"]].concat();
    assert_eq!(rig.noted(&untold), interrupted);
}

#[actix::test]
async fn one_message_to_many_becomes_a_copy_for_each() {
    paused();
    let rig = Rig::with(agreed_with(&[LOCAL, REMOTE, OTHER_REMOTE])).await;
    rig.nodes.script(|url, _| {
        if *url == *url_of(REMOTE) {
            Does::Refuse(400, None)
        } else {
            Does::Take
        }
    });
    let message = event(SENDER, None, 100);
    rig.accepted(&message).await;
    settle().await;
    assert_eq!(rig.state(&message), TransferState::OneToMany);
    assert_eq!(rig.mailbox(LOCAL).len(), 1);
    assert_eq!(rig.ended(TransferEnd::Pushed), 1);
    let expected = [told(ErrorCode::MissingDeliveryExecution, &message)];
    assert_eq!(rig.errors_of(SENDER), expected);
    rig.assert_clean(4).await;
}

#[actix::test]
async fn a_message_to_more_receivers_than_may_be_is_an_error() {
    paused();
    let numbers: Vec<_> = (0..=COPIES_MAX)
        .map(|serial| format!("{:010}", 1_000_000_000 + serial))
        .collect();
    let receivers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let rig = Rig::with(agreed_with(&receivers)).await;
    let message = event(SENDER, None, 100);
    rig.accepted(&message).await;
    settle().await;
    assert_eq!(
        rig.errors_of(SENDER),
        [told(ErrorCode::IllegalReceiver, &message)]
    );
    rig.assert_clean(1).await;
}

#[actix::test]
async fn a_big_message_is_written_beside_the_others() {
    paused();
    let rig = Rig::new().await;
    let big = event(SENDER, Some(LOCAL), 1024 * 1024);
    rig.accepted(&big).await;
    for _ in 0..1_000 {
        if rig.ended(TransferEnd::Outbox) == 1 {
            break;
        }
        tokio::time::sleep(ms(10)).await;
    }
    let listed = rig
        .asynch()
        .outboxes()
        .list(&address(LOCAL), &ListQuery::default());
    assert_eq!(listed.len(), 1);
    rig.assert_clean(1).await;
}
