//! How asynchronous messages are carried on, and how often and how long that is tried.

use std::time::Duration;

use garde::Validate;
use samsvar_actors::relay::{RelaySettings, UnderwaySettings};
use serde::Deserialize;

/// Most messages that can be under way.
pub(super) const UNDERWAY_MAX: u32 = 1_000_000;
/// Smallest limit on their bytes that can be set.
pub(super) const UNDERWAY_BYTES_MIN: u64 = 1024;
/// Largest limit on their bytes that can be set.
pub(super) const UNDERWAY_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// Longest first wait between two tries, in milliseconds.
pub(super) const RETRY_MS_MAX: u64 = 600_000;
/// Longest wait of any kind that can be set, in seconds: a week.
pub(super) const WAIT_S_MAX: u64 = 7 * 24 * 3600;
/// Most posts to one actor at once that can be set.
pub(super) const POSTS_MAX: u32 = 1_000;

/// Asynchronous messages between their acceptance and their end.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Relay {
    /// Messages that may be under way.
    #[garde(range(min = 1, max = UNDERWAY_MAX))]
    pub underway_max: u32,
    /// Messages of one sender that may be.
    #[garde(range(min = 1, max = UNDERWAY_MAX))]
    pub underway_per_sender_max: u32,
    /// Memory that they may take together, in bytes.
    #[garde(range(min = UNDERWAY_BYTES_MIN, max = UNDERWAY_BYTES_MAX))]
    pub underway_bytes_max: u64,
    /// First wait between two tries, in milliseconds.
    #[garde(range(min = 10, max = RETRY_MS_MAX))]
    pub retry_first_ms: u64,
    /// Longest wait between two tries, in seconds.
    #[garde(range(min = 1, max = WAIT_S_MAX))]
    pub retry_longest_s: u64,
    /// When another node, or a full mailbox, is given up, in seconds.
    #[garde(range(min = 1, max = WAIT_S_MAX))]
    pub give_up_after_s: u64,
    /// When a directory that does not answer is given up, in seconds.
    #[garde(range(min = 1, max = WAIT_S_MAX))]
    pub directory_patience_s: u64,
    /// When a question that the node is too busy for is given up, in seconds.
    #[garde(range(min = 1, max = WAIT_S_MAX))]
    pub question_patience_s: u64,
    /// Posts to one actor's node at once.
    #[garde(range(min = 1, max = POSTS_MAX))]
    pub posts_per_actor_max: u32,
    /// Whether every acknowledged message is confirmed, also where no agreement asks for it.
    #[garde(skip)]
    pub confirm_always: bool,
}

impl Default for Relay {
    fn default() -> Self {
        let (underway, relay) = (UnderwaySettings::default(), RelaySettings::default());
        let count = |value: usize, max| u32::try_from(value).unwrap_or(max);
        Self {
            underway_max: count(underway.messages_max, UNDERWAY_MAX),
            underway_per_sender_max: count(underway.messages_per_sender_max, UNDERWAY_MAX),
            underway_bytes_max: underway.bytes_max as u64,
            retry_first_ms: u64::try_from(relay.retry_first.as_millis()).unwrap_or(RETRY_MS_MAX),
            retry_longest_s: relay.retry_longest.as_secs(),
            give_up_after_s: relay.give_up_after.as_secs(),
            directory_patience_s: relay.directory_patience.as_secs(),
            question_patience_s: relay.question_patience.as_secs(),
            posts_per_actor_max: count(relay.posts_per_actor_max, POSTS_MAX),
            confirm_always: relay.confirm_always,
        }
    }
}

impl Relay {
    /// The bounds on what is under way.
    #[must_use]
    pub fn underway(&self) -> UnderwaySettings {
        UnderwaySettings {
            messages_max: self.underway_max as usize,
            messages_per_sender_max: self.underway_per_sender_max as usize,
            bytes_max: usize::try_from(self.underway_bytes_max).unwrap_or(usize::MAX),
        }
    }

    /// The rest, in the terms of the relay.
    #[must_use]
    pub fn parts(&self) -> RelaySettings {
        RelaySettings {
            retry_first: Duration::from_millis(self.retry_first_ms),
            retry_longest: Duration::from_secs(self.retry_longest_s),
            give_up_after: Duration::from_secs(self.give_up_after_s),
            directory_patience: Duration::from_secs(self.directory_patience_s),
            question_patience: Duration::from_secs(self.question_patience_s),
            posts_per_actor_max: self.posts_per_actor_max as usize,
            confirm_always: self.confirm_always,
        }
    }
}
