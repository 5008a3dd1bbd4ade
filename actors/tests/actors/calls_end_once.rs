//! However a SOAP call ends, it ends once and alone: a caller that hangs up is asked for no more, and a
//! crash costs one caller a fault (R-010; ssbtek-10, 1.2).

use std::time::Duration;

use samsvar_actors::deadline::DeadlineSettings;
use samsvar_actors::dispatcher::DispatcherSettings;
use samsvar_actors::reply::Outcome;
use samsvar_actors::tally::OutcomeClass;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::{FaultFelkod, Form, Kontrakt};

use crate::node_rig::{self, Rig, text_of};
use crate::questions::Asked;
use crate::services::{Services, fel, first_data, svar};
use crate::{ms, paused, settle};

const AFTER: Duration = Duration::from_secs(2);

fn call(place: usize) -> String {
    let asked = Asked {
        form: Form::Kuvert,
        ..Asked::all(place)
    };
    asked.document(Kontrakt::V10)
}

/// Every party takes one question at a time, and two seconds for each.
async fn slow() -> (Rig, Services) {
    paused();
    let services = Services::new(|ul| Some((AFTER, svar(first_data(ul)))));
    let mut settings = node_rig::settings(DeadlineSettings::default());
    for (_, bounds) in &mut settings.parties {
        *bounds = DispatcherSettings {
            window: 1,
            ..DispatcherSettings::default()
        };
    }
    (Rig::start(settings, services.all()).await, services)
}

#[actix::test]
async fn for_a_caller_that_hangs_up_nobody_is_asked_any_more() {
    let (rig, services) = slow().await;
    let first = rig.call(call(1).into());
    settle().await;
    let second = rig.call(call(2).into());
    settle().await;
    assert_eq!(services.put().len(), 8, "the second waits in line");
    drop(second);
    settle().await;
    assert_eq!(rig.node.load().open(), 1, "it is over at once");
    assert_eq!(rig.node.tally().outcome(OutcomeClass::CallerGone), 1);

    let reply = text_of(&first.await.unwrap());
    assert!(!reply.contains("<ssbt:error>"), "{reply}");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(services.put().len(), 8, "nothing of the second was asked");
    let outcomes = OutcomeClass::ALL.map(|class| rig.node.tally().outcome(class));
    assert_eq!(outcomes.iter().sum::<u64>(), 2, "one outcome each");
}

#[actix::test]
async fn a_caller_that_hangs_up_while_it_is_waited_for_frees_the_parties() {
    let (rig, services) = slow().await;
    let first = rig.call(call(1).into());
    settle().await;
    drop(first);
    settle().await;
    assert_eq!(rig.node.load().open(), 0);
    let second = rig.call(call(2).into());
    let _reply = text_of(&second.await.unwrap());
    let about = |place: &str| {
        let put = services.put();
        put.iter().filter(|put| put.text().contains(place)).count()
    };
    assert_eq!((about("ARENDE-1;"), about("ARENDE-2;")), (8, 8));
}

#[actix::test]
async fn a_caller_that_is_gone_before_its_call_is_read_costs_no_question() {
    let (rig, services) = slow().await;
    drop(rig.call(call(1).into()));
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert!(services.put().is_empty());
    assert_eq!(rig.node.tally().outcome(OutcomeClass::CallerGone), 1);
}

#[actix::test]
async fn a_crash_of_ingress_is_a_fault_for_that_caller_and_for_no_other() {
    paused();
    let services = Services::new(|_| Some((ms(500), fel("BT-SVAR", "ett svar"))));
    let settings = node_rig::settings(DeadlineSettings::default());
    let rig = Rig::start(settings, services.all()).await;
    let before = rig.call(call(1).into());
    settle().await;
    rig.node.failpoints().arm("ingress", 1);
    let struck = rig.call(call(2).into());
    let behind = rig.call(call(3).into());

    let outcome = struck.await.unwrap();
    let Outcome::Rejected(rejection) = outcome else {
        panic!("a fault: {outcome:?}")
    };
    assert_eq!(rejection.failure.felkod(), FaultFelkod::InterntFel);
    for other in [before, behind, rig.call(call(4).into())] {
        let reply = text_of(&other.await.unwrap());
        assert_eq!(reply.matches("felkod>BT-SVAR<").count(), 7, "{reply}");
    }
    let count = |class| rig.node.tally().outcome(class);
    assert_eq!(count(OutcomeClass::Failed), 1);
    assert_eq!(count(OutcomeClass::Answered), 3);
    let asked = |place: &str| {
        let put = services.put();
        put.iter().filter(|put| put.text().contains(place)).count()
    };
    assert_eq!(asked("ARENDE-2;"), 0, "it fell before anybody was asked");
    let uppgiftslamnare = Uppgiftslamnare::all().len();
    assert_eq!(services.put().len(), 3 * uppgiftslamnare);
}

#[actix::test]
async fn a_crash_of_an_aggregator_or_of_egress_is_a_fault_for_that_caller_and_for_no_other() {
    paused();
    for place in ["aggregator", "egress"] {
        let services = Services::new(|_| Some((ms(500), fel("BT-SVAR", "ett svar"))));
        let settings = node_rig::settings(DeadlineSettings::default());
        let rig = Rig::start(settings, services.all()).await;
        rig.node.failpoints().arm(place, 1);
        let struck = rig.call(call(1).into());
        let other = rig.call(call(2).into());
        let outcome = struck.await.unwrap();
        let Outcome::Rejected(rejection) = outcome else {
            panic!("a fault: {outcome:?}")
        };
        assert_eq!(rejection.failure.felkod(), FaultFelkod::InterntFel);
        let anrop = rejection.anrop;
        assert_eq!(
            anrop.kontrakt,
            Some(Kontrakt::V10),
            "it is known what was called"
        );
        let reply = text_of(&other.await.unwrap());
        assert_eq!(reply.matches("felkod>BT-SVAR<").count(), 7, "{reply}");
        settle().await;
        assert_eq!(rig.node.load().open(), 0, "{place}");
    }
}
