//! SIGTERM under load (design 9): what is open is answered, what is new is told to go elsewhere, and
//! the node ends with exit code 0.

use std::time::Duration;

use rustix::process::Signal;
use samsvar::client::AskError;
use shs_schemas::shs::label::Status;

use crate::ask::{Caller, is_data};
use crate::stage::{Node, Place, authorities};

const OPEN: u32 = 40;

/// Exit code of a node that leaves requests open.
const LEFT_OPEN: i32 = 75;

#[test]
fn under_load() {
    let Some(place) = Place::take() else { return };
    let mut node = Node::start(&place, &[]);
    // Slow, so that all are open when the signal comes.
    let _authorities = authorities(&place, "simulator", &["--alla", "--latency", "2s"], 16);
    let caller = Caller::new();
    caller.until_all_give_data(&node);
    let open = caller.begin(&node, OPEN as usize);
    caller.until_open(&node, OPEN);
    node.process.signal(Signal::TERM);
    // The first refusal shows that the signal has been heard. None comes before it that waits.
    let refusal = loop {
        match caller.ask_with(&node, Status::Test) {
            Err(refusal) => break refusal,
            Ok(_) => assert!(node.process.is_running()),
        }
    };
    match refusal {
        AskError::Refused { status, .. } => assert_eq!(status, 503),
        other => panic!("closed before it was drained: {other}"),
    }
    caller.until_draining(&node);
    for outcome in caller.end(open) {
        let (said, _) = outcome.expect("what was open is answered");
        assert!(said.values().all(is_data), "{said:?}");
    }
    assert_eq!(node.process.wait().code(), Some(0));
    assert!(caller.ask_with(&node, Status::Production).is_err());
}

#[test]
fn at_idle_at_once() {
    let Some(place) = Place::take() else { return };
    for signal in [Signal::TERM, Signal::INT] {
        let mut node = Node::start(&place, &[]);
        let told = std::time::Instant::now();
        node.process.signal(signal);
        assert_eq!(node.process.wait().code(), Some(0));
        assert!(
            told.elapsed() < Duration::from_secs(5),
            "{:?}",
            told.elapsed()
        );
        let log = node.process.err.text();
        assert!(!log.contains("\"ERROR\""), "ending is no fault:\n{log}");
    }
}

#[test]
fn told_twice_it_does_not_wait() {
    let Some(place) = Place::take() else { return };
    let mut node = Node::start(&place, &[]);
    let _authorities = authorities(&place, "simulator", &["--alla", "--silent"], 16);
    let caller = Caller::new();
    caller.until_reachable(&node);
    let open = caller.begin(&node, 1);
    caller.until_open(&node, 1);
    node.process.signal(Signal::INT);
    caller.until_draining(&node);
    let told = std::time::Instant::now();
    node.process.signal(Signal::INT);
    assert_eq!(node.process.wait().code(), Some(LEFT_OPEN));
    assert!(
        told.elapsed() < Duration::from_secs(5),
        "{:?}",
        told.elapsed()
    );
    assert!(
        caller.end(open)[0].is_err(),
        "the caller sees its connection break"
    );
}
