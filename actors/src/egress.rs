//! Egress: compiles the one reply of a request and sends it.
//!
//! There is one per HTTP worker, on the worker's own arbiter. Compiling runs contained: a panic
//! in it costs one request, not the actor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Actor, ActorContext, Context, Handler};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use shs_schemas::Sensitive;
use shs_schemas::shs::message::{DataPart, Message};
use shs_schemas::ssbtek::fel;
use shs_schemas::ssbtek::sammanstallning::{self, Utfall};

use crate::aggregator::READ_ON_ARBITER_BYTES_MAX;
use crate::failpoint::Failpoints;
use crate::failure::{Failure, KnownIds, Rejection};
use crate::insamling::{Compiled, Person, PersonQuestion};
use crate::mailbox::Envelope;
use crate::messages::Sammanstall;
use crate::observation::Observed;
use crate::supervisor::Halt;

/// Compiles and sends replies.
pub struct Egress {
    observed: Arc<Observed>,
    failpoints: Failpoints,
}

impl Egress {
    /// An egress with these counters.
    #[must_use]
    pub fn new(observed: Arc<Observed>, failpoints: Failpoints) -> Self {
        Self {
            observed,
            failpoints,
        }
    }
}

impl Actor for Egress {
    type Context = Context<Self>;
}

impl Handler<Envelope<Sammanstall>> for Egress {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Sammanstall>, _ctx: &mut Self::Context) {
        let sammanstall = envelope.open();
        self.failpoints.hit("egress");
        self.observed.count_handled();
        if answer_bytes(&sammanstall.compiled) <= READ_ON_ARBITER_BYTES_MAX {
            send(sammanstall);
        } else {
            actix_rt::task::spawn_blocking(move || send(sammanstall));
        }
    }
}

impl Handler<Halt> for Egress {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

fn answer_bytes(compiled: &Compiled) -> usize {
    let outcomes = compiled.persons.iter().flat_map(|(_, outcomes)| outcomes);
    outcomes
        .map(|(_, utfall)| {
            if let Utfall::Svar(svar) = utfall {
                svar.len()
            } else {
                0
            }
        })
        .sum()
}

/// Compiles the reply and gives it to the caller.
fn send(sammanstall: Sammanstall) {
    let Sammanstall { compiled, port, .. } = sammanstall;
    let complete = compiled.complete;
    let now = Utc::now();
    match catch_unwind(AssertUnwindSafe(move || compile(compiled, now))) {
        Ok(body) => port.reply(Sensitive::new(body), complete),
        Err(_) => {
            tracing::error!(request_id = %port.request_id(), "panic while a reply was compiled");
            port.reject(Rejection::new(Failure::Content, KnownIds::default()));
        }
    }
}

/// The reply message: the question's label turned around, and one part for each of its parts, in
/// the same order under the same names (ssbtek-10, 6.2).
fn compile(compiled: Compiled, now: DateTime<Utc>) -> Bytes {
    let parts = compiled
        .persons
        .into_iter()
        .map(|(person, outcomes)| part(person, &outcomes))
        .collect();
    Message {
        label: compiled.label.reply(now),
        parts,
    }
    .write()
}

fn part(person: Person, outcomes: &[(shs_schemas::Uppgiftslamnare, Utfall)]) -> DataPart {
    let document = match &person.question {
        PersonQuestion::Fraga(fraga) => sammanstallning::compose(fraga, outcomes),
        PersonQuestion::Avvisad {
            kontrakt,
            avvisning,
        } => fel::write_fault_document(*kontrakt, avvisning),
    };
    DataPart::xml(person.datapart_type, person.filename, document)
}
