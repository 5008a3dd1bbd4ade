//! `samsvar ask`: asks a node as a verksamhetssystem would, and shows the compiled answer.

mod connection;
mod later;
mod shown;
mod soap;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use chrono::Utc;
use indicatif::{ProgressBar, ProgressStyle};
use shs_schemas::shs::Message;
use shs_schemas::shs::label::{Status, TransferType};
use shs_schemas::ssbtek::Kontrakt;
use tokio::time::Instant;

pub(super) use shown::write_answer;

use super::tls::TlsArgs;
use super::{FOUND_FAULTS, kontrakt};
use crate::client::Answered;
use crate::client::answer::{PersonAnswer, Said};
use crate::client::question::{self, Asker};

/// Longest wait for an asynchronous reply that can be asked for, in seconds.
const WAIT_S_MAX: u64 = 24 * 3600;

/// Arguments of `samsvar ask`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a command line are independent"
)]
#[derive(Clone, Debug, clap::Args)]
pub struct AskArgs {
    /// Identity number to ask about: 12 digits; give it again for each further person
    #[arg(long, value_name = "N", required_unless_present = "ping")]
    person: Vec<String>,
    /// Receive service of the node; with --soap its address, which /ssbt/10 or /ssbt/11 is put after
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8585/shs/rs"
    )]
    to: String,
    #[command(flatten)]
    tls: TlsArgs,
    /// Ask with an SHS message (the default)
    #[arg(long)]
    shs: bool,
    /// Ask by SOAP: one call for each person, side by side
    // What only concerns SHS is listed one by one: a flag that conflicts fulfils no `requires`.
    #[arg(long, conflicts_with_all = ["shs", "asynch", "test", "ds", "wait_s"])]
    soap: bool,
    /// With --soap: name nobody, and test the connection to every authority
    #[arg(long, requires = "soap", conflicts_with_all = ["person", "shs", "asynch", "test"])]
    ping: bool,
    /// Version of the contract to ask in: 10 or 11; by default the newest
    #[arg(long, value_name = "VERSION", value_parser = kontrakt::kontrakt)]
    kontrakt: Option<Kontrakt>,
    /// Ask asynchronously: send, then fetch the reply from the delivery service and acknowledge it
    #[arg(long = "async")]
    asynch: bool,
    /// Delivery service to fetch the reply from; by default --to with /shs/ds in the place of /shs/rs
    #[arg(long, value_name = "URL", requires = "asynch")]
    ds: Option<String>,
    /// Longest wait for an asynchronous reply, in seconds
    #[arg(long, value_name = "S", default_value_t = 60, requires = "asynch",
          value_parser = clap::value_parser!(u64).range(1..=WAIT_S_MAX))]
    wait_s: u64,
    /// Organisation number of the asking municipality
    #[arg(long, value_name = "ORGNR", default_value = "2120009994")]
    from: String,
    /// Its name
    #[arg(long, value_name = "NAMN", default_value = "Exempelköpings kommun")]
    namn: String,
    /// Organisation number of the node's actor
    #[arg(long, value_name = "ORGNR", default_value = "2021009994")]
    receiver: String,
    /// Send a test message
    #[arg(long)]
    test: bool,
    /// Write the message to standard output instead of sending it
    #[arg(long)]
    print: bool,
    /// JSON for programs
    #[arg(long, conflicts_with = "raw")]
    json: bool,
    /// The reply as it came; with --soap one envelope for each person
    #[arg(long)]
    raw: bool,
}

impl AskArgs {
    fn kontrakt(&self) -> Kontrakt {
        self.kontrakt.unwrap_or_else(kontrakt::newest)
    }

    fn asker(&self) -> Asker {
        Asker {
            from: self.from.clone(),
            namn: self.namn.clone(),
            to: self.receiver.clone(),
            status: if self.test {
                Status::Test
            } else {
                Status::Production
            },
            kontrakt: self.kontrakt(),
            ..Asker::default()
        }
    }

    fn message(&self) -> Result<Message, shs_schemas::WireError> {
        let mut message = question::message(&self.asker(), &self.person, Utc::now())?;
        if self.asynch {
            message.label.transfer_type = TransferType::Asynch;
        }
        Ok(message)
    }
}

/// Asks and shows: exit code 0 when every authority that was asked gave data, else 1.
///
/// # Errors
/// When there is no answer: the node is away, or refuses the message.
pub async fn run(args: &AskArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    if args.soap {
        return soap::ask(args).await;
    }
    let message = args.message()?;
    if args.print {
        io::stdout().write_all(&message.write())?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.asynch {
        return later::ask(args, &message).await;
    }
    let client = args.tls.client(&args.to)?;
    let started = Instant::now();
    let waiting = waiting();
    let answered = client.ask(&args.to, message.write()).await;
    waiting.finish_and_clear();
    args.show(&answered?, started.elapsed())
}

impl AskArgs {
    /// Shows an answer; says by its exit code whether every authority that was asked gave data.
    fn show(
        &self,
        answered: &Answered,
        took: Duration,
    ) -> Result<ExitCode, Box<dyn std::error::Error>> {
        let mut out = io::stdout().lock();
        if self.raw {
            out.write_all(&answered.raw)?;
        } else if self.json {
            serde_json::to_writer_pretty(&mut out, &shown::Shown::of(answered, took))?;
            writeln!(out)?;
        } else {
            write_answer(&mut out, answered, &self.person, took, |_| None)?;
        }
        out.flush()?;
        let all = !answered.persons.is_empty() && answered.persons.iter().all(all_gave_data);
        Ok(exit_code(all))
    }
}

/// A spinner on a terminal, nothing elsewhere.
pub(super) fn waiting() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} asking every authority … {elapsed}");
    let bar = ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn exit_code(all_is_well: bool) -> ExitCode {
    if all_is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_FAULTS)
    }
}

/// True when every authority that was asked about a person gave data.
fn all_gave_data(person: &PersonAnswer) -> bool {
    let gave = |said: &Said| matches!(said, Said::Data(_) | Said::NotAsked);
    match person {
        PersonAnswer::Fault { .. } => false,
        PersonAnswer::Response(_) => person.per_party().iter().all(|(_, said)| gave(said)),
    }
}

/// True when each authority gave data about each person: nobody failed, nobody is missing.
pub(super) fn every_authority_answered(answered: &Answered) -> bool {
    let complete = |person: &PersonAnswer| {
        let said = person.per_party();
        !said.is_empty() && said.iter().all(|(_, said)| matches!(said, Said::Data(_)))
    };
    !answered.persons.is_empty() && answered.persons.iter().all(complete)
}
