//! Every way to be refused at the SOAP door: status, content type, codes, and the place of a fault; and
//! that nothing is asked of anybody, and nothing said of what was sent (ssbtek-10, 0.2, 1.1 and 1.2).

use roxmltree::Document;
use samsvar_actors::contained::ON_ARBITER_BYTES_MAX;
use samsvar_actors::tally::OutcomeClass;
use shs_schemas::ssbtek::{Kontrakt, Operation, wsdl};

use crate::log::{self, MARK, holds_content};
use crate::sandbox::{DEMO, Gate, Sandbox, eventually};
use crate::soap::{
    self, Detail, Door, Fault, answered, assert_data_of_all, envelope, envelope_with, question,
    question_element, test_element,
};

const V10: Kontrakt = Kontrakt::V10;
const V11: Kontrakt = Kontrakt::V11;
const SOAP_1_2: &str = "http://www.w3.org/2003/05/soap-envelope";

/// What the door is expected to say: felkod, and the place that the detail names.
struct Expected(&'static str, Kontrakt, Operation);

async fn refused(door: &mut Door, path: Kontrakt, body: impl AsRef<[u8]>) -> Fault {
    let response = door.call(path, body).await;
    assert_eq!(response.status, 500, "{response:?}");
    assert_eq!(response.header("retry-after"), None);
    assert!(!holds_content(&response.body), "{response:?}");
    Fault::of(&response)
}

fn assert_is(fault: &Fault, Expected(felkod, kontrakt, operation): &Expected) {
    let Some(Detail {
        namespace, element, ..
    }) = &fault.detail
    else {
        panic!("{fault:?}");
    };
    assert_eq!(fault.felkod(), *felkod, "{fault:?}");
    assert_eq!(namespace, kontrakt.namespace(), "{fault:?}");
    assert_eq!(element, operation.fault_element(), "{fault:?}");
    assert_eq!(fault.code, "Client", "{fault:?}");
    assert!(
        !fault.texts().contains("SSBT-"),
        "the code stands by itself"
    );
}

/// A question with a mark in a field, and something else wrong.
fn marked(from: &str, to: &str) -> String {
    let marked = question_element(V11).replace("exk0421", MARK);
    assert!(marked.contains(from), "{from}");
    marked.replace(from, to)
}

#[tokio::test]
async fn documents_that_are_no_calls_are_refused_in_their_version_and_operation() {
    use Operation::{Hamta, Testa};
    let sandbox = Sandbox::new().start().await;
    let mut door = Door::to(&sandbox).await;
    let ogiltig = "SSBT-OGILTIG-FRAGA";
    let okand = "SSBT-OKAND-OPERATION";
    let with_doctype = format!("<!DOCTYPE x SYSTEM '{MARK}'>{}", question(V11));
    let broken = question(V11).replace("</ssbt:syfte>", "</ssbt:lagtext>");
    let twelve = question_element(V11).replace("ssbt/11", "ssbt/12");
    let other = question_element(V11).replace("hamtaBastjanst", "gissaBastjanst");
    let stranger = format!("<x:hamtaBastjanstInformation xmlns:x='urn:{MARK}'/>");
    let test_with_blank = format!(
        "<b:testaBastjanstInformation xmlns:b='{}'> </b:testaBastjanstInformation>",
        V11.namespace()
    );
    let two = question_element(V11) + &test_element(V11);
    let latin = {
        let text = envelope(&marked("Exempelköpings", "Exempelk\u{fffd}pings"));
        text.replace('\u{fffd}', "\u{1}").into_bytes()
    };
    let latin: Vec<u8> = latin
        .iter()
        .map(|&byte| if byte == 1 { 0xF6 } else { byte })
        .collect();
    for (body, expected) in [
        // What cannot be read tells no version: that of the path counts.
        (Vec::new(), Expected(ogiltig, V10, Hamta)),
        (MARK.into(), Expected(ogiltig, V10, Hamta)),
        (b"<a".to_vec(), Expected(ogiltig, V10, Hamta)),
        (question(V11)[..300].into(), Expected(ogiltig, V11, Hamta)),
        (with_doctype.into(), Expected(ogiltig, V10, Hamta)),
        (latin, Expected(ogiltig, V10, Hamta)),
        (envelope("").into(), Expected(ogiltig, V10, Hamta)),
        (broken.into(), Expected(ogiltig, V11, Hamta)),
        // A document of its own is for the other door.
        (question_element(V11).into(), Expected(ogiltig, V11, Hamta)),
        (test_element(V11).into(), Expected(ogiltig, V11, Testa)),
        (
            envelope(&test_with_blank).into(),
            Expected(ogiltig, V11, Testa),
        ),
        (envelope(&two).into(), Expected(ogiltig, V11, Hamta)),
        (envelope(&twelve).into(), Expected(okand, V10, Hamta)),
        (envelope(&stranger).into(), Expected(okand, V10, Hamta)),
        (envelope(&other).into(), Expected(okand, V11, Hamta)),
        (format!("<x>{MARK}</x>").into(), Expected(okand, V10, Hamta)),
        (
            envelope(&marked("<ssbt:syfte>", "<ssbt:syfte fel='1'>")).into(),
            Expected(ogiltig, V11, Hamta),
        ),
        (
            envelope(&marked("<ssbt:MIV inkludera=\"true\"/>", "")).into(),
            Expected(ogiltig, V11, Hamta),
        ),
        (
            envelope(&marked(DEMO, "199503142384")).into(),
            Expected("SSBT-PERSONIDENTITET", V11, Hamta),
        ),
        (
            envelope(&marked("162120009994", "162120009978")).into(),
            Expected("SSBT-OBEHORIG", V11, Hamta),
        ),
    ] {
        let fault = refused(&mut door, V10, &body).await;
        assert_is(&fault, &expected);
    }
    assert_eq!(sandbox.asked().count(), 0, "nobody was asked");
}

#[tokio::test]
async fn a_fault_of_the_question_says_which_element_and_where() {
    let sandbox = Sandbox::new().start().await;
    let mut door = Door::to(&sandbox).await;
    let body = envelope(&marked(
        "<ssbt:arendeidentitet>EB-2026-004711</",
        "<ssbt:arendeidentitet></",
    ));
    let told = refused(&mut door, V11, &body).await.texts();
    let place = body.find("<ssbt:arendeidentitet>").unwrap();
    let position: usize = told
        .split("position ")
        .nth(1)
        .and_then(|rest| rest.split(')').next()?.parse().ok())
        .unwrap_or_else(|| panic!("{told}"));
    assert!(told.contains("arendeidentitet"), "{told}");
    assert!((place..place + 40).contains(&position), "{told}: {place}");
}

#[tokio::test]
async fn faults_of_the_envelope_have_no_detail() {
    let sandbox = Sandbox::new().start().await;
    let mut door = Door::to(&sandbox).await;
    let header = |attributes: &str| {
        let entry = format!("<x:Kom xmlns:x='urn:{MARK}' {attributes}>{MARK}</x:Kom>");
        envelope_with(
            &format!("<e:Header>{entry}</e:Header>"),
            &question_element(V11),
        )
    };
    let soap_1_2 = question(V11).replace(soap::SOAP, SOAP_1_2);
    for (body, code) in [
        (soap_1_2, "VersionMismatch"),
        (header("e:mustUnderstand='1'"), "MustUnderstand"),
        (
            header("e:mustUnderstand='1' e:actor='http://schemas.xmlsoap.org/soap/actor/next'"),
            "MustUnderstand",
        ),
    ] {
        let fault = refused(&mut door, V10, &body).await;
        assert_eq!((&*fault.code, &fault.detail), (code, &None));
    }
    assert_eq!(sandbox.asked().count(), 0);
    for attributes in [
        "",
        "e:mustUnderstand='0'",
        "e:mustUnderstand='1' e:actor='urn:nagon-annan'",
    ] {
        let response = door.call(V10, header(attributes)).await;
        assert_data_of_all(&response, V11);
    }
}

#[tokio::test]
async fn the_namespace_decides_the_version_and_not_the_path() {
    let sandbox = Sandbox::new().start().await;
    let mut door = Door::to(&sandbox).await;
    for path in [V10, V11] {
        for asked in [V10, V11] {
            assert_data_of_all(&door.call(path, question(asked)).await, asked);
            let test = door.call(path, envelope(&test_element(asked))).await;
            let (namespace, name, _) = answered(&test);
            assert_eq!(namespace, asked.namespace());
            assert_eq!(name, Operation::Testa.response_element());
        }
    }
    // Neither the action nor a name of the client's own making plays a part.
    let elsewhere = question(V10)
        .replace("ssbt:", "ns2:")
        .replace(":ssbt=", ":ns2=");
    door.send("POST /ssbt/11", "application/octet-stream", elsewhere)
        .await;
    assert_data_of_all(&door.answer().await, V10);
}

#[tokio::test]
async fn other_character_sets_are_read_whoever_names_them() {
    let sandbox = Sandbox::new().start().await;
    let mut door = Door::to(&sandbox).await;
    let text = question(V11);
    let declared = |name: &str| format!("<?xml version=\"1.0\" encoding=\"{name}\"?>{text}");
    let utf16 = |text: &str| -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    let latin = |text: &str| -> Vec<u8> {
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect()
    };
    for (content_type, body) in [
        ("text/xml; charset=utf-16", utf16(&declared("UTF-16"))),
        ("text/xml", utf16(&text)),
        ("text/xml; charset=iso-8859-1", latin(&text)),
        ("text/xml", latin(&declared("ISO-8859-1"))),
        (
            "text/xml; charset=utf-8",
            format!("\u{feff}{text}").into_bytes(),
        ),
    ] {
        door.send("POST /ssbt/11", content_type, body).await;
        let response = door.answer().await;
        assert_data_of_all(&response, V11);
        let answer = String::from_utf8(response.body).unwrap();
        assert!(answer.contains(">Exempelköpings kommun<"), "{content_type}");
    }
}

#[tokio::test]
async fn a_body_in_chunks_is_read_and_one_too_large_is_refused() {
    let sandbox = Sandbox::new()
        .with(|settings| settings.listener.body_bytes_max = 8 * 1024)
        .start()
        .await;
    let mut door = Door::to(&sandbox).await;
    let body = question(V11);
    door.0
        .send("POST /ssbt/11 HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    for piece in body.as_bytes().chunks(100) {
        let head = format!("{:x}\r\n", piece.len());
        door.0
            .send([head.as_bytes(), piece, b"\r\n"].concat())
            .await;
    }
    door.0.send("0\r\n\r\n").await;
    assert_data_of_all(&door.answer().await, V11);

    let asked = sandbox.asked().count();
    let large = envelope(&question_element(V10)) + &" ".repeat(8 * 1024);
    let fault = refused(&mut door, V10, large).await;
    // It was not read, so its version is not known: that of the path counts.
    assert_is(
        &fault,
        &Expected("SSBT-OGILTIG-FRAGA", V10, Operation::Hamta),
    );
    assert!(fault.texts().contains("större"), "{fault:?}");
    assert_eq!(sandbox.asked().count(), asked);
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_there_are() {
    let sandbox = Sandbox::new().start().await;
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let mut door = Door::to(&sandbox).await;
        door.send(&format!("{method} /ssbt/11"), "text/xml", question(V11))
            .await;
        let response = door.answer().await;
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.header("allow"), Some("GET, POST"));
        let fault = Fault::of(&response);
        assert_is(
            &fault,
            &Expected("SSBT-OKAND-OPERATION", V11, Operation::Hamta),
        );
        assert!(fault.texts().contains("GET"), "{fault:?}");
    }
    assert_eq!(sandbox.asked().count(), 0);
}

