//! Without a certificate that is accepted now there is no connection (shs-1.2, 7.2 step 1; R-023).

use rustls::{ClientConfig, HandshakeKind};
use samsvar::client::AskError;
use samsvar::client::question::{self, Asker};
use tokio::io::AsyncReadExt;

use crate::pki::{Pki, connect};
use crate::sandbox::{DEMO, Sandbox, gave_data, question_about};
use crate::wire::Wire;

async fn guarded(pki: &Pki) -> Sandbox {
    Sandbox::new()
        .asynch()
        .with(|settings| pki.guard(settings))
        .start()
        .await
}

fn url(sandbox: &Sandbox) -> String {
    format!("https://localhost:{}/shs/rs", sandbox.service().port())
}

/// Whether the node ends the handshake or the connection right after it: in TLS 1.3 a client is done
/// before its certificate has been judged.
async fn is_refused(config: ClientConfig, port: u16) -> bool {
    match connect(config, port).await {
        Err(_) => true,
        Ok(mut stream) => stream.read_u8().await.is_err_and(|error| {
            let alert = error.get_ref().and_then(|inner| inner.downcast_ref());
            matches!(alert, Some(rustls::Error::AlertReceived(_)))
        }),
    }
}

/// How the ledger says that somebody was turned away in the handshake.
fn at_the_handshake(reason: &str) -> String {
    format!(r#""event":"avvisat","door":"tls","reason":"{reason}","node":"#)
}

#[tokio::test]
async fn a_question_over_mutual_tls_is_answered_in_both_versions() {
    let pki = Pki::new();
    let sandbox = guarded(&pki).await;
    let client = pki.http_client(Some("exempelkoping"));
    let answered = client.ask(&url(&sandbox), question_about(&[DEMO])).await;
    let answered = answered.unwrap();
    assert!(shs_schemas::Uppgiftslamnare::all().all(|ul| gave_data(&answered, ul)));

    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let stream = connect(
            pki.config_of(version, "exempelkoping"),
            sandbox.service().port(),
        );
        let stream = stream.await.unwrap();
        let session = stream.get_ref().1;
        assert_eq!(session.protocol_version(), Some(version.version));
        assert_eq!(session.alpn_protocol(), None);
    }
}

#[tokio::test]
async fn nobody_else_gets_through_the_handshake() {
    let (pki, strangers) = (Pki::new(), Pki::new());
    pki.expired("gammal", "2120009994");
    pki.client("sparrad", "2120009994");
    pki.ca.revoke("sparrad").unwrap();
    let sandbox = guarded(&pki).await;
    let port = sandbox.service().port();

    let mut wire = pki.wire("exempelkoping", port).await;
    wire.post("", b"x").await;
    assert_eq!(
        wire.receive().await.map(|response| response.status),
        Some(400)
    );
    for name in [None, Some("gammal"), Some("sparrad")] {
        assert!(is_refused(pki.config(name), port).await, "{name:?}");
    }
    // A stranger that trusts this node, with a certificate from elsewhere.
    let own = (
        strangers.file("exempelkoping.pem"),
        strangers.file("exempelkoping.key"),
    );
    let stranger = samsvar::tls::client::from_files(pki.file("ca.pem"), Some(own), true).unwrap();
    assert!(is_refused(stranger, port).await);
    let asked = pki
        .http_client(None)
        .ask(&url(&sandbox), question_about(&[DEMO]))
        .await;
    assert!(matches!(asked, Err(AskError::Http(_))));
    assert_eq!(sandbox.ended(), 1, "the one that was let in");
    // Who shows no certificate at all is turned away by rustls, which tells nobody.
    let reasons = ["expired", "revoked", "unknown issuer"];
    let is_noted = |reason: &&str| sandbox.ledger().contains(&at_the_handshake(reason));
    crate::sandbox::eventually("they are noted", || reasons.iter().all(is_noted)).await;
    let refused = sandbox.ledger().matches(r#""event":"avvisat""#).count();
    assert_eq!(
        refused,
        3 + 1,
        "and the letter x that the known caller sent"
    );
}

#[tokio::test]
async fn plain_http_is_not_understood() {
    let pki = Pki::new();
    let sandbox = guarded(&pki).await;
    assert!(sandbox.ask(DEMO).await.is_err());
    assert_eq!(sandbox.ended(), 0);
}

#[tokio::test]
async fn no_session_is_resumed() {
    let pki = Pki::new();
    let sandbox = guarded(&pki).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut config = pki.config_of(version, "exempelkoping");
        config.resumption = rustls::client::Resumption::in_memory_sessions(16);
        for _ in 0..2 {
            let stream = connect(config.clone(), sandbox.service().port())
                .await
                .unwrap();
            let kind = stream.get_ref().1.handshake_kind();
            assert!(matches!(
                kind,
                Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest)
            ));
            // What would come after the handshake is read with the answer.
            let mut wire = Wire::over(stream);
            wire.post("", b"x").await;
            assert!(wire.receive().await.is_some());
        }
    }
}

#[tokio::test]
async fn nobody_sends_with_the_certificate_of_another_organisation() {
    let pki = Pki::new();
    let sandbox = guarded(&pki).await;
    let client = pki.http_client(Some("provstad"));
    let refused = client.ask(&url(&sandbox), question_about(&[DEMO])).await;
    let Err(AskError::Refused {
        status: 400, code, ..
    }) = refused
    else {
        panic!("it is refused");
    };
    assert_eq!(code.as_str(), "IllegalSender");
    let noted = concat!(
        r#""reason":"not_the_sender","code":"IllegalSender","class":"caller","#,
        r#""anropare":"kand","certifikat":["urn:X-shs:2120009986"]"#,
    );
    crate::sandbox::eventually("it is noted", || sandbox.ledger().contains(noted)).await;
    let asker = Asker {
        from: "2120009986".to_owned(),
        ..Asker::default()
    };
    let own = question::message(&asker, &[DEMO.to_owned()], chrono::Utc::now());
    assert!(
        client
            .ask(&url(&sandbox), own.unwrap().write())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_list_past_its_next_update_refuses_everybody_unless_that_is_switched_off() {
    let pki = Pki::new();
    pki.client("sparrad", "2120009994");
    pki.publish_a_stale_list("sparrad");
    for must_be_fresh in [true, false] {
        let guard = |settings: &mut samsvar::settings::Settings| {
            pki.guard(settings);
            let tls = settings.listener.tls.as_mut().unwrap();
            tls.crls_must_be_fresh = must_be_fresh;
        };
        let sandbox = Sandbox::new().with(guard).start().await;
        let client = pki.http_client(Some("exempelkoping"));
        let asked = client.ask(&url(&sandbox), question_about(&[DEMO])).await;
        assert_eq!(asked.is_err(), must_be_fresh);
        assert!(is_refused(pki.config(Some("sparrad")), sandbox.service().port()).await);
    }
}

#[tokio::test]
async fn an_issuer_without_a_list_is_believed() {
    let (pki, others) = (Pki::new(), Pki::new());
    let guard = |settings: &mut samsvar::settings::Settings| {
        pki.guard(settings);
        let tls = settings.listener.tls.as_mut().unwrap();
        tls.crls = vec![others.file("crl.pem")];
    };
    let sandbox = Sandbox::new().with(guard).start().await;
    let client = pki.http_client(Some("exempelkoping"));
    let asked = client.ask(&url(&sandbox), question_about(&[DEMO])).await;
    assert!(asked.is_ok());
}
