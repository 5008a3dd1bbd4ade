//! A call names no sender: the certificate and the question's ingivare say who asks, and the rules are
//! those of the other door (ssbtek-10, 1.2 and 10 row 21; C-31).

use bytes::Bytes;
use samsvar::client::question::{self, Asker};
use samsvar::client::soap::{Reply, SoapFault, Tested, connection_test, envelope};
use samsvar::client::{Client, answer::PersonAnswer};
use samsvar::settings::{Aktor, Fingerprint, Settings, Terminator};
use samsvar::tls::store::Reloaded;
use shs_schemas::ssbtek::Kontrakt;

use crate::pki::{EXEMPELKOPING, PROVSTAD, Pki};
use crate::sandbox::{DEMO, Sandbox};
use crate::soap::{Door, Fault, question};

/// Known by configuration, and with no agreement.
const UTAN_AVTAL: &str = "2120009978";
/// In no register.
const OKAND: &str = "5560000001";
const V11: Kontrakt = Kontrakt::V11;

fn question_of(number: &str) -> Bytes {
    let asker = Asker {
        from: number.to_owned(),
        kontrakt: V11,
        ..Asker::default()
    };
    envelope(&question::element(&asker, DEMO, chrono::Utc::now()))
}

fn know(settings: &mut Settings, number: &str) {
    let mut aktor: Aktor = settings.aktorer[0].clone();
    number.clone_into(&mut aktor.organisationsnummer);
    settings.aktorer.push(aktor);
}

struct Scene {
    sandbox: Sandbox,
    url: String,
}

impl Scene {
    /// A node behind TLS that knows a body without agreement, too.
    async fn guarded(pki: &Pki, change: impl FnOnce(&mut Settings)) -> Self {
        let guarded = Sandbox::new().with(|settings| {
            pki.guard(settings);
            know(settings, UTAN_AVTAL);
            change(settings);
        });
        let sandbox = guarded.start().await;
        let url = format!("https://localhost:{}/ssbt/11", sandbox.service().port());
        Self { sandbox, url }
    }

    async fn call(&self, client: &Client, envelope: Bytes) -> (u16, Reply) {
        let replied = client.call(&self.url, envelope).await.unwrap();
        (replied.status, replied.reply)
    }

    async fn answers(&self, client: &Client, number: &str) {
        let (status, reply) = self.call(client, question_of(number)).await;
        let Reply::Svar(PersonAnswer::Response(parts)) = reply else {
            panic!("{number} may ask: {reply:?}");
        };
        assert_eq!((status, parts.len()), (200, 7));
    }

    /// Fails unless the call is refused as not allowed, with this word in its text, and nobody is asked.
    async fn refuses(&self, client: &Client, envelope: Bytes, word: &str) {
        let asked = self.sandbox.asked().count();
        let (status, reply) = self.call(client, envelope).await;
        let Reply::Fault(SoapFault {
            faultcode,
            felkod,
            felmeddelanden,
            ..
        }) = reply
        else {
            panic!("it is refused: {reply:?}");
        };
        assert_eq!((status, &*faultcode), (500, "Client"));
        assert_eq!(felkod.as_deref(), Some("SSBT-OBEHORIG"));
        let text = felmeddelanden.into_exposed().concat();
        assert!(text.contains(word), "{text}");
        assert!(!text.contains("etikett"), "a call has no label: {text}");
        assert_eq!(self.sandbox.asked().count(), asked, "nobody is asked");
    }
}

fn is_tested(reply: &Reply) -> bool {
    let Reply::Test(elements) = reply else {
        return false;
    };
    let answered = |tested: &Tested| matches!(tested, Tested::Answered);
    elements.len() == 7 && elements.iter().all(|(_, tested)| answered(tested))
}

