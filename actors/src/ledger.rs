//! The ledger: an append-only record, without content, of what happened to each message (design 3,
//! 8.4; R-083, R-086). It is what is left when a request is over, and what tells after a crash who
//! was promised an answer (design 9).
//!
//! An asynchronous message is answered 202 only when its `mottaget` is on disk (design 4, step 2), so
//! what an fsync costs bounds what a node takes. Hence groups: notes that come while one fsync runs
//! share the next one. Notes that nobody waits for are written at once and come to disk with the next
//! fsync, within [`SYNC_EVERY`]. The actor has an arbiter of its own, because it blocks in write and
//! fsync.
//!
//! ```text
//! note, note_durably ─► Mailbox ─► group ─► one write, one fsync ─► ledger-2026-11-22.jsonl
//!                                                               └─► everyone who waits
//! ```
//!
//! While the disk fails, [`LedgerHealth`] says so at both doors, and the ledger tries once in a while:
//! when it can write again, its first line says how long it could not.
//!
//! Lines are tied together ([`chain`]), so that `verify` finds what was changed, and stated to be there
//! by signed checkpoints ([`checkpoint`]). People stand in it under pseudonyms ([`keys`]).
//!
//! What is promised: a durable note that is answered `Ok` survives loss of power; lines of one sender
//! stand in the order in which it noted them. What is not: a note answered with an error may have
//! reached the disk all the same (an fsync failed behind it, or its wait was over); a note without an
//! answer may be lost with the process, within about the time of one fsync, and with the power within
//! [`SYNC_EVERY`].

pub mod book;
pub mod chain;
pub mod checkpoint;
mod clock;
mod due;
pub mod event;
pub mod folder;
mod group;
mod health;
pub mod journal;
pub mod keys;
mod lives;
mod private;
pub mod promises;
pub mod reading;
mod tail;
mod tally;
pub mod verify;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, WrapFuture};
use chrono::{DateTime, NaiveDate, Utc};
use shs_schemas::ids::NodeId;
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

pub use self::book::LedgerBook;
use self::clock::Clock;
use self::due::Due;
pub use self::event::{Event, Ids, What};
use self::event::{Klocksteg, Uppehall};
use self::folder::Storage;
use self::group::Group;
pub use self::health::LedgerHealth;
pub use self::journal::Journal;
use self::promises::EarlierPort;
use self::reading::Readings;
pub use self::tally::{LedgerCounted, LedgerTally};
pub use self::writer::{CHECKPOINT_EVERY, CHECKPOINT_LINES, Custody};
use self::writer::{Until, Writer, Written};
use crate::failpoint::Failpoints;
use crate::mailbox::Envelope;
use crate::observation::{FailureClass, Observed, State};
use crate::supervisor::Halt;

/// Notes that may wait for the ledger. Beyond it a durable note is refused.
pub const MAILBOX_MAX: usize = 16_384;

/// Of these, room for durable notes alone: a note that nobody waits for is lost before it takes it. So a
/// flood of those makes no asynchronous message be refused.
pub const DURABLE_ROOM: usize = 4_096;

/// Bytes of lines from which a group is written without waiting for more.
pub const GROUP_BYTES_MAX: usize = 256 * 1024;

/// Notes in a group when nothing else is set.
pub const GROUP_MAX: u32 = 1024;

/// How long a durable note waits for the disk when nothing else is set, in milliseconds.
pub const WAIT_MAX_MS: u64 = 2_000;

/// How long lines that nobody waits for may be written and not on disk: what a loss of power may take.
/// One fsync a second costs nothing; one for each group is a tenth of all that a busy node does.
pub const SYNC_EVERY: Duration = Duration::from_secs(1);

/// How long notes gather behind a group that nobody waited for. Otherwise each of the twelve notes of a
/// request would wake the ledger, which took more time than writing them.
pub const GATHER: Duration = Duration::from_millis(2);

/// How often a ledger that cannot write tries again.
pub const PROBE_EVERY: Duration = Duration::from_millis(250);

/// How often the ledger looks for notes of who has read it.
pub const READINGS_EVERY: Duration = Duration::from_secs(5);

/// How a ledger works.
#[derive(Clone, Debug)]
pub struct LedgerSettings {
    /// Folder of its files.
    pub folder: PathBuf,
    /// Name of this node, as it stands in every line.
    pub node_id: NodeId,
    /// Most notes that share a write.
    pub group_max: usize,
    /// Longest wait for a durable note.
    pub wait_max: Duration,
    /// Its keys and checkpoints, and how long days are kept.
    pub custody: Custody,
    /// Whether persons asked about are noted, under a pseudonym (C-13).
    pub person_pseudonyms: bool,
}

