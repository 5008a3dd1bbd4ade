//! One RabbitMQ for the whole suite, and a virtual host of its own for each test.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::rabbitmq::RabbitMq;

/// Virtual hosts, one for each test that uses them. Each costs time at the start.
const VHOSTS: usize = 60;

/// Parties whose queues stand in each virtual host: every queue costs time, too.
const PARTIES: [&str; 2] = ["AF", "CSN"];

/// The broker that the tests share, with its virtual hosts. `None` when tests on RabbitMQ are to be
/// skipped, which has been said on stderr.
pub fn broker() -> Option<&'static RabbitMq> {
    static SHARED: OnceLock<Option<&RabbitMq>> = OnceLock::new();
    *SHARED.get_or_init(|| {
        let broker = RabbitMq::shared()?;
        let file = broker.directory().join("vhosts.json");
        fs::write(&file, definitions().to_string()).expect("the directory is the node's own");
        broker.control(&["import_definitions", &file.to_string_lossy()]);
        Some(broker)
    })
}

/// A virtual host that no other test uses.
pub fn take() -> String {
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    let n = TAKEN.fetch_add(1, Ordering::Relaxed);
    assert!(n < VHOSTS, "more tests than virtual hosts");
    format!("v{n}")
}

/// The definitions of `config/`, once for each virtual host.
fn definitions() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rabbitmq-definitions.json");
    let original = fs::read(file).expect("the definitions are part of the repository");
    let mut definitions: Value = serde_json::from_slice(&original).expect("they are JSON");
    let vhosts = || (0..VHOSTS).map(|n| json!(format!("v{n}")));
    for kind in ["permissions", "policies", "exchanges", "queues", "bindings"] {
        let originals = definitions[kind].as_array().expect("a list").clone();
        let copies = vhosts().flat_map(|vhost| {
            let wanted = originals.iter().filter(|one| is_wanted(one));
            wanted.map(move |original| {
                let mut copy = original.clone();
                copy["vhost"] = vhost.clone();
                copy
            })
        });
        definitions[kind] = copies.collect();
    }
    definitions["vhosts"] = vhosts().map(|name| json!({ "name": name })).collect();
    definitions
}

/// Queues and bindings only of [`PARTIES`].
fn is_wanted(definition: &Value) -> bool {
    let queue = match (&definition["destination"], &definition["durable"]) {
        (Value::String(queue), _) => queue,
        (_, Value::Bool(_)) => definition["name"].as_str().expect("a name"),
        _ => return true,
    };
    queue == "samsvar.fraga"
        || PARTIES
            .iter()
            .any(|kod| queue.ends_with(&format!(".{kod}")))
}
