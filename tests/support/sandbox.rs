//! A running node for tests: real HTTP on free ports, every authority in this process, scripted as
//! the test wants it.
//!
//! ```text
//! let sandbox = Sandbox::new().limit(3).silent(Uppgiftslamnare::CSN).start().await;
//! let answered = sandbox.ask(DEMO).await;
//! ```
//!
//! The node lives in a thread of its own, as in `main`. Dropping the sandbox tells it to stop.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Once, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use samsvar::adapter::behaviour::{Behaviour, Fault};
use samsvar::adapter::simulated::{self, SEED_DEFAULT};
use samsvar::app::{App, Outside};
use samsvar::client::answer::Said;
use samsvar::client::question::{self, Asker};
use samsvar::client::{Answered, AskError, Client};
use samsvar::settings::Settings;
use samsvar::telemetry;
use samsvar::tls::Store;
use samsvar_actors::failpoint::Failpoints;
use samsvar_actors::node::Node;
use samsvar_actors::tally::OutcomeClass;
use samsvar_actors::transport::in_process::{InProcess, Reach};
use samsvar_actors::transport::{Answer, AnswerContent, Bastjanst, BoxFuture, Question};
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::SsbtFelkod;
use tempfile::TempDir;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::log;

/// The person of the demo, about whom every authority has data.
pub const DEMO: &str = "199503142383";

/// Longest wait for something that happens at once on an idle machine.
const SOON: Duration = Duration::from_secs(20);

/// How often [`eventually`] looks: what it looks at are counters, which tell nobody when they change.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Tests that measure real time run alone; all others run side by side.
static COMPANY: RwLock<()> = RwLock::const_new(());

enum Company {
    Shared {
        _guard: RwLockReadGuard<'static, ()>,
    },
    Alone {
        _guard: RwLockWriteGuard<'static, ()>,
    },
}

type Service = Arc<dyn Bastjanst>;

/// A node to be started.
pub struct Builder {
    settings: Settings,
    folder: Option<TempDir>,
    services: HashMap<Uppgiftslamnare, Service>,
    alone: bool,
    /// Of the service listener; 0 for any that is free.
    port: u16,
}

impl Builder {
    /// Listens on this port of loopback, which other nodes know.
    #[allow(dead_code, reason = "most test binaries take any port")]
    pub fn at(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Changes the settings.
    pub fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Takes asynchronous messages: their ledger is kept in a folder that goes with the sandbox, and
    /// retries are quick.
    pub fn asynch(mut self) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        self.settings.ledger.folder = Some(folder.path().join("ledger"));
        self.folder = Some(folder);
        self.with(|settings| {
            settings.relay.retry_first_ms = 20;
            settings.relay.retry_longest_s = 1;
            settings.relay.give_up_after_s = 5;
        })
    }

    /// Starts with what a sandbox has on disk now, as after a `kill -9` of its node.
    #[allow(dead_code, reason = "not every test binary kills its node")]
    pub fn on_a_copy_of(self, killed: &Sandbox) -> Self {
        let folder = self.folder.as_ref().expect("an asynchronous sandbox");
        copy_all(killed.folder(), folder.path());
        self
    }

    /// Shortens D(n) to so many seconds, of which half is kept back: where the rule is tested and
    /// not its figure, on a machine that may be busy.
    pub fn limit(self, seconds: u64) -> Self {
        self.with(|settings| {
            settings.deadline.limit_s = seconds;
            settings.deadline.promise_s = seconds;
            settings.deadline.per_person_ms = 0;
            settings.deadline.margin_ms = seconds * 500;
        })
    }

    /// One HTTP worker, so that there is one ingress and one egress.
    pub fn one_worker(self) -> Self {
        self.with(|settings| settings.listener.workers = 1)
    }

    /// Puts a service behind a party.
    pub fn played_by(mut self, ul: Uppgiftslamnare, service: impl Bastjanst) -> Self {
        self.services.insert(ul, Arc::new(service));
        self
    }

    /// Makes the simulated authority behave so.
    pub fn behaving(mut self, ul: Uppgiftslamnare, behaviour: &Behaviour) -> Self {
        let simulated = Arc::clone(&self.services[&ul]);
        let behaving = behaviour.clone().around(ul, simulated);
        self.services.insert(ul, Arc::new(behaving));
        self
    }

    /// Makes every simulated authority behave so.
    pub fn all_behaving(self, behaviour: &Behaviour) -> Self {
        Uppgiftslamnare::all().fold(self, |builder, ul| builder.behaving(ul, behaviour))
    }

