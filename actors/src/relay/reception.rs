//! [`Reception`]: taking an asynchronous message over, up to the answer 202 (shs-1.2, 7.2, steps 7 to
//! 10). After it the message is this node's to deliver, so everything that delivery or its failure
//! needs is held before: room in mailboxes, and the note on disk.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use shs_schemas::ids::{LocalId, TxId};
use shs_schemas::shs::Message;
use shs_schemas::shs::label::SequenceType;
use uuid::Uuid;

use super::transit::{Passenger, Transit, Underway};
use super::{Relay, notes};
use crate::failure::Failure;
use crate::ingress::examination::Examined;
use crate::ingress::rules::Rules;
use crate::ledger::LedgerBook;
use crate::mailbox::Mailbox;
use crate::outbox::{NoPlace, Outboxes, Place};
use crate::reply::Receipt;
use crate::transfers::{About, Claim, Claimed, Decided, Transfers};

/// Where asynchronous messages are taken over; every HTTP worker uses the same.
pub struct Reception {
    rules: Arc<Rules>,
    outboxes: Arc<Outboxes>,
    transfers: Arc<Transfers>,
    book: LedgerBook,
    underway: Arc<Underway>,
    relay: Mailbox<Relay>,
}

/// What is held for a message before it is accepted.
struct Held {
    passenger: Passenger,
    sender_place: Option<Place>,
    receiver_place: Option<Place>,
}

impl Reception {
    /// A reception before this relay.
    #[must_use]
    pub fn new(
        rules: Arc<Rules>,
        outboxes: Arc<Outboxes>,
        transfers: Arc<Transfers>,
        book: LedgerBook,
        underway: Arc<Underway>,
        relay: Mailbox<Relay>,
    ) -> Self {
        Self {
            rules,
            outboxes,
            transfers,
            book,
            underway,
            relay,
        }
    }

    /// Takes a message over, or finds that it had been before. `own_system` says that the caller is on
    /// the internal listener.
    ///
    /// # Errors
    /// When there is no room for it, or it cannot be noted; then it is not known here.
    pub async fn take_over(
        &self,
        examined: Examined,
        own_system: bool,
        request_id: Uuid,
    ) -> Result<Receipt, Failure> {
        let ids = examined.message.label.known_ids();
        let about = About::of(&examined.message.label).ok_or(Failure::SenderMissing)?;
        let claimed = match self.claim(&examined.message.label.tx_id, &about).await {
            Ok(claimed) => claimed,
            Err(arrived) => {
                self.book
                    .note(notes::duplett(&examined.message.label, request_id));
                return Ok(Receipt {
                    ids,
                    local_id: None,
                    arrived,
                });
            }
        };
        let bytes = examined.message.bytes();
        let held = self.hold(&examined.message, bytes)?;
        let local_id = LocalId::fresh();
        let arrived = Utc::now().trunc_subsecs(0);
        let mut message = examined.message;
        let node = self.rules.node_id.clone();
        message.label.received(node, local_id.clone(), arrived);
        let event = notes::mottaget(&message, bytes, request_id);
        let noted = self
            .book
            .note_durably(event.ok_or(Failure::SenderMissing)?)
            .await;
        noted.map_err(|_| Failure::NotNoted)?;
        let transit = Transit {
            may_leave: own_system || self.rules.is_local(&examined.sender),
            message,
            sender: examined.sender,
            request_id,
            arrived,
            sender_place: held.sender_place,
            receiver_place: held.receiver_place,
            passenger: held.passenger,
            attempts: 1,
        };
        // Known before it is under way: its state is set from there on.
        claimed.accept(arrived, local_id.clone());
        if self.relay.deliver(transit).is_err() {
            // The node is going down. The ledger shows a message without an end.
            return Err(Failure::Draining);
        }
        Ok(Receipt {
            ids,
            local_id: Some(local_id),
            arrived,
        })
    }

    /// The right to take the message over, or when the first copy of it arrived.
    async fn claim(&self, tx_id: &TxId, about: &About) -> Result<Claimed, DateTime<Utc>> {
        loop {
            match self.transfers.claim(tx_id, about.clone()) {
                Claim::New(claimed) => return Ok(claimed),
                Claim::Duplicate { arrived } => return Err(arrived),
                // Another copy is being taken over now: its end decides.
                Claim::Pending(pending) => {
                    if let Decided::Accepted { arrived } = pending.wait().await {
                        return Err(arrived);
                    }
                }
            }
        }
    }

    fn hold(&self, message: &Message, bytes: usize) -> Result<Held, Failure> {
        let passenger = self.underway.enter(bytes).ok_or(Failure::TransfersFull)?;
        let administrative = message.label.sequence_type == SequenceType::Adm;
        let from = message.label.from.as_ref().filter(|_| !administrative);
        let sender_place = from.map(|from| self.outboxes.reserve(&from.address));
        let to = message.label.to.as_ref();
        let to = to.filter(|_| !self.rules.is_for_a_service(&message.label));
        let receiver_place = to.map(|to| self.outboxes.reserve_for(&to.address, bytes));
        Ok(Held {
            passenger,
            sender_place: place(sender_place)?,
            receiver_place: place(receiver_place)?,
        })
    }
}

/// An actor without a mailbox here needs no place in it.
fn place(reserved: Option<Result<Place, NoPlace>>) -> Result<Option<Place>, Failure> {
    match reserved {
        None | Some(Err(NoPlace::NotLocal)) => Ok(None),
        Some(Ok(place)) => Ok(Some(place)),
        Some(Err(NoPlace::Full)) => Err(Failure::OutboxFull),
    }
}
