//! The whole service with real parts: `samsvar serve` and `samsvar simulate` as processes, RabbitMQ,
//! curl, and an adapter in Python. What only such a run can show: that the parts fit, and what
//! happens when one of them is killed.
//!
//! Each test has a virtual host of its own on one RabbitMQ; tests that stop or block RabbitMQ have
//! one of their own. Ports are chosen by the kernel and read from the node's log. Everything runs
//! in real time: the clocks of other processes cannot be paused. What must take long takes the
//! shortest time that the settings allow.

#![allow(
    unreachable_pub,
    dead_code,
    reason = "what several test binaries share"
)]
#![allow(clippy::print_stderr, reason = "figures, shown with --nocapture")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::disallowed_methods,
    reason = "real time: these tests wait for processes"
)]

mod a_node_told_to_stop_answers_what_is_open;
mod a_question_sent_with_curl_is_answered;
mod a_soap_call_reaches_everybody_and_comes_back;
mod an_adapter_out_of_reach_fails_at_once;
mod an_adapter_that_misbehaves_changes_nothing_else;
mod ask;
mod process;
mod rabbitmq_may_go_away_and_come_back;
mod sealed_bodies_are_noise_to_rabbitmq;
mod stage;
mod test_messages_go_to_test_queues;
mod the_command_line_says_what_is_so;
mod the_tree_shows_who_works;
mod two_nodes_answer_side_by_side;

#[path = "../support/rabbitmq.rs"]
mod rabbitmq;
#[path = "../support/xmllint.rs"]
mod xmllint;
#[path = "../support/zeep.rs"]
mod zeep;
