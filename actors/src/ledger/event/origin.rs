//! Whose business a message is that a mailbox or a node was given: every event about one accepted message
//! stands under that message's `request_id`, also those about its reply and about what its sender is told.

use serde::Serialize;
use uuid::Uuid;

/// What something is to the accepted message that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Slag {
    /// The message itself, or one of its copies.
    Meddelande,
    /// The reply of a service of this node.
    Svar,
    /// The error message to its sender.
    Fel,
    /// The error message to the service whose reply nobody fetched.
    FelOmSvar,
    /// The confirmation to its sender.
    Bekraftelse,
}

/// To which accepted message something belongs, and what it is to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The node's own name of the accepted message.
    pub request_id: Uuid,
    /// What it is to it.
    pub slag: Slag,
}

impl Origin {
    /// The message itself, of this name.
    #[must_use]
    pub const fn message(request_id: Uuid) -> Self {
        Self {
            request_id,
            slag: Slag::Meddelande,
        }
    }

    /// Something else that belongs to the same message.
    #[must_use]
    pub const fn with(self, slag: Slag) -> Self {
        Self { slag, ..self }
    }

    /// The error that is sent when this could not be delivered.
    #[must_use]
    pub const fn error(self) -> Self {
        match self.slag {
            Slag::Svar => self.with(Slag::FelOmSvar),
            _ => self.with(Slag::Fel),
        }
    }
}
