//! What a dispatcher promises: every sub-question ends in exactly one outcome, in time (design 4 and
//! 5; ssbtek-10, 5.3; R-004).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::{Actor, Addr, Context, Handler};
use actix_rt::Arbiter;
use bytes::Bytes;
use chrono::Utc;
use samsvar_actors::avvikelse::Avvikelser;
use samsvar_actors::child::{OverBudget, RestartPolicy};
use samsvar_actors::dispatcher::ended::Stray;
use samsvar_actors::dispatcher::{Dispatcher, DispatcherContext, DispatcherSettings};
use samsvar_actors::failpoint::Failpoints;
use samsvar_actors::insamling::{Insamling, SlotId};
use samsvar_actors::mailbox::Mailbox;
use samsvar_actors::messages::{Aterkallelse, Delfraga, Recalled, SlotFilled, SlotPort};
use samsvar_actors::observation::{ActorLine, Kind, Observatory, Observed, State};
use samsvar_actors::room::Room;
use samsvar_actors::supervisor::{Adopt, ChildSpec, Supervisor};
use samsvar_actors::tally::Tally;
use samsvar_actors::transport::{
    Answer, AnswerContent, Line, LineEvent, LineEvents, Question, QuestionKind, Refusal, Traffic,
    Transport,
};
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::{Kontrakt, SsbtFelkod};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{ms, node_rig, paused, settle};

const AF: Uppgiftslamnare = Uppgiftslamnare::AF;

/// Room for the answers that one rig holds.
const ANSWERS_BYTES_MAX: usize = 1_000;

/// A line that notes what it is given and says what the test tells it to.
#[derive(Default)]
struct Scripted {
    lines: Mutex<Vec<LineEvents>>,
    sent: Arc<Mutex<Vec<Question>>>,
    refuses: Arc<Mutex<Option<Refusal>>>,
}

struct ScriptedLine {
    sent: Arc<Mutex<Vec<Question>>>,
    refuses: Arc<Mutex<Option<Refusal>>>,
}

impl Transport for Scripted {
    fn open(&self, _ul: Uppgiftslamnare, events: LineEvents) -> Box<dyn Line> {
        self.lines.lock().unwrap().push(events);
        Box::new(ScriptedLine {
            sent: Arc::clone(&self.sent),
            refuses: Arc::clone(&self.refuses),
        })
    }

    fn name(&self) -> &'static str {
        "scripted"
    }
}

impl Line for ScriptedLine {
    fn send(&self, question: Question) -> Result<(), Refusal> {
        if let Some(refusal) = *self.refuses.lock().unwrap() {
            return Err(refusal);
        }
        self.sent.lock().unwrap().push(question);
        Ok(())
    }
}

type Outcome = Result<AnswerContent, SsbtFelkod>;

/// Takes the outcomes, in the place of an aggregator.
#[derive(Default)]
struct Taker(Arc<Mutex<Vec<(SlotId, Outcome, Instant)>>>);

impl Actor for Taker {
    type Context = Context<Self>;
}

impl Handler<SlotFilled> for Taker {
    type Result = ();

    fn handle(&mut self, filled: SlotFilled, _ctx: &mut Self::Context) {
        let mut taken = self.0.lock().unwrap();
        taken.push((filled.slot, filled.outcome, Instant::now()));
    }
}

struct Rig {
    transport: Arc<Scripted>,
    mailbox: Mailbox<Dispatcher>,
    tally: Arc<Tally>,
    taker: Addr<Taker>,
    taken: Arc<Mutex<Vec<(SlotId, Outcome, Instant)>>>,
    slots: Mutex<Insamling>,
    _supervisor: Addr<Supervisor>,
}

