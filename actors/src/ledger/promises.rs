//! Which promises an earlier life of the node left unkept (design 9). 202 promised each sender that its
//! message is delivered or that it is told; what was under way and what lay in mailboxes died with that
//! life, and the ledger is what is left of it.
//!
//! ```text
//!  first open of the day's file ─► Earlier   what stood there before this life wrote anything
//!                                     │
//!                                     ▼      beside the start, off every arbiter
//!                                   Fold     by request_id: taken in, ended
//!                                     │
//!                                     ▼
//!                                  Standing  ─► the relay tells the senders
//! ```
//!
//! | Line | Means |
//! |---|---|
//! | `mottaget`, asynchronous and not `adm` | a promise |
//! | `aterupptaget` | the same promise, taken up by a later life: its sender is told |
//! | `delat` | it is kept when so many copies have an end; the last such line counts |
//! | `levererat` by `push`, `kvitterat`, `gallrat` `ej_kvitterat` | an end, of the message, its reply or its error |
//! | `avbrutet` `ej_antecknat` | it was never promised: the sender was refused |
//! | `avbrutet` `omsand`, `for_gammalt` | nothing more is done about it |
//!
//! All else ends nothing: `levererat` into a mailbox is not enough, for mailboxes die with the node, and
//! `avbrutet` `nedstangning` says that a stop in order left it.

mod earlier;
mod fold;

use std::io;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::shs::label::{Content, Label, MessageType, SequenceType, Status, TransferType};
use shs_schemas::shs::{Actor, Adress, Produkt, time};
use uuid::Uuid;

pub use self::earlier::{Earlier, EarlierPort, Stopped};
use self::fold::Fold;
use super::event::Loften;
use super::keys::KeyFile;
use crate::outbox::OutboxSettings;
use crate::relay::RelaySettings;

/// How far the ledger is read back at least, from its last line. What is still not ended stands there again
/// after each start (`aterupptaget`), so that this is counted anew from every restart.
pub const LOOK_BACK_MIN: Duration = Duration::from_hours(3 * 24);

/// How far the ledger is read back at most: more than the longest settings give.
pub const LOOK_BACK_MAX: Duration = Duration::from_hours(50 * 24);

/// How long after the receipt of a message its sender is still told again, counted to the last line of the
/// earlier life: a node that was down for long tells as well. Never less than it is read back. Who was
/// never told is told.
pub const TOLD_FOR: Duration = Duration::from_hours(14 * 24);

/// Promises that are held at once. Further ones are counted and noted; the next start looks again.
pub const PROMISES_MAX: usize = 100_000;

/// What is added to the longest life of a promise: clocks that differ, a node that was slow.
const MARGIN: Duration = Duration::from_hours(1);

/// How far back the beginning of a promise can lie that was never told: the message and then its error are
/// each tried for so long and lie in a mailbox for so long, and in between the sender may wait to be told.
#[must_use]
pub fn look_back(relay: &RelaySettings, outboxes: &OutboxSettings) -> Duration {
    let once = relay.give_up_after + outboxes.age_max;
    let before = relay.directory_patience + relay.question_patience;
    let between = relay.give_up_after;
    (2 * once + before + between + MARGIN).clamp(LOOK_BACK_MIN, LOOK_BACK_MAX)
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The node's own name of the message.
    pub request_id: Uuid,
    /// Its `tx.id`.
    pub tx_id: TxId,
    /// Its `corr.id`.
    pub corr_id: CorrId,
    /// Its `content.id`.
    pub content_id: ContentId,
    /// Sender.
    pub from: Adress,
    /// Receiver; none when it was addressed by product.
    pub to: Option<Adress>,
    /// Product.
    pub product: Produkt,
    /// Test or production.
    pub status: Status,
    /// Its place in a conversation.
    pub sequence_type: SequenceType,
    /// When it was received.
    pub received: DateTime<Utc>,
}

impl Owed {
    /// As much of its label as an error message about it takes (shs-1.2, 6.2).
    #[must_use]
    pub fn label(&self) -> Label {
        let actor = |address: &Adress| Actor::new(address.clone(), None);
        Label {
            tx_id: self.tx_id.clone(),
            corr_id: self.corr_id.clone(),
            agreement: None,
            transfer_type: TransferType::Asynch,
            message_type: MessageType::Simple,
            sequence_type: self.sequence_type,
            status: self.status,
            originator: None,
            from: Some(actor(&self.from)),
            to: self.to.as_ref().map(actor),
            end_recipient: None,
            product: self.product.into(),
            meta: Vec::new(),
            subject: None,
            datetime: time::swedish(self.received),
            content: Content {
                id: self.content_id.clone(),
                data: Vec::new(),
                compound: false,
                comment: None,
            },
            history: Vec::new(),
        }
    }
}

/// What the earlier lives left.
#[derive(Debug, Default)]
pub struct Standing {
    /// Whose senders are to be told, the oldest first.
    pub owed: Vec<Owed>,
    /// Of which it is too long ago.
    pub too_old: Vec<Uuid>,
    /// Whose tx.id is hidden, and there is no key for it.
    pub key_gone: Vec<Uuid>,
    /// Promises beyond [`PROMISES_MAX`].
    pub beyond: u64,
    /// Lines that could not be read.
    pub damaged: u64,
    /// Lines that were looked at.
    pub lines: u64,
    /// Bytes that were looked at.
    pub bytes: u64,
}

impl Standing {
    /// What is noted of it.
    #[must_use]
    pub fn loften(&self) -> Loften {
        Loften {
            owed: self.owed.len() as u64,
            too_old: self.too_old.len() as u64,
            key_gone: self.key_gone.len() as u64,
            beyond: self.beyond,
            damaged: self.damaged,
        }
    }
}

/// Reads what was promised and not kept. It blocks, for as long as the disk takes.
///
/// # Errors
/// When the files cannot be read, or it was told to stop.
pub fn read(
    earlier: Earlier,
    keys: &KeyFile,
    look_back: Duration,
    stopped: &Stopped,
) -> io::Result<Standing> {
    read_at_most(earlier, keys, look_back, stopped, PROMISES_MAX)
}

fn read_at_most(
    earlier: Earlier,
    keys: &KeyFile,
    look_back: Duration,
    stopped: &Stopped,
    promises_max: usize,
) -> io::Result<Standing> {
    let Some(last) = earlier.last_time() else {
        return Ok(Standing::default());
    };
    // Without keys the rest is told all the same; what is hidden is counted.
    let keys = keys.load().unwrap_or_default();
    let mut fold = Fold::new(keys, promises_max);
    let since = last - TimeDelta::from_std(look_back).unwrap_or(TimeDelta::MAX);
    let bytes = earlier.each_line(since, stopped, |line| fold.take(line))?;
    let told_for = TOLD_FOR.max(look_back);
    let told_since = last - TimeDelta::from_std(told_for).unwrap_or(TimeDelta::MAX);
    Ok(Standing {
        bytes,
        ..fold.standing(told_since)
    })
}

#[cfg(test)]
mod tests;
