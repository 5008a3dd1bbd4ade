//! How long a question may take (design, 7; ssbtek-10, 5).

use std::time::Duration;

use garde::Validate;
use serde::Deserialize;

/// Most persons in one message (ssbtek-10, 5.1).
pub const PERSONS_MAX: u32 = 10;
/// Longest limit that can be set, in seconds.
pub(super) const LIMIT_S_MAX: u64 = 300;
/// Longest drain time that can be set, in seconds.
pub(super) const DRAIN_S_MAX: u64 = 600;
/// Most answers that the budget can look back on.
pub(super) const BUDGET_HISTORY_MAX: u32 = 100_000;

/// When the node stops waiting.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Deadline {
    /// Which limit applies.
    #[garde(skip)]
    pub policy: DeadlinePolicy,
    /// The promise for one person, in seconds.
    #[garde(range(min = 1, max = LIMIT_S_MAX))]
    pub promise_s: u64,
    /// The hard limit for one person, in seconds.
    #[garde(range(min = 1, max = LIMIT_S_MAX))]
    pub limit_s: u64,
    /// What each further person adds to both, in milliseconds.
    #[garde(range(max = 60_000))]
    pub per_person_ms: u64,
    /// What is kept back for compiling and sending, in milliseconds.
    #[garde(range(min = 100, max = 60_000))]
    pub margin_ms: u64,
    /// Policy `budget`: share of slow answers that the agreement allows, 0 to 1.
    #[garde(range(min = 0.0, max = 1.0))]
    pub budget_share: f64,
    /// Policy `budget`: over how many of the last answers the share is counted.
    #[garde(range(min = 1, max = BUDGET_HISTORY_MAX))]
    pub budget_history: u32,
}

/// Which limit applies (design, 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeadlinePolicy {
    /// The hard limit: completeness first.
    #[default]
    Fixed,
    /// The promise, unless the share of slow answers leaves room.
    Budget,
}

impl Default for Deadline {
    fn default() -> Self {
        Self {
            policy: DeadlinePolicy::Fixed,
            promise_s: 7,
            limit_s: 12,
            per_person_ms: 1500,
            margin_ms: 1000,
            budget_share: 0.10,
            budget_history: 500,
        }
    }
}

impl Deadline {
    /// The promise for one person.
    #[must_use]
    pub const fn promise(&self) -> Duration {
        Duration::from_secs(self.promise_s)
    }

    /// The hard limit for one person.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        Duration::from_secs(self.limit_s)
    }

    /// What each further person adds to both.
    #[must_use]
    pub const fn per_person(&self) -> Duration {
        Duration::from_millis(self.per_person_ms)
    }

    /// What is kept back for compiling and sending.
    #[must_use]
    pub const fn margin(&self) -> Duration {
        Duration::from_millis(self.margin_ms)
    }

    /// The longest that any message may take: the hard limit for [`PERSONS_MAX`] persons.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.limit() + self.per_person() * (PERSONS_MAX - 1)
    }
}

/// Stopping in order.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Drain {
    /// Time to finish what is open after SIGTERM, in seconds.
    #[garde(range(max = DRAIN_S_MAX))]
    pub drain_s: u64,
}

impl Default for Drain {
    fn default() -> Self {
        Self { drain_s: 30 }
    }
}

impl Drain {
    /// Time to finish what is open after SIGTERM.
    #[must_use]
    pub const fn time(&self) -> Duration {
        Duration::from_secs(self.drain_s)
    }
}
