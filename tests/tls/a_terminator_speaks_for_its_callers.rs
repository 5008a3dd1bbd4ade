//! A TLS terminator in front of the node hands certificates over in a header; what it says is
//! believed from its address only, and judged here all the same (shs-1.2, 7.6).

use samsvar::settings::{Settings, Terminator};

use crate::echo::{self, Echo};
use crate::pki::Pki;
use crate::sandbox::{DEMO, Sandbox, question_about};
use crate::wire::{Response, Wire};

pub fn at(address: &str) -> Terminator {
    Terminator {
        addresses: vec![address.parse().unwrap()],
        header: "X-Client-Cert".to_owned(),
        client_ca: None,
        crls: Vec::new(),
        crls_must_be_fresh: true,
    }
}

/// A plain listener whose terminator is at `address`.
fn behind(pki: &Pki, address: &str) -> Echo {
    let mut settings = Settings::demo();
    settings.listener.terminator = Some(Terminator {
        client_ca: Some(pki.file("ca.pem")),
        crls: vec![pki.file("crl.pem")],
        ..at(address)
    });
    echo::start(&settings)
}

async fn answer(echo: &Echo, headers: &str) -> Response {
    let mut wire = Wire::to(echo.address).await;
    wire.post(headers, b"").await;
    wire.receive().await.unwrap()
}

async fn said(echo: &Echo, headers: &str) -> String {
    String::from_utf8(answer(echo, headers).await.body).unwrap()
}

fn header(pki: &Pki, name: &str) -> String {
    format!("x-client-cert: {}\r\n", pki.in_base64(name))
}

#[tokio::test]
async fn the_caller_is_whom_the_header_names() {
    let pki = Pki::new();
    let echo = behind(&pki, "127.0.0.1");
    assert_eq!(
        said(&echo, &header(&pki, "provstad")).await,
        "certified 2120009986"
    );
    let pem = std::fs::read_to_string(pki.file("exempelkoping.pem")).unwrap();
    let escaped = pem
        .replace('+', "%2B")
        .replace('\r', "")
        .replace('\n', "%0A")
        .replace(' ', "%20");
    let headers = format!("X-Client-Cert: {escaped}\r\n");
    assert_eq!(said(&echo, &headers).await, "certified 2120009994");
}

#[tokio::test]
async fn two_callers_on_one_connection_are_two_callers() {
    let pki = Pki::new();
    let echo = behind(&pki, "127.0.0.1");
    let mut wire = Wire::to(echo.address).await;
    for (name, number) in [("provstad", "2120009986"), ("exempelkoping", "2120009994")] {
        wire.post(&header(&pki, name), b"").await;
        let body = wire.receive().await.unwrap().body;
        assert_eq!(body, format!("certified {number}").as_bytes());
    }
    wire.post("", b"").await;
    assert_eq!(wire.receive().await.unwrap().body, b"certified ");
}

#[tokio::test]
async fn without_the_header_nobody_calls() {
    let pki = Pki::new();
    let echo = behind(&pki, "127.0.0.1");
    assert_eq!(said(&echo, "").await, "certified ");
    assert_eq!(said(&echo, "X-Client-Cert: \r\n").await, "certified ");
}

#[tokio::test]
async fn from_elsewhere_the_header_is_ignored() {
    let pki = Pki::new();
    let echo = behind(&pki, "192.0.2.1");
    assert_eq!(said(&echo, &header(&pki, "provstad")).await, "internal");
    assert_eq!(said(&echo, "X-Client-Cert: x\r\n").await, "internal");
}