impl Rig {
    /// A dispatcher whose line is still opening.
    async fn opening(settings: DispatcherSettings) -> Self {
        let transport = Arc::new(Scripted::default());
        let observed = Observed::new("dispatcher-AF", Kind::Dispatcher);
        let mailbox = Mailbox::new(Arc::clone(&observed), 10_000);
        let tally = Tally::new();
        let (line, counted) = (Arc::clone(&transport), Arc::clone(&tally));
        let avvikelser = Avvikelser::new(Arc::clone(&tally), None);
        let policy = RestartPolicy::new(OverBudget::Pause);
        let spec = ChildSpec::new(mailbox.clone(), policy, Arbiter::current(), move || {
            let context = DispatcherContext {
                transport: Arc::clone(&line) as _,
                observed: Arc::clone(&observed),
                tally: Arc::clone(&counted),
                avvikelser: avvikelser.clone(),
                judged_by: Traffic::Production,
                answers: Room::new(ANSWERS_BYTES_MAX),
                failpoints: Failpoints::default(),
            };
            Dispatcher::new(AF, settings, context)
        });
        let (escalate, _) = watch::channel(None);
        let supervisor = Supervisor::new(Arc::new(Observatory::default()), escalate).start();
        supervisor.do_send(Adopt(spec));
        let taker = Taker::default();
        let outcomes = Arc::clone(&taker.0);
        settle().await;
        Self {
            transport,
            mailbox,
            tally,
            taker: taker.start(),
            taken: outcomes,
            slots: Mutex::new(node_rig::empty_insamling()),
            _supervisor: supervisor,
        }
    }

    /// A dispatcher that can ask.
    async fn up(settings: DispatcherSettings) -> Self {
        let rig = Self::opening(settings).await;
        rig.happens(LineEvent::Up).await;
        rig.consumers(1).await;
        rig
    }

    async fn happens(&self, event: LineEvent) {
        let line = self.transport.lines.lock().unwrap().last().unwrap().clone();
        assert!(line.tell(event).await);
        settle().await;
    }

    async fn consumers(&self, count: u32) {
        for traffic in Traffic::ALL {
            self.happens(LineEvent::Consumers { traffic, count }).await;
        }
    }

    async fn answers(&self, corr_id: Uuid) {
        let content = AnswerContent::Svar(Bytes::from_static(b"<svar/>").into());
        self.happens(LineEvent::Answer(Answer { corr_id, content }))
            .await;
    }

    async fn answers_with(&self, corr_id: Uuid, bytes: usize) {
        let content = AnswerContent::Svar(Bytes::from(vec![b' '; bytes]).into());
        self.happens(LineEvent::Answer(Answer { corr_id, content }))
            .await;
    }

    /// Puts one question with so much time left.
    async fn put(&self, time: Duration) -> Uuid {
        let corr_id = Uuid::new_v4();
        let slot = self
            .slots
            .lock()
            .unwrap()
            .open_slot(0, AF, Kontrakt::V10, corr_id);
        let delfraga = Delfraga {
            kind: QuestionKind::Fraga,
            corr_id,
            traffic: Traffic::Production,
            body: Bytes::new().into(),
            deadline: Instant::now() + time,
            deadline_wall: Utc::now(),
            traceparent: "".into(),
            port: SlotPort::new(slot, self.taker.clone().recipient()),
        };
        assert!(self.mailbox.deliver(delfraga).is_ok(), "it is taken");
        settle().await;
        corr_id
    }

    async fn put_many(&self, number: usize, time: Duration) -> Vec<Uuid> {
        let mut corr_ids = Vec::new();
        for _ in 0..number {
            corr_ids.push(self.put(time).await);
        }
        corr_ids
    }

    async fn recall(&self, corr_ids: &[Uuid], because: Recalled) {
        let corr_ids = corr_ids.to_vec();
        let recall = Aterkallelse { corr_ids, because };
        assert!(self.mailbox.deliver(recall).is_ok(), "it is taken");
        settle().await;
    }

    fn sent(&self) -> usize {
        self.transport.sent.lock().unwrap().len()
    }

    /// Outcomes so far: `None` for an answer.
    fn outcomes(&self) -> Vec<Option<SsbtFelkod>> {
        let taken = self.taken.lock().unwrap();
        taken
            .iter()
            .map(|(_, outcome, _)| outcome.as_ref().err().copied())
            .collect()
    }

    fn line(&self) -> ActorLine {
        self.mailbox.observed().line()
    }

    fn strays(&self, class: Stray) -> u64 {
        let party = self.tally.party(AF);
        let found = party.strays().find(|(of, _)| *of == class);
        found.unwrap().1
    }
}

const LONG: Duration = Duration::from_mins(1);

