//! Two nodes that know each other, each with an actor of its own and one that it hosts:
//!
//! ```text
//!  kommun (system) ──► A  Driftbolaget      ◄──push──►  B  Exempelkassan ◄── provstad (system)
//!                      mailbox: KOMMUN                  SSBTEK, ping; mailbox: PROVSTAD
//! ```
//!
//! The settings are files as an operator writes them. THIRD is an actor whose node is whatever a test
//! puts there.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use bytes::Bytes;
use samsvar::client::delivery::Outbox;
use samsvar::client::sending::HttpAnswer;
use samsvar::settings::Settings;
use samsvar_actors::outbox::ListQuery;
use samsvar_actors::transfers::TransferState;
use shs_schemas::ids::TxId;
use shs_schemas::shs::Message;
use tempfile::TempDir;

use crate::avtal::Avtal;
use crate::certificates::Certificates;
use crate::letter::{adress, produkt, read};
use crate::sandbox::{Sandbox, eventually};

/// The municipality with its mailbox at A.
pub const KOMMUN: &str = "2120009994";
/// The actor of A.
pub const A_OWN: &str = "5560000001";
/// The actor of B, which has the services.
pub const B_OWN: &str = "2021009994";
/// The actor with its mailbox at B.
pub const PROVSTAD: &str = "2120009986";
/// An actor whose node is neither.
pub const THIRD: &str = "2120009978";

pub const SSBTEK: &str = "55b7e000-0010-4000-8000-000000000010";
pub const PING: &str = "00000000-0000-0000-0000-000000000000";
/// Deliveries of this product are confirmed.
pub const KVITTERAD: &str = "5a1e0000-1111-4222-8333-444455557777";
/// Deliveries of this one are not.
pub const TYST: &str = "5a1e0000-1111-4222-8333-444455558888";
/// One that no agreement names.
pub const OAVTALAD: &str = "5a1e0000-1111-4222-8333-444455559999";

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    A,
    B,
}

/// What a node is started with.
#[derive(Clone, Debug, Default)]
pub struct NodePlan {
    pub avtal: Vec<Avtal>,
    /// Behind the settings that every node has.
    pub more: String,
    /// In `[relay]`.
    pub relay: String,
    /// In `[listener]`.
    pub listener: String,
    /// In `[outbox]`.
    pub outbox: String,
    /// File of issuers that other nodes are trusted by, when not those of the rig.
    pub next_node_ca: Option<PathBuf>,
    /// Whether it knows the other node's actors.
    pub stranger: bool,
}

/// What a rig is started with.
#[derive(Clone, Debug)]
pub struct Plan {
    pub a: NodePlan,
    pub b: NodePlan,
    /// Where THIRD takes messages.
    pub third: String,
}

impl Plan {
    /// Both nodes hold the same agreements.
    pub fn usual() -> Self {
        let avtal = vec![
            Avtal::between(1, B_OWN, KOMMUN, SSBTEK).confirmed(),
            Avtal::between(2, B_OWN, KOMMUN, PING),
            Avtal::between(3, PROVSTAD, KOMMUN, KVITTERAD).confirmed(),
            Avtal::between(4, PROVSTAD, KOMMUN, TYST),
        ];
        let node = NodePlan {
            avtal,
            ..NodePlan::default()
        };
        Self {
            a: node.clone(),
            b: node,
            third: "https://localhost:9/shs/rs".to_owned(),
        }
    }

    /// Both nodes hold this agreement too.
    pub fn with(mut self, avtal: &Avtal) -> Self {
        self.a.avtal.push(avtal.clone());
        self.b.avtal.push(avtal.clone());
        self
    }

    /// THIRD's node is here.
    pub fn third_at(mut self, url: &str) -> Self {
        url.clone_into(&mut self.third);
        self
    }

    /// Starts both nodes.
    pub async fn start(self) -> Rig {
        let rig = self.prepare();
        let (a, b) = (rig.launch(At::A).await, rig.launch(At::B).await);
        Rig {
            a: Some(a),
            b: Some(b),
            ..rig
        }
    }

    /// Files and certificates, and no node.
    pub fn prepare(self) -> Rig {
        let certificates = Certificates::new();
        certificates.node("node-a", A_OWN);
        certificates.node("node-b", B_OWN);
        certificates.system("kommun", KOMMUN);
        certificates.system("provstad", PROVSTAD);
        certificates.system("driftbolaget", A_OWN);
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let rig = Rig {
            plan: self,
            ports: [free_port(), free_port()],
            certificates,
            folder,
            a: None,
            b: None,
        };
        rig.write(At::A);
        rig.write(At::B);
        rig
    }
}

