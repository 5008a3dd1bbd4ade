//! A node that is told to stop finishes what is open and takes nothing new (issue 2, "Shows";
//! design 9, SIGTERM).

use futures_util::future::join_all;
use samsvar_actors::tally::OutcomeClass;
use shs_schemas::mime::Limits;
use shs_schemas::shs::Management;
use shs_schemas::shs::management::Outcome;

use crate::sandbox::{DEMO, Gate, Sandbox, eventually, question_about, without_data};
use crate::wire::Wire;
use crate::xmllint::{Kind, assert_valid};

const OPEN: usize = 30;

#[tokio::test]
async fn open_requests_are_answered_new_ones_get_503_and_nothing_is_left() {
    let gate = Gate::closed();
    let sandbox = Sandbox::new()
        .with(|settings| settings.drain.drain_s = 60)
        .held_by(&gate)
        .start()
        .await;
    let asking = join_all((0..OPEN).map(|_| sandbox.ask(DEMO)));
    let stopping = async {
        eventually("all are asked", || sandbox.asked().count() == OPEN * 8).await;
        let told = async {
            eventually("the node drains", || sandbox.node().load().is_draining()).await;
            let asked = sandbox.asked().count();
            let mut wire = Wire::to(sandbox.service()).await;
            wire.post("", &question_about(&[DEMO])).await;
            let refused = wire.receive().await.unwrap();
            assert_eq!(sandbox.asked().count(), asked, "nobody was asked");
            assert!(
                sandbox
                    .admin("/health/ready")
                    .await
                    .contains("\"draining\":true")
            );
            gate.open();
            refused
        };
        tokio::join!(sandbox.stop(), told)
    };
    let (answered, (left, refused)) = tokio::join!(asking, stopping);
    assert_eq!(left, 0);
    for answered in answered {
        assert_eq!(without_data(&answered.unwrap()), []);
    }
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(refused.header("x-shs-errorcode"), Some("OtherError"));
    let document = Management::read(&refused.body, None, &Limits::default()).unwrap();
    assert!(matches!(document.outcome, Outcome::Error { .. }));
    assert_valid(Kind::Management, &[refused.body]);
    assert_eq!(sandbox.outcome(OutcomeClass::Answered), OPEN as u64);
    assert_eq!(sandbox.ended(), OPEN as u64 + 1);
}

#[tokio::test]
async fn what_outlasts_the_drain_time_is_counted_as_left() {
    let gate = Gate::closed();
    let sandbox = Sandbox::new().held_by(&gate).start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    wire.post("", &question_about(&[DEMO])).await;
    eventually("it is open", || sandbox.node().load().open() == 1).await;
    assert_eq!(sandbox.stop().await, 1, "the drain time is nothing here");
    assert!(wire.is_closed_by_the_node().await);
}
