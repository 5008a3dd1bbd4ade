//! A node: its supervisor, its ledger, its dispatchers, and the ingress and egress of each HTTP worker.
//!
//! Supervisor and dispatchers share an arbiter of their own; the ledger has one, because it blocks. Each HTTP worker brings its own arbiter
//! and gets an egress and an ingress there, in that order; the flow is stopped in the reverse.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr};
use actix_rt::{Arbiter, ArbiterHandle};
use arc_swap::ArcSwap;
use shs_schemas::{Uppgiftslamnare, xml};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::aggregator::{AggregatorContext, Dispatchers};
use crate::child::{OverBudget, RestartPolicy};
use crate::deadline::{DeadlineSettings, Deadlines};
use crate::dispatcher::{Dispatcher, DispatcherContext, DispatcherSettings};
use crate::egress::Egress;
use crate::failpoint::Failpoints;
use crate::ingress::rules::Rules;
use crate::ingress::{Ingress, IngressContext};
use crate::ledger::{LedgerBook, LedgerSettings};
use crate::load::{Load, LoadSettings};
use crate::mailbox::Mailbox;
use crate::observation::{Kind, Observatory, Observed, OpenRequests};
use crate::room::Room;
use crate::supervisor::{Adopt, ChildSpec, Dismiss, DismissAll, Supervisor};
use crate::tally::Tally;
use crate::transport::{Counted, Transport};

/// Messages beyond window and line that may wait for a dispatcher.
const DISPATCHER_MAILBOX_SPARE: usize = 1_024;

/// How often a draining node looks whether it is empty.
const DRAIN_LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a node is made from.
pub struct NodeSettings {
    /// What ingress goes by.
    pub rules: Rules,
    /// How long requests may take.
    pub deadlines: DeadlineSettings,
    /// How many may be open.
    pub load: LoadSettings,
    /// Connected parties and the bounds of their dispatchers.
    pub parties: Vec<(Uppgiftslamnare, DispatcherSettings)>,
    /// Bounds on an answer.
    pub answer_limits: xml::Limits,
    /// Messages that may wait for one ingress or egress.
    pub worker_mailbox_max: usize,
    /// How children are restarted; what comes after the budget is decided per kind.
    pub restart: RestartPolicy,
    /// The ledger; a node without one notes nothing.
    pub ledger: Option<LedgerSettings>,
}

/// A running node.
pub struct Node {
    supervisor: Addr<Supervisor>,
    heart: ArbiterHandle,
    transport: Arc<dyn Transport>,
    rules: Arc<Rules>,
    load: Arc<Load>,
    answers: Arc<Room>,
    tally: Arc<Tally>,
    deadlines: Deadlines,
    answer_limits: xml::Limits,
    worker_mailbox_max: usize,
    restart: RestartPolicy,
    ledger: Option<LedgerBook>,
    dispatchers: Arc<ArcSwap<Dispatchers>>,
    observatory: Arc<Observatory>,
    failpoints: Failpoints,
    escalation: watch::Receiver<Option<String>>,
}

impl Node {
    /// Starts supervisor and dispatchers on an arbiter of their own. Must be called within an actix
    /// system.
    #[must_use]
    pub fn start(
        settings: NodeSettings,
        transport: Arc<dyn Transport>,
        failpoints: Failpoints,
    ) -> Arc<Self> {
        Self::start_on(Arbiter::new().handle(), settings, transport, failpoints)
    }

