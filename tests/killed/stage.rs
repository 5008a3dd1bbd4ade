//! The node under test as a process, over a RabbitMQ with simulated authorities that outlive it, and over
//! one ledger for all its lives.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::letters::{EXEMPELKOPING, FAR_AWAY, NEIGHBOUR, OWN, PROVSTAD, TREDJEBY, agreements};
use crate::process::{Process, run, samsvar};
use crate::rabbitmq::RabbitMq;

/// Drain time of a node that is told to stop, in seconds: not enough for another node that is slow.
pub const DRAIN_S: u64 = 1;

/// Queues that all simulated authorities consume: eight, for test and for production.
const QUEUES: u64 = 16;

/// What everything plays on.
pub struct Stage {
    broker: RabbitMq,
    folder: TempDir,
    _authorities: Process,
}

/// What `samsvar ledger verify` says.
#[derive(Clone, Debug)]
pub struct Verified {
    pub last_seq: u64,
    pub mended: u64,
    pub half_written: bool,
    pub took: Duration,
}

impl Stage {
    /// With the nodes of the two other actors at these URLs. `None` when there is no RabbitMQ and the test
    /// is to be skipped, which has been said.
    pub fn set(neighbour: &str, far_away: &str) -> Option<Self> {
        let broker = RabbitMq::start()?;
        let mut folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        // Whoever looks for what went wrong needs the ledger.
        folder.disable_cleanup(true);
        let agreed = folder.path().join("agreements");
        fs::create_dir(&agreed).unwrap();
        for avtal in agreements() {
            let file = agreed.join(format!("{}.xml", avtal.number));
            fs::write(file, avtal.document()).unwrap();
        }
        fs::write(config(&folder), settings(neighbour, far_away)).unwrap();
        let mut simulate = samsvar();
        simulate.args(["simulate", "--alla", "--json", "--latency", "5ms..60ms"]);
        simulate.env("SAMSVAR_AMQP__URL", broker.url("simulator"));
        let authorities = Process::start(&mut simulate);
        authorities.out.find(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["queues"] == QUEUES).then_some(())
        });
        Some(Self {
            broker,
            folder,
            _authorities: authorities,
        })
    }

    /// A new life of the node. It is not started yet.
    pub fn launch(&self) -> Process {
        let mut serve = samsvar();
        serve.args(["serve", "--config"]).arg(config(&self.folder));
        serve.env("SAMSVAR_AMQP__URL", self.broker.url("samsvar"));
        serve.env("SAMSVAR_LOG", "warn,samsvar::app=info");
        Process::start(&mut serve)
    }

    /// Waits until it is started; gives the URL of its receive service.
    pub fn started(node: &Process) -> String {
        let address = node.err.find(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let is_started = line["message"] == "node started";
            is_started.then(|| line["service"].as_str().unwrap().to_owned())
        });
        format!("http://{address}/shs/rs")
    }

    pub fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// Leaves a piece of a line at the end of the ledger, as a write that was cut short does.
    pub fn tear(&self, of_a_line: impl FnOnce(usize) -> usize) {
        let Some(day) = days(&self.ledger()).pop() else {
            return;
        };
        let text = fs::read_to_string(&day).unwrap();
        let Some(line) = text.strip_suffix('\n').and_then(|text| text.lines().last()) else {
            return;
        };
        let piece = &line.as_bytes()[..of_a_line(line.len())];
        let mut file = fs::OpenOptions::new().append(true).open(&day).unwrap();
        file.write_all(piece).unwrap();
    }

    /// Has the ledger verified, with the checkpoints that lie beside it. `None` when there is no ledger
    /// yet.
    pub fn verify(&self) -> Option<Verified> {
        days(&self.ledger()).first()?;
        let begun = std::time::Instant::now();
        let mut verify = samsvar();
        verify.args(["ledger", "verify", "--json", "--folder"]);
        verify.arg(self.ledger());
        let output = run(&mut verify);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "the ledger in {} is not whole: {said}{}",
            self.ledger().display(),
            String::from_utf8_lossy(&output.stderr)
        );
        let said: Value = serde_json::from_str(&said).unwrap();
        Some(Verified {
            last_seq: said["last_seq"].as_u64().unwrap(),
            mended: said["mended"].as_u64().unwrap(),
            half_written: said["half_written"].as_bool().unwrap(),
            took: begun.elapsed(),
        })
    }

    /// All went well: nobody needs the ledger.
    pub fn clear(self) {
        self.folder.close().unwrap();
    }
}

/// The files of a ledger, oldest first.
pub fn days(ledger: &Path) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(ledger) else {
        return Vec::new();
    };
    let files = files.map(|file| file.unwrap().path());
    let is_day = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy();
        name.starts_with("ledger-")
    };
    let mut days: Vec<_> = files.filter(is_day).collect();
    days.sort();
    days
}

fn config(folder: &TempDir) -> PathBuf {
    folder.path().join("samsvar.toml")
}

fn settings(neighbour: &str, far_away: &str) -> String {
    let register = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/uppgiftslamnare.toml");
    let mut toml = format!(
        "[node]\norganisationsnummer = \"{OWN}\"\nnamn = \"Exempelkassan\"\nnode_id = \"samsvar-test\"\n\
         status = [\"production\", \"test\"]\n\
         [registers]\nuppgiftslamnare = \"{}\"\nagreements = \"agreements\"\n\
         [ledger]\nfolder = \"ledger\"\n\
         [listener]\naddress = \"127.0.0.1:0\"\nworkers = 2\n\
         [admin]\naddress = \"127.0.0.1:0\"\n\
         [drain]\ndrain_s = {DRAIN_S}\n\
         [relay]\nretry_first_ms = 50\nretry_longest_s = 1\n\
         [outbox]\nhide_after_fetch_s = 1\n",
        register.display()
    );
    for (number, namn) in [
        (EXEMPELKOPING, "Exempelköpings kommun"),
        (PROVSTAD, "Provstads kommun"),
        (TREDJEBY, "Tredjeby kommun"),
    ] {
        write!(
            toml,
            "[[aktor]]\norganisationsnummer = \"{number}\"\nnamn = \"{namn}\"\n"
        )
        .unwrap();
    }
    for (number, namn, url) in [
        (NEIGHBOUR, "Grannbolaget", neighbour),
        (FAR_AWAY, "Fjärranbolaget", far_away),
    ] {
        write!(
            toml,
            "[[aktor]]\norganisationsnummer = \"{number}\"\nnamn = \"{namn}\"\n\
             delivery = \"push\"\naddress = \"{url}\"\n"
        )
        .unwrap();
    }
    toml
}
