//! The questions of an SSBTEK message: each data part is one person's (ssbtek-10, 6.2).

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use shs_schemas::shs::{DataPart, KnownIds, time};
use shs_schemas::ssbtek::{Datum, Fraga};

use crate::failure::{Failure, Rejection};
use crate::ingress::rules::{PERSONS_MAX, Rules};
use crate::insamling::{Person, PersonQuestion};

/// Reads the questions of a message, received at `now`.
///
/// # Errors
/// A [`Rejection`] of the whole message with the first thing that is wrong.
pub fn fragor(
    rules: &Rules,
    parts: Vec<DataPart>,
    ids: &KnownIds,
    now: DateTime<Utc>,
) -> Result<Vec<Person>, Rejection> {
    let today = time::swedish(now).date();
    if parts.is_empty() || parts.len() > PERSONS_MAX {
        return Err(Rejection::new(Failure::PersonCount, ids.clone()));
    }
    let mut fragor = Vec::with_capacity(parts.len());
    for (place, part) in parts.into_iter().enumerate() {
        let read = Fraga::read_declared(
            part.data.into_exposed(),
            part.content_type.charset(),
            &rules.question_limits,
        );
        let at = |fault| Rejection::at(Failure::Question, ids.clone(), Some(place + 1), fault);
        fragor.push((part.datapart_type, part.filename, read.map_err(at)?));
    }
    check_alike(fragor.iter().map(|(_, _, fraga)| fraga), ids)?;
    let persons = fragor
        .into_iter()
        .map(|(datapart_type, filename, fraga)| Person {
            datapart_type,
            filename,
            question: match fraga.avvisning(rules.person_check, datum(today)) {
                Some(avvisning) => PersonQuestion::Avvisad {
                    kontrakt: fraga.kontrakt(),
                    avvisning,
                },
                None => PersonQuestion::Fraga(Box::new(fraga)),
            },
        });
    Ok(persons.collect())
}

/// The calendar date as the contract writes it.
#[must_use]
pub fn datum(day: NaiveDate) -> Datum {
    // Month and day of a calendar date fit a byte.
    let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    Datum {
        ar: day.year(),
        manad: small(day.month()),
        dag: small(day.day()),
    }
}

/// One message: one ingivare, one version of the contract (ssbtek-10, 0.2 and 6.2).
fn check_alike<'a>(
    mut fragor: impl Iterator<Item = &'a Fraga>,
    ids: &KnownIds,
) -> Result<(), Rejection> {
    let Some(first) = fragor.next() else {
        return Ok(());
    };
    for fraga in fragor {
        if fraga.kontrakt() != first.kontrakt() {
            return Err(Rejection::new(Failure::MixedVersions, ids.clone()));
        }
        if fraga.ingivare_organisationsnummer() != first.ingivare_organisationsnummer() {
            return Err(Rejection::new(Failure::MixedIngivare, ids.clone()));
        }
    }
    Ok(())
}
