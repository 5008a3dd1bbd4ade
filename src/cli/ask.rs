//! `samsvar ask`: asks a node as a verksamhetssystem would, and shows the compiled answer.

mod later;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use chrono::Utc;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::shs::Message;
use shs_schemas::shs::label::{Status, TransferType};
use tokio::time::Instant;

use super::FOUND_FAULTS;
use super::table::table;
use super::tls::TlsArgs;
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
    #[arg(long, value_name = "N", required = true)]
    person: Vec<String>,
    /// Receive service of the node
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
    /// The reply message as it came
    #[arg(long)]
    raw: bool,
}

impl AskArgs {
    fn message(&self) -> Result<Message, shs_schemas::WireError> {
        let asker = Asker {
            from: self.from.clone(),
            namn: self.namn.clone(),
            to: self.receiver.clone(),
            status: if self.test {
                Status::Test
            } else {
                Status::Production
            },
            ..Asker::default()
        };
        let mut message = question::message(&asker, &self.person, Utc::now())?;
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
            serde_json::to_writer_pretty(&mut out, &Shown::of(answered, took))?;
            writeln!(out)?;
        } else {
            write_answer(&mut out, answered, &self.person, took, |_| None)?;
        }
        out.flush()?;
        Ok(if all_gave_data(answered) {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(FOUND_FAULTS)
        })
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

/// True when every authority that was asked about any person gave data.
fn all_gave_data(answered: &Answered) -> bool {
    !answered.persons.is_empty()
        && answered.persons.iter().all(|person| match person {
            PersonAnswer::Fault { .. } => false,
            PersonAnswer::Response(_) => person
                .per_party()
                .iter()
                .all(|(_, said)| matches!(said, Said::Data(_) | Said::NotAsked)),
        })
}

/// True when each authority gave data about each person: nobody failed, nobody is missing.
pub(super) fn every_authority_answered(answered: &Answered) -> bool {
    let complete = |person: &PersonAnswer| {
        let said = person.per_party();
        !said.is_empty() && said.iter().all(|(_, said)| matches!(said, Said::Data(_)))
    };
    !answered.persons.is_empty() && answered.persons.iter().all(complete)
}

/// Writes the answer for people; `time_of` gives the time of one authority when it is known.
pub(super) fn write_answer(
    out: &mut dyn Write,
    answered: &Answered,
    asked: &[String],
    took: Duration,
    time_of: impl Fn(Uppgiftslamnare) -> Option<Duration>,
) -> io::Result<()> {
    writeln!(
        out,
        "Reply {} in {:.0} ms, {} bytes",
        answered.message.label.tx_id,
        took.as_secs_f64() * 1_000.0,
        answered.raw.len()
    )?;
    for (place, person) in answered.persons.iter().enumerate() {
        let number = asked.get(place).map_or("", String::as_str);
        writeln!(
            out,
            "\nPerson {} of {}: {number}\n",
            place + 1,
            answered.persons.len()
        )?;
        match person {
            PersonAnswer::Fault {
                felkod,
                felmeddelanden,
            } => {
                let text = felmeddelanden.expose().join("; ");
                writeln!(out, "nobody was asked: {felkod}: {text}")?;
            }
            PersonAnswer::Response(_) => writeln!(out, "{}", party_table(person, &time_of))?,
        }
    }
    Ok(())
}

fn party_table(
    person: &PersonAnswer,
    time_of: &impl Fn(Uppgiftslamnare) -> Option<Duration>,
) -> String {
    let rows = person.per_party().into_iter().map(|(ul, said)| {
        let time = time_of(ul).map_or(String::new(), |took| {
            format!("{:.1} ms", took.as_secs_f64() * 1_000.0)
        });
        let (answer, bytes) = in_words(&said);
        vec![
            ul.kod().to_owned(),
            ul.namn().to_owned(),
            answer,
            bytes,
            time,
        ]
    });
    table(&["", "AUTHORITY", "ANSWER", "BYTES", "TIME"], &[3, 4], rows)
}

fn in_words(said: &Said) -> (String, String) {
    match said {
        Said::Data(bytes) => ("data".to_owned(), bytes.to_string()),
        Said::Error(kalla, felkod) => (format!("error {kalla} {felkod}"), String::new()),
        Said::Unavailable(state) => (format!("unavailable ({state})"), String::new()),
        Said::NotAsked => ("not asked".to_owned(), String::new()),
    }
}

/// The answer for programs: who said what, without its content.
#[derive(Serialize)]
struct Shown {
    tx_id: String,
    corr_id: String,
    elapsed_ms: u128,
    persons: Vec<ShownPerson>,
}

#[derive(Serialize)]
struct ShownPerson {
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    parties: Vec<ShownParty>,
}

#[derive(Serialize)]
struct ShownParty {
    kod: &'static str,
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kalla: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    felkod: Option<String>,
}

impl Shown {
    fn of(answered: &Answered, took: Duration) -> Self {
        Self {
            tx_id: answered.message.label.tx_id.to_string(),
            corr_id: answered.message.label.corr_id.to_string(),
            elapsed_ms: took.as_millis(),
            persons: answered.persons.iter().map(ShownPerson::of).collect(),
        }
    }
}

impl ShownPerson {
    fn of(person: &PersonAnswer) -> Self {
        let fault = match person {
            PersonAnswer::Fault { felkod, .. } => Some(felkod.clone()),
            PersonAnswer::Response(_) => None,
        };
        let parties = person.per_party().into_iter().map(ShownParty::of).collect();
        Self { fault, parties }
    }
}

impl ShownParty {
    fn of((ul, said): (Uppgiftslamnare, Said)) -> Self {
        let (answer, bytes, kalla, felkod) = match said {
            Said::Data(bytes) => ("data", Some(bytes), None, None),
            Said::Error(kalla, felkod) => ("error", None, Some(kalla), Some(felkod)),
            Said::Unavailable(state) => ("unavailable", None, None, Some(state)),
            Said::NotAsked => ("not asked", None, None, None),
        };
        Self {
            kod: ul.kod(),
            answer,
            bytes,
            kalla,
            felkod,
        }
    }
}
