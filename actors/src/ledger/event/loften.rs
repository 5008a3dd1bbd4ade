//! What a node that starts notes of the promises of the life before it (design 9).

use chrono::{DateTime, Utc};
use serde::Serialize;
use shs_schemas::shs::label::{SequenceType, Status};
use shs_schemas::shs::{Adress, Produkt};

use super::words::{text, text_if_any, word};

/// A message of an earlier life that never ended: its sender is about to be told. It has what the
/// telling takes, so that the next start needs no older line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Aterupptaget {
    /// Sender, in full.
    #[serde(serialize_with = "text")]
    pub from: Adress,
    /// Receiver, in full; none when it was addressed by product.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "text_if_any"
    )]
    pub to: Option<Adress>,
    /// Product.
    #[serde(serialize_with = "text")]
    pub product: Produkt,
    /// Test or production.
    #[serde(serialize_with = "word")]
    pub status: Status,
    /// Its place in a conversation.
    #[serde(serialize_with = "word")]
    pub sequence_type: SequenceType,
    /// When it was received.
    #[serde(serialize_with = "super::words::stamp")]
    pub received: DateTime<Utc>,
}

/// What was found when the ledger of the earlier lives was read. Noted only when there was something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Loften {
    /// Messages that never ended, whose senders are told.
    pub owed: u64,
    /// Messages whose sender is not told any more: received too long ago.
    pub too_old: u64,
    /// Messages whose tx.id is hidden, and the key of its month is gone.
    pub key_gone: u64,
    /// Messages beyond what is held at once; some of them may have ended. The next start looks again.
    pub beyond: u64,
    /// Lines that could not be read.
    pub damaged: u64,
}

impl Loften {
    /// Whether there is anything to note.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
