//! SOAP calls on their way in: examined, settled with the directory where configuration leaves something
//! open, and asked like any other question.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Context, Handler};
use chrono::Utc;
use shs_schemas::shs::KnownIds;

use super::asking::Asking;
use super::examination::{Asker, ExaminedAnrop, examine_anrop};
use super::rules::Rules;
use super::{ELSEWHERE_MAX, Ingress, WAITING_MAX, katalog};
use crate::aggregator::READ_ON_ARBITER_BYTES_MAX;
use crate::door::Door;
use crate::failure::{Failure, Rejection};
use crate::load::Overload;
use crate::mailbox::Envelope;
use crate::messages::SoapAnrop;

impl Handler<Envelope<SoapAnrop>> for Ingress {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<SoapAnrop>, ctx: &mut Self::Context) {
        let anrop = envelope.open();
        self.context.aggregators.failpoints.hit("ingress");
        if let Err(overload) = self.context.load.has_room() {
            return self.refuse_overload(anrop.port, overload);
        }
        let rules = Arc::clone(&self.context.rules);
        if anrop.body.expose().len() <= READ_ON_ARBITER_BYTES_MAX {
            let found = contained(&rules, &anrop);
            return self.conclude_anrop(anrop, found, ctx);
        }
        if self.elsewhere >= ELSEWHERE_MAX {
            return self.refuse_overload(anrop.port, Overload::Node);
        }
        let examining = move || {
            let found = contained(&rules, &anrop);
            (anrop, found)
        };
        self.go_elsewhere(examining, ctx, |ingress, (anrop, found), ctx| {
            ingress.conclude_anrop(anrop, found, ctx);
        });
    }
}

impl Ingress {
    /// What the examination found: a call to handle, perhaps after asking the directory, or a refusal.
    fn conclude_anrop(
        &mut self,
        mut anrop: SoapAnrop,
        found: Result<ExaminedAnrop, Rejection>,
        ctx: &mut Context<Self>,
    ) {
        self.context.observed.count_handled();
        if anrop.port.is_caller_gone() {
            // Every sub-question is a disclosure: none for nobody.
            return anrop.port.caller_gone();
        }
        let examined = match found {
            Ok(examined) => examined,
            Err(rejection) => return self.refuse(anrop.port, rejection),
        };
        anrop.port.calls(examined.anrop);
        if examined.open.is_nothing() {
            return self.ask_for(anrop, examined);
        }
        if self.waiting >= WAITING_MAX {
            return self.refuse_overload(anrop.port, Overload::Node);
        }
        let rules = Arc::clone(&self.context.rules);
        let directory = Arc::clone(&self.context.neighbours.directory);
        let settling = async move {
            let (open, exchange) = (examined.open, &examined.exchange);
            let settled = katalog::settle(&rules, &*directory, open, exchange, None).await;
            (anrop, examined, settled)
        };
        self.wait(
            settling,
            ctx,
            |ingress, (anrop, examined, settled), _| match settled {
                Ok(()) => ingress.ask_for(anrop, examined),
                Err(failure) => {
                    let rejection = Rejection::new(failure, KnownIds::default());
                    ingress.refuse(anrop.port, rejection);
                }
            },
        );
    }

    /// Asks what the call asks.
    fn ask_for(&self, anrop: SoapAnrop, examined: ExaminedAnrop) {
        let asking = Asking {
            door: Door::Soap,
            asker: Asker {
                sender: examined.exchange.sender,
                caller: anrop.caller,
            },
            accepted: false,
            bytes: anrop.body.expose().len() as u64,
            // A call has no label that says what it is: it is what the node serves.
            traffic: self.context.rules.judged_by(),
            received: anrop.received,
            traceparent: anrop.traceparent,
            port: anrop.port,
        };
        self.begin(asking, Ok(vec![examined.person]));
    }
}

/// Examines, contained: a panic becomes an error of ours for this one call.
fn contained(rules: &Rules, anrop: &SoapAnrop) -> Result<ExaminedAnrop, Rejection> {
    let body = anrop.body.expose().clone();
    let charset = anrop.charset.as_deref();
    let examining =
        AssertUnwindSafe(|| examine_anrop(rules, &anrop.caller, body, charset, Utc::now()));
    catch_unwind(examining).unwrap_or_else(|_| {
        let request_id = anrop.port.request_id();
        tracing::error!(%request_id, "panic while a call was read");
        Err(Rejection::new(Failure::Content, KnownIds::default()))
    })
}
