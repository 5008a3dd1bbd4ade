//! One part for each person, bare or in an envelope, and an answer to each in its own form, in order and
//! under its own name; a message that is wrong as a whole asks about nobody (ssbtek-10, 6.2).

use bytes::Bytes;
use chrono::Utc;
use roxmltree::Document;
use samsvar::adapter::simulated::EXEMPELPERSONER;
use samsvar::client::question::{self, Asker};
use samsvar_actors::tally::TransferEnd;
use shs_schemas::Sensitive;
use shs_schemas::mime::Limits;
use shs_schemas::shs::label::TransferType;
use shs_schemas::shs::management::Outcome;
use shs_schemas::shs::{Management, Message, MessageList};
use shs_schemas::ssbtek::{Kontrakt, Operation};

use crate::pki::Pki;
use crate::sandbox::{Sandbox, eventually};
use crate::soap::{Detail, Fault, SOAP, element_about, envelope, test_element};
use crate::wire::{Response, Wire};

const V10: Kontrakt = Kontrakt::V10;
const V11: Kontrakt = Kontrakt::V11;
/// A check digit that is wrong.
const OMOJLIG: &str = "199503142384";

/// A message with these documents as its parts, each under a type and a name of its own.
fn message(documents: Vec<String>) -> Bytes {
    let persons = vec![String::new(); documents.len()];
    let mut message = question::message(&Asker::default(), &persons, Utc::now()).unwrap();
    for (place, (part, document)) in message.parts.iter_mut().zip(documents).enumerate() {
        part.data = Sensitive::new(document.into());
        part.datapart_type = format!("fraga{place}");
        part.filename = Some(Sensitive::new(name(place)));
    }
    message.write()
}

fn name(place: usize) -> String {
    format!("person-{place}-å.xml")
}

/// Every other document bare, the others in envelopes.
fn by_turns(place: usize, element: String) -> String {
    if is_bare(place) {
        element
    } else {
        envelope(&element)
    }
}

fn is_bare(place: usize) -> bool {
    place.is_multiple_of(2)
}

async fn post(wire: &mut Wire, message: &[u8]) -> Response {
    wire.post("Content-Type: message/rfc822\r\n", message).await;
    wire.receive().await.expect("it is answered")
}

/// The documents of a reply, after their names.
fn documents(response: Response) -> Vec<String> {
    assert_eq!(
        response.status,
        200,
        "{}",
        String::from_utf8_lossy(&response.body)
    );
    let reply = Message::read(response.body.into(), None, &Limits::default()).unwrap();
    let parts = reply.parts.into_iter().enumerate().map(|(place, part)| {
        assert_eq!(part.datapart_type, format!("fraga{place}"));
        assert_eq!(part.filename.unwrap().into_exposed(), name(place));
        String::from_utf8(part.data.into_exposed().to_vec()).unwrap()
    });
    parts.collect()
}

/// Name of the element that a document answers with, in the form that it is to be in.
fn element_of(document: &str, bare: bool) -> (String, String) {
    let document = Document::parse(document).unwrap();
    let root = document.root_element();
    let element = if bare {
        root
    } else {
        assert!(root.has_tag_name((SOAP, "Envelope")));
        let body = root.first_element_child().unwrap();
        assert!(body.has_tag_name((SOAP, "Body")));
        body.first_element_child().unwrap()
    };
    let tag = element.tag_name();
    (tag.namespace().unwrap().to_owned(), tag.name().to_owned())
}

fn assert_answers(document: &str, bare: bool, kontrakt: Kontrakt, person: &str) {
    let expected = (
        kontrakt.namespace().to_owned(),
        Operation::Hamta.response_element().to_owned(),
    );
    assert_eq!(element_of(document, bare), expected);
    // Arbetsförmedlingen repeats whom it was asked about, whoever it is.
    let document = Document::parse(document).unwrap();
    let mut said = document.descendants();
    let said = said.find(|node| node.tag_name().name() == "IdentitetsbeteckningFysiskPerson");
    assert_eq!(said.and_then(|node| node.text()), Some(person));
}

/// What the management document of a refused message says, when it is refused for its questions.
fn refusal(response: &Response) -> String {
    assert_eq!(response.status, 400, "{response:?}");
    let code = response.header("x-shs-errorcode");
    assert_eq!(code, Some("IllegalDatapartContent"));
    let document = Management::read(&response.body, None, &Limits::default()).unwrap();
    let Outcome::Error { info, .. } = document.outcome else {
        panic!("it is an error");
    };
    info.unwrap().into_exposed()
}

