//! Which histories leave a promise, and which do not: lines as the ledger writes them, in a folder.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use chrono::NaiveDate;
use tempfile::TempDir;

use super::*;
use crate::ledger::chain::Head;
use crate::ledger::event::{
    Aterupptaget, Avbrott, Event, Gallring, Ids, Lagat, Mottaget, Slag, Way, What,
};
use crate::ledger::keys::{Month, MonthKey};

mod histories;

const FROM: &str = "2120009994";
fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

/// A ledger that is written as the test says, event by event, a second apart.
struct Rig {
    folder: TempDir,
    head: Head,
    now: DateTime<Utc>,
    /// Whether lines have the key of their month.
    keyed: bool,
}

fn tx(serial: u32) -> TxId {
    TxId::parse(&Uuid::from_u128(u128::from(serial)).to_string()).unwrap()
}

fn id(serial: u32) -> Uuid {
    Uuid::from_u128(1 << 100 | u128::from(serial))
}

fn ids(tx_id: &TxId) -> Ids {
    let corr_id = CorrId::parse(tx_id.as_str()).unwrap();
    let content_id = ContentId::parse(tx_id.as_str()).unwrap();
    Ids::new(Some(tx_id), Some(&corr_id), Some(&content_id))
}

fn mottaget(transfer_type: TransferType, sequence_type: SequenceType) -> What {
    What::Mottaget(Mottaget {
        from: Adress::parse(FROM).unwrap(),
        to: Some(Adress::parse("2120009986.ekonomi").unwrap()),
        product: Produkt::parse("5a1e0000-1111-4222-8333-444455557777").unwrap(),
        status: Status::Test,
        transfer_type,
        sequence_type,
        bytes: 1234,
        parts: 1,
    })
}

const PUSHED: What = What::Levererat {
    slag: Slag::Meddelande,
    way: Way::Push,
    attempts: 1,
    ms: 1,
};

const IN_MAILBOX: What = What::Levererat {
    slag: Slag::Meddelande,
    way: Way::Outbox,
    attempts: 1,
    ms: 1,
};

fn kvitterat(slag: Slag) -> What {
    What::Kvitterat { slag }
}

fn gallrat(reason: Gallring) -> What {
    What::Gallrat {
        slag: Some(Slag::Meddelande),
        reason,
        ms: 1,
    }
}

fn avbrutet(reason: Avbrott) -> What {
    What::Avbrutet { reason }
}

impl Rig {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            head: Head::START,
            now: "2026-11-22T10:00:00Z".parse().unwrap(),
            keyed: true,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    fn file(&self) -> PathBuf {
        self.day_file(self.now.date_naive())
    }

    fn day_file(&self, day: NaiveDate) -> PathBuf {
        fs::create_dir_all(self.path()).unwrap();
        self.path().join(format!("ledger-{day}.jsonl"))
    }

    fn keys(&self) -> KeyFile {
        KeyFile::at(self.folder.path().join("ledger.keys"))
    }

    fn key(&self) -> Option<MonthKey> {
        let month = Month::of(self.now);
        self.keyed.then(|| self.keys().load_or_make(month).unwrap())
    }

    fn line(&mut self, of: Uuid, ids: Ids, what: What) -> Vec<u8> {
        self.now += TimeDelta::seconds(1);
        let event = Event {
            happened: self.now,
            request_id: of,
            ids,
            what,
        };
        let mut json = Vec::new();
        event.write("n1", self.key().as_ref(), &mut json).unwrap();
        let mut line = Vec::new();
        self.head = self.head.tie(&json, &mut line);
        line
    }

