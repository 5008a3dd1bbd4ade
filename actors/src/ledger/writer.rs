//! [`Writer`]: from a group of events to tied lines on disk.
//!
//! It knows the last line on disk, opens the file of the day, and adds what the ledger says of itself:
//! mended lines, removed days, checkpoints. Everything of a group goes in one write, and in one fsync
//! where somebody waits for it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{Days, NaiveDate, Utc};
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::chain::Head;
use super::checkpoint::{Signer, Stated};
use super::event::{Event, GallradDag, Ids, What, stamped};
use super::folder::{DayFile, Opened, Sealed, Storage};
use super::group::Group;
use super::keys::{KeyFile, Month, MonthKey};
use super::private;
use super::promises::EarlierPort;

/// Lines after which there is a checkpoint.
pub const CHECKPOINT_LINES: u64 = 10_000;

/// How long after a line there is a checkpoint at the latest.
pub const CHECKPOINT_EVERY: Duration = Duration::from_mins(1);

/// Days without a file after which the clock is not believed at once: one that is far ahead would have
/// every day removed, and what was promised with it.
const LEAP_DAYS_MAX: u64 = 7;

/// Keys of months that are remembered. More than the months in which an event can have happened.
const KEYS_MAX: usize = 3;

/// How long a key that could not be had is not tried again.
const KEY_RETRY: Duration = Duration::from_secs(10);

/// What a ledger keeps beside its lines, and for how long it keeps them.
#[derive(Clone, Debug)]
pub struct Custody {
    /// The key that signs checkpoints.
    pub signing_key: PathBuf,
    /// Checkpoints, outside the folder of the ledger.
    pub checkpoints: PathBuf,
    /// The keys of the months.
    pub keys: PathBuf,
    /// Days that are kept beside today; for ever when none is set.
    pub retention_days: Option<u32>,
}

impl Custody {
    /// Beside a ledger in this folder: `ledger.signing-key`, `ledger.checkpoints.jsonl` and
    /// `ledger.keys`. Days are kept for ever.
    #[must_use]
    pub fn beside(folder: &Path) -> Self {
        let beside = |what: &str| {
            let mut name = folder.file_name().unwrap_or_default().to_owned();
            name.push(what);
            folder.with_file_name(name)
        };
        Self {
            signing_key: beside(".signing-key"),
            checkpoints: beside(".checkpoints.jsonl"),
            keys: beside(".keys"),
            retention_days: None,
        }
    }
}

/// How far a group is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Until {
    /// Written: it survives this process. On disk only when somebody waits for it.
    Written,
    /// On disk: it survives the loss of power.
    Synced,
    /// With a checkpoint behind it.
    Stated,
}

/// Lines that are about to be written.
struct Lines {
    bytes: Vec<u8>,
    head: Head,
}

/// Writes lines.
pub(super) struct Writer {
    node: String,
    storage: Arc<dyn Storage>,
    today: Arc<dyn Fn() -> NaiveDate + Send + Sync>,
    custody: Option<Custody>,
    open: Option<(NaiveDate, Box<dyn DayFile>)>,
    /// The day that ended last. Behind a clock that was put back there is no file of it.
    ended: Option<NaiveDate>,
    /// The last line that was written.
    head: Head,
    /// Whether there are lines that may not be on disk.
    unsynced: bool,
    signer: Option<Signer>,
    /// Lines since the last checkpoint.
    unstated: u64,
    keys: BTreeMap<Month, MonthKey>,
    /// When a key could not be had, last.
    no_key: Option<Instant>,
    earlier: Option<Arc<EarlierPort>>,
}

/// What became of a write beside its lines.
#[derive(Default)]
pub(super) struct Written {
    /// Everything so far is on disk.
    pub(super) synced: bool,
    /// Torn lines were mended.
    pub(super) mended: bool,
}

impl Writer {
    pub(super) fn new(
        node: String,
        storage: Arc<dyn Storage>,
        today: Arc<dyn Fn() -> NaiveDate + Send + Sync>,
        custody: Option<Custody>,
        earlier: Option<Arc<EarlierPort>>,
    ) -> Self {
        Self {
            earlier,
            node,
            storage,
            today,
            custody,
            open: None,
            ended: None,
            head: Head::START,
            unsynced: false,
            signer: None,
            unstated: 0,
            keys: BTreeMap::new(),
            no_key: None,
        }
    }

    /// Writes an event as JSON behind what `out` holds. False when it cannot be written.
    pub(super) fn render(&mut self, event: &Event, out: &mut Vec<u8>) -> bool {
        let month = Month::of(event.happened);
        if event.is_keyed() {
            self.fetch_key(month);
        }
        event.write(&self.node, self.keys.get(&month), out).is_ok()
    }

