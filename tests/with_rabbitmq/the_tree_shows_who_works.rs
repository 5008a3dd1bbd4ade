//! `samsvar tree` from a second process: every actor, and the requests of this moment.

use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use shs_schemas::Uppgiftslamnare;

use crate::ask::Caller;
use crate::process::{Process, run, samsvar};
use crate::stage::{Node, Place, authorities};

const OPEN: u32 = 3;

fn tree(node: &Node, arguments: &[&str]) -> Command {
    let mut command = samsvar();
    command
        .args(["tree", "--admin", &node.admin])
        .args(arguments);
    command
}

#[test]
fn while_slow_questions_are_open() {
    let Some(place) = Place::take() else { return };
    let node = Node::start(&place, &[]);
    let _authorities = authorities(&place, "simulator", &["--alla", "--latency", "5s"], 16);
    let caller = Caller::new();
    caller.until_all_give_data(&node);
    let open = caller.begin(&node, OPEN as usize);
    caller.until_open(&node, OPEN);

    let output = run(&mut tree(&node, &[]));
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let dispatchers = Uppgiftslamnare::all().map(|ul| format!("dispatcher-{ul}"));
    let names = [
        "supervisor",
        "ingress-0",
        "ingress-1",
        "egress-0",
        "egress-1",
    ];
    for name in names.map(str::to_owned).into_iter().chain(dispatchers) {
        assert!(text.contains(&name), "{name} is missing:\n{text}");
    }
    assert!(
        text.starts_with("samsvar-test over amqp: 3 open requests"),
        "{text}"
    );

    let output = run(&mut tree(&node, &["--json"]));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["open_requests"], OPEN);
    let actors = json["actors"].as_array().unwrap();
    let of_kind = |kind: &str| actors.iter().filter(|actor| actor["kind"] == kind).count();
    assert_eq!(of_kind("supervisor"), 1);
    assert_eq!(of_kind("dispatcher"), 8);
    assert_eq!(of_kind("ingress"), 2);
    assert_eq!(of_kind("egress"), 2);
    assert_eq!(of_kind("aggregator"), OPEN as usize);
    let in_flight = |actor: &&Value| actor["kind"] == "dispatcher" && actor["in_flight"] == OPEN;
    assert_eq!(actors.iter().filter(in_flight).count(), 8, "{json:#}");

    let mut watch = Process::start(&mut tree(&node, &["--watch"]));
    watch
        .out
        .find(|line| line.starts_with("\x1b[2J\x1b[H").then_some(()));
    watch
        .out
        .find(|line| line.contains("dispatcher-TNS").then_some(()));
    watch.signal(Signal::INT);
    watch.wait();
    drop(open);
}

#[test]
fn and_says_plainly_that_there_is_no_node() {
    let mut command = samsvar();
    // Nothing listens on port 1.
    let output = run(command.args(["tree", "--admin", "http://127.0.0.1:1"]));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("127.0.0.1:1"), "{said}");
}
