//! What the ledger says happened, and how a line of it reads.
//!
//! An event cannot hold free text: every field is an identifier, an address, a product, a word of
//! ours or a number (design 8.4; R-083: "values never"). An identifier is somebody else's choice of
//! characters and stands in a line only when it has the form of a UUID; of the others the line
//! says that there was one (`"id":"opak"`), and has it in a form that only the month's key opens. What
//! names people stands there under a pseudonym that takes the same key.

mod avvikelse;
mod avvisat;
mod ids;
mod keyed;
mod livslopp;
mod loften;
mod message;
mod origin;
mod request;
mod upkeep;
mod words;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use shs_schemas::ErrorCode;
use uuid::Uuid;

pub use self::avvikelse::{AvvikelseLine, FaultWord};
pub use self::avvisat::{Anropare, AvvisatLine, Dorr};
pub use self::ids::{Ids, PlainId};
use self::keyed::Keyed;
pub use self::livslopp::{Forra, Klocksteg, Omstart, Startat, Stoppat};
pub use self::loften::{Aterupptaget, Loften};
pub use self::message::{Avbrott, Direction, Gallring, Mottaget, Place, Way};
pub use self::origin::{Origin, Slag};
pub use self::request::{DelsvarLine, Delutfall, FragaLine};
pub use self::upkeep::{Avlast, Command, Filter, GallradDag, Lagat, Resultat, Uppehall};
use self::words::{text, word};
use super::checkpoint::Checkpoint;
use super::keys::MonthKey;
use crate::failure::Source;
use crate::tally::OutcomeClass;

/// Longest line, in bytes: two addresses of 256 with every character escaped, node, identifiers, and
/// three of 256 that are hidden.
pub const LINE_BYTES_MAX: usize = 4096;