#[tokio::test]
async fn the_description_is_served_where_it_was_asked_for_or_where_the_settings_say() {
    let set = "https://ssbtek.example.se:8585/"
        .to_owned()
        .try_into()
        .unwrap();
    let plain = Sandbox::new().start().await;
    let public = Sandbox::new()
        .with(|settings| settings.ssbtek.soap_address = Some(set))
        .start()
        .await;
    for (sandbox, base) in [
        (&plain, "http://node.example:8585"),
        (&public, "https://ssbtek.example.se:8585"),
    ] {
        let mut door = Door::to(sandbox).await;
        for kontrakt in Kontrakt::all() {
            let path = format!("/ssbt/{}", kontrakt.version());
            let address = format!("{base}{path}");
            for query in ["wsdl", "WSDL", "wsdl=1"] {
                let text = described(&mut door, &format!("{path}?{query}")).await;
                assert_eq!(text, wsdl::wsdl(kontrakt, &address));
                assert!(text.contains(&format!("location=\"{address}\"")));
            }
            for name in wsdl::schema_names() {
                let text = described(&mut door, &format!("{path}?xsd={name}")).await;
                assert_eq!(Some(text), wsdl::schema(kontrakt, name, &address));
            }
            for query in ["", "?", "?xsd=", "?xsd=csn", "?xsd=../ssbt", "?fraga"] {
                let response = door.get(&format!("{path}{query}")).await;
                assert_eq!(
                    (response.status, response.body),
                    (404, Vec::new()),
                    "{query}"
                );
            }
        }
        assert_eq!(door.get("/ssbt/12?wsdl").await.status, 404);
        assert_eq!(door.get("/ssbt?wsdl").await.status, 404);
        assert_eq!(sandbox.ended(), 0, "a description is no request");
    }
}

