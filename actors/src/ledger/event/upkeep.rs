//! What the ledger says about itself: mended lines, checkpoints, days that were removed, times when it
//! could not write, and who has read it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::ledger::chain::Hash;
use crate::ledger::tail::Torn;
use crate::observation::FailureClass;

/// Pieces of lines that a crash left stand before this line, outside the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lagat {
    /// How many.
    pub torn_lines: u64,
    /// Their bytes, with the line ends between them.
    pub torn_bytes: u64,
    /// The SHA-256 of these bytes.
    pub torn_sha256: String,
}

impl From<Torn> for Lagat {
    fn from(torn: Torn) -> Self {
        Self {
            torn_lines: torn.lines,
            torn_bytes: torn.bytes,
            torn_sha256: torn.sha256.to_string(),
        }
    }
}

/// A whole day was removed because its time was over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GallradDag {
    /// Which.
    pub day: NaiveDate,
    /// Lines that it held.
    pub lines: u64,
    /// Number of its last line.
    pub last_seq: u64,
    /// Hash of its last line: what the first line that is left points at.
    pub last_hash: Hash,
}

/// The ledger could not write for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uppehall {
    /// Since when.
    #[serde(serialize_with = "super::words::stamp")]
    pub since: DateTime<Utc>,
    /// Why.
    pub class: FailureClass,
    /// Notes that were lost meanwhile; nobody waited for them.
    pub lost: u64,
}

/// A command on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// `samsvar ledger show`.
    Show,
    /// `samsvar ledger export`.
    Export,
    /// `samsvar ledger verify`.
    Verify,
    /// `samsvar ledger key`.
    Key,
}

/// What a reader filtered by. Never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Beginning of a time.
    From,
    /// End of a time.
    To,
    /// A tx.id.
    TxId,
    /// An event.
    Event,
    /// A sender or receiver.
    Aktor,
    /// An authority.
    Bastjanst,
    /// A handläggare.
    Handlaggare,
    /// A person.
    Person,
    /// A nämnd, whose calls are put together.
    Namnd,
    /// Nothing left out by it: hidden identifiers are shown.
    OpenIds,
}

/// What came of a command on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resultat {
    /// What was asked for was given out.
    Utlamnat,
    /// It was not.
    Nekat,
    /// The ledger was found whole.
    Helt,
    /// It was found changed.
    Andrat,
    /// It could not be read.
    Avbrutet,
}

/// Somebody read the ledger, or tried to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Avlast {
    /// User number of who did.
    pub uid: u32,
    /// User number of whoever became that user by `sudo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo_uid: Option<u32>,
    /// By which command.
    pub command: Command,
    /// By which kinds of filter.
    pub filters: Vec<Filter>,
    /// What came of it; a note that an earlier version left does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Resultat>,
}
