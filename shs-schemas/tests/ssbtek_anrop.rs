//! A call in an envelope means what it means without one: whatever the prefixes, wherever the
//! namespaces are declared, what we make of it is the same, stands on its own, and is valid
//! against the original schema.
//!
//! The original contract is not part of this repository (`tests/support/mod.rs` tells where it is
//! looked for); without it the tests say so and use our own schema only.

#![allow(clippy::unwrap_used, reason = "helpers of tests, where it is allowed")]

mod support;

use std::fmt::Write as _;

use bytes::Bytes;
use proptest::prelude::*;
use roxmltree::{Document, Node};
use shs_schemas::ssbtek::fel::write_fault;
use shs_schemas::ssbtek::{
    Anrop, Datum, Delfel, Delsvar, FaultFelkod, Fordelning, Form, Fraga, Kontrakt, Operation,
    SsbtFelkod, Testutfall, Uppgiftslamnare, Utfall, sammanstall, write_testsvar,
};
use shs_schemas::xml::Limits;
use support::xsd::Schema;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const FRAGA_10: &str = include_str!("corpus/spec/fraga-alla-10.xml");
const FRAGA_11: &str = include_str!("corpus/spec/fraga-skv-11.xml");
const SVAR_AF: &str = include_str!("corpus/spec/svar-af.xml");
const SVAR_MIV: &str = include_str!("corpus/spec/svar-miv.xml");
const IDAG: Datum = Datum {
    ar: 2026,
    manad: 11,
    dag: 22,
};

fn read(document: &str) -> (Fraga, Form) {
    let read = Anrop::read(Bytes::from(document.to_owned()), None, &Limits::default());
    match read.unwrap_or_else(|fel| panic!("{fel:?}: {document}")) {
        (Anrop::Fraga(fraga), form) => (*fraga, form),
        (Anrop::Test(_), _) => panic!("a question: {document}"),
    }
}

fn sub_questions(fraga: &Fraga) -> Vec<Bytes> {
    fraga
        .delfragor(&Fordelning::alla(), IDAG)
        .into_iter()
        .map(|delfraga| delfraga.body.unwrap())
        .collect()
}

/// Some answers, the rest failures.
fn outcomes(kontrakt: Kontrakt) -> Vec<(Uppgiftslamnare, Utfall)> {
    let answer = |ul: Uppgiftslamnare| {
        let body = match ul.kod() {
            "AF" => SVAR_AF,
            "MIV" => SVAR_MIV,
            _ => return None,
        };
        let body = Bytes::from(body.replace("ssbt/10", &kontrakt.to_string()));
        let svar = Delsvar::read(ul, kontrakt, body, &Limits::default()).unwrap();
        Some(svar.into())
    };
    let fel = |ul| Delfel::ssbt(SsbtFelkod::Timeout, ul).into();
    Uppgiftslamnare::all()
        .map(|ul| (ul, answer(ul).unwrap_or_else(|| fel(ul))))
        .collect()
}

fn response(fraga: &Fraga, form: Form) -> String {
    let document = sammanstall(fraga, form, &outcomes(fraga.kontrakt())).document;
    String::from_utf8(document.to_vec()).unwrap()
}

/// The only child of the body of an envelope that we wrote.
fn body_child<'a, 'input>(document: &'a Document<'input>) -> Node<'a, 'input> {
    let envelope = document.root_element();
    assert!(envelope.has_tag_name((SOAP, "Envelope")));
    let body = envelope.first_element_child().unwrap();
    assert!(body.has_tag_name((SOAP, "Body")));
    assert!(body.children().count() == 1 && envelope.children().count() == 1);
    body.first_element_child().unwrap()
}

/// That child as a document of its own. Ours declare all that they use, so it can be cut out.
fn unwrapped(envelope: &str) -> String {
    let document = Document::parse(envelope).expect("a well-formed envelope");
    envelope[body_child(&document).range()].to_owned()
}

/// What a document says, without how: names with namespaces, attributes in order, text.
fn meaning(node: Node<'_, '_>) -> String {
    let mut out = String::new();
    write_meaning(node, &mut out);
    out
}

fn write_meaning(node: Node<'_, '_>, out: &mut String) {
    if let Some(text) = node.text().filter(|_| node.is_text()) {
        write!(out, "{text:?}").unwrap();
    }
    if !node.is_element() {
        return;
    }
    let name = node.tag_name();
    write!(out, "<{{{:?}}}{}", name.namespace(), name.name()).unwrap();
    let mut attributes: Vec<_> = node
        .attributes()
        .map(|a| format!(" {:?} {}={:?}", a.namespace(), a.name(), a.value()))
        .collect();
    attributes.sort();
    out.extend(attributes);
    out.push('>');
    for child in node.children() {
        write_meaning(child, out);
    }
    out.push_str("</>");
}

