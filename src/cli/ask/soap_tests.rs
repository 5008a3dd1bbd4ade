//! The command against a service that says what it is told to.

use clap::Parser;
use shs_schemas::ssbtek::Fraga;
use shs_schemas::xml::Limits;

use super::*;
use crate::cli::{Cli, Command};
use crate::client::canned::{Asked, Canned, response};

const PERSONS: [&str; 2] = ["199503142383", "200411062383"];
const FAULT: &str = "<s:Fault><faultcode>s:Server</faultcode><faultstring>Nej</faultstring><detail>\
    <b:FAULT xmlns:b=\"NS\"><b:felkod>SSBT-OVERLAST</b:felkod>\
    <b:felmeddelande>För många\u{9b} frågor</b:felmeddelande></b:FAULT></detail></s:Fault>";
const SVAR: &str = "<b:hamtaBastjanstInformationResponse xmlns:b=\"NS\"><b:svarsdata><b:AF><b:data>\
    </b:data></b:AF><b:SKV>SAID</b:SKV></b:svarsdata></b:hamtaBastjanstInformationResponse>";
const ERROR: &str = "<b:error><b:kalla>BT</b:kalla><b:felkod>9071001</b:felkod>\
    <b:felmeddelande>Fel</b:felmeddelande></b:error>";

fn parse(more: &[&str]) -> Result<AskArgs, clap::Error> {
    let all = ["samsvar", "ask", "--soap"].iter().chain(more);
    match Cli::try_parse_from(all)?.command {
        Command::Ask(args) => Ok(*args),
        other => panic!("{other:?}"),
    }
}

fn args(base: &str, more: &[&str]) -> AskArgs {
    parse(&[&["--to", base], more].concat()).unwrap()
}

/// In an envelope, in this version.
fn wrapped(body: &str, kontrakt: Kontrakt) -> String {
    let body = body.replace("NS", kontrakt.namespace());
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{body}</s:Body>\
         </s:Envelope>"
    )
}

/// What the command writes, and whether it found everything well.
async fn shown(args: &AskArgs) -> (String, bool) {
    let url = door(&args.to, args.kontrakt());
    let client = args.tls.client(&url).unwrap();
    let mut called = Vec::new();
    for envelope in envelopes(args) {
        called.push(client.call(&url, envelope).await);
    }
    let mut out = Vec::new();
    let code = show(args, called, Duration::from_millis(12), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    (
        text,
        format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS),
    )
}

/// Answers about one person, refuses another, and breaks off about any further one.
fn by_person(asked: &Asked) -> String {
    if asked.body.contains(PERSONS[0]) {
        let svar = SVAR.replace("SAID", "<b:data><svar>x</svar></b:data>");
        response("200 OK", "", &wrapped(&svar, Kontrakt::V10))
    } else if asked.body.contains(PERSONS[1]) {
        let fault = FAULT.replace("FAULT", "hamtaBastjanstInformationFault");
        let body = wrapped(&fault, Kontrakt::V10);
        response("503 Service Unavailable", "retry-after: 5\r\n", &body)
    } else {
        response("502 Bad Gateway", "", "<html>")
    }
}

#[test]
fn the_service_stands_beside_the_others_of_its_node() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for to in [
        "https://n.example:8585",
        "https://n.example:8585/",
        "https://n.example:8585/shs/rs",
        "https://n.example:8585/ssbt",
        "https://n.example:8585/ssbt/10",
        "https://n.example:8585/ssbt/11/",
    ] {
        assert_eq!(
            door(to, Kontrakt::V11),
            "https://n.example:8585/ssbt/11",
            "{to}"
        );
    }
    assert_eq!(
        door("https://n.example/ssbtek/x", Kontrakt::V10),
        "https://n.example/ssbtek/x/ssbt/10"
    );
    let usual = parse(&["--ping"]).unwrap();
    assert_eq!(
        door(&usual.to, usual.kontrakt()),
        "http://127.0.0.1:8585/ssbt/11"
    );
}

#[test]
fn what_does_not_go_together_is_refused() {
    let person = ["--person", PERSONS[0]];
    for more in [
        &["--async"][..],
        &["--shs"],
        &["--test"],
        &["--ping"],
        &["--kontrakt", "9"],
        &["--ds", "http://x/"],
        &["--wait-s", "5"],
        &["--json", "--raw"],
    ] {
        assert!(parse(&[&person, more].concat()).is_err(), "{more:?}");
    }
    assert!(parse(&[]).is_err(), "nobody to ask about");
    for without_soap in [
        &["--ping"][..],
        &["--ping", "--shs"],
        &["--ping", "--async"],
    ] {
        let all = ["samsvar", "ask"].iter().chain(without_soap);
        assert!(Cli::try_parse_from(all).is_err(), "{without_soap:?}");
    }
    assert!(parse(&[&person[..], &["--kontrakt", "10"]].concat()).is_ok());
}

#[tokio::test]
async fn each_person_is_asked_about_in_a_call_of_its_own_in_the_version_named() {
    for kontrakt in Kontrakt::all() {
        let canned = Canned::serve(by_person).await;
        let version = kontrakt.version().to_string();
        let people = ["--person", PERSONS[0], "--person", PERSONS[1]];
        let args = args(
            &canned.base,
            &[&people[..], &["--kontrakt", &version]].concat(),
        );
        ask(&args).await.unwrap();
        let mut asked = canned.asked();
        asked.sort_by_key(|asked| !asked.body.contains(PERSONS[0]));
        assert_eq!(asked.len(), PERSONS.len());
        for (asked, person) in asked.iter().zip(PERSONS) {
            assert!(asked.head.starts_with(&format!("post /ssbt/{version} ")));
            let start = asked.body.find("<ssbt:hamta").unwrap();
            let end = asked.body.find("</soap:Body>").unwrap();
            let element = asked.body[start..end].to_owned();
            let fraga = Fraga::read(element.into(), &Limits::default()).unwrap();
            assert_eq!(fraga.kontrakt(), kontrakt);
            assert_eq!(fraga.personidentitet().expose().as_str(), person);
        }
    }
}

