//! The delivery service as its clients see it: the table of shs-1.2, 5.7.6, the worked example of 9.7,
//! and connections that break.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::http::header::{ALLOW, CONTENT_LENGTH};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpServer};
use bytes::Bytes;
use chrono::Utc;
use samsvar_actors::avvisat::Avvisade;
use samsvar_actors::outbox::{OutboxSettings, Stored};
use shs_schemas::Sensitive;
use shs_schemas::ids::{ContentId, CorrId};
use shs_schemas::mime;
use shs_schemas::mime::ContentType;
use shs_schemas::shs::label::{
    Actor, Content, InnerParty, MessageType, Meta, Product, SequenceType, Status, TransferType,
};
use shs_schemas::shs::message_list::MessageList;
use shs_schemas::shs::{DataPart, Message, Organisationsnummer, time};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const OWNER: &str = "0000000002";
pub(crate) const OUTBOX: &str = "urn:X-shs:0000000002.ekonomi";
pub(crate) const TX: &str = "c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01";
pub(crate) const OTHER_TX: &str = "c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c09";
const PRODUCT: &str = "5a1e0000-1111-4222-8333-444455557777";

/// More than all buffers between the two ends of a loopback connection can hold.
const LARGE: usize = 48 * 1024 * 1024;

/// Longest wait for something that happens at once on an idle machine.
const SOON: Duration = Duration::from_secs(20);

fn number(text: &str) -> Organisationsnummer {
    Organisationsnummer::parse(text).unwrap()
}

fn tx(text: &str) -> TxId {
    TxId::parse(text).unwrap()
}

/// The message of shs-1.2, 9.4, with parts of this size.
pub(crate) fn message(tx_id: &str, bytes: usize) -> Message {
    let actor = |text, name: &str| Actor::new(Adress::parse(text).unwrap(), Some(name.to_owned()));
    let label = Label {
        tx_id: tx(tx_id),
        corr_id: CorrId::parse("c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01").unwrap(),
        agreement: None,
        transfer_type: TransferType::Asynch,
        message_type: MessageType::Simple,
        sequence_type: SequenceType::Event,
        status: Status::Production,
        originator: Some(InnerParty::new("urn:X-shs:0000000001.lon")),
        from: Some(actor("0000000001", "Fiktivkontoret")),
        to: Some(actor(OUTBOX, "Provmyndigheten")),
        end_recipient: Some(InnerParty::new("inkorg")),
        product: Product::from(Produkt::parse(PRODUCT).unwrap()),
        meta: vec![Meta {
            name: Sensitive::new("typ".into()),
            value: Sensitive::new("månad".into()),
        }],
        subject: Some(Sensitive::new("Underlag februari".into())),
        datetime: time::read("2031-03-04T10:00:00").unwrap(),
        content: Content {
            id: ContentId::parse("c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c02").unwrap(),
            data: Vec::new(),
            compound: false,
            comment: None,
        },
        history: Vec::new(),
    };
    let data = Bytes::from(vec![b'x'; bytes]);
    let part = DataPart {
        encoding: mime::TransferEncoding::Binary,
        ..DataPart::new("underlag", "underlag.csv", ContentType::TEXT, data)
    };
    Message {
        label,
        parts: vec![part],
    }
}

/// A desk, its outboxes, and what it was told to confirm.
pub(crate) struct Rig {
    desk: Arc<DeliveryDesk>,
    pub(crate) acknowledged: Arc<Mutex<Vec<(TxId, bool)>>>,
}

/// A response, read.
struct Answer {
    status: u16,
    content_type: String,
    allow: Option<String>,
    body: Bytes,
}

impl Answer {
    fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    /// The `tx.id`s of a list, by their last letter.
    fn listed(&self) -> String {
        assert_eq!(
            (self.status, self.content_type.as_str()),
            (200, MESSAGE_LIST)
        );
        let read = MessageList::read(&self.body, Some("ISO-8859-1")).unwrap();
        let ending = |id: &TxId| id.as_str().chars().last().unwrap();
        read.messages
            .iter()
            .map(|listed| ending(&listed.tx_id))
            .collect()
    }
}

