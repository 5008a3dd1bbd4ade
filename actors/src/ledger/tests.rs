//! What the ledger promises, over a storage that counts and fails its calls. Everything of a test is
//! on one thread, so what "concurrent" notes share is exact.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::{Actor, Addr};
use actix_rt::Arbiter;
use futures_util::future::join_all;
use tokio::sync::watch;
use uuid::Uuid;

use super::event::{Avlast, Command};
use super::folder::{DayFile, Opened, Sealed};
use super::reading::Reading;
use super::tail::Tail;
use super::*;
use crate::child::{OverBudget, RestartPolicy};
use crate::observation::{ActorLine, Kind, Observatory};
use crate::supervisor::{Adopt, ChildSpec, DismissAll, Supervisor};

/// A disk in memory.
#[derive(Default)]
struct Disk {
    days: Mutex<Vec<(NaiveDate, String)>>,
    opened: AtomicUsize,
    fsyncs: AtomicUsize,
    /// What the next calls fail with.
    append_fails: Mutex<Vec<io::ErrorKind>>,
    sync_fails: Mutex<Vec<io::ErrorKind>>,
    open_fails: Mutex<Vec<io::ErrorKind>>,
}

fn due(fails: &Mutex<Vec<io::ErrorKind>>) -> io::Result<()> {
    match fails.lock().unwrap().pop() {
        Some(kind) => Err(kind.into()),
        None => Ok(()),
    }
}

impl Disk {
    fn lines(&self) -> Vec<String> {
        let days = self.days.lock().unwrap();
        let lines = days.iter().flat_map(|(_, text)| text.lines());
        lines.map(ToOwned::to_owned).collect()
    }

    fn fsyncs(&self) -> usize {
        self.fsyncs.load(Ordering::Relaxed)
    }
}

struct Shelf(Arc<Disk>);

impl Storage for Shelf {
    fn open(&self, day: NaiveDate) -> io::Result<Opened> {
        self.0.opened.fetch_add(1, Ordering::Relaxed);
        due(&self.0.open_fails)?;
        let mut days = self.0.days.lock().unwrap();
        let before: String = days.iter().map(|(_, text)| text.as_str()).collect();
        if days.last().is_none_or(|(last, _)| *last != day) {
            days.push((day, String::new()));
        }
        Ok(Opened {
            file: Box::new(Shelf(Arc::clone(&self.0))),
            tail: Tail::of_text(&before),
            unended: false,
            previous: None,
        })
    }

    fn before(&self, day: NaiveDate) -> io::Result<Vec<Sealed>> {
        panic!("days before {day} are nobody's business: no time is set for them")
    }

    fn remove(&self, day: NaiveDate) -> io::Result<()> {
        panic!("{day} is kept")
    }
}

impl DayFile for Shelf {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        due(&self.0.append_fails)?;
        let text = std::str::from_utf8(lines).unwrap();
        assert!(text.ends_with('\n'), "whole lines");
        self.0.days.lock().unwrap().last_mut().unwrap().1 += text;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        due(&self.0.sync_fails)?;
        self.0.fsyncs.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

struct Rig {
    disk: Arc<Disk>,
    today: Arc<Mutex<NaiveDate>>,
    now: Arc<Mutex<DateTime<Utc>>>,
    book: LedgerBook,
    observatory: Arc<Observatory>,
    failpoints: Failpoints,
    supervisor: Addr<Supervisor>,
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

impl Rig {
    fn start(group_max: usize) -> Self {
        Self::with(group_max, None)
    }

    fn with(group_max: usize, custody: Option<Custody>) -> Self {
        let (disk, failpoints) = (Arc::new(Disk::default()), Failpoints::default());
        let today = Arc::new(Mutex::new(day("2026-11-22")));
        let (mailbox, tally) = (book::mailbox(), Arc::<LedgerTally>::default());
        let now = Arc::new(Mutex::new(Utc::now()));
        let wall = Arc::clone(&now);
        let (clock, observed) = (Arc::clone(&today), Arc::clone(mailbox.observed()));
        let context = LedgerContext {
            node_id: NodeId::parse("n1").unwrap(),
            group_max,
            storage: Arc::new(Shelf(Arc::clone(&disk))),
            readings: custody
                .as_ref()
                .and_then(|custody| custody.checkpoints.parent())
                .map(Readings::of),
            custody,
            earlier: None,
            health: Arc::default(),
            today: Arc::new(move || *clock.lock().unwrap()),
            now: Arc::new(move || *wall.lock().unwrap()),
            tally: Arc::clone(&tally),
            observed,
            failpoints: failpoints.clone(),
        };
        let policy = RestartPolicy::new(OverBudget::Escalate);
        let spec = ChildSpec::new(mailbox.clone(), policy, Arbiter::current(), move || {
            Ledger::new(context.clone())
        });
        let observatory = Arc::new(Observatory::default());
        let supervisor = Supervisor::new(Arc::clone(&observatory), watch::channel(None).0).start();
        supervisor.do_send(Adopt(spec));
        Self {
            book: LedgerBook::over(mailbox, tally, Duration::from_millis(WAIT_MAX_MS)),
            disk,
            today,
            now,
            observatory,
            failpoints,
            supervisor,
        }
    }

