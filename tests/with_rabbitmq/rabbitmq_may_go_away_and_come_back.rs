//! RabbitMQ killed, and RabbitMQ that takes no more (design 9; R-008): no caller hangs, every
//! question has one outcome, and nobody needs to help afterwards.
//!
//! What this cannot prove: a network that swallows packets. There nothing is closed, and heartbeats
//! must tell.

use std::thread::sleep;
use std::time::{Duration, Instant};

use samsvar::client::answer::Said;

use crate::ask::{Caller, Ended, is_data};
use crate::rabbitmq::RabbitMq;
use crate::stage::{Node, Place, all_authorities};

const CALLERS: usize = 20;

/// How long RabbitMQ is away, before it is started again, which takes another five. The promise is
/// for 20 s and more; nothing changes after the longest back-off, which is 2 s in the node and in
/// the simulators.
const AWAY: Duration = Duration::from_secs(6);

/// A reply while RabbitMQ is known to be away takes milliseconds, and more on a machine on which
/// RabbitMQ is starting.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Service must be back so long after RabbitMQ: the longest back-off, and opening eight lines.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// Longest wait for an outcome, come what may: far from the 11 s that a silent party is waited for.
/// Most of it is a busy machine, and the 2 s in which RabbitMQ may take a question.
const WAIT_LONGEST: Duration = Duration::from_secs(6);

/// Figures of what callers saw.
fn assert_every_question_had_one_outcome(ended: &[Ended]) {
    let longest = ended.iter().map(|(_, took, _)| *took).max().unwrap();
    let full = ended.iter().filter(|one| is_full(one)).count();
    eprintln!(
        "{} questions, {full} full answers, longest wait {longest:.1?}",
        ended.len()
    );
    for (_, took, outcome) in ended {
        assert!(*took < WAIT_LONGEST, "waited {took:?}");
        // A node that loses RabbitMQ answers with what there is.
        let said = outcome
            .as_ref()
            .unwrap_or_else(|error| panic!("after {took:?}: {error:?}"));
        assert!(said.values().all(is_data_or_from_ssbt), "{said:?}");
    }
}

fn is_full((_, _, outcome): &Ended) -> bool {
    outcome
        .as_ref()
        .is_ok_and(|said| said.values().all(is_data))
}

/// Försäkringskassan and Pensionsmyndigheten share an element: one alone is told within it.
fn is_data_or_from_ssbt(said: &Said) -> bool {
    match said {
        Said::Error(kalla, _) => kalla == "SSBT",
        Said::Data(_) | Said::Unavailable(_) => true,
        Said::NotAsked => false,
    }
}

/// Questions put in this time, and what they came to.
fn put_between(ended: &[Ended], from: Instant, to: Instant) -> impl Iterator<Item = &Ended> {
    ended
        .iter()
        .filter(move |(asked, ..)| (from..to).contains(asked))
}

#[test]
fn killed_under_load() {
    let Some(mut broker) = RabbitMq::start() else {
        return;
    };
    let place = Place::in_own(&broker);
    let mut node = Node::start(&place, &[]);
    let _authorities = all_authorities(&place);
    let caller = Caller::new();
    caller.until_all_give_data(&node);
    let load = caller.load(&node, CALLERS);
    sleep(Duration::from_secs(1));
    broker.kill();
    let gone = Instant::now();
    sleep(AWAY);
    let before_return = Instant::now();
    broker.start_again();
    let back = caller.until_all_give_data(&node);
    eprintln!("full answers again {back:.1?} after the return of RabbitMQ");
    assert!(back < BACK_WITHIN, "{back:?}");
    sleep(Duration::from_secs(1));
    let ended = load.stop(&caller);
    assert_every_question_had_one_outcome(&ended);
    let settled = gone + Duration::from_millis(500);
    for (_, took, outcome) in put_between(&ended, settled, before_return) {
        let said = outcome.as_ref().unwrap();
        let expected = Said::Error("SSBT".into(), "SSBT-MEDDELANDESYSTEM".into());
        assert!(said.values().all(|said| *said == expected), "{said:?}");
        assert!(*took < AT_ONCE, "{took:?}");
    }
    assert!(node.process.is_running());
    let log = node.process.err.text();
    let lines = log.lines().count();
    eprintln!("the node's log has {lines} lines");
    let complaints = log.lines().filter(|line| line.contains("\"WARN\"")).count();
    assert!(complaints < 50, "{complaints} complaints:\n{log}");
}

#[test]
fn blocking_its_publishers_under_load() {
    let Some(broker) = RabbitMq::start() else {
        return;
    };
    let place = Place::in_own(&broker);
    let mut node = Node::start(&place, &[]);
    let _authorities = all_authorities(&place);
    let caller = Caller::new();
    caller.until_all_give_data(&node);
    let load = caller.load(&node, CALLERS);
    sleep(Duration::from_secs(1));
    broker.set_memory_alarm(true);
    let blocked = Instant::now();
    sleep(AWAY);
    let before_return = Instant::now();
    broker.set_memory_alarm(false);
    let back = caller.until_all_give_data(&node);
    eprintln!("full answers again {back:.1?} after the end of the alarm");
    assert!(back < BACK_WITHIN, "{back:?}");
    sleep(Duration::from_secs(1));
    let ended = load.stop(&caller);
    assert_every_question_had_one_outcome(&ended);
    // The first to be held back find out within the publish timeout (2 s); then all are told at
    // once.
    let settled = blocked + Duration::from_secs(3);
    for (_, took, outcome) in put_between(&ended, settled, before_return) {
        let said = outcome.as_ref().unwrap();
        let expected = Said::Error("SSBT".into(), "SSBT-MEDDELANDESYSTEM".into());
        assert!(said.values().all(|said| *said == expected), "{said:?}");
        assert!(*took < AT_ONCE, "{took:?}");
    }
    assert!(node.process.is_running());
}

/// A node that starts without RabbitMQ, or with a password that RabbitMQ refuses, serves: it answers
/// at once, and says in the log why, once.
#[test]
fn or_never_have_been_there() {
    let Some(place) = Place::take() else { return };
    let wrong = place.url("samsvar").replace(":samsvar@", ":hemligt@");
    for (url, reason) in [
        (Place::nowhere().url("samsvar"), "refused"),
        (wrong, "ACCESS_REFUSED"),
    ] {
        let node = Node::start_at(&url, &[("AMQP__RECONNECT_LONGEST_MS", "100")]);
        let caller = Caller::new();
        let away = Said::Error("SSBT".into(), "SSBT-MEDDELANDESYSTEM".into());
        for _ in 0..20 {
            let (said, took) = caller.ask(&node);
            assert!(said.values().all(|said| *said == away), "{said:?}");
            // The first waits for the first attempt.
            assert!(took < Duration::from_secs(3), "{took:?}");
        }
        node.process
            .err
            .find(|line| line.contains(reason).then_some(()));
        let log = node.process.err.text();
        assert_eq!(
            log.matches("no connection to the broker").count(),
            1,
            "{log}"
        );
        assert!(
            !log.contains("\"ERROR\"") && !log.contains("hemligt"),
            "{log}"
        );
    }
}
