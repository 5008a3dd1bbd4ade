//! Hundreds of requests among random faults, panics and callers that hang up: every request has
//! exactly one outcome, and nothing is left behind. The seed is printed; set
//! `SAMSVAR_SEED` to run one again.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use samsvar::adapter::behaviour::{Behaviour, Fault, Latency, Share};
use samsvar::adapter::simulated::EXEMPELPERSONER;
use samsvar::client::AskError;
use samsvar_actors::tally::OutcomeClass;

use crate::sandbox::{Sandbox, eventually, question_about};
use crate::wire::Wire;

const REQUESTS: u64 = 400;
/// Requests under way at once.
const AT_ONCE: usize = 24;

/// `SplitMix64`: enough to draw from, and the same for the same seed.
#[derive(Clone, Copy)]
struct Draw(u64);

impl Draw {
    fn about(self, subject: u64) -> Self {
        Self(self.0 ^ subject.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }
}

fn seed() -> u64 {
    let given = std::env::var("SAMSVAR_SEED").ok();
    given
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0)
}

fn behaviour(seed: u64) -> Behaviour {
    let most = Duration::from_millis(40);
    let latency = Latency::range(Duration::ZERO, most).unwrap();
    let faults = [
        (Fault::Fail, 0.05),
        (Fault::Silent, 0.01),
        (Fault::Garbage, 0.10),
        (Fault::Twice, 0.10),
        (Fault::Late(Duration::from_millis(20)), 0.01),
        (Fault::AnothersCorrelationId, 0.05),
    ];
    let good = Behaviour::good(seed).with_latency(latency);
    faults.into_iter().fold(good, |behaviour, (fault, share)| {
        let share = Share::new(share).unwrap();
        behaviour.with_fault(fault, share).unwrap()
    })
}

/// What became of one request, as its caller saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Reply,
    Error,
    HungUp,
}

async fn one(sandbox: &Sandbox, mut draw: Draw) -> Seen {
    // A panic somewhere, now and then: within the budget of those that the node cannot be without.
    if draw.below(20) == 0 {
        let place = [
            "aggregator",
            "dispatcher-AF",
            "dispatcher-FK",
            "dispatcher-SO",
        ];
        let place = place[usize::try_from(draw.below(4)).unwrap()];
        sandbox.failpoints().arm(place, 1);
    }
    let first = usize::try_from(draw.below(8)).unwrap();
    let number = 1 + usize::try_from(draw.below(3)).unwrap();
    let persons: Vec<_> = EXEMPELPERSONER[first..]
        .iter()
        .take(number)
        .map(|(person, _)| *person)
        .collect();
    if draw.below(10) == 0 {
        let mut wire = Wire::to(sandbox.service()).await;
        wire.post("", &question_about(&persons)).await;
        tokio::time::sleep(Duration::from_millis(draw.below(30))).await;
        return Seen::HungUp;
    }
    match sandbox.ask_about(&persons).await {
        Ok(answered) => {
            assert_eq!(answered.persons.len(), persons.len());
            for person in &answered.persons {
                assert_eq!(person.per_party().len(), 8);
            }
            Seen::Reply
        }
        Err(AskError::Refused { status: 500, .. }) => Seen::Error,
        Err(other) => panic!("neither a reply nor an error of ours: {other}"),
    }
}

/// Real time passes where somebody is silent: the node waits half a second for it.
#[tokio::test]
async fn every_request_has_one_outcome() {
    let seed = seed();
    // Shown when the test fails, or with --nocapture.
    #[expect(clippy::print_stdout, reason = "a random test says its seed")]
    {
        println!("SAMSVAR_SEED={seed}");
    }
    let sandbox = Sandbox::new()
        .with(|settings| {
            // Stops waiting after half a second; the rest is for a busy machine, so that the
            // watchdog speaks of defects only.
            settings.deadline.limit_s = 10;
            settings.deadline.per_person_ms = 0;
            settings.deadline.margin_ms = 9_500;
            settings.dispatcher.circuit_pause_s = 1;
            settings.supervision.backoff_first_ms = 1;
            settings.supervision.backoff_longest_ms = 50;
        })
        .all_behaving(&behaviour(seed))
        .start()
        .await;
    sandbox.failpoints().arm("ingress", 2);
    sandbox.failpoints().arm("egress", 2);
    let all = (0..REQUESTS).map(|number| one(&sandbox, Draw(seed).about(number)));
    let results: Vec<_> = stream::iter(all).buffer_unordered(AT_ONCE).collect().await;
    let count = |what| results.iter().filter(|seen| **seen == what).count() as u64;

    let tally = sandbox.node().tally();
    eventually("nothing is open", || {
        sandbox.node().load().open() == 0 && sandbox.ended() == tally.received()
    })
    .await;
    let (replies, errors) = (count(Seen::Reply), count(Seen::Error));
    let outcome = |class| sandbox.outcome(class);
    let reply_outcomes = outcome(OutcomeClass::Answered) + outcome(OutcomeClass::Partial);
    assert!(reply_outcomes >= replies && reply_outcomes <= replies + count(Seen::HungUp));
    assert!(outcome(OutcomeClass::Failed) >= errors);
    assert!(outcome(OutcomeClass::CallerGone) <= count(Seen::HungUp));
    assert!(tally.received() >= replies + errors && tally.received() <= REQUESTS);
    assert_eq!(tally.watchdog(), 0);

    eventually("nothing is in flight", || sandbox.in_flight() == 0).await;
    assert_eq!(sandbox.metric("samsvar_requests_open").await, 0);
    let tree = sandbox.tree().await;
    for actor in tree["actors"].as_array().unwrap() {
        assert_eq!(actor["mailbox_depth"], 0, "{actor}");
        assert_ne!(actor["kind"], "aggregator", "{actor}");
    }
}
