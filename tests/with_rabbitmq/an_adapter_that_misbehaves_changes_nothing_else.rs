//! Garbage, two answers, a late one, one for another question, none at all: the part says so, and
//! the other seven are there (design 9; ). Through the whole node, over RabbitMQ.

use std::time::Duration;

use samsvar::adapter::behaviour::{Behaviour, Fault, Garbage};
use samsvar::client::answer::Said;
use shs_schemas::Uppgiftslamnare;

use crate::ask::{AllSaid, Caller, assert_only};
use crate::stage::{Adapter, Node, Place, SEED, all_but, authorities};

const CSN: Uppgiftslamnare = Uppgiftslamnare::CSN;

/// The shortest wait for a party that the settings allow, and a patient circuit: it is not the
/// matter here.
const IMPATIENT: [(&str, &str); 5] = [
    ("DEADLINE__PROMISE_S", "1"),
    ("DEADLINE__LIMIT_S", "2"),
    ("DEADLINE__MARGIN_MS", "900"),
    ("DISPATCHER__CIRCUIT_IMPATIENT_AFTER", "100"),
    ("DISPATCHER__CIRCUIT_TIMEOUTS_IN_A_ROW", "100"),
];

/// What [`IMPATIENT`] comes to: limit less margin.
const WAIT: Duration = Duration::from_millis(1_100);
const LIMIT: Duration = Duration::from_secs(2);

struct Scene {
    caller: Caller,
    place: Place,
    node: Node,
    _others: crate::process::Process,
}

impl Scene {
    fn set() -> Option<Self> {
        let place = Place::take()?;
        let node = Node::start(&place, &IMPATIENT);
        let others = all_but(&place, CSN);
        Some(Self {
            caller: Caller::new(),
            place,
            node,
            _others: others,
        })
    }

    /// CSN with this fault, known to the node. The way to know it is `felkod` (`None`: data).
    fn csn(&self, fault: Fault) -> Adapter {
        let behaviour = Behaviour::always(fault, SEED);
        let adapter = Adapter::start(&self.caller.runtime, &self.place, CSN, behaviour);
        let away = Said::Error("SSBT".into(), "SSBT-INGEN-KONTAKT".into());
        self.caller.until(&self.node, |said| said[&CSN] != away);
        adapter
    }

    fn ask(&self) -> (AllSaid, Duration) {
        self.caller.ask(&self.node)
    }

    fn dropped(&self, class: &str) -> f64 {
        self.caller.metrics(&self.node).dropped(CSN, class)
    }

    /// Waits until so many more have been dropped: an answer may come after the reply.
    fn until_dropped(&self, class: &str, count: f64) {
        let begun = std::time::Instant::now();
        while self.dropped(class) < count {
            assert!(
                begun.elapsed() < crate::process::SOON,
                "never dropped: {class}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn with_garbage_of_every_kind() {
    let Some(scene) = Scene::set() else { return };
    for garbage in Garbage::ALL {
        let _csn = scene.csn(Fault::GarbageOf(garbage));
        let (said, took) = scene.ask();
        assert_only(&said, CSN, "SSBT-OGILTIGT-SVAR");
        assert!(took < WAIT, "{garbage:?} waited for: {took:?}");
    }
}

#[test]
fn with_the_same_answer_twice() {
    let Some(scene) = Scene::set() else { return };
    let _csn = scene.csn(Fault::Twice);
    let before = scene.dropped("repeated");
    for _ in 0..3 {
        let (said, _) = scene.ask();
        assert!(matches!(said[&CSN], Said::Data(_)), "{said:?}");
    }
    scene.until_dropped("repeated", before + 3.0);
}

#[test]
fn with_a_late_answer_and_the_next_question_gets_its_own() {
    let Some(scene) = Scene::set() else { return };
    let csn = scene.csn(Fault::Late(Duration::from_millis(100)));
    let before = scene.dropped("late");
    let (said, took) = scene.ask();
    assert_only(&said, CSN, "SSBT-TIMEOUT");
    assert!(took >= WAIT && took < LIMIT, "{took:?}");
    scene.until_dropped("late", before + 1.0);
    drop(csn);
    let _csn = authorities(&scene.place, "ul-csn", &["--kod", "CSN"], 2);
    scene.caller.until_all_give_data(&scene.node);
}

#[test]
fn with_answers_for_other_questions() {
    let Some(scene) = Scene::set() else { return };
    // The first is for nobody, each further one for the question before it, which has ended.
    let _csn = scene.csn(Fault::AnothersCorrelationId);
    let strays = || scene.dropped("late") + scene.dropped("unknown");
    let before = strays();
    for _ in 0..2 {
        let (said, took) = scene.ask();
        assert_only(&said, CSN, "SSBT-TIMEOUT");
        assert!(took < LIMIT, "{took:?}");
    }
    assert!(strays() >= before + 2.0, "{before} and {}", strays());
}

#[test]
fn with_silence_and_the_deadline_holds() {
    let Some(scene) = Scene::set() else { return };
    let _csn = authorities(&scene.place, "ul-csn", &["--kod", "CSN", "--silent"], 2);
    scene.caller.until(&scene.node, |said| {
        said[&CSN] == Said::Error("SSBT".into(), "SSBT-TIMEOUT".into())
    });
    let (said, took) = scene.ask();
    assert_only(&said, CSN, "SSBT-TIMEOUT");
    assert!(took >= WAIT && took < LIMIT, "{took:?}");
}

#[test]
fn with_silence_from_everybody_there_is_still_one_answer() {
    let Some(place) = Place::take() else { return };
    let node = Node::start(&place, &IMPATIENT);
    let _silent = authorities(&place, "simulator", &["--alla", "--silent"], 16);
    let caller = Caller::new();
    let timed_out = |said: &Said| match said {
        Said::Error(kalla, felkod) => kalla == "SSBT" && felkod == "SSBT-TIMEOUT",
        _ => false,
    };
    caller.until(&node, |said| said.values().all(timed_out));
    let (_, took) = caller.ask(&node);
    assert!(took >= WAIT && took < LIMIT, "{took:?}");
}
