//! How much is admitted, how much each party is given, and when something is given up.

use std::time::Duration;

use garde::Validate;
use samsvar_actors::child;
use samsvar_actors::transport::{LINE_EVENTS_MAX, amqp};
use serde::Deserialize;

/// Most open requests that can be allowed.
pub(super) const OPEN_REQUESTS_MAX: u32 = 100_000;
/// Largest window of a party: what a line can have unconfirmed, and what can be answered in one go
/// without an answer being dropped.
pub(super) const WINDOW_MAX: u32 = 4096;
const _: () =
    assert!(WINDOW_MAX as usize <= amqp::UNCONFIRMED_MAX && WINDOW_MAX as usize <= LINE_EVENTS_MAX);
/// Longest waiting line of a party.
pub(super) const LINE_MAX: u32 = 100_000;
/// Smallest limit on answers that can be set, in bytes.
pub(super) const ANSWER_BYTES_MIN: u32 = 1024;
/// Largest limit on answers that can be set, in bytes: what the transport passes on.
pub(super) const ANSWER_BYTES_MAX: u32 = 16 * 1024 * 1024;
const _: () = assert!(ANSWER_BYTES_MAX as usize <= amqp::ANSWER_BYTES_MAX);
/// Largest limit on all answers together that can be set, in bytes.
pub(super) const ANSWERS_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// Longest pause of a circuit, in seconds.
pub(super) const PAUSE_S_MAX: u64 = 3600;
/// Largest restart budget.
pub(super) const RESTARTS_MAX: u32 = 100;

/// How many requests are admitted.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    /// Open requests in all.
    #[garde(range(min = 1, max = OPEN_REQUESTS_MAX))]
    pub open_requests_max: u32,
    /// Open requests of one sender.
    #[garde(range(min = 1, max = OPEN_REQUESTS_MAX))]
    pub open_per_sender_max: u32,
    /// Memory that the answers of all open requests may take together, in bytes.
    #[garde(range(min = u64::from(ANSWER_BYTES_MIN), max = ANSWERS_BYTES_MAX))]
    pub answers_bytes_max: u64,
    /// What `Retry-After` says to who is refused, in seconds.
    #[garde(range(min = 1, max = 3600))]
    pub retry_after_s: u64,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            open_requests_max: 3000,
            open_per_sender_max: 400,
            answers_bytes_max: 512 * 1024 * 1024,
            retry_after_s: 5,
        }
    }
}

impl Load {
    /// [`Self::answers_bytes_max`] as a size in memory.
    #[must_use]
    pub fn answers_limit(&self) -> usize {
        usize::try_from(self.answers_bytes_max).unwrap_or(usize::MAX)
    }
}

/// What each dispatcher gives its party.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Dispatcher {
    /// Sub-questions open at once.
    #[garde(range(min = 1, max = WINDOW_MAX))]
    pub window: u32,
    /// Sub-questions waiting behind a full window.
    #[garde(range(max = LINE_MAX))]
    pub line_max: u32,
    /// Largest answer, in bytes.
    #[garde(range(min = ANSWER_BYTES_MIN, max = ANSWER_BYTES_MAX))]
    pub answer_bytes_max: u32,
    /// Timeouts in a row that open the circuit.
    #[garde(range(min = 1, max = 1000))]
    pub circuit_timeouts_in_a_row: u32,
    /// Timeouts in a row from which the party is waited for half as long.
    #[garde(range(min = 1, max = 1000))]
    pub circuit_impatient_after: u32,
    /// How long an open circuit pauses the party, in seconds.
    #[garde(range(min = 1, max = PAUSE_S_MAX))]
    pub circuit_pause_s: u64,
}

impl Default for Dispatcher {
    fn default() -> Self {
        Self {
            window: 1000,
            line_max: 3000,
            answer_bytes_max: 8 * 1024 * 1024,
            circuit_timeouts_in_a_row: 5,
            circuit_impatient_after: 3,
            circuit_pause_s: 30,
        }
    }
}

impl Dispatcher {
    /// How long an open circuit pauses the party.
    #[must_use]
    pub const fn circuit_pause(&self) -> Duration {
        Duration::from_secs(self.circuit_pause_s)
    }
}

/// Restart budget and back-off of each child.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Supervision {
    /// Restarts within [`Supervision::within`] that are the budget.
    #[garde(range(min = 1, max = RESTARTS_MAX))]
    pub restarts: u32,
    /// The period of the budget, in seconds.
    #[garde(range(min = 1, max = 3600))]
    pub within_s: u64,
    /// First wait before a restart, in milliseconds.
    #[garde(range(min = 1, max = 60_000))]
    pub backoff_first_ms: u64,
    /// Longest wait before a restart, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub backoff_longest_ms: u64,
}

impl Default for Supervision {
    fn default() -> Self {
        Self {
            restarts: child::RESTARTS,
            within_s: child::WITHIN_S,
            backoff_first_ms: child::BACKOFF_FIRST_MS,
            backoff_longest_ms: child::BACKOFF_LONGEST_MS,
        }
    }
}

impl Supervision {
    /// The period of the budget.
    #[must_use]
    pub const fn within(&self) -> Duration {
        Duration::from_secs(self.within_s)
    }

    /// First wait before a restart.
    #[must_use]
    pub const fn backoff_first(&self) -> Duration {
        Duration::from_millis(self.backoff_first_ms)
    }

    /// Longest wait before a restart.
    #[must_use]
    pub const fn backoff_longest(&self) -> Duration {
        Duration::from_millis(self.backoff_longest_ms)
    }
}