    /// Sees to it that the key of a month is at hand, if it can be had.
    fn fetch_key(&mut self, month: Month) {
        let Some(custody) = &self.custody else { return };
        let tried = |at: Instant| at.elapsed() < KEY_RETRY;
        if self.keys.contains_key(&month) || self.no_key.is_some_and(tried) {
            return;
        }
        match KeyFile::at(&custody.keys).load_or_make(month) {
            Ok(key) => {
                self.no_key = None;
                if self.keys.len() >= KEYS_MAX {
                    self.keys.pop_first();
                }
                self.keys.insert(month, key);
            }
            Err(error) => {
                self.no_key = Some(Instant::now());
                let class = super::class_of(&error);
                tracing::error!(class, "no key of the month: the ledger has no pseudonyms");
            }
        }
    }

    /// Lets go of the file, so that another process can write.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Whether there are lines that no checkpoint covers.
    pub(super) fn is_unstated(&self) -> bool {
        self.custody.is_some() && self.unstated > 0
    }

    /// Writes a group, behind what the ledger says of itself. A checkpoint comes behind it also when one
    /// is due.
    pub(super) fn write(
        &mut self,
        group: &Group,
        own: Option<What>,
        until: Until,
    ) -> io::Result<Written> {
        let written = self.try_to_write(group, own, until);
        if written.is_err() {
            // Whatever state it is in: the next group opens it again and sees for itself.
            self.open = None;
        }
        written
    }

    fn try_to_write(
        &mut self,
        group: &Group,
        own: Option<What>,
        until: Until,
    ) -> io::Result<Written> {
        let today = (self.today)();
        if self.open.as_ref().is_some_and(|(day, _)| *day != today) {
            self.end_day()?;
        }
        let tells_of_itself = own.is_some();
        let mut before = self.head;
        let mut lines = Lines {
            bytes: Vec::new(),
            head: before,
        };
        let (mut written, mut expired) = (Written::default(), Vec::new());
        if self.open.is_none() {
            let Opened {
                file,
                tail,
                unended,
                previous,
            } = self.storage.open(today)?;
            if let Some(earlier) = &self.earlier {
                earlier.fill();
            }
            if unended {
                lines.bytes.push(b'\n');
            }
            // Lines of a write that failed may have reached the disk. Lines that are gone from it are
            // not forgotten: the gap shows.
            // It stays known when nothing is written now.
            if tail.head.seq > self.head.seq {
                self.head = tail.head;
                lines.head = tail.head;
                before = tail.head;
            }
            if let Some(torn) = tail.torn {
                self.tell(&mut lines, What::Lagat(torn.into()));
                written.mended = true;
            }
            expired = self.expired(today, previous);
            for sealed in &expired {
                self.tell(&mut lines, gallrad(sealed));
            }
            self.open = Some((today, file));
        }
        if let Some(own) = own {
            self.tell(&mut lines, own);
        }
        for event in group.events() {
            lines.head = lines.head.tie(event, &mut lines.bytes);
        }
        let fresh = lines.head.seq - before.seq;
        let due = until == Until::Stated
            || !expired.is_empty()
            || self.unstated + fresh >= CHECKPOINT_LINES;
        let stated = due.then(|| self.state(&mut lines)).flatten();
        // What the ledger says of itself is nothing that may be lost: it is about what was.
        let sync = until >= Until::Synced
            || group.is_waited_for()
            || tells_of_itself
            || written.mended
            || due;
        if let Some((_, file)) = &mut self.open {
            if !lines.bytes.is_empty() {
                file.append(&lines.bytes)?;
                self.unsynced = true;
            }
            if sync && self.unsynced {
                file.sync()?;
                self.unsynced = false;
            }
        }
        written.synced = !self.unsynced;
        self.head = lines.head;
        self.unstated = if stated.is_some() {
            0
        } else {
            self.unstated + fresh
        };
        if let Some(stated) = stated {
            self.publish(&stated);
        }
        self.remove(&expired);
        Ok(written)
    }

    /// The last line of a day is a checkpoint, where there is a key for it. What is not on disk when the day is
    /// over comes to disk here: nobody syncs its file again.
    fn end_day(&mut self) -> io::Result<()> {
        let Some((day, mut file)) = self.open.take() else {
            return Ok(());
        };
        self.ended = Some(day);
        let mut lines = Lines {
            bytes: Vec::new(),
            head: self.head,
        };
        let is_due = self.is_unstated();
        let stated = is_due.then(|| self.state(&mut lines)).flatten();
        if stated.is_some() {
            file.append(&lines.bytes)?;
            self.unsynced = true;
        }
        if self.unsynced {
            file.sync()?;
            self.unsynced = false;
        }
        if let Some(stated) = stated {
            self.head = lines.head;
            self.unstated = 0;
            self.publish(&stated);
        }
        Ok(())
    }

