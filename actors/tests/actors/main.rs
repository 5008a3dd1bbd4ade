//! The actors one by one, at a paused clock: everything of a test runs on one thread, so time passes
//! only when nobody has anything left to do, and the figures of design 7 are exact.

#![allow(unreachable_pub, reason = "a test binary has no outside")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod answers_pass_unchanged;
mod any_mix_is_answered_once;
mod base64;
mod bastjanster_are_tested;
mod calls_end_once;
mod contract;
mod deadlines;
mod dispatcher;
mod insamling;
mod large_answers_pass_unchanged;
mod ledger;
mod logged;
mod node_rig;
mod promises;
mod questions;
mod relay;
mod relay_rig;
mod services;
mod sub_questions_are_apart;
mod supervision;

use std::time::Duration;

use samsvar_actors::ledger::GATHER;

/// Stops the clock of this thread.
fn paused() {
    tokio::time::pause();
}

/// Lets everybody do what there is to do now, the ledger its notes as well. Some milliseconds of paused time
/// pass.
async fn settle() {
    tokio::time::sleep(GATHER + Duration::from_millis(1)).await;
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
