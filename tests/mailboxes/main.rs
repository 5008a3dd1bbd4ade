//! The mailboxes of a whole node, as a process with a ledger on disk: what its memory does when many
//! messages have come and gone, and what happens when there is room for no more. Real time; no RabbitMQ.

#![allow(
    unreachable_pub,
    dead_code,
    reason = "what several test binaries share"
)]
#![allow(clippy::print_stderr, reason = "figures, shown with --nocapture")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::disallowed_methods,
    reason = "real time: these tests wait for a process"
)]

#[path = "../with_rabbitmq/process.rs"]
mod process;

mod a_full_mailbox_refuses_and_loses_nothing;
mod acknowledged_messages_give_their_memory_back;
mod rig;
