//! `shs.message-list`: what waits in a mailbox, as the delivery service lists it (shs-1.2, 3.6 and
//! 5.7.2). [`write()`] makes it from labels; [`MessageList::read`] takes it from any node, also the
//! `shs.document-list` of version 1.1 (3.7).

mod read;
mod write;

use chrono::NaiveDateTime;

use super::label::{Data, Label, Meta, SequenceType, Status};
use super::urn::{Adress, Produkt};
use crate::ids::{ContentId, CorrId, TxId};
use crate::sensitive::Sensitive;

pub use read::{LIST_BYTES_MAX, LIST_ELEMENTS_MAX};
pub use write::write;

/// A message that is to be listed.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its label, which tells all but the two others.
    pub label: &'a Label,
    /// `size`: the bytes of the stored message (shs-1.2, 10 row 29).
    pub size: u64,
    /// `timestamp`, in Swedish local time.
    pub timestamp: NaiveDateTime,
}

impl<'a> Entry<'a> {
    /// An entry whose timestamp is the `datetime` of its label, as other nodes have it (shs-1.2,
    /// 10 row 28).
    #[must_use]
    pub const fn of(label: &'a Label, size: u64) -> Self {
        let timestamp = label.datetime;
        Self {
            label,
            size,
            timestamp,
        }
    }
}

/// A list that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageList {
    /// The messages, in the order in which they were listed.
    pub messages: Vec<Listed>,
}

/// A message of a list. What a message is fetched and sorted by was read strictly; of the rest
/// what could be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// `tx.id`: what the message is fetched by.
    pub tx_id: TxId,
    /// `timestamp`, in Swedish local time.
    pub timestamp: Option<NaiveDateTime>,
    /// `corr.id`.
    pub corr_id: Option<CorrId>,
    /// `content.id`; not in version 1.1.
    pub content_id: Option<ContentId>,
    /// `size`, in bytes; some nodes leave it out or write 0.
    pub size: Option<u64>,
    /// `originator`, with or without prefix.
    pub originator: Option<Sensitive<String>>,
    /// `from`.
    pub from: Option<Adress>,
    /// `to`.
    pub to: Option<Adress>,
    /// `end-recipient`, with or without prefix.
    pub end_recipient: Option<Sensitive<String>>,
    /// `product`.
    pub product: Option<Produkt>,
    /// `sequence-type`, which some nodes may leave out.
    pub sequence_type: Option<SequenceType>,
    /// `status`.
    pub status: Status,
    /// `meta`; some nodes never list them.
    pub meta: Vec<Meta>,
    /// `subject`.
    pub subject: Option<Sensitive<String>>,
    /// `data`.
    pub data: Vec<Data>,
}

#[cfg(test)]
mod tests;
