//! The answer of Sveriges a-kassor (ssbtek-10, 4.5).

use super::simple::{BOOLEAN, DATE, DECIMAL, STRING, twelve_digits};
use super::structure::{Content, Element, Open, Type, UNBOUNDED};

const NS: &str = "http://INT014.UBPService.Schemas";

const fn one(path: &'static str, of: &'static Type) -> Element {
    Element::one(Some(NS), path, of)
}

/// `data`: the fields of the question, then one row per a-kassa.
pub(super) static DATA: Type = Type::named(
    NS,
    "GetUnemploymentBenefitPaymentResponseType",
    &[
        one("OrganisationsnummerIngivare", &STRING),
        one("NamnIngivare", &STRING),
        one("KontonamnHandlaggare", &STRING),
        one("Referensnummer", &STRING),
        one("From", &DATE),
        one("Tom", &DATE),
        one("Syfte", &STRING),
        one("Paragraf", &STRING),
        one("OrganisationsnummerPersonuppgiftsbitrade", &STRING).up_to(UNBOUNDED),
        one("NamnPersonuppgiftsbitrade", &STRING).up_to(UNBOUNDED),
        one("IdentificationNumber", &IDENTIFICATION),
        one("ArbetsloshetsersattningLista", &LISTA),
    ],
    Open::Closed,
);

static IDENTIFICATION: Type = Type::anonymous(Content::Checked(twelve_digits));

static LISTA: Type = Type::of(&[one(
    "ArbetsloshetsersattningLista/Arbetsloshetsersattning",
    &ERSATTNING,
)
.up_to(UNBOUNDED)]);

static ERSATTNING: Type = Type::of(&[
    one("Arbetsloshetsersattning/SvarandeOrganisation", &STRING),
    one(
        "Arbetsloshetsersattning/StatusSvarandeOrganisation",
        &STRING,
    ),
    one("Arbetsloshetsersattning/Utbetalningar", &UTBETALNINGAR).up_to(UNBOUNDED),
    one("Arbetsloshetsersattning/Avstangningar", &AVSTANGNINGAR).up_to(UNBOUNDED),
    one("Arbetsloshetsersattning/AnsoktOmErsattning", &ANSOKT).optional(),
]);

static UTBETALNINGAR: Type = Type::of(&[
    one("Utbetalningar/Utbetalningsdatum", &DATE),
    one("Utbetalningar/NettoEfterSkatt", &DECIMAL),
    one("Utbetalningar/NettoEfterAvdrag", &DECIMAL),
    one("Utbetalningar/Ersattningsdagar", &DECIMAL),
    one("Utbetalningar/AvserFrom", &DATE),
    one("Utbetalningar/AvserTom", &DATE),
]);

static AVSTANGNINGAR: Type = Type::of(&[
    one("Avstangningar/AvstangdFrom", &DATE),
    one("Avstangningar/AvstangdTom", &DATE),
]);

static ANSOKT: Type = Type::of(&[
    one("AnsoktOmErsattning/BeslutOmRattTillErsattning", &DATE).nillable(),
    one("AnsoktOmErsattning/AnsokanOmUtbetalningInlamnad", &BOOLEAN),
]);
