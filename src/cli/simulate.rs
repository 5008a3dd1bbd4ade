//! `samsvar simulate`: simulated authorities as AMQP adapters.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Local, SecondsFormat, Utc};
use clap::Args;
use samsvar_actors::transport::{Bastjanst, Traffic};
use serde_json::json;
use shs_schemas::ssbtek::{Kontrakt, Versioner};
use shs_schemas::{Sensitive, Uppgiftslamnare};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::kontrakt::kontrakt;
use crate::adapter::amqp::{self, AdapterError, AdapterSettings, AdapterStatus, Party};
use crate::adapter::behaviour::{
    Behaviour, Fault, Latency, Share, SharesExceedOne, Tally, TallySnapshot,
};
use crate::adapter::sealed::{PartyKeys, Sealed};
use crate::adapter::simulated::{SEED_DEFAULT, Simulerad};
use crate::seal_keys::{self, KeyFault};

/// Time between two status lines, which are written when something has changed.
const STATUS_EVERY: Duration = Duration::from_secs(1);

/// Plays authorities behind their queues, with invented people.
// Command line flags are independent booleans.
#[allow(clippy::struct_excessive_bools)]
#[derive(Args, Clone, Debug)]
pub struct SimulateArgs {
    /// Authorities to play, by code: AF, CSN, FK, MIV, PM, SKV, SO, TNS
    #[arg(long, value_name = "KOD", value_delimiter = ',', value_parser = uppgiftslamnare,
          required_unless_present = "alla", conflicts_with = "alla")]
    kod: Vec<Uppgiftslamnare>,
    /// Play every authority
    #[arg(long)]
    alla: bool,
    /// RabbitMQ: amqp://user:password@host:port/vhost; a password is better given in the environment
    #[arg(long, value_name = "URL", env = "SAMSVAR_AMQP__URL", hide_env_values = true,
          value_parser = sensitive)]
    amqp: Sensitive<String>,
    /// Serve the queues for test messages only
    #[arg(long, conflicts_with = "production")]
    test: bool,
    /// Serve the queues for production messages only
    #[arg(long)]
    production: bool,
    /// Answer questions of this RabbitMQ user only
    #[arg(long, value_name = "USER")]
    node_user: Option<String>,
    /// Time that an answer takes: 200ms, or a range such as 50ms..2s
    #[arg(long, value_name = "TIME")]
    latency: Option<Latency>,
    /// Report a failure, always or for a share of the questions: 0.1 or 10%
    #[arg(long, value_name = "P", num_args = 0..=1, default_missing_value = "1")]
    fail: Option<Share>,
    /// Do not answer, always or for a share of the questions
    #[arg(long, value_name = "P", num_args = 0..=1, default_missing_value = "1")]
    silent: Option<Share>,
    /// Answer with what cannot be used, always or for a share of the questions
    #[arg(long, value_name = "P", num_args = 0..=1, default_missing_value = "1")]
    garbage: Option<Share>,
    /// Answer with a field that the agreement does not list (TNS and MIV), always or for a share of the
    /// questions
    #[arg(long, value_name = "P", num_args = 0..=1, default_missing_value = "1")]
    extra_field: Option<Share>,
    /// Versions of the contract to answer questions in: 10, 11; by default all. Others get FEL-KONTRAKT
    #[arg(long, value_name = "VERSION", value_delimiter = ',', value_parser = kontrakt)]
    kontrakt: Vec<Kontrakt>,
    /// Answer in sealed bodies only: file with a key of the parties; give it again for a second one
    #[arg(long, value_name = "FILE", requires = "node_key")]
    seal_key: Vec<PathBuf>,
    /// File with a key of the node, which answers are sealed to; give it again for a second one
    #[arg(long, value_name = "FILE", requires = "seal_key")]
    node_key: Vec<PathBuf>,
    /// Seed of people and faults: the same seed gives the same
    #[arg(long, value_name = "N", default_value_t = SEED_DEFAULT)]
    seed: u64,
    /// Write status as JSON lines to standard output
    #[arg(long)]
    json: bool,
}

