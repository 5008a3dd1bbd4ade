//! Rules about a RabbitMQ as a whole, and about its virtual hosts.

use std::net::IpAddr;

use samsvar_actors::transport::amqp::contract::EXCHANGE;

use super::super::snapshot::{Snapshot, Storage};
use super::{DEVELOPMENT, Expected, of_places, shown};

/// Listeners that carry no messages: statistics.
const WITHOUT_MESSAGES: [&str; 2] = ["http/prometheus", "https/prometheus"];
/// How RabbitMQ's own nodes and tools talk to each other.
const CLUSTERING: &str = "clustering";
const SHOVEL: &str = "rabbitmq_shovel";
const SHOVEL_MANAGEMENT: &str = "rabbitmq_shovel_management";

/// Passwords that stand in the repository.
pub(super) fn development(snapshot: &Snapshot, _: &Expected, find: &mut dyn FnMut(String)) {
    if snapshot.user.has_tag(DEVELOPMENT) {
        find(format!(
            "user {} has the tag {DEVELOPMENT}: passwords are those of the repository, and that \
             parties share a virtual host is not looked at",
            shown(&snapshot.user.name)
        ));
    }
}

/// From 3.12 on classic queues write waiting messages to the data directory, also transient ones.
pub(super) fn storage(snapshot: &Snapshot, _: &Expected, find: &mut dyn FnMut(String)) {
    for node in snapshot.nodes.iter().flatten() {
        let name = shown(&node.name);
        match (&node.storage, &node.db_dir) {
            (Storage::Memory, _) => {}
            (Storage::Swappable, _) => find(format!(
                "the data directory of {name} lies in memory that may be written to swap: switch \
                 swap off, or mount it with noswap"
            )),
            (Storage::Disk(kind), _) => find(format!(
                "the data directory of {name} lies on {}, not on tmpfs: waiting messages may be \
                 written to disk",
                shown(kind)
            )),
            (Storage::Unseen, Some(_)) => find(format!(
                "not seen: whether the data directory of {name} lies on tmpfs (it is on another \
                 machine, or in a container)"
            )),
            (Storage::Unseen, None) => find(format!(
                "not seen: the data directory of {name} (no statistics yet: ask again)"
            )),
        }
    }
}

/// Messages in clear on a network.
pub(super) fn listeners(snapshot: &Snapshot, _: &Expected, find: &mut dyn FnMut(String)) {
    let clustered = snapshot.nodes.iter().flatten().count() > 1;
    for listener in snapshot.overview.listeners.iter().flatten() {
        let (protocol, address) = (listener.protocol.as_str(), listener.address());
        let tls = protocol.ends_with("/ssl") || protocol.starts_with("https");
        let within = address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        if tls || within || WITHOUT_MESSAGES.contains(&protocol) {
            continue;
        }
        let (shown_protocol, address, port) = (shown(protocol), shown(address), listener.port);
        if protocol != CLUSTERING {
            find(format!(
                "plain-text listener: {shown_protocol} on {address} port {port}"
            ));
        } else if clustered {
            find(format!(
                "not seen: whether the cluster's own connections ({address} port {port}) are TLS"
            ));
        }
    }
}

/// The firehose publishes a copy of every message.
pub(super) fn tracing(snapshot: &Snapshot, expected: &Expected, find: &mut dyn FnMut(String)) {
    for vhost in snapshot.vhosts.iter().flatten() {
        if vhost.tracing && expected.vhosts.contains_key(&vhost.name) {
            let name = shown(&vhost.name);
            find(format!(
                "tracing (firehose) is on in virtual host {name}: every message is copied"
            ));
        }
    }
}

/// A shovel reads from any virtual host that it has a password for, so each one counts.
pub(super) fn shovels(snapshot: &Snapshot, _: &Expected, find: &mut dyn FnMut(String)) {
    for shovel in snapshot.shovels.iter().flatten() {
        let (name, vhost) = (shown(&shovel.name), shown(&shovel.vhost));
        find(format!(
            "shovel {name} (virtual host {vhost}) may move messages elsewhere"
        ));
    }
    let told = snapshot.shovels.iter().flatten();
    let told: Vec<_> = told.map(|one| (&one.vhost, &one.name)).collect();
    for parameter in snapshot.parameters.iter().flatten() {
        if parameter.component == "shovel" && !told.contains(&(&parameter.vhost, &parameter.name)) {
            let (name, vhost) = (shown(&parameter.name), shown(&parameter.vhost));
            find(format!(
                "shovel {name} (virtual host {vhost}) may move messages elsewhere"
            ));
        }
    }
    for node in snapshot.nodes.iter().flatten() {
        let plugins = node.enabled_plugins.as_deref().unwrap_or_default();
        let has = |name: &str| plugins.iter().any(|plugin| plugin == name);
        if has(SHOVEL) && !has(SHOVEL_MANAGEMENT) {
            let name = shown(&node.name);
            find(format!(
                "not seen: static shovels of {name} ({SHOVEL} is enabled and \
                 {SHOVEL_MANAGEMENT} is not)"
            ));
        }
    }
}

/// Upstreams: a policy away from copying what one broker publishes to another.
pub(super) fn federation(snapshot: &Snapshot, _: &Expected, find: &mut dyn FnMut(String)) {
    for parameter in snapshot.parameters.iter().flatten() {
        if parameter.component.starts_with("federation") {
            let (name, vhost) = (shown(&parameter.name), shown(&parameter.vhost));
            let component = shown(&parameter.component);
            find(format!(
                "{component} {name} (virtual host {vhost}) may copy messages between brokers"
            ));
        }
    }
}

/// The node declares its queues without a type.
pub(super) fn default_queue_type(
    snapshot: &Snapshot,
    expected: &Expected,
    find: &mut dyn FnMut(String),
) {
    for vhost in snapshot.vhosts.iter().flatten() {
        let kind = vhost.default_queue_type.as_deref();
        if expected.vhosts.contains_key(&vhost.name)
            && let Some(kind @ ("quorum" | "stream")) = kind
        {
            let name = shown(&vhost.name);
            find(format!(
                "virtual host {name} makes queues of type {kind} by default, which store every \
                 message on disk"
            ));
        }
    }
}

/// The right to answer reaches every queue and reply address of a virtual host.
pub(super) fn shared_vhosts(
    snapshot: &Snapshot,
    expected: &Expected,
    find: &mut dyn FnMut(String),
) {
    if snapshot.user.has_tag(DEVELOPMENT) {
        return;
    }
    for (vhost, parties) in &expected.vhosts {
        if parties.len() > 1 {
            find(shared(vhost, parties));
        }
    }
    for (vhost, queues) in of_places(snapshot, |place| &place.queues) {
        let own = expected.queues(vhost);
        for queue in queues {
            let is_own = own.iter().any(|(name, _)| *name == queue.name);
            if !is_own && !queue.exclusive.unwrap_or(false) {
                let (vhost, name) = (shown(vhost), shown(&queue.name));
                find(format!(
                    "virtual host {vhost} holds a queue that is none of {EXCHANGE}'s parties \
                     here: {name}"
                ));
            }
        }
    }
}

/// The words for parties in one virtual host.
pub(in super::super) fn shared(vhost: &str, parties: &[shs_schemas::Uppgiftslamnare]) -> String {
    let codes: Vec<_> = parties.iter().map(|ul| ul.kod()).collect();
    format!(
        "{} share virtual host {}: each may write to the others' queues and answer in their name",
        codes.join(" "),
        shown(vhost)
    )
}