impl LedgerSettings {
    /// The defaults, in this folder; keys and checkpoints beside it.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>, node_id: NodeId) -> Self {
        let folder = folder.into();
        Self {
            custody: Custody::beside(&folder),
            folder,
            node_id,
            group_max: GROUP_MAX as usize,
            wait_max: Duration::from_millis(WAIT_MAX_MS),
            person_pseudonyms: false,
        }
    }
}

/// Why a durable note cannot be relied on. The message that it was about is refused: try again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNoted {
    /// As many notes wait as may.
    #[error("too many notes wait for the ledger")]
    Full,
    /// The ledger fell with it, or is down.
    #[error("the ledger is down")]
    Down,
    /// The disk failed; the word says how.
    #[error("the ledger cannot write: {0}")]
    Failed(FailureClass),
    /// It did not come to disk in time.
    #[error("the ledger is too slow")]
    Late,
}

/// Message: write this down.
pub struct Note {
    /// What happened.
    pub event: Event,
    /// Who waits until it is on disk.
    pub durable: Option<oneshot::Sender<Result<(), NotNoted>>>,
}

/// Order: answer when everything before this has come so far, or has failed.
#[derive(Message)]
#[rtype(result = "()")]
struct Settle {
    answer: oneshot::Sender<()>,
    until: Until,
}

/// Order to itself, behind the notes that wait already: write the group.
#[derive(Message)]
#[rtype(result = "()")]
struct Flush;

/// What every life of a ledger is made from.
#[derive(Clone)]
pub struct LedgerContext {
    /// Name of this node.
    pub node_id: NodeId,
    /// Most notes that share a write.
    pub group_max: usize,
    /// Where lines go.
    pub storage: Arc<dyn Storage>,
    /// Its keys and checkpoints; without them it has neither checkpoints nor pseudonyms.
    pub custody: Option<Custody>,
    /// Notes of who has read it.
    pub readings: Option<Readings>,
    /// Who waits for what stood there before this life.
    pub earlier: Option<Arc<EarlierPort>>,
    /// Today, in UTC.
    pub today: Arc<dyn Fn() -> NaiveDate + Send + Sync>,
    /// Now, by the wall clock.
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// Whether it can write.
    pub health: Arc<LedgerHealth>,
    /// Its counters.
    pub tally: Arc<LedgerTally>,
    /// Its counters in the tree.
    pub observed: Arc<Observed>,
    /// Panics for tests.
    pub failpoints: Failpoints,
}

/// Today by the wall clock, in UTC.
#[must_use]
pub fn today() -> NaiveDate {
    Utc::now().date_naive()
}

/// A time in which the ledger cannot write.
#[derive(Clone, Copy)]
struct Failing {
    since: DateTime<Utc>,
    class: FailureClass,
    lost: u64,
}

/// Writes notes down, in groups.
pub struct Ledger {
    context: LedgerContext,
    writer: Writer,
    group: Group,
    clock: Clock,
    failing: Option<Failing>,
    /// Notes that are written and may not be on disk.
    unsynced: usize,
    /// What is to be done later.
    due: Due,
}

impl Ledger {
    /// A ledger that has opened nothing yet.
    #[must_use]
    pub fn new(context: LedgerContext) -> Self {
        let writer = Writer::new(
            context.node_id.as_str().to_owned(),
            Arc::clone(&context.storage),
            Arc::clone(&context.today),
            context.custody.clone(),
            context.earlier.clone(),
        );
        // A life before this one may have ended while the disk failed.
        let failing = context.health.is_failing().then(|| Failing {
            since: Utc::now(),
            class: "disk error",
            lost: 0,
        });
        Self {
            group: Group::new(&context.tally),
            clock: Clock::default(),
            writer,
            failing,
            unsynced: 0,
            due: Due::default(),
            context,
        }
    }

    /// Adds a note to the group.
    fn add(&mut self, Note { event, durable }: Note) {
        let writer = &mut self.writer;
        let added = self.group.add(|out| writer.render(&event, out), durable);
        if !added {
            tracing::error!(request_id = %event.request_id, "an event cannot be written as a line");
        }
    }

