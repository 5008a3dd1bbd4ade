//! Errors that are found before the HTTP answer: status 400, the code in `X-shs-errorcode`, what is known
//! of the message, and a `shs.management` document (shs-1.2, 5.5, 6.1 and 6.2). One test for each code
//! and transfer type.

use bytes::Bytes;
use chrono::Utc;
use samsvar::settings::{Status, Terminator};
use samsvar_actors::tally::OutcomeClass;
use shs_schemas::ErrorCode as Code;
use shs_schemas::ids::AgreementId;
use shs_schemas::shs::label::{
    InnerParty, Label, MessageType, SequenceType, Status as Marked, TransferType,
};
use shs_schemas::shs::{Message, Produkt};

use crate::exchange::{
    EXEMPELKOPING, FILES, FILES_AGREED, Further, NEIGHBOUR, NOBODY, OWN, PROVSTAD, STRANGER, actor,
    asynch_question, exchanged, file, file_to, node, ping, produkt, question, text_part,
};
use crate::next_node::{NextNode, Says, nobody};
use crate::pki::Pki;
use crate::rig::Rig;
use crate::told::{appinfo, assert_refused, assert_refused_with};

async fn rig() -> Rig {
    Rig::over(node()).await
}

/// Each message, good but for what is changed in its label, gets this code; nothing comes of it.
async fn refuses(code: Code, message: &Message, changes: &[fn(&mut Label)]) {
    let rig = rig().await;
    for (place, change) in changes.iter().enumerate() {
        let mut message = message.clone();
        change(&mut message.label);
        let answer = rig.post(message.write()).await;
        assert_refused(&answer, code, &message.label);
        assert_eq!(
            rig.state(&message.label.tx_id),
            None,
            "{place} is not known"
        );
    }
    nothing_came_of(&rig, changes.len()).await;
}

/// Bodies that cannot be read get this code.
async fn refuses_bodies(code: Code, bodies: &[Bytes]) {
    let rig = rig().await;
    for body in bodies {
        let answer = rig.post(body.clone()).await;
        assert_refused_with(&answer, 400, code, None);
        assert_eq!(answer.header("x-shs-nodeid"), Some("samsvar-demo"));
    }
    nothing_came_of(&rig, bodies.len()).await;
}

async fn nothing_came_of(rig: &Rig, refused: usize) {
    assert_eq!(rig.outcome(OutcomeClass::Refused), refused as u64);
    assert_eq!(rig.asynch().underway().messages(), 0);
    assert_eq!(rig.ends(), 0);
    assert_eq!(rig.asked().count(), 0);
    assert_eq!(rig.asynch().outboxes().counts().messages, 0);
    rig.assert_no_place_is_held().await;
}

#[tokio::test]
async fn illegal_product_type() {
    for message in [question(), file()] {
        let product = format!("urn:X-shs:{}", message.label.product.produkt.bare());
        let malformed = ["urn:X-shs:55b7e000", "", "urn:X-shs:bekraftelse"];
        let bodies = malformed.map(|malformed| {
            exchanged(
                &message,
                &format!("{product}</product>"),
                &format!("{malformed}</product>"),
            )
        });
        refuses_bodies(Code::IllegalProductType, &bodies).await;
    }
}

#[tokio::test]
async fn unknown_product_type_of_a_synchronous_message() {
    let changes: &[fn(&mut Label)] = &[
        |label| label.product.produkt = produkt(FILES),
        |label| label.product.produkt = Produkt::Agreement,
    ];
    refuses(Code::UnknownProductType, &question(), changes).await;
}

#[tokio::test]
async fn unknown_product_type_of_an_asynchronous_message() {
    let changes: &[fn(&mut Label)] = &[|label| label.product.produkt = Produkt::Agreement];
    refuses(Code::UnknownProductType, &file(), changes).await;
}

#[tokio::test]
async fn illegal_receiver_that_is_malformed() {
    for message in [question(), file()] {
        let to = message.label.to.as_ref().unwrap().address.to_string();
        let bodies = ["urn:X-shs:", "kommunen", "urn:X-shs:2120009986."]
            .map(|wrong| exchanged(&message, &format!("{to}</to>"), &format!("{wrong}</to>")));
        refuses_bodies(Code::IllegalReceiver, &bodies).await;
    }
}

