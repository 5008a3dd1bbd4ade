//! The dispatcher: one actor per connected Uppgiftslämnare. It owns that party's line, its
//! correlation table, its window with a bounded waiting line, its circuit breaker and its health.
//!
//! Every sub-question that it takes ends in exactly one outcome at its [`SlotPort`]: the answer, or
//! a felkod that says why there is none. If the dispatcher itself falls, the ports it held say so.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, StreamHandler};
use futures_util::stream;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::SsbtFelkod;
use tokio::time::Instant;
use uuid::Uuid;

use self::circuit::{Circuit, CircuitSettings, Pass};
use self::ended::{End, EndedQuestions};
use crate::avvikelse::Avvikelser;
use crate::failpoint::Failpoints;
use crate::mailbox::Envelope;
use crate::messages::{Aterkallelse, Delfraga, Recalled, SlotPort};
use crate::observation::{FailureClass, Observed, State};
use crate::room::Room;
use crate::supervisor::Halt;
use crate::tally::Tally;
use crate::transport::{
    Answer, Line, LineEvent, LineEvents, Question, QuestionKind, Refusal, Traffic, Transport,
};

pub mod circuit;
pub mod ended;

/// How often the correlation table is searched for questions whose time is up.
const SWEEP_EVERY: Duration = Duration::from_millis(25);

/// How long a new line may take before questions stop waiting for it.
const OPENING_MAX: Duration = Duration::from_secs(2);

/// Least time that a question must have had left when it was put for silence to say something of
/// the party: a request that came late in its own life is no sign that the party is away.
const TELLING_TIME_MIN: Duration = Duration::from_secs(1);

/// Bounds of one dispatcher.
#[derive(Clone, Copy, Debug)]
pub struct DispatcherSettings {
    /// Questions that the party may have at once.
    pub window: usize,
    /// Questions that may wait for a place in the window.
    pub line_max: usize,
    /// When a silent party is paused.
    pub circuit: CircuitSettings,
}

impl Default for DispatcherSettings {
    fn default() -> Self {
        Self {
            window: 512,
            line_max: 2_048,
            circuit: CircuitSettings::default(),
        }
    }
}

/// What every life of a dispatcher is made from, besides its party and its bounds.
#[derive(Clone)]
pub struct DispatcherContext {
    /// Opens its line.
    pub transport: Arc<dyn Transport>,
    /// Its counters.
    pub observed: Arc<Observed>,
    /// What is counted.
    pub tally: Arc<Tally>,
    /// What is odd about answers.
    pub avvikelser: Avvikelser,
    /// The traffic whose consumers tell whether the party is there: what the node serves.
    pub judged_by: Traffic,
    /// Memory that the answers of all parties share.
    pub answers: Arc<Room>,
    /// Panics for tests.
    pub failpoints: Failpoints,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineState {
    Opening { since: Instant },
    Up,
    Down,
}

/// A question that the party has.
struct Asked {
    port: SlotPort,
    until: Instant,
    put: Put,
}

/// When and with what leave a question was put.
#[derive(Clone, Copy)]
struct Put {
    /// A ping has no part in the circuit: a test service that is silent says nothing of the real one.
    kind: QuestionKind,
    at: Instant,
    pass: Pass,
    /// What its request had left then.
    left: Duration,
}

/// Owns the way to one Uppgiftslämnare.
pub struct Dispatcher {
    ul: Uppgiftslamnare,
    settings: DispatcherSettings,
    context: DispatcherContext,
    line: Option<Box<dyn Line>>,
    line_state: LineState,
    consumers: [Option<u32>; Traffic::ALL.len()],
    asked: HashMap<Uuid, Asked>,
    waiting: VecDeque<Delfraga>,
    ended: EndedQuestions,
    circuit: Circuit,
    sweeping: bool,
}

impl Dispatcher {
    /// A dispatcher whose line opens when it starts.
    #[must_use]
    pub fn new(
        ul: Uppgiftslamnare,
        settings: DispatcherSettings,
        context: DispatcherContext,
    ) -> Self {
        Self {
            ul,
            settings,
            context,
            line: None,
            line_state: LineState::Opening {
                since: Instant::now(),
            },
            consumers: [None; Traffic::ALL.len()],
            asked: HashMap::new(),
            waiting: VecDeque::new(),
            ended: EndedQuestions::default(),
            circuit: Circuit::new(settings.circuit),
            sweeping: false,
        }
    }

