//! What every transport does, written once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use samsvar_actors::transport::{
    Answer, AnswerContent, LineEvent, Question, QuestionKind, Refusal, Traffic,
};
use shs_schemas::Sensitive;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::ear::{QUIET, open, open_and_wait};
use crate::rig::{
    AF, CSN, Reach, Rig, Scripted, Slow, body, echo, question, question_for, silent, svar,
};

/// Questions that a party's queue holds (policy `samsvar`).
const QUEUE_MAX: usize = 1_000;

pub async fn a_question_arrives_whole_and_its_answer_comes_back<R: Rig>() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let rig = R::start(Scripted(move |question: Question| {
        seen.lock().unwrap().push(question.clone());
        vec![svar(question.corr_id, "<ssbt:AF/>")]
    }))
    .await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    let sent = question("<fråga/>");
    line.send(sent.clone()).unwrap();
    let answer = ear.answer().await;
    assert_eq!(
        (answer.corr_id, body(&answer)),
        (sent.corr_id, &b"<ssbt:AF/>"[..])
    );
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1, "a question leaves at most once");
    assert_eq!(asked[0].corr_id, sent.corr_id);
    assert_eq!(asked[0].body.expose(), sent.body.expose());
    assert_eq!(asked[0].kind, QuestionKind::Fraga);
    assert_eq!(asked[0].traceparent, sent.traceparent);
    assert_eq!(
        asked[0].deadline.timestamp_millis(),
        sent.deadline.timestamp_millis()
    );
    assert!(asked[0].expires_in <= sent.expires_in);
}

pub async fn a_failure_arrives_with_its_code_and_texts<R: Rig>() {
    let rig = R::start(Scripted(|question: Question| {
        vec![Answer {
            corr_id: question.corr_id,
            content: AnswerContent::Fel {
                felkod: "BT-17".into(),
                felmeddelande: vec!["stängt".to_owned(), "åter i morgon".to_owned()].into(),
            },
        }]
    }))
    .await;
    let (line, mut ear) = open_and_wait(rig.transport(), CSN).await;
    line.send(question("x")).unwrap();
    match ear.answer().await.content {
        AnswerContent::Fel {
            felkod,
            felmeddelande,
        } => {
            assert_eq!(felkod, "BT-17");
            assert_eq!(felmeddelande.expose(), &["stängt", "åter i morgon"]);
        }
        other => panic!("not a failure: {other:?}"),
    }
}

pub async fn an_answer_given_twice_arrives_twice<R: Rig>() {
    let rig = R::start(Scripted(|q: Question| {
        vec![svar(q.corr_id, "ett"), svar(q.corr_id, "två")]
    }))
    .await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    let sent = question("x");
    line.send(sent.clone()).unwrap();
    let (first, second) = (ear.answer().await, ear.answer().await);
    assert_eq!(
        (first.corr_id, second.corr_id),
        (sent.corr_id, sent.corr_id)
    );
    assert_eq!(
        (body(&first), body(&second)),
        ("ett".as_bytes(), "två".as_bytes())
    );
}

pub async fn a_late_answer_is_passed_on<R: Rig>() {
    let rig = R::start(Slow(Duration::from_millis(500), Arc::new(echo()))).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    let sent = question_for(Duration::from_millis(200), "x");
    line.send(sent.clone()).unwrap();
    assert_eq!(ear.answer().await.corr_id, sent.corr_id);
}

pub async fn an_answer_under_another_correlation_id_is_passed_on<R: Rig>() {
    let other = Uuid::new_v4();
    let rig = R::start(Scripted(move |_| vec![svar(other, "x")])).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    line.send(question("x")).unwrap();
    assert_eq!(ear.answer().await.corr_id, other);
}

pub async fn garbage_is_passed_on_as_it_came<R: Rig>() {
    const GARBAGE: &[u8] = b"<<\0\xff\xfe&nbsp;]]>";
    let rig = R::start(Scripted(|q: Question| vec![svar(q.corr_id, GARBAGE)])).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    line.send(question("x")).unwrap();
    assert_eq!(body(&ear.answer().await), GARBAGE);
}

