//! What has happened since the node started, counted: outcomes of requests, answers and failures
//! of each Uppgiftslämnare. Counters only; labels are words of ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::SsbtFelkod;

use crate::avvikelse::Klass;
use crate::dispatcher::ended::Stray;
use crate::ledger::event::Way;

/// Upper bounds of the latency buckets, in milliseconds; a last bucket takes the rest.
pub const LATENCY_BUCKETS_MS: &[u64] = &[
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 7_000, 12_000, 26_000,
];

/// How often each latency occurred.
#[derive(Debug)]
pub struct Latency {
    buckets: Box<[AtomicU64]>,
    sum_us: AtomicU64,
}

impl Default for Latency {
    fn default() -> Self {
        let buckets = (0..=LATENCY_BUCKETS_MS.len())
            .map(|_| AtomicU64::new(0))
            .collect();
        Self {
            buckets,
            sum_us: AtomicU64::new(0),
        }
    }
}

impl Latency {
    fn note(&self, took: Duration) {
        let place = LATENCY_BUCKETS_MS
            .iter()
            .position(|&ms| took <= Duration::from_millis(ms))
            .unwrap_or(LATENCY_BUCKETS_MS.len());
        self.buckets[place].fetch_add(1, Ordering::Relaxed);
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Counts per bucket of [`LATENCY_BUCKETS_MS`], the rest last, and the sum of all in seconds.
    #[must_use]
    pub fn read(&self) -> (Vec<u64>, f64) {
        let counts = self
            .buckets
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        (
            counts,
            Duration::from_micros(self.sum_us.load(Ordering::Relaxed)).as_secs_f64(),
        )
    }
}

/// Counters of one Uppgiftslämnare.
#[derive(Debug)]
pub struct PartyTally {
    /// Time from question to answer.
    pub latency: Latency,
    felkoder: Vec<(SsbtFelkod, AtomicU64)>,
    avvikelser: [AtomicU64; Klass::ALL.len()],
}

impl PartyTally {
    fn new() -> Self {
        Self {
            latency: Latency::default(),
            felkoder: SsbtFelkod::all()
                .map(|felkod| (felkod, AtomicU64::new(0)))
                .collect(),
            avvikelser: Klass::ALL.map(|_| AtomicU64::new(0)),
        }
    }

    /// How often each felkod of ours stood in its place.
    pub fn felkoder(&self) -> impl Iterator<Item = (SsbtFelkod, u64)> + '_ {
        self.felkoder
            .iter()
            .map(|(felkod, count)| (*felkod, count.load(Ordering::Relaxed)))
    }

    /// How many answers of each class were dropped: those of the avvikelser that are about
    /// answers nobody waited for.
    pub fn strays(&self) -> impl Iterator<Item = (Stray, u64)> + '_ {
        [Stray::Late, Stray::Repeated, Stray::Unknown]
            .into_iter()
            .map(|stray| (stray, self.avvikelser_of(stray.into())))
    }

    /// How often something of each class was odd about its answers.
    pub fn avvikelser(&self) -> impl Iterator<Item = (Klass, u64)> + '_ {
        Klass::ALL
            .into_iter()
            .map(|klass| (klass, self.avvikelser_of(klass)))
    }

    fn avvikelser_of(&self, klass: Klass) -> u64 {
        self.avvikelser[klass.index()].load(Ordering::Relaxed)
    }
}

/// The one outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutcomeClass {
    /// A reply in which every party that was asked has its data or its own error.
    Answered,
    /// A reply in which at least one party was failed by us or by silence.
    Partial,
    /// Refused before anything was asked.
    Refused,
    /// An error of ours after it was admitted.
    Failed,
    /// The caller had gone away (utebliven).
    CallerGone,
    /// An asynchronous message that was taken over, or had been before.
    Accepted,
}

impl OutcomeClass {
    /// Every class.
    pub const ALL: [Self; 6] = [
        Self::Answered,
        Self::Partial,
        Self::Refused,
        Self::Failed,
        Self::CallerGone,
        Self::Accepted,
    ];

    /// The word for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Partial => "partial",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::CallerGone => "caller_gone",
            Self::Accepted => "accepted",
        }
    }
}

/// The one end of an asynchronous message that was taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransferEnd {
    /// Laid into a mailbox here.
    Outbox,
    /// Taken by another node.
    Pushed,
    /// Answered by a service of this node.
    Answered,
    /// Replaced by copies for several receivers.
    Split,
    /// An error or confirmation about a message of this node's own, which nobody fetches.
    Kept,
    /// It failed, and its sender is told by an error message.
    Error,
    /// It failed, and nobody is told: it was itself an error or a confirmation.
    Quarantined,
    /// It was left when the node stopped, or its holder fell and nobody could take it up.
    Interrupted,
    /// It lay in a mailbox for too long: counted beside [`Self::Outbox`], which it was before.
    Expired,
}

impl TransferEnd {
    /// Every end.
    pub const ALL: [Self; 9] = [
        Self::Outbox,
        Self::Pushed,
        Self::Answered,
        Self::Split,
        Self::Kept,
        Self::Error,
        Self::Quarantined,
        Self::Interrupted,
        Self::Expired,
    ];

    /// The word for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Pushed => "pushed",
            Self::Answered => "answered",
            Self::Split => "split",
            Self::Kept => "kept",
            Self::Error => "error",
            Self::Quarantined => "quarantined",
            Self::Interrupted => "interrupted",
            Self::Expired => "expired",
        }
    }

    /// The way by which the message itself was delivered, if it was.
    #[must_use]
    pub const fn way(self) -> Option<Way> {
        match self {
            Self::Outbox => Some(Way::Outbox),
            Self::Pushed => Some(Way::Push),
            _ => None,
        }
    }
}