    /// This party never answers.
    pub fn silent(self, ul: Uppgiftslamnare) -> Self {
        self.behaving(ul, &Behaviour::always(Fault::Silent, SEED_DEFAULT))
    }

    /// No party answers before the gate opens.
    pub fn held_by(self, gate: &Gate) -> Self {
        Uppgiftslamnare::all().fold(self, |builder, ul| builder.one_held_by(ul, gate))
    }

    /// This party does not answer before the gate opens.
    pub fn one_held_by(mut self, ul: Uppgiftslamnare, gate: &Gate) -> Self {
        let held = Held {
            service: Arc::clone(&self.services[&ul]),
            open: gate.0.subscribe(),
        };
        self.services.insert(ul, Arc::new(held));
        self
    }

    /// No other test runs beside this one: it measures time.
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Starts the node.
    pub async fn start(self) -> Sandbox {
        prepare_process();
        let company = if self.alone {
            Company::Alone {
                _guard: COMPANY.write().await,
            }
        } else {
            Company::Shared {
                _guard: COMPANY.read().await,
            }
        };
        let asked = Arc::new(Asked::default());
        let transport =
            self.services
                .into_iter()
                .fold(InProcess::new(), |transport, (ul, service)| {
                    let asked = Arc::clone(&asked);
                    transport.with(ul, Arc::new(Watched { ul, service, asked }))
                });
        let transport = Arc::new(transport);
        let (orders, taken) = mpsc::unbounded_channel();
        let (started, starts) = oneshot::channel();
        let (escalated, escalation) = watch::channel(None);
        let (mut settings, carried) = (self.settings, Arc::clone(&transport));
        settings.listener.address.set_port(self.port);
        std::thread::spawn(move || {
            let system = actix_rt::System::new();
            system.block_on(async move {
                actix_rt::spawn(life(settings, carried, started, taken, escalated));
            });
            system.run().unwrap();
        });
        let Started {
            service,
            admin,
            node,
            certificates,
        } = starts.await.unwrap();
        let sandbox = Sandbox {
            service,
            admin,
            node,
            certificates,
            transport,
            asked,
            client: Client::new().unwrap(),
            orders,
            escalation,
            folder: self.folder,
            _company: company,
        };
        let everybody = Uppgiftslamnare::all().count();
        let is_up = || sandbox.parties_up() >= everybody;
        eventually("every dispatcher is up", is_up).await;
        sandbox
    }
}

fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy_all(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A running node.
pub struct Sandbox {
    service: SocketAddr,
    admin: SocketAddr,
    node: Arc<Node>,
    certificates: Option<Arc<Store>>,
    transport: Arc<InProcess>,
    asked: Arc<Asked>,
    client: Client,
    orders: mpsc::UnboundedSender<oneshot::Sender<usize>>,
    escalation: watch::Receiver<Option<String>>,
    folder: Option<TempDir>,
    _company: Company,
}

struct Started {
    service: SocketAddr,
    admin: SocketAddr,
    node: Arc<Node>,
    certificates: Option<Arc<Store>>,
}

/// The node's thread: as `main`, but told to stop by the test.
async fn life(
    mut settings: Settings,
    transport: Arc<InProcess>,
    started: oneshot::Sender<Started>,
    mut orders: mpsc::UnboundedReceiver<oneshot::Sender<usize>>,
    escalated: watch::Sender<Option<String>>,
) {
    settings.admin.address.set_port(0);
    let outside = Outside {
        transport,
        connections: connections(),
    };
    let app = App::start(&settings, outside, Failpoints::default()).unwrap();
    let up = Started {
        service: app.service_address(),
        admin: app.admin_address(),
        node: Arc::clone(app.node()),
        certificates: app.certificates().cloned(),
    };
    assert!(started.send(up).is_ok(), "the test waits for its node");
    let order = tokio::select! {
        order = orders.recv() => order,
        name = app.escalated() => {
            escalated.send_replace(Some(name));
            orders.recv().await
        }
    };
    let left = app.stop().await;
    if let Some(tell) = order {
        let _ = tell.send(left);
    }
    actix_rt::System::current().stop();
}

/// Where connections to directories live, as in `main`: not on an arbiter.
fn connections() -> tokio::runtime::Handle {
    static CONNECTIONS: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = CONNECTIONS.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    });
    runtime.handle().clone()
}

