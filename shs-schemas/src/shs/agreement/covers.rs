//! Whether an agreement covers an exchange: a pure decision (shs-1.2, 7.5).

use chrono::{DateTime, NaiveDate, Utc};

use super::{Agreement, Flow};
use crate::shs::label::{Label, SequenceType, TransferType};
use crate::shs::time;
use crate::shs::urn::{Organisationsnummer, Produkt};

/// What an agreement is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Who sends.
    pub sender: Organisationsnummer,
    /// Who receives.
    pub receiver: Organisationsnummer,
    /// What product.
    pub produkt: Produkt,
    /// In one HTTP exchange or not.
    pub transfer_type: TransferType,
    /// A reply goes against the direction of the agreement.
    pub sequence_type: SequenceType,
    /// The day it is in Sweden.
    pub today: NaiveDate,
}

impl Exchange {
    /// The exchange that a message is; `None` when its label lacks `from` or `to`, which are
    /// errors of their own (`IllegalSender`, `UnknownReceiver`).
    #[must_use]
    pub fn of(label: &Label, now: DateTime<Utc>) -> Option<Self> {
        Some(Self {
            sender: label.from.as_ref()?.address.organisation().clone(),
            receiver: label.to.as_ref()?.address.organisation().clone(),
            produkt: label.product.produkt,
            transfer_type: label.transfer_type,
            sequence_type: label.sequence_type,
            today: time::swedish(now).date(),
        })
    }

    /// True for errors and confirmations, which need no agreement.
    pub(super) fn is_administrative(&self) -> bool {
        self.sequence_type == SequenceType::Adm
    }

    /// Who opened the exchange, and who answers: in a reply the receiver and the sender.
    #[must_use]
    pub const fn roles(&self) -> (&Organisationsnummer, &Organisationsnummer) {
        match self.sequence_type {
            SequenceType::Reply => (&self.receiver, &self.sender),
            _ => (&self.sender, &self.receiver),
        }
    }
}

/// Why an agreement does not cover an exchange: the first condition that fails, in the order in
/// which they are tried. The later one is, the nearer the agreement came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Mismatch {
    /// It is about other products.
    #[error("the agreement does not cover the product")]
    Product,
    /// It is between others, or goes the other way.
    #[error("the agreement does not cover these parties in this direction")]
    Parties,
    /// It is for the other transfer type.
    #[error("the agreement does not cover the transfer type")]
    TransferType,
    /// It begins later.
    #[error("the agreement is not valid yet")]
    NotYetValid,
    /// It has ended.
    #[error("the agreement is no longer valid")]
    Expired,
}

impl Agreement {
    /// Decides by conditions a to d of shs-1.2, 7.5.
    ///
    /// # Errors
    /// With the first condition that fails.
    pub fn covers(&self, exchange: &Exchange) -> Result<(), Mismatch> {
        if !self.products.contains(&exchange.produkt) {
            return Err(Mismatch::Product);
        }
        if !self.fits_parties(exchange) {
            return Err(Mismatch::Parties);
        }
        self.holds(exchange.transfer_type, exchange.today)
    }

    /// Conditions c and d alone: what does not depend on who the parties are.
    pub(super) fn holds(
        &self,
        transfer_type: TransferType,
        today: NaiveDate,
    ) -> Result<(), Mismatch> {
        if !self.transfer.permits(transfer_type) {
            return Err(Mismatch::TransferType);
        }
        if today < self.valid_from {
            return Err(Mismatch::NotYetValid);
        }
        if self.valid_to.is_some_and(|last| today > last) {
            return Err(Mismatch::Expired);
        }
        Ok(())
    }

    fn fits_parties(&self, exchange: &Exchange) -> bool {
        let (opener, answerer) = exchange.roles();
        let is_customer = |party: &Organisationsnummer| {
            self.customer
                .as_ref()
                .is_none_or(|customer| customer == party)
        };
        let to_customer = || {
            // Here the customer must be somebody, except under flow `any`.
            let known = self.customer.is_some() || self.flow == Flow::Any;
            known && *opener == self.principal && is_customer(answerer)
        };
        let from_customer = || is_customer(opener) && *answerer == self.principal;
        match self.flow {
            Flow::ToCustomer => to_customer(),
            Flow::FromCustomer => from_customer(),
            Flow::Any => to_customer() || from_customer(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shs::agreement::AgreedTransfer;
    use crate::shs::agreement::samples::{C, P, X, agreement, day, exchange};

    #[test]
    fn parties_must_fit_the_direction_and_replies_go_against_it() {
        use Flow::{Any, FromCustomer, ToCustomer};
        // flow, customer, sender, receiver, request fits, reply fits
        let table = [
            (ToCustomer, Some(C), P, C, true, false),
            (ToCustomer, Some(C), C, P, false, true),
            (ToCustomer, Some(C), P, X, false, false),
            (ToCustomer, Some(C), X, C, false, false),
            (ToCustomer, None, P, C, false, false),
            (FromCustomer, Some(C), C, P, true, false),
            (FromCustomer, Some(C), P, C, false, true),
            (FromCustomer, Some(C), X, P, false, false),
            (FromCustomer, Some(C), C, X, false, false),
            (FromCustomer, None, X, P, true, false),
            (FromCustomer, None, P, X, false, true),
            (FromCustomer, None, X, C, false, false),
            (Any, Some(C), P, C, true, true),
            (Any, Some(C), C, P, true, true),
            (Any, Some(C), X, P, false, false),
            (Any, Some(C), P, X, false, false),
            (Any, None, X, P, true, true),
            (Any, None, P, X, true, true),
            (Any, None, X, C, false, false),
        ];
        for (row, (flow, customer, sender, receiver, request, reply)) in
            table.into_iter().enumerate()
        {
            let agreement = agreement("a-1", flow, customer);
            let mut exchange = exchange(sender, receiver);
            assert_eq!(
                agreement.covers(&exchange).is_ok(),
                request,
                "request, row {row}"
            );
            exchange.sequence_type = SequenceType::Reply;
            assert_eq!(
                agreement.covers(&exchange).is_ok(),
                reply,
                "reply, row {row}"
            );
        }
    }

    #[test]
    fn product_transfer_type_and_days_must_fit() {
        let covers = |change: fn(&mut Exchange)| {
            let mut exchange = exchange(C, P);
            change(&mut exchange);
            agreement("a-1", Flow::FromCustomer, Some(C)).covers(&exchange)
        };
        assert_eq!(
            covers(|e| e.produkt = Produkt::Error),
            Err(Mismatch::Product)
        );
        assert_eq!(
            covers(|e| e.transfer_type = TransferType::Asynch),
            Err(Mismatch::TransferType)
        );
        assert_eq!(
            covers(|e| e.today = day("2030-12-31")),
            Err(Mismatch::NotYetValid)
        );
        assert_eq!(covers(|e| e.today = day("2031-01-01")), Ok(()));
        assert_eq!(covers(|e| e.today = day("2031-12-31")), Ok(()));
        assert_eq!(
            covers(|e| e.today = day("2032-01-01")),
            Err(Mismatch::Expired)
        );
    }

    #[test]
    fn any_transfer_and_an_open_end_fit_always() {
        let mut agreement = agreement("a-1", Flow::FromCustomer, Some(C));
        agreement.transfer = AgreedTransfer::Any;
        agreement.valid_to = None;
        let mut exchange = exchange("160000000001", P);
        exchange.transfer_type = TransferType::Asynch;
        exchange.today = day("2099-01-01");
        assert_eq!(agreement.covers(&exchange), Ok(()));
    }
}