impl Rig {
    pub(crate) fn new(strict_fetch: bool) -> Self {
        let settings = OutboxSettings {
            strict_fetch,
            ..OutboxSettings::default()
        };
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&acknowledged);
        let hook: OnAcknowledged = Arc::new(move |acknowledgement: Acknowledgement| {
            let tx_id = acknowledgement.label.tx_id.clone();
            told.lock().unwrap().push((tx_id, acknowledgement.confirm));
        });
        let outboxes = Outboxes::new(settings, [number(OWNER), number("0000000003")]);
        Self {
            desk: DeliveryDesk::new(outboxes, hook, Avvisade::nowhere()),
            acknowledged,
        }
    }

    /// Lays a message into the outbox; gives the bytes that are to be fetched.
    pub(crate) fn put(&self, message: &Message) -> Bytes {
        let bytes = message.write();
        let to = &message.label.to.as_ref().unwrap().address;
        let read = Message::read(bytes.clone(), None, &limits()).unwrap();
        self.desk.outboxes.reserve(to).unwrap().put(Stored {
            label: read.label,
            message: Sensitive::new(bytes.clone()),
            arrived: Utc::now(),
            confirm: true,
            origin: Origin::message(uuid::Uuid::from_u128(7)),
        });
        bytes
    }

    fn with(message: &Message) -> Self {
        let rig = Self::new(false);
        rig.put(message);
        rig
    }

    pub(crate) fn outboxes(&self) -> &Outboxes {
        &self.desk.outboxes
    }

    async fn ask_as(&self, caller: &Caller, method: Method, below: &str) -> Answer {
        let request = TestRequest::with_uri(&format!("{PATH}{below}")).method(method);
        let response = self.desk.answer(&request.to_http_request(), caller);
        let header = |name| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        Answer {
            status: response.status().as_u16(),
            content_type: header(CONTENT_TYPE).unwrap(),
            allow: header(ALLOW),
            body: to_bytes(response.into_body()).await.ok().unwrap(),
        }
    }

    async fn ask(&self, method: Method, below: &str) -> Answer {
        self.ask_as(&Caller::Internal, method, below).await
    }

    async fn get(&self, below: &str) -> Answer {
        self.ask(Method::GET, below).await
    }

    async fn list(&self, query: &str) -> String {
        self.get(&format!("/{OUTBOX}?{query}")).await.listed()
    }

    async fn acknowledge(&self, tx_id: &str) -> Answer {
        self.ask(Method::POST, &format!("/{OUTBOX}/{tx_id}?action=ack"))
            .await
    }

    /// A real listener before the desk, for our own systems.
    pub(crate) fn listen(&self) -> SocketAddr {
        let desk = Arc::clone(&self.desk);
        let app = move || {
            let answer = async |request: HttpRequest, desk: Data<DeliveryDesk>| {
                desk.answer(&request, &Caller::Internal)
            };
            App::new()
                .app_data(Data::from(Arc::clone(&desk)))
                .default_service(web::to(answer))
        };
        let server = HttpServer::new(app).workers(2).disable_signals();
        let server = server.bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        actix_rt::spawn(server.run());
        address
    }
}

fn limits() -> mime::Limits {
    mime::Limits {
        body_bytes_max: 2 * LARGE,
        ..mime::Limits::default()
    }
}

