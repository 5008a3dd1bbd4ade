//! Migrationsverket's answer: nothing in it is in a namespace (ssbtek-10, 4.7).

use super::bilaga3::MIV;
use super::simple::{DATE, STRING};
use super::structure::{Element, Open, Type, UNBOUNDED};
use crate::ssbtek::xsd::Rule;

/// Namespace of the names of its types.
const TYPES: &str = "http://schema.migrationsverket.se/ssbtek/1/";

const fn one(path: &'static str, of: &'static Type) -> Element {
    Element::one(None, path, of).listed(&MIV)
}

const fn maybe(path: &'static str, of: &'static Type) -> Element {
    one(path, of).optional()
}

/// `data`, which may be empty.
pub(super) static DATA: Type = Type::named(
    TYPES,
    "findByPersonnummerResponse",
    &[maybe("response", &RESPONSE)],
    Open::Closed,
);

static RESPONSE: Type = Type::named(
    TYPES,
    "fkResponse",
    &[
        // Ours back, then Migrationsverket's own.
        maybe("response/korrelationsid", &STRING),
        one("response/correlationid", &STRING),
        maybe("response/efternamn", &STRING),
        maybe("response/fornamn", &STRING),
        maybe("response/hemland", &STRING),
        maybe("response/inresedatum", &DATE),
        maybe("response/personnummer", &STRING),
        maybe("response/svarCollection", &COLLECTION),
    ],
    Open::Closed,
);

static COLLECTION: Type = Type::of(&[maybe("svarCollection/svar", &SVAR)
    .up_to(UNBOUNDED)
    .nillable()]);

static SVAR: Type = Type::named(
    TYPES,
    "fkSvar",
    &[
        maybe("svar/anledning", &STRING),
        maybe("svar/anledningNamn", &STRING),
        maybe("svar/ansokningsdatum", &DATE),
        maybe("svar/arendeTyp", &STRING),
        maybe("svar/arendeTypNamn", &STRING),
        maybe("svar/beslutsKod", &STRING),
        maybe("svar/beslutsKodNamn", &STRING),
        maybe("svar/beslutsTyp", &STRING),
        maybe("svar/beslutsTypNamn", &STRING),
        maybe("svar/beslutsdatum", &DATE),
        maybe("svar/fromDatum", &DATE),
        maybe("svar/giltighetstid", &GILTIGHETSTID),
        maybe("svar/tomDatum", &DATE),
    ],
    Open::Closed,
);

static GILTIGHETSTID: Type = Type::simple(TYPES, "giltighetstid", giltighetstid);

fn giltighetstid(text: &str) -> Result<(), Rule> {
    match text {
        "PERMANENT" | "TIDBEGRANSAT" => Ok(()),
        _ => Err("neither PERMANENT nor TIDBEGRANSAT"),
    }
}
