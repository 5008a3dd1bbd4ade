//! The ledger: an append-only record, without content, of what happened to each message (design 3,
//! 8.4; R-083, R-086). It is what is left when a request is over, and what tells after a crash who
//! was promised an answer (design 9).
//!
//! An asynchronous message is answered 202 only when its `mottaget` is on disk (design 4, step 2), so
//! what an fsync costs bounds what a node takes. Hence groups: notes that come while one fsync runs
//! share the next one. The actor has an arbiter of its own, because it blocks in write and fsync.
//!
//! ```text
//! note, note_durably ─► Mailbox ─► group ─► one write, one fsync ─► ledger-2026-11-22.jsonl
//!                                                               └─► everyone who waits
//! ```
//!
//! What is promised: a durable note that is answered `Ok` survives loss of power; lines of one sender
//! stand in the order in which it noted them. What is not: a note answered with an error may have
//! reached the disk all the same (an fsync failed behind it, or its wait was over); and a note
//! without an answer may be lost with the process, within about the time of one fsync.

pub mod book;
pub mod event;
pub mod folder;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message};
use chrono::{NaiveDate, Utc};
use shs_schemas::ids::NodeId;
use tokio::sync::oneshot;

pub use self::book::LedgerBook;
pub use self::event::{Event, Ids, What};
use self::folder::{DayFile, Opened, Storage};
use crate::failpoint::Failpoints;
use crate::mailbox::Envelope;
use crate::observation::{FailureClass, Observed, State};
use crate::supervisor::Halt;

/// Notes that may wait for the ledger. Beyond it a durable note is refused and another is lost.
pub const MAILBOX_MAX: usize = 16_384;

/// Bytes of lines from which a group is written without waiting for more.
pub const GROUP_BYTES_MAX: usize = 256 * 1024;

/// Notes in a group when nothing else is set.
pub const GROUP_MAX: u32 = 1024;

/// How long a durable note waits for the disk when nothing else is set, in milliseconds.
pub const WAIT_MAX_MS: u64 = 2_000;

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

/// Order: answer when everything before this is on disk, or has failed.
#[derive(Message)]
#[rtype(result = "()")]
struct Settle(oneshot::Sender<()>);

/// Order to itself, behind the notes that wait already: write the group.
#[derive(Message)]
#[rtype(result = "()")]
struct Flush;

/// What a ledger has counted since the node started.
#[derive(Debug, Default)]
pub struct LedgerTally {
    noted: AtomicU64,
    lost: AtomicU64,
    not_noted: AtomicU64,
    groups: AtomicU64,
    torn: AtomicU64,
}

/// A reading of [`LedgerTally`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerCounted {
    /// Notes on disk.
    pub noted: u64,
    /// Notes that nobody waited for and that are not on disk.
    pub lost: u64,
    /// Durable notes that were answered with an error.
    pub not_noted: u64,
    /// Groups on disk, each one write and one fsync.
    pub groups: u64,
    /// Torn last lines that were closed.
    pub torn: u64,
}

impl LedgerTally {
    fn count(counter: &AtomicU64, by: usize) {
        counter.fetch_add(by as u64, Ordering::Relaxed);
    }

    /// The counters as they are now.
    #[must_use]
    pub fn read(&self) -> LedgerCounted {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LedgerCounted {
            noted: read(&self.noted),
            lost: read(&self.lost),
            not_noted: read(&self.not_noted),
            groups: read(&self.groups),
            torn: read(&self.torn),
        }
    }
}

/// What every life of a ledger is made from.
#[derive(Clone)]
pub struct LedgerContext {
    /// Name of this node.
    pub node_id: NodeId,
    /// Most notes that share a write.
    pub group_max: usize,
    /// Where lines go.
    pub storage: Arc<dyn Storage>,
    /// Today, in UTC.
    pub today: Arc<dyn Fn() -> NaiveDate + Send + Sync>,
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

/// Notes that will share a write.
struct Group {
    lines: Vec<u8>,
    notes: usize,
    waiting: Vec<oneshot::Sender<Result<(), NotNoted>>>,
    tally: Arc<LedgerTally>,
}

impl Group {
    fn new(tally: &Arc<LedgerTally>) -> Self {
        Self {
            lines: Vec::new(),
            notes: 0,
            waiting: Vec::new(),
            tally: Arc::clone(tally),
        }
    }

    fn noted(mut self) {
        LedgerTally::count(&self.tally.noted, self.notes);
        LedgerTally::count(&self.tally.groups, 1);
        for one in self.waiting.drain(..) {
            // Who waited may be gone; the note is on disk all the same.
            let _ = one.send(Ok(()));
        }
        self.notes = 0;
    }

