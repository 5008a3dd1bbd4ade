//! What can be seen of the actors without asking them: counters that they write and anybody reads.
//!
//! The console and `samsvar tree` pull a [`Snapshot`]; no actor ever gets a message for it, so
//! that a stuck actor shows as stuck instead of making the page hang (design 10). Nothing here
//! holds content or a name that a caller chose.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

/// Name of the root of the tree.
pub const SUPERVISOR: &str = "supervisor";

/// What an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Starts, watches, restarts, escalates.
    Supervisor,
    /// Admits a request or refuses it.
    Ingress,
    /// Holds one request.
    Aggregator,
    /// Owns the way to one Uppgiftslämnare.
    Dispatcher,
    /// Compiles and sends the reply.
    Egress,
    /// Writes down what happened.
    Ledger,
    /// Delivers asynchronous messages.
    Relay,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Supervisor => "supervisor",
            Self::Ingress => "ingress",
            Self::Aggregator => "aggregator",
            Self::Dispatcher => "dispatcher",
            Self::Egress => "egress",
            Self::Ledger => "ledger",
            Self::Relay => "relay",
        })
    }
}

/// How an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum State {
    /// Made, not yet at work.
    Starting = 0,
    /// At work.
    Running = 1,
    /// At work, but what it depends on is away: no broker, no consumer, open circuit.
    Impaired = 2,
    /// Fell over; waits for its next start.
    Restarting = 3,
    /// Over its restart budget; tried again at the longest back-off.
    Paused = 4,
    /// Ended, on purpose or for good.
    Stopped = 5,
}

impl State {
    const ALL: [Self; 6] = [
        Self::Starting,
        Self::Running,
        Self::Impaired,
        Self::Restarting,
        Self::Paused,
        Self::Stopped,
    ];

    fn from_u8(value: u8) -> Self {
        Self::ALL
            .get(usize::from(value))
            .copied()
            .unwrap_or(Self::Stopped)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Impaired => "impaired",
            Self::Restarting => "restarting",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        })
    }
}

/// Class of an actor's last failure: always a word of ours.
pub type FailureClass = &'static str;

/// The counters of one long-lived actor. They outlive its restarts.
#[derive(Debug)]
pub struct Observed {
    name: String,
    kind: Kind,
    state: AtomicU8,
    generation: AtomicU32,
    restarts: AtomicU32,
    depth: AtomicUsize,
    in_flight: AtomicUsize,
    waiting: AtomicUsize,
    handled: AtomicU64,
    failed: AtomicU64,
    last_failure: Mutex<Option<FailureClass>>,
    detail: Mutex<Option<FailureClass>>,
    since: Mutex<Instant>,
}