#[actix_web::test]
async fn a_message_is_listed_fetched_and_acknowledged_as_in_the_worked_example() {
    let rig = Rig::new(false);
    let bytes = rig.put(&message(TX, 26));
    let query = format!("filter=noack&producttype=urn:X-shs:{PRODUCT}");
    let listed = rig.get(&format!("/{OUTBOX}?{query}")).await;
    assert_eq!(listed.listed(), "1");
    let size = format!("size=\"{}\"", bytes.len());
    for expected in [
        "<!DOCTYPE shs.message-list SYSTEM \"shs-message-list-1.2.01.dtd\">",
        &size,
        "timestamp=\"2031-03-04T10:00:00\"",
        "to=\"urn:X-shs:0000000002.ekonomi\"",
        "<meta name=\"typ\">m&#229;nad</meta>",
        "<data datapartType=\"underlag\" filename=\"underlag.csv\" no-of-bytes=\"26\"/>",
    ] {
        assert!(listed.text().contains(expected), "{}", listed.text());
    }
    let fetched = rig.get(&format!("/{OUTBOX}/{TX}")).await;
    assert_eq!(
        (fetched.status, fetched.content_type.as_str()),
        (200, "message/rfc822")
    );
    assert_eq!(fetched.body, bytes);
    let acknowledged = rig.acknowledge(TX).await;
    assert_eq!((acknowledged.status, acknowledged.text()), (200, "OK"));
    assert_eq!(acknowledged.content_type, "text/plain");
    assert_eq!(rig.desk.outboxes.counts().bytes, 0);
    assert_eq!(*rig.acknowledged.lock().unwrap(), [(tx(TX), true)]);
}

#[actix_web::test]
async fn the_service_answers_below_its_path_and_nowhere_else() {
    let rig = Rig::new(false);
    let app = App::new().configure(|config| routes(config, Arc::clone(&rig.desk)));
    let app = init_service(app).await;
    for (path, status) in [
        ("/shs/ds", 400),
        ("/shs/ds/", 400),
        ("/shs/ds/a/b/c", 400),
        ("/shs/dsx", 404),
        ("/shs/rs", 404),
    ] {
        let response = call_service(&app, TestRequest::with_uri(path).to_request()).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
    }
}

#[actix_web::test]
async fn an_outbox_is_found_by_its_whole_address_in_every_spelling() {
    let rig = Rig::with(&message(TX, 1));
    for outbox in [
        "0000000002.ekonomi",
        "urn:x-SHS:0000000002.ekonomi",
        "urn%3AX-shs%3A0000000002.ekonomi",
    ] {
        assert_eq!(
            rig.get(&format!("/{outbox}")).await.listed(),
            "1",
            "{outbox}"
        );
        assert_eq!(
            rig.get(&format!("/{outbox}/")).await.listed(),
            "1",
            "{outbox}"
        );
    }
    for outbox in [
        "0000000002",
        "0000000002.Ekonomi",
        "0000000003.ekonomi",
        "5560000001",
    ] {
        assert_eq!(
            rig.get(&format!("/{outbox}")).await.listed(),
            "",
            "{outbox}"
        );
        let message = rig.get(&format!("/{outbox}/{TX}")).await;
        assert_eq!(message.status, 404, "{outbox}");
    }
}

#[actix_web::test]
async fn a_product_in_the_path_narrows_the_list() {
    let rig = Rig::with(&message(TX, 1));
    for (below, listed) in [
        (format!("urn:X-shs:{PRODUCT}"), "1"),
        (
            format!(
                "urn%3AX-shs%3A{}?producttype=confirm,{PRODUCT}",
                PRODUCT.to_uppercase()
            ),
            "1",
        ),
        ("confirm".to_owned(), ""),
        (format!("urn:X-shs:{PRODUCT}?producttype=confirm"), ""),
    ] {
        assert_eq!(
            rig.get(&format!("/{OUTBOX}/{below}")).await.listed(),
            listed,
            "{below}"
        );
    }
}

