//! Counters for metrics: numbers only.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the outboxes hold, and what has happened since the node started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Messages that can be fetched now.
    pub messages: u64,
    /// Bytes that are held: by these, by places, and by messages that are still being transferred.
    pub bytes: u64,
    /// Places that are held for messages that have been promised and are not there yet.
    pub places: u64,
    /// Places that were refused because an outbox was full.
    pub refused: u64,
    /// Transfers that were completed.
    pub fetched: u64,
    /// Messages that were acknowledged, each once.
    pub acknowledged: u64,
    /// Messages that nobody acknowledged in time, or before too many were taken after them.
    pub expired: u64,
}

/// The same, shared by all owners.
#[derive(Debug, Default)]
pub(super) struct Counts {
    messages: AtomicU64,
    places: AtomicU64,
    refused: AtomicU64,
    fetched: AtomicU64,
    acknowledged: AtomicU64,
    expired: AtomicU64,
}

impl Counts {
    pub(super) fn count_put(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    /// A message can be fetched no more.
    pub(super) fn count_gone(&self) {
        self.messages.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn count_place(&self) {
        self.places.fetch_add(1, Ordering::Relaxed);
    }

    /// A place was used or given back.
    pub(super) fn count_place_gone(&self) {
        self.places.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_fetched(&self) {
        self.fetched.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_acknowledged(&self) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_expired(&self) {
        self.expired.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self, bytes: usize) -> OutboxCounts {
        OutboxCounts {
            messages: self.messages.load(Ordering::Relaxed),
            bytes: bytes as u64,
            places: self.places.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            fetched: self.fetched.load(Ordering::Relaxed),
            acknowledged: self.acknowledged.load(Ordering::Relaxed),
            expired: self.expired.load(Ordering::Relaxed),
        }
    }
}
