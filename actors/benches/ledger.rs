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
use samsvar_actors::ledger::event::Slag;
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

criterion_group!(benches, durable_notes);
criterion_main!(benches);