    fn raw(&self, bytes: &[u8]) {
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).open(self.file());
        file.unwrap().write_all(bytes).unwrap();
    }

    fn note(&mut self, of: u32, what: What) -> &mut Self {
        let line = self.line(id(of), ids(&tx(of)), what);
        self.raw(&line);
        self
    }

    /// The message with this tx.id is accepted under this name.
    fn accept(&mut self, of: u32, tx_id: &TxId) -> &mut Self {
        let what = mottaget(TransferType::Asynch, SequenceType::Request);
        let line = self.line(id(of), ids(tx_id), what);
        self.raw(&line);
        self
    }

    fn accepted(&mut self, of: u32) -> &mut Self {
        self.accept(of, &tx(of))
    }

    /// A later life takes up what this one left.
    fn take_up(&mut self) -> Vec<Owed> {
        let owed = self.standing().owed;
        for owed in &owed {
            let what = What::Aterupptaget(Aterupptaget {
                from: owed.from.clone(),
                to: owed.to.clone(),
                product: owed.product,
                status: owed.status,
                sequence_type: owed.sequence_type,
                received: owed.received,
            });
            let line = self.line(owed.request_id, ids(&owed.tx_id), what);
            self.raw(&line);
        }
        owed
    }

    fn standing(&self) -> Standing {
        self.standing_of(LOOK_BACK_MIN, PROMISES_MAX)
    }

    fn standing_of(&self, look_back: Duration, promises_max: usize) -> Standing {
        fs::create_dir_all(self.path()).unwrap();
        let earlier = Earlier::of(&self.path()).unwrap();
        let stopped = Stopped::default();
        read_at_most(earlier, &self.keys(), look_back, &stopped, promises_max).unwrap()
    }

    /// The names of those that are owed an end, the oldest first.
    fn owed(&self) -> Vec<u32> {
        let standing = self.standing();
        assert_eq!(standing.damaged, 0);
        names(&standing)
    }
}

fn names(standing: &Standing) -> Vec<u32> {
    let name = |owed: &Owed| u32::try_from(owed.request_id.as_u128() & 0xffff_ffff).unwrap();
    standing.owed.iter().map(name).collect()
}

#[test]
fn a_message_is_owed_an_end_from_its_receipt_until_it_has_one() {
    let ends = [
        PUSHED,
        kvitterat(Slag::Meddelande),
        kvitterat(Slag::Svar),
        kvitterat(Slag::Fel),
        gallrat(Gallring::EjKvitterat),
        avbrutet(Avbrott::EjAntecknat),
        avbrutet(Avbrott::Omsand),
        avbrutet(Avbrott::ForGammalt),
    ];
    for end in ends {
        let mut rig = Rig::new();
        rig.accepted(1).accepted(2).accepted(3);
        assert_eq!(rig.owed(), [1, 2, 3]);
        rig.note(2, end.clone());
        assert_eq!(rig.owed(), [1, 3], "{end:?}");
    }
}

#[test]
fn nothing_else_ends_it() {
    let of_slag = |slag, way| What::Levererat {
        slag,
        way,
        attempts: 1,
        ms: 1,
    };
    let fel = What::Fel {
        code: shs_schemas::ErrorCode::OtherError,
        class: crate::failure::Source::Us,
        place: crate::ledger::event::Place::Omstart,
    };
    let others = [
        IN_MAILBOX,
        of_slag(Slag::Bekraftelse, Way::Push),
        of_slag(Slag::FelOmSvar, Way::Push),
        of_slag(Slag::Fel, Way::Outbox),
        kvitterat(Slag::Bekraftelse),
        kvitterat(Slag::FelOmSvar),
        gallrat(Gallring::TidenUte),
        avbrutet(Avbrott::Nedstangning),
        avbrutet(Avbrott::AktorFoll),
        avbrutet(Avbrott::NyckelBorta),
        What::Duplett,
        fel,
    ];
    let mut rig = Rig::new();
    rig.accepted(1);
    for what in others {
        rig.note(1, what.clone());
        assert_eq!(rig.owed(), [1], "{what:?}");
    }
}

#[test]
fn synchronous_and_administrative_messages_are_no_promises() {
    let mut rig = Rig::new();
    rig.note(1, mottaget(TransferType::Synch, SequenceType::Request));
    rig.note(2, mottaget(TransferType::Asynch, SequenceType::Adm));
    rig.note(3, PUSHED);
    assert_eq!(rig.owed(), [0; 0]);
}

#[test]
fn an_error_about_it_says_what_the_message_was() {
    let mut rig = Rig::new();
    rig.accepted(1);
    let standing = rig.standing();
    let label = standing.owed[0].label();
    assert_eq!(label.tx_id, tx(1));
    assert_eq!(label.corr_id.as_str(), tx(1).as_str());
    assert_eq!(label.from.unwrap().address.bare(), FROM);
    assert_eq!(label.to.unwrap().address.bare(), "2120009986.ekonomi");
    assert_eq!(label.status, Status::Test);
    assert_eq!(label.sequence_type, SequenceType::Request);
    assert_eq!(standing.owed[0].received, rig.now);
}

