//! The label, `shs.label`: the envelope of every message (shs-1.2, 3.2).
//!
//! [`Label::read`] takes what the installed base sends (2.13), also version 1.1 (3.7);
//! [`Label::write`] gives what every node understands: valid against the DTD, ASCII only, in the
//! 4,096 bytes that some receivers look at (2.11).

mod derive;
mod keyword;
mod read;
mod relay;
mod write;

use chrono::NaiveDateTime;

use crate::ids::{AgreementId, ContentId, CorrId, LocalId, NodeId, TxId};
use crate::sensitive::Sensitive;
use crate::shs::urn::{Adress, Produkt};

pub use derive::Administrative;
pub use keyword::{MessageType, SequenceType, Status, TransferType};
pub(in crate::shs) use read::{data_element, meta};
pub use write::LABEL_BYTES_SAFE;
pub(in crate::shs) use write::{data_elements, meta_elements};

/// A label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// `tx.id`: this transfer.
    pub tx_id: TxId,
    /// `corr.id`: the conversation.
    pub corr_id: CorrId,
    /// `shs.agreement`: the agreement that alone decides, if one is named (7.5).
    pub agreement: Option<AgreementId>,
    /// `transfer-type`.
    pub transfer_type: TransferType,
    /// `message-type`, in version 1.1 `document-type`.
    pub message_type: MessageType,
    /// `sequence-type`.
    pub sequence_type: SequenceType,
    /// `status`.
    pub status: Status,
    /// `originator`: the inner sender.
    pub originator: Option<InnerParty>,
    /// `from`: the sending actor. Never missing when `originator` is.
    pub from: Option<Actor>,
    /// `to`: the receiving actor; missing means addressing by product (1.5).
    pub to: Option<Actor>,
    /// `end-recipient`: the inner receiver.
    pub end_recipient: Option<InnerParty>,
    /// `product`.
    pub product: Product,
    /// `meta`: free names and values.
    pub meta: Vec<Meta>,
    /// `subject`: free text.
    pub subject: Option<Sensitive<String>>,
    /// `datetime`: when the label was made, in Swedish local time.
    pub datetime: NaiveDateTime,
    /// `content`.
    pub content: Content,
    /// `history`: oldest first.
    pub history: Vec<History>,
}

/// `from` or `to`: an actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub address: Adress,
    /// `commonName`, the actor's name.
    pub common_name: Option<String>,
    /// `e-mail` (of `from` only).
    pub e_mail: Option<Sensitive<String>>,
    /// `labeledURI` (of `from` only).
    pub labeled_uri: Option<String>,
}

impl Actor {
    /// An actor by address and name.
    #[must_use]
    pub const fn new(address: Adress, common_name: Option<String>) -> Self {
        Self {
            address,
            common_name,
            e_mail: None,
            labeled_uri: None,
        }
    }
}

/// `originator` or `end-recipient`: someone inside or behind an actor, perhaps a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerParty {
    /// Free text, often a URN; kept as received (shs-1.2, 10 row 42).
    pub value: Sensitive<String>,
    /// `name`.
    pub name: Option<Sensitive<String>>,
    /// `labeledURI`.
    pub labeled_uri: Option<Sensitive<String>>,
}

/// `product`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Which product type.
    pub produkt: Produkt,
    /// `commonName`, its name.
    pub common_name: Option<String>,
    /// `labeledURI`, its description.
    pub labeled_uri: Option<String>,
}

impl From<Produkt> for Product {
    fn from(produkt: Produkt) -> Self {
        Self {
            produkt,
            common_name: None,
            labeled_uri: None,
        }
    }
}

/// `meta`: a free name with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The name; may occur several times.
    pub name: Sensitive<String>,
    /// The value.
    pub value: Sensitive<String>,
}

/// `content`: what the message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// `content.id`; in version 1.1 the attribute is called `uuid`.
    pub id: ContentId,
    /// `data`: one for each data part, in order.
    pub data: Vec<Data>,
    /// True when there is a `compound` instead.
    pub compound: bool,
    /// `comment`.
    pub comment: Option<Sensitive<String>>,
}

/// `data`: one data part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// `datapartType`: its role in the product; empty in version 1.1.
    pub datapart_type: String,
    /// `filename`, as received: not to be used as a path.
    pub filename: Option<Sensitive<String>>,
    /// `no-of-bytes`: the decoded size; informative and often wrong (2.12).
    pub no_of_bytes: Option<u64>,
    /// `no-of-records`: a count that the product defines.
    pub no_of_records: Option<u64>,
}

/// `history`: one node that had the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// `node.id`.
    pub node_id: NodeId,
    /// `content.id`.
    pub content_id: Option<ContentId>,
    /// `tx.id`.
    pub tx_id: Option<TxId>,
    /// `from`, with or without prefix.
    pub from: Option<String>,
    /// `to`, with or without prefix.
    pub to: Option<String>,
    /// `local.id`.
    pub local_id: Option<LocalId>,
    /// `shs.agreement`.
    pub agreement: Option<AgreementId>,
    /// When, in Swedish local time.
    pub datetime: NaiveDateTime,
    /// What for.
    pub comment: Option<Sensitive<String>>,
}

#[cfg(test)]
mod tests;
