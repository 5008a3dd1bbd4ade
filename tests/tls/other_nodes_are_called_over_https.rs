//! The calling side: the other node's certificate is checked, ours is shown, and what comes back is
//! bounded (shs-1.2, 5.1 and 5.6).

use std::sync::Arc;
use std::time::Duration;

use samsvar::client::Answered;
use samsvar::next_node::HttpsNextNode;
use samsvar::settings::{self, Settings};
use samsvar::tls::Store;
use samsvar::tls::material::Sources;
use samsvar_actors::next_node::{NextNode, PostError, Posted};
use shs_schemas::error_code::ErrorCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::pki::Pki;
use crate::sandbox::{DEMO, Sandbox, question_about};

fn calling(pki: &Pki, name: &str) -> settings::NextNode {
    settings::NextNode {
        ca: Some(pki.file("ca.pem")),
        certificate: Some(pki.file(&format!("{name}.pem"))),
        key: Some(pki.file(&format!("{name}.key"))),
        ..settings::NextNode::default()
    }
}

fn store(next_node: &settings::NextNode) -> Arc<Store> {
    let settings = Settings {
        next_node: next_node.clone(),
        ..Settings::demo()
    };
    Store::open(Sources::of(&settings)).unwrap()
}

fn caller(next_node: settings::NextNode) -> HttpsNextNode {
    let store = store(&next_node);
    HttpsNextNode::new(next_node, Some(store))
}

async fn post(node: &HttpsNextNode, url: &str) -> Result<Posted, PostError> {
    node.post(url, question_about(&[DEMO]).into()).await
}

async fn guarded(pki: &Pki) -> Sandbox {
    Sandbox::new()
        .with(|settings| pki.guard(settings))
        .start()
        .await
}

fn url(sandbox: &Sandbox, host: &str) -> String {
    format!("https://{host}:{}/shs/rs", sandbox.service().port())
}

#[tokio::test]
async fn a_message_is_posted_with_our_certificate_and_the_reply_comes_back() {
    let pki = Pki::new();
    let sandbox = guarded(&pki).await;
    let node = caller(calling(&pki, "exempelkoping"));
    let posted = post(&node, &url(&sandbox, "localhost")).await.unwrap();
    assert!(Answered::read(posted.body.into_exposed()).is_ok());
}

#[tokio::test]
async fn a_refusal_is_told_with_status_and_code() {
    let pki = Pki::new();
    let sandbox = guarded(&pki).await;
    let node = caller(calling(&pki, "exempelkoping"));
    let address = url(&sandbox, "localhost");
    let nonsense = bytes::Bytes::from_static(b"nonsense");
    let refused = node.post(&address, nonsense.into()).await.unwrap_err();
    let code = Some(ErrorCode::IllegalMessageStructure);
    assert_eq!(refused, PostError::Refused { status: 400, code });
    assert!(!refused.is_worth_another_try());
}

#[tokio::test]
async fn the_host_name_is_checked_unless_that_is_switched_off_and_the_issuer_always() {
    let (pki, strangers) = (Pki::new(), Pki::new());
    pki.node("node", &["another.example"]);
    let sandbox = guarded(&pki).await;
    let address = url(&sandbox, "localhost");
    let refused = PostError::Unreachable("its certificate is not accepted");

    let checking = caller(calling(&pki, "exempelkoping"));
    assert_eq!(post(&checking, &address).await.unwrap_err(), refused);
    let any_name = settings::NextNode {
        check_host_name: false,
        ..calling(&pki, "exempelkoping")
    };
    assert!(post(&caller(any_name.clone()), &address).await.is_ok());
    let of_strangers = settings::NextNode {
        ca: Some(strangers.file("ca.pem")),
        ..any_name
    };
    assert_eq!(
        post(&caller(of_strangers), &address).await.unwrap_err(),
        refused
    );
}

#[tokio::test]
async fn new_files_count_at_the_next_message() {
    let (pki, strangers) = (Pki::new(), Pki::new());
    let sandbox = guarded(&pki).await;
    let address = url(&sandbox, "localhost");
    let next_node = calling(&pki, "exempelkoping");
    let store = store(&next_node);
    let node = HttpsNextNode::new(next_node, Some(Arc::clone(&store)));
    assert!(post(&node, &address).await.is_ok());
    std::fs::copy(strangers.file("ca.pem"), pki.file("ca.pem")).unwrap();
    store.reload();
    assert!(post(&node, &address).await.is_err());
}

#[tokio::test]
async fn an_address_that_cannot_be_used_is_not_tried() {
    let pki = Pki::new();
    let node = caller(calling(&pki, "exempelkoping"));
    for bad in [
        "http://shs.example/shs/rs",
        "ftp://localhost/",
        "",
        "localhost",
    ] {
        assert_eq!(
            post(&node, bad).await.unwrap_err(),
            PostError::Address,
            "{bad}"
        );
    }
    let without_issuers = HttpsNextNode::new(settings::NextNode::default(), None);
    let refused = post(&without_issuers, "https://localhost:1/").await;
    assert_eq!(refused.unwrap_err(), PostError::Address);
}

/// Answers one request so, over plain HTTP on loopback.
async fn answering(response: impl AsRef<[u8]> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 64 * 1024];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(response.as_ref()).await;
        // Held until the caller hangs up.
        while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
    });
    format!("http://{address}/shs/rs")
}

#[tokio::test]
async fn an_answer_is_bounded_announced_or_not() {
    let small = settings::NextNode {
        answer_bytes_max: 1024,
        ..settings::NextNode::default()
    };
    let node = HttpsNextNode::new(small, None);
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 1025\r\n\r\n".to_owned();
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    let unannounced = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        chunk.repeat(2)
    );
    for response in [announced, unannounced] {
        let address = answering(response).await;
        assert_eq!(
            post(&node, &address).await.unwrap_err(),
            PostError::TooLarge
        );
    }
    let fitting = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n{}",
        "x".repeat(1024)
    );
    let address = answering(fitting).await;
    assert_eq!(
        post(&node, &address).await.unwrap().body.expose().len(),
        1024
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let node = HttpsNextNode::new(settings::NextNode::default(), None);
    let elsewhere = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let address = answering(format!(
        "HTTP/1.1 307 Elsewhere\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"
    ));
    let refused = post(&node, &address.await).await.unwrap_err();
    let expected = PostError::Refused {
        status: 307,
        code: None,
    };
    assert_eq!(refused, expected);
}

#[tokio::test]
async fn silence_and_a_closed_door_are_worth_another_try() {
    let hasty = settings::NextNode {
        answer_timeout_s: 1,
        ..settings::NextNode::default()
    };
    let node = HttpsNextNode::new(hasty, None);
    let silent = answering("HTTP/1.1 200").await;
    let started = tokio::time::Instant::now();
    let refused = post(&node, &silent).await.unwrap_err();
    assert_eq!(refused, PostError::Unreachable("no answer in time"));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(refused.is_worth_another_try());
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    let refused = post(&node, &address).await.unwrap_err();
    assert_eq!(refused, PostError::Unreachable("no connection"));
}

#[tokio::test]
async fn a_node_that_does_not_take_our_certificate_is_named_as_the_one_who_refuses() {
    let pki = Pki::new();
    pki.expired("gammal", "2120009994");
    let sandbox = guarded(&pki).await;
    let node = caller(calling(&pki, "gammal"));
    let refused = post(&node, &url(&sandbox, "localhost")).await.unwrap_err();
    let PostError::Unreachable(why) = refused else {
        panic!("{refused}");
    };
    assert!(why.starts_with("it refuses the TLS connection"), "{why}");
}
