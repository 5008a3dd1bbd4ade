//! What the register promises, one by one, against a plain model, and under 64 threads.

use std::sync::Barrier;
use std::sync::atomic::AtomicUsize;

use proptest::prelude::*;
use shs_schemas::Sensitive;
use shs_schemas::shs::time;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

fn register(remembered_max: usize) -> Transfers {
    Transfers::new(TransferSettings {
        remembered_max,
        remembered_for: HOUR,
    })
}

fn tx(n: u32) -> TxId {
    TxId::parse(&format!("tx-{n}")).unwrap()
}

fn about(conversation: u32, to: Option<&str>) -> About {
    About {
        corr_id: CorrId::parse(&format!("corr-{conversation}")).unwrap(),
        content_id: ContentId::parse("content").unwrap(),
        from: Adress::parse("2120009994").unwrap(),
        to: to.map(|to| Adress::parse(to).unwrap()),
        product: Produkt::Confirm,
        sequence_type: SequenceType::Event,
    }
}

fn arrived(n: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(i64::from(n), 0).unwrap()
}

fn accept_about(transfers: &Transfers, n: u32, about: About) {
    let Claim::New(claimed) = transfers.claim(&tx(n), about) else {
        panic!("tx-{n} is new")
    };
    claimed.accept(arrived(n), LocalId::fresh());
}

fn accept(transfers: &Transfers, n: u32) {
    accept_about(transfers, n, about(n, Some("2021009994")));
}

fn is_known(transfers: &Transfers, n: u32) -> bool {
    transfers.state(&tx(n)).is_some()
}

fn management(conversation: u32, outcome: Outcome) -> Management {
    Management {
        corr_id: about(conversation, None).corr_id,
        content_id: about(conversation, None).content_id,
        datetime: time::read("2031-03-04T10:00:07").unwrap(),
        outcome,
    }
}

fn error(conversation: u32) -> Management {
    let outcome = Outcome::Error {
        code: ErrorCode::UnknownReceiver,
        info: Some(Sensitive::new("fritext".to_owned())),
        appinfo: Vec::new(),
    };
    management(conversation, outcome)
}

fn written_by(from: &Adress) -> Parties<'_> {
    let from = Some(from);
    Parties { from, to: None }
}

fn adress(text: &str) -> Adress {
    Adress::parse(text).unwrap()
}

#[tokio::test]
async fn a_second_copy_is_a_duplicate_with_the_arrival_of_the_first() {
    let transfers = register(10);
    accept(&transfers, 7);
    // The tx.id alone is the key.
    let claim = transfers.claim(&tx(7), about(99, None));
    assert!(matches!(claim, Claim::Duplicate { arrived: first } if first == arrived(7)));
}

#[tokio::test]
async fn a_copy_at_the_same_time_waits_and_learns_that_the_first_was_accepted() {
    let transfers = register(10);
    let Claim::New(first) = transfers.claim(&tx(1), about(1, None)) else {
        panic!("new")
    };
    let Claim::Pending(second) = transfers.claim(&tx(1), about(1, None)) else {
        panic!("pending")
    };
    assert_eq!(transfers.state(&tx(1)), None, "not before it is accepted");
    let waiting = tokio::spawn(second.wait());
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    first.accept(arrived(1), LocalId::fresh());
    let expected = Decided::Accepted {
        arrived: arrived(1),
    };
    assert_eq!(waiting.await.unwrap(), expected);
}

#[tokio::test]
async fn a_claim_that_is_dropped_is_forgotten_and_a_resend_is_new() {
    let transfers = register(10);
    let claim = transfers.claim(&tx(1), about(1, None));
    let Claim::Pending(second) = transfers.claim(&tx(1), about(1, None)) else {
        panic!("pending")
    };
    drop(claim);
    assert_eq!(second.wait().await, Decided::Abandoned);
    accept(&transfers, 1);
    assert_eq!(transfers.counts().states, [1, 0, 0, 0, 0, 0]);
}

