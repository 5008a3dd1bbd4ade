//! What the node knows when it decides about a message: itself, its senders, its agreements, its
//! bounds. Read-only while requests come.

use std::collections::HashSet;

use shs_schemas::shs::label::Status;
use shs_schemas::shs::{Actor, Agreements, Organisationsnummer, Produkt};
use shs_schemas::ssbtek::Identitetskontroll;
use shs_schemas::{mime, xml};

use crate::transport::Traffic;

/// Most persons in one message (R-018; ssbtek-10, 5.1).
pub const PERSONS_MAX: usize = 10;

/// What admission goes by.
#[derive(Debug)]
pub struct Rules {
    /// The node's own actor.
    pub own: Actor,
    /// The product that carries SSBTEK questions.
    pub product: Produkt,
    /// Who may send, by organisation number.
    pub senders: HashSet<Organisationsnummer>,
    /// Who has agreed on what.
    pub agreements: Agreements,
    /// Whether the label's status `test` and `production` are taken.
    pub statuses: HashSet<Status>,
    /// Bounds on the message.
    pub message_limits: mime::Limits,
    /// Bounds on a question.
    pub question_limits: xml::Limits,
    /// How identity numbers are checked.
    pub person_check: Identitetskontroll,
}

impl Rules {
    /// The traffic by whose consumers a party is there or not: real questions where they are served,
    /// else test questions.
    #[must_use]
    pub fn judged_by(&self) -> Traffic {
        if self.statuses.contains(&Status::Production) {
            Traffic::Production
        } else {
            Traffic::Test
        }
    }
}

/// Production or test, as the label says.
#[must_use]
pub fn traffic_of(status: Status) -> Traffic {
    match status {
        Status::Production => Traffic::Production,
        Status::Test => Traffic::Test,
    }
}
