//! `samsvar-load`: measures the node beside a bare AMQP client, in one run on one machine.
//!
//! ```text
//! cargo run --release -p samsvar-load              about a minute, with a RabbitMQ of its own
//! cargo run --release -p samsvar-load -- --quick   to see whether it works
//! ```
//!
//! Rounds alternate between three ways of asking eight parties, each with 1, 16 and 64 requests
//! open, so that what else the machine does falls on all of them:
//!
//! * a bare client: eight publishes and eight replies, with the node's flags, properties, bodies;
//! * the node: `samsvar serve` in a process of its own, asked over HTTP, over the same RabbitMQ and
//!   the same responders;
//! * the node over the in-process transport with the same answers: HTTP to HTTP without AMQP.
//!
//! With `--beside` more ways: the same nodes without wiping what they free (docs/adr/0017), or without
//! that and without a ledger (docs/adr/0016), so that what it costs is measured in the same rounds:
//!
//! ```text
//! cargo run --release -p samsvar-load -- --beside unwiped,none --rounds 5
//! ```
//!
//! Node and responders are this program again in another role, so that one build measures all.
//! The bare client and the generator run in this process, never at the same time. Every reply is
//! checked to be complete; the first that is not ends the run. The node stays up while the bare
//! client is measured: counting its consumers costs RabbitMQ 32 declares a second.

mod bare;
mod children;
mod http;
mod measure;
mod process;
#[path = "../../tests/support/rabbitmq.rs"]
mod rabbitmq;
mod report;
mod responders;
mod roles;
mod stretch;
mod workload;

use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use chrono::Utc;
use clap::Parser;
use lapin::uri::AMQPUri;
use mimalloc::MiMalloc;
use samsvar_wiping::Wiping;

use self::bare::Bare;
use self::children::{Care, Node, Role, Running};
use self::measure::{Failed, Slice, Span, slice};
use self::process::Watched;
use self::report::{Row, Way};
use self::roles::RoleCommand;
use self::workload::Workload;

/// That of the `samsvar` command: the nodes are measured as they are in service. Client, generator and
/// responders do not wipe; what they were measured with otherwise is theirs as well.
#[global_allocator]
static ALLOCATOR: Wiping<MiMalloc> = Wiping::around(MiMalloc);

/// Requests open at once.
const OPEN: [usize; 3] = [1, 16, 64];
/// Part of a slice that passes before it is measured: one in so many.
const WARM_UP_PART: u32 = 5;
/// Threads of the bare client: one for its workers and one for the rest, which is its fastest.
const BARE_THREADS: usize = 2;

