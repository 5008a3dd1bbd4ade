//! Labels made from another label: replies, errors, confirmations (shs-1.2, 7.8).

use chrono::{DateTime, Utc};

use super::{Actor, Content, InnerParty, Label, MessageType, Product, SequenceType, TransferType};
use crate::ids::{ContentId, TxId};
use crate::sensitive::Sensitive;
use crate::shs::time;
use crate::shs::urn::{Produkt, without_prefix};

/// What a node tells about a message with an administrative one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Administrative {
    /// It could not be delivered.
    Error,
    /// It was delivered.
    Confirm,
}

impl Label {
    /// The label of the reply to a request: a synchronous one keeps the `tx.id`, an asynchronous
    /// one has its own; the content is new; parties change places. `own` is the actor of this
    /// node: it signs when the request names no receiver, and lends its name when the request
    /// knows only its number. The `data` elements come with the parts.
    #[must_use]
    pub fn reply(&self, content_id: ContentId, own: &Actor, now: DateTime<Utc>) -> Self {
        let tx_id = match self.transfer_type {
            TransferType::Synch => self.tx_id.clone(),
            TransferType::Asynch => TxId::fresh(),
        };
        let mut label = self.derived(tx_id, content_id, own, now);
        label.sequence_type = SequenceType::Reply;
        label
    }

    /// The label of an error message or confirmation about this message: its `content.id` is that
    /// of the message it is about. An error about a synchronous message can only be the answer to
    /// it, so it is synchronous too and keeps the `tx.id`; a confirmation is always a transfer of
    /// its own.
    #[must_use]
    pub fn administrative(&self, kind: Administrative, own: &Actor, now: DateTime<Utc>) -> Self {
        let transfer_type = match kind {
            Administrative::Error => self.transfer_type,
            Administrative::Confirm => TransferType::Asynch,
        };
        let tx_id = match transfer_type {
            TransferType::Synch => self.tx_id.clone(),
            TransferType::Asynch => TxId::fresh(),
        };
        let mut label = self.derived(tx_id, self.content.id.clone(), own, now);
        label.transfer_type = transfer_type;
        label.sequence_type = SequenceType::Adm;
        label.product = Product::from(match kind {
            Administrative::Error => Produkt::Error,
            Administrative::Confirm => Produkt::Confirm,
        });
        label
    }

    /// What all derived labels have in common.
    fn derived(&self, tx_id: TxId, id: ContentId, own: &Actor, now: DateTime<Utc>) -> Self {
        Self {
            tx_id,
            corr_id: self.corr_id.clone(),
            agreement: self.agreement.clone(),
            transfer_type: self.transfer_type,
            message_type: MessageType::Simple,
            sequence_type: self.sequence_type,
            status: self.status,
            originator: self.end_recipient.clone(),
            from: Some(self.replier(own)),
            to: self
                .from
                .clone()
                .map(receiver)
                .or_else(|| self.originator_actor()),
            end_recipient: self.originator.clone(),
            product: self.product.clone(),
            meta: Vec::new(),
            subject: None,
            datetime: time::swedish(now),
            content: Content {
                id,
                data: Vec::new(),
                compound: false,
                comment: None,
            },
            history: Vec::new(),
        }
    }

    fn replier(&self, own: &Actor) -> Actor {
        let Some(to) = &self.to else {
            return own.clone();
        };
        let mut from = to.clone();
        if from.common_name.is_none() && to.address.organisation() == own.address.organisation() {
            from.common_name.clone_from(&own.common_name);
        }
        from
    }

    /// The originator as receiver, for a request without `from`, when it is an address.
    fn originator_actor(&self) -> Option<Actor> {
        let InnerParty { value, .. } = self.originator.as_ref()?;
        let address = super::Adress::parse(without_prefix(value.expose())).ok()?;
        Some(Actor::new(address, None))
    }
}

/// The old sender as receiver: a `to` carries no more than address and name.
fn receiver(from: Actor) -> Actor {
    Actor::new(from.address, from.common_name)
}

impl InnerParty {
    /// A party inside an actor, without name.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: Sensitive::new(value.into()),
            name: None,
            labeled_uri: None,
        }
    }

    /// The value as it is compared: without prefix (shs-1.2, 10 row 42).
    #[must_use]
    pub fn bare(&self) -> &str {
        without_prefix(self.value.expose())
    }
}