#[test]
fn of_64_threads_at_once_exactly_one_takes_the_message_in() {
    const THREADS: usize = 64;
    let transfers = register(200_000);
    for round in 0..50 {
        let (start, gave_up, accepted) = (
            Barrier::new(THREADS),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        );
        let contend = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            start.wait();
            loop {
                match transfers.claim(&tx(round), about(round, None)) {
                    // The first three fall over with the message in hand.
                    Claim::New(claimed) if gave_up.fetch_add(1, Ordering::SeqCst) < 3 => {
                        drop(claimed);
                        return None;
                    }
                    Claim::New(claimed) => {
                        accepted.fetch_add(1, Ordering::SeqCst);
                        claimed.accept(arrived(round), LocalId::fresh());
                        return None;
                    }
                    Claim::Duplicate { arrived } => return Some(arrived),
                    Claim::Pending(pending) => {
                        if let Decided::Accepted { arrived } = runtime.block_on(pending.wait()) {
                            return Some(arrived);
                        }
                    }
                }
            }
        };
        let duplicates = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(contend)).collect();
            let ends = threads.into_iter().map(|thread| thread.join().unwrap());
            ends.flatten().collect::<Vec<_>>()
        });
        assert_eq!(accepted.into_inner(), 1);
        assert_eq!(duplicates, vec![arrived(round); THREADS - 4]);
    }
    assert_eq!(transfers.counts().in_state(TransferState::New), 50);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_is_forgotten_when_its_time_or_its_place_is_over() {
    let transfers = register(3);
    for n in 0..3 {
        accept(&transfers, n);
        tokio::time::advance(HOUR / 4).await;
    }
    accept(&transfers, 3);
    assert_eq!(
        [0, 1, 2, 3].map(|n| is_known(&transfers, n)),
        [false, true, true, true]
    );
    tokio::time::advance(HOUR / 2).await;
    let counted = transfers.counts();
    assert_eq!(
        (counted.forgotten_by_number, counted.forgotten_by_age),
        (1, 1)
    );
    assert_eq!(counted.in_state(TransferState::New), 2);
    assert_eq!(transfers.0.correlation.len(), 2, "the index as well");
    assert!(
        transfers
            .correlate_error(&error(0), Parties::default())
            .is_empty()
    );
    accept(&transfers, 0);
}

#[tokio::test]
async fn a_large_register_stays_within_its_bound_and_forgets_oldest_first() {
    let transfers = register(64 * 1024);
    for n in 0..100_000 {
        accept(&transfers, n);
    }
    let counted = transfers.counts();
    let remembered: usize = counted.states.iter().sum();
    assert!(remembered <= 64 * 1024 && remembered > 60 * 1024);
    assert_eq!(counted.forgotten_by_number, 100_000 - remembered as u64);
    assert_eq!(transfers.0.correlation.len(), remembered);
    assert!((0..20_000).all(|n| !is_known(&transfers, n)));
    assert!((50_000..100_000).all(|n| is_known(&transfers, n)));
}

#[tokio::test]
async fn a_wrong_change_of_state_is_ignored_and_counted() {
    let transfers = register(10);
    accept(&transfers, 1);
    let set = |state| transfers.set_state(&tx(1), state);
    assert_eq!(set(TransferState::Fetched), Changed::Refused);
    assert_eq!(set(TransferState::Received), Changed::Now);
    assert_eq!(set(TransferState::Received), Changed::Already);
    assert_eq!(set(TransferState::Sent), Changed::Refused);
    assert_eq!(set(TransferState::Fetched), Changed::Now);
    assert_eq!(transfers.acknowledge(&tx(1)), Changed::Now);
    assert_eq!(transfers.acknowledge(&tx(1)), Changed::Already);
    assert_eq!(
        transfers.state(&tx(1)),
        Some((TransferState::Fetched, true))
    );
    let unknown = transfers.set_state(&tx(2), TransferState::Sent);
    assert_eq!(
        (unknown, transfers.acknowledge(&tx(2))),
        (Changed::Unknown, Changed::Unknown)
    );
    let counted = transfers.counts();
    assert_eq!((counted.refused, counted.states), (2, [0, 0, 0, 1, 0, 0]));
}

