//! Examination of a SOAP call: one question about one person, or a test of the bastjänster (ssbtek-10,
//! 1 and 6.2). What a label says at the SHS door is here told by the certificate and by `ingivare`; the
//! rules are the same (C-31).

use bytes::Bytes;
use chrono::{DateTime, Utc};
use shs_schemas::shs::agreement::Exchange;
use shs_schemas::shs::label::{SequenceType, TransferType};
use shs_schemas::shs::{KnownIds, Organisationsnummer, time};
use shs_schemas::ssbtek::{Anrop, Form, Fraga};
use shs_schemas::{Fault, WireError};

use super::fragor::{datum, rejection_of};
use super::{Open, etikett};
use crate::caller::Caller;
use crate::failure::{Anropsplats, Failure, Rejection};
use crate::ingress::rules::Rules;
use crate::insamling::{Person, PersonQuestion};

/// A call that may be handled.
#[derive(Debug)]
pub struct ExaminedAnrop {
    /// What is asked.
    pub person: Person,
    /// The operation and its version.
    pub anrop: Anropsplats,
    /// What an agreement is to cover; the sender is the asking body.
    pub exchange: Exchange,
    /// What only the directory can say.
    pub open: Open,
}

/// Reads a call of this caller, received at `now`, and checks who asks.
///
/// # Errors
/// A [`Rejection`] with the first thing that is wrong.
pub fn examine_anrop(
    rules: &Rules,
    caller: &Caller,
    body: Bytes,
    charset: Option<&str>,
    now: DateTime<Utc>,
) -> Result<ExaminedAnrop, Rejection> {
    let ids = KnownIds::default();
    let read = Anrop::read(body, charset, &rules.question_limits);
    let (call, form) = read.map_err(|fel| rejection_of(fel, &ids, None))?;
    let anrop = Anropsplats {
        kontrakt: Some(call.kontrakt()),
        operation: Some(call.operation()),
    };
    let reject = |failure| Rejection {
        anrop,
        ..Rejection::new(failure, KnownIds::default())
    };
    if form == Form::Bar {
        let fault = WireError::new("Envelope", 0, Fault::Missing);
        return Err(Rejection {
            fault: Some(fault),
            ..reject(Failure::Question)
        });
    }
    let (sender, open) = match &call {
        Anrop::Fraga(fraga) => asker_of_question(rules, caller, fraga, now),
        Anrop::Test(_) => asker_of_test(rules, caller, now),
    }
    .map_err(reject)?;
    let question = match call {
        Anrop::Fraga(fraga) => {
            let idag = datum(time::swedish(now).date());
            if let Some(avvisning) = fraga.avvisning(rules.person_check, idag) {
                return Err(Rejection {
                    sender: Some(sender),
                    ..reject(avvisning.into())
                });
            }
            PersonQuestion::Fraga(fraga)
        }
        Anrop::Test(kontrakt) => PersonQuestion::Test(kontrakt),
    };
    Ok(ExaminedAnrop {
        person: Person {
            datapart_type: String::new(),
            filename: None,
            form,
            question,
        },
        anrop,
        exchange: exchange(rules, sender, now),
        open,
    })
}

/// What an agreement must cover for this body to ask: the same as for a synchronous SHS message.
pub(super) fn exchange(rules: &Rules, sender: Organisationsnummer, now: DateTime<Utc>) -> Exchange {
    Exchange {
        sender,
        receiver: rules.own.address.organisation().clone(),
        produkt: rules.product,
        transfer_type: TransferType::Synch,
        sequence_type: SequenceType::Request,
        today: time::swedish(now).date(),
    }
}

/// The asking body is the question's ingivare, which the caller must be allowed to ask for.
fn asker_of_question(
    rules: &Rules,
    caller: &Caller,
    fraga: &Fraga,
    now: DateTime<Utc>,
) -> Result<(Organisationsnummer, Open), Failure> {
    let ingivare = fraga.ingivare_organisationsnummer();
    let sender =
        Organisationsnummer::parse(ingivare.as_str()).map_err(|_| Failure::UnknownSender)?;
    if !caller.speaks_for(&sender) {
        return Err(Failure::Ingivare);
    }
    let open = etikett::may_ask(rules, &exchange(rules, sender.clone(), now))?;
    Ok((sender, open))
}

/// A test names no ingivare: any actor that the caller stands for may be the asking body. On the
/// internal listener it is the node's own actor, which needs no agreement with itself.
fn asker_of_test(
    rules: &Rules,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<(Organisationsnummer, Open), Failure> {
    if caller.is_internal() {
        return Ok((rules.own.address.organisation().clone(), Open::default()));
    }
    let mut best = Err(Failure::SenderMissing);
    for actor in caller.actors() {
        match etikett::may_ask(rules, &exchange(rules, actor.clone(), now)) {
            Ok(open) if open.is_nothing() => return Ok((actor.clone(), open)),
            // Perhaps, as the directory says; unless another one may for certain.
            Ok(open) if best.is_err() => best = Ok((actor.clone(), open)),
            Err(failure) if best.is_err() => best = Err(failure),
            Ok(_) | Err(_) => {}
        }
    }
    best
}
