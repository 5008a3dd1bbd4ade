//! The ledger has what happened to every question, by whom and how it ended, and no content; it can be
//! verified; and while it cannot be written nothing new is taken (design 8.4, 8.5, 9; R-074, R-083, R-087).

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use samsvar_actors::ledger::PROBE_EVERY;
use samsvar_actors::ledger::keys::{KeyFile, Month};
use serde_json::Value;
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ids::TxId;
use shs_schemas::mime::Limits;
use shs_schemas::shs::Message;

use crate::kept::{ledger, lines, of_event, said, stop};
use crate::sandbox::{DEMO, Gate, Sandbox, question_about};

#[tokio::test]
async fn a_synchronous_question_has_a_beginning_an_outcome_per_authority_and_one_end() {
    let sandbox = Sandbox::new().asynch().start().await;
    let answered = sandbox.ask_about(&[DEMO, "200411062383"]).await.unwrap();
    drop(answered);
    stop(&sandbox).await;
    let lines = lines(&sandbox);
    let first = &of_event(&lines, "mottaget")[0];
    assert_eq!(first["transfer_type"], "synch");
    assert_eq!(first["from"], "urn:X-shs:2120009994");
    let own: Vec<_> = lines
        .iter()
        .filter(|line| line["request_id"] == first["request_id"])
        .collect();
    let events: Vec<_> = own
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(events[..2], ["mottaget", "fraga"]);
    assert_eq!(
        events[events.len() - 2..],
        ["besvarat", "gallrat"],
        "{events:?}"
    );
    assert_eq!(of_event(&lines, "besvarat").len(), 1);
    assert_eq!(of_event(&lines, "gallrat").len(), 1);
    let parts = of_event(&lines, "delsvar");
    assert_eq!(parts.len(), 2 * Uppgiftslamnare::all().count());
    assert!(parts.iter().all(|part| part["tx_id"] == first["tx_id"]));
    for part in parts.iter().filter(|part| part["outcome"] == "svar") {
        assert_eq!(part["digest"].as_str().unwrap().len(), 32, "{part}");
        assert!(part["bytes"].as_u64().unwrap() > 0);
    }
    assert_eq!(own[1]["personer"], 2);
    assert_eq!(own[1]["handlaggare"].as_str().unwrap().len(), 32);
    assert_eq!(own[1].get("person"), None, "off by default (C-13)");
    for person in [DEMO, "200411062383"] {
        assert!(!sandbox.ledger().contains(person));
    }
    let verified = ledger(sandbox.folder(), &["verify"]);
    assert!(verified.status.success(), "{}", said(&verified));
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_an_end_and_then_nothing() {
    let gate = Gate::closed();
    let sandbox = Sandbox::new().asynch().held_by(&gate).start().await;
    let asking = sandbox.ask(DEMO);
    let gone = tokio::time::timeout(Duration::from_millis(500), asking).await;
    assert!(gone.is_err());
    gate.open();
    crate::sandbox::eventually("the end is noted", || sandbox.ledger().contains("gallrat")).await;
    let lines = lines(&sandbox);
    let request = &of_event(&lines, "mottaget")[0]["request_id"];
    // Answers that come now are nobody's.
    let own = lines
        .iter()
        .rev()
        .filter(|line| line["request_id"] == *request);
    let ends: Vec<_> = own.take(3).collect();
    assert_eq!(
        (&ends[0]["event"], &ends[0]["reason"]),
        (&"gallrat".into(), &"avslutat".into())
    );
    assert_eq!(ends[1]["event"], "avbrutet");
    assert_eq!(
        ends[2]["outcome"], "aterkallad",
        "each question has its outcome"
    );
}

/// What is noted of the one request there is, in order, its questions to authorities sorted.
fn chain(lines: &[Value]) -> Vec<(String, String)> {
    let request = &of_event(lines, "mottaget")[0]["request_id"];
    let own = lines.iter().filter(|line| line["request_id"] == *request);
    let word = |line: &Value, field: &str| line[field].as_str().unwrap_or_default().to_owned();
    own.map(|line| {
        let what = ["outcome", "reason", "where"].map(|field| word(line, field));
        (word(line, "event"), what.concat())
    })
    .collect()
}

#[tokio::test]
async fn what_falls_leaves_a_whole_chain_all_the_same() {
    for place in ["aggregator", "egress"] {
        let sandbox = Sandbox::new().asynch().start().await;
        sandbox.failpoints().arm(place, 1);
        assert!(sandbox.ask(DEMO).await.is_err());
        crate::sandbox::eventually("the end is noted", || sandbox.ledger().contains("gallrat"))
            .await;
        let mut chain = chain(&lines(&sandbox));
        let ends = chain.split_off(chain.len() - 2);
        let end = |event: &str, what: &str| (event.to_owned(), what.to_owned());
        assert_eq!(ends, [end("fel", "mottagning"), end("gallrat", "avslutat")]);
        let asked: Vec<_> = chain
            .iter()
            .filter(|(event, _)| event == "delsvar")
            .collect();
        assert_eq!(
            asked.len(),
            Uppgiftslamnare::all().count(),
            "{place}: {chain:?}"
        );
        if place == "aggregator" {
            assert!(
                asked.iter().all(|(_, what)| what == "aterkallad"),
                "{asked:?}"
            );
        }
        assert_eq!(chain[0].0, "mottaget");
    }
}

#[tokio::test]
async fn who_asked_about_whom_is_answered_with_key_and_identity_and_only_then() {
    let with_persons = |settings: &mut samsvar::settings::Settings| {
        settings.ledger.person_pseudonyms = true;
    };
    let sandbox = Sandbox::new().asynch().with(with_persons).start().await;
    sandbox.ask(DEMO).await.unwrap();
    let mut odd = Message::read(question_about(&[DEMO]), None, &Limits::default()).unwrap();
    odd.label.tx_id = TxId::parse("arende-199503142383").unwrap();
    sandbox.send(odd.write()).await.unwrap();
    stop(&sandbox).await;
    let folder = sandbox.folder();
    assert!(!sandbox.ledger().contains(DEMO));

    let count = |args: &[&str]| {
        let shown = ledger(folder, &[&["show", "--json"], args].concat());
        assert!(shown.status.success(), "{}", said(&shown));
        said(&shown).lines().count()
    };
    assert_eq!(count(&["--person", DEMO]), 2);
    assert_eq!(count(&["--person", "200411062383"]), 0);
    let handlaggare = {
        let key = KeyFile::at(folder.join("ledger.keys")).load().unwrap();
        let fraga = lines(&sandbox);
        let fraga = of_event(&fraga, "fraga")[0];
        let key = &key[&Month::parse(fraga["time"].as_str().unwrap()).unwrap()];
        let question = Message::read(question_about(&[DEMO]), None, &Limits::default()).unwrap();
        let text = String::from_utf8_lossy(question.parts[0].data.expose()).into_owned();
        let name = text
            .split("handlaggare>")
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap();
        assert_eq!(
            fraga["handlaggare"].as_str().unwrap(),
            key.handlaggare(name)
        );
        name.to_owned()
    };
    assert_eq!(count(&["--handlaggare", &handlaggare]), 2);
    assert_eq!(count(&["--handlaggare", "nobody"]), 0);
    assert!(
        count(&["--tx-id", "arende-199503142383"]) > 8,
        "hidden, and found with the key"
    );
    let opened = ledger(
        folder,
        &["show", "--json", "--open-ids", "--event", "besvarat"],
    );
    assert!(said(&opened).contains("arende-199503142383"));

    // Who loses the key has erased the traces.
    fs::rename(folder.join("ledger.keys"), folder.join("lost")).unwrap();
    let refused = ledger(folder, &["show", "--person", DEMO]);
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("without the keys"),
        "{}",
        said(&refused)
    );
}