#[actix_web::test]
async fn every_parameter_of_a_list_is_honoured() {
    let rig = Rig::with(&message(TX, 1));
    let mut second = message("c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c02", 1);
    second.label.sequence_type = SequenceType::Reply;
    second.label.corr_id = CorrId::parse("a-2").unwrap();
    second.label.content.id = ContentId::parse("content-2").unwrap();
    second.label.originator = None;
    second.label.from = Some(Actor::new(Adress::parse("0000000009").unwrap(), None));
    second.label.end_recipient = None;
    second.label.product =
        Product::from(Produkt::parse("00000000-0000-4000-8000-000000000000").unwrap());
    second.label.meta[0].value = Sensitive::new("dag".into());
    rig.put(&second);
    let mut test = message("c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c03", 1);
    test.label.status = Status::Test;
    rig.put(&test);
    for (query, listed) in [
        ("", "12"),
        ("filter=noack", "12"),
        ("status=PRODUCTION", "12"),
        ("status=Test", "3"),
        ("producttype=00000000-0000-4000-8000-000000000000", "2"),
        ("maxhits=1", "1"),
        ("maxhits=0", "12"),
        ("since=2026-01-01T00:00:00", "12"),
        ("since=9000-01-01T00:00:00", ""),
        ("corrid=a-2", "2"),
        ("contentid=content-2", "2"),
        ("originator=0000000001.lon", "1"),
        ("originator=urn:X-shs:0000000009", "2"),
        ("endrecipient=inkorg", "1"),
        ("sequencetype=REPLY", "2"),
        ("meta-typ=m%C3%A5nad", "1"),
        ("meta-typ=dag&sequencetype=event", ""),
        ("sortattribute=originator", "21"),
        ("sortattribute=from&sortorder=desc", "21"),
        ("sortattribute=endrecipient", "21"),
        ("sortattribute=producttype", "21"),
        ("sortattribute=subject&arrivalorder=descending", "21"),
        ("sortattribute=contentid&sortorder=DESCENDING", "21"),
        ("sortattribute=corrid", "21"),
        ("sortattribute=-corrid", "21"),
        ("sortattribute=sequencetype&sortorder=descending", "21"),
        ("sortattribute=transfertype", "12"),
        ("sortattribute=meta-typ", "21"),
        ("arrivalorder=descending&maxhits=1", "2"),
        ("vad=som+helst", "12"),
    ] {
        assert_eq!(rig.list(query).await, listed, "{query}");
    }
}

#[actix_web::test]
async fn what_is_wrong_with_a_request_is_said_without_quoting_it() {
    let rig = Rig::with(&message(TX, 1));
    let list = "GET, HEAD";
    let message = "GET, HEAD, POST";
    let bad = Method::from_bytes(b"LISTA").unwrap();
    let cases = [
        (Method::GET, String::new(), 400, None),
        (Method::GET, "/".into(), 400, None),
        (Method::POST, "/".into(), 400, None),
        (Method::GET, "/hemligt".into(), 400, None),
        (Method::GET, format!("/{OUTBOX}?status=hemligt"), 400, None),
        (
            Method::GET,
            format!("/{OUTBOX}/confirm?since=hemligt"),
            400,
            None,
        ),
        (Method::HEAD, format!("/{OUTBOX}?since=hemligt"), 400, None),
        (Method::GET, format!("/{OUTBOX}/{OTHER_TX}"), 404, None),
        (Method::HEAD, format!("/{OUTBOX}/{OTHER_TX}"), 404, None),
        (Method::GET, format!("/{OUTBOX}/hemligt"), 404, None),
        (Method::GET, format!("/{OUTBOX}/{TX}/hemligt"), 404, None),
        (Method::GET, format!("/0000000003/{TX}"), 404, None),
        (
            Method::POST,
            format!("/{OUTBOX}/{OTHER_TX}?action=ack"),
            404,
            None,
        ),
        (
            Method::POST,
            format!("/0000000003/{TX}?action=ack"),
            404,
            None,
        ),
        (Method::POST, format!("/{OUTBOX}/{TX}"), 400, None),
        (
            Method::POST,
            format!("/{OUTBOX}/{TX}?action=hemligt"),
            400,
            None,
        ),
        (
            Method::POST,
            format!("/{OUTBOX}?action=ack"),
            405,
            Some(list),
        ),
        (
            Method::POST,
            format!("/{OUTBOX}/confirm?action=ack"),
            405,
            Some(list),
        ),
        (
            Method::DELETE,
            format!("/{OUTBOX}/{TX}"),
            405,
            Some(message),
        ),
        (Method::PUT, format!("/{OUTBOX}"), 405, Some(list)),
        (bad, format!("/{OUTBOX}/{TX}"), 405, Some(message)),
    ];
    for (method, below, status, allow) in cases {
        let answer = rig.ask(method.clone(), &below).await;
        let seen = (answer.status, answer.allow.as_deref());
        assert_eq!(seen, (status, allow), "{method} {below}");
        assert_eq!(answer.content_type, TEXT);
        assert!(!answer.text().is_empty() && !answer.text().contains("hemligt"));
    }
    assert_eq!(rig.list("").await, "1", "nothing of this changed anything");
}