/// Two running nodes.
pub struct Rig {
    plan: Plan,
    ports: [u16; 2],
    pub certificates: Certificates,
    folder: TempDir,
    a: Option<Sandbox>,
    b: Option<Sandbox>,
}

/// A port that nobody listens on, outside the range from which the system gives them out: a node that is
/// stopped gets its own again.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    // Another test process begins elsewhere.
    let offset = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap();
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (offset + step % COUNT) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Rig {
    /// A running node.
    pub fn node(&self, at: At) -> &Sandbox {
        let node = match at {
            At::A => &self.a,
            At::B => &self.b,
        };
        node.as_ref().expect("it runs")
    }

    /// Takes a node down; it can be started again with the same settings at the same place.
    pub async fn stop(&mut self, at: At) {
        let node = match at {
            At::A => self.a.take(),
            At::B => self.b.take(),
        };
        node.expect("it runs").stop().await;
    }

    /// Starts a node again.
    pub async fn start(&mut self, at: At) {
        let node = self.launch(at).await;
        match at {
            At::A => self.a = Some(node),
            At::B => self.b = Some(node),
        }
    }

    async fn launch(&self, at: At) -> Sandbox {
        let settings = Settings::load(&self.settings(at)).unwrap();
        let port = self.port(at);
        let builder = Sandbox::new().with(|built_in| {
            let (workers, drain) = (built_in.listener.workers, built_in.drain.clone());
            let keep_alive_ms = built_in.listener.keep_alive_ms;
            *built_in = settings;
            built_in.listener.workers = workers;
            built_in.listener.keep_alive_ms = keep_alive_ms;
            built_in.drain = drain;
        });
        builder.at(port).start().await
    }

    fn port(&self, at: At) -> u16 {
        match at {
            At::A => self.ports[0],
            At::B => self.ports[1],
        }
    }

    /// Where a node listens.
    pub fn address(&self, at: At) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port(at)).into()
    }

    /// The settings file of a node.
    pub fn settings(&self, at: At) -> PathBuf {
        self.of(at).join("samsvar.toml")
    }

    fn of(&self, at: At) -> PathBuf {
        self.folder.path().join(format!("{at:?}"))
    }

    /// Writes everything that a node reads.
    fn write(&self, at: At) {
        let folder = self.of(at);
        let agreements = folder.join("agreements");
        fs::create_dir_all(&agreements).unwrap();
        let plan = match at {
            At::A => &self.plan.a,
            At::B => &self.plan.b,
        };
        for avtal in &plan.avtal {
            let file = agreements.join(format!("{}.xml", avtal.number));
            fs::write(file, avtal.document()).unwrap();
        }
        let register = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/uppgiftslamnare.toml");
        fs::copy(register, folder.join("uppgiftslamnare.toml")).unwrap();
        fs::write(self.settings(at), self.toml(at, plan)).unwrap();
    }

    fn toml(&self, at: At, plan: &NodePlan) -> String {
        let (own, namn, certificate) = match at {
            At::A => (A_OWN, "Driftbolaget", "node-a"),
            At::B => (B_OWN, "Exempelkassan", "node-b"),
        };
        let file = |name: &str| self.certificates.file(name).display().to_string();
        let next_node_ca = plan.next_node_ca.as_ref();
        let next_node_ca = next_node_ca.map_or(file("ca.pem"), |ca| ca.display().to_string());
        let mut toml = format!(
            "[node]\norganisationsnummer = \"{own}\"\nnamn = \"{namn}\"\nnode_id = \"{certificate}\"\n\
             status = [\"production\", \"test\"]\n\
             [transport]\nkind = \"in-process\"\n\
             [ledger]\nfolder = \"ledger\"\nretention_days = 30\n\
             [admin]\naddress = \"127.0.0.1:0\"\n\
             [listener]\naddress = \"127.0.0.1:{}\"\n{}\n\
             [listener.tls]\ncertificate = \"{}\"\nkey = \"{}\"\nclient_ca = \"{}\"\n\
             [next_node]\nca = \"{next_node_ca}\"\n\
             [relay]\nretry_first_ms = 20\nretry_longest_s = 1\n{}\n\
             [outbox]\n{}\n{}\n",
            self.port(at),
            plan.listener,
            file(&format!("{certificate}.pem")),
            file(&format!("{certificate}.key")),
            file("ca.pem"),
            plan.relay,
            plan.outbox,
            plan.more,
        );
        self.write_actors(at, plan, &mut toml);
        toml
    }

    /// Those with a mailbox here, those of the other node, and THIRD.
    fn write_actors(&self, at: At, plan: &NodePlan, toml: &mut String) {
        let (hosted, other, theirs) = match at {
            At::A => (KOMMUN, At::B, [B_OWN, PROVSTAD]),
            At::B => (PROVSTAD, At::A, [A_OWN, KOMMUN]),
        };
        writeln!(
            toml,
            "[[aktor]]\norganisationsnummer = \"{hosted}\"\nnamn = \"{}\"",
            namn(hosted)
        )
        .unwrap();
        let mut push = |number: &str, url: &str, fingerprint: &str| {
            writeln!(
                toml,
                "[[aktor]]\norganisationsnummer = \"{number}\"\nnamn = \"{}\"\n\
                 delivery = \"push\"\naddress = \"{url}\"\ncertificates = [{fingerprint}]",
                namn(number)
            )
            .unwrap();
        };
        if !plan.stranger {
            let certificate = match other {
                At::A => "node-a",
                At::B => "node-b",
            };
            let fingerprint = format!("\"{}\"", self.certificates.fingerprint(certificate));
            for number in theirs {
                push(number, &self.rs(other), &fingerprint);
            }
        }
        push(THIRD, &self.plan.third, "");
    }

    /// URL of a node's receive service.
    pub fn rs(&self, at: At) -> String {
        format!("https://localhost:{}/shs/rs", self.port(at))
    }

    /// Sends with this certificate.
    pub async fn send(&self, certificate: &str, to: At, message: &Message) -> HttpAnswer {
        self.send_bytes(certificate, to, message.write()).await
    }

    /// The same with bytes as they are.
    pub async fn send_bytes(&self, certificate: &str, to: At, body: Bytes) -> HttpAnswer {
        let client = self.certificates.client(certificate);
        client.send(&self.rs(to), body).await.unwrap()
    }

    /// Sends an asynchronous message, which must be accepted.
    pub async fn post(&self, certificate: &str, to: At, message: &Message) {
        let answer = self.send(certificate, to, message).await;
        assert_eq!(answer.status, 202, "{:?}", answer.refusal());
        assert_eq!(
            answer.body.expose(),
            message.label.tx_id.as_str().as_bytes()
        );
    }

    /// A mailbox, with this certificate.
    pub fn outbox(&self, certificate: &str, at: At, address: &str) -> Outbox {
        let client = self.certificates.client(certificate);
        let service = format!("https://localhost:{}/shs/ds", self.port(at));
        Outbox::new(client, &service, &adress(address)).unwrap()
    }

    /// Waits until a message of this product lies in a mailbox, and fetches the oldest with the
    /// certificate of its owner.
    pub async fn arrives(
        &self,
        certificate: &str,
        at: At,
        address: &str,
        product: &str,
    ) -> Message {
        let query = ListQuery {
            products: Some(vec![produkt(product)]),
            ..ListQuery::default()
        };
        let to = adress(address);
        let outboxes = self.node(at).node().asynch().unwrap().outboxes();
        let what = format!("a message of {product} lies in {address}");
        eventually(&what, || !outboxes.list(&to, &query).is_empty()).await;
        let outbox = self.outbox(certificate, at, address);
        let listed = outbox.list(&[("producttype", product)]).await.unwrap();
        let fetched = outbox.fetch(&listed.messages[0].tx_id).await.unwrap();
        read(fetched.into_exposed())
    }

    /// Waits until the register of a node says this of a message.
    pub async fn state(&self, at: At, tx_id: &TxId, state: TransferState, acknowledged: bool) {
        let transfers = self.node(at).node().asynch().unwrap().transfers();
        let what = format!("{at:?} has {tx_id} as {state}, acknowledged: {acknowledged}");
        let is_so = || transfers.state(tx_id) == Some((state, acknowledged));
        eventually(&what, is_so).await;
    }

    /// Waits until nothing is under way at a node.
    pub async fn is_quiet(&self, at: At) {
        let underway = self.node(at).node().asynch().unwrap().underway();
        eventually("nothing is under way", || underway.messages() == 0).await;
    }

    /// Messages that lie in a mailbox.
    pub fn lying(&self, at: At, address: &str) -> usize {
        let outboxes = self.node(at).node().asynch().unwrap().outboxes();
        outboxes.list(&adress(address), &ListQuery::default()).len()
    }
}

fn namn(number: &str) -> &'static str {
    match number {
        KOMMUN => "Exempelköpings kommun",
        PROVSTAD => "Provstads kommun",
        A_OWN => "Driftbolaget",
        B_OWN => "Exempelkassan",
        _ => "Tredjeverket",
    }
}
