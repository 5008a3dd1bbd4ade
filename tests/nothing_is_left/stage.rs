//! The stage: RabbitMQ, a node and the authorities, each a process of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::memory;
use crate::needles::Needles;
use crate::pki::Pki;
use crate::places::{self, Found};
use crate::process::{SOON, command, samsvar};
use crate::rabbitmq::RabbitMq;
use crate::templates;
use crate::wire::Wire;

/// Which authorities answer from one process.
pub(crate) const TOGETHER: [&[&str]; 2] = [&["AF", "CSN", "FK", "MIV"], &["PM", "SKV", "TNS"]];
/// The one that answers alone: it is killed.
pub(crate) const ALONE: &str = "SO";
/// What the admin listener answers.
const PAGES: [&str; 7] = [
    "/",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/api/v1/tree",
    "/api/v1/transfers",
    "/no/such/page",
];

/// What the municipalities have agreed on beside SSBTEK: files, in both directions, to be confirmed.
const FILES_AGREED: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<shs.agreement version="1.2" uuid="9e2d4b60-7a31-4c8e-b5f0-1a2b3c4d5e6f" transfer-type="any">
  <shs>
    <principal>urn:X-shs:2120009986</principal>
    <product>urn:X-shs:5a1e0000-1111-4222-8333-444455557777</product>
    <customer>urn:X-shs:2120009994</customer>
    <direction flow="any"/>
    <confirm required="yes"/>
  </shs>
  <general>
    <description>Filer</description>
    <valid><valid-from date="2020-01-01"/></valid>
    <schedule><intervaltime/></schedule>
    <QoS><open><when/></open></QoS>
  </general>
</shs.agreement>
"#;

/// What has to have happened, as metrics tell it.
const HAPPENED: [&str; 19] = [
    "samsvar_requests_ended_total{outcome=\"answered\"}",
    "samsvar_requests_ended_total{outcome=\"partial\"}",
    "samsvar_requests_ended_total{outcome=\"refused\"}",
    "samsvar_requests_ended_total{outcome=\"failed\"}",
    "samsvar_requests_ended_total{outcome=\"caller_gone\"}",
    "samsvar_requests_ended_total{outcome=\"accepted\"}",
    "samsvar_answers_dropped_total{bastjanst=\"CSN\",class=\"late\"}",
    "samsvar_answers_dropped_total{bastjanst=\"FK\",class=\"repeated\"}",
    "samsvar_answers_dropped_total{bastjanst=\"SKV\",class=\"unknown\"}",
    "samsvar_avvikelser_total{bastjanst=\"MIV\",class=\"ogiltigt_svar\"}",
    "samsvar_avvikelser_total{bastjanst=\"CSN\",class=\"ogiltigt_svar\"}",
    "samsvar_avvikelser_total{bastjanst=\"TNS\",class=\"otillatet_falt\"}",
    "samsvar_transfers_ended_total{end=\"answered\"}",
    "samsvar_transfers_ended_total{end=\"error\"}",
    "samsvar_transfers_ended_total{end=\"outbox\"}",
    "samsvar_transfers_ended_total{end=\"pushed\"}",
    "samsvar_outbox_acknowledged_total",
    "samsvar_outbox_expired_total",
    "samsvar_transport_rinsed_total",
];

/// What a node is started with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Mutual TLS at the service listener.
    pub(crate) tls: bool,
    /// `SAMSVAR_PROOF_WITHOUT`.
    pub(crate) without: Option<&'static str>,
    /// `SAMSVAR_PROOF_FALLS`.
    pub(crate) falls: Option<&'static str>,
}

/// A process that dies with this one, and writes into files.
pub(crate) struct Running(Child);

