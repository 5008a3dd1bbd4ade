//! Rules about the parties' queues, and who reads them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::snapshot::{Snapshot, Table};
use super::{Expected, of_places, own_queues, shown};

const TTL: &str = "message-ttl";
const LENGTH: &str = "max-length";
const OVERFLOW: &str = "overflow";
const REJECT: &str = "reject-publish";
/// What a policy may say besides: none of it stores or copies.
const HARMLESS: [&str; 6] = [
    TTL,
    LENGTH,
    OVERFLOW,
    "max-length-bytes",
    "queue-version",
    "consumer-timeout",
];

/// Quorum queues and streams write every message to disk, on several nodes.
pub(super) fn kind(snapshot: &Snapshot, expected: &Expected, find: &mut dyn FnMut(String)) {
    for (vhost, queue) in own_queues(snapshot, expected) {
        let declared = queue.arguments.get("x-queue-type").and_then(Value::as_str);
        match queue.kind.as_deref().or(declared) {
            None | Some("classic") => {}
            Some(kind) => find(format!(
                "queue {} in {} is of type {}: it stores every message on disk",
                queue.name,
                shown(vhost),
                shown(kind)
            )),
        }
        if !queue.durable {
            find(format!(
                "queue {} in {} is not durable: the node cannot declare it alike",
                queue.name,
                shown(vhost)
            ));
        }
    }
}

/// Arguments cannot be changed again, and the node declares none.
pub(super) fn arguments(snapshot: &Snapshot, expected: &Expected, find: &mut dyn FnMut(String)) {
    for (vhost, queue) in own_queues(snapshot, expected) {
        for (argument, value) in &queue.arguments {
            // The type is another rule's; `classic` is what it would be anyway.
            if argument == "x-queue-type" {
                continue;
            }
            let plain = argument.strip_prefix("x-").unwrap_or(argument);
            let harm = harm(plain, value).unwrap_or("the node cannot declare it alike");
            let (name, vhost) = (&queue.name, shown(vhost));
            let argument = shown(argument);
            find(format!(
                "queue {name} in {vhost} has the argument {argument}: {harm}"
            ));
        }
    }
}

/// Mirrors hold a copy of each message on another node.
pub(super) fn mirrors(snapshot: &Snapshot, expected: &Expected, find: &mut dyn FnMut(String)) {
    for (vhost, queue) in own_queues(snapshot, expected) {
        if queue
            .slave_nodes
            .as_ref()
            .is_some_and(|nodes| !nodes.is_empty())
        {
            let (name, vhost) = (&queue.name, shown(vhost));
            find(format!(
                "queue {name} in {vhost} is mirrored to other nodes"
            ));
        }
    }
}

/// What a setting does to messages, when it stores or copies them. `name` is that of a policy, or of
/// an argument without its `x-`.
fn harm(name: &str, value: &Value) -> Option<&'static str> {
    match name {
        "dead-letter-exchange" | "dead-letter-routing-key" | "dead-letter-strategy" => {
            Some("questions that nobody took in time are kept (dead-lettered)")
        }
        "queue-mode" if value == "default" => None,
        "queue-mode" => Some("a lazy queue writes its messages to disk"),
        "overflow" if value == "reject-publish-dlx" => {
            Some("questions that found the queue full are kept (dead-lettered)")
        }
        "federation-upstream" | "federation-upstream-set" => {
            Some("messages are copied between brokers (federation)")
        }
        _ if name.starts_with("ha-") => Some("messages are mirrored to other nodes"),
        _ => None,
    }
}

/// The limits that the policy `samsvar` of the definitions gives, and nothing that stores or copies.
pub(super) fn policy(snapshot: &Snapshot, expected: &Expected, find: &mut dyn FnMut(String)) {
    // Sixteen queues with the same fault are one finding.
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (vhost, queue) in own_queues(snapshot, expected) {
        let faults = match queue.policy() {
            Some(policy) => policy_faults(&policy, expected),
            None => vec!["not seen: its policies (no statistics yet: ask again)".to_owned()],
        };
        for fault in faults {
            let names = found.entry((shown(vhost), fault)).or_default();
            names.push(queue.name.clone());
        }
    }
    for ((vhost, fault), names) in found {
        find(format!("queue {} in {vhost}: {fault}", names.join(" ")));
    }
    missing(snapshot, expected, find);
}