/// Measures the node beside a bare AMQP client.
#[derive(Debug, Parser)]
#[command(name = "samsvar-load", max_term_width = 100)]
struct Args {
    #[command(subcommand)]
    role: Option<RoleCommand>,
    /// RabbitMQ with the definitions of config/, for the node and the bare client. Without it a
    /// private one is started and stopped
    #[arg(
        long,
        value_name = "URL",
        env = "SAMSVAR_LOAD_AMQP",
        hide_env_values = true
    )]
    amqp: Option<String>,
    /// The same RabbitMQ for the responders, if they need another user
    #[arg(
        long,
        value_name = "URL",
        env = "SAMSVAR_LOAD_AMQP_RESPONDERS",
        hide_env_values = true,
        requires = "amqp"
    )]
    amqp_responders: Option<String>,
    /// Only the in-process figure: no RabbitMQ is needed
    #[arg(long, conflicts_with = "amqp")]
    in_process: bool,
    /// Rounds; an uneven number has a median
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Time that each slice is measured, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1_500)]
    slice: u64,
    /// Requests open at once
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = OPEN)]
    open: Vec<usize>,
    /// Measure nodes with less care beside those in service
    #[arg(long, value_name = "CARE", value_delimiter = ',', value_enum)]
    beside: Vec<Care>,
    /// Short slices: to see whether it works
    #[arg(long, conflicts_with_all = ["rounds", "slice"])]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    fn span(&self) -> Span {
        let measured = Duration::from_millis(if self.quick { 300 } else { self.slice });
        Span {
            warm_up: measured / WARM_UP_PART,
            measured,
        }
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]
fn main() -> ExitCode {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut args = Args::parse();
    if !args.role.as_ref().is_some_and(RoleCommand::is_node) {
        samsvar_wiping::switch_off();
    }
    let done = match args.role.take() {
        Some(role) => roles::play(role),
        None => measure(&args).map(|rows| {
            if args.json {
                println!("{:#}", report::json(&rows));
            } else {
                println!("{}", report::text(&rows));
            }
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("samsvar-load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A RabbitMQ and who answers there.
struct Broker {
    url: String,
    responders: Running,
    /// Where it can be watched, if it runs on this machine.
    process: Option<Watched>,
    /// Ends with this.
    _own: Option<rabbitmq::RabbitMq>,
}

impl Broker {
    fn start(args: &Args) -> Result<Option<Self>, Failed> {
        if args.in_process {
            return Ok(None);
        }
        let (url, url_of_responders, own) = match &args.amqp {
            Some(url) => {
                let responders = args.amqp_responders.as_ref().unwrap_or(url);
                (url.clone(), responders.clone(), None)
            }
            None => match rabbitmq::RabbitMq::start() {
                Some(own) => (own.url("samsvar"), own.url("simulator"), Some(own)),
                None => return Ok(None),
            },
        };
        Ok(Some(Self {
            responders: Running::responders(&url_of_responders)?,
            process: address(&url).and_then(Watched::listening_on),
            url,
            _own: own,
        }))
    }
}

fn address(url: &str) -> Option<SocketAddr> {
    let uri: AMQPUri = url.parse().ok()?;
    let authority = uri.authority;
    let mut addresses = (authority.host.as_str(), authority.port)
        .to_socket_addrs()
        .ok()?;
    addresses.find(|address| address.ip().is_loopback())
}

/// Everything that is up while it is measured.
struct Bench {
    workload: Workload,
    span: Span,
    /// Runs the bare client.
    amqp: tokio::runtime::Runtime,
    /// Runs the generator: one thread, so that it costs little.
    http: tokio::runtime::Runtime,
    broker: Option<(Broker, Bare, Nodes)>,
    in_process: Nodes,
}

/// A node as it is in service, and those with less care.
struct Nodes {
    in_service: Node,
    others: Vec<(Care, Node)>,
}

impl Nodes {
    async fn start(
        role: Role,
        url: Option<&str>,
        workload: &Workload,
        args: &Args,
    ) -> Result<Self, Failed> {
        let in_service = Node::start(role, url, workload, Care::Full).await?;
        let mut others = Vec::new();
        for care in &args.beside {
            others.push((*care, Node::start(role, url, workload, *care).await?));
        }
        Ok(Self { in_service, others })
    }

    fn with(&self, care: Care) -> Option<&Node> {
        if care == Care::Full {
            return Some(&self.in_service);
        }
        let other = self.others.iter().find(|(its, _)| *its == care);
        other.map(|(_, node)| node)
    }
}

impl Bench {
    fn start(args: &Args) -> Result<Self, Failed> {
        let workload = Workload::make(Utc::now())?;
        let amqp = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(BARE_THREADS)
            .enable_all()
            .build()?;
        let http = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let in_process = Nodes::start(Role::InProcessNode, None, &workload, args);
        let in_process = http.block_on(in_process)?;
        let broker = match Broker::start(args)? {
            None => None,
            Some(broker) => {
                let bare = amqp.block_on(Bare::connect(&broker.url, &workload))?;
                let nodes = Nodes::start(Role::Node, Some(&broker.url), &workload, args);
                let nodes = http.block_on(nodes)?;
                Some((broker, bare, nodes))
            }
        };
        Ok(Self {
            workload,
            span: args.span(),
            amqp,
            http,
            broker,
            in_process,
        })
    }

    fn ways(&self) -> Vec<Way> {
        let all = [
            Way::Bare,
            Way::Node(Care::Full),
            Way::Node(Care::Unwiped),
            Way::Node(Care::None),
            Way::InProcess(Care::Full),
            Way::InProcess(Care::Unwiped),
            Way::InProcess(Care::None),
        ];
        let is_there = |way: &Way| match way {
            Way::Bare => self.broker.is_some(),
            Way::Node(care) => self
                .broker
                .as_ref()
                .is_some_and(|(_, _, nodes)| nodes.with(*care).is_some()),
            Way::InProcess(care) => self.in_process.with(*care).is_some(),
        };
        all.into_iter().filter(is_there).collect()
    }

    fn slice(&self, way: Way, open: usize) -> Result<Slice, Failed> {
        let own = Watched::own();
        match (way, &self.broker) {
            (Way::Bare, Some((broker, bare, _))) => {
                let workers = (0..open).map(|_| bare.worker()).collect();
                let mut watched = vec![own, broker.responders.watched()];
                watched.extend(broker.process);
                self.amqp.block_on(slice(self.span, workers, &watched))
            }
            (Way::Node(care), Some((broker, _, nodes))) => self.http.block_on(async {
                let node = nodes.with(care).ok_or("no such node")?;
                let workers = node.connections(open).await?;
                let mut watched = vec![own, broker.responders.watched()];
                watched.push(broker.process.unwrap_or(own));
                watched.push(node.watched());
                slice(self.span, workers, &watched).await
            }),
            (Way::InProcess(care), _) => self.http.block_on(async {
                let node = self.in_process.with(care).ok_or("no such node")?;
                let workers = node.connections(open).await?;
                slice(self.span, workers, &[own, node.watched()]).await
            }),
            (Way::Bare | Way::Node(_), None) => Err("without RabbitMQ".into()),
        }
    }
}

/// Runs the rounds.
#[expect(clippy::print_stderr, reason = "progress of a command line")]
fn measure(args: &Args) -> Result<Vec<Row>, Failed> {
    let bench = Bench::start(args)?;
    let (question, answer) = bench.workload.mean_bytes();
    eprintln!(
        "{} parties, {question} bytes to each and {answer} back; message {} bytes, reply {} bytes",
        bench.workload.parts.len(),
        bench.workload.message.len(),
        bench.in_process.in_service.reply_bytes(),
    );
    let mut rows: Vec<Row> = Vec::new();
    for way in bench.ways() {
        rows.extend(args.open.iter().map(|open| Row {
            way,
            open: *open,
            rounds: Vec::new(),
        }));
    }
    let rounds = if args.quick { 1 } else { args.rounds };
    for round in 1..=rounds {
        for &open in &args.open {
            for row in rows.iter_mut().filter(|row| row.open == open) {
                row.rounds.push(bench.slice(row.way, open)?);
            }
        }
        eprintln!("round {round} of {rounds}");
    }
    Ok(rows)
}