    fn counted(&self) -> LedgerCounted {
        self.book.tally().read()
    }

    fn line(&self) -> ActorLine {
        let actors = self.observatory.snapshot().actors;
        actors
            .into_iter()
            .find(|line| line.kind == Kind::Ledger)
            .unwrap()
    }

    async fn durable(&self, n: u128) -> Result<(), NotNoted> {
        self.book.note_durably(event(n)).await
    }
}

fn event(n: u128) -> Event {
    Event::now(Uuid::from_u128(n), Ids::default(), What::Duplett)
}

fn ids(lines: &[String]) -> Vec<u128> {
    let id = |line: &String| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let id: Uuid = json["request_id"].as_str().unwrap().parse().unwrap();
        id.as_u128()
    };
    lines.iter().map(id).collect()
}

#[actix::test]
async fn a_thousand_durable_notes_at_once_share_a_few_fsyncs_and_keep_their_order() {
    let rig = Rig::start(400);
    let noted = join_all((0..1000).map(|n| rig.durable(n))).await;
    assert!(noted.iter().all(Result::is_ok));
    assert_eq!(rig.disk.fsyncs(), 3, "400 + 400 + 200");
    assert_eq!(ids(&rig.disk.lines()), (0..1000).collect::<Vec<_>>());
    let expected = LedgerCounted {
        noted: 1000,
        groups: 3,
        ..LedgerCounted::default()
    };
    assert_eq!(rig.counted(), expected);
    assert_eq!(rig.disk.opened.load(Ordering::Relaxed), 1);
}

#[actix::test]
async fn a_note_alone_does_not_wait_for_others() {
    let rig = Rig::start(400);
    tokio::time::pause();
    let before = tokio::time::Instant::now();
    for n in 0..3 {
        rig.durable(n).await.unwrap();
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(rig.disk.fsyncs(), 3);
}

#[actix::test]
async fn notes_that_nobody_waits_for_are_written_at_once_and_share_an_fsync_a_second() {
    let rig = Rig::start(400);
    rig.durable(0).await.unwrap();
    tokio::time::pause();
    let a_moment = || tokio::time::sleep(SYNC_EVERY / 10);
    for n in 1..=5 {
        rig.book.note(event(n));
        a_moment().await;
        assert_eq!(ids(&rig.disk.lines()).last(), Some(&n));
    }
    assert_eq!(rig.disk.fsyncs(), 1, "of the durable one");
    tokio::time::sleep(SYNC_EVERY).await;
    assert_eq!(rig.disk.fsyncs(), 2);
    tokio::time::sleep(SYNC_EVERY * 3).await;
    assert_eq!(rig.disk.fsyncs(), 2, "nothing is new");
    rig.book.note(event(6));
    rig.durable(7).await.unwrap();
    assert_eq!(rig.disk.fsyncs(), 3);
    tokio::time::sleep(SYNC_EVERY * 3).await;
    assert_eq!(rig.disk.fsyncs(), 3, "it went with the other one");
}

#[actix::test]
async fn under_notes_that_never_pause_what_is_due_is_done_in_time() {
    let beside = tempfile::tempdir().unwrap();
    let custody = Custody::beside(&beside.path().join("ledger"));
    let rig = Rig::with(400, Some(custody));
    tokio::time::pause();
    tokio::time::sleep(GATHER).await;
    let readings = Readings::of(beside.path());
    let what = Avlast {
        uid: 1,
        sudo_uid: None,
        command: Command::Show,
        filters: Vec::new(),
        result: None,
    };
    let time = Utc::now();
    readings.leave(&Reading { time, what }).unwrap();
    let begun = tokio::time::Instant::now();
    for n in 1.. {
        rig.book.note(event(n));
        tokio::time::sleep(GATHER / 4).await;
        if begun.elapsed() > SYNC_EVERY + READINGS_EVERY {
            break;
        }
    }
    let fsyncs = rig.disk.fsyncs();
    assert!((5..=8).contains(&fsyncs), "{fsyncs}");
    let has_it = |line: &String| line.contains(r#""event":"avlast""#);
    assert_eq!(
        rig.disk.lines().iter().filter(|line| has_it(line)).count(),
        1
    );
}

#[actix::test]
async fn an_fsync_that_fails_later_says_how_many_notes_it_may_have_cost() {
    let rig = Rig::start(400);
    rig.durable(0).await.unwrap();
    tokio::time::pause();
    for n in 1..=3 {
        rig.book.note(event(n));
    }
    tokio::time::sleep(SYNC_EVERY / 2).await;
    let fails = &rig.disk.sync_fails;
    fails.lock().unwrap().push(io::ErrorKind::NotFound);
    assert_eq!(rig.line().state, State::Running);
    tokio::time::sleep(SYNC_EVERY).await;
    assert_eq!(rig.counted().lost, 3);
    tokio::time::sleep(PROBE_EVERY * 2).await;
    assert_eq!(rig.line().state, State::Running);
    let last = rig.disk.lines().pop().unwrap();
    assert!(last.contains(r#""event":"uppehall""#) && last.contains(r#""lost":3"#));
}

#[actix::test]
async fn bytes_bound_a_group_as_well() {
    let rig = Rig::start(usize::MAX);
    let notes: u32 = 8000;
    let noted = join_all((0..u128::from(notes)).map(|n| rig.durable(n))).await;
    assert!(noted.iter().all(Result::is_ok));
    let bytes: usize = rig.disk.lines().iter().map(|line| line.len() + 1).sum();
    let groups = bytes.div_ceil(GROUP_BYTES_MAX);
    // The bytes that tying adds are reckoned at their most.
    assert!((groups..=groups + groups / 4 + 1).contains(&rig.disk.fsyncs()));
    assert!(rig.disk.fsyncs() > 2);
}

#[actix::test]
async fn when_the_disk_fails_every_note_of_the_group_is_refused_and_the_next_opens_it_anew() {
    for (place, kind, class) in [
        ("append", io::ErrorKind::StorageFull, "disk full"),
        ("sync", io::ErrorKind::NotFound, "folder or file gone"),
        ("open", io::ErrorKind::ReadOnlyFilesystem, "read-only disk"),
        ("open", io::ErrorKind::PermissionDenied, "no permission"),
        ("sync", io::ErrorKind::Other, "disk error"),
    ] {
        let rig = Rig::start(400);
        let fails = match place {
            "append" => &rig.disk.append_fails,
            "sync" => &rig.disk.sync_fails,
            _ => &rig.disk.open_fails,
        };
        fails.lock().unwrap().push(kind);
        rig.book.note(event(9));
        let noted = join_all((0..2).map(|n| rig.durable(n))).await;
        assert_eq!(noted, [Err(NotNoted::Failed(class)); 2]);
        let line = rig.line();
        assert_eq!((line.state, line.detail), (State::Impaired, Some(class)));
        assert_eq!((line.last_failure, line.failed), (Some(class), 3));
        assert_eq!((rig.counted().lost, rig.counted().not_noted), (1, 2));

        rig.durable(3).await.unwrap();
        assert_eq!(rig.disk.opened.load(Ordering::Relaxed), 2);
        let line = rig.line();
        assert_eq!((line.state, line.detail), (State::Running, None));
        assert_eq!(line.restarts, 0, "no fall");
        assert_eq!(ids(&rig.disk.lines()).last(), Some(&3));
    }
}

#[actix::test]
async fn after_midnight_lines_go_to_the_file_of_the_new_day() {
    let rig = Rig::start(400);
    rig.durable(1).await.unwrap();
    *rig.today.lock().unwrap() = day("2026-11-23");
    rig.durable(2).await.unwrap();
    let days = rig.disk.days.lock().unwrap();
    let dates: Vec<_> = days.iter().map(|(date, _)| *date).collect();
    assert_eq!(dates, [day("2026-11-22"), day("2026-11-23")]);
}

#[actix::test]
async fn what_is_not_on_disk_at_midnight_comes_there_also_without_a_key_that_signs() {
    let no_key = tempfile::tempdir().unwrap();
    let unusable = Custody {
        signing_key: no_key.path().to_owned(),
        ..Custody::beside(&no_key.path().join("ledger"))
    };
    for custody in [None, Some(unusable)] {
        let rig = Rig::with(400, custody);
        rig.durable(0).await.unwrap();
        rig.book.note(event(1));
        tokio::time::sleep(GATHER * 2).await;
        assert_eq!(rig.disk.fsyncs(), 1, "of the durable one");
        *rig.today.lock().unwrap() = day("2026-11-23");
        rig.book.note(event(2));
        tokio::time::sleep(GATHER * 2).await;
        assert_eq!(rig.disk.fsyncs(), 2, "of the day that is over");
        assert_eq!(ids(&rig.disk.lines()), [0, 1, 2]);
        // The last second of the new day is its own.
        rig.book.settled().await;
        assert_eq!(rig.disk.fsyncs(), 3);
    }
}

#[actix::test]
async fn an_fsync_that_fails_at_midnight_says_how_many_notes_it_may_have_cost() {
    let rig = Rig::start(400);
    rig.durable(0).await.unwrap();
    rig.book.note(event(1));
    tokio::time::sleep(GATHER * 2).await;
    *rig.today.lock().unwrap() = day("2026-11-23");
    let fails = &rig.disk.sync_fails;
    fails.lock().unwrap().push(io::ErrorKind::Other);
    assert_eq!(rig.durable(2).await, Err(NotNoted::Failed("disk error")));
    assert_eq!(rig.counted().lost, 1);
    rig.durable(3).await.unwrap();
    let lines = rig.disk.lines();
    let told = &lines[lines.len() - 2];
    assert!(told.contains(r#""event":"uppehall""#) && told.contains(r#""lost":1"#));
    assert_eq!(rig.line().state, State::Running);
}

#[actix::test]
async fn a_clock_that_is_put_back_is_noted_once() {
    let rig = Rig::start(400);
    rig.durable(1).await.unwrap();
    *rig.now.lock().unwrap() -= Duration::from_secs(90);
    for n in 2..4 {
        rig.durable(n).await.unwrap();
    }
    let lines = rig.disk.lines();
    assert_eq!(ids(&lines), [1, 2, 0, 3]);
    assert!(
        lines[2].contains(r#""event":"klocksteg","bakat_ms":90000,"#),
        "{}",
        lines[2]
    );
}

#[actix::test]
async fn a_fall_refuses_the_note_in_hand_and_its_group_and_nothing_that_waits_behind() {
    tokio::time::pause();
    let rig = Rig::start(400);
    rig.durable(0).await.unwrap();
    rig.failpoints.arm("ledger", 1);
    rig.book.note(event(1));
    let noted = join_all((2..5).map(|n| rig.durable(n))).await;
    assert_eq!(noted, [Ok(()); 3]);
    assert_eq!(ids(&rig.disk.lines()), [0, 2, 3, 4]);
    assert_eq!(rig.line().restarts, 1);

    let first = rig.book.note_durably(event(5));
    rig.failpoints.arm("ledger", 1);
    assert_eq!(first.await, Err(NotNoted::Down));
    rig.durable(6).await.unwrap();
}

#[actix::test]
async fn a_flood_of_notes_that_nobody_waits_for_leaves_durable_ones_their_room() {
    let rig = Rig::start(MAILBOX_MAX);
    rig.durable(0).await.unwrap();
    let (room, lost) = (MAILBOX_MAX - DURABLE_ROOM, 1_000);
    for n in 0..room + lost {
        rig.book.note(event(n as u128));
    }
    assert_eq!(rig.counted().lost, lost as u64);
    let durable: Vec<_> = (0..DURABLE_ROOM as u128)
        .map(|n| rig.book.note_durably(event(n)))
        .collect();
    let refused = rig.book.note_durably(event(1));
    rig.book.note(event(2));
    assert_eq!(refused.await, Err(NotNoted::Full));
    assert_eq!(rig.counted().lost, lost as u64 + 1);
    assert!(join_all(durable).await.iter().all(Result::is_ok));
    rig.book.settled().await;
    assert_eq!(rig.counted().not_noted, 1);
    assert_eq!(rig.counted().noted, 1 + MAILBOX_MAX as u64);
}

#[actix::test]
async fn a_durable_note_that_nobody_takes_is_refused_when_its_wait_is_over() {
    tokio::time::pause();
    let wait = Duration::from_millis(WAIT_MAX_MS);
    let book = LedgerBook::over(book::mailbox(), Arc::default(), wait);
    let before = tokio::time::Instant::now();
    assert_eq!(book.note_durably(event(1)).await, Err(NotNoted::Late));
    // The timer rounds up to the next millisecond.
    assert!((wait..=wait + Duration::from_millis(1)).contains(&before.elapsed()));
}

#[actix::test]
async fn a_node_that_stops_writes_what_it_has_and_takes_no_more() {
    let rig = Rig::start(400);
    rig.durable(0).await.unwrap();
    for n in 1..=3 {
        rig.book.note(event(n));
    }
    rig.supervisor.send(DismissAll).await.unwrap();
    assert_eq!(rig.durable(4).await, Err(NotNoted::Down));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(ids(&rig.disk.lines()), [0, 1, 2, 3]);
    rig.book.settled().await;
}
