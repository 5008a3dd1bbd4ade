//! The directory stops and comes back while messages flow: who is known goes on, who is not is told, and
//! nothing hangs (shs-1.2, 8; design 9).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use samsvar_actors::transfers::TransferState as State;
use shs_schemas::ErrorCode;
use tokio::task::spawn_blocking;

use crate::letter::{error_code, event, request};
use crate::rig::{At, KOMMUN, Plan, Rig, TYST};
use crate::sandbox::eventually;
use crate::slapd::{Readers, Slapd};
use crate::ts43_published::{FJARR, ldap, publish_fjarr};

/// Nobody knows it.
const STRANGER: &str = "0000000099";

/// Longest time that a caller waits for an answer: connecting and searching, on a busy machine.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What stopping and starting a server needs: it blocks its thread.
async fn blocking(mut slapd: Slapd, change: impl FnOnce(&mut Slapd) + Send + 'static) -> Slapd {
    let changed = spawn_blocking(move || {
        change(&mut slapd);
        slapd
    });
    changed.await.unwrap()
}

/// Synchronous requests and asynchronous events to FJARR, one after the other until told to end; gives
/// how many of each there were.
async fn flow(rig: Arc<Rig>, end: Arc<AtomicBool>) -> usize {
    let mut count = 0;
    while !end.load(Ordering::SeqCst) {
        let begun = Instant::now();
        rig.post("kommun", At::A, &event(KOMMUN, FJARR, TYST)).await;
        let answer = rig
            .send("kommun", At::A, &request(KOMMUN, FJARR, TYST))
            .await;
        assert_eq!(answer.status, 200, "{:?}", answer.refusal());
        assert!(begun.elapsed() < ANSWER_MAX, "{:?}", begun.elapsed());
        count += 1;
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn known_receivers_go_on_unknown_ones_are_told_and_it_recovers_by_itself() {
    let Some(slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let mut plan = Plan::usual();
    plan.a.more = ldap(&slapd);
    // A second is the shortest that can be set.
    plan.a.relay = "directory_patience_s = 1".to_owned();
    let rig = Arc::new(plan.start().await);
    let other = publish_fjarr(&rig, &slapd, Some("any")).await;
    let end = Arc::new(AtomicBool::new(false));
    let flowing = tokio::spawn(flow(Arc::clone(&rig), Arc::clone(&end)));
    eventually("messages flow", || other.received().len() > 4).await;

    let slapd = blocking(slapd, Slapd::stop).await;
    let sent = event(KOMMUN, STRANGER, TYST);
    rig.post("kommun", At::A, &sent).await;
    let begun = Instant::now();
    let answer = rig
        .send("kommun", At::A, &request(KOMMUN, STRANGER, TYST))
        .await;
    assert!(begun.elapsed() < ANSWER_MAX, "{:?}", begun.elapsed());
    assert_eq!(
        (answer.status, answer.refusal().code),
        (503, ErrorCode::OtherError)
    );
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds > 0);
    let error = rig.arrives("kommun", At::A, KOMMUN, "error").await;
    assert_eq!(error_code(&error), "OtherError");
    let code = ErrorCode::OtherError;
    rig.state(At::A, &sent.label.tx_id, State::Quarantined { code }, false)
        .await;
    let before = other.received().len();
    eventually("messages still flow", || {
        other.received().len() > before + 4
    })
    .await;

    let _slapd = blocking(slapd, Slapd::start_again).await;
    let begun = Instant::now();
    loop {
        let answer = rig
            .send("kommun", At::A, &request(KOMMUN, STRANGER, TYST))
            .await;
        if answer.refusal().code == ErrorCode::UnknownReceiver {
            break;
        }
        assert_eq!(answer.status, 503);
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "does not recover"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    end.store(true, Ordering::SeqCst);
    let flowed = flowing.await.unwrap();
    rig.is_quiet(At::A).await;
    assert_eq!(other.received().len(), 2 * flowed, "every one once");
    let errors = rig.lying(At::A, KOMMUN);
    assert_eq!(errors, 0, "the one error was fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_waits_for_a_directory_that_comes_back_in_time() {
    let Some(slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let mut plan = Plan::usual();
    plan.a.more = ldap(&slapd);
    let rig = plan.start().await;
    let other = publish_fjarr(&rig, &slapd, Some("any")).await;
    let slapd = blocking(slapd, Slapd::stop).await;
    let sent = event(KOMMUN, FJARR, TYST);
    rig.post("kommun", At::A, &sent).await;
    rig.state(At::A, &sent.label.tx_id, State::New, false).await;
    let _slapd = blocking(slapd, Slapd::start_again).await;
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    assert_eq!(other.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_stands_still_holds_nobody_up_for_long() {
    let Some(slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let mut plan = Plan::usual();
    plan.a.more = ldap(&slapd);
    let rig = plan.start().await;
    slapd.freeze();
    let stranger = request(KOMMUN, STRANGER, TYST);
    let begun = Instant::now();
    let asked = (0..20).map(|_| rig.send("kommun", At::A, &stranger));
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(
            (answer.status, answer.refusal().code),
            (503, ErrorCode::OtherError)
        );
    }
    assert!(begun.elapsed() < ANSWER_MAX, "{:?}", begun.elapsed());
    // Those of the configuration need no directory.
    let begun = Instant::now();
    let ping = request(KOMMUN, crate::rig::B_OWN, crate::rig::PING);
    let answer = rig.send("kommun", At::A, &ping).await;
    assert_eq!(answer.status, 200, "{:?}", answer.refusal());
    assert!(begun.elapsed() < ANSWER_MAX, "{:?}", begun.elapsed());
    slapd.thaw();
}
