//! The way of one accepted message: steps 11 to 18 of shs-1.2, 7.2, and what happens when one fails
//! (6.2).

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use shs_schemas::ids::LocalId;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::management::{AppInfo, REMOTE_ERROR_CODE};
use shs_schemas::shs::{Actor, Adress, Label, Message};

use super::entrusted::Entrusted;
use super::patience::Patience;
use super::permit::RECEIVERS_MAX;
use super::transit::Transit;
use super::untold::Untold;
use super::waiting::{Telling, Waiting};
use super::{Kvitterat, RelayContext, notes};
use crate::failure::{Failure, Rejection};
use crate::ledger::event::{Direction, Gallring, Origin, Slag};
use crate::outbox::{Expired, Place};
use crate::tally::TransferEnd;
use crate::transfers::{About, Claim, TransferState as State};

/// What the tasks of one relay share. They live on one thread.
pub(super) struct Work {
    pub(super) context: RelayContext,
}

impl Work {
    pub(super) fn new(context: RelayContext) -> Self {
        Self { context }
    }

    /// Does this beside everything else, until the node stops.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let (closing, board) = (
            Arc::clone(&self.context.closing),
            Arc::clone(&self.context.board),
        );
        actix_rt::spawn(async move {
            closing.unless(task).await;
            board.show();
        });
    }

    /// The same for a notice of this node's own, of which there may be only so many at once.
    pub(super) fn notify(&self, task: impl Future<Output = ()> + 'static) {
        let Some(passenger) = self.context.board.underway().enter_notice() else {
            tracing::warn!("a notice is not sent: too many are under way");
            return self.context.tally.count_own_lost();
        };
        self.spawn(async move {
            task.await;
            drop(passenger);
        });
    }

    /// How long and how often something is tried, from now on.
    pub(super) fn patience(&self, lasts: Duration) -> Patience {
        Patience::new(&self.context.settings, lasts, &self.context.board)
    }

    /// Brings a message to its one end.
    pub(super) async fn forward(self: Rc<Self>, mut entrusted: Entrusted) {
        let carried = AssertUnwindSafe(self.carry(entrusted.transit()))
            .catch_unwind()
            .await;
        // From here to the note of its end nothing waits.
        let transit = entrusted.release();
        let ended = carried.unwrap_or_else(|_| {
            tracing::error!(request_id = %transit.request_id, "panic while a message was forwarded");
            let ids = transit.message.label.known_ids();
            Err(Rejection::new(Failure::Content, ids))
        });
        match ended {
            Ok(end) => self.ended(transit, end),
            Err(rejection) => {
                self.failed(&transit, &rejection);
                self.tell(transit, &rejection).await;
            }
        }
    }

    /// Ends a message whose holder fell.
    pub(super) fn stranded(self: &Rc<Self>, transit: Transit) {
        let ids = transit.message.label.known_ids();
        let rejection = Rejection::new(Failure::ActorLost, ids);
        self.failed(&transit, &rejection);
        let work = Rc::clone(self);
        self.spawn(async move { work.tell(transit, &rejection).await });
    }

    async fn carry(self: &Rc<Self>, transit: &mut Transit) -> Result<TransferEnd, Rejection> {
        self.context.failpoints.hit("transfer");
        if transit.message.label.sequence_type == SequenceType::Adm {
            return self.administrative(transit).await;
        }
        let ids = transit.message.label.known_ids();
        let reject = |failure| Rejection::new(failure, ids.clone());
        if transit.message.label.to.is_none() {
            let mut receivers = self.receivers(transit).await.map_err(reject)?;
            if receivers.len() > RECEIVERS_MAX {
                return Err(reject(Failure::TooManyReceivers));
            }
            if receivers.len() > 1 {
                return self.split(transit, &receivers).await.map_err(reject);
            }
            let receiver = receivers.pop().ok_or_else(|| reject(Failure::NoReceiver))?;
            let receiver = Adress::of(receiver);
            let label = &mut transit.message.label;
            self.context.transfers.address(&label.tx_id, &receiver);
            label.address_to(receiver, None);
        }
        self.know_parties(transit).await.map_err(reject)?;
        let confirm = self.permit(transit).await.map_err(reject)?;
        self.check_parts(transit)?;
        self.deliver(transit, confirm).await
    }

    /// Remembers a message that this node made, so that errors and confirmations about it are
    /// recognised (6.3, 7.9).
    pub(super) fn remember(&self, label: &Label, made: DateTime<Utc>, local_id: LocalId) {
        let Some(about) = About::of(label) else {
            return;
        };
        // A fresh tx.id is never known.
        if let Claim::New(claimed) = self.context.transfers.claim(&label.tx_id, about) {
            claimed.accept(made, local_id);
        }
    }

    fn ended(&self, mut transit: Transit, end: TransferEnd) {
        let label = &transit.message.label;
        self.context.tally.count_transfer(end);
        let states: &[State] = match end {
            TransferEnd::Pushed => &[State::Sent],
            TransferEnd::Outbox => &[State::Received],
            TransferEnd::Split => &[State::OneToMany],
            // A service of this node is its receiver, and has it at once.
            _ => &[State::Received, State::Fetched],
        };
        for state in states {
            self.context.transfers.set_state(&label.tx_id, *state);
        }
        if let Some(way) = end.way() {
            let took = transit.since.elapsed();
            let origin = Origin::message(transit.request_id);
            let noted = notes::levererat(label, origin, way, transit.attempts, took);
            self.context.book.note(noted);
        }
        tracing::info!(request_id = %transit.request_id, end = end.as_str(), "message delivered");
        // In a mailbox it lies on; copies and replies have ends of their own.
        if end == TransferEnd::Pushed {
            transit.let_go_of_content();
            self.wiped(&transit, Gallring::Levererat);
        }
    }

    /// Notes that nothing of the content of a message is held any more.
    fn wiped(&self, transit: &Transit, reason: Gallring) {
        let (label, origin) = (&transit.message.label, Origin::message(transit.request_id));
        let wiped = notes::gallrat(label, origin, reason, transit.since.elapsed());
        self.context.book.note_all(wiped);
    }

    /// Keeps the failure, which is the end of the message.
    fn failed(&self, transit: &Transit, rejection: &Rejection) {
        let label = &transit.message.label;
        let row = rejection.failure.row();
        self.context.board.observed().count_failed();
        self.context
            .transfers
            .set_state(&label.tx_id, State::Quarantined { code: row.code });
        let place = rejection.failure.place();
        let event = notes::fel(label, rejection.failure, place, transit.request_id);
        self.context.book.note(event);
        let end = if label.sequence_type == SequenceType::Adm {
            TransferEnd::Quarantined
        } else {
            TransferEnd::Error
        };
        self.context.tally.count_transfer(end);
        tracing::info!(
            request_id = %transit.request_id,
            error_code = row.code.as_str(),
            reason = rejection.failure.class(),
            "message not delivered"
        );
    }

    /// Tells the sender of a message that failed, unless it is itself administrative (6.2). That may
    /// take hours when the sender's node is away: content and the receiver's room are let go before.
    async fn tell(&self, mut transit: Transit, rejection: &Rejection) {
        transit.let_go_of_content();
        transit.receiver_place = None;
        transit.passenger.become_notice();
        self.wiped(&transit, Gallring::Avslutat);
        let label = &transit.message.label;
        if label.sequence_type == SequenceType::Adm {
            return;
        }
        let untold = Untold::about(label, transit.request_id, &self.context);
        let origin = Origin::message(transit.request_id).error();
        let telling = self.tell_error(label, rejection, origin, transit.sender_place);
        if AssertUnwindSafe(telling).catch_unwind().await.is_err() {
            tracing::error!(request_id = %transit.request_id, "panic while a sender was told");
            self.context.tally.count_own_lost();
        }
        untold.ended();
    }

    /// Sends an error message about a message to its sender; true when it was delivered.
    pub(super) async fn tell_error(
        &self,
        label: &Label,
        rejection: &Rejection,
        origin: Origin,
        place: Option<Place>,
    ) -> bool {
        let message = self.error_about(label, rejection);
        self.send_administrative(&message, label, origin, place)
            .await
    }

    /// The error message about a message.
    pub(super) fn error_about(&self, label: &Label, rejection: &Rejection) -> Message {
        let row = rejection.failure.row();
        let own = &self.context.rules.own;
        let appinfo = self.appinfo(label, rejection);
        let info = rejection.to_string();
        let about = self.as_told(label);
        Message::error_about(&about, own, row.code, &info, appinfo, Utc::now())
    }

    /// The label as an error tells of it: from its receiver (6.2), but to another node from this node's
    /// own actor when the receiver is none of this node's: its certificate stands for no others, and the
    /// error would be refused there (7.6).
    fn as_told<'a>(&self, label: &'a Label) -> Cow<'a, Label> {
        let is_local = |actor: &Option<Actor>| {
            let actor = actor.as_ref().map(|actor| actor.address.organisation());
            actor.is_none_or(|actor| self.context.rules.is_local(actor))
        };
        if is_local(&label.from) || is_local(&label.to) {
            return Cow::Borrowed(label);
        }
        let mut label = label.clone();
        label.to = None;
        Cow::Owned(label)
    }

    fn appinfo(&self, label: &Label, rejection: &Rejection) -> Vec<AppInfo> {
        let own = self.context.rules.own.address.organisation();
        let mut appinfo = vec![
            AppInfo::new("detectedBy", own.as_str()),
            AppInfo::new("txId", label.tx_id.as_str()),
        ];
        if let Some(code) = rejection.remote_code {
            appinfo.push(AppInfo::new(REMOTE_ERROR_CODE, code.as_str()));
        }
        appinfo
    }

    /// A message lay too long: its sender is told, unless it was fetched or is administrative.
    pub(super) fn expired(self: &Rc<Self>, expired: Expired, waiting: &Waiting) {
        self.context.book.note(notes::tiden_ute(&expired));
        let Expired {
            label,
            fetched,
            origin,
            ..
        } = expired;
        self.context.tally.count_transfer(TransferEnd::Expired);
        if fetched || label.sequence_type == SequenceType::Adm {
            return;
        }
        let rejection = Rejection::new(Failure::NotFetched, label.known_ids());
        let code = rejection.failure.row().code;
        self.context
            .transfers
            .set_state(&label.tx_id, State::Quarantined { code });
        let place = rejection.failure.place();
        let event = notes::fel(&label, rejection.failure, place, origin.request_id);
        self.context.book.note(event);
        let telling = Telling {
            untold: Untold::about(&label, origin.request_id, &self.context),
            origin: origin.error(),
            label,
            rejection,
        };
        self.tell_or_wait(telling, waiting);
    }

    /// Whether its sender gets a confirmation: when that is agreed on (7.10).
    pub(super) fn wants_confirmation(&self, kvitterat: &Kvitterat) -> bool {
        let wanted = kvitterat.confirm || self.context.settings.confirm_always;
        wanted && kvitterat.label.sequence_type != SequenceType::Adm
    }

    /// Sends a confirmation about a message to its sender.
    pub(super) async fn confirm(&self, label: &Label, origin: Origin, place: Option<Place>) {
        let own = &self.context.rules.own;
        let message = Message::confirmation_of(label, own, Utc::now());
        let origin = origin.with(Slag::Bekraftelse);
        if self
            .send_administrative(&message, label, origin, place)
            .await
        {
            let event = notes::bekraftelse(label, Direction::Skickad, origin.request_id);
            self.context.book.note(event);
        }
    }
}
