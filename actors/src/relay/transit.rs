//! [`Transit`]: an asynchronous message between its acceptance and its end, and [`Underway`]: how many
//! of them there may be.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use shs_schemas::shs::{Message, Organisationsnummer};
use tokio::time::Instant;
use uuid::Uuid;

use crate::caller::Caller;
use crate::outbox::Place;
use crate::room::{Held, Room};

/// Senders that may wait to be told because as many notices are under way as may be. Of each there is a label,
/// some two KiB.
pub(super) const WAITING_MAX: usize = 16_384;

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

/// Accepted messages that have not come to their end, and notices of this node's own about messages that
/// have: errors, confirmations. Each has its own number, so that notices to a node that is away shut no
/// message out.
#[derive(Debug)]
pub struct Underway {
    messages: AtomicUsize,
    notices: AtomicUsize,
    /// Notices that have not begun.
    waiting: AtomicUsize,
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
            notices: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            messages_max: settings.messages_max,
            per_sender_max: settings.messages_per_sender_max,
            per_sender: per_sender.collect(),
            others: Arc::default(),
            room: Room::new(settings.bytes_max),
        })
    }

    /// Messages and notices under way, those that wait for room included.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.messages.load(Ordering::Acquire)
            + self.notices.load(Ordering::Acquire)
            + self.waiting()
    }

    /// Notices that wait for room.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Most messages that may be, and most notices beside them.
    #[must_use]
    pub fn messages_max(&self) -> usize {
        self.messages_max
    }

    /// Memory of their bodies.
    #[must_use]
    pub fn room(&self) -> &Arc<Room> {
        &self.room
    }

    fn count(&self, kind: Kind) -> &AtomicUsize {
        match kind {
            Kind::Message => &self.messages,
            Kind::Notice => &self.notices,
            Kind::Waiting => &self.waiting,
        }
    }

    /// Counts one more of this sender's in, of so many bytes.
    pub(super) fn enter(
        self: &Arc<Self>,
        sender: &Organisationsnummer,
        bytes: usize,
    ) -> Result<Passenger, Crowded> {
        let count = self.per_sender.get(sender).unwrap_or(&self.others);
        let of_sender = OfSender::one_below(count, self.per_sender_max).ok_or(Crowded::Sender)?;
        let mut held = Held::nothing(&self.room);
        held.grow(bytes).map_err(|_| Crowded::Node)?;
        if !add_below(&self.messages, 1, self.messages_max) {
            return Err(Crowded::Node);
        }
        Ok(Passenger {
            underway: Arc::clone(self),
            kind: Kind::Message,
            held: Arc::new(held),
            of_sender: Some(Arc::new(of_sender)),
        })
    }

    /// Counts one more notice in; `None` when there are as many as may be.
    pub(super) fn enter_notice(self: &Arc<Self>) -> Option<Passenger> {
        add_below(&self.notices, 1, self.messages_max).then(|| self.bodyless(Kind::Notice))
    }

    /// Counts one in that waits to become a notice; `None` when there are as many as may be.
    pub(super) fn enter_waiting(self: &Arc<Self>) -> Option<Passenger> {
        add_below(&self.waiting, 1, WAITING_MAX).then(|| self.bodyless(Kind::Waiting))
    }

    fn bodyless(self: &Arc<Self>, kind: Kind) -> Passenger {
        Passenger {
            underway: Arc::clone(self),
            kind,
            held: Arc::new(Held::nothing(&self.room)),
            of_sender: None,
        }
    }
}

/// Adds to a count that stays at most `max`; tells whether it does.
fn add_below(count: &AtomicUsize, more: usize, max: usize) -> bool {
    let fits = |count: usize| count.checked_add(more).filter(|sum| *sum <= max);
    let counted = count.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits);
    counted.is_ok()
}

/// One of its sender's; copies of a message are one together.
#[derive(Debug)]
struct OfSender(Arc<AtomicUsize>);

impl OfSender {
    fn one_below(count: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        add_below(count, 1, max).then(|| Self(Arc::clone(count)))
    }
}

impl Drop for OfSender {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Notice,
    Waiting,
}

