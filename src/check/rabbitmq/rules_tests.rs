//! Each rule: a RabbitMQ as it should be, and one thing changed.

use serde_json::{Value, json};

use super::super::snapshot::{Overview, Storage, User};
use super::*;

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn expected() -> Expected {
    let place = |vhost: &str, ul| (vhost.to_owned(), vec![ul]);
    Expected {
        vhosts: [
            place("af", Uppgiftslamnare::AF),
            place("csn", Uppgiftslamnare::CSN),
        ]
        .into(),
        ttl_longest: Duration::from_millis(25_500),
        length_max: 1_000,
    }
}

fn queue(key: &str) -> Value {
    json!({
        "name": format!("samsvar.fraga.{key}"), "type": "classic", "durable": true,
        "exclusive": false, "arguments": {}, "messages_persistent": 0,
        "effective_policy_definition":
            {"message-ttl": 25_500, "max-length": 1_000, "overflow": "reject-publish"},
    })
}

fn binding(key: &str) -> Value {
    json!({"destination": format!("samsvar.fraga.{key}"), "destination_type": "queue",
           "routing_key": key})
}

fn place(kod: &str) -> Place {
    let test = format!("test.{kod}");
    Place {
        exchanges: Ok(read(json!([
            {"name": "", "type": "direct", "arguments": {}},
            {"name": "amq.fanout", "type": "fanout", "arguments": {"alternate-exchange": "x"}},
            {"name": "samsvar.fraga", "type": "direct", "arguments": {}},
        ]))),
        queues: Ok(read(json!([queue(kod), queue(&test)]))),
        bindings: Ok(read(json!([binding(kod), binding(&test)]))),
        consumers: Ok(read(json!([consumer(kod, "ul", false)]))),
    }
}

fn consumer(key: &str, user: &str, ack_required: bool) -> Value {
    json!({"queue": {"name": format!("samsvar.fraga.{key}"), "vhost": "af"},
           "ack_required": ack_required, "channel_details": {"user": user}})
}

/// A RabbitMQ that keeps nothing.
fn good() -> Snapshot {
    let user: User = read(json!({"name": "inspector", "tags": ["monitoring", "policymaker"]}));
    let overview: Overview = read(json!({
        "rabbitmq_version": "4.1.0",
        "listeners": [
            {"protocol": "amqp/ssl", "ip_address": "::", "port": 5671, "socket_opts": {}},
            {"protocol": "amqp", "ip_address": "127.0.0.1", "port": 5672, "socket_opts": []},
            {"protocol": "http", "ip_address": "::", "port": 15672,
             "socket_opts": {"ip": "127.0.0.1"}},
            {"protocol": "https", "ip_address": "::", "port": 15671},
            {"protocol": "http/prometheus", "ip_address": "::", "port": 15692},
            {"protocol": "clustering", "ip_address": "::", "port": 25672},
        ],
    }));
    let mut nodes: Vec<super::super::snapshot::Node> = read(json!([
        {"name": "rabbit@a", "db_dir": "/var/lib/rabbitmq", "enabled_plugins": ["rabbitmq_management"]},
    ]));
    nodes[0].storage = Storage::Memory;
    Snapshot {
        user,
        overview,
        nodes: Ok(nodes),
        vhosts: Ok(read(json!([
            {"name": "af", "tracing": false, "default_queue_type": "undefined"},
            {"name": "csn", "tracing": false, "default_queue_type": "classic"},
            {"name": "elsewhere", "tracing": true, "default_queue_type": "quorum"},
        ]))),
        policies: Ok(read(json!([
            {"vhost": "elsewhere", "name": "ae", "definition": {"alternate-exchange": "x"}},
        ]))),
        parameters: Ok(read(
            json!([{"component": "other", "vhost": "af", "name": "x"}]),
        )),
        shovels: Ok(Vec::new()),
        places: [
            ("af".to_owned(), place("AF")),
            ("csn".to_owned(), place("CSN")),
        ]
        .into(),
    }
}

