//! The label's status decides the queue (design 5; R-039): test and production never meet.

use samsvar::client::answer::Said;
use shs_schemas::shs::label::Status;

use crate::ask::{AllSaid, Caller, is_data};
use crate::process::SOON;
use crate::stage::{Node, Place, authorities};

fn ask(caller: &Caller, node: &Node, status: Status) -> AllSaid {
    caller.ask_with(node, status).unwrap().0
}

fn nobody_was_there(said: &AllSaid) -> bool {
    let away = Said::Error("SSBT".into(), "SSBT-INGEN-KONTAKT".into());
    said.values().all(|said| *said == away)
}

#[test]
fn and_with_adapters_for_one_of_them_the_other_is_out_of_reach() {
    for (only, answered, other) in [
        ("--test", Status::Test, Status::Production),
        ("--production", Status::Production, Status::Test),
    ] {
        let Some(place) = Place::take() else { return };
        let node = Node::start(&place, &[]);
        let _authorities = authorities(&place, "simulator", &["--alla", only], 8);
        let caller = Caller::new();
        let begun = std::time::Instant::now();
        loop {
            let said = ask(&caller, &node, answered);
            if said.values().all(is_data) {
                break;
            }
            assert!(begun.elapsed() < SOON, "{said:?}");
        }
        let said = ask(&caller, &node, other);
        assert!(nobody_was_there(&said), "{only}: {said:?}");
    }
}