    /// The same, with supervisor and dispatchers on this arbiter. Tests whose clock is paused put
    /// everything on one: a paused clock is that of one thread.
    #[must_use]
    pub fn start_on(
        heart: ArbiterHandle,
        settings: NodeSettings,
        transport: Arc<dyn Transport>,
        failpoints: Failpoints,
    ) -> Arc<Self> {
        let observatory = Arc::new(Observatory::default());
        let (escalate, escalation) = watch::channel(None);
        let watched = Arc::clone(&observatory);
        let supervisor =
            Supervisor::start_in_arbiter(&heart, move |_| Supervisor::new(watched, escalate));
        let escalating = RestartPolicy {
            over_budget: OverBudget::Escalate,
            ..settings.restart
        };
        // First, so that it is the last to stop.
        let ledger = settings
            .ledger
            .map(|ledger| adopt_ledger(&supervisor, ledger, escalating, &failpoints));
        let senders: Vec<_> = settings.rules.senders.iter().cloned().collect();
        let node = Arc::new(Self {
            supervisor,
            heart,
            transport,
            rules: Arc::new(settings.rules),
            answers: Room::new(settings.load.answers_bytes_max),
            load: Load::new(settings.load, senders),
            tally: Tally::new(),
            deadlines: Deadlines::new(settings.deadlines),
            answer_limits: settings.answer_limits,
            worker_mailbox_max: settings.worker_mailbox_max,
            restart: settings.restart,
            ledger,
            dispatchers: Arc::default(),
            observatory,
            failpoints,
            escalation,
        });
        for (ul, bounds) in settings.parties {
            node.connect(ul, bounds);
        }
        node
    }

    /// Connects an Uppgiftslämnare: questions received from now on are put to it. One that
    /// is connected already stays as it is.
    pub fn connect(&self, ul: Uppgiftslamnare, bounds: DispatcherSettings) {
        if self.dispatchers.load().contains_key(&ul) {
            return;
        }
        let observed = Observed::new(format!("dispatcher-{ul}"), Kind::Dispatcher);
        let depth_max = bounds.window + bounds.line_max + DISPATCHER_MAILBOX_SPARE;
        let mailbox = Mailbox::new(Arc::clone(&observed), depth_max);
        let context = DispatcherContext {
            transport: Arc::clone(&self.transport),
            observed,
            tally: Arc::clone(&self.tally),
            judged_by: self.rules.judged_by(),
            answers: Arc::clone(&self.answers),
            failpoints: self.failpoints.clone(),
        };
        let policy = RestartPolicy {
            over_budget: OverBudget::Pause,
            ..self.restart
        };
        let spec = ChildSpec::new(mailbox.clone(), policy, self.heart.clone(), move || {
            Dispatcher::new(ul, bounds, context.clone())
        });
        self.supervisor.do_send(Adopt(spec));
        self.dispatchers.rcu(|before| {
            let mut after = Dispatchers::clone(before);
            after.insert(ul, mailbox.clone());
            after
        });
    }

    /// Disconnects an Uppgiftslämnare: what it holds ends in errors, and questions received from
    /// now on get `SSBT-EJ-ANSLUTEN` in its place.
    pub fn disconnect(&self, ul: Uppgiftslamnare) {
        self.dispatchers.rcu(|before| {
            let mut after = Dispatchers::clone(before);
            after.remove(&ul);
            after
        });
        self.supervisor.do_send(Dismiss(format!("dispatcher-{ul}")));
    }

    /// Gives an HTTP worker its egress and its ingress, on the worker's own arbiter.
    #[must_use]
    pub fn attach_worker(&self, index: usize, arbiter: &ArbiterHandle) -> Mailbox<Ingress> {
        let policy = RestartPolicy {
            over_budget: OverBudget::Escalate,
            ..self.restart
        };
        let egress = self.adopt_egress(index, arbiter, policy);
        let observed = Observed::new(format!("ingress-{index}"), Kind::Ingress);
        let mailbox = Mailbox::new(Arc::clone(&observed), self.worker_mailbox_max);
        let open = OpenRequests::under(observed.name());
        self.observatory.watch_requests(open.clone());
        let context = IngressContext {
            rules: Arc::clone(&self.rules),
            load: Arc::clone(&self.load),
            dispatchers: Arc::clone(&self.dispatchers),
            open,
            aggregators: AggregatorContext {
                egress,
                deadlines: self.deadlines.clone(),
                answer_limits: self.answer_limits,
                tally: Arc::clone(&self.tally),
                failpoints: self.failpoints.clone(),
            },
            observed,
        };
        let spec = ChildSpec::new(mailbox.clone(), policy, arbiter.clone(), move || {
            Ingress::new(context.clone())
        });
        self.supervisor.do_send(Adopt(spec));
        mailbox
    }

