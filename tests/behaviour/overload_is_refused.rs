//! More than the node takes is refused before work is done; what was admitted keeps its answer
//! (design 9).

use futures_util::future::join_all;
use samsvar::client::AskError;
use samsvar::client::question::{self, Asker};
use samsvar_actors::tally::OutcomeClass;

use crate::sandbox::{DEMO, Gate, Sandbox, eventually, question_about, without_data};
use crate::wire::Wire;

const PER_SENDER: usize = 4;
const IN_ALL: usize = 6;

fn from_the_other() -> bytes::Bytes {
    let asker = Asker {
        from: "2120009986".to_owned(),
        namn: "Provstads kommun".to_owned(),
        ..Asker::default()
    };
    let message = question::message(&asker, &[DEMO.to_owned()], chrono::Utc::now());
    message.unwrap().write()
}

fn is_overload(refused: &Result<samsvar::client::Answered, AskError>) -> bool {
    matches!(refused, Err(AskError::Refused { status: 503, .. }))
}

#[tokio::test]
async fn per_sender_and_in_all() {
    let gate = Gate::closed();
    let sandbox = Sandbox::new()
        .with(|settings| {
            settings.load.open_requests_max = u32::try_from(IN_ALL).unwrap();
            settings.load.open_per_sender_max = u32::try_from(PER_SENDER).unwrap();
            settings.load.retry_after_s = 7;
        })
        .held_by(&gate)
        .start()
        .await;
    let open = || sandbox.node().load().open();
    let first = join_all((0..PER_SENDER).map(|_| sandbox.ask(DEMO)));
    let second = join_all((0..IN_ALL - PER_SENDER).map(|_| async {
        eventually("the first sender is at its bound", || open() >= PER_SENDER).await;
        sandbox.send(from_the_other()).await
    }));
    let beyond = async {
        eventually("the first sender is at its bound", || open() >= PER_SENDER).await;
        assert!(is_overload(&sandbox.ask(DEMO).await), "per sender");
        eventually("the node is at its bound", || open() == IN_ALL).await;
        assert!(is_overload(&sandbox.send(from_the_other()).await), "in all");
        let mut wire = Wire::to(sandbox.service()).await;
        wire.post("", &question_about(&[DEMO])).await;
        let refused = wire.receive().await.unwrap();
        assert_eq!(refused.status, 503);
        assert_eq!(refused.header("retry-after"), Some("7"));
        assert_eq!(open(), IN_ALL, "what is refused is not open");
        gate.open();
    };
    let (first, second, ()) = tokio::join!(first, second, beyond);
    for answered in first.into_iter().chain(second) {
        assert_eq!(without_data(&answered.unwrap()), []);
    }
    assert_eq!(sandbox.asked().count(), IN_ALL * 8);
    assert_eq!(sandbox.outcome(OutcomeClass::Answered), IN_ALL as u64);
    assert_eq!(sandbox.ended(), IN_ALL as u64 + 3);
    assert_eq!(open(), 0);
    assert!(sandbox.ask(DEMO).await.is_ok(), "there is room again");
}
