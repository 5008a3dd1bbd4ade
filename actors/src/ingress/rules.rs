//! What the node knows when it decides about a message: itself, its senders, its agreements, its
//! bounds. Read-only while requests come.

use std::collections::HashSet;

use shs_schemas::ids::NodeId;
use shs_schemas::shs::label::{SequenceType, Status};
use shs_schemas::shs::product::PartFault;
use shs_schemas::shs::{Actor, Agreements, Label, Message, Organisationsnummer, Products, Produkt};
use shs_schemas::ssbtek::{Fordelning, Identitetskontroll};
use shs_schemas::{mime, xml};
use uuid::Uuid;

use crate::failure::{Failure, Rejection};
use crate::parter::Parter;
use crate::transport::Traffic;

/// Most persons in one message (R-018; ssbtek-10, 5.1).
pub const PERSONS_MAX: usize = 10;

/// What admission goes by.
#[derive(Debug)]
pub struct Rules {
    /// The node's own actor.
    pub own: Actor,
    /// The node's name in history entries.
    pub node_id: NodeId,
    /// The product that carries SSBTEK questions.
    pub product: Produkt,
    /// The product that tests a connection (shs-1.2, 7.11).
    pub ping_product: Produkt,
    /// The actors that this node delivers to itself: its own, and those with a mailbox here.
    pub local: HashSet<Organisationsnummer>,
    /// The actors that are known by configuration, the node's own included.
    pub known: HashSet<Organisationsnummer>,
    /// Whether there is a directory that knows more actors, addresses and public agreements.
    pub directory: bool,
    /// Actors whose nodes take file names by RFC 2231 (shs-1.2, 2.9).
    pub rfc2231: HashSet<Organisationsnummer>,
    /// Descriptions of products.
    pub products: Products,
    /// Who has agreed on what.
    pub agreements: Agreements,
    /// Whether the label's status `test` and `production` are taken.
    pub statuses: HashSet<Status>,
    /// How a question is spread over the authorities.
    pub fordelning: Fordelning,
    /// What else the party register says of the parties.
    pub parter: Parter,
    /// Bounds on the message.
    pub message_limits: mime::Limits,
    /// Bounds on a question.
    pub question_limits: xml::Limits,
    /// How identity numbers are checked.
    pub person_check: Identitetskontroll,
}

impl Rules {
    /// The rules of an actor that offers this product and knows nobody yet: everything else is added.
    #[must_use]
    pub fn of(own: Actor, node_id: NodeId, product: Produkt) -> Self {
        let itself = HashSet::from([own.address.organisation().clone()]);
        Self {
            own,
            node_id,
            product,
            ping_product: Produkt::Uuid(Uuid::nil()),
            local: itself.clone(),
            known: itself,
            directory: false,
            rfc2231: HashSet::new(),
            products: Products::default(),
            agreements: Agreements::default(),
            statuses: HashSet::from([Status::Production]),
            fordelning: Fordelning::alla(),
            parter: Parter::default(),
            message_limits: mime::Limits::default(),
            question_limits: xml::Limits::default(),
            person_check: Identitetskontroll::Strict,
        }
    }

    /// Whether this node delivers to the actor itself, and its systems may send to anyone.
    #[must_use]
    pub fn is_local(&self, aktor: &Organisationsnummer) -> bool {
        self.local.contains(aktor)
    }

    /// Whether the parts are those of the product, when it is described here (shs-1.2, 3.5).
    ///
    /// # Errors
    /// [`Failure::Parts`], with the part that is wrong.
    pub fn check_parts(&self, message: &Message) -> Result<(), Rejection> {
        let label = &message.label;
        let Some(product) = self.products.get(label.product.produkt) else {
            return Ok(());
        };
        let checked = product.check(label.sequence_type, &message.parts);
        checked.map_err(|PartFault { part, role, fault }| Rejection {
            role,
            ..Rejection::at(Failure::Parts, label.known_ids(), part, fault)
        })
    }

    /// Whether the node's own actor has a service for the product.
    #[must_use]
    pub fn has_service(&self, produkt: Produkt) -> bool {
        produkt == self.product || produkt == self.ping_product
    }

    /// Whether a service of this node takes the asynchronous message. A reply goes to the mailbox of who
    /// asked: the node's own actor may also ask others for the products that it has a service for.
    #[must_use]
    pub fn is_for_a_service(&self, label: &Label) -> bool {
        let to = label.to.as_ref();
        to.is_some_and(|to| self.is_own(to.address.organisation()))
            && self.has_service(label.product.produkt)
            && label.sequence_type != SequenceType::Reply
    }

    /// Whether it is the node's own actor, whose services are those of this node.
    #[must_use]
    pub fn is_own(&self, aktor: &Organisationsnummer) -> bool {
        self.own.address.organisation() == aktor
    }

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
