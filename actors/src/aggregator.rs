//! The aggregator: one actor per request. It sends every sub-question at once, fills its slots as
//! outcomes come, and closes when all are filled or the deadline is there.
//!
//! A crash of one takes one request with it: its reply port, dropped, answers that caller with an
//! error, and nobody else notices.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use bytes::Bytes;
use shs_schemas::shs::KnownIds;
use shs_schemas::ssbtek::{Delfel, SsbtFelkod, Utfall};
use shs_schemas::{Sensitive, Uppgiftslamnare, xml};
use tokio::time::Instant;
use uuid::Uuid;

use crate::answer::{AnswerChecks, ReadAnswer};
use crate::avvikelse::{Avvikelse, Avvikelser, Slag};
use crate::contained::ON_ARBITER_BYTES_MAX;
use crate::deadline::{Deadlines, WaitsOn};
use crate::dispatcher::Dispatcher;
use crate::egress::Egress;
use crate::failpoint::Failpoints;
use crate::failure::{Failure, Rejection};
use crate::insamling::{Filled, Insamling, SlotId};
use crate::ledger::event::{DelsvarLine, Ids};
use crate::load::Admission;
use crate::mailbox::{Mailbox, Undelivered};
use crate::messages::{Aterkallelse, Delfraga, Recalled, Sammanstall, SlotFilled, SlotPort};
use crate::observation::OpenGuard;
use crate::parter::Parter;
use crate::reply::ReplyPort;
use crate::tally::Tally;
use crate::transport::sealing::WRONG_SEAL;
use crate::transport::{AnswerContent, QuestionKind, Traffic};

/// Messages beyond one per slot that may wait for an aggregator.
const MAILBOX_SPARE: usize = 16;

/// How often policy `budget` looks again whether it may wait on.
const WAIT_ON_EVERY: Duration = Duration::from_millis(250);

/// The connected dispatchers.
pub type Dispatchers = HashMap<Uppgiftslamnare, Mailbox<Dispatcher>>;

/// What every aggregator of a worker shares.
#[derive(Clone)]
pub struct AggregatorContext {
    /// Where compiled requests go.
    pub egress: Mailbox<Egress>,
    /// When to stop waiting.
    pub deadlines: Deadlines,
    /// Bounds on an answer.
    pub answer_limits: xml::Limits,
    /// What is counted.
    pub tally: Arc<Tally>,
    /// What is odd about answers.
    pub avvikelser: Avvikelser,
    /// How each party is treated.
    pub parter: Arc<Parter>,
    /// Panics for tests.
    pub failpoints: Failpoints,
}

/// One sub-question to be sent when the aggregator starts.
pub struct Outgoing {
    /// Its slot.
    pub slot: SlotId,
    /// Whom it is for.
    pub ul: Uppgiftslamnare,
    /// Sub-question or ping.
    pub kind: QuestionKind,
    /// Its identity on the wire.
    pub corr_id: Uuid,
    /// Whether Skatteverket is asked for what is usual, because the question could not say.
    pub skv_standard: bool,
    /// Its body, or the error that stands in its place without anybody being asked.
    pub body: Result<Sensitive<Bytes>, Delfel>,
}

/// An admitted request: everything that its aggregator needs.
pub struct Request {
    /// Its slots.
    pub insamling: Insamling,
    /// What to send.
    pub outgoing: Vec<Outgoing>,
    /// Who is connected now.
    pub dispatchers: Arc<Dispatchers>,
    /// Production or test.
    pub traffic: Traffic,
    /// Trace id of the request: 32 hexadecimal digits.
    pub trace_id: String,
    /// When it was received.
    pub received: Instant,
    /// Keeps it counted as open.
    pub admission: Admission,
    /// Keeps it visible.
    pub visible: OpenGuard,
    /// Where its outcome goes.
    pub port: ReplyPort,
}

/// Holds one request.
pub struct Aggregator {
    shared: AggregatorContext,
    /// Taken when the request is closed.
    request: Option<Request>,
    /// Leave to wait past the normal stop.
    waits_on: Option<WaitsOn>,
}

