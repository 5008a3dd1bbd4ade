//! [`Agreements`]: all local agreements, found by id and by who sends what to whom. A node may
//! hold thousands, one per customer and product, and asks for every message; so a look-up goes
//! straight to the few that can fit.

use std::collections::HashMap;

use super::{Agreement, Exchange, Mismatch, PublicAgreement};
use crate::ids::AgreementId;
use crate::shs::urn::{Organisationsnummer, Produkt};

/// Agreements by their place in the order they were given in.
type Places = Vec<usize>;

/// The local agreements, indexed. The order they were given in decides which of several that fit
/// is named.
#[derive(Clone, Debug, Default)]
pub struct Agreements {
    pub(super) all: Vec<Agreement>,
    /// By `uuid`, in lower case.
    by_id: HashMap<String, usize>,
    /// By product, principal and customer: exactly what an exchange between two parties needs.
    by_pair: HashMap<(Produkt, Organisationsnummer, Option<Organisationsnummer>), Places>,
    /// By product and either party, for finding receivers.
    by_party: HashMap<(Produkt, Organisationsnummer), Places>,
    /// By product, those without customer, for finding receivers.
    open: HashMap<Produkt, Places>,
    /// By product, for explanations.
    by_product: HashMap<Produkt, Places>,
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

/// What permits an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission<'a> {
    /// It is administrative, which needs no agreement.
    Administrative,
    /// A local agreement.
    Local(&'a Agreement),
    /// A public agreement.
    Public(&'a PublicAgreement),
}

impl Permission<'_> {
    /// True when a delivery confirmation is agreed on.
    #[must_use]
    pub const fn confirm(&self) -> bool {
        match self {
            Self::Administrative => false,
            Self::Local(agreement) => agreement.confirm,
            Self::Public(agreement) => agreement.confirm,
        }
    }
}

impl Agreements {
    /// Indexes agreements. Of several with the same id the first is found by it.
    #[must_use]
    pub fn new(all: Vec<Agreement>) -> Self {
        let mut store = Self::default();
        for (place, agreement) in all.iter().enumerate() {
            store.index(place, agreement);
        }
        store.all = all;
        store
    }

    fn index(&mut self, place: usize, agreement: &Agreement) {
        self.by_id.entry(key(&agreement.id)).or_insert(place);
        let principal = &agreement.principal;
        let customer = &agreement.customer;
        let mut products = agreement.products.clone();
        products.sort_unstable();
        products.dedup();
        for product in products {
            let pair = (product, principal.clone(), customer.clone());
            self.by_pair.entry(pair).or_default().push(place);
            let of = (product, principal.clone());
            self.by_party.entry(of).or_default().push(place);
            match customer {
                None => self.open.entry(product).or_default().push(place),
                Some(customer) if customer == principal => {}
                Some(customer) => {
                    let of = (product, customer.clone());
                    self.by_party.entry(of).or_default().push(place);
                }
            }
            self.by_product.entry(product).or_default().push(place);
        }
    }

    /// The agreement with this id, in any letter case.
    #[must_use]
    pub fn get(&self, id: &AgreementId) -> Option<&Agreement> {
        self.by_id.get(&key(id)).map(|&place| &self.all[place])
    }

    /// All of them, in the order they were given in.
    pub fn iter(&self) -> std::slice::Iter<'_, Agreement> {
        self.all.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The agreements that are looked at for an exchange: those about its product between its
    /// parties, in either direction, and those of its parties that are open to anyone.
    pub fn candidates(&self, exchange: &Exchange) -> impl Iterator<Item = &Agreement> {
        let (one, other) = (&exchange.sender, &exchange.receiver);
        let mut places: Places = [
            (one, Some(other)),
            (other, Some(one)),
            (one, None),
            (other, None),
        ]
        .into_iter()
        .filter_map(|(principal, customer)| {
            let pair = (exchange.produkt, principal.clone(), customer.cloned());
            self.by_pair.get(&pair)
        })
        .flatten()
        .copied()
        .collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| &self.all[place])
    }

    /// Finds the local agreement that permits an exchange: steps 1 and 2 of shs-1.2, 7.5.
    /// Administrative messages need none (`Ok(None)`); an agreement that the label names alone
    /// decides.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(
        &self,
        named: Option<&AgreementId>,
        exchange: &Exchange,
    ) -> Result<Option<&Agreement>, NoAgreement> {
        if exchange.is_administrative() {
            return Ok(None);
        }
        let Some(named) = named else {
            return self
                .candidates(exchange)
                .find(|agreement| agreement.covers(exchange).is_ok())
                .map(Some)
                .ok_or(NoAgreement::None);
        };
        let agreement = self.get(named).ok_or(NoAgreement::Unknown)?;
        match agreement.covers(exchange) {
            Ok(()) => Ok(Some(agreement)),
            Err(mismatch) => Err(NoAgreement::NamedMisfit(mismatch)),
        }
    }

    /// The whole of shs-1.2, 7.5: as [`Agreements::find`], and where no agreement is named and no
    /// local one fits, one of the `public` agreements (of the receiver; for a reply of the
    /// sender).
    ///
    /// # Errors
    /// When there is none.
    pub fn permit<'a>(
        &'a self,
        named: Option<&AgreementId>,
        exchange: &Exchange,
        public: &'a [PublicAgreement],
    ) -> Result<Permission<'a>, NoAgreement> {
        match self.find(named, exchange) {
            Ok(None) => Ok(Permission::Administrative),
            Ok(Some(agreement)) => Ok(Permission::Local(agreement)),
            Err(NoAgreement::None) => public
                .iter()
                .find(|agreement| agreement.covers(exchange).is_ok())
                .map(Permission::Public)
                .ok_or(NoAgreement::None),
            Err(named) => Err(named),
        }
    }

    /// The agreements that can tell a receiver for what `sender` sends: its own, and those that
    /// are open to anyone.
    pub(super) fn routes(
        &self,
        produkt: Produkt,
        sender: &Organisationsnummer,
    ) -> impl Iterator<Item = &Agreement> {
        let own = self.by_party.get(&(produkt, sender.clone()));
        let open = self.open.get(&produkt);
        let mut places: Places = own.into_iter().chain(open).flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| &self.all[place])
    }

    /// The agreements about a product.
    pub(super) fn about(&self, produkt: Produkt) -> impl Iterator<Item = &Agreement> {
        let places = self.by_product.get(&produkt);
        places.into_iter().flatten().map(|&place| &self.all[place])
    }
}

impl<'a> IntoIterator for &'a Agreements {
    type Item = &'a Agreement;
    type IntoIter = std::slice::Iter<'a, Agreement>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Ids are compared without regard to letter case: they are UUIDs as a rule.
fn key(id: &AgreementId) -> String {
    id.as_str().to_ascii_lowercase()
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
