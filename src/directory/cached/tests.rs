//! The cache over a scripted directory, at a paused clock.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::time::{advance, sleep, timeout};

use super::super::circuit::{AWAY_PAUSE_FIRST, AWAY_PAUSE_LONGEST};
use super::*;

const SECOND: Duration = Duration::from_secs(1);
const FRESH: Duration = Duration::from_hours(1);
const STALE: Duration = Duration::from_hours(24);
const NEGATIVE: Duration = Duration::from_mins(1);
/// How long the scripted directory takes to answer, and to fail.
const TAKES: Duration = Duration::from_secs(2);

/// What the scripted directory does.
#[derive(Clone, Copy, Debug)]
enum Does {
    Find,
    FindNothing,
    Fail,
    Panic,
    Hang,
}

struct Scripted {
    does: Mutex<Does>,
    asked: AtomicUsize,
}

impl Scripted {
    async fn act(&self, url: &str) -> Result<Option<String>, DirectoryAway> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        sleep(TAKES).await;
        let does = *locked(&self.does);
        match does {
            Does::Find => Ok(Some(format!("{url}#{asked}"))),
            Does::FindNothing => Ok(None),
            Does::Fail => Err(DirectoryAway),
            Does::Panic => panic!("scripted"),
            Does::Hang => pending().await,
        }
    }
}

impl Directory for Scripted {
    fn actor<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<Entry>> {
        let entry = async move {
            let name = self.act(of.as_str()).await?;
            Ok(name.map(|name| Entry {
                organisation: of.clone(),
                name: Some(name),
                labeled_uri: None,
            }))
        };
        entry.boxed()
    }

    fn address<'a>(
        &'a self,
        of: &'a Organisationsnummer,
        produkt: Produkt,
    ) -> Found<'a, Option<String>> {
        async move { self.act(&format!("{of}/{}", produkt.bare())).await }.boxed()
    }

    fn any_address<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<String>> {
        self.act(of.as_str()).boxed()
    }

    fn public_agreements<'a>(
        &'a self,
        _principal: Option<&'a Organisationsnummer>,
        _produkt: Produkt,
    ) -> Found<'a, Vec<PublicAgreement>> {
        async move { self.act("").await.map(|_| Vec::new()) }.boxed()
    }
}

struct Rig {
    scripted: Arc<Scripted>,
    cached: CachedDirectory,
}

impl Rig {
    fn new() -> Self {
        Self::with_entries_max(100)
    }

    fn with_entries_max(entries_max: usize) -> Self {
        let scripted = Arc::new(Scripted {
            does: Mutex::new(Does::Find),
            asked: AtomicUsize::new(0),
        });
        let settings = CacheSettings {
            fresh: FRESH,
            stale: STALE,
            negative: NEGATIVE,
            entries_max,
        };
        let directory = Arc::clone(&scripted) as Arc<dyn Directory>;
        let cached = CachedDirectory::new(directory, settings, Handle::current());
        Self { scripted, cached }
    }

    fn now_does(&self, does: Does) {
        *locked(&self.scripted.does) = does;
    }

    fn asked(&self) -> usize {
        self.scripted.asked.load(Ordering::SeqCst)
    }

    async fn any(&self, number: u32) -> Result<Option<String>, DirectoryAway> {
        self.cached.any_address(&of(number)).await
    }

    /// A look-up that must not wait for anything.
    async fn any_at_once(&self, number: u32) -> Result<Option<String>, DirectoryAway> {
        let before = Instant::now();
        let found = self.any(number).await;
        assert_eq!(before.elapsed(), Duration::ZERO, "waited");
        found
    }

    fn count(&self, lookup: Lookup) -> u64 {
        self.cached.counted().lookups(lookup)
    }
}

