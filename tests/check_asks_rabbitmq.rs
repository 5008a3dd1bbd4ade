//! `samsvar check` against a real RabbitMQ: silent about one that keeps nothing, and naming each thing
//! in one that would store or copy messages; over the management API, and over AMQP alone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::disallowed_methods,
    reason = "real time: it waits for processes"
)]

#[path = "with_rabbitmq/process.rs"]
#[allow(dead_code, reason = "this binary uses a part of it")]
mod process;
#[path = "support/rabbitmq.rs"]
mod rabbitmq;

use std::fs;
use std::path::{Path, PathBuf};

use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use process::{run, samsvar};
use rabbitmq::{Extra, RabbitMq};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A node's configuration that asks CSN, and says only what must be said.
struct Config(TempDir);

impl Config {
    fn new(amqp: &str, register: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let agreements = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/agreements");
        let text = format!(
            "[node]\norganisationsnummer = \"2021009994\"\nnamn = \"Exempelkassan\"\n\
             node_id = \"samsvar-test\"\n[registers]\nagreements = \"{}\"\n[amqp]\n{amqp}",
            agreements.display()
        );
        fs::write(folder.path().join("samsvar.toml"), text).unwrap();
        fs::write(folder.path().join("uppgiftslamnare.toml"), register).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("samsvar.toml")
    }

    /// What `samsvar check` reports.
    fn check(&self, more: &[&str]) -> Value {
        let mut command = samsvar();
        command.arg("check").arg("--config").arg(self.file());
        let output = run(command.arg("--json").args(more));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        for secret in ["hemligt", "inspector:", "samsvar:samsvar"] {
            assert!(!text.contains(secret), "{text}");
        }
        serde_json::from_str(&text).unwrap()
    }
}

/// The warnings about RabbitMQ.
fn warnings(report: &Value) -> Vec<String> {
    let warnings = report["warnings"].as_array().unwrap().iter();
    let messages = warnings.map(|warning| warning["message"].as_str().unwrap().to_owned());
    messages
        .filter_map(|text| Some(text.strip_prefix("amqp: ")?.to_owned()))
        .collect()
}

fn import(node: &RabbitMq, definitions: &Value) {
    let file = node.directory().join("more.json");
    fs::write(&file, definitions.to_string()).unwrap();
    node.control(&["import_definitions", &file.to_string_lossy()]);
}

async fn channel(node: &RabbitMq) -> Channel {
    let properties = ConnectionProperties::default();
    let connection = Connection::connect(&node.url("guest"), properties).await;
    connection.unwrap().create_channel().await.unwrap()
}

/// CSN in a virtual host of its own, as it is to be outside development.
fn of_csn_alone() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rabbitmq-definitions.json");
    let mut all: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let is_csn = |value: &Value| {
        let key = value["routing_key"].as_str().or(value["name"].as_str());
        key.is_some_and(|key| key.ends_with("CSN"))
    };
    let moved_from = |values: &Value, only: fn(&Value) -> bool| -> Value {
        let values = values
            .as_array()
            .unwrap()
            .iter()
            .filter(|value| only(value));
        let moved = values.map(|value| {
            let mut value = value.clone();
            value["vhost"] = json!("csn");
            value
        });
        moved.collect()
    };
    let user = |value: &Value| {
        ["samsvar", "ul-csn"]
            .iter()
            .any(|user| value["user"] == *user)
    };
    let mut permissions = moved_from(&all["permissions"], user);
    permissions.as_array_mut().unwrap().push(json!(
        {"user": "tillsyn", "vhost": "csn", "configure": "^$", "write": "^$", "read": "^$"}
    ));
    json!({
        "vhosts": [{"name": "csn"}],
        "users": [{"name": "tillsyn", "password": "hemligt", "tags": "monitoring,policymaker"}],
        "permissions": permissions,
        "policies": moved_from(&all["policies"], |_| true),
        "exchanges": moved_from(&all["exchanges"], |_| true),
        "queues": moved_from(&all["queues"].take(), is_csn),
        "bindings": moved_from(&all["bindings"].take(), is_csn),
    })
}

