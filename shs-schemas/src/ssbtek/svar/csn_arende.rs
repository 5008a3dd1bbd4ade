//! CSN's kinds of aid, each with its matters; inside a matter each kind has a namespace of its own
//! (ssbtek-10, 4.2).

use super::csn_typer::{
    BEVILJADTID, KLARTEXT, RELARENDE, SOKTTID, STATUS, STODFORM, UTBETALNING, limited, number,
};
use super::structure::{Attribute, Element, Open, Type, UNBOUNDED};
use crate::ssbtek::xsd::Rule;

const PERSON_NS: &str = "http://schema.csn.se/v4.0/person";

/// Matters of one kind at most.
const MATTERS_MAX: u32 = 10;
// The schema repeats a sequence of at most n elements at most n times, so n squared may come.
const SOKTA_MAX: u32 = 5 * 5;
const BEVILJADE_MAX: u32 = 10 * 10;
const PLAN_MAX: u32 = 50 * 50;

/// `Arenden` of one kind, over the type of its `Arende`.
macro_rules! kind {
    ($namn:ident, $arende:expr) => {
        pub(super) static $namn: Type = Type::of(&[Element::one(
            Some(PERSON_NS),
            "CSN/svar/Arenden",
            &Type::of(&[
                Element::one(Some(PERSON_NS), "CSN/svar/Arende", &$arende).up_to(MATTERS_MAX)
            ]),
        )
        .optional()]);
    };
}

/// What every matter has: `[stodform, klartext, status]`, then what the kind adds, then the plan.
macro_rules! arende {
    ($ns:expr, $attributes:expr, [$($more:expr),*], $plan:expr) => {
        Type::named(
            $ns,
            "arende",
            &[
                Element::one(Some($ns), "CSN/svar/stodform", &STODFORM),
                Element::one(Some($ns), "CSN/svar/klartext", &KLARTEXT),
                Element::one(Some($ns), "CSN/svar/status", &STATUS),
                $($more,)*
                list!($ns, "CSN/svar/UtbetalningsPlan", "CSN/svar/Utbetalning", UTBETALNING, $plan),
            ],
            Open::Closed,
        )
        .with($attributes)
    };
}

/// A required element with rows.
macro_rules! list {
    ($ns:expr, $path:expr, $row:expr, $of:ident, $max:expr) => {
        Element::one(
            Some($ns),
            $path,
            &Type::of(&[Element::one(Some($ns), $row, &$of).up_to($max)]),
        )
    };
}

/// The lists of times; one kind has them without bound.
macro_rules! sokta {
    ($ns:expr, $max:expr) => {
        list!(
            $ns,
            "CSN/svar/soktaTider",
            "CSN/svar/soktTid",
            SOKTTID,
            $max
        )
    };
}

macro_rules! beviljade {
    ($ns:expr, $max:expr) => {
        list!(
            $ns,
            "CSN/svar/BeviljadeTider",
            "CSN/svar/BeviljadTid",
            BEVILJADTID,
            $max
        )
    };
}

/// The three kinds that are alike.
macro_rules! study_aid {
    ($ns:expr) => {
        arende!(
            $ns,
            &[LOPNUMMER],
            [
                Element::one(Some($ns), "CSN/svar/relarende", &RELARENDE).optional(),
                sokta!($ns, SOKTA_MAX),
                beviljade!($ns, BEVILJADE_MAX)
            ],
            PLAN_MAX
        )
    };
}

const SM: &str = "http://schema.csn.se/v4.0/studiemedel";
const SH: &str = "http://schema.csn.se/v4.0/studiehjalp";
const HUT: &str = "http://schema.csn.se/v4.0/hemutrustningslan";
const SSS: &str = "http://schema.csn.se/v4.0/studiestartsstod";
const OSS: &str = "http://schema.csn.se/v4.0/omstallningsstudiestod";

kind!(STUDIEMEDEL, SM_ARENDE);
kind!(STUDIEHJALP, SH_ARENDE);
kind!(HEMUTRUSTNINGSLAN, HUT_ARENDE);
kind!(STUDIESTARTSSTOD, SSS_ARENDE);
kind!(OMSTALLNINGSSTUDIESTOD, OSS_ARENDE);

static SM_ARENDE: Type = study_aid!(SM);
static SH_ARENDE: Type = study_aid!(SH);
static SSS_ARENDE: Type = study_aid!(SSS);
static HUT_ARENDE: Type = arende!(HUT, &[LAN_LOPNUMMER, MEDLANARE], [], PLAN_MAX);
static OSS_ARENDE: Type = arende!(
    OSS,
    &[LOPNUMMER],
    [sokta!(OSS, UNBOUNDED), beviljade!(OSS, UNBOUNDED)],
    UNBOUNDED
);

const LOPNUMMER: Attribute = Attribute {
    namn: "lopnummer",
    required: true,
    check: lopnummer,
};
const LAN_LOPNUMMER: Attribute = Attribute {
    namn: "lopnummer",
    required: true,
    check: lan_lopnummer,
};
const MEDLANARE: Attribute = Attribute {
    namn: "medlanare",
    required: false,
    check: medlanare,
};

fn lopnummer(text: &str) -> Result<(), Rule> {
    number(text, 3)
}

fn lan_lopnummer(text: &str) -> Result<(), Rule> {
    number(text, 7)
}

fn medlanare(text: &str) -> Result<(), Rule> {
    limited(text, 12)
}
