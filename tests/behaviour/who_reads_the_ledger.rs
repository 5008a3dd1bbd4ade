//! Every command on a ledger is noted in it, with what came of it (R-084, R-088); and a nämnd gets its own
//! calls and nobody else's (R-074).

use std::fs;

use chrono::Utc;
use samsvar::client::question::{self, Asker};
use samsvar::client::soap::envelope;
use serde_json::Value;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::shs::label::TransferType;

use crate::kept::{ledger, lines, of_event, said, stop};
use crate::sandbox::{DEMO, Sandbox, eventually};

#[tokio::test]
async fn reading_is_noted_in_the_ledger_of_a_running_node_and_after_a_stop_by_the_next() {
    let sandbox = Sandbox::new().asynch().start().await;
    sandbox.ask(DEMO).await.unwrap();
    let shown = ledger(sandbox.folder(), &["show", "--event", "besvarat"]);
    assert!(said(&shown).contains("besvarat"), "{}", said(&shown));
    let export = sandbox.folder().join("export.csv");
    let name = export.to_str().unwrap();
    let args = [
        "export",
        "--format",
        "csv",
        "--out",
        name,
        "--aktor",
        "2120009994",
    ];
    let exported = ledger(sandbox.folder(), &args);
    assert!(exported.status.success(), "{}", said(&exported));
    let csv = fs::read_to_string(&export).unwrap();
    assert!(
        csv.starts_with("seq,time,event,") && csv.lines().count() == 2,
        "{csv}"
    );
    let again = ledger(sandbox.folder(), &args);
    assert!(!again.status.success(), "no file is overwritten");
    let quiet = ledger(sandbox.folder(), &["show", "--no-note"]);
    assert!(!quiet.status.success(), "a node keeps it: {}", said(&quiet));
    stop(&sandbox).await;
    let lines = lines(&sandbox);
    let read = of_event(&lines, "avlast");
    let words = |field: &str| -> Vec<&str> {
        read.iter()
            .map(|line| line[field].as_str().unwrap())
            .collect()
    };
    assert_eq!(words("command"), ["show", "export", "export", "show"]);
    let results = ["utlamnat", "utlamnat", "nekat", "nekat"];
    assert_eq!(words("result"), results, "a refused one is noted, too");
    assert_eq!(
        (&read[0]["command"], &read[0]["filters"][0]),
        (&"show".into(), &"event".into())
    );
    assert_eq!(
        (&read[1]["command"], &read[1]["filters"][0]),
        (&"export".into(), &"aktor".into())
    );
    let quiet = ledger(sandbox.folder(), &["show", "--no-note"]);
    assert!(quiet.status.success(), "{}", said(&quiet));
}

