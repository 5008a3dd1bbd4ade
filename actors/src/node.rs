//! A node: its supervisor, its dispatchers, and the ingress and egress of each HTTP worker.
//!
//! Supervisor and dispatchers share an arbiter of their own. Each HTTP worker brings its own arbiter
//! and gets an egress and an ingress there, in that order; the flow is stopped in the reverse. A node
//! that takes asynchronous messages also has a ledger and a relay, each on an arbiter of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix::{Actor, Addr};
use actix_rt::{Arbiter, ArbiterHandle};
use arc_swap::ArcSwap;
use shs_schemas::{Uppgiftslamnare, xml};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::aggregator::{AggregatorContext, Dispatchers};
use crate::avvikelse::Avvikelser;
use crate::avvisat::Avvisade;
use crate::child::{OverBudget, RestartPolicy};
use crate::deadline::{DeadlineSettings, Deadlines};
use crate::dispatcher::{Dispatcher, DispatcherContext, DispatcherSettings};
use crate::egress::Egress;
use crate::failpoint::Failpoints;
use crate::ingress::rules::{PERSONS_MAX, Rules};
use crate::ingress::{Ingress, IngressContext, Neighbours};
use crate::ledger::book::Before;
use crate::ledger::event::Stoppat;
use crate::ledger::keys::KeyFile;
use crate::ledger::promises::look_back;
use crate::ledger::{Event, Ids, LedgerBook, LedgerSettings, What};
use crate::load::{Load, LoadSettings};
use crate::mailbox::Mailbox;
use crate::observation::{Kind, Observatory, Observed, OpenRequests};
use crate::outbox::{OutboxSettings, Outboxes};
use crate::relay::{
    Board, Closing, Kvitterat, Reception, Relay, RelayContext, RelaySettings, Salvage, Underway,
    UnderwaySettings, Unkept, resume,
};
use crate::room::Room;
use crate::stack;
use crate::supervisor::{Adopt, ChildSpec, Dismiss, DismissAll, Supervisor};
use crate::tally::Tally;
use crate::transfers::{TransferSettings, Transfers};
use crate::transport::{Counted, Transport};

/// Messages beyond window and line that may wait for a dispatcher.
const DISPATCHER_MAILBOX_SPARE: usize = 1_024;

/// How often a draining node looks whether it is empty.
const DRAIN_LOOK_EVERY: Duration = Duration::from_millis(20);

/// Longest wait for the tasks of the relay to end where they are.
const CLOSE_MAX: Duration = Duration::from_secs(2);

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
    /// How asynchronous messages are handled; without it they are refused.
    pub asynch: Option<AsynchSettings>,
}

/// What handling asynchronous messages goes by.
#[derive(Clone, Debug)]
pub struct AsynchSettings {
    /// Where they are noted.
    pub ledger: LedgerSettings,
    /// How many are remembered, and for how long.
    pub transfers: TransferSettings,
    /// How much the mailboxes hold.
    pub outboxes: OutboxSettings,
    /// How many may be under way.
    pub underway: UnderwaySettings,
    /// How often and how long their delivery is tried.
    pub relay: RelaySettings,
}

impl AsynchSettings {
    /// The defaults, noted in this ledger.
    #[must_use]
    pub fn noted_in(ledger: LedgerSettings) -> Self {
        Self {
            ledger,
            transfers: TransferSettings::default(),
            outboxes: OutboxSettings::default(),
            underway: UnderwaySettings::default(),
            relay: RelaySettings::default(),
        }
    }
}

/// What a node is connected to.
#[derive(Clone)]
pub struct Links {
    /// Carries questions to the authorities.
    pub transport: Arc<dyn Transport>,
    /// Other actors and their nodes.
    pub neighbours: Neighbours,
}

impl Links {
    /// A node that asks authorities and knows no actors beyond its configuration.
    #[must_use]
    pub fn to_authorities(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            neighbours: Neighbours::none(),
        }
    }
}

/// The parts of a node that handle asynchronous messages.
pub struct Asynch {
    reception: Arc<Reception>,
    outboxes: Arc<Outboxes>,
    transfers: Arc<Transfers>,
    underway: Arc<Underway>,
    relay: Mailbox<Relay>,
    book: LedgerBook,
    tally: Arc<Tally>,
    closing: Arc<Closing>,
}

impl Asynch {
    /// The mailboxes of local actors.
    #[must_use]
    pub fn outboxes(&self) -> &Arc<Outboxes> {
        &self.outboxes
    }

    /// What is remembered of messages.
    #[must_use]
    pub fn transfers(&self) -> &Arc<Transfers> {
        &self.transfers
    }

