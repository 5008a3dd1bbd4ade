//! What ingress has the ledger note of a request that is admitted: that it was taken in, and who asks
//! (design 8.4; ).

use std::collections::BTreeMap;

use shs_schemas::Sensitive;
use shs_schemas::shs::label::{SequenceType, Status, TransferType};
use shs_schemas::shs::{Adress, Label, Organisationsnummer};

use super::asking::Asking;
use super::rules::Rules;
use crate::contained::contained;
use crate::door::Door;
use crate::insamling::{Person, PersonQuestion};
use crate::ledger::event::{FragaLine, Ids, Mottaget};
use crate::ledger::{Journal, LedgerBook};
use crate::transport::Traffic;

/// Opens the page of a request in the ledger.
pub(super) fn begin(book: &LedgerBook, asking: &Asking, persons: &[Person], rules: &Rules) {
    let ids = Ids::from(&asking.door.known_ids());
    let (book, request_id) = (book.clone(), asking.port.request_id());
    let mottaget = match &asking.door {
        _ if asking.accepted => None,
        Door::Shs(label) => of_label(label, asking.bytes, persons.len()),
        Door::Soap => Some(of_call(asking, rules)),
    };
    let journal = match mottaget {
        Some(mottaget) => Journal::begin(book, request_id, ids, mottaget),
        None => Journal::within(book, request_id, ids),
    };
    let with_persons = journal.has_person_pseudonyms();
    let fragor = contained(request_id, "who asks is noted", || {
        fragor(persons, with_persons, |ingivare| {
            *ingivare == asking.asker.sender || rules.known.contains(ingivare)
        })
    });
    // A question that cannot be read a second time is split next, and refused there.
    for fraga in fragor.into_iter().flatten() {
        journal.fraga(fraga);
    }
    asking.port.keep(journal);
}

/// An SHS message; `None` without sender, which is refused before.
pub(super) fn of_label(label: &Label, bytes: u64, parts: usize) -> Option<Mottaget> {
    Some(Mottaget {
        from: label.from.as_ref()?.address.clone(),
        to: label.to.as_ref().map(|to| to.address.clone()),
        product: label.product.produkt,
        status: label.status,
        transfer_type: label.transfer_type,
        sequence_type: label.sequence_type,
        bytes,
        parts: u32::try_from(parts).unwrap_or(u32::MAX),
    })
}

/// A SOAP call, in the words of a label.
fn of_call(asking: &Asking, rules: &Rules) -> Mottaget {
    Mottaget {
        from: Adress::of(asking.asker.sender.clone()),
        to: None,
        product: rules.product,
        status: match asking.traffic {
            Traffic::Production => Status::Production,
            Traffic::Test => Status::Test,
        },
        transfer_type: TransferType::Synch,
        sequence_type: SequenceType::Request,
        bytes: asking.bytes,
        parts: 1,
    }
}

/// One line for each handläggare of the message, in alphabetical order. Of an ingivare who is not `known` the
/// number is free text.
fn fragor(
    persons: &[Person],
    with_persons: bool,
    known: impl Fn(&Organisationsnummer) -> bool,
) -> Vec<FragaLine> {
    let mut lines: BTreeMap<String, FragaLine> = BTreeMap::new();
    for person in persons {
        let PersonQuestion::Fraga(fraga) = &person.question else {
            continue;
        };
        let handlaggare = fraga.uppgifter().handlaggare.into_exposed();
        let ingivare = Organisationsnummer::parse(fraga.ingivare_organisationsnummer().as_str());
        let line = lines
            .entry(handlaggare.clone().into_owned())
            .or_insert_with(|| FragaLine {
                handlaggare: Sensitive::new(handlaggare.into()),
                ingivare: ingivare.ok().filter(&known),
                personer: 0,
                person: Vec::new(),
            });
        line.personer = line.personer.saturating_add(1);
        if with_persons {
            let number = fraga.personidentitet().expose().as_str();
            line.person.push(Sensitive::new(number.into()));
        }
    }
    lines.into_values().collect()
}
