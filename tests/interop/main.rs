//! Two nodes and more: what happens between samsvar nodes, and between one and the directory (shs-1.2,
//! 5.6 to 8), and the interoperability checks of shs-1.2, 11, each under its number. Real HTTP, real
//! handshakes, a real directory.

#![allow(
    unreachable_pub,
    dead_code,
    reason = "what several test binaries share"
)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::disallowed_methods,
    reason = "real time: some tests wait for processes"
)]

#[path = "../behaviour/log.rs"]
mod log;
#[path = "../with_rabbitmq/process.rs"]
mod process;
#[path = "../support/sandbox.rs"]
mod sandbox;
#[path = "../support/slapd.rs"]
mod slapd;
#[path = "../support/wire.rs"]
mod wire;

mod added_checks;
mod avtal;
mod certificates;
mod directory_comes_and_goes;
mod file_names_survive;
mod large_messages;
mod letter;
mod other_node;
mod rig;
mod tolerance_table;
mod ts41_asynchronous;
mod ts42_synchronous;
mod ts43_published;
mod two_nodes;