/// A time as it stands in a line.
#[must_use]
pub fn stamped(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A time span as it stands in a line, in milliseconds.
pub(crate) fn ms(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub happened: DateTime<Utc>,
    /// The node's own name of the request.
    pub request_id: Uuid,
    /// To which message.
    pub ids: Ids,
    /// What.
    pub what: What,
}

impl Event {
    /// It happens now.
    #[must_use]
    pub fn now(request_id: Uuid, ids: Ids, what: What) -> Self {
        Self {
            happened: Utc::now(),
            request_id,
            ids,
            what,
        }
    }

    /// Writes the event as one object of JSON, without line end, behind what `out` holds. Without a key
    /// of the month it says nothing of people, and of hidden identifiers only that there are some.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which none of its types allows; `out` is as before.
    pub(super) fn write(
        &self,
        node: &str,
        key: Option<&MonthKey>,
        out: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let before = out.len();
        let line = Line {
            time: stamped(self.happened),
            what: &self.what,
            node,
            request_id: self.request_id,
            ids: &self.ids,
            keyed: key.map(|key| Keyed::of(self, key)),
        };
        let written = serde_json::to_writer(&mut *out, &line);
        if written.is_err() {
            out.truncate(before);
        }
        written
    }

    /// Whether a line of it has something that takes a key.
    pub(super) fn is_keyed(&self) -> bool {
        let is_secret = matches!(self.what, What::Fraga(_) | What::Delsvar(_));
        is_secret || self.ids.has_hidden()
    }
}

#[derive(Serialize)]
struct Line<'e> {
    time: String,
    #[serde(flatten)]
    what: &'e What,
    node: &'e str,
    request_id: Uuid,
    #[serde(flatten)]
    ids: &'e Ids,
    #[serde(flatten)]
    keyed: Option<Keyed>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum What {
    /// A message was taken in.
    Mottaget(Mottaget),
    /// A question has its reply, which is on its way.
    Besvarat {
        /// Which kind of reply.
        #[serde(serialize_with = "word")]
        outcome: OutcomeClass,
        /// From receipt to reply, in milliseconds.
        ms: u64,
        /// Size of the reply, in bytes.
        bytes: u64,
    },
    /// A message reached the next one who answers for it.
    Levererat {
        /// What was delivered.
        slag: Slag,
        /// By which way.
        way: Way,
        /// Tries that it took.
        attempts: u32,
        /// From receipt to delivery, of an error or confirmation from its making, in milliseconds.
        ms: u64,
    },
    /// It was replaced by copies, one for each receiver (shs-1.2, 7.4). Each copy has a tx.id and an end of
    /// its own, under the `request_id` of the original: so many ends follow.
    Delat {
        /// How many.
        copies: u32,
    },
    /// It ended in an error.
    Fel {
        /// The code that the sender is told.
        #[serde(serialize_with = "text")]
        code: ErrorCode,
        /// Whose fault.
        #[serde(serialize_with = "word")]
        class: Source,
        /// In which step.
        #[serde(rename = "where")]
        place: Place,
    },
    /// The receiver's system acknowledged it in its mailbox.
    Kvitterat {
        /// What was acknowledged.
        slag: Slag,
    },
    /// A confirmation was sent or received (shs-1.2, 7.10).
    Bekraftelse {
        /// Which of the two.
        direction: Direction,
    },
    /// A message came whose tx.id was known already (shs-1.2, 5.3).
    Duplett,
    /// It ended without reply or error.
    Avbrutet {
        /// Why.
        reason: Avbrott,
    },
    /// Its content was wiped.
    Gallrat {
        /// What was wiped, when it lay in a mailbox.
        #[serde(skip_serializing_if = "Option::is_none")]
        slag: Option<Slag>,
        /// Why now.
        reason: Gallring,
        /// From receipt to wiping, in milliseconds.
        ms: u64,
    },
    /// Something was odd about one authority's answer (design 8.6; R-085). It ends nothing.
    Avvikelse(AvvikelseLine),
    /// A call was refused before anything was taken in.
    Avvisat(AvvisatLine),
    /// A handläggare asked, by a message that was taken in.
    Fraga(FragaLine),
    /// What became of the question to one authority.
    Delsvar(DelsvarLine),
    /// The node started.
    Startat(Startat),
    /// The node was stopped in order.
    Stoppat(Stoppat),
    /// An actor fell, and is started anew if that may be.
    Omstart(Omstart),
    /// The clock was put back.
    Klocksteg(Klocksteg),
    /// The ledger mended what a crash had torn.
    Lagat(Lagat),
    /// A signed statement of how far the ledger reached.
    Kontrollpunkt(Checkpoint),
    /// A day of the ledger was removed.
    #[serde(rename = "gallrad_dag")]
    GallradDag(GallradDag),
    /// The ledger could not write for a while.
    Uppehall(Uppehall),
    /// Somebody read the ledger, or looked whether it is whole.
    Avlast(Avlast),
    /// An earlier life of the node accepted a message that never ended: its sender is told (design 9).
    Aterupptaget(Aterupptaget),
    /// What the node found of such messages when it started.
    Loften(Loften),
}

impl What {
    /// The word of checkpoints.
    pub(super) const KONTROLLPUNKT: &str = "kontrollpunkt";
    /// The word of a node that started.
    pub(super) const STARTAT: &str = "startat";
    /// The word of a node that was stopped in order.
    pub(super) const STOPPAT: &str = "stoppat";
    /// The word of messages that were taken in.
    pub(super) const MOTTAGET: &str = "mottaget";
    /// The word of messages that a new life has taken up.
    pub(super) const ATERUPPTAGET: &str = "aterupptaget";
    /// The word of deliveries.
    pub(super) const LEVERERAT: &str = "levererat";
    /// The word of acknowledgements.
    pub(super) const KVITTERAT: &str = "kvitterat";
    /// The word of messages that were replaced by copies.
    pub(super) const DELAT: &str = "delat";
    /// The word of messages that ended without reply or error.
    pub(super) const AVBRUTET: &str = "avbrutet";
    /// The word of content that was wiped.
    pub(super) const GALLRAT: &str = "gallrat";
    /// The word of mended lines.
    pub(super) const LAGAT: &str = "lagat";
    /// The word of removed days.
    pub(super) const GALLRAD_DAG: &str = "gallrad_dag";
}

#[cfg(test)]
#[path = "event/event_tests.rs"]
mod tests;
