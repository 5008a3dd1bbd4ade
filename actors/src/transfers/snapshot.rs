//! What can be seen of the register: lines for the admin page and counts for the metrics.

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use serde::Serialize;
use shs_schemas::ids::{LocalId, TxId};

use super::{Known, Transfer, TransferState, Transfers, lock};
use crate::ledger::Ids;

/// Most lines of a snapshot.
pub const SNAPSHOT_MAX: usize = 1000;

/// One message, without content. Identifiers that are no UUIDs are not shown: they may be anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransferLine {
    /// Its identifiers.
    #[serde(flatten)]
    pub ids: Ids,
    /// The node's own key of it.
    pub local_id: String,
    /// When it came.
    pub arrived: DateTime<Utc>,
    /// Sender.
    pub from: String,
    /// Receiver; none when it is addressed by product.
    pub to: Option<String>,
    /// Product.
    pub product: String,
    /// Its place in a conversation.
    pub sequence_type: &'static str,
    /// Its state.
    pub state: TransferState,
    /// Why it is quarantined.
    pub code: Option<&'static str>,
    /// Whether its receiver acknowledged it.
    pub acknowledged: bool,
}

impl TransferLine {
    fn of(tx_id: &TxId, transfer: &Transfer) -> Self {
        let about = &transfer.about;
        let code = match transfer.state {
            TransferState::Quarantined { code } => Some(code.as_str()),
            _ => None,
        };
        Self {
            ids: Ids::new(Some(tx_id), Some(&about.corr_id), Some(&about.content_id)),
            local_id: LocalId::as_str(&transfer.local_id).to_owned(),
            arrived: transfer.arrived,
            from: about.from.to_string(),
            to: about.to.as_ref().map(ToString::to_string),
            product: about.product.to_string(),
            sequence_type: about.sequence_type.as_str(),
            state: transfer.state,
            code,
            acknowledged: transfer.acknowledged,
        }
    }
}

/// Counts for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransfersCounted {
    /// Messages in each state, in the order of [`TransferState::WORDS`].
    pub states: [usize; TransferState::COUNT],
    /// Forgotten because they were old.
    pub forgotten_by_age: u64,
    /// Forgotten because there were too many.
    pub forgotten_by_number: u64,
    /// Changes of state that were refused.
    pub refused: u64,
    /// Messages that errors and confirmations no longer lead to: too many share their identifiers.
    pub unled: u64,
}

impl TransfersCounted {
    /// Messages in this state; a code does not matter.
    #[must_use]
    pub const fn in_state(&self, state: TransferState) -> usize {
        self.states[state.index()]
    }
}

impl Transfers {
    /// The newest messages, newest first, at most `limit` and [`SNAPSHOT_MAX`] of them.
    #[must_use]
    pub fn snapshot(&self, limit: usize) -> Vec<TransferLine> {
        self.forget_old();
        let limit = limit.min(SNAPSHOT_MAX);
        let mut newest: Vec<(u64, TxId)> = Vec::new();
        for shard in &self.0.shards {
            let shard = lock(shard);
            let of_shard = shard.order.iter().rev().take(limit);
            newest.extend(of_shard.map(|one| (one.serial, one.tx_id.clone())));
        }
        newest.sort_unstable_by_key(|(serial, _)| std::cmp::Reverse(*serial));
        newest.truncate(limit);
        let line = |(_, tx_id): (u64, TxId)| match self.shard(&tx_id).known.get(&tx_id) {
            Some(Known::Accepted(transfer)) => Some(TransferLine::of(&tx_id, transfer)),
            _ => None,
        };
        newest.into_iter().filter_map(line).collect()
    }

    /// How many there are of each state, and what was forgotten or refused.
    #[must_use]
    pub fn counts(&self) -> TransfersCounted {
        self.forget_old();
        let register = &self.0;
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        TransfersCounted {
            states: std::array::from_fn(|place| register.states[place].load(Ordering::Relaxed)),
            forgotten_by_age: read(&register.forgotten_by_age),
            forgotten_by_number: read(&register.forgotten_by_number),
            refused: read(&register.refused),
            unled: read(&register.unled),
        }
    }
}
