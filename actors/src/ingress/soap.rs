//! SOAP calls after their examination: settled with the directory where configuration leaves something
//! open, and asked like any other question.

use std::sync::Arc;

use actix::Context;
use shs_schemas::shs::KnownIds;

use super::asking::Asking;
use super::examination::{Asker, ExaminedAnrop};
use super::{Ingress, WAITING_MAX, katalog};
use crate::door::Door;
use crate::failure::Rejection;
use crate::load::Overload;
use crate::messages::Inkommande;

impl Ingress {
    /// Asks what a call asks, perhaps after asking the directory who it is.
    pub(super) fn handle_call(
        &mut self,
        mut inkommande: Inkommande,
        examined: ExaminedAnrop,
        ctx: &mut Context<Self>,
    ) {
        inkommande.port.calls(examined.anrop);
        if examined.open.is_nothing() {
            return self.ask_for(inkommande, examined);
        }
        if self.waiting >= WAITING_MAX {
            return self.refuse_overload(inkommande.port, Overload::Node);
        }
        let rules = Arc::clone(&self.context.rules);
        let directory = Arc::clone(&self.context.neighbours.directory);
        let settling = async move {
            let (open, exchange) = (examined.open, &examined.exchange);
            let settled = katalog::settle(&rules, &*directory, open, exchange, None).await;
            (inkommande, examined, settled)
        };
        self.wait(settling, ctx, |ingress, settled, _| {
            let (inkommande, examined, settled) = settled;
            match settled {
                Ok(()) => ingress.ask_for(inkommande, examined),
                Err(failure) => {
                    let rejection = Rejection::new(failure, KnownIds::default());
                    ingress.refuse(inkommande.port, rejection);
                }
            }
        });
    }

    fn ask_for(&self, inkommande: Inkommande, examined: ExaminedAnrop) {
        let asking = Asking {
            door: Door::Soap,
            asker: Asker {
                sender: examined.exchange.sender,
                caller: inkommande.caller,
            },
            accepted: false,
            bytes: inkommande.body.expose().len() as u64,
            // A call has no label that says what it is: it is what the node serves.
            traffic: self.context.rules.judged_by(),
            received: inkommande.received,
            traceparent: inkommande.traceparent,
            port: inkommande.port,
        };
        self.begin(asking, Ok(vec![examined.person]));
    }
}
