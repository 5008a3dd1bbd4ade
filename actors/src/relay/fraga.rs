//! Messages for a service of this node: a question is asked, a ping answered, and the reply goes out as
//! a message of its own (shs-1.2, 7.8; R-011: the clock of a question starts when its turn comes).

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use shs_schemas::ids::LocalId;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::{KnownIds, Label};
use tokio::time::Instant;

use super::forward::Work;
use super::notes;
use super::transit::Transit;
use crate::failure::{Failure, Rejection, Source};
use crate::ingress::ping;
use crate::ledger::event::{Gallring, Origin, Slag};
use crate::messages::AcceptedQuestion;
use crate::outbox::Place;
use crate::reply::{Outcome, Reply, ReplyPort};
use crate::tally::TransferEnd;
use crate::transfers::TransferState as State;

/// How long after the hard limit an outcome is still waited for.
const WATCHDOG: Duration = Duration::from_millis(500);

impl Work {
    /// Has a service of this node answer the message.
    pub(super) async fn serve(
        self: &Rc<Self>,
        transit: &mut Transit,
        confirm: bool,
    ) -> Result<TransferEnd, Rejection> {
        let message = &transit.message;
        if message.label.sequence_type != SequenceType::Request {
            return Err(Rejection::new(
                Failure::NotARequest,
                message.label.known_ids(),
            ));
        }
        let rules = &self.context.rules;
        let reply = if message.label.product.produkt == rules.ping_product {
            ping::reply(message, &rules.own, Utc::now())
        } else {
            self.ask(transit).await?
        };
        // Nobody needs the content any more, and the reply may take a while to be taken.
        transit.let_go_of_content();
        if confirm || self.context.settings.confirm_always {
            // The reply does not wait for it: its place is held, a confirmation may wait for one.
            let (work, label) = (Rc::clone(self), transit.message.label.clone());
            let origin = Origin::message(transit.request_id);
            self.notify(async move { work.confirm(&label, origin, None).await });
        }
        let place = transit.sender_place.take();
        self.send_reply(transit, reply, place, confirm).await;
        Ok(TransferEnd::Answered)
    }

    /// Asks, and asks again while the node is too busy to admit the question.
    async fn ask(&self, transit: &Transit) -> Result<Reply, Rejection> {
        let mut patience = self.patience(self.context.settings.question_patience);
        loop {
            let rejection = match self.ask_once(transit).await {
                Outcome::Reply(reply) => return Ok(reply),
                Outcome::Rejected(rejection) => *rejection,
                // A question is answered or refused.
                Outcome::Accepted(_) => {
                    Rejection::new(Failure::ActorLost, transit.message.label.known_ids())
                }
            };
            let busy = rejection.failure.row().source == Source::Load;
            if !busy || !patience.wait().await {
                return Err(rejection);
            }
        }
    }

    async fn ask_once(&self, transit: &Transit) -> Outcome {
        let received = Instant::now();
        let tally = Arc::clone(&self.context.tally);
        let (port, outcome) = ReplyPort::of(transit.request_id, tally, received);
        let watchdog = port.watchdog();
        let question = AcceptedQuestion {
            message: transit.message.clone(),
            sender: transit.sender.clone(),
            caller: transit.caller.clone(),
            received,
            port,
        };
        if let Err(undelivered) = self.context.questions.deliver(question) {
            let rejection = Rejection::new(Failure::NodeOverload, KnownIds::default());
            undelivered.into_message().port.reject(rejection);
        }
        let lost = || {
            let ids = transit.message.label.known_ids();
            Outcome::Rejected(Box::new(Rejection::new(Failure::ActorLost, ids)))
        };
        let longest = self.context.answer_time_max + WATCHDOG;
        let mut outcome = outcome;
        match tokio::time::timeout(longest, &mut outcome).await {
            Ok(outcome) => outcome.unwrap_or_else(|_| lost()),
            Err(_) if watchdog.end() => lost(),
            // Ended in this very moment: it is about to be here.
            Err(_) => outcome.await.unwrap_or_else(|_| lost()),
        }
    }

    /// Sends the reply on its way. It is a message of this node's own: what becomes of it does not
    /// change the end of the question.
    async fn send_reply(
        &self,
        transit: &Transit,
        reply: Reply,
        place: Option<Place>,
        confirm: bool,
    ) {
        let request_id = transit.request_id;
        let question = &transit.message.label;
        let event = notes::besvarat(question, &reply, transit.since.elapsed(), request_id);
        self.context.book.note(event);
        let Reply { body, label, .. } = reply;
        let Some(label) = label else { return };
        self.remember(&label, Utc::now(), LocalId::fresh());
        let origin = Origin::message(request_id).with(Slag::Svar);
        let delivered = self.deliver_own(&label, body, place, confirm, origin);
        match delivered.await {
            Ok((end, attempts)) => {
                let state = match end {
                    TransferEnd::Pushed => State::Sent,
                    _ => State::Received,
                };
                self.context.transfers.set_state(&label.tx_id, state);
                if let Some(way) = end.way() {
                    let took = transit.since.elapsed();
                    let event = notes::levererat(&label, origin, way, attempts, took);
                    self.context.book.note(event);
                }
                if end == TransferEnd::Pushed {
                    self.reply_wiped(&label, transit, Gallring::Levererat);
                }
            }
            Err(rejection) => self.reply_lost(&label, transit, &rejection),
        }
    }

    /// A reply that could not be delivered: there is nobody to tell but the operator.
    fn reply_lost(&self, label: &Label, transit: &Transit, rejection: &Rejection) {
        let code = rejection.failure.row().code;
        let state = State::Quarantined { code };
        self.context.transfers.set_state(&label.tx_id, state);
        self.context.tally.count_own_lost();
        let place = rejection.failure.place();
        let event = notes::fel(label, rejection.failure, place, transit.request_id);
        self.context.book.note(event);
        tracing::warn!(
            request_id = %transit.request_id,
            reason = rejection.failure.class(),
            "a reply could not be delivered"
        );
        self.reply_wiped(label, transit, Gallring::Avslutat);
    }

    /// Notes that nothing of the question's reply is held any more.
    fn reply_wiped(&self, label: &Label, transit: &Transit, reason: Gallring) {
        let origin = Origin::message(transit.request_id).with(Slag::Svar);
        let wiped = notes::gallrat(label, origin, reason, transit.since.elapsed());
        self.context.book.note_all(wiped);
    }
}
