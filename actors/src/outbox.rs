//! Outboxes: where asynchronous messages lie in memory until the receiver's own systems have fetched
//! and acknowledged them (shs-1.2, 5.7). An outbox is the node's out-tray towards those systems, hence
//! the name; [`crate::mailbox`] is something else, the address of an actor of the code.
//!
//! Nothing here outlives the process, and nothing lies longer than [`OutboxSettings::age_max`]. Each
//! owner organisation has a lock of its own; all owners together share nothing but counters.
//!
//! ```text
//! accept: reserve ─► Place ─► put        fetch ─► Fetched ─┬─ complete
//!                      └─ dropped: room given back         └─ dropped: the message is back
//!                                        acknowledge: content dropped, tx.id remembered a while
//! ```
//!
//! A message passes these states (shs-1.2, 7.1):
//!
//! | Rule | during the transfer | after it | interrupted |
//! |---|---|---|---|
//! | kinder (default) | not listed, fetchable | not listed for a set time, fetchable until acknowledged | as before |
//! | strict | not listed, not fetchable | gone; only acknowledging is left | as before |

mod counts;
mod entry;
mod fetched;
mod owner;
mod place;
mod query;
mod settled;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use shs_schemas::Sensitive;
use shs_schemas::ids::TxId;
use shs_schemas::shs::{Adress, Label, Organisationsnummer};

use self::counts::Counts;
use self::owner::Owner;
use crate::ledger::event::Origin;
use crate::room::Room;

pub use counts::OutboxCounts;
pub use entry::TRANSFER_TIME_MAX;
pub use fetched::Fetched;
pub use owner::{FORGOTTEN_MAX, TAKEN_MAX};
pub use place::Place;
pub use query::{HITS_DEFAULT, HITS_MAX, ListQuery, Order, SortKey};
pub use settled::SETTLED_MAX;

/// How much outboxes may hold, and for how long.
#[derive(Clone, Debug)]
pub struct OutboxSettings {
    /// Messages that one owner organisation may have waiting, held places included.
    pub messages_max: usize,
    /// Bytes of messages that one owner may have waiting, held places included.
    pub bytes_max: usize,
    /// Bytes of messages of all owners together, messages being transferred included.
    pub bytes_total_max: usize,
    /// How long a message lies here when nobody acknowledges it; also how long an acknowledged `tx.id`
    /// is remembered.
    pub age_max: Duration,
    /// Kinder rule: how long a fetched message is not listed.
    pub hide_after_fetch: Duration,
    /// Whether a fetch takes the message away.
    pub strict_fetch: bool,
    /// Bytes that are held for a message whose size is not known yet.
    pub reserve_bytes: usize,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_hours(1);
        Self {
            messages_max: 10_000,
            bytes_max: 256 * 1024 * 1024,
            bytes_total_max: 512 * 1024 * 1024,
            age_max: HOUR,
            hide_after_fetch: HOUR,
            strict_fetch: false,
            reserve_bytes: 1024 * 1024,
        }
    }
}

/// A message to be laid into an outbox.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its label, which lists and confirmations are made from.
    pub label: Label,
    /// The whole message as it will be fetched, this node's history entry included. A buffer of its own:
    /// of a slice only its length would be counted, and all of the larger buffer kept.
    pub message: Sensitive<Bytes>,
    /// When it arrived.
    pub arrived: DateTime<Utc>,
    /// Whether its sender is to get a confirmation once it is acknowledged (shs-1.2, 7.10).
    pub confirm: bool,
    /// To which accepted message it belongs.
    pub origin: Origin,
}

/// A message as a list shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its label.
    pub label: Arc<Label>,
    /// Bytes of the whole message.
    pub size: usize,
    /// When it arrived.
    pub arrived: DateTime<Utc>,
}

/// What acknowledging a message changed.
#[derive(Clone, Debug)]
pub enum Acknowledged {
    /// It was the first time: the content is gone.
    First {
        /// The label of the message.
        label: Arc<Label>,
        /// Whether its sender is to get a confirmation.
        confirm: bool,
        /// To which accepted message it belongs.
        origin: Origin,
        /// How long it lay here.
        lay_for: Duration,
    },
    /// Nothing: it had been acknowledged before.
    Again,
}

/// A message that nobody acknowledged in time, or before too many were taken after it, and that is gone now.
#[derive(Clone, Debug)]
pub struct Expired {
    /// Its label.
    pub label: Arc<Label>,
    /// Whether it was fetched, at least once and in full.
    pub fetched: bool,
    /// How long it lay here.
    pub lay_for: Duration,
    /// To which accepted message it belongs.
    pub origin: Origin,
}

