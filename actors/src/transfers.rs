//! The register of transfers: what the node remembers of asynchronous messages, without content. It
//! tells a duplicate from a new message (shs-1.2, 5.3), knows the state of each (7.1), and finds the
//! messages that an error or a confirmation is about (6.3, 7.9, 7.10).
//!
//! Memory only: it dies with the node (design 9). Bounded in time and number; the oldest is forgotten
//! first. It is sharded by tx.id and again by correlation, no two locks are ever held together, and
//! none is held across an await.

mod claim;
mod correlation;
mod snapshot;
mod state;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use shs_schemas::ErrorCode;
use shs_schemas::ids::{ContentId, CorrId, LocalId, TxId};
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::management::Outcome;
use shs_schemas::shs::{Adress, Label, Management, Produkt};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::veil;

pub use self::claim::{Claim, Claimed, Decided, PendingClaim};
pub use self::correlation::COPIES_MAX;
use self::correlation::Correlation;
pub use self::snapshot::{SNAPSHOT_MAX, TransferLine, TransfersCounted};
pub use self::state::TransferState;

/// Most shards.
pub const SHARDS_MAX: usize = 64;

/// Fewest messages that a shard is worth. A register for fewer has one shard and an exact order; in
/// a larger one chance fills a shard when all of them are about nineteen twentieths full.
const SHARD_ENTRIES_MIN: usize = 1024;

/// Messages that are remembered when nothing else is set.
pub const REMEMBERED_MAX: usize = 200_000;

/// Hours for which a message is remembered when nothing else is set.
pub const REMEMBERED_FOR_H: u64 = 24;

/// How much is remembered.
#[derive(Clone, Copy, Debug)]
pub struct TransferSettings {
    /// Most messages.
    pub remembered_max: usize,
    /// For how long from their acceptance.
    pub remembered_for: Duration,
}

impl Default for TransferSettings {
    fn default() -> Self {
        Self {
            remembered_max: REMEMBERED_MAX,
            remembered_for: Duration::from_hours(REMEMBERED_FOR_H),
        }
    }
}

/// What is remembered of a message beside its tx.id. Of identifiers that are no UUIDs only what they can
/// be compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// `corr.id`.
    pub corr_id: CorrId,
    /// `content.id`.
    pub content_id: ContentId,
    /// Sender.
    pub from: Adress,
    /// Receiver; none when it is addressed by product.
    pub to: Option<Adress>,
    /// Product.
    pub product: Produkt,
    /// Its place in a conversation.
    pub sequence_type: SequenceType,
}

impl About {
    /// What a label says; `None` for one without sender.
    #[must_use]
    pub fn of(label: &Label) -> Option<Self> {
        Some(Self {
            corr_id: label.corr_id.clone(),
            content_id: label.content.id.clone(),
            from: label.from.as_ref()?.address.clone(),
            to: label.to.as_ref().map(|to| to.address.clone()),
            product: label.product.produkt,
            sequence_type: label.sequence_type,
        })
    }

    /// The same as it is remembered: whoever chose the identifiers cannot be read out of them.
    fn veiled(self) -> Self {
        Self {
            corr_id: veil::corr_id(&self.corr_id),
            content_id: veil::content_id(&self.content_id),
            ..self
        }
    }
}

/// A message that is remembered, under the name that it is remembered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered(TxId);

#[cfg(test)]
impl PartialEq<TxId> for Remembered {
    fn eq(&self, tx_id: &TxId) -> bool {
        self.0 == veil::tx_id(tx_id)
    }
}

/// What came of a wish to change a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is so now.
    Now,
    /// It was so already.
    Already,
    /// The present state does not allow it; counted.
    Refused,
    /// No such message is remembered.
    Unknown,
}

/// A message that was accepted.
#[derive(Debug)]
struct Transfer {
    serial: u64,
    about: About,
    arrived: DateTime<Utc>,
    local_id: LocalId,
    state: TransferState,
    acknowledged: bool,
}

#[derive(Debug)]
enum Known {
    /// Being taken in.
    Pending(watch::Receiver<Decided>),
    Accepted(Box<Transfer>),
}

/// One acceptance, in the order in which they came.
#[derive(Debug)]
struct Acceptance {
    at: Instant,
    serial: u64,
    tx_id: TxId,
}

#[derive(Debug, Default)]
struct Shard {
    known: HashMap<TxId, Known>,
    /// Every accepted message, and no other.
    order: VecDeque<Acceptance>,
}

impl Shard {
    fn accepted(&mut self, tx_id: &TxId) -> Option<&mut Transfer> {
        match self.known.get_mut(tx_id) {
            Some(Known::Accepted(transfer)) => Some(transfer),
            _ => None,
        }
    }

