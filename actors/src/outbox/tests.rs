//! What lies in an outbox, who gets it, and that nothing is left of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use shs_schemas::ids::{ContentId, CorrId};
use shs_schemas::shs::label::{
    Actor, Content, MessageType, Product, SequenceType, Status, TransferType,
};
use shs_schemas::shs::{Produkt, time};

use super::*;

const OWNER: &str = "2021009994";

pub(super) fn tx(number: u32) -> TxId {
    TxId::parse(&format!("7b9d1c52-6f0e-4d3a-9c4b-{number:012}")).unwrap()
}

pub(super) fn label(tx_id: &TxId) -> Label {
    Label {
        tx_id: tx_id.clone(),
        corr_id: CorrId::parse("7b9d1c52-6f0e-4d3a-9c4b-5e6f70819bbb").unwrap(),
        agreement: None,
        transfer_type: TransferType::Asynch,
        message_type: MessageType::Simple,
        sequence_type: SequenceType::Event,
        status: Status::Production,
        originator: None,
        from: Some(Actor::new(Adress::parse("2120009994").unwrap(), None)),
        to: None,
        end_recipient: None,
        product: Product::from(Produkt::Error),
        meta: Vec::new(),
        subject: None,
        datetime: time::swedish(Utc::now()),
        content: Content {
            id: ContentId::parse("7b9d1c52-6f0e-4d3a-9c4b-5e6f70819aaa").unwrap(),
            data: Vec::new(),
            compound: false,
            comment: None,
        },
        history: Vec::new(),
    }
}

/// Content that is counted as long as a piece of it is alive.
struct Content100<'a>(&'a AtomicUsize);

impl AsRef<[u8]> for Content100<'_> {
    fn as_ref(&self) -> &[u8] {
        &[b'x'; 100]
    }
}

impl Drop for Content100<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Outboxes of one owner, and how many contents are alive.
struct Rig {
    outboxes: Arc<Outboxes>,
    alive: &'static AtomicUsize,
}

impl Rig {
    fn new(change: impl FnOnce(&mut OutboxSettings)) -> Self {
        let mut settings = OutboxSettings::default();
        change(&mut settings);
        let other = Organisationsnummer::parse("2120009994").unwrap();
        let owner = Organisationsnummer::parse(OWNER).unwrap();
        Self {
            outboxes: Outboxes::new(settings, [owner, other]),
            alive: Box::leak(Box::default()),
        }
    }

    fn kinder() -> Self {
        Self::new(|_| ())
    }

    fn strict() -> Self {
        Self::new(|settings| settings.strict_fetch = true)
    }

    /// A message of 100 bytes.
    fn stored(&self, tx_id: &TxId) -> Stored {
        self.alive.fetch_add(1, Ordering::SeqCst);
        Stored {
            label: label(tx_id),
            message: Sensitive::new(Bytes::from_owner(Content100(self.alive))),
            arrived: Utc::now(),
            confirm: true,
            origin: Origin::message(uuid::Uuid::from_u128(7)),
        }
    }

    fn put(&self, to: &str, tx_id: &TxId) {
        let place = self.outboxes.reserve(&address(to)).unwrap();
        place.put(self.stored(tx_id));
    }

    fn listed(&self, outbox: &str) -> usize {
        self.outboxes
            .list(&address(outbox), &ListQuery::default())
            .len()
    }

    fn fetch(&self, tx_id: &TxId) -> Result<Fetched, NotThere> {
        self.outboxes.fetch(&address(OWNER), tx_id)
    }

    fn acknowledge(&self, tx_id: &TxId) -> Result<Acknowledged, NotThere> {
        self.outboxes.acknowledge(&address(OWNER), tx_id)
    }

    fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    fn owner(&self) -> &Owner {
        &self.outboxes.owners[address(OWNER).organisation()]
    }

    /// Nothing is held, counted or indexed any more.
    fn assert_nothing_is_left(&self) {
        assert_eq!(self.alive(), 0);
        assert_eq!(self.owner().leftovers(), [0; 7]);
        let counts = self.outboxes.counts();
        assert_eq!((counts.messages, counts.bytes), (0, 0));
    }
}

fn address(text: &str) -> Adress {
    Adress::parse(text).unwrap()
}

