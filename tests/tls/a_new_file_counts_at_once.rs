//! Certificates and revocation lists are exchanged under open connections: who is revoked is out, and
//! nobody else notices (shs-1.2, 7.6).

use samsvar::settings::Settings;
use samsvar::tls::store::Reloaded;

use crate::pki::{EXEMPELKOPING, PROVSTAD, Pki, connect};
use crate::sandbox::{DEMO, Sandbox, question_about};
use crate::wire::Wire;

async fn guarded(pki: &Pki) -> Sandbox {
    Sandbox::new()
        .with(|settings| pki.guard(settings))
        .start()
        .await
}

/// Posts nonsense: an answer of any kind shows that the caller was let in.
async fn status(wire: &mut Wire) -> Option<u16> {
    wire.post("Content-Type: message/rfc822\r\n", &question_about(&[DEMO]))
        .await;
    wire.receive().await.map(|response| response.status)
}

#[tokio::test]
async fn a_revoked_caller_is_out_on_its_open_connection_and_others_stay() {
    let pki = Pki::new();
    pki.client("fornyad", "2120009994");
    let sandbox = guarded(&pki).await;
    let port = sandbox.service().port();
    let mut revoked = pki.wire("exempelkoping", port).await;
    let mut other = pki.wire("fornyad", port).await;
    assert_eq!(status(&mut revoked).await, Some(200));
    assert_eq!(status(&mut other).await, Some(200));

    pki.ca.revoke("exempelkoping").unwrap();
    assert_eq!(status(&mut revoked).await, Some(200), "not read yet");
    assert_eq!(
        sandbox.certificates().reload(),
        Reloaded::Exchanged { generation: 1 }
    );

    revoked.post("", &question_about(&[DEMO])).await;
    let refused = revoked.receive().await.unwrap();
    assert_eq!(refused.status, 400);
    assert_eq!(refused.header("x-shs-errorcode"), Some("IllegalSender"));
    assert_eq!(refused.header("connection"), Some("close"));
    assert!(revoked.is_closed_by_the_node().await);
    assert_eq!(status(&mut other).await, Some(200));
    let mut again = pki.wire("exempelkoping", port).await;
    assert_eq!(status(&mut again).await, None);
}

#[tokio::test]
async fn a_new_server_certificate_is_shown_to_new_connections_and_ends_no_old_one() {
    let pki = Pki::new();
    let sandbox = guarded(&pki).await;
    let port = sandbox.service().port();
    let shown = async || {
        let stream = connect(pki.config(Some("exempelkoping")), port)
            .await
            .unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let mut open = pki.wire("exempelkoping", port).await;
    assert_eq!(status(&mut open).await, Some(200));
    let before = shown().await;
    pki.node("node", &["localhost"]);
    sandbox.certificates().reload();
    assert_ne!(shown().await, before);
    assert_eq!(status(&mut open).await, Some(200));
}

#[tokio::test]
async fn files_that_cannot_be_used_change_nothing() {
    let pki = Pki::new();
    let sandbox = guarded(&pki).await;
    let port = sandbox.service().port();
    let store = sandbox.certificates();
    assert_eq!(store.reload(), Reloaded::Unchanged);

    let key = std::fs::read(pki.file("node.key")).unwrap();
    std::fs::copy(pki.file("provstad.key"), pki.file("node.key")).unwrap();
    std::fs::write(pki.file("crl.pem"), "hemligt").unwrap();
    let Reloaded::Kept(faults) = store.reload() else {
        panic!("the last good ones stay");
    };
    let said: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.setting, fault.reason))
        .collect();
    assert_eq!(
        said,
        [
            "listener.tls.key does not belong to the certificate",
            "listener.tls.crls holds something that is not a revocation list",
        ]
    );
    assert_eq!(store.reload(), Reloaded::Unchanged, "said once");
    let mut wire = pki.wire("exempelkoping", port).await;
    assert_eq!(status(&mut wire).await, Some(200));

    std::fs::write(pki.file("node.key"), key).unwrap();
    std::fs::remove_file(pki.file("crl.pem")).unwrap();
    assert!(matches!(store.reload(), Reloaded::Kept(_)));
    assert_eq!(status(&mut wire).await, Some(200));
}

#[tokio::test]
async fn an_issuer_that_is_no_longer_trusted_takes_its_callers_along() {
    let (pki, others) = (Pki::new(), Pki::new());
    let sandbox = guarded(&pki).await;
    let mut wire = pki.wire("exempelkoping", sandbox.service().port()).await;
    assert_eq!(status(&mut wire).await, Some(200));
    std::fs::copy(others.file("ca.pem"), pki.file("ca.pem")).unwrap();
    sandbox.certificates().reload();
    assert_eq!(status(&mut wire).await, Some(400));
}

#[tokio::test]
async fn a_revoked_caller_reads_no_more_from_its_mailbox() {
    let pki = Pki::new();
    let with_mailboxes = |settings: &mut Settings| {
        pki.guard(settings);
        settings.ledger.folder = Some(pki.file("ledger"));
    };
    let sandbox = Sandbox::new().with(with_mailboxes).start().await;
    let mut wire = pki.wire("exempelkoping", sandbox.service().port()).await;
    let list = |number: &str| format!("GET /shs/ds/{number} HTTP/1.1\r\nHost: node\r\n\r\n");
    wire.send(list(EXEMPELKOPING)).await;
    assert_eq!(wire.receive().await.unwrap().status, 200);
    wire.send(list(PROVSTAD)).await;
    assert_eq!(wire.receive().await.unwrap().status, 403, "not its own");
    pki.ca.revoke("exempelkoping").unwrap();
    sandbox.certificates().reload();
    wire.send(list(EXEMPELKOPING)).await;
    let refused = wire.receive().await.unwrap();
    assert!((400..500).contains(&refused.status));
    assert_eq!(refused.header("connection"), Some("close"));
}
