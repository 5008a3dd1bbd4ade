//! Whether an agreement covers an exchange: a pure decision (shs-1.2, 7.5).

use chrono::{DateTime, NaiveDate, Utc};

use super::{AgreedTransfer, Agreement, Flow};
use crate::ids::AgreementId;
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
}

/// Why an agreement does not cover an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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

/// Why no agreement permits an exchange. The code is always `MissingAgreement`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAgreement {
    /// The label names an agreement that is not known.
    #[error("the agreement that the label names is not known")]
    Unknown,
    /// The label names an agreement that does not fit; no other is tried.
    #[error("the agreement that the label names does not fit: {0}")]
    NamedMisfit(#[source] Mismatch),
    /// None of the agreements fits.
    #[error("no agreement covers sender, receiver and product")]
    None,
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
        let transfer = match self.transfer {
            AgreedTransfer::Any => true,
            AgreedTransfer::Asynch => exchange.transfer_type == TransferType::Asynch,
            AgreedTransfer::Synch => exchange.transfer_type == TransferType::Synch,
        };
        if !transfer {
            return Err(Mismatch::TransferType);
        }
        if exchange.today < self.valid_from {
            return Err(Mismatch::NotYetValid);
        }
        if self.valid_to.is_some_and(|last| exchange.today > last) {
            return Err(Mismatch::Expired);
        }
        Ok(())
    }

    fn fits_parties(&self, exchange: &Exchange) -> bool {
        // A reply goes back: its sender has the receiver's role.
        let (opener, answerer) = match exchange.sequence_type {
            SequenceType::Reply => (&exchange.receiver, &exchange.sender),
            _ => (&exchange.sender, &exchange.receiver),
        };
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

/// Finds the local agreement that permits an exchange. Administrative messages need none
/// (`Ok(None)`); an agreement that the label names alone decides.
///
/// # Errors
/// When there is none.
pub fn find<'a>(
    agreements: impl IntoIterator<Item = &'a Agreement>,
    named: Option<&AgreementId>,
    exchange: &Exchange,
) -> Result<Option<&'a Agreement>, NoAgreement> {
    if exchange.sequence_type == SequenceType::Adm {
        return Ok(None);
    }
    let mut agreements = agreements.into_iter();
    let Some(named) = named else {
        return agreements
            .find(|agreement| agreement.covers(exchange).is_ok())
            .map(Some)
            .ok_or(NoAgreement::None);
    };
    let is_named =
        |agreement: &&Agreement| agreement.id.as_str().eq_ignore_ascii_case(named.as_str());
    let agreement = agreements.find(is_named).ok_or(NoAgreement::Unknown)?;
    match agreement.covers(exchange) {
        Ok(()) => Ok(Some(agreement)),
        Err(mismatch) => Err(NoAgreement::NamedMisfit(mismatch)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: &str = "0000000002";
    const C: &str = "0000000001";
    const X: &str = "0000000009";

    fn number(text: &str) -> Organisationsnummer {
        Organisationsnummer::parse(text).unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        time::date(text).unwrap()
    }

    fn agreement(flow: Flow, customer: Option<&str>) -> Agreement {
        Agreement {
            id: AgreementId::parse("a-1").unwrap(),
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

    fn exchange(sender: &str, receiver: &str) -> Exchange {
        Exchange {
            sender: number(sender),
            receiver: number(receiver),
            produkt: Produkt::Uuid(uuid::Uuid::nil()),
            transfer_type: TransferType::Synch,
            sequence_type: SequenceType::Request,
            today: day("2031-06-15"),
        }
    }

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
            let agreement = agreement(flow, customer);
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
            agreement(Flow::FromCustomer, Some(C)).covers(&exchange)
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
        let mut agreement = agreement(Flow::FromCustomer, Some(C));
        agreement.transfer = AgreedTransfer::Any;
        agreement.valid_to = None;
        let mut exchange = exchange("160000000001", P);
        exchange.transfer_type = TransferType::Asynch;
        exchange.today = day("2099-01-01");
        assert_eq!(agreement.covers(&exchange), Ok(()));
    }

    #[test]
    fn a_named_agreement_alone_decides() {
        let wrong = Agreement {
            id: AgreementId::parse("a-2").unwrap(),
            ..agreement(Flow::ToCustomer, Some(C))
        };
        let agreements = [wrong, agreement(Flow::FromCustomer, Some(C))];
        let exchange = exchange(C, P);
        let by = |name: &str| {
            let name = AgreementId::parse(name).unwrap();
            find(&agreements, Some(&name), &exchange).map(|found| found.map(|a| a.id.as_str()))
        };
        assert_eq!(by("A-1"), Ok(Some("a-1")));
        assert_eq!(by("a-2"), Err(NoAgreement::NamedMisfit(Mismatch::Parties)));
        assert_eq!(by("a-3"), Err(NoAgreement::Unknown));
        let unnamed = find(&agreements, None, &exchange).unwrap().unwrap();
        assert_eq!(unnamed.id.as_str(), "a-1");
    }

    #[test]
    fn administrative_messages_need_none_and_others_do() {
        let mut exchange = exchange(C, P);
        assert_eq!(find([], None, &exchange), Err(NoAgreement::None));
        exchange.sequence_type = SequenceType::Adm;
        assert_eq!(find([], None, &exchange), Ok(None));
    }
}
