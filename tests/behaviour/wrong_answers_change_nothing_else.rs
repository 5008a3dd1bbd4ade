//! An answer that is wrong, repeated, late or another's has no effect beyond its own party, and is
//! counted by its class (issue 2, "Shows"; R-004).

use std::time::Duration;

use samsvar::adapter::behaviour::{Behaviour, Fault, Garbage};
use samsvar::adapter::simulated::{SEED_DEFAULT, Simulerad};
use samsvar_actors::dispatcher::ended::Stray;
use samsvar_actors::tally::OutcomeClass;
use samsvar_actors::transport::{Answer, Bastjanst, BoxFuture, Question};
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::SsbtFelkod;
use tokio::sync::watch;
use uuid::Uuid;

use crate::sandbox::{DEMO, Sandbox, eventually, said, ssbt, without_data};

const WRONG: Uppgiftslamnare = Uppgiftslamnare::TNS;

fn strays(sandbox: &Sandbox, ul: Uppgiftslamnare) -> [u64; 3] {
    let counted = sandbox.node().tally().party(ul);
    let mut of = [0; 3];
    for (stray, count) in counted.strays() {
        let place = [Stray::Late, Stray::Repeated, Stray::Unknown]
            .iter()
            .position(|class| *class == stray);
        of[place.unwrap()] = count;
    }
    of
}

fn all_strays(sandbox: &Sandbox) -> u64 {
    let of_all = Uppgiftslamnare::all().map(|ul| strays(sandbox, ul).iter().sum::<u64>());
    of_all.sum()
}

async fn with(fault: Fault) -> Sandbox {
    let behaviour = Behaviour::always(fault, SEED_DEFAULT);
    let sandbox = Sandbox::new().limit(1).behaving(WRONG, &behaviour);
    sandbox.start().await
}

#[tokio::test]
async fn garbage_of_every_kind_is_an_unusable_answer_of_that_party_alone() {
    for garbage in Garbage::ALL {
        let sandbox = with(Fault::GarbageOf(garbage)).await;
        let answered = sandbox.ask(DEMO).await.unwrap();
        let felkod = SsbtFelkod::OgiltigtSvar;
        assert_eq!(said(&answered, WRONG), ssbt(felkod), "{garbage:?}");
        assert_eq!(without_data(&answered), [WRONG], "{garbage:?}");
        assert_eq!(sandbox.felkod(WRONG, felkod), 1, "{garbage:?}");
        assert_eq!(all_strays(&sandbox), 0, "{garbage:?}");
    }
}

#[tokio::test]
async fn garbage_from_those_who_share_an_element_leaves_the_others_data() {
    for (wrong, other) in [
        (Uppgiftslamnare::FK, Uppgiftslamnare::PM),
        (Uppgiftslamnare::PM, Uppgiftslamnare::FK),
    ] {
        for garbage in Garbage::ALL {
            let behaviour = Behaviour::always(Fault::GarbageOf(garbage), SEED_DEFAULT);
            let sandbox = Sandbox::new().limit(1).behaving(wrong, &behaviour);
            let sandbox = sandbox.start().await;
            let answered = sandbox.ask(DEMO).await.unwrap();
            assert_eq!(without_data(&answered), [wrong], "{garbage:?}, not {other}");
        }
    }
}

#[tokio::test]
async fn an_answer_given_twice_counts_once_and_is_noted_as_repeated() {
    let sandbox = with(Fault::Twice).await;
    let answered = sandbox.ask(DEMO).await.unwrap();
    assert_eq!(without_data(&answered), []);
    eventually("the second is counted", || {
        strays(&sandbox, WRONG) == [0, 1, 0]
    })
    .await;
    assert_eq!(all_strays(&sandbox), 1);
    assert_eq!(sandbox.outcome(OutcomeClass::Answered), 1);
    let metric = "samsvar_answers_dropped_total{bastjanst=\"TNS\",class=\"repeated\"}";
    assert_eq!(sandbox.metric(metric).await, 1);
}

/// Real time passes: the answer comes after the limit, which is shortened.
#[tokio::test]
async fn an_answer_after_the_deadline_is_a_timeout_and_is_noted_as_late() {
    let sandbox = with(Fault::Late(Duration::from_millis(100))).await;
    let answered = sandbox.ask(DEMO).await.unwrap();
    assert_eq!(said(&answered, WRONG), ssbt(SsbtFelkod::Timeout));
    assert_eq!(without_data(&answered), [WRONG]);
    eventually("the late one is counted", || {
        strays(&sandbox, WRONG) == [1, 0, 0]
    })
    .await;
    assert_eq!(all_strays(&sandbox), 1);
    assert_eq!(sandbox.ended(), 1);
}

#[tokio::test]
async fn an_answer_to_a_question_that_nobody_asked_is_noted_as_unknown() {
    let sandbox = with(Fault::AnothersCorrelationId).await;
    let answered = sandbox.ask(DEMO).await.unwrap();
    assert_eq!(said(&answered, WRONG), ssbt(SsbtFelkod::Timeout));
    assert_eq!(without_data(&answered), [WRONG]);
    assert_eq!(strays(&sandbox, WRONG), [0, 0, 1]);
    assert_eq!(all_strays(&sandbox), 1);
}

/// Notes the correlation id of its question, and answers it when the other one has meddled.
struct Victim {
    corr_id: watch::Sender<Option<Uuid>>,
    meddled: watch::Receiver<bool>,
}

impl Bastjanst for Victim {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        self.corr_id.send_replace(Some(question.corr_id));
        let mut meddled = self.meddled.clone();
        Box::pin(async move {
            let _ = meddled.wait_for(|meddled| *meddled).await;
            let simulated = Simulerad::new(Uppgiftslamnare::CSN, SEED_DEFAULT);
            simulated.besvara(question).await
        })
    }
}

/// Answers its own question under the victim's correlation id.
struct Meddler {
    victims: watch::Receiver<Option<Uuid>>,
}

impl Bastjanst for Meddler {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        let mut victims = self.victims.clone();
        Box::pin(async move {
            let seen = victims.wait_for(Option::is_some).await.map(|id| *id);
            let corr_id = seen.unwrap().unwrap();
            let simulated = Simulerad::new(Uppgiftslamnare::AF, SEED_DEFAULT);
            let answers = simulated.besvara(question).await.into_iter();
            answers.map(|answer| Answer { corr_id, ..answer }).collect()
        })
    }
}

/// Knowing another party's correlation id is of no use: each dispatcher has a table of its own.
#[tokio::test]
async fn an_answer_under_another_partys_correlation_id_reaches_nobody() {
    let (corr_id, victims) = watch::channel(None);
    let (meddle, meddled) = watch::channel(false);
    let sandbox = Sandbox::new()
        .limit(2)
        .played_by(Uppgiftslamnare::CSN, Victim { corr_id, meddled })
        .played_by(Uppgiftslamnare::AF, Meddler { victims })
        .start()
        .await;
    let asking = sandbox.ask(DEMO);
    let meddling = async {
        eventually("the meddler has answered", || {
            strays(&sandbox, Uppgiftslamnare::AF) == [0, 0, 1]
        })
        .await;
        meddle.send_replace(true);
    };
    let (answered, ()) = tokio::join!(asking, meddling);
    let answered = answered.unwrap();
    assert_eq!(without_data(&answered), [Uppgiftslamnare::AF]);
    assert_eq!(
        said(&answered, Uppgiftslamnare::AF),
        ssbt(SsbtFelkod::Timeout)
    );
    assert_eq!(all_strays(&sandbox), 1);
}
