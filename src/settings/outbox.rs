//! How much outboxes hold for the actors whose systems fetch their messages here, and for how long.

use std::time::Duration;

use garde::Validate;
use samsvar_actors::outbox::OutboxSettings;
use serde::Deserialize;

/// Most messages that one owner can be allowed.
pub(super) const MESSAGES_MAX: u32 = 1_000_000;
/// Smallest limit on bytes that can be set.
pub(super) const OUTBOX_BYTES_MIN: u64 = 1024;
/// Largest limit on bytes that can be set.
pub(super) const OUTBOX_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// Largest place for a message of unknown size, in bytes.
pub(super) const RESERVE_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Longest time that a message can lie, and be hidden, in seconds: a week.
pub(super) const AGE_S_MAX: u64 = 7 * 24 * 3600;

/// Outboxes: where asynchronous messages wait in memory for who fetches them.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Outbox {
    /// Messages that one actor may have waiting.
    #[garde(range(min = 1, max = MESSAGES_MAX))]
    pub messages_max: u32,
    /// Memory that the messages of one actor may take, in bytes.
    #[garde(range(min = OUTBOX_BYTES_MIN, max = OUTBOX_BYTES_MAX))]
    pub bytes_max: u64,
    /// Memory that the messages of all actors may take together, in bytes.
    #[garde(range(min = OUTBOX_BYTES_MIN, max = OUTBOX_BYTES_MAX))]
    pub bytes_total_max: u64,
    /// What is held of it for an answer whose size is not known yet, in bytes.
    #[garde(range(min = OUTBOX_BYTES_MIN, max = RESERVE_BYTES_MAX))]
    pub reserve_bytes: u64,
    /// How long a message lies that nobody acknowledges, in seconds.
    #[garde(range(min = 1, max = AGE_S_MAX))]
    pub age_max_s: u64,
    /// How long a fetched message is not listed, in seconds.
    #[garde(range(max = AGE_S_MAX))]
    pub hide_after_fetch_s: u64,
    /// Whether fetching a message takes it away.
    #[garde(skip)]
    pub strict_fetch: bool,
}

impl Default for Outbox {
    fn default() -> Self {
        let parts = OutboxSettings::default();
        Self {
            messages_max: u32::try_from(parts.messages_max).unwrap_or(MESSAGES_MAX),
            bytes_max: parts.bytes_max as u64,
            bytes_total_max: parts.bytes_total_max as u64,
            reserve_bytes: parts.reserve_bytes as u64,
            age_max_s: parts.age_max.as_secs(),
            hide_after_fetch_s: parts.hide_after_fetch.as_secs(),
            strict_fetch: parts.strict_fetch,
        }
    }
}

impl Outbox {
    /// The same in the terms of the outboxes.
    #[must_use]
    pub fn parts(&self) -> OutboxSettings {
        let bytes = |setting: u64| usize::try_from(setting).unwrap_or(usize::MAX);
        OutboxSettings {
            messages_max: self.messages_max as usize,
            bytes_max: bytes(self.bytes_max),
            bytes_total_max: bytes(self.bytes_total_max),
            reserve_bytes: bytes(self.reserve_bytes),
            age_max: Duration::from_secs(self.age_max_s),
            hide_after_fetch: Duration::from_secs(self.hide_after_fetch_s),
            strict_fetch: self.strict_fetch,
        }
    }
}
