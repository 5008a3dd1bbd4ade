//! [`Waiting`]: senders of messages that nobody fetched, while as many notices are under way as may be.
//! They are told in the order in which they came. A task keeps them, so that a fall of the relay forgets
//! none.

use std::rc::Rc;
use std::sync::Arc;

use shs_schemas::shs::Label;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::forward::Work;
use super::transit::{Passenger, WAITING_MAX};
use super::untold::Untold;
use crate::failure::Rejection;
use crate::ledger::event::Origin;

/// A sender that is to be told about its message. The content is gone, and `fel` stands in the ledger.
pub(super) struct Telling {
    pub(super) label: Arc<Label>,
    pub(super) rejection: Rejection,
    pub(super) origin: Origin,
    pub(super) untold: Untold,
}

/// One that waits for room.
struct Waiter {
    telling: Telling,
    until: Instant,
    passenger: Passenger,
}

/// Where they wait.
pub(super) struct Waiting(mpsc::Sender<Waiter>);

impl Waiting {
    /// Tells them as there is room, until the node stops, or this is gone and nobody waits any more.
    pub(super) fn begin(work: &Rc<Work>) -> Self {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        work.spawn(Rc::clone(work).tell_waiting(waiting));
        Self(sender)
    }
}

impl Work {
    /// Tells a sender now, or when there is room.
    pub(super) fn tell_or_wait(self: &Rc<Self>, telling: Telling, waiting: &Waiting) {
        let underway = self.context.board.underway();
        if let Some(passenger) = underway.enter_notice() {
            return self.tell_with(telling, passenger);
        }
        let Some(passenger) = underway.enter_waiting() else {
            return self.not_told(telling);
        };
        let until = Instant::now() + self.context.settings.give_up_after;
        // There is room for each that has entered. Once the node stops there is nobody at the other end, and
        // the ledger says that this one was not told.
        let _ = waiting.0.try_send(Waiter {
            telling,
            until,
            passenger,
        });
    }

    fn tell_with(self: &Rc<Self>, telling: Telling, passenger: Passenger) {
        let Telling {
            label,
            rejection,
            origin,
            untold,
        } = telling;
        let work = Rc::clone(self);
        self.spawn(async move {
            work.tell_error(&label, &rejection, origin, None).await;
            untold.ended();
            drop(passenger);
        });
    }

    async fn tell_waiting(self: Rc<Self>, mut waiting: mpsc::Receiver<Waiter>) {
        while let Some(waiter) = waiting.recv().await {
            let Waiter {
                telling,
                until,
                passenger,
            } = waiter;
            match timeout_at(until, self.room_for_a_notice()).await {
                Ok(room) => self.tell_with(telling, room),
                Err(_) => self.not_told(telling),
            }
            drop(passenger);
        }
    }

    /// Nobody tells this one any more, but the next start does.
    fn not_told(&self, telling: Telling) {
        tracing::warn!("a sender is not told of its message: too many notices are under way");
        self.context.tally.count_own_lost();
        telling.untold.ended();
    }
}
