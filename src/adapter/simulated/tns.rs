//! Transportstyrelsen: the vehicles that a person owns (ssbtek-10, 4.6).

use super::Utfall;
use super::fraga::Frageunderlag;
use super::person::{Fordon, Person};
use super::xml::Xml;

/// The vehicles stand in a namespace of their own. Open content lets one in the responder's
/// namespace through a validator, so this is tested by hand.
const DECLARATIONS: &[(&str, &str)] = &[
    (
        "xmlns:tns",
        "http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1",
    ),
    (
        "xmlns:fordon",
        "http://schema.transportstyrelsen.se/ssbtek/fordon/1",
    ),
];

/// Centuries that the authority's own question can hold.
const SEKEL: &[&str] = &["19", "20"];

pub(super) fn svara(_fraga: &Frageunderlag<'_>, person: &Person) -> Utfall {
    if !SEKEL.iter().any(|sekel| person.number().starts_with(sekel)) {
        return Utfall::fel(
            "EJ-STALLBAR",
            "Transportstyrelsens fråga kan inte uttrycka personer födda före 1900",
        );
    }
    let mut xml = Xml::new();
    xml.text("tns:resultat", "OK").open("tns:fordonsinnehav");
    for fordon in person.fordon() {
        ett_fordon(&mut xml, &fordon);
    }
    xml.close("tns:fordonsinnehav");
    Utfall::Data {
        declarations: DECLARATIONS,
        content: xml.into_string(),
    }
}

fn ett_fordon(xml: &mut Xml, fordon: &Fordon) {
    xml.open("fordon:fordon")
        .text("fordon:regnr", &fordon.regnr)
        .text("fordon:fabrikat", fordon.fabrikat)
        .text("fordon:fordonsar", &fordon.ar.to_string())
        .text("fordon:fordonsslag", fordon.fordonsslag)
        .text("fordon:handelsbeteckning", fordon.handelsbeteckning)
        .close("fordon:fordon");
}