fn small() -> DispatcherSettings {
    DispatcherSettings {
        window: 2,
        line_max: 3,
        ..DispatcherSettings::default()
    }
}

#[actix::test]
async fn beyond_the_window_questions_wait_in_line_and_beyond_the_line_they_fail_at_once() {
    paused();
    let rig = Rig::up(small()).await;
    let asked = rig.put_many(6, LONG).await;
    assert_eq!(rig.sent(), 2);
    assert_eq!((rig.line().in_flight, rig.line().waiting), (2, 3));
    assert_eq!(rig.outcomes(), [Some(SsbtFelkod::Overlast)]);

    rig.answers(asked[1]).await;
    assert_eq!(rig.sent(), 3, "the first in line is asked");
    assert_eq!(rig.transport.sent.lock().unwrap()[2].corr_id, asked[2]);
    for corr_id in [0, 2, 3, 4] {
        rig.answers(asked[corr_id]).await;
    }
    assert_eq!((rig.line().in_flight, rig.line().waiting), (0, 0));
    assert_eq!(rig.outcomes().len(), 6, "one outcome each");
}

#[actix::test]
async fn an_answer_that_there_is_no_memory_for_costs_its_own_part_only() {
    paused();
    let rig = Rig::up(DispatcherSettings::default()).await;
    let asked = rig.put_many(4, LONG).await;
    rig.answers_with(asked[0], 600).await;
    rig.answers_with(asked[1], 401).await;
    rig.answers_with(asked[2], 400).await;
    let overload = Some(SsbtFelkod::Overlast);
    assert_eq!(rig.outcomes(), [None, overload, None]);
    // The same answer again, and its room is still taken: nobody waits for it.
    rig.answers_with(asked[1], 401).await;
    assert_eq!(rig.strays(Stray::Late), 1);
    // The requests are over: so is what their answers took.
    rig.taken.lock().unwrap().clear();
    rig.answers_with(asked[3], 1_000).await;
    assert_eq!(rig.outcomes(), [None]);
    assert_eq!(rig.line().state, State::Running);
}

#[actix::test]
async fn a_question_whose_time_is_up_in_the_line_is_never_asked() {
    paused();
    let rig = Rig::up(small()).await;
    rig.put_many(2, LONG).await;
    let started = Instant::now();
    rig.put(ms(500)).await;
    tokio::time::sleep(ms(600)).await;
    assert_eq!((rig.sent(), rig.line().waiting), (2, 0));
    let (_, outcome, at) = rig.taken.lock().unwrap().remove(0);
    assert!(matches!(outcome, Err(SsbtFelkod::Timeout)));
    let took = at - started;
    assert!(took >= ms(500) && took <= ms(530), "{took:?}");
}

#[actix::test]
async fn a_silent_party_is_a_timeout_at_the_deadline_of_the_request() {
    paused();
    let rig = Rig::up(small()).await;
    let started = Instant::now();
    rig.put(Duration::from_secs(11)).await;
    tokio::time::sleep(Duration::from_secs(12)).await;
    let (_, outcome, at) = rig.taken.lock().unwrap().remove(0);
    assert!(matches!(outcome, Err(SsbtFelkod::Timeout)));
    let took = at - started;
    assert!(took >= ms(11_000) && took <= ms(11_030), "{took:?}");
}

#[actix::test]
async fn a_party_that_keeps_timing_out_is_paused_and_tried_again_with_one_question() {
    paused();
    let rig = Rig::up(DispatcherSettings::default()).await;
    for expected in [10_000, 10_000, 10_000, 5_000, 5_000] {
        rig.put(Duration::from_secs(10)).await;
        let patience = rig
            .transport
            .sent
            .lock()
            .unwrap()
            .last()
            .unwrap()
            .expires_in;
        assert!(patience >= ms(expected - 5) && patience <= ms(expected));
        tokio::time::sleep(Duration::from_secs(11)).await;
    }
    assert_eq!(rig.line().detail, Some("circuit open"));
    assert_eq!(rig.line().state, State::Impaired);
    rig.put(LONG).await;
    assert_eq!(rig.outcomes()[5], Some(SsbtFelkod::Avstangd));
    assert_eq!(rig.sent(), 5, "it was not asked");

    tokio::time::sleep(Duration::from_secs(30)).await;
    let probe = rig.put(LONG).await;
    rig.put(LONG).await;
    assert_eq!(rig.sent(), 6, "one question goes, the next does not");
    assert_eq!(rig.outcomes()[6], Some(SsbtFelkod::Avstangd));
    rig.answers(probe).await;
    assert_eq!(rig.line().state, State::Running);
    rig.put(LONG).await;
    assert_eq!(rig.sent(), 7);
}

