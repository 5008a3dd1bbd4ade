//! Agreements: who may send what to whom (shs-1.2, 3.4 and 7.5).

mod covers;
mod read;

use chrono::NaiveDate;

use super::urn::{Organisationsnummer, Produkt};
use crate::ids::AgreementId;

pub use covers::{Exchange, Mismatch, NoAgreement, find};
pub use read::{AGREEMENT_BYTES_MAX, PRODUCTS_MAX};

/// A local agreement: the parts of `shs.agreement` that decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// `uuid`.
    pub id: AgreementId,
    /// `transfer-type`.
    pub transfer: AgreedTransfer,
    /// `principal`: the owner of the products.
    pub principal: Organisationsnummer,
    /// `product`, at least one.
    pub products: Vec<Produkt>,
    /// `customer`: the other party; missing means anyone.
    pub customer: Option<Organisationsnummer>,
    /// `direction`: who may start the exchange.
    pub flow: Flow,
    /// `confirm`: whether a delivery confirmation is wanted.
    pub confirm: bool,
    /// `valid-from`: the first day.
    pub valid_from: NaiveDate,
    /// `valid-to`: the last day, that day included; missing means open-ended.
    pub valid_to: Option<NaiveDate>,
    /// `commonName` of the principal, for people.
    pub principal_name: Option<String>,
    /// `commonName` of the customer, for people.
    pub customer_name: Option<String>,
}

/// `transfer-type` of an agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreedTransfer {
    /// Asynchronous only.
    Asynch,
    /// Synchronous only.
    Synch,
    /// Both.
    Any,
}

/// `direction/@flow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The principal asks or sends.
    ToCustomer,
    /// The customer asks or sends.
    FromCustomer,
    /// Either.
    Any,
}
