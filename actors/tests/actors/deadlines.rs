//! The figures of design 7 and of, to the millisecond; and parties that come and go
//! while the node runs.

use std::time::Duration;

use samsvar_actors::deadline::{DeadlineSettings, Policy};
use samsvar_actors::dispatcher::DispatcherSettings;
use samsvar_actors::tally::OutcomeClass;
use shs_schemas::Uppgiftslamnare;

use crate::node_rig::{Reply, Rig};
use crate::{ms, paused, settle};

const SILENT: Uppgiftslamnare = Uppgiftslamnare::CSN;

fn assert_took(reply: &Reply, expected: Duration) {
    // Timers tick in milliseconds; nobody else takes any time here.
    let late = reply.took.saturating_sub(expected);
    assert!(reply.took >= expected, "{:?}", reply.took);
    assert!(late <= ms(5), "{:?} and not {expected:?}", reply.took);
}

/// How often each felkod stands in all parts together.
fn count(reply: &Reply, felkod: &str) -> usize {
    let element = format!("felkod>{felkod}<");
    let found = |text: &String| text.matches(&element).count();
    reply.documents.iter().map(found).sum()
}

/// D(n) - 1 s: 11 s, 12.5 s … 24.5 s.
#[actix::test]
async fn with_one_silent_party_the_reply_leaves_a_second_before_the_hard_limit() {
    paused();
    for persons in [1, 2, 3, 10] {
        let rig = Rig::with(DeadlineSettings::default(), |ul| {
            (ul != SILENT).then_some(ms(500))
        })
        .await;
        let reply = rig.ask(persons).await;
        let further = u64::try_from(persons - 1).unwrap();
        assert_took(&reply, ms(11_000 + 1_500 * further));
        assert_eq!(reply.documents.len(), persons);
        assert_eq!(count(&reply, "SSBT-TIMEOUT"), persons);
        // Of the seven others, two share an element.
        assert_eq!(count(&reply, "BT-SVAR"), persons * 6);
        assert_eq!(rig.node.tally().outcome(OutcomeClass::Partial), 1);
    }
}

#[actix::test]
async fn with_all_silent_there_is_still_one_reply_at_the_same_moment() {
    paused();
    let rig = Rig::with(DeadlineSettings::default(), |_| None).await;
    let reply = rig.ask(1).await;
    assert_took(&reply, ms(11_000));
    assert_eq!(count(&reply, "SSBT-TIMEOUT"), 7, "one for each element");
    settle().await;
    assert_eq!(rig.node.load().open(), 0);
}

#[actix::test]
async fn when_all_have_answered_nobody_waits() {
    paused();
    let rig = Rig::with(DeadlineSettings::default(), |_| Some(ms(10_999))).await;
    assert_took(&rig.ask(1).await, ms(10_999));
    let rig = Rig::with(DeadlineSettings::default(), |_| Some(ms(700))).await;
    assert_took(&rig.ask(10).await, ms(700));
    assert_eq!(rig.node.tally().outcome(OutcomeClass::Answered), 1);
}

#[actix::test]
async fn an_answer_a_moment_too_late_is_a_timeout() {
    paused();
    let rig = Rig::with(DeadlineSettings::default(), |_| Some(ms(11_030))).await;
    let reply = rig.ask(1).await;
    assert_took(&reply, ms(11_000));
    assert_eq!(count(&reply, "SSBT-TIMEOUT"), 7);
}

async fn budget() -> Rig {
    let settings = DeadlineSettings {
        policy: Policy::Budget { share_max: 0.10 },
        ..DeadlineSettings::default()
    };
    Rig::with(settings, |ul| (ul != SILENT).then_some(ms(500))).await
}

#[actix::test]
async fn policy_budget_waits_on_to_the_hard_limit_while_few_answers_are_slow() {
    paused();
    let rig = budget().await;
    for _ in 0..100 {
        rig.node.deadlines().note_answered(1, ms(500));
    }
    assert_took(&rig.ask(1).await, ms(11_000));
}

#[actix::test]
async fn policy_budget_stops_a_second_before_the_promise_when_more_are_slow() {
    paused();
    let rig = budget().await;
    for number in 0..100 {
        let took = if number < 20 { ms(9_000) } else { ms(500) };
        rig.node.deadlines().note_answered(1, took);
    }
    assert_took(&rig.ask(1).await, ms(6_000));
    // One person more, a second and a half more.
    assert_took(&rig.ask(2).await, ms(7_500));
}

#[actix::test]
async fn policy_budget_gives_up_waiting_when_the_budget_is_used_up_meanwhile() {
    paused();
    let rig = budget().await;
    for _ in 0..9 {
        rig.node.deadlines().note_answered(1, ms(500));
    }
    let asking = rig.ask(1);
    let others = async {
        tokio::time::sleep(ms(8_100)).await;
        for _ in 0..5 {
            rig.node.deadlines().note_answered(1, ms(8_000));
        }
    };
    let (reply, ()) = tokio::join!(asking, others);
    // It looks again every quarter of a second, each time by a timer that ticks in milliseconds.
    assert!(
        reply.took >= ms(8_250) && reply.took < ms(8_275),
        "{:?}",
        reply.took
    );
}

#[actix::test]
async fn a_party_is_disconnected_and_connected_while_the_node_runs() {
    paused();
    let rig = Rig::with(DeadlineSettings::default(), |_| Some(ms(500))).await;
    assert_eq!(count(&rig.ask(1).await, "BT-SVAR"), 7);
    rig.node.disconnect(Uppgiftslamnare::AF);
    let reply = rig.ask(1).await;
    assert_eq!(count(&reply, "SSBT-EJ-ANSLUTEN"), 1);
    assert_eq!(count(&reply, "BT-SVAR"), 6);
    assert_eq!(rig.node.connected().len(), 7);
    rig.node
        .connect(Uppgiftslamnare::AF, DispatcherSettings::default());
    settle().await;
    assert_eq!(count(&rig.ask(1).await, "BT-SVAR"), 7);
}

#[actix::test]
async fn what_a_party_held_when_it_was_disconnected_ends_at_once_and_the_others_are_waited_for() {
    paused();
    let rig = Rig::with(DeadlineSettings::default(), |_| Some(ms(3_000))).await;
    let asking = rig.ask(1);
    let leaving = async {
        tokio::time::sleep(ms(1_000)).await;
        rig.node.disconnect(Uppgiftslamnare::AF);
        rig.node
            .connect(Uppgiftslamnare::AF, DispatcherSettings::default());
    };
    let (reply, ()) = tokio::join!(asking, leaving);
    assert_took(&reply, ms(3_000));
    assert_eq!(count(&reply, "SSBT-INTERNT-FEL"), 1);
    assert_eq!(count(&reply, "BT-SVAR"), 6);
    assert_eq!(count(&rig.ask(1).await, "BT-SVAR"), 7, "and it is back");
}
