//! All authorities are asked in parallel (issue 2, "Shows"; R-003). Real time passes, because real
//! time is what is promised here; these tests run alone.

use std::time::Duration;

use samsvar::adapter::behaviour::{Behaviour, Latency};
use samsvar::adapter::simulated::{EXEMPELPERSONER, SEED_DEFAULT};
use shs_schemas::Uppgiftslamnare;
use tokio::time::Instant;

use crate::sandbox::{DEMO, Gate, Sandbox, eventually, without_data};

const SLOW: Duration = Duration::from_secs(2);
const PROMISED: Duration = Duration::from_millis(2_500);

async fn everybody_slow() -> Sandbox {
    let slow = Behaviour::good(SEED_DEFAULT).with_latency(Latency::fixed(SLOW));
    Sandbox::new().all_behaving(&slow).alone().start().await
}

#[tokio::test]
async fn eight_that_take_two_seconds_each_are_answered_within_two_and_a_half() {
    let sandbox = everybody_slow().await;
    let started = Instant::now();
    let answered = sandbox.ask(DEMO).await.unwrap();
    let took = started.elapsed();
    assert_eq!(without_data(&answered), []);
    assert!(took >= SLOW && took < PROMISED, "{took:?}");
    assert!(sandbox.asked().spread() < Duration::from_millis(100));
}

#[tokio::test]
async fn so_are_eighty_sub_questions_about_ten_persons() {
    let sandbox = everybody_slow().await;
    let persons: Vec<_> = EXEMPELPERSONER.iter().map(|(number, _)| *number).collect();
    let started = Instant::now();
    let answered = sandbox.ask_about(&persons).await.unwrap();
    let took = started.elapsed();
    assert_eq!(answered.persons.len(), 10);
    assert_eq!(sandbox.asked().count(), 80);
    assert!(took >= SLOW && took < PROMISED, "{took:?}");
    let spread = sandbox.asked().spread();
    assert!(spread < Duration::from_millis(100), "{spread:?}");
}

#[tokio::test]
async fn one_that_is_stuck_delays_none_of_the_other_seven() {
    let gate = Gate::closed();
    let sandbox = Sandbox::new()
        .one_held_by(Uppgiftslamnare::AF, &gate)
        .start()
        .await;
    let asking = sandbox.ask(DEMO);
    let others = async {
        eventually("seven have answered", || sandbox.in_flight() == 1).await;
        gate.open();
    };
    let (answered, ()) = tokio::join!(asking, others);
    assert_eq!(without_data(&answered.unwrap()), []);
}
