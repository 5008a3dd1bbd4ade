//! What log, counters and ledger get of an avvikelse, and what they cannot get.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::fs;
use std::sync::Once;

use actix::{Actor, Addr};
use actix_rt::Arbiter;
use shs_schemas::Fault;
use shs_schemas::ids::{NodeId, TxId};
use tempfile::TempDir;
use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::{Level, Metadata, Subscriber, span};

use super::*;
use crate::child::{OverBudget, RestartPolicy};
use crate::failpoint::Failpoints;
use crate::ledger::{Ledger, LedgerSettings};
use crate::mailbox::Mailbox;
use crate::observation::{Kind, Observatory, Observed};
use crate::supervisor::{Adopt, Supervisor};

const TX: &str = "c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01";
const REQUEST: Uuid = Uuid::from_u128(7);
const WRONG: WireError = WireError::new("data/svar", 512, Fault::Invalid("not base64"));

thread_local! {
    /// What this test's thread has logged.
    static LOGGED: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the lines of this module. One for the whole process: one for each thread would race for the
/// cache that says which lines anyone listens to.
struct Keeper;

impl Keeper {
    fn listen() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| tracing::subscriber::set_global_default(Self).unwrap());
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Keeper {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.target() == "samsvar_actors::avvikelse"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let line = (*event.metadata().level(), fields.0.trim_end().to_owned());
        LOGGED.with_borrow_mut(|logged| logged.push(line));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// What was logged since the last call.
fn logged() -> Vec<(Level, String)> {
    LOGGED.take()
}

fn avvikelser(book: Option<LedgerBook>) -> (Avvikelser, Arc<Tally>) {
    Keeper::listen();
    let tally = Tally::new();
    (Avvikelser::new(Arc::clone(&tally), book), tally)
}

fn ids() -> Ids {
    Ids::new(Some(&TxId::parse(TX).unwrap()), None, None)
}

fn note(avvikelser: &Avvikelser, ul: Uppgiftslamnare, slag: Slag) {
    avvikelser.note(REQUEST, &ids(), Avvikelse::new(ul, slag));
}

fn every_slag() -> Vec<Slag> {
    vec![
        Slag::OgiltigtSvar(WRONG),
        Slag::otillatet_falt("agare".into(), 812, false),
        Slag::AndratSvar,
        Slag::SkvStandard,
        Slag::LefiFelplacerad { antal: 3 },
        Slag::Herrelost(Stray::Late),
        Slag::Herrelost(Stray::Repeated),
        Slag::Herrelost(Stray::Unknown),
    ]
}

fn counted(tally: &Tally, ul: Uppgiftslamnare) -> Vec<u64> {
    tally
        .party(ul)
        .avvikelser()
        .map(|(_, count)| count)
        .collect()
}

#[actix::test]
async fn each_class_is_counted_once_at_its_party_and_nowhere_else() {
    let (avvikelser, tally) = avvikelser(None);
    for (slag, klass) in every_slag().into_iter().zip(Klass::ALL) {
        assert_eq!(slag.klass(), klass);
        note(&avvikelser, Uppgiftslamnare::CSN, slag);
    }
    for ul in Uppgiftslamnare::all() {
        let each = u64::from(ul == Uppgiftslamnare::CSN);
        assert_eq!(counted(&tally, ul), [each; Klass::ALL.len()], "{ul}");
    }
    assert_eq!(tally.lefi_felplacerade(), 3, "members, not answers");
    let strays: Vec<_> = tally.party(Uppgiftslamnare::CSN).strays().collect();
    let expected = [Stray::Late, Stray::Repeated, Stray::Unknown].map(|stray| (stray, 1));
    assert_eq!(strays, expected);
}

#[actix::test]
async fn what_is_not_shown_is_still_counted() {
    let (avvikelser, tally) = avvikelser(None);
    for _ in 0..1_000 {
        avvikelser.note_herrelost(Uppgiftslamnare::TNS, Stray::Late);
    }
    let counts = counted(&tally, Uppgiftslamnare::TNS);
    assert_eq!(counts.iter().sum::<u64>(), 1_000);
    assert_eq!(logged().len(), 1);
}

#[actix::test]
async fn lines_of_the_log_read_like_this() {
    let (avvikelser, _) = avvikelser(None);
    for slag in every_slag() {
        note(&avvikelser, Uppgiftslamnare::MIV, slag);
    }
    avvikelser.note_herrelost(Uppgiftslamnare::AF, Stray::Unknown);
    let head = r#"request_id=00000000-0000-0000-0000-000000000007 bastjanst="MIV" avvikelse="#;
    let lines = logged();
    let expected = [
        (
            Level::WARN,
            r#""ogiltigt_svar" element=data/svar position=512 fault=is invalid: not base64 not_shown=0"#,
        ),
        (
            Level::WARN,
            r#""otillatet_falt" element=agare position=812 withheld=false not_shown=0"#,
        ),
        (Level::ERROR, r#""andrat_svar" security=true"#),
        (Level::INFO, r#""skv_standard" not_shown=0"#),
        (Level::WARN, r#""lefi_felplacerad" antal=3 not_shown=0"#),
        (Level::WARN, r#""sent_svar" not_shown=0"#),
        (Level::WARN, r#""upprepat_svar" not_shown=0"#),
        (Level::WARN, r#""okant_svar" not_shown=0"#),
    ];
    assert_eq!(lines.len(), expected.len() + 1, "{lines:?}");
    for ((level, line), (at, tail)) in lines.iter().zip(expected) {
        assert_eq!(*level, at, "{line}");
        let fields = line.split_once(' ').unwrap().1;
        assert!(line.starts_with("message="), "{line}");
        assert!(fields.ends_with(&format!("{head}{tail}")), "{line}");
    }
    let (_, nobodys) = lines.last().unwrap();
    assert!(nobodys.ends_with(r#"bastjanst="AF" avvikelse="okant_svar" not_shown=0"#));
    assert!(!nobodys.contains("request_id"), "{nobodys}");
}

#[actix::test]
async fn an_authority_that_sends_garbage_gets_one_line_in_ten_seconds_for_each_class() {
    tokio::time::pause();
    let (avvikelser, _) = avvikelser(None);
    let clone = avvikelser.clone();
    let garbage = |ul| note(&avvikelser, ul, Slag::OgiltigtSvar(WRONG));
    for _ in 0..100 {
        garbage(Uppgiftslamnare::SO);
    }
    assert_eq!(logged().len(), 1);
    tokio::time::advance(PERIOD.saturating_sub(Duration::from_millis(1))).await;
    garbage(Uppgiftslamnare::SO);
    assert_eq!(logged(), []);

    // Another party and another class have lines of their own; a clone has not.
    garbage(Uppgiftslamnare::AF);
    note(&avvikelser, Uppgiftslamnare::SO, Slag::SkvStandard);
    assert_eq!(logged().len(), 2);
    note(&clone, Uppgiftslamnare::SO, Slag::OgiltigtSvar(WRONG));
    assert_eq!(logged(), []);

    tokio::time::advance(Duration::from_millis(1)).await;
    garbage(Uppgiftslamnare::SO);
    let lines = logged();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].1.ends_with("not_shown=101"), "{lines:?}");
}

#[actix::test]
async fn a_matter_of_security_is_always_shown() {
    tokio::time::pause();
    let (avvikelser, _) = avvikelser(None);
    for _ in 0..5 {
        note(&avvikelser, Uppgiftslamnare::FK, Slag::AndratSvar);
    }
    let lines = logged();
    assert_eq!(lines.len(), 5);
    assert!(
        lines
            .iter()
            .all(|(level, line)| *level == Level::ERROR && line.contains("security=true"))
    );
}

/// A ledger in a folder of its own.
struct Rig {
    parent: TempDir,
    book: LedgerBook,
    _supervisor: Addr<Supervisor>,
}

impl Rig {
    /// One that is up: what is settled earlier is nothing.
    async fn start() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let settings = LedgerSettings {
            group_max: 256,
            wait_max: Duration::from_secs(30),
            ..LedgerSettings::at(parent.path().join("ledger"), NodeId::parse("n1").unwrap())
        };
        let policy = RestartPolicy::new(OverBudget::Escalate);
        let (here, failpoints) = (Arbiter::current(), Failpoints::default());
        let (book, spec, _) = LedgerBook::open(settings, policy, here, failpoints);
        let observatory = Arc::new(Observatory::default());
        let supervisor = Supervisor::new(observatory, watch::channel(None).0).start();
        supervisor.do_send(Adopt(spec));
        let first = Event::now(Uuid::nil(), Ids::default(), What::Duplett);
        book.note_durably(first).await.unwrap();
        Self {
            parent,
            book,
            _supervisor: supervisor,
        }
    }

    /// The lines of every avvikelse noted so far.
    async fn lines(&self) -> Vec<String> {
        self.book.settled().await;
        let mut text = String::new();
        for entry in fs::read_dir(self.parent.path().join("ledger")).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "jsonl")
            {
                text += &fs::read_to_string(path).unwrap();
            }
        }
        let lines = text
            .lines()
            .filter(|line| line.contains(r#""event":"avvikelse""#));
        lines.map(ToOwned::to_owned).collect()
    }
}

#[actix::test]
async fn each_is_noted_in_the_ledger_and_those_nobody_waited_for_within_a_bound() {
    tokio::time::pause();
    let rig = Rig::start().await;
    let (avvikelser, _) = avvikelser(Some(rig.book.clone()));
    // More than the log shows: each of them.
    for _ in 0..2 {
        for slag in every_slag() {
            note(&avvikelser, Uppgiftslamnare::FK, slag);
        }
    }
    let lines = rig.lines().await;
    assert_eq!(lines.len(), 2 * Klass::ALL.len());
    for (line, klass) in lines.iter().zip(Klass::ALL.iter().cycle()) {
        let slag = format!(
            r#""event":"avvikelse","bastjanst":"FK","slag":"{}""#,
            klass.as_str()
        );
        let whose = format!(r#""request_id":"{REQUEST}","tx_id":"{TX}"}}"#);
        assert!(line.contains(&slag) && line.ends_with(&whose), "{line}");
    }

    for _ in 0..1_000 {
        avvikelser.note_herrelost(Uppgiftslamnare::TNS, Stray::Unknown);
    }
    let before = lines.len();
    let lines = rig.lines().await;
    assert_eq!(lines.len() - before, usize::from(NOTED_MAX));
    tokio::time::advance(PERIOD).await;
    avvikelser.note_herrelost(Uppgiftslamnare::TNS, Stray::Unknown);
    let last = rig.lines().await.pop().unwrap();
    // 1000 - 64 that had no line, and this one.
    assert!(
        last.contains(r#""slag":"okant_svar","antal":937,"withheld":true"#),
        "{last}"
    );
    let total: u64 = rig
        .lines()
        .await
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["bastjanst"] == "TNS")
        .map(|line| line["antal"].as_u64().unwrap())
        .sum();
    assert_eq!(total, 1_001, "every one stands behind a line");
}

#[actix::test]
async fn a_ledger_that_takes_no_more_loses_lines_and_holds_nobody_up() {
    let room = 2;
    let mailbox = Mailbox::<Ledger>::new(Observed::new("ledger".to_owned(), Kind::Ledger), room);
    let book = LedgerBook::over(mailbox, Arc::default(), Duration::from_secs(1));
    let (avvikelser, tally) = avvikelser(Some(book.clone()));
    for _ in 0..5 {
        note(&avvikelser, Uppgiftslamnare::SKV, Slag::SkvStandard);
    }
    assert_eq!(book.tally().read().lost, 5 - room as u64);
    assert_eq!(counted(&tally, Uppgiftslamnare::SKV).iter().sum::<u64>(), 5);
}
