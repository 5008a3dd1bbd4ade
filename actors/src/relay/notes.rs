//! What the relay has the ledger note: one function for each event, made from what is at hand.

use std::time::Duration;

use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::{Label, Message};
use uuid::Uuid;

use crate::failure::Failure;
use crate::ledger::event::{
    Aterupptaget, Avbrott, Direction, Event, Gallring, Ids, Mottaget, Origin, Place, Slag, Way,
    What, ms,
};
use crate::ledger::promises::Owed;
use crate::outbox::Expired;
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
    origin: Origin,
    way: Way,
    attempts: u32,
    took: Duration,
) -> Event {
    let what = What::Levererat {
        slag: origin.slag,
        way,
        attempts,
        ms: ms(took),
    };
    event(label, origin.request_id, what)
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

pub(super) fn kvitterat(label: &Label, origin: Origin) -> Event {
    let what = What::Kvitterat { slag: origin.slag };
    event(label, origin.request_id, what)
}

/// Its content is held no more; `after` counts from its receipt, or from when it was laid into a mailbox.
/// `None` for what has no content: the node's own errors and confirmations, and those of others.
pub(super) fn gallrat(
    label: &Label,
    origin: Origin,
    reason: Gallring,
    after: Duration,
) -> Option<Event> {
    let has_content = matches!(origin.slag, Slag::Meddelande | Slag::Svar)
        && label.sequence_type != SequenceType::Adm;
    let what = What::Gallrat {
        slag: Some(origin.slag),
        reason,
        ms: ms(after),
    };
    has_content.then(|| event(label, origin.request_id, what))
}

/// Its time in a mailbox is over.
pub(super) fn tiden_ute(expired: &Expired) -> Event {
    let what = What::Gallrat {
        slag: Some(expired.origin.slag),
        reason: if expired.fetched {
            Gallring::EjKvitterat
        } else {
            Gallring::TidenUte
        },
        ms: ms(expired.lay_for),
    };
    event(&expired.label, expired.origin.request_id, what)
}

/// A message of an earlier life never ended, and its sender is to be told.
pub(super) fn aterupptaget(owed: &Owed) -> Event {
    let what = What::Aterupptaget(Aterupptaget {
        from: owed.from.clone(),
        to: owed.to.clone(),
        product: owed.product,
        status: owed.status,
        sequence_type: owed.sequence_type,
        received: owed.received,
    });
    let ids = Ids::new(
        Some(&owed.tx_id),
        Some(&owed.corr_id),
        Some(&owed.content_id),
    );
    Event::now(owed.request_id, ids, what)
}

pub(super) fn bekraftelse(label: &Label, direction: Direction, request_id: Uuid) -> Event {
    event(label, request_id, What::Bekraftelse { direction })
}