/// Why simulated authorities cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The address.
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    /// The faults.
    #[error(transparent)]
    Shares(#[from] SharesExceedOne),
    /// A key for sealed bodies.
    #[error("{file}: {fault}")]
    Key {
        /// Its file.
        file: PathBuf,
        /// What is wrong with it.
        fault: KeyFault,
    },
    /// The operating system does not let signals be heard.
    #[error("signals cannot be waited for")]
    Signals(#[source] io::Error),
}

fn uppgiftslamnare(kod: &str) -> Result<Uppgiftslamnare, String> {
    Uppgiftslamnare::from_kod(&kod.trim().to_ascii_uppercase()).ok_or_else(|| {
        let known: Vec<_> = Uppgiftslamnare::all().map(Uppgiftslamnare::kod).collect();
        format!("no such authority; known are {}", known.join(", "))
    })
}

// The shape that clap asks for.
#[allow(clippy::unnecessary_wraps)]
fn sensitive(url: &str) -> Result<Sensitive<String>, std::convert::Infallible> {
    Ok(Sensitive::new(url.to_owned()))
}

impl SimulateArgs {
    fn parties(&self) -> Vec<Uppgiftslamnare> {
        let mut parties = if self.alla {
            Uppgiftslamnare::all().collect()
        } else {
            self.kod.clone()
        };
        parties.sort_unstable();
        parties.dedup();
        parties
    }

    fn traffic(&self) -> Vec<Traffic> {
        match (self.test, self.production) {
            (true, _) => vec![Traffic::Test],
            (_, true) => vec![Traffic::Production],
            _ => Traffic::ALL.to_vec(),
        }
    }

    fn versions(&self) -> Versioner {
        Versioner::of(self.kontrakt.iter().copied()).unwrap_or_else(Versioner::alla)
    }

    /// The keys of the parties, when bodies are sealed.
    fn keys(&self) -> Result<Option<Arc<PartyKeys>>, SimulateError> {
        fn each<T>(
            files: &[PathBuf],
            read: fn(&Path) -> Result<T, KeyFault>,
        ) -> Result<Vec<T>, SimulateError> {
            let named = |file: &PathBuf| {
                let file = file.clone();
                read(&file).map_err(|fault| SimulateError::Key { file, fault })
            };
            files.iter().map(named).collect()
        }
        if self.seal_key.is_empty() {
            return Ok(None);
        }
        let own = each(&self.seal_key, seal_keys::read_private)?;
        let node = each(&self.node_key, seal_keys::read_public)?;
        Ok(Some(Arc::new(PartyKeys { own, node })))
    }

    fn behaviour(&self) -> Result<Behaviour, SharesExceedOne> {
        let mut behaviour =
            Behaviour::good(self.seed).with_latency(self.latency.unwrap_or(Latency::NONE));
        for (fault, share) in [
            (Fault::Silent, self.silent),
            (Fault::Garbage, self.garbage),
            (Fault::Fail, self.fail),
            (Fault::ExtraField, self.extra_field),
        ] {
            if let Some(share) = share {
                behaviour = behaviour.with_fault(fault, share)?;
            }
        }
        Ok(behaviour)
    }
}

/// Plays the authorities until SIGINT or SIGTERM. Must run on a multi-thread tokio runtime.
///
/// # Errors
/// [`SimulateError`], before anything is connected.
pub async fn run(args: SimulateArgs) -> Result<ExitCode, SimulateError> {
    let behaviour = args.behaviour()?;
    let keys = args.keys()?;
    let mut parties: Vec<Party> = Vec::new();
    let mut tallies = Vec::new();
    for ul in args.parties() {
        let simulerad = Simulerad::new(ul, args.seed).with_kontrakt(args.versions());
        let simulerad: Arc<dyn Bastjanst> = Arc::new(simulerad);
        let behaving = behaviour.clone().around(ul, simulerad);
        tallies.push((ul, behaving.tally()));
        let behaving: Arc<dyn Bastjanst> = Arc::new(behaving);
        parties.push(match &keys {
            Some(keys) => (ul, Arc::new(Sealed::new(ul, Arc::clone(keys), behaving))),
            None => (ul, behaving),
        });
    }
    let status = Arc::new(AdapterStatus::default());
    let stop = stop_on_signal().map_err(SimulateError::Signals)?;
    let mut report = Report::new(tallies, Arc::clone(&status), args.json);
    report.open(&args);
    let settings = AdapterSettings {
        url: args.amqp.clone(),
        traffic: args.traffic(),
        node_user: args.node_user.clone(),
    };
    let serving = amqp::serve(settings, parties, status, stop);
    tokio::pin!(serving);
    let mut tick = interval(STATUS_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            served = &mut serving => {
                served?;
                report.close();
                return Ok(ExitCode::SUCCESS);
            }
            _ = tick.tick() => report.tick(),
        }
    }
}