/// What is found after one change, `rule: text` each.
fn found(change: impl FnOnce(&mut Snapshot)) -> Vec<String> {
    let mut snapshot = good();
    change(&mut snapshot);
    let findings = judge(&snapshot, &expected());
    let told = |Finding { rule, text }: Finding| format!("{rule}: {text}");
    findings.into_iter().map(told).collect()
}

/// The only thing that is found after one change.
#[track_caller]
fn one(change: impl FnOnce(&mut Snapshot), rule: &str, part: &str) {
    let found = found(change);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("{rule}: ")), "{found:?}");
    assert!(found[0].contains(part), "{found:?}");
}

fn af(snapshot: &mut Snapshot) -> &mut Place {
    snapshot.places.get_mut("af").unwrap()
}

/// Changes the queue samsvar.fraga.AF.
fn in_queue(field: &str, value: Value) -> impl FnOnce(&mut Snapshot) + use<> {
    let mut changed = queue("AF");
    changed[field] = value;
    move |snapshot| af(snapshot).queues.as_mut().unwrap()[0] = read(changed)
}

/// Changes one value of the policies that reach it; `null` takes it away.
fn in_policy(name: &str, value: Value) -> impl FnOnce(&mut Snapshot) + use<> {
    let mut policy = queue("AF")["effective_policy_definition"].clone();
    match value {
        Value::Null => drop(policy.as_object_mut().unwrap().remove(name)),
        value => policy[name] = value,
    }
    in_queue("effective_policy_definition", policy)
}

#[test]
fn a_rabbitmq_that_keeps_nothing_is_not_warned_of() {
    assert_eq!(found(|_| {}), Vec::<String>::new());
}

#[test]
fn names_of_rules_differ() {
    let names: std::collections::BTreeSet<_> = RULES.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), RULES.len());
}

#[test]
fn the_data_directory_lies_on_tmpfs_that_is_never_swapped_out() {
    let on = |storage: Storage| {
        move |snapshot: &mut Snapshot| snapshot.nodes.as_mut().unwrap()[0].storage = storage
    };
    one(
        on(Storage::Disk("ext4".into())),
        "storage",
        "lies on ext4, not on tmpfs",
    );
    one(on(Storage::Swappable), "storage", "may be written to swap");
    one(
        on(Storage::Unseen),
        "storage",
        "not seen: whether the data directory",
    );
    let untold = |snapshot: &mut Snapshot| {
        let node = &mut snapshot.nodes.as_mut().unwrap()[0];
        (node.storage, node.db_dir) = (Storage::Unseen, None);
    };
    one(untold, "storage", "no statistics yet");
}

#[test]
fn plain_listeners_are_for_this_machine_only() {
    let with = |listener: Value| {
        move |snapshot: &mut Snapshot| {
            snapshot
                .overview
                .listeners
                .as_mut()
                .unwrap()
                .push(read(listener));
        }
    };
    for (protocol, address) in [
        ("amqp", "::"),
        ("amqp", "10.0.0.1"),
        ("mqtt", "0.0.0.0"),
        ("http", "::"),
    ] {
        let listener = json!({"protocol": protocol, "ip_address": address, "port": 1234});
        let part = format!("plain-text listener: {protocol} on {address} port 1234");
        one(with(listener), "listener", &part);
    }
    let http = json!({"protocol": "http", "ip_address": "127.0.0.1", "port": 1,
                      "socket_opts": {"ip": "10.0.0.1"}});
    one(with(http), "listener", "http on 10.0.0.1 port 1");
    one(
        |snapshot| snapshot.overview.listeners = None,
        "not-seen",
        "listeners",
    );
}

#[test]
fn connections_within_a_cluster_are_mentioned() {
    let second = |snapshot: &mut Snapshot| {
        let nodes = snapshot.nodes.as_mut().unwrap();
        nodes.push(nodes[0].clone());
    };
    one(
        second,
        "listener",
        "not seen: whether the cluster's own connections (:: port 25672)",
    );
}

