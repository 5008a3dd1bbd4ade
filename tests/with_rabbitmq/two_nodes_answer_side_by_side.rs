//! Nodes share nothing but RabbitMQ (design 9): each is answered on its own reply address, and the
//! end of one is nobody else's affair.

use std::thread::sleep;
use std::time::Duration;

use crate::ask::{Caller, is_data};
use crate::stage::{Node, Place, all_authorities};

#[test]
fn and_killing_one_disturbs_nobody_on_the_other() {
    let Some(place) = Place::take() else { return };
    let (first, second) = (Node::start(&place, &[]), Node::start(&place, &[]));
    let _authorities = all_authorities(&place);
    let caller = Caller::new();
    for node in [&first, &second] {
        caller.until_all_give_data(node);
    }
    let (at_first, at_second) = (caller.load(&first, 5), caller.load(&second, 5));
    sleep(Duration::from_secs(1));
    first.process.kill();
    sleep(Duration::from_secs(1));
    // Callers of a node that was killed see their connection break: an outcome, too.
    let lost = at_first.stop(&caller);
    assert!(lost.iter().any(|(_, _, outcome)| outcome.is_ok()));
    assert!(lost.iter().any(|(_, _, outcome)| outcome.is_err()));
    let kept = at_second.stop(&caller);
    assert!(kept.len() > 10, "{} questions only", kept.len());
    for (_, took, outcome) in &kept {
        let said = outcome.as_ref().expect("an answer");
        assert!(said.values().all(is_data), "{said:?}");
        assert!(*took < Duration::from_secs(5), "{took:?}");
    }
    let metrics = caller.metrics(&second);
    for class in ["late", "repeated", "unknown"] {
        for ul in shs_schemas::Uppgiftslamnare::all() {
            assert!(metrics.dropped(ul, class) < 1.0, "{ul} {class}");
        }
    }
}