#[test]
fn copies_take_an_end_each() {
    let mut rig = Rig::new();
    rig.accepted(1).note(1, What::Delat { copies: 3 });
    for end in [PUSHED, kvitterat(Slag::Fel), kvitterat(Slag::Meddelande)] {
        assert_eq!(rig.owed(), [1], "before {end:?}");
        rig.note(1, end);
    }
    assert_eq!(rig.owed(), [0; 0]);
}

#[test]
fn copies_that_never_were_take_one_end() {
    let mut rig = Rig::new();
    rig.accepted(1).note(1, What::Delat { copies: 3 });
    rig.note(1, What::Delat { copies: 0 });
    assert_eq!(rig.owed(), [1]);
    rig.note(1, kvitterat(Slag::Fel));
    assert_eq!(rig.owed(), [0; 0]);
}

#[test]
fn its_sender_is_told_of_copies_once_and_for_all() {
    let mut rig = Rig::new();
    rig.accepted(1).note(1, What::Delat { copies: 3 });
    rig.note(1, PUSHED);
    assert_eq!(rig.take_up().len(), 1);
    rig.note(1, kvitterat(Slag::Fel));
    assert_eq!(rig.owed(), [0; 0]);
}

#[test]
fn it_is_told_again_after_each_crash_until_it_is_acknowledged() {
    let mut rig = Rig::new();
    rig.accepted(1);
    let first = rig.take_up();
    for _ in 0..5 {
        // Long after what is read back, counted from its receipt.
        rig.now += hours(50);
        assert_eq!(rig.take_up(), first, "the same, received when it was");
    }
    rig.note(1, IN_MAILBOX).note(1, kvitterat(Slag::Fel));
    assert_eq!(rig.owed(), [0; 0]);
}

#[test]
fn after_so_many_days_it_is_told_no_more() {
    let mut rig = Rig::new();
    rig.accepted(1);
    for _ in 0..6 {
        rig.now += hours(60);
        assert_eq!(rig.take_up().len(), 1);
    }
    assert_eq!(rig.standing().too_old, [id(1)]);
    rig.note(1, avbrutet(Avbrott::ForGammalt));
    let standing = rig.standing();
    assert!(standing.loften().is_nothing(), "{standing:?}");
}

#[test]
fn a_clock_that_jumped_ahead_makes_nothing_too_old_that_was_never_told() {
    let mut rig = Rig::new();
    rig.accepted(1);
    rig.now += hours(400 * 24);
    rig.accepted(2).note(2, PUSHED);
    assert_eq!(rig.owed(), [1]);
    assert_eq!(rig.standing().too_old, [] as [Uuid; 0]);
}

#[test]
fn a_node_that_was_down_for_long_tells_all_the_same() {
    // Nothing here looks at the clock: the last line says when the earlier life ended.
    let mut rig = Rig::new();
    rig.now = "2020-01-01T00:00:00Z".parse().unwrap();
    rig.accepted(1);
    assert_eq!(rig.owed(), [1]);
}

#[test]
fn a_message_that_was_sent_again_is_owed_one_end() {
    let mut rig = Rig::new();
    rig.accept(1, &tx(1)).accept(2, &tx(1));
    assert_eq!(rig.owed(), [2]);
    rig.note(2, kvitterat(Slag::Svar));
    assert_eq!(rig.owed(), [0; 0]);
}

#[test]
fn a_resend_that_was_refused_leaves_the_first_one_owed() {
    let mut rig = Rig::new();
    rig.accept(1, &tx(1)).accept(2, &tx(1)).accept(3, &tx(1));
    rig.note(3, avbrutet(Avbrott::EjAntecknat));
    assert_eq!(rig.owed(), [2]);
    rig.note(2, avbrutet(Avbrott::EjAntecknat));
    assert_eq!(rig.owed(), [1]);
    rig.accept(4, &tx(1));
    assert_eq!(rig.owed(), [4]);
    rig.note(4, PUSHED);
    assert_eq!(rig.owed(), [0; 0]);
}

#[test]
fn a_refusal_may_be_noted_behind_the_next_copy() {
    let mut rig = Rig::new();
    rig.accept(1, &tx(1)).accept(2, &tx(1));
    rig.note(1, avbrutet(Avbrott::EjAntecknat));
    assert_eq!(rig.owed(), [2]);
    rig.note(2, avbrutet(Avbrott::EjAntecknat));
    assert_eq!(rig.owed(), [0; 0]);
}

