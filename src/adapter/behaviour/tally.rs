//! [`Tally`]: counts of what an authority did, for its status line.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Fault;

/// Counters that only grow.
#[derive(Debug, Default)]
pub struct Tally {
    answered: AtomicU64,
    failed: AtomicU64,
    silent: AtomicU64,
    spoiled: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct TallySnapshot {
    /// Answered as one should.
    pub answered: u64,
    /// Answered with a failure.
    pub failed: u64,
    /// Left without an answer.
    pub silent: u64,
    /// Answered with what cannot be used, or not as one should.
    pub garbage: u64,
}

impl Tally {
    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> TallySnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TallySnapshot {
            answered: read(&self.answered),
            failed: read(&self.failed),
            silent: read(&self.silent),
            garbage: read(&self.spoiled),
        }
    }

    pub(super) fn silent(&self) {
        self.silent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count(&self, fault: Option<Fault>) {
        let counter = match fault {
            None => &self.answered,
            Some(Fault::Fail) => &self.failed,
            Some(Fault::Silent) => &self.silent,
            Some(_) => &self.spoiled,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
