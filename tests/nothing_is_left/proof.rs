//! The proof itself, and that it would notice.

use std::fs;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::sleep;

use crate::next_node::NextNode;
use crate::places::{Found, report};
use crate::stage::{Stage, Wanted};
use crate::traffic::{self, Callers};

/// Questions of the proof, and of those that show that it would notice.
const MANY: usize = 1000;
const FEW: usize = 120;
/// The message that is planted; it has a number of its own.
const PLANTED: usize = 5000;
/// From the last outcome to the search: connections are closed after two seconds and one more, and
/// rinsed after one.
const SETTLES: Duration = Duration::from_millis(4500);
/// Longest wait for what is under way.
const PATIENCE: Duration = Duration::from_mins(1);
/// What falls, and how often: of each kind of actor that holds content, and the task that carries a
/// message.
const FALLS: &str = "dispatcher-AF:3,aggregator:2,egress:1,ingress:1,transfer:2,relay:1";

/// A ring of lapin: as many frames as it holds, each as long as RabbitMQ takes them.
const RING_BYTES: usize = 32 * 128 * 1024;
/// Rings of a connection: what is sent, and what is received.
const RINGS: usize = 2;

const AS_DELIVERED: Wanted = Wanted {
    tls: true,
    without: None,
    falls: None,
};

/// One after the other: each takes the machine's whole attention.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

struct Proof {
    stage: Stage,
    next: NextNode,
}

impl Proof {
    async fn set(wanted: Wanted) -> Option<Self> {
        let next = NextNode::that_takes().await;
        let stage = Stage::set(wanted, next.url().as_str()).await?;
        Some(Self { stage, next })
    }

    /// Asks, takes what lies in the mailbox, and returns when everything has come to its end.
    async fn ask(&mut self, many: usize) -> Callers {
        let begun = Instant::now();
        let (callers, outcomes) = traffic::ask(&mut self.stage, many).await;
        let taken = outcomes[traffic::FETCHED] + self.settle().await;
        let pushed = self.next.posts();
        eprintln!("{outcomes:#?}");
        eprintln!(
            "{many} in {:.1?}, {taken} fetched, {pushed} pushed",
            begun.elapsed()
        );
        let complaints = self.stage.complaints();
        assert!(complaints.is_empty(), "{complaints}");
        // Most of them have to have come to what they were asked for. (One authority is away for a sixth of
        // the time: what it should have said is missing.)
        for (word, at_least) in [
            ("synch answered: 200", many / 5),
            ("asynch answered: 202", many / 10),
            ("soap answered: 200", many / 5),
            ("file: 202", many / 25),
            // In a short run a larger part of the time.
            (traffic::IN_FULL, many / 20),
        ] {
            let count = outcomes.get(word).copied().unwrap_or_default();
            assert!(count >= at_least, "{count} of {word}: {outcomes:#?}");
        }
        assert!(taken > many / 25 && pushed > many / 25, "{taken}, {pushed}");
        callers
    }

    /// Takes what lies in the mailbox until nothing is under way any more.
    async fn settle(&self) -> usize {
        let (begun, mut taken) = (Instant::now(), 0);
        loop {
            taken += traffic::empty_mailbox(&self.stage).await;
            let mut left = 0.0;
            for metric in [
                "samsvar_requests_open",
                "samsvar_underway_messages",
                "samsvar_outbox_messages",
            ] {
                left += self.stage.metric(metric).await;
            }
            if left == 0.0 {
                return taken;
            }
            assert!(begun.elapsed() < PATIENCE, "{left} are still under way");
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn search(&self) -> Vec<Found> {
        sleep(SETTLES).await;
        self.stage.search().await
    }
}

fn assert_nothing(found: &[Found]) {
    assert!(found.is_empty(), "{}", report(found));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_questions_leave_nothing_behind_but_what_is_planted() {
    let _alone = alone().await;
    let wanted = Wanted {
        // A release build has no failpoints.
        falls: cfg!(debug_assertions).then_some(FALLS),
        ..AS_DELIVERED
    };
    let Some(mut proof) = Proof::set(wanted).await else {
        return;
    };
    let callers = proof.ask(MANY).await;
    // A message that nobody fetches lies in the mailbox, by design, until it expires; a file lies where
    // somebody put it.
    traffic::plant(&proof.stage, PLANTED).await;
    let file = proof.stage.folder().join("tmp/planted");
    fs::write(&file, crate::marker::text("a planted file", PLANTED)).unwrap();
    let found = proof.search().await;
    let (planted, others): (Vec<Found>, Vec<Found>) = found
        .into_iter()
        .partition(|found| found.hit.what.ends_with(&format!(" of {PLANTED:05}")));
    assert_nothing(&others);
    let places = |place: &str| {
        planted
            .iter()
            .filter(|found| found.place.contains(place))
            .count()
    };
    assert!(places("memory") > 10, "{}", report(&planted));
    assert_eq!(places("tmp/planted"), 1, "{}", report(&planted));
    eprintln!("planted and found: {}", planted.len());
    fs::remove_file(file).unwrap();
    let begun = Instant::now();
    while proof.stage.metric("samsvar_outbox_messages").await > 0.0 {
        assert!(begun.elapsed() < PATIENCE, "it does not expire");
        sleep(Duration::from_millis(100)).await;
    }
    assert_nothing(&proof.search().await);
    callers.leave().await;
    proof
        .stage
        .assert_that_all_of_it_happened(wanted.falls.unwrap_or_default())
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_do_questions_over_a_plain_listener() {
    let _alone = alone().await;
    let wanted = Wanted {
        tls: false,
        ..AS_DELIVERED
    };
    let Some(mut proof) = Proof::set(wanted).await else {
        return;
    };
    let callers = proof.ask(FEW).await;
    assert_nothing(&proof.search().await);
    callers.leave().await;
}

/// What is found after a few questions to a node that goes without this; `None` without RabbitMQ.
async fn found_without(what: &'static str) -> Option<Vec<Found>> {
    let wanted = Wanted {
        without: Some(what),
        ..AS_DELIVERED
    };
    let mut proof = Proof::set(wanted).await?;
    let callers = proof.ask(FEW).await;
    let found = proof.search().await;
    callers.leave().await;
    assert!(found.len() > 1000, "{}", report(&found));
    Some(found)
}

/// Where in memory hits begin, each as far from the one before as a ring is long.
fn rings(found: &[Found]) -> Vec<usize> {
    let mut places: Vec<usize> = found.iter().filter_map(Found::address).collect();
    places.sort_unstable();
    let mut rings: Vec<usize> = Vec::new();
    for at in places {
        if rings.last().is_none_or(|begin| at - begin > RING_BYTES) {
            rings.push(at);
        }
    }
    rings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_wipe_the_search_finds_what_was_freed() {
    let _alone = alone().await;
    let Some(found) = found_without("wipe").await else {
        return;
    };
    // In more places than the connection has: it is rinsed, and what was freed lies everywhere.
    assert!(rings(&found).len() > RINGS, "{}", report(&found));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_rinse_it_finds_what_the_connection_to_rabbitmq_holds() {
    let _alone = alone().await;
    let Some(found) = found_without("rinse").await else {
        return;
    };
    let in_memory = found.iter().filter_map(Found::address).count();
    assert_eq!(in_memory, found.len(), "{}", report(&found));
    let rings = rings(&found);
    assert!(rings.len() <= RINGS, "{rings:x?}: {}", report(&found));
    let of = |what: &str| found.iter().any(|found| found.hit.what.starts_with(what));
    assert!(of("fråga handlaggare") && of("TNS "), "{}", report(&found));
}
