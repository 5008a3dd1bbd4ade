//! Pensionsmyndigheten: claims, decisions and payments in LEFI's other information model, answered
//! in FK's element (ssbtek-10, 4.3 and 4.8). Its amounts are whole kronor.

use chrono::{Datelike, Days, NaiveDate};
use serde_json::{Value, json};
use shs_schemas::Uppgiftslamnare;

use super::Utfall;
use super::fraga::{Frageunderlag, manader};
use super::lefi::{self, Begaran, Del, iso};
use super::person::{Pension, Pensionsslag, Person};

/// Day of the month on which pensions are paid here.
const UTBETALNINGSDAG: u32 = 18;

pub(super) fn svara(fraga: &Frageunderlag<'_>, person: &Person) -> Utfall {
    let begaran = match Begaran::read(fraga, Uppgiftslamnare::PM) {
        Ok(begaran) => begaran,
        Err(refusal) => return refusal,
    };
    let mut svar = begaran.svar();
    let formaner = person.pension().map(formaner).unwrap_or_default();
    let wanted = |del| -> Vec<Forman> {
        formaner
            .iter()
            .filter(|forman| begaran.asks_for(del, forman.grupp))
            .copied()
            .collect()
    };
    if begaran.asks(Del::Ansprak) {
        let rows = wanted(Del::Ansprak)
            .iter()
            .map(|forman| ansprak(forman, person))
            .collect();
        svar.insert("ansprak".to_owned(), rows);
    }
    if begaran.asks(Del::Beslut) {
        let rows = wanted(Del::Beslut)
            .iter()
            .map(|forman| beslut(forman, person))
            .collect();
        svar.insert("beslut".to_owned(), rows);
    }
    let paydays = || {
        manader(begaran.from, begaran.tom)
            .into_iter()
            .map(|(first, last)| {
                (
                    first.with_day(UTBETALNINGSDAG).unwrap_or(first),
                    first,
                    last,
                )
            })
    };
    if begaran.asks(Del::PreliminaraUtbetalningar) {
        let coming = paydays().filter(|(dag, ..)| *dag > fraga.idag).take(1);
        svar.insert(
            "preliminaraUtbetalningar".to_owned(),
            utbetalningar(coming, &wanted(Del::PreliminaraUtbetalningar)),
        );
    }
    if begaran.asks(Del::Utbetalningar) {
        let done = paydays().filter(|(dag, ..)| *dag <= fraga.idag);
        svar.insert(
            "utbetalningar".to_owned(),
            utbetalningar(done, &wanted(Del::Utbetalningar)),
        );
    }
    if begaran.asks(Del::OvrigInformation) {
        svar.insert("ovrigInformation".to_owned(), ovrigt(&begaran, person));
    }
    lefi::data(svar)
}

/// A benefit that is paid by the month.
#[derive(Clone, Copy)]
struct Forman {
    grupp: &'static str,
    /// Kronor a month before tax.
    brutto: u32,
    beskattad: bool,
    /// Payment benefit: code and description.
    utbetalningsforman: (&'static str, &'static str),
    /// Kind of amount: code and description.
    beloppstyp: (&'static str, &'static str),
}

fn formaner(pension: Pension) -> Vec<Forman> {
    let (grupp, utbetalningsforman, beloppstyp) = match pension.slag {
        Pensionsslag::Allman => (
            "PM:AP",
            ("PM:AP38", "Allmän pension"),
            ("PM:IP", "Inkomstpension"),
        ),
        Pensionsslag::Efterlevande => (
            "PM:EF",
            ("PM:EP", "Efterlevandepension"),
            ("PM:OP", "Omställningspension"),
        ),
    };
    let mut formaner = vec![Forman {
        grupp,
        brutto: pension.brutto,
        beskattad: true,
        utbetalningsforman,
        beloppstyp,
    }];
    if let Some(brutto) = pension.bostadstillagg {
        formaner.push(Forman {
            grupp: "PM:BTI",
            brutto,
            beskattad: false,
            utbetalningsforman: ("PM:BTP", "Bostadstillägg"),
            beloppstyp: ("PM:BTP", "Bostadstillägg"),
        });
    }
    formaner
}

