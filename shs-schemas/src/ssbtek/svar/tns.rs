//! Transportstyrelsen's answer, in two namespaces (ssbtek-10, 4.6).

use super::bilaga3;
use super::simple::{INT, STRING};
use super::structure::{Element, Open, QName, Type, UNBOUNDED};
use crate::ssbtek::xsd::Rule;

const NS: &str = "http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1";
const FORDON: &str = "http://schema.transportstyrelsen.se/ssbtek/fordon/1";

const fn one(namespace: &'static str, path: &'static str, of: &'static Type) -> Element {
    Element::one(Some(namespace), path, of).listed(&bilaga3::TNS)
}

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
        one(NS, "resultat", &RESULTAT),
        one(NS, "fordonsinnehav", &FORDONSINNEHAV).optional(),
        one(NS, "felresultat", &FELRESULTAT).up_to(UNBOUNDED),
    ],
    Open::Other(NS),
);

static FELRESULTAT: Type = Type::named(
    NS,
    "FelresultatType",
    &[
        one(NS, "felresultat/felkod", &INT),
        one(NS, "felresultat/feltext", &STRING),
    ],
    Open::Other(NS),
);

static FORDONSINNEHAV: Type = Type::named(
    FORDON,
    "FordonsinnehavType",
    &[one(FORDON, "fordonsinnehav/fordon", &FORDONET).up_to(UNBOUNDED)],
    Open::Other(FORDON),
);

static FORDONET: Type = Type::named(
    FORDON,
    "FordonType",
    &[
        one(FORDON, "fordon/regnr", &STRING),
        one(FORDON, "fordon/fabrikat", &STRING),
        one(FORDON, "fordon/fordonsar", &STRING),
        one(FORDON, "fordon/fordonsslag", &STRING),
        one(FORDON, "fordon/handelsbeteckning", &STRING),
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
