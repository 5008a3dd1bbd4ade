//! Beside what happened to questions the ledger has who was turned away at the doors, and when the node
//! and its actors began and ended (R-085).

use std::fs;

use chrono::Utc;
use samsvar::client::AskError;
use samsvar::client::question::{self, Asker};
use serde_json::Value;
use shs_schemas::ids::TxId;

use crate::sandbox::{DEMO, Sandbox, eventually, question_about};

fn of_event(text: &str, event: &str) -> Vec<Value> {
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["event"] == event).collect()
}

/// Door, reason, code, class and size of each refused call.
fn refused(sandbox: &Sandbox) -> Vec<[String; 5]> {
    let fields = ["door", "reason", "code", "class", "bytes"];
    let lines = of_event(&sandbox.ledger(), "avvisat").into_iter();
    lines
        .map(|line| {
            fields.map(|field| match &line[field] {
                Value::String(word) => word.clone(),
                Value::Null => String::new(),
                number => number.to_string(),
            })
        })
        .collect()
}

async fn post(sandbox: &Sandbox, path: &str, body: impl Into<reqwest::Body>) -> u16 {
    let url = format!("http://{}{path}", sandbox.service());
    let request = reqwest::Client::new().post(url).body(body);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_call_that_is_refused_at_any_door_leaves_a_line_without_content() {
    let sandbox = Sandbox::new().asynch().start().await;
    // A stranger with an identity number for an address, and one among the identifiers.
    let asker = Asker {
        from: "9503142383".to_owned(),
        ..Asker::default()
    };
    let mut strange = question::message(&asker, &[DEMO.to_owned()], Utc::now()).unwrap();
    strange.label.tx_id = TxId::parse("arende-199503142383").unwrap();
    let strange = strange.write();
    let bytes = strange.len();
    assert!(matches!(
        sandbox.send(strange).await,
        Err(AskError::Refused { .. })
    ));
    assert_eq!(post(&sandbox, "/shs/rs", "199503142383").await, 400);
    assert_eq!(post(&sandbox, "/ssbt/10", "<x/>").await, 500);
    let url = format!("http://{}/shs/rs", sandbox.service());
    let browser = reqwest::Client::new()
        .post(url)
        .header("origin", "https://exempel.se");
    assert_eq!(browser.body("x").send().await.unwrap().status(), 400);
    let url = format!("http://{}/shs/ds/2120009994", sandbox.service());
    let browser = reqwest::Client::new()
        .get(url)
        .header("origin", "https://exempel.se");
    assert_eq!(browser.send().await.unwrap().status(), 403);
    // One that is answered has its own chain.
    sandbox.ask(DEMO).await.unwrap();
    eventually("it is noted", || sandbox.ledger().contains("gallrat")).await;
    let size = bytes.to_string();
    let row = |row: [&str; 5]| row.map(str::to_owned);
    assert_eq!(
        refused(&sandbox),
        [
            row(["shs", "unknown_sender", "UnknownSender", "caller", &size]),
            row([
                "shs",
                "unreadable",
                "IllegalMessageStructure",
                "caller",
                "12"
            ]),
            row(["soap", "operation", "IllegalDatapartContent", "caller", "4"]),
            row(["shs", "browser", "IllegalSender", "caller", ""]),
            row(["leverans", "browser", "IllegalSender", "caller", ""]),
        ]
    );
    let text = sandbox.ledger();
    for person in ["9503142383", DEMO] {
        assert!(!text.contains(person), "{text}");
    }
    assert!(of_event(&text, "avvisat")[0]["tx_id_dold"].is_string());
}

#[tokio::test]
async fn who_is_refused_while_the_node_drains_has_one_line_and_no_other() {
    let sandbox = Sandbox::new().asynch().start().await;
    sandbox.node().load().drain();
    assert_eq!(
        post(&sandbox, "/shs/rs", question_about(&[DEMO])).await,
        503
    );
    eventually("it is noted", || !refused(&sandbox).is_empty()).await;
    let all = refused(&sandbox);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0][1..4], ["draining", "OtherError", "load"]);
    assert!(of_event(&sandbox.ledger(), "mottaget").is_empty());
}

#[tokio::test]
async fn a_life_says_how_it_began_and_how_it_ended_and_the_next_says_how_the_last_one_did() {
    let first = Sandbox::new().asynch().start().await;
    first.ask(DEMO).await.unwrap();
    first.stop().await;
    let folder = first.folder().join("ledger");
    let again = |settings: &mut samsvar::settings::Settings| {
        settings.ledger.folder = Some(folder.clone());
    };
    let text = || -> String {
        let days = fs::read_dir(&folder).unwrap();
        let texts = days.map(|day| fs::read_to_string(day.unwrap().path()).unwrap());
        texts.collect()
    };
    let second = Sandbox::new().asynch().with(again).start().await;
    second.ask(DEMO).await.unwrap();
    eventually("it started", || of_event(&text(), "startat").len() == 2).await;
    // As a crash would leave it: the end, from the stop on, is not there.
    second.stop().await;
    eventually("it stopped", || of_event(&text(), "stoppat").len() == 2).await;
    let whole = text();
    let stop = whole.rfind(r#""event":"stoppat""#).unwrap();
    let cut = whole[..stop].rfind('\n').unwrap();
    let day = fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::write(day, &whole[..=cut]).unwrap();
    let third = Sandbox::new().asynch().with(again).start().await;
    eventually("it started", || of_event(&text(), "startat").len() == 3).await;
    third.stop().await;
    let text = text();
    let before: Vec<_> = of_event(&text, "startat")
        .iter()
        .map(|line| line["forra"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(before, ["ingen", "stoppad", "avbruten"]);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(of_event(&text, "startat")[0]["version"], version);
    let stops = of_event(&text, "stoppat");
    assert!(stops.iter().all(|line| line["kvar"] == 0), "{stops:?}");
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["event"], "startat", "nothing comes before it");
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn an_actor_that_falls_has_a_line_and_so_has_the_one_whose_falls_end_the_node() {
    let sandbox = Sandbox::new().asynch().one_worker().start().await;
    for place in ["ingress", "ledger"] {
        sandbox.failpoints().arm(place, 1);
        let _ = sandbox.ask(DEMO).await;
        let name = format!("{place}{}", if place == "ledger" { "" } else { "-0" });
        let is_noted = || {
            let falls = of_event(&sandbox.ledger(), "omstart");
            falls.iter().any(|line| {
                line["aktor"] == name && line["class"] == "panic" && line["beslut"] == "omstart"
            })
        };
        eventually("it is noted", is_noted).await;
    }
    sandbox.failpoints().arm("egress", 1_000);
    for _ in 0..20 {
        if sandbox.ask(DEMO).await.is_ok() {
            break;
        }
        let falls = of_event(&sandbox.ledger(), "omstart");
        if falls.iter().any(|line| line["beslut"] == "stopp") {
            break;
        }
    }
    sandbox.escalated().await;
    sandbox.stop().await;
    eventually("it stopped", || {
        !of_event(&sandbox.ledger(), "stoppat").is_empty()
    })
    .await;
    let stop = &of_event(&sandbox.ledger(), "stoppat")[0];
    assert_eq!(stop["aktor"], "egress-0");
    let falls = of_event(&sandbox.ledger(), "omstart");
    let last = falls
        .iter()
        .rfind(|line| line["aktor"] == "egress-0")
        .unwrap();
    assert_eq!(
        (&last["beslut"], &last["generation"]),
        (&"stopp".into(), &6.into())
    );
}
