//! [`Owner`]: the outboxes of one organisation, under one lock that is held only for looking and
//! noting. Content is dropped after it has been let go.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use shs_schemas::Sensitive;
use shs_schemas::ids::TxId;
use shs_schemas::shs::Adress;
use tokio::time::Instant;

use super::counts::Counts;
use super::entry::Entry;
use super::query::ListQuery;
use super::settled::{Settled, comparable};
use super::{Acknowledged, Expired, Listed, NotThere, OutboxSettings};

/// Messages taken away under the strict rule that can still be acknowledged, for one owner; a further
/// one makes the oldest forgotten. Of these only the label is left.
pub const TAKEN_MAX: usize = 1024;

/// Of the forgotten ones, how many are kept for the next sweep, for one owner: label and origin only. A
/// further one is counted and no more.
pub const FORGOTTEN_MAX: usize = 8192;

/// Messages for which an index is kept however few there are.
const INDEX_KEPT: usize = 1024;

/// The outboxes of one organisation.
#[derive(Debug)]
pub(super) struct Owner {
    settings: OutboxSettings,
    counts: Arc<Counts>,
    contents: Mutex<Contents>,
}

/// What is in them.
#[derive(Debug, Default)]
struct Contents {
    /// By arrival, the oldest first.
    entries: BTreeMap<u64, Entry>,
    /// The same by outbox and comparable `tx.id`.
    by_tx_id: HashMap<(Adress, TxId), Vec<u64>>,
    /// Those whose content was taken away.
    taken: BTreeSet<u64>,
    /// Those of them that were forgotten since the last sweep.
    forgotten: Vec<Expired>,
    settled: Settled,
    places: usize,
    places_bytes: usize,
    bytes: usize,
    arrivals: u64,
    transfers: u64,
}

impl Owner {
    pub(super) fn new(settings: &OutboxSettings, counts: &Arc<Counts>) -> Arc<Self> {
        Arc::new(Self {
            settings: settings.clone(),
            counts: Arc::clone(counts),
            contents: Mutex::default(),
        })
    }

    /// Claims a place with so many bytes; false when there is none.
    pub(super) fn claim(&self, bytes: usize) -> bool {
        let mut contents = self.contents();
        let messages = contents.entries.len() - contents.taken.len() + contents.places;
        let sum = (contents.bytes + contents.places_bytes).checked_add(bytes);
        let fits = messages < self.settings.messages_max
            && sum.is_some_and(|sum| sum <= self.settings.bytes_max);
        if fits {
            contents.places += 1;
            contents.places_bytes += bytes;
            self.counts.count_place();
        }
        fits
    }

    pub(super) fn unclaim(&self, bytes: usize) {
        let mut contents = self.contents();
        contents.places -= 1;
        contents.places_bytes -= bytes;
        self.counts.count_place_gone();
    }

    pub(super) fn put(&self, entry: Entry) {
        self.contents().put(entry);
        self.counts.count_put();
    }

    pub(super) fn list(&self, outbox: &Adress, query: &ListQuery) -> Vec<Listed> {
        let found = {
            let now = Instant::now();
            let contents = self.contents();
            let of_outbox = contents
                .entries
                .values()
                .filter(|entry| entry.to == *outbox);
            of_outbox
                .filter(|entry| query.matches(&entry.label, entry.arrived))
                .filter_map(|entry| entry.listed(&self.settings, now))
                .collect()
        };
        query.arrange(found)
    }

    pub(super) fn look(&self, outbox: &Adress, tx_id: &TxId) -> Result<usize, NotThere> {
        let contents = self.contents();
        let (_, entry) = contents.find(outbox, tx_id).ok_or(NotThere)?;
        let message = entry.fetchable(&self.settings, Instant::now());
        message
            .map(|message| message.expose().len())
            .ok_or(NotThere)
    }

    /// Begins a transfer: the message, its arrival number, the number of the transfer.
    pub(super) fn begin(
        &self,
        outbox: &Adress,
        tx_id: &TxId,
    ) -> Result<(Sensitive<Bytes>, u64, u64), NotThere> {
        let now = Instant::now();
        let mut contents = self.contents();
        let (arrival, entry) = contents.find(outbox, tx_id).ok_or(NotThere)?;
        let message = entry
            .fetchable(&self.settings, now)
            .ok_or(NotThere)?
            .clone();
        contents.transfers += 1;
        let transfer = contents.transfers;
        if let Some(entry) = contents.entries.get_mut(&arrival) {
            entry.begin(transfer, now);
        }
        Ok((message, arrival, transfer))
    }

