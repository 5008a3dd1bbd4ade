//! The SHS directory on a real LDAP server: what only such a run can show. The entries are those of
//! `schema/entries.ldif`, the schema is written from shs-1.2, 8.2 and 8.3.
//!
//! Tests that stop the server have one of their own. Everything runs in real time: the clock of
//! another process cannot be paused.

#![cfg(feature = "ldap")]
#![allow(unreachable_pub, reason = "what several test binaries share")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::disallowed_methods,
    reason = "real time: these tests wait for a process"
)]

mod a_directory_that_is_away_stops_nobody;
mod a_server_that_is_none_is_told_apart;
mod a_value_stays_a_value;
mod check_says_whether_it_answers;
mod every_look_up_finds_its_entry;
mod rig;
mod what_is_wrong_is_said_once;
mod who_asks_and_over_what;

#[path = "../support/slapd.rs"]
mod slapd;