    /// Forgets the oldest when `is_due` says so.
    fn pop_if(&mut self, is_due: impl FnOnce(&Self, &Acceptance) -> bool) -> Option<Transfer> {
        let due = is_due(self, self.order.front()?);
        let oldest = if due { self.order.pop_front() } else { None }?;
        match self.known.remove(&oldest.tx_id) {
            Some(Known::Accepted(transfer)) => Some(*transfer),
            _ => None,
        }
    }
}

#[derive(Debug)]
struct Register {
    settings: TransferSettings,
    shard_max: usize,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    correlation: Correlation,
    serial: AtomicU64,
    states: [AtomicUsize; TransferState::COUNT],
    forgotten_by_age: AtomicU64,
    forgotten_by_number: AtomicU64,
    refused: AtomicU64,
    unled: AtomicU64,
}

/// The register. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Transfers(Arc<Register>);

#[expect(
    clippy::must_use_candidate,
    reason = "a change that is refused is ignored and counted: who asks need not look"
)]
impl Transfers {
    /// A register that knows nothing yet.
    #[must_use]
    pub fn new(settings: TransferSettings) -> Self {
        let shards = (settings.remembered_max / SHARD_ENTRIES_MIN).clamp(1, SHARDS_MAX);
        Self(Arc::new(Register {
            settings,
            shard_max: (settings.remembered_max / shards).max(1),
            shards: (0..shards).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            correlation: Correlation::new(shards),
            serial: AtomicU64::new(0),
            states: [const { AtomicUsize::new(0) }; TransferState::COUNT],
            forgotten_by_age: AtomicU64::new(0),
            forgotten_by_number: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            unled: AtomicU64::new(0),
        }))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "any bits of a hash will do"
    )]
    fn shard(&self, tx_id: &TxId) -> MutexGuard<'_, Shard> {
        let place = self.0.hasher.hash_one(tx_id) as usize % self.0.shards.len();
        lock(&self.0.shards[place])
    }

    /// Claims a tx.id. Of any number of claims at the same time exactly one is [`Claim::New`]; the
    /// tx.id alone is the key (shs-1.2, 5.3).
    pub fn claim(&self, tx_id: &TxId, about: About) -> Claim {
        let (tx_id, about) = (&veil::tx_id(tx_id), about.veiled());
        let mut shard = self.shard(tx_id);
        let old = self.take_old(&mut shard);
        let claim = match shard.known.entry(tx_id.clone()) {
            Entry::Occupied(known) => match known.get() {
                Known::Pending(decided) => Claim::Pending(PendingClaim(decided.clone())),
                Known::Accepted(transfer) => Claim::Duplicate {
                    arrived: transfer.arrived,
                },
            },
            Entry::Vacant(place) => {
                let (decided, watching) = watch::channel(Decided::Abandoned);
                place.insert(Known::Pending(watching));
                Claim::New(Claimed {
                    transfers: self.clone(),
                    tx_id: tx_id.clone(),
                    about: Some(about),
                    decided,
                })
            }
        };
        drop(shard);
        self.forget(old);
        claim
    }

    /// The claimed message was taken in.
    fn accept(&self, tx_id: &TxId, about: About, arrived: DateTime<Utc>, local_id: LocalId) {
        let serial = self.0.serial.fetch_add(1, Ordering::Relaxed);
        // Before the state is known: once there is a message, an error can find it.
        if let Some(key) = key_of(&about)
            && self.0.correlation.add(key, serial, tx_id.clone())
        {
            self.0.unled.fetch_add(1, Ordering::Relaxed);
        }
        let transfer = Box::new(Transfer {
            serial,
            about,
            arrived,
            local_id,
            state: TransferState::New,
            acknowledged: false,
        });
        let mut shard = self.shard(tx_id);
        self.count(TransferState::New)
            .fetch_add(1, Ordering::Relaxed);
        shard.known.insert(tx_id.clone(), Known::Accepted(transfer));
        shard.order.push_back(Acceptance {
            at: Instant::now(),
            serial,
            tx_id: tx_id.clone(),
        });
        let mut old = self.take_old(&mut shard);
        while let Some(oldest) = shard.pop_if(|shard, _| shard.order.len() > self.0.shard_max) {
            self.0.forgotten_by_number.fetch_add(1, Ordering::Relaxed);
            old.push(oldest);
        }
        drop(shard);
        self.forget(old);
    }

    /// The claimed message was not taken in.
    fn abandon(&self, tx_id: &TxId) {
        self.shard(tx_id).known.remove(tx_id);
    }

    /// Forgets a message that was accepted and then could not be taken in after all: a resend is new.
    pub(crate) fn retract(&self, tx_id: &TxId) {
        let tx_id = &veil::tx_id(tx_id);
        let mut shard = self.shard(tx_id);
        // The newest are last, and this is one of them.
        let place = shard.order.iter().rposition(|one| one.tx_id == *tx_id);
        let Some(place) = place else { return };
        shard.order.remove(place);
        let retracted = match shard.known.remove(tx_id) {
            Some(Known::Accepted(transfer)) => vec![*transfer],
            _ => Vec::new(),
        };
        drop(shard);
        self.forget(retracted);
    }

    /// Takes what has been remembered long enough. Amortised, each message costs one step.
    fn take_old(&self, shard: &mut Shard) -> Vec<Transfer> {
        let (now, remembered_for) = (Instant::now(), self.0.settings.remembered_for);
        let mut old = Vec::new();
        while let Some(oldest) =
            shard.pop_if(|_, oldest| now.duration_since(oldest.at) >= remembered_for)
        {
            self.0.forgotten_by_age.fetch_add(1, Ordering::Relaxed);
            old.push(oldest);
        }
        old
    }

    /// Ends what was taken out of a shard, whose lock is no longer held.
    fn forget(&self, old: Vec<Transfer>) {
        for transfer in old {
            self.count(transfer.state).fetch_sub(1, Ordering::Relaxed);
            if let Some(key) = key_of(&transfer.about) {
                self.0.correlation.remove(&key, transfer.serial);
            }
        }
    }

    /// Forgets everything that has been remembered long enough. Every claim does so in its own
    /// shard, and every reading in all of them; a node without traffic calls it now and then.
    pub fn forget_old(&self) {
        for shard in &self.0.shards {
            let old = self.take_old(&mut lock(shard));
            self.forget(old);
        }
    }

    fn count(&self, state: TransferState) -> &AtomicUsize {
        &self.0.states[state.index()]
    }

    /// Changes the state of a message, if its present one allows it (shs-1.2, 7.1).
    pub fn set_state(&self, tx_id: &TxId, state: TransferState) -> Changed {
        self.change_state(&veil::tx_id(tx_id), state)
    }

    /// The same by the name that is remembered.
    fn change_state(&self, tx_id: &TxId, state: TransferState) -> Changed {
        let mut shard = self.shard(tx_id);
        let Some(transfer) = shard.accepted(tx_id) else {
            return Changed::Unknown;
        };
        if transfer.state == state {
            return Changed::Already;
        }
        if !transfer.state.may_become(state) {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
            return Changed::Refused;
        }
        self.count(transfer.state).fetch_sub(1, Ordering::Relaxed);
        self.count(state).fetch_add(1, Ordering::Relaxed);
        transfer.state = state;
        Changed::Now
    }

    /// Notes the one receiver that a message addressed by product turned out to have: from here on only
    /// that one can confirm it.
    pub fn address(&self, tx_id: &TxId, to: &Adress) {
        let tx_id = &veil::tx_id(tx_id);
        if let Some(transfer) = self.shard(tx_id).accepted(tx_id) {
            transfer.about.to.get_or_insert_with(|| to.clone());
        }
    }

    /// Notes that the receiver acknowledged a message. The first time is the one that a confirmation
    /// is sent for (shs-1.2, 7.10): [`Changed::Now`].
    pub fn acknowledge(&self, tx_id: &TxId) -> Changed {
        self.note_acknowledged(&veil::tx_id(tx_id))
    }

    fn note_acknowledged(&self, tx_id: &TxId) -> Changed {
        let mut shard = self.shard(tx_id);
        let Some(transfer) = shard.accepted(tx_id) else {
            return Changed::Unknown;
        };
        if std::mem::replace(&mut transfer.acknowledged, true) {
            Changed::Already
        } else {
            Changed::Now
        }
    }

    /// State of a message, and whether it is acknowledged.
    #[must_use]
    pub fn state(&self, tx_id: &TxId) -> Option<(TransferState, bool)> {
        self.state_of(&veil::tx_id(tx_id))
    }

    fn state_of(&self, tx_id: &TxId) -> Option<(TransferState, bool)> {
        let mut shard = self.shard(tx_id);
        let transfer = shard.accepted(tx_id)?;
        Some((transfer.state, transfer.acknowledged))
    }

    /// Whether a message of this sender is remembered under this tx.id.
    pub fn is_known_from(&self, tx_id: &TxId, from: &Adress) -> bool {
        let tx_id = &veil::tx_id(tx_id);
        let mut shard = self.shard(tx_id);
        shard
            .accepted(tx_id)
            .is_some_and(|transfer| transfer.about.from == *from)
    }

    /// What is remembered of a message that was found here.
    pub fn about(&self, Remembered(tx_id): &Remembered) -> Option<About> {
        let mut shard = self.shard(tx_id);
        Some(shard.accepted(tx_id)?.about.clone())
    }

    /// Quarantines the messages that an error is about, apart from those that are already
    /// (shs-1.2, 6.3), and names them. A document that is no error changes nothing.
    pub fn correlate_error(&self, about: &Management, parties: Parties<'_>) -> Vec<Remembered> {
        let Outcome::Error { code, .. } = about.outcome else {
            return Vec::new();
        };
        self.correlated(about, parties, Writer::Anyone, |transfers, tx_id| {
            transfers.quarantine(tx_id, code)
        })
    }

    /// Sets acknowledged on the messages that a confirmation is about (shs-1.2, 7.10), and names
    /// those that were not yet. A document that is no confirmation changes nothing.
    pub fn correlate_confirm(&self, about: &Management, parties: Parties<'_>) -> Vec<Remembered> {
        let Outcome::Confirmation = about.outcome else {
            return Vec::new();
        };
        self.correlated(about, parties, Writer::Receiver, |transfers, tx_id| {
            transfers.note_acknowledged(tx_id) == Changed::Now
        })
    }

    fn quarantine(&self, tx_id: &TxId, code: ErrorCode) -> bool {
        let is_already = |state| matches!(state, Some((TransferState::Quarantined { .. }, _)));
        !is_already(self.state_of(tx_id))
            && self.change_state(tx_id, TransferState::Quarantined { code }) == Changed::Now
    }

    /// What a management document is about (shs-1.2, 7.9). One that was replaced by copies is not:
    /// its copies are. Of several copies those whose receiver wrote the document. One that is not
    /// addressed to the sender (7.8) is about nothing of it: else any actor could quietly mark the
    /// messages between two others.
    fn correlated(
        &self,
        about: &Management,
        Parties { from, to }: Parties<'_>,
        writer: Writer,
        change: impl Fn(&Self, &TxId) -> bool,
    ) -> Vec<Remembered> {
        let key = (
            veil::corr_id(&about.corr_id),
            veil::content_id(&about.content_id),
        );
        let mut found: Vec<(TxId, Option<Adress>)> = Vec::new();
        for tx_id in self.0.correlation.of(&key) {
            let mut shard = self.shard(&tx_id);
            let accepted = shard.accepted(&tx_id);
            // The index may be an instant behind: the same tx.id can be another message by now.
            let of_key = |one: &&mut Transfer| key_of(&one.about).as_ref() == Some(&key);
            if let Some(transfer) = accepted.filter(of_key)
                && transfer.state != TransferState::OneToMany
                && to.is_none_or(|to| to.organisation() == transfer.about.from.organisation())
            {
                let to = transfer.about.to.clone();
                drop(shard);
                found.push((tx_id, to));
            }
        }
        let by_receiver = writer == Writer::Receiver || found.len() > 1;
        if let (Some(from), true) = (from, by_receiver) {
            let wrote = |to: &Option<Adress>| {
                let to = to.as_ref().map(Adress::organisation);
                to.is_none_or(|to| to == from.organisation())
            };
            found.retain(|(_, to)| wrote(to));
        }
        let found = found.into_iter().map(|(tx_id, _)| tx_id);
        let changed = found.filter(|tx_id| change(self, tx_id));
        changed.map(Remembered).collect()
    }
}

/// Sender and receiver of an error or a confirmation, by its label; nothing is compared with one that
/// is not given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parties<'a> {
    /// `from`.
    pub from: Option<&'a Adress>,
    /// `to`.
    pub to: Option<&'a Adress>,
}

impl<'a> Parties<'a> {
    /// Those of a label.
    #[must_use]
    pub fn of(label: &'a Label) -> Self {
        Self {
            from: label.from.as_ref().map(|from| &from.address),
            to: label.to.as_ref().map(|to| &to.address),
        }
    }
}

/// Who may write a document about a message that has no copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    /// Errors are also written by nodes on the way.
    Anyone,
    /// Only the receiver knows that it has acknowledged.
    Receiver,
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a message is found by errors and confirmations. They are about none that a node made
/// itself.
fn key_of(about: &About) -> Option<(CorrId, ContentId)> {
    let own = about.sequence_type == SequenceType::Adm;
    (!own).then(|| (about.corr_id.clone(), about.content_id.clone()))
}

#[cfg(test)]
mod tests;