async fn pass(time: Duration) {
    tokio::time::advance(time).await;
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
/// An hour less [`SECOND`]; the longest transfer is an hour.
const ALMOST_AN_HOUR: Duration = Duration::from_secs(3599);

#[tokio::test(start_paused = true)]
async fn a_message_lies_in_the_outbox_with_exactly_its_address() {
    let rig = Rig::kinder();
    rig.put("2021009994.ekonomi", &tx(1));
    assert_eq!(rig.listed("2021009994.ekonomi"), 1);
    for other in [
        "2021009994",
        "2021009994.Ekonomi",
        "2021009994.ekonomi.a",
        "2120009994",
    ] {
        assert_eq!(rig.listed(other), 0, "{other}");
        let other = address(other);
        assert!(rig.outboxes.fetch(&other, &tx(1)).is_err());
        assert!(rig.outboxes.acknowledge(&other, &tx(1)).is_err());
    }
    let outbox = address("urn:x-shs:2021009994.ekonomi");
    assert_eq!(rig.outboxes.look(&outbox, &tx(1)), Ok(100));
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_is_not_local_has_no_outbox_and_an_empty_list() {
    let rig = Rig::kinder();
    let foreign = address("5560000001");
    assert!(!rig.outboxes.is_local(foreign.organisation()));
    assert_eq!(
        rig.outboxes.reserve(&foreign).unwrap_err(),
        NoPlace::NotLocal
    );
    assert_eq!(rig.listed("5560000001"), 0);
    assert_eq!(rig.outboxes.look(&foreign, &tx(1)), Err(NotThere));
    assert_eq!(rig.outboxes.counts().refused, 0);
}

#[tokio::test(start_paused = true)]
async fn a_fetched_message_is_hidden_for_a_time_and_fetchable_until_acknowledged() {
    let rig = Rig::new(|settings| {
        settings.age_max = 10 * HOUR;
        settings.hide_after_fetch = HOUR;
    });
    rig.put(OWNER, &tx(1));
    rig.fetch(&tx(1)).unwrap().complete();
    assert_eq!(rig.listed(OWNER), 0);
    assert_eq!(rig.fetch(&tx(1)).unwrap().message().expose().len(), 100);
    pass(ALMOST_AN_HOUR).await;
    assert_eq!(rig.listed(OWNER), 0);
    pass(SECOND).await;
    assert_eq!(rig.listed(OWNER), 1, "listed again");
    rig.fetch(&tx(1)).unwrap().complete();
    assert!(matches!(
        rig.acknowledge(&tx(1)),
        Ok(Acknowledged::First { .. })
    ));
    assert!(rig.fetch(&tx(1)).is_err());
    pass(2 * HOUR).await;
    assert_eq!(rig.listed(OWNER), 0, "never again");
    rig.assert_nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_transfer_leaves_the_message_as_it_was() {
    for rig in [Rig::kinder(), Rig::strict()] {
        rig.put(OWNER, &tx(1));
        let fetched = rig.fetch(&tx(1)).unwrap();
        assert_eq!(rig.listed(OWNER), 0, "on its way");
        drop(fetched);
        assert_eq!(rig.listed(OWNER), 1);
        rig.fetch(&tx(1)).unwrap().complete();
        assert_eq!(rig.listed(OWNER), 0);
        assert_eq!(rig.outboxes.counts().fetched, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn under_the_kinder_rule_an_interrupted_transfer_does_not_undo_a_complete_one() {
    let rig = Rig::kinder();
    rig.put(OWNER, &tx(1));
    let (one, other) = (rig.fetch(&tx(1)).unwrap(), rig.fetch(&tx(1)).unwrap());
    one.complete();
    drop(other);
    assert_eq!(rig.listed(OWNER), 0);
}

#[tokio::test(start_paused = true)]
async fn under_the_strict_rule_one_gets_the_message_and_nobody_else() {
    let rig = Rig::strict();
    rig.put(OWNER, &tx(1));
    let fetched = rig.fetch(&tx(1)).unwrap();
    assert!(rig.fetch(&tx(1)).is_err());
    assert!(rig.outboxes.look(&address(OWNER), &tx(1)).is_err());
    fetched.complete();
    assert!(rig.fetch(&tx(1)).is_err());
    assert_eq!(
        rig.alive(),
        0,
        "the content is gone before it is acknowledged"
    );
    assert_eq!(rig.outboxes.counts().messages, 0);
    let Ok(Acknowledged::First { label, confirm, .. }) = rig.acknowledge(&tx(1)) else {
        panic!("a fetched message can still be acknowledged");
    };
    assert_eq!((label.tx_id.clone(), confirm), (tx(1), true));
    assert!(matches!(rig.acknowledge(&tx(1)), Ok(Acknowledged::Again)));
    rig.assert_nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn a_transfer_that_hangs_for_an_hour_gives_the_message_back() {
    let rig = Rig::new(|settings| {
        settings.strict_fetch = true;
        settings.age_max = 10 * HOUR;
    });
    rig.put(OWNER, &tx(1));
    let hanging = rig.fetch(&tx(1)).unwrap();
    pass(ALMOST_AN_HOUR).await;
    assert!(rig.fetch(&tx(1)).is_err());
    pass(SECOND).await;
    assert_eq!(rig.listed(OWNER), 1);
    let second = rig.fetch(&tx(1)).unwrap();
    // The end of the first one is none of the second one's business.
    drop(hanging);
    assert_eq!(rig.listed(OWNER), 0);
    second.complete();
    assert!(rig.fetch(&tx(1)).is_err());
}

#[tokio::test(start_paused = true)]
async fn of_taken_messages_a_bounded_number_is_remembered() {
    let rig = Rig::strict();
    let more = u32::try_from(TAKEN_MAX).unwrap() + 1;
    for number in 0..more {
        rig.put(OWNER, &tx(number));
        rig.fetch(&tx(number)).unwrap().complete();
    }
    assert!(rig.acknowledge(&tx(0)).is_err());
    assert!(rig.acknowledge(&tx(1)).is_ok());
    assert_eq!(rig.owner().leftovers()[2], TAKEN_MAX - 1);
    assert_eq!(rig.outboxes.counts().bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_of_taken_messages_is_told_with_the_next_sweep() {
    let rig = Rig::strict();
    let take = |numbers: std::ops::Range<u32>| {
        for number in numbers {
            rig.put(OWNER, &tx(number));
            rig.fetch(&tx(number)).unwrap().complete();
        }
    };
    let taken = u32::try_from(TAKEN_MAX).unwrap();
    take(0..taken);
    assert!(rig.outboxes.expire().is_empty());
    take(taken..taken + 2);
    pass(SECOND).await;
    let told = rig.outboxes.expire();
    let of: Vec<_> = told.iter().map(|told| told.label.tx_id.clone()).collect();
    assert_eq!(of, [tx(0), tx(1)]);
    assert!(told.iter().all(|told| told.fetched));
    assert_eq!(told[0].origin, Origin::message(uuid::Uuid::from_u128(7)));
    assert!(rig.outboxes.expire().is_empty(), "once");
    // Between two sweeps no more than may be are kept.
    let more = u32::try_from(FORGOTTEN_MAX).unwrap() + 3;
    take(taken + 2..taken + 2 + more);
    assert_eq!(rig.outboxes.expire().len(), FORGOTTEN_MAX);
    assert_eq!(rig.outboxes.counts().expired, 2 + u64::from(more));
    pass(HOUR).await;
    assert_eq!(rig.outboxes.expire().len(), TAKEN_MAX);
    rig.assert_nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn the_index_becomes_small_again_when_messages_are_gone() {
    const MANY: u32 = 10_000;
    let rig = Rig::new(|settings| settings.messages_max = MANY as usize);
    for number in 0..MANY {
        rig.put(OWNER, &tx(number));
    }
    assert!(rig.owner().index_capacity() >= MANY as usize);
    for number in 0..MANY {
        rig.acknowledge(&tx(number)).unwrap();
    }
    let capacity = rig.owner().index_capacity();
    assert!(capacity <= 2_048, "{capacity}");
}

#[tokio::test(start_paused = true)]
async fn a_message_is_acknowledged_once_and_repeating_is_answered_alike_for_a_while() {
    let rig = Rig::kinder();
    rig.put(OWNER, &tx(1));
    let first = rig.acknowledge(&tx(1)).unwrap();
    assert!(matches!(&first, Acknowledged::First { confirm: true, .. }));
    assert_eq!(rig.alive(), 0, "the content is dropped at once");
    assert!(matches!(rig.acknowledge(&tx(1)), Ok(Acknowledged::Again)));
    assert_eq!(rig.outboxes.counts().acknowledged, 1);
    assert!(rig.acknowledge(&tx(2)).is_err());
    pass(HOUR).await;
    assert_eq!(rig.outboxes.expire().len(), 0);
    assert!(rig.acknowledge(&tx(1)).is_err());
    assert_eq!(rig.owner().remembered(), 0);
    drop(first);
    rig.assert_nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn a_uuid_is_found_in_either_letter_case_and_other_ids_exactly() {
    let rig = Rig::kinder();
    let upper = TxId::parse("7B9D1C52-6F0E-4D3A-9C4B-5E6F70819A01").unwrap();
    let lower = TxId::parse(&upper.as_str().to_lowercase()).unwrap();
    rig.put(OWNER, &upper);
    assert!(rig.fetch(&lower).is_ok());
    assert!(matches!(
        rig.acknowledge(&lower),
        Ok(Acknowledged::First { .. })
    ));
    for same in [&lower, &upper] {
        assert!(matches!(rig.acknowledge(same), Ok(Acknowledged::Again)));
    }
    let opaque = TxId::parse("Kvitto_1").unwrap();
    rig.put(OWNER, &opaque);
    assert!(rig.fetch(&TxId::parse("kvitto_1").unwrap()).is_err());
    assert!(rig.fetch(&opaque).is_ok());
}

#[tokio::test(start_paused = true)]
async fn acknowledging_again_never_acknowledges_a_message_whose_id_differs_in_letter_case() {
    let rig = Rig::kinder();
    let upper = TxId::parse("7B9D1C52-6F0E-4D3A-9C4B-5E6F70819A01").unwrap();
    let lower = TxId::parse(&upper.as_str().to_lowercase()).unwrap();
    rig.put(OWNER, &upper);
    rig.put(OWNER, &lower);
    let first = rig.acknowledge(&lower);
    assert!(matches!(first, Ok(Acknowledged::First { label, .. }) if label.tx_id == lower));
    assert!(matches!(rig.acknowledge(&lower), Ok(Acknowledged::Again)));
    assert_eq!(rig.listed(OWNER), 1);
    assert!(matches!(
        rig.acknowledge(&upper),
        Ok(Acknowledged::First { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_place_holds_room_until_it_is_used_or_dropped() {
    let rig = Rig::new(|settings| settings.messages_max = 2);
    let outbox = address(OWNER);
    let place = rig.outboxes.reserve(&outbox).unwrap();
    let inner = rig.outboxes.reserve(&address("2021009994.x")).unwrap();
    assert_eq!(rig.outboxes.reserve(&outbox).unwrap_err(), NoPlace::Full);
    assert!(
        rig.outboxes.reserve(&address("2120009994")).is_ok(),
        "owners share nothing"
    );
    drop(inner);
    rig.put(OWNER, &tx(1));
    assert_eq!(rig.outboxes.reserve(&outbox).unwrap_err(), NoPlace::Full);
    place.put(rig.stored(&tx(2)));
    assert_eq!(rig.listed(OWNER), 2);
    assert_eq!(rig.outboxes.reserve(&outbox).unwrap_err(), NoPlace::Full);
    rig.acknowledge(&tx(1)).unwrap();
    assert!(rig.outboxes.reserve(&outbox).is_ok());
    assert_eq!(rig.outboxes.counts().refused, 3);
    rig.acknowledge(&tx(2)).unwrap();
    rig.assert_nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn bytes_are_bounded_for_each_owner_and_for_all() {
    let rig = Rig::new(|settings| {
        settings.bytes_max = 250;
        settings.bytes_total_max = 400;
        settings.reserve_bytes = 100;
    });
    let (mine, other) = (address(OWNER), address("2120009994"));
    rig.put(OWNER, &tx(1));
    rig.put(OWNER, &tx(2));
    assert_eq!(rig.outboxes.reserve(&mine).unwrap_err(), NoPlace::Full);
    assert!(rig.outboxes.reserve_for(&mine, 50).is_ok());
    assert_eq!(
        rig.outboxes.reserve_for(&mine, usize::MAX).unwrap_err(),
        NoPlace::Full
    );
    let held = rig.outboxes.reserve_for(&other, 150).unwrap();
    assert_eq!(
        rig.outboxes.reserve(&other).unwrap_err(),
        NoPlace::Full,
        "250 + 150 of 400"
    );
    assert_eq!(rig.outboxes.counts().bytes, 350);
    drop(held);
    assert!(rig.outboxes.reserve(&other).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_message_larger_than_its_place_is_taken_and_counted_in_full() {
    let rig = Rig::new(|settings| {
        settings.bytes_max = 110;
        settings.bytes_total_max = 110;
    });
    let place = rig.outboxes.reserve_for(&address(OWNER), 10).unwrap();
    let second = rig.outboxes.reserve_for(&address(OWNER), 10).unwrap();
    place.put(rig.stored(&tx(1)));
    second.put(rig.stored(&tx(2)));
    assert_eq!(rig.outboxes.counts().bytes, 200);
    assert_eq!(
        rig.outboxes.reserve_for(&address(OWNER), 1).unwrap_err(),
        NoPlace::Full
    );
    rig.acknowledge(&tx(1)).unwrap();
    assert!(rig.outboxes.reserve_for(&address(OWNER), 10).is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_lies_too_long_is_gone_at_once_and_its_memory_with_the_next_sweep() {
    let rig = Rig::new(|settings| settings.age_max = HOUR);
    rig.put(OWNER, &tx(1));
    rig.fetch(&tx(1)).unwrap().complete();
    pass(ALMOST_AN_HOUR).await;
    rig.put(OWNER, &tx(2));
    assert!(rig.outboxes.expire().is_empty());
    pass(SECOND).await;
    assert!(rig.fetch(&tx(1)).is_err());
    assert!(rig.acknowledge(&tx(1)).is_err());
    assert_eq!((rig.alive(), rig.listed(OWNER)), (2, 1));
    let expired = rig.outboxes.expire();
    assert_eq!(expired.len(), 1);
    assert!(expired[0].fetched && expired[0].label.tx_id == tx(1));
    assert_eq!(rig.alive(), 1);
    pass(HOUR).await;
    assert!(rig.outboxes.expire().iter().all(|expired| !expired.fetched));
    assert_eq!(rig.outboxes.counts().expired, 2);
    rig.assert_nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn a_transfer_under_way_keeps_its_message_alive_and_counted() {
    let rig = Rig::kinder();
    rig.put(OWNER, &tx(1));
    let fetched = rig.fetch(&tx(1)).unwrap();
    rig.acknowledge(&tx(1)).unwrap();
    assert_eq!((rig.alive(), rig.outboxes.counts().bytes), (1, 100));
    fetched.complete();
    rig.assert_nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_messages_put_and_acknowledged_leave_nothing() {
    let rig = Rig::kinder();
    for number in 0..10_000 {
        rig.put(OWNER, &tx(number));
    }
    let counts = rig.outboxes.counts();
    assert_eq!(
        (counts.messages, counts.bytes, rig.alive()),
        (10_000, 1_000_000, 10_000)
    );
    let full = rig.outboxes.reserve(&address(OWNER));
    assert_eq!(full.unwrap_err(), NoPlace::Full);
    for number in 0..10_000 {
        rig.fetch(&tx(number)).unwrap().complete();
        rig.acknowledge(&tx(number)).unwrap();
    }
    rig.assert_nothing_is_left();
    assert_eq!(rig.owner().remembered(), SETTLED_MAX);
}

#[test]
fn of_many_threads_that_fetch_strictly_exactly_one_gets_each_message() {
    const THREADS: usize = 4;
    const MESSAGES: u32 = 200;
    let rig = Rig::strict();
    for number in 0..MESSAGES {
        rig.put(OWNER, &tx(number));
    }
    let got = std::thread::scope(|scope| {
        let fetch_all = || {
            let fetched = (0..MESSAGES).filter_map(|number| rig.fetch(&tx(number)).ok());
            fetched.map(Fetched::complete).count()
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(fetch_all)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum::<usize>()
    });
    assert_eq!(got, MESSAGES as usize);
    assert_eq!(rig.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_shows_the_content_of_a_message() {
    let rig = Rig::kinder();
    rig.put(OWNER, &tx(1));
    let fetched = rig.fetch(&tx(1)).unwrap();
    let shown = format!("{:?} {fetched:?} {:?}", rig.outboxes, rig.stored(&tx(2)));
    assert!(!shown.contains("xxx"), "{shown}");
}