/// Why no place can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// The receiver is no actor that has outboxes here.
    #[error("the receiver has no outbox here")]
    NotLocal,
    /// The owner's outboxes hold what they may, or all outboxes together do: the caller may try again
    /// later.
    #[error("the receiver's outbox is full")]
    Full,
}

/// There is no such message: it was never here, is another's, was fetched under the strict rule, or
/// lay too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such message")]
pub struct NotThere;

/// The outboxes of all local actors.
#[derive(Debug)]
pub struct Outboxes {
    settings: OutboxSettings,
    owners: HashMap<Organisationsnummer, Arc<Owner>>,
    room: Arc<Room>,
    counts: Arc<Counts>,
}

impl Outboxes {
    /// Empty outboxes for these actors. Others never get any.
    #[must_use]
    pub fn new(
        settings: OutboxSettings,
        local: impl IntoIterator<Item = Organisationsnummer>,
    ) -> Arc<Self> {
        let counts = Arc::new(Counts::default());
        let owner = |number| (number, Owner::new(&settings, &counts));
        Arc::new(Self {
            owners: local.into_iter().map(owner).collect(),
            room: Room::new(settings.bytes_total_max),
            settings,
            counts,
        })
    }

    /// Whether this actor has outboxes here.
    #[must_use]
    pub fn is_local(&self, organisation: &Organisationsnummer) -> bool {
        self.owners.contains_key(organisation)
    }

    /// Holds a place for one message of unknown size, before it is promised to anybody that the message
    /// will be delivered.
    ///
    /// # Errors
    /// [`NoPlace`].
    pub fn reserve(&self, to: &Adress) -> Result<Place, NoPlace> {
        self.reserve_for(to, self.settings.reserve_bytes)
    }

    /// The same for a message of this size, in bytes.
    ///
    /// # Errors
    /// [`NoPlace`].
    pub fn reserve_for(&self, to: &Adress, bytes: usize) -> Result<Place, NoPlace> {
        let owner = self.owners.get(to.organisation());
        let place = owner
            .ok_or(NoPlace::NotLocal)
            .and_then(|owner| Place::hold(owner, &self.room, to, bytes).ok_or(NoPlace::Full));
        if matches!(place, Err(NoPlace::Full)) {
            self.counts.count_refused();
        }
        place
    }

    /// What the query finds among the messages that are ready to be fetched from this outbox. An outbox
    /// that is not known is empty (shs-1.2, 5.7.2).
    #[must_use]
    pub fn list(&self, outbox: &Adress, query: &ListQuery) -> Vec<Listed> {
        let owner = self.owners.get(outbox.organisation());
        owner.map_or_else(Vec::new, |owner| owner.list(outbox, query))
    }

    /// Begins to fetch a message.
    ///
    /// # Errors
    /// [`NotThere`], under the strict rule also while somebody else is fetching it.
    pub fn fetch(&self, outbox: &Adress, tx_id: &TxId) -> Result<Fetched, NotThere> {
        let owner = self.owners.get(outbox.organisation()).ok_or(NotThere)?;
        Fetched::begin(owner, outbox, tx_id)
    }

    /// How large a message is that could be fetched now, in bytes. Changes nothing.
    ///
    /// # Errors
    /// [`NotThere`], as with [`Self::fetch`].
    pub fn look(&self, outbox: &Adress, tx_id: &TxId) -> Result<usize, NotThere> {
        let owner = self.owners.get(outbox.organisation()).ok_or(NotThere)?;
        owner.look(outbox, tx_id)
    }

    /// Acknowledges a message, whether it was fetched or not: its content is dropped at once.
    ///
    /// # Errors
    /// [`NotThere`].
    pub fn acknowledge(&self, outbox: &Adress, tx_id: &TxId) -> Result<Acknowledged, NotThere> {
        let owner = self.owners.get(outbox.organisation()).ok_or(NotThere)?;
        owner.acknowledge(outbox, tx_id)
    }

    /// Drops what has lain too long, and tells of it and of what was forgotten meanwhile; to be called every few
    /// seconds. It is neither listed nor fetchable
    /// from the moment its time is up, also between two calls.
    #[must_use = "the senders of these messages may have to be told"]
    pub fn expire(&self) -> Vec<Expired> {
        self.owners
            .values()
            .flat_map(|owner| owner.expire())
            .collect()
    }

    /// The counters.
    #[must_use]
    pub fn counts(&self) -> OutboxCounts {
        self.counts.read(self.room.used())
    }
}

#[cfg(test)]
mod tests;
