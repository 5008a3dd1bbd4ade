//! [`Settled`]: which messages have been acknowledged, remembered for a while so that repeating it is
//! answered alike (shs-1.2, 5.7.5). Identifiers only, and none that can be read as anything else.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use shs_schemas::ids::TxId;
use shs_schemas::shs::Adress;
use tokio::time::Instant;
use uuid::Uuid;

use crate::veil;

/// Acknowledged messages that are remembered for one owner; a further one makes the oldest forgotten.
pub const SETTLED_MAX: usize = 4096;

/// Acknowledged messages of one owner.
#[derive(Debug, Default)]
pub(super) struct Settled {
    known: HashSet<(Adress, TxId)>,
    order: VecDeque<(Instant, Adress, TxId)>,
}

impl Settled {
    pub(super) fn note(&mut self, outbox: &Adress, tx_id: &TxId) {
        let tx_id = &veil::tx_id(tx_id);
        while self.order.len() >= SETTLED_MAX {
            self.forget_oldest();
        }
        for key in keys(outbox, tx_id) {
            self.known.insert(key);
        }
        let (outbox, tx_id) = (outbox.clone(), tx_id.clone());
        self.order.push_back((Instant::now(), outbox, tx_id));
    }

    pub(super) fn contains(&self, outbox: &Adress, tx_id: &TxId) -> bool {
        let tx_id = veil::tx_id(tx_id);
        keys(outbox, &tx_id).any(|key| self.known.contains(&key))
    }

    /// Forgets what is as old as this.
    pub(super) fn forget(&mut self, age: Duration, now: Instant) {
        let is_old = |at: &Instant| now.duration_since(*at) >= age;
        while self.order.front().is_some_and(|(at, ..)| is_old(at)) {
            self.forget_oldest();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    fn forget_oldest(&mut self) {
        if let Some((_, outbox, tx_id)) = self.order.pop_front() {
            for key in keys(&outbox, &tx_id) {
                self.known.remove(&key);
            }
        }
    }
}

/// The message by its own `tx.id`, and by the form that a UUID is compared in.
fn keys(outbox: &Adress, tx_id: &TxId) -> impl Iterator<Item = (Adress, TxId)> {
    let forms = [tx_id.clone(), comparable(tx_id)];
    let outbox = outbox.clone();
    forms.into_iter().map(move |form| (outbox.clone(), form))
}

/// A UUID in lower case: existing clients write it either way (shs-1.2, 5.7.1). Any other `tx.id` is
/// opaque and stays as it is (10, row 30).
pub(super) fn comparable(tx_id: &TxId) -> TxId {
    let text = tx_id.as_str();
    let is_uuid = text.len() == uuid::fmt::Hyphenated::LENGTH && Uuid::try_parse(text).is_ok();
    if is_uuid && text.bytes().any(|b| b.is_ascii_uppercase()) {
        TxId::parse(&text.to_ascii_lowercase()).unwrap_or_else(|_| tx_id.clone())
    } else {
        tx_id.clone()
    }
}
