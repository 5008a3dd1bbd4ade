//! Whether zeep read what an authority wrote: every text and value of the one is found in the other.

use std::sync::{Arc, Mutex};

use roxmltree::{Document, Node};
use samsvar::adapter::simulated::{SEED_DEFAULT, Simulerad};
use samsvar_actors::transport::{Answer, AnswerContent, Bastjanst, BoxFuture, Question};
use serde_json::Value;
use shs_schemas::Uppgiftslamnare;

use crate::sandbox::Builder;

/// What authorities have answered, the latest last.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<Vec<(Uppgiftslamnare, String)>>>);

impl Answers {
    /// Keeps what every simulated authority answers.
    pub fn of_all(&self, builder: Builder) -> Builder {
        Uppgiftslamnare::all().fold(builder, |builder, ul| {
            let simulated = Arc::new(Simulerad::new(ul, SEED_DEFAULT));
            builder.played_by(ul, self.kept(ul, simulated))
        })
    }

    /// A service whose answers are kept.
    pub fn kept(&self, ul: Uppgiftslamnare, service: Arc<dyn Bastjanst>) -> Kept {
        Kept {
            ul,
            service,
            answers: self.clone(),
        }
    }

    /// The answer element that a party gave last.
    pub fn last(&self, ul: Uppgiftslamnare) -> String {
        let answers = self.0.lock().unwrap();
        let found = answers.iter().rfind(|(of, _)| *of == ul);
        found.expect("it was asked").1.clone()
    }
}

/// A service whose answers are kept.
pub struct Kept {
    ul: Uppgiftslamnare,
    service: Arc<dyn Bastjanst>,
    answers: Answers,
}

impl Bastjanst for Kept {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        let (ul, answers) = (self.ul, self.answers.clone());
        let answering = self.service.besvara(question);
        Box::pin(async move {
            let answered = answering.await;
            for answer in &answered {
                if let AnswerContent::Svar(svar) = &answer.content {
                    let text = String::from_utf8(svar.expose().to_vec()).unwrap();
                    answers.0.lock().unwrap().push((ul, text));
                }
            }
            answered
        })
    }
}

/// Fails unless zeep's reading of `data` holds exactly the fields of the element that was answered: their
/// names and values, in whatever order.
pub fn assert_same(element: &str, data: &Value) {
    let document = Document::parse(element).unwrap();
    let root = document.root_element().first_element_child().unwrap();
    assert_eq!(root.tag_name().name(), "data");
    let (mut written, mut read) = (Vec::new(), Vec::new());
    written_fields(root, &mut written);
    read_fields("", data, &mut read);
    written.sort();
    read.sort();
    assert!(!written.is_empty());
    assert_eq!(read, written);
}

fn written_fields(node: Node<'_, '_>, into: &mut Vec<(String, String)>) {
    let mut children = node.children().filter(Node::is_element).peekable();
    if children.peek().is_none() {
        let text = node.text().unwrap_or_default();
        if !text.is_empty() {
            into.push((node.tag_name().name().to_owned(), without_zone(text)));
        }
    }
    children.for_each(|child| written_fields(child, into));
}

fn read_fields(name: &str, value: &Value, into: &mut Vec<(String, String)>) {
    let mut push = |text: String| into.push((name.to_owned(), text));
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                read_fields(name, value, into);
            }
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| read_fields(name, value, into)),
        Value::String(text) => push(text.clone()),
        Value::Null => {}
        other => push(other.to_string()),
    }
}

/// zeep drops the zone of a date.
fn without_zone(text: &str) -> String {
    let is_date = text.get(..10).is_some_and(|day| {
        let digits = day.bytes().filter(u8::is_ascii_digit).count();
        digits == 8 && day.bytes().filter(|byte| *byte == b'-').count() == 2
    });
    let zone = text.get(10..).unwrap_or_default();
    if is_date && (zone == "Z" || (zone.len() == 6 && zone.contains(':'))) {
        text[..10].to_owned()
    } else {
        text.to_owned()
    }
}

/// JSON that zeep decoded from base64 and passed on in base64.
pub fn json_in(base64: &Value) -> Value {
    let text = base64_simd::STANDARD.decode_to_vec(base64.as_str().unwrap());
    serde_json::from_slice(&text.unwrap()).unwrap()
}

/// The JSON that an authority of LEFI answered.
pub fn lefi_json(element: &str) -> Value {
    let document = Document::parse(element).unwrap();
    let mut all = document.descendants();
    let svar = all.find(|node| node.has_tag_name_of("lefiJsonSvar"));
    json_in(&Value::from(svar.unwrap().text().unwrap()))
}

trait Named {
    fn has_tag_name_of(&self, local: &str) -> bool;
}

impl Named for Node<'_, '_> {
    fn has_tag_name_of(&self, local: &str) -> bool {
        self.is_element() && self.tag_name().name() == local
    }
}
