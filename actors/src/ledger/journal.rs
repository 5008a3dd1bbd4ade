//! [`Journal`]: what one request has the ledger note.

use std::time::Duration;

use uuid::Uuid;

use super::LedgerBook;
use super::event::ms;
use super::event::{Avbrott, DelsvarLine, Event, FragaLine, Gallring, Ids, Mottaget, Place, What};
use crate::failure::Failure;
use crate::tally::OutcomeClass;

/// The ledger's page of one request: it travels with the request's port, which notes the end. Nobody
/// waits for these notes.
#[derive(Clone, Debug)]
pub struct Journal {
    book: LedgerBook,
    request_id: Uuid,
    ids: Ids,
    /// Whether beginning and end are noted here; those of an asynchronous message are noted by the
    /// relay.
    whole: bool,
}

impl Journal {
    /// Of a synchronous request: notes `mottaget`.
    #[must_use]
    pub fn begin(book: LedgerBook, request_id: Uuid, ids: Ids, mottaget: Mottaget) -> Self {
        let journal = Self {
            book,
            request_id,
            ids,
            whole: true,
        };
        journal.note(What::Mottaget(mottaget));
        journal
    }

    /// Of a question that came as an asynchronous message.
    #[must_use]
    pub const fn within(book: LedgerBook, request_id: Uuid, ids: Ids) -> Self {
        Self {
            book,
            request_id,
            ids,
            whole: false,
        }
    }

    fn note(&self, what: What) {
        self.book
            .note(Event::now(self.request_id, self.ids.clone(), what));
    }

    /// A handläggare asks.
    pub fn fraga(&self, fraga: FragaLine) {
        self.note(What::Fraga(fraga));
    }

    /// Whether persons asked about are noted, under a pseudonym.
    #[must_use]
    pub const fn has_person_pseudonyms(&self) -> bool {
        self.book.has_person_pseudonyms()
    }

    /// Something, or nothing, came of the question to one authority.
    pub fn delsvar(&self, delsvar: DelsvarLine) {
        self.note(What::Delsvar(delsvar));
    }

    /// The one end of the request.
    pub(crate) fn end(
        &self,
        outcome: OutcomeClass,
        failure: Option<Failure>,
        bytes: u64,
        took: Duration,
    ) {
        if !self.whole {
            return;
        }
        let what = match (outcome, failure) {
            (OutcomeClass::CallerGone, _) => What::Avbrutet {
                reason: Avbrott::AnroparenBorta,
            },
            (_, Some(failure)) => {
                let row = failure.row();
                What::Fel {
                    code: row.code,
                    class: row.source,
                    place: Place::Mottagning,
                }
            }
            (outcome, None) => What::Besvarat {
                outcome,
                ms: ms(took),
                bytes,
            },
        };
        self.note(what);
    }

    /// Nothing of the request is held any more: always the last line about it.
    pub(crate) fn gallrat(&self, answered: bool, took: Duration) {
        if self.whole {
            let reason = if answered {
                Gallring::Levererat
            } else {
                Gallring::Avslutat
            };
            self.note(What::Gallrat {
                slag: None,
                reason,
                ms: ms(took),
            });
        }
    }

    /// Whether beginning and end are noted here.
    pub(crate) const fn is_whole(&self) -> bool {
        self.whole
    }
}
