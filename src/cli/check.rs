//! `samsvar check`.

use std::io::{self, Write};
use std::process::ExitCode;

use chrono::{NaiveDate, Utc};
use shs_schemas::WireError;
use shs_schemas::ids::AgreementId;
use shs_schemas::shs::label::{SequenceType, TransferType};
use shs_schemas::shs::{Adress, Produkt, time};

use super::{ConfigFile, FOUND_FAULTS};
use crate::check::{self, Asked, explain};
use crate::settings::Settings;

/// Arguments of `samsvar check`.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// JSON for programs
    #[arg(long)]
    json: bool,
    /// Ask nobody: neither the SHS directory nor RabbitMQ
    #[arg(long, conflicts_with = "explain")]
    offline: bool,
    /// Say whether a message would be permitted, by which agreement, or why not
    #[arg(long, requires_all = ["from", "product"])]
    explain: bool,
    #[command(flatten)]
    message: MessageArgs,
}

/// The message that is tried out.
#[derive(Clone, Debug, clap::Args)]
pub struct MessageArgs {
    /// Who sends: organisation number
    #[arg(long, value_name = "N", requires = "explain", value_parser = wire(Adress::parse))]
    from: Option<Adress>,
    /// Who is to get it; without, whom the agreements tell
    #[arg(long, value_name = "N", requires = "explain", value_parser = wire(Adress::parse))]
    to: Option<Adress>,
    /// Product: a UUID
    #[arg(long, value_name = "P", requires = "explain", value_parser = wire(Produkt::parse))]
    product: Option<Produkt>,
    /// Question and answer in one exchange, or not
    #[arg(long, value_name = "TYPE", requires = "explain", default_value = "asynch",
          value_parser = ["synch", "asynch"])]
    transfer_type: String,
    /// What kind of message; request by default
    #[arg(long, value_name = "TYPE", requires = "explain", default_value = "request",
          value_parser = ["request", "reply", "event"])]
    sequence_type: String,
    /// Agreement that the label names
    #[arg(long, value_name = "UUID", requires = "explain", value_parser = wire(AgreementId::parse))]
    agreement: Option<AgreementId>,
    /// Day on which it is sent; today by default
    #[arg(long, value_name = "YYYY-MM-DD", requires = "explain")]
    date: Option<NaiveDate>,
    /// Ask the SHS directory too, as a node would
    #[arg(long, requires = "explain")]
    directory: bool,
}

/// A reader of the wire format for the command line.
fn wire<T>(read: fn(&str) -> Result<T, WireError>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| read(text).map_err(|fault| fault.to_string())
}

impl MessageArgs {
    /// The message, when its sender and product are given.
    fn trial(&self) -> Option<explain::Trial> {
        Some(explain::Trial {
            sender: self.from.as_ref()?.organisation().clone(),
            receiver: self.to.as_ref().map(|to| to.organisation().clone()),
            produkt: self.product?,
            transfer_type: TransferType::parse(&self.transfer_type)?,
            sequence_type: SequenceType::parse(&self.sequence_type)?,
            agreement: self.agreement.clone(),
            today: self
                .date
                .unwrap_or_else(|| time::swedish(Utc::now()).date()),
            ask_directory: self.directory,
        })
    }
}

/// Checks and says what it found: exit code 0 when a node can be started so, else 1. With `--explain`:
/// 0 when the message is permitted.
///
/// # Errors
/// When standard output is closed, or a node could not be made from the settings.
pub fn run(args: &CheckArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut out = io::stdout().lock();
    let content = if let Some(trial) = args.message.trial().filter(|_| args.explain) {
        explain_to(args, &trial, &mut out)?
    } else {
        let asked = if args.offline {
            Asked::Nobody
        } else {
            Asked::Everybody
        };
        let report = check::check(&args.file.config, asked);
        report.write(args.json, &mut out)?;
        report.ok
    };
    out.flush()?;
    Ok(if content {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_FAULTS)
    })
}

/// Says what would become of the message; true when it is permitted.
fn explain_to(
    args: &CheckArgs,
    trial: &explain::Trial,
    out: &mut dyn Write,
) -> Result<bool, Box<dyn std::error::Error>> {
    let settings = match Settings::load(&args.file.config) {
        Ok(settings) => settings,
        Err(faults) => {
            check::Report::of_faults(&faults).write(args.json, out)?;
            return Ok(false);
        }
    };
    if trial.ask_directory && settings.ldap.url.is_none() {
        return Err("--directory: the configuration names no directory ([ldap] url)".into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let explained = explain::explain(&settings, trial, runtime.handle().clone());
    let explained = runtime.block_on(explained)?;
    // A connection to the directory is not waited for.
    runtime.shutdown_background();
    explained.write(args.json, out)?;
    Ok(explained.permitted)
}