#[test]
fn one_that_was_sent_again_before_it_was_taken_up_stays_behind_the_new_one() {
    let mut rig = Rig::new();
    rig.accept(1, &tx(1));
    let earlier = rig.standing().owed;
    rig.accept(2, &tx(1));
    let what = What::Aterupptaget(Aterupptaget {
        from: earlier[0].from.clone(),
        to: None,
        product: earlier[0].product,
        status: earlier[0].status,
        sequence_type: earlier[0].sequence_type,
        received: earlier[0].received,
    });
    let line = rig.line(id(1), ids(&tx(1)), what);
    rig.raw(&line);
    assert_eq!(rig.owed(), [2]);
    rig.note(2, kvitterat(Slag::Svar));
    assert_eq!(rig.owed(), [0; 0]);
}

#[test]
fn the_same_tx_id_of_two_senders_is_two_messages() {
    let mut rig = Rig::new();
    rig.accepted(1);
    let text = String::from_utf8(rig.line(
        id(2),
        ids(&tx(1)),
        mottaget(TransferType::Asynch, SequenceType::Event),
    ));
    rig.raw(text.unwrap().replace(FROM, "2120009986").as_bytes());
    assert_eq!(rig.owed(), [1, 2]);
}

#[test]
fn a_hidden_tx_id_is_shown_by_its_key_and_counted_without_it() {
    let mut rig = Rig::new();
    let odd = TxId::parse("arende-199503142383").unwrap();
    rig.accept(1, &odd).accepted(2);
    let standing = rig.standing();
    assert_eq!(standing.owed[0].tx_id, odd);
    assert_eq!(standing.owed[0].corr_id.as_str(), odd.as_str());
    // A key that was made anew is another one.
    for make_anew in [false, true] {
        fs::remove_file(rig.keys().path()).unwrap();
        if make_anew {
            rig.key();
        }
        let standing = rig.standing();
        assert_eq!(names(&standing), [2]);
        assert_eq!(standing.key_gone, [id(1)]);
        assert_eq!(standing.loften().key_gone, 1);
        rig.key();
    }
}

#[test]
fn the_tx_id_stands_for_identifiers_that_cannot_be_shown() {
    let mut rig = Rig::new();
    rig.keyed = false;
    let content_id = ContentId::parse("not-a-uuid").unwrap();
    let ids = Ids::new(Some(&tx(1)), None, Some(&content_id));
    let what = mottaget(TransferType::Asynch, SequenceType::Event);
    let line = rig.line(id(1), ids, what);
    rig.raw(&line);
    let owed = rig.standing().owed;
    assert_eq!(owed[0].content_id.as_str(), tx(1).as_str());
}

#[test]
fn a_torn_end_is_no_line_wherever_it_is_torn() {
    let mut rig = Rig::new();
    rig.accepted(1);
    let before = fs::read(rig.file()).unwrap();
    let what = mottaget(TransferType::Asynch, SequenceType::Event);
    let line = rig.line(id(2), ids(&tx(2)), what);
    for cut in 0..line.len() - 1 {
        fs::write(rig.file(), &before).unwrap();
        rig.raw(&line[..cut]);
        assert_eq!(rig.owed(), [1], "{cut}");
    }
    fs::write(rig.file(), &before).unwrap();
    rig.raw(&line[..line.len() - 1]);
    assert_eq!(rig.owed(), [1, 2], "only its line end is missing");
}

#[test]
fn what_was_torn_and_mended_is_no_damage_and_what_is_foreign_is_counted() {
    let mut rig = Rig::new();
    rig.accepted(1);
    rig.raw(b"{\"seq\":2,\"pr\n");
    let lagat = What::Lagat(Lagat {
        torn_lines: 1,
        torn_bytes: 12,
        torn_sha256: String::new(),
    });
    rig.note(0, lagat).accepted(2);
    assert_eq!(rig.owed(), [1, 2]);
    let foreign: [&[u8]; 7] = [
        b"\n",
        b"hello\n",
        b"{}\n",
        b"{\"seq\":1,\"event\":\"mottaget\",\"transfer_type\":\"asynch\"}\n",
        b"{\"seq\":1,\"event\":\"kvitterat\",\"request_id\":7}\n",
        b"\xff\xfe\x00{}\n",
        &[vec![0; 200_000], b"\n".to_vec()].concat(),
    ];
    for text in foreign {
        rig.raw(text);
    }
    rig.accepted(3).note(1, PUSHED);
    let standing = rig.standing();
    assert_eq!(names(&standing), [2, 3]);
    assert_eq!(standing.damaged, 7);
}

