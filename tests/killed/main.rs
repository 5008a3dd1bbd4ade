//! The node is killed, again and again, while everybody sends, fetches and acknowledges.
//!
//! **The promise** (design 9): a message that was answered 202 comes to its end although nothing of it was
//! stored: its sender has the reply, its receiver has it, or its sender is told by an error message,
//! whenever the node dies. Both only when the reply had left and its note had not come to the ledger. The
//! ledger stays whole.
//!
//! **The fault** is SIGKILL, and now and then SIGTERM with too short a drain time. The kernel keeps what
//! a killed process has written, so this **cannot** show that a note is on disk when the power fails: that
//! fsync is waited for is shown where the ledger is tested. RabbitMQ and the simulated authorities
//! outlive the node: what their deaths cost is shown elsewhere.
//!
//! The seed is printed; `SAMSVAR_KILL_SEED` sets it and `SAMSVAR_KILLS` the number of kills. A seed
//! repeats what is drawn, not what the scheduler does. Everything runs in real time, because the clock of
//! another process cannot be paused.

#![allow(
    unreachable_pub,
    dead_code,
    reason = "what several test binaries share"
)]
#![allow(clippy::print_stderr, reason = "figures, shown with --nocapture")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::disallowed_methods,
    reason = "real time: the test waits for processes"
)]

mod deaths;
mod draw;
mod every_sender_learns_the_end;
mod figures;
mod letters;
mod lines;
mod lives;
mod mailboxes;
mod other_nodes;
mod record;
mod senders;
mod stage;
mod verdict;

#[path = "../interop/avtal.rs"]
mod avtal;
#[path = "../support/next_node.rs"]
mod next_node;
#[path = "../with_rabbitmq/process.rs"]
mod process;
#[path = "../support/rabbitmq.rs"]
mod rabbitmq;
