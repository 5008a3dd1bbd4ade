//! The subcommands of `samsvar`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub mod ask;
pub mod check;
pub mod demo;
pub mod dev_certs;
pub mod fetch;
mod file_types;
mod kontrakt;
pub mod ledger;
mod saved;
pub mod seal_keys;
pub mod send;
pub mod serve;
mod shown;
pub mod simulate;
pub mod stop;
pub mod table;
pub mod tls;
pub mod tree;

/// The node in the middle of SSBTEK: one SHS question in, every authority asked at once, one compiled
/// answer out.
#[derive(Debug, Parser)]
#[command(name = "samsvar", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A node with simulated authorities in one process; asks it a question and shows the answer
    Demo(demo::DemoArgs),
    /// The node
    Serve(serve::ServeArgs),
    /// Says what is wrong with a configuration, each fault with file and line
    Check(Box<check::CheckArgs>),
    /// Simulated authorities behind their queues in RabbitMQ
    Simulate(simulate::SimulateArgs),
    /// Asks a node a question and shows the compiled answer
    Ask(Box<ask::AskArgs>),
    /// Sends an SHS message made from files
    Send(Box<send::SendArgs>),
    /// Fetches messages from the delivery service of a node
    Fetch(fetch::FetchArgs),
    /// The supervision tree of a running node
    Tree(tree::TreeArgs),
    /// The ledger of a node: who reads it is noted in it
    Ledger(ledger::LedgerArgs),
    /// Certificates for development: a CA, a node's, clients' and a revocation list
    DevCerts(dev_certs::DevCertsArgs),
    /// A key pair for sealed bodies: a node's or a party's
    SealKeys(seal_keys::SealKeysArgs),
}

/// The configuration file.
#[derive(Clone, Debug, clap::Args)]
pub struct ConfigFile {
    /// Configuration
    #[arg(
        long,
        value_name = "FILE",
        default_value = "config/samsvar.toml",
        env = "SAMSVAR_CONFIG"
    )]
    pub config: PathBuf,
}

/// Exit code of a command that did what it was asked and did not like what it found.
pub const FOUND_FAULTS: u8 = 1;

/// Runs a command.
///
/// # Errors
/// What went wrong, to be shown as it is.
pub fn run(cli: Cli) -> Result<ExitCode, Box<dyn std::error::Error>> {
    match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Simulate(args) => {
            let runtime = tokio::runtime::Runtime::new()?;
            Ok(runtime.block_on(simulate::run(args))?)
        }
        Command::Ask(args) => client_runtime()?.block_on(ask::run(&args)),
        Command::Ledger(args) => ledger::run(&args),
        Command::DevCerts(args) => dev_certs::run(&args).map(|()| ExitCode::SUCCESS),
        Command::SealKeys(args) => seal_keys::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Send(args) => client_runtime()?.block_on(send::run(&args)),
        Command::Fetch(args) => client_runtime()?.block_on(fetch::run(&args)),
        Command::Tree(args) => client_runtime()?.block_on(tree::run(&args)),
    }
}

fn client_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
