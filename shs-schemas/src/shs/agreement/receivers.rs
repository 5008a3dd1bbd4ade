//! Whom a message without `to` goes to: addressing by product (shs-1.2, 1.5 and 7.4).

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};

use super::{Agreement, Agreements, Flow, Mismatch, PublicAgreement};
use crate::error_code::ErrorCode;
use crate::ids::AgreementId;
use crate::shs::label::{Label, SequenceType, TransferType};
use crate::shs::time;
use crate::shs::urn::{Organisationsnummer, Produkt};

/// A message that does not say whom it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unaddressed {
    /// Who sends.
    pub sender: Organisationsnummer,
    /// What product.
    pub produkt: Produkt,
    /// In one HTTP exchange or not.
    pub transfer_type: TransferType,
    /// An asynchronous reply goes the other way.
    pub sequence_type: SequenceType,
    /// The day it is in Sweden.
    pub today: NaiveDate,
}

/// Why a message without `to` cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReceiver {
    /// The label names an agreement that is not known.
    #[error("the agreement that the label names is not known")]
    NamedUnknown,
    /// The label names an agreement that is not for this message; no other is tried.
    #[error("the agreement that the label names does not fit: {0}")]
    NamedMisfit(#[source] Mismatch),
    /// No agreement tells a receiver.
    #[error("no agreement tells a receiver")]
    Nobody,
    /// A synchronous message has one receiver, and the agreements tell as many as this.
    #[error("the agreements tell {0} receivers, and a synchronous message has one")]
    Several(usize),
}

impl NoReceiver {
    /// The code to answer with.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::NamedUnknown | Self::NamedMisfit(_) => ErrorCode::MissingAgreement,
            Self::Nobody => ErrorCode::UnresolvedReceiver,
            Self::Several(_) => ErrorCode::IllegalReceiver,
        }
    }
}

impl Unaddressed {
    /// A message without regard to its `to`; `None` when `from` is missing too, which is an error
    /// of its own (`IllegalSender`).
    #[must_use]
    pub fn of(label: &Label, now: DateTime<Utc>) -> Option<Self> {
        Some(Self {
            sender: label.from.as_ref()?.address.organisation().clone(),
            produkt: label.product.produkt,
            transfer_type: label.transfer_type,
            sequence_type: label.sequence_type,
            today: time::swedish(now).date(),
        })
    }

    /// The receiver by the table of shs-1.2, 7.4 step 4; `None` when it is the customer of an
    /// agreement that has none.
    fn receiver<'a>(&self, agreement: &'a Agreement) -> Option<&'a Organisationsnummer> {
        let back =
            self.transfer_type == TransferType::Asynch && self.sequence_type == SequenceType::Reply;
        let customer = agreement.customer.as_ref();
        let to_principal = match agreement.flow {
            Flow::ToCustomer => back,
            Flow::FromCustomer => !back,
            Flow::Any => customer.is_none_or(|customer| *customer == self.sender),
        };
        if to_principal {
            Some(&agreement.principal)
        } else {
            customer
        }
    }

    /// The same under a public agreement, whose customer is anyone.
    fn public_receiver<'a>(
        &self,
        agreement: &'a PublicAgreement,
    ) -> Option<&'a Organisationsnummer> {
        let back =
            self.transfer_type == TransferType::Asynch && self.sequence_type == SequenceType::Reply;
        let fits = agreement.products.contains(&self.produkt)
            && agreement.transfer.permits(self.transfer_type);
        (fits && !back).then_some(&agreement.principal)
    }

    /// Whether an agreement that the label names is for this message.
    fn misfit(&self, agreement: &Agreement) -> Result<(), Mismatch> {
        if !agreement.products.contains(&self.produkt) {
            return Err(Mismatch::Product);
        }
        let sender = Some(&self.sender);
        let customer = agreement.customer.as_ref();
        if customer.is_some() && customer != sender && agreement.principal != self.sender {
            return Err(Mismatch::Parties);
        }
        agreement.holds(self.transfer_type, self.today)
    }
}

impl Agreements {
    /// Finds the receivers of a message without `to`: steps 2 to 5 of shs-1.2, 7.4, in the order
    /// of the agreements, each once. `public` holds the public agreements for the product; they
    /// count when no local one does, so a caller may first try without any, and ask the directory
    /// on [`NoReceiver::Nobody`].
    ///
    /// Only agreements that hold today and for the transfer type tell receivers. That a receiver
    /// is found does not mean that the message may be sent: [`Agreements::permit`] decides that.
    ///
    /// # Errors
    /// A [`NoReceiver`], with the code to answer with.
    pub fn receivers(
        &self,
        named: Option<&AgreementId>,
        message: &Unaddressed,
        public: &[PublicAgreement],
    ) -> Result<Vec<Organisationsnummer>, NoReceiver> {
        // Special products have no agreements, whatever agreement an error or confirmation names
        // because the message that it is about named it.
        if message.sequence_type == SequenceType::Adm {
            return Err(NoReceiver::Nobody);
        }
        let found = match named {
            Some(named) => {
                let agreement = self.get(named).ok_or(NoReceiver::NamedUnknown)?;
                message.misfit(agreement).map_err(NoReceiver::NamedMisfit)?;
                message.receiver(agreement).into_iter().cloned().collect()
            }
            None => self.receivers_unnamed(message, public),
        };
        match found.len() {
            0 => Err(NoReceiver::Nobody),
            1 => Ok(found),
            _ if message.transfer_type == TransferType::Asynch => Ok(found),
            several => Err(NoReceiver::Several(several)),
        }
    }

    fn receivers_unnamed(
        &self,
        message: &Unaddressed,
        public: &[PublicAgreement],
    ) -> Vec<Organisationsnummer> {
        let mut local = self
            .routes(message.produkt, &message.sender)
            .filter(|one| one.holds(message.transfer_type, message.today).is_ok())
            .peekable();
        if local.peek().is_some() {
            once_each(local.filter_map(|agreement| message.receiver(agreement)))
        } else {
            once_each(public.iter().filter_map(|one| message.public_receiver(one)))
        }
    }
}

fn once_each<'a>(
    receivers: impl Iterator<Item = &'a Organisationsnummer>,
) -> Vec<Organisationsnummer> {
    let mut seen = HashSet::new();
    receivers
        .filter(|receiver| seen.insert(*receiver))
        .cloned()
        .collect()
}

#[cfg(test)]
#[path = "receivers_tests.rs"]
mod tests;
