//! What a service may say, and what it may not.

use super::super::answer::{ElementAnswer, Said};
use super::super::canned::{Canned, response};
use super::*;

/// A body in an envelope, with prefixes and a header as another stack would write them.
fn wrapped(body: &str) -> String {
    format!(
        "<E:Envelope xmlns:E=\"{ENVELOPE}\"><E:Header><x xmlns=\"urn:x\"><y/></x></E:Header>\n\
         <E:Body>{body}</E:Body></E:Envelope>"
    )
}

fn read_text(text: &str) -> Result<Reply, WireError> {
    read(&Bytes::copy_from_slice(text.as_bytes()))
}

fn svar(kontrakt: Kontrakt) -> String {
    format!(
        "<n:hamtaBastjanstInformationResponse xmlns:n=\"{}\"><n:korrelationsid>k</n:korrelationsid>\
         <n:svarsdata><n:AF><n:data><a>1</a></n:data></n:AF>\
         <n:SO><n:error><n:kalla>SSBT</n:kalla><n:felkod>SSBT-TIMEOUT</n:felkod>\
         <n:felmeddelande>Inget svar</n:felmeddelande></n:error></n:SO></n:svarsdata>\
         </n:hamtaBastjanstInformationResponse>",
        kontrakt.namespace()
    )
}

fn fault(faultcode: &str, detail: &str) -> String {
    format!(
        "<E:Fault><faultcode>{faultcode}</faultcode><faultstring>Nej</faultstring>{detail}</E:Fault>"
    )
}

fn detail(felkod: &str) -> String {
    let namespace = Kontrakt::V11.namespace();
    format!(
        "<detail><s xmlns=\"urn:trace\"/><n:hamtaBastjanstInformationFault xmlns:n=\"{namespace}\">\
         <n:felkod>{felkod}</n:felkod><n:felmeddelande>Ett</n:felmeddelande>\
         <n:felmeddelande>Två</n:felmeddelande></n:hamtaBastjanstInformationFault></detail>"
    )
}

#[test]
fn an_answer_is_read_in_every_version() {
    for kontrakt in Kontrakt::all() {
        let reply = read_text(&wrapped(&svar(kontrakt))).unwrap();
        let Reply::Svar(PersonAnswer::Response(elements)) = &reply else {
            panic!("{reply:?}");
        };
        assert!(matches!(
            &elements[0],
            (Svarselement::Af, ElementAnswer::Data(_))
        ));
        let Reply::Svar(person) = reply else {
            unreachable!()
        };
        let said = person.per_party();
        let so = Said::Error("SSBT".into(), "SSBT-TIMEOUT".into());
        assert!(
            said.iter()
                .any(|(ul, said)| ul.kod() == "SO" && *said == so)
        );
    }
}

#[test]
fn a_fault_is_read_with_its_code_and_texts_or_by_the_envelopes_own() {
    let read = |body: &str| match read_text(&wrapped(body)).unwrap() {
        Reply::Fault(fault) => fault,
        other => panic!("{other:?}"),
    };
    let refused = read(&fault("E:Client", &detail("SSBT-OBEHORIG")));
    assert_eq!(refused.faultcode, "Client");
    let (felkod, texts) = refused.said();
    assert_eq!(felkod, "SSBT-OBEHORIG");
    assert_eq!(texts.into_exposed(), ["Ett", "Två"]);
    for (body, faultcode) in [
        (fault("E:MustUnderstand", ""), "MustUnderstand"),
        (fault(" E:Server ", "<detail/>"), "Server"),
        // Another stack's detail tells nothing of ours.
        (
            fault("Server", "<detail><a xmlns='urn:a'>1</a></detail>"),
            "Server",
        ),
    ] {
        let (felkod, texts) = read(&body).said();
        assert_eq!(
            (felkod.as_str(), texts.into_exposed()),
            (faultcode, vec!["Nej".into()])
        );
    }
}

