//! Försäkringskassan: benefits in LEFI's information model (ssbtek-10, 4.3).
//!
//! Payments and other information do not land under the member that asked for them, but within
//! `formansinformation`.

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};
use shs_schemas::Uppgiftslamnare;

use super::Utfall;
use super::fraga::{Frageunderlag, den_25, manader};
use super::lefi::{self, Begaran, Del, iso};
use super::person::{Livssituation, Person};

/// Where the cases of a benefit group stand. The groups that the contract does not describe are
/// answered with nothing, like any benefit that the person does not have.
const ARENDEN: &[(&str, &str)] = &[
    ("FK:ABB", "barnbidragsarende"),
    ("FK:AS", "aktivitetsstodsarende"),
    ("FK:BOB", "bostadsbidragsarende"),
    ("FK:FP", "foraldrapenningarende"),
    ("FK:MABB", "mottagareavbarnbidrag"),
    ("FK:SJP", "sjukpenningarende"),
    ("FK:TFP", "tillfalligForaldrapenningarende"),
];

/// Other information that is asked for by code and has an array of its own.
const OVRIGT_TOMT: &[(&str, &str)] = &[
    ("FK:PANV", "programanvisning"),
    ("FK:SKUP", "skatteuppgift"),
];

pub(super) fn svara(fraga: &Frageunderlag<'_>, person: &Person) -> Utfall {
    let begaran = match Begaran::read(fraga, Uppgiftslamnare::FK) {
        Ok(begaran) => begaran,
        Err(refusal) => return refusal,
    };
    let mut information = Map::new();
    arenden(&mut information, &begaran, person);
    ovrigt(&mut information, &begaran, person);
    utbetalningar(&mut information, &begaran, fraga, person);
    let mut svar = begaran.svar();
    svar.insert("formansinformation".to_owned(), Value::Object(information));
    lefi::data(svar)
}

fn arenden(information: &mut Map<String, Value>, begaran: &Begaran, person: &Person) {
    for (kod, member) in ARENDEN {
        if begaran.asks_for(Del::Formansinformation, kod) {
            let rows = if har(person, kod) {
                vec![arende(kod, begaran, person)]
            } else {
                Vec::new()
            };
            information.insert((*member).to_owned(), Value::Array(rows));
        }
    }
}

/// Whether a person has a benefit of FK.
fn har(person: &Person, kod: &str) -> bool {
    let foralder = !person.barn().is_empty();
    match kod {
        "FK:ABB" | "FK:MABB" | "FK:BOB" | "FK:FP" => foralder,
        "FK:TFP" => foralder && person.situation() == Livssituation::Foralder,
        "FK:AS" => person.situation() == Livssituation::Nyanland,
        "FK:SJP" => {
            person.situation() == Livssituation::Bilagare && person.draw("sjuk").below(3) == 0
        }
        _ => false,
    }
}

fn arende(kod: &str, begaran: &Begaran, person: &Person) -> Value {
    let startades = person.days_ago(kod, 40, 300);
    let beslut = json!([beslut(kod, startades, begaran)]);
    let mut arende = match kod {
        "FK:ABB" | "FK:MABB" => json!({}),
        "FK:SJP" => json!({"startades": iso(startades), "aktivt": true}),
        _ => json!({"startades": iso(startades), "aktivt": true, "avslaget": false}),
    };
    arende["beslut"] = beslut;
    match kod {
        "FK:FP" | "FK:TFP" => {
            let yngst = person.barn().pop();
            arende["grunduppgifter"] = json!({"barn": barn(person, yngst)});
        }
        "FK:MABB" => {
            let yngst = person.barn().pop();
            arende["grunduppgifter"] = json!({"personuppgift": barn(person, yngst)});
        }
        _ => {}
    }
    arende
}

fn beslut(kod: &str, startades: NaiveDate, begaran: &Begaran) -> Value {
    let forman = kod.trim_start_matches("FK:");
    let mut beslut = json!({
        "fattades": iso(startades + Days::new(14)),
        "definitivt": true,
        "forman": {"id": forman, "beskrivning": lefi::typ(kod)["beskrivning"]},
        "period": {"fran": iso(begaran.from), "till": iso(begaran.tom)},
    });
    match kod {
        "FK:BOB" | "FK:ABB" | "FK:MABB" | "FK:AS" => {
            beslut["periodicitet"] = json!({"id": 1, "beskrivning": "Månadsvis"});
        }
        "FK:FP" => {
            beslut["omfattning"] = json!({"taljare": 1, "namnare": 2});
            beslut["ersattning"] = json!({"id": 3, "beskrivning": "Vanliga dagar"});
        }
        "FK:SJP" => {
            beslut["omfattning"] = json!({"taljare": 1, "namnare": 1});
            beslut["beslutsutfall"] = json!("BIFALL");
        }
        _ => {}
    }
    beslut
}

/// A child: born on a day, with the parent's family name and no number (a number could be
/// somebody's).
fn barn(person: &Person, fodd: Option<NaiveDate>) -> Value {
    json!({
        "foddes": fodd.map(iso),
        "namn": format!("{}, BARN", person.efternamn().to_uppercase()),
        "skyddad": false,
    })
}