    /// What is under way.
    #[must_use]
    pub fn underway(&self) -> &Arc<Underway> {
        &self.underway
    }

    /// Where events are noted.
    #[must_use]
    pub fn book(&self) -> &LedgerBook {
        &self.book
    }

    /// Ends what is under way: it is noted in the ledger as interrupted, and then that the node stops.
    async fn close(&self, stoppat: Stoppat) {
        self.closing.begin();
        let until = Instant::now() + CLOSE_MAX;
        while self.underway.messages() > 0 && Instant::now() < until {
            tokio::time::sleep(DRAIN_LOOK_EVERY).await;
        }
        let stoppat = What::Stoppat(stoppat);
        self.book
            .note(Event::now(Uuid::nil(), Ids::default(), stoppat));
        self.book.stated().await;
    }

    /// A message was acknowledged for the first time. It goes through the relay, so that it is noted
    /// after the delivery. As many acknowledgements wait as messages may be under way; the rest of the
    /// relay's mailbox is for accepted messages, whose senders nobody may keep out by acknowledging
    /// fast. One that finds no room is noted all the same, and only its confirmation is lost.
    pub fn acknowledged(&self, kvitterat: Kvitterat) {
        let waiting_max = self.underway.messages_max();
        let delivered = self.relay.deliver_below(waiting_max, kvitterat);
        if let Err(undelivered) = delivered {
            let kvitterat = undelivered.into_message();
            kvitterat.note(&self.book, &self.transfers);
            if kvitterat.confirm {
                self.tally.count_own_lost();
                tracing::warn!("a confirmation is lost: the relay takes no more");
            }
        }
    }
}

/// Where the parts of a node live.
struct Arbiters {
    heart: ArbiterHandle,
    relay: ArbiterHandle,
    ledger: ArbiterHandle,
}

/// The same, for children that the node cannot be without.
fn escalating(restart: RestartPolicy) -> RestartPolicy {
    RestartPolicy {
        over_budget: OverBudget::Escalate,
        ..restart
    }
}

/// A running node.
pub struct Node {
    supervisor: Addr<Supervisor>,
    heart: ArbiterHandle,
    transport: Arc<dyn Transport>,
    neighbours: Neighbours,
    asynch: OnceLock<Asynch>,
    rules: Arc<Rules>,
    load: Arc<Load>,
    answers: Arc<Room>,
    tally: Arc<Tally>,
    avvikelser: Avvikelser,
    avvisade: Avvisade,
    book: Option<LedgerBook>,
    deadlines: Deadlines,
    answer_limits: xml::Limits,
    worker_mailbox_max: usize,
    restart: RestartPolicy,
    dispatchers: Arc<ArcSwap<Dispatchers>>,
    observatory: Arc<Observatory>,
    failpoints: Failpoints,
    escalation: watch::Receiver<Option<String>>,
    /// What was open when the last drain was over.
    left: AtomicUsize,
}

/// A thread for actors, whose stack is kept clean.
fn arbiter() -> ArbiterHandle {
    let arbiter = Arbiter::new().handle();
    arbiter.spawn(stack::keep_scrubbed());
    arbiter
}

impl Node {
    /// Starts supervisor and dispatchers on an arbiter of their own, relay and ledger on two more. Must
    /// be called within an actix system.
    #[must_use]
    pub fn start(settings: NodeSettings, links: Links, failpoints: Failpoints) -> Arc<Self> {
        let asynch = settings.asynch.is_some();
        let heart = arbiter();
        let own = || {
            if asynch { arbiter() } else { heart.clone() }
        };
        let arbiters = Arbiters {
            relay: own(),
            ledger: own(),
            heart,
        };
        Self::start_in(&arbiters, settings, links, failpoints)
    }

    /// The same, with everything on this arbiter. Tests whose clock is paused do so: a paused clock is
    /// that of one thread.
    #[must_use]
    pub fn start_on(
        arbiter: ArbiterHandle,
        settings: NodeSettings,
        links: Links,
        failpoints: Failpoints,
    ) -> Arc<Self> {
        let arbiters = Arbiters {
            relay: arbiter.clone(),
            ledger: arbiter.clone(),
            heart: arbiter,
        };
        Self::start_in(&arbiters, settings, links, failpoints)
    }

