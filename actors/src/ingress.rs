//! Ingress: validates a received message and either refuses it with one SHS error, or has it handled:
//! starts one aggregator for a question, answers a ping, passes a synchronous message on to another
//! node, or takes an asynchronous one over.
//!
//! There is one per HTTP worker, on the worker's own arbiter, and the aggregators of its requests
//! live beside it. Reading content runs contained: a panic in it costs one request, not the actor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use arc_swap::ArcSwap;
use chrono::Utc;
use shs_schemas::Sensitive;
use shs_schemas::shs::{DataPart, KnownIds, Label, Organisationsnummer, time};
use tokio::time::Instant;
use uuid::Uuid;

use self::examination::{Examined, Route, datum, examine, fragor};
use self::rules::{Rules, traffic_of};
use crate::aggregator::{
    Aggregator, AggregatorContext, Dispatchers, Outgoing, READ_ON_ARBITER_BYTES_MAX, Request,
};
use crate::failure::{Failure, Rejection};
use crate::insamling::{Insamling, Person, PersonQuestion};
use crate::load::{Admission, Load, Overload};
use crate::mailbox::Envelope;
use crate::messages::{AcceptedQuestion, Inkommande};
use crate::observation::{Observed, OpenRequests};
use crate::relay::Reception;
use crate::reply::ReplyPort;
use crate::supervisor::Halt;

pub mod examination;
mod katalog;
mod passage;
pub mod ping;
pub mod rules;

pub use passage::Neighbours;
pub(crate) use passage::remote_code;

/// Big messages of one worker that may be at the blocking pool at once. What comes beyond is
/// refused: nothing waits without a bound.
const ELSEWHERE_MAX: usize = 64;

/// Messages of one worker that may wait for the directory, the ledger or another node at once.
const WAITING_MAX: usize = 1_024;

/// What every life of an ingress is made from.
#[derive(Clone)]
pub struct IngressContext {
    /// What it goes by.
    pub rules: Arc<Rules>,
    /// How much may be open.
    pub load: Arc<Load>,
    /// Who is connected.
    pub dispatchers: Arc<ArcSwap<Dispatchers>>,
    /// Other actors and their nodes.
    pub neighbours: Neighbours,
    /// Where asynchronous messages are taken over; none when the node does not take any.
    pub reception: Option<Arc<Reception>>,
    /// Open requests of this worker.
    pub open: OpenRequests,
    /// What its aggregators share.
    pub aggregators: AggregatorContext,
    /// Its counters.
    pub observed: Arc<Observed>,
}

/// Admits a request or refuses it.
pub struct Ingress {
    context: IngressContext,
    /// Big messages that are at the blocking pool.
    elsewhere: usize,
    /// Messages that wait for somebody outside this actor.
    waiting: usize,
}

/// A question to be read and asked.
struct Asking {
    label: Label,
    parts: Vec<DataPart>,
    sender: Organisationsnummer,
    /// Whether it was accepted before: then a node that drains still asks it.
    accepted: bool,
    received: Instant,
    traceparent: Option<String>,
    port: ReplyPort,
}

impl Ingress {
    /// An ingress made from these.
    #[must_use]
    pub fn new(context: IngressContext) -> Self {
        Self {
            context,
            elsewhere: 0,
            waiting: 0,
        }
    }

    /// What the examination found: a message to handle, perhaps after asking the directory, or a
    /// refusal.
    fn conclude(
        &mut self,
        inkommande: Inkommande,
        found: Result<Examined, Rejection>,
        ctx: &mut Context<Self>,
    ) {
        self.context.observed.count_handled();
        if inkommande.port.is_caller_gone() {
            // Every sub-question is a disclosure: none for nobody.
            return inkommande.port.caller_gone();
        }
        match found {
            Ok(examined) if examined.open.is_nothing() => self.handle_it(inkommande, examined, ctx),
            Ok(examined) => self.settle(inkommande, examined, ctx),
            Err(rejection) => self.refuse(inkommande.port, rejection),
        }
    }

    /// Asks the directory what configuration left open, and goes on.
    fn settle(&mut self, inkommande: Inkommande, examined: Examined, ctx: &mut Context<Self>) {
        if self.waiting >= WAITING_MAX {
            return self.refuse_overload(inkommande.port, Overload::Node);
        }
        let rules = Arc::clone(&self.context.rules);
        let directory = Arc::clone(&self.context.neighbours.directory);
        let settling = async move {
            let settled = katalog::settle(&rules, &*directory, &examined, Utc::now()).await;
            (inkommande, examined, settled)
        };
        self.wait(settling, ctx, |ingress, settled, ctx| {
            let (inkommande, examined, settled) = settled;
            match settled {
                Ok(()) => ingress.handle_it(inkommande, examined, ctx),
                Err(failure) => {
                    let ids = examined.message.label.known_ids();
                    ingress.refuse(inkommande.port, Rejection::new(failure, ids));
                }
            }
        });
    }