impl Sandbox {
    /// The demo's settings, every authority simulated, and no patience at the end of a test.
    #[allow(clippy::new_ret_no_self, reason = "a sentence begins with it")]
    pub fn new() -> Builder {
        let mut settings = Settings::demo();
        settings.listener.workers = 2;
        settings.drain.drain_s = 0;
        // No test may lose a question to a connection that ends while the machine is busy.
        settings.listener.keep_alive_ms = 30_000;
        Builder {
            settings,
            folder: None,
            services: simulated::alla(SEED_DEFAULT).into_iter().collect(),
            alone: false,
            port: 0,
        }
    }

    /// Address of the service listener.
    pub fn service(&self) -> SocketAddr {
        self.service
    }

    /// The node's certificates of this moment.
    #[allow(dead_code, reason = "some test binaries have no certificates")]
    pub fn certificates(&self) -> &Store {
        self.certificates.as_ref().unwrap()
    }

    /// The folder of a node that takes asynchronous messages: its ledger lies in `ledger` there.
    #[allow(dead_code, reason = "not every test binary looks at files")]
    pub fn folder(&self) -> &std::path::Path {
        let folder = self.folder.as_ref().expect("an asynchronous sandbox");
        folder.path()
    }

    /// Everything that the ledger holds.
    pub fn ledger(&self) -> String {
        let days = std::fs::read_dir(self.folder().join("ledger")).unwrap();
        let texts = days.map(|day| std::fs::read_to_string(day.unwrap().path()).unwrap());
        texts.collect()
    }

    /// The node itself.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Panics to order.
    pub fn failpoints(&self) -> &Failpoints {
        self.node.failpoints()
    }

    /// Changes how a party can be reached.
    pub fn set_reach(&self, ul: Uppgiftslamnare, reach: Reach) {
        self.transport.set_reach(ul, reach);
    }

    /// What has reached the authorities.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Asks about one person.
    pub async fn ask(&self, person: &str) -> Result<Answered, AskError> {
        self.ask_about(&[person]).await
    }

    /// Asks about several persons in one message.
    pub async fn ask_about(&self, persons: &[&str]) -> Result<Answered, AskError> {
        self.send(question_about(persons)).await
    }

    /// Sends a message as a verksamhetssystem would.
    pub async fn send(&self, message: Bytes) -> Result<Answered, AskError> {
        let url = format!("http://{}/shs/rs", self.service);
        self.client.ask(&url, message).await
    }

    /// Text of a page of the admin listener.
    pub async fn admin(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.admin);
        reqwest::get(url).await.unwrap().text().await.unwrap()
    }

    /// The line of one actor in the tree, as an operator sees it.
    pub async fn actor(&self, name: &str) -> serde_json::Value {
        let tree = self.tree().await;
        let actors = tree["actors"].as_array().unwrap();
        let actor = actors.iter().find(|actor| actor["name"] == name);
        actor
            .unwrap_or_else(|| panic!("{name} is in the tree"))
            .clone()
    }

    /// The whole tree.
    pub async fn tree(&self) -> serde_json::Value {
        serde_json::from_str(&self.admin("/api/v1/tree").await).unwrap()
    }

    /// Value of one metric, by its whole name with labels.
    pub async fn metric(&self, name: &str) -> u64 {
        let text = self.admin("/metrics").await;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value
            .unwrap_or_else(|| panic!("{name} is a metric"))
            .parse()
            .unwrap()
    }

    /// Requests that ended so.
    pub fn outcome(&self, class: OutcomeClass) -> u64 {
        self.node.tally().outcome(class)
    }

    /// Requests that ended, however.
    pub fn ended(&self) -> u64 {
        OutcomeClass::ALL
            .map(|class| self.outcome(class))
            .iter()
            .sum()
    }

    /// How often a felkod of ours stood in a party's place.
    pub fn felkod(&self, ul: Uppgiftslamnare, felkod: SsbtFelkod) -> u64 {
        let party = self.node.tally().party(ul);
        let found = party.felkoder().find(|(known, _)| *known == felkod);
        found.map_or(0, |(_, count)| count)
    }

    /// Sub-questions that all dispatchers have out or in line.
    pub fn in_flight(&self) -> usize {
        let lines = self.node.observatory().snapshot().actors;
        let dispatchers = lines
            .iter()
            .filter(|line| line.name.starts_with("dispatcher-"));
        dispatchers.map(|line| line.in_flight + line.waiting).sum()
    }

    fn parties_up(&self) -> usize {
        let lines = self.node.observatory().snapshot().actors;
        let up =
            |line: &&samsvar_actors::observation::ActorLine| line.state.to_string() == "running";
        lines
            .iter()
            .filter(|line| line.name.starts_with("dispatcher-"))
            .filter(up)
            .count()
    }

    /// Takes the node down in order; gives the number of requests that were left.
    pub async fn stop(&self) -> usize {
        let (tell, told) = oneshot::channel();
        self.orders.send(tell).unwrap();
        told.await.unwrap()
    }

    /// Waits until the node escalates, and names the actor.
    pub async fn escalated(&self) -> String {
        let mut escalation = self.escalation.clone();
        let name = tokio::time::timeout(SOON, escalation.wait_for(Option::is_some)).await;
        name.expect("the node escalates")
            .unwrap()
            .clone()
            .unwrap_or_default()
    }
}

