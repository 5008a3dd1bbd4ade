//! What is said when RabbitMQ answers otherwise than it should, or not at all.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use super::*;

/// An API that answers everything with these bytes, for as long as the test runs.
fn api(answer: Vec<u8>) -> ManagementUrl {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), answer.clone());
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                // One who reads no further closes: that is what is tried.
                let _ = stream.write_all(&answer);
            });
        }
    });
    url(port)
}

fn url(port: u16) -> ManagementUrl {
    ManagementUrl::parse(&format!("http://i:hemligt@127.0.0.1:{port}")).unwrap()
}

fn http(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nlocation: http://127.0.0.1:1/\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn fault(url: &ManagementUrl) -> String {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let expected = Expected {
        vhosts: [("/".to_owned(), vec![Uppgiftslamnare::AF])].into(),
        ttl_longest: Duration::from_secs(25),
        length_max: 1000,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let Err(Unseen(why)) = runtime.block_on(ask_management(url, None, &expected)) else {
        panic!("an answer that is none was believed");
    };
    assert!(!why.contains("hemligt") && !why.contains("hemlig"), "{why}");
    why
}

#[test]
fn an_api_that_is_none_is_said_so_and_not_quoted() {
    for (answer, why) in [
        (
            http("200 OK", b"<html>hemlig</html>"),
            "the answer is not RabbitMQ's (line 1",
        ),
        (
            http("200 OK", b"{\"name\":\"i\""),
            "the answer is not RabbitMQ's (line 1",
        ),
        (http("200 OK", b"[]"), "the answer is not RabbitMQ's"),
        (http("401 Unauthorized", b""), "user or password is wrong"),
        (http("403 Forbidden", b""), "user or password is wrong"),
        (http("404 Not Found", b""), "is not there"),
        (http("500 Oops", b"hemlig"), "HTTP status 500"),
        // Nobody follows it: the password would go along.
        (http("301 Moved", b""), "HTTP status 301"),
        (b"hemlig".to_vec(), "the connection broke"),
        (Vec::new(), "the connection broke"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec(),
            "the connection broke",
        ),
    ] {
        let said = fault(&api(answer));
        assert!(said.contains(why), "{said} is not {why}");
    }
}

#[test]
fn an_answer_without_end_is_read_to_its_bound() {
    let mut endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n[".to_vec();
    endless.resize(9 * 1024 * 1024, b' ');
    let said = fault(&api(endless));
    assert!(said.contains("larger than 8388608 bytes"), "{said}");
}

#[test]
fn where_nobody_listens_the_api_is_not_reached() {
    assert_eq!(fault(&url(1)), "cannot be reached");
}

fn settings() -> Settings {
    let mut settings = Settings::demo();
    settings.transport.kind = TransportKind::Amqp;
    let nowhere = "amqp://samsvar:hemligt@127.0.0.1:1/%2f".to_owned();
    settings.amqp.url = Some(AmqpUrl::try_from(nowhere).unwrap());
    settings
}

#[test]
fn the_simulated_transport_has_no_rabbitmq() {
    assert!(look(&Settings::demo()).is_none());
}

#[test]
fn a_rabbitmq_that_is_away_is_said_once_for_each_address() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut settings = settings();
    settings.amqp.management_url = Some(url(1));
    let own = "amqp://samsvar:hemligt@127.0.0.1:2/csn".to_owned();
    settings.parties[1].amqp_url = Some(AmqpUrl::try_from(own).unwrap());
    let looked = look(&settings).unwrap();
    assert_eq!(
        looked.how,
        ["127.0.0.1:2 not reached", "127.0.0.1:1 not reached"]
    );
    let [management, own, common] = looked.warnings.as_slice() else {
        panic!("{:?}", looked.warnings)
    };
    assert_eq!(
        management,
        "management API at 127.0.0.1:1: cannot be reached"
    );
    assert!(
        own.starts_with("127.0.0.1:2, csn: not seen: anything of it ("),
        "{own}"
    );
    assert!(
        common.starts_with("127.0.0.1:1, /: not seen: anything of it ("),
        "{common}"
    );
    assert!(!format!("{looked:?}").contains("hemligt"));
}

#[test]
fn what_amqp_alone_told_is_said_with_what_it_cannot_tell() {
    let settings = settings();
    let mut places = places(&settings);
    assert_eq!(places[0].parties.len(), 8);
    let examined = Examined {
        exchange: Found::Alike,
        queues: vec![
            ("a".into(), Found::Otherwise),
            ("b".into(), Found::Missing),
            ("c".into(), Found::Untold),
        ],
    };
    let mut looked = Looked::default();
    looked.examined(&places[0], Ok(examined.clone()));
    assert_eq!(looked.warnings.len(), 4, "{:?}", looked.warnings);
    assert!(looked.warnings[0].starts_with("127.0.0.1:1, /: a has another type"));
    assert!(looked.warnings[3].contains("not seen by AMQP alone: data directory"));
    // On another machine it is not for development.
    let far = AmqpUrl::try_from("amqps://u:p@mq.example/x".to_owned()).unwrap();
    places[0].url = &far;
    let mut looked = Looked::default();
    looked.examined(&places[0], Ok(examined));
    let shared = "AF CSN FK MIV PM SKV SO TNS share virtual host /";
    assert!(
        looked.warnings[0].starts_with(shared),
        "{:?}",
        looked.warnings
    );
}