#[tokio::test]
async fn one_to_ten_persons_in_either_form() {
    let sandbox = Sandbox::new().start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    let persons: Vec<&str> = EXEMPELPERSONER.iter().map(|(number, _)| *number).collect();
    for kontrakt in [V10, V11] {
        for many in [1, 2, 10] {
            let before = sandbox.asked().count();
            let asked = persons[..many].iter().enumerate();
            let asked =
                asked.map(|(place, person)| by_turns(place, element_about(person, kontrakt)));
            let documents = documents(post(&mut wire, &message(asked.collect())).await);
            assert_eq!(documents.len(), many);
            for (place, document) in documents.iter().enumerate() {
                assert_answers(document, is_bare(place), kontrakt, persons[place]);
            }
            assert_eq!(sandbox.asked().count(), before + 8 * many);
        }
    }
}

#[tokio::test]
async fn a_person_that_cannot_be_gets_a_fault_in_its_own_form_and_the_others_are_answered() {
    let sandbox = Sandbox::new().start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    let persons = [EXEMPELPERSONER[0].0, OMOJLIG, OMOJLIG, EXEMPELPERSONER[1].0];
    let asked = persons.iter().enumerate();
    let asked = asked.map(|(place, person)| by_turns(place, element_about(person, V11)));
    let documents = documents(post(&mut wire, &message(asked.collect())).await);
    assert_answers(&documents[0], true, V11, persons[0]);
    assert_answers(&documents[3], false, V11, persons[3]);

    let fault = Fault::read(documents[1].as_bytes());
    assert_eq!(
        (&*fault.code, fault.felkod()),
        ("Client", "SSBT-PERSONIDENTITET")
    );
    let Detail {
        namespace, element, ..
    } = fault.detail.as_ref().unwrap();
    assert_eq!(namespace, V11.namespace());
    assert_eq!(element, Operation::Hamta.fault_element());
    let bare = element_of(&documents[2], true);
    assert_eq!(bare, (namespace.clone(), element.clone()));
    assert!(documents[2].contains("SSBT-PERSONIDENTITET"));
    assert!(
        documents[1..3]
            .iter()
            .all(|document| !document.contains(OMOJLIG))
    );
    assert_eq!(sandbox.asked().count(), 16);
}

#[tokio::test]
async fn none_or_more_than_ten_persons_are_refused() {
    let sandbox = Sandbox::new().start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    let eleven = vec![element_about(EXEMPELPERSONER[0].0, V10); 11];
    let told = refusal(&post(&mut wire, &message(eleven)).await);
    assert!(told.starts_with("SSBT-ANTAL-PERSONER"), "{told}");
    let told = refusal(&post(&mut wire, &message(Vec::new())).await);
    assert!(told.starts_with("SSBT-ANTAL-PERSONER"), "{told}");
    assert_eq!(sandbox.asked().count(), 0);
}

#[tokio::test]
async fn one_invalid_part_refuses_all_and_says_which_and_where() {
    let sandbox = Sandbox::new().start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    for wrong in [2, 3] {
        let mut asked: Vec<_> = (0..4)
            .map(|place| by_turns(place, element_about(EXEMPELPERSONER[place].0, V10)))
            .collect();
        let tag = "<ssbt:arendeidentitet>";
        asked[wrong] = asked[wrong].replace("EB-2026-004711</", "</");
        let place = asked[wrong].find(tag).unwrap();
        let told = refusal(&post(&mut wire, &message(asked)).await);
        assert!(told.starts_with("SSBT-OGILTIG-FRAGA"), "{told}");
        let expected = format!("datadel {}; arendeidentitet, position ", wrong + 1);
        let (_, position) = told
            .split_once(&expected)
            .unwrap_or_else(|| panic!("{told}"));
        let position: usize = position.split(':').next().unwrap().parse().unwrap();
        assert!(
            (place..=place + tag.len()).contains(&position),
            "{told}: {place}"
        );
    }
    assert_eq!(sandbox.asked().count(), 0);
}

#[tokio::test]
async fn what_is_no_call_or_does_not_belong_together_is_refused() {
    let sandbox = Sandbox::new().start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    let question = |kontrakt| element_about(EXEMPELPERSONER[0].0, kontrakt);
    let others = question(V10).replace("162120009994", "162120009986");
    let soap_1_2 =
        envelope(&question(V10)).replace(SOAP, "http://www.w3.org/2003/05/soap-envelope");
    for (documents, felkod, word) in [
        (
            vec![question(V10), others],
            "SSBT-OBEHORIG",
            "samma ingivare",
        ),
        (
            vec![question(V10), envelope(&question(V11))],
            "SSBT-OGILTIG-FRAGA",
            "kontraktsversion",
        ),
        (
            vec![question(V10), test_element(V10)],
            "SSBT-OGILTIG-FRAGA",
            "ensam",
        ),
        (
            vec![test_element(V10), test_element(V10)],
            "SSBT-OGILTIG-FRAGA",
            "ensam",
        ),
        (
            vec![question(V10).replace("ssbt/10", "ssbt/12")],
            "SSBT-OKAND-OPERATION",
            "datadel 1",
        ),
        (
            vec![question(V10), "<a/>".to_owned()],
            "SSBT-OKAND-OPERATION",
            "datadel 2",
        ),
        (vec![soap_1_2], "SSBT-OGILTIG-FRAGA", "version 1.1"),
    ] {
        let told = refusal(&post(&mut wire, &message(documents)).await);
        assert!(told.starts_with(felkod) && told.contains(word), "{told}");
    }
    assert_eq!(sandbox.asked().count(), 0);
}

