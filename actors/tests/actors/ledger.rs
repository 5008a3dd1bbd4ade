//! The ledger on a real disk, on an arbiter of its own, under a node's supervisor (design 4, step 2;
//! R-083).

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr};
use actix_rt::Arbiter;
use chrono::Utc;
use futures_util::future::join_all;
use samsvar_actors::child::{OverBudget, RestartPolicy};
use samsvar_actors::deadline::DeadlineSettings;
use samsvar_actors::failpoint::Failpoints;
use samsvar_actors::ledger::event::{Avlast, Command, Slag};
use samsvar_actors::ledger::reading::{Reading, Readings};
use samsvar_actors::ledger::verify::{Subject, verify};
use samsvar_actors::ledger::{Event, Ids, LedgerBook, LedgerSettings, NotNoted, What};
use samsvar_actors::node::{AsynchSettings, Links, Node, NodeSettings};
use samsvar_actors::observation::{ActorLine, Observatory, State};
use samsvar_actors::supervisor::{Adopt, Supervisor};
use samsvar_actors::transport::in_process::InProcess;
use shs_schemas::ids::{NodeId, TxId};
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

use crate::node_rig;

struct Rig {
    parent: TempDir,
    book: LedgerBook,
    observatory: Arc<Observatory>,
    failpoints: Failpoints,
    supervisor: Addr<Supervisor>,
}

fn folder_in(parent: &Path) -> PathBuf {
    parent.join("ledger")
}

fn settings(parent: &Path) -> LedgerSettings {
    LedgerSettings {
        group_max: 256,
        wait_max: Duration::from_secs(30),
        ..LedgerSettings::at(folder_in(parent), NodeId::parse("n1").unwrap())
    }
}

