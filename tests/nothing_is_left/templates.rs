//! What the authorities answer: the simulated ones' answers, with a marker in every place that takes one.
//!
//! Which places do is tried out: a text is replaced when the answer is still one that the node forwards.
//! Where no text fits but digits do, there is the person's number. What is packed (base64, a document
//! within a text, LEFI's JSON) is unpacked first.

use std::ops::Range;
use std::time::Duration;

use base64_simd::STANDARD;
use bytes::Bytes;
use chrono::Utc;
use samsvar::adapter::simulated::{EXEMPELPERSONER, SEED_DEFAULT, Simulerad};
use samsvar::client::question::{self, Asker};
use samsvar_actors::transport::{AnswerContent, Bastjanst, Question, QuestionKind, Traffic};
use serde_json::{Map, Value, json};
use shs_schemas::ssbtek::{Datum, Delsvar, Fordelning, Fraga, Kontrakt};
use shs_schemas::xml::Limits;
use shs_schemas::{Sensitive, Uppgiftslamnare};
use uuid::Uuid;

use crate::marker;

/// Fields of the adapter's own.
const OWN_FIELDS: [&str; 8] = [
    "skräp",
    "fel.v1 felmeddelande",
    "fel.v1 felkod",
    "error felkod",
    "error felmeddelande",
    "otillåtet fält",
    "för stort",
    "korrelationsid",
];

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Slot(String),
    Person,
    Base64(Vec<Piece>),
}

/// The file for `adapter.py`.
pub(crate) async fn file() -> String {
    let mut templates = Map::new();
    for kontrakt in Kontrakt::all() {
        for (ul, answer) in answers(kontrakt).await {
            let name = format!(
                "{}/{}",
                ul.kod(),
                kontrakt.namespace().rsplit('/').next().unwrap()
            );
            let forwarded = |text: &str| {
                let body = Bytes::from(text.to_owned());
                Delsvar::read(ul, kontrakt, body, &Limits::default()).is_ok()
            };
            assert!(forwarded(&answer), "{name}");
            let pieces = marked(&answer, ul.kod(), &forwarded);
            let filled = fill(&pieces);
            assert!(forwarded(&filled), "{name}: {filled}");
            let slots =
                filled.matches(marker::CORE).count() + filled.matches(marker::PERSON).count();
            assert!(
                slots > 0
                    || filled.contains(&STANDARD.encode_to_string("Zq7KxWv3J")[..8])
                    || slots_in(&pieces) > 0,
                "{name}"
            );
            templates.insert(name, as_json(&pieces));
        }
    }
    let codes = OWN_FIELDS
        .iter()
        .map(|field| ((*field).to_owned(), marker::code(field).into()));
    templates.insert("codes".to_owned(), Value::Object(codes.collect()));
    Value::Object(templates).to_string()
}

fn slots_in(pieces: &[Piece]) -> usize {
    let one = |piece: &Piece| match piece {
        Piece::Text(_) => 0,
        Piece::Slot(_) | Piece::Person => 1,
        Piece::Base64(inner) => slots_in(inner),
    };
    pieces.iter().map(one).sum()
}

async fn answers(kontrakt: Kontrakt) -> Vec<(Uppgiftslamnare, String)> {
    let asker = Asker {
        kontrakt,
        ..Asker::default()
    };
    let now = Utc::now();
    let document = question::document(&asker, EXEMPELPERSONER[0].0, now);
    let fraga = Fraga::read(document, &Limits::default()).unwrap();
    let idag = Datum {
        ar: 2026,
        manad: 11,
        dag: 22,
    };
    let mut answers = Vec::new();
    for delfraga in fraga.delfragor(&Fordelning::alla(), idag) {
        let ul = delfraga.uppgiftslamnare;
        let question = Question {
            corr_id: Uuid::new_v4(),
            traffic: Traffic::Production,
            kind: QuestionKind::Fraga,
            body: Sensitive::new(delfraga.body.unwrap()),
            expires_in: Duration::from_secs(8),
            deadline: now,
            traceparent: "00-0-0-01".into(),
            seal: None,
        };
        let said = Simulerad::new(ul, SEED_DEFAULT).besvara(question).await;
        let Some(AnswerContent::Svar(element)) = said.into_iter().map(|said| said.content).next()
        else {
            panic!("{ul} does not answer");
        };
        answers.push((ul, String::from_utf8(element.expose().to_vec()).unwrap()));
    }
    answers
}

/// A document with slots; `ok` says whether a changed one will do.
fn marked(document: &str, name: &str, ok: &dyn Fn(&str) -> bool) -> Vec<Piece> {
    pieces(document, leaves(document, name), ok)
}

