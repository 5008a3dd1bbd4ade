//! What this program does as one of the other processes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Utc;
use rustix::process::{Signal, set_parent_process_death_signal};
use samsvar::app::{App, Outside};
use samsvar::cli::serve;
use samsvar::cli::stop::Orders;
use samsvar::hardening::harden;
use samsvar::settings::Settings;
use samsvar::telemetry;
use samsvar_actors::failpoint::Failpoints;

use crate::children::READY;
use crate::measure::Failed;
use crate::responders;
use crate::workload::Workload;

/// The settings of the nodes: those that the repository shows; addresses come from the environment.
const SETTINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/samsvar.toml");

/// Started by the program itself.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum RoleCommand {
    /// The node
    #[command(hide = true)]
    Node(Kept),
    /// The node with answers from within
    #[command(hide = true)]
    InProcessNode(Kept),
    /// The eight parties behind their queues
    #[command(hide = true)]
    Responders,
}

impl RoleCommand {
    /// Whether this is what is measured.
    pub(crate) const fn is_node(&self) -> bool {
        matches!(self, Self::Node(_) | Self::InProcessNode(_))
    }
}

/// What a node keeps.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Kept {
    /// Folder of its ledger; it keeps none without
    #[arg(long)]
    ledger: Option<PathBuf>,
}

impl Kept {
    fn settings(self) -> Result<Settings, Failed> {
        let mut settings = Settings::load(Path::new(SETTINGS))?;
        settings.ledger.folder = self.ledger;
        Ok(settings)
    }
}

/// Plays a role until it is told to stop, or until the program that started it is gone.
///
/// # Errors
/// When it cannot begin.
pub(crate) fn play(role: RoleCommand) -> Result<(), Failed> {
    set_parent_process_death_signal(Some(Signal::TERM))?;
    match role {
        RoleCommand::Node(kept) => node(kept.settings()?),
        RoleCommand::InProcessNode(kept) => in_process_node(&kept.settings()?),
        RoleCommand::Responders => answer(),
    }
}

/// `samsvar serve`.
fn node(settings: Settings) -> Result<(), Failed> {
    serve::run_with(settings).map_err(|error| error.to_string())?;
    Ok(())
}

/// `samsvar serve` with the prepared answers instead of the simulated authorities.
fn in_process_node(settings: &Settings) -> Result<(), Failed> {
    telemetry::start(settings.log.format)?;
    // What is measured without the wipe is said there; nothing else of a proof is.
    let _ = harden(settings)?;
    let transport = Arc::new(responders::in_process(Workload::make(Utc::now())?));
    actix_rt::System::new().block_on(async {
        let mut orders = Orders::listen()?;
        let outside = Outside {
            transport,
            connections: tokio::runtime::Handle::current(),
        };
        let app = App::start(settings, outside, Failpoints::default())?;
        orders.stop().await;
        app.stop().await;
        Ok(())
    })
}

#[expect(clippy::print_stdout, reason = "tells the program that waits for it")]
fn answer() -> Result<(), Failed> {
    let url = std::env::var("SAMSVAR_AMQP__URL")?;
    let ready = || {
        println!("{READY}");
        let _ = std::io::stdout().flush();
    };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?
        .block_on(responders::serve(&url, Workload::make(Utc::now())?, ready))
}
