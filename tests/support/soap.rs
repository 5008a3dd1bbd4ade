//! Calls to the SOAP door by hand, and their answers read without any code of the node.

use chrono::{DateTime, Utc};
use roxmltree::{Document, Node};
use samsvar::client::question::{self, Asker};
use shs_schemas::ssbtek::Kontrakt;

use crate::pki::Pki;
use crate::sandbox::{DEMO, Sandbox};
use crate::wire::{Response, Wire};
use crate::zeep::Files;

pub const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const XML: &str = "text/xml; charset=utf-8";

/// The certificate of that name, for zeep.
pub fn files_of(pki: &Pki, name: &str) -> Files {
    Files {
        ca: pki.file("ca.pem"),
        certificate: pki.file(&format!("{name}.pem")),
        key: pki.file(&format!("{name}.key")),
    }
}

fn asked_at() -> DateTime<Utc> {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

/// The element of a question about the person of the demo.
pub fn question_element(kontrakt: Kontrakt) -> String {
    element_about(DEMO, kontrakt)
}

/// The element of a question about this person.
pub fn element_about(person: &str, kontrakt: Kontrakt) -> String {
    let asker = Asker {
        kontrakt,
        ..Asker::default()
    };
    question::element(&asker, person, asked_at())
}

/// The element of a test.
pub fn test_element(kontrakt: Kontrakt) -> String {
    let namespace = kontrakt.namespace();
    format!("<b:testaBastjanstInformation xmlns:b='{namespace}'/>")
}

/// An envelope of SOAP 1.1.
pub fn envelope(element: &str) -> String {
    envelope_with("", element)
}

/// The same with something before the body.
pub fn envelope_with(header: &str, element: &str) -> String {
    format!("<e:Envelope xmlns:e='{SOAP}'>{header}<e:Body>{element}</e:Body></e:Envelope>")
}

/// A question in its envelope.
pub fn question(kontrakt: Kontrakt) -> String {
    envelope(&question_element(kontrakt))
}

/// One connection to the door.
pub struct Door(pub Wire);

impl Door {
    pub async fn to(sandbox: &Sandbox) -> Self {
        Self(Wire::to(sandbox.service()).await)
    }

    /// Sends a call to the path of a version.
    pub async fn begin(&mut self, kontrakt: Kontrakt, body: impl AsRef<[u8]>) {
        let path = format!("/ssbt/{}", kontrakt.version());
        self.send(&format!("POST {path}"), XML, body).await;
    }

    /// Sends a whole request with a body of this type.
    pub async fn send(&mut self, request: &str, content_type: &str, body: impl AsRef<[u8]>) {
        let body = body.as_ref();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: node.example:8585\r\nContent-Length: {}\r\n\
             Content-Type: {content_type}\r\nSOAPAction: \"\"\r\n\r\n",
            body.len()
        );
        self.0.send([head.as_bytes(), body].concat()).await;
    }

    pub async fn answer(&mut self) -> Response {
        self.0.receive().await.expect("it is answered")
    }

    /// Calls, and waits.
    pub async fn call(&mut self, kontrakt: Kontrakt, body: impl AsRef<[u8]>) -> Response {
        self.begin(kontrakt, body).await;
        self.answer().await
    }

    pub async fn get(&mut self, target: &str) -> Response {
        let head = format!("GET {target} HTTP/1.1\r\nHost: node.example:8585\r\n\r\n");
        self.0.send(head).await;
        self.answer().await
    }
}

/// A SOAP fault.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Without its prefix, which is that of the envelope.
    pub code: String,
    pub string: String,
    pub detail: Option<Detail>,
}

/// What the contract says in a fault.
#[derive(Debug, PartialEq, Eq)]
pub struct Detail {
    pub namespace: String,
    pub element: String,
    pub felkod: String,
    pub felmeddelande: Vec<String>,
}

impl Fault {
    /// The code of the contract; empty without one.
    pub fn felkod(&self) -> &str {
        self.detail.as_ref().map_or("", |detail| &detail.felkod)
    }

