//! A node that seals, parties that seal their answers, one of them in Python and one not sealed at all:
//! RabbitMQ's own tracing sees in clear what is not sealed, and of the rest nothing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ConnectionProperties, Consumer};
use samsvar::client::answer::Said;
use shs_schemas::Uppgiftslamnare;
use tempfile::TempDir;

use crate::ask::Caller;
use crate::process::{Process, command, run, samsvar};
use crate::stage::{Node, Place, authorities, repository, trace};

const CSN: Uppgiftslamnare = Uppgiftslamnare::CSN;
/// Pause after which no more messages are under way.
const QUIET: Duration = Duration::from_millis(500);
/// What every question, and every answer, has in clear.
const CLEAR: &[u8] = b"schema.forsakringskassan.se";

/// Keys of the node and of the parties.
struct Keys(TempDir);

impl Keys {
    fn make(names: &[&str]) -> Self {
        let keys = Self(tempfile::tempdir().unwrap());
        for name in names {
            let mut command = samsvar();
            command.args(["seal-keys", "--name", name, "--out"]);
            let made = run(command.arg(keys.0.path()));
            assert!(made.status.success(), "{made:?}");
        }
        keys
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A public key as the register has it.
    fn line(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.file(&format!("{name}.pub"))).unwrap();
        text.trim().to_owned()
    }

    /// A node with these keys of its own, which seals to these parties.
    fn node(&self, place: &Place, own: &[&str], parties: &[(Uppgiftslamnare, &str)]) -> Node {
        let own = own.iter().map(|name| self.file(&format!("{name}.key")));
        let own: Vec<String> = own
            .map(|file| format!("{:?}", file.to_str().unwrap()))
            .collect();
        let mut settings = vec![(
            "SEALING__KEY_FILES".to_owned(),
            format!("[{}]", own.join(",")),
        )];
        settings.extend(parties.iter().map(|(ul, name)| {
            let setting = format!("UPPGIFTSLAMNARE__{}__SEAL", ul.kod());
            (setting, self.line(name))
        }));
        let settings: Vec<(&str, &str)> = settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Node::start(place, &settings)
    }

    /// Simulated authorities behind a key.
    fn authorities(&self, place: &Place, codes: &str, key: &str, node: &str) -> Process {
        let (key, node) = (
            self.file(&format!("{key}.key")),
            self.file(&format!("{node}.pub")),
        );
        let path = |file: &Path| file.to_str().unwrap().to_owned();
        let (key, node) = (path(&key), path(&node));
        let arguments = ["--kod", codes, "--seal-key", &key, "--node-key", &node];
        let queues = 2 * codes.split(',').count() as u64;
        authorities(place, "simulator", &arguments, queues)
    }

    /// `examples/adapter_sealed.py`, which answers for Transportstyrelsen.
    fn in_python(&self, place: &Place, keys: &str, node: &str) -> Process {
        let mut command = command("/usr/bin/python3");
        command
            .arg("-B")
            .arg(repository().join("examples/adapter_sealed.py"));
        command.env("SAMSVAR_AMQP__URL", place.url("ul-tns"));
        command.env("SEAL_KEYS", self.file(&format!("{keys}.key")));
        command.env("NODE_KEYS", self.file(&format!("{node}.pub")));
        Process::start(&mut command)
    }
}

/// A copy of everything that is published, as RabbitMQ itself makes it.
async fn tracing(place: &Place) -> (Connection, Consumer) {
    let properties = ConnectionProperties::default();
    let connection = Connection::connect(&place.url("guest"), properties)
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    let none = FieldTable::default;
    let queue = channel
        .queue_declare("".into(), options, none())
        .await
        .unwrap();
    let (name, from) = (queue.name().clone(), "amq.rabbitmq.trace");
    let (all, options) = ("publish.#".into(), QueueBindOptions::default());
    channel
        .queue_bind(name.clone(), from.into(), all, options, none())
        .await
        .unwrap();
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let copies = channel
        .basic_consume(name, "".into(), options, none())
        .await
        .unwrap();
    (connection, copies)
}