/// Cancelled by SIGINT or SIGTERM.
fn stop_on_signal() -> io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}

/// Everything that a status line shows.
#[derive(Clone, PartialEq, Eq, Default)]
struct Figures {
    queues: usize,
    trouble: Option<String>,
    parties: Vec<(Uppgiftslamnare, TallySnapshot)>,
    ignored: u64,
    overloaded: u64,
    unsent: u64,
    crashed: u64,
}

impl Figures {
    fn total(&self) -> TallySnapshot {
        self.parties
            .iter()
            .fold(TallySnapshot::default(), |sum, (_, tally)| TallySnapshot {
                answered: sum.answered + tally.answered,
                failed: sum.failed + tally.failed,
                silent: sum.silent + tally.silent,
                garbage: sum.garbage + tally.garbage,
            })
    }
}

/// Writes status: for people to standard error, for programs to standard output.
struct Report {
    tallies: Vec<(Uppgiftslamnare, Arc<Tally>)>,
    status: Arc<AdapterStatus>,
    json: bool,
    shown: Option<Figures>,
}

impl Report {
    fn new(
        tallies: Vec<(Uppgiftslamnare, Arc<Tally>)>,
        status: Arc<AdapterStatus>,
        json: bool,
    ) -> Self {
        Self {
            tallies,
            status,
            json,
            shown: None,
        }
    }

    fn figures(&self) -> Figures {
        Figures {
            queues: self.status.consuming(),
            trouble: self.status.trouble(),
            parties: self
                .tallies
                .iter()
                .map(|(ul, tally)| (*ul, tally.snapshot()))
                .collect(),
            ignored: self.status.ignored(),
            overloaded: self.status.overloaded(),
            unsent: self.status.unsent(),
            crashed: self.status.crashed(),
        }
    }

    fn open(&self, args: &SimulateArgs) {
        let koder: Vec<_> = self.tallies.iter().map(|(ul, _)| ul.kod()).collect();
        if self.json {
            self.write(&json!({"seed": args.seed, "koder": koder}).to_string());
        } else {
            self.write(&format!(
                "simulating {} with seed {}",
                koder.join(", "),
                args.seed
            ));
        }
    }

    /// One line, if anything has changed since the one before.
    fn tick(&mut self) {
        let figures = self.figures();
        if self.shown.as_ref() != Some(&figures) {
            let line = if self.json {
                json_line(&figures)
            } else {
                human_line(&figures)
            };
            self.write(&line);
            self.shown = Some(figures);
        }
    }

    /// The last figures, for people by authority.
    fn close(&mut self) {
        if self.json {
            self.shown = None;
            self.tick();
        } else {
            self.write(human_table(&self.figures()).trim_end());
        }
    }

    /// A reader that has gone away stops nothing.
    fn write(&self, text: &str) {
        let _ = if self.json {
            writeln!(io::stdout(), "{text}")
        } else {
            writeln!(io::stderr(), "{text}")
        };
    }
}

fn human_line(figures: &Figures) -> String {
    let total = figures.total();
    let connected = match figures.queues {
        0 if figures.trouble.is_some() => "waiting for RabbitMQ".to_owned(),
        0 => "waiting for queues".to_owned(),
        1 => "1 queue".to_owned(),
        queues => format!("{queues} queues"),
    };
    let mut line = format!(
        "{}  {connected:<20}  answered {:>8}  failed {:>6}  silent {:>6}  garbage {:>6}",
        Local::now().format("%H:%M:%S"),
        total.answered,
        total.failed,
        total.silent,
        total.garbage,
    );
    if let Some(trouble) = &figures.trouble {
        // Writing to a String does not fail.
        let _ = write!(line, "  {trouble}");
    }
    for (name, count) in [
        ("ignored", figures.ignored),
        ("overloaded", figures.overloaded),
        ("unsent", figures.unsent),
        ("crashed", figures.crashed),
    ] {
        if count > 0 {
            let _ = write!(line, "  {name} {count}");
        }
    }
    line
}

fn human_table(figures: &Figures) -> String {
    let head = ["", "answered", "failed", "silent", "garbage"];
    let mut table = format!(
        "{:<5}{:>10}{:>10}{:>10}{:>10}\n",
        head[0], head[1], head[2], head[3], head[4]
    );
    for (ul, tally) in &figures.parties {
        let _ = writeln!(
            table,
            "{:<5}{:>10}{:>10}{:>10}{:>10}",
            ul.kod(),
            tally.answered,
            tally.failed,
            tally.silent,
            tally.garbage
        );
    }
    table
}

