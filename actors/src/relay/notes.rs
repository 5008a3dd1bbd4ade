//! What the relay has the ledger note: one function for each event, made from what is at hand.

use std::time::Duration;

use shs_schemas::shs::{Label, Message};
use uuid::Uuid;

use crate::failure::Failure;
use crate::ledger::event::{
    Avbrott, Direction, Event, Gallring, Ids, Mottaget, Place, Way, What, ms,
};
use crate::reply::Reply;
use crate::tally::OutcomeClass;

fn event(label: &Label, request_id: Uuid, what: What) -> Event {
    Event::now(request_id, Ids::from(label), what)
}

/// An asynchronous message is taken over; `None` for one without sender, which is refused before.
pub(super) fn mottaget(message: &Message, bytes: usize, request_id: Uuid) -> Option<Event> {
    let label = &message.label;
    let what = What::Mottaget(Mottaget {
        from: label.from.as_ref()?.address.clone(),
        to: label.to.as_ref().map(|to| to.address.clone()),
        product: label.product.produkt,
        status: label.status,
        transfer_type: label.transfer_type,
        sequence_type: label.sequence_type,
        bytes: bytes as u64,
        parts: u32::try_from(message.parts.len()).unwrap_or(u32::MAX),
    });
    Some(event(label, request_id, what))
}

pub(super) fn duplett(label: &Label, request_id: Uuid) -> Event {
    event(label, request_id, What::Duplett)
}

pub(super) fn besvarat(question: &Label, reply: &Reply, took: Duration, request_id: Uuid) -> Event {
    let outcome = if reply.complete {
        OutcomeClass::Answered
    } else {
        OutcomeClass::Partial
    };
    let what = What::Besvarat {
        outcome,
        ms: ms(took),
        bytes: reply.body.expose().len() as u64,
    };
    event(question, request_id, what)
}

pub(super) fn levererat(
    label: &Label,
    way: Way,
    attempts: u32,
    took: Duration,
    request_id: Uuid,
) -> Event {
    let what = What::Levererat {
        way,
        attempts,
        ms: ms(took),
    };
    event(label, request_id, what)
}

pub(super) fn delat(label: &Label, copies: usize, request_id: Uuid) -> Event {
    let copies = u32::try_from(copies).unwrap_or(u32::MAX);
    event(label, request_id, What::Delat { copies })
}

pub(super) fn fel(label: &Label, failure: Failure, place: Place, request_id: Uuid) -> Event {
    let row = failure.row();
    let what = What::Fel {
        code: row.code,
        class: row.source,
        place,
    };
    event(label, request_id, what)
}

pub(super) fn avbrutet(label: &Label, reason: Avbrott, request_id: Uuid) -> Event {
    event(label, request_id, What::Avbrutet { reason })
}

pub(super) fn kvitterat(label: &Label) -> Event {
    event(label, Uuid::nil(), What::Kvitterat)
}

pub(super) fn gallrat(label: &Label, lay: Duration) -> Event {
    let what = What::Gallrat {
        reason: Gallring::TidenUte,
        ms: ms(lay),
    };
    event(label, Uuid::nil(), what)
}

pub(super) fn bekraftelse(label: &Label, direction: Direction, request_id: Uuid) -> Event {
    event(label, request_id, What::Bekraftelse { direction })
}
