use std::collections::HashSet;

use actix::Actor;
use actix_rt::Arbiter;
use shs_schemas::error_code::ErrorCode;
use shs_schemas::ids::{NodeId, TxId};
use shs_schemas::shs::{Actor as Aktor, Produkt};
use tokio::sync::watch;

use super::*;
use crate::avvikelse::PERIOD;
use crate::child::{OverBudget, RestartPolicy};
use crate::failpoint::Failpoints;
use crate::ledger::LedgerSettings;
use crate::observation::Observatory;
use crate::supervisor::{Adopt, Supervisor};

const KNOWN: &str = "2120009994";
/// A stranger's, which has the form of a person's.
const STRANGER: &str = "9503142383";

fn number(text: &str) -> Organisationsnummer {
    Organisationsnummer::parse(text).unwrap()
}

/// A ledger in a folder of its own, and what is refused before it.
struct Rig {
    parent: tempfile::TempDir,
    book: LedgerBook,
    avvisade: Avvisade,
    _supervisor: actix::Addr<Supervisor>,
}

impl Rig {
    async fn start() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let node_id = NodeId::parse("n1").unwrap();
        let settings = LedgerSettings {
            wait_max: Duration::from_secs(30),
            ..LedgerSettings::at(parent.path().join("ledger"), node_id.clone())
        };
        let policy = RestartPolicy::new(OverBudget::Escalate);
        let (here, failpoints) = (Arbiter::current(), Failpoints::default());
        let (book, spec, _) = LedgerBook::open(settings, policy, here, failpoints);
        let observatory = Arc::new(Observatory::default());
        let supervisor = Supervisor::new(observatory, watch::channel(None).0).start();
        supervisor.do_send(Adopt(spec));
        let first = Event::now(Uuid::nil(), Ids::default(), What::Duplett);
        book.note_durably(first).await.unwrap();
        let own = Aktor::new(Adress::of(number("2021009994")), None);
        let mut rules = Rules::of(own, node_id, Produkt::Error);
        rules.known = HashSet::from([number(KNOWN)]);
        Self {
            avvisade: Avvisade::new(Some(book.clone()), Arc::new(rules)),
            parent,
            book,
            _supervisor: supervisor,
        }
    }

    async fn text(&self) -> String {
        self.book.settled().await;
        let days = std::fs::read_dir(self.parent.path().join("ledger")).unwrap();
        let texts = days.map(|day| std::fs::read_to_string(day.unwrap().path()).unwrap());
        texts.collect()
    }

    /// The lines of refused calls.
    async fn lines(&self) -> Vec<serde_json::Value> {
        let text = self.text().await;
        let lines = text.lines().filter(|line| line.contains("avvisat"));
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn refuse(&self, caller: Option<Caller>, failure: Failure, ids: &KnownIds, from: Option<&str>) {
        let ankomst = Ankomst {
            door: Dorr::Shs,
            caller,
            bytes: Some(12),
        };
        let sender = from.map(number);
        self.avvisade
            .note(Uuid::from_u128(7), &ankomst, failure, ids, sender.as_ref());
    }
}

