//! [`Untold`]: a sender that is being told of an error. `fel` stands in the ledger before the telling,
//! which may take hours; a node that stops in between would leave a sender that seems to know and does
//! not.

use shs_schemas::shs::Label;
use uuid::Uuid;

use super::{RelayContext, notes};
use crate::ledger::LedgerBook;
use crate::ledger::event::{Avbrott, Event};

/// Notes `avbrutet` (`nedstangning`) when it is dropped before the telling has come to an end: tasks are
/// dropped only when the node stops.
pub(super) struct Untold {
    book: LedgerBook,
    interrupted: Option<Event>,
}

impl Untold {
    /// The telling about this message begins.
    pub(super) fn about(label: &Label, request_id: Uuid, context: &RelayContext) -> Self {
        let interrupted = notes::avbrutet(label, Avbrott::Nedstangning, request_id);
        Self {
            book: context.book.clone(),
            interrupted: Some(interrupted),
        }
    }

    /// It has ended: told, or given up and counted.
    pub(super) fn ended(mut self) {
        self.interrupted = None;
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        if let Some(interrupted) = self.interrupted.take() {
            self.book.note(interrupted);
        }
    }
}
