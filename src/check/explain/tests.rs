//! Messages tried against the demo's settings, changed a little.

use super::*;
use crate::settings::{Delivery, ServiceUrl};

const EXEMPELKOPING: &str = "2120009994";
const PROVSTAD: &str = "2120009986";
const OWN: &str = "2021009994";
const SSBTEK: &str = "55b7e000-0010-4000-8000-000000000010";

fn number(text: &str) -> Organisationsnummer {
    Organisationsnummer::parse(text).unwrap()
}

fn trial() -> Trial {
    Trial {
        sender: number(EXEMPELKOPING),
        receiver: Some(number(OWN)),
        produkt: Produkt::parse(SSBTEK).unwrap(),
        transfer_type: TransferType::Synch,
        sequence_type: SequenceType::Request,
        agreement: None,
        today: "2026-11-22".parse().unwrap(),
        ask_directory: false,
    }
}

fn asynch() -> Trial {
    Trial {
        transfer_type: TransferType::Asynch,
        ..trial()
    }
}

/// The demo's settings with a ledger.
fn settings() -> Settings {
    let mut settings = Settings::demo();
    settings.ledger.folder = Some("ledger".into());
    settings
}

fn explained(settings: &Settings, trial: &Trial) -> Explained {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let explained = explain(settings, trial, runtime.handle().clone());
    runtime.block_on(explained).unwrap()
}

fn codes(explained: &Explained) -> Vec<&'static str> {
    let ways = explained.ways.iter().flat_map(|way| &way.obstacles);
    let all = explained.obstacles.iter().chain(ways);
    all.map(|obstacle| obstacle.code).collect()
}