#[actix::test]
async fn a_line_says_what_was_refused_and_names_nobody_who_is_not_known() {
    let rig = Rig::start().await;
    let ids = KnownIds {
        tx_id: Some(TxId::parse("arende-199503142383").unwrap()),
        ..KnownIds::default()
    };
    let known = Caller::certified([number(KNOWN), number(STRANGER)]);
    let unreadable = Failure::Unreadable(ErrorCode::IllegalMessageStructure);
    rig.refuse(
        Some(Caller::Internal),
        Failure::NoAgreement,
        &ids,
        Some(KNOWN),
    );
    rig.refuse(Some(known), unreadable, &KnownIds::default(), None);
    let stranger = Caller::certified([number(STRANGER)]);
    rig.refuse(
        Some(stranger.clone()),
        Failure::UnknownSender,
        &ids,
        Some(STRANGER),
    );
    rig.refuse(
        None,
        Failure::CertificateRefused,
        &KnownIds::default(),
        None,
    );
    rig.avvisade
        .note_plain(Dorr::Leverans, "not_the_owner", Some(&stranger));
    rig.avvisade.note_plain(Dorr::Tls, "revoked", None);
    let text = rig.text().await;
    for hidden in [STRANGER, "199503142383"] {
        assert!(!text.contains(hidden), "{text}");
    }
    let expected = [
        r#""event":"avvisat","door":"shs","reason":"no_agreement","code":"MissingAgreement","class":"caller","anropare":"intern","from":"urn:X-shs:2120009994","bytes":12,"node""#,
        r#""reason":"unreadable","code":"IllegalMessageStructure","class":"caller","anropare":"kand","certifikat":["urn:X-shs:2120009994"],"bytes":12,"node""#,
        r#""reason":"unknown_sender","code":"UnknownSender","class":"caller","anropare":"okand","bytes":12,"node""#,
        r#""reason":"certificate_refused","code":"IllegalSender","class":"caller","bytes":12,"node""#,
        r#""door":"leverans","reason":"not_the_owner","anropare":"okand","node""#,
        r#""door":"tls","reason":"revoked","node""#,
    ];
    let lines = text.lines().filter(|line| line.contains("avvisat"));
    for (line, expected) in lines.zip(expected) {
        assert!(line.contains(expected), "{line}\n{expected}");
    }
    let lines = rig.lines().await;
    assert_eq!(lines.len(), expected.len());
    assert!(lines[0]["tx_id_dold"].is_string() && lines[0].get("tx_id").is_none());
}

#[actix::test]
async fn who_is_refused_over_and_over_does_not_fill_the_disk_and_is_counted_all_the_same() {
    tokio::time::pause();
    let rig = Rig::start().await;
    let none = KnownIds::default();
    for _ in 0..1_000 {
        rig.refuse(None, Failure::UnknownSender, &none, None);
    }
    assert_eq!(rig.lines().await.len(), usize::from(NOTED_MAX));
    // Another reason is not crowded out.
    rig.refuse(None, Failure::Browser, &none, None);
    assert_eq!(rig.lines().await.len(), usize::from(NOTED_MAX) + 1);
    tokio::time::advance(PERIOD).await;
    rig.refuse(None, Failure::UnknownSender, &none, None);
    let lines = rig.lines().await;
    assert_eq!(lines.last().unwrap()["antal"], 993);
    let of_this = lines
        .iter()
        .filter(|line| line["reason"] == "unknown_sender");
    let stood_for = of_this.map(|line| line["antal"].as_u64().unwrap_or(1));
    assert_eq!(
        stood_for.sum::<u64>(),
        1_001,
        "every one stands behind a line"
    );
}

#[actix::test]
async fn all_reasons_together_have_a_bound_and_none_of_them_loses_its_count() {
    tokio::time::pause();
    let rig = Rig::start().await;
    let reason = |n: usize| -> &'static str { format!("reason-{n}").leak() };
    let reasons: Vec<_> = (0..20).map(reason).collect();
    for reason in &reasons {
        for _ in 0..10 {
            rig.avvisade.note_plain(Dorr::Tls, reason, None);
        }
    }
    assert_eq!(rig.lines().await.len(), usize::from(ALL_MAX));
    tokio::time::advance(PERIOD).await;
    for reason in &reasons {
        rig.avvisade.note_plain(Dorr::Tls, reason, None);
    }
    let lines = rig.lines().await;
    assert_eq!(lines.len(), usize::from(ALL_MAX) + reasons.len());
    let stood_for: u64 = lines
        .iter()
        .map(|line| line["antal"].as_u64().unwrap_or(1))
        .sum();
    assert_eq!(stood_for, 20 * 11);
}
