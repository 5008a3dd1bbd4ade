//! What the tests of this folder agree on: a principal, a customer, somebody else, a day.

use chrono::NaiveDate;

use super::{AgreedTransfer, Agreement, Exchange, Flow};
use crate::ids::AgreementId;
use crate::shs::label::{SequenceType, TransferType};
use crate::shs::time;
use crate::shs::urn::{Organisationsnummer, Produkt};

/// The principal.
pub(super) const P: &str = "0000000002";
/// The customer.
pub(super) const C: &str = "0000000001";
/// Somebody else.
pub(super) const X: &str = "0000000009";

pub(super) fn number(text: &str) -> Organisationsnummer {
    Organisationsnummer::parse(text).unwrap()
}

pub(super) fn day(text: &str) -> NaiveDate {
    time::date(text).unwrap()
}

/// A synchronous agreement for 2031 with [`P`].
pub(super) fn agreement(id: &str, flow: Flow, customer: Option<&str>) -> Agreement {
    Agreement {
        id: AgreementId::parse(id).unwrap(),
        transfer: AgreedTransfer::Synch,
        principal: number(P),
        products: vec![Produkt::Uuid(uuid::Uuid::nil())],
        customer: customer.map(number),
        flow,
        confirm: false,
        valid_from: day("2031-01-01"),
        valid_to: Some(day("2031-12-31")),
        principal_name: None,
        customer_name: None,
    }
}

/// A synchronous request in the middle of 2031.
pub(super) fn exchange(sender: &str, receiver: &str) -> Exchange {
    Exchange {
        sender: number(sender),
        receiver: number(receiver),
        produkt: Produkt::Uuid(uuid::Uuid::nil()),
        transfer_type: TransferType::Synch,
        sequence_type: SequenceType::Request,
        today: day("2031-06-15"),
    }
}
