//! The supervisor: starts children, sees them end, starts them again, alone.
//!
//! actix's own `Supervisor` restarts an actor that stops and not one that panics. Ours builds every
//! life from a factory, runs its context as a task and awaits the task's join handle, which tells a
//! panic from a stop. What fell is restarted alone, with back-off and a budget ([`crate::child`]);
//! what waited in its mailbox is handed to its next life ([`crate::mailbox`]).

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use actix_rt::ArbiterHandle;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::child::{Decision, RestartPolicy, Restarts};
use crate::ledger::LedgerBook;
use crate::ledger::event::{Event, Ids, Omstart, What};
use crate::mailbox::Mailbox;
use crate::observation::{FailureClass, Kind, Observatory, Observed, SUPERVISOR, State};

/// Falls and orders that may wait for the supervisor.
const MAILBOX_MAX: usize = 1_024;

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The actor stopped by itself.
    Stopped,
    /// A handler panicked.
    Panicked,
}

impl Ended {
    fn class(self) -> FailureClass {
        match self {
            Self::Stopped => "stop",
            Self::Panicked => "panic",
        }
    }
}

/// Order to a child: end, dropping what it holds.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Halt;

/// One life of one child. A name alone is not enough: a party that is disconnected and connected
/// again has a new child under its old name, and the old one's end must not be taken for its fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Life {
    child: u64,
    generation: u32,
}

/// Starts one life of a child and reports its end to the supervisor.
type Start = Box<dyn Fn(Addr<Supervisor>, Life) + Send>;

/// A child that the supervisor is to start and watch.
pub struct ChildSpec {
    observed: Arc<Observed>,
    policy: RestartPolicy,
    start: Start,
    close: Box<dyn Fn() + Send>,
    dismiss: Box<dyn Fn() + Send>,
}

impl ChildSpec {
    /// A child behind `mailbox`, each life of it made by `factory` on the thread of `arbiter`.
    pub fn new<A, F>(
        mailbox: Mailbox<A>,
        policy: RestartPolicy,
        arbiter: ArbiterHandle,
        factory: F,
    ) -> Self
    where
        A: Actor<Context = Context<A>> + Handler<Halt>,
        F: Fn() -> A + Send + Sync + 'static,
    {
        let factory = Arc::new(factory);
        let (closing, leaving) = (mailbox.clone(), mailbox.clone());
        Self {
            observed: Arc::clone(mailbox.observed()),
            policy,
            start: Box::new(move |supervisor, life| {
                let (mailbox, factory) = (mailbox.clone(), Arc::clone(&factory));
                // A dead arbiter means that the process is going down: nobody is left to tell.
                let _ = arbiter.spawn_fn(move || live(&mailbox, factory, supervisor, life));
            }),
            close: Box::new(move || closing.close()),
            dismiss: Box::new(move || {
                leaving.tell(Halt);
                leaving.retire();
            }),
        }
    }
}

/// Runs one life on the present arbiter.
fn live<A, F>(mailbox: &Mailbox<A>, factory: Arc<F>, supervisor: Addr<Supervisor>, life: Life)
where
    A: Actor<Context = Context<A>> + Handler<Halt>,
    F: Fn() -> A + Send + Sync + 'static,
{
    let mut context = Context::<A>::new();
    context.set_mailbox_capacity(mailbox.depth_max());
    let address = context.address();
    // The factory runs inside the task, so that a panic in it is a fall like any other.
    let living = actix_rt::spawn(async move { context.into_future(factory()).await });
    if mailbox.readdress(address.clone()) {
        mailbox.observed().set_state(State::Running);
    } else {
        // Dismissed before it began.
        address.do_send(Halt);
    }
    actix_rt::spawn(async move {
        let ended = match living.await {
            Err(error) if error.is_panic() => Ended::Panicked,
            _ => Ended::Stopped,
        };
        supervisor.do_send(ChildEnded { life, ended });
    });
}

struct Child {
    id: u64,
    spec: ChildSpec,
    restarts: Restarts,
    generation: u32,
}

/// Starts, watches, restarts, escalates.
pub struct Supervisor {
    children: Vec<Child>,
    /// Children adopted so far: the next one's id.
    adopted: u64,
    observatory: Arc<Observatory>,
    observed: Arc<Observed>,
    escalation: watch::Sender<Option<String>>,
    /// Where falls are noted; nowhere when the node keeps no ledger.
    book: Option<LedgerBook>,
}

impl Supervisor {
    /// A supervisor without children. `escalation` tells the owner of the node which child used up
    /// its budget: the node then stops in order and exits non-zero.
    #[must_use]
    pub fn new(observatory: Arc<Observatory>, escalation: watch::Sender<Option<String>>) -> Self {
        let observed = Observed::new(SUPERVISOR, Kind::Supervisor);
        observed.begin_generation(1);
        observatory.watch(Arc::clone(&observed));
        Self {
            children: Vec::new(),
            adopted: 0,
            observatory,
            observed,
            escalation,
            book: None,
        }
    }