#[test]
fn a_question_under_an_agreement_is_permitted_and_each_candidate_is_named_with_its_file() {
    let explained = explained(&settings(), &trial());
    assert!(explained.permitted);
    let mut out = Vec::new();
    explained.write(false, &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
    permitted
      sender       2120009994 (Exempelköpings kommun)
      certificate  none: the listener is plain, whoever reaches it may send as anyone
      product      55b7e000-0010-4000-8000-000000000010: not described, parts are not checked
      receiver     2021009994 (Exempelkassan): answered by a service of this node
      agreement    agreements/exempelkoping-ssbtek.xml applies
        agreements/exempelkoping-ssbtek.xml (a9ee0000-0001-4000-8000-002120009994): covers sender, receiver and product
        agreements/provstad-ssbtek.xml (a9ee0000-0001-4000-8000-002120009986): the agreement does not cover these parties in this direction
    ");
}

#[test]
fn an_agreement_that_has_ended_permits_nothing_from_the_next_day_on() {
    let mut settings = settings();
    settings.agreements[1].agreement.valid_to = Some("2026-11-21".parse().unwrap());
    let ended = explained(&settings, &trial());
    assert!(!ended.permitted);
    assert_eq!(codes(&ended), ["MissingAgreement"]);
    let verdict = &ended.ways[0].candidates[0].verdict;
    assert!(verdict.ends_with("(last day 2026-11-21)"), "{verdict}");
    let on_the_last_day = Trial {
        today: "2026-11-21".parse().unwrap(),
        ..trial()
    };
    assert!(explained(&settings, &on_the_last_day).permitted);
}

#[test]
fn a_named_agreement_decides_alone() {
    let named = |id: &str| Trial {
        agreement: Some(AgreementId::parse(id).unwrap()),
        ..trial()
    };
    let right = explained(&settings(), &named("A9EE0000-0001-4000-8000-002120009994"));
    assert!(right.permitted);
    for wrong in ["a9ee0000-0001-4000-8000-002120009986", "none-such"] {
        let wrong = explained(&settings(), &named(wrong));
        assert_eq!(codes(&wrong), ["MissingAgreement"]);
    }
}

#[test]
fn the_agreements_tell_the_receiver_of_an_asynchronous_message_without_one() {
    let nobody = Trial {
        receiver: None,
        ..asynch()
    };
    let found = explained(&settings(), &nobody);
    assert!(found.permitted);
    assert_eq!(found.ways.len(), 1);
    assert!(found.ways[0].receiver.starts_with(OWN));
    let synch = Trial {
        receiver: None,
        ..trial()
    };
    assert_eq!(codes(&explained(&settings(), &synch)), ["UnknownReceiver"]);
    let unheard_of = Trial {
        produkt: Produkt::Uuid(uuid::Uuid::max()),
        ..nobody
    };
    let unheard_of = explained(&settings(), &unheard_of);
    assert_eq!(codes(&unheard_of), ["UnresolvedReceiver"]);
}

#[test]
fn without_a_ledger_asynchronous_messages_are_not_permitted() {
    let explained = explained(&Settings::demo(), &asynch());
    assert_eq!(codes(&explained), ["IllegalMessageStructure"]);
    assert!(explained.obstacles[0].reason.contains("[ledger] folder"));
}

#[test]
fn strangers_are_named_as_such_on_both_sides() {
    let stranger = number("0000000002");
    let from = Trial {
        sender: stranger.clone(),
        ..trial()
    };
    let from = explained(&settings(), &from);
    assert_eq!(codes(&from), ["UnknownSender", "MissingAgreement"]);
    let to = Trial {
        receiver: Some(stranger),
        ..asynch()
    };
    let to = explained(&settings(), &to);
    assert_eq!(
        codes(&to),
        [
            "UnknownReceiver",
            "MissingDeliveryAddress",
            "MissingAgreement"
        ]
    );
}

#[test]
fn where_a_message_and_its_errors_go_is_said() {
    let mut settings = settings();
    let between = Trial {
        receiver: Some(number(PROVSTAD)),
        sequence_type: SequenceType::Event,
        ..asynch()
    };
    let way = |settings: &Settings, trial: &Trial| {
        let explained = explained(settings, trial);
        let delivery = explained.ways[0].delivery.clone();
        (explained.sender, delivery)
    };
    let (_, delivery) = way(&settings, &between);
    assert_eq!(delivery, "into its mailbox here");
    let aktor = &mut settings.aktorer[1];
    aktor.delivery = Delivery::Push;
    aktor.address = Some(ServiceUrl::try_from("https://b.example/rs".to_owned()).unwrap());
    let (sender, delivery) = way(&settings, &between);
    assert_eq!(delivery, "sent to https://b.example/rs");
    assert!(sender.ends_with("its mailbox here"), "{sender}");
    let back = Trial {
        sender: number(PROVSTAD),
        receiver: Some(number(EXEMPELKOPING)),
        ..between.clone()
    };
    let (sender, _) = way(&settings, &back);
    assert!(sender.ends_with("sent to https://b.example/rs"), "{sender}");
    let around = Trial {
        sender: number(PROVSTAD),
        receiver: Some(number(PROVSTAD)),
        ..between
    };
    let around = explained(&settings, &around);
    assert_eq!(codes(&around)[0], "IllegalReceiver");
}

#[test]
fn what_does_not_go_together_is_refused_as_a_node_would() {
    for (trial, code) in [
        (
            Trial {
                sequence_type: SequenceType::Reply,
                ..trial()
            },
            "IllegalMessageStructure",
        ),
        (
            Trial {
                produkt: Produkt::Error,
                ..asynch()
            },
            "IllegalMessageStructure",
        ),
        (
            Trial {
                sequence_type: SequenceType::Event,
                ..asynch()
            },
            "IllegalMessageStructure",
        ),
        (
            Trial {
                receiver: Some(number(PROVSTAD)),
                ..trial()
            },
            "MissingDeliveryAddress",
        ),
    ] {
        let explained = explained(&settings(), &trial);
        assert_eq!(codes(&explained)[0], code, "{trial:?}");
    }
}

#[test]
fn a_directory_that_is_not_asked_is_noted() {
    let mut settings = settings();
    settings.ldap.url = Some("ldap://127.0.0.1:9".to_owned().try_into().unwrap());
    assert_eq!(explained(&settings, &trial()).notes.len(), 1);
    let asked = Trial {
        ask_directory: true,
        receiver: Some(number("0000000002")),
        ..trial()
    };
    let asked = explained(&settings, &asked);
    assert!(asked.notes.is_empty());
    assert!(codes(&asked).contains(&"OtherError"), "{asked:?}");
}

#[test]
fn a_listener_with_tls_says_which_certificate_is_needed() {
    let mut settings = settings();
    settings.listener.tls =
        Some(toml::from_str("certificate='a'\nkey='b'\nclient_ca='c'").unwrap());
    let fingerprint = "ab".repeat(32);
    settings.aktorer[0].certificates = vec![fingerprint.try_into().unwrap()];
    assert_eq!(
        explained(&settings, &trial()).certificate,
        "one whose subject holds 2120009994, or the one listed with its [[aktor]]"
    );
}