    /// Takes a sub-question: to the party, into the waiting line, or straight back.
    fn take(&mut self, delfraga: Delfraga, now: Instant) {
        if let Err(felkod) = self.reachable(delfraga.traffic, now) {
            return self.refuse(delfraga.port, felkod);
        }
        let must_wait =
            self.line_state != LineState::Up || self.asked.len() >= self.settings.window;
        if must_wait {
            if self.waiting.len() >= self.settings.line_max {
                return self.refuse(delfraga.port, SsbtFelkod::Overlast);
            }
            self.waiting.push_back(delfraga);
        } else {
            self.ask(delfraga, now);
        }
    }

    /// Whether the party can be asked at all.
    fn reachable(&self, traffic: Traffic, now: Instant) -> Result<(), SsbtFelkod> {
        match self.line_state {
            LineState::Down => return Err(SsbtFelkod::Meddelandesystem),
            LineState::Opening { since } if now.duration_since(since) > OPENING_MAX => {
                return Err(SsbtFelkod::Meddelandesystem);
            }
            _ => {}
        }
        if self.consumers[traffic.index()] == Some(0) {
            return Err(SsbtFelkod::IngenKontakt);
        }
        if self.circuit.refuses(now) {
            return Err(SsbtFelkod::Avstangd);
        }
        Ok(())
    }

    /// Puts the question to the party.
    fn ask(&mut self, delfraga: Delfraga, now: Instant) {
        let left = delfraga.deadline.saturating_duration_since(now);
        if left.is_zero() {
            return self.refuse(delfraga.port, SsbtFelkod::Timeout);
        }
        let pass = match delfraga.kind {
            QuestionKind::Fraga => self.circuit.admits(now),
            QuestionKind::Ping => (!self.circuit.refuses(now)).then_some(Pass::Ordinary),
        };
        let Some(pass) = pass else {
            return self.refuse(delfraga.port, SsbtFelkod::Avstangd);
        };
        let patience = self.circuit.patience(pass, left);
        let Delfraga {
            corr_id,
            traffic,
            kind,
            body,
            deadline_wall,
            traceparent,
            port,
            ..
        } = delfraga;
        let question = Question {
            corr_id,
            traffic,
            kind,
            body,
            expires_in: patience,
            // What is waited for a shorter time is also of use for a shorter time.
            deadline: deadline_wall - left.saturating_sub(patience),
            traceparent,
            seal: None,
        };
        // In the table before it leaves: no answer comes before its entry.
        self.asked.insert(
            corr_id,
            Asked {
                port,
                until: now + patience,
                put: Put {
                    kind,
                    at: now,
                    pass,
                    left,
                },
            },
        );
        let sent = match &self.line {
            Some(line) => line.send(question),
            None => Err(Refusal::Broker),
        };
        if let Err(refusal) = sent {
            self.refused(corr_id, refusal, now);
        }
    }

    fn refuse(&self, port: SlotPort, felkod: SsbtFelkod) {
        self.context.observed.count_failed();
        port.fail(felkod);
    }

    /// A question that was asked ends without an answer. Tells how it was put; nothing when it has
    /// ended before.
    fn end_unanswered(&mut self, corr_id: Uuid, felkod: SsbtFelkod) -> Option<Put> {
        let asked = self.asked.remove(&corr_id)?;
        self.ended.remember(corr_id, End::Unanswered);
        self.refuse(asked.port, felkod);
        Some(asked.put)
    }