#[tokio::test]
async fn nobody_asks_with_the_certificate_of_another_body() {
    let pki = Pki::new();
    let scene = Scene::guarded(&pki, |_| ()).await;
    let provstad = pki.http_client(Some("provstad"));
    scene
        .refuses(&provstad, question_of(EXEMPELKOPING), "ingivare")
        .await;
    scene.answers(&provstad, PROVSTAD).await;
    let (status, reply) = scene.call(&provstad, connection_test(V11)).await;
    assert_eq!(status, 200);
    assert!(is_tested(&reply), "{reply:?}");
}

#[tokio::test]
async fn an_ombud_asks_for_those_that_list_its_certificate_and_for_nobody_else() {
    let pki = Pki::new();
    pki.client("driftbolag", OKAND);
    let der = base64_simd::STANDARD.decode_to_vec(pki.in_base64("driftbolag"));
    let print: Fingerprint = samsvar::tls::actors::fingerprint(&der.unwrap().into());
    let listed = |settings: &mut Settings| {
        for aktor in &mut settings.aktorer {
            if aktor.organisationsnummer != UTAN_AVTAL {
                aktor.certificates = vec![print];
            }
        }
    };
    let scene = Scene::guarded(&pki, listed).await;
    let ombud = pki.http_client(Some("driftbolag"));
    scene.answers(&ombud, EXEMPELKOPING).await;
    scene.answers(&ombud, PROVSTAD).await;
    scene
        .refuses(&ombud, question_of(UTAN_AVTAL), "ingivare")
        .await;
    // In its own name it is nobody, and it may test for those that it stands for.
    scene.refuses(&ombud, question_of(OKAND), "ansluten").await;
    let (_, reply) = scene.call(&ombud, connection_test(V11)).await;
    assert!(is_tested(&reply), "{reply:?}");
}

#[tokio::test]
async fn a_body_that_is_not_connected_or_has_no_agreement_asks_and_tests_nothing() {
    let pki = Pki::new();
    pki.client("okand", OKAND);
    pki.client("utan-avtal", UTAN_AVTAL);
    let scene = Scene::guarded(&pki, |_| ()).await;
    for (name, number, word) in [
        ("okand", OKAND, "ansluten"),
        ("utan-avtal", UTAN_AVTAL, "avtal"),
    ] {
        let client = pki.http_client(Some(name));
        scene.refuses(&client, question_of(number), word).await;
        scene.refuses(&client, connection_test(V11), word).await;
    }
    assert_eq!(scene.sandbox.asked().count(), 0);
}

#[tokio::test]
async fn without_a_certificate_there_is_neither_a_call_nor_a_description() {
    let pki = Pki::new();
    let scene = Scene::guarded(&pki, |_| ()).await;
    let nobody = pki.http_client(None);
    assert!(
        nobody
            .call(&scene.url, question_of(PROVSTAD))
            .await
            .is_err()
    );
    let mut plain = Door::to(&scene.sandbox).await;
    plain.begin(V11, question(V11)).await;
    assert!(plain.0.receive().await.is_none());
    assert_eq!(scene.sandbox.ended(), 0);
    assert_eq!(scene.sandbox.asked().count(), 0);
}

#[tokio::test]
async fn whose_certificate_is_revoked_is_refused_on_its_open_connection_and_gets_no_new_one() {
    let pki = Pki::new();
    let scene = Scene::guarded(&pki, |_| ()).await;
    let port = scene.sandbox.service().port();
    let mut revoked = Door(pki.wire("exempelkoping", port).await);
    assert_eq!(revoked.call(V11, question(V11)).await.status, 200);
    assert_eq!(revoked.get("/ssbt/11?wsdl").await.status, 200);
    let asked = scene.sandbox.asked().count();

    let mut describes = Door(pki.wire("exempelkoping", port).await);
    assert_eq!(describes.get("/ssbt/11?wsdl").await.status, 200);
    pki.ca.revoke("exempelkoping").unwrap();
    let reloaded = scene.sandbox.certificates().reload();
    assert_eq!(reloaded, Reloaded::Exchanged { generation: 1 });

    let refused = revoked.call(V11, question(V11)).await;
    assert_eq!(refused.status, 500);
    assert_eq!(Fault::of(&refused).felkod(), "SSBT-OBEHORIG");
    assert_eq!(refused.header("connection"), Some("close"));
    assert!(revoked.0.is_closed_by_the_node().await);
    assert_eq!(describes.get("/ssbt/11?wsdl").await.status, 403);
    assert_eq!(scene.sandbox.asked().count(), asked);
    let again = pki.http_client(Some("exempelkoping"));
    assert!(
        again
            .call(&scene.url, question_of(EXEMPELKOPING))
            .await
            .is_err()
    );
    scene
        .answers(&pki.http_client(Some("provstad")), PROVSTAD)
        .await;
}

