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
//! that one, and its sender is told. The actor only starts tasks, so its own fall stops none; and what
//! it was handling when it fell comes back to it ([`Entrusted`]), so that it ends too, once.

mod administrative;
mod board;
mod closing;
mod deliver;
mod entrusted;
mod forward;
mod fraga;
mod notes;
mod patience;
mod permit;
mod push;
mod reception;
mod resume;
mod split;
mod transit;
mod untold;
mod waiting;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler};
use shs_schemas::shs::Label;

use crate::failpoint::Failpoints;
use crate::ingress::rules::Rules;
use crate::ingress::{Ingress, Neighbours};
use crate::ledger::LedgerBook;
use crate::ledger::event::{Gallring, Origin};
use crate::mailbox::{Envelope, Mailbox};
use crate::outbox::Outboxes;
use crate::supervisor::Halt;
use crate::tally::Tally;
use crate::transfers::{TransferState, Transfers};

pub use board::Board;
pub use closing::Closing;
pub use entrusted::{Entrusted, Salvage, Stranded};
pub use push::Posts;
pub use reception::Reception;
pub(crate) use resume::{Unkept, resume};
pub use transit::{Transit, Underway, UnderwaySettings};

use waiting::Waiting;

/// How often it is looked for messages that lay too long in a mailbox.
const EXPIRY_LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often what has been remembered long enough is forgotten on a node without traffic.
const FORGET_EVERY: Duration = Duration::from_mins(1);

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
    /// What is counted.
    pub tally: Arc<Tally>,
    /// Its line in the tree.
    pub board: Arc<Board>,
    /// Posts to other nodes, bounded for each actor.
    pub posts: Arc<Posts>,
    /// What becomes of messages that fall.
    pub salvage: Arc<Salvage>,
    /// When its tasks end.
    pub closing: Arc<Closing>,
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
        self.work.context.board.show();
        let waiting = Waiting::begin(&self.work);
        ctx.run_interval(EXPIRY_LOOK_EVERY, move |relay, _| {
            relay.work.context.board.show();
            for expired in relay.work.context.outboxes.expire() {
                relay.work.expired(expired, &waiting);
            }
        });
        ctx.run_interval(FORGET_EVERY, |relay, _| {
            relay.work.context.transfers.forget_old();
        });
    }
}

impl Handler<Envelope<Entrusted>> for Relay {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Entrusted>, _ctx: &mut Self::Context) {
        let entrusted = envelope.open();
        self.work.context.failpoints.hit("relay");
        self.work.context.board.observed().count_handled();
        self.work.context.board.show();
        self.work.spawn(Rc::clone(&self.work).forward(entrusted));
    }
}

impl Handler<Envelope<Stranded>> for Relay {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Stranded>, _ctx: &mut Self::Context) {
        let Stranded(transit) = envelope.open();
        self.work.stranded(*transit);
    }
}

/// Delivery service → relay: a message was acknowledged for the first time.
#[derive(Debug)]
pub struct Kvitterat {
    /// Its label.
    pub label: Arc<Label>,
    /// Whether its sender is to get a confirmation.
    pub confirm: bool,
    /// To which accepted message it belongs.
    pub origin: Origin,
    /// How long it lay in the mailbox.
    pub lay_for: Duration,
}

impl Kvitterat {
    /// Notes it in the ledger and among what is remembered.
    pub(crate) fn note(&self, book: &LedgerBook, transfers: &Transfers) {
        let tx_id = &self.label.tx_id;
        book.note(notes::kvitterat(&self.label, self.origin));
        let reason = Gallring::Kvitterat;
        book.note_all(notes::gallrat(
            &self.label,
            self.origin,
            reason,
            self.lay_for,
        ));
        transfers.set_state(tx_id, TransferState::Fetched);
        transfers.acknowledge(tx_id);
    }
}

impl Handler<Envelope<Kvitterat>> for Relay {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Kvitterat>, _ctx: &mut Self::Context) {
        let kvitterat = envelope.open();
        let work = Rc::clone(&self.work);
        let context = &self.work.context;
        kvitterat.note(&context.book, &context.transfers);
        if self.work.wants_confirmation(&kvitterat) {
            let Kvitterat { label, origin, .. } = kvitterat;
            self.work
                .notify(async move { work.confirm(&label, origin, None).await });
        }
    }
}

impl Handler<Halt> for Relay {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        ctx.stop();
    }
}