impl Rig {
    fn start() -> Self {
        Self::start_in(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    fn start_in(parent: TempDir) -> Self {
        let settings = settings(parent.path());
        let policy = RestartPolicy::new(OverBudget::Escalate);
        let failpoints = Failpoints::default();
        let arbiter = Arbiter::new().handle();
        let (book, spec, _) = LedgerBook::open(settings, policy, arbiter, failpoints.clone());
        let observatory = Arc::new(Observatory::default());
        let supervisor = Supervisor::new(Arc::clone(&observatory), watch::channel(None).0).start();
        supervisor.do_send(Adopt(spec));
        Self {
            parent,
            book,
            observatory,
            failpoints,
            supervisor,
        }
    }

    async fn note(&self, tx_id: &TxId) -> Result<(), NotNoted> {
        let ids = Ids::new(Some(tx_id), None, None);
        let event = Event::now(
            Uuid::new_v4(),
            ids,
            What::Kvitterat {
                slag: Slag::Meddelande,
            },
        );
        self.book.note_durably(event).await
    }

    fn line(&self) -> ActorLine {
        let actors = self.observatory.snapshot().actors;
        actors
            .into_iter()
            .find(|line| line.name == "ledger")
            .unwrap()
    }

    /// What every line is about; each must be JSON.
    fn events(&self) -> Vec<String> {
        let event = |line: &serde_json::Value| line["event"].as_str().unwrap().to_owned();
        self.lines().iter().map(event).collect()
    }

    /// The messages of every file.
    fn tx_ids(&self) -> Vec<String> {
        let tx_id = |json: &serde_json::Value| {
            assert_eq!(json["node"], "n1");
            // The rest is what the ledger says of itself.
            let is_ours = json["event"] == "kvitterat";
            is_ours.then(|| json["tx_id"].as_str().unwrap().to_owned())
        };
        self.lines().iter().filter_map(tx_id).collect()
    }

    fn lines(&self) -> Vec<serde_json::Value> {
        let mut files: Vec<_> = fs::read_dir(folder_in(self.parent.path()))
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|file| !file.ends_with("avlast.jsonl"))
            .collect();
        files.sort();
        let text: String = files
            .iter()
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        assert!(text.ends_with('\n'));
        let lines = text.lines().map(serde_json::from_str);
        lines.map(Result::unwrap).collect()
    }
}

#[actix::test]
async fn what_is_answered_is_on_disk_once_and_took_few_fsyncs() {
    let rig = Rig::start();
    let tx_ids: Vec<_> = (0..1000).map(|_| TxId::fresh()).collect();
    let noted = join_all(tx_ids.iter().map(|tx_id| rig.note(tx_id))).await;
    assert!(noted.iter().all(Result::is_ok), "{noted:?}");
    let sent: Vec<_> = tx_ids.iter().map(ToString::to_string).collect();
    assert_eq!(rig.tx_ids(), sent);
    let counted = rig.book.tally().read();
    // The ledger starts on the first while the rest still come; then at most 256 share one.
    assert!((4..=100).contains(&counted.groups), "{counted:?}");
    assert_eq!(
        (counted.noted, counted.lost, counted.not_noted),
        (1001, 0, 0),
        "and that the node started"
    );
    let folder = folder_in(rig.parent.path());
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[actix::test]
async fn the_next_node_appends_and_closes_a_line_that_a_crash_tore() {
    let parent = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = folder_in(parent.path());
    fs::create_dir(&folder).unwrap();
    let file = folder.join(format!("ledger-{}.jsonl", Utc::now().date_naive()));
    fs::write(&file, "{\"event\":\"mottaget\"}\n{\"event\":\"bes").unwrap();
    let rig = Rig::start_in(parent);
    rig.note(&TxId::fresh()).await.unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("{\"event\":\"mottaget\"}\n{\"event\":\"bes\n{\"seq\":1,")
            && text.contains(r#""event":"lagat","torn_lines":2,"torn_bytes":34,"#),
        "{text}"
    );
    assert_eq!(rig.book.tally().read().torn, 1);
}

#[actix::test]
async fn the_next_node_goes_on_with_the_chain_that_it_opened_before_it_had_anything_to_note() {
    let first = Rig::start();
    first.note(&TxId::fresh()).await.unwrap();
    let parent = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = folder_in(parent.path());
    fs::create_dir(&folder).unwrap();
    let day = format!("ledger-{}.jsonl", Utc::now().date_naive());
    let of_first = folder_in(first.parent.path()).join(&day);
    fs::copy(of_first, folder.join(&day)).unwrap();
    let next = Rig::start_in(parent);
    next.note(&TxId::fresh()).await.unwrap();
    let subject = Subject {
        folder,
        checkpoints: None,
        public_key: None,
    };
    let verified = verify(&subject).unwrap();
    // Each life begins with a line of its own.
    assert_eq!((verified.finding, verified.last_seq), (None, 4));
}

#[actix::test]
async fn a_removed_folder_refuses_notes_until_it_is_back() {
    let rig = Rig::start();
    rig.note(&TxId::fresh()).await.unwrap();
    let folder = folder_in(rig.parent.path());
    fs::remove_dir_all(&folder).unwrap();
    let gone = NotNoted::Failed("folder or file gone");
    // The open file takes this one; the next finds no folder.
    assert_eq!(rig.note(&TxId::fresh()).await, Err(gone));
    assert_eq!(rig.note(&TxId::fresh()).await, Err(gone));
    let line = rig.line();
    assert_eq!((line.state, line.restarts), (State::Impaired, 0));
    assert_eq!(line.last_failure, Some("folder or file gone"));

    fs::create_dir(&folder).unwrap();
    let tx_id = TxId::fresh();
    rig.note(&tx_id).await.unwrap();
    assert_eq!(rig.tx_ids(), [tx_id.to_string()]);
    assert_eq!(rig.line().state, State::Running);
}

#[actix::test]
async fn a_folder_that_cannot_be_made_refuses_notes_and_nothing_falls() {
    let parent = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(folder_in(parent.path()), "a file").unwrap();
    let rig = Rig::start_in(parent);
    let refused = rig.note(&TxId::fresh()).await;
    assert_eq!(refused, Err(NotNoted::Failed("folder or file gone")));
    assert_eq!(rig.line().restarts, 0);
}

#[actix::test]
async fn whatever_falls_in_between_an_ok_is_on_disk_and_everybody_gets_an_answer() {
    let rig = Rig::start();
    // Behind the line that says that the node started.
    rig.note(&TxId::fresh()).await.unwrap();
    let mut promised = HashSet::new();
    let mut refused = 0;
    for _ in 0..3 {
        rig.failpoints.arm("ledger", 1);
        let tx_ids: Vec<_> = (0..200).map(|_| TxId::fresh()).collect();
        let noted = join_all(tx_ids.iter().map(|tx_id| rig.note(tx_id))).await;
        for (tx_id, noted) in tx_ids.iter().zip(noted) {
            match noted {
                Ok(()) => drop(promised.insert(tx_id.to_string())),
                Err(not_noted) => {
                    assert_eq!(not_noted, NotNoted::Down);
                    refused += 1;
                }
            }
        }
    }
    assert!(refused >= 3, "{refused}");
    assert_eq!(rig.line().restarts, 3);
    let on_disk: HashSet<_> = rig.tx_ids().into_iter().collect();
    assert!(promised.is_subset(&on_disk));
    assert!(rig.supervisor.connected());
}

#[actix::test]
async fn a_checkpoint_that_is_asked_for_covers_notes_of_who_has_read() {
    let rig = Rig::start();
    rig.note(&TxId::fresh()).await.unwrap();
    rig.book.stated().await;
    Readings::of(&folder_in(rig.parent.path()))
        .leave(&Reading {
            time: Utc::now(),
            what: Avlast {
                uid: 1,
                sudo_uid: None,
                command: Command::Show,
                filters: Vec::new(),
                result: None,
            },
        })
        .unwrap();
    rig.book.stated().await;
    let events = rig.events();
    assert_eq!(events[events.len() - 2..], ["avlast", "kontrollpunkt"]);
}

#[actix::test]
async fn a_node_that_stops_has_everything_noted_before_on_disk() {
    let parent = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let settings = NodeSettings {
        asynch: Some(AsynchSettings::noted_in(settings(parent.path()))),
        ..node_rig::settings(DeadlineSettings::default())
    };
    let links = Links::to_authorities(Arc::new(InProcess::new()));
    let node = Node::start_on(Arbiter::current(), settings, links, Failpoints::default());
    let book = node.ledger().unwrap();
    let event = || Event::now(Uuid::new_v4(), Ids::default(), What::Duplett);
    book.note_durably(event()).await.unwrap();
    let tree = node.observatory().snapshot().actors;
    assert_eq!(
        tree[1].name, "ledger",
        "first under the supervisor, so last to stop"
    );
    for _ in 0..500 {
        book.note(event());
    }
    node.stop().await;
    assert_eq!(book.tally().read().lost, 0);
    let days = fs::read_dir(folder_in(parent.path())).unwrap();
    let texts = days.map(|day| fs::read_to_string(day.unwrap().path()).unwrap());
    let text: String = texts.collect();
    let count = |event: &str| text.matches(&format!(r#""event":"{event}""#)).count();
    assert_eq!(["startat", "duplett", "stoppat"].map(count), [1, 501, 1]);
    assert_eq!(book.note_durably(event()).await, Err(NotNoted::Down));
}
