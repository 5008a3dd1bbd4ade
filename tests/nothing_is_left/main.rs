//! The proof from outside (design 8.3): questions and answers full of markers go through a node, and
//! afterwards no marker is anywhere.

#![cfg(target_os = "linux")]
#![allow(
    unreachable_pub,
    dead_code,
    reason = "what several test binaries share"
)]
#![allow(clippy::print_stderr, reason = "figures, shown with --nocapture")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::disallowed_methods,
    reason = "real time: these tests wait for processes"
)]

mod marker;
mod memory;
mod message;
mod needles;
mod places;
mod stage;
mod templates;
mod traffic;

#[path = "../support/next_node.rs"]
mod next_node;
#[path = "../tls/pki.rs"]
mod pki;
#[path = "../with_rabbitmq/process.rs"]
mod process;
#[path = "../support/rabbitmq.rs"]
mod rabbitmq;
#[path = "../support/wire.rs"]
mod wire;

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::next_node::NextNode;
use crate::stage::{Stage, Wanted};

/// From the last outcome to the search.
const SETTLES: Duration = Duration::from_millis(4500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_questions_leave_nothing_behind() {
    let next = NextNode::that_takes().await;
    let wanted = Wanted {
        tls: true,
        without: None,
        falls: None,
    };
    let many = std::env::var("MANY").map_or(1000, |many| many.parse().unwrap());
    let Some(mut stage) = Stage::set(wanted, next.url().as_str()).await else {
        return;
    };
    let begun = Instant::now();
    let (callers, outcomes) = traffic::ask(&mut stage, 0, many).await;
    eprintln!("asked in {:.1?}", begun.elapsed());
    let (_, taken) = traffic::empty_mailbox(&stage, 0).await;
    eprintln!(
        "{outcomes:#?}\n{taken} fetched, {} pushed, {:.1?}",
        next.posts(),
        begun.elapsed()
    );
    eprintln!("{}", stage.complaints());
    sleep(SETTLES).await;
    if std::env::var_os("KEEP").is_some() {
        let out = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!(
                "ss -tnp 2>/dev/null | grep 'pid={},' ; cat /proc/{}/maps > /tmp/node.maps",
                stage.node.id(),
                stage.node.id()
            ))
            .output()
            .unwrap();
        eprintln!(
            "port {} {}",
            stage.port,
            String::from_utf8_lossy(&out.stdout)
        );
    }
    let found = stage.search().await;
    callers.leave().await;
    let metrics = String::from_utf8(stage.page("/metrics").await).unwrap();
    for line in metrics.lines().filter(|line| {
        line.contains("ended_total")
            || line.contains("dropped")
            || line.contains("rinsed")
            || line.contains("avvikelser_total")
    }) {
        if !line.ends_with(" 0") {
            eprintln!("{line}");
        }
    }
    if std::env::var_os("KEEP").is_some() {
        std::fs::write("/tmp/node.log", stage.log()).unwrap();
    }
    assert!(found.is_empty(), "{}", places::report(&found));
}