#[test]
fn tracing_and_another_kind_of_queue_by_default_are_found_where_the_parties_are() {
    let vhosts = |snapshot: &mut Snapshot| snapshot.vhosts.clone().unwrap();
    let tracing = |snapshot: &mut Snapshot| {
        let mut all = vhosts(snapshot);
        all[0].tracing = true;
        snapshot.vhosts = Ok(all);
    };
    one(
        tracing,
        "tracing",
        "virtual host af: every message is copied",
    );
    let quorum = |snapshot: &mut Snapshot| {
        let mut all = vhosts(snapshot);
        all[1].default_queue_type = Some("quorum".into());
        snapshot.vhosts = Ok(all);
    };
    one(
        quorum,
        "default-queue-type",
        "virtual host csn makes queues of type quorum",
    );
}

#[test]
fn shovels_are_found_dynamic_static_and_stopped() {
    let parameter = json!([{"component": "shovel", "vhost": "af", "name": "s", "value": {"src-uri": "amqp://a:hemligt@b"}}]);
    let stopped = parameter.clone();
    one(
        |snapshot| snapshot.parameters = Ok(read(stopped)),
        "shovel",
        "shovel s (virtual host af)",
    );
    let both = |snapshot: &mut Snapshot| {
        snapshot.parameters = Ok(read(parameter));
        snapshot.shovels = Ok(read(
            json!([{"name": "s", "vhost": "af", "state": "running"}]),
        ));
    };
    one(both, "shovel", "shovel s (virtual host af)");
    let fixed = json!([{"name": "fixed", "type": "static"}]);
    one(
        |snapshot| snapshot.shovels = Ok(read(fixed)),
        "shovel",
        "shovel fixed",
    );
    let blind = |snapshot: &mut Snapshot| {
        snapshot.nodes.as_mut().unwrap()[0].enabled_plugins = Some(vec!["rabbitmq_shovel".into()]);
    };
    one(blind, "shovel", "not seen: static shovels of rabbit@a");
}

#[test]
fn federation_is_found_as_upstream_and_as_policy() {
    let upstream = json!([{"component": "federation-upstream", "vhost": "x", "name": "u"}]);
    one(
        |snapshot| snapshot.parameters = Ok(read(upstream)),
        "federation",
        "federation-upstream u",
    );
    one(
        in_policy("federation-upstream-set", json!("all")),
        "policy",
        "copied between brokers",
    );
}

#[test]
fn parties_share_no_virtual_host_outside_development() {
    let mut both = expected();
    let parties = vec![Uppgiftslamnare::AF, Uppgiftslamnare::CSN];
    both.vhosts = [("af".to_owned(), parties)].into();
    let mut snapshot = good();
    snapshot.places.remove("csn");
    let csn = [read(queue("CSN")), read(queue("test.CSN"))];
    af(&mut snapshot).queues.as_mut().unwrap().extend(csn);
    let texts = |snapshot: &Snapshot| -> Vec<String> {
        let findings = judge(snapshot, &both).into_iter();
        findings.map(|finding| finding.text).collect()
    };
    let found = texts(&snapshot);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("AF CSN share virtual host af: "),
        "{found:?}"
    );
    snapshot.user.tags = json!("monitoring, development");
    let found = texts(&snapshot);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("user inspector has the tag development"),
        "{found:?}"
    );
}

#[test]
fn a_queue_of_somebody_else_in_a_party_s_virtual_host_is_found() {
    let with = |exclusive: bool| {
        let mut other = queue("X");
        (other["name"], other["exclusive"]) = ("order".into(), exclusive.into());
        move |snapshot: &mut Snapshot| {
            af(snapshot).queues.as_mut().unwrap().push(read(other));
        }
    };
    one(with(false), "shared-vhost", "af holds a queue that is none");
    assert!(found(with(true)).is_empty());
}

