//! The contract of a transport (`samsvar_actors::transport`), held against both implementations.
//!
//! Every behaviour is written once (`behaviours.rs`) and runs on the in-process transport and on
//! RabbitMQ, with bodies in clear and sealed; `on_rabbitmq.rs` holds what only a broker can do. Each test on RabbitMQ has a virtual
//! host of its own, and reaches it through a proxy that can be cut.

#![allow(unreachable_pub, reason = "a test binary has no outside")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod amqp_rig;
mod behaviours;
mod ear;
mod idle_connections_are_rinsed;
mod in_process_rig;
mod on_rabbitmq;
#[path = "../support/rabbitmq.rs"]
mod rabbitmq;
mod rig;
mod sealed_rig;
mod vhosts;

/// Runs a behaviour to its end, and fails if there is none.
fn run(behaviour: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let limit = std::time::Duration::from_mins(2);
    let ended = runtime.block_on(async { tokio::time::timeout(limit, behaviour).await });
    runtime.shutdown_background();
    ended.expect("the behaviour comes to an end");
}

/// The same for one that needs RabbitMQ, unless that is to be skipped.
fn run_on_rabbitmq(behaviour: impl Future<Output = ()>) {
    if vhosts::broker().is_some() {
        run(behaviour);
    }
}

macro_rules! on_both_transports {
    (in clear: $($in_clear:ident)*; sealed, too: $($too:ident)*) => {
        mod in_process {
            use crate::{behaviours, in_process_rig::InProcessRig, run};
            on_both_transports!(@ run, InProcessRig, $($in_clear)* $($too)*);
        }

        mod amqp {
            use crate::{amqp_rig::AmqpRig, behaviours, run_on_rabbitmq};
            on_both_transports!(@ run_on_rabbitmq, AmqpRig, $($in_clear)* $($too)*);
        }

        mod in_process_sealed {
            use crate::{behaviours, in_process_rig::InProcessRig, run, sealed_rig::SealedRig};
            on_both_transports!(@ run, SealedRig<InProcessRig>, $($too)*);
        }

        mod amqp_sealed {
            use crate::{amqp_rig::AmqpRig, behaviours, run_on_rabbitmq, sealed_rig::SealedRig};
            on_both_transports!(@ run_on_rabbitmq, SealedRig<AmqpRig>, $($too)*);
        }
    };
    (@ $run:ident, $rig:ty, $($behaviour:ident)*) => {
        $(#[test]
        fn $behaviour() {
            $run(behaviours::$behaviour::<$rig>());
        })*
    };
}

on_both_transports! {
    in clear:
    // Sealed, a party says it in its answer's element: a `fel.v1` would say it to everybody.
    a_failure_arrives_with_its_code_and_texts;
    sealed, too:
    a_question_arrives_whole_and_its_answer_comes_back
    an_answer_given_twice_arrives_twice
    a_late_answer_is_passed_on
    an_answer_under_another_correlation_id_is_passed_on
    garbage_is_passed_on_as_it_came
    an_answer_of_another_type_is_unreadable
    silence_is_met_with_silence
    without_a_queue_a_question_is_refused_at_once
    without_a_consumer_the_dispatcher_is_told_so
    a_waiting_question_is_answered_when_the_party_returns
    a_question_that_expired_is_never_asked
    a_full_queue_refuses_the_next_question
    a_broker_that_goes_away_takes_what_was_outstanding_with_it
    a_broker_that_comes_back_is_used_again
    a_line_that_opens_without_a_broker_comes_up_with_it
    production_and_test_go_to_their_own_queues
    big_and_empty_bodies_pass
    hundreds_of_questions_at_once_are_each_answered_once
    two_lines_never_hear_each_others_answers
    a_dropped_line_falls_silent
    a_line_opened_again_takes_over
}