    /// Writes the group, and tells who waits. True when everything so far has come as far as it is to.
    fn flush(&mut self, until: Until, ctx: &mut Context<Self>) -> bool {
        let enough = match until {
            Until::Written => true,
            Until::Synced => self.unsynced == 0,
            Until::Stated => false,
        };
        if self.group.notes() == 0 && enough && self.failing.is_none() {
            return true;
        }
        self.look_at_the_clock();
        let group = std::mem::replace(&mut self.group, Group::new(&self.context.tally));
        let own = self.failing.map(|failing| {
            What::Uppehall(Uppehall {
                since: failing.since,
                class: failing.class,
                lost: failing.lost,
            })
        });
        let written = self.writer.write(&group, own, until);
        match &written {
            Ok(done) => {
                self.mended(done);
                self.recovered();
                let written = group.written();
                self.unsynced = if done.synced {
                    0
                } else {
                    self.unsynced + written
                };
            }
            Err(error) => self.failed(class_of(error), group),
        }
        self.set_timers(ctx);
        written.is_ok()
    }

    /// Notes that the clock was put back, behind the lines that are about to be written.
    fn look_at_the_clock(&mut self) {
        let Some(bakat_ms) = self.clock.look((self.context.now)()) else {
            return;
        };
        tracing::warn!(bakat_ms, "the clock of the machine was put back");
        let step = What::Klocksteg(Klocksteg { bakat_ms });
        self.add(Note {
            event: Event::now(Uuid::nil(), Ids::default(), step),
            durable: None,
        });
    }

    fn mended(&self, done: &Written) {
        if done.mended {
            LedgerTally::count(&self.context.tally.torn, 1);
            tracing::warn!("the end of the ledger was torn and has been mended");
        }
    }

    /// Opens what an earlier life wrote, so that it can be read for promises before anything happens in
    /// this one; again and again while another process holds it. A disk that fails is told by the first
    /// note.
    fn open_early(&mut self, ctx: &mut Context<Self>) {
        let wanted = |port: &Arc<EarlierPort>| port.is_wanted();
        if !self.context.earlier.as_ref().is_some_and(wanted) {
            return;
        }
        let nothing = Group::new(&self.context.tally);
        match self.writer.write(&nothing, None, Until::Written) {
            Ok(done) => self.mended(&done),
            Err(_) => {
                ctx.run_later(PROBE_EVERY, Self::open_early);
            }
        }
    }

    /// Sees to it that what is to be done later will be.
    fn set_timers(&mut self, ctx: &mut Context<Self>) {
        let now = Instant::now();
        if self.failing.is_some() {
            self.due.probe.get_or_insert(now + PROBE_EVERY);
        }
        if self.unsynced > 0 {
            self.due.sync.get_or_insert(now + SYNC_EVERY);
        }
        if self.writer.is_unstated() {
            self.due.checkpoint.get_or_insert(now + CHECKPOINT_EVERY);
        }
        let Some(next) = self.due.next() else {
            return;
        };
        if let Some((_, later)) = self.due.alarm.take() {
            ctx.cancel_future(later);
        }
        let alarm = ctx.run_later(next.duration_since(now), Self::look_what_is_due);
        self.due.alarm = Some((next, alarm));
    }

    fn look_what_is_due(&mut self, ctx: &mut Context<Self>) {
        let now = Instant::now();
        self.due.alarm = None;
        if due::is_over(&mut self.due.readings, now) {
            self.due.readings = Some(now + READINGS_EVERY);
            self.take_readings(ctx);
        }
        // Nothing to do when a note has come through meanwhile.
        if due::is_over(&mut self.due.probe, now) && self.failing.is_some() {
            self.flush(Until::Written, ctx);
        }
        if due::is_over(&mut self.due.sync, now) {
            self.flush(Until::Synced, ctx);
        }
        if due::is_over(&mut self.due.checkpoint, now) && self.writer.is_unstated() {
            self.flush(Until::Stated, ctx);
        }
        self.set_timers(ctx);
    }

    fn failed(&mut self, class: FailureClass, group: Group) {
        let observed = &self.context.observed;
        for _ in 0..group.notes() {
            observed.count_failed();
        }
        let is_new = self.failing.is_none();
        if is_new || group.notes() > 0 {
            observed.fell(class);
        }
        observed.set_detail(Some(class));
        observed.set_state(State::Impaired);
        self.context.health.set_failing(true);
        // Whether those before it are on disk is not known either.
        let unsynced = std::mem::take(&mut self.unsynced);
        LedgerTally::count(&self.context.tally.lost, unsynced);
        let lost = group.failed(class) + unsynced;
        let failing = self.failing.get_or_insert_with(|| Failing {
            since: Utc::now(),
            class,
            lost: 0,
        });
        failing.lost += lost as u64;
        if is_new {
            tracing::error!(class, "the ledger cannot write: nothing new is taken");
        }
    }

