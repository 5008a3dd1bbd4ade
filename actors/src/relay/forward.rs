//! The way of one accepted message: steps 11 to 18 of shs-1.2, 7.2, and what happens when one fails
//! (6.2).

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Weak;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use shs_schemas::ids::LocalId;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::management::{AppInfo, REMOTE_ERROR_CODE};
use shs_schemas::shs::{Label, Message, Organisationsnummer};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::transit::Transit;
use super::{Kvitterat, RelayContext, notes};
use crate::failure::{Failure, Rejection};
use crate::ledger::event::Direction;
use crate::outbox::{Expired, Place};
use crate::tally::TransferEnd;
use crate::transfers::{About, Claim, TransferState as State};

/// What the tasks of one relay share. They live on one thread.
pub(super) struct Work {
    pub(super) context: RelayContext,
    /// Posts under way, by receiving actor.
    pub(super) posts: RefCell<HashMap<Organisationsnummer, Weak<Semaphore>>>,
}

impl Work {
    pub(super) fn new(context: RelayContext) -> Self {
        Self {
            context,
            posts: RefCell::default(),
        }
    }

    /// Brings a message to its one end.
    pub(super) async fn forward(self: Rc<Self>, mut transit: Transit) {
        let carried = AssertUnwindSafe(self.carry(&mut transit))
            .catch_unwind()
            .await;
        let ended = carried.unwrap_or_else(|_| {
            tracing::error!(request_id = %transit.request_id, "panic while a message was forwarded");
            let ids = transit.message.label.known_ids();
            Err(Rejection::new(Failure::Content, ids))
        });
        match ended {
            Ok(end) => self.ended(&transit, end),
            Err(rejection) => self.failed(transit, &rejection).await,
        }
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
            if receivers.len() > 1 {
                return Ok(self.split(transit, receivers));
            }
            let receiver = receivers.pop().ok_or_else(|| reject(Failure::NoReceiver))?;
            Self::address(transit, receiver);
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

    fn ended(&self, transit: &Transit, end: TransferEnd) {
        let label = &transit.message.label;
        self.context.tally.count_transfer(end);
        let states: &[State] = match end {
            TransferEnd::Pushed => &[State::Sent],
            TransferEnd::Outbox => &[State::Received],
            TransferEnd::Split => &[State::OneToMany],
            // Received by this node itself, which needs no mailbox to take it from.
            _ => &[State::Received, State::Fetched],
        };
        for state in states {
            self.context.transfers.set_state(&label.tx_id, *state);
        }
        if let Some(way) = end.way() {
            let took = notes::since(transit.arrived);
            let noted = notes::levererat(label, way, transit.attempts, took, transit.request_id);
            self.context.book.note(noted);
        }
        tracing::info!(request_id = %transit.request_id, end = end.as_str(), "message delivered");
    }

    /// Keeps the failure, and tells the sender, unless the message is itself administrative (6.2).
    async fn failed(&self, transit: Transit, rejection: &Rejection) {
        let row = rejection.failure.row();
        let request_id = transit.request_id;
        // Telling a node that is away may take hours. It costs the receiver no room, nor is content kept
        // for it; what counts the message as under way is.
        drop(transit.receiver_place);
        let Message { label, parts } = transit.message;
        drop(parts);
        self.context.observed.count_failed();
        self.context
            .transfers
            .set_state(&label.tx_id, State::Quarantined { code: row.code });
        let place = rejection.failure.place();
        let event = notes::fel(&label, rejection.failure, place, request_id);
        self.context.book.note(event);
        tracing::info!(
            %request_id,
            error_code = row.code.as_str(),
            reason = rejection.failure.class(),
            "message not delivered"
        );
        let administrative = label.sequence_type == SequenceType::Adm;
        let told = !administrative
            && self
                .tell_error(&label, rejection, transit.sender_place)
                .await;
        self.context.tally.count_transfer(if told {
            TransferEnd::Error
        } else {
            TransferEnd::Quarantined
        });
    }

    /// Sends an error message about a message to its sender; true when it was delivered.
    pub(super) async fn tell_error(
        &self,
        label: &Label,
        rejection: &Rejection,
        place: Option<Place>,
    ) -> bool {
        let row = rejection.failure.row();
        let own = &self.context.rules.own;
        let appinfo = self.appinfo(label, rejection);
        let info = rejection.to_string();
        let message = Message::error_about(label, own, row.code, &info, appinfo, Utc::now());
        self.send_administrative(message, label, place).await
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
    pub(super) async fn expired(&self, expired: Expired) {
        let label = &*expired.label;
        self.context
            .book
            .note(notes::gallrat(label, expired.lay_for));
        self.context.tally.count_transfer(TransferEnd::Expired);
        if expired.fetched || label.sequence_type == SequenceType::Adm {
            return;
        }
        let rejection = Rejection::new(Failure::NotFetched, label.known_ids());
        let code = rejection.failure.row().code;
        self.context
            .transfers
            .set_state(&label.tx_id, State::Quarantined { code });
        self.tell_error(label, &rejection, None).await;
    }

    /// A message was acknowledged: its sender gets a confirmation when that is agreed on (7.10).
    pub(super) async fn acknowledged(&self, kvitterat: Kvitterat) {
        let label = &*kvitterat.label;
        self.context.book.note(notes::kvitterat(label));
        self.context
            .transfers
            .set_state(&label.tx_id, State::Fetched);
        self.context.transfers.acknowledge(&label.tx_id);
        let wanted = kvitterat.confirm || self.context.settings.confirm_always;
        if wanted && label.sequence_type != SequenceType::Adm {
            self.confirm(label, None).await;
        }
    }

    /// Sends a confirmation about a message to its sender.
    pub(super) async fn confirm(&self, label: &Label, place: Option<Place>) {
        let own = &self.context.rules.own;
        let message = Message::confirmation_of(label, own, Utc::now());
        if self.send_administrative(message, label, place).await {
            let event = notes::bekraftelse(label, Direction::Skickad, Uuid::nil());
            self.context.book.note(event);
        }
    }
}