#[test]
fn a_connection_test_tells_of_each_element() {
    let body = format!(
        "<n:testaBastjanstInformationResponse xmlns:n=\"{}\">\
         <n:AF><n:anropad>true</n:anropad></n:AF><n:CSN><n:anropad>0</n:anropad></n:CSN>\
         <n:SKV><n:anropad> 1 </n:anropad><n:error><n:kalla>BT</n:kalla>\
         <n:felkod>9071001</n:felkod><n:felmeddelande>Fel</n:felmeddelande></n:error></n:SKV>\
         </n:testaBastjanstInformationResponse>",
        Kontrakt::V10.namespace()
    );
    let Ok(Reply::Test(tested)) = read_text(&wrapped(&body)) else {
        panic!("no answer to a test");
    };
    assert!(matches!(tested[0], (Svarselement::Af, Tested::Answered)));
    assert!(matches!(tested[1], (Svarselement::Csn, Tested::NotCalled)));
    assert!(
        matches!(&tested[2], (Svarselement::Skv, Tested::Error { kalla, felkod, .. })
            if kalla == "BT" && felkod == "9071001")
    );
    for wrong in [
        "<n:AF/>",
        "<n:AF><n:anropad>ja</n:anropad></n:AF>",
        "<n:PM/>",
        "<AF/>",
    ] {
        let (before, _) = body.split_once("<n:AF>").unwrap();
        let body = format!("{before}{wrong}</n:testaBastjanstInformationResponse>");
        assert!(read_text(&wrapped(&body)).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    let right = svar(Kontrakt::V10);
    let wrapped_right = wrapped(&right);
    for wrong in [
        String::new(),
        "503 Service Unavailable".to_owned(),
        "<html><body>Bad Gateway</body></html>".to_owned(),
        // A document without its envelope, and the envelope of another version of SOAP.
        right.clone(),
        wrapped_right.replace(ENVELOPE, "http://www.w3.org/2003/05/soap-envelope"),
        wrapped(""),
        wrapped(&[&*right, &right].concat()),
        wrapped(&right.replace("ssbt/10", "ssbt/9")),
        wrapped(&right.replace("Response", "")),
        wrapped(&right.replace("n:svarsdata", "n:annat")),
        wrapped(&fault("", "")),
        wrapped_right.replace("<E:Envelope", "<!DOCTYPE x><E:Envelope"),
        wrapped_right.replace("</E:Envelope>", "<E:Body/></E:Envelope>"),
        wrapped_right
            .replace("<E:Body>", "<E:Kropp>")
            .replace("</E:Body>", "</E:Kropp>"),
        format!("<E:Envelope xmlns:E=\"{ENVELOPE}\"/>"),
        format!("{wrapped_right}<a/>"),
    ] {
        assert!(read_text(&wrong).is_err(), "{wrong}");
    }
    for end in 0..wrapped_right.len() {
        assert!(read_text(&wrapped_right[..end]).is_err(), "cut at {end}");
    }
}

#[tokio::test]
async fn a_call_is_text_xml_with_an_empty_action_and_its_reply_is_read() {
    let canned = Canned::serve(|_| response("200 OK", "", &wrapped(&svar(Kontrakt::V11)))).await;
    let url = format!("{}/ssbt/11", canned.base);
    let client = Client::new().unwrap();
    let replied = client
        .call(&url, connection_test(Kontrakt::V11))
        .await
        .unwrap();
    assert_eq!(replied.status, 200);
    assert!(matches!(replied.reply, Reply::Svar(_)));
    assert_eq!(
        replied.raw.expose(),
        wrapped(&svar(Kontrakt::V11)).as_bytes()
    );
    let asked = &canned.asked()[0];
    assert!(
        asked.head.starts_with("post /ssbt/11 http/1.1\r\n"),
        "{}",
        asked.head
    );
    assert!(
        asked
            .head
            .contains("\r\ncontent-type: text/xml; charset=utf-8\r\n")
    );
    assert!(asked.head.contains("\r\nsoapaction: \"\"\r\n"));
    let document = roxmltree::Document::parse(&asked.body).unwrap();
    let body = document.root_element().first_element_child().unwrap();
    let test = body.first_element_child().unwrap();
    let name = (Kontrakt::V11.namespace(), "testaBastjanstInformation");
    assert!(test.has_tag_name(name) && !test.has_children());
}

#[tokio::test]
async fn a_fault_is_a_reply_whatever_its_status_and_an_error_page_is_none() {
    let overloaded = wrapped(&fault("E:Server", &detail("SSBT-OVERLAST")));
    let of = async |status: &'static str, body: String| {
        let canned = Canned::serve(move |_| response(status, "retry-after: 5\r\n", &body)).await;
        let client = Client::new().unwrap();
        client.call(&canned.base, envelope("<a/>")).await
    };
    for status in [
        "500 Internal Server Error",
        "503 Service Unavailable",
        "200 OK",
    ] {
        let replied = of(status, overloaded.clone()).await.unwrap();
        assert!(matches!(replied.reply, Reply::Fault(_)), "{status}");
        assert_eq!(replied.retry_after.as_deref(), Some("5"));
    }
    let page = "<html>".to_owned();
    let refused = of("502 Bad Gateway", page.clone()).await;
    assert!(matches!(refused, Err(SoapError::Status(502))));
    assert!(matches!(
        of("200 OK", page).await,
        Err(SoapError::Unreadable(_))
    ));
    // An answer is no answer when its status says so.
    let svar = wrapped(&svar(Kontrakt::V10));
    let refused = of("500 Internal Server Error", svar).await;
    assert!(matches!(refused, Err(SoapError::Status(500))));
}

#[tokio::test]
async fn a_node_that_is_away_is_told_from_an_address_that_is_none() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = Client::new().unwrap();
    // Nothing listens on port 1.
    for (url, is_none) in [("http://127.0.0.1:1/ssbt/10", false), ("ssbt/10", true)] {
        match client.call(url, envelope("<a/>")).await {
            Err(SoapError::Exchange(ExchangeError::Url)) => assert!(is_none),
            Err(SoapError::Exchange(ExchangeError::Http(_))) => assert!(!is_none),
            other => panic!("{other:?}"),
        }
    }
}