impl Aggregator {
    /// Starts an aggregator on the present arbiter. It lives until its request is closed.
    pub fn start_for(request: Request, shared: AggregatorContext) {
        let context = Context::<Self>::new();
        let life = context.into_future(Self {
            shared,
            request: Some(request),
            waits_on: None,
        });
        actix_rt::spawn(life);
    }

    /// Sends every sub-question. None waits for another's answer.
    fn send_all(&mut self, ctx: &mut Context<Self>) {
        let Some(request) = &mut self.request else {
            return;
        };
        let persons = request.insamling.persons();
        let latest = request.received + self.shared.deadlines.settings.latest_stop(persons);
        let left = latest.saturating_duration_since(Instant::now());
        let deadline_wall = chrono::Utc::now() + left;
        let recipient = ctx.address().recipient();
        let mut standard = Vec::new();
        for outgoing in std::mem::take(&mut request.outgoing) {
            let body = match outgoing.body {
                Ok(body) => body,
                Err(fel) => {
                    fill(request, outgoing.slot, Utfall::Fel(fel));
                    continue;
                }
            };
            let delfraga = Delfraga {
                corr_id: outgoing.corr_id,
                traffic: request.traffic,
                kind: outgoing.kind,
                body,
                deadline: latest,
                deadline_wall,
                traceparent: traceparent(&request.trace_id, outgoing.corr_id),
                port: SlotPort::new(outgoing.slot, recipient.clone()),
            };
            put(delfraga, request.dispatchers.get(&outgoing.ul));
            if outgoing.skv_standard {
                standard.push(outgoing.ul);
            }
        }
        for ul in standard {
            self.note(ul, Slag::SkvStandard);
        }
    }

    /// One outcome came. What came already changes nothing.
    fn fill(&mut self, slot: SlotId, utfall: Utfall, ctx: &mut Context<Self>) {
        let Some(request) = &mut self.request else {
            return;
        };
        if fill(request, slot, utfall) == Filled::Already {
            return;
        }
        request.visible.set_filled(request.insamling.progress().1);
        self.close_if_complete(ctx);
    }

    fn close_if_complete(&mut self, ctx: &mut Context<Self>) {
        if self
            .request
            .as_ref()
            .is_some_and(|request| request.insamling.is_complete())
        {
            self.close(ctx);
        }
    }

    /// Reads an answer: here when it is small, on the blocking pool when it is not.
    fn read(&mut self, slot: SlotId, body: Sensitive<Bytes>, ctx: &mut Context<Self>) {
        let Some(request) = &self.request else { return };
        let Some((ul, kontrakt)) = request.insamling.slot(slot) else {
            return;
        };
        let checks = AnswerChecks {
            ul,
            kontrakt,
            given_in: request.insamling.given_in(slot).unwrap_or(kontrakt),
            limits: self.shared.answer_limits,
            withhold: self.shared.parter.of(ul).withhold,
        };
        if body.expose().len() <= ON_ARBITER_BYTES_MAX {
            let read = checks.read(body);
            return self.take_read(slot, ul, read, ctx);
        }
        let reading = crate::stack::off_arbiter(move || checks.read(body));
        let filling = reading.into_actor(self).map(move |read, aggregator, ctx| {
            let read = read.unwrap_or_else(|_| ReadAnswer::lost(ul));
            aggregator.take_read(slot, ul, read, ctx);
        });
        ctx.spawn(filling);
    }

    /// An answer has been read: what was odd is noted, and its slot filled.
    fn take_read(
        &mut self,
        slot: SlotId,
        ul: Uppgiftslamnare,
        read: ReadAnswer,
        ctx: &mut Context<Self>,
    ) {
        for slag in read.avvikelser {
            self.note(ul, slag);
        }
        self.fill(slot, read.utfall, ctx);
    }

    fn note(&self, ul: Uppgiftslamnare, slag: Slag) {
        if let Some(request) = &self.request {
            let ids = Ids::from(&request.insamling.known_ids());
            let avvikelse = Avvikelse::new(ul, slag);
            self.shared
                .avvikelser
                .note(request.port.request_id(), &ids, avvikelse);
        }
    }

