//! Types that all kinds of CSN's aid share (ssbtek-10, 4.2).

use super::simple::{STRING, at_most, digits};
use super::structure::{Check, Element, Open, Type};
use crate::ssbtek::xsd::Rule;

const NS: &str = "http://schema.csn.se/v4.0/csntyper";

/// A simple type of this namespace.
pub(super) const fn simple(namn: &'static str, check: Check) -> Type {
    Type::simple(NS, namn, check)
}

const fn one(path: &'static str, of: &'static Type) -> Element {
    Element::one(Some(NS), path, of)
}

pub(super) static FORTECKNING: Type = Type::named(
    NS,
    "studiestodstypforteckning",
    &[
        one("CSN/svar/studiemedel", &STRING),
        one("CSN/svar/studiehjalp", &STRING),
        one("CSN/svar/hemutrustningslan", &STRING),
        one("CSN/svar/studiestartsstod", &STRING),
        one("CSN/svar/omstallningsstudiestod", &STRING),
    ],
    Open::Closed,
);

pub(super) static SOKTTID: Type = Type::named(
    NS,
    "Sokttid",
    &[
        one("CSN/svar/soktfrom", &DATUM),
        one("CSN/svar/sokttom", &DATUM),
        one("CSN/svar/soktomfattning", &TAKT),
        one("CSN/svar/soktlan", &SOKTLAN).optional(),
    ],
    Open::Closed,
);

pub(super) static BEVILJADTID: Type = Type::named(
    NS,
    "Beviljadtid",
    &[
        one("CSN/svar/starttid", &VECKA),
        one("CSN/svar/sluttid", &VECKA),
        one("CSN/svar/takt", &TAKT).optional(),
        one("CSN/svar/gr_takt", &GR_TAKT).optional(),
        one("CSN/svar/Beloppen", &BELOPPEN),
        one("CSN/svar/totbelopp", &BELOPP),
    ],
    Open::Closed,
);

pub(super) static UTBETALNING: Type = Type::named(
    NS,
    "Utbetalning",
    &[
        one("CSN/svar/utbetdatum", &DATUM),
        one("CSN/svar/utbetstatus", &UTBETSTATUS),
        one("CSN/svar/Utbetaldatider", &UTBETALDATIDER),
        one("CSN/svar/totbelopp", &BELOPP),
    ],
    Open::Closed,
);

static UTBETALDATIDER: Type = Type::of(&[one("CSN/svar/Utbetaldtid", &UTBETALDTID).up_to(10)]);

static UTBETALDTID: Type = Type::named(
    NS,
    "Utbetaldtid",
    &[
        one("CSN/svar/startvecka", &VECKA).optional(),
        one("CSN/svar/slutvecka", &VECKA).optional(),
        one("CSN/svar/Beloppen", &BELOPPEN),
        one("CSN/svar/totbelopp", &BELOPP),
    ],
    Open::Closed,
);

static BELOPPEN: Type = Type::of(&[one("CSN/svar/Belopp", &ETT_BELOPP).up_to(10)]);

static ETT_BELOPP: Type = Type::named(
    NS,
    "Belopp",
    &[
        one("CSN/svar/beloppstyp", &BELOPPSTYP),
        one("CSN/svar/klartext", &KLARTEXT),
        one("CSN/svar/belopp", &BELOPP),
        one("CSN/svar/totbelopp", &BELOPP),
    ],
    Open::Closed,
);

pub(super) static STODFORM: Type = simple("stodform", |text| limited(text, 6));
pub(super) static KLARTEXT: Type = simple("klartext", |text| limited(text, 40));
pub(super) static RELARENDE: Type = simple("relarende", |text| number(text, 3));
pub(super) static STATUS: Type = simple("status", status);
static BELOPPSTYP: Type = simple("beloppstyp", |text| limited(text, 6));
static BELOPP: Type = simple("belopp", belopp);
static DATUM: Type = simple("datum", |text| number(text, 8));
static VECKA: Type = simple("vecka", |text| number(text, 8));
static TAKT: Type = simple("takt", takt);
static GR_TAKT: Type = simple("gr_takt", |text| number(text, 3));
static UTBETSTATUS: Type = simple("utbetstatus", utbetstatus);
static SOKTLAN: Type = simple("soktlan", soktlan);

/// At most `max` characters.
pub(super) fn limited(text: &str, max: usize) -> Result<(), Rule> {
    if at_most(text, max) {
        Ok(())
    } else {
        Err("too long")
    }
}

/// One to `max` digits.
pub(super) fn number(text: &str, max: usize) -> Result<(), Rule> {
    if !text.is_empty() && text.len() <= max && digits(text) {
        Ok(())
    } else {
        Err("not digits, or too many")
    }
}

/// At most seven characters: digits with or without a minus.
fn belopp(text: &str) -> Result<(), Rule> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    number(unsigned, 7 - (text.len() - unsigned.len()))
}

/// Of a matter; blank is ten blanks.
fn status(text: &str) -> Result<(), Rule> {
    match text {
        "          " | "BESLUTAD" | "INITIERAD" | "AVSLUTAD" | "BESLUTAT" | "INITIERAT"
        | "AVSLUTAT" => Ok(()),
        _ => Err("no status of a matter"),
    }
}

fn takt(text: &str) -> Result<(), Rule> {
    match text {
        "0" | "20" | "40" | "50" | "60" | "75" | "100" => Ok(()),
        _ => Err("no takt"),
    }
}

fn utbetstatus(text: &str) -> Result<(), Rule> {
    match text {
        "Utbetald" | "Planerad" | "UTBETALAD" => Ok(()),
        _ => Err("no status of a payment"),
    }
}

fn soktlan(text: &str) -> Result<(), Rule> {
    match text {
        " " | "J" => Ok(()),
        _ => Err("neither a blank nor J"),
    }
}