#[tokio::test]
async fn no_header_of_a_proxy_says_where_the_service_is() {
    let sandbox = Sandbox::new().start().await;
    let mut door = Door::to(&sandbox).await;
    let said = "text/xml\r\nForwarded: host=a.example;proto=https\r\nX-Forwarded-Host: a.example\r\n\
                X-Forwarded-Proto: https";
    door.send("GET /ssbt/10?wsdl", said, "").await;
    let text = String::from_utf8(door.answer().await.body).unwrap();
    assert_eq!(text, wsdl::wsdl(V10, "http://node.example:8585/ssbt/10"));
    // Before HTTP 1.1 a host need not be named: the address is one all the same.
    let mut door = Door::to(&sandbox).await;
    door.0.send("GET /ssbt/10?wsdl HTTP/1.0\r\n\r\n").await;
    let response = door.answer().await;
    assert_eq!(response.status, 200);
    let text = String::from_utf8(response.body).unwrap();
    let (_, rest) = text.split_once("soap:address location=\"http://").unwrap();
    let (host, _) = rest.split_once("/ssbt/10\"").unwrap();
    assert!(!host.is_empty() && !host.contains('/'), "{host}");
}

/// A text of the description, which is XML.
async fn described(door: &mut Door, target: &str) -> String {
    let response = door.get(target).await;
    assert_eq!(response.status, 200, "{target}");
    assert_eq!(
        response.header("content-type"),
        Some("text/xml; charset=utf-8")
    );
    let text = String::from_utf8(response.body).unwrap();
    Document::parse(&text).unwrap();
    text
}