/// What was done with a message that an earlier life of the node accepted and that never ended (design 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PromiseEnd {
    /// It was found: the others but [`Self::Beyond`] add up to it when nobody waits to be told.
    Resumed,
    /// Its sender has the error message in its mailbox, or its node has.
    Told,
    /// Its sender sent it again: that one counts.
    Resent,
    /// The error message could not be delivered; the next start tries again.
    NotDelivered,
    /// Its tx.id is hidden, and there is no key for it.
    KeyGone,
    /// It was received too long ago.
    TooOld,
    /// It was beyond what is held at once; the next start looks again.
    Beyond,
}

impl PromiseEnd {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Resumed,
        Self::Told,
        Self::Resent,
        Self::NotDelivered,
        Self::KeyGone,
        Self::TooOld,
        Self::Beyond,
    ];

    /// The word for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resumed => "resumed",
            Self::Told => "told",
            Self::Resent => "resent",
            Self::NotDelivered => "not_delivered",
            Self::KeyGone => "key_gone",
            Self::TooOld => "too_old",
            Self::Beyond => "beyond",
        }
    }
}

/// All counters of a node.
#[derive(Debug)]
pub struct Tally {
    received: AtomicU64,
    outcomes: [AtomicU64; OutcomeClass::ALL.len()],
    transfers: [AtomicU64; TransferEnd::ALL.len()],
    own_lost: AtomicU64,
    promises: [AtomicU64; PromiseEnd::ALL.len()],
    watchdog: AtomicU64,
    lefi_felplacerade: AtomicU64,
    /// Time from receipt to reply.
    pub latency: Latency,
    parties: Vec<PartyTally>,
}

impl Tally {
    /// Nothing counted.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            received: AtomicU64::new(0),
            outcomes: OutcomeClass::ALL.map(|_| AtomicU64::new(0)),
            transfers: TransferEnd::ALL.map(|_| AtomicU64::new(0)),
            own_lost: AtomicU64::new(0),
            promises: PromiseEnd::ALL.map(|_| AtomicU64::new(0)),
            watchdog: AtomicU64::new(0),
            lefi_felplacerade: AtomicU64::new(0),
            latency: Latency::default(),
            parties: Uppgiftslamnare::all().map(|_| PartyTally::new()).collect(),
        })
    }

    /// Counts a received message.
    pub fn count_received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the outcome of one.
    pub fn count_outcome(&self, class: OutcomeClass, took: Duration) {
        self.outcomes[class as usize].fetch_add(1, Ordering::Relaxed);
        if matches!(class, OutcomeClass::Answered | OutcomeClass::Partial) {
            self.latency.note(took);
        }
    }

    /// Counts the end of an asynchronous message.
    pub(crate) fn count_transfer(&self, end: TransferEnd) {
        self.transfers[end as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Asynchronous messages that ended so.
    #[must_use]
    pub fn transfers(&self, end: TransferEnd) -> u64 {
        self.transfers[end as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn count_promises(&self, end: PromiseEnd, number: u64) {
        self.promises[end as usize].fetch_add(number, Ordering::Relaxed);
    }

    /// Messages of earlier lives of the node with which this was done.
    #[must_use]
    pub fn promises(&self, end: PromiseEnd) -> u64 {
        self.promises[end as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn count_own_lost(&self) {
        self.own_lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Messages that this node made itself (replies, errors, confirmations) and could not deliver.
    #[must_use]
    pub fn own_lost(&self) -> u64 {
        self.own_lost.load(Ordering::Relaxed)
    }

    pub(crate) fn count_answer(&self, ul: Uppgiftslamnare, took: Duration) {
        self.parties[ul.index()].latency.note(took);
    }

    pub(crate) fn count_felkod(&self, ul: Uppgiftslamnare, felkod: SsbtFelkod) {
        let felkoder = &self.parties[ul.index()].felkoder;
        if let Some((_, count)) = felkoder.iter().find(|(known, _)| *known == felkod) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts an answer that nobody waited for. [`Avvikelser::note`] does so too: one or the other.
    ///
    /// [`Avvikelser::note`]: crate::avvikelse::Avvikelser::note
    /// Counts something odd about an answer.
    pub(crate) fn count_avvikelse(&self, ul: Uppgiftslamnare, klass: Klass) {
        self.parties[ul.index()].avvikelser[klass.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that was still open after its hard limit: a defect.
    pub(crate) fn count_watchdog(&self) {
        self.watchdog.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests that were still open after their hard limit.
    #[must_use]
    pub fn watchdog(&self) -> u64 {
        self.watchdog.load(Ordering::Relaxed)
    }

    /// Counts members of LEFI answers that were dropped because they stood in the wrong
    /// authority's answer (ssbtek-10, 4.8). [`Avvikelser::note`] does so too: one or the other.
    ///
    /// [`Avvikelser::note`]: crate::avvikelse::Avvikelser::note
    pub(crate) fn count_lefi_felplacerade(&self, members: usize) {
        self.lefi_felplacerade
            .fetch_add(members as u64, Ordering::Relaxed);
    }

    /// Members of LEFI answers that were dropped so.
    #[must_use]
    pub fn lefi_felplacerade(&self) -> u64 {
        self.lefi_felplacerade.load(Ordering::Relaxed)
    }

    /// Messages received.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Requests that ended so.
    #[must_use]
    pub fn outcome(&self, class: OutcomeClass) -> u64 {
        self.outcomes[class as usize].load(Ordering::Relaxed)
    }

    /// Counters of one Uppgiftslämnare.
    #[must_use]
    pub fn party(&self, ul: Uppgiftslamnare) -> &PartyTally {
        &self.parties[ul.index()]
    }
}