#[tokio::test]
async fn verify_names_the_line_and_what_was_done_to_it() {
    let sandbox = Sandbox::new().asynch().start().await;
    sandbox.ask(DEMO).await.unwrap();
    let beside = ledger(sandbox.folder(), &["verify"]);
    assert!(
        beside.status.success(),
        "beside a running node: {}",
        said(&beside)
    );
    stop(&sandbox).await;
    let key = said(&ledger(sandbox.folder(), &["key"]));
    let whole = ledger(sandbox.folder(), &["verify", "--public-key", key.trim()]);
    assert!(said(&whole).starts_with("whole: "), "{}", said(&whole));
    let days = fs::read_dir(sandbox.folder().join("ledger")).unwrap();
    let mut days = days.map(|day| day.unwrap().path());
    let file: PathBuf = days
        .find(|day| day.to_str().unwrap().contains("ledger-"))
        .unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("2120009994", "2120009986", 1)).unwrap();
    let changed = ledger(sandbox.folder(), &["verify"]);
    assert_eq!(changed.status.code(), Some(1));
    assert!(
        said(&changed).contains(".jsonl:2: changed\n"),
        "{}",
        said(&changed)
    );
    let end = text.trim_end().rfind('\n').unwrap();
    fs::write(&file, &text[..=end]).unwrap();
    let cut = ledger(sandbox.folder(), &["verify", "--json"]);
    let cut: Value = serde_json::from_str(&said(&cut)).unwrap();
    assert!(
        cut["finding"]["what"]
            .as_str()
            .unwrap()
            .starts_with("cut off"),
        "{cut}"
    );
}