#[actix_web::test]
async fn a_certificate_opens_the_outboxes_of_its_own_actors_and_no_others() {
    let rig = Rig::with(&message(TX, 1));
    let own = Caller::certified([number("0000000009"), number(OWNER)]);
    let foreign = Caller::certified([number("0000000003")]);
    let message = format!("/{OUTBOX}/{TX}");
    let nobody = Caller::certified([]);
    for (method, below) in [
        (Method::GET, format!("/{OUTBOX}")),
        (Method::GET, "/0000000002.nobodys".to_owned()),
        (Method::GET, message.clone()),
        (Method::HEAD, message.clone()),
        (Method::POST, format!("{message}?action=ack")),
        (Method::DELETE, message.clone()),
    ] {
        for caller in [&foreign, &nobody] {
            let answer = rig.ask_as(caller, method.clone(), &below).await;
            assert_eq!(
                (answer.status, answer.content_type.as_str()),
                (403, TEXT),
                "{below}"
            );
        }
    }
    let answer = rig.ask_as(&own, Method::GET, &message).await;
    assert_eq!(answer.status, 200);
    let unknown = rig.ask_as(&own, Method::GET, "/0000000002.nobodys").await;
    assert_eq!(
        unknown.listed(),
        "",
        "an unknown outbox of one's own is empty"
    );
}

#[actix_web::test]
async fn acknowledging_is_told_once_for_administrative_messages_too() {
    let rig = Rig::with(&message(TX, 1));
    let mut adm = message(OTHER_TX, 1);
    adm.label.sequence_type = SequenceType::Adm;
    adm.label.product = Product::from(Produkt::Confirm);
    rig.put(&adm);
    assert_eq!(rig.list("producttype=confirm").await, "9");
    let upper = TX.to_uppercase();
    for tx_id in [TX, TX, &upper, OTHER_TX, OTHER_TX] {
        let answer = rig.acknowledge(tx_id).await;
        assert_eq!((answer.status, answer.text()), (200, "OK"), "{tx_id}");
    }
    let told = [(tx(TX), true), (tx(OTHER_TX), true)];
    assert_eq!(*rig.acknowledged.lock().unwrap(), told);
    assert_eq!(rig.list("").await, "");
    assert_eq!(rig.get(&format!("/{OUTBOX}/{TX}")).await.status, 404);
}

#[actix_web::test]
async fn under_the_kinder_rule_a_fetched_message_is_hidden_and_can_be_fetched_again() {
    let rig = Rig::with(&message(TX, 1));
    for _ in 0..2 {
        assert_eq!(rig.get(&format!("/{OUTBOX}/{TX}")).await.status, 200);
        assert_eq!(rig.list("").await, "");
    }
}

