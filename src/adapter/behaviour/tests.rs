use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use samsvar_actors::transport::Traffic;
use tokio::time::Instant;

use super::*;

const SVAR: &str = "<ssbt:TNS xmlns:ssbt=\"http://schema.forsakringskassan.se/integration/ssbt/11\"\
                    ><ssbt:data/></ssbt:TNS>";

/// Answers every question with the same element.
struct Alltid;

impl Bastjanst for Alltid {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        let svar = AnswerContent::Svar(Sensitive::new(Bytes::from_static(SVAR.as_bytes())));
        Box::pin(async move {
            vec![Answer {
                corr_id: question.corr_id,
                content: svar,
            }]
        })
    }
}

fn question(n: u64) -> Question {
    Question {
        corr_id: Uuid::from_u64_pair(1, n),
        traffic: Traffic::Production,
        kind: QuestionKind::Fraga,
        body: Sensitive::new(Bytes::from_static(SVAR.as_bytes())),
        expires_in: Duration::from_secs(11),
        deadline: DateTime::UNIX_EPOCH,
        traceparent: "".into(),
        seal: None,
    }
}

fn behaving(behaviour: Behaviour) -> Behaving {
    behaviour.around(Uppgiftslamnare::TNS, Arc::new(Alltid))
}

fn svar(answer: &Answer) -> &[u8] {
    match &answer.content {
        AnswerContent::Svar(svar) => svar.expose(),
        other => panic!("not a svar.v1: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn latency_delays_the_right_answer() {
    let latency = Latency::fixed(Duration::from_secs(2));
    let behaving = behaving(Behaviour::good(1).with_latency(latency));
    let asked = Instant::now();
    let answers = behaving.besvara(question(0)).await;
    assert_eq!(asked.elapsed(), Duration::from_secs(2));
    assert_eq!(svar(&answers[0]), SVAR.as_bytes());
    assert_eq!(behaving.tally().snapshot().answered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_comes_after_its_question_has_expired() {
    let behaving = behaving(Behaviour::always(Fault::Late(Duration::from_secs(1)), 1));
    let asked = Instant::now();
    assert_eq!(behaving.besvara(question(0)).await.len(), 1);
    assert_eq!(asked.elapsed(), Duration::from_secs(12));
}

#[tokio::test]
async fn failures_take_both_forms_in_the_namespace_of_the_question() {
    let behaving = behaving(Behaviour::always(Fault::Fail, 1));
    let first = behaving.besvara(question(0)).await;
    assert!(matches!(first[0].content, AnswerContent::Fel { .. }));
    let second = behaving.besvara(question(1)).await;
    let text = String::from_utf8_lossy(svar(&second[0]));
    assert!(
        text.starts_with("<ssbt:TNS") && text.contains("ssbt/11\""),
        "{text}"
    );
    assert!(text.contains("<ssbt:kalla>BT<"), "{text}");
    assert_eq!(behaving.tally().snapshot().failed, 2);
}

#[tokio::test]
async fn a_ping_fails_as_fel_v1_every_time() {
    let behaving = behaving(Behaviour::always(Fault::Fail, 1));
    for n in 0..4 {
        let ping = Question {
            kind: QuestionKind::Ping,
            body: Sensitive::new(Bytes::new()),
            ..question(n)
        };
        let answers = behaving.besvara(ping).await;
        assert!(
            matches!(&answers[0].content, AnswerContent::Fel { felkod, .. } if felkod == FELKOD_PA_BEGARAN),
            "{n}: {:?}",
            answers[0].content
        );
    }
    assert_eq!(behaving.tally().snapshot().failed, 4);
}

#[tokio::test]
async fn an_extra_field_befalls_only_who_has_a_list_and_counts_only_there() {
    let behaviour = Behaviour::always(Fault::ExtraField, 1);
    let csn = behaviour
        .clone()
        .around(Uppgiftslamnare::CSN, Arc::new(Alltid));
    assert_eq!(svar(&csn.besvara(question(0)).await[0]), SVAR.as_bytes());
    assert_eq!(csn.tally().snapshot().answered, 1);
    // There is no vehicle to put it into.
    let tns = behaving(behaviour);
    assert_eq!(svar(&tns.besvara(question(0)).await[0]), SVAR.as_bytes());
    assert_eq!(tns.tally().snapshot().garbage, 1);
}

#[tokio::test]
async fn silence_is_no_answer() {
    let behaving = behaving(Behaviour::always(Fault::Silent, 1));
    assert!(behaving.besvara(question(0)).await.is_empty());
    assert_eq!(behaving.tally().snapshot().silent, 1);
}

#[tokio::test]
async fn each_kind_of_garbage_takes_its_turn_and_none_is_the_right_answer() {
    let behaving = behaving(Behaviour::always(Fault::Garbage, 1));
    let mut seen = Vec::new();
    for n in 0..Garbage::ALL.len() as u64 {
        let answers = behaving.besvara(question(n)).await;
        let bytes = svar(&answers[0]).to_vec();
        assert_ne!(bytes, SVAR.as_bytes());
        assert!(!seen.contains(&bytes));
        seen.push(bytes);
    }
}

#[tokio::test]
async fn twice_and_anothers_correlation_id() {
    let twice = behaving(Behaviour::always(Fault::Twice, 1));
    assert_eq!(twice.besvara(question(0)).await.len(), 2);

    let wrong = behaving(Behaviour::always(Fault::AnothersCorrelationId, 1));
    let nobodys = wrong.besvara(question(0)).await[0].corr_id;
    assert_ne!(nobodys, question(0).corr_id);
    assert_eq!(
        wrong.besvara(question(1)).await[0].corr_id,
        question(0).corr_id
    );
}

#[tokio::test]
async fn the_same_seed_meets_the_same_faults_in_the_asked_proportion() {
    let run = async |seed| {
        let share = Share::new(0.25).unwrap();
        let behaviour = Behaviour::good(seed)
            .with_fault(Fault::Silent, share)
            .unwrap();
        let behaving = behaving(behaviour);
        let mut silent = Vec::new();
        for n in 0..1_000 {
            silent.push(behaving.besvara(question(n)).await.is_empty());
        }
        silent
    };
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
    let silent = first.iter().filter(|silent| **silent).count();
    assert!((200..300).contains(&silent), "{silent}");
}

#[test]
fn shares_beyond_one_are_refused() {
    let half = Share::new(0.5).unwrap();
    let behaviour = Behaviour::good(1)
        .with_fault(Fault::Fail, half)
        .and_then(|behaviour| behaviour.with_fault(Fault::Silent, half))
        .unwrap();
    let more = Share::new(0.1).unwrap();
    assert_eq!(
        behaviour.with_fault(Fault::Garbage, more),
        Err(SharesExceedOne)
    );
}
