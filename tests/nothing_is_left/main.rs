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
mod proof;
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
