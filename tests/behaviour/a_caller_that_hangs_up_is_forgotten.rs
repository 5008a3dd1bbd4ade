//! A caller that is killed in mid-question is cancelled within a second, and wiped (issue 2,
//! "Shows"; design 4; R-006).

use std::time::Duration;

use samsvar::adapter::behaviour::{Behaviour, Fault};
use samsvar::adapter::simulated::SEED_DEFAULT;
use samsvar_actors::tally::OutcomeClass;

use crate::sandbox::{DEMO, Gate, Sandbox, eventually, question_about, within};
use crate::wire::Wire;

const OPEN: &str = "samsvar_requests_open";

#[tokio::test]
async fn within_a_second_its_slots_are_recalled_and_the_gauge_is_back() {
    let silent = Behaviour::always(Fault::Silent, SEED_DEFAULT);
    let sandbox = Sandbox::new().all_behaving(&silent).start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    wire.post("", &question_about(&[DEMO])).await;
    eventually("every party is asked", || sandbox.in_flight() == 8).await;
    assert_eq!(sandbox.node().load().open(), 1);
    assert_eq!(sandbox.metric(OPEN).await, 1);

    drop(wire);
    let forgotten =
        || sandbox.node().load().open() == 0 && sandbox.in_flight() == 0 && sandbox.ended() == 1;
    assert!(within(Duration::from_secs(1), forgotten).await);
    assert_eq!(sandbox.outcome(OutcomeClass::CallerGone), 1);
    assert_eq!(sandbox.metric(OPEN).await, 0);
    let tree = sandbox.tree().await;
    let actors = tree["actors"].as_array().unwrap();
    assert!(actors.iter().all(|actor| actor["kind"] != "aggregator"));
}

#[tokio::test]
async fn those_who_wait_on_keep_their_answers() {
    let gate = Gate::closed();
    let sandbox = Sandbox::new().held_by(&gate).start().await;
    let mut leaving = Vec::new();
    for _ in 0..10 {
        let mut wire = Wire::to(sandbox.service()).await;
        wire.post("", &question_about(&[DEMO])).await;
        leaving.push(wire);
    }
    let staying = futures_util::future::join_all((0..10).map(|_| sandbox.ask(DEMO)));
    let others = async {
        eventually("all are open", || sandbox.node().load().open() == 20).await;
        drop(leaving);
        eventually("half of them are forgotten", || {
            sandbox.node().load().open() == 10 && sandbox.in_flight() == 80
        })
        .await;
        gate.open();
    };
    let (answered, ()) = tokio::join!(staying, others);
    assert!(answered.iter().all(Result::is_ok));
    assert_eq!(sandbox.outcome(OutcomeClass::CallerGone), 10);
    assert_eq!(sandbox.outcome(OutcomeClass::Answered), 10);
    assert_eq!(sandbox.node().load().open(), 0);
}

#[tokio::test]
async fn one_that_leaves_before_its_message_is_whole_opens_nothing() {
    let sandbox = Sandbox::new().start().await;
    let body = question_about(&[DEMO]);
    for share in [0, 1, body.len() / 2, body.len() - 1] {
        let mut wire = Wire::to(sandbox.service()).await;
        let head = format!(
            "POST /shs/rs HTTP/1.1\r\nHost: node\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        wire.send([head.as_bytes(), &body[..share]].concat()).await;
    }
    sandbox.ask(DEMO).await.unwrap();
    assert_eq!(sandbox.asked().count(), 8, "only the whole one was asked");
    assert_eq!(sandbox.node().load().open(), 0);
}