/// Once in this process: a TLS provider, which the HTTP client insists on, and a log that is read.
fn prepare_process() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        telemetry::start_into("trace", log::Keeper::default).unwrap();
        say_why_tests_fail();
    });
}

/// The log's panic hook says where, never what. A test that fails says both.
fn say_why_tests_fail() {
    let logs = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        logs(info);
        let thread = std::thread::current();
        // Threads of tests are named after them; those of the node are not.
        if thread.name().is_some_and(|name| name.contains("::")) {
            let _ = writeln!(std::io::stderr(), "{info}");
        }
    }));
}

/// A question about these persons, as a verksamhetssystem would send it.
pub fn question_about(persons: &[&str]) -> Bytes {
    let persons: Vec<String> = persons.iter().map(|&person| person.to_owned()).collect();
    let message = question::message(&Asker::default(), &persons, Utc::now());
    message.unwrap().write()
}

/// What one authority said about the first person.
pub fn said(answered: &Answered, ul: Uppgiftslamnare) -> Said {
    let said = answered.persons[0].per_party();
    let (_, said) = said.into_iter().find(|(of, _)| *of == ul).unwrap();
    said
}

/// Whether an authority gave data about the first person.
pub fn gave_data(answered: &Answered, ul: Uppgiftslamnare) -> bool {
    matches!(said(answered, ul), Said::Data(_))
}

/// The parties that gave no data about the first person.
pub fn without_data(answered: &Answered) -> Vec<Uppgiftslamnare> {
    Uppgiftslamnare::all()
        .filter(|ul| !gave_data(answered, *ul))
        .collect()
}

/// An error of ours in the place of a party.
pub fn ssbt(felkod: SsbtFelkod) -> Said {
    Said::Error("SSBT".to_owned(), felkod.kod().to_owned())
}

/// Waits until something is so.
pub async fn eventually(what: &str, is_so: impl FnMut() -> bool) {
    assert!(within(SOON, is_so).await, "in the end {what}");
}

/// Waits at most so long until something is so; tells whether it came to be.
pub async fn within(time: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + time;
    while !is_so() {
        if Instant::now() >= until {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    true
}

/// Which questions have reached the authorities, and when.
#[derive(Default)]
pub struct Asked(Mutex<Vec<(Uppgiftslamnare, Instant)>>);

impl Asked {
    /// Questions in all.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Time between the first question and the last.
    pub fn spread(&self) -> Duration {
        let asked = self.0.lock().unwrap();
        let times = || asked.iter().map(|(_, at)| *at);
        let first_and_last = times().min().zip(times().max());
        first_and_last.map_or(Duration::ZERO, |(first, last)| last - first)
    }
}

/// Notes each question before its service gets it.
struct Watched {
    ul: Uppgiftslamnare,
    service: Service,
    asked: Arc<Asked>,
}

impl Bastjanst for Watched {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        self.asked.0.lock().unwrap().push((self.ul, Instant::now()));
        self.service.besvara(question)
    }
}

/// A service that says what a function says, at once.
pub struct Says<F>(pub F);

impl<F> Bastjanst for Says<F>
where
    F: Fn(&Question) -> Option<AnswerContent> + Send + Sync + 'static,
{
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        let corr_id = question.corr_id;
        let answers = (self.0)(&question).map(|content| Answer { corr_id, content });
        Box::pin(std::future::ready(answers.into_iter().collect()))
    }
}

/// Holds answers back until a test lets them go: an event in the place of a wait.
pub struct Gate(watch::Sender<bool>);

impl Gate {
    /// A gate that is closed.
    pub fn closed() -> Self {
        Self(watch::channel(false).0)
    }

    /// Lets everything through.
    pub fn open(&self) {
        self.0.send_replace(true);
    }
}

struct Held {
    service: Service,
    open: watch::Receiver<bool>,
}

impl Bastjanst for Held {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        let (service, mut open) = (Arc::clone(&self.service), self.open.clone());
        Box::pin(async move {
            let _ = open.wait_for(|open| *open).await;
            service.besvara(question).await
        })
    }
}
