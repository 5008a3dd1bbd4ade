//! Ingress: validates a received message and either refuses it with one SHS error, or has it handled:
//! starts one aggregator for a question, answers a ping, passes a synchronous message on to another
//! node, or takes an asynchronous one over.
//!
//! There is one per HTTP worker, on the worker's own arbiter, and the aggregators of its requests
//! live beside it. Reading content runs contained: a panic in it costs one request, not the actor.

use std::sync::Arc;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use arc_swap::ArcSwap;
use chrono::Utc;
use shs_schemas::shs::KnownIds;
use shs_schemas::shs::agreement::Exchange;

use self::asking::Asking;
use self::examination::{Asker, Examined, ExaminedAnrop, Route, examine, examine_anrop};
use self::rules::{Rules, traffic_of};
use crate::aggregator::{AggregatorContext, Dispatchers};
use crate::contained::{ON_ARBITER_BYTES_MAX, contained};
use crate::door::Door;
use crate::failure::{Failure, Rejection};
use crate::ledger::{Ids, Journal, LedgerBook};
use crate::load::{Load, Overload};
use crate::mailbox::Envelope;
use crate::messages::{AcceptedQuestion, Inkommande, Through};
use crate::observation::{Observed, OpenRequests};
use crate::relay::Reception;
use crate::reply::ReplyPort;
use crate::supervisor::Halt;

mod asking;
pub mod examination;
mod katalog;
mod noting;
mod passage;
pub mod ping;
pub mod rules;
mod soap;

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
    /// The ledger, if the node keeps one.
    pub book: Option<LedgerBook>,
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
        found: Result<Found, Rejection>,
        ctx: &mut Context<Self>,
    ) {
        self.context.observed.count_handled();
        if inkommande.port.is_caller_gone() {
            // Every sub-question is a disclosure: none for nobody.
            return inkommande.port.caller_gone();
        }
        let mut inkommande = inkommande;
        match &found {
            Ok(Found::Message(examined)) => inkommande.port.is_from(examined.sender.clone()),
            Ok(Found::Anrop(examined)) => inkommande.port.is_from(examined.exchange.sender.clone()),
            Err(_) => {}
        }
        match found {
            Ok(Found::Message(examined)) if examined.open.is_nothing() => {
                self.handle_it(inkommande, *examined, ctx);
            }
            Ok(Found::Message(examined)) => self.settle(inkommande, *examined, ctx),
            Ok(Found::Anrop(examined)) => self.handle_call(inkommande, *examined, ctx),
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
            let label = &examined.message.label;
            let settled = match Exchange::of(label, Utc::now()) {
                Some(exchange) => {
                    let (open, named) = (examined.open, label.agreement.as_ref());
                    katalog::settle(&rules, &*directory, open, &exchange, named).await
                }
                None => Err(Failure::ReceiverMissing),
            };
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
            Route::Fraga => {
                let Examined {
                    message, sender, ..
                } = examined;
                let (asking, parts) = Asking::of(inkommande, message, sender);
                self.ask(asking, parts, ctx);
            }
            Route::Ping => {
                let reply = ping::reply(&examined.message, &self.context.rules.own, Utc::now());
                inkommande.port.reply(reply);
            }
            Route::Relay => self.pass_on(inkommande, examined, ctx),
            Route::Asynch => self.take_over(inkommande, examined, ctx),
        }
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
        if let Some(book) = &self.context.book {
            let bytes = body.expose().len() as u64;
            let parts = examined.message.parts.len();
            if let Some(mottaget) = noting::of_label(&label, bytes, parts) {
                let ids = Ids::from(&label);
                port.keep(Journal::begin(
                    book.clone(),
                    port.request_id(),
                    ids,
                    mottaget,
                ));
            }
        }
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
        let caller = inkommande.caller;
        let request_id = port.request_id();
        let taking = async move {
            let taken = reception.take_over(examined, caller, request_id).await;
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
            let found = look_at(&rules, &inkommande);
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
        let working = crate::stack::off_arbiter(work).into_actor(self);
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

fn overload_failure(overload: Overload) -> Failure {
    match overload {
        Overload::Node => Failure::NodeOverload,
        Overload::Sender => Failure::SenderOverload,
        Overload::Draining => Failure::Draining,
        Overload::NotNoted => Failure::NotNoted,
    }
}

/// What an examination found.
enum Found {
    Message(Box<Examined>),
    Anrop(Box<ExaminedAnrop>),
}

/// Examines what came, by the rules of its door.
fn look_at(rules: &Rules, inkommande: &Inkommande) -> Result<Found, Rejection> {
    let (caller, now) = (&inkommande.caller, Utc::now());
    let body = inkommande.body.expose().clone();
    let examining = || match &inkommande.through {
        Through::Shs { content_type } => {
            let examined = examine(rules, caller, body, content_type.as_deref(), now);
            examined.map(|examined| Found::Message(Box::new(examined)))
        }
        Through::Soap { charset } => {
            let examined = examine_anrop(rules, caller, body, charset.as_deref(), now);
            examined.map(|examined| Found::Anrop(Box::new(examined)))
        }
    };
    contained(inkommande.port.request_id(), "examining", examining)
        .unwrap_or_else(|failure| Err(Rejection::new(failure, KnownIds::default())))
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
        if inkommande.body.expose().len() > ON_ARBITER_BYTES_MAX {
            return self.examine_elsewhere(inkommande, ctx);
        }
        let found = look_at(&self.context.rules, &inkommande);
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
            traffic: traffic_of(accepted.message.label.status),
            door: Door::Shs(Box::new(accepted.message.label)),
            asker: Asker {
                sender: accepted.sender,
                caller: accepted.caller,
            },
            accepted: true,
            bytes: 0,
            received: accepted.received,
            traceparent: None,
            port: accepted.port,
        };
        self.ask(asking, accepted.message.parts, ctx);
    }
}

impl Handler<Halt> for Ingress {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        ctx.stop();
    }
}