#[tokio::test]
async fn looking_whether_it_is_whole_is_noted_with_what_was_found() {
    let sandbox = Sandbox::new().asynch().start().await;
    sandbox.ask(DEMO).await.unwrap();
    stop(&sandbox).await;
    let folder = sandbox.folder();
    let note = folder.join("ledger/avlast.jsonl");
    let _ = fs::remove_file(&note);
    let unnoted = ledger(folder, &["verify", "--no-note"]);
    assert!(unnoted.status.success() && !note.exists(), "of a copy");
    assert!(ledger(folder, &["verify"]).status.success());
    assert!(ledger(folder, &["key"]).status.success());
    let person = ledger(folder, &["show", "--person", DEMO, "--keys", "none"]);
    assert!(!person.status.success());
    let day = fs::read_dir(folder.join("ledger"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|file| file.to_str().unwrap().contains("ledger-"))
        .unwrap();
    let text = fs::read_to_string(&day).unwrap();
    fs::write(&day, text.replacen("2120009994", "2120009986", 1)).unwrap();
    assert_eq!(ledger(folder, &["verify"]).status.code(), Some(1));
    let notes = fs::read_to_string(&note).unwrap();
    let expected = [
        r#""command":"verify","filters":[],"result":"helt"}"#,
        r#""command":"key","filters":[],"result":"utlamnat"}"#,
        r#""command":"show","filters":["person"],"result":"nekat"}"#,
        r#""command":"verify","filters":[],"result":"andrat"}"#,
    ];
    assert_eq!(notes.lines().count(), expected.len(), "{notes}");
    for (line, expected) in notes.lines().zip(expected) {
        assert!(
            line.ends_with(expected) && line.contains(r#""uid":"#),
            "{line}"
        );
    }
    assert!(!notes.contains(DEMO));
    // A folder that takes no note keeps nobody from looking.
    fs::remove_file(&note).unwrap();
    fs::create_dir(&note).unwrap();
    let looked = ledger(folder, &["verify"]);
    assert_eq!(looked.status.code(), Some(1));
    assert!(
        said(&looked).contains("cannot be noted"),
        "{}",
        said(&looked)
    );
    assert!(
        !ledger(folder, &["key"]).status.success(),
        "what shows something does"
    );
}

/// The two that ask, and about whom.
const NAMNDER: [(&str, &str); 2] = [
    ("2120009994", "199503142383"),
    ("2120009986", "199503022387"),
];

/// The calls of a nämnd, by file of this form.
fn calls(sandbox: &Sandbox, namnd: &str, format: &str, more: &[&str]) -> String {
    let out = sandbox
        .folder()
        .join(format!("{namnd}-{}.{format}", more.len()));
    // An export overwrites nothing.
    let _ = fs::remove_file(&out);
    let name = out.to_str().unwrap();
    let args = [
        "export", "--namnd", namnd, "--format", format, "--out", name,
    ];
    let exported = ledger(sandbox.folder(), &[&args[..], more].concat());
    assert!(exported.status.success(), "{}", said(&exported));
    fs::read_to_string(out).unwrap()
}

#[tokio::test]
async fn a_namnd_gets_its_own_calls_and_no_line_of_anothers() {
    let sandbox = Sandbox::new().asynch().start().await;
    let mut own = [Vec::new(), Vec::new()];
    for nth in 0..6 {
        let ((from, person), mine) = (NAMNDER[nth % 2], &mut own[nth % 2]);
        let asker = Asker {
            from: from.to_owned(),
            ..Asker::default()
        };
        let persons = vec![person.to_owned(); 1 + nth / 4];
        let message = question::message(&asker, &persons, Utc::now()).unwrap();
        mine.push(message.label.tx_id.to_string());
        sandbox.send(message.write()).await.unwrap();
    }
    // A refused one of the first: the certificate check is not what refuses on the plain listener.
    let asker = Asker::default();
    let mut refused = question::message(&asker, &[DEMO.to_owned()], Utc::now()).unwrap();
    refused.label.product.produkt = shs_schemas::shs::Produkt::Agreement;
    own[0].push(refused.label.tx_id.to_string());
    assert!(sandbox.send(refused.write()).await.is_err());
    stop(&sandbox).await;
    for (nth, (namnd, _)) in NAMNDER.into_iter().enumerate() {
        let other = NAMNDER[1 - nth].0;
        let (csv, json) = (
            calls(&sandbox, namnd, "csv", &[]),
            calls(&sandbox, namnd, "jsonl", &[]),
        );
        for text in [&csv, &json] {
            assert!(!text.contains(other));
            let of_others = own[1 - nth].iter().filter(|id| text.contains(*id));
            assert_eq!(of_others.count(), 0, "{text}");
            for (_, person) in NAMNDER {
                assert!(!text.contains(person), "{text}");
            }
        }
        let rows: Vec<Value> = json
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let ids: Vec<_> = rows
            .iter()
            .map(|row| row["tx_id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, own[nth], "each, in the order in which they came");
        assert_eq!(csv.lines().count(), 1 + ids.len());
        let heading = "time,tx_id,request_id,slag,handlaggare,uppgiftslamnare,utfall";
        assert!(csv.starts_with(heading), "{csv}");
        for row in &rows[..3] {
            assert_eq!(row["slag"], "shs_synkront");
            assert_eq!(row["handlaggare"][0].as_str().unwrap().len(), 32);
            let parts = row["uppgiftslamnare"].as_array().unwrap();
            let parties: Vec<_> = parts.iter().map(|one| &one["bastjanst"]).collect();
            assert!(
                parties.len() >= Uppgiftslamnare::all().count(),
                "{parties:?}"
            );
            assert_eq!(row["utfall"], "besvarat:answered");
        }
    }
    let rows = calls(&sandbox, NAMNDER[0].0, "jsonl", &["--from", "2026-01-01"]);
    assert!(
        rows.lines()
            .last()
            .unwrap()
            .contains(r#""utfall":"avvisat:unknown_product""#),
        "{rows}"
    );
    let (from, to) = (
        ["--to", "2026-01-01"],
        ["--from", "2999-01-01", "--open-ids"],
    );
    assert_eq!(calls(&sandbox, NAMNDER[0].0, "jsonl", &from[..]).len(), 0);
    assert_eq!(calls(&sandbox, NAMNDER[0].0, "jsonl", &to[..]).len(), 0);
    let nobody = calls(&sandbox, "2120000142", "jsonl", &[]);
    assert_eq!(nobody, "", "a nämnd that never asked");
    let notes = fs::read_to_string(sandbox.folder().join("ledger/avlast.jsonl")).unwrap();
    assert!(notes.contains(r#""filters":["from","namnd"]"#), "{notes}");
    assert!(
        !notes.contains("2120009994"),
        "kinds of filter, never values"
    );
    let mixed = [
        "export",
        "--namnd",
        "2120009994",
        "--aktor",
        "2120009986",
        "--out",
        "x",
    ];
    assert!(!ledger(sandbox.folder(), &mixed).status.success());
}

#[tokio::test]
async fn each_way_of_calling_has_its_row_with_everything_in_it() {
    let sandbox = Sandbox::new().asynch().start().await;
    let asker = Asker::default();
    let (base, client) = (
        format!("http://{}", sandbox.service()),
        reqwest::Client::new(),
    );
    let mut message = question::message(&asker, &[DEMO.to_owned()], Utc::now()).unwrap();
    message.label.transfer_type = TransferType::Asynch;
    let asynch = client.post(format!("{base}/shs/rs")).body(message.write());
    assert_eq!(asynch.send().await.unwrap().status(), 202);
    eventually("it is answered", || sandbox.ledger().contains("besvarat")).await;
    let call = client
        .post(format!("{base}/ssbt/10"))
        .header("content-type", "text/xml; charset=utf-8")
        .body(envelope(&question::element(&asker, DEMO, Utc::now())));
    let answered = call.send().await.unwrap();
    assert_eq!(answered.status(), 200);
    drop(answered);
    eventually("its end is noted", || sandbox.ledger().contains("gallrat")).await;
    stop(&sandbox).await;
    let rows = calls(&sandbox, "2120009994", "jsonl", &[]);
    let rows: Vec<Value> = rows
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ways: Vec<_> = rows
        .iter()
        .map(|row| row["slag"].as_str().unwrap())
        .collect();
    assert_eq!(ways, ["shs_asynkront", "soap"]);
    assert_eq!(rows[0]["tx_id"], message.label.tx_id.as_str());
    assert_eq!(rows[1].get("tx_id"), None, "a SOAP call has none");
    for row in &rows {
        assert_eq!(row["utfall"], "besvarat:answered");
        assert_eq!(row["handlaggare"].as_array().unwrap().len(), 1);
        let parts = row["uppgiftslamnare"].as_array().unwrap();
        assert_eq!(parts.len(), Uppgiftslamnare::all().count(), "{row}");
    }
}
