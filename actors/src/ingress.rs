//! Ingress: validates a received message and either refuses it with one SHS error or starts one
//! aggregator for it.
//!
//! There is one per HTTP worker, on the worker's own arbiter, and the aggregators of its requests
//! live beside it. Reading content runs contained: a panic in it costs one request, not the actor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use arc_swap::ArcSwap;
use chrono::Utc;
use shs_schemas::Sensitive;
use shs_schemas::shs::KnownIds;
use uuid::Uuid;

use self::examination::{Examined, examine};
use self::rules::{Rules, traffic_of};
use crate::aggregator::{
    Aggregator, AggregatorContext, Dispatchers, Outgoing, READ_ON_ARBITER_BYTES_MAX, Request,
};
use crate::failure::{Failure, Rejection};
use crate::insamling::{Insamling, PersonQuestion};
use crate::load::{Load, Overload};
use crate::mailbox::Envelope;
use crate::messages::Inkommande;
use crate::observation::{Observed, OpenRequests};
use crate::supervisor::Halt;

pub mod examination;
pub mod rules;

/// Big messages of one worker that may be at the blocking pool at once. What comes beyond is
/// refused: nothing waits without a bound.
const ELSEWHERE_MAX: usize = 64;

/// What every life of an ingress is made from.
#[derive(Clone)]
pub struct IngressContext {
    /// What it goes by.
    pub rules: Arc<Rules>,
    /// How much may be open.
    pub load: Arc<Load>,
    /// Who is connected.
    pub dispatchers: Arc<ArcSwap<Dispatchers>>,
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
}

impl Ingress {
    /// An ingress made from these.
    #[must_use]
    pub fn new(context: IngressContext) -> Self {
        Self {
            context,
            elsewhere: 0,
        }
    }

    /// What the examination found: a request to start, or a refusal.
    fn conclude(&self, inkommande: Inkommande, found: Result<Examined, Rejection>) {
        self.context.observed.count_handled();
        if inkommande.port.is_caller_gone() {
            // Every sub-question is a disclosure: none for nobody.
            return inkommande.port.caller_gone();
        }
        let started = found.and_then(|examined| self.admission(examined));
        match started {
            Ok((examined, admission)) => self.start(examined, admission, inkommande),
            Err(rejection) => {
                self.context.observed.count_failed();
                inkommande.port.reject(rejection);
            }
        }
    }

    fn admission(
        &self,
        examined: Examined,
    ) -> Result<(Examined, crate::load::Admission), Rejection> {
        match self.context.load.admit(&examined.sender) {
            Ok(admission) => Ok((examined, admission)),
            Err(overload) => Err(Rejection::new(
                overload_failure(overload),
                examined.label.known_ids(),
            )),
        }
    }

    /// Opens the slots and starts the aggregator, on this arbiter.
    fn start(
        &self,
        examined: Examined,
        admission: crate::load::Admission,
        mut inkommande: Inkommande,
    ) {
        let request_id = inkommande.port.request_id();
        let dispatchers = self.context.dispatchers.load_full();
        let traffic = traffic_of(examined.label.status);
        let ids = examined.label.known_ids();
        // Splitting a question reads content: contained, like its examination.
        let split = AssertUnwindSafe(|| open_slots(examined, &dispatchers));
        let Ok((insamling, outgoing)) = catch_unwind(split) else {
            tracing::error!(%request_id, "panic while a question was split");
            return inkommande
                .port
                .reject(Rejection::new(Failure::Content, ids));
        };
        let (slots, _) = insamling.progress();
        inkommande.port.admit(ids, insamling.persons(), slots);
        let request = Request {
            insamling,
            outgoing,
            dispatchers,
            traffic,
            trace_id: trace_id(inkommande.traceparent.as_deref(), request_id),
            received: inkommande.received,
            admission,
            visible: self.context.open.open(request_id, slots),
            port: inkommande.port,
        };
        Aggregator::start_for(request, self.context.aggregators.clone());
    }

    fn refuse_overload(&self, inkommande: Inkommande, overload: Overload) {
        self.context.observed.count_failed();
        let failure = overload_failure(overload);
        inkommande
            .port
            .reject(Rejection::new(failure, KnownIds::default()));
    }

    /// Examines on the blocking pool, so that a big message does not hold up the others.
    fn examine_elsewhere(&mut self, inkommande: Inkommande, ctx: &mut Context<Self>) {
        if self.elsewhere >= ELSEWHERE_MAX {
            return self.refuse_overload(inkommande, Overload::Node);
        }
        self.elsewhere += 1;
        let rules = Arc::clone(&self.context.rules);
        let examining = actix_rt::task::spawn_blocking(move || {
            let found = contained(&rules, &inkommande);
            (inkommande, found)
        });
        let concluding = examining.into_actor(self).map(|examined, ingress, _ctx| {
            ingress.elsewhere -= 1;
            // A pool that is shut down drops the port, which answers.
            if let Ok((inkommande, found)) = examined {
                ingress.conclude(inkommande, found);
            }
        });
        ctx.spawn(concluding);
    }
}

fn overload_failure(overload: Overload) -> Failure {
    match overload {
        Overload::Node => Failure::NodeOverload,
        Overload::Sender => Failure::SenderOverload,
        Overload::Draining => Failure::Draining,
        Overload::Unregistered => Failure::UnknownSender,
    }
}

/// Examines, contained: a panic becomes an error of ours for this one message.
fn contained(rules: &Rules, inkommande: &Inkommande) -> Result<Examined, Rejection> {
    let body = inkommande.body.expose().clone();
    let content_type = inkommande.http_content_type.as_deref();
    catch_unwind(AssertUnwindSafe(|| {
        examine(rules, body, content_type, Utc::now())
    }))
    .unwrap_or_else(|_| {
        let request_id = inkommande.port.request_id();
        tracing::error!(%request_id, "panic while a message was read");
        Err(Rejection::new(Failure::Content, KnownIds::default()))
    })
}

/// One slot for each person and party that is asked, in the order of the question.
fn open_slots(examined: Examined, dispatchers: &Dispatchers) -> (Insamling, Vec<Outgoing>) {
    let mut asked = Vec::new();
    for (person, part) in examined.persons.iter().enumerate() {
        if let PersonQuestion::Fraga(fraga) = &part.question {
            let delfragor = fraga.delfragor(|ul| dispatchers.contains_key(&ul));
            asked.extend(delfragor.into_iter().map(|(ul, body)| (person, ul, body)));
        }
    }
    let mut insamling = Insamling::new(examined.label, examined.persons);
    let outgoing = asked.into_iter().map(|(person, ul, body)| {
        let corr_id = Uuid::new_v4();
        let slot = insamling.open_slot(person, ul, corr_id);
        Outgoing {
            slot,
            ul,
            corr_id,
            body: body.map(Sensitive::new),
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
            return self.refuse_overload(inkommande, overload);
        }
        if inkommande.body.expose().len() > READ_ON_ARBITER_BYTES_MAX {
            return self.examine_elsewhere(inkommande, ctx);
        }
        let found = contained(&self.context.rules, &inkommande);
        self.conclude(inkommande, found);
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