    fn recovered(&mut self) {
        if self.failing.take().is_some() {
            self.context.health.set_failing(false);
            self.context.observed.set_detail(None);
            self.context.observed.set_state(State::Running);
            tracing::info!("the ledger writes again");
        }
    }

    /// Takes over the notes of who has read the ledger.
    fn take_readings(&mut self, ctx: &mut Context<Self>) {
        let Some(readings) = &self.context.readings else {
            return;
        };
        let waiting = match readings.waiting() {
            Ok(Some(waiting)) => waiting,
            // Somebody leaves one right now: next time.
            Ok(None) => return,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) => {
                let class = class_of(&error);
                tracing::warn!(
                    class,
                    "notes of who has read the ledger cannot be taken over"
                );
                return;
            }
        };
        for reading in &waiting.readings {
            let event = Event {
                happened: reading.time,
                request_id: Uuid::nil(),
                ids: Ids::default(),
                what: What::Avlast(reading.what.clone()),
            };
            self.add(Note {
                event,
                durable: None,
            });
        }
        if self.flush(Until::Synced, ctx)
            && let Err(error) = waiting.taken()
        {
            let class = class_of(&error);
            tracing::warn!(class, "notes of who has read the ledger will come twice");
        }
    }
}

/// A word of ours for what the disk said. The error's own text may hold a path.
fn class_of(error: &io::Error) -> FailureClass {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk full",
        io::ErrorKind::ReadOnlyFilesystem => "read-only disk",
        io::ErrorKind::PermissionDenied => "no permission",
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "folder or file gone",
        io::ErrorKind::WouldBlock => "file in use",
        io::ErrorKind::FileTooLarge => "file too large",
        io::ErrorKind::InvalidData => "no ledger or key",
        _ => "disk error",
    }
}

impl Actor for Ledger {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // What an earlier life said of the disk is no longer known to be so.
        self.context.observed.set_detail(None);
        self.writer.prepare();
        self.open_early(ctx);
        if self.context.readings.is_some() {
            self.due.readings = Some(Instant::now() + READINGS_EVERY);
            self.take_readings(ctx);
        }
        self.set_timers(ctx);
    }
}

impl Handler<Envelope<Note>> for Ledger {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Note>, ctx: &mut Self::Context) {
        let note = envelope.open();
        self.context.failpoints.hit("ledger");
        self.context.observed.count_handled();
        let first = self.group.notes() == 0;
        self.add(note);
        let full =
            self.group.notes() >= self.context.group_max || self.group.bytes() >= GROUP_BYTES_MAX;
        if full {
            self.flush(Until::Written, ctx);
        } else if first && self.group.notes() > 0 {
            // Behind the notes that are in the mailbox now: they are the group.
            ctx.address().do_send(Flush);
        }
    }
}

impl Handler<Flush> for Ledger {
    type Result = ();

    fn handle(&mut self, _: Flush, ctx: &mut Self::Context) {
        let in_no_hurry = !self.group.is_waited_for();
        self.flush(Until::Written, ctx);
        if in_no_hurry {
            // Messages stay in the mailbox meanwhile, and wake nobody.
            ctx.wait(tokio::time::sleep(GATHER).into_actor(self));
        }
    }
}

impl Handler<Settle> for Ledger {
    type Result = ();

    fn handle(&mut self, Settle { answer, until }: Settle, ctx: &mut Self::Context) {
        if until == Until::Stated {
            self.take_readings(ctx);
        }
        let unstated = self.writer.is_unstated() || self.group.notes() > 0;
        self.flush(if unstated { until } else { Until::Synced }, ctx);
        // Who asked may have given up.
        let _ = answer.send(());
    }
}

impl Handler<Halt> for Ledger {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        self.take_readings(ctx);
        let unstated = self.writer.is_unstated() || self.group.notes() > 0;
        let until = if unstated {
            Until::Stated
        } else {
            Until::Synced
        };
        self.flush(until, ctx);
        self.writer.close();
        ctx.stop();
    }
}

#[cfg(test)]
mod tests;
