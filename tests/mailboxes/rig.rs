//! A node, a municipality that sends, and another one that fetches.

use std::fs;

use bytes::Bytes;
use chrono::Utc;
use samsvar::client::question::{self, Asker};
use serde_json::Value;
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::mime::ContentType;
use shs_schemas::shs::label::{SequenceType, Status, TransferType};
use shs_schemas::shs::{Actor, Adress, DataPart, Message, Produkt};
use tempfile::TempDir;

use crate::process::{Process, samsvar};

/// Who sends.
const SENDER: &str = "2120009994";
/// Who fetches.
pub const RECEIVER: &str = "2120009986";

const PRODUCT: &str = "5a1e0000-1111-4222-8333-444455557777";
const AGREEMENT: &str = include_str!("../../config/agreements/exempelkoping-ssbtek.xml");

/// `samsvar serve` on the in-process transport.
pub struct Node {
    process: Process,
    service: String,
    admin: String,
    http: reqwest::Client,
    _folder: TempDir,
}

/// What a node answered to a message.
pub struct Answered {
    pub status: u16,
    pub retry_after: Option<u64>,
}

impl Node {
    /// A node with these further settings.
    pub fn start(settings: &str) -> Self {
        // The HTTP client insists on one, also without TLS.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let agreements = folder.path().join("agreements");
        fs::create_dir(&agreements).unwrap();
        let agreement = AGREEMENT
            .replace("urn:X-shs:2021009994", &format!("urn:X-shs:{RECEIVER}"))
            .replace("55b7e000-0010-4000-8000-000000000010", PRODUCT);
        fs::write(agreements.join("handelser.xml"), agreement).unwrap();
        let file = folder.path().join("samsvar.toml");
        let parties = concat!(env!("CARGO_MANIFEST_DIR"), "/config/uppgiftslamnare.toml");
        let text = format!(
            "[node]\norganisationsnummer = \"2021009994\"\nnamn = \"Exempelkassan\"\n\
             node_id = \"samsvar-test\"\n[transport]\nkind = \"in-process\"\n\
             [[aktor]]\norganisationsnummer = \"{SENDER}\"\nnamn = \"Exempelköpings kommun\"\n\
             [[aktor]]\norganisationsnummer = \"{RECEIVER}\"\nnamn = \"Provstads kommun\"\n\
             [registers]\nuppgiftslamnare = \"{parties}\"\nagreements = \"agreements\"\n\
             [listener]\naddress = \"127.0.0.1:0\"\nworkers = 2\nkeep_alive_ms = 30000\n\
             [admin]\naddress = \"127.0.0.1:0\"\n[ledger]\nfolder = \"ledger\"\n{settings}\n"
        );
        fs::write(&file, text).unwrap();
        let mut command = samsvar();
        command.args(["serve", "--config"]).arg(&file);
        command.env("RUST_LOG", "warn,samsvar=info");
        let process = Process::start(&mut command);
        let (service, admin) = process.err.find(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let address = |name: &str| Some(format!("http://{}", line[name].as_str()?));
            (line["message"] == "node started").then_some(())?;
            Some((address("service")?, address("admin")?))
        });
        Self {
            process,
            service,
            admin,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            _folder: folder,
        }
    }

    /// Sends a message as the municipality's own system.
    pub async fn send(&self, message: &Bytes) -> Answered {
        let url = format!("{}/shs/rs", self.service);
        let answer = self.http.post(url).body(message.clone()).send();
        let answer = answer.await.unwrap();
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after.map(|value| value.to_str().unwrap().parse().unwrap());
        let status = answer.status().as_u16();
        answer.bytes().await.unwrap();
        Answered {
            status,
            retry_after,
        }
    }

    /// The `tx.id`s of messages that are ready to be fetched.
    pub async fn list(&self) -> Vec<String> {
        let url = format!("{}/shs/ds/urn:X-shs:{RECEIVER}?maxhits=200", self.service);
        let list = self.http.get(url).send().await.unwrap();
        assert_eq!(list.status(), 200);
        let list = list.text().await.unwrap();
        let found = list.split("tx.id=\"").skip(1);
        found
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect()
    }

    /// Fetches a message; gives its bytes.
    pub async fn fetch(&self, tx_id: &str) -> Bytes {
        let url = self.url_of(tx_id);
        let fetched = self.http.get(url).send().await.unwrap();
        assert_eq!(fetched.status(), 200);
        fetched.bytes().await.unwrap()
    }

    /// Acknowledges a message.
    pub async fn acknowledge(&self, tx_id: &str) {
        let url = format!("{}?action=ack", self.url_of(tx_id));
        let done = self.http.post(url).send().await.unwrap();
        assert_eq!(done.status(), 200);
        done.bytes().await.unwrap();
    }

    fn url_of(&self, tx_id: &str) -> String {
        format!("{}/shs/ds/urn:X-shs:{RECEIVER}/{tx_id}", self.service)
    }

    /// Value of a metric.
    pub async fn metric(&self, name: &str) -> u64 {
        let url = format!("{}/metrics", self.admin);
        let text = self.http.get(url).send().await.unwrap();
        let text = text.text().await.unwrap();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap().parse().unwrap()
    }

    /// Resident memory of the process, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
        kib.trim().parse().unwrap()
    }
}

/// An event of about so many bytes on the wire, and its `tx.id`.
pub fn event(bytes: usize) -> (String, Bytes) {
    let person = vec!["199503142383".to_owned()];
    let mut label = question::message(&Asker::default(), &person, Utc::now())
        .unwrap()
        .label;
    label.tx_id = TxId::fresh();
    label.corr_id = CorrId::fresh();
    label.content.id = ContentId::fresh();
    label.agreement = None;
    label.status = Status::Production;
    label.transfer_type = TransferType::Asynch;
    label.sequence_type = SequenceType::Event;
    let actor = |number| Some(Actor::new(Adress::parse(number).unwrap(), None));
    (label.from, label.to) = (actor(SENDER), actor(RECEIVER));
    label.product = Produkt::parse(PRODUCT).unwrap().into();
    // Base64 makes four bytes of three.
    let data = label.tx_id.as_str().repeat(1 + bytes * 3 / 4 / 36);
    let tx_id = label.tx_id.as_str().to_owned();
    let part = DataPart::new("underlag", "underlag.txt", ContentType::TEXT, data.into());
    let message = Message {
        label,
        parts: vec![part],
    };
    (tx_id, message.write())
}