    /// The party was silent to this question for as long as it was waited for.
    fn silent(&mut self, put: Put, now: Instant) {
        if put.kind == QuestionKind::Ping || put.left < TELLING_TIME_MIN {
            self.circuit.inconclusive(put.pass, now);
        } else {
            self.circuit.timed_out(put.at, put.pass, now);
        }
    }

    fn refused(&mut self, corr_id: Uuid, refusal: Refusal, now: Instant) {
        let felkod = match refusal {
            Refusal::Unroutable => SsbtFelkod::IngenKontakt,
            Refusal::QueueFull => SsbtFelkod::Overlast,
            Refusal::Broker => SsbtFelkod::Meddelandesystem,
        };
        if let Some(put) = self.end_unanswered(corr_id, felkod) {
            self.circuit.inconclusive(put.pass, now);
        }
    }

    fn answered(&mut self, answer: Answer, now: Instant) {
        let Some(asked) = self.asked.remove(&answer.corr_id) else {
            return self.stray(answer.corr_id);
        };
        self.ended.remember(answer.corr_id, End::Answered);
        self.context.observed.count_handled();
        if asked.put.kind == QuestionKind::Fraga {
            self.circuit.answered(now);
            let took = now.duration_since(asked.put.at);
            self.context.tally.count_answer(self.ul, took);
        }
        asked.port.answer(answer.content);
    }

    /// An answer came that there was no memory for. The party is there: only its part is lost.
    fn answered_in_vain(&mut self, corr_id: Uuid, now: Instant) {
        let Some(put) = self.end_unanswered(corr_id, SsbtFelkod::Overlast) else {
            return self.stray(corr_id);
        };
        if put.kind == QuestionKind::Fraga {
            self.circuit.answered(now);
        }
        // Counted by its felkod, like every answer that is dropped.
        tracing::debug!(bastjanst = %self.ul, "answer dropped: no memory for more answers");
    }

    /// An answer that nobody waits for is dropped and counted by class, never passed on.
    fn stray(&self, corr_id: Uuid) {
        let class = self.ended.classify(corr_id);
        self.context.avvikelser.note_herrelost(self.ul, class);
    }

    /// Everything outstanding is lost with the line.
    fn line_lost(&mut self, now: Instant) {
        self.line_state = LineState::Down;
        self.consumers = [None; Traffic::ALL.len()];
        let lost: Vec<Uuid> = self.asked.keys().copied().collect();
        for corr_id in lost {
            if let Some(put) = self.end_unanswered(corr_id, SsbtFelkod::Meddelandesystem) {
                self.circuit.inconclusive(put.pass, now);
            }
        }
        for delfraga in std::mem::take(&mut self.waiting) {
            self.refuse(delfraga.port, SsbtFelkod::Meddelandesystem);
        }
    }

    fn recall(&mut self, recall: &Aterkallelse, now: Instant) {
        for corr_id in &recall.corr_ids {
            if let Some(Asked { put, .. }) = self.asked.remove(corr_id) {
                self.ended.remember(*corr_id, End::Unanswered);
                match recall.because {
                    Recalled::Deadline => self.silent(put, now),
                    Recalled::CallerGone | Recalled::RequestLost => {
                        self.circuit.inconclusive(put.pass, now);
                    }
                }
            }
        }
        self.waiting
            .retain(|delfraga| !recall.corr_ids.contains(&delfraga.corr_id));
    }

