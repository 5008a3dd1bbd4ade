//! What a test plays on: a place in RabbitMQ, nodes, and authorities.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use samsvar::adapter::amqp::{self, AdapterSettings, AdapterStatus};
use samsvar::adapter::behaviour::Behaviour;
use samsvar::adapter::simulated::Simulerad;
use samsvar_actors::transport::Traffic;
use serde_json::{Value, json};
use shs_schemas::{Sensitive, Uppgiftslamnare};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::process::{Process, command, samsvar};
use crate::rabbitmq::RabbitMq;

/// Virtual hosts, one for each test.
const VHOSTS: usize = 32;

/// Seed of simulated people and faults.
pub(crate) const SEED: u64 = 1;

/// Where in which RabbitMQ a test plays.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    port: u16,
    vhost: String,
}

impl Place {
    /// A virtual host that no other test uses. `None` when these tests are to be skipped, which has
    /// been said.
    pub(crate) fn take() -> Option<Self> {
        static TAKEN: AtomicUsize = AtomicUsize::new(0);
        let broker = shared()?;
        let n = TAKEN.fetch_add(1, Ordering::Relaxed);
        assert!(n < VHOSTS, "more tests than virtual hosts: raise VHOSTS");
        Some(Self {
            port: broker.port(),
            vhost: vhost(n),
        })
    }

    /// A RabbitMQ that a test has to itself.
    pub(crate) fn in_own(broker: &RabbitMq) -> Self {
        Self {
            port: broker.port(),
            vhost: "%2f".to_owned(),
        }
    }

    /// Where nothing listens.
    pub(crate) fn nowhere() -> Self {
        Self {
            port: 1,
            vhost: "%2f".to_owned(),
        }
    }

    /// For one of the users of the definitions, whose password is the name.
    pub(crate) fn url(&self, user: &str) -> String {
        let Self { port, vhost } = self;
        format!("amqp://{user}:{user}@127.0.0.1:{port}/{vhost}")
    }
}

/// Makes RabbitMQ copy everything that goes through this virtual host.
pub(crate) fn trace(place: &Place) {
    let broker = shared().expect("the place is on it");
    broker.control(&["trace_on", "-p", &place.vhost]);
}

fn vhost(n: usize) -> String {
    format!("v{n}")
}

fn shared() -> Option<&'static RabbitMq> {
    static SHARED: OnceLock<Option<&RabbitMq>> = OnceLock::new();
    *SHARED.get_or_init(|| {
        let broker = RabbitMq::shared()?;
        let file = broker.directory().join("vhosts.json");
        fs::write(&file, definitions().to_string()).expect("the directory is the node's own");
        broker.control(&["import_definitions", &file.to_string_lossy()]);
        Some(broker)
    })
}

/// The definitions of `config/` for each virtual host. Not the queues and bindings: there are many,
/// and the nodes declare them alike.
fn definitions() -> Value {
    let original = fs::read(repository().join("config/rabbitmq-definitions.json")).unwrap();
    let mut definitions: Value = serde_json::from_slice(&original).unwrap();
    for kind in ["permissions", "policies", "exchanges"] {
        let originals = definitions[kind].as_array().unwrap().clone();
        let copies = (0..VHOSTS).flat_map(|n| {
            originals.iter().map(move |original| {
                let mut copy = original.clone();
                copy["vhost"] = json!(vhost(n));
                copy
            })
        });
        definitions[kind] = copies.collect();
    }
    for kind in ["queues", "bindings"] {
        definitions[kind] = json!([]);
    }
    definitions["vhosts"] = (0..VHOSTS).map(|n| json!({ "name": vhost(n) })).collect();
    definitions
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A node as a process.
pub(crate) struct Node {
    pub(crate) process: Process,
    /// Its receive service.
    pub(crate) service: String,
    /// Its admin listener.
    pub(crate) admin: String,
    _folder: TempDir,
}

impl Node {
    /// `samsvar serve` with the configuration of the repository, on ports of the kernel's choice.
    /// `settings` are names and values of environment variables, without `SAMSVAR_`.
    pub(crate) fn start(place: &Place, settings: &[(&str, &str)]) -> Self {
        Self::start_at(&place.url("samsvar"), settings)
    }

    /// The same with this address of RabbitMQ. Idle connections are kept for longer than usual: on a
    /// machine so busy that a process waits for seconds, the node closes a connection on which a
    /// question is already under way, as HTTP lets it, and the caller sees an error.
    pub(crate) fn start_at(url: &str, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = repository().join("config");
        let file = folder.path().join("samsvar.toml");
        let text = format!(
            "[node]\norganisationsnummer = \"2021009994\"\nnamn = \"Exempelkassan\"\n\
             node_id = \"samsvar-test\"\nstatus = [\"production\", \"test\"]\n[[aktor]]\norganisationsnummer = \"2120009994\"\n\
             namn = \"Exempelköpings kommun\"\n[registers]\nuppgiftslamnare = \"{}\"\n\
             agreements = \"{}\"\n[listener]\naddress = \"127.0.0.1:0\"\nworkers = 2\n\
             keep_alive_ms = 30000\n[admin]\naddress = \"127.0.0.1:0\"\n",
            config.join("uppgiftslamnare.toml").display(),
            config.join("agreements").display(),
        );
        fs::write(&file, text).unwrap();
        let mut command = samsvar();
        command.args(["serve", "--config"]).arg(&file);
        command.env("SAMSVAR_AMQP__URL", url);
        for (name, value) in settings {
            command.env(format!("SAMSVAR_{name}"), value);
        }
        let process = Process::start(&mut command);
        let (service, admin) = process.err.find(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let address = |name: &str| Some(line[name].as_str()?.to_owned());
            (line["message"] == "node started").then_some(())?;
            Some((address("service")?, address("admin")?))
        });
        Self {
            process,
            service: format!("http://{service}/shs/rs"),
            admin: format!("http://{admin}"),
            _folder: folder,
        }
    }
}