#[test]
fn the_exchange_is_direct_without_arguments_and_without_an_alternate() {
    let with = |field: &str, value: Value| {
        let mut exchange = json!({"name": "samsvar.fraga", "type": "direct", "arguments": {}});
        exchange[field] = value;
        move |snapshot: &mut Snapshot| {
            af(snapshot).exchanges.as_mut().unwrap()[2] = read(exchange);
        }
    };
    one(with("type", json!("fanout")), "exchange", "of type fanout");
    one(
        with("arguments", json!({"x-delayed-type": "direct"})),
        "exchange",
        "x-delayed-type",
    );
    let argument = json!({"alternate-exchange": "x"});
    one(
        with("arguments", argument),
        "alternate-exchange",
        "in af has an alternate",
    );
    // A policy of the same name in another virtual host does not count.
    assert!(found(with("policy", json!("ae"))).is_empty());
    let policies =
        json!([{"vhost": "af", "name": "ae", "definition": {"alternate-exchange": "x"}}]);
    let by_policy = |snapshot: &mut Snapshot| {
        with("policy", json!("ae"))(snapshot);
        snapshot.policies = Ok(read(policies));
    };
    one(by_policy, "alternate-exchange", "in af has an alternate");
}

#[test]
fn a_question_goes_to_one_queue() {
    let with = |binding: Value| {
        move |snapshot: &mut Snapshot| {
            af(snapshot).bindings.as_mut().unwrap().push(read(binding));
        }
    };
    let second = json!({"destination": "kopia", "destination_type": "queue", "routing_key": "AF"});
    one(
        with(second),
        "binding",
        "routing key AF is copied to queue kopia in af",
    );
    let exchange = json!({"destination": "samsvar.fraga.AF", "destination_type": "exchange",
                          "routing_key": "AF"});
    one(
        with(exchange),
        "binding",
        "is copied to exchange samsvar.fraga.AF",
    );
    let crossed = json!({"destination": "samsvar.fraga.AF", "destination_type": "queue",
                         "routing_key": "test.AF"});
    one(
        with(crossed),
        "binding",
        "routing key test.AF is copied to queue samsvar.fraga.AF",
    );
    let stray = json!({"destination": "annan", "destination_type": "queue", "routing_key": "X"});
    one(
        with(stray),
        "binding",
        "routing key X would go to queue annan",
    );
}

#[test]
fn queues_are_classic_durable_unmirrored_and_without_arguments() {
    for kind in ["quorum", "stream"] {
        one(
            in_queue("type", json!(kind)),
            "queue-type",
            &format!("AF in af is of type {kind}"),
        );
    }
    one(
        in_queue("durable", json!(false)),
        "queue-type",
        "is not durable",
    );
    one(
        in_queue("slave_nodes", json!(["rabbit@b"])),
        "mirror",
        "is mirrored",
    );
    assert!(found(in_queue("slave_nodes", json!([]))).is_empty());
    assert!(found(in_queue("arguments", json!({"x-queue-type": "classic"}))).is_empty());
    for (argument, value, part) in [
        ("x-queue-mode", "lazy", "a lazy queue"),
        ("x-dead-letter-exchange", "", "dead-lettered"),
        ("x-overflow", "reject-publish-dlx", "dead-lettered"),
        ("x-max-priority", "5", "cannot declare it alike"),
    ] {
        let arguments = json!({ argument: value });
        one(in_queue("arguments", arguments), "queue-argument", part);
    }
}

#[test]
fn the_policy_bounds_time_and_number_and_refuses() {
    one(
        in_policy("message-ttl", Value::Null),
        "policy",
        "no policy sets message-ttl",
    );
    one(
        in_policy("message-ttl", json!(25_501)),
        "policy",
        "message-ttl 25501 keeps",
    );
    one(
        in_policy("message-ttl", json!("25500")),
        "policy",
        "no policy sets message-ttl",
    );
    assert!(found(in_policy("message-ttl", json!(12_000))).is_empty());
    one(
        in_policy("max-length", Value::Null),
        "policy",
        "no policy sets max-length",
    );
    one(
        in_policy("max-length", json!(1_001)),
        "policy",
        "max-length 1001 is above 1000",
    );
    one(
        in_policy("overflow", Value::Null),
        "policy",
        "no policy sets overflow",
    );
    one(
        in_policy("overflow", json!("drop-head")),
        "policy",
        "no policy sets overflow",
    );
    assert_eq!(
        found(in_queue("effective_policy_definition", json!([]))).len(),
        3
    );
    let unseen = in_queue("effective_policy_definition", Value::Null);
    one(unseen, "policy", "not seen: its policies");
}

