//! The server stops, comes back, and stands still while look-ups flow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use samsvar::directory::{Catalogue, Lookup};
use samsvar::settings::Ldap;
use samsvar_actors::directory::{Directory, DirectoryAway};
use shs_schemas::shs::Produkt;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

use crate::rig::{FIKTIVKONTORET, LONGEST, P7, PROVMYNDIGHETEN, SLACK, TIMEOUT};
use crate::rig::{catalogue, directory, ldap, number, produkt};
use crate::slapd::{Readers, Slapd};

/// What "at once" may take on a busy machine.
const AT_ONCE: Duration = Duration::from_millis(250);
/// Longest wait for the directory's return to be noticed: some pauses of the circuit.
const RECOVERY_MAX: Duration = Duration::from_secs(20);

/// Look-ups of one known actor, one after the other, until told to end.
struct Flow {
    end: Arc<AtomicBool>,
    task: JoinHandle<(u32, Duration)>,
}

impl Flow {
    fn of(catalogue: &Arc<Catalogue>) -> Self {
        let (end, catalogue) = (Arc::<AtomicBool>::default(), Arc::clone(catalogue));
        let ended = Arc::clone(&end);
        let task = tokio::spawn(async move {
            let (mut count, mut longest) = (0, Duration::ZERO);
            while !ended.load(Ordering::SeqCst) {
                let begun = Instant::now();
                let found = catalogue.any_address(&number(PROVMYNDIGHETEN)).await;
                assert!(matches!(found, Ok(Some(_))), "{found:?}");
                longest = longest.max(begun.elapsed());
                count += 1;
                sleep(Duration::from_millis(5)).await;
            }
            (count, longest)
        });
        Self { end, task }
    }

    /// How many there were, all answered, and how long the longest took.
    async fn end(self) -> (u32, Duration) {
        self.end.store(true, Ordering::SeqCst);
        self.task.await.unwrap()
    }
}

/// Answers that expire at once, and are used all the same while the directory is away.
fn forgetful(slapd: &Slapd) -> Ldap {
    Ldap {
        cache_s: 0,
        negative_cache_s: 0,
        ..ldap(&slapd.url())
    }
}

/// A look-up of an actor that nobody knows, and how long it took.
async fn stranger(catalogue: &Catalogue) -> (Result<Option<String>, DirectoryAway>, Duration) {
    let begun = Instant::now();
    let of = number("0000000099");
    let found = catalogue.address(&of, Produkt::Error).await;
    (found, begun.elapsed())
}

async fn wait_until_back(catalogue: &Catalogue) {
    let begun = Instant::now();
    while stranger(catalogue).await.0 == Err(DirectoryAway) {
        assert!(begun.elapsed() < RECOVERY_MAX, "does not recover");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn known_actors_go_on_unknown_ones_are_told_and_it_recovers_by_itself() {
    let Some(mut slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let catalogue = catalogue(forgetful(&slapd));
    assert_eq!(stranger(&catalogue).await.0, Ok(None));
    let flow = Flow::of(&catalogue);
    sleep(TIMEOUT).await;
    for _ in 0..2 {
        slapd = spawn_blocking(move || {
            slapd.stop();
            slapd
        })
        .await
        .unwrap();
        // The first may have to find out.
        let (found, took) = stranger(&catalogue).await;
        assert_eq!(found, Err(DirectoryAway));
        assert!(took < LONGEST + SLACK, "{took:?}");
        let begun = Instant::now();
        let many = join_all((0..1000).map(|_| stranger(&catalogue))).await;
        assert!(many.iter().all(|(found, _)| *found == Err(DirectoryAway)));
        assert!(begun.elapsed() < LONGEST + SLACK, "{:?}", begun.elapsed());
        slapd = spawn_blocking(move || {
            slapd.start_again();
            slapd
        })
        .await
        .unwrap();
        wait_until_back(&catalogue).await;
        let of = number(FIKTIVKONTORET);
        let found = catalogue.address(&of, Produkt::Error).await;
        assert!(matches!(found, Ok(Some(_))), "{found:?}");
    }
    let (count, longest) = flow.end().await;
    assert!(count > 20, "{count}");
    assert!(longest < LONGEST + SLACK, "{longest:?}");
    let counted = catalogue.counted().unwrap();
    for lookup in [Lookup::Fresh, Lookup::Stale, Lookup::Away] {
        assert!(counted.lookups(lookup) > 0, "{lookup:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_costs_the_first_callers_a_bounded_time() {
    let Some(slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let catalogue = catalogue(forgetful(&slapd));
    let flow = Flow::of(&catalogue);
    sleep(TIMEOUT).await;
    slapd.freeze();
    let (found, took) = stranger(&catalogue).await;
    assert_eq!(found, Err(DirectoryAway));
    assert!(took < LONGEST + SLACK, "{took:?}");
    // One in a pause's time finds out whether it is back; nobody else waits.
    let mut at_once = 0;
    for _ in 0..20 {
        let (found, took) = stranger(&catalogue).await;
        assert_eq!(found, Err(DirectoryAway));
        assert!(took < LONGEST + SLACK, "{took:?}");
        at_once += u32::from(took < AT_ONCE);
    }
    assert!(at_once >= 15, "{at_once} of 20");
    slapd.thaw();
    wait_until_back(&catalogue).await;
    let (_, longest) = flow.end().await;
    assert!(longest < LONGEST + SLACK, "{longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_memory_too_every_look_up_ends_in_time() {
    let Some(slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let directory = directory(&ldap(&slapd.url()));
    let of = number(PROVMYNDIGHETEN);
    slapd.freeze();
    let begun = Instant::now();
    // More than may be with the server at once.
    let found = join_all((0..200).map(|_| directory.address(&of, produkt(P7)))).await;
    assert!(found.iter().all(|one| *one == Err(DirectoryAway)));
    assert!(begun.elapsed() < LONGEST + SLACK, "{:?}", begun.elapsed());
    slapd.thaw();
    let found = directory.address(&of, produkt(P7)).await;
    assert!(matches!(found, Ok(Some(_))), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_server_closed_is_replaced_without_anyone_noticing() {
    let Some(mut slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let directory = directory(&ldap(&slapd.url()));
    let of = number(PROVMYNDIGHETEN);
    assert!(directory.actor(&of).await.unwrap().is_some());
    let _slapd = spawn_blocking(move || {
        slapd.stop();
        slapd.start_again();
        slapd
    })
    .await
    .unwrap();
    assert!(directory.actor(&of).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_of_the_configuration_needs_no_directory() {
    let Some(mut slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    slapd.stop();
    let catalogue = catalogue(ldap(&slapd.url()));
    let listed = number("2120009994");
    let entry = catalogue.actor(&listed).await.unwrap().unwrap();
    assert_eq!(entry.name.as_deref(), Some("Exempelköpings kommun"));
    assert_eq!(catalogue.any_address(&listed).await, Ok(None));
    let away = catalogue.public_agreements(None, produkt(P7)).await;
    assert_eq!(away, Err(DirectoryAway));
}