/// A terminator in front: who shows no certificate is nobody, not one of our own systems.
async fn with_terminator(pki: &Pki, name: &str) -> Rig {
    let builder = node().neighbour(None).with(|settings| {
        settings.listener.terminator = Some(Terminator {
            addresses: vec!["127.0.0.1".parse().unwrap()],
            header: "X-Client-Cert".to_owned(),
            client_ca: Some(pki.file("ca.pem")),
            crls: vec![pki.file("crl.pem")],
            crls_must_be_fresh: true,
        });
    });
    let rig = Rig::over(builder).await;
    rig.with_header("x-client-cert", &pki.in_base64(name))
}

#[tokio::test]
async fn illegal_receiver_of_a_message_that_another_node_wants_relayed() {
    let pki = Pki::new();
    pki.client("granne", NEIGHBOUR);
    let rig = with_terminator(&pki, "granne").await;
    for transfer_type in [TransferType::Synch, TransferType::Asynch] {
        for to in [NEIGHBOUR, NOBODY] {
            let mut message = question();
            message.label.transfer_type = transfer_type;
            message.label.from = Some(actor(NEIGHBOUR));
            message.label.to = Some(actor(to));
            let answer = rig.post(message.write()).await;
            assert_refused(&answer, Code::IllegalReceiver, &message.label);
        }
    }
    // To one of this node's own actors it may send.
    let mut message = file();
    message.label.from = Some(actor(NEIGHBOUR));
    assert_eq!(rig.post(message.write()).await.status, 202);
}

#[tokio::test]
async fn unknown_receiver_of_a_synchronous_message() {
    let changes: &[fn(&mut Label)] = &[
        |label| label.to = None,
        |label| label.to = Some(actor(NOBODY)),
        |label| label.to = Some(actor("5560000001.ekonomi")),
    ];
    refuses(Code::UnknownReceiver, &question(), changes).await;
}

#[tokio::test]
async fn illegal_sender_that_is_missing_or_malformed() {
    for message in [question(), file()] {
        let mut message = message;
        message.label.originator = None;
        message.label.from = Some(actor(EXEMPELKOPING));
        let from = format!("<from commonName=\"\">urn:X-shs:{EXEMPELKOPING}</from>");
        let written = String::from_utf8(message.write().to_vec()).unwrap();
        let begin = written.find("<from").unwrap();
        let end = written.find("</from>").unwrap() + "</from>".len();
        let element = &written[begin..end];
        let twice = format!("{element}{element}");
        let bodies = ["", "<from commonName=\"K\">kommunen</from>", &twice]
            .map(|wrong| exchanged(&message, element, wrong));
        assert_ne!(from, twice);
        refuses_bodies(Code::IllegalSender, &bodies).await;
    }
}

#[tokio::test]
async fn illegal_sender_when_the_certificate_is_anothers_or_missing() {
    let pki = Pki::new();
    let mut rig = with_terminator(&pki, "provstad").await;
    for message in [question(), file()] {
        let answer = rig.post(message.write()).await;
        assert_refused(&answer, Code::IllegalSender, &message.label);
        // Without `from` nobody is named who could be compared.
        let mut unsigned = message.clone();
        unsigned.label.from = None;
        unsigned.label.originator = Some(InnerParty::new("urn:X-shs:2120009986"));
        let answer = rig.post(unsigned.write()).await;
        assert_refused(&answer, Code::IllegalSender, &unsigned.label);
    }
    let mut own = file_to(Some(EXEMPELKOPING));
    own.label.from = Some(actor("2120009986.skola"));
    assert_eq!(
        rig.post(own.write()).await.status,
        202,
        "an internal id is nobody else"
    );
    rig.as_nobody();
    for message in [question(), file()] {
        let answer = rig.post(message.write()).await;
        assert_refused(&answer, Code::IllegalSender, &message.label);
    }
}