fn json_line(figures: &Figures) -> String {
    let parties: serde_json::Map<_, _> = figures
        .parties
        .iter()
        .map(|(ul, tally)| (ul.kod().to_owned(), json!(tally)))
        .collect();
    json!({
        "time": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "queues": figures.queues,
        "trouble": figures.trouble,
        "parties": parties,
        "ignored": figures.ignored,
        "overloaded": figures.overloaded,
        "unsent": figures.unsent,
        "crashed": figures.crashed,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: SimulateArgs,
    }

    fn parse(line: &str) -> Result<SimulateArgs, clap::Error> {
        let words = std::iter::once("simulate").chain(line.split_whitespace());
        Command::try_parse_from(words).map(|command| command.args)
    }

    #[test]
    fn codes_faults_and_traffic_are_read() {
        let args = parse("--kod csn,AF,CSN --amqp amqp://x --fail --latency 50ms..2s").unwrap();
        assert_eq!(args.parties(), [Uppgiftslamnare::AF, Uppgiftslamnare::CSN]);
        assert_eq!(args.traffic(), Traffic::ALL);
        assert_eq!(args.fail, Some(Share::ALL));
        let args = parse("--alla --amqp amqp://x --silent 10% --garbage 0.2 --test").unwrap();
        assert_eq!(args.parties().len(), Uppgiftslamnare::all().len());
        assert_eq!(args.silent, Share::new(0.1).ok());
        assert_eq!(args.traffic(), [Traffic::Test]);
        assert!(args.behaviour().is_ok());
    }

    #[test]
    fn versions_are_those_that_are_named_or_all() {
        let alla = parse("--alla --amqp amqp://x").unwrap();
        assert_eq!(alla.versions(), Versioner::alla());
        let both = parse("--alla --amqp amqp://x --kontrakt 10 --kontrakt 11").unwrap();
        assert_eq!(both.versions(), Versioner::alla());
        let ten = parse("--alla --amqp amqp://x --kontrakt 10,10").unwrap();
        assert_eq!(Some(ten.versions()), Versioner::of([Kontrakt::V10]));
        for wrong in ["9", "12", "ssbt/10", ""] {
            let line = format!("--alla --amqp amqp://x --kontrakt {wrong}");
            assert!(parse(&line).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bodies_are_sealed_with_keys_of_both_sides_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        for name in ["tns-1", "nod-1"] {
            let id = samsvar_actors::transport::sealing::KeyId::parse(name).unwrap();
            let pair = samsvar_actors::transport::sealing::KeyPair::generate(id);
            seal_keys::write(folder.path(), &pair).unwrap();
        }
        let plain = parse("--alla --amqp amqp://x").unwrap();
        assert!(plain.keys().unwrap().is_none());
        let with = |seal: &str, node: &str| {
            let (seal, node) = (path(seal), path(node));
            parse(&format!(
                "--alla --amqp amqp://x --seal-key {seal} --node-key {node}"
            ))
        };
        let keys = with("tns-1.key", "nod-1.pub")
            .unwrap()
            .keys()
            .unwrap()
            .unwrap();
        assert_eq!(keys.own[0].id().as_str(), "tns-1");
        assert_eq!(keys.node[0].id().as_str(), "nod-1");
        for (seal, node) in [("tns-1.pub", "nod-1.pub"), ("tns-1.key", "missing.pub")] {
            let fault = with(seal, node).unwrap().keys().unwrap_err().to_string();
            assert!(
                fault.starts_with(folder.path().to_str().unwrap()),
                "{fault}"
            );
        }
        for half in ["--seal-key k", "--node-key k"] {
            assert!(parse(&format!("--alla --amqp amqp://x {half}")).is_err());
        }
    }

    #[test]
    fn what_cannot_be_is_refused_and_the_address_is_not_shown() {
        for line in [
            "--amqp amqp://x",
            "--alla --kod AF --amqp amqp://x",
            "--kod XY --amqp amqp://x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        let args = parse("--alla --amqp amqp://u:hemligt@x --fail 0.6 --extra-field 60%").unwrap();
        assert_eq!(args.behaviour(), Err(SharesExceedOne));
        assert!(!format!("{args:?}").contains("hemligt"));
    }
}
