//! The two doors that a question comes through, and by which it is answered: SHS and SOAP. Between them
//! everything is the same (C-31): the same checks, deadlines, books and measures.

use shs_schemas::shs::{KnownIds, Label};

/// The door of one request, with what its reply needs of it.
#[derive(Debug)]
pub enum Door {
    /// An SHS message with this label.
    Shs(Box<Label>),
    /// A SOAP call, which has no identifiers.
    Soap,
}

impl Door {
    /// The identifiers of the message; none for a SOAP call.
    #[must_use]
    pub fn known_ids(&self) -> KnownIds {
        match self {
            Self::Shs(label) => label.known_ids(),
            Self::Soap => KnownIds::default(),
        }
    }
}
