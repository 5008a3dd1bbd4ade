//! The node as an SHS node, over real HTTP: every error code it raises, error messages and
//! confirmations, duplicates, what is kept and what is passed on (shs-1.2, 5 to 7). Each module is a
//! promise, each test a sentence about it.

#![allow(
    unreachable_pub,
    dead_code,
    reason = "what several test binaries share"
)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../behaviour/log.rs"]
mod log;
#[path = "../support/next_node.rs"]
mod next_node;
#[path = "../tls/pki.rs"]
mod pki;
#[path = "../support/sandbox.rs"]
mod sandbox;
#[path = "../support/wire.rs"]
mod wire;
#[path = "../support/xmllint.rs"]
mod xmllint;

mod a_duplicate_is_taken_once;
mod administrative_messages_are_matched;
mod each_message_has_one_end;
mod errors_after_the_answer;
mod errors_before_the_answer;
mod errors_of_load;
mod exchange;
mod malformed_messages_leave_nothing;
mod messages_are_relayed_and_kept;
mod promises_outlive_a_crash;
mod rig;
mod told;