fn ovrigt(information: &mut Map<String, Value>, begaran: &Begaran, person: &Person) {
    if begaran.asks_for(Del::OvrigInformation, "FK:GEPI") {
        let rows = if person.known() {
            vec![personinformation(person)]
        } else {
            Vec::new()
        };
        information.insert("generellPersoninformation".to_owned(), Value::Array(rows));
    }
    if begaran.asks_for(Del::OvrigInformation, "FK:SGI") {
        let rows = if person.known() && person.pension().is_none() {
            let arsinkomst = 150_000 + 1_000 * person.small("sgi", 250);
            vec![json!({
                "faststalldes": iso(person.days_ago("sgi-faststalldes", 100, 200)),
                "typ": {"id": 0, "beskrivning": "A- eller B-inkomst"},
                "anstallning": kronor(f64::from(arsinkomst)),
            })]
        } else {
            Vec::new()
        };
        information.insert(
            "sjukpenninggrundandeInkomstuppgift".to_owned(),
            Value::Array(rows),
        );
    }
    for (kod, member) in OVRIGT_TOMT {
        if begaran.asks_for(Del::OvrigInformation, kod) {
            information.insert((*member).to_owned(), json!([]));
        }
    }
}

fn personinformation(person: &Person) -> Value {
    let civilstand = match person.situation() {
        // Who draws a survivor's pension has survived somebody.
        Livssituation::FleraFormaner => json!({"id": 7, "beskrivning": "Änka/Änkeman"}),
        _ if person.draw("civilstand").below(2) == 0 => json!({"id": 1, "beskrivning": "Ogift"}),
        _ => json!({"id": 2, "beskrivning": "Gift"}),
    };
    let barnen: Vec<Value> = person
        .barn()
        .into_iter()
        .map(|fodd| barn(person, Some(fodd)))
        .collect();
    json!({
        "personnummer": person.number(),
        "foddes": iso(person.fodd()),
        "namn": format!("{}, {}", person.efternamn(), person.fornamn()).to_uppercase(),
        "skyddad": false,
        "civilstand": civilstand,
        "barn": barnen,
    })
}

/// The benefits that are paid by the month: code, kronor before tax, whether taxed.
fn manadsbelopp(person: &Person) -> Vec<(&'static str, f64, bool)> {
    let barn = u32::try_from(person.barn().len()).unwrap_or(0);
    let mut rows = Vec::new();
    for (kod, belopp, skatt) in [
        ("FK:ABB", 1_250 * barn, false),
        ("FK:BOB", 1_400 + 100 * person.small("bob", 18), false),
        ("FK:FP", 6_300 + 10 * person.small("fp", 500), true),
        ("FK:AS", 8_600, false),
        ("FK:SJP", 11_000 + 10 * person.small("sjp", 800), true),
    ] {
        if har(person, kod) {
            // Öre occur in what is computed by the day.
            let ore = if skatt { 0.5 } else { 0.0 };
            rows.push((kod, f64::from(belopp) + ore, skatt));
        }
    }
    rows
}

fn utbetalningar(
    information: &mut Map<String, Value>,
    begaran: &Begaran,
    fraga: &Frageunderlag<'_>,
    person: &Person,
) {
    let wanted = |del| {
        let mut rows = manadsbelopp(person);
        rows.retain(|(kod, ..)| begaran.asks_for(del, kod));
        rows
    };
    let paydays: Vec<_> = manader(begaran.from, begaran.tom)
        .into_iter()
        .map(|(first, last)| (den_25(first), first, last))
        .collect();
    if begaran.asks(Del::PreliminaraUtbetalningar) {
        let coming = paydays.iter().filter(|(dag, ..)| *dag > fraga.idag).take(1);
        let rows = rader(coming, &wanted(Del::PreliminaraUtbetalningar));
        information.insert("preliminarautbetalningar".to_owned(), rows);
    }
    if begaran.asks(Del::Utbetalningar) {
        let done = paydays.iter().filter(|(dag, ..)| *dag <= fraga.idag);
        let rows = rader(done, &wanted(Del::Utbetalningar));
        information.insert("utbetalningsuppgift".to_owned(), rows);
    }
}

fn rader<'a>(
    paydays: impl Iterator<Item = &'a (NaiveDate, NaiveDate, NaiveDate)>,
    belopp: &[(&'static str, f64, bool)],
) -> Value {
    paydays
        .flat_map(|payday| {
            belopp
                .iter()
                .map(move |belopp| utbetalning(*payday, *belopp))
        })
        .collect()
}

fn utbetalning(
    (dag, first, last): (NaiveDate, NaiveDate, NaiveDate),
    (kod, brutto, beskattad): (&str, f64, bool),
) -> Value {
    let skatt = if beskattad {
        (brutto * 0.3).round()
    } else {
        0.0
    };
    let forman = kod.trim_start_matches("FK:");
    json!({
        "typ": {"id": 1, "beskrivning": "Månad"},
        "foretag": {"id": 1001, "beskrivning": "Försäkringskassan"},
        "formansfamilj": {"id": forman, "beskrivning": lefi::typ(kod)["beskrivning"]},
        "datum": iso(dag),
        "period": {"fran": iso(first), "till": iso(last)},
        "bruttobelopp": kronor(brutto),
        "skattebelopp": kronor(skatt),
        // Tax counts as a deduction too.
        "avdragsbelopp": kronor(skatt),
        "nettobelopp": kronor(brutto - skatt),
    })
}

fn kronor(summa: f64) -> Value {
    json!({"summa": summa, "valuta": "SEK"})
}
