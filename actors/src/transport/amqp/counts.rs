//! What the transport counts, for metrics and tests.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::transport::Counted;

/// Monotonic counters of one AMQP transport.
#[derive(Debug, Default)]
pub struct Counts {
    connections: AtomicU64,
    answers_of_nobody: AtomicU64,
    answers_dropped: AtomicU64,
    publishes_overdue: AtomicU64,
    rinsed: AtomicU64,
}

impl Counts {
    /// Connections made, the first ones included.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Answers dropped because their correlation id is no UUID.
    #[must_use]
    pub fn answers_of_nobody(&self) -> u64 {
        self.answers_of_nobody.load(Ordering::Relaxed)
    }

    /// Answers dropped because [`LINE_EVENTS_MAX`](crate::transport::LINE_EVENTS_MAX) events waited.
    #[must_use]
    pub fn answers_dropped(&self) -> u64 {
        self.answers_dropped.load(Ordering::Relaxed)
    }

    /// Questions refused because the broker did not confirm them in time.
    #[must_use]
    pub fn publishes_overdue(&self) -> u64 {
        self.publishes_overdue.load(Ordering::Relaxed)
    }

    /// Idle connections whose buffers were overwritten, each time that one was.
    #[must_use]
    pub fn rinsed(&self) -> u64 {
        self.rinsed.load(Ordering::Relaxed)
    }

    /// All of them, for metrics.
    pub(super) fn read(&self) -> Vec<Counted> {
        let counted = |name, help, count| Counted { name, help, count };
        vec![
            counted(
                "connections",
                "Connections made to RabbitMQ, the first ones included",
                self.connections(),
            ),
            counted(
                "answers_of_nobody",
                "Answers dropped because their correlation id is no UUID",
                self.answers_of_nobody(),
            ),
            counted(
                "answers_flooded",
                "Answers dropped because too many waited for their dispatcher",
                self.answers_dropped(),
            ),
            counted(
                "publishes_overdue",
                "Questions refused because RabbitMQ did not confirm them in time",
                self.publishes_overdue(),
            ),
            counted(
                "rinsed",
                "Times that the buffers of an idle connection to RabbitMQ were overwritten",
                self.rinsed(),
            ),
        ]
    }

    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn connection_rinsed(&self) {
        self.rinsed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answer_of_nobody(&self) {
        self.answers_of_nobody.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answer_dropped(&self) {
        self.answers_dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn publish_overdue(&self) {
        self.publishes_overdue.fetch_add(1, Ordering::Relaxed);
    }
}