/// Where the message of a copy went: the first routing key.
fn routing_key(copy: &Delivery) -> String {
    let headers = copy.properties.headers().as_ref().unwrap().inner();
    let Some(AMQPValue::FieldArray(keys)) = headers.get("routing_keys") else {
        panic!("a copy says where its message went")
    };
    match &keys.as_slice()[0] {
        AMQPValue::LongString(key) => key.to_string(),
        other => panic!("{other:?}"),
    }
}

fn holds(copy: &Delivery, text: &[u8]) -> bool {
    copy.data.windows(text.len()).any(|part| part == text)
}

#[test]
fn of_sealed_parties_rabbitmq_sees_nothing_and_of_the_others_all() {
    let Some(place) = Place::take() else { return };
    let keys = Keys::make(&["nod-1", "nod-2", "sim-1", "tns-1"]);
    let sealed = Uppgiftslamnare::all().filter(|ul| *ul != Uppgiftslamnare::AF);
    let parties: Vec<_> = sealed
        .map(|ul| {
            (
                ul,
                if ul == Uppgiftslamnare::TNS {
                    "tns-1"
                } else {
                    "sim-1"
                },
            )
        })
        .collect();
    // Answers are asked for with the newer key.
    let node = keys.node(&place, &["nod-2", "nod-1"], &parties);
    let _clear = authorities(&place, "simulator", &["--kod", "AF"], 2);
    let _sealed = keys.authorities(&place, "CSN,FK,MIV,PM,SKV,SO", "sim-1", "nod-2");
    let mut python = keys.in_python(&place, "tns-1", "nod-2");
    let caller = Caller::new();
    caller.until_all_give_data(&node);
    trace(&place);
    let copies: Vec<Delivery> = caller.runtime.block_on(async {
        let (_connection, mut traced) = tracing(&place).await;
        // The blocking caller has the same runtime.
        let asking = std::thread::scope(|scope| scope.spawn(|| Caller::new().ask(&node)).join());
        let (said, _) = asking.unwrap();
        assert!(said.values().all(crate::ask::is_data), "{said:?}");
        let mut copies = Vec::new();
        while let Ok(Some(copy)) = tokio::time::timeout(QUIET, traced.next()).await {
            let copy = copy.unwrap();
            // A connection that falls idle meanwhile is rinsed, with zeros.
            if copy.data.iter().any(|byte| *byte != 0) {
                copies.push(copy);
            }
        }
        copies
    });
    assert_eq!(copies.len(), 16, "eight questions, eight answers");
    let of_af = |copy: &Delivery| routing_key(copy) == "AF" || copy.data.starts_with(b"<ssbt:AF");
    for copy in &copies {
        let key = routing_key(copy);
        assert_eq!(holds(copy, CLEAR), of_af(copy), "{key}");
        assert!(!holds(copy, b"199503142383") || of_af(copy), "{key}");
    }
    assert_eq!(copies.iter().filter(|copy| of_af(copy)).count(), 2);
    assert!(python.is_running(), "{}", python.err.text());
    let metrics = caller.metrics(&node);
    for refused in ["unsealed", "unopened", "sealed_unasked"] {
        let name = format!("samsvar_transport_answers_{refused}_total");
        assert!(metrics.get(&name).abs() < f64::EPSILON, "{name}");
    }
}

