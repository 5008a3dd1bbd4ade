//! `samsvar demo`: a node on the in-process transport with every authority simulated. It sends
//! itself a real SHS question over HTTP and shows the compiled answer and the time of each authority.

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use samsvar_actors::failpoint::Failpoints;
use samsvar_actors::node::Node;
use shs_schemas::Uppgiftslamnare;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::stop::Orders;
use super::{FOUND_FAULTS, ask, serve};
use crate::adapter::behaviour::{Behaviour, Latency};
use crate::app::{App, Outside};
use crate::client::Client;
use crate::client::question::{self, Asker};
use crate::hardening::harden;
use crate::settings::Settings;
use crate::telemetry;

/// Arguments of `samsvar demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoArgs {
    /// Ask one question and exit: 0 only when every authority answered
    #[arg(long)]
    once: bool,
    /// Identity number to ask about
    #[arg(long, value_name = "N", default_value = "199503142383")]
    person: String,
    /// The people that the authorities know are made from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Time that an authority takes: 200ms, or a range such as 50ms..2s
    #[arg(long, value_name = "TIME", default_value = "20ms..180ms")]
    latency: Latency,
}

/// Runs the demo.
///
/// # Errors
/// When an address is taken, or the node does not answer.
pub fn run(args: &DemoArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut settings = Settings::demo();
    if args.once {
        // Nobody else needs to find it, and an address that is taken does not matter.
        settings.listener.address.set_port(0);
        settings.admin.address.set_port(0);
    }
    telemetry::start_quiet(settings.log.format)?;
    // It has no connection to rinse, and nobody makes its actors fall.
    let _ = harden(&settings)?;
    let ledger = DemoLedger::new()?;
    settings.ledger.folder = Some(ledger.0.join("ledger"));
    actix_rt::System::new().block_on(demo(args, &settings))
}

/// Where the demo keeps its ledger and the ledger's keys: a folder of its own, gone with the demo.
struct DemoLedger(PathBuf);

impl DemoLedger {
    fn new() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("samsvar-demo-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for DemoLedger {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn demo(
    args: &DemoArgs,
    settings: &Settings,
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut orders = Orders::listen()?;
    let behaviour = Behaviour::good(args.seed).with_latency(args.latency);
    let outside = Outside {
        transport: Arc::new(serve::simulated_transport(args.seed, &behaviour)),
        connections: Handle::current(),
    };
    let app = App::start(settings, outside, Failpoints::default())?;
    let url = format!("http://{}/shs/rs", app.service_address());
    let complete = tokio::select! {
        complete = ask_and_show(args, &url, app.node()) => complete?,
        () = orders.stop() => return Ok(ExitCode::from(FOUND_FAULTS)),
    };
    if !args.once {
        show_where(&app, args, &url)?;
        orders.stop().await;
    }
    app.stop().await;
    Ok(if complete || !args.once {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_FAULTS)
    })
}

/// Asks the node over HTTP, as anybody would; the times come from its own counters.
async fn ask_and_show(
    args: &DemoArgs,
    url: &str,
    node: &Node,
) -> Result<bool, Box<dyn std::error::Error>> {
    let persons = [args.person.clone()];
    let message = question::message(&Asker::default(), &persons, Utc::now())?.write();
    let started = Instant::now();
    let waiting = ask::waiting();
    let answered = Client::new()?.ask(url, message).await;
    waiting.finish_and_clear();
    let (answered, took) = (answered?, started.elapsed());
    let mut out = io::stdout().lock();
    ask::write_answer(&mut out, &answered, &persons, took, |ul| time_of(node, ul))?;
    Ok(ask::every_authority_answered(&answered))
}

/// Time of the one answer that an authority has given.
fn time_of(node: &Node, ul: Uppgiftslamnare) -> Option<Duration> {
    let (counts, sum_s) = node.tally().party(ul).latency.read();
    (counts.iter().sum::<u64>() == 1).then(|| Duration::from_secs_f64(sum_s))
}

fn show_where(app: &App, args: &DemoArgs, url: &str) -> io::Result<()> {
    let admin = app.admin_address();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\nThe node stays up until Ctrl-C. In a second shell:\n"
    )?;
    writeln!(
        out,
        "  samsvar ask --shs --person {} --to {url}",
        args.person
    )?;
    writeln!(out, "  samsvar tree --watch")?;
    let (service, asker) = (url.trim_end_matches("/rs"), Asker::default().from);
    writeln!(
        out,
        "\nThe same asynchronously: the answer is fetched from {service}/ds and acknowledged. The\n\
         second pair leaves it in the mailbox and fetches it by hand:\n"
    )?;
    writeln!(
        out,
        "  samsvar ask --async --person {} --to {url}",
        args.person
    )?;
    writeln!(
        out,
        "  samsvar send --message examples/question-asynch.mime --to {url}"
    )?;
    writeln!(
        out,
        "  samsvar fetch --outbox {asker} --out answers --from {service}/ds"
    )?;
    writeln!(
        out,
        "\nAdmin: http://{admin}/api/v1/tree, /metrics, /health/ready"
    )
}
