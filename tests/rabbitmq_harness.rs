//! The tests' own RabbitMQ can be stopped, killed, started again and blocked, and it dies with its
//! owner. Fault tests rest on this.

#![allow(clippy::print_stdout, reason = "a child process tells its parent")]
#![allow(
    clippy::disallowed_methods,
    reason = "real time: it waits for a process"
)]

#[path = "support/rabbitmq.rs"]
mod rabbitmq;

use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rabbitmq::RabbitMq;

fn is_open(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[test]
fn it_comes_back_on_the_same_port_after_a_stop_and_after_a_kill() {
    let Some(mut node) = RabbitMq::start() else {
        return;
    };
    let (port, directory) = (node.port(), node.directory().to_owned());
    let queues = node.list_queues();
    node.stop();
    assert!(!is_open(port));
    node.start_again();
    assert_eq!(node.list_queues(), queues);
    node.kill();
    assert!(!is_open(port));
    node.start_again();
    assert_eq!(node.list_queues(), queues);
    node.set_memory_alarm(true);
    assert!(
        node.control(&["eval", "rabbit_alarm:get_alarms()."])
            .contains("memory")
    );
    node.set_memory_alarm(false);
    assert!(
        !node
            .control(&["eval", "rabbit_alarm:get_alarms()."])
            .contains("memory")
    );
    drop(node);
    assert!(!is_open(port));
    assert!(!directory.exists());
}

/// Run by the test below in a process of its own: leaves a node in a `static`, prints where it is,
/// and ends without dropping it.
#[test]
#[ignore = "only as a child process of the next test"]
fn leaves_a_node_behind() {
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    println!(
        "directory {} port {} end",
        node.directory().display(),
        node.port()
    );
}

#[test]
fn it_dies_with_a_process_that_never_drops_it() {
    let this = std::env::current_exe().unwrap();
    let child = Command::new(this)
        .args([
            "--exact",
            "leaves_a_node_behind",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(child.stdout).unwrap();
    let Some((directory, port)) = left_behind(&text) else {
        return assert!(text.contains("1 passed"), "skipped, else a node: {text}");
    };
    let gone = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        !is_open(port) && !directory.exists()
    });
    assert!(gone, "the node outlived its process");
}

fn left_behind(text: &str) -> Option<(PathBuf, u16)> {
    let (_, rest) = text.split_once("directory ")?;
    let (directory, rest) = rest.split_once(" port ")?;
    let (port, _) = rest.split_once(" end")?;
    Some((directory.into(), port.parse().ok()?))
}