    /// Ends what has waited long enough: asked, or still in line.
    fn sweep(&mut self, now: Instant) {
        let due: Vec<Uuid> = self
            .asked
            .iter()
            .filter(|(_, asked)| asked.until <= now)
            .map(|(id, _)| *id)
            .collect();
        for corr_id in due {
            if let Some(put) = self.end_unanswered(corr_id, SsbtFelkod::Timeout) {
                self.silent(put, now);
            }
        }
        for delfraga in std::mem::take(&mut self.waiting) {
            if let Err(felkod) = self.reachable(delfraga.traffic, now) {
                self.refuse(delfraga.port, felkod);
            } else if delfraga.deadline <= now {
                self.refuse(delfraga.port, SsbtFelkod::Timeout);
            } else {
                self.waiting.push_back(delfraga);
            }
        }
    }

    /// Lets the waiting line into what is free of the window.
    fn advance(&mut self, now: Instant) {
        while self.line_state == LineState::Up && self.asked.len() < self.settings.window {
            let Some(delfraga) = self.waiting.pop_front() else {
                return;
            };
            self.ask(delfraga, now);
        }
    }

    /// After anything that happened: moves the line on, shows the new state, keeps sweeping.
    fn settle(&mut self, now: Instant, ctx: &mut Context<Self>) {
        self.advance(now);
        self.context
            .observed
            .set_load(self.asked.len(), self.waiting.len());
        let detail = self.impairment();
        self.context.observed.set_detail(detail);
        self.context.observed.set_state(if detail.is_some() {
            State::Impaired
        } else {
            State::Running
        });
        let idle = self.asked.is_empty() && self.waiting.is_empty();
        if !self.sweeping && !idle {
            self.sweeping = true;
            ctx.run_later(SWEEP_EVERY, |dispatcher, ctx| {
                let now = Instant::now();
                dispatcher.sweeping = false;
                dispatcher.sweep(now);
                dispatcher.settle(now, ctx);
            });
        }
    }

    /// Why the party cannot be asked, in a word.
    fn impairment(&self) -> Option<FailureClass> {
        match self.line_state {
            LineState::Opening { .. } => Some("line opening"),
            LineState::Down => Some("no broker"),
            LineState::Up if self.circuit.is_open() => Some("circuit open"),
            LineState::Up if self.consumers[self.context.judged_by.index()] == Some(0) => {
                Some("no consumer")
            }
            LineState::Up => None,
        }
    }
}

impl Actor for Dispatcher {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (events, mut receiver) = LineEvents::channel(Arc::clone(&self.context.answers));
        ctx.add_stream(stream::poll_fn(move |cx| receiver.poll_recv(cx)));
        self.line = Some(self.context.transport.open(self.ul, events));
        self.settle(Instant::now(), ctx);
    }
}

impl Handler<Envelope<Delfraga>> for Dispatcher {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Delfraga>, ctx: &mut Self::Context) {
        let delfraga = envelope.open();
        self.context.failpoints.hit(self.context.observed.name());
        let now = Instant::now();
        self.take(delfraga, now);
        self.settle(now, ctx);
    }
}

impl Handler<Envelope<Aterkallelse>> for Dispatcher {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Aterkallelse>, ctx: &mut Self::Context) {
        let now = Instant::now();
        self.recall(&envelope.open(), now);
        self.settle(now, ctx);
    }
}

/// Each event of the line. When the events end, the transport gave the line up: the actor stops, and
/// its next life opens another.
impl StreamHandler<LineEvent> for Dispatcher {
    fn handle(&mut self, event: LineEvent, ctx: &mut Self::Context) {
        let now = Instant::now();
        match event {
            LineEvent::Up => self.line_state = LineState::Up,
            LineEvent::Down => self.line_lost(now),
            LineEvent::Consumers { traffic, count } => {
                self.consumers[traffic.index()] = Some(count);
            }
            LineEvent::Refused { corr_id, refusal } => self.refused(corr_id, refusal, now),
            LineEvent::Answer(answer) => self.answered(answer, now),
            LineEvent::NoRoom { corr_id } => self.answered_in_vain(corr_id, now),
        }
        self.settle(now, ctx);
    }
}

impl Handler<Halt> for Dispatcher {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        ctx.stop();
    }
}