    fn failed(mut self, class: FailureClass) {
        LedgerTally::count(&self.tally.lost, self.notes - self.waiting.len());
        for one in self.waiting.drain(..) {
            let _ = one.send(Err(NotNoted::Failed(class)));
        }
        self.notes = 0;
    }
}

/// A group that falls with its actor: who waits is told by the dropped channel, the rest is lost.
impl Drop for Group {
    fn drop(&mut self) {
        LedgerTally::count(&self.tally.lost, self.notes - self.waiting.len());
    }
}

/// Writes notes down, in groups.
pub struct Ledger {
    context: LedgerContext,
    open: Option<(NaiveDate, Box<dyn DayFile>)>,
    group: Group,
    failing: bool,
}

impl Ledger {
    /// A ledger that has opened nothing yet.
    #[must_use]
    pub fn new(context: LedgerContext) -> Self {
        Self {
            group: Group::new(&context.tally),
            open: None,
            failing: false,
            context,
        }
    }

    /// Adds a note to the group.
    fn add(&mut self, Note { event, durable }: Note) {
        let written = event.write(&self.context.node_id, &mut self.group.lines);
        if written.is_err() {
            tracing::error!(request_id = %event.request_id, "an event cannot be written as a line");
            match durable {
                Some(one) => drop(one.send(Err(NotNoted::Failed("no line")))),
                None => LedgerTally::count(&self.context.tally.lost, 1),
            }
            return;
        }
        self.group.notes += 1;
        self.group.waiting.extend(durable);
    }

    /// Writes the group, and tells who waits.
    fn flush(&mut self) {
        if self.group.notes == 0 {
            return;
        }
        let group = std::mem::replace(&mut self.group, Group::new(&self.context.tally));
        match self.write(&group.lines) {
            Ok(()) => {
                self.recovered();
                group.noted();
            }
            Err(error) => {
                // Whatever state it is in: the next group opens it again and sees for itself.
                self.open = None;
                let class = class_of(&error);
                self.failed(class, group.notes);
                group.failed(class);
            }
        }
    }

    /// The file of today: the day of writing decides, so that a day that is over stays as it is. Its
    /// successor may begin with lines of the evening before.
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let today = (self.context.today)();
        let file = match &mut self.open {
            Some((day, file)) if *day == today => file,
            open => {
                *open = None;
                let Opened { file, torn } = self.context.storage.open(today)?;
                LedgerTally::count(&self.context.tally.torn, usize::from(torn));
                if torn {
                    tracing::warn!("the last line of the ledger was torn and has been closed");
                }
                &mut open.insert((today, file)).1
            }
        };
        file.append(lines)?;
        file.sync()
    }

    fn failed(&mut self, class: FailureClass, notes: usize) {
        let observed = &self.context.observed;
        for _ in 0..notes {
            observed.count_failed();
        }
        observed.fell(class);
        observed.set_detail(Some(class));
        observed.set_state(State::Impaired);
        if !std::mem::replace(&mut self.failing, true) {
            tracing::error!(class, "the ledger cannot write");
        }
    }

    fn recovered(&mut self) {
        if std::mem::take(&mut self.failing) {
            self.context.observed.set_detail(None);
            self.context.observed.set_state(State::Running);
            tracing::info!("the ledger writes again");
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
        _ => "disk error",
    }
}

impl Actor for Ledger {
    type Context = Context<Self>;

    fn started(&mut self, _ctx: &mut Self::Context) {
        // What an earlier life said of the disk is no longer known to be so.
        self.context.observed.set_detail(None);
    }
}

impl Handler<Envelope<Note>> for Ledger {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Note>, ctx: &mut Self::Context) {
        let note = envelope.open();
        self.context.failpoints.hit("ledger");
        self.context.observed.count_handled();
        let first = self.group.notes == 0;
        self.add(note);
        let full =
            self.group.notes >= self.context.group_max || self.group.lines.len() >= GROUP_BYTES_MAX;
        if full {
            self.flush();
        } else if first && self.group.notes > 0 {
            // Behind the notes that are in the mailbox now: they are the group.
            ctx.address().do_send(Flush);
        }
    }
}

impl Handler<Flush> for Ledger {
    type Result = ();

    fn handle(&mut self, _: Flush, _ctx: &mut Self::Context) {
        self.flush();
    }
}

impl Handler<Settle> for Ledger {
    type Result = ();

    fn handle(&mut self, Settle(answer): Settle, _ctx: &mut Self::Context) {
        self.flush();
        // Who asked may have given up.
        let _ = answer.send(());
    }
}

impl Handler<Halt> for Ledger {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        self.flush();
        ctx.stop();
    }
}

#[cfg(test)]
mod tests;
