//! TS43: what is published in the directory is used, without a restart; and TS42-K-003, which needs it
//! (shs-1.2, 7.5 and 8). A product type's description is a document for people: what a node uses of the
//! publication of a product is the address at which an actor takes it.

use std::fmt::Write as _;

use samsvar::client::question::{self, Asker};
use samsvar_actors::transfers::TransferState as State;
use shs_schemas::ErrorCode;
use shs_schemas::shs::label::{SequenceType, TransferType};

use crate::avtal::Avtal;
use crate::letter::{data, error_code, event, management, request};
use crate::other_node::OtherNode;
use crate::rig::{A_OWN, At, B_OWN, KOMMUN, Plan, Rig, SSBTEK, TYST};
use crate::slapd::{Readers, Slapd};

/// An actor that only the directory knows.
pub const FJARR: &str = "0000000077";

/// `[ldap]` of a node that believes nothing for long.
pub fn ldap(slapd: &Slapd) -> String {
    format!(
        "[ldap]\nurl = \"{}\"\nconnect_timeout_ms = 500\nsearch_timeout_ms = 500\n\
         cache_s = 0\nnegative_cache_s = 0\n",
        slapd.url()
    )
}

/// Entries of an actor and its containers.
pub fn actor(number: &str, name: &str) -> String {
    let mut ldif = format!(
        "dn: o={name},l=SHS\nobjectClass: organization\nobjectClass: shsOrgExtension\n\
         o: {name}\norganizationNumber: {number}\n\n"
    );
    for container in ["Addresses", "Agreements", "Product types"] {
        write!(
            ldif,
            "dn: ou={container},o={name},l=SHS\nobjectClass: organizationalUnit\n\
             ou: {container}\n\n"
        )
        .unwrap();
    }
    ldif
}

/// Where the actor takes a product.
pub fn address(number: &str, name: &str, product: &str, url: &str) -> String {
    format!(
        "dn: organizationNumber={number}+serialNumber={product},ou=Addresses,o={name},l=SHS\n\
         objectClass: shsAddresses\norganizationNumber: {number}\nserialNumber: {product}\n\
         shsDeliveryMethods: {url}\n\n"
    )
}

/// A public agreement of the actor.
pub fn public_agreement(number: &str, name: &str, product: &str, transfer: &str) -> String {
    let serial = uuid::Uuid::new_v4();
    format!(
        "dn: serialNumber={serial},ou=Agreements,o={name},l=SHS\nobjectClass: shsAgreement\n\
         serialNumber: {serial}\nprincipal: urn:X-shs:{number}\nshsProductID: {product}\n\
         shsTransferType: {transfer}\nshsDeliveryConfirmation: yes\n\n"
    )
}

/// FJARR's node over TLS, as the directory takes no other, and its entries: actor, address, agreements.
pub async fn publish_fjarr(rig: &Rig, slapd: &Slapd, agreement: Option<&str>) -> OtherNode {
    let other = OtherNode::echo_over_tls(&rig.certificates).await;
    let mut ldif = actor(FJARR, "Fjärrverket") + &address(FJARR, "Fjärrverket", TYST, &other.url);
    if let Some(transfer) = agreement {
        ldif += &public_agreement(FJARR, "Fjärrverket", TYST, transfer);
    }
    slapd.publish(&ldif);
    other
}

fn product_type(number: &str, name: &str, product: &str) -> String {
    format!(
        "dn: productName=Underlag,ou=Product types,o={name},l=SHS\nobjectClass: shsProduct\n\
         productName: Underlag\nserialNumber: {product}\nprincipal: urn:X-shs:{number}\n\n"
    )
}

/// Node A with this directory.
fn plan(slapd: &Slapd) -> Plan {
    let mut plan = Plan::usual();
    plan.a.more = ldap(slapd);
    plan
}