/// What is wrong with the policies that reach a queue, taken together.
fn policy_faults(policy: &Table, expected: &Expected) -> Vec<String> {
    let mut faults = Vec::new();
    let number = |name: &str| policy.get(name).and_then(Value::as_u64);
    let longest = expected.ttl_longest.as_millis();
    match number(TTL) {
        Some(ttl) if u128::from(ttl) <= longest => {}
        Some(ttl) => faults.push(format!(
            "policy {TTL} {ttl} keeps a question for longer than its longest deadline, {longest} ms"
        )),
        None => faults.push(format!(
            "no policy sets {TTL}: nothing bounds how long it waits"
        )),
    }
    let most = expected.length_max;
    match number(LENGTH) {
        Some(length) if length <= most => {}
        Some(length) => faults.push(format!("policy {LENGTH} {length} is above {most}")),
        None => faults.push(format!(
            "no policy sets {LENGTH}: nothing bounds how many wait"
        )),
    }
    if policy.get(OVERFLOW).and_then(Value::as_str) != Some(REJECT) {
        faults.push(format!(
            "no policy sets {OVERFLOW} to {REJECT}: a full queue is not told to the node"
        ));
    }
    for (name, value) in policy {
        match harm(name, value) {
            Some(harm) => faults.push(format!("policy {}: {harm}", shown(name))),
            None if HARMLESS.contains(&name.as_str()) || name == "queue-mode" => {}
            None => faults.push(format!("policy {} is none of samsvar's", shown(name))),
        }
    }
    faults
}

/// A queue that the node has yet to declare gets whatever policy there is then.
fn missing(snapshot: &Snapshot, expected: &Expected, find: &mut dyn FnMut(String)) {
    for (vhost, queues) in of_places(snapshot, |place| &place.queues) {
        let is_there = |name: &String| queues.iter().any(|queue| queue.name == *name);
        let own = expected.queues(vhost).into_iter().map(|(name, _)| name);
        let missing: Vec<String> = own.filter(|name| !is_there(name)).collect();
        if !missing.is_empty() {
            find(format!(
                "not seen: the policies of queues that are not there yet in {}: {}",
                shown(vhost),
                missing.join(" ")
            ));
        }
    }
}

/// Somebody publishes messages that RabbitMQ is to keep.
pub(super) fn persistent(snapshot: &Snapshot, expected: &Expected, find: &mut dyn FnMut(String)) {
    for (vhost, queue) in own_queues(snapshot, expected) {
        if let Some(waiting @ 1..) = queue.messages_persistent {
            let (name, vhost) = (&queue.name, shown(vhost));
            find(format!(
                "queue {name} in {vhost} holds {waiting} persistent messages, which RabbitMQ \
                 stores: they are none of the node's"
            ));
        }
    }
}

/// A question is forgotten on delivery, and delivered to one party.
pub(super) fn consumers(snapshot: &Snapshot, expected: &Expected, find: &mut dyn FnMut(String)) {
    for (vhost, consumers) in of_places(snapshot, |place| &place.consumers) {
        for (name, _) in expected.queues(vhost) {
            let of_queue = || consumers.iter().filter(|one| one.queue.name == name);
            let vhost = shown(vhost);
            if of_queue().any(|one| one.ack_required) {
                find(format!(
                    "queue {name} in {vhost} has a consumer that acknowledges: questions are kept \
                     until it has, and given out again"
                ));
            }
            let users: BTreeSet<String> =
                of_queue().filter_map(|one| one.user()).map(shown).collect();
            if users.len() > 1 {
                let users: Vec<String> = users.into_iter().collect();
                let users = users.join(", ");
                find(format!(
                    "queue {name} in {vhost} is read by several users: {users}"
                ));
            }
        }
    }
}
