//! A panic in any kind of actor, under load: the request it held ends in an error answer, everything
//! else is answered, and the tree shows it (issue 2, "Shows"; ).

use futures_util::future::join_all;
use samsvar::client::{Answered, AskError};
use samsvar_actors::tally::OutcomeClass;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::SsbtFelkod;

use crate::sandbox::{
    Builder, DEMO, Gate, Sandbox, eventually, gave_data, said, ssbt, without_data,
};

const REQUESTS: usize = 40;
const PANICS: usize = 3;

type Replies = Vec<Result<Answered, AskError>>;

/// No wait between restarts worth speaking of: what is tested is who is harmed, not for how long.
fn quickly(builder: Builder) -> Builder {
    builder.with(|settings| {
        settings.supervision.backoff_first_ms = 1;
        settings.supervision.backoff_longest_ms = 400;
    })
}

async fn forty_at_once(sandbox: &Sandbox) -> Replies {
    let replies = join_all((0..REQUESTS).map(|_| sandbox.ask(DEMO))).await;
    assert_eq!(sandbox.ended(), REQUESTS as u64, "one outcome each");
    assert_eq!(sandbox.node().tally().received(), REQUESTS as u64);
    assert_eq!(sandbox.node().load().open(), 0);
    assert!(sandbox.ask(DEMO).await.is_ok(), "and it goes on");
    replies
}

fn assert_errors_of_ours(replies: &Replies, expected: usize) {
    let mut errors = 0;
    for reply in replies {
        match reply {
            Ok(answered) => assert_eq!(without_data(answered), []),
            Err(AskError::Refused { status: 500, .. }) => errors += 1,
            Err(other) => panic!("no error of ours: {other}"),
        }
    }
    assert_eq!(errors, expected);
}

#[tokio::test]
async fn an_aggregator_takes_its_one_request_with_it() {
    let sandbox = Sandbox::new().start().await;
    sandbox.failpoints().arm("aggregator", PANICS);
    let replies = forty_at_once(&sandbox).await;
    assert_errors_of_ours(&replies, PANICS);
    assert_eq!(sandbox.outcome(OutcomeClass::Failed), PANICS as u64);
    assert_eq!(sandbox.tree().await["aggregators_lost"], PANICS);
    let metric = "samsvar_aggregators_lost_total";
    assert_eq!(sandbox.metric(metric).await, PANICS as u64);
    eventually("what it had asked is recalled", || sandbox.in_flight() == 0).await;
}

#[tokio::test]
async fn what_a_lost_aggregator_had_asked_is_recalled_from_those_who_are_silent() {
    let gate = Gate::closed();
    let sandbox = Sandbox::new().held_by(&gate).start().await;
    sandbox.failpoints().arm("aggregator", 1);
    let refused = sandbox.ask(DEMO).await;
    assert!(matches!(
        refused,
        Err(AskError::Refused { status: 500, .. })
    ));
    eventually("nothing is in flight", || sandbox.in_flight() == 0).await;
}

#[tokio::test]
async fn an_ingress_loses_the_message_in_its_hands_and_no_other() {
    let sandbox = quickly(Sandbox::new().one_worker()).start().await;
    sandbox.failpoints().arm("ingress", PANICS);
    let replies = forty_at_once(&sandbox).await;
    assert_errors_of_ours(&replies, PANICS);
    let ingress = sandbox.actor("ingress-0").await;
    assert_eq!(ingress["restarts"], PANICS);
    assert_eq!(ingress["generation"], PANICS + 1);
    assert_eq!(ingress["last_failure"], "panic");
    assert_eq!(ingress["mailbox_depth"], 0);
    assert_eq!(sandbox.actor("egress-0").await["restarts"], 0);
}

#[tokio::test]
async fn an_egress_loses_the_reply_in_its_hands_and_no_other() {
    let sandbox = quickly(Sandbox::new().one_worker()).start().await;
    sandbox.failpoints().arm("egress", PANICS);
    let replies = forty_at_once(&sandbox).await;
    assert_errors_of_ours(&replies, PANICS);
    assert_eq!(sandbox.outcome(OutcomeClass::Failed), PANICS as u64);
    let egress = sandbox.actor("egress-0").await;
    assert_eq!(egress["restarts"], PANICS);
    assert_eq!(egress["mailbox_depth"], 0);
    assert_eq!(sandbox.actor("ingress-0").await["restarts"], 0);
}

