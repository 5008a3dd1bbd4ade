//! `testaBastjanstInformation` at both doors: who is called, what is told of it, and that a test leaves no
//! trace in what is known of the parties (ssbtek-10, 1.3).

use std::time::Duration;

use samsvar_actors::deadline::DeadlineSettings;
use samsvar_actors::node::NodeSettings;
use samsvar_actors::parter::{Parter, Partvillkor};
use samsvar_actors::tally::OutcomeClass;
use samsvar_actors::transport::{AnswerContent, QuestionKind};
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::{Anslutning, Fordelning, Form, Kontrakt, LefiVag};

use crate::contract::Documents;
use crate::node_rig::{self, Rig, message_of_one};
use crate::services::{Services, fel, svar};
use crate::{ms, paused, settle};

use Uppgiftslamnare as Ul;

const FINE: &str = "<ssbt:anropad>true</ssbt:anropad>";
const NOT_CALLED: &str = "<ssbt:anropad>false</ssbt:anropad>";

/// The question of a test, in both forms.
fn test(kontrakt: Kontrakt, form: Form) -> String {
    let namespace = kontrakt.namespace();
    let root = format!("<t:testaBastjanstInformation xmlns:t=\"{namespace}\"/>");
    match form {
        Form::Bar => root,
        Form::Kuvert => format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>{root}\
             </e:Body></e:Envelope>"
        ),
    }
}

fn settings() -> NodeSettings {
    node_rig::settings(DeadlineSettings::default())
}

fn at_once(content: AnswerContent) -> (Duration, AnswerContent) {
    (Duration::ZERO, content)
}

fn empty() -> AnswerContent {
    svar(String::new())
}

/// Everybody is well.
fn well() -> Services {
    Services::new(|_| Some(at_once(empty())))
}

/// What the answer says of one element.
fn told<'a>(document: &'a str, name: &str) -> &'a str {
    let (_, rest) = document.split_once(&format!("<ssbt:{name}>")).unwrap();
    rest.split_once(&format!("</ssbt:{name}>")).unwrap().0
}

fn called_with(kalla: &str, felkod: &str) -> String {
    format!("{FINE}<ssbt:error><ssbt:kalla>{kalla}</ssbt:kalla><ssbt:felkod>{felkod}</ssbt:felkod>")
}

/// Tests through the SHS door (bare and in an envelope) and the SOAP door, in both versions; the
/// documents are valid, and alike but for version and form. Returns the first, and how often each was
/// tested in all.
async fn at_both_doors(rig: &Rig) -> (String, usize) {
    let mut first = None;
    let mut all = Documents::default();
    let mut tests = 0;
    for kontrakt in Kontrakt::all() {
        for (soap, form) in [
            (false, Form::Bar),
            (false, Form::Kuvert),
            (true, Form::Kuvert),
        ] {
            let question = test(kontrakt, form);
            let document = if soap {
                rig.called(question.into()).await
            } else {
                let mut reply = rig.reply_to(message_of_one(question)).await;
                assert_eq!(reply.documents.len(), 1);
                reply.documents.remove(0)
            };
            tests += 1;
            assert!(document.contains(kontrakt.namespace()), "{document}");
            assert_eq!(document.contains("soap:Body"), form == Form::Kuvert);
            let told = |text: &str| {
                let (_, rest) = text.split_once("<ssbt:AF>").unwrap();
                rest.split_once("</ssbt:testa").unwrap().0.to_owned()
            };
            let first = first.get_or_insert_with(|| document.clone());
            assert_eq!(told(&document), told(first));
            all.extend(kontrakt, vec![document]);
        }
    }
    all.assert_valid();
    (first.unwrap(), tests)
}

#[actix::test]
async fn each_party_with_a_test_service_is_called_once_with_nothing_in_the_question() {
    paused();
    let services = well();
    let rig = Rig::start(settings(), services.all()).await;
    let (document, tests) = at_both_doors(&rig).await;
    assert_eq!(document.matches(FINE).count(), 7, "{document}");
    assert!(!document.contains("error"), "{document}");
    for ul in Ul::all() {
        let put = services.put_to(ul);
        assert_eq!(put.len(), tests, "{ul}");
        for put in put {
            assert!(put.kind == QuestionKind::Ping && put.body.is_empty());
        }
    }
    assert_eq!(
        rig.node.tally().outcome(OutcomeClass::Answered),
        tests as u64
    );
}