#[tokio::test]
async fn our_own_systems_on_loopback_ask_for_every_body_that_may_ask() {
    let sandbox = Sandbox::new()
        .with(|settings| know(settings, UTAN_AVTAL))
        .start()
        .await;
    let url = format!("http://{}/ssbt/11", sandbox.service());
    let scene = Scene { sandbox, url };
    let client = Client::new().unwrap();
    scene.answers(&client, EXEMPELKOPING).await;
    scene.answers(&client, PROVSTAD).await;
    scene
        .refuses(&client, question_of(UTAN_AVTAL), "avtal")
        .await;
    scene.refuses(&client, question_of(OKAND), "ansluten").await;
    let (_, reply) = scene.call(&client, connection_test(V11)).await;
    assert!(is_tested(&reply), "{reply:?}");
}

#[tokio::test]
async fn behind_a_terminator_the_header_says_who_calls_and_without_it_nobody_does() {
    let pki = Pki::new();
    let terminator = Terminator {
        addresses: vec!["127.0.0.1".parse().unwrap()],
        header: "X-Client-Cert".to_owned(),
        client_ca: Some(pki.file("ca.pem")),
        crls: vec![pki.file("crl.pem")],
        crls_must_be_fresh: true,
    };
    let sandbox = Sandbox::new()
        .with(|settings| settings.listener.terminator = Some(terminator))
        .start()
        .await;
    let mut door = Door::to(&sandbox).await;
    let as_provstad = format!("text/xml\r\nX-Client-Cert: {}", pki.in_base64("provstad"));
    let test = connection_test(V11);
    for (content_type, body) in [
        ("text/xml", question_of(PROVSTAD)),
        ("text/xml", test.clone()),
        (&as_provstad, question_of(EXEMPELKOPING)),
    ] {
        door.send("POST /ssbt/11", content_type, &body).await;
        let refused = door.answer().await;
        assert_eq!(refused.status, 500);
        let fault = Fault::of(&refused);
        assert_eq!(fault.felkod(), "SSBT-OBEHORIG");
        assert!(!fault.texts().contains("etikett"), "{fault:?}");
    }
    assert_eq!(sandbox.asked().count(), 0);
    for body in [question_of(PROVSTAD), test] {
        door.send("POST /ssbt/11", &as_provstad, &body).await;
        assert_eq!(door.answer().await.status, 200);
    }
}

#[tokio::test]
async fn a_browser_on_our_own_machine_neither_asks_nor_reads() {
    let sandbox = Sandbox::new().start().await;
    let mut door = Door::to(&sandbox).await;
    let from_a_page = "text/xml\r\nOrigin: https://nagon.example";
    door.send("POST /ssbt/11", from_a_page, question(V11)).await;
    let refused = door.answer().await;
    assert_eq!(Fault::of(&refused).felkod(), "SSBT-OBEHORIG");
    let mut door = Door::to(&sandbox).await;
    door.send("GET /ssbt/11?wsdl", from_a_page, "").await;
    assert_eq!(door.answer().await.status, 403);
    assert_eq!(sandbox.asked().count(), 0);
}