#[tokio::test]
async fn an_error_quarantines_what_it_is_about_once() {
    let transfers = register(10);
    accept(&transfers, 1);
    accept(&transfers, 2);
    transfers.set_state(&tx(1), TransferState::Sent);
    // From a node on the way: a lone message is found all the same.
    let from = adress("0000000002");
    assert_eq!(
        transfers.correlate_error(&error(1), written_by(&from)),
        [tx(1)]
    );
    let code = ErrorCode::UnknownReceiver;
    let expected = TransferState::Quarantined { code };
    assert_eq!(transfers.state(&tx(1)), Some((expected, false)));
    assert!(
        transfers
            .correlate_error(&error(1), written_by(&from))
            .is_empty()
    );
    assert!(
        transfers
            .correlate_error(&error(77), Parties::default())
            .is_empty()
    );
    let confirmation = management(2, Outcome::Confirmation);
    assert!(
        transfers
            .correlate_error(&confirmation, Parties::default())
            .is_empty()
    );
    assert!(
        transfers
            .correlate_confirm(&error(2), Parties::default())
            .is_empty()
    );
    // Only its receiver can say that it has acknowledged.
    let confirmed = transfers.correlate_confirm(&confirmation, written_by(&from));
    assert!(confirmed.is_empty());
    assert_eq!(
        transfers.correlate_confirm(&confirmation, Parties::default()),
        [tx(2)]
    );
    assert!(
        transfers
            .correlate_confirm(&confirmation, Parties::default())
            .is_empty()
    );
    assert_eq!(transfers.state(&tx(2)), Some((TransferState::New, true)));
    assert_eq!(
        transfers.counts().refused,
        0,
        "none of this is a wrong change"
    );
}

#[tokio::test]
async fn of_the_copies_of_a_one_to_many_the_one_whose_receiver_wrote_is_meant() {
    let transfers = register(10);
    accept_about(&transfers, 1, about(1, None));
    transfers.set_state(&tx(1), TransferState::OneToMany);
    accept_about(&transfers, 2, about(1, Some("0000000002.ekonomi")));
    accept_about(&transfers, 3, about(1, Some("0000000003")));
    // An internal id does not matter.
    let second = adress("0000000002.post");
    let confirmation = management(1, Outcome::Confirmation);
    assert_eq!(
        transfers.correlate_confirm(&confirmation, written_by(&second)),
        [tx(2)]
    );
    assert_eq!(
        transfers.correlate_error(&error(1), written_by(&second)),
        [tx(2)]
    );
    let stranger = adress("0000000009");
    assert!(
        transfers
            .correlate_error(&error(1), written_by(&stranger))
            .is_empty()
    );
    // Without a sender all copies are meant, as in Axel; the original never is.
    assert_eq!(
        transfers.correlate_error(&error(1), Parties::default()),
        [tx(3)]
    );
    assert_eq!(
        transfers.state(&tx(1)),
        Some((TransferState::OneToMany, false))
    );
}

#[tokio::test]
async fn a_document_for_somebody_else_is_not_about_the_senders_message() {
    let transfers = register(10);
    accept_about(&transfers, 1, about(1, Some("0000000002")));
    let (second, stranger, sender) = (
        adress("0000000002"),
        adress("0000000009"),
        adress("2120009994.a"),
    );
    let between = |from, to| Parties {
        from: Some(from),
        to: Some(to),
    };
    let forged = between(&stranger, &stranger);
    assert!(transfers.correlate_error(&error(1), forged).is_empty());
    let confirmation = management(1, Outcome::Confirmation);
    let astray = between(&second, &stranger);
    assert!(
        transfers
            .correlate_confirm(&confirmation, astray)
            .is_empty()
    );
    assert_eq!(transfers.state(&tx(1)), Some((TransferState::New, false)));
    // An internal id does not matter.
    let told = between(&second, &sender);
    assert_eq!(transfers.correlate_confirm(&confirmation, told), [tx(1)]);
    assert_eq!(transfers.correlate_error(&error(1), told), [tx(1)]);
}