/// A small disk of its own, gone with this. None when the machine does not let us.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(at: &Path, bytes: u32) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(at)
            .output();
        mount
            .is_ok_and(|done| done.status.success())
            .then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_what_is_new_answers_what_is_open_and_is_left_behind_without_a_restart()
{
    let parent = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::new(&parent.path().join("disk"), 256 * 1024) else {
        let _ = writeln!(std::io::stderr(), "skipped: no tmpfs can be mounted here");
        return;
    };
    let folder = disk.0.join("ledger");
    let gate = Gate::closed();
    let sandbox = Sandbox::new()
        .asynch()
        .with(|settings| settings.ledger.folder = Some(folder.clone()))
        .one_held_by(Uppgiftslamnare::CSN, &gate)
        .start()
        .await;
    let ballast = disk.0.join("ballast");
    let client = reqwest::Client::new();
    let url = format!("http://{}/shs/rs", sandbox.service());
    let post = || async {
        let body = question_about(&[DEMO]);
        let answer = client.post(&url).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let open = tokio::spawn({
        let (client, url) = (client.clone(), url.clone());
        let body = question_about(&[DEMO]);
        async move {
            client
                .post(&url)
                .body(body)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        }
    });
    crate::sandbox::eventually("a question is open", || sandbox.node().load().open() == 1).await;
    // The disk fills.
    let mut full = fs::File::create(&ballast).unwrap();
    while full.write_all(&[0; 512]).is_ok() {}
    let failing = sandbox.node().ledger().unwrap().health();
    let mut asked = Vec::new();
    for _ in 0..40 {
        if failing.is_failing() {
            break;
        }
        asked.push(tokio::spawn({
            let (client, url) = (client.clone(), url.clone());
            let body = question_about(&[DEMO]);
            async move {
                client
                    .post(&url)
                    .body(body)
                    .send()
                    .await
                    .unwrap()
                    .status()
                    .as_u16()
            }
        }));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(failing.is_failing());
    for _ in 0..20 {
        let (status, text) = post().await;
        assert_eq!(status, 503, "{text}");
        assert!(text.contains("noteras"), "it says why: {text}");
    }
    let soap = format!("http://{}/ssbt/10", sandbox.service());
    let refused = client
        .post(soap)
        .header("content-type", "text/xml; charset=utf-8")
        .body("<x/>")
        .send()
        .await
        .unwrap();
    assert!(refused.status().is_server_error(), "{}", refused.status());
    assert!(sandbox.admin("/health/ready").await.contains("disk full"));
    // What is open is answered.
    gate.open();
    assert_eq!(open.await.unwrap(), 200);
    for one in asked {
        assert!([200, 503].contains(&one.await.unwrap()));
    }
    // There is room again.
    drop(full);
    fs::remove_file(&ballast).unwrap();
    tokio::time::sleep(4 * PROBE_EVERY).await;
    assert_eq!(post().await.0, 200);
    sandbox.stop().await;
    let text: String = fs::read_dir(&folder)
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    assert!(text.contains(r#""event":"uppehall""#) && text.contains("disk full"));
    let restarts = sandbox.node().observatory().snapshot().actors;
    assert!(restarts.iter().all(|actor| actor.restarts == 0));
    let verified = ledger(&disk.0, &["verify"]);
    assert!(verified.status.success(), "{}", said(&verified));
}
