//! What the supervisor promises: each way in which a child can end (style, "Supervision on actix";
//!

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::{Actor, ActorContext, Addr, Context, Handler};
use actix_rt::Arbiter;
use samsvar_actors::child::{OverBudget, RestartPolicy};
use samsvar_actors::mailbox::{Envelope, Mailbox, Undelivered};
use samsvar_actors::observation::{ActorLine, Kind, Observatory, Observed, State};
use samsvar_actors::supervisor::{Adopt, ChildSpec, Dismiss, Halt, Supervisor};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{ms, paused, settle};

const NAME: &str = "toy";
const DEPTH_MAX: usize = 100;

/// What a toy is told to do.
#[derive(Debug)]
enum Order {
    Note(u32),
    Panic,
    Stop,
}

/// What the lives of a toy leave behind.
#[derive(Default)]
struct Traces {
    begun: Mutex<Vec<Instant>>,
    noted: Mutex<Vec<u32>>,
    ended: Mutex<usize>,
}

struct Toy {
    traces: Arc<Traces>,
    /// Falls as soon as it begins.
    sickly: bool,
}

impl Drop for Toy {
    fn drop(&mut self) {
        *self.traces.ended.lock().unwrap() += 1;
    }
}

impl Actor for Toy {
    type Context = Context<Self>;

    fn started(&mut self, _ctx: &mut Self::Context) {
        self.traces.begun.lock().unwrap().push(Instant::now());
        assert!(!self.sickly, "as the test wants it");
    }
}

impl Handler<Envelope<Order>> for Toy {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Order>, ctx: &mut Self::Context) {
        match envelope.open() {
            Order::Note(number) => self.traces.noted.lock().unwrap().push(number),
            Order::Panic => panic!("as the test wants it"),
            Order::Stop => ctx.stop(),
        }
    }
}

impl Handler<Halt> for Toy {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

/// A supervisor on this thread, and what can be seen of it.
struct Rig {
    supervisor: Addr<Supervisor>,
    observatory: Arc<Observatory>,
    escalation: watch::Receiver<Option<String>>,
}

/// A toy under that supervisor.
struct Child {
    mailbox: Mailbox<Toy>,
    traces: Arc<Traces>,
}

impl Rig {
    fn new() -> Self {
        let observatory = Arc::new(Observatory::default());
        let (escalate, escalation) = watch::channel(None);
        let supervisor = Supervisor::new(Arc::clone(&observatory), escalate).start();
        Self {
            supervisor,
            observatory,
            escalation,
        }
    }

    fn adopt(&self, policy: RestartPolicy, sickly: bool) -> Child {
        let observed = Observed::new(NAME, Kind::Dispatcher);
        let mailbox = Mailbox::new(observed, DEPTH_MAX);
        let traces = Arc::<Traces>::default();
        let left = Arc::clone(&traces);
        let spec = ChildSpec::new(mailbox.clone(), policy, Arbiter::current(), move || Toy {
            traces: Arc::clone(&left),
            sickly,
        });
        self.supervisor.do_send(Adopt(spec));
        Child { mailbox, traces }
    }

    /// A toy in good health.
    async fn child(&self, over_budget: OverBudget) -> Child {
        let child = self.adopt(RestartPolicy::new(over_budget), false);
        settle().await;
        child
    }

    fn line(&self) -> Option<ActorLine> {
        let lines = self.observatory.snapshot().actors.into_iter();
        lines.into_iter().find(|line| line.name == NAME)
    }
}

impl Child {
    fn tell(&self, order: Order) {
        self.mailbox.deliver(order).expect("it is taken");
    }

    fn lives(&self) -> usize {
        self.traces.begun.lock().unwrap().len()
    }

    fn noted(&self) -> Vec<u32> {
        self.traces.noted.lock().unwrap().clone()
    }

