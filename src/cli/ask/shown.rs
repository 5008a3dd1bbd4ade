//! A compiled answer, for people as a table and for programs as JSON: who said what.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use shs_schemas::Uppgiftslamnare;

use super::super::shown::printable;
use super::super::table::table;
use crate::client::Answered;
use crate::client::answer::{PersonAnswer, Said};

/// Writes the answer for people; `time_of` gives the time of one authority when it is known.
pub(in crate::cli) fn write_answer(
    out: &mut dyn Write,
    answered: &Answered,
    asked: &[String],
    took: Duration,
    time_of: impl Fn(Uppgiftslamnare) -> Option<Duration>,
) -> io::Result<()> {
    writeln!(
        out,
        "Reply {} in {:.0} ms, {} bytes",
        answered.message.label.tx_id,
        took.as_secs_f64() * 1_000.0,
        answered.raw.len()
    )?;
    let of = answered.persons.len();
    for (place, person) in answered.persons.iter().enumerate() {
        write_heading(out, place, of, asked)?;
        write_person(out, person, &time_of)?;
    }
    Ok(())
}

/// Writes whom the next lines are about.
pub(super) fn write_heading(
    out: &mut dyn Write,
    place: usize,
    of: usize,
    asked: &[String],
) -> io::Result<()> {
    let number = asked.get(place).map_or("", String::as_str);
    writeln!(out, "\nPerson {} of {of}: {number}\n", place + 1)
}

/// Writes what was answered about one person.
pub(super) fn write_person(
    out: &mut dyn Write,
    person: &PersonAnswer,
    time_of: &impl Fn(Uppgiftslamnare) -> Option<Duration>,
) -> io::Result<()> {
    match person {
        PersonAnswer::Fault {
            felkod,
            felmeddelanden,
        } => {
            let texts = printable(&felmeddelanden.expose().join("; "));
            writeln!(out, "nobody was asked: {}: {texts}", printable(felkod))
        }
        PersonAnswer::Response(_) => writeln!(out, "{}", party_table(person, time_of)),
    }
}

fn party_table(
    person: &PersonAnswer,
    time_of: &impl Fn(Uppgiftslamnare) -> Option<Duration>,
) -> String {
    let rows = person.per_party().into_iter().map(|(ul, said)| {
        let time = time_of(ul).map_or(String::new(), |took| {
            format!("{:.1} ms", took.as_secs_f64() * 1_000.0)
        });
        let (answer, bytes) = in_words(&said);
        vec![
            ul.kod().to_owned(),
            ul.namn().to_owned(),
            answer,
            bytes,
            time,
        ]
    });
    table(&["", "AUTHORITY", "ANSWER", "BYTES", "TIME"], &[3, 4], rows)
}

fn in_words(said: &Said) -> (String, String) {
    match said {
        Said::Data(bytes) => ("data".to_owned(), bytes.to_string()),
        Said::Error(kalla, felkod) => (format!("error {kalla} {felkod}"), String::new()),
        Said::Unavailable(state) => (format!("unavailable ({state})"), String::new()),
        Said::NotAsked => ("not asked".to_owned(), String::new()),
    }
}

/// The answer for programs: who said what, without its content.
#[derive(Serialize)]
pub(super) struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tx_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) corr_id: Option<String>,
    pub(super) elapsed_ms: u128,
    pub(super) persons: Vec<ShownPerson>,
}

#[derive(Serialize)]
pub(super) struct ShownPerson {
    /// Why there is no answer at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault_texts: Option<Vec<String>>,
    parties: Vec<ShownParty>,
}

#[derive(Serialize)]
struct ShownParty {
    kod: &'static str,
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kalla: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    felkod: Option<String>,
}

impl Shown {
    pub(super) fn of(answered: &Answered, took: Duration) -> Self {
        Self {
            tx_id: Some(answered.message.label.tx_id.to_string()),
            corr_id: Some(answered.message.label.corr_id.to_string()),
            elapsed_ms: took.as_millis(),
            persons: answered.persons.iter().map(ShownPerson::of).collect(),
        }
    }
}

impl ShownPerson {
    /// A person about whom there is no answer, and why.
    pub(super) fn without(error: &str) -> Self {
        Self {
            error: Some(error.to_owned()),
            fault: None,
            fault_texts: None,
            parties: Vec::new(),
        }
    }

    pub(super) fn of(person: &PersonAnswer) -> Self {
        let (fault, fault_texts) = match person {
            PersonAnswer::Fault {
                felkod,
                felmeddelanden,
            } => (Some(felkod.clone()), Some(felmeddelanden.expose().clone())),
            PersonAnswer::Response(_) => (None, None),
        };
        Self {
            error: None,
            fault,
            fault_texts,
            parties: person.per_party().into_iter().map(ShownParty::of).collect(),
        }
    }
}

impl ShownParty {
    fn of((ul, said): (Uppgiftslamnare, Said)) -> Self {
        let (answer, bytes, kalla, felkod) = match said {
            Said::Data(bytes) => ("data", Some(bytes), None, None),
            Said::Error(kalla, felkod) => ("error", None, Some(kalla), Some(felkod)),
            Said::Unavailable(state) => ("unavailable", None, None, Some(state)),
            Said::NotAsked => ("not asked", None, None, None),
        };
        Self {
            kod: ul.kod(),
            answer,
            bytes,
            kalla,
            felkod,
        }
    }
}
