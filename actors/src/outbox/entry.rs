//! [`Entry`]: one message in an outbox, and who is fetching it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use shs_schemas::Sensitive;
use shs_schemas::shs::{Adress, Label};
use tokio::time::Instant;

use super::{Expired, Listed, OutboxSettings};
use crate::ledger::event::Origin;

/// A transfer that takes longer counts as interrupted, although nobody has said so (shs-1.2, 5.7.4).
pub const TRANSFER_TIME_MAX: Duration = Duration::from_hours(1);

/// A message in an outbox.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) to: Adress,
    pub(super) label: Arc<Label>,
    /// Nothing once it was taken away under the strict rule.
    pub(super) message: Option<Sensitive<Bytes>>,
    pub(super) arrived: DateTime<Utc>,
    pub(super) confirm: bool,
    pub(super) origin: Origin,
    pub(super) fetched: bool,
    pub(super) since: Instant,
    hidden_until: Option<Instant>,
    /// Transfers that are going on: their numbers and beginnings.
    transfers: Vec<(u64, Instant)>,
}

impl Entry {
    pub(super) fn new(to: Adress, stored: super::Stored, message: Sensitive<Bytes>) -> Self {
        Self {
            to,
            label: Arc::new(stored.label),
            message: Some(message),
            arrived: stored.arrived,
            confirm: stored.confirm,
            origin: stored.origin,
            fetched: false,
            since: Instant::now(),
            hidden_until: None,
            transfers: Vec::new(),
        }
    }

    /// Bytes of the message, as long as it is here.
    pub(super) fn bytes(&self) -> usize {
        self.message
            .as_ref()
            .map_or(0, |message| message.expose().len())
    }

    pub(super) fn is_too_old(&self, settings: &OutboxSettings, now: Instant) -> bool {
        now.duration_since(self.since) >= settings.age_max
    }

    /// The message, when it can be fetched.
    pub(super) fn fetchable(
        &self,
        settings: &OutboxSettings,
        now: Instant,
    ) -> Option<&Sensitive<Bytes>> {
        let locked = settings.strict_fetch && self.is_transferred(now);
        let free = !locked && !self.is_too_old(settings, now);
        self.message.as_ref().filter(|_| free)
    }

    /// How a list shows it, when it is ready to be fetched and nobody has fetched it lately.
    pub(super) fn listed(&self, settings: &OutboxSettings, now: Instant) -> Option<Listed> {
        let hidden = self.hidden_until.is_some_and(|until| now < until);
        if hidden || self.is_transferred(now) {
            return None;
        }
        self.fetchable(settings, now).map(|message| Listed {
            label: Arc::clone(&self.label),
            size: message.expose().len(),
            arrived: self.arrived,
        })
    }

    /// Notes that a transfer with this number begins.
    pub(super) fn begin(&mut self, transfer: u64, now: Instant) {
        self.transfers.retain(|(_, begun)| is_fresh(*begun, now));
        self.transfers.push((transfer, now));
    }

    /// Notes that it has ended. Under the strict rule a complete one takes the message: it comes back
    /// here, so that it is dropped where nothing is locked.
    pub(super) fn end(
        &mut self,
        transfer: u64,
        complete: bool,
        settings: &OutboxSettings,
    ) -> Option<Sensitive<Bytes>> {
        self.transfers.retain(|(number, _)| *number != transfer);
        if !complete {
            return None;
        }
        self.fetched = true;
        if settings.strict_fetch {
            return self.message.take();
        }
        self.hidden_until = Some(Instant::now() + settings.hide_after_fetch);
        None
    }

    fn is_transferred(&self, now: Instant) -> bool {
        self.transfers
            .iter()
            .any(|(_, begun)| is_fresh(*begun, now))
    }
}

impl From<&Entry> for Expired {
    fn from(entry: &Entry) -> Self {
        Self {
            label: Arc::clone(&entry.label),
            fetched: entry.fetched,
            lay_for: entry.since.elapsed(),
            origin: entry.origin,
        }
    }
}

fn is_fresh(begun: Instant, now: Instant) -> bool {
    now.duration_since(begun) < TRANSFER_TIME_MAX
}