#[actix::test]
async fn what_each_called_or_not_is_told_as() {
    paused();
    let mut settings = settings();
    settings.rules.parter = Parter::new([(
        Ul::SKV,
        Partvillkor {
            ping: false,
            ..Partvillkor::default()
        },
    )]);
    let registered = Ul::all().filter(|ul| *ul != Ul::TNS);
    settings.rules.fordelning = Fordelning::new(registered.map(|ul| (ul, Anslutning::default())));
    settings
        .parties
        .retain(|(ul, _)| ![Ul::TNS, Ul::MIV].contains(ul));
    let services = Services::new(|ul| match ul {
        Ul::CSN => Some(at_once(fel("9071001", "Testtjänsten svarade med fel"))),
        Ul::PM => Some(at_once(fel("503", "Pensionsmyndigheten vilar"))),
        Ul::SO => None,
        Ul::AF => Some(at_once(svar("<en>svar</en>".to_owned()))),
        _ => Some(at_once(empty())),
    });
    let rig = Rig::start(settings, services.all()).await;
    let (document, tests) = at_both_doors(&rig).await;

    assert_eq!(told(&document, "AF"), FINE);
    let csn = told(&document, "CSN");
    assert!(csn.starts_with(&called_with("BT", "9071001")), "{csn}");
    let fk = told(&document, "FK");
    assert!(fk.starts_with(&called_with("BT", "503")), "{fk}");
    assert_eq!(told(&document, "SKV"), NOT_CALLED, "no test service");
    let so = told(&document, "SO");
    assert!(so.starts_with(&called_with("SSBT", "SSBT-TIMEOUT")), "{so}");
    assert_eq!(told(&document, "TNS"), NOT_CALLED, "not in the register");
    assert_eq!(told(&document, "MIV"), NOT_CALLED, "its dispatcher is gone");
    for ul in Ul::all() {
        let called = ![Ul::SKV, Ul::TNS, Ul::MIV].contains(&ul);
        let expected = if called { tests } else { 0 };
        assert_eq!(services.put_to(ul).len(), expected, "{ul}");
    }
}

#[actix::test]
async fn a_reply_of_no_type_is_no_usable_reply() {
    paused();
    let services = Services::new(|_| Some(at_once(AnswerContent::of_another_type())));
    let rig = Rig::start(settings(), services.all()).await;
    let document = rig.called(test(Kontrakt::V10, Form::Kuvert).into()).await;
    let af = told(&document, "AF");
    assert!(
        af.starts_with(&called_with("SSBT", "SSBT-OGILTIGT-SVAR")),
        "{af}"
    );
}

#[actix::test]
async fn with_lefi_whole_pensionsmyndigheten_is_not_called() {
    paused();
    let mut settings = settings();
    settings.rules.fordelning.lefi = LefiVag::Odelad;
    let services = well();
    let rig = Rig::start(settings, services.all()).await;
    let document = rig.called(test(Kontrakt::V11, Form::Kuvert).into()).await;
    assert_eq!(told(&document, "FK"), FINE);
    assert!(services.put_to(Ul::PM).is_empty());
    assert_eq!(services.put().len(), 7);
}

#[actix::test]
async fn silence_to_tests_leaves_no_trace_in_what_is_known_of_a_party() {
    paused();
    let services = Services::new(|_| None);
    let rig = Rig::start(settings(), services.all()).await;
    for _ in 0..5 {
        let reply = rig
            .reply_to(message_of_one(test(Kontrakt::V10, Form::Bar)))
            .await;
        assert!(reply.took >= ms(11_000) && reply.took <= ms(11_005));
    }
    settle().await;
    let slow = rig.node.deadlines().punctuality.slow_share();
    assert!(slow.abs() < f64::EPSILON, "the budget is that of questions");
    for ul in Ul::all() {
        let party = rig.node.tally().party(ul);
        assert!(party.felkoder().all(|(_, count)| count == 0), "{ul}");
        assert!(
            party.latency.read().0.iter().all(|count| *count == 0),
            "{ul}"
        );
    }
    let before = services.put().len();
    let _reply = rig.ask(1).await;
    assert_eq!(services.put().len(), before + 8, "nobody is paused");
}

#[actix::test]
async fn answers_to_tests_are_not_counted_among_the_answers_of_a_party() {
    paused();
    let services = Services::new(|ul| {
        let content = if ul == Ul::CSN {
            fel("1", "Prov")
        } else {
            empty()
        };
        Some((ms(300), content))
    });
    let rig = Rig::start(settings(), services.all()).await;
    let _reply = rig.called(test(Kontrakt::V10, Form::Kuvert).into()).await;
    for ul in Ul::all() {
        let party = rig.node.tally().party(ul);
        assert!(
            party.latency.read().0.iter().all(|count| *count == 0),
            "{ul}"
        );
        assert!(party.avvikelser().all(|(_, count)| count == 0), "{ul}");
    }
}

#[actix::test]
async fn a_party_that_is_paused_is_not_called() {
    paused();
    let services = Services::new(|ul| (ul != Ul::SO).then(|| (Duration::ZERO, empty())));
    let rig = Rig::start(settings(), services.all()).await;
    // Nobody is believed; only silence pauses.
    for _ in 0..5 {
        let _reply = rig.ask(1).await;
    }
    assert_eq!(services.put_to(Ul::SO).len(), 5);
    let document = rig.called(test(Kontrakt::V10, Form::Kuvert).into()).await;
    assert!(
        told(&document, "SO").contains("felkod>SSBT-AVSTANGD<"),
        "{document}"
    );
    assert_eq!(services.put_to(Ul::SO).len(), 5, "it is left in peace");
    // A test is not the one question that shows whether the party is back.
    tokio::time::sleep(Duration::from_secs(30)).await;
    let _silent = rig.called(test(Kontrakt::V10, Form::Kuvert).into()).await;
    assert_eq!(services.put_to(Ul::SO).len(), 6);
    let _reply = rig.ask(1).await;
    assert_eq!(
        services.put_to(Ul::SO).len(),
        7,
        "the trial is still to come"
    );
}