    /// Does what the message asks of the node.
    fn handle_it(&mut self, inkommande: Inkommande, examined: Examined, ctx: &mut Context<Self>) {
        if examined.route != Route::Asynch
            && let Err(rejection) = self.context.rules.check_parts(&examined.message)
        {
            return self.refuse(inkommande.port, rejection);
        }
        match examined.route {
            Route::Fraga => self.ask(Asking::of(inkommande, examined), ctx),
            Route::Ping => {
                let reply = ping::reply(&examined.message, &self.context.rules.own, Utc::now());
                inkommande.port.reply(reply);
            }
            Route::Relay => self.pass_on(inkommande, examined, ctx),
            Route::Asynch => self.take_over(inkommande, examined, ctx),
        }
    }

    /// Reads the questions, here or on the blocking pool, and starts the request.
    fn ask(&mut self, asking: Asking, ctx: &mut Context<Self>) {
        let bytes: usize = asking.parts.iter().map(DataPart::bytes).sum();
        let rules = Arc::clone(&self.context.rules);
        if bytes <= READ_ON_ARBITER_BYTES_MAX {
            let (asking, read) = read_questions(&rules, asking);
            return self.begin(asking, read);
        }
        if self.elsewhere >= ELSEWHERE_MAX {
            return self.refuse_overload(asking.port, Overload::Node);
        }
        let reading = move || read_questions(&rules, asking);
        self.go_elsewhere(reading, ctx, |ingress, (asking, read), _| {
            ingress.begin(asking, read);
        });
    }

    /// Admits the request, opens its slots and starts its aggregator, on this arbiter.
    fn begin(&self, asking: Asking, read: Result<Vec<Person>, Rejection>) {
        let ids = asking.label.known_ids();
        let admitted = read.and_then(|persons| {
            let refused = |overload| Rejection::new(overload_failure(overload), ids.clone());
            let load = &self.context.load;
            let admission = if asking.accepted {
                load.admit_accepted(&asking.sender)
            } else {
                load.admit(&asking.sender)
            };
            Ok((persons, admission.map_err(refused)?))
        });
        match admitted {
            Ok((persons, admission)) => self.aggregate(asking, persons, admission),
            Err(rejection) => self.refuse(asking.port, rejection),
        }
    }

    fn aggregate(&self, asking: Asking, persons: Vec<Person>, admission: Admission) {
        let mut port = asking.port;
        let request_id = port.request_id();
        let dispatchers = self.context.dispatchers.load_full();
        let rules = Arc::clone(&self.context.rules);
        let traffic = traffic_of(asking.label.status);
        let ids = asking.label.known_ids();
        // Splitting a question reads content: contained, like its examination.
        let label = asking.label;
        let split = AssertUnwindSafe(|| open_slots(label, persons, &rules));
        let Ok((insamling, outgoing)) = catch_unwind(split) else {
            tracing::error!(%request_id, "panic while a question was split");
            return port.reject(Rejection::new(Failure::Content, ids));
        };
        let (slots, _) = insamling.progress();
        port.admit(ids, insamling.persons(), slots);
        let request = Request {
            insamling,
            outgoing,
            dispatchers,
            traffic,
            trace_id: trace_id(asking.traceparent.as_deref(), request_id),
            received: asking.received,
            admission,
            visible: self.context.open.open(request_id, slots),
            port,
        };
        Aggregator::start_for(request, self.context.aggregators.clone());
    }

    /// Passes a synchronous message on to the receiver's node, as it came (shs-1.2, 7.3).
    fn pass_on(&mut self, inkommande: Inkommande, examined: Examined, ctx: &mut Context<Self>) {
        let label = examined.message.label;
        let admission = match self.context.load.admit(&examined.sender) {
            Ok(_) if self.waiting >= WAITING_MAX => Err(Overload::Node),
            admission => admission,
        };
        let admission = match admission {
            Ok(admission) => admission,
            Err(overload) => {
                let rejection = Rejection::new(overload_failure(overload), label.known_ids());
                return self.refuse(inkommande.port, rejection);
            }
        };
        let neighbours = self.context.neighbours.clone();
        let Inkommande { body, mut port, .. } = inkommande;
        port.relay(label.known_ids());
        let passing = async move {
            let passed = passage::pass_on(&neighbours, &label, body).await;
            drop(admission);
            (port, passed)
        };
        self.wait(passing, ctx, |ingress, (port, passed), _| match passed {
            Ok(reply) => port.reply(reply),
            Err(rejection) => ingress.refuse(port, rejection),
        });
    }