#[actix::test]
async fn silence_to_questions_that_had_hardly_any_time_left_does_not_pause_the_party() {
    paused();
    let rig = Rig::up(DispatcherSettings::default()).await;
    let asked = rig.put_many(20, ms(999)).await;
    rig.recall(&asked[..10], Recalled::Deadline).await;
    tokio::time::sleep(ms(1_100)).await;
    assert_eq!(rig.outcomes()[10..], [Some(SsbtFelkod::Timeout); 10]);
    assert_eq!(rig.line().detail, None);
}

#[actix::test]
async fn a_probe_that_is_cancelled_lets_the_next_question_try() {
    paused();
    let rig = Rig::up(DispatcherSettings::default()).await;
    rig.put_many(5, ms(2_000)).await;
    tokio::time::sleep(Duration::from_secs(33)).await;
    let probe = rig.put(LONG).await;
    rig.recall(&[probe], Recalled::CallerGone).await;
    let next = rig.put(LONG).await;
    assert_eq!(rig.sent(), 7);
    rig.recall(&[next], Recalled::RequestLost).await;
    rig.put(LONG).await;
    assert_eq!(rig.sent(), 8);
}

#[actix::test]
async fn a_late_answer_fills_nothing_and_does_not_end_the_pause() {
    paused();
    let rig = Rig::up(DispatcherSettings::default()).await;
    let asked = rig.put_many(5, ms(2_000)).await;
    tokio::time::sleep(ms(2_100)).await;
    assert_eq!(rig.line().detail, Some("circuit open"));
    rig.answers(asked[0]).await;
    // A party that is always late would cost every request the whole limit.
    assert_eq!(rig.line().detail, Some("circuit open"));
    assert_eq!(rig.strays(Stray::Late), 1);
    assert_eq!(rig.outcomes().len(), 5, "it filled nothing");
}

#[actix::test]
async fn without_a_consumer_questions_fail_at_once_also_those_in_line() {
    paused();
    let rig = Rig::up(small()).await;
    rig.put_many(4, LONG).await;
    rig.consumers(0).await;
    tokio::time::sleep(ms(30)).await;
    let felkod = Some(SsbtFelkod::IngenKontakt);
    assert_eq!(rig.outcomes(), [felkod, felkod], "those in line");
    let started = Instant::now();
    rig.put(LONG).await;
    assert_eq!(rig.outcomes().len(), 3);
    assert!(started.elapsed() < ms(5));
    assert_eq!(rig.line().detail, Some("no consumer"));
    assert_eq!(rig.line().in_flight, 2, "what it has, it may still answer");
    rig.consumers(1).await;
    assert_eq!(rig.line().detail, None);
}

#[actix::test]
async fn a_party_with_only_a_test_adapter_is_impaired_where_real_questions_are_served() {
    paused();
    let rig = Rig::up(small()).await;
    let (traffic, count) = (Traffic::Production, 0);
    rig.happens(LineEvent::Consumers { traffic, count }).await;
    assert_eq!(rig.line().state, State::Impaired);
    assert_eq!(rig.line().detail, Some("no consumer"));
    rig.consumers(1).await;
    let (traffic, count) = (Traffic::Test, 0);
    rig.happens(LineEvent::Consumers { traffic, count }).await;
    assert_eq!(rig.line().state, State::Running);
}

