//! Examination of one message, in the order of shs-1.2, 7.2: it is either a request to be asked or a
//! [`Rejection`] that says what is wrong and where. Pure: nothing is asked or noted here.

use bytes::Bytes;
use chrono::NaiveDate;
use shs_schemas::shs::agreement::{self, Exchange, Mismatch};
use shs_schemas::shs::label::{Label, SequenceType, TransferType};
use shs_schemas::shs::message::{DataPart, Message};
use shs_schemas::ssbtek::fraga::Fraga;

use super::rules::{PERSONS_MAX, Rules};
use crate::failure::{Failure, KnownIds, Rejection};
use crate::insamling::{Person, PersonQuestion};

/// A message that may be asked.
#[derive(Debug)]
pub struct Examined {
    /// Its label.
    pub label: Label,
    /// Organisation number of its sender.
    pub sender: String,
    /// Its questions, in order.
    pub persons: Vec<Person>,
}

/// Reads and checks a whole message. `today` is the date in Sweden.
///
/// # Errors
/// A [`Rejection`] with the first thing that is wrong.
pub fn examine(
    rules: &Rules,
    body: Bytes,
    http_content_type: Option<&str>,
    today: NaiveDate,
) -> Result<Examined, Rejection> {
    let message = read(rules, body, http_content_type)?;
    let ids = known_ids(&message.label);
    let reject = |failure| Rejection::new(failure, ids.clone());
    let sender = check_label(rules, &message.label, today).map_err(reject)?;
    let persons = questions(rules, message.parts, &ids, today)?;
    Ok(Examined {
        label: message.label,
        sender,
        persons,
    })
}

fn read(rules: &Rules, body: Bytes, http_content_type: Option<&str>) -> Result<Message, Rejection> {
    Message::read(body, http_content_type, &rules.message_limits).map_err(|error| {
        let ids = KnownIds {
            tx_id: error.ids.tx_id,
            corr_id: error.ids.corr_id,
            content_id: error.ids.content_id,
        };
        Rejection::at(Failure::Unreadable(error.code), ids, None, error.fault)
    })
}

/// The ids of a label that could be read.
#[must_use]
pub fn known_ids(label: &Label) -> KnownIds {
    KnownIds {
        tx_id: Some(label.tx_id.clone()),
        corr_id: Some(label.corr_id.clone()),
        content_id: Some(label.content.content_id.clone()),
    }
}

/// What the label must say to be asked here; gives the sender's organisation number.
fn check_label(rules: &Rules, label: &Label, today: NaiveDate) -> Result<String, Failure> {
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
    let sender = label
        .sender_organisation()
        .ok_or(Failure::UnknownSender)?
        .to_owned();
    if !rules.senders.contains_key(&sender) {
        return Err(Failure::UnknownSender);
    }
    if label.product.value != rules.product {
        return Err(Failure::UnknownProduct);
    }
    if to.adress.organisationsnummer() != rules.organisationsnummer {
        return Err(Failure::NotOurs);
    }
    check_agreement(rules, label, &sender, today)?;
    Ok(sender)
}

fn check_agreement(
    rules: &Rules,
    label: &Label,
    sender: &str,
    today: NaiveDate,
) -> Result<(), Failure> {
    let exchange = Exchange {
        sender,
        receiver: &rules.organisationsnummer,
        product: &label.product.value,
        transfer_type: label.transfer_type,
        sequence_type: label.sequence_type,
        today,
    };
    let named = label.agreement.as_deref();
    match agreement::decide(&rules.agreements, named, &exchange) {
        Ok(_) => Ok(()),
        Err(Mismatch::Unknown | Mismatch::NamedDoesNotFit) => Err(Failure::NamedAgreement),
        Err(_) => Err(Failure::NoAgreement),
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
        let read = Fraga::read(part.data, &rules.question_limits);
        let at = |fault| Rejection::at(Failure::Question, ids.clone(), Some(place + 1), fault);
        fragor.push((part.datapart_type, part.filename, read.map_err(at)?));
    }
    check_alike(fragor.iter().map(|(_, _, fraga)| fraga), ids)?;
    let persons = fragor
        .into_iter()
        .map(|(datapart_type, filename, fraga)| Person {
            datapart_type,
            filename,
            question: match fraga.avvisning(rules.person_check, today) {
                Some(avvisning) => PersonQuestion::Avvisad {
                    kontrakt: fraga.kontrakt(),
                    avvisning,
                },
                None => PersonQuestion::Fraga(Box::new(fraga)),
            },
        });
    Ok(persons.collect())
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