    /// Adds an event of the ledger's own.
    fn tell(&self, lines: &mut Lines, what: What) {
        let event = Event::now(Uuid::nil(), Ids::default(), what);
        let mut json = Vec::new();
        if event.write(&self.node, None, &mut json).is_ok() {
            lines.head = lines.head.tie(&json, &mut lines.bytes);
        }
    }

    /// Sees to it that there is a key to sign with, if it can be had.
    pub(super) fn prepare(&mut self) {
        let Some(custody) = &self.custody else { return };
        if self.signer.is_some() {
            return;
        }
        match Signer::load_or_make(&custody.signing_key) {
            Ok(signer) => {
                let public_key = signer.public_key();
                tracing::info!(
                    public_key,
                    "checkpoints of the ledger are signed with this key"
                );
                self.signer = Some(signer);
            }
            Err(error) => {
                let class = super::class_of(&error);
                tracing::error!(class, "the key that signs the ledger cannot be used");
            }
        }
    }

    /// Adds a checkpoint about the last line; none when there is no line, or no key to sign it.
    fn state(&mut self, lines: &mut Lines) -> Option<Stated> {
        if lines.head == Head::START {
            return None;
        }
        self.prepare();
        let happened = Utc::now();
        let time = stamped(happened);
        let stated = self.signer.as_ref()?.state(&self.node, time, lines.head);
        let event = Event {
            happened,
            request_id: Uuid::nil(),
            ids: Ids::default(),
            what: What::Kontrollpunkt(stated.checkpoint.clone()),
        };
        let mut json = Vec::new();
        event.write(&self.node, None, &mut json).ok()?;
        lines.head = lines.head.tie(&json, &mut lines.bytes);
        Some(stated)
    }

    /// Puts a checkpoint where it is not in the ledger's own folder: a file, and the log.
    fn publish(&self, stated: &Stated) {
        let checkpoint = &stated.checkpoint;
        tracing::info!(
            last_seq = checkpoint.last_seq,
            hash = %checkpoint.hash,
            time = %stated.time,
            public_key = %checkpoint.public_key,
            signature = %checkpoint.signature,
            "ledger checkpoint"
        );
        let Some(custody) = &self.custody else { return };
        let line = serde_json::to_string(stated).map_err(io::Error::from);
        if let Err(error) = line.and_then(|line| private::append(&custody.checkpoints, &line)) {
            let class = super::class_of(&error);
            tracing::error!(class, "a checkpoint of the ledger is not in its file");
        }
    }

    /// The days whose time is over, oldest first. None when there was no day for long: a right clock shows that
    /// it is right when the next day begins, and then they go.
    fn expired(&self, today: NaiveDate, previous: Option<NaiveDate>) -> Vec<Sealed> {
        let kept = self.custody.as_ref().and_then(|it| it.retention_days);
        let first = kept.and_then(|kept| today.checked_sub_days(Days::new(kept.into())));
        let Some(first) = first else {
            return Vec::new();
        };
        let expired = self.storage.before(first).unwrap_or_else(|error| {
            let class = super::class_of(&error);
            tracing::error!(class, "old days of the ledger cannot be removed");
            Vec::new()
        });
        let previous = previous.max(self.ended.filter(|ended| *ended < today));
        match previous {
            Some(previous) if is_leap(previous, today) && !expired.is_empty() => {
                let days = expired.len();
                tracing::error!(
                    %previous,
                    %today,
                    days,
                    "old days of the ledger are not removed: the clock is far ahead of the last day. \
                     If it is right they are removed when the next day begins"
                );
                Vec::new()
            }
            _ => expired,
        }
    }

    fn remove(&self, expired: &[Sealed]) {
        for Sealed { day, lines, .. } in expired {
            match self.storage.remove(*day) {
                Ok(()) => tracing::info!(%day, lines, "a day of the ledger was removed"),
                Err(error) => {
                    let class = super::class_of(&error);
                    tracing::error!(class, %day, "an old day of the ledger cannot be removed");
                    // In order: a gap in the middle would be one.
                    return;
                }
            }
        }
    }
}

/// Whether there is more than a pause of some days between two.
fn is_leap(previous: NaiveDate, today: NaiveDate) -> bool {
    previous
        .checked_add_days(Days::new(LEAP_DAYS_MAX))
        .is_some_and(|latest| today > latest)
}

fn gallrad(sealed: &Sealed) -> What {
    What::GallradDag(GallradDag {
        day: sealed.day,
        lines: sealed.lines,
        last_seq: sealed.last.seq,
        last_hash: sealed.last.hash,
    })
}