fn ansprak(forman: &Forman, person: &Person) -> Value {
    let ankom = ankom(forman, person);
    json!({
        "ansprakid": format!("A-{:05}", person.draw(forman.grupp).below(100_000)),
        "ankomstdatum": iso(ankom),
        "formansgrupp": lefi::typ(forman.grupp),
        "yrkadPeriod": {"from": iso(nasta_manad(ankom))},
    })
}

fn beslut(forman: &Forman, person: &Person) -> Value {
    let ankom = ankom(forman, person);
    json!({
        "beslutsid": format!("B-{:05}", person.draw(forman.grupp).below(100_000)),
        "beslutsdatum": iso(ankom + Days::new(17)),
        "formansgrupp": lefi::typ(forman.grupp),
        "beslutsstatus": {"kod": "SLUTLIGT", "beskrivning": "Slutligt"},
        "beslutsutfall": {"kod": "BIFALL", "beskrivning": "Bifall"},
        "beslutadErsattning": [{
            "beslutatBelopp": {
                "belopp": forman.brutto,
                "beloppsfrekvens": {"kod": "MANAD", "beskrivning": "Månad"},
            },
            "period": {"from": iso(nasta_manad(ankom))},
            "omfattning": 1.0,
        }],
    })
}

fn ankom(forman: &Forman, person: &Person) -> NaiveDate {
    person.days_ago(forman.grupp, 200, 150)
}

fn nasta_manad(day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).unwrap_or(day);
    first
        .checked_add_months(chrono::Months::new(1))
        .unwrap_or(first)
}

fn utbetalningar(
    paydays: impl Iterator<Item = (NaiveDate, NaiveDate, NaiveDate)>,
    formaner: &[Forman],
) -> Value {
    if formaner.is_empty() {
        return json!([]);
    }
    paydays
        .map(|payday| utbetalning(payday, formaner))
        .collect()
}

/// One payment for all benefits together, with a row for each.
fn utbetalning(
    (dag, first, last): (NaiveDate, NaiveDate, NaiveDate),
    formaner: &[Forman],
) -> Value {
    let brutto: u32 = formaner.iter().map(|forman| forman.brutto).sum();
    let beskattat: u32 = formaner
        .iter()
        .filter(|forman| forman.beskattad)
        .map(|f| f.brutto)
        .sum();
    let skatt = beskattat * 3 / 10;
    let rader: Vec<Value> = formaner
        .iter()
        .map(|forman| {
            json!({
                "formansgrupp": lefi::typ(forman.grupp),
                "belopp": forman.brutto,
                "utbetalningsforman": kod(forman.utbetalningsforman),
                "beloppstyp": kod(forman.beloppstyp),
            })
        })
        .collect();
    json!({
        "utbetalningsdatum": iso(dag),
        "utbetalningsperiod": {"from": iso(first), "tom": iso(last)},
        "bruttobelopp": brutto,
        "nettobelopp": brutto - skatt,
        "avdrag": [{"belopp": skatt, "avdragstyp": kod(("PM:PS", "Preliminär skatt"))}],
        "utbetalningsrader": rader,
    })
}

fn ovrigt(begaran: &Begaran, person: &Person) -> Value {
    let mut rows = Vec::new();
    // Nobody living in Sweden needs a certificate of life: only pension bases remain.
    if begaran.asks_for(Del::OvrigInformation, "PM:PU") && person.pension().is_some() {
        rows.push(json!({
            "informationstyp": lefi::typ("PM:PU"),
            "pensionsunderlag": {"intjanandear": []},
        }));
    }
    Value::Array(rows)
}

fn kod((kod, beskrivning): (&str, &str)) -> Value {
    json!({"kod": kod, "beskrivning": beskrivning})
}
