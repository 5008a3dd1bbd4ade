//! What the node promises, over real HTTP and the in-process transport: each module is a promise,
//! each test a sentence about it. No RabbitMQ is needed.
//!
//! Figures of design 7 that would take long are proven at a paused clock in `actors/tests`; here
//! limits are shortened where the rule is tested and not its figure.

#![allow(unreachable_pub, reason = "a test binary has no outside")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/sandbox.rs"]
mod sandbox;
#[path = "../support/wire.rs"]
mod wire;
#[path = "../support/xmllint.rs"]
mod xmllint;

mod a_caller_that_hangs_up_is_forgotten;
#[cfg(debug_assertions)]
mod a_panic_costs_what_it_held;
mod asynchronous_messages_come_to_one_end;
mod authorities_are_asked_at_once;
mod bad_input_is_refused_once;
#[cfg(debug_assertions)]
mod chaos_leaves_nothing_behind;
mod connections_on_which_nothing_goes_on_are_cut;
mod content_stays_out_of_sight;
mod http_is_taken_as_it_comes;
mod kept;
mod log;
mod nobody_gets_anothers_answer;
mod overload_is_refused;
mod replies_are_valid;
mod silence_costs_its_own_part;
mod stopping_finishes_what_is_open;
mod the_ledger_tells_of_doors_and_lives;
mod the_ledger_tells_what_happened;
mod who_reads_the_ledger;
mod wrong_answers_change_nothing_else;
