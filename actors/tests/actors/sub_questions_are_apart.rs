//! Three persons and eight authorities make 24 sub-questions, all put at once, and each holds what is its
//! own: one person, and of the parameters for authorities those of one (R-002, R-003; ssbtek-10, 4.0).

use std::time::Duration;

use samsvar_actors::deadline::DeadlineSettings;
use serde_json::{Value, json};
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::{Fraga, Kontrakt, Svarselement};
use shs_schemas::xml::Limits;
use tokio::time::Instant;

use crate::node_rig::{self, Reply, Rig};
use crate::questions::{Asked, SKV_AR, from_datum};
use crate::services::{Put, Services, fel};
use crate::{ms, paused};

const KONTRAKT: Kontrakt = Kontrakt::V11;
const LEFT_OUT: Uppgiftslamnare = Uppgiftslamnare::CSN;
const AFTER: Duration = Duration::from_secs(5);

/// Three persons, each with parameters for every authority.
fn three() -> Vec<Asked> {
    (1..=3)
        .map(|place| Asked {
            surplus: true,
            ..Asked::all(place)
        })
        .collect()
}

/// Nobody answers for five seconds: whoever waited for somebody would be asked later.
async fn rig() -> (Rig, Services) {
    paused();
    let services = Services::new(|_| Some((AFTER, fel("BT-SVAR", "ett svar"))));
    let settings = node_rig::settings(DeadlineSettings::default());
    (Rig::start(settings, services.all()).await, services)
}

async fn ask(rig: &Rig, persons: &[Asked]) -> Reply {
    let parts = persons.iter().map(|asked| asked.part(KONTRAKT));
    rig.reply_to(node_rig::message(parts.collect())).await
}

/// What stands nowhere but in the parameters of one element.
fn own_words(element: Svarselement) -> Option<String> {
    match element {
        Svarselement::Fk => Some("aktorsid>".to_owned()),
        Svarselement::Skv => Some(format!("ar>{SKV_AR}<")),
        Svarselement::Miv => None,
        _ => Some(from_datum(element)),
    }
}

/// What stands nowhere but in one person's question.
fn words_of(asked: &Asked) -> Vec<String> {
    let place = asked.place;
    let handlaggare = format!(">prov{place}<");
    vec![
        asked.number.to_owned(),
        asked.arende(),
        asked.korrelationsid(),
        handlaggare,
    ]
}

fn check_fields(put: &Put, own: &Asked, others: &[&Asked]) {
    let (ul, text) = (put.ul, put.text());
    assert!(text.contains(&own.generella()), "{ul}: {text}");
    assert!(words_of(own).iter().all(|word| text.contains(word)));
    for word in others.iter().flat_map(|other| words_of(other)) {
        assert!(!text.contains(&word), "{ul} sees another person's {word}");
    }
    for &element in Svarselement::IN_ORDER {
        let is_own = element == ul.element();
        if let Some(word) = own_words(element) {
            assert_eq!(text.contains(&word), is_own, "{ul}, {element:?}: {text}");
        }
        let name = element.local_name();
        let left_out = format!("<b:{name} inkludera=\"false\"/>");
        assert_eq!(text.contains(&left_out), !is_own, "{ul}: {text}");
    }
    if ul.element() == Svarselement::Fk {
        let aktor = format!("aktorsid>AKTOR-{}<", own.place);
        assert!(text.contains(&aktor), "{text}");
        let fraga = Fraga::read(put.body.clone(), &Limits::default()).unwrap();
        let asked: Value = serde_json::from_slice(&fraga.lefi_json().unwrap()).unwrap();
        assert_eq!(asked, lefi(ul, own));
    }
}

/// The question to LEFI with the codes of one authority.
fn lefi(ul: Uppgiftslamnare, own: &Asked) -> Value {
    let (number, period) = (
        own.number,
        json!({"from": "2026-09-01", "tom": "2026-11-30"}),
    );
    if ul == Uppgiftslamnare::PM {
        json!({"personnummer": number, "period": period, "beslut": ["PM:AP"],
               "utbetalningar": ["PM:AP"]})
    } else {
        json!({"personnummer": number, "period": period, "formansinformation": ["FK:SJP"],
               "utbetalningar": ["FK:SJP"]})
    }
}

fn count(reply: &Reply, text: &str) -> usize {
    let found = |document: &String| document.matches(text).count();
    reply.documents.iter().map(found).sum()
}

#[actix::test]
async fn each_of_the_24_sub_questions_holds_one_person_and_the_parameters_of_one_party() {
    let (rig, services) = rig().await;
    let (persons, started) = (three(), Instant::now());
    let reply = ask(&rig, &persons).await;
    assert_eq!(reply.took.as_secs(), AFTER.as_secs());
    let put = services.put();
    assert_eq!(put.len(), 24);
    for ul in Uppgiftslamnare::all() {
        let put = services.put_to(ul);
        assert_eq!(put.len(), 3, "{ul}");
        for own in &persons {
            let about: Vec<_> = put
                .iter()
                .filter(|put| put.text().contains(&own.arende()))
                .collect();
            let others: Vec<_> = persons
                .iter()
                .filter(|other| other.place != own.place)
                .collect();
            assert_eq!(about.len(), 1, "{ul} once about each");
            check_fields(about[0], own, &others);
        }
    }
    // All were under way before anybody had answered.
    assert!(put.iter().all(|put| put.at <= started + ms(1)));
    assert_eq!(count(&reply, "felkod>BT-SVAR<"), 3 * 7);
}

#[actix::test]
async fn a_party_that_is_disconnected_is_not_asked_and_stands_in_every_answer() {
    let (rig, services) = rig().await;
    rig.node.disconnect(LEFT_OUT);
    let reply = ask(&rig, &three()).await;
    assert_eq!(services.put().len(), 21);
    assert!(services.put_to(LEFT_OUT).is_empty());
    assert_eq!(count(&reply, "<ssbt:CSN><ssbt:error>"), 3);
    assert_eq!(count(&reply, "felkod>SSBT-EJ-ANSLUTEN<"), 3);
}

#[actix::test]
async fn a_party_that_is_not_included_is_not_asked_and_stands_nowhere() {
    let (rig, services) = rig().await;
    let mut persons = three();
    for asked in &mut persons {
        asked.inkludera[LEFT_OUT.element().index()] = false;
        asked.echo = false;
    }
    let reply = ask(&rig, &persons).await;
    assert_eq!(services.put().len(), 21);
    assert!(services.put_to(LEFT_OUT).is_empty());
    assert_eq!(count(&reply, "CSN"), 0);
    assert_eq!(count(&reply, "<ssbt:error>"), 3 * 6);
}
