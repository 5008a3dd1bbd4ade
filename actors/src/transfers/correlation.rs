//! Which messages an error or a confirmation is about: by `corr.id` and `content.id` of its
//! management document, never by those of its label (shs-1.2, 7.8 and 7.9).

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use shs_schemas::ids::{ContentId, CorrId, TxId};

/// Most messages that one `corr.id` and `content.id` lead to: the copies of a one-to-many. Beyond
/// it the oldest is no longer led to, so that nobody can make one error message cost a long search.
pub const COPIES_MAX: usize = 1024;

type Key = (CorrId, ContentId);
/// Which acceptance of which message, oldest first.
type Copies = VecDeque<(u64, TxId)>;

/// The index. It leads to every message that is remembered, and perhaps for an instant to one that
/// was just forgotten.
#[derive(Debug)]
pub(super) struct Correlation {
    shards: Box<[Mutex<HashMap<Key, Copies>>]>,
    hasher: RandomState,
}

impl Correlation {
    pub(super) fn new(shards: usize) -> Self {
        Self {
            shards: (0..shards).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "any bits of a hash will do"
    )]
    fn shard(&self, key: &Key) -> MutexGuard<'_, HashMap<Key, Copies>> {
        let place = self.hasher.hash_one(key) as usize % self.shards.len();
        self.shards[place]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an acceptance. Returns true when the oldest of its key had to give way.
    pub(super) fn add(&self, key: Key, serial: u64, tx_id: TxId) -> bool {
        let mut shard = self.shard(&key);
        let copies = shard.entry(key).or_default();
        copies.push_back((serial, tx_id));
        let over = copies.len() > COPIES_MAX;
        if over {
            copies.pop_front();
        }
        over
    }

    /// Removes an acceptance, and nothing else that came since under the same names.
    pub(super) fn remove(&self, key: &Key, serial: u64) {
        let mut shard = self.shard(key);
        let Some(copies) = shard.get_mut(key) else {
            return;
        };
        if let Some(place) = copies.iter().position(|(known, _)| *known == serial) {
            copies.remove(place);
        }
        if copies.is_empty() {
            shard.remove(key);
        }
    }

    /// The messages of this key, oldest first.
    pub(super) fn of(&self, key: &Key) -> Vec<TxId> {
        let shard = self.shard(key);
        let copies = shard.get(key).into_iter().flatten();
        copies.map(|(_, tx_id)| tx_id.clone()).collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let shards = self.shards.iter().map(|shard| shard.lock().unwrap());
        shards
            .map(|shard| shard.values().map(VecDeque::len).sum::<usize>())
            .sum()
    }
}