impl Running {
    fn start(command: &mut Command, folder: &Path, name: &str) -> Self {
        let file = |kind| File::create(folder.join(format!("{name}.{kind}"))).unwrap();
        let command = command
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"));
        Self(command.spawn().expect("setpriv is part of Debian"))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All of it.
pub(crate) struct Stage {
    pub(crate) node: Running,
    pub(crate) port: u16,
    pub(crate) admin: u16,
    pub(crate) pki: Pki,
    pub(crate) tls: bool,
    authorities: Vec<Running>,
    alone: Option<Running>,
    /// The node's own.
    folder: TempDir,
    /// The authorities'.
    others: TempDir,
    broker: RabbitMq,
}

impl Stage {
    /// Everything, ready. `None` when there is no RabbitMQ, which has been said. `next_node`: where
    /// answers to who has a node are pushed.
    pub(crate) async fn set(wanted: Wanted, next_node: &str) -> Option<Self> {
        let broker = RabbitMq::start()?;
        let (folder, others, pki) = (TempDir::new().unwrap(), TempDir::new().unwrap(), Pki::new());
        fs::write(
            others.path().join("templates.json"),
            templates::file().await,
        )
        .unwrap();
        let file = configuration(folder.path(), &pki, wanted, next_node);
        fs::create_dir(folder.path().join("tmp")).unwrap();
        let mut serve = samsvar();
        serve.args(["serve", "--config"]).arg(&file);
        serve.env("SAMSVAR_AMQP__URL", broker.url("samsvar"));
        serve
            .env("TMPDIR", folder.path().join("tmp"))
            .env("RUST_LOG", "trace");
        serve.current_dir(folder.path());
        if let Some(without) = wanted.without {
            serve.env("SAMSVAR_PROOF_WITHOUT", without);
        }
        if let Some(falls) = wanted.falls {
            serve.env("SAMSVAR_PROOF_FALLS", falls);
        }
        let node = Running::start(&mut serve, folder.path(), "node");
        let started = |line: &str| {
            let line: Value = serde_json::from_str(line).ok()?;
            let port = |name: &str| line[name].as_str()?.rsplit_once(':')?.1.parse::<u16>().ok();
            (line["message"] == "node started").then_some(())?;
            Some((port("service")?, port("admin")?))
        };
        let (port, admin) = said(&folder.path().join("node.err"), started);
        let mut stage = Self {
            node,
            port,
            admin,
            pki,
            tls: wanted.tls,
            authorities: Vec::new(),
            alone: None,
            folder,
            others,
            broker,
        };
        stage.authorities = TOGETHER
            .iter()
            .map(|codes| stage.authority(codes))
            .collect();
        stage.alone = Some(stage.authority(&[ALONE]));
        stage.until_reachable().await;
        Some(stage)
    }

    /// Waits until the node knows of every authority that it is there.
    pub(crate) async fn until_reachable(&self) {
        let begun = Instant::now();
        loop {
            let page = String::from_utf8(self.page("/api/v1/tree").await).unwrap();
            let impaired = ["no consumer", "line opening", "no broker"];
            if page.contains("dispatcher")
                && !impaired.iter().any(|impaired| page.contains(impaired))
            {
                return;
            }
            assert!(begun.elapsed() < SOON, "{page}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    fn authority(&self, codes: &[&str]) -> Running {
        let mut command = command("/usr/bin/python3");
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nothing_is_left");
        command
            .arg(here.join("adapter.py"))
            .arg(self.others.path().join("templates.json"))
            .args(codes);
        command.env("SAMSVAR_AMQP__URL", self.broker.url("simulator"));
        let running = Running::start(&mut command, self.others.path(), codes[0]);
        let consuming = |line: &str| line.starts_with("consuming").then_some(());
        said(
            &self.others.path().join(format!("{}.out", codes[0])),
            consuming,
        );
        running
    }

    /// Kills the authority that answers alone, with whatever it has been asked.
    pub(crate) fn kill_authority(&mut self) {
        self.alone = None;
    }

    /// Starts it again.
    pub(crate) fn start_authority(&mut self) {
        self.alone = Some(self.authority(&[ALONE]));
    }

    /// What the authorities complain of.
    pub(crate) fn complaints(&self) -> String {
        let files = fs::read_dir(self.others.path()).unwrap().flatten();
        let complaints =
            files.filter(|file| file.path().extension().is_some_and(|kind| kind == "err"));
        complaints
            .map(|file| fs::read_to_string(file.path()).unwrap())
            .collect()
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.path().join("node.err")).unwrap())
            .into_owned()
    }

    /// The node's own folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A connection to the service listener, as one of the municipalities.
    pub(crate) async fn connect(&self, name: &str) -> Wire {
        if self.tls {
            self.pki.wire(name, self.port).await
        } else {
            Wire::to(([127, 0, 0, 1], self.port).into()).await
        }
    }

    /// A page of the admin listener.
    pub(crate) async fn page(&self, path: &str) -> Vec<u8> {
        let mut wire = Wire::to(([127, 0, 0, 1], self.admin).into()).await;
        let head = format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
        wire.send(head).await;
        let response = wire.receive().await.expect("the node answers");
        [response.head.as_bytes(), &response.body].concat()
    }

    /// A metric, all its labels together.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let page = String::from_utf8(self.page("/metrics").await).unwrap();
        let samples = page.lines().filter_map(|line| line.rsplit_once(' '));
        let of_name = samples.filter(|(sample, _)| {
            let rest = sample.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        });
        let values: Vec<f64> = of_name.map(|(_, value)| value.parse().unwrap()).collect();
        assert!(!values.is_empty(), "no metric {name}: {page}");
        values.iter().sum()
    }

    /// Fails unless every kind of end and of fault was among what the node had: a proof over questions
    /// that were all answered would prove less.
    pub(crate) async fn assert_that_all_of_it_happened(&self, falls: &str) {
        for metric in HAPPENED {
            assert!(self.metric(metric).await > 0.0, "{metric}");
        }
        let log = self.log();
        let falls: usize = falls
            .split([':', ','])
            .filter_map(|word| word.parse::<usize>().ok())
            .sum();
        let panics = log.matches("\"message\":\"panic\"").count();
        assert!(panics >= falls, "{panics} of {falls} actors fell");
    }

    /// Looks everywhere.
    pub(crate) async fn search(&self) -> Vec<Found> {
        let (needles, begun) = (Needles::new(), Instant::now());
        let (mut found, looked) = memory::search(self.node.id(), &needles);
        let memory = begun.elapsed();
        let (in_folder, files) = places::search_folder(self.folder.path(), &needles);
        let (in_broker, broker_files) = places::search_folder(self.broker.directory(), &needles);
        assert!(
            files > 5 && broker_files > 5,
            "there are files to look through: {files}, {broker_files}"
        );
        found.extend(places::search_open(self.node.id(), &needles));
        found.extend(in_folder);
        found.extend(in_broker);
        for path in PAGES {
            let page = self.page(path).await;
            found.extend(places::search_bytes(
                &format!("admin page {path}"),
                &page,
                &needles,
            ));
        }
        eprintln!(
            "looked through {} MiB in {} mappings in {memory:.1?}, {files} + {broker_files} files, {} pages, all in {:.1?}: {} hits",
            looked.bytes >> 20,
            looked.mappings,
            PAGES.len(),
            begun.elapsed(),
            found.len()
        );
        found
    }
}

fn configuration(folder: &Path, pki: &Pki, wanted: Wanted, next_node: &str) -> PathBuf {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let register = fs::read_to_string(config.join("uppgiftslamnare.toml")).unwrap();
    // One that holds back what it should not have got.
    let register = register.replace("[TNS]\n", "[TNS]\nwithhold = true\n");
    fs::write(folder.join("uppgiftslamnare.toml"), register).unwrap();
    let agreements = folder.join("agreements");
    fs::create_dir(&agreements).unwrap();
    for file in fs::read_dir(config.join("agreements")).unwrap().flatten() {
        fs::copy(file.path(), agreements.join(file.file_name())).unwrap();
    }
    fs::write(agreements.join("files.xml"), FILES_AGREED).unwrap();
    let tls = if wanted.tls {
        let file = |name: &str| pki.file(name).display().to_string();
        format!(
            "[listener.tls]\ncertificate = \"{}\"\nkey = \"{}\"\nclient_ca = \"{}\"\n",
            file("node.pem"),
            file("node.key"),
            file("ca.pem")
        )
    } else {
        String::new()
    };
    let text = format!(
        r#"
[node]
organisationsnummer = "2021009994"
namn = "Exempelkassan"
node_id = "samsvar-test"
[[aktor]]
organisationsnummer = "2120009994"
namn = "Exempelköpings kommun"
[[aktor]]
organisationsnummer = "2120009986"
namn = "Provstads kommun"
delivery = "push"
address = "{next_node}"
[registers]
uppgiftslamnare = "uppgiftslamnare.toml"
agreements = "agreements"
[listener]
address = "127.0.0.1:0"
workers = 2
body_bytes_max = 262144
linger_max_ms = 2000
{tls}
[admin]
address = "127.0.0.1:0"
[deadline]
promise_s = 2
limit_s = 3
per_person_ms = 500
margin_ms = 1000
[dispatcher]
answer_bytes_max = 1048576
circuit_impatient_after = 1000
circuit_timeouts_in_a_row = 1000
[supervision]
restarts = 20
backoff_longest_ms = 200
[outbox]
age_max_s = 10
[ledger]
folder = "ledger"
retention_days = 30
person_pseudonyms = true
[process]
dumpable = true
[log]
format = "json"
"#,
    );
    let file = folder.join("samsvar.toml");
    fs::write(&file, text).unwrap();
    file
}

/// The first thing that `find` finds in a line of a file that is being written, waited for.
fn said<T>(file: &Path, find: impl Fn(&str) -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Ok(file) = File::open(file) {
            let lines = BufReader::new(file).lines().map_while(Result::ok);
            for line in lines {
                if let Some(found) = find(&line) {
                    return found;
                }
            }
        }
        assert!(
            begun.elapsed() < SOON,
            "{}: {}",
            file.display(),
            fs::read_to_string(file.with_extension("err")).unwrap_or_default()
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
