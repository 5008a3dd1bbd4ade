//! SSBTEK through both doors of the node, as a verksamhetssystem meets it: over real HTTP and TLS, with
//! a SOAP client that is not ours, and byte by byte where no client would send it. The authorities are
//! simulated in this process.

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
#[path = "../tls/pki.rs"]
mod pki;
#[path = "../support/sandbox.rs"]
mod sandbox;
#[path = "../support/soap.rs"]
mod soap;
#[path = "../support/wire.rs"]
mod wire;
#[path = "../support/zeep.rs"]
mod zeep;

mod a_foreign_soap_client_reads_everything;
mod faults_are_as_the_contract_has_them;
mod read_by_zeep;
mod the_shs_door_answers_in_kind;
mod who_may_ask_by_soap;
mod whoever_answers_zeep_reads_it;
mod withheld_and_noted;