#[tokio::test]
async fn who_a_product_turned_out_to_address_is_the_one_who_can_confirm() {
    let transfers = register(10);
    accept_about(&transfers, 1, about(1, None));
    let (second, stranger) = (adress("0000000002"), adress("0000000009"));
    transfers.address(&tx(1), &second);
    transfers.address(&tx(1), &stranger);
    let confirmation = management(1, Outcome::Confirmation);
    let by = |who| transfers.correlate_confirm(&confirmation, written_by(who));
    assert!(by(&stranger).is_empty(), "the first receiver stays");
    assert_eq!(by(&second), [tx(1)]);
}

#[tokio::test]
async fn messages_of_nodes_themselves_are_known_and_never_correlated() {
    let transfers = register(10);
    let about = About {
        sequence_type: SequenceType::Adm,
        ..about(1, Some("0000000002"))
    };
    accept_about(&transfers, 1, about);
    assert!(
        transfers
            .correlate_error(&error(1), Parties::default())
            .is_empty()
    );
    assert!(is_known(&transfers, 1));
    assert_eq!(transfers.0.correlation.len(), 0);
}

#[tokio::test]
async fn one_name_for_very_many_messages_leads_to_the_newest_only() {
    let transfers = register(10_000);
    let many = u32::try_from(COPIES_MAX).unwrap() + 5;
    for n in 0..many {
        accept_about(&transfers, n, about(1, Some("0000000002")));
    }
    let found = transfers.correlate_error(&error(1), written_by(&adress("0000000002")));
    assert_eq!(found.len(), COPIES_MAX);
    assert_eq!(found[0], tx(5));
    assert_eq!(transfers.counts().unled, 5);
}

#[tokio::test]
async fn the_snapshot_shows_the_newest_first_and_no_identifier_that_is_free_text() {
    let transfers = register(200_000);
    for n in 0..2_000 {
        accept(&transfers, n);
    }
    assert_eq!(transfers.snapshot(usize::MAX).len(), SNAPSHOT_MAX);
    let lines = transfers.snapshot(3);
    let seconds: Vec<_> = lines.iter().map(|line| line.arrived.timestamp()).collect();
    assert_eq!(seconds, [1999, 1998, 1997]);
    transfers.correlate_error(&error(1999), Parties::default());
    let mut line = serde_json::to_value(&transfers.snapshot(1)[0]).unwrap();
    line["local_id"] = "…".into();
    let expected = serde_json::json!({
        "id": "opak", "local_id": "…", "arrived": "1970-01-01T00:33:19Z",
        "from": "urn:X-shs:2120009994", "to": "urn:X-shs:2021009994",
        "product": "urn:X-shs:confirm", "sequence_type": "event",
        "state": "quarantined", "code": "UnknownReceiver", "acknowledged": false,
    });
    assert_eq!(line, expected);
}

/// What may happen to a register.
#[derive(Clone, Debug)]
enum Happens {
    Arrives(u32),
    IsAbandoned(u32),
    Changes(u32, TransferState),
    IsConfirmed(u32),
    Time(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    let code = ErrorCode::OtherError;
    let states = [
        TransferState::Sent,
        TransferState::Received,
        TransferState::Fetched,
        TransferState::Quarantined { code },
    ];
    let state = prop::sample::select(states.to_vec());
    prop_oneof![
        6 => (0..12_u32).prop_map(Happens::Arrives),
        1 => (0..12_u32).prop_map(Happens::IsAbandoned),
        3 => (0..12_u32, state).prop_map(|(n, state)| Happens::Changes(n, state)),
        1 => (0..12_u32).prop_map(Happens::IsConfirmed),
        2 => (1..40_u64).prop_map(Happens::Time),
    ]
}

/// The same, without shards, index or counters: oldest first.
#[derive(Default)]
struct Model {
    remembered: VecDeque<(u32, u64, TransferState, bool)>,
    now: u64,
}

const MODEL_MAX: usize = 5;

impl Model {
    fn of(&mut self, n: u32) -> Option<&mut (u32, u64, TransferState, bool)> {
        self.remembered.retain(|(_, at, ..)| self.now - at < 60);
        self.remembered.iter_mut().find(|(known, ..)| *known == n)
    }