#[tokio::test]
async fn over_load_and_draining_it_is_503_with_a_time_to_come_back() {
    let gate = Gate::closed();
    let sandbox = Sandbox::new()
        .with(|settings| {
            settings.load.open_requests_max = 2;
            settings.load.open_per_sender_max = 1;
            settings.load.retry_after_s = 7;
            settings.drain.drain_s = 60;
        })
        .held_by(&gate)
        .start()
        .await;
    let mut first = Door::to(&sandbox).await;
    first.begin(V10, question(V10)).await;
    eventually("everybody is asked", || sandbox.asked().count() == 8).await;
    let mut door = Door::to(&sandbox).await;

    // The sender's bound: the call has been read by then, and the fault is in its version.
    let fault = overloaded(&mut door, V10, question(V11)).await;
    assert_eq!(fault.detail.as_ref().unwrap().namespace, V11.namespace());

    // The node's: not even read.
    let mut other = Door::to(&sandbox).await;
    other
        .begin(V11, question(V11).replace("162120009994", "162120009986"))
        .await;
    eventually("the other has asked, too", || sandbox.asked().count() == 16).await;
    let fault = overloaded(&mut door, V11, "<x/>").await;
    assert_eq!(fault.detail.as_ref().unwrap().namespace, V11.namespace());
    assert_eq!(sandbox.asked().count(), 16);

    let draining = async {
        eventually("the node drains", || sandbox.node().load().is_draining()).await;
        let mut late = Door::to(&sandbox).await;
        overloaded(&mut late, V11, envelope(&test_element(V11))).await;
        gate.open();
    };
    let (left, ()) = tokio::join!(sandbox.stop(), draining);
    assert_eq!(left, 0);
    assert_data_of_all(&first.answer().await, V10);
    assert_data_of_all(&other.answer().await, V11);
}

