//! What is said of a message: what it was when it came, which way it went and why it ended.

use serde::Serialize;
use shs_schemas::shs::label::{SequenceType, Status, TransferType};
use shs_schemas::shs::{Adress, Produkt};

use super::words::{text, text_if_any, word};

/// A message as it was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mottaget {
    /// Sender, in full.
    #[serde(serialize_with = "text")]
    pub from: Adress,
    /// Receiver, in full; none when it is addressed by product.
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
    /// Synchronous or not.
    #[serde(serialize_with = "word")]
    pub transfer_type: TransferType,
    /// Its place in a conversation.
    #[serde(serialize_with = "word")]
    pub sequence_type: SequenceType,
    /// Size of the whole message, in bytes.
    pub bytes: u64,
    /// Data parts beside the label.
    pub parts: u32,
}

/// The ways of delivering a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Into a mailbox here.
    Outbox,
    /// To the receiver's node.
    Push,
}

/// The steps in which a message can end in an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Before the HTTP answer.
    Mottagning,
    /// In a check after 202 (shs-1.2, 7.2).
    Kontroll,
    /// While its answer was made.
    Sammanstallning,
    /// On the way to the receiver.
    Leverans,
    /// In the mailbox.
    Hamtning,
    /// The node was started anew while it was open (design 9).
    Omstart,
    /// At another node, which said so (shs-1.2, 6.3).
    #[serde(rename = "annan_nod")]
    AnnanNod,
}

/// Which way a confirmation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Ours, to the sender.
    Skickad,
    /// Another node's, to us.
    Mottagen,
}

/// Why a message ended without reply or error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Avbrott {
    /// The caller hung up.
    AnroparenBorta,
    /// The node went down.
    Nedstangning,
    /// The actor that held it fell.
    AktorFoll,
    /// Its `mottaget` was not confirmed in time: the sender was refused.
    EjAntecknat,
    /// It was left by an earlier life of the node, and its sender sent it again: that one counts.
    Omsand,
    /// It was left by an earlier life of the node, so long ago that its sender is told no more.
    ForGammalt,
    /// It was left by an earlier life of the node, and its tx.id went with the key of its month.
    NyckelBorta,
}

/// Why the content of a message was wiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gallring {
    /// It was answered or delivered.
    Levererat,
    /// The receiver acknowledged it.
    Kvitterat,
    /// It ended in an error, or without a reply.
    Avslutat,
    /// Nobody fetched it in time.
    TidenUte,
    /// It was fetched, and nobody acknowledged it in time.
    EjKvitterat,
}