    fn adopt_egress(
        &self,
        index: usize,
        arbiter: &ArbiterHandle,
        policy: RestartPolicy,
    ) -> Mailbox<Egress> {
        let observed = Observed::new(format!("egress-{index}"), Kind::Egress);
        let mailbox = Mailbox::new(Arc::clone(&observed), self.worker_mailbox_max);
        let (own, tally) = (Arc::new(self.rules.own.clone()), Arc::clone(&self.tally));
        let failpoints = self.failpoints.clone();
        let spec = ChildSpec::new(mailbox.clone(), policy, arbiter.clone(), move || {
            let (own, tally) = (Arc::clone(&own), Arc::clone(&tally));
            Egress::new(own, tally, Arc::clone(&observed), failpoints.clone())
        });
        self.supervisor.do_send(Adopt(spec));
        mailbox
    }

    /// Stops admitting, and waits at most `drain_max` until nothing is open. Returns what is left.
    pub async fn drain(&self, drain_max: Duration) -> usize {
        self.load.drain();
        let until = Instant::now() + drain_max;
        while self.load.open() > 0 && Instant::now() < until {
            tokio::time::sleep(DRAIN_LOOK_EVERY).await;
        }
        self.load.open()
    }

    /// Ends every actor, in the reverse of the order in which they were started. What is still open
    /// ends in errors. After this the node serves nobody. What was noted before is on disk, or has
    /// failed.
    pub async fn stop(&self) {
        if let Some(ledger) = &self.ledger {
            ledger.settled().await;
        }
        // A supervisor that is gone has nobody left to dismiss.
        let _ = self.supervisor.send(DismissAll).await;
    }

    /// What can be seen of the actors.
    #[must_use]
    pub fn observatory(&self) -> &Arc<Observatory> {
        &self.observatory
    }

    /// The ledger, if there is one.
    #[must_use]
    pub fn ledger(&self) -> Option<&LedgerBook> {
        self.ledger.as_ref()
    }

    /// What has been counted.
    #[must_use]
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// What is open.
    #[must_use]
    pub fn load(&self) -> &Arc<Load> {
        &self.load
    }

    /// Memory that all answers share.
    #[must_use]
    pub fn answers(&self) -> &Arc<Room> {
        &self.answers
    }

    /// The clock rule.
    #[must_use]
    pub fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    /// Name of the transport.
    #[must_use]
    pub fn transport_name(&self) -> &'static str {
        self.transport.name()
    }

    /// What the transport has counted.
    #[must_use]
    pub fn transport_counted(&self) -> Vec<Counted> {
        self.transport.counted()
    }

    /// Who is connected.
    #[must_use]
    pub fn connected(&self) -> Vec<Uppgiftslamnare> {
        let mut connected: Vec<_> = self.dispatchers.load().keys().copied().collect();
        connected.sort_unstable();
        connected
    }

    /// Tells when a child that the node cannot be without has used up its restart budget.
    #[must_use]
    pub fn escalation(&self) -> watch::Receiver<Option<String>> {
        self.escalation.clone()
    }

    /// Panics for tests.
    #[must_use]
    pub fn failpoints(&self) -> &Failpoints {
        &self.failpoints
    }
}

/// Starts the ledger, on an arbiter of its own: it blocks in write and fsync.
fn adopt_ledger(
    supervisor: &Addr<Supervisor>,
    settings: LedgerSettings,
    policy: RestartPolicy,
    failpoints: &Failpoints,
) -> LedgerBook {
    let arbiter = Arbiter::new().handle();
    let (book, spec) = LedgerBook::open(settings, policy, arbiter, failpoints.clone());
    supervisor.do_send(Adopt(spec));
    book
}
