//! The command against a delivery service in this process.

use std::fs;

use clap::Parser;
use shs_schemas::Sensitive;
use shs_schemas::ids::{ContentId, CorrId};
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::management::{Management, Outcome};
use shs_schemas::shs::{DataPart, Label, Produkt, time};

use super::*;
use crate::cli::{Cli, Command};
use crate::http::delivery::tests::{OTHER_TX, OUTBOX, Rig, TX, message};

fn args(more: &[&str]) -> FetchArgs {
    let first = ["samsvar", "fetch", "--outbox", OUTBOX];
    let all: Vec<&str> = first.into_iter().chain(more.iter().copied()).collect();
    match Cli::try_parse_from(all).unwrap().command {
        Command::Fetch(args) => args,
        other => panic!("{other:?}"),
    }
}

/// Runs `samsvar fetch` against the desk; true when it is content with what it got.
async fn fetch(rig: &Rig, more: &[&str]) -> Result<bool, String> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let service = format!("http://{}/shs/ds/", rig.listen());
    let args = args(&[&["--from", &service], more].concat());
    let code = run(&args).await.map_err(|error| error.to_string())?;
    Ok(code == ExitCode::SUCCESS)
}

fn confirmation() -> Message {
    let mut confirmation = message(OTHER_TX, 1);
    let label: &mut Label = &mut confirmation.label;
    label.sequence_type = SequenceType::Adm;
    label.product = Produkt::Confirm.into();
    confirmation.parts = vec![DataPart::management(&Management {
        corr_id: CorrId::parse("c-1").unwrap(),
        content_id: ContentId::parse("d-1").unwrap(),
        datetime: time::swedish(chrono::Utc::now()),
        outcome: Outcome::Confirmation,
    })];
    confirmation
}

#[actix_web::test]
async fn everything_that_is_there_is_on_disk_before_it_is_acknowledged() {
    let rig = Rig::new(true);
    rig.put(&message(TX, 26));
    rig.put(&confirmation());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    assert_eq!(fetch(&rig, &["--all", "--out", out]).await, Ok(true));
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read(&format!("{TX}/part-1.txt")), [b'x'; 26]);
    assert!(read(&format!("{TX}/label.xml")).starts_with(b"<?xml"));
    assert!(read(&format!("{OTHER_TX}/part-1.xml")).starts_with(b"<?xml"));
    assert_eq!(rig.acknowledged.lock().unwrap().len(), 2);
    assert_eq!(rig.outboxes().counts().acknowledged, 2);
    assert_eq!(
        fetch(&rig, &["--all", "--out", out]).await,
        Ok(true),
        "nothing is left"
    );
}

#[actix_web::test]
async fn one_message_is_fetched_by_order_product_or_identity_and_may_be_left() {
    let rig = Rig::new(false);
    rig.put(&message(TX, 1));
    rig.put(&confirmation());
    let folder = tempfile::tempdir().unwrap();
    let out = ["--out", folder.path().to_str().unwrap()];
    let there = |id: &str| folder.path().join(id).exists();
    fetch(&rig, &["--list"]).await.unwrap();
    assert_eq!(rig.outboxes().counts().fetched, 0);
    fetch(&rig, &[&out[..], &["--no-ack"]].concat())
        .await
        .unwrap();
    assert!(there(TX) && !there(OTHER_TX), "the oldest");
    fetch(&rig, &[&out[..], &["--product", "confirm"]].concat())
        .await
        .unwrap();
    assert!(there(OTHER_TX));
    assert_eq!(rig.outboxes().counts().acknowledged, 1);
    fetch(&rig, &[&out[..], &["--tx-id", TX]].concat())
        .await
        .unwrap();
    assert!(there(&format!("{TX}_2")), "never overwritten");
    let gone = fetch(&rig, &[&out[..], &["--tx-id", TX]].concat())
        .await
        .unwrap_err();
    assert!(gone.contains("refused (404)"), "{gone}");
}

#[actix_web::test]
async fn what_cannot_be_read_is_kept_as_it_came_and_not_acknowledged() {
    let rig = Rig::new(false);
    let broken = message(TX, 1);
    let address = &broken.label.to.as_ref().unwrap().address;
    let place = rig.outboxes().reserve(address).unwrap();
    place.put(samsvar_actors::outbox::Stored {
        label: broken.label.clone(),
        message: Sensitive::new("no message".into()),
        arrived: chrono::Utc::now(),
        confirm: true,
        origin: samsvar_actors::ledger::event::Origin::message(uuid::Uuid::from_u128(7)),
    });
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    assert_eq!(fetch(&rig, &["--all", "--out", out]).await, Ok(false));
    let kept = fs::read(folder.path().join(TX).join("message.mime")).unwrap();
    assert_eq!(kept, b"no message");
    assert_eq!(rig.outboxes().counts().acknowledged, 0);
}

#[test]
fn a_folder_is_needed_unless_messages_are_only_listed() {
    let parse = |more: &[&str]| {
        let first = ["samsvar", "fetch", "--outbox", OUTBOX];
        Cli::try_parse_from(first.iter().chain(more)).is_ok()
    };
    assert!(parse(&["--list"]) && parse(&["--out", "-"]));
    assert!(!parse(&[]) && !parse(&["--list", "--all"]));
    assert!(!parse(&["--out", "a", "--status", "prov"]));
}