#[tokio::test]
async fn unknown_sender_of_a_synchronous_message() {
    let changes: &[fn(&mut Label)] = &[|label| label.from = Some(actor(NOBODY))];
    refuses(Code::UnknownSender, &question(), changes).await;
}

#[tokio::test]
async fn illegal_originator() {
    let changes: &[fn(&mut Label)] = &[
        |label| label.originator = Some(InnerParty::new("x".repeat(257))),
        |label| label.originator = Some(InnerParty::new("a\tb")),
    ];
    refuses(Code::IllegalOriginator, &question(), changes).await;
    refuses(Code::IllegalOriginator, &file(), changes).await;
}

#[tokio::test]
async fn illegal_end_recipient() {
    let changes: &[fn(&mut Label)] = &[
        |label| label.end_recipient = Some(InnerParty::new("x".repeat(257))),
        |label| label.end_recipient = Some(InnerParty::new("a\tb")),
    ];
    refuses(Code::IllegalEndRecipient, &question(), changes).await;
    refuses(Code::IllegalEndRecipient, &file(), changes).await;
}

#[tokio::test]
async fn missing_agreement_of_a_synchronous_message() {
    let changes: &[fn(&mut Label)] = &[
        |label| label.from = Some(actor(STRANGER)),
        |label| label.agreement = Some(AgreementId::parse("nowhere").unwrap()),
        // It is there, and about something else.
        |label| label.agreement = Some(AgreementId::parse(FILES_AGREED).unwrap()),
    ];
    refuses(Code::MissingAgreement, &question(), changes).await;
}

#[tokio::test]
async fn missing_delivery_address_of_a_synchronous_message_to_a_mailbox() {
    let changes: &[fn(&mut Label)] = &[|label| label.to = Some(actor(PROVSTAD))];
    refuses(Code::MissingDeliveryAddress, &ping(), changes).await;
}

#[tokio::test]
async fn missing_delivery_address_of_a_synchronous_message_to_another_node() {
    let rig = Rig::over(node().neighbour(None)).await;
    let message = ping_to_the_neighbour();
    let answer = rig.post(message.write()).await;
    assert_refused(&answer, Code::MissingDeliveryAddress, &message.label);
}

fn ping_to_the_neighbour() -> Message {
    let mut message = ping();
    message.label.to = Some(actor(NEIGHBOUR));
    message
}

#[tokio::test]
async fn missing_delivery_execution_when_the_next_node_is_away() {
    let rig = Rig::over(node().neighbour(Some(nobody().await))).await;
    let message = ping_to_the_neighbour();
    let answer = rig.post(message.write()).await;
    let management = assert_refused(&answer, Code::MissingDeliveryExecution, &message.label);
    assert_eq!(appinfo(&management, "remoteErrorcode"), None);
}

#[tokio::test]
async fn missing_delivery_execution_repeats_the_code_of_the_next_node() {
    let next = NextNode::that([Says::refusal("MissingAgreement"), Says::status(500)]).await;
    let rig = Rig::over(node().neighbour(Some(next.url()))).await;
    let message = ping_to_the_neighbour();
    let answer = rig.post(message.write()).await;
    let management = assert_refused(&answer, Code::MissingDeliveryExecution, &message.label);
    assert_eq!(
        appinfo(&management, "remoteErrorcode"),
        Some("MissingAgreement")
    );
    // Nobody tries again for a caller that waits.
    let answer = rig.post(message.write()).await;
    let management = assert_refused(&answer, Code::MissingDeliveryExecution, &message.label);
    assert_eq!(appinfo(&management, "remoteErrorcode"), None);
    assert_eq!(next.posts(), 2);
}

#[tokio::test]
async fn illegal_message_structure_of_what_is_no_message() {
    let good = file().write();
    let bodies = [
        Bytes::new(),
        Bytes::from_static(b"hej"),
        good.slice(..good.len() / 2),
        good.slice(..good.len() - 6),
        exchanged(&file(), "</shs.label>", "</shs.lebal>"),
        exchanged(&file(), "tx.id=", "xt.id="),
        exchanged(&file(), "asynch", "snart"),
    ];
    refuses_bodies(Code::IllegalMessageStructure, &bodies).await;
}

