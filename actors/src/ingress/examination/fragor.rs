//! The questions of an SSBTEK message: each data part is one person's (ssbtek-10, 6.2).

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use shs_schemas::shs::{self, DataPart, KnownIds, time};
use shs_schemas::ssbtek::{Anrop, Anropsfel, Avvisning, Datum, Fraga, Organisationsnummer, Orsak};

use super::soap::exchange;
use super::{Open, etikett};
use crate::caller::Caller;
use crate::failure::{Anropsplats, Failure, Rejection};
use crate::ingress::rules::{PERSONS_MAX, Rules};
use crate::insamling::{Person, PersonQuestion};

/// Who asks: what the message says, and what its caller has proven.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Sender of the message.
    pub sender: shs::Organisationsnummer,
    /// Who brought it.
    pub caller: Caller,
}

impl Asker {
    /// Whether it may ask for this body at `now`: for itself, which has been looked at, and for others
    /// that its certificate stands for (an ombud's for several; ssbtek-10, 10 row 21), when they are
    /// connected and have an agreement of their own. Those are looked for in the configuration, as
    /// `[[aktor]]` is where a certificate is given to several.
    fn may_ask_for(
        &self,
        ingivare: Organisationsnummer,
        rules: &Rules,
        now: DateTime<Utc>,
    ) -> bool {
        let Ok(ingivare) = shs::Organisationsnummer::parse(ingivare.as_str()) else {
            return false;
        };
        if ingivare == self.sender {
            return true;
        }
        let exchange = exchange(rules, ingivare, now);
        self.caller.speaks_for(&exchange.sender)
            && etikett::may_ask(rules, &exchange).is_ok_and(Open::is_nothing)
    }
}

/// Reads the questions of a message, received at `now`.
///
/// # Errors
/// A [`Rejection`] of the whole message with the first thing that is wrong.
pub fn fragor(
    rules: &Rules,
    parts: Vec<DataPart>,
    ids: &KnownIds,
    asker: &Asker,
    now: DateTime<Utc>,
) -> Result<Vec<Person>, Rejection> {
    let idag = datum(time::swedish(now).date());
    let reject = |failure| Rejection::new(failure, ids.clone());
    if parts.is_empty() || parts.len() > PERSONS_MAX {
        return Err(reject(Failure::PersonCount));
    }
    let alone = parts.len() == 1;
    let mut persons = Vec::with_capacity(parts.len());
    for (place, part) in parts.into_iter().enumerate() {
        let charset = part.content_type.charset();
        let read = Anrop::read(part.data.into_exposed(), charset, &rules.question_limits);
        let (anrop, form) = read.map_err(|fel| rejection_of(fel, ids, Some(place + 1)))?;
        persons.push(Person {
            datapart_type: part.datapart_type,
            filename: part.filename,
            form,
            question: match anrop {
                Anrop::Fraga(fraga) => PersonQuestion::Fraga(fraga),
                Anrop::Test(kontrakt) if alone => PersonQuestion::Test(kontrakt),
                Anrop::Test(_) => return Err(reject(Failure::TestNotAlone)),
            },
        });
    }
    check_alike(&persons).map_err(reject)?;
    if let Some(fraga) = asked(&persons).next()
        && !asker.may_ask_for(fraga.ingivare_organisationsnummer(), rules, now)
    {
        return Err(reject(Failure::Ingivare));
    }
    for person in &mut persons {
        let PersonQuestion::Fraga(fraga) = &person.question else {
            continue;
        };
        if let Some(avvisning) = fraga.avvisning(rules.person_check, idag) {
            person.question = PersonQuestion::Avvisad {
                kontrakt: fraga.kontrakt(),
                avvisning,
            };
        }
    }
    Ok(persons)
}

/// The error about a document that is no call.
pub(super) fn rejection_of(fel: Anropsfel, ids: &KnownIds, part: Option<usize>) -> Rejection {
    let failure = match fel.orsak {
        Orsak::Ogiltig(_) => Failure::Question,
        Orsak::OkandOperation(_) => Failure::Operation,
        Orsak::MustUnderstand(_) => Failure::MustUnderstand,
        Orsak::SoapVersion(_) => Failure::SoapVersion,
    };
    Rejection {
        anrop: Anropsplats {
            kontrakt: fel.kontrakt,
            operation: fel.operation,
        },
        ..Rejection::at(failure, ids.clone(), part, fel.orsak.fault())
    }
}

/// Why a question is refused that has no other one beside it.
impl From<Avvisning> for Failure {
    fn from(avvisning: Avvisning) -> Self {
        match avvisning {
            Avvisning::Personidentitet => Self::Personidentitet,
            Avvisning::Tidsperiod => Self::Tidsperiod,
        }
    }
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

fn asked(persons: &[Person]) -> impl Iterator<Item = &Fraga> {
    persons.iter().filter_map(|person| match &person.question {
        PersonQuestion::Fraga(fraga) => Some(&**fraga),
        PersonQuestion::Test(_) | PersonQuestion::Avvisad { .. } => None,
    })
}

/// One message: one ingivare, one version of the contract (ssbtek-10, 0.2 and 6.2).
fn check_alike(persons: &[Person]) -> Result<(), Failure> {
    let mut fragor = asked(persons);
    let Some(first) = fragor.next() else {
        return Ok(());
    };
    for fraga in fragor {
        if fraga.kontrakt() != first.kontrakt() {
            return Err(Failure::MixedVersions);
        }
        if fraga.ingivare_organisationsnummer() != first.ingivare_organisationsnummer() {
            return Err(Failure::MixedIngivare);
        }
    }
    Ok(())
}
