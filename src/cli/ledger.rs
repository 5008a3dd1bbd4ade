//! `samsvar ledger`: looks whether a ledger is whole, shows what it says, and takes it elsewhere.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use samsvar_actors::ledger::Custody;
use samsvar_actors::ledger::checkpoint::Signer;
use samsvar_actors::ledger::event::Command as Act;

use self::access::{NoteArgs, Visit};
use crate::settings::Settings;

mod access;
mod export;
mod filters;
mod namnd;
mod rows;
mod show;
mod verify;

/// Arguments of `samsvar ledger`.
#[derive(Clone, Debug, clap::Args)]
pub struct LedgerArgs {
    #[command(subcommand)]
    command: Command,
}

/// What to do with a ledger.
#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Looks whether every line is what was written; names the first that is not
    Verify(verify::VerifyArgs),
    /// Shows lines
    Show(Box<show::ShowArgs>),
    /// Writes lines into a file
    Export(Box<export::ExportArgs>),
    /// The public key that checkpoints are signed with
    Key(KeyArgs),
}

/// Arguments of `samsvar ledger key`.
#[derive(Clone, Debug, clap::Args)]
struct KeyArgs {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    note: NoteArgs,
}

/// Which ledger.
#[derive(Clone, Debug, clap::Args)]
struct Source {
    /// Configuration of the node that keeps it
    #[arg(
        long,
        value_name = "FILE",
        default_value = "config/samsvar.toml",
        env = "SAMSVAR_CONFIG"
    )]
    config: PathBuf,
    /// Folder of the ledger, or of a copy; the configuration is not read then
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Where a ledger is, and what is kept beside it.
struct Found {
    folder: PathBuf,
    custody: Custody,
}

impl Source {
    fn find(&self) -> Result<Found, Box<dyn std::error::Error>> {
        if let Some(folder) = &self.folder {
            // `ledger/` and `.` have their files beside the folder that they mean.
            let folder = match folder.file_name() {
                Some(name) if name != OsStr::new(".") => folder.clone(),
                _ => folder.canonicalize()?,
            };
            return Ok(Found {
                custody: Custody::beside(&folder),
                folder,
            });
        }
        let ledger = Settings::load_ledger(&self.config)?;
        let Some(folder) = ledger.folder.clone() else {
            return Err("the configuration has no [ledger] folder".into());
        };
        Ok(Found {
            custody: ledger.custody(&folder),
            folder,
        })
    }
}

/// Runs a command.
///
/// # Errors
/// When the ledger, a key or a file cannot be read or written.
pub fn run(args: &LedgerArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    match &args.command {
        Command::Verify(args) => verify::run(args),
        Command::Show(args) => show::run(args),
        Command::Export(args) => export::run(args),
        Command::Key(args) => key(args),
    }
}

fn key(args: &KeyArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    use std::io::Write as _;
    let found = args.source.find()?;
    let visit = Visit {
        folder: &found.folder,
        args: args.note,
        command: Act::Key,
        filters: Vec::new(),
    };
    let file = &found.custody.signing_key;
    let signer = Signer::load(file);
    let signer = signer.map_err(|error| visit.refused(format!("{}: {error}", file.display())))?;
    visit.shows()?;
    writeln!(std::io::stdout(), "{}", signer.public_key())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests;