fn meaning_of(document: &str) -> String {
    let parsed = Document::parse(document).unwrap_or_else(|error| panic!("{error}: {document}"));
    meaning(parsed.root_element())
}

/// How a question is wrapped.
#[derive(Clone, Debug)]
struct Kuvert {
    /// Prefix of SOAP, empty for none.
    soap: &'static str,
    /// Prefix of the question.
    ssbt: &'static str,
    /// Where the namespace of the question is declared: 0 envelope, 1 body, 2 the question.
    level: usize,
    /// Other declarations: where, prefix, namespace.
    decoys: Vec<(usize, &'static str, &'static str)>,
    header: &'static str,
    /// What stands between the elements of the envelope.
    between: &'static str,
    declared: bool,
}

fn colon(prefix: &str) -> String {
    if prefix.is_empty() {
        String::new()
    } else {
        format!("{prefix}:")
    }
}

impl Kuvert {
    const fn plain(soap: &'static str, ssbt: &'static str, level: usize) -> Self {
        Self {
            soap,
            ssbt,
            level,
            decoys: Vec::new(),
            header: "",
            between: "",
            declared: false,
        }
    }

    /// The declarations of each level: those needed, and the others where they do no harm.
    fn declarations(&self, namespace: &str) -> [String; 3] {
        let level = if self.soap == self.ssbt {
            2
        } else {
            self.level
        };
        let mut maps: [Vec<(&str, &str)>; 3] = Default::default();
        maps[0].push((self.soap, SOAP));
        maps[level].push((self.ssbt, namespace));
        for &(at, prefix, uri) in &self.decoys {
            let taken = maps[at].iter().any(|(other, _)| *other == prefix);
            let harms = (prefix == self.soap && at < 2) || (prefix == self.ssbt && at >= level);
            if !taken && !harms && (prefix.is_empty() || !uri.is_empty()) {
                maps[at].push((prefix, uri));
            }
        }
        maps.map(|map| {
            map.iter().fold(String::new(), |mut out, (prefix, uri)| {
                let colon = if prefix.is_empty() { "" } else { ":" };
                write!(out, "\n xmlns{colon}{prefix}='{uri}'").unwrap();
                out
            })
        })
    }

    /// Wraps a question whose elements have this prefix.
    fn wrap(&self, question: &str, prefix: &str, kontrakt: Kontrakt) -> String {
        let [outer, middle, inner] = self.declarations(kontrakt.namespace());
        let (from, to, s) = (colon(prefix), colon(self.ssbt), colon(self.soap));
        let root = question.find(&format!("<{from}hamta")).unwrap();
        let content = question.find(&format!("<{from}generella")).unwrap();
        // Only tags of the question begin so: the corpus has no others.
        let content = question[root..][content - root..]
            .replace("</", "\u{1}")
            .replace('<', "\u{2}")
            .replace(&format!("\u{1}{from}"), &format!("</{to}"))
            .replace(&format!("\u{2}{from}"), &format!("<{to}"))
            .replace('\u{1}', "</")
            .replace('\u{2}', "<");
        let header = self.header.replace("S:", &s);
        let declared = if self.declared {
            "<?xml version='1.0' encoding='utf-8'?>"
        } else {
            ""
        };
        let between = self.between;
        format!(
            "{declared}<{s}Envelope{outer}>{between}{header}{between}<{s}Body{middle}>{between}\
             <{to}hamtaBastjanstInformation{inner}>{content}{between}</{s}Body>{between}\
             </{s}Envelope>\n"
        )
    }
}

/// The questions of the corpus, with the prefixes that they use.
const QUESTIONS: [(&str, &str, Kontrakt); 2] = [
    (FRAGA_10, "b", Kontrakt::V10),
    (FRAGA_11, "", Kontrakt::V11),
];

fn any_kuvert() -> impl Strategy<Value = Kuvert> {
    let prefix = prop::sample::select(vec!["", "soap", "SOAP-ENV", "ns2", "ssbt", "b", "s"]);
    let decoy = (
        0_usize..3,
        prop::sample::select(vec!["", "soap", "ssbt", "b", "ns2", "xsi", "svar"]),
        prop::sample::select(vec![
            "",
            "urn:x",
            SOAP,
            "http://www.w3.org/2001/XMLSchema-instance",
            "http://schema.forsakringskassan.se/integration/ssbt/9",
        ]),
    );
    let header = prop::sample::select(vec![
        "",
        "<S:Header/>",
        "<S:Header> </S:Header>",
        "<S:Header><x xmlns='urn:x' S:mustUnderstand='0'><y/></x>\n<z:z xmlns:z='urn:z'/></S:Header>",
    ]);
    let between = prop::sample::select(vec!["", "\n  ", "<!-- c -->", " <?p i?> &#32;"]);
    let decoys = prop::collection::vec(decoy, 0..5);
    let parts = (
        prefix.clone(),
        prefix,
        0_usize..3,
        decoys,
        header,
        between,
        any::<bool>(),
    );
    parts.prop_map(
        |(soap, ssbt, level, decoys, header, between, declared)| Kuvert {
            soap,
            ssbt,
            level,
            decoys,
            header,
            between,
            declared,
        },
    )
}