#[test]
fn an_answer_that_is_not_sealed_as_it_must_be_fails_its_own_part() {
    let Some(place) = Place::take() else { return };
    let keys = Keys::make(&["nod-1", "nod-2", "csn-1", "tns-1", "tns-2"]);
    let parties = [(CSN, "csn-1"), (Uppgiftslamnare::TNS, "tns-1")];
    let node = keys.node(&place, &["nod-1"], &parties);
    // CSN knows of no keys; TNS has another one than the node thinks.
    let others = ["--kod", "AF,CSN,FK,MIV,PM,SKV,SO"];
    let _others = authorities(&place, "simulator", &others, 14);
    let mut python = keys.in_python(&place, "tns-2", "nod-1");
    let caller = Caller::new();
    let unusable = Said::Error("SSBT".into(), "SSBT-OGILTIGT-SVAR".into());
    caller.until(&node, |said| {
        said.iter().all(|(ul, said)| match *ul {
            Uppgiftslamnare::CSN | Uppgiftslamnare::TNS => *said == unusable,
            _ => crate::ask::is_data(said),
        })
    });
    assert!(python.is_running(), "{}", python.err.text());
    let unsealed = caller
        .metrics(&node)
        .get("samsvar_transport_answers_unsealed_total");
    assert!(unsealed >= 2.0, "{unsealed}");
    drop(python);

    // TNS opens the question and seals to a key that the node has not: that does not open.
    std::fs::copy(keys.file("nod-2.pub"), keys.file("other.pub")).unwrap();
    let renamed = keys.line("other").replace("nod-2", "nod-1");
    std::fs::write(keys.file("other.pub"), renamed).unwrap();
    let _python = keys.in_python(&place, "tns-1", "other");
    let unopened = || {
        caller
            .metrics(&node)
            .get("samsvar_transport_answers_unopened_total")
    };
    // Until that adapter consumes, nobody is there to answer.
    caller.until(&node, |said| {
        said[&Uppgiftslamnare::TNS] == unusable && unopened() > 0.0
    });
}

#[test]
fn a_node_without_a_key_of_its_own_does_not_seal_and_says_so() {
    let keys = Keys::make(&["csn-1"]);
    let file = repository().join("config/samsvar.toml");
    let check = |key_files: &str| {
        let mut command = samsvar();
        command
            .arg("check")
            .arg("--offline")
            .arg("--config")
            .arg(&file);
        command.env("SAMSVAR_UPPGIFTSLAMNARE__CSN__SEAL", keys.line("csn-1"));
        command.env("SAMSVAR_SEALING__KEY_FILES", key_files);
        let output = run(&mut command);
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (ok, text) = check("[]");
    assert!(
        !ok && text.contains("a party has a key (seal), the node has none"),
        "{text}"
    );
    let key = keys.file("csn-1.key");
    let named = format!("[{:?}]", key.to_str().unwrap());
    assert!(check(&named).0);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&key, open).unwrap();
    let (ok, text) = check(&named);
    assert!(
        !ok && text.contains("can be read by others than its owner"),
        "{text}"
    );
    let secret = std::fs::read_to_string(&key).unwrap();
    assert!(
        !text.contains(secret.split_whitespace().nth(1).unwrap()),
        "{text}"
    );
}

/// RFC 9180, A.1.1: the Python of the examples is HPKE, with another length of key than ours.
#[test]
fn the_python_of_the_examples_is_hpke() {
    const PROGRAM: &str = r#"
from hpke import AES_256_GCM, X25519PrivateKey, open_sealed, raw, seal
h, vector = bytes.fromhex, (b"\x00\x01", 16)
private = h("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8")
public = h("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d")
ephemeral = h("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736")
ephemeral = X25519PrivateKey.from_private_bytes(ephemeral)
assert raw(X25519PrivateKey.from_private_bytes(private).public_key()) == public
info, aad, plain = b"Ode on a Grecian Urn", b"Count-0", b"Beauty is truth, truth beauty"
sealed = seal(public, info, aad, plain, vector, ephemeral)
assert sealed == h("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
                   "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
                   "6d8770ac83d07bea87e13c512a")
assert open_sealed(private, info, aad, sealed, vector) == plain
ours = seal(public, info, aad, plain)
assert open_sealed(private, info, aad, ours) == plain
for wrong in [(info, b"Count-1", ours), (b"x", aad, ours), (info, aad, ours[:-1]), (info, aad, b"")]:
    try:
        open_sealed(private, *wrong)
    except Exception:
        continue
    raise SystemExit("opened")
"#;
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-B", "-c", PROGRAM]);
    let output = run(python.env("PYTHONPATH", repository().join("examples")));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