    /// Takes an asynchronous message over: from the answer on it is this node's to deliver.
    fn take_over(&mut self, inkommande: Inkommande, examined: Examined, ctx: &mut Context<Self>) {
        let ids = examined.message.label.known_ids();
        let port = inkommande.port;
        let Some(reception) = self.context.reception.clone() else {
            return self.refuse(port, Rejection::new(Failure::Asynchronous, ids));
        };
        if self.waiting >= WAITING_MAX {
            return self.refuse(port, Rejection::new(Failure::NodeOverload, ids));
        }
        let own_system = inkommande.caller.is_internal();
        let request_id = port.request_id();
        let taking = async move {
            let taken = reception.take_over(examined, own_system, request_id).await;
            (port, ids, taken)
        };
        self.wait(taking, ctx, |ingress, (port, ids, taken), _| match taken {
            Ok(receipt) => port.accept(receipt),
            Err(failure) => ingress.refuse(port, Rejection::new(failure, ids)),
        });
    }

    fn refuse(&self, port: ReplyPort, rejection: Rejection) {
        self.context.observed.count_failed();
        port.reject(rejection);
    }

    fn refuse_overload(&self, port: ReplyPort, overload: Overload) {
        let failure = overload_failure(overload);
        self.refuse(port, Rejection::new(failure, KnownIds::default()));
    }

    /// Examines on the blocking pool, so that a big message does not hold up the others.
    fn examine_elsewhere(&mut self, inkommande: Inkommande, ctx: &mut Context<Self>) {
        if self.elsewhere >= ELSEWHERE_MAX {
            return self.refuse_overload(inkommande.port, Overload::Node);
        }
        let rules = Arc::clone(&self.context.rules);
        let examining = move || {
            let found = contained(&rules, &inkommande);
            (inkommande, found)
        };
        self.go_elsewhere(examining, ctx, |ingress, (inkommande, found), ctx| {
            ingress.conclude(inkommande, found, ctx);
        });
    }

    /// Works on the blocking pool, then goes on here.
    fn go_elsewhere<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
        ctx: &mut Context<Self>,
        then: impl FnOnce(&mut Self, T, &mut Context<Self>) + 'static,
    ) {
        self.elsewhere += 1;
        let working = actix_rt::task::spawn_blocking(work).into_actor(self);
        ctx.spawn(working.map(|done, ingress, ctx| {
            ingress.elsewhere -= 1;
            // A pool that is shut down drops the port, which answers.
            if let Ok(done) = done {
                then(ingress, done, ctx);
            }
        }));
    }

    /// Waits for somebody outside this actor, then goes on here.
    fn wait<T: 'static>(
        &mut self,
        waiting: impl Future<Output = T> + 'static,
        ctx: &mut Context<Self>,
        then: impl FnOnce(&mut Self, T, &mut Context<Self>) + 'static,
    ) {
        self.waiting += 1;
        ctx.spawn(waiting.into_actor(self).map(|value, ingress, ctx| {
            ingress.waiting -= 1;
            then(ingress, value, ctx);
        }));
    }
}

impl Asking {
    fn of(inkommande: Inkommande, examined: Examined) -> Self {
        Self {
            label: examined.message.label,
            parts: examined.message.parts,
            sender: examined.sender,
            accepted: false,
            received: inkommande.received,
            traceparent: inkommande.traceparent,
            port: inkommande.port,
        }
    }
}

fn overload_failure(overload: Overload) -> Failure {
    match overload {
        Overload::Node => Failure::NodeOverload,
        Overload::Sender => Failure::SenderOverload,
        Overload::Draining => Failure::Draining,
    }
}

/// Examines, contained: a panic becomes an error of ours for this one message.
fn contained(rules: &Rules, inkommande: &Inkommande) -> Result<Examined, Rejection> {
    let body = inkommande.body.expose().clone();
    let content_type = inkommande.http_content_type.as_deref();
    let caller = &inkommande.caller;
    catch_unwind(AssertUnwindSafe(|| {
        examine(rules, caller, body, content_type, Utc::now())
    }))
    .unwrap_or_else(|_| {
        let request_id = inkommande.port.request_id();
        tracing::error!(%request_id, "panic while a message was read");
        Err(Rejection::new(Failure::Content, KnownIds::default()))
    })
}