    fn arrives(&mut self, n: u32) {
        self.remembered
            .push_back((n, self.now, TransferState::New, false));
        if self.remembered.len() > MODEL_MAX {
            self.remembered.pop_front();
        }
    }
}

async fn step(transfers: &Transfers, model: &mut Model, one: &Happens) {
    match *one {
        Happens::Arrives(n) => match transfers.claim(&tx(n), about(n, Some("0000000002"))) {
            Claim::New(claimed) => {
                assert!(model.of(n).is_none());
                claimed.accept(arrived(n), LocalId::fresh());
                model.arrives(n);
            }
            Claim::Duplicate { .. } => assert!(model.of(n).is_some()),
            Claim::Pending(_) => panic!("nobody else is here"),
        },
        Happens::IsAbandoned(n) => drop(transfers.claim(&tx(n), about(n, None))),
        Happens::Changes(n, state) => {
            // Ageing is seen at the next claim or reading.
            transfers.forget_old();
            let changed = transfers.set_state(&tx(n), state);
            let expected = match model.of(n) {
                None => Changed::Unknown,
                Some((.., known, _)) if *known == state => Changed::Already,
                Some((.., known, _)) if known.may_become(state) => {
                    *known = state;
                    Changed::Now
                }
                Some(_) => Changed::Refused,
            };
            assert_eq!(changed, expected);
        }
        Happens::IsConfirmed(n) => {
            transfers.forget_old();
            let found = transfers
                .correlate_confirm(&management(n, Outcome::Confirmation), Parties::default());
            let new = model.of(n).filter(|(.., acknowledged)| !acknowledged);
            assert_eq!(found, new.iter().map(|_| tx(n)).collect::<Vec<_>>());
            if let Some((.., acknowledged)) = new {
                *acknowledged = true;
            }
        }
        Happens::Time(minutes) => {
            tokio::time::advance(Duration::from_secs(60 * minutes)).await;
            model.now += minutes;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_the_order_it_agrees_with_a_plain_list(
        orders in prop::collection::vec(happens(), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (transfers, mut model) = (register(MODEL_MAX), Model::default());
            for one in &orders {
                step(&transfers, &mut model, one).await;
                let counted = transfers.counts();
                let _ = model.of(0);
                assert_eq!(counted.states.iter().sum::<usize>(), model.remembered.len());
                assert_eq!(transfers.0.correlation.len(), model.remembered.len());
            }
            let states = transfers.snapshot(99).into_iter().map(|line| (line.state, line.acknowledged));
            let expected = model.remembered.iter().rev().map(|(.., state, acked)| (*state, *acked));
            assert_eq!(states.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        });
    }
}

#[test]
fn a_message_that_is_retracted_is_new_when_it_comes_again() {
    let transfers = register(10);
    for n in 0..3 {
        accept(&transfers, n);
    }
    transfers.retract(&tx(1));
    transfers.retract(&tx(7));
    assert!(!is_known(&transfers, 1) && is_known(&transfers, 0) && is_known(&transfers, 2));
    assert_eq!(transfers.counts().in_state(TransferState::New), 2);
    let anyone = Parties::default();
    assert!(transfers.correlate_error(&error(1), anyone).is_empty());
    accept(&transfers, 1);
    assert_eq!(transfers.snapshot(10).len(), 3);
}