fn pieces(
    document: &str,
    leaves: Vec<(Range<usize>, String)>,
    ok: &dyn Fn(&str) -> bool,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut done = 0;
    for (range, field) in leaves {
        let instead =
            |text: &str| [&document[..range.start], text, &document[range.end..]].concat();
        let place = |text: &str| ok(&instead(text));
        let Some(replaced) = replacement(&document[range.clone()], &field, &place) else {
            continue;
        };
        pieces.push(Piece::Text(document[done..range.start].to_owned()));
        pieces.extend(replaced);
        done = range.end;
    }
    pieces.push(Piece::Text(document[done..].to_owned()));
    pieces
}

/// Around a text in which nothing is escaped.
const CDATA: (&str, &str) = ("<![CDATA[", "]]>");

/// What may stand in the place of a text.
fn replacement(text: &str, field: &str, ok: &dyn Fn(&str) -> bool) -> Option<Vec<Piece>> {
    if ok(&marker::text(field, 0)) {
        return Some(vec![Piece::Slot(field.to_owned())]);
    }
    let in_cdata = text
        .strip_prefix(CDATA.0)
        .and_then(|text| text.strip_suffix(CDATA.1));
    if let Some(inner) = in_cdata {
        let within = |inner: &str| ok(&[CDATA.0, inner, CDATA.1].concat());
        let mut pieces = vec![Piece::Text(CDATA.0.to_owned())];
        pieces.extend(marked(inner, field, &within));
        pieces.push(Piece::Text(CDATA.1.to_owned()));
        return Some(pieces);
    }
    let unescaped = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    if unescaped.trim_start().starts_with('<') {
        let within = |inner: &str| ok(&escaped(inner));
        let inner = marked(&unescaped, field, &within);
        let escape = |piece: Piece| match piece {
            Piece::Text(text) => Piece::Text(escaped(&text)),
            other => other,
        };
        return Some(inner.into_iter().map(escape).collect());
    }
    if let Ok(packed) = STANDARD.decode_to_vec(text.trim())
        && let Ok(inner) = String::from_utf8(packed)
        && inner.len() > 20
    {
        let within = |inner: &str| ok(&STANDARD.encode_to_string(inner));
        let inner = if inner.trim_start().starts_with('{') {
            pieces(&inner, json_leaves(&inner, field), &within)
        } else {
            marked(&inner, field, &within)
        };
        return Some(vec![Piece::Base64(inner)]);
    }
    ok(&marker::person(0)).then(|| vec![Piece::Person])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The texts of a document that are alone in their element. (No answer has attributes but declarations.)
fn leaves(document: &str, name: &str) -> Vec<(Range<usize>, String)> {
    let tree = roxmltree::Document::parse(document).unwrap();
    let texts = tree.descendants().filter(roxmltree::Node::is_text);
    let leaf = |node: roxmltree::Node<'_, '_>| {
        let text = node.text()?;
        let parent = node.parent()?;
        let alone = parent.children().count() == 1 && !text.trim().is_empty();
        alone.then(|| (node.range(), format!("{name} {}", parent.tag_name().name())))
    };
    texts.filter_map(leaf).collect()
}

/// The string values of a JSON text that are no codes.
fn json_leaves(json: &str, name: &str) -> Vec<(Range<usize>, String)> {
    let mut leaves = Vec::new();
    let (mut key, mut at) = (String::new(), 0);
    while let Some(begin) = json[at..].find('"').map(|found| at + found + 1) {
        let end = begin + json[begin..].find('"').unwrap();
        let text = &json[begin..end];
        if json[end + 1..].trim_start().starts_with(':') {
            text.clone_into(&mut key);
        } else if text.chars().any(char::is_lowercase) || text.chars().all(|c| c.is_ascii_digit()) {
            leaves.push((begin..end, format!("{name} {key}")));
        }
        at = end + 1;
    }
    leaves
}

fn fill(pieces: &[Piece]) -> String {
    let one = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Slot(field) => marker::text(field, 0),
        Piece::Person => marker::person(0),
        Piece::Base64(inner) => STANDARD.encode_to_string(fill(inner)),
    };
    pieces.iter().map(one).collect()
}

fn as_json(pieces: &[Piece]) -> Value {
    let one = |piece: &Piece| match piece {
        Piece::Text(text) => json!(text),
        Piece::Slot(field) => json!(["text", marker::code(field)]),
        Piece::Person => json!(["person"]),
        Piece::Base64(inner) => json!(["base64", as_json(inner)]),
    };
    pieces.iter().map(one).collect()
}
