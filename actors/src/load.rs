//! Admission: how many requests may be open, in total and per sender. Counters only; nothing that
//! all requests share is locked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use shs_schemas::shs::Organisationsnummer;

use crate::ledger::LedgerHealth;

/// Bounds on open requests.
#[derive(Clone, Copy, Debug)]
pub struct LoadSettings {
    /// Open requests in the whole node.
    pub open_max: usize,
    /// Open requests of one sending organisation.
    pub open_per_sender_max: usize,
    /// Memory that the answers of all open requests may take together, in bytes. The reply that
    /// is compiled from them comes on top.
    pub answers_bytes_max: usize,
}

impl Default for LoadSettings {
    fn default() -> Self {
        Self {
            open_max: 3_000,
            open_per_sender_max: 400,
            answers_bytes_max: 512 * 1024 * 1024,
        }
    }
}

/// Why a request is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overload {
    /// The node has as many open requests as it may.
    Node,
    /// This sender has.
    Sender,
    /// The node is shutting down.
    Draining,
    /// The ledger cannot write, and what cannot be noted may not happen.
    NotNoted,
}

/// Open requests, counted.
#[derive(Debug)]
pub struct Load {
    settings: LoadSettings,
    open: Arc<AtomicUsize>,
    per_sender: HashMap<Organisationsnummer, Arc<AtomicUsize>>,
    /// All senders that only the directory knows, together.
    others: Arc<AtomicUsize>,
    draining: AtomicBool,
    ledger: OnceLock<Arc<LedgerHealth>>,
}

impl Load {
    /// Nothing open. The senders are those of the configuration: the table never changes while
    /// requests come, so it needs no lock; senders that only a directory knows share one count.
    pub fn new(
        settings: LoadSettings,
        senders: impl IntoIterator<Item = Organisationsnummer>,
    ) -> Arc<Self> {
        let per_sender = senders.into_iter().map(|s| (s, Arc::default())).collect();
        Arc::new(Self {
            settings,
            open: Arc::default(),
            per_sender,
            others: Arc::default(),
            draining: AtomicBool::new(false),
            ledger: OnceLock::new(),
        })
    }

    /// From now on nothing is taken while this ledger fails.
    pub fn depend_on(&self, ledger: Arc<LedgerHealth>) {
        // A node has one ledger.
        let _ = self.ledger.set(ledger);
    }

    /// Counts one more open request of this sender in.
    ///
    /// # Errors
    /// When there are as many as may be, or the node drains.
    pub fn admit(&self, sender: &Organisationsnummer) -> Result<Admission, Overload> {
        if self.is_draining() {
            return Err(Overload::Draining);
        }
        self.admit_accepted(sender)
    }

    /// The same for a request that was accepted before: a node that drains finishes it.
    ///
    /// # Errors
    /// When there are as many as may be.
    pub fn admit_accepted(&self, sender: &Organisationsnummer) -> Result<Admission, Overload> {
        let node = Count::take(&self.open, self.settings.open_max).ok_or(Overload::Node)?;
        let open = self.per_sender.get(sender).unwrap_or(&self.others);
        let sender =
            Count::take(open, self.settings.open_per_sender_max).ok_or(Overload::Sender)?;
        Ok(Admission {
            _node: node,
            _sender: sender,
        })
    }

    /// Whether the node takes anything at all now: asked before work is done on a message.
    ///
    /// # Errors
    /// When it has as many open requests as it may, drains, or cannot note anything.
    pub fn has_room(&self) -> Result<(), Overload> {
        if self.is_draining() {
            Err(Overload::Draining)
        } else if self.ledger.get().is_some_and(|ledger| ledger.is_failing()) {
            Err(Overload::NotNoted)
        } else if self.open() >= self.settings.open_max {
            Err(Overload::Node)
        } else {
            Ok(())
        }
    }

    /// Open requests.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// From now on nothing is admitted.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// True once [`Self::drain`] was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// One open request; it is counted out when this is dropped.
#[derive(Debug)]
pub struct Admission {
    _node: Count,
    _sender: Count,
}

#[derive(Debug)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn take(counter: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        counter
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| {
                (n < max).then_some(n + 1)
            })
            .ok()
            .map(|_| Self(Arc::clone(counter)))
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_and_each_sender_have_their_own_bound() {
        let settings = LoadSettings {
            open_max: 3,
            open_per_sender_max: 2,
            ..LoadSettings::default()
        };
        let [a, b] = ["2120009994", "2120009986"].map(|n| Organisationsnummer::parse(n).unwrap());
        let load = Load::new(settings, [a.clone(), b.clone()]);
        let held = [load.admit(&a).unwrap(), load.admit(&a).unwrap()];
        assert_eq!(load.admit(&a).unwrap_err(), Overload::Sender);
        let last = load.admit(&b).unwrap();
        assert_eq!(load.admit(&b).unwrap_err(), Overload::Node);
        drop(last);
        assert_eq!(load.open(), 2, "a refused request is not counted");
        drop(held);
        assert_eq!(load.open(), 0);
    }

    #[test]
    fn senders_that_only_the_directory_knows_share_one_bound() {
        let [known, one, other] = ["2120009994", "2120009986", "2120009978"]
            .map(|n| Organisationsnummer::parse(n).unwrap());
        let settings = LoadSettings {
            open_per_sender_max: 1,
            ..LoadSettings::default()
        };
        let load = Load::new(settings, [known.clone()]);
        let _open = load.admit(&one).unwrap();
        assert_eq!(load.admit(&other).unwrap_err(), Overload::Sender);
        assert!(load.admit(&known).is_ok());
    }

    #[test]
    fn a_draining_node_admits_nobody_and_counts_down_what_is_open() {
        let anyone = Organisationsnummer::parse("2120009994").unwrap();
        let load = Load::new(LoadSettings::default(), [anyone.clone()]);
        let open = load.admit(&anyone).unwrap();
        load.drain();
        assert_eq!(load.admit(&anyone).unwrap_err(), Overload::Draining);
        assert_eq!(load.open(), 1);
        let owed = load.admit_accepted(&anyone).unwrap();
        assert_eq!(load.open(), 2, "what was accepted before is finished");
        drop((open, owed));
        assert_eq!(load.open(), 0);
    }
}