proptest! {
    /// The same question, the same sub-questions, the same response and echo, whatever is around.
    #[test]
    fn an_envelope_changes_nothing_of_what_is_asked_and_answered(
        kuvert in any_kuvert(),
        which in 0..QUESTIONS.len(),
    ) {
        let (document, prefix, kontrakt) = QUESTIONS[which];
        let (bare, bare_form) = read(document);
        let wrapped = kuvert.wrap(document, prefix, kontrakt);
        let (fraga, form) = read(&wrapped);
        prop_assert_eq!((bare_form, form), (Form::Bar, Form::Kuvert));
        prop_assert!(fraga.uppgifter() == bare.uppgifter());
        let (made, expected) = (sub_questions(&fraga), sub_questions(&bare));
        prop_assert_eq!(made.len(), expected.len());
        for (made, expected) in made.iter().zip(&expected) {
            let sub = Fraga::read(made.clone(), &Limits::default()).unwrap();
            prop_assert_eq!(sub.kontrakt(), kontrakt);
            let text = |bytes: &Bytes| meaning_of(std::str::from_utf8(bytes).unwrap());
            prop_assert_eq!(text(made), text(expected));
        }
        let expected = meaning_of(&response(&bare, Form::Bar));
        prop_assert_eq!(meaning_of(&response(&fraga, Form::Bar)), expected.clone());
        let wrapped = response(&fraga, Form::Kuvert);
        let parsed = Document::parse(&wrapped).unwrap();
        prop_assert_eq!(meaning(body_child(&parsed)), expected);
    }
}

/// Each place of each declaration, each kind of prefix; few enough to validate them all.
fn every_kind() -> Vec<Kuvert> {
    let prefixes = [
        ("SOAP-ENV", "ns2"),
        ("soap", "ssbt"),
        ("", "b"),
        ("s", ""),
        ("", ""),
    ];
    let mut kinds = Vec::new();
    for (soap, ssbt) in prefixes {
        for level in 0..3 {
            kinds.push(Kuvert::plain(soap, ssbt, level));
            let decoys = vec![(0, "ssbt", "urn:x"), (1, "", "urn:y"), (2, "", "")];
            kinds.push(Kuvert {
                decoys,
                header: "<S:Header/>",
                ..Kuvert::plain(soap, ssbt, level)
            });
        }
    }
    kinds
}

#[test]
fn what_is_made_of_an_enveloped_question_is_valid() {
    for (document, prefix, kontrakt) in QUESTIONS {
        let mut made: Vec<Vec<u8>> = Vec::new();
        for kuvert in every_kind() {
            let (fraga, _) = read(&kuvert.wrap(document, prefix, kontrakt));
            assert!(fraga.fragan_skall_inkluderas(), "the echo is in it");
            made.extend(sub_questions(&fraga).iter().map(|body| body.to_vec()));
            made.push(response(&fraga, Form::Bar).into());
            made.push(unwrapped(&response(&fraga, Form::Kuvert)).into());
        }
        for schema in Schema::all(kontrakt) {
            schema.assert_valid(&made);
        }
    }
}

#[test]
fn a_fault_is_valid_in_both_versions_operations_and_forms() {
    for kontrakt in Kontrakt::all() {
        let mut faults = Vec::new();
        for operation in Operation::ALL {
            for felkod in FaultFelkod::all() {
                let texts: &[&[&str]] = &[&[], &["ett & <två>", "tre\r"]];
                for texts in texts {
                    let bare = write_fault(kontrakt, operation, Form::Bar, felkod, texts);
                    let wrapped = write_fault(kontrakt, operation, Form::Kuvert, felkod, texts);
                    let text = std::str::from_utf8(&wrapped).unwrap();
                    let document = Document::parse(text).unwrap();
                    let fault = body_child(&document);
                    assert!(fault.has_tag_name((SOAP, "Fault")));
                    let names: Vec<_> = fault
                        .children()
                        .map(|child| (child.tag_name().namespace(), child.tag_name().name()))
                        .collect();
                    let expected = ["faultcode", "faultstring", "detail"];
                    assert_eq!(names, expected.map(|name| (None, name)));
                    let detail = fault.last_element_child().unwrap();
                    let detail = detail.first_element_child().unwrap();
                    assert_eq!(detail.tag_name().name(), operation.fault_element());
                    faults.push(text[detail.range()].as_bytes().to_vec());
                    faults.push(bare.to_vec());
                }
            }
        }
        for schema in Schema::all(kontrakt) {
            schema.assert_valid(&faults);
        }
    }
}

