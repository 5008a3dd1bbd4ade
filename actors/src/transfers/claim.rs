//! A claim to a tx.id: of the copies of one message that arrive at the same time exactly one is
//! taken in, and the others learn what became of it (shs-1.2, 5.3).

use chrono::{DateTime, Utc};
use shs_schemas::ids::{LocalId, TxId};
use tokio::sync::watch;

use super::{About, Transfers};

/// What became of a tx.id that was claimed.
#[derive(Debug)]
#[must_use]
pub enum Claim {
    /// Nobody knew it: take the message in.
    New(Claimed),
    /// Another copy is being taken in at this moment.
    Pending(PendingClaim),
    /// It is known: answer as for the first copy, and do nothing more.
    Duplicate {
        /// When the first copy came.
        arrived: DateTime<Utc>,
    },
}

/// What became of the copy that was first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// It was taken in: this copy is a duplicate.
    Accepted {
        /// When it came.
        arrived: DateTime<Utc>,
    },
    /// It was not: claim again.
    Abandoned,
}

/// The right to take a message in. Dropped unused, the message is forgotten: a resend is new.
#[derive(Debug)]
#[must_use]
pub struct Claimed {
    pub(super) transfers: Transfers,
    pub(super) tx_id: TxId,
    pub(super) about: Option<About>,
    pub(super) decided: watch::Sender<Decided>,
}

impl Claimed {
    /// The message was taken in: from now on every other copy is a duplicate.
    pub fn accept(mut self, arrived: DateTime<Utc>, local_id: LocalId) {
        if let Some(about) = self.about.take() {
            self.transfers.accept(&self.tx_id, about, arrived, local_id);
            self.decided.send_replace(Decided::Accepted { arrived });
        }
    }
}

impl Drop for Claimed {
    /// Whoever waits sees the sender go: [`Decided::Abandoned`].
    fn drop(&mut self) {
        if self.about.is_some() {
            self.transfers.abandon(&self.tx_id);
        }
    }
}

/// A copy behind the one that is being taken in.
#[derive(Debug)]
#[must_use]
pub struct PendingClaim(pub(super) watch::Receiver<Decided>);

impl PendingClaim {
    /// Waits until the copy that was first is taken in or given up. No longer than that one's own
    /// request lives, which its durable note and its deadline bound.
    pub async fn wait(mut self) -> Decided {
        // The first value is `Abandoned`: a sender that is dropped without a word means just that.
        let _ = self.0.changed().await;
        *self.0.borrow()
    }
}
