//! Promises of earlier lives (design 9): a node that starts reads from its ledger which accepted messages
//! never ended, and tells each sender that its message was not delivered and may be sent again. Until the
//! sender has acknowledged that, or its node has taken it, the next start tells it again.
//!
//! Reading runs beside the start: nobody waits for it. A message that comes again meanwhile is a promise of
//! its own, and its sender is not told of the earlier one.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, future, stream};
use shs_schemas::shs::{Label, Organisationsnummer};
use uuid::Uuid;

use super::forward::Work;
use super::transit::Passenger;
use super::untold::Untold;
use super::{RelayContext, notes};
use crate::failure::{Failure, Rejection};
use crate::ledger::book::Before;
use crate::ledger::event::{Avbrott, Event, Ids, Origin, Slag, What};
use crate::ledger::keys::KeyFile;
use crate::ledger::promises::{self, Owed, Standing, Stopped};
use crate::tally::PromiseEnd;

/// Notes of promises that wait for the disk at once.
const NOTED_AT_ONCE: usize = 1_024;

/// Senders' errors that are under way at once, for each sending organisation: one whose node is away
/// holds up nobody else's.
const TOLD_AT_ONCE: usize = 16;

/// How often it is looked whether there is room for one more notice.
const ROOM_LOOK_EVERY: Duration = Duration::from_millis(250);

/// Where the promises of earlier lives are read.
pub(crate) struct Unkept {
    /// What stood in the ledger before this life.
    pub(crate) before: Before,
    /// Keys of the months, for identifiers that are hidden.
    pub(crate) keys: KeyFile,
    /// How far back it is read.
    pub(crate) look_back: Duration,
}

/// Reads what earlier lives left, and tells the senders, on this arbiter, until the node stops.
pub(crate) fn resume(context: RelayContext, unkept: Unkept) {
    let work = Rc::new(Work::new(context));
    work.spawn(Rc::clone(&work).resume(unkept));
}

/// Ends the reading when who waits for it is gone.
struct Reading(Stopped);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Work {
    async fn resume(self: Rc<Self>, unkept: Unkept) {
        let Some(standing) = read(unkept).await else {
            return;
        };
        let loften = standing.loften();
        tracing::info!(
            owed = loften.owed,
            too_old = loften.too_old,
            key_gone = loften.key_gone,
            beyond = loften.beyond,
            lines = standing.lines,
            bytes = standing.bytes,
            "the ledger was read for messages that earlier lives left without an end"
        );
        if loften.damaged > 0 {
            let lines = loften.damaged;
            tracing::warn!(lines, "lines of the ledger cannot be read: run verify");
        }
        if loften.is_nothing() {
            return;
        }
        let event = Event::now(Uuid::nil(), Ids::default(), What::Loften(loften));
        self.context.book.note(event);
        let owed = self.take_up(standing).await;
        let mut by_sender: HashMap<Organisationsnummer, Vec<Owed>> = HashMap::new();
        for owed in owed {
            let sender = owed.from.organisation().clone();
            by_sender.entry(sender).or_default().push(owed);
        }
        for owed in by_sender.into_values() {
            let work = Rc::clone(&self);
            self.spawn(async move {
                let telling = |owed| Rc::clone(&work).tell_of_restart(owed);
                let owed = stream::iter(owed);
                owed.for_each_concurrent(TOLD_AT_ONCE, telling).await;
            });
        }
    }

    /// Counts and notes what was found; gives what is to be told. All of it is on disk before the first is
    /// told: who waits for a node that is away may wait longer than the ledger is read back.
    async fn take_up(&self, standing: Standing) -> Vec<Owed> {
        let tally = &self.context.tally;
        let Standing {
            owed,
            too_old,
            key_gone,
            beyond,
            ..
        } = standing;
        let found = owed.len() + too_old.len() + key_gone.len();
        tally.count_promises(PromiseEnd::Resumed, found as u64);
        tally.count_promises(PromiseEnd::Beyond, beyond);
        if beyond > 0 {
            tracing::error!(beyond, "more messages without an end than are held at once");
        }
        for (left, end, reason) in [
            (too_old, PromiseEnd::TooOld, Avbrott::ForGammalt),
            (key_gone, PromiseEnd::KeyGone, Avbrott::NyckelBorta),
        ] {
            if left.is_empty() {
                continue;
            }
            let (messages, why) = (left.len(), end.as_str());
            tracing::error!(
                messages,
                why,
                "senders cannot be told that the node was restarted"
            );
            tally.count_promises(end, messages as u64);
            self.note_all(left.into_iter().map(|request_id| {
                let what = What::Avbrutet { reason };
                Event::now(request_id, Ids::default(), what)
            }))
            .await;
        }
        let (resent, owed): (Vec<_>, Vec<_>) =
            owed.into_iter().partition(|owed| self.is_resent(owed));
        tally.count_promises(PromiseEnd::Resent, resent.len() as u64);
        self.note_all(resent.iter().map(resent_note)).await;
        self.note_all(owed.iter().map(notes::aterupptaget)).await;
        owed
    }

