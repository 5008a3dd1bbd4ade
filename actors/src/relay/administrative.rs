//! Error messages and confirmations: those that come are matched with the messages they are about and
//! delivered like any other (shs-1.2, 6.3, 7.9, 7.10); those that this node makes are sent.

use std::rc::Rc;

use chrono::Utc;
use shs_schemas::Sensitive;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::management::Outcome;
use shs_schemas::shs::{Label, Management, Message};
use tokio::time::Instant;

use super::forward::Work;
use super::notes;
use super::push::Freight;
use super::transit::Transit;
use crate::failure::{Failure, Rejection, Source};
use crate::ledger::event::{Direction, Event, Ids, Origin, Place as Step, Way, What};
use crate::outbox::{Place, Stored};
use crate::tally::TransferEnd;
use crate::transfers::{About, Parties};

impl Work {
    /// Acts on a received error or confirmation, and delivers it. One about a reply that a service of
    /// this node made ends here: nobody fetches it.
    pub(super) async fn administrative(
        self: &Rc<Self>,
        transit: &mut Transit,
    ) -> Result<TransferEnd, Rejection> {
        let own = self.correlate(transit);
        let label = &transit.message.label;
        let to = label
            .to
            .as_ref()
            .map(|to| to.address.organisation().clone());
        let to = to.ok_or_else(|| Rejection::new(Failure::NoReceiver, label.known_ids()))?;
        if own && self.context.rules.is_own(&to) {
            return Ok(TransferEnd::Kept);
        }
        // Who sends an error is not checked: it is the receiver of what failed (6.2).
        self.deliver(transit, false).await
    }

    /// Matches it with what is remembered; true when that was a reply of a service of this node.
    fn correlate(&self, transit: &Transit) -> bool {
        let limits = &self.context.rules.message_limits;
        let management = match Management::of(&transit.message, limits) {
            Some(Ok(management)) => management,
            Some(Err(fault)) => {
                tracing::info!(request_id = %transit.request_id, %fault, "administrative message unreadable");
                return false;
            }
            None => return false,
        };
        let parties = Parties::of(&transit.message.label);
        let transfers = &self.context.transfers;
        let about = match &management.outcome {
            Outcome::Confirmation => transfers.correlate_confirm(&management, parties),
            Outcome::Error { .. } => transfers.correlate_error(&management, parties),
        };
        self.context.book.note(received(transit, &management));
        tracing::info!(
            request_id = %transit.request_id,
            product = transit.message.label.product.produkt.name(),
            about = about.len(),
            "administrative message received"
        );
        let mut abouts = about.iter().filter_map(|tx_id| transfers.about(tx_id));
        abouts.any(|about| self.is_of_a_service(&about))
    }

    /// Whether a service of this node made the message. Others of the node's own actor are those of its
    /// systems, which have a mailbox here.
    fn is_of_a_service(&self, about: &About) -> bool {
        let rules = &self.context.rules;
        rules.is_own(about.from.organisation())
            && about.sequence_type == SequenceType::Reply
            && rules.has_service(about.product)
    }

    /// Sends an administrative message of this node's own about `original`; true when it was delivered.
    /// One that cannot be is counted, and that is the end of it (6.2).
    pub(super) async fn send_administrative(
        &self,
        message: &Message,
        original: &Label,
        origin: Origin,
        place: Option<Place>,
    ) -> bool {
        let sent = self.try_administrative(message, original, origin, place);
        let sent = sent.await;
        if let Err(failure) = sent {
            self.administrative_lost(failure);
        }
        sent.is_ok()
    }

    /// An administrative message of this node's own could not be delivered.
    pub(super) fn administrative_lost(&self, failure: Failure) {
        self.context.tally.count_own_lost();
        tracing::warn!(
            reason = failure.class(),
            "administrative message not delivered"
        );
    }

    /// Sends it, and notes that it was delivered.
    pub(super) async fn try_administrative(
        &self,
        message: &Message,
        original: &Label,
        origin: Origin,
        place: Option<Place>,
    ) -> Result<(), Failure> {
        let to = message.label.to.as_ref().ok_or(Failure::NoReceiver)?;
        let to = &to.address;
        let (made, written) = (Instant::now(), message.write());
        let (way, attempts) = if self.context.rules.is_local(to.organisation()) {
            let stored = Stored {
                label: message.label_as_written(),
                message: Sensitive::new(written),
                arrived: Utc::now(),
                confirm: false,
                origin,
            };
            let place = place.filter(|place| place.to() == to);
            let bytes = stored.message.expose().len();
            self.place(to, place, bytes).await?.put(stored);
            (Way::Outbox, 1)
        } else {
            let product = Some(original.product.produkt);
            let freight = Freight::Written(Sensitive::new(written));
            let pushed = self.push(&message.label, freight, product).await;
            (Way::Push, pushed.map_err(|rejection| rejection.failure)?)
        };
        let took = made.elapsed();
        let noted = notes::levererat(&message.label, origin, way, attempts, took);
        self.context.book.note(noted);
        Ok(())
    }
}

/// What the ledger notes of a received error or confirmation.
fn received(transit: &Transit, management: &Management) -> Event {
    let what = match &management.outcome {
        Outcome::Confirmation => What::Bekraftelse {
            direction: Direction::Mottagen,
        },
        Outcome::Error { code, .. } => What::Fel {
            code: *code,
            class: Source::NextNode,
            place: Step::AnnanNod,
        },
    };
    Event::now(transit.request_id, Ids::from(&transit.message.label), what)
}
