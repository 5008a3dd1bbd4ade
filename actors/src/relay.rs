//! Relay: sees to it that every asynchronous message that was accepted comes to one end: delivered into
//! a mailbox here, pushed to another node, answered by a service of this node, or told to its sender as
//! an error (shs-1.2, 6.2 and 7.2 from step 11 on).
//!
//! ```text
//!  ingress ─► Reception ─► 202            (7.2, steps 7 to 10: duplicate, note, history)
//!                 │
//!                 ▼
//!               Relay ─► one task per message (7.2, steps 11 to 18)
//!                          ├─► a mailbox here           delivery service
//!                          ├─► another node             push, with retries
//!                          ├─► question ─► ingress ─► … ─► reply, delivered like a message
//!                          └─► an error message to the sender, unless it is `adm` itself
//! ```
//!
//! There is one, on an arbiter of its own. A message is a task of its own there: a panic in one costs
//! that one, and its sender is told. The actor only starts tasks, so its own fall stops none.

mod administrative;
mod deliver;
mod forward;
mod fraga;
mod notes;
mod permit;
mod push;
mod reception;
mod split;
mod transit;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler};
use shs_schemas::shs::Label;

use crate::failpoint::Failpoints;
use crate::ingress::rules::Rules;
use crate::ingress::{Ingress, Neighbours};
use crate::ledger::LedgerBook;
use crate::mailbox::{Envelope, Mailbox};
use crate::observation::Observed;
use crate::outbox::Outboxes;
use crate::supervisor::Halt;
use crate::tally::Tally;
use crate::transfers::Transfers;

pub use reception::Reception;
pub use transit::{Transit, Underway, UnderwaySettings};

/// How often it is looked for messages that lay too long in a mailbox.
const EXPIRY_LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long and how often things are tried.
#[derive(Clone, Copy, Debug)]
pub struct RelaySettings {
    /// Wait before the second try; it doubles from there, with jitter.
    pub retry_first: Duration,
    /// Longest wait between two tries.
    pub retry_longest: Duration,
    /// When pushing to another node, or waiting for room in a mailbox, is given up.
    pub give_up_after: Duration,
    /// When waiting for the directory is given up.
    pub directory_patience: Duration,
    /// When waiting for a question to be admitted is given up.
    pub question_patience: Duration,
    /// Posts to one actor's node that may be under way at once.
    pub posts_per_actor_max: usize,
    /// Whether every acknowledged message is confirmed, agreed on or not (shs-1.2, 7.10).
    pub confirm_always: bool,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            retry_first: Duration::from_secs(1),
            retry_longest: Duration::from_mins(5),
            give_up_after: Duration::from_hours(4),
            directory_patience: Duration::from_mins(1),
            question_patience: Duration::from_mins(1),
            posts_per_actor_max: 4,
            confirm_always: false,
        }
    }
}

/// What every life of the relay, and every task, is made from.
#[derive(Clone)]
pub struct RelayContext {
    /// What it goes by.
    pub rules: Arc<Rules>,
    /// How long and how often things are tried.
    pub settings: RelaySettings,
    /// Other actors and their nodes.
    pub neighbours: Neighbours,
    /// The mailboxes here.
    pub outboxes: Arc<Outboxes>,
    /// What is remembered of messages.
    pub transfers: Arc<Transfers>,
    /// Where events are noted.
    pub book: LedgerBook,
    /// The ingress that asks accepted questions.
    pub questions: Mailbox<Ingress>,
    /// The hard limit of the largest question.
    pub answer_time_max: Duration,
    /// What is under way.
    pub underway: Arc<Underway>,
    /// What is counted.
    pub tally: Arc<Tally>,
    /// Its counters.
    pub observed: Arc<Observed>,
    /// Panics for tests.
    pub failpoints: Failpoints,
}

/// The task that carries messages on.
pub struct Relay {
    work: Rc<forward::Work>,
}

impl Relay {
    /// A relay made from this.
    #[must_use]
    pub fn new(context: RelayContext) -> Self {
        Self {
            work: Rc::new(forward::Work::new(context)),
        }
    }
}

impl Actor for Relay {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(EXPIRY_LOOK_EVERY, |relay, _| {
            for expired in relay.work.context.outboxes.expire() {
                let work = Rc::clone(&relay.work);
                actix_rt::spawn(async move { work.expired(expired).await });
            }
        });
    }
}

impl Handler<Envelope<Transit>> for Relay {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Transit>, _ctx: &mut Self::Context) {
        // Unopened, the message is handed to the actor's next life: a fall here costs none.
        self.work.context.failpoints.hit("relay");
        let transit = envelope.open();
        self.work.context.observed.count_handled();
        let work = Rc::clone(&self.work);
        actix_rt::spawn(async move { work.forward(transit).await });
    }
}

/// Delivery service → relay: a message was acknowledged for the first time.
#[derive(Debug)]
pub struct Kvitterat {
    /// Its label.
    pub label: Arc<Label>,
    /// Whether its sender is to get a confirmation.
    pub confirm: bool,
}

impl Handler<Envelope<Kvitterat>> for Relay {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Kvitterat>, _ctx: &mut Self::Context) {
        let kvitterat = envelope.open();
        let work = Rc::clone(&self.work);
        actix_rt::spawn(async move { work.acknowledged(kvitterat).await });
    }
}

impl Handler<Halt> for Relay {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        ctx.stop();
    }
}