#[test]
fn a_rabbitmq_that_keeps_nothing_is_not_warned_of() {
    let extra = Extra {
        management: true,
        in_memory: true,
    };
    let Some(node) = RabbitMq::start_with(extra) else {
        return;
    };
    import(&node, &of_csn_alone());
    let (port, management) = (node.port(), node.management_port());
    let amqp = format!(
        "url = \"amqp://samsvar:samsvar@127.0.0.1:{port}/csn\"\n\
         management_url = \"http://tillsyn:hemligt@127.0.0.1:{management}\"\n"
    );
    let config = Config::new(&amqp, "[CSN]\nconnected = true\n");
    let report = config.check(&[]);
    // What the machine's swap does to a tmpfs is not RabbitMQ's doing.
    let mut found = warnings(&report);
    found.retain(|warning| !warning.contains("written to swap"));
    assert_eq!(found, Vec::<String>::new());
    let how = report["summary"]["rabbitmq"][0].as_str().unwrap();
    assert!(how.ends_with("seen by its management API"), "{how}");

    // A second party in the same virtual host is too many.
    let register = "[CSN]\nconnected = true\n[FK]\nconnected = true\n";
    let found = warnings(&Config::new(&amqp, register).check(&[]));
    assert!(
        found
            .iter()
            .any(|one| one.starts_with("CSN FK share virtual host csn")),
        "{found:?}"
    );

    // A user who may see less: what it does not see is said.
    node.control(&["set_user_tags", "tillsyn", "management"]);
    let found = warnings(&config.check(&[]));
    for part in [
        "not seen: nodes",
        "not seen: shovels",
        "not seen: federation",
        "not seen: listeners",
    ] {
        assert!(
            found.iter().any(|one| one.starts_with(part)),
            "{part}: {found:?}"
        );
    }
}

/// A queue that samsvar did not ask for, under one of its names or with one of its keys.
fn queue(name: &str, arguments: &Value) -> Value {
    json!({"name": name, "vhost": "/", "durable": true, "auto_delete": false,
           "arguments": arguments})
}

/// Everything at once that a check is to find.
fn spoil(node: &RabbitMq) {
    for name in ["samsvar.fraga.AF", "samsvar.fraga.MIV"] {
        node.control(&["delete_queue", name]);
    }
    let policy = |name: &str, pattern: &str, to: &str, definition: Value| {
        json!({"vhost": "/", "name": name, "pattern": pattern, "apply-to": to, "priority": 1,
               "definition": definition})
    };
    let binding = |queue: &str, key: &str| {
        json!({"source": "samsvar.fraga", "vhost": "/", "destination": queue,
               "destination_type": "queue", "routing_key": key, "arguments": {}})
    };
    import(
        node,
        &json!({
            "queues": [
                queue("samsvar.fraga.AF", &json!({"x-queue-type": "quorum"})),
                queue("samsvar.fraga.MIV", &json!({"x-dead-letter-exchange": "amq.fanout"})),
                queue("kopia", &json!({})),
            ],
            "bindings": [
                binding("samsvar.fraga.AF", "AF"),
                binding("samsvar.fraga.MIV", "MIV"),
                binding("kopia", "FK"),
            ],
            "policies": [
                policy("ae", "^samsvar\\.fraga$", "exchanges",
                       json!({"alternate-exchange": "amq.fanout"})),
                policy("lazy", "^samsvar\\.fraga\\.PM$", "queues",
                       json!({"queue-mode": "lazy", "message-ttl": 60_000})),
            ],
            "parameters": [{"component": "shovel", "vhost": "/", "name": "flytt", "value": {
                "src-uri": "amqp://", "src-queue": "kopia",
                "dest-uri": "amqp://", "dest-queue": "bortflyttat"}}],
        }),
    );
    node.control(&["trace_on"]);
}