#[actix_web::test]
async fn under_the_strict_rule_a_fetch_takes_the_message_away() {
    let rig = Rig::new(true);
    rig.put(&message(TX, 1));
    let message = format!("/{OUTBOX}/{TX}");
    assert_eq!(rig.get(&message).await.status, 200);
    assert_eq!(rig.list("").await, "");
    assert_eq!(rig.get(&message).await.status, 404);
    assert_eq!(rig.acknowledge(TX).await.status, 200);
    assert_eq!(*rig.acknowledged.lock().unwrap(), [(tx(TX), true)]);
}

/// Sends a request and reads until the header block has ended.
async fn begin(address: SocketAddr, method: &str) -> (TcpStream, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {PATH}/{OUTBOX}/{TX} HTTP/1.1\r\nHost: node\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|at| at == b"\r\n\r\n") {
            let body = read.split_off(end + 4);
            return (stream, String::from_utf8(read).unwrap(), body);
        }
        assert!(
            stream.read_buf(&mut read).await.unwrap() > 0,
            "the node hung up"
        );
    }
}

async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let look = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(SOON, look).await.is_ok(), "{what}");
}

#[actix_web::test]
async fn a_connection_that_breaks_in_the_middle_of_a_fetch_leaves_the_message_there() {
    for strict in [false, true] {
        let rig = Rig::new(strict);
        let bytes = rig.put(&message(TX, LARGE));
        let address = rig.listen();
        let (stream, head, _) = begin(address, "GET").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert_eq!(rig.list("").await, "", "on its way");
        drop(stream);
        eventually("it is listed again", async || rig.list("").await == "1").await;
        let (mut stream, _, mut body) = begin(address, "GET").await;
        while body.len() < bytes.len() {
            assert!(
                stream.read_buf(&mut body).await.unwrap() > 0,
                "the node hung up"
            );
        }
        assert!(body == bytes, "all of it, unchanged");
        eventually("it counts as fetched", async || {
            rig.desk.outboxes.counts().fetched == 1
        })
        .await;
        assert_eq!(rig.list("").await, "");
    }
}

#[actix_web::test]
async fn of_two_strict_fetches_at_once_one_gets_the_message_and_the_other_404() {
    let rig = Rig::new(true);
    rig.put(&message(TX, LARGE));
    let address = rig.listen();
    let (_one, head, _) = begin(address, "GET").await;
    let (_other, refused, _) = begin(address, "GET").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(refused.starts_with("HTTP/1.1 404"), "{refused}");
    let (_look, refused, _) = begin(address, "HEAD").await;
    assert!(refused.starts_with("HTTP/1.1 404"), "{refused}");
}

#[actix_web::test]
async fn head_tells_the_size_and_fetches_nothing() {
    let rig = Rig::new(true);
    let bytes = rig.put(&message(TX, 1000));
    let address = rig.listen();
    for _ in 0..2 {
        let (mut stream, head, body) = begin(address, "HEAD").await;
        let length = format!("{CONTENT_LENGTH}: {}\r\n", bytes.len());
        assert!(
            head.starts_with("HTTP/1.1 200") && head.to_lowercase().contains(&length),
            "{head}"
        );
        // The connection goes on at once: there is no body.
        let list =
            format!("GET {PATH}/{OUTBOX} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
        stream.write_all(list.as_bytes()).await.unwrap();
        let mut rest = body;
        stream.read_to_end(&mut rest).await.unwrap();
        assert!(rest.starts_with(b"HTTP/1.1 200"), "{rest:?}");
        assert!(String::from_utf8(rest).unwrap().contains(TX));
    }
    assert_eq!(rig.desk.outboxes.counts().fetched, 0);
}

#[actix_web::test]
async fn head_of_a_list_has_the_length_of_the_list_and_no_body() {
    let rig = Rig::with(&message(TX, 1));
    let list = rig.get(&format!("/{OUTBOX}")).await;
    let mut stream = TcpStream::connect(rig.listen()).await.unwrap();
    let request =
        format!("HEAD {PATH}/{OUTBOX} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let length = format!("content-length: {}\r\n", list.body.len());
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains(&length),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}