    fn depth(&self) -> usize {
        self.mailbox.observed().line().mailbox_depth
    }
}

#[actix::test]
async fn a_child_that_panics_is_started_again_at_once() {
    paused();
    let rig = Rig::new();
    let child = rig.child(OverBudget::Escalate).await;
    child.tell(Order::Panic);
    settle().await;
    child.tell(Order::Note(1));
    settle().await;
    assert_eq!((child.lives(), child.noted()), (2, vec![1]));
    let line = rig.line().unwrap();
    assert_eq!((line.generation, line.restarts), (2, 1));
    assert_eq!(
        (line.state, line.last_failure),
        (State::Running, Some("panic"))
    );
}

#[actix::test]
async fn so_is_one_that_stops() {
    paused();
    let rig = Rig::new();
    let child = rig.child(OverBudget::Escalate).await;
    child.tell(Order::Stop);
    settle().await;
    child.tell(Order::Note(1));
    settle().await;
    assert_eq!((child.lives(), child.noted()), (2, vec![1]));
    assert_eq!(rig.line().unwrap().last_failure, Some("stop"));
}

#[actix::test]
async fn what_waited_is_handed_to_the_next_life_in_its_order() {
    paused();
    for fall in [Order::Panic, Order::Stop] {
        let rig = Rig::new();
        let child = rig.child(OverBudget::Escalate).await;
        child.tell(Order::Note(0));
        child.tell(fall);
        for number in 1..=50 {
            child.tell(Order::Note(number));
        }
        assert_eq!(child.depth(), 52);
        settle().await;
        assert_eq!(child.noted(), (0..=50).collect::<Vec<_>>());
        assert_eq!((child.lives(), child.depth()), (2, 0));
    }
}

#[actix::test]
async fn what_comes_while_it_is_down_waits_within_the_bound() {
    paused();
    let rig = Rig::new();
    let child = rig.child(OverBudget::Escalate).await;
    // The second fall in a row is followed by a wait.
    child.tell(Order::Panic);
    child.tell(Order::Panic);
    settle().await;
    assert_eq!(rig.line().unwrap().state, State::Restarting);
    for number in 1..=DEPTH_MAX {
        child.tell(Order::Note(u32::try_from(number).unwrap()));
    }
    let beyond = child.mailbox.deliver(Order::Note(0));
    assert!(matches!(beyond, Err(Undelivered::Full(Order::Note(0)))));
    tokio::time::sleep(ms(110)).await;
    assert_eq!(child.noted().len(), DEPTH_MAX);
    assert_eq!(child.depth(), 0);
}

#[actix::test]
async fn the_back_off_doubles_and_then_it_escalates() {
    paused();
    let rig = Rig::new();
    let started = Instant::now();
    let child = rig.adopt(RestartPolicy::new(OverBudget::Escalate), true);
    let mut escalation = rig.escalation.clone();
    let name = escalation.wait_for(Option::is_some).await.unwrap().clone();
    assert_eq!(name.as_deref(), Some(NAME));
    let begun = child.traces.begun.lock().unwrap().clone();
    let at: Vec<_> = begun.iter().map(|at| *at - started).collect();
    // 0, 100, 200, 400, 800 ms between one fall and the next life; timers tick in milliseconds.
    for (at, expected) in at.iter().zip([0, 0, 100, 300, 700, 1_500]) {
        assert!(*at >= ms(expected) && *at <= ms(expected + 8), "{at:?}");
    }
    assert_eq!(at.len(), 6, "five restarts are the budget");
    assert_eq!(rig.line().unwrap().state, State::Stopped);
    let refused = child.mailbox.deliver(Order::Note(1));
    assert!(matches!(refused, Err(Undelivered::Closed(_))));
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(child.lives(), 6, "it stays down");
}

#[actix::test]
async fn a_dispatcher_over_its_budget_is_paused_and_tried_again_at_the_longest_back_off() {
    paused();
    let rig = Rig::new();
    let policy = RestartPolicy::new(OverBudget::Pause);
    let child = rig.child(OverBudget::Pause).await;
    for _ in 0..6 {
        child.tell(Order::Panic);
    }
    tokio::time::sleep(ms(1_550)).await;
    assert_eq!(child.lives(), 6);
    assert_eq!(rig.line().unwrap().state, State::Paused);
    let refused = child.mailbox.deliver(Order::Note(1));
    assert!(matches!(refused, Err(Undelivered::Closed(Order::Note(1)))));

    tokio::time::sleep(policy.backoff_longest.saturating_sub(ms(60))).await;
    assert_eq!(rig.line().unwrap().state, State::Paused);
    tokio::time::sleep(ms(60)).await;
    assert_eq!(rig.line().unwrap().state, State::Running);
    child.tell(Order::Note(2));
    settle().await;
    assert_eq!(child.noted(), [2]);
    assert!(rig.escalation.borrow().is_none());

    // Still over budget: paused again, at once.
    child.tell(Order::Panic);
    settle().await;
    assert_eq!(rig.line().unwrap().state, State::Paused);
    // In the end all is forgiven.
    tokio::time::sleep(policy.within + policy.backoff_longest).await;
    child.tell(Order::Panic);
    settle().await;
    assert_eq!(rig.line().unwrap().state, State::Running);
}

#[actix::test]
async fn pausing_drops_what_waited() {
    paused();
    let rig = Rig::new();
    let child = rig.child(OverBudget::Pause).await;
    for _ in 0..6 {
        child.tell(Order::Panic);
    }
    child.tell(Order::Note(1));
    tokio::time::sleep(ms(1_550)).await;
    assert_eq!(rig.line().unwrap().state, State::Paused);
    assert_eq!(child.depth(), 0);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(
        child.noted(),
        [] as [u32; 0],
        "its port has answered long ago"
    );
}

#[actix::test]
async fn a_child_that_is_dismissed_is_gone_for_good() {
    paused();
    let rig = Rig::new();
    let child = rig.child(OverBudget::Pause).await;
    rig.supervisor.do_send(Dismiss(NAME.to_owned()));
    settle().await;
    assert!(rig.line().is_none());
    assert!(matches!(
        child.mailbox.deliver(Order::Note(1)),
        Err(Undelivered::Closed(_))
    ));
    assert_eq!(*child.traces.ended.lock().unwrap(), 1);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(child.lives(), 1);
}

#[actix::test]
async fn one_that_is_dismissed_before_it_begins_does_not_live_on() {
    paused();
    let rig = Rig::new();
    let child = rig.adopt(RestartPolicy::new(OverBudget::Pause), false);
    rig.supervisor.do_send(Dismiss(NAME.to_owned()));
    settle().await;
    assert_eq!(child.lives(), *child.traces.ended.lock().unwrap());
    assert!(matches!(
        child.mailbox.deliver(Order::Note(1)),
        Err(Undelivered::Closed(_))
    ));
}

#[actix::test]
async fn one_that_is_dismissed_in_its_back_off_is_not_started_again() {
    paused();
    let rig = Rig::new();
    let child = rig.child(OverBudget::Pause).await;
    child.tell(Order::Panic);
    child.tell(Order::Panic);
    settle().await;
    rig.supervisor.do_send(Dismiss(NAME.to_owned()));
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(child.lives(), 2);
}

/// A party that is disconnected and connected again at once has a new child under its old name.
#[actix::test]
async fn the_end_of_one_child_is_not_taken_for_the_fall_of_its_successor() {
    paused();
    let rig = Rig::new();
    let first = rig.child(OverBudget::Pause).await;
    rig.supervisor.do_send(Dismiss(NAME.to_owned()));
    let second = rig.adopt(RestartPolicy::new(OverBudget::Pause), false);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!((first.lives(), second.lives()), (1, 1));
    let line = rig.line().unwrap();
    assert_eq!((line.generation, line.restarts), (1, 0));
    second.tell(Order::Note(7));
    settle().await;
    assert_eq!(second.noted(), [7]);
}