/// `samsvar simulate`.
fn simulate(place: &Place, user: &str, arguments: &[&str]) -> Command {
    let mut command = samsvar();
    command.arg("simulate").args(arguments).arg("--json");
    command.env("SAMSVAR_AMQP__URL", place.url(user));
    command
}

/// Simulated authorities as a process of their own, when they consume so many queues.
pub(crate) fn authorities(place: &Place, user: &str, arguments: &[&str], queues: u64) -> Process {
    let process = Process::start(&mut simulate(place, user, arguments));
    process.out.find(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["queues"] == queues).then_some(())
    });
    process
}

/// Every authority.
pub(crate) fn all_authorities(place: &Place) -> Process {
    authorities(place, "simulator", &["--alla"], 16)
}

/// Every authority but this one.
pub(crate) fn all_but(place: &Place, ul: Uppgiftslamnare) -> Process {
    let others = Uppgiftslamnare::all().filter(|other| *other != ul);
    let codes: Vec<_> = others.map(Uppgiftslamnare::kod).collect();
    authorities(place, "simulator", &["--kod", &codes.join(",")], 14)
}

/// `examples/adapter.py`, which answers for Transportstyrelsen. Its queues must be there.
pub(crate) fn adapter_in_python(place: &Place) -> Process {
    let mut command = command("/usr/bin/python3");
    command.arg(repository().join("examples/adapter.py"));
    command.env("SAMSVAR_AMQP__URL", place.url("ul-tns"));
    Process::start(&mut command)
}

/// An adapter of this process, for faults that `samsvar simulate` cannot be asked for. It stops
/// when it is dropped.
pub(crate) struct Adapter {
    stop: CancellationToken,
    served: Option<tokio::task::JoinHandle<()>>,
    runtime: Arc<Runtime>,
}

impl Adapter {
    /// Answers for one party, with its own user, and is consuming.
    pub(crate) fn start(
        runtime: &Arc<Runtime>,
        place: &Place,
        ul: Uppgiftslamnare,
        behaviour: Behaviour,
    ) -> Self {
        let settings = AdapterSettings {
            url: Sensitive::new(place.url(&format!("ul-{}", ul.kod().to_lowercase()))),
            traffic: Traffic::ALL.to_vec(),
            node_user: Some("samsvar".to_owned()),
        };
        let behaving = behaviour.around(ul, Arc::new(Simulerad::new(ul, SEED)));
        let (status, stop) = (Arc::new(AdapterStatus::default()), CancellationToken::new());
        let (watched, told) = (Arc::clone(&status), stop.clone());
        let served = runtime.spawn(async move {
            amqp::serve(settings, vec![(ul, Arc::new(behaving))], watched, told)
                .await
                .expect("the address is well-formed");
        });
        let begun = std::time::Instant::now();
        while status.consuming() < Traffic::ALL.len() {
            assert!(
                begun.elapsed() < crate::process::SOON,
                "{:?}",
                status.trouble()
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Self {
            stop,
            served: Some(served),
            runtime: Arc::clone(runtime),
        }
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(served) = self.served.take() {
            let _ = self.runtime.block_on(served);
        }
    }
}

/// The samples of a node's metrics.
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    pub(crate) fn read(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = samples.filter_map(|line| line.rsplit_once(' '));
        let read = pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        Self(read.collect())
    }

    /// A sample that must be there.
    pub(crate) fn get(&self, name: &str) -> f64 {
        *self
            .0
            .get(name)
            .unwrap_or_else(|| panic!("no metric {name}: {:?}", self.0.keys()))
    }

    /// Answers of a party that nobody waited for.
    pub(crate) fn dropped(&self, ul: Uppgiftslamnare, class: &str) -> f64 {
        let kod = ul.kod();
        self.get(&format!(
            "samsvar_answers_dropped_total{{bastjanst=\"{kod}\",class=\"{class}\"}}"
        ))
    }
}