#[test]
fn the_answer_to_a_test_is_valid_with_any_party_failing() {
    for kontrakt in Kontrakt::all() {
        let mut answers: Vec<Vec<u8>> = Vec::new();
        for failing in 0_u32..1 << Uppgiftslamnare::all().len() {
            let utfall: Vec<_> = Uppgiftslamnare::all()
                .map(|ul| {
                    let outcome = match (failing & (1 << ul.index()) == 0, failing % 3) {
                        (true, 0) => Testutfall::EjAnropad,
                        (true, _) => Testutfall::Svarade,
                        (false, 0) => {
                            Testutfall::Fel(Delfel::bt("403", ["Ej < & \r".to_owned()], ul))
                        }
                        (false, _) => Testutfall::Fel(Delfel::ssbt(SsbtFelkod::Timeout, ul)),
                    };
                    (ul, outcome)
                })
                .collect();
            let bare = write_testsvar(kontrakt, Form::Bar, &utfall);
            let wrapped = write_testsvar(kontrakt, Form::Kuvert, &utfall);
            let inner = unwrapped(std::str::from_utf8(&wrapped).unwrap());
            assert!(std::str::from_utf8(&bare).unwrap().ends_with(&inner));
            answers.push(bare.to_vec());
        }
        answers.push(write_testsvar(kontrakt, Form::Bar, &[]).to_vec());
        for schema in Schema::all(kontrakt) {
            schema.assert_valid(&answers);
        }
    }
}

/// What the reader takes as a test is what the schema takes. (xmllint takes even an empty CDATA
/// section for text, which by the schema it is not.)
#[test]
fn a_test_is_as_empty_as_the_schema_has_it() {
    let content = [
        "",
        " ",
        "\n",
        "<!-- c -->",
        "<?p i?>",
        "<!-- c --> ",
        "x",
        "<x/>",
        "&#32;",
    ];
    for kontrakt in Kontrakt::all() {
        let documents = content.map(|content| {
            let namespace = kontrakt.namespace();
            format!("<t:testaBastjanstInformation xmlns:t='{namespace}'>{content}</t:testaBastjanstInformation>")
        });
        let read = |document: &String| {
            let document = Bytes::from(document.clone());
            Anrop::read(document, None, &Limits::default()).is_ok()
        };
        let accepted: Vec<bool> = documents.iter().map(read).collect();
        assert_eq!(accepted[..3], [true, false, false]);
        for schema in Schema::all(kontrakt) {
            assert_eq!(schema.valid(&documents), accepted);
        }
    }
}

/// The worked examples of the contract, in both forms, when they are at hand.
#[test]
fn the_worked_examples_are_read_alike_in_both_forms() {
    let Some(contract) = support::contract() else {
        return;
    };
    let example = |name: &str| {
        let path = contract.join("ssbtek-v10/examples").join(name);
        Bytes::from(std::fs::read(path).expect("an example of the contract"))
    };
    let limits = Limits::default();
    let fraga = |name: &str| match Anrop::read(example(name), None, &limits).unwrap() {
        (Anrop::Fraga(fraga), form) => (fraga, form),
        (Anrop::Test(_), _) => panic!("a question"),
    };
    let (bare, bare_form) = fraga("request-all-agencies.xml");
    let (wrapped, form) = fraga("request-all-agencies.soap.xml");
    assert_eq!((bare_form, form), (Form::Bar, Form::Kuvert));
    assert!(bare.uppgifter() == wrapped.uppgifter());
    let meanings = |fraga: &Fraga| -> Vec<String> {
        let made = sub_questions(fraga);
        let texts = made.iter().map(|body| std::str::from_utf8(body).unwrap());
        texts.map(meaning_of).collect()
    };
    assert!(meanings(&bare) == meanings(&wrapped));
    let test = Anrop::read(example("testa-request.xml"), None, &limits).unwrap();
    assert!(matches!(test, (Anrop::Test(Kontrakt::V10), Form::Bar)));
    for answer in [
        "fault.soap.xml",
        "testa-response.soap.xml",
        "response-two-agencies-failing.xml",
    ] {
        assert!(
            Anrop::read(example(answer), None, &limits).is_err(),
            "{answer}"
        );
    }
}
