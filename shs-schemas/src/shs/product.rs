//! Product descriptions: which data parts the messages of a product carry, and those of the
//! replies to it (shs-1.2, 3.5).

mod check;
mod read;

use std::collections::HashMap;

use uuid::Uuid;

use super::urn::{Organisationsnummer, Produkt};
use crate::mime::TransferEncoding;

pub use check::PartFault;
pub use read::{DATA_RULES_MAX, PRODUCT_BYTES_MAX};

/// A product description: the parts of `shs.product` that a node can go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductType {
    /// `uuid`. Special products (`error`, `confirm`) have no description.
    pub uuid: Uuid,
    /// `commonName`, its name.
    pub common_name: Option<String>,
    /// `principal`: its owner.
    pub principal: Organisationsnummer,
    /// `resp-required`: whether a request must be answered.
    pub resp_required: bool,
    /// `data`: the parts of a message, at least one rule.
    pub data: Vec<DataRule>,
    /// `reply-data`: the parts of a reply.
    pub reply_data: Vec<DataRule>,
}

impl ProductType {
    /// The product that it describes.
    #[must_use]
    pub const fn produkt(&self) -> Produkt {
        Produkt::Uuid(self.uuid)
    }
}

/// `data` or `reply-data`: one role that data parts have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataRule {
    /// `datapartType`: the role, never empty.
    pub datapart_type: String,
    /// `minOccurs`: how many parts there are at least.
    pub min: u32,
    /// `maxOccurs`: how many at most; `None` means any number.
    pub max: Option<u32>,
    /// `mime/@type`, as in `text/xml`.
    pub mime_type: String,
    /// `mime/@subtype`.
    pub mime_subtype: String,
    /// `mime/@text-charset`.
    pub charset: String,
    /// `mime/@transfer-encoding`: `binary` or `base64`.
    pub encoding: TransferEncoding,
}

/// The product descriptions that a node has, found by product.
#[derive(Clone, Debug, Default)]
pub struct Products {
    all: Vec<ProductType>,
    places: HashMap<Produkt, usize>,
}

impl Products {
    /// Indexes descriptions. Of several of the same product the first counts.
    #[must_use]
    pub fn new(all: Vec<ProductType>) -> Self {
        let mut places = HashMap::with_capacity(all.len());
        for (place, product) in all.iter().enumerate() {
            places.entry(product.produkt()).or_insert(place);
        }
        Self { all, places }
    }

    /// The description of a product.
    #[must_use]
    pub fn get(&self, produkt: Produkt) -> Option<&ProductType> {
        self.places.get(&produkt).map(|&place| &self.all[place])
    }

    /// All of them, in the order they were given in.
    pub fn iter(&self) -> std::slice::Iter<'_, ProductType> {
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
}

impl<'a> IntoIterator for &'a Products {
    type Item = &'a ProductType;
    type IntoIter = std::slice::Iter<'a, ProductType>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(uuid: u128, name: &str) -> ProductType {
        ProductType {
            uuid: Uuid::from_u128(uuid),
            common_name: Some(name.to_owned()),
            principal: Organisationsnummer::parse("0000000002").unwrap(),
            resp_required: true,
            data: Vec::new(),
            reply_data: Vec::new(),
        }
    }

    #[test]
    fn a_description_is_found_by_product_and_the_first_of_twins_counts() {
        let store = Products::new(vec![
            described(1, "one"),
            described(2, "two"),
            described(1, "one again"),
        ]);
        let name = |produkt| store.get(produkt)?.common_name.as_deref();
        assert_eq!(name(Produkt::Uuid(Uuid::from_u128(1))), Some("one"));
        assert_eq!(name(Produkt::Uuid(Uuid::from_u128(2))), Some("two"));
        assert_eq!(name(Produkt::Uuid(Uuid::from_u128(3))), None);
        for special in [Produkt::Error, Produkt::Confirm, Produkt::Agreement] {
            assert_eq!(name(special), None);
        }
        assert_eq!((store.len(), store.is_empty()), (3, false));
        assert_eq!((&store).into_iter().count(), 3);
    }
}