#[actix::test]
async fn a_broker_that_goes_away_fails_everything_at_once() {
    paused();
    let rig = Rig::up(small()).await;
    let asked = rig.put_many(5, LONG).await;
    rig.happens(LineEvent::Down).await;
    assert_eq!(rig.outcomes(), [Some(SsbtFelkod::Meddelandesystem); 5]);
    rig.put(LONG).await;
    assert_eq!(rig.outcomes().len(), 6, "at once");
    assert_eq!((rig.line().in_flight, rig.line().waiting), (0, 0));

    rig.happens(LineEvent::Up).await;
    rig.answers(asked[0]).await;
    assert_eq!(rig.strays(Stray::Late), 1, "of before");
    let again = rig.put(LONG).await;
    rig.answers(again).await;
    assert_eq!(rig.outcomes().last(), Some(&None));
    assert_eq!(rig.sent(), 3, "nothing was asked twice");
}

#[actix::test]
async fn a_line_that_opens_is_waited_for_two_seconds() {
    paused();
    let rig = Rig::opening(small()).await;
    rig.put(LONG).await;
    assert_eq!((rig.sent(), rig.line().waiting), (0, 1));
    tokio::time::sleep(ms(2_100)).await;
    assert_eq!(rig.outcomes(), [Some(SsbtFelkod::Meddelandesystem)]);
    rig.put(LONG).await;
    assert_eq!(rig.outcomes().len(), 2, "and then no longer");
    rig.happens(LineEvent::Up).await;
    rig.put(LONG).await;
    assert_eq!(rig.sent(), 1);
}

#[actix::test]
async fn what_the_line_refuses_fails_with_its_reason_at_once_or_later() {
    paused();
    let reasons = [
        (Refusal::Unroutable, SsbtFelkod::IngenKontakt),
        (Refusal::QueueFull, SsbtFelkod::Overlast),
        (Refusal::Broker, SsbtFelkod::Meddelandesystem),
    ];
    for (refusal, felkod) in reasons {
        let rig = Rig::up(small()).await;
        let corr_id = rig.put(LONG).await;
        rig.happens(LineEvent::Refused { corr_id, refusal }).await;
        *rig.transport.refuses.lock().unwrap() = Some(refusal);
        rig.put(LONG).await;
        assert_eq!(rig.outcomes(), [Some(felkod), Some(felkod)]);
        assert_eq!(rig.line().in_flight, 0);
    }
}

#[actix::test]
async fn what_is_recalled_leaves_window_and_line_and_says_nothing_of_the_party() {
    paused();
    let rig = Rig::up(small()).await;
    for _ in 0..10 {
        let asked = rig.put_many(5, LONG).await;
        rig.recall(&asked, Recalled::CallerGone).await;
        assert_eq!((rig.line().in_flight, rig.line().waiting), (0, 0));
        rig.answers(asked[0]).await;
    }
    assert_eq!(rig.line().state, State::Running, "the circuit is closed");
    assert_eq!(rig.strays(Stray::Late), 10);
}

#[actix::test]
async fn a_deadline_of_the_request_is_a_timeout_of_the_party() {
    paused();
    let rig = Rig::up(DispatcherSettings::default()).await;
    let asked = rig.put_many(5, LONG).await;
    rig.recall(&asked, Recalled::Deadline).await;
    assert_eq!(rig.line().detail, Some("circuit open"));
}

#[actix::test]
async fn answers_that_nobody_waits_for_are_counted_by_class() {
    paused();
    let rig = Rig::up(small()).await;
    let corr_id = rig.put(LONG).await;
    rig.answers(corr_id).await;
    rig.answers(corr_id).await;
    rig.answers(Uuid::new_v4()).await;
    assert_eq!(rig.outcomes(), [None], "one outcome");
    let counted = [Stray::Late, Stray::Repeated, Stray::Unknown].map(|class| rig.strays(class));
    assert_eq!(counted, [0, 1, 1]);
}

#[actix::test]
async fn a_line_that_the_transport_gives_up_is_opened_anew() {
    paused();
    let rig = Rig::up(small()).await;
    rig.put(LONG).await;
    rig.transport.lines.lock().unwrap().clear();
    settle().await;
    settle().await;
    assert_eq!(rig.outcomes(), [Some(SsbtFelkod::InterntFel)]);
    assert_eq!(rig.transport.lines.lock().unwrap().len(), 1);
    assert_eq!(rig.line().restarts, 1);
    rig.happens(LineEvent::Up).await;
    rig.put(LONG).await;
    assert_eq!(rig.sent(), 2);
}