    fn start_in(
        arbiters: &Arbiters,
        settings: NodeSettings,
        links: Links,
        failpoints: Failpoints,
    ) -> Arc<Self> {
        let heart = arbiters.heart.clone();
        let observatory = Arc::new(Observatory::default());
        let (escalate, escalation) = watch::channel(None);
        let watched = Arc::clone(&observatory);
        let senders: Vec<_> = settings.rules.known.iter().cloned().collect();
        let policy = escalating(settings.restart);
        let opened = settings.asynch.as_ref().map(|asynch| {
            let (settings, arbiter) = (asynch.ledger.clone(), arbiters.ledger.clone());
            LedgerBook::open(settings, policy, arbiter, failpoints.clone())
        });
        let tally = Tally::new();
        let book = opened.as_ref().map(|(book, ..)| book.clone());
        let noting = book.clone();
        let supervisor = Supervisor::start_in_arbiter(&heart, move |_| {
            Supervisor::new(watched, escalate).noting(noting)
        });
        let rules = Arc::new(settings.rules);
        let node = Arc::new(Self {
            supervisor,
            heart,
            transport: links.transport,
            neighbours: links.neighbours,
            asynch: OnceLock::new(),
            avvisade: Avvisade::new(book.clone(), Arc::clone(&rules)),
            rules,
            answers: Room::new(settings.load.answers_bytes_max),
            load: Load::new(settings.load, senders),
            avvikelser: Avvikelser::new(Arc::clone(&tally), book.clone()),
            book,
            tally,
            deadlines: Deadlines::new(settings.deadlines),
            answer_limits: settings.answer_limits,
            worker_mailbox_max: settings.worker_mailbox_max,
            restart: settings.restart,
            dispatchers: Arc::default(),
            observatory,
            failpoints,
            escalation,
            left: AtomicUsize::new(0),
        });
        if let Some(book) = &node.book {
            node.load.depend_on(Arc::clone(book.health()));
        }
        // First, so that the ledger is the last to stop.
        if let (Some(asynch), Some((book, spec, before))) = (settings.asynch, opened) {
            node.supervisor.do_send(Adopt(spec));
            let asynch = node.start_asynch(asynch, book, before, arbiters);
            // Set once, here.
            let _ = node.asynch.set(asynch);
        }
        for (ul, bounds) in settings.parties {
            node.connect(ul, bounds);
        }
        node
    }

    /// Starts the relay, and the ingress and egress that asynchronous questions go through; what
    /// happens is noted in this ledger.
    fn start_asynch(
        &self,
        settings: AsynchSettings,
        book: LedgerBook,
        before: Before,
        arbiters: &Arbiters,
    ) -> Asynch {
        let policy = escalating(self.restart);
        let unkept = Unkept {
            before,
            keys: KeyFile::at(&settings.ledger.custody.keys),
            look_back: look_back(&settings.relay, &settings.outboxes),
        };
        let outboxes = Outboxes::new(settings.outboxes, self.rules.local.iter().cloned());
        let transfers = Arc::new(Transfers::new(settings.transfers));
        let underway = Underway::new(settings.underway, self.rules.known.iter().cloned());
        let observed = Observed::new("relay".to_owned(), Kind::Relay);
        // Room for every message that may be under way, and for as many acknowledgements.
        let relay = Mailbox::new(Arc::clone(&observed), 2 * underway.messages_max());
        let board = Board::new(observed, Arc::clone(&underway));
        let closing: Arc<Closing> = Arc::default();
        let salvage = Salvage::new(
            relay.clone(),
            book.clone(),
            Arc::clone(&self.tally),
            Arc::clone(&closing),
        );
        let context = RelayContext {
            rules: Arc::clone(&self.rules),
            settings: settings.relay,
            neighbours: self.neighbours.clone(),
            outboxes: Arc::clone(&outboxes),
            transfers: Arc::clone(&transfers),
            book: book.clone(),
            questions: self.attach("asynch", &arbiters.relay),
            answer_time_max: self.deadlines.settings.limit_for(PERSONS_MAX),
            tally: Arc::clone(&self.tally),
            board: Arc::clone(&board),
            posts: Arc::default(),
            salvage: Arc::clone(&salvage),
            closing: Arc::clone(&closing),
            failpoints: self.failpoints.clone(),
        };
        let arbiter = arbiters.relay.clone();
        let resuming = context.clone();
        // Beside the relay, whose fall does not stop it.
        arbiter.spawn_fn(move || resume(resuming, unkept));
        let spec = ChildSpec::new(relay.clone(), policy, arbiter, move || {
            Relay::new(context.clone())
        });
        self.supervisor.do_send(Adopt(spec));
        let reception = Arc::new(Reception::new(
            Arc::clone(&self.rules),
            Arc::clone(&outboxes),
            Arc::clone(&transfers),
            book.clone(),
            board,
            relay.clone(),
            salvage,
        ));
        Asynch {
            reception,
            outboxes,
            transfers,
            underway,
            relay,
            book,
            tally: Arc::clone(&self.tally),
            closing,
        }
    }