#[test]
fn a_policy_that_stores_or_copies_is_found() {
    for (name, value, part) in [
        ("dead-letter-exchange", json!("dlx"), "dead-lettered"),
        ("queue-mode", json!("lazy"), "a lazy queue"),
        ("ha-mode", json!("all"), "mirrored"),
        ("expires", json!(1000), "none of samsvar's"),
    ] {
        one(in_policy(name, value), "policy", part);
    }
    assert!(found(in_policy("queue-mode", json!("default"))).is_empty());
    assert!(found(in_policy("queue-version", json!(2))).is_empty());
    let dlx = found(in_policy("overflow", json!("reject-publish-dlx")));
    assert_eq!(dlx.len(), 2, "{dlx:?}");
}

#[test]
fn the_same_fault_of_several_queues_is_one_finding() {
    let lazy = |snapshot: &mut Snapshot| {
        for queue in af(snapshot).queues.as_mut().unwrap() {
            queue.effective_policy_definition.as_mut().unwrap()["queue-mode"] = json!("lazy");
        }
    };
    one(
        lazy,
        "policy",
        "queue samsvar.fraga.AF samsvar.fraga.test.AF in af: policy queue-mode",
    );
}

#[test]
fn a_queue_that_is_not_there_has_policies_that_nobody_sees() {
    let gone = |snapshot: &mut Snapshot| drop(af(snapshot).queues.as_mut().unwrap().pop());
    one(gone, "policy", "not there yet in af: samsvar.fraga.test.AF");
}

#[test]
fn persistent_messages_that_wait_are_found() {
    one(
        in_queue("messages_persistent", json!(3)),
        "persistent",
        "holds 3 persistent messages",
    );
}

#[test]
fn consumers_forget_at_once_and_are_one_user_s() {
    let with = |user: &str, ack_required: bool| {
        let consumer = consumer("AF", user, ack_required);
        move |snapshot: &mut Snapshot| {
            af(snapshot)
                .consumers
                .as_mut()
                .unwrap()
                .push(read(consumer));
        }
    };
    assert!(found(with("ul", false)).is_empty());
    one(
        with("ul", true),
        "consumer",
        "has a consumer that acknowledges",
    );
    one(
        with("annan", false),
        "consumer",
        "is read by several users: annan, ul",
    );
    // The details are an empty list while a channel is not known any more.
    let unknown = |snapshot: &mut Snapshot| {
        let mut consumer = consumer("AF", "", false);
        consumer["channel_details"] = json!([]);
        af(snapshot)
            .consumers
            .as_mut()
            .unwrap()
            .push(read(consumer));
    };
    assert!(found(unknown).is_empty());
}

#[test]
fn what_could_not_be_looked_at_is_said_with_its_reason() {
    fn no<T>() -> Seen<T> {
        Err(Unseen("why".to_owned()))
    }
    let blind = |snapshot: &mut Snapshot| {
        (snapshot.nodes, snapshot.vhosts, snapshot.policies) = (no(), no(), no());
        (snapshot.parameters, snapshot.shovels) = (no(), no());
        *af(snapshot) = Place {
            exchanges: no(),
            queues: no(),
            bindings: no(),
            consumers: no(),
        };
    };
    let found = found(blind);
    assert_eq!(found.len(), 9, "{found:?}");
    for finding in &found {
        assert!(finding.starts_with("not-seen: not seen: "), "{finding}");
        assert!(finding.ends_with("(why)"), "{finding}");
    }
}

#[test]
fn names_from_rabbitmq_are_shown_bounded_and_without_control_characters() {
    let long = "å".repeat(200);
    assert_eq!(shown(&long).chars().count(), SHOWN_CHARS_MAX + 1);
    assert_eq!(shown("a\n\u{1b}[31mb"), "a\u{fffd}\u{fffd}[31mb");
    assert_eq!(shown("samsvar.fraga"), "samsvar.fraga");
}