async fn overloaded(door: &mut Door, path: Kontrakt, body: impl AsRef<[u8]>) -> Fault {
    let response = door.call(path, body).await;
    assert_eq!(response.status, 503);
    assert_eq!(response.header("retry-after"), Some("7"));
    let fault = Fault::of(&response);
    assert_eq!((&*fault.code, fault.felkod()), ("Server", "SSBT-OVERLAST"));
    fault
}

/// A question with so many ombud that it is read on the blocking pool.
fn large_question() -> String {
    let bitrade = "<ssbt:personuppgiftsbitrade><ssbt:organisationsnummer>165599991113\
                   </ssbt:organisationsnummer><ssbt:namn>Exempeldrift AB</ssbt:namn>\
                   </ssbt:personuppgiftsbitrade>";
    let many = bitrade.repeat(ON_ARBITER_BYTES_MAX / bitrade.len() + 1);
    question(V11).replace("<ssbt:syfte>", &format!("{many}<ssbt:syfte>"))
}

#[tokio::test]
async fn a_large_call_is_answered_or_refused_like_any_other() {
    let sandbox = Sandbox::new().start().await;
    let mut door = Door::to(&sandbox).await;
    let large = large_question();
    assert!(large.len() > ON_ARBITER_BYTES_MAX);
    assert_data_of_all(&door.call(V10, &large).await, V11);
    let asked = sandbox.asked().count();
    let fault = refused(&mut door, V10, large.replace(DEMO, "199503142384")).await;
    let expected = Expected("SSBT-PERSONIDENTITET", V11, Operation::Hamta);
    assert_is(&fault, &expected);
    assert_eq!(sandbox.asked().count(), asked);
}

/// Wherever a call was when its actor fell, its caller is told, in its version if that was known.
#[cfg(debug_assertions)]
#[tokio::test]
async fn a_panic_within_the_node_is_a_fault_of_ours() {
    let sandbox = Sandbox::new().one_worker().start().await;
    for (place, kontrakt) in [("ingress", V10), ("aggregator", V11), ("egress", V11)] {
        let mut door = Door::to(&sandbox).await;
        sandbox.failpoints().arm(place, 1);
        let response = door.call(V10, question(V11)).await;
        assert_eq!(response.status, 500, "{place}");
        assert_eq!(response.header("retry-after"), None);
        let fault = Fault::of(&response);
        assert_eq!(
            (&*fault.code, fault.felkod()),
            ("Server", "SSBT-INTERNT-FEL")
        );
        let detail = fault.detail.unwrap();
        assert_eq!(detail.namespace, kontrakt.namespace(), "{place}");
        assert_eq!(sandbox.failpoints().left(place), 0);
        let begun = std::time::Instant::now();
        while door.call(V10, question(V11)).await.status != 200 {
            assert!(begun.elapsed().as_secs() < 20, "{place}");
        }
    }
}

#[tokio::test]
async fn a_caller_that_hangs_up_is_forgotten_and_its_questions_recalled() {
    let gate = Gate::closed();
    let sandbox = Sandbox::new().held_by(&gate).start().await;
    let mut door = Door::to(&sandbox).await;
    door.begin(V11, question(V11)).await;
    eventually("everybody is asked", || sandbox.asked().count() == 8).await;
    drop(door);
    let gone = || sandbox.outcome(OutcomeClass::CallerGone) == 1;
    eventually("it is forgotten", gone).await;
    eventually("nothing is in flight", || sandbox.in_flight() == 0).await;
    assert_eq!(sandbox.node().load().open(), 0);
}

/// Every test of this process writes to the log at its most talkative: each helps to show it.
#[tokio::test]
async fn neither_calls_nor_faults_nor_answers_get_into_the_log() {
    let sandbox = Sandbox::new().start().await;
    let mut door = Door::to(&sandbox).await;
    let fine = envelope(&question_element(V11).replace("exk0421", MARK));
    assert_data_of_all(&door.call(V11, &fine).await, V11);
    for (from, to) in [
        (DEMO, "199503142384"),
        ("<ssbt:syfte>", "<ssbt:MARKORD-UR-INNEHALLET>"),
        ("ssbt/11", MARK),
    ] {
        refused(&mut door, V11, fine.replace(from, to)).await;
    }
    assert!(log::lines() > 10);
    assert_eq!(log::leaks(), Vec::<String>::new());
}
