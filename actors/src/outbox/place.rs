//! [`Place`]: room held for a message that has been promised and is not there yet.

use std::sync::Arc;

use shs_schemas::Sensitive;
use shs_schemas::shs::Adress;

use super::Stored;
use super::entry::Entry;
use super::owner::Owner;
use crate::room::{Held, Room};

/// Room for one message in an outbox. Dropping it gives the room back.
#[derive(Debug)]
pub struct Place {
    room: Held,
    claim: Claim,
}

/// What is held of the owner's share.
#[derive(Debug)]
struct Claim {
    owner: Arc<Owner>,
    to: Adress,
    bytes: usize,
}

impl Place {
    /// Holds so many bytes; nothing when there are not as many.
    pub(super) fn hold(
        owner: &Arc<Owner>,
        room: &Arc<Room>,
        to: &Adress,
        bytes: usize,
    ) -> Option<Self> {
        let mut held = Held::nothing(room);
        held.grow(bytes).ok()?;
        owner.claim(bytes).then(|| Self {
            room: held,
            claim: Claim {
                owner: Arc::clone(owner),
                to: to.clone(),
                bytes,
            },
        })
    }

    /// The outbox it is in.
    #[must_use]
    pub fn to(&self) -> &Adress {
        &self.claim.to
    }

    /// Lays the message into the outbox. This never fails: a message larger than what was held passes
    /// the limits in bytes by the difference. So they are passed by no more than the places that are
    /// held at once, each times the largest message that the node makes or takes.
    pub fn put(self, stored: Stored) {
        let Self { room, claim } = self;
        let message = Sensitive::new(room.around(stored.message.expose().clone()));
        let entry = Entry::new(claim.to.clone(), stored, message);
        // The claim is dropped afterwards: in between both count, and nobody can take the room.
        claim.owner.put(entry);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.owner.unclaim(self.bytes);
    }
}