#[tokio::test]
async fn illegal_message_structure_of_a_compound_message() {
    for mut message in [question(), file()] {
        let compound = exchanged(
            &message,
            "message-type=\"simple\"",
            "message-type=\"compound\"",
        );
        refuses_bodies(Code::IllegalMessageStructure, &[compound]).await;
        message.label.message_type = MessageType::Compound;
        let rig = rig().await;
        let answer = rig.post(message.write()).await;
        assert_refused(&answer, Code::IllegalMessageStructure, &message.label);
    }
}

#[tokio::test]
async fn illegal_message_structure_of_a_combination_that_makes_no_sense() {
    let synchronous: &[fn(&mut Label)] = &[
        |label| label.sequence_type = SequenceType::Reply,
        |label| label.sequence_type = SequenceType::Adm,
        |label| {
            label.sequence_type = SequenceType::Adm;
            label.product.produkt = Produkt::Error;
        },
        |label| label.product.produkt = Produkt::Confirm,
    ];
    refuses(Code::IllegalMessageStructure, &question(), synchronous).await;
    let asynchronous: &[fn(&mut Label)] = &[
        |label| label.sequence_type = SequenceType::Adm,
        |label| label.product.produkt = Produkt::Error,
        |label| label.product.produkt = Produkt::Confirm,
    ];
    refuses(Code::IllegalMessageStructure, &file(), asynchronous).await;
}

#[tokio::test]
async fn illegal_message_structure_of_a_status_that_is_not_served() {
    let statuses = [
        (Status::Production, Marked::Test),
        (Status::Test, Marked::Production),
    ];
    for (served, other) in statuses {
        let rig = Rig::over(node().with(|settings| settings.node.status = vec![served])).await;
        for mut message in [question(), file()] {
            message.label.status = other;
            let answer = rig.post(message.write()).await;
            assert_refused(&answer, Code::IllegalMessageStructure, &message.label);
        }
        let mut message = file();
        message.label.status = match other {
            Marked::Test => Marked::Production,
            Marked::Production => Marked::Test,
        };
        rig.accepted(&message).await;
    }
}

#[tokio::test]
async fn illegal_datapart_content_of_a_synchronous_question() {
    let rig = rig().await;
    let mut message = question();
    message.parts = vec![text_part("fraga")];
    let answer = rig.post(message.write()).await;
    assert_refused(&answer, Code::IllegalDatapartContent, &message.label);
    nothing_came_of(&rig, 1).await;
}

#[tokio::test]
async fn a_node_without_a_ledger_takes_no_asynchronous_message() {
    let sandbox = crate::sandbox::Sandbox::new();
    let rig = Rig::over(sandbox).await;
    let message = asynch_question();
    let answer = rig.post(message.write()).await;
    assert_refused(&answer, Code::IllegalMessageStructure, &message.label);
    assert_eq!(OWN, message.label.to.unwrap().address.bare());
}

#[tokio::test]
async fn a_body_above_the_limit_is_413_and_another_method_405() {
    let rig = Rig::over(node().with(|settings| settings.listener.body_bytes_max = 4096)).await;
    let mut message = file();
    message.parts[0].data = Bytes::from(vec![b'x'; 8192]).into();
    let answer = rig.post(message.write()).await;
    assert_refused_with(&answer, 413, Code::IllegalMessageStructure, None);
    let url = format!("http://{}/shs/rs", rig.service());
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.headers()["allow"], "POST");
}

#[tokio::test]
async fn illegal_datapart_content_of_an_error_message_that_is_no_small_document() {
    let rig = rig().await;
    let about = file();
    let own = actor(PROVSTAD);
    let code = Code::OtherError;
    let mut error = Message::error_about(&about.label, &own, code, "", Vec::new(), Utc::now());
    error.parts[0].data = Bytes::from(vec![b' '; 65 * 1024]).into();
    let answer = rig.post(error.write()).await;
    assert_refused(&answer, Code::IllegalDatapartContent, &error.label);
    nothing_came_of(&rig, 1).await;
}