    /// Notes these, so many at a time: the ledger takes a bounded number.
    async fn note_all(&self, events: impl Iterator<Item = Event>) {
        let mut events = events.peekable();
        while events.peek().is_some() {
            let some = events.by_ref().take(NOTED_AT_ONCE);
            let noting: Vec<_> = some
                .map(|event| self.context.book.note_durably(event))
                .collect();
            // What is not noted now is found by the next start in the lines that are there.
            future::join_all(noting).await;
        }
    }

    /// Whether its sender has sent it again since the start: the new one has an end of its own.
    fn is_resent(&self, owed: &Owed) -> bool {
        self.context
            .transfers
            .is_known_from(&owed.tx_id, &owed.from)
    }

    /// Tells one sender, when there is room for one more notice.
    async fn tell_of_restart(self: Rc<Self>, owed: Owed) {
        let _passenger = self.room_for_a_notice().await;
        if self.is_resent(&owed) {
            self.context.tally.count_promises(PromiseEnd::Resent, 1);
            return self.context.book.note(resent_note(&owed));
        }
        let label = owed.label();
        let rejection = Rejection::new(Failure::Restarted, label.known_ids());
        let place = rejection.failure.place();
        let event = notes::fel(&label, rejection.failure, place, owed.request_id);
        // Waited for, so that a mailbox that takes thousands at once does not crowd the ledger. One that
        // cannot be noted is told all the same.
        let _ = self.context.book.note_durably(event).await;
        let untold = Untold::about(&label, owed.request_id, &self.context);
        let origin = Origin::message(owed.request_id).with(Slag::Fel);
        let telling = self.tell_patiently(&label, &rejection, origin);
        let told = AssertUnwindSafe(telling).catch_unwind().await;
        let end = match told {
            Ok(Ok(())) => PromiseEnd::Told,
            Ok(Err(failure)) => {
                self.administrative_lost(failure);
                PromiseEnd::NotDelivered
            }
            Err(_) => {
                tracing::error!(request_id = %owed.request_id, "panic while a sender was told");
                self.context.tally.count_own_lost();
                PromiseEnd::NotDelivered
            }
        };
        self.context.tally.count_promises(end, 1);
        untold.ended();
    }

    /// Sends the error; again and again while the directory is away, which may start later than the node.
    async fn tell_patiently(
        &self,
        label: &Label,
        rejection: &Rejection,
        origin: Origin,
    ) -> Result<(), Failure> {
        let message = self.error_about(label, rejection);
        let mut patience = self.patience(self.context.settings.give_up_after);
        loop {
            let told = self.try_administrative(&message, label, origin, None).await;
            if told != Err(Failure::DirectoryAway) || !patience.wait().await {
                return told;
            }
        }
    }

    /// Room for one more notice, when there is some.
    pub(super) async fn room_for_a_notice(&self) -> Passenger {
        loop {
            if let Some(passenger) = self.context.board.underway().enter_notice() {
                return passenger;
            }
            tokio::time::sleep(ROOM_LOOK_EVERY).await;
        }
    }
}

/// Its sender has sent it again.
fn resent_note(owed: &Owed) -> Event {
    notes::avbrutet(&owed.label(), Avbrott::Omsand, owed.request_id)
}

/// Reads on the blocking pool; `None` when there is nothing to read or it cannot be read.
async fn read(unkept: Unkept) -> Option<Standing> {
    let Unkept {
        before,
        keys,
        look_back,
    } = unkept;
    // Who should have said so is gone: the ledger fell before it was ever opened.
    let earlier = before.await.ok()?;
    let reading = Reading(Stopped::default());
    let stopped = reading.0.clone();
    let read = move || promises::read(earlier?, &keys, look_back, &stopped);
    match actix_rt::task::spawn_blocking(read).await {
        Ok(Ok(standing)) => Some(standing),
        Ok(Err(error)) => {
            let kind = error.kind();
            tracing::error!(
                ?kind,
                "the ledger cannot be read for messages without an end: their senders are not told"
            );
            None
        }
        Err(_) => {
            tracing::error!("panic while the ledger was read for messages without an end");
            None
        }
    }
}