    /// The deadline is there: closes, unless the policy lets the request wait on.
    fn deadline(&mut self, ctx: &mut Context<Self>) {
        let Some(request) = &self.request else { return };
        let (persons, waited) = (request.insamling.persons(), request.received.elapsed());
        let before = self.waits_on.take();
        self.waits_on = self.shared.deadlines.wait_on(persons, waited, before);
        if self.waits_on.is_none() {
            return self.close(ctx);
        }
        let latest = self.shared.deadlines.settings.latest_stop(persons);
        let pause = latest.saturating_sub(waited).min(WAIT_ON_EVERY);
        ctx.run_later(pause, Self::deadline);
    }

    /// Hands the request to egress with what there is, and ends.
    fn close(&mut self, ctx: &mut Context<Self>) {
        let Some(request) = self.request.take() else {
            return;
        };
        recall(&request, Recalled::Deadline);
        if let Some(journal) = request.port.journal() {
            for (ul, _) in request.insamling.open_slots() {
                let fel = Utfall::Fel(Delfel::ssbt(SsbtFelkod::Timeout, ul));
                journal.delsvar(DelsvarLine::of(ul, &fel, request.received.elapsed()));
            }
        }
        let persons = request.insamling.persons();
        if !request.insamling.is_test() {
            // What the agreement promises is about questions: a test must not use their budget up.
            let took = request.received.elapsed();
            self.shared.deadlines.note_answered(persons, took);
        }
        let compiled = request.insamling.close(SsbtFelkod::Timeout);
        for (ul, felkod) in compiled.ssbt_felkoder() {
            self.shared.tally.count_felkod(ul, felkod);
        }
        let sammanstall = Sammanstall {
            compiled,
            admission: request.admission,
            visible: request.visible,
            port: request.port,
        };
        if let Err(undelivered) = self.shared.egress.deliver(sammanstall) {
            let failure = Rejection::new(Failure::ActorLost, KnownIds::default());
            undelivered.into_message().port.reject(failure);
        }
        ctx.stop();
    }

    /// The caller hung up: nobody is waited for, everything is dropped at once.
    fn cancel(&mut self, ctx: &mut Context<Self>) {
        if let Some(request) = self.request.take() {
            recall(&request, Recalled::CallerGone);
            note_recalled(&request);
            request.port.caller_gone();
        }
        ctx.stop();
    }
}

/// Fills a slot, and notes what it was filled with.
fn fill(request: &mut Request, slot: SlotId, utfall: Utfall) -> Filled {
    let took = request.received.elapsed();
    let line = request.port.journal().and_then(|_| {
        let (ul, _) = request.insamling.slot(slot)?;
        Some(DelsvarLine::of(ul, &utfall, took))
    });
    let filled = request.insamling.fill(slot, utfall);
    if filled == Filled::First
        && let (Some(line), Some(journal)) = (line, request.port.journal())
    {
        journal.delsvar(line);
    }
    filled
}

/// Notes of every open slot that nobody waits for it any more: each question has its outcomes in the
/// ledger before its end, however it ends.
fn note_recalled(request: &Request) {
    let Some(journal) = request.port.journal() else {
        return;
    };
    let took = request.received.elapsed();
    for (ul, _) in request.insamling.open_slots() {
        journal.delsvar(DelsvarLine::recalled(ul, took));
    }
}

/// Gives a sub-question to its dispatcher, or fails its slot at once.
fn put(delfraga: Delfraga, dispatcher: Option<&Mailbox<Dispatcher>>) {
    let Some(dispatcher) = dispatcher else {
        return delfraga.port.fail(SsbtFelkod::EjAnsluten);
    };
    match dispatcher.deliver(delfraga) {
        Ok(()) => {}
        Err(Undelivered::Full(delfraga)) => delfraga.port.fail(SsbtFelkod::Overlast),
        // Over its restart budget: the party is paused.
        Err(Undelivered::Closed(delfraga)) => delfraga.port.fail(SsbtFelkod::Avstangd),
    }
}

