//! [`Transit`]: an asynchronous message between its acceptance and its end, and [`Underway`]: how many
//! of them there may be.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use shs_schemas::shs::{Message, Organisationsnummer};
use uuid::Uuid;

use crate::outbox::Place;
use crate::room::{Held, Room};

/// How much may be under way.
#[derive(Clone, Copy, Debug)]
pub struct UnderwaySettings {
    /// Messages.
    pub messages_max: usize,
    /// Messages of one sending organisation.
    pub messages_per_sender_max: usize,
    /// Their bytes together.
    pub bytes_max: usize,
}

impl Default for UnderwaySettings {
    fn default() -> Self {
        Self {
            messages_max: 10_000,
            messages_per_sender_max: 2_000,
            bytes_max: 512 * 1024 * 1024,
        }
    }
}

/// Accepted messages that have not come to their end, counted.
#[derive(Debug)]
pub struct Underway {
    messages: AtomicUsize,
    messages_max: usize,
    per_sender_max: usize,
    /// By sender; the table never changes, so it needs no lock.
    per_sender: HashMap<Organisationsnummer, Arc<AtomicUsize>>,
    /// All senders that only the directory knows, together.
    others: Arc<AtomicUsize>,
    room: Arc<Room>,
}

/// Why no more messages are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crowded {
    /// As many are under way as may be, or their bytes take what they may.
    Node,
    /// As many of this sender's are.
    Sender,
}

impl Underway {
    /// Nothing under way. The senders are those of the configuration.
    #[must_use]
    pub fn new(
        settings: UnderwaySettings,
        senders: impl IntoIterator<Item = Organisationsnummer>,
    ) -> Arc<Self> {
        let per_sender = senders.into_iter().map(|sender| (sender, Arc::default()));
        Arc::new(Self {
            messages: AtomicUsize::new(0),
            messages_max: settings.messages_max,
            per_sender_max: settings.messages_per_sender_max,
            per_sender: per_sender.collect(),
            others: Arc::default(),
            room: Room::new(settings.bytes_max),
        })
    }

    /// Messages under way.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.messages.load(Ordering::Acquire)
    }

    /// Most messages that may be.
    #[must_use]
    pub fn messages_max(&self) -> usize {
        self.messages_max
    }

    /// Memory of their bodies.
    #[must_use]
    pub fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Counts one more in for a notice of this node's own, an error or a confirmation; `None` when there
    /// are as many beyond the messages themselves as those may be.
    pub(super) fn enter_notice(self: &Arc<Self>) -> Option<Passenger> {
        self.count_in(self.messages_max.saturating_mul(2))
            .then(|| Passenger {
                underway: Arc::clone(self),
                share: Arc::new(Share {
                    held: Held::nothing(&self.room),
                    of_sender: None,
                }),
            })
    }

    fn count_in(&self, messages_max: usize) -> bool {
        add_below(&self.messages, messages_max)
    }

    /// Counts one more of this sender's in, of so many bytes.
    pub(super) fn enter(
        self: &Arc<Self>,
        sender: &Organisationsnummer,
        bytes: usize,
    ) -> Result<Passenger, Crowded> {
        let count = self.per_sender.get(sender).unwrap_or(&self.others);
        if !add_below(count, self.per_sender_max) {
            return Err(Crowded::Sender);
        }
        let mut share = Share {
            held: Held::nothing(&self.room),
            of_sender: Some(Arc::clone(count)),
        };
        share.held.grow(bytes).map_err(|_| Crowded::Node)?;
        if !self.count_in(self.messages_max) {
            return Err(Crowded::Node);
        }
        Ok(Passenger {
            underway: Arc::clone(self),
            share: Arc::new(share),
        })
    }
}

/// Adds one to a count that is below `max`; tells whether it was.
fn add_below(count: &AtomicUsize, max: usize) -> bool {
    let fits = |count: usize| (count < max).then_some(count + 1);
    let counted = count.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits);
    counted.is_ok()
}

/// What a message holds of the memory and of its sender's number; copies of it hold it together.
#[derive(Debug)]
struct Share {
    held: Held,
    of_sender: Option<Arc<AtomicUsize>>,
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(count) = &self.of_sender {
            count.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// One message under way; it is counted out when this is dropped.
#[derive(Debug)]
pub(super) struct Passenger {
    underway: Arc<Underway>,
    /// Given back when the last copy is gone.
    share: Arc<Share>,
}

impl Passenger {
    /// Counts one more in that is made from this one and shares its bytes. It never fails: it is part
    /// of what was accepted.
    pub(super) fn derive(&self) -> Self {
        self.underway.messages.fetch_add(1, Ordering::AcqRel);
        Self {
            underway: Arc::clone(&self.underway),
            share: Arc::clone(&self.share),
        }
    }
}

impl Drop for Passenger {
    fn drop(&mut self) {
        self.underway.messages.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A message that was accepted.
#[derive(Debug)]
pub struct Transit {
    pub(super) message: Message,
    pub(super) sender: Organisationsnummer,
    /// Whether it may go to another node: it came from one of our own systems (shs-1.2, 7.2 step 6).
    pub(super) may_leave: bool,
    /// Our own name for it, that of the log.
    pub(super) request_id: Uuid,
    pub(super) arrived: DateTime<Utc>,
    /// Room in the sender's mailbox, for the reply or the error.
    pub(super) sender_place: Option<Place>,
    /// Room in the receiver's mailbox.
    pub(super) receiver_place: Option<Place>,
    pub(super) passenger: Passenger,
    /// Tries that its delivery took.
    pub(super) attempts: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_messages_or_bytes_are_under_way_than_may_be() {
        let settings = UnderwaySettings {
            messages_max: 2,
            messages_per_sender_max: 2,
            bytes_max: 100,
        };
        let number = |text| Organisationsnummer::parse(text).unwrap();
        let [kommun, other] = ["2120009994", "2120009986"].map(number);
        let underway = Underway::new(settings, [kommun.clone()]);
        let first = underway.enter(&kommun, 60).unwrap();
        assert_eq!(underway.enter(&kommun, 60).unwrap_err(), Crowded::Node);
        let second = underway.enter(&kommun, 40).unwrap();
        assert_eq!(underway.enter(&kommun, 0).unwrap_err(), Crowded::Sender);
        assert_eq!(underway.enter(&other, 0).unwrap_err(), Crowded::Node);
        let derived = first.derive();
        assert_eq!(underway.messages(), 3);
        drop((first, second));
        assert_eq!((underway.messages(), underway.room().used()), (1, 60));
        drop(derived);
        assert_eq!((underway.messages(), underway.room().used()), (0, 0));
        assert!(underway.enter(&kommun, 0).is_ok(), "all are given back");
    }

    #[test]
    fn notices_find_room_beside_the_messages_and_have_a_bound_too() {
        let settings = UnderwaySettings {
            messages_max: 2,
            messages_per_sender_max: 2,
            bytes_max: 100,
        };
        let kommun = Organisationsnummer::parse("2120009994").unwrap();
        let underway = Underway::new(settings, []);
        let messages = [underway.enter(&kommun, 50), underway.enter(&kommun, 50)];
        assert!(messages.iter().all(Result::is_ok));
        let notices = [underway.enter_notice(), underway.enter_notice()];
        assert!(notices.iter().all(Option::is_some));
        assert!(underway.enter_notice().is_none());
        drop((messages, notices));
        assert_eq!(underway.messages(), 0);
    }
}
