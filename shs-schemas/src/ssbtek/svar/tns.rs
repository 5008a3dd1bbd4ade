//! Transportstyrelsen's answer, in two namespaces (ssbtek-10, 4.6).

use super::simple::{INT, STRING};
use super::structure::{Element, Open, QName, Type, UNBOUNDED};
use crate::ssbtek::xsd::Rule;

const NS: &str = "http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1";
const FORDON: &str = "http://schema.transportstyrelsen.se/ssbtek/fordon/1";

/// A vehicle in the wrong namespace, which open content would let through and which its reader
/// would not see.
pub(super) const MISPLACED: QName = QName {
    namespace: NS,
    local: "fordon",
};

/// `data`: how it went, the vehicles, what went wrong.
pub(super) static DATA: Type = Type::named(
    NS,
    "HamtaUppgifterResponseType",
    &[
        Element::one(Some(NS), "resultat", &RESULTAT),
        Element::one(Some(NS), "fordonsinnehav", &FORDONSINNEHAV).optional(),
        Element::one(Some(NS), "felresultat", &FELRESULTAT).up_to(UNBOUNDED),
    ],
    Open::Other(NS),
);

static FELRESULTAT: Type = Type::named(
    NS,
    "FelresultatType",
    &[
        Element::one(Some(NS), "felresultat/felkod", &INT),
        Element::one(Some(NS), "felresultat/feltext", &STRING),
    ],
    Open::Other(NS),
);

static FORDONSINNEHAV: Type = Type::named(
    FORDON,
    "FordonsinnehavType",
    &[Element::one(Some(FORDON), "fordonsinnehav/fordon", &FORDONET).up_to(UNBOUNDED)],
    Open::Other(FORDON),
);

static FORDONET: Type = Type::named(
    FORDON,
    "FordonType",
    &[
        Element::one(Some(FORDON), "fordon/regnr", &STRING),
        Element::one(Some(FORDON), "fordon/fabrikat", &STRING),
        Element::one(Some(FORDON), "fordon/fordonsar", &STRING),
        Element::one(Some(FORDON), "fordon/fordonsslag", &STRING),
        Element::one(Some(FORDON), "fordon/handelsbeteckning", &STRING),
    ],
    Open::Other(FORDON),
);

static RESULTAT: Type = Type::simple(NS, "ResultatTypEnum", resultat);

fn resultat(text: &str) -> Result<(), Rule> {
    match text {
        "OK" | "FEL" => Ok(()),
        _ => Err("neither OK nor FEL"),
    }
}