    /// Everything that is told.
    pub fn texts(&self) -> String {
        let told = self.detail.iter().flat_map(|detail| &detail.felmeddelande);
        let told: Vec<&str> = told.map(String::as_str).chain([&*self.string]).collect();
        told.join("\n")
    }

    /// Reads the answer of a refused call, with its content type, as strictly as the contract has it.
    pub fn of(response: &Response) -> Self {
        assert_eq!(response.header("content-type"), Some(XML));
        Self::read(&response.body)
    }

    pub fn read(body: &[u8]) -> Self {
        let document = Document::parse(std::str::from_utf8(body).unwrap()).unwrap();
        let envelope = document.root_element();
        assert!(envelope.has_tag_name((SOAP, "Envelope")));
        let body = only_child(envelope);
        assert!(body.has_tag_name((SOAP, "Body")));
        let fault = only_child(body);
        assert!(fault.has_tag_name((SOAP, "Fault")));
        let mut children = fault.children().filter(Node::is_element);
        let mut unqualified = |name: &str| {
            let child = children.next()?;
            let tag = child.tag_name();
            assert_eq!((tag.namespace(), tag.name()), (None, name));
            Some(child)
        };
        let faultcode = unqualified("faultcode").unwrap();
        let (prefix, code) = faultcode.text().unwrap().split_once(':').unwrap();
        assert_eq!(faultcode.lookup_namespace_uri(Some(prefix)), Some(SOAP));
        let string = unqualified("faultstring").unwrap();
        let detail = unqualified("detail").map(|detail| Detail::read(only_child(detail)));
        assert!(children.next().is_none());
        Self {
            code: code.to_owned(),
            string: string.text().unwrap().to_owned(),
            detail,
        }
    }
}

impl Detail {
    fn read(element: Node<'_, '_>) -> Self {
        let namespace = element.tag_name().namespace().unwrap();
        let mut children = element.children().filter(Node::is_element);
        let felkod = children.next().unwrap();
        assert!(felkod.has_tag_name((namespace, "felkod")));
        let felmeddelande: Vec<_> = children
            .map(|child| {
                assert!(child.has_tag_name((namespace, "felmeddelande")));
                child.text().unwrap().to_owned()
            })
            .collect();
        assert!(!felmeddelande.is_empty());
        Self {
            namespace: namespace.to_owned(),
            element: element.tag_name().name().to_owned(),
            felkod: felkod.text().unwrap().to_owned(),
            felmeddelande,
        }
    }
}

fn only_child<'a, 'input>(node: Node<'a, 'input>) -> Node<'a, 'input> {
    let mut children = node.children().filter(Node::is_element);
    let first = children.next().unwrap();
    assert!(children.next().is_none(), "one child");
    first
}

/// The element in the body of an answer, as it stands there: namespace, local name and text.
pub fn answered(response: &Response) -> (String, String, String) {
    assert_eq!(
        response.status,
        200,
        "{}",
        String::from_utf8_lossy(&response.body)
    );
    assert_eq!(response.header("content-type"), Some(XML));
    let text = std::str::from_utf8(&response.body).unwrap();
    let document = Document::parse(text).unwrap();
    assert!(document.root_element().has_tag_name((SOAP, "Envelope")));
    let element = only_child(only_child(document.root_element()));
    let tag = element.tag_name();
    let namespace = tag.namespace().unwrap().to_owned();
    (
        namespace,
        tag.name().to_owned(),
        text[element.range()].to_owned(),
    )
}

/// Fails unless it is the answer to a question in this version, with data of everybody.
pub fn assert_data_of_all(response: &Response, kontrakt: Kontrakt) {
    let (namespace, name, text) = answered(response);
    assert_eq!(namespace, kontrakt.namespace());
    assert_eq!(name, "hamtaBastjanstInformationResponse");
    let document = Document::parse(&text).unwrap();
    let parts = |name| {
        let parts = document.descendants();
        parts.filter(move |node| node.has_tag_name((kontrakt.namespace(), name)))
    };
    assert_eq!(parts("data").count(), 7, "{text}");
    assert_eq!(parts("error").count(), 0, "{text}");
}
