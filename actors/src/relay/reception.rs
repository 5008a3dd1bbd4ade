//! [`Reception`]: taking an asynchronous message over, up to the answer 202 (shs-1.2, 7.2, steps 7 to
//! 10). After it the message is this node's to deliver, so everything that delivery or its failure
//! needs is held before: room in mailboxes, and the note on disk.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use shs_schemas::ids::{LocalId, TxId};
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::{Actor, Label, Message, Organisationsnummer};
use tokio::time::Instant;
use uuid::Uuid;

use super::board::Board;
use super::entrusted::{Entrusted, Salvage};
use super::transit::{Crowded, Passenger, Transit};
use super::{Relay, notes};
use crate::caller::Caller;
use crate::failure::Failure;
use crate::ingress::examination::Examined;
use crate::ingress::rules::Rules;
use crate::ledger::LedgerBook;
use crate::ledger::event::{Avbrott, Event};
use crate::mailbox::{Mailbox, Undelivered};
use crate::outbox::{NoPlace, Outboxes, Place};
use crate::reply::Receipt;
use crate::transfers::{About, Claim, Claimed, Decided, Transfers};

/// Room for an error message: about three times what one with usual names takes.
const ERROR_BYTES: usize = 8 * 1024;

/// Where asynchronous messages are taken over; every HTTP worker uses the same.
pub struct Reception {
    rules: Arc<Rules>,
    outboxes: Arc<Outboxes>,
    transfers: Arc<Transfers>,
    book: LedgerBook,
    board: Arc<Board>,
    relay: Mailbox<Relay>,
    salvage: Arc<Salvage>,
}

/// A note that a message was taken over, and the duty to say so when it was not: the note may be on disk
/// although its wait was over, or who waited for it fell.
struct Promise {
    book: LedgerBook,
    refused: Option<Event>,
}

impl Promise {
    fn kept(mut self) {
        self.refused = None;
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(refused) = self.refused.take() {
            self.book.note(refused);
        }
    }
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
        board: Arc<Board>,
        relay: Mailbox<Relay>,
        salvage: Arc<Salvage>,
    ) -> Self {
        Self {
            rules,
            outboxes,
            transfers,
            book,
            board,
            relay,
            salvage,
        }
    }

    /// Takes a message of this caller over, or finds that it had been before.
    ///
    /// # Errors
    /// When there is no room for it, or it cannot be noted; then it is not known here.
    pub async fn take_over(
        &self,
        examined: Examined,
        caller: Caller,
        request_id: Uuid,
    ) -> Result<Receipt, Failure> {
        let since = Instant::now();
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
        let received = examined.bytes_received;
        let held = self.hold(&examined.message, &examined.sender, bytes, received)?;
        let local_id = LocalId::fresh();
        let arrived = Utc::now();
        let mut message = examined.message;
        let node = self.rules.node_id.clone();
        message.label.received(node, local_id.clone(), arrived);
        let promise = self.note(&message, bytes, request_id).await?;
        let tx_id = message.label.tx_id.clone();
        let transit = Transit {
            may_leave: caller.is_internal() || self.rules.is_local(&examined.sender),
            caller,
            message,
            sender: examined.sender,
            request_id,
            arrived,
            since,
            sender_place: held.sender_place,
            receiver_place: held.receiver_place,
            passenger: held.passenger,
            attempts: 1,
        };
        // Known before it is under way: its state is set from there on.
        claimed.accept(arrived, local_id.clone());
        let entrusted = Entrusted::new(transit, &self.salvage);
        if let Err(undelivered) = self.relay.deliver(entrusted) {
            // Refused after all: not known here, so that it is no duplicate when it comes again.
            let full = matches!(undelivered, Undelivered::Full(_));
            drop(undelivered.into_message().release());
            self.transfers.retract(&tx_id);
            return Err(if full {
                Failure::TransfersFull
            } else {
                Failure::Draining
            });
        }
        promise.kept();
        Ok(Receipt {
            ids,
            local_id: Some(local_id),
            arrived,
        })
    }

    /// Has it noted that the message was taken over, on disk.
    async fn note(
        &self,
        message: &Message,
        bytes: usize,
        request_id: Uuid,
    ) -> Result<Promise, Failure> {
        let event = notes::mottaget(message, bytes, request_id).ok_or(Failure::SenderMissing)?;
        let noting = self.book.note_durably(event);
        let refused = notes::avbrutet(&message.label, Avbrott::EjAntecknat, request_id);
        let promise = Promise {
            book: self.book.clone(),
            refused: Some(refused),
        };
        let noted = noting.await;
        self.board.noted(noted.is_ok());
        noted.map(|()| promise).map_err(|_| Failure::NotNoted)
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

    /// Under way a message takes what was received, around its parts as well; in a mailbox it is written
    /// anew.
    fn hold(
        &self,
        message: &Message,
        sender: &Organisationsnummer,
        bytes: usize,
        received: usize,
    ) -> Result<Held, Failure> {
        let passenger = self.board.underway().enter(sender, received.max(bytes))?;
        let administrative = message.label.sequence_type == SequenceType::Adm;
        let from = message.label.from.as_ref().filter(|_| !administrative);
        let sender_place = from.map(|from| self.place_for_the_sender(from, &message.label));
        let to = message.label.to.as_ref();
        let to = to.filter(|_| !self.rules.is_for_a_service(&message.label));
        let receiver_place = to.map(|to| self.outboxes.reserve_for(&to.address, bytes));
        Ok(Held {
            passenger,
            sender_place: place(sender_place)?,
            receiver_place: place(receiver_place)?,
        })
    }

    /// Room for what the sender is told: the reply, when a service of this node may answer, else at most
    /// an error, so that files on their way to a slow node do not take up their sender's mailbox.
    fn place_for_the_sender(&self, from: &Actor, label: &Label) -> Result<Place, NoPlace> {
        let to = label.to.as_ref().map(|to| to.address.organisation());
        let may_be_answered = self.rules.has_service(label.product.produkt)
            && to.is_none_or(|to| self.rules.is_own(to));
        if may_be_answered {
            self.outboxes.reserve(&from.address)
        } else {
            self.outboxes.reserve_for(&from.address, ERROR_BYTES)
        }
    }
}

impl From<Crowded> for Failure {
    fn from(crowded: Crowded) -> Self {
        match crowded {
            Crowded::Node => Self::TransfersFull,
            Crowded::Sender => Self::SenderOverload,
        }
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
