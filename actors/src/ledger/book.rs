//! [`LedgerBook`]: how everybody else notes something.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::ArbiterHandle;
use chrono::Utc;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::event::{Forra, Ids, Startat, What};
use super::folder::{Folder, Storage};
use super::lives;
use super::promises::{Earlier, EarlierPort};
use super::reading::Readings;
use super::writer::Until;
use super::{
    DURABLE_ROOM, Event, Ledger, LedgerContext, LedgerHealth, LedgerSettings, LedgerTally,
    MAILBOX_MAX, NotNoted, Note, Settle, today,
};
use crate::child::RestartPolicy;
use crate::failpoint::Failpoints;
use crate::mailbox::{Mailbox, Undelivered};
use crate::observation::{Kind, Observed};
use crate::supervisor::ChildSpec;

/// Name of the ledger in the tree.
const NAME: &str = "ledger";

/// What stood in the ledger before this life of the node wrote anything.
pub type Before = oneshot::Receiver<io::Result<Earlier>>;

/// The way to the ledger. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LedgerBook {
    mailbox: Mailbox<Ledger>,
    tally: Arc<LedgerTally>,
    wait_max: Duration,
    health: Arc<LedgerHealth>,
    person_pseudonyms: bool,
}

impl LedgerBook {
    /// A ledger in the folder of the settings, whose first note is that the node starts, and the child that
    /// the supervisor is to adopt. The
    /// ledger blocks: `arbiter` should be nobody else's. A folder that cannot be made is told by the
    /// first note, and by the tree. What stood there before comes through the third.
    pub fn open(
        settings: LedgerSettings,
        policy: RestartPolicy,
        arbiter: ArbiterHandle,
        failpoints: Failpoints,
    ) -> (Self, ChildSpec, Before) {
        let readings = Readings::of(&settings.folder);
        let (port, before) = EarlierPort::new(&settings.folder);
        let folder = Folder::at(settings.folder);
        if let Err(error) = folder.prepare() {
            tracing::error!(%error, "the folder of the ledger cannot be used");
        }
        let forra = lives::last_end(folder.path()).unwrap_or_else(|error| {
            tracing::error!(%error, "how the last life ended cannot be read from the ledger");
            Forra::Avbruten
        });
        let (mailbox, tally) = (mailbox(), Arc::default());
        let health: Arc<LedgerHealth> = Arc::default();
        let context = LedgerContext {
            node_id: settings.node_id,
            group_max: settings.group_max,
            storage: Arc::new(folder) as Arc<dyn Storage>,
            custody: Some(settings.custody),
            readings: Some(readings),
            earlier: Some(Arc::new(port)),
            today: Arc::new(today),
            now: Arc::new(Utc::now),
            health: Arc::clone(&health),
            tally: Arc::clone(&tally),
            observed: Arc::clone(mailbox.observed()),
            failpoints,
        };
        let spec = ChildSpec::new(mailbox.clone(), policy, arbiter, move || {
            Ledger::new(context.clone())
        });
        let book = Self {
            health,
            person_pseudonyms: settings.person_pseudonyms,
            ..Self::over(mailbox, tally, settings.wait_max)
        };
        let version = env!("CARGO_PKG_VERSION");
        let startat = What::Startat(Startat { version, forra });
        book.note(Event::now(Uuid::nil(), Ids::default(), startat));
        (book, spec, before)
    }

    /// A book over a mailbox that somebody else attends.
    #[must_use]
    pub fn over(mailbox: Mailbox<Ledger>, tally: Arc<LedgerTally>, wait_max: Duration) -> Self {
        Self {
            mailbox,
            tally,
            wait_max,
            health: Arc::default(),
            person_pseudonyms: false,
        }
    }

    /// Whether the ledger can write.
    #[must_use]
    pub fn health(&self) -> &Arc<LedgerHealth> {
        &self.health
    }

    /// Whether persons asked about are noted, under a pseudonym.
    #[must_use]
    pub const fn has_person_pseudonyms(&self) -> bool {
        self.person_pseudonyms
    }

    /// Notes an event, and never waits. One that the ledger cannot take is counted as lost
    /// ([`super::LedgerCounted::lost`]).
    pub fn note(&self, event: Event) {
        let note = Note {
            event,
            durable: None,
        };
        let room = MAILBOX_MAX - DURABLE_ROOM;
        if let Err(undelivered) = self.mailbox.deliver_below(room, note) {
            LedgerTally::count(&self.tally.lost, 1);
            let event = undelivered.into_message().event;
            tracing::warn!(request_id = %event.request_id, "event lost: the ledger takes no more");
        }
    }

    /// Notes these in their order, as [`Self::note`] does.
    pub fn note_all(&self, events: impl IntoIterator<Item = Event>) {
        events.into_iter().for_each(|event| self.note(event));
    }

    /// Notes an event; the future ends when it is on disk, at the latest after the set wait. The
    /// event is on its way when this returns, whether or not the future is awaited.
    ///
    /// # Errors
    /// The future says [`NotNoted`] when the note cannot be relied on; it may have reached the disk
    /// all the same.
    pub fn note_durably(
        &self,
        event: Event,
    ) -> impl Future<Output = Result<(), NotNoted>> + Send + use<> {
        let (durable, answer) = oneshot::channel();
        let note = Note {
            event,
            durable: Some(durable),
        };
        let delivered = self.mailbox.deliver(note).map_err(|undelivered| {
            if let Undelivered::Full(_) = undelivered {
                NotNoted::Full
            } else {
                NotNoted::Down
            }
        });
        let (tally, wait_max) = (Arc::clone(&self.tally), self.wait_max);
        async move {
            let result = match delivered {
                Ok(()) => within(wait_max, answer).await,
                Err(not_noted) => Err(not_noted),
            };
            if result.is_err() {
                LedgerTally::count(&tally.not_noted, 1);
            }
            result
        }
    }

    /// Ends when everything noted so far is on disk or has failed, at the latest after the set wait,
    /// and at once while there is no ledger. For a node that stops in order.
    pub fn settled(&self) -> impl Future<Output = ()> + Send + use<> {
        self.settle(Until::Synced)
    }

    /// The same, with a checkpoint behind it.
    pub fn stated(&self) -> impl Future<Output = ()> + Send + use<> {
        self.settle(Until::Stated)
    }

    fn settle(&self, until: Until) -> impl Future<Output = ()> + Send + use<> {
        let (settle, answer) = oneshot::channel();
        // Past the bound of the mailbox: a full one is when it matters. Where nobody is there to be
        // told, the channel is dropped, and nothing is waited for.
        self.mailbox.tell(Settle {
            answer: settle,
            until,
        });
        let wait_max = self.wait_max;
        async move {
            let _ = tokio::time::timeout(wait_max, answer).await;
        }
    }

    /// What has been counted.
    #[must_use]
    pub fn tally(&self) -> &Arc<LedgerTally> {
        &self.tally
    }
}

async fn within(
    wait_max: Duration,
    answer: oneshot::Receiver<Result<(), NotNoted>>,
) -> Result<(), NotNoted> {
    match tokio::time::timeout(wait_max, answer).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(NotNoted::Down),
        Err(_) => Err(NotNoted::Late),
    }
}

/// The mailbox of a ledger.
pub(super) fn mailbox() -> Mailbox<Ledger> {
    Mailbox::new(Observed::new(NAME, Kind::Ledger), MAILBOX_MAX)
}