fn of(number: u32) -> Organisationsnummer {
    Organisationsnummer::parse(&number.to_string()).unwrap()
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "reads like the answers it stands for"
)]
fn found(text: &str) -> Result<Option<String>, DirectoryAway> {
    Ok(Some(text.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn a_fresh_answer_asks_nobody_and_an_expired_one_is_renewed() {
    let rig = Rig::new();
    assert_eq!(rig.any(7).await, found("7#1"));
    advance(FRESH / 2).await;
    assert_eq!(rig.any_at_once(7).await, found("7#1"));
    advance(FRESH / 2).await;
    assert_eq!(rig.any(7).await, found("7#2"));
    assert_eq!(
        (rig.count(Lookup::Fresh), rig.count(Lookup::Cached)),
        (2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_question_is_kept_by_itself() {
    let rig = Rig::new();
    for _ in 0..2 {
        let entry = rig.cached.actor(&of(7)).await.unwrap().unwrap();
        assert_eq!(entry.name.as_deref(), Some("7#1"));
        let error = rig.cached.address(&of(7), Produkt::Error).await;
        assert_eq!(error, found("7/error#2"));
        let confirm = rig.cached.address(&of(7), Produkt::Confirm).await;
        assert_eq!(confirm, found("7/confirm#3"));
        assert_eq!(rig.any(7).await, found("7#4"));
        let agreements = rig.cached.public_agreements(None, Produkt::Error).await;
        assert_eq!(agreements, Ok(Vec::new()));
    }
    assert_eq!((rig.asked(), rig.cached.counted().entries), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn many_callers_at_once_make_one_search() {
    let rig = Rig::new();
    let callers = join_all((0..50).map(|_| rig.any(7))).await;
    assert!(callers.iter().all(|answer| *answer == found("7#1")));
    assert_eq!(rig.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_takes_nobodys_answer_along() {
    let rig = Rig::new();
    assert!(timeout(SECOND, rig.any(7)).await.is_err());
    assert_eq!(rig.any(7).await, found("7#1"));
    assert_eq!(rig.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_the_directory_is_away_older_answers_serve_until_they_are_too_old() {
    let rig = Rig::new();
    rig.any(7).await.unwrap();
    rig.now_does(Does::Fail);
    advance(FRESH).await;
    assert_eq!(rig.any(7).await, found("7#1"), "its caller has waited");
    assert_eq!(
        rig.any_at_once(7).await,
        found("7#1"),
        "the next one need not"
    );
    assert_eq!(rig.count(Lookup::Stale), 2);
    advance(STALE).await;
    assert_eq!(rig.any(7).await, Err(DirectoryAway));
    assert_eq!(rig.count(Lookup::Away), 1);
}

#[tokio::test(start_paused = true)]
async fn only_one_caller_at_a_time_finds_out_whether_it_is_back() {
    let rig = Rig::new();
    rig.now_does(Does::Fail);
    assert_eq!(rig.any(1).await, Err(DirectoryAway));
    for number in 2..100 {
        assert_eq!(rig.any_at_once(number).await, Err(DirectoryAway));
    }
    assert_eq!(rig.asked(), 1);
    advance(AWAY_PAUSE_FIRST).await;
    let (probe, others) = tokio::join!(
        rig.any(1),
        join_all((2..100).map(|number| rig.any_at_once(number)))
    );
    assert_eq!(probe, Err(DirectoryAway));
    assert!(others.iter().all(Result::is_err));
    assert_eq!(rig.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn it_recovers_by_itself() {
    let rig = Rig::new();
    rig.now_does(Does::Fail);
    for _ in 0..20 {
        assert_eq!(rig.any(1).await, Err(DirectoryAway));
        advance(AWAY_PAUSE_LONGEST).await;
    }
    rig.now_does(Does::Find);
    assert!(rig.any(1).await.is_ok());
    let others = join_all((2..10).map(|number| rig.any(number))).await;
    assert!(others.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn that_there_is_none_is_believed_for_a_short_time_and_never_when_it_is_away() {
    let rig = Rig::new();
    rig.now_does(Does::FindNothing);
    assert_eq!(rig.any(7).await, Ok(None));
    advance(NEGATIVE / 2).await;
    assert_eq!(rig.any_at_once(7).await, Ok(None));
    advance(NEGATIVE / 2).await;
    rig.now_does(Does::Fail);
    assert_eq!(rig.any(7).await, Err(DirectoryAway));
    advance(AWAY_PAUSE_FIRST).await;
    rig.now_does(Does::Find);
    assert_eq!(rig.any(7).await, found("7#3"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_directory_costs_one_look_up() {
    let rig = Rig::new();
    rig.now_does(Does::Panic);
    assert_eq!(rig.any(7).await, Err(DirectoryAway));
    rig.now_does(Does::Find);
    advance(AWAY_PAUSE_FIRST).await;
    assert_eq!(rig.any(7).await, found("7#2"));
}

#[tokio::test(start_paused = true)]
async fn questions_that_are_open_are_bounded() {
    let rig = Rig::with_entries_max(1);
    rig.now_does(Does::Hang);
    let patient = join_all((0..1000).map(|number| timeout(SECOND * 10, rig.any(number)))).await;
    let refused = patient.iter().filter(|one| one.is_ok()).count();
    assert_eq!(rig.asked(), FLIGHTS_PER_SHARD_MAX);
    assert_eq!(refused, 1000 - FLIGHTS_PER_SHARD_MAX);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_kept_are_bounded() {
    for entries_max in [1, 20, 1000] {
        let rig = Rig::with_entries_max(entries_max);
        for number in 0..3000 {
            rig.any(number).await.unwrap();
        }
        let entries = rig.cached.counted().entries;
        // The last part of a thousand by sixteen is not used.
        assert!(
            (entries_max * 9 / 10..=entries_max).contains(&entries),
            "{entries}"
        );
    }
}