/// Tells the dispatchers that nobody waits for the open slots any more.
fn recall(request: &Request, because: Recalled) {
    let mut per_party: HashMap<Uppgiftslamnare, Vec<Uuid>> = HashMap::new();
    for (ul, corr_id) in request.insamling.open_slots() {
        per_party.entry(ul).or_default().push(corr_id);
    }
    for (ul, corr_ids) in per_party {
        if let Some(dispatcher) = request.dispatchers.get(&ul) {
            // Full or closed: then the dispatcher's own sweep ends them at their deadline.
            let _ = dispatcher.deliver(Aterkallelse { corr_ids, because });
        }
    }
}

/// W3C trace context of one sub-question: the request's trace, the sub-question's span.
fn traceparent(trace_id: &str, corr_id: Uuid) -> Arc<str> {
    let (span, _) = corr_id.as_u64_pair();
    format!("00-{trace_id}-{span:016x}-01").into()
}

/// An aggregator that ends with its request still open has fallen. What it had asked is recalled, so
/// that nothing of it stays in a window; the dropped reply port tells the caller.
impl Drop for Aggregator {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            request.visible.note_lost();
            recall(&request, Recalled::RequestLost);
            note_recalled(&request);
            tracing::error!(request_id = %request.port.request_id(), "aggregator lost");
        }
    }
}

impl Actor for Aggregator {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(request) = &self.request else {
            return ctx.stop();
        };
        let (slots, _) = request.insamling.progress();
        ctx.set_mailbox_capacity(slots + MAILBOX_SPARE);
        let first_stop = self
            .shared
            .deadlines
            .first_stop(request.insamling.persons());
        let waits = first_stop.saturating_sub(request.received.elapsed());
        ctx.run_later(waits, Self::deadline);
        ctx.spawn(CallerGone);
        self.send_all(ctx);
        self.shared.failpoints.hit("aggregator");
        self.close_if_complete(ctx);
    }
}

impl Handler<SlotFilled> for Aggregator {
    type Result = ();

    fn handle(&mut self, filled: SlotFilled, ctx: &mut Self::Context) {
        let Some(request) = &self.request else { return };
        let Some((ul, _)) = request.insamling.slot(filled.slot) else {
            return;
        };
        let tested = request.insamling.tested(filled.slot).is_some();
        let fel = match filled.outcome {
            // A ping is answered by anything that is no failure.
            Ok(AnswerContent::Svar(_)) if tested => {
                return self.fill(filled.slot, Utfall::Svarade, ctx);
            }
            Ok(AnswerContent::Svar(body)) => return self.read(filled.slot, body, ctx),
            Ok(AnswerContent::Fel {
                felkod,
                felmeddelande,
            }) => Delfel::bt(&felkod, felmeddelande.into_exposed(), ul),
            Ok(AnswerContent::Sealed { .. }) => {
                // Nobody here has a key: nothing is sealed.
                self.note(ul, Slag::OgiltigtSvar(WRONG_SEAL));
                Delfel::ssbt(SsbtFelkod::OgiltigtSvar, ul)
            }
            Ok(AnswerContent::Unreadable(fault)) => {
                self.note(ul, Slag::OgiltigtSvar(fault));
                Delfel::ssbt(SsbtFelkod::OgiltigtSvar, ul)
            }
            Err(felkod) => Delfel::ssbt(felkod, ul),
        };
        self.fill(filled.slot, Utfall::Fel(fel), ctx);
    }
}

/// Watches the caller's end of the reply port, and cancels the request when it goes away.
struct CallerGone;

impl ActorFuture<Aggregator> for CallerGone {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        aggregator: &mut Aggregator,
        ctx: &mut Context<Aggregator>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let Some(request) = &mut aggregator.request else {
            return Poll::Ready(());
        };
        if request.port.poll_caller_gone(task).is_pending() {
            return Poll::Pending;
        }
        aggregator.cancel(ctx);
        Poll::Ready(())
    }
}
