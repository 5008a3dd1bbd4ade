//! Mutual TLS (shs-1.2, 5.1 and 7.6; ): who is let in, who counts as whom, and what a
//! revocation or a new certificate changes while connections are open. Real handshakes throughout;
//! `curl_and_openssl` uses nothing of ours but the binary.

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
#[path = "../support/wire.rs"]
mod wire;

mod a_caller_is_whom_its_certificate_names;
mod a_new_file_counts_at_once;
mod a_terminator_speaks_for_its_callers;
mod curl_and_openssl;
mod echo;
mod only_certified_callers_get_in;
mod other_nodes_are_called_over_https;
mod pki;