/// The service answers nobody before ten have asked: one after the other would wait for ever.
#[tokio::test]
async fn calls_go_side_by_side_and_no_more_than_so_many() {
    let canned = Canned::serve_together(CALLS_MAX, by_person).await;
    let people = ["--person", PERSONS[0]].repeat(2 * CALLS_MAX);
    ask(&args(&canned.base, &people)).await.unwrap();
    assert_eq!(canned.asked().len(), 2 * CALLS_MAX);
    assert_eq!(canned.most_open(), CALLS_MAX);
}

#[tokio::test]
async fn answers_faults_and_silence_are_shown_for_each_person() {
    let canned = Canned::serve(by_person).await;
    let people = [
        "--person",
        PERSONS[0],
        "--person",
        PERSONS[1],
        "--person",
        "199503022387",
    ];
    let (text, well) = shown(&args(&canned.base, &people)).await;
    assert!(!well);
    for part in [
        "Answered by SOAP, version 11, in 12 ms, ",
        "\nPerson 1 of 3: 199503142383\n",
        "Arbetsförmedlingen",
        "nobody was asked: SSBT-OVERLAST: För många  frågor\n",
        "the node says: try again after 5\n",
        "no answer: the node refused the call with status 502 and no SOAP fault\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let (json, _) = shown(&args(&canned.base, &[&people[..], &["--json"]].concat())).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let persons = json["persons"].as_array().unwrap();
    assert_eq!(persons[0]["parties"].as_array().unwrap().len(), 8);
    assert_eq!(persons[1]["fault"], "SSBT-OVERLAST");
    assert!(persons[2]["error"].as_str().unwrap().contains("502"));
    assert!(json.get("tx_id").is_none());
    let (raw, _) = shown(&args(&canned.base, &[&people[..], &["--raw"]].concat())).await;
    assert_eq!(raw.matches("</s:Envelope>\n").count(), 2);
    assert!(!raw.contains("Person 1"));
}

#[tokio::test]
async fn all_is_well_when_everybody_who_was_asked_gave_data() {
    let canned = Canned::serve(by_person).await;
    assert!(
        shown(&args(&canned.base, &["--person", PERSONS[0]]))
            .await
            .1
    );
    let failing = Canned::serve(|_| {
        let svar = SVAR.replace("SAID", ERROR);
        response("200 OK", "", &wrapped(&svar, Kontrakt::V11))
    })
    .await;
    let (text, well) = shown(&args(&failing.base, &["--person", PERSONS[0]])).await;
    assert!(!well && text.contains("error BT 9071001"), "{text}");
}

#[tokio::test]
async fn a_node_that_answers_nothing_is_an_error() {
    let canned = Canned::serve(|_| response("502 Bad Gateway", "", "<html>")).await;
    let args = args(&canned.base, &["--person", PERSONS[0]]);
    let error = ask(&args).await.unwrap_err().to_string();
    assert!(error.contains("502"), "{error}");
}

#[tokio::test]
async fn a_connection_test_shows_every_element() {
    let canned = Canned::serve(|asked| {
        assert!(!asked.body.contains("personidentitet"));
        let body = format!(
            "<b:testaBastjanstInformationResponse xmlns:b=\"NS\">\
             <b:AF><b:anropad>true</b:anropad></b:AF><b:CSN><b:anropad>false</b:anropad></b:CSN>\
             <b:SKV><b:anropad>true</b:anropad>{ERROR}</b:SKV>\
             </b:testaBastjanstInformationResponse>"
        );
        response("200 OK", "", &wrapped(&body, Kontrakt::V11))
    })
    .await;
    let (text, well) = shown(&args(&canned.base, &["--ping"])).await;
    assert!(!well);
    for (element, words) in [
        ("AF", "answered"),
        ("CSN", "not called"),
        ("SKV", "error BT 9071001"),
    ] {
        let is_row = |line: &&str| line.starts_with(element) && line.contains(words);
        assert!(text.lines().any(|line| is_row(&line)), "{element}\n{text}");
    }
    let (json, _) = shown(&args(&canned.base, &["--ping", "--json"])).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["elements"][2]["felkod"], "9071001");
    assert_eq!(json["elements"][1]["answer"], "not called");
}

#[tokio::test]
async fn a_connection_test_that_is_refused_or_answered_otherwise_says_so() {
    let refused = Canned::serve(|_| {
        let fault = FAULT.replace("FAULT", "testaBastjanstInformationFault");
        response(
            "503 Service Unavailable",
            "retry-after: 5\r\n",
            &wrapped(&fault, Kontrakt::V11),
        )
    })
    .await;
    let (text, well) = shown(&args(&refused.base, &["--ping"])).await;
    assert!(
        !well && text.contains("nobody was called: SSBT-OVERLAST"),
        "{text}"
    );
    assert!(text.contains("try again after 5"), "{text}");
    let other = Canned::serve(|_| {
        let svar = SVAR.replace("SAID", ERROR);
        response("200 OK", "", &wrapped(&svar, Kontrakt::V11))
    })
    .await;
    let error = ask(&args(&other.base, &["--ping"])).await.unwrap_err();
    assert!(error.to_string().contains("another operation"), "{error}");
}
