//! Content stays in lapin's ring buffers until something else is written over it: an idle connection
//! writes zeros over it, once, and nobody notices (design 8.2).

use std::time::Duration;

use lapin::options::QueueBindOptions;
use lapin::types::FieldTable;
use samsvar_actors::transport::amqp::contract::{EXCHANGE, RINSE_KEY, queue_name};
use samsvar_actors::transport::{AnswerContent, Traffic};
use tokio::time::{Instant, sleep, timeout};

use crate::amqp_rig::AmqpRig;
use crate::ear::{Ear, open_and_wait};
use crate::rig::{AF, CSN, Reach, Rig, echo, question, question_for, silent};
use crate::{run_on_rabbitmq, vhosts};

/// Idle for so long means rinsed.
const AFTER: Duration = Duration::from_millis(300);
/// Both of lapin's rings, at the frame size that RabbitMQ proposes (128 KiB).
const RING: u64 = 32 * 128 * 1024;
/// Longest wait for a rinse on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough for several more rinses, if there were any.
const QUIET: Duration = Duration::from_millis(1_500);

async fn start(bastjanst: impl samsvar_actors::transport::Bastjanst) -> AmqpRig {
    let broker = vhosts::broker().expect("run_on_rabbitmq skips without one");
    AmqpRig::start_on(broker, vhosts::take(), bastjanst, |settings| {
        settings.rinse_after = AFTER;
    })
    .await
}

/// Waits until so many rinses are counted.
async fn rinsed(rig: &AmqpRig, count: u64) {
    let counts = rig.amqp.counts();
    let reached = async {
        while counts.rinsed() < count {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, reached).await.expect("it is rinsed");
}

/// Nothing was taken for what it is not.
fn nothing_is_stray(rig: &AmqpRig, ear: &Ear) {
    let counts = rig.amqp.counts();
    assert_eq!(counts.answers_of_nobody(), 0);
    assert_eq!(counts.answers_dropped(), 0);
    assert_eq!(counts.publishes_overdue(), 0);
    assert_eq!(counts.connections(), 1);
    assert_eq!(ear.downs, 0);
}

#[test]
fn once_after_each_traffic_both_ways_and_the_next_question_is_answered() {
    run_on_rabbitmq(async {
        let rig = start(echo()).await;
        let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
        sleep(QUIET).await;
        assert_eq!(rig.amqp.counts().rinsed(), 0, "nothing has passed");
        for round in 1..=2 {
            let sent = question("<fråga/>");
            line.send(sent.clone()).unwrap();
            let answer = ear.answer().await;
            assert_eq!(answer.corr_id, sent.corr_id);
            assert!(matches!(answer.content, AnswerContent::Svar(_)));
            let before = rig.proxy.passed();
            rinsed(&rig, round).await;
            for (before, now) in before.into_iter().zip(rig.proxy.passed()) {
                assert!(now - before >= RING, "{} bytes", now - before);
            }
            ear.hears_nothing_of_questions().await;
            sleep(QUIET).await;
            assert_eq!(rig.amqp.counts().rinsed(), round, "more than once");
        }
        nothing_is_stray(&rig, &ear);
    });
}

#[test]
fn not_while_a_question_is_open_but_once_nobody_waits_for_it() {
    run_on_rabbitmq(async {
        let rig = start(silent()).await;
        let (line, ear) = open_and_wait(rig.transport(), AF).await;
        let open_for = Duration::from_secs(2);
        let begun = Instant::now();
        line.send(question_for(open_for, "<fråga/>")).unwrap();
        rinsed(&rig, 1).await;
        assert!(begun.elapsed() >= open_for, "{:?}", begun.elapsed());
        nothing_is_stray(&rig, &ear);
    });
}

#[test]
fn not_while_another_line_of_the_connection_is_busy() {
    run_on_rabbitmq(async {
        let rig = start(echo()).await;
        let (idle, mut idle_ear) = open_and_wait(rig.transport(), AF).await;
        let (busy, mut busy_ear) = open_and_wait(rig.transport(), CSN).await;
        idle.send(question("<fråga/>")).unwrap();
        idle_ear.answer().await;
        let until = Instant::now() + AFTER * 6;
        let mut longest = Duration::ZERO;
        while Instant::now() < until {
            let asked = Instant::now();
            busy.send(question("<fråga/>")).unwrap();
            busy_ear.answer().await;
            sleep(AFTER / 10).await;
            longest = longest.max(asked.elapsed());
        }
        // On a machine so busy that the line fell idle in between, this says nothing.
        assert!(longest >= AFTER || rig.amqp.counts().rinsed() == 0);
        rinsed(&rig, 1).await;
        nothing_is_stray(&rig, &idle_ear);
    });
}

#[test]
fn a_question_that_came_back_is_rinsed_away_and_still_refused() {
    run_on_rabbitmq(async {
        let rig = start(echo()).await;
        let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
        rig.set_reach(AF, Reach::NoQueue).await;
        let sent = question_for(Duration::from_secs(30), "<fråga/>");
        let begun = Instant::now();
        line.send(sent.clone()).unwrap();
        assert_eq!(ear.refused().await.0, sent.corr_id);
        rinsed(&rig, 1).await;
        assert!(
            begun.elapsed() < Duration::from_secs(25),
            "nobody waits for it"
        );
        nothing_is_stray(&rig, &ear);
    });
}

#[test]
fn a_connection_that_cannot_be_rinsed_is_not_counted_and_goes_on_working() {
    run_on_rabbitmq(async {
        let rig = start(echo()).await;
        let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
        // Somebody takes the zeros: nothing comes back.
        let bound = rig.admin.channel.queue_bind(
            queue_name(Traffic::Test, CSN).into(),
            EXCHANGE.into(),
            RINSE_KEY.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        bound.await.unwrap();
        line.send(question("<fråga/>")).unwrap();
        ear.answer().await;
        sleep(QUIET).await;
        assert_eq!(rig.amqp.counts().rinsed(), 0);
        line.send(question("<fråga/>")).unwrap();
        ear.answer().await;
        nothing_is_stray(&rig, &ear);
    });
}
