//! Examination of one message, in the order of shs-1.2, 7.2: it is either a request to be asked or a
//! [`Rejection`] that says what is wrong and where. Pure: nothing is asked or noted here.

use bytes::Bytes;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use shs_schemas::shs::agreement::{Exchange, NoAgreement};
use shs_schemas::shs::label::{SequenceType, TransferType};
use shs_schemas::shs::{DataPart, KnownIds, Label, Message, Organisationsnummer, time};
use shs_schemas::ssbtek::{Datum, Fraga};

use super::rules::{PERSONS_MAX, Rules};
use crate::failure::{Failure, Rejection};
use crate::insamling::{Person, PersonQuestion};

/// A message that may be asked.
#[derive(Debug)]
pub struct Examined {
    /// Its label.
    pub label: Label,
    /// Its sender.
    pub sender: Organisationsnummer,
    /// Its questions, in order.
    pub persons: Vec<Person>,
}

/// Reads and checks a whole message, received at `now`.
///
/// # Errors
/// A [`Rejection`] with the first thing that is wrong.
pub fn examine(
    rules: &Rules,
    body: Bytes,
    http_content_type: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Examined, Rejection> {
    let message = read(rules, body, http_content_type)?;
    let ids = message.label.known_ids();
    let reject = |failure| Rejection::new(failure, ids.clone());
    let sender = check_label(rules, &message.label, now).map_err(reject)?;
    let persons = questions(rules, message.parts, &ids, time::swedish(now).date())?;
    Ok(Examined {
        label: message.label,
        sender,
        persons,
    })
}

fn read(rules: &Rules, body: Bytes, http_content_type: Option<&str>) -> Result<Message, Rejection> {
    Message::read(body, http_content_type, &rules.message_limits).map_err(|error| {
        Rejection::at(
            Failure::Unreadable(error.code),
            error.known,
            None,
            error.fault,
        )
    })
}

/// What the label must say to be asked here; gives the sender.
fn check_label(
    rules: &Rules,
    label: &Label,
    now: DateTime<Utc>,
) -> Result<Organisationsnummer, Failure> {
    if label.transfer_type == TransferType::Asynch {
        return Err(Failure::Asynchronous);
    }
    if !matches!(
        label.sequence_type,
        SequenceType::Request | SequenceType::Event
    ) {
        return Err(Failure::NotAQuestion);
    }
    if !rules.statuses.contains(&label.status) {
        return Err(Failure::Status);
    }
    let to = label.to.as_ref().ok_or(Failure::ReceiverMissing)?;
    let from = label.from.as_ref().ok_or(Failure::SenderMissing)?;
    let sender = from.address.organisation();
    if !rules.senders.contains(sender) {
        return Err(Failure::UnknownSender);
    }
    if label.product.produkt != rules.product {
        return Err(Failure::UnknownProduct);
    }
    if to.address.organisation() != rules.own.address.organisation() {
        return Err(Failure::NotOurs);
    }
    check_agreement(rules, label, now)?;
    Ok(sender.clone())
}

fn check_agreement(rules: &Rules, label: &Label, now: DateTime<Utc>) -> Result<(), Failure> {
    let exchange = Exchange::of(label, now).ok_or(Failure::NoAgreement)?;
    let named = label.agreement.as_ref();
    match rules.agreements.find(named, &exchange) {
        Ok(_) => Ok(()),
        Err(NoAgreement::Unknown | NoAgreement::NamedMisfit(_)) => Err(Failure::NamedAgreement),
        Err(NoAgreement::None) => Err(Failure::NoAgreement),
    }
}

/// Each data part is one person's question (ssbtek-10, 6.2).
fn questions(
    rules: &Rules,
    parts: Vec<DataPart>,
    ids: &KnownIds,
    today: NaiveDate,
) -> Result<Vec<Person>, Rejection> {
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

fn datum(day: NaiveDate) -> Datum {
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
