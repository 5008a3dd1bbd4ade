//! What the tests of calls agree on: a question, a test, envelopes around them, and what must be
//! true of everything that is made of a question.

use bytes::Bytes;

use super::{Anrop, Anropsfel, Form};
use crate::ssbtek::{Datum, Fordelning, Fraga, Kontrakt, kuvert, sammanstall};
use crate::xml::Limits;

pub(in crate::ssbtek) const NS: &str = "http://schema.forsakringskassan.se/integration/ssbt/10";
const ALLA: &str = include_str!("../../../tests/corpus/spec/fraga-alla-10.xml");
pub(in crate::ssbtek) const TEST: &str = "<t:testaBastjanstInformation xmlns:t='http://schema.forsakringskassan.se/integration/ssbt/11'/>";
const IDAG: Datum = Datum {
    ar: 2026,
    manad: 11,
    dag: 22,
};

pub(in crate::ssbtek) fn read_bytes(
    document: Vec<u8>,
    charset: Option<&str>,
) -> Result<(Anrop, Form), Anropsfel> {
    Anrop::read(Bytes::from(document), charset, &Limits::default())
}

pub(in crate::ssbtek) fn read(document: &str) -> Result<(Anrop, Form), Anropsfel> {
    read_bytes(document.as_bytes().to_vec(), None)
}

pub(in crate::ssbtek) fn refused(document: &str) -> Anropsfel {
    match read(document) {
        Err(fel) => fel,
        Ok(read) => panic!("{read:?}: {document}"),
    }
}

pub(in crate::ssbtek) fn fraga(document: &str) -> Fraga {
    match read(document) {
        Ok((Anrop::Fraga(fraga), _)) => *fraga,
        other => panic!("{other:?}: {document}"),
    }
}

/// The question of the corpus without what stands before its root.
pub(in crate::ssbtek) fn question() -> &'static str {
    &ALLA[ALLA.find("<b:hamta").unwrap()..]
}

/// The same without the declaration of its prefix.
pub(in crate::ssbtek) fn undeclared() -> String {
    let declaration = format!(" xmlns:b=\"{NS}\"");
    assert!(question().contains(&declaration));
    question().replacen(&declaration, "", 1)
}

pub(in crate::ssbtek) fn in_body(body: &str) -> String {
    with_header("", body)
}

pub(in crate::ssbtek) fn with_header(header: &str, body: &str) -> String {
    let soap = kuvert::SOAP;
    format!("<s:Envelope xmlns:s='{soap}'>{header}<s:Body>{body}</s:Body></s:Envelope>")
}

pub(in crate::ssbtek) fn sub_questions(fraga: &Fraga) -> Vec<Bytes> {
    fraga
        .delfragor(&Fordelning::alla(), IDAG)
        .into_iter()
        .map(|delfraga| delfraga.body.unwrap())
        .collect()
}

/// That sub-questions and echo need nothing of the envelope.
pub(in crate::ssbtek) fn assert_self_contained(fraga: &Fraga) {
    let made = sub_questions(fraga);
    assert_eq!(made.len(), 8);
    for body in made {
        let sub = Fraga::read(body, &Limits::default()).unwrap();
        assert_eq!(sub.kontrakt(), Kontrakt::V10);
        assert!(sub.uppgifter().ingivare_namn == "Exempelköpings kommun");
    }
    let response = sammanstall(fraga, Form::Bar, &[]).document;
    let response = std::str::from_utf8(&response).unwrap();
    let response = roxmltree::Document::parse(response).unwrap();
    let echo = response.root_element().first_element_child().unwrap();
    assert!(echo.has_tag_name((NS, "fraga")));
    for element in echo.descendants().filter(roxmltree::Node::is_element) {
        assert_eq!(element.tag_name().namespace(), Some(NS));
    }
}