    /// Ends a transfer. The message may be gone by now.
    pub(super) fn end(&self, arrival: u64, transfer: u64, complete: bool) {
        if complete {
            self.counts.count_fetched();
        }
        let mut contents = self.contents();
        let Some(entry) = contents.entries.get_mut(&arrival) else {
            return;
        };
        let taken = entry.end(transfer, complete, &self.settings);
        let Some(message) = taken else {
            return;
        };
        contents.bytes -= message.expose().len();
        contents.taken.insert(arrival);
        let too_many = contents.taken.len() > TAKEN_MAX;
        let oldest = contents.taken.first().copied().filter(|_| too_many);
        if let Some(forgotten) = oldest.and_then(|oldest| contents.remove(oldest)) {
            self.counts.count_expired();
            if contents.forgotten.len() < FORGOTTEN_MAX {
                contents.forgotten.push(Expired::from(&forgotten));
            }
        }
        drop(contents);
        self.counts.count_gone();
        drop(message);
    }

    pub(super) fn acknowledge(
        &self,
        outbox: &Adress,
        tx_id: &TxId,
    ) -> Result<Acknowledged, NotThere> {
        let mut contents = self.contents();
        let now = Instant::now();
        let found = contents
            .find(outbox, tx_id)
            .filter(|(_, entry)| !entry.is_too_old(&self.settings, now))
            .map(|(arrival, _)| arrival);
        let Some(entry) = found.and_then(|arrival| contents.remove(arrival)) else {
            let again = contents.settled.contains(outbox, tx_id);
            return again.then_some(Acknowledged::Again).ok_or(NotThere);
        };
        contents.settled.note(outbox, &entry.label.tx_id);
        drop(contents);
        self.counts.count_acknowledged();
        if entry.message.is_some() {
            self.counts.count_gone();
        }
        Ok(Acknowledged::First {
            label: Arc::clone(&entry.label),
            confirm: entry.confirm,
            origin: entry.origin,
            lay_for: entry.since.elapsed(),
        })
    }

    pub(super) fn expire(&self) -> Vec<Expired> {
        let now = Instant::now();
        let mut old = Vec::new();
        let forgotten = {
            let mut contents = self.contents();
            contents.settled.forget(self.settings.age_max, now);
            while let Some((&arrival, entry)) = contents.entries.first_key_value() {
                if !entry.is_too_old(&self.settings, now) {
                    break;
                }
                old.extend(contents.remove(arrival));
            }
            std::mem::take(&mut contents.forgotten)
        };
        let old = old.iter().map(|entry| self.expired(entry));
        forgotten.into_iter().chain(old).collect()
    }

    fn expired(&self, entry: &Entry) -> Expired {
        self.counts.count_expired();
        if entry.message.is_some() {
            self.counts.count_gone();
        }
        Expired::from(entry)
    }

    /// Nothing is done under the lock that leaves the contents half changed, so a panic there is no
    /// reason to lose them.
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn put(&mut self, entry: Entry) {
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.bytes += entry.bytes();
        self.by_tx_id.entry(key(&entry)).or_default().push(arrival);
        self.entries.insert(arrival, entry);
    }

    /// The message with exactly this `tx.id`, else with the same UUID in another letter case.
    fn find(&self, outbox: &Adress, tx_id: &TxId) -> Option<(u64, &Entry)> {
        let arrivals = self.by_tx_id.get(&(outbox.clone(), comparable(tx_id)))?;
        let entry = |arrival: &u64| Some((*arrival, self.entries.get(arrival)?));
        let exact = arrivals
            .iter()
            .filter_map(entry)
            .find(|(_, entry)| entry.label.tx_id == *tx_id);
        let any = || {
            let settled = self.settled.contains(outbox, tx_id);
            arrivals.first().filter(|_| !settled).and_then(entry)
        };
        exact.or_else(any)
    }

    fn remove(&mut self, arrival: u64) -> Option<Entry> {
        let entry = self.entries.remove(&arrival)?;
        self.bytes -= entry.bytes();
        self.taken.remove(&arrival);
        let key = key(&entry);
        if let Some(arrivals) = self.by_tx_id.get_mut(&key) {
            arrivals.retain(|other| *other != arrival);
            if arrivals.is_empty() {
                self.by_tx_id.remove(&key);
                self.shrink_index();
            }
        }
        Some(entry)
    }

    /// A table does not become smaller by itself. A quarter full it is halved, so that each removal pays
    /// for a few moves only.
    fn shrink_index(&mut self) {
        let (len, capacity) = (self.by_tx_id.len(), self.by_tx_id.capacity());
        if capacity > INDEX_KEPT && len < capacity / 4 {
            self.by_tx_id.shrink_to(capacity / 2);
        }
    }
}

fn key(entry: &Entry) -> (Adress, TxId) {
    (entry.to.clone(), comparable(&entry.label.tx_id))
}

#[cfg(test)]
impl Owner {
    /// What is left: entries, index, taken, claims, bytes, forgotten.
    pub(super) fn leftovers(&self) -> [usize; 7] {
        let contents = self.contents();
        [
            contents.entries.len(),
            contents.by_tx_id.len(),
            contents.taken.len(),
            contents.places,
            contents.places_bytes,
            contents.bytes,
            contents.forgotten.len(),
        ]
    }

    /// Messages that the index has room for.
    pub(super) fn index_capacity(&self) -> usize {
        self.contents().by_tx_id.capacity()
    }

    pub(super) fn remembered(&self) -> usize {
        self.contents().settled.len()
    }
}
