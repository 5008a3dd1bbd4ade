//! An authority that does not answer costs its own part of the reply and nothing else (issue 2,
//! "Shows"; ). Real time passes until the limit, which is shortened; its figures are
//! proven at a paused clock in `actors/tests`.

use std::time::Duration;

use futures_util::future::join_all;
use samsvar::adapter::behaviour::{Behaviour, Fault};
use samsvar::adapter::simulated::SEED_DEFAULT;
use samsvar_actors::tally::OutcomeClass;
use samsvar_actors::transport::AnswerContent;
use samsvar_actors::transport::in_process::Reach;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::SsbtFelkod;
use tokio::time::Instant;

use crate::sandbox::{DEMO, Sandbox, Says, eventually, said, ssbt, without_data};

const LIMIT: Duration = Duration::from_secs(2);

#[tokio::test]
async fn each_silent_authority_stands_as_a_timeout_beside_the_data_of_the_seven_others() {
    for silent in Uppgiftslamnare::all() {
        let sandbox = Sandbox::new()
            .limit(LIMIT.as_secs())
            .silent(silent)
            .start()
            .await;
        let started = Instant::now();
        let answered = sandbox.ask(DEMO).await.unwrap();
        let took = started.elapsed();
        assert!(took < LIMIT, "{silent}: {took:?}");
        assert_eq!(without_data(&answered), [silent]);
        assert_eq!(sandbox.felkod(silent, SsbtFelkod::Timeout), 1);
        assert_eq!(sandbox.outcome(OutcomeClass::Partial), 1);
        // Försäkringskassan and Pensionsmyndigheten share an element, which has no error child
        // while the other one answers (ssbtek-10, 4.8).
        let shares = [Uppgiftslamnare::FK, Uppgiftslamnare::PM].contains(&silent);
        if !shares {
            assert_eq!(said(&answered, silent), ssbt(SsbtFelkod::Timeout));
        }
    }
}

#[tokio::test]
async fn with_everybody_silent_there_is_still_one_answer_within_the_limit() {
    let silent = Behaviour::always(Fault::Silent, SEED_DEFAULT);
    let sandbox = Sandbox::new()
        .limit(LIMIT.as_secs())
        .all_behaving(&silent)
        .start()
        .await;
    let started = Instant::now();
    let answered = sandbox.ask(DEMO).await.unwrap();
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    for ul in Uppgiftslamnare::all() {
        assert_eq!(said(&answered, ul), ssbt(SsbtFelkod::Timeout));
        assert_eq!(sandbox.felkod(ul, SsbtFelkod::Timeout), 1);
    }
    assert_eq!(sandbox.ended(), 1);
    eventually("nothing is in flight", || sandbox.in_flight() == 0).await;
}

/// A party whose adapter is gone fails at once (issue 2: under 100 ms), whatever the limit.
#[tokio::test]
async fn an_authority_without_an_adapter_costs_no_time() {
    let sandbox = Sandbox::new().alone().start().await;
    for (reach, felkod) in [
        (Reach::NoConsumer, SsbtFelkod::IngenKontakt),
        (Reach::NoQueue, SsbtFelkod::IngenKontakt),
        (Reach::NoBroker, SsbtFelkod::Meddelandesystem),
    ] {
        sandbox.set_reach(Uppgiftslamnare::AF, reach);
        // Warms up, and lets the dispatcher hear of it.
        while without_data(&sandbox.ask(DEMO).await.unwrap()).is_empty() {}
        let mut quickest = Duration::MAX;
        // A busy machine gets several tries: no try can be quick that waits for anybody.
        for _ in 0..50 {
            if quickest < Duration::from_millis(100) {
                break;
            }
            let started = Instant::now();
            let answered = sandbox.ask(DEMO).await.unwrap();
            quickest = quickest.min(started.elapsed());
            assert_eq!(said(&answered, Uppgiftslamnare::AF), ssbt(felkod));
        }
        assert!(quickest < Duration::from_millis(100), "{quickest:?}");
        sandbox.set_reach(Uppgiftslamnare::AF, Reach::Consuming);
        while !without_data(&sandbox.ask(DEMO).await.unwrap()).is_empty() {}
    }
}

#[tokio::test]
async fn a_party_that_keeps_silent_is_paused_and_comes_back_when_it_answers() {
    let speaks = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = std::sync::Arc::clone(&speaks);
    let says = Says(move |_: &_| {
        let felkod = "BT-1".to_owned();
        let felmeddelande = vec!["ett fel".to_owned()].into();
        told.load(std::sync::atomic::Ordering::Acquire)
            .then_some(AnswerContent::Fel {
                felkod,
                felmeddelande,
            })
    });
    let sandbox = Sandbox::new()
        // Half of it is what a party has: silence for under a second says nothing of it.
        .limit(4)
        .with(|settings| settings.dispatcher.circuit_pause_s = 1)
        .played_by(Uppgiftslamnare::MIV, says)
        .start()
        .await;
    // Five at once time out together and open the circuit.
    let together = join_all((0..5).map(|_| sandbox.ask(DEMO))).await;
    assert!(together.iter().all(Result::is_ok));
    eventually("the circuit is open", || {
        let lines = sandbox.node().observatory().snapshot().actors;
        lines.iter().any(|line| line.detail == Some("circuit open"))
    })
    .await;
    let answered = sandbox.ask(DEMO).await.unwrap();
    assert_eq!(
        said(&answered, Uppgiftslamnare::MIV),
        ssbt(SsbtFelkod::Avstangd)
    );
    speaks.store(true, std::sync::atomic::Ordering::Release);
    // The pause is a second of real time; then one question goes through.
    loop {
        let answered = sandbox.ask(DEMO).await.unwrap();
        if said(&answered, Uppgiftslamnare::MIV) != ssbt(SsbtFelkod::Avstangd) {
            assert_eq!(
                said(&answered, Uppgiftslamnare::MIV),
                samsvar::client::answer::Said::Error("BT".to_owned(), "BT-1".to_owned())
            );
            break;
        }
        assert_eq!(without_data(&answered), [Uppgiftslamnare::MIV]);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