#[tokio::test]
async fn ts43_k_001_a_product_that_an_actor_publishes_can_be_sent_to_it_at_once() {
    let Some(slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let mut plan = plan(&slapd);
    plan.a.avtal.push(Avtal::between(10, FJARR, KOMMUN, TYST));
    let rig = plan.start().await;
    let other = OtherNode::echo_over_tls(&rig.certificates).await;
    let send = async || {
        let sent = event(KOMMUN, FJARR, TYST);
        rig.post("kommun", At::A, &sent).await;
        rig.is_quiet(At::A).await;
        let asynch = rig.node(At::A).node().asynch().unwrap();
        asynch.transfers().state(&sent.label.tx_id).unwrap().0
    };
    let quarantined = |code| State::Quarantined { code };
    assert_eq!(send().await, quarantined(ErrorCode::UnknownReceiver));
    slapd.publish(&actor(FJARR, "Fjärrverket"));
    assert_eq!(send().await, quarantined(ErrorCode::MissingDeliveryAddress));
    let published =
        product_type(FJARR, "Fjärrverket", TYST) + &address(FJARR, "Fjärrverket", TYST, &other.url);
    slapd.publish(&published);
    assert_eq!(send().await, State::Sent);
    let received = crate::letter::read(other.received()[0].clone());
    let to = received.label.to.unwrap();
    assert_eq!(to.address.bare(), FJARR);
}

#[tokio::test]
async fn ts43_k_002_a_published_agreement_permits_at_once() {
    let Some(slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let mut plan = plan(&slapd);
    // No other agreement may tell a receiver of the product.
    plan.a.avtal.retain(|avtal| avtal.products != [TYST]);
    let rig = plan.start().await;
    let other = publish_fjarr(&rig, &slapd, None).await;
    rig.post("kommun", At::A, &event(KOMMUN, FJARR, TYST)).await;
    let error = rig.arrives("kommun", At::A, KOMMUN, "error").await;
    assert_eq!(error_code(&error), "MissingAgreement");
    slapd.publish(&public_agreement(FJARR, "Fjärrverket", TYST, "asynch"));
    let sent = event(KOMMUN, FJARR, TYST);
    rig.post("kommun", At::A, &sent).await;
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    // It is for asynchronous messages.
    let refused = rig
        .send("kommun", At::A, &request(KOMMUN, FJARR, TYST))
        .await;
    assert_eq!(refused.refusal().code, ErrorCode::MissingAgreement);
    // By product: the agreement also tells the receiver.
    let unaddressed = crate::letter::without_receiver(event(KOMMUN, FJARR, TYST));
    rig.post("kommun", At::A, &unaddressed).await;
    rig.state(At::A, &unaddressed.label.tx_id, State::Sent, false)
        .await;
    assert_eq!(other.received().len(), 2);
}

#[tokio::test]
async fn ts42_k_003_a_synchronous_exchange_under_a_public_agreement() {
    let Some(slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let rig = plan(&slapd).start().await;
    publish_fjarr(&rig, &slapd, None).await;
    let sent = request(KOMMUN, FJARR, TYST).write();
    let refused = rig.send_bytes("kommun", At::A, sent.clone()).await;
    assert_eq!(refused.refusal().code, ErrorCode::MissingAgreement);
    slapd.publish(&public_agreement(FJARR, "Fjärrverket", TYST, "any"));
    let answer = rig.send_bytes("kommun", At::A, sent.clone()).await;
    assert_eq!(answer.status, 200, "{:?}", answer.refusal());
    assert_eq!(answer.body.expose(), &sent);
}

#[tokio::test]
async fn ts43_k_002_a_reply_under_a_public_agreement_of_its_sender_is_delivered() {
    let Some(slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let rig = plan(&slapd).start().await;
    let other = publish_fjarr(&rig, &slapd, Some("asynch")).await;
    rig.certificates.system("fjarr", FJARR);
    let mut question = event(KOMMUN, FJARR, TYST);
    question.label.sequence_type = SequenceType::Request;
    rig.post("kommun", At::A, &question).await;
    rig.state(At::A, &question.label.tx_id, State::Sent, false)
        .await;
    let mut reply = event(FJARR, KOMMUN, TYST);
    reply.label.sequence_type = SequenceType::Reply;
    reply.label.corr_id = question.label.corr_id.clone();
    rig.post("fjarr", At::A, &reply).await;
    let arrived = rig.arrives("kommun", At::A, KOMMUN, TYST).await;
    assert_eq!(arrived.label.sequence_type, SequenceType::Reply);
    assert_eq!(arrived.label.corr_id, question.label.corr_id);
    // The agreement asks for confirmations. FJARR has published no address for them: they go where its
    // messages go (7.7).
    let outbox = rig.outbox("kommun", At::A, KOMMUN);
    outbox.acknowledge(&reply.label.tx_id).await.unwrap();
    crate::sandbox::eventually("it is confirmed", || other.received().len() == 2).await;
    let confirmation = crate::letter::read(other.received()[1].clone());
    assert_eq!(management(&confirmation).content_id, reply.label.content.id);
    // An event of its own is not covered: the agreement is for those who turn to its principal.
    let unasked = event(FJARR, KOMMUN, TYST);
    rig.post("fjarr", At::A, &unasked).await;
    rig.is_quiet(At::A).await;
    assert_eq!(rig.lying(At::A, KOMMUN), 0);
}

#[tokio::test]
async fn ts43_k_002_a_question_under_a_public_agreement_is_answered_between_nodes_that_only_the_directory_joins()
 {
    let Some(slapd) = Slapd::start(Readers::Anyone) else {
        return;
    };
    let mut plan = Plan::usual();
    for node in [&mut plan.a, &mut plan.b] {
        node.avtal.clear();
        node.more = ldap(&slapd);
        node.stranger = true;
    }
    let rig = plan.start().await;
    let mut published = actor(A_OWN, "Driftbolaget") + &actor(B_OWN, "Exempelkassan");
    for product in [SSBTEK, "error", "confirm"] {
        published += &address(A_OWN, "Driftbolaget", product, &rig.rs(At::A));
        published += &address(B_OWN, "Exempelkassan", product, &rig.rs(At::B));
    }
    published += &public_agreement(B_OWN, "Exempelkassan", SSBTEK, "any");
    slapd.publish(&published);
    let asker = Asker {
        from: A_OWN.to_owned(),
        ..Asker::default()
    };
    let persons = [crate::sandbox::DEMO.to_owned()];
    let mut question = question::message(&asker, &persons, chrono::Utc::now()).unwrap();
    let answer = rig.send("driftbolaget", At::A, &question).await;
    assert_eq!(answer.status, 200, "{:?}", answer.refusal());
    question.label.transfer_type = TransferType::Asynch;
    rig.post("driftbolaget", At::A, &question).await;
    let reply = rig.arrives("driftbolaget", At::A, A_OWN, SSBTEK).await;
    assert!(!data(&reply, 0).is_empty());
    rig.state(At::A, &question.label.tx_id, State::Sent, true)
        .await;
    let outbox = rig.outbox("driftbolaget", At::A, A_OWN);
    outbox.acknowledge(&reply.label.tx_id).await.unwrap();
    rig.state(At::B, &reply.label.tx_id, State::Sent, true)
        .await;
}