#[tokio::test]
async fn a_dispatcher_loses_its_partys_slots_and_no_others() {
    let sandbox = quickly(Sandbox::new()).start().await;
    sandbox.failpoints().arm("dispatcher-AF", PANICS);
    let replies = forty_at_once(&sandbox).await;
    let mut lost = 0;
    for reply in replies {
        let answered = reply.expect("a dispatcher costs no reply");
        match without_data(&answered).as_slice() {
            [] => {}
            [Uppgiftslamnare::AF] => {
                let felkod = ssbt(SsbtFelkod::InterntFel);
                assert_eq!(said(&answered, Uppgiftslamnare::AF), felkod);
                lost += 1;
            }
            others => panic!("others are harmed: {others:?}"),
        }
    }
    assert!(lost >= PANICS, "each panic held at least one slot");
    assert_eq!(sandbox.outcome(OutcomeClass::Partial), lost as u64);
    let dispatcher = sandbox.actor("dispatcher-AF").await;
    assert_eq!(dispatcher["restarts"], PANICS);
    assert_eq!(dispatcher["last_failure"], "panic");
    assert_eq!(sandbox.actor("dispatcher-SO").await["restarts"], 0);
}

#[tokio::test]
async fn ten_in_a_row_pause_that_party_only_and_it_comes_back() {
    const AF: Uppgiftslamnare = Uppgiftslamnare::AF;
    let sandbox = quickly(Sandbox::new()).start().await;
    sandbox.failpoints().arm("dispatcher-AF", 10);
    let mut was_paused = false;
    // Each pause is 0.4 s of real time, which the setting has shortened.
    let mut answered = sandbox.ask(DEMO).await.unwrap();
    while !gave_data(&answered, AF) {
        assert_eq!(without_data(&answered), [AF]);
        if said(&answered, AF) == ssbt(SsbtFelkod::Avstangd) {
            was_paused |= sandbox.actor("dispatcher-AF").await["state"] == "paused";
        } else {
            assert_eq!(said(&answered, AF), ssbt(SsbtFelkod::InterntFel));
        }
        answered = sandbox.ask(DEMO).await.unwrap();
    }
    assert!(was_paused);
    assert_eq!(sandbox.failpoints().left("dispatcher-AF"), 0);
    assert_eq!(without_data(&answered), []);
    let dispatcher = sandbox.actor("dispatcher-AF").await;
    assert_eq!(
        (&dispatcher["restarts"], &dispatcher["state"]),
        (&10.into(), &"running".into())
    );
    assert!(sandbox.node().escalation().borrow().is_none());
    assert!(
        sandbox
            .admin("/health/ready")
            .await
            .contains("\"status\":\"ok\"")
    );
}

async fn escalates(kind: &str) {
    let sandbox = quickly(Sandbox::new().one_worker()).start().await;
    sandbox.failpoints().arm(kind, 6);
    for _ in 0..6 {
        let refused = sandbox.ask(DEMO).await;
        assert!(matches!(
            refused,
            Err(AskError::Refused { status: 500, .. })
        ));
    }
    assert_eq!(sandbox.escalated().await, format!("{kind}-0"));
    assert_eq!(
        sandbox.actor(&format!("{kind}-0")).await["state"],
        "stopped"
    );
    assert!(
        sandbox
            .admin("/health/live")
            .await
            .contains("\"status\":\"unavailable\"")
    );
    // What comes now is refused, never left hanging.
    assert!(matches!(
        sandbox.ask(DEMO).await,
        Err(AskError::Refused { .. })
    ));
    assert_eq!(sandbox.ended(), 7);
    assert_eq!(sandbox.stop().await, 0);
}

#[tokio::test]
async fn an_ingress_over_its_budget_takes_the_node_down_in_order() {
    escalates("ingress").await;
}

#[tokio::test]
async fn an_egress_over_its_budget_takes_the_node_down_in_order() {
    escalates("egress").await;
}