    /// Falls are noted in this ledger, that of the ledger itself by its next life.
    #[must_use]
    pub fn noting(self, book: Option<LedgerBook>) -> Self {
        Self { book, ..self }
    }

    fn child(&mut self, id: u64) -> Option<&mut Child> {
        self.children.iter_mut().find(|child| child.id == id)
    }

    fn start(&mut self, id: u64, supervisor: Addr<Self>) {
        let Some(child) = self.child(id) else {
            return;
        };
        child.generation += 1;
        let (observed, generation) = (&child.spec.observed, child.generation);
        observed.begin_generation(generation);
        tracing::info!(actor = observed.name(), generation, "actor starts");
        let life = Life {
            child: id,
            generation,
        };
        (child.spec.start)(supervisor, life);
    }

    /// Ends the child at this place for good.
    fn dismiss(&mut self, place: usize) {
        // No longer among the children: its end, when it comes, is nobody's fall.
        let child = self.children.remove(place);
        (child.spec.dismiss)();
        child.spec.observed.set_state(State::Stopped);
        self.observatory.forget(&child.spec.observed);
        tracing::info!(actor = child.spec.observed.name(), "actor dismissed");
    }

    fn start_later(id: u64, wait: Duration, ctx: &mut Context<Self>) {
        if wait.is_zero() {
            ctx.notify(StartChild(id));
        } else {
            ctx.notify_later(StartChild(id), wait);
        }
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX_MAX);
        self.observed.set_state(State::Running);
    }
}

/// Order: start this child and keep it alive.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Adopt(pub ChildSpec);

impl Handler<Adopt> for Supervisor {
    type Result = ();

    fn handle(&mut self, Adopt(spec): Adopt, ctx: &mut Self::Context) {
        let id = self.adopted;
        self.adopted += 1;
        self.observatory.watch(Arc::clone(&spec.observed));
        let restarts = Restarts::new(spec.policy);
        self.children.push(Child {
            id,
            spec,
            restarts,
            generation: 0,
        });
        self.start(id, ctx.address());
    }
}

/// Order: this child ends for good. Its mailbox refuses from now on; what it holds it drops.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Dismiss(pub String);

impl Handler<Dismiss> for Supervisor {
    type Result = ();

    fn handle(&mut self, Dismiss(name): Dismiss, _ctx: &mut Self::Context) {
        let named = |child: &Child| child.spec.observed.name() == name;
        if let Some(place) = self.children.iter().position(named) {
            self.dismiss(place);
        }
    }
}

/// Order: the node goes down. Every child ends for good, in the reverse of the order in which they
/// were adopted.
#[derive(Message)]
#[rtype(result = "()")]
pub struct DismissAll;

impl Handler<DismissAll> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: DismissAll, _ctx: &mut Self::Context) {
        for place in (0..self.children.len()).rev() {
            self.dismiss(place);
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct StartChild(u64);

impl Handler<StartChild> for Supervisor {
    type Result = ();

    fn handle(&mut self, StartChild(id): StartChild, ctx: &mut Self::Context) {
        self.start(id, ctx.address());
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct ChildEnded {
    life: Life,
    ended: Ended,
}

impl Handler<ChildEnded> for Supervisor {
    type Result = ();

    fn handle(&mut self, ChildEnded { life, ended }: ChildEnded, ctx: &mut Self::Context) {
        let Some(child) = self.child(life.child) else {
            return;
        };
        if child.generation != life.generation {
            return;
        }
        let observed = Arc::clone(&child.spec.observed);
        observed.fell(ended.class());
        let decision = child.restarts.fell(Instant::now());
        tracing::error!(
            actor = observed.name(),
            generation = life.generation,
            class = ended.class(),
            ?decision,
            "actor fell"
        );
        match decision {
            Decision::Restart(wait) => {
                observed.set_state(State::Restarting);
                Self::start_later(life.child, wait, ctx);
            }
            Decision::Pause(wait) => {
                (child.spec.close)();
                observed.set_state(State::Paused);
                Self::start_later(life.child, wait, ctx);
            }
            Decision::Escalate => {
                (child.spec.close)();
                observed.set_state(State::Stopped);
                self.escalation
                    .send_replace(Some(observed.name().to_owned()));
            }
        }
        if let Some(book) = &self.book {
            let omstart = What::Omstart(Omstart {
                aktor: observed.name().into(),
                generation: life.generation,
                class: ended.class(),
                beslut: decision,
            });
            book.note(Event::now(Uuid::nil(), Ids::default(), omstart));
        }
        self.observed.count_handled();
    }
}