impl Observed {
    /// Counters for an actor of this name (`dispatcher-AF`).
    #[must_use]
    pub fn new(name: impl Into<String>, kind: Kind) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            kind,
            state: AtomicU8::new(State::Starting as u8),
            generation: AtomicU32::new(0),
            restarts: AtomicU32::new(0),
            depth: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            handled: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            last_failure: Mutex::new(None),
            detail: Mutex::new(None),
            since: Mutex::new(Instant::now()),
        })
    }

    /// Name in the tree.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is.
    #[must_use]
    pub fn state(&self) -> State {
        State::from_u8(self.state.load(Ordering::Relaxed))
    }

    /// Sets how it is; a new state starts its uptime anew.
    pub fn set_state(&self, state: State) {
        let before = self.state.swap(state as u8, Ordering::Relaxed);
        let was_up = matches!(State::from_u8(before), State::Running | State::Impaired);
        let is_up = matches!(state, State::Running | State::Impaired);
        if was_up != is_up {
            *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }

    /// Notes that a generation begins. The first one is 1.
    pub fn begin_generation(&self, generation: u32) {
        self.generation.store(generation, Ordering::Relaxed);
        self.restarts
            .store(generation.saturating_sub(1), Ordering::Relaxed);
        self.in_flight.store(0, Ordering::Relaxed);
        self.waiting.store(0, Ordering::Relaxed);
    }

    /// Notes how it fell over.
    pub fn fell(&self, class: FailureClass) {
        *self
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(class);
    }

    /// Says in a word why it is as it is (`no consumer`, `circuit open`), or nothing.
    pub fn set_detail(&self, detail: Option<FailureClass>) {
        *self.detail.lock().unwrap_or_else(PoisonError::into_inner) = detail;
    }

    /// Says why it is impaired, or that it is not; nothing else changes the state of an actor that is
    /// not at work.
    pub fn set_impaired(&self, why: Option<FailureClass>) {
        self.set_detail(why);
        let (from, to) = match why {
            Some(_) => (State::Running, State::Impaired),
            None => (State::Impaired, State::Running),
        };
        // Both are up: the uptime goes on.
        let _ =
            self.state
                .compare_exchange(from as u8, to as u8, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Messages that wait for it.
    #[must_use]
    pub fn depth(&self) -> &AtomicUsize {
        &self.depth
    }

    /// Sets what it has out and what stands in its line.
    pub fn set_load(&self, in_flight: usize, waiting: usize) {
        self.in_flight.store(in_flight, Ordering::Relaxed);
        self.waiting.store(waiting, Ordering::Relaxed);
    }

    /// Counts one piece of work done.
    pub fn count_handled(&self) {
        self.handled.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one piece of work that failed.
    pub fn count_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Times it was restarted.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// The tree's line for it.
    #[must_use]
    pub fn line(&self) -> ActorLine {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        ActorLine {
            name: self.name.clone(),
            parent: (self.kind != Kind::Supervisor).then(|| SUPERVISOR.to_owned()),
            kind: self.kind,
            state: self.state(),
            detail: *self.detail.lock().unwrap_or_else(PoisonError::into_inner),
            generation: self.generation.load(Ordering::Relaxed),
            restarts: self.restarts(),
            mailbox_depth: self.depth.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            waiting: self.waiting.load(Ordering::Relaxed),
            handled: self.handled.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            last_failure: *self
                .last_failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
            uptime_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// One actor in a [`Snapshot`].
#[derive(Clone, Debug, Serialize)]
pub struct ActorLine {
    /// Name in the tree.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How it is.
    pub state: State,
    /// Why it is so, in a word.
    pub detail: Option<FailureClass>,
    /// Name of the actor that it belongs under; nothing for the root.
    pub parent: Option<String>,
    /// Which life it lives; the first is 1.
    pub generation: u32,
    /// Times it was restarted.
    pub restarts: u32,
    /// Messages that wait for it.
    pub mailbox_depth: usize,
    /// Work it has given out and waits for.
    pub in_flight: usize,
    /// Work that waits in its own line.
    pub waiting: usize,
    /// Work done since the node started.
    pub handled: u64,
    /// Work that failed since the node started.
    pub failed: u64,
    /// How it last fell over.
    pub last_failure: Option<FailureClass>,
    /// Milliseconds since it came up, or went down.
    pub uptime_ms: u64,
}

/// A live aggregator: one open request, without anything of its content.
#[derive(Debug)]
pub struct OpenRequest {
    opened: Instant,
    slots: usize,
    filled: AtomicUsize,
}

impl OpenRequest {
    /// Notes how many slots have an answer.
    pub fn set_filled(&self, filled: usize) {
        self.filled.store(filled, Ordering::Relaxed);
    }
}

/// The open requests of one worker. One lock per worker, which only the worker itself and the rare
/// snapshot take: nothing that all requests share.
#[derive(Clone, Debug)]
pub struct OpenRequests {
    parent: Arc<str>,
    requests: Arc<Mutex<HashMap<Uuid, Arc<OpenRequest>>>>,
    lost: Arc<AtomicU64>,
}

impl OpenRequests {
    /// None open; they belong under the ingress of this name.
    #[must_use]
    pub fn under(parent: &str) -> Self {
        Self {
            parent: parent.into(),
            requests: Arc::default(),
            lost: Arc::default(),
        }
    }

    /// Notes a request; it is forgotten when the returned guard is dropped.
    #[must_use]
    pub fn open(&self, request_id: Uuid, slots: usize) -> OpenGuard {
        let request = Arc::new(OpenRequest {
            opened: Instant::now(),
            slots,
            filled: AtomicUsize::new(0),
        });
        self.lock().insert(request_id, Arc::clone(&request));
        OpenGuard {
            requests: self.clone(),
            request_id,
            request,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<OpenRequest>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> Vec<ActorLine> {
        self.lock()
            .iter()
            .map(|(id, request)| aggregator_line(&self.parent, *id, request))
            .collect()
    }
}

fn aggregator_line(parent: &str, request_id: Uuid, request: &OpenRequest) -> ActorLine {
    let filled = request.filled.load(Ordering::Relaxed);
    ActorLine {
        name: format!("aggregator-{request_id}"),
        kind: Kind::Aggregator,
        state: State::Running,
        detail: None,
        parent: Some(parent.to_owned()),
        generation: 1,
        restarts: 0,
        mailbox_depth: 0,
        in_flight: request.slots.saturating_sub(filled),
        waiting: 0,
        handled: filled as u64,
        failed: 0,
        last_failure: None,
        uptime_ms: u64::try_from(request.opened.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// Keeps one request visible.
#[derive(Debug)]
pub struct OpenGuard {
    requests: OpenRequests,
    request_id: Uuid,
    request: Arc<OpenRequest>,
}

impl OpenGuard {
    /// Notes that the aggregator of this request fell with it. An aggregator is never restarted, so
    /// this count is what its restarts are to another actor.
    pub fn note_lost(&self) {
        self.requests.lost.fetch_add(1, Ordering::Relaxed);
    }
}

impl std::ops::Deref for OpenGuard {
    type Target = OpenRequest;

    fn deref(&self) -> &OpenRequest {
        &self.request
    }
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.requests.lock().remove(&self.request_id);
    }
}

/// Everything that can be seen, gathered for readers.
#[derive(Debug, Default)]
pub struct Observatory {
    actors: RwLock<Vec<Arc<Observed>>>,
    workers: RwLock<Vec<OpenRequests>>,
    sequence: AtomicU64,
}

impl Observatory {
    /// Adds an actor.
    pub fn watch(&self, observed: Arc<Observed>) {
        self.actors
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(observed);
    }

    /// Removes an actor that is gone for good; not a later one of the same name.
    pub fn forget(&self, gone: &Arc<Observed>) {
        let mut actors = self.actors.write().unwrap_or_else(PoisonError::into_inner);
        actors.retain(|observed| !Arc::ptr_eq(observed, gone));
    }

    /// Adds a worker's open requests.
    pub fn watch_requests(&self, requests: OpenRequests) {
        self.workers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(requests);
    }

    /// The tree as it is now. Counters only grow, so a reader computes rates from two snapshots.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let actors = self.actors.read().unwrap_or_else(PoisonError::into_inner);
        let workers = self.workers.read().unwrap_or_else(PoisonError::into_inner);
        let mut lines: Vec<_> = actors.iter().map(|observed| observed.line()).collect();
        lines.extend(workers.iter().flat_map(OpenRequests::lines));
        Snapshot {
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed) + 1,
            captured: chrono::Utc::now(),
            aggregators_lost: workers
                .iter()
                .map(|requests| requests.lost.load(Ordering::Relaxed))
                .sum(),
            actors: lines,
        }
    }
}

/// The supervision tree at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    /// Grows by one with each snapshot of this node.
    pub sequence: u64,
    /// When it was taken.
    pub captured: chrono::DateTime<chrono::Utc>,
    /// Aggregators that fell, each with its one request. They are not restarted.
    pub aggregators_lost: u64,
    /// The actors: long-lived ones in the order they were started, then the aggregators.
    pub actors: Vec<ActorLine>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_request_is_seen_until_its_guard_is_dropped() {
        let observatory = Observatory::default();
        let requests = OpenRequests::under("ingress-0");
        observatory.watch_requests(requests.clone());

        let guard = requests.open(Uuid::from_u128(7), 8);
        guard.set_filled(3);
        guard.note_lost();
        let seen = observatory.snapshot();
        assert_eq!(seen.actors.len(), 1);
        assert_eq!((seen.actors[0].in_flight, seen.actors[0].handled), (5, 3));

        drop(guard);
        let after = observatory.snapshot();
        assert!(after.actors.is_empty());
        assert_eq!(after.aggregators_lost, 1, "the count outlives the request");
        assert_eq!(after.sequence, seen.sequence + 1);
    }

    #[test]
    fn counters_outlive_a_generation_and_load_does_not() {
        let observed = Observed::new("dispatcher-AF", Kind::Dispatcher);
        observed.begin_generation(1);
        observed.count_handled();
        observed.set_load(4, 2);
        observed.fell("panic");
        observed.begin_generation(2);
        let line = observed.line();
        assert_eq!((line.generation, line.restarts, line.handled), (2, 1, 1));
        assert_eq!((line.in_flight, line.waiting), (0, 0));
        assert_eq!(line.last_failure, Some("panic"));
    }

    #[test]
    fn only_an_actor_that_is_at_work_becomes_impaired() {
        let observed = Observed::new("relay", Kind::Relay);
        for (before, during) in [
            (State::Running, State::Impaired),
            (State::Restarting, State::Restarting),
            (State::Stopped, State::Stopped),
        ] {
            observed.set_state(before);
            observed.set_impaired(Some("directory away"));
            let line = observed.line();
            assert_eq!(
                (line.state, line.detail),
                (during, Some("directory away")),
                "{before}"
            );
            observed.set_impaired(None);
            assert_eq!((observed.state(), observed.line().detail), (before, None));
        }
    }
}
