//! What a ledger has counted since the node started.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters.
#[derive(Debug, Default)]
pub struct LedgerTally {
    pub(super) noted: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) not_noted: AtomicU64,
    pub(super) groups: AtomicU64,
    pub(super) torn: AtomicU64,
}

/// A reading of [`LedgerTally`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerCounted {
    /// Notes written: on disk with the next fsync, unless that fails.
    pub noted: u64,
    /// Notes that nobody waited for and that are not on disk, or may not be.
    pub lost: u64,
    /// Durable notes that were answered with an error.
    pub not_noted: u64,
    /// Groups written, each in one write; those that somebody waits for with one fsync.
    pub groups: u64,
    /// Times that torn lines were mended.
    pub torn: u64,
}

impl LedgerTally {
    pub(super) fn count(counter: &AtomicU64, by: usize) {
        counter.fetch_add(by as u64, Ordering::Relaxed);
    }

    /// The counters as they are now.
    #[must_use]
    pub fn read(&self) -> LedgerCounted {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LedgerCounted {
            noted: read(&self.noted),
            lost: read(&self.lost),
            not_noted: read(&self.not_noted),
            groups: read(&self.groups),
            torn: read(&self.torn),
        }
    }
}
