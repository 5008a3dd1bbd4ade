//! [`Entrusted`]: an accepted message that must come to an end, whatever happens to who holds it.
//!
//! A sender that was answered 202 does not ask again. So a message is never simply dropped: one whose
//! holder fell goes back to the relay, which tells its sender; one that is left when the node stops is
//! noted so in the ledger, and whoever starts the node again can tell who was promised what.

use std::fmt;
use std::sync::Arc;

use super::closing::Closing;
use super::transit::Transit;
use super::{Relay, notes};
use crate::ledger::LedgerBook;
use crate::ledger::event::Avbrott;
use crate::mailbox::Mailbox;
use crate::tally::{Tally, TransferEnd};

/// An accepted message on its way to its end.
#[derive(Debug)]
pub struct Entrusted {
    transit: Option<Box<Transit>>,
    salvage: Arc<Salvage>,
}

impl Entrusted {
    pub(super) fn new(transit: Transit, salvage: &Arc<Salvage>) -> Self {
        Self {
            transit: Some(Box::new(transit)),
            salvage: Arc::clone(salvage),
        }
    }

    /// The message while it is on its way.
    pub(super) fn transit(&mut self) -> &mut Transit {
        self.transit.as_mut().expect("it is released by value")
    }

    /// Takes it out: from here on its end is the caller's affair, and must not wait.
    pub(super) fn release(mut self) -> Transit {
        *self.transit.take().expect("it is released by value")
    }
}

impl Drop for Entrusted {
    fn drop(&mut self) {
        if let Some(transit) = self.transit.take() {
            self.salvage.take(Stranded(transit));
        }
    }
}

/// Whoever held it → relay: a message that was dropped before its end.
#[derive(Debug)]
pub struct Stranded(pub(super) Box<Transit>);

/// What becomes of messages that were dropped before their end.
pub struct Salvage {
    relay: Mailbox<Relay>,
    book: LedgerBook,
    tally: Arc<Tally>,
    closing: Arc<Closing>,
}

impl fmt::Debug for Salvage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Salvage").finish_non_exhaustive()
    }
}

impl Salvage {
    /// They go back to this relay, or are noted in this book when there is none any more.
    #[must_use]
    pub fn new(
        relay: Mailbox<Relay>,
        book: LedgerBook,
        tally: Arc<Tally>,
        closing: Arc<Closing>,
    ) -> Arc<Self> {
        Arc::new(Self {
            relay,
            book,
            tally,
            closing,
        })
    }

    fn take(&self, stranded: Stranded) {
        if self.closing.has_begun() {
            return self.interrupted(&stranded, Avbrott::Nedstangning);
        }
        if let Err(undelivered) = self.relay.deliver(stranded) {
            self.interrupted(&undelivered.into_message(), Avbrott::AktorFoll);
        }
    }

    fn interrupted(&self, Stranded(transit): &Stranded, reason: Avbrott) {
        self.tally.count_transfer(TransferEnd::Interrupted);
        let label = &transit.message.label;
        self.book
            .note(notes::avbrutet(label, reason, transit.request_id));
        tracing::warn!(request_id = %transit.request_id, "message left without an end");
    }
}