#[tokio::test]
async fn a_test_alone_is_answered_in_its_form_and_version() {
    let sandbox = Sandbox::new().start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    for kontrakt in [V10, V11] {
        for bare in [true, false] {
            let element = test_element(kontrakt);
            let asked = if bare { element } else { envelope(&element) };
            let documents = documents(post(&mut wire, &message(vec![asked])).await);
            let expected = (
                kontrakt.namespace().to_owned(),
                Operation::Testa.response_element().to_owned(),
            );
            assert_eq!(element_of(&documents[0], bare), expected);
            assert_eq!(
                documents[0].matches(">true</").count(),
                7,
                "{}",
                documents[0]
            );
        }
    }
    // A ping reaches everybody, each time.
    assert_eq!(sandbox.asked().count(), 4 * 8);
}

#[tokio::test]
async fn nobody_asks_for_an_ingivare_that_its_certificate_does_not_stand_for() {
    let pki = Pki::new();
    let sandbox = Sandbox::new()
        .with(|settings| pki.guard(settings))
        .start()
        .await;
    let mut wire = pki.wire("exempelkoping", sandbox.service().port()).await;
    let own = element_about(EXEMPELPERSONER[0].0, V10);
    let others = own.replace("162120009994", "162120009986");
    for document in [others.clone(), envelope(&others)] {
        let told = refusal(&post(&mut wire, &message(vec![document])).await);
        assert!(told.starts_with("SSBT-OBEHORIG"), "{told}");
    }
    assert_eq!(sandbox.asked().count(), 0);
    assert_eq!(
        documents(post(&mut wire, &message(vec![own])).await).len(),
        1
    );
}

#[tokio::test]
async fn an_asynchronous_message_is_answered_in_kind_too() {
    let sandbox = Sandbox::new().asynch().start().await;
    let mut wire = Wire::to(sandbox.service()).await;
    let persons = [EXEMPELPERSONER[0].0, OMOJLIG, EXEMPELPERSONER[1].0];
    let asked = persons.iter().enumerate();
    let asked = asked.map(|(place, person)| by_turns(place + 1, element_about(person, V11)));
    let tx_id = send_later(&sandbox, &mut wire, message(asked.collect())).await;
    let documents = documents(fetch(&sandbox, &tx_id).await);
    assert_answers(&documents[0], false, V11, persons[0]);
    let (namespace, name) = element_of(&documents[1], true);
    assert_eq!(namespace, V11.namespace());
    assert_eq!(name, Operation::Hamta.fault_element());
    assert_answers(&documents[2], false, V11, persons[2]);

    let tx_id = send_later(&sandbox, &mut wire, message(vec![test_element(V10)])).await;
    let documents = self::documents(fetch(&sandbox, &tx_id).await);
    let (namespace, name) = element_of(&documents[0], true);
    assert_eq!(namespace, V10.namespace());
    assert_eq!(name, Operation::Testa.response_element());
}

/// Sends a message asynchronously; gives the tx.id of its reply, which lies in the asker's mailbox.
async fn send_later(sandbox: &Sandbox, wire: &mut Wire, message: Bytes) -> String {
    let mut message = Message::read(message, None, &Limits::default()).unwrap();
    message.label.transfer_type = TransferType::Asynch;
    let tally = sandbox.node().tally();
    let answered = tally.transfers(TransferEnd::Answered);
    assert_eq!(post(wire, &message.write()).await.status, 202);
    let is_answered = || tally.transfers(TransferEnd::Answered) > answered;
    eventually("it is answered", is_answered).await;
    let corr_id = message.label.corr_id.as_str();
    let url = format!(
        "http://{}/shs/ds/2120009994?corrid={corr_id}",
        sandbox.service()
    );
    let list = reqwest::get(url).await.unwrap().bytes().await.unwrap();
    let list = MessageList::read(&list, None).unwrap();
    let [reply] = list.messages.as_slice() else {
        panic!("one reply");
    };
    reply.tx_id.as_str().to_owned()
}

async fn fetch(sandbox: &Sandbox, tx_id: &str) -> Response {
    let url = format!("http://{}/shs/ds/2120009994/{tx_id}", sandbox.service());
    let fetched = reqwest::get(url).await.unwrap();
    Response {
        status: fetched.status().as_u16(),
        head: String::new(),
        body: fetched.bytes().await.unwrap().to_vec(),
    }
}
