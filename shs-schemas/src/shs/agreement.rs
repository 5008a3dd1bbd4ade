//! Agreements: who may send what to whom (shs-1.2, 3.4, 7.4 and 7.5).
//!
//! ```text
//! shs.agreement ─ read ─► Agreement ─┐                    ┌─ find, permit: may this be sent?
//!                                    ├─ Agreements, and ──┼─ receivers: whom does it go to?
//! directory entry ─► PublicAgreement ┘                    └─ explain: why not?
//! ```

mod covers;
mod explanation;
mod public;
mod read;
mod receivers;
#[cfg(test)]
mod samples;
mod store;

use chrono::NaiveDate;

use super::label::TransferType;
use super::urn::{Organisationsnummer, Produkt};
use crate::ids::AgreementId;

pub use covers::{Exchange, Mismatch};
pub use explanation::{CANDIDATES_SHOWN_MAX, Candidate, Explanation};
pub use public::PublicAgreement;
pub use read::{AGREEMENT_BYTES_MAX, PRODUCTS_MAX};
pub use receivers::{NoReceiver, Unaddressed};
pub use store::{Agreements, NoAgreement, Permission};

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

impl AgreedTransfer {
    /// Reads the value; `None` when it is not one of them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "asynch" => Some(Self::Asynch),
            "synch" => Some(Self::Synch),
            "any" => Some(Self::Any),
            _ => None,
        }
    }

    /// True when messages of this transfer type are agreed on (shs-1.2, 7.5 c).
    #[must_use]
    pub const fn permits(self, transfer_type: TransferType) -> bool {
        match self {
            Self::Any => true,
            Self::Asynch => matches!(transfer_type, TransferType::Asynch),
            Self::Synch => matches!(transfer_type, TransferType::Synch),
        }
    }
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

impl Flow {
    /// Reads the value; `None` when it is not one of them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "to-customer" => Some(Self::ToCustomer),
            "from-customer" => Some(Self::FromCustomer),
            "any" => Some(Self::Any),
            _ => None,
        }
    }
}
