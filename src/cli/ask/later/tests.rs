//! The command against a node in this process.

use std::sync::Arc;

use clap::Parser;
use samsvar_actors::failpoint::Failpoints;
use shs_schemas::mime;
use shs_schemas::shs::label::SequenceType;
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::*;
use crate::adapter::behaviour::Behaviour;
use crate::app::{App, Outside};
use crate::cli::tls::TlsArgs;
use crate::cli::{Cli, Command, serve};
use crate::settings::Settings;

const ASKER: &str = "2120009994";

fn args(more: &[&str]) -> AskArgs {
    let first = ["samsvar", "ask", "--person", "199503142383", "--async"];
    let all = first.into_iter().chain(more.iter().copied());
    match Cli::try_parse_from(all).unwrap().command {
        Command::Ask(args) => *args,
        other => panic!("{other:?}"),
    }
}

struct Rig {
    app: App,
    _ledger: TempDir,
}

impl Rig {
    /// A node of the demo whose settings are changed a little.
    fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let ledger = tempfile::tempdir().unwrap();
        let mut settings = Settings::demo();
        settings.listener.address.set_port(0);
        settings.listener.workers = 1;
        settings.admin.address.set_port(0);
        settings.ledger.folder = Some(ledger.path().to_owned());
        change(&mut settings);
        let outside = Outside {
            transport: Arc::new(serve::simulated_transport(1, &Behaviour::good(1))),
            connections: Handle::current(),
        };
        Self {
            app: App::start(&settings, outside, Failpoints::default()).unwrap(),
            _ledger: ledger,
        }
    }

    async fn ask(&self, more: &[&str]) -> Result<bool, String> {
        let to = format!("http://{}/shs/rs", self.app.service_address());
        let args = args(&[&["--to", &to, "--json"], more].concat());
        let code = crate::cli::ask::run(&args).await;
        let code = code.map_err(|error| error.to_string())?;
        Ok(code == ExitCode::SUCCESS)
    }

    fn outbox(&self, of: &str) -> Outbox {
        let service = format!("http://{}/shs/ds", self.app.service_address());
        let client = TlsArgs::default().client(&service).unwrap();
        Outbox::new(client, &service, &Adress::parse(of).unwrap()).unwrap()
    }

    /// How many messages have been acknowledged.
    fn acknowledged(&self) -> u64 {
        let asynch = self.app.node().asynch().unwrap();
        asynch.outboxes().counts().acknowledged
    }

    /// How many messages wait in an outbox, fetched or not.
    async fn waiting(&self, of: &str) -> usize {
        let list = self.outbox(of).list(&[("status", "production")]).await;
        list.unwrap().messages.len()
    }
}

#[actix_web::test]
async fn a_reply_is_fetched_shown_and_acknowledged() {
    let rig = Rig::start(|_| {});
    assert_eq!(rig.ask(&[]).await, Ok(true));
    let acknowledged = rig.acknowledged();
    assert_eq!((rig.waiting(ASKER).await, acknowledged), (0, 1));
    assert_eq!(rig.ask(&["--test"]).await, Ok(true));
    rig.app.stop().await;
}

#[actix_web::test]
async fn an_error_message_ends_the_wait_and_is_acknowledged() {
    let rig = Rig::start(|settings| settings.agreements.clear());
    assert_eq!(rig.ask(&[]).await, Ok(false));
    let acknowledged = rig.acknowledged();
    assert_eq!((rig.waiting(ASKER).await, acknowledged), (0, 1));
    rig.app.stop().await;
}

#[actix_web::test]
async fn a_message_that_is_refused_at_once_is_not_waited_for() {
    let rig = Rig::start(|settings| settings.ledger.folder = None);
    let refused = rig.ask(&[]).await.unwrap_err();
    assert!(
        refused.contains("400, IllegalMessageStructure"),
        "{refused}"
    );
    rig.app.stop().await;
}

#[actix_web::test]
async fn waiting_has_an_end_and_leaves_others_messages_alone() {
    let rig = Rig::start(|_| {});
    let outbox = rig.outbox(ASKER);
    let client = TlsArgs::default().client("http://localhost/").unwrap();
    let to = format!("http://{}/shs/rs", rig.app.service_address());
    let question = args(&[]).message().unwrap();
    client.send_asynch(&to, question.write()).await.unwrap();
    // Another question with an answer that never comes, and the same outbox.
    let other = args(&[]).message().unwrap();
    let end = outbox
        .wait_for(&other.label, Duration::from_millis(500))
        .await;
    let text = end.unwrap_err().to_string();
    assert!(text.contains(other.label.corr_id.as_str()), "{text}");
    let came = outbox
        .wait_for(&question.label, Duration::from_secs(10))
        .await;
    assert!(matches!(came.unwrap().what, What::Reply(_)));
    rig.app.stop().await;
}

#[actix_web::test]
async fn a_confirmation_is_passed_over_and_an_error_about_something_else_too() {
    let rig = Rig::start(|_| {});
    let client = TlsArgs::default().client("http://localhost/").unwrap();
    let to = format!("http://{}/shs/rs", rig.app.service_address());
    let question = args(&[]).message().unwrap();
    let own = question.label.to.clone().unwrap();
    let now = chrono::Utc::now();
    let confirmation = Message::confirmation_of(&question.label, &own, now);
    let mut foreign = question.label.clone();
    foreign.content.id = shs_schemas::ids::ContentId::fresh();
    let code = shs_schemas::ErrorCode::OtherError;
    let error = Message::error_about(&foreign, &own, code, "", Vec::new(), now);
    for message in [&confirmation, &error] {
        client.send_asynch(&to, message.write()).await.unwrap();
    }
    client.send_asynch(&to, question.write()).await.unwrap();
    let outbox = rig.outbox(ASKER);
    let came = outbox
        .wait_for(&question.label, Duration::from_secs(10))
        .await
        .unwrap();
    let What::Reply(bytes) = came.what else {
        panic!("{came:?}")
    };
    let reply = Message::read(bytes.into_exposed(), None, &mime::Limits::default()).unwrap();
    assert_eq!(reply.label.sequence_type, SequenceType::Reply);
    let acknowledged = rig.acknowledged();
    assert_eq!(acknowledged, 1, "the confirmation");
    rig.app.stop().await;
}

#[test]
fn the_delivery_service_is_beside_the_receive_service_unless_it_is_named() {
    let of = |more: &[&str]| delivery_service(&args(more)).ok();
    let usual = Some("http://127.0.0.1:8585/shs/ds".to_owned());
    assert_eq!(of(&[]), usual);
    assert_eq!(of(&["--to", "http://127.0.0.1:8585/shs/rs/"]), usual);
    assert_eq!(of(&["--to", "https://node.example/mottag"]), None);
    let named = ["--to", "https://node.example/mottag", "--ds", "https://x/d"];
    assert_eq!(of(&named).as_deref(), Some("https://x/d"));
}

#[test]
fn what_only_concerns_asynchronous_questions_needs_async() {
    for option in [["--ds", "http://x/"], ["--wait-s", "5"]] {
        let first = ["samsvar", "ask", "--person", "199503142383"];
        let all = first.into_iter().chain(option);
        assert!(Cli::try_parse_from(all).is_err(), "{option:?}");
    }
}
