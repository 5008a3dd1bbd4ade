//! [`Transit`]: an asynchronous message between its acceptance and its end, and [`Underway`]: how many
//! of them there may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use shs_schemas::shs::{Message, Organisationsnummer};
use tokio::time::Instant;
use uuid::Uuid;

use crate::outbox::Place;
use crate::room::{Held, Room};

/// How much may be under way.
#[derive(Clone, Copy, Debug)]
pub struct UnderwaySettings {
    /// Messages.
    pub messages_max: usize,
    /// Their bytes together.
    pub bytes_max: usize,
}

impl Default for UnderwaySettings {
    fn default() -> Self {
        Self {
            messages_max: 10_000,
            bytes_max: 512 * 1024 * 1024,
        }
    }
}

/// Accepted messages that have not come to their end, counted.
#[derive(Debug)]
pub struct Underway {
    messages: AtomicUsize,
    messages_max: usize,
    room: Arc<Room>,
}

impl Underway {
    /// Nothing under way.
    #[must_use]
    pub fn new(settings: UnderwaySettings) -> Arc<Self> {
        Arc::new(Self {
            messages: AtomicUsize::new(0),
            messages_max: settings.messages_max,
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
                held: Arc::new(Held::nothing(&self.room)),
            })
    }

    fn count_in(&self, messages_max: usize) -> bool {
        let fits = |count: usize| (count < messages_max).then_some(count + 1);
        let counted = self
            .messages
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, fits);
        counted.is_ok()
    }

    /// Counts one more in, of so many bytes; `None` when there are as many as may be.
    pub(super) fn enter(self: &Arc<Self>, bytes: usize) -> Option<Passenger> {
        let mut held = Held::nothing(&self.room);
        held.grow(bytes).ok()?;
        self.count_in(self.messages_max).then(|| Passenger {
            underway: Arc::clone(self),
            held: Arc::new(held),
        })
    }
}

/// One message under way; it is counted out when this is dropped.
#[derive(Debug)]
pub(super) struct Passenger {
    underway: Arc<Underway>,
    /// Given back when the last that shares the bytes is gone.
    held: Arc<Held>,
}

impl Passenger {
    /// Counts one more in that is made from this one and shares its bytes. It never fails: it is part
    /// of what was accepted.
    pub(super) fn derive(&self) -> Self {
        self.underway.messages.fetch_add(1, Ordering::AcqRel);
        Self {
            underway: Arc::clone(&self.underway),
            held: Arc::clone(&self.held),
        }
    }

    /// Gives its bytes back: the content was let go, and the message itself still has a way to go.
    pub(super) fn let_go_of_content(&mut self) {
        self.held = Arc::new(Held::nothing(&self.underway.room));
    }
}

impl Drop for Passenger {
    fn drop(&mut self) {
        self.underway.messages.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Transit {
    /// Wipes the content, and gives its room back unless copies share it.
    pub(super) fn let_go_of_content(&mut self) {
        self.message.parts.clear();
        self.passenger.let_go_of_content();
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
    /// The same by the clock that durations are measured with.
    pub(super) since: Instant,
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
        let underway = Underway::new(UnderwaySettings {
            messages_max: 2,
            bytes_max: 100,
        });
        let first = underway.enter(60).unwrap();
        assert!(underway.enter(60).is_none(), "bytes");
        let second = underway.enter(40).unwrap();
        assert!(underway.enter(0).is_none(), "messages");
        let derived = first.derive();
        assert_eq!(underway.messages(), 3);
        drop((first, second));
        assert_eq!((underway.messages(), underway.room().used()), (1, 60));
        drop(derived);
        assert_eq!((underway.messages(), underway.room().used()), (0, 0));
    }

    #[test]
    fn content_that_was_let_go_gives_its_room_back_once_no_copy_needs_it() {
        let underway = Underway::new(UnderwaySettings::default());
        let mut first = underway.enter(60).unwrap();
        let mut copy = first.derive();
        first.let_go_of_content();
        assert_eq!((underway.messages(), underway.room().used()), (2, 60));
        copy.let_go_of_content();
        assert_eq!((underway.messages(), underway.room().used()), (2, 0));
    }

    #[test]
    fn notices_find_room_beside_the_messages_and_have_a_bound_too() {
        let underway = Underway::new(UnderwaySettings {
            messages_max: 2,
            bytes_max: 100,
        });
        let messages = [underway.enter(50), underway.enter(50)];
        assert!(messages.iter().all(Option::is_some));
        let notices = [underway.enter_notice(), underway.enter_notice()];
        assert!(notices.iter().all(Option::is_some));
        assert!(underway.enter_notice().is_none());
        drop((messages, notices));
        assert_eq!(underway.messages(), 0);
    }
}
