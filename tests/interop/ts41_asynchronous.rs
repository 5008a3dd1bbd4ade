//! TS41: asynchronous messages between two nodes (shs-1.2, 11).

use std::fmt::Write as _;

use samsvar_actors::transfers::TransferState as State;
use shs_schemas::ErrorCode;
use shs_schemas::ids::AgreementId;
use shs_schemas::mime::{ContentType, TransferEncoding};
use shs_schemas::shs::label::Meta;
use shs_schemas::shs::management::Outcome;
use tokio::net::TcpStream;

use crate::certificates::Certificates;
use crate::letter::{
    data, error_code, event, every_byte, management, part, text, without_receiver,
};
use crate::rig::{A_OWN, At, B_OWN, KOMMUN, KVITTERAD, OAVTALAD, PROVSTAD, Plan, TYST};

#[tokio::test]
async fn ts41_k_001_direct_addressing_send_list_fetch_and_gone_from_the_list() {
    let rig = Plan::usual().start().await;
    let sent = event(KOMMUN, PROVSTAD, TYST);
    rig.post("kommun", At::A, &sent).await;
    let arrived = rig.arrives("provstad", At::B, PROVSTAD, TYST).await;
    assert_eq!(arrived.label.tx_id, sent.label.tx_id);
    assert_eq!(data(&arrived, 0), data(&sent, 0));
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    assert_eq!(outbox.list(&[]).await.unwrap().messages, []);
    outbox.acknowledge(&sent.label.tx_id).await.unwrap();
    let gone = outbox.fetch(&sent.label.tx_id).await.unwrap_err();
    assert!(gone.is_not_there(), "{gone}");
    // Nobody else sees a mailbox, from either node.
    for (certificate, at) in [("kommun", At::B), ("node-a", At::B), ("provstad", At::A)] {
        let address = if at == At::B { PROVSTAD } else { KOMMUN };
        let refused = rig.outbox(certificate, at, address).list(&[]).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("(403)"), "{certificate}: {refused}");
    }
}

#[tokio::test]
async fn ts41_k_002_addressing_by_product() {
    let rig = Plan::usual().start().await;
    let mut sent = without_receiver(event(KOMMUN, PROVSTAD, KVITTERAD));
    sent.parts[0] = part(TransferEncoding::Base64, b"rad;belopp\n".to_vec());
    rig.post("kommun", At::A, &sent).await;
    let arrived = rig.arrives("provstad", At::B, PROVSTAD, KVITTERAD).await;
    assert_eq!(arrived.label.to.as_ref().unwrap().address.bare(), PROVSTAD);
    assert_eq!(
        arrived.label.tx_id, sent.label.tx_id,
        "one receiver: no copy"
    );
    assert_eq!(data(&arrived, 0), data(&sent, 0));
}

#[tokio::test]
async fn ts41_k_003_addressing_by_product_with_a_binary_file() {
    let rig = Plan::usual().start().await;
    let sent = without_receiver(event(KOMMUN, PROVSTAD, TYST));
    rig.post("kommun", At::A, &sent).await;
    let arrived = rig.arrives("provstad", At::B, PROVSTAD, TYST).await;
    assert_eq!(data(&arrived, 0), &every_byte());
    assert_eq!(arrived.parts[0].encoding, TransferEncoding::Binary);
}

#[tokio::test]
async fn ts41_k_005_meta_data_and_subject_with_letters_beyond_ascii() {
    let rig = Plan::usual().start().await;
    let mut sent = event(KOMMUN, PROVSTAD, TYST);
    let words = "Räksmörgås på Ö, ÅÄÖ & <é> – € 人";
    sent.label.subject = Some(text(words));
    for name in ["månad", "månad", "typ"] {
        let (name, value) = (text(name), text(words));
        sent.label.meta.push(Meta { name, value });
    }
    rig.post("kommun", At::A, &sent).await;
    rig.state(At::A, &sent.label.tx_id, State::Sent, false)
        .await;
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    let listed = outbox.list(&[("meta-månad", words)]).await.unwrap();
    assert_eq!(listed.messages[0].subject, sent.label.subject);
    assert_eq!(listed.messages[0].meta, sent.label.meta);
    let none = outbox.list(&[("meta-månad", "annan")]).await.unwrap();
    assert_eq!(none.messages, []);
    let arrived = rig.arrives("provstad", At::B, PROVSTAD, TYST).await;
    assert_eq!(arrived.label.subject, sent.label.subject);
    assert_eq!(arrived.label.meta, sent.label.meta);
}

/// Sends a part of this type so and expects it untouched.
async fn passes_untouched(content_type: &str, bytes: &[u8]) {
    let rig = Plan::usual().start().await;
    for encoding in [TransferEncoding::Binary, TransferEncoding::Base64] {
        let mut sent = event(KOMMUN, PROVSTAD, TYST);
        sent.parts[0] = part(encoding, bytes.to_vec());
        sent.parts[0].content_type = ContentType::parse(content_type).unwrap();
        rig.post("kommun", At::A, &sent).await;
        let arrived = rig.arrives("provstad", At::B, PROVSTAD, TYST).await;
        assert_eq!(data(&arrived, 0), bytes, "{encoding:?}");
        assert_eq!(arrived.parts[0].content_type, sent.parts[0].content_type);
        assert_eq!(arrived.parts[0].encoding, encoding);
        let outbox = rig.outbox("provstad", At::B, PROVSTAD);
        outbox.acknowledge(&sent.label.tx_id).await.unwrap();
    }
}