#[test]
fn a_line_around_the_end_of_what_is_read_at_once_is_a_line() {
    let mut rig = Rig::new();
    for serial in 0..3_000 {
        rig.accepted(serial);
    }
    assert!(fs::metadata(rig.file()).unwrap().len() > 4 * 256 * 1024);
    assert_eq!(rig.owed().len(), 3_000);
}

#[test]
fn what_is_written_after_the_start_is_not_read() {
    let mut rig = Rig::new();
    rig.accepted(1);
    let earlier = Earlier::of(&rig.path()).unwrap();
    rig.accepted(2).note(1, PUSHED);
    rig.now += hours(24);
    rig.accepted(3);
    fs::remove_file(rig.day_file("2026-11-22".parse().unwrap())).unwrap();
    let stopped = Stopped::default();
    let standing = read(earlier, &rig.keys(), LOOK_BACK_MIN, &stopped).unwrap();
    assert_eq!(
        names(&standing),
        [1],
        "although its day was removed meanwhile"
    );
}

#[test]
fn it_is_read_back_so_far_and_no_further() {
    let mut rig = Rig::new();
    rig.accepted(1);
    for serial in 2..=8 {
        rig.now += hours(24);
        rig.accepted(serial);
    }
    let days = |days: u64| Duration::from_hours(24 * days);
    let of = |look_back| names(&rig.standing_of(look_back, PROMISES_MAX));
    assert_eq!(of(days(3)), [5, 6, 7, 8]);
    assert_eq!(of(days(30)), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(of(Duration::ZERO), [7, 8], "around midnight it takes two");
}

#[test]
fn a_clock_that_was_wrong_hides_nothing() {
    let mut rig = Rig::new();
    let today = rig.now;
    rig.accepted(1);
    let lines = fs::read(rig.file()).unwrap();
    rig.now = "2099-01-01T00:00:00Z".parse().unwrap();
    let future = rig.file();
    rig.accepted(2);
    // The ledger goes on in the last file there is.
    rig.now = today;
    let line = rig.line(
        id(3),
        ids(&tx(3)),
        mottaget(TransferType::Asynch, SequenceType::Event),
    );
    let mut options = OpenOptions::new();
    let mut file = options.append(true).open(future).unwrap();
    file.write_all(&line).unwrap();
    assert!(!lines.is_empty());
    assert_eq!(names(&rig.standing()).len(), 3);
}

#[test]
fn what_is_beyond_the_bound_is_counted() {
    let mut rig = Rig::new();
    rig.accepted(1).accepted(2).accepted(3).accepted(4);
    rig.note(1, PUSHED).accepted(5);
    let standing = rig.standing_of(LOOK_BACK_MIN, 2);
    assert_eq!(names(&standing), [2, 5]);
    assert_eq!(standing.loften().beyond, 2);
}

#[test]
fn reading_ends_when_it_is_told_to() {
    let mut rig = Rig::new();
    rig.accepted(1);
    let earlier = Earlier::of(&rig.path()).unwrap();
    let stopped = Stopped::default();
    stopped.stop();
    assert!(read(earlier, &rig.keys(), LOOK_BACK_MIN, &stopped).is_err());
}

#[test]
fn an_empty_folder_has_no_promises() {
    let rig = Rig::new();
    rig.file();
    assert!(rig.standing().loften().is_nothing());
    fs::write(rig.file(), "").unwrap();
    assert!(rig.standing().loften().is_nothing());
}

#[test]
fn a_promise_is_looked_for_as_long_as_it_can_last() {
    let mut relay = RelaySettings::default();
    let outboxes = OutboxSettings::default();
    assert_eq!(look_back(&relay, &outboxes), LOOK_BACK_MIN);
    relay.give_up_after = Duration::from_hours(48);
    assert!(look_back(&relay, &outboxes) > Duration::from_hours(146));
    relay.give_up_after = Duration::from_hours(7 * 24);
    relay.directory_patience = relay.give_up_after;
    relay.question_patience = relay.give_up_after;
    let longest = OutboxSettings {
        age_max: relay.give_up_after,
        ..outboxes
    };
    assert!(look_back(&relay, &longest) < LOOK_BACK_MAX);
}