/// Reads the questions, contained.
fn read_questions(rules: &Rules, mut asking: Asking) -> (Asking, Result<Vec<Person>, Rejection>) {
    let parts = std::mem::take(&mut asking.parts);
    let ids = asking.label.known_ids();
    let reading = AssertUnwindSafe(|| fragor(rules, parts, &ids, Utc::now()));
    let read = catch_unwind(reading).unwrap_or_else(|_| {
        let request_id = asking.port.request_id();
        tracing::error!(%request_id, "panic while a question was read");
        Err(Rejection::new(Failure::Content, ids.clone()))
    });
    (asking, read)
}

/// One slot for each person and party that is asked, in the order of the question.
fn open_slots(label: Label, persons: Vec<Person>, rules: &Rules) -> (Insamling, Vec<Outgoing>) {
    let mut asked = Vec::new();
    let idag = datum(time::swedish(Utc::now()).date());
    for (person, part) in persons.iter().enumerate() {
        if let PersonQuestion::Fraga(fraga) = &part.question {
            let delfragor = fraga.delfragor(&rules.fordelning, idag);
            asked.extend(delfragor.into_iter().map(|delfraga| (person, delfraga)));
        }
    }
    let mut insamling = Insamling::new(label, persons);
    let outgoing = asked.into_iter().map(|(person, delfraga)| {
        let corr_id = Uuid::new_v4();
        let ul = delfraga.uppgiftslamnare;
        let slot = insamling.open_slot(person, ul, delfraga.kontrakt, corr_id);
        Outgoing {
            slot,
            ul,
            corr_id,
            body: delfraga.body.map(Sensitive::new),
        }
    });
    let outgoing = outgoing.collect();
    (insamling, outgoing)
}

/// The caller's trace id when it sent a W3C trace context, else the request's own.
fn trace_id(traceparent: Option<&str>, request_id: Uuid) -> String {
    let given = traceparent.and_then(|value| value.split('-').nth(1));
    let usable = given.filter(|id| {
        id.len() == 32
            && id
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            && id.bytes().any(|b| b != b'0')
    });
    usable.map_or_else(|| request_id.simple().to_string(), str::to_owned)
}

impl Actor for Ingress {
    type Context = Context<Self>;
}

impl Handler<Envelope<Inkommande>> for Ingress {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Inkommande>, ctx: &mut Self::Context) {
        let inkommande = envelope.open();
        self.context.aggregators.failpoints.hit("ingress");
        if let Err(overload) = self.context.load.has_room() {
            return self.refuse_overload(inkommande.port, overload);
        }
        if inkommande.body.expose().len() > READ_ON_ARBITER_BYTES_MAX {
            return self.examine_elsewhere(inkommande, ctx);
        }
        let found = contained(&self.context.rules, &inkommande);
        self.conclude(inkommande, found, ctx);
    }
}

impl Handler<Envelope<AcceptedQuestion>> for Ingress {
    type Result = ();

    /// Asks a question that was accepted before: whether it may be asked has been decided.
    fn handle(&mut self, envelope: Envelope<AcceptedQuestion>, ctx: &mut Self::Context) {
        let accepted = envelope.open();
        self.context.observed.count_handled();
        let asking = Asking {
            label: accepted.message.label,
            parts: accepted.message.parts,
            sender: accepted.sender,
            accepted: true,
            received: accepted.received,
            traceparent: None,
            port: accepted.port,
        };
        self.ask(asking, ctx);
    }
}

impl Handler<Halt> for Ingress {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usable_trace_id_of_the_caller_is_kept_and_any_other_is_replaced() {
        let own = Uuid::from_u128(0xABC);
        let given = "4bf92f3577b34da6a3ce929d0e0e4736";
        let header = format!("00-{given}-00f067aa0ba902b7-01");
        assert_eq!(trace_id(Some(&header), own), given);
        for bad in [
            "",
            "00-xyz-1-01",
            "00-00000000000000000000000000000000-1-01",
            "00--",
            "ÅÄÖ",
        ] {
            assert_eq!(trace_id(Some(bad), own), own.simple().to_string());
        }
        assert_eq!(trace_id(None, own), own.simple().to_string());
    }
}