#[tokio::test]
async fn ts41_k_006_an_encrypted_payload_passes_untouched() {
    let sealed = [b"\x30\x82\x01\x00".as_slice(), &every_byte(), b"\r\n"].concat();
    let content_type = "application/pkcs7-mime; smime-type=enveloped-data; name=\"smime.p7m\"";
    passes_untouched(content_type, &sealed).await;
}

#[tokio::test]
async fn ts41_k_007_a_signed_payload_passes_untouched() {
    // The signature is over these bytes: blanks at line ends and bare line feeds included. The inner
    // boundary begins as many outer ones do.
    let mut signed = String::from("preamble\n--=_inner\r\nContent-Type: text/plain \t\r\n\r\n");
    signed.push_str("Signerad text  \n\r\n--=_inner\r\n");
    write!(
        signed,
        "Content-Type: application/pkcs7-signature\r\n\r\nMII=\r\n"
    )
    .unwrap();
    signed.push_str("--=_inner--\r\n\r\n");
    let content_type = "multipart/signed; protocol=\"application/pkcs7-signature\"; \
                        micalg=sha-256; boundary=\"=_inner\"";
    passes_untouched(content_type, signed.as_bytes()).await;
}

#[tokio::test]
async fn ts41_k_008_an_agreement_with_confirmation_gives_one_with_the_right_corr_id() {
    let rig = Plan::usual().start().await;
    let mut sent = event(KOMMUN, PROVSTAD, KVITTERAD);
    sent.label.corr_id = shs_schemas::ids::CorrId::parse("arende-17").unwrap();
    rig.post("kommun", At::A, &sent).await;
    rig.arrives("provstad", At::B, PROVSTAD, KVITTERAD).await;
    let outbox = rig.outbox("provstad", At::B, PROVSTAD);
    outbox.acknowledge(&sent.label.tx_id).await.unwrap();
    let confirmation = rig.arrives("kommun", At::A, KOMMUN, "confirm").await;
    let about = management(&confirmation);
    assert_eq!(about.outcome, Outcome::Confirmation);
    assert_eq!(about.corr_id.as_str(), "arende-17");
    assert_eq!(about.content_id, sent.label.content.id);
    assert_eq!(confirmation.label.corr_id.as_str(), "arende-17");
    assert_ne!(confirmation.label.tx_id, sent.label.tx_id);
}

#[tokio::test]
async fn ts41_k_009_an_unknown_issuer_is_refused_in_the_handshake() {
    let rig = Plan::usual().start().await;
    let strangers = Certificates::new();
    strangers.system("kommun", KOMMUN);
    // It trusts the node: only the node can end this.
    let mut config = rig.certificates.tls(None);
    let theirs = strangers.tls(Some("kommun"));
    config.client_auth_cert_resolver = theirs.client_auth_cert_resolver;
    for config in [config, rig.certificates.tls(None)] {
        let stream = TcpStream::connect(rig.node(At::A).service()).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        // With TLS 1.3 a client learns of it when it reads.
        let ended = match connector.connect(name, stream).await {
            Err(error) => error,
            Ok(mut stream) => {
                use tokio::io::AsyncReadExt as _;
                stream.read_u8().await.unwrap_err()
            }
        };
        let alert = ended.get_ref().and_then(|inner| inner.downcast_ref());
        let alert: Option<&rustls::Error> = alert;
        assert!(
            matches!(alert, Some(rustls::Error::AlertReceived(_))),
            "{ended}"
        );
    }
}

#[tokio::test]
async fn ts41_k_010_an_agreement_missing_at_the_sender_or_the_receiver_gives_an_error_message() {
    for missing_at in [At::A, At::B] {
        let mut plan = Plan::usual();
        let node = match missing_at {
            At::A => &mut plan.a,
            At::B => &mut plan.b,
        };
        node.avtal.retain(|avtal| avtal.number != 4);
        let rig = plan.start().await;
        let sent = event(KOMMUN, PROVSTAD, TYST);
        rig.post("kommun", At::A, &sent).await;
        let error = rig.arrives("kommun", At::A, KOMMUN, "error").await;
        assert_eq!(error_code(&error), "MissingAgreement");
        let about = management(&error);
        assert_eq!(about.corr_id, sent.label.corr_id);
        assert_eq!(about.content_id, sent.label.content.id);
        let by = crate::letter::appinfo(&about, "detectedBy").unwrap();
        assert_eq!(by, if missing_at == At::A { A_OWN } else { B_OWN });
        assert_eq!(rig.lying(At::B, PROVSTAD), 0);
    }
}

#[tokio::test]
async fn ts41_k_010_a_named_agreement_that_does_not_fit_is_a_missing_one() {
    let rig = Plan::usual().start().await;
    // The first is for another product, the second for nobody.
    for named in [3, 99] {
        let mut sent = event(KOMMUN, PROVSTAD, TYST);
        let uuid = format!("a9ee0000-0000-4000-8000-{named:012}");
        sent.label.agreement = Some(AgreementId::parse(&uuid).unwrap());
        rig.post("kommun", At::A, &sent).await;
        let code = ErrorCode::MissingAgreement;
        rig.state(At::A, &sent.label.tx_id, State::Quarantined { code }, false)
            .await;
    }
    let sent = event(KOMMUN, PROVSTAD, OAVTALAD);
    rig.post("kommun", At::A, &sent).await;
    rig.is_quiet(At::A).await;
    assert_eq!(rig.lying(At::A, KOMMUN), 3);
}