pub async fn an_answer_of_another_type_is_unreadable<R: Rig>() {
    let rig = R::start(Scripted(|q: Question| {
        vec![Answer {
            corr_id: q.corr_id,
            content: AnswerContent::of_another_type(),
        }]
    }))
    .await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    line.send(question("x")).unwrap();
    assert!(matches!(
        ear.answer().await.content,
        AnswerContent::Unreadable(_)
    ));
}

pub async fn silence_is_met_with_silence<R: Rig>() {
    let rig = R::start(silent()).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    line.send(question("x")).unwrap();
    ear.hears_nothing_of_questions().await;
}

pub async fn without_a_queue_a_question_is_refused_at_once<R: Rig>() {
    let rig = R::start(echo()).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    rig.set_reach(AF, Reach::NoQueue).await;
    let sent = question("x");
    let begun = Instant::now();
    let refusal = ear.refusal(line.send(sent.clone()), sent.corr_id).await;
    assert_eq!(refusal, Refusal::Unroutable);
    assert!(
        begun.elapsed() < Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
    rig.set_reach(AF, Reach::Consuming).await;
    let sent = question("igen");
    line.send(sent.clone()).unwrap();
    assert_eq!(ear.answer().await.corr_id, sent.corr_id);
}

pub async fn without_a_consumer_the_dispatcher_is_told_so<R: Rig>() {
    let rig = R::start(echo()).await;
    let (_line, mut ear) = open_and_wait(rig.transport(), AF).await;
    rig.set_reach(AF, Reach::NoConsumer).await;
    ear.consumers(0).await;
    rig.set_reach(AF, Reach::Consuming).await;
    ear.consumers(1).await;
    assert_eq!(ear.downs, 0, "the line itself was up all the time");
}

pub async fn a_waiting_question_is_answered_when_the_party_returns<R: Rig>() {
    let rig = R::start(echo()).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    rig.set_reach(AF, Reach::NoConsumer).await;
    let sent = question("x");
    line.send(sent.clone()).unwrap();
    ear.hears_nothing_of_questions().await;
    rig.set_reach(AF, Reach::Consuming).await;
    assert_eq!(ear.answer().await.corr_id, sent.corr_id);
}

pub async fn a_question_that_expired_is_never_asked<R: Rig>() {
    let rig = R::start(echo()).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    rig.set_reach(AF, Reach::NoConsumer).await;
    line.send(question_for(Duration::from_millis(100), "x"))
        .unwrap();
    sleep(QUIET).await;
    rig.set_reach(AF, Reach::Consuming).await;
    ear.hears_nothing_of_questions().await;
}

pub async fn a_full_queue_refuses_the_next_question<R: Rig>() {
    let rig = R::start(echo()).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    rig.set_reach(AF, Reach::NoConsumer).await;
    for _ in 0..QUEUE_MAX {
        line.send(question("x")).unwrap();
    }
    let last = question("en för mycket");
    let sent = line.send(last.clone());
    assert_eq!(ear.refusal(sent, last.corr_id).await, Refusal::QueueFull);
    rig.set_reach(AF, Reach::Consuming).await;
    let mut answered = HashSet::new();
    while answered.len() < QUEUE_MAX {
        assert!(answered.insert(ear.answer().await.corr_id));
    }
    assert!(!answered.contains(&last.corr_id));
}

pub async fn a_broker_that_goes_away_takes_what_was_outstanding_with_it<R: Rig>() {
    let rig = R::start(Slow(Duration::from_millis(300), Arc::new(echo()))).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    line.send(question("x")).unwrap();
    sleep(Duration::from_millis(100)).await;
    rig.set_reach(AF, Reach::NoBroker).await;
    ear.down().await;
    let sent = question("y");
    let refusal = ear.refusal(line.send(sent.clone()), sent.corr_id).await;
    assert_eq!(refusal, Refusal::Broker);
    ear.hears_nothing_of_questions().await;
    assert_eq!(ear.downs, 1, "down is told once");
}

pub async fn a_broker_that_comes_back_is_used_again<R: Rig>() {
    let rig = R::start(echo()).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    for round in 1..=3 {
        rig.set_reach(AF, Reach::NoBroker).await;
        ear.down().await;
        rig.set_reach(AF, Reach::Consuming).await;
        ear.up().await;
        ear.consumers(1).await;
        let sent = question("x");
        line.send(sent.clone()).unwrap();
        assert_eq!(ear.answer().await.corr_id, sent.corr_id);
        assert_eq!(ear.downs, round);
    }
}

pub async fn a_line_that_opens_without_a_broker_comes_up_with_it<R: Rig>() {
    let rig = R::start(echo()).await;
    rig.set_reach(AF, Reach::NoBroker).await;
    let (line, mut ear) = open(rig.transport(), AF);
    assert_eq!(line.send(question("x")), Err(Refusal::Broker));
    ear.down().await;
    sleep(QUIET).await;
    rig.set_reach(AF, Reach::Consuming).await;
    ear.up().await;
    let sent = question("x");
    line.send(sent.clone()).unwrap();
    assert_eq!(ear.answer().await.corr_id, sent.corr_id);
    assert_eq!(ear.downs, 1);
}

pub async fn production_and_test_go_to_their_own_queues<R: Rig>() {
    let rig = R::start(Scripted(|q: Question| {
        vec![svar(q.corr_id, format!("{:?} {:?}", q.traffic, q.kind))]
    }))
    .await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    for traffic in Traffic::ALL {
        for kind in [QuestionKind::Fraga, QuestionKind::Ping] {
            let mut sent = question("");
            (sent.traffic, sent.kind) = (traffic, kind);
            line.send(sent).unwrap();
            let answer = ear.answer().await;
            assert_eq!(body(&answer), format!("{traffic:?} {kind:?}").as_bytes());
        }
    }
}

pub async fn big_and_empty_bodies_pass<R: Rig>() {
    let rig = R::start(echo()).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    let big: Bytes = (0..1_048_576_u32).map(|n| (n % 251) as u8).collect();
    for sent in [Bytes::new(), big, Bytes::from_static(b"x")] {
        line.send(question(sent.clone())).unwrap();
        let answer = ear.answer().await;
        assert!(
            body(&answer) == sent,
            "{} bytes came back changed",
            sent.len()
        );
    }
}

pub async fn hundreds_of_questions_at_once_are_each_answered_once<R: Rig>() {
    let rig = R::start(echo()).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    let mut open = HashSet::new();
    for _ in 0..500 {
        let mut sent = question("");
        sent.body = Sensitive::new(sent.corr_id.to_string().into());
        open.insert(sent.corr_id);
        line.send(sent).unwrap();
    }
    while !open.is_empty() {
        let answer = ear.answer().await;
        assert!(open.remove(&answer.corr_id), "answered twice");
        assert_eq!(body(&answer), answer.corr_id.to_string().as_bytes());
    }
    ear.hears_nothing_of_questions().await;
}

pub async fn two_lines_never_hear_each_others_answers<R: Rig>() {
    let rig = R::start(echo()).await;
    let mut lines = Vec::new();
    for ul in [AF, CSN] {
        let (line, ear) = open_and_wait(rig.transport(), ul).await;
        lines.push((line, ear, HashSet::new()));
    }
    for _ in 0..200 {
        for (line, _, open) in &mut lines {
            let sent = question("x");
            open.insert(sent.corr_id);
            line.send(sent).unwrap();
        }
    }
    for (_, ear, open) in &mut lines {
        while !open.is_empty() {
            assert!(open.remove(&ear.answer().await.corr_id), "another line's");
        }
        ear.hears_nothing_of_questions().await;
    }
}

pub async fn a_dropped_line_falls_silent<R: Rig>() {
    let rig = R::start(Slow(Duration::from_millis(200), Arc::new(echo()))).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    line.send(question("x")).unwrap();
    drop(line);
    while let Some(event) = ear.next().await {
        assert!(!matches!(event, LineEvent::Answer(_)), "heard {event:?}");
    }
}

pub async fn a_line_opened_again_takes_over<R: Rig>() {
    let rig = R::start(echo()).await;
    for _ in 0..3 {
        let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
        let sent = question("x");
        line.send(sent.clone()).unwrap();
        assert_eq!(ear.answer().await.corr_id, sent.corr_id);
        drop(line);
        ear.gone().await;
    }
}