#[tokio::test]
async fn what_the_terminator_let_through_is_judged_again() {
    let (pki, strangers) = (Pki::new(), Pki::new());
    pki.expired("gammal", "2120009994");
    pki.client("sparrad", "2120009994");
    pki.ca.revoke("sparrad").unwrap();
    let echo = behind(&pki, "127.0.0.1");
    for headers in [
        header(&pki, "gammal"),
        header(&pki, "sparrad"),
        header(&strangers, "exempelkoping"),
    ] {
        let response = answer(&echo, &headers).await;
        assert_eq!(response.status, 400);
        assert_eq!(response.body, b"certificate_refused");
        assert_eq!(response.header("connection"), Some("close"));
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_read_is_refused() {
    let pki = Pki::new();
    let echo = behind(&pki, "127.0.0.1");
    let twice = header(&pki, "provstad").repeat(2);
    for headers in ["X-Client-Cert: hemligt\r\n", "X-Client-Cert: %\r\n", &twice] {
        let response = answer(&echo, headers).await;
        assert_eq!(response.status, 400);
        assert_eq!(response.body, b"certificate_header");
    }
}

#[tokio::test]
async fn a_terminator_that_comes_over_tls_needs_a_certificate_of_its_own() {
    let pki = Pki::new();
    let mut settings = Settings::demo();
    pki.guard(&mut settings);
    settings.listener.terminator = Some(at("127.0.0.1"));
    let echo = echo::start(&settings);
    let mut wire = pki.wire("node", echo.port()).await;
    for (headers, expected) in [
        (header(&pki, "provstad"), "certified 2120009986"),
        (String::new(), "certified "),
    ] {
        wire.post(&headers, b"").await;
        assert_eq!(wire.receive().await.unwrap().body, expected.as_bytes());
    }
    pki.ca.revoke("node").unwrap();
    echo.store.as_ref().unwrap().reload();
    wire.post(&header(&pki, "provstad"), b"").await;
    assert_eq!(wire.receive().await.unwrap().body, b"certificate_refused");
}

#[tokio::test]
async fn the_receive_service_refuses_what_a_terminator_should_not_have_let_through() {
    let pki = Pki::new();
    pki.expired("gammal", "2120009994");
    let terminator = Terminator {
        client_ca: Some(pki.file("ca.pem")),
        ..at("127.0.0.1")
    };
    let sandbox = Sandbox::new()
        .with(|settings| settings.listener.terminator = Some(terminator))
        .start()
        .await;
    let unreadable = "X-Client-Cert: x\r\n".to_owned();
    for headers in [
        header(&pki, "gammal"),
        unreadable,
        header(&pki, "provstad"),
        String::new(),
    ] {
        let mut wire = Wire::to(sandbox.service()).await;
        wire.post(&headers, &question_about(&[DEMO])).await;
        let response = wire.receive().await.unwrap();
        assert_eq!(response.status, 400, "{headers}");
        assert_eq!(response.header("x-shs-errorcode"), Some("IllegalSender"));
    }
    let mut wire = Wire::to(sandbox.service()).await;
    let headers = header(&pki, "exempelkoping");
    wire.post(&headers, &question_about(&[DEMO])).await;
    assert_eq!(wire.receive().await.unwrap().status, 200);
    assert_eq!(sandbox.asked().count(), 8);
}

#[tokio::test]
async fn a_body_that_nobody_read_is_no_request_of_somebody_else() {
    let pki = Pki::new();
    let echo = behind(&pki, "127.0.0.1");
    let hidden = format!(
        "POST / HTTP/1.1\r\nHost: node\r\n{}Content-Length: 0\r\n\r\n",
        header(&pki, "exempelkoping")
    );
    let mut wire = Wire::to(echo.address).await;
    // The echo answers without reading.
    wire.post(&header(&pki, "provstad"), hidden.as_bytes())
        .await;
    assert_eq!(wire.receive().await.unwrap().body, b"certified 2120009986");
    wire.post(&header(&pki, "provstad"), b"").await;
    let next = wire.receive().await.map(|response| response.body);
    assert!(next.is_none_or(|body| body == b"certified 2120009986"));
    for framing in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 0\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
    ] {
        let mut wire = Wire::to(echo.address).await;
        wire.send(format!(
            "POST / HTTP/1.1\r\nHost: node\r\n{framing}\r\n0\r\n\r\n{hidden}"
        ))
        .await;
        assert_eq!(wire.receive().await.unwrap().status, 400, "{framing}");
        assert!(wire.is_closed_by_the_node().await, "{framing}");
    }
}