/// A message that is to be kept, and a consumer that acknowledges.
async fn misuse(node: &RabbitMq) -> Consumer {
    let channel = channel(node).await;
    let confirms = ConfirmSelectOptions::default();
    channel.confirm_select(confirms).await.unwrap();
    let kept = BasicProperties::default().with_delivery_mode(2);
    let options = BasicPublishOptions::default();
    let queue = "samsvar.fraga.CSN".into();
    let publish = channel.basic_publish("".into(), queue, options, b"sparas", kept);
    publish.await.unwrap().await.unwrap();
    let options = BasicConsumeOptions::default();
    let asked = ("samsvar.fraga.SKV".into(), FieldTable::default());
    channel
        .basic_consume(asked.0, "".into(), options, asked.1)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rabbitmq_that_stores_and_copies_is_warned_of() {
    let extra = Extra {
        management: true,
        in_memory: false,
    };
    let Some(node) = RabbitMq::start_with(extra) else {
        return;
    };
    spoil(&node);
    let (port, management) = (node.port(), node.management_port());
    let url = format!("url = \"amqp://samsvar:samsvar@127.0.0.1:{port}/%2f\"\n");
    let with_api =
        |user: &str| format!("{url}management_url = \"http://{user}@127.0.0.1:{management}\"\n");
    let register = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("config/uppgiftslamnare.toml"),
    )
    .unwrap();
    let _consumer = misuse(&node).await;
    // The counts of queues are told every five seconds.
    let config = Config::new(&with_api("inspector:inspector"), &register);
    let found = seen_in_time(&config, "persistent messages");
    for part in [
        "user inspector has the tag development",
        "tracing (firehose) is on in virtual host /",
        "shovel flytt (virtual host /) may move messages",
        "queue samsvar.fraga.AF in / is of type quorum",
        "queue samsvar.fraga.MIV in / has the argument x-dead-letter-exchange",
        "samsvar.fraga in / has an alternate exchange",
        "routing key FK is copied to queue kopia in /",
        "queue samsvar.fraga.PM in /: policy queue-mode: a lazy queue",
        "queue samsvar.fraga.PM in /: policy message-ttl 60000",
        "queue samsvar.fraga.PM in /: no policy sets max-length",
        "queue samsvar.fraga.SKV in / has a consumer that acknowledges",
        "queue samsvar.fraga.CSN in / holds 1 persistent message",
    ] {
        assert!(
            found.iter().any(|one| one.contains(part)),
            "{part}: {found:#?}"
        );
    }
    let on_disk = |path: &Path| !path.starts_with("/dev/shm") && !is_tmpfs(path);
    let stored = found.iter().any(|one| one.contains("not on tmpfs"));
    assert_eq!(stored, on_disk(&std::env::temp_dir()), "{found:#?}");

    // Without the API: what AMQP tells, and what it cannot.
    let by_amqp = |config: &Config| {
        let found = warnings(&config.check(&[]));
        for part in [
            "samsvar.fraga.AF has another type or other arguments",
            "samsvar.fraga.MIV has another type or other arguments",
            "not seen by AMQP alone: data directory",
        ] {
            assert!(
                found.iter().any(|one| one.contains(part)),
                "{part}: {found:#?}"
            );
        }
        assert!(
            !found.iter().any(|one| one.contains("samsvar.fraga.FK")),
            "{found:#?}"
        );
        found
    };
    assert_eq!(by_amqp(&Config::new(&url, &register)).len(), 3);
    let found = by_amqp(&Config::new(&with_api("inspector:hemligt"), &register));
    assert!(found[0].contains("user or password is wrong"), "{found:#?}");

    // Nobody is asked.
    let report = Config::new(&with_api("inspector:hemligt"), &register).check(&["--offline"]);
    assert_eq!(warnings(&report), Vec::<String>::new());
    assert_eq!(report["summary"]["rabbitmq"], Value::Null);
}

/// The warnings, as soon as one of them is this.
fn seen_in_time(config: &Config, part: &str) -> Vec<String> {
    let begun = std::time::Instant::now();
    loop {
        let found = warnings(&config.check(&[]));
        if found.iter().any(|one| one.contains(part)) {
            return found;
        }
        assert!(begun.elapsed() < process::SOON, "{part}: {found:#?}");
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

/// Whether the kernel's table says so of the mount that a path is on: the longest.
fn is_tmpfs(path: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let fields = mounts
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>());
    let on = fields.filter(|fields| path.starts_with(fields[1]));
    on.max_by_key(|fields| fields[1].len())
        .is_some_and(|fields| fields[2] == "tmpfs")
}
