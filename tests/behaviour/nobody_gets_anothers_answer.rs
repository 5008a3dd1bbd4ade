//! Two municipalities ask at once, over and over: no part ever reaches the other one, and
//! each question reaches each authority once.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use samsvar::adapter::behaviour::{Behaviour, Latency};
use samsvar::adapter::simulated::SEED_DEFAULT;
use samsvar::client::question::{self, Asker};
use samsvar_actors::transport::{AnswerContent, Question};
use shs_schemas::{Sensitive, Uppgiftslamnare};
use std::time::Duration;

use crate::sandbox::{Sandbox, Says};

const ROUNDS: usize = 250;
/// Questions of each municipality under way at once.
const AT_ONCE: usize = 12;

/// Municipality, and the person that it alone asks about.
const ASKERS: [(&str, &str); 2] = [
    ("2120009994", "199503142383"),
    ("2120009986", "199503022387"),
];

/// The parties that answer in XML of their own, what they answer, and a text of it that stands
/// aside for the person (ssbtek-10, 4.1 to 4.7).
const ECHOING: [(Uppgiftslamnare, &str, &str); 4] = [
    (
        Uppgiftslamnare::AF,
        include_str!("../../shs-schemas/tests/corpus/spec/svar-af.xml"),
        "Klart",
    ),
    (
        Uppgiftslamnare::MIV,
        include_str!("../../shs-schemas/tests/corpus/spec/svar-miv.xml"),
        "prov-1",
    ),
    (
        Uppgiftslamnare::SO,
        include_str!("../../shs-schemas/tests/corpus/spec/svar-so.xml"),
        "Provkassan",
    ),
    (
        Uppgiftslamnare::TNS,
        include_str!("../../shs-schemas/tests/corpus/spec/svar-tns.xml"),
        "PRO001",
    ),
];

/// Says whom it was asked about.
fn echo((_, answer, aside): (Uppgiftslamnare, &str, &str), question: &Question) -> AnswerContent {
    let text = String::from_utf8(question.body.expose().to_vec()).unwrap();
    let (_, after) = text.split_once("personidentitet>").unwrap();
    let person = &after[..12];
    assert!(answer.contains(aside), "{aside}");
    let svar = answer.replace(aside, &format!("om {person}"));
    AnswerContent::Svar(Sensitive::new(Bytes::from(svar)))
}

async fn round(sandbox: &Sandbox, (from, person): (&str, &str), other: &str) {
    let asker = Asker {
        from: from.to_owned(),
        ..Asker::default()
    };
    let message = question::message(&asker, &[person.to_owned()], chrono::Utc::now()).unwrap();
    let answered = sandbox.send(message.write()).await.unwrap();
    assert_eq!(answered.message.label.tx_id, message.label.tx_id);
    let part = answered.message.parts[0].data.expose();
    let text = String::from_utf8(part.to_vec()).unwrap();
    let about = |person: &str| text.matches(&format!(">om {person}<")).count();
    assert_eq!((about(person), about(other)), (ECHOING.len(), 0), "{text}");
}

#[tokio::test]
async fn while_two_municipalities_ask_at_once() {
    let most = Duration::from_millis(5);
    let latency = Latency::range(Duration::ZERO, most).unwrap();
    let jitter = Behaviour::good(SEED_DEFAULT).with_latency(latency);
    let builder = ECHOING.into_iter().fold(Sandbox::new(), |builder, party| {
        builder
            .played_by(
                party.0,
                Says(move |question: &Question| Some(echo(party, question))),
            )
            .behaving(party.0, &jitter)
    });
    let sandbox = builder.start().await;
    let [first, second] = ASKERS;
    let asking = |own: (&'static str, &'static str), other: &'static str| {
        let rounds = (0..ROUNDS)
            .map(|_| round(&sandbox, own, other))
            .collect::<Vec<_>>();
        stream::iter(rounds).buffer_unordered(AT_ONCE).count()
    };
    let counts = tokio::join!(asking(first, second.1), asking(second, first.1));
    assert_eq!(counts, (ROUNDS, ROUNDS));
    assert_eq!(sandbox.asked().count(), 2 * ROUNDS * 8);
}
