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

use crate::child::{Decision, RestartPolicy, Restarts};
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

/// Starts one life of a child and reports its end to the supervisor.
type Start = Box<dyn Fn(Addr<Supervisor>, u32) + Send>;

/// A child that the supervisor is to start and watch.
pub struct ChildSpec {
    observed: Arc<Observed>,
    policy: RestartPolicy,
    start: Start,
    close: Box<dyn Fn() + Send>,
    halt: Box<dyn Fn() + Send>,
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
        let (closing, halting) = (mailbox.clone(), mailbox.clone());
        Self {
            observed: Arc::clone(mailbox.observed()),
            policy,
            start: Box::new(move |supervisor, generation| {
                let (mailbox, factory) = (mailbox.clone(), Arc::clone(&factory));
                // A dead arbiter means that the process is going down: nobody is left to tell.
                let _ = arbiter.spawn_fn(move || live(&mailbox, factory, supervisor, generation));
            }),
            close: Box::new(move || closing.close()),
            halt: Box::new(move || halting.tell(Halt)),
        }
    }
}

/// Runs one life on the present arbiter.
fn live<A, F>(mailbox: &Mailbox<A>, factory: Arc<F>, supervisor: Addr<Supervisor>, generation: u32)
where
    A: Actor<Context = Context<A>>,
    F: Fn() -> A + Send + Sync + 'static,
{
    let name = mailbox.observed().name().to_owned();
    let mut context = Context::<A>::new();
    context.set_mailbox_capacity(mailbox.depth_max());
    let address = context.address();
    // The factory runs inside the task, so that a panic in it is a fall like any other.
    let life = actix_rt::spawn(async move { context.into_future(factory()).await });
    mailbox.observed().set_state(State::Running);
    mailbox.readdress(address);
    actix_rt::spawn(async move {
        let ended = match life.await {
            Err(error) if error.is_panic() => Ended::Panicked,
            _ => Ended::Stopped,
        };
        supervisor.do_send(ChildEnded {
            name,
            generation,
            ended,
        });
    });
}

struct Child {
    spec: ChildSpec,
    restarts: Restarts,
    generation: u32,
    /// Ending it is wanted: no restart.
    leaving: bool,
}

/// Starts, watches, restarts, escalates.
pub struct Supervisor {
    children: Vec<Child>,
    observatory: Arc<Observatory>,
    observed: Arc<Observed>,
    escalation: watch::Sender<Option<String>>,
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
            observatory,
            observed,
            escalation,
        }
    }

    fn child(&mut self, name: &str) -> Option<&mut Child> {
        self.children
            .iter_mut()
            .find(|child| child.spec.observed.name() == name)
    }

    fn start(&mut self, name: &str, supervisor: Addr<Self>) {
        let Some(child) = self.child(name) else {
            return;
        };
        if child.leaving {
            return;
        }
        child.generation += 1;
        child.spec.observed.begin_generation(child.generation);
        tracing::info!(actor = name, generation = child.generation, "actor starts");
        (child.spec.start)(supervisor, child.generation);
    }

    /// Ends a child for good.
    fn dismiss(&mut self, name: &str) {
        let Some(child) = self.child(name) else {
            return;
        };
        child.leaving = true;
        (child.spec.halt)();
        (child.spec.close)();
        child.spec.observed.set_state(State::Stopped);
        self.observatory.forget(name);
        self.children
            .retain(|child| child.spec.observed.name() != name);
        self.observed.set_load(self.children.len(), 0);
        tracing::info!(actor = name, "actor dismissed");
    }

    fn start_later(name: String, wait: Duration, ctx: &mut Context<Self>) {
        if wait.is_zero() {
            ctx.notify(StartChild(name));
        } else {
            ctx.notify_later(StartChild(name), wait);
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
        let name = spec.observed.name().to_owned();
        self.observatory.watch(Arc::clone(&spec.observed));
        let restarts = Restarts::new(spec.policy);
        self.children.push(Child {
            spec,
            restarts,
            generation: 0,
            leaving: false,
        });
        self.start(&name, ctx.address());
    }
}

/// Order: this child ends for good. Its mailbox refuses from now on; what it holds it drops.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Dismiss(pub String);

impl Handler<Dismiss> for Supervisor {
    type Result = ();

    fn handle(&mut self, Dismiss(name): Dismiss, _ctx: &mut Self::Context) {
        self.dismiss(&name);
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
        let name = |child: &Child| child.spec.observed.name().to_owned();
        let names: Vec<_> = self.children.iter().rev().map(name).collect();
        for name in names {
            self.dismiss(&name);
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct StartChild(String);

impl Handler<StartChild> for Supervisor {
    type Result = ();

    fn handle(&mut self, StartChild(name): StartChild, ctx: &mut Self::Context) {
        self.start(&name, ctx.address());
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct ChildEnded {
    name: String,
    generation: u32,
    ended: Ended,
}

impl Handler<ChildEnded> for Supervisor {
    type Result = ();

    fn handle(&mut self, fall: ChildEnded, ctx: &mut Self::Context) {
        let Some(child) = self.child(&fall.name) else {
            return;
        };
        if child.leaving || child.generation != fall.generation {
            return;
        }
        let observed = Arc::clone(&child.spec.observed);
        observed.fell(fall.ended.class());
        let decision = child.restarts.fell(Instant::now());
        let generation = fall.generation;
        tracing::error!(actor = %fall.name, generation, class = fall.ended.class(), ?decision,
            "actor fell");
        match decision {
            Decision::Restart(wait) => {
                observed.set_state(State::Restarting);
                Self::start_later(fall.name, wait, ctx);
            }
            Decision::Pause(wait) => {
                (child.spec.close)();
                observed.set_state(State::Paused);
                Self::start_later(fall.name, wait, ctx);
            }
            Decision::Escalate => {
                (child.spec.close)();
                observed.set_state(State::Stopped);
                self.escalation.send_replace(Some(fall.name));
            }
        }
        self.observed.count_handled();
    }
}
