//! `samsvar check`.

use std::io::{self, Write};
use std::process::ExitCode;

use super::{ConfigFile, FOUND_FAULTS};
use crate::check;

/// Arguments of `samsvar check`.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// JSON for programs
    #[arg(long)]
    json: bool,
}

/// Checks and says what it found: exit code 0 when a node can be started so, else 1.
///
/// # Errors
/// When standard output is closed.
pub fn run(args: &CheckArgs) -> io::Result<ExitCode> {
    let report = check::check(&args.file.config);
    let mut out = io::stdout().lock();
    report.write(args.json, &mut out)?;
    out.flush()?;
    Ok(if report.ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_FAULTS)
    })
}
