//! Durable notes a second: one sender that waits for each, and 64 that wait at once and share their
//! fsyncs. On the disk of the target folder, through mailbox, actor and file as a node has them.

use std::hint::black_box;
use std::time::Duration;

use actix::Actor;
use actix_rt::Arbiter;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use samsvar_actors::child::{OverBudget, RestartPolicy};
use samsvar_actors::failpoint::Failpoints;
use samsvar_actors::ledger::chain::Head;
use samsvar_actors::ledger::event::Slag;
use samsvar_actors::ledger::keys::KeyFile;
use samsvar_actors::ledger::promises::{self, Earlier, LOOK_BACK_MIN, Stopped};
use samsvar_actors::ledger::{Event, GROUP_MAX, Ids, LedgerBook, LedgerSettings, What};
use samsvar_actors::observation::Observatory;
use samsvar_actors::supervisor::{Adopt, Supervisor};
use shs_schemas::ids::{NodeId, TxId};
use std::sync::Arc;
use uuid::Uuid;

/// Notes that wait at once.
const OPEN: [usize; 2] = [1, 64];

fn event() -> Event {
    let tx_id = TxId::fresh();
    let ids = Ids::new(Some(&tx_id), None, None);
    Event::now(
        Uuid::new_v4(),
        ids,
        What::Kvitterat {
            slag: Slag::Meddelande,
        },
    )
}

fn durable_notes(c: &mut Criterion) {
    let system = actix_rt::System::new();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let node_id = NodeId::parse("bench").expect("a node id");
    let settings = LedgerSettings {
        group_max: GROUP_MAX as usize,
        wait_max: Duration::from_mins(1),
        ..LedgerSettings::at(folder.path().join("ledger"), node_id)
    };
    let policy = RestartPolicy::new(OverBudget::Escalate);
    let arbiter = Arbiter::new();
    let (book, spec, _) =
        LedgerBook::open(settings, policy, arbiter.handle(), Failpoints::default());
    system.block_on(async {
        let (escalate, _) = tokio::sync::watch::channel(None);
        let observatory = Arc::new(Observatory::default());
        Supervisor::new(observatory, escalate)
            .start()
            .do_send(Adopt(spec));
        book.note_durably(event()).await.expect("noted");
    });
    let mut group = c.benchmark_group("durable_notes");
    for open in OPEN {
        group.throughput(Throughput::Elements(open as u64));
        group.bench_function(format!("{open}_at_once"), |b| {
            b.iter(|| {
                let notes = (0..open).map(|_| book.note_durably(event()));
                let answers = system.block_on(join_all(notes));
                assert!(black_box(answers).iter().all(Result::is_ok));
            });
        });
    }
    group.finish();
    drop(arbiter);
}

/// A day of the ledger, read for promises: as a node does that starts. Of a hundred requests one is
/// asynchronous, and of those one in ten has no end.
fn reading(c: &mut Criterion) {
    const REQUESTS: u32 = 20_000;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let path = folder.path().join("ledger");
    std::fs::create_dir(&path).expect("a folder");
    let (mut lines, mut head) = (Vec::new(), Head::START);
    let mut note = |of: u32, what: &str| {
        let id = Uuid::from_u128(u128::from(of));
        let line = format!(
            "{{\"time\":\"2026-11-22T10:00:00.000Z\",{what},\"node\":\"samsvar-1\",\
             \"request_id\":\"{id}\",\"tx_id\":\"{id}\",\"corr_id\":\"{id}\",\"content_id\":\"{id}\"}}"
        );
        head = head.tie(line.as_bytes(), &mut lines);
    };
    let mottaget = |transfer_type: &str| {
        format!(
            "\"event\":\"mottaget\",\"from\":\"urn:X-shs:2120009994\",\"to\":\"urn:X-shs:2021009994\",\
             \"product\":\"urn:X-shs:55b7e000-0010-4000-8000-000000000010\",\"status\":\"test\",\
             \"transfer_type\":\"{transfer_type}\",\"sequence_type\":\"request\",\"bytes\":4000,\"parts\":1"
        )
    };
    for of in 0..REQUESTS {
        let is_asynch = of % 100 == 0;
        note(of, &mottaget(if is_asynch { "asynch" } else { "synch" }));
        note(of, "\"event\":\"fraga\",\"personer\":1");
        for ul in ["AF", "CSN", "FK", "MIV", "PM", "SKV", "SO", "TNS"] {
            note(
                of,
                &format!(
                    "\"event\":\"delsvar\",\"bastjanst\":\"{ul}\",\"outcome\":\"svar\",\"ms\":31,\"bytes\":812"
                ),
            );
        }
        note(
            of,
            "\"event\":\"besvarat\",\"outcome\":\"answered\",\"ms\":31,\"bytes\":9000",
        );
        if !is_asynch {
            note(
                of,
                "\"event\":\"gallrat\",\"reason\":\"levererat\",\"ms\":32",
            );
        } else if of % 1_000 != 0 {
            note(of, "\"event\":\"kvitterat\",\"slag\":\"svar\"");
        }
    }
    std::fs::write(path.join("ledger-2026-11-22.jsonl"), &lines).expect("a day");
    let keys = KeyFile::at(folder.path().join("ledger.keys"));
    let mut group = c.benchmark_group("promises");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(lines.len() as u64));
    group.bench_function("a_day_is_read", |b| {
        b.iter(|| {
            let earlier = Earlier::of(&path).expect("files");
            let standing = promises::read(earlier, &keys, LOOK_BACK_MIN, &Stopped::default());
            assert_eq!(black_box(standing).expect("read").owed.len(), 20);
        });
    });
    group.finish();
}

criterion_group!(benches, durable_notes, reading);
criterion_main!(benches);