    /// The ledger, if this node keeps one.
    #[must_use]
    pub fn ledger(&self) -> Option<&LedgerBook> {
        self.asynch().map(Asynch::book)
    }

    /// The parts that handle asynchronous messages, if this node takes any.
    #[must_use]
    pub fn asynch(&self) -> Option<&Asynch> {
        self.asynch.get()
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
            avvikelser: self.avvikelser.clone(),
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
        self.attach(&index.to_string(), arbiter)
    }

    fn attach(&self, worker: &str, arbiter: &ArbiterHandle) -> Mailbox<Ingress> {
        let policy = escalating(self.restart);
        let egress = self.adopt_egress(worker, arbiter, policy);
        let observed = Observed::new(format!("ingress-{worker}"), Kind::Ingress);
        let mailbox = Mailbox::new(Arc::clone(&observed), self.worker_mailbox_max);
        let open = OpenRequests::under(observed.name());
        self.observatory.watch_requests(open.clone());
        let context = IngressContext {
            rules: Arc::clone(&self.rules),
            load: Arc::clone(&self.load),
            dispatchers: Arc::clone(&self.dispatchers),
            neighbours: self.neighbours.clone(),
            reception: self.asynch().map(|asynch| Arc::clone(&asynch.reception)),
            open,
            aggregators: AggregatorContext {
                egress,
                deadlines: self.deadlines.clone(),
                answer_limits: self.answer_limits,
                tally: Arc::clone(&self.tally),
                avvikelser: self.avvikelser.clone(),
                parter: Arc::new(self.rules.parter.clone()),
                failpoints: self.failpoints.clone(),
            },
            book: self.book.clone(),
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
        worker: &str,
        arbiter: &ArbiterHandle,
        policy: RestartPolicy,
    ) -> Mailbox<Egress> {
        let observed = Observed::new(format!("egress-{worker}"), Kind::Egress);
        let mailbox = Mailbox::new(Arc::clone(&observed), self.worker_mailbox_max);
        let (own, avvikelser) = (Arc::new(self.rules.own.clone()), self.avvikelser.clone());
        let failpoints = self.failpoints.clone();
        let spec = ChildSpec::new(mailbox.clone(), policy, arbiter.clone(), move || {
            let (own, avvikelser) = (Arc::clone(&own), avvikelser.clone());
            Egress::new(own, avvikelser, Arc::clone(&observed), failpoints.clone())
        });
        self.supervisor.do_send(Adopt(spec));
        mailbox
    }

    /// Stops admitting, and waits at most `drain_max` until nothing is open. Returns what is left.
    pub async fn drain(&self, drain_max: Duration) -> usize {
        self.load.drain();
        let until = Instant::now() + drain_max;
        while self.open() > 0 && Instant::now() < until {
            tokio::time::sleep(DRAIN_LOOK_EVERY).await;
        }
        let left = self.open();
        self.left.store(left, Ordering::Release);
        left
    }

    /// Requests that are open, and asynchronous messages under way.
    #[must_use]
    pub fn open(&self) -> usize {
        let underway = self.asynch().map_or(0, |asynch| asynch.underway.messages());
        self.load.open() + underway
    }

    /// Ends every actor, in the reverse of the order in which they were started. What is still open
    /// ends in errors; asynchronous messages that are still under way are noted in the ledger as
    /// interrupted (`avbrutet`, `nedstangning`), so that it shows who was promised something. After this the node serves nobody.
    pub async fn stop(&self) {
        if let Some(asynch) = self.asynch() {
            let escalated = self.escalation.borrow().clone();
            asynch
                .close(Stoppat {
                    kvar: self.left.load(Ordering::Acquire).max(self.open()) as u64,
                    aktor: escalated.map(Into::into),
                })
                .await;
        }
        // A supervisor that is gone has nobody left to dismiss.
        let _ = self.supervisor.send(DismissAll).await;
    }

    /// What can be seen of the actors.
    #[must_use]
    pub fn observatory(&self) -> &Arc<Observatory> {
        &self.observatory
    }

    /// What has been counted.
    #[must_use]
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Where it is told what was odd about an answer. Clones share their bounds: whoever tells has
    /// one of this.
    #[must_use]
    pub fn avvikelser(&self) -> &Avvikelser {
        &self.avvikelser
    }

    /// Where it is told which calls were refused. Clones share their bounds: every door has one of this.
    #[must_use]
    pub fn avvisade(&self) -> &Avvisade {
        &self.avvisade
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