/// One message or notice under way; it is counted out when this is dropped.
#[derive(Debug)]
pub(super) struct Passenger {
    underway: Arc<Underway>,
    kind: Kind,
    /// Given back when the last copy is gone, or lets its content go.
    held: Arc<Held>,
    of_sender: Option<Arc<OfSender>>,
}

impl Passenger {
    /// Counts so many copies in, which share its bytes; `None` when they are too many beside what is
    /// under way.
    pub(super) fn copies(&self, count: usize) -> Option<Vec<Self>> {
        let underway = &self.underway;
        let copy = || Self {
            underway: Arc::clone(underway),
            kind: Kind::Message,
            held: Arc::clone(&self.held),
            of_sender: self.of_sender.clone(),
        };
        add_below(&underway.messages, count, underway.messages_max)
            .then(|| std::iter::repeat_with(copy).take(count).collect())
    }

    /// Gives its bytes back: the content was let go, and the message itself still has a way to go.
    pub(super) fn let_go_of_content(&mut self) {
        self.held = Arc::new(Held::nothing(&self.underway.room));
    }

    /// From now on only its sender is told: it makes room for a message, unless there are as many notices
    /// as may be.
    pub(super) fn become_notice(&mut self) {
        let underway = &self.underway;
        if self.kind == Kind::Message && add_below(&underway.notices, 1, underway.messages_max) {
            underway.messages.fetch_sub(1, Ordering::AcqRel);
            self.kind = Kind::Notice;
        }
    }
}

impl Drop for Passenger {
    fn drop(&mut self) {
        self.underway
            .count(self.kind)
            .fetch_sub(1, Ordering::AcqRel);
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
    /// Who brought it.
    pub(super) caller: Caller,
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
        drop(second);
        let copies = first.copies(1).unwrap();
        assert!(first.copies(1).is_none(), "copies are messages, too");
        drop(first);
        assert_eq!((underway.messages(), underway.room().used()), (1, 60));
        drop(copies);
        assert_eq!((underway.messages(), underway.room().used()), (0, 0));
        assert!(underway.enter(&kommun, 0).is_ok(), "all are given back");
    }

    #[test]
    fn content_that_was_let_go_gives_its_room_back_once_no_copy_needs_it() {
        let kommun = Organisationsnummer::parse("2120009994").unwrap();
        let underway = Underway::new(UnderwaySettings::default(), []);
        let mut first = underway.enter(&kommun, 60).unwrap();
        let mut copies = first.copies(1).unwrap();
        first.let_go_of_content();
        assert_eq!((underway.messages(), underway.room().used()), (2, 60));
        copies[0].let_go_of_content();
        assert_eq!((underway.messages(), underway.room().used()), (2, 0));
    }

    #[test]
    fn a_message_whose_sender_is_only_told_makes_room_for_another() {
        let settings = UnderwaySettings {
            messages_max: 1,
            ..UnderwaySettings::default()
        };
        let kommun = Organisationsnummer::parse("2120009994").unwrap();
        let underway = Underway::new(settings, []);
        let mut told = underway.enter(&kommun, 0).unwrap();
        told.become_notice();
        let mut second = underway.enter(&kommun, 0).unwrap();
        second.become_notice();
        assert!(
            underway.enter(&kommun, 0).is_err(),
            "no more notices than may be"
        );
        drop((told, second));
        assert_eq!(underway.messages(), 0);
    }

    #[test]
    fn those_who_wait_to_be_told_are_counted_and_have_a_bound_of_their_own() {
        let settings = UnderwaySettings {
            messages_max: 1,
            ..UnderwaySettings::default()
        };
        let underway = Underway::new(settings, []);
        let notice = underway.enter_notice();
        let waiting: Vec<_> = std::iter::from_fn(|| underway.enter_waiting()).collect();
        assert_eq!(waiting.len(), WAITING_MAX);
        assert_eq!(underway.messages(), 1 + WAITING_MAX);
        drop(notice);
        assert!(underway.enter_notice().is_some());
        drop(waiting);
        assert_eq!((underway.messages(), underway.waiting()), (0, 0));
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
        drop(messages);
        let message = underway.enter(&kommun, 50);
        assert!(message.is_ok(), "notices shut no message out");
        drop((message, notices));
        assert_eq!(underway.messages(), 0);
    }
}
