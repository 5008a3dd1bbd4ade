//! [`PublicAgreement`]: an entry of the directory by which an actor opens a product to anyone
//! (shs-1.2, 8.2).

use super::{AgreedTransfer, Exchange, Mismatch, PRODUCTS_MAX};
use crate::error::{Fault, WireError};
use crate::ids::AgreementId;
use crate::shs::strict::is_yes;
use crate::shs::urn::{Adress, Organisationsnummer, Produkt};

/// A public agreement: the customer is anyone, and opens the exchange. It has no days of
/// validity: it holds as long as the directory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAgreement {
    /// `serialNumber`; `None` when it is no identifier. Nothing is decided by it.
    pub id: Option<AgreementId>,
    /// `principal`: the owner of the products.
    pub principal: Organisationsnummer,
    /// `shsProductID`, at least one.
    pub products: Vec<Produkt>,
    /// `shsTransferType`; missing means any.
    pub transfer: AgreedTransfer,
    /// `shsDeliveryConfirmation`: whether a delivery confirmation is wanted; missing means no.
    pub confirm: bool,
}

impl PublicAgreement {
    /// Reads the attributes of an entry: names in any letter case, and values, a name as often as
    /// it has values. Attributes that decide nothing are passed over.
    ///
    /// # Errors
    /// Names the attribute, with the number of the pair as offset. An entry whose transfer type is
    /// no known word permits nothing, so it is an error and not `any`.
    pub fn from_entry<'a>(
        attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, WireError> {
        let mut draft = Draft::default();
        for (number, (name, value)) in attributes.into_iter().enumerate() {
            draft.attribute(&name.to_ascii_lowercase(), value, number)?;
        }
        let missing = |attribute| WireError::new(attribute, 0, Fault::Missing);
        if draft.products.is_empty() {
            return Err(missing("shsProductID"));
        }
        Ok(Self {
            id: draft.id,
            principal: draft.principal.ok_or(missing("principal"))?,
            products: draft.products,
            transfer: draft.transfer.unwrap_or(AgreedTransfer::Any),
            confirm: draft.confirm,
        })
    }

    /// Decides by step 3 of shs-1.2, 7.5: the principal receives, or sends the reply.
    ///
    /// # Errors
    /// With the first condition that fails.
    pub fn covers(&self, exchange: &Exchange) -> Result<(), Mismatch> {
        if !self.products.contains(&exchange.produkt) {
            return Err(Mismatch::Product);
        }
        let (_, answerer) = exchange.roles();
        if *answerer != self.principal {
            return Err(Mismatch::Parties);
        }
        if !self.transfer.permits(exchange.transfer_type) {
            return Err(Mismatch::TransferType);
        }
        Ok(())
    }
}

#[derive(Default)]
struct Draft {
    id: Option<AgreementId>,
    principal: Option<Organisationsnummer>,
    products: Vec<Produkt>,
    transfer: Option<AgreedTransfer>,
    confirm: bool,
}

impl Draft {
    fn attribute(&mut self, name: &str, value: &str, number: usize) -> Result<(), WireError> {
        match name {
            "serialnumber" => self.id = AgreementId::parse(value).ok(),
            "principal" => {
                let address = Adress::parse(value)
                    .map_err(|error| WireError::new("principal", number, error.fault))?;
                self.principal = Some(address.organisation().clone());
            }
            "shsproductid" => self.product(value, number)?,
            "shstransfertype" => {
                let word = value.trim().to_ascii_lowercase();
                let fault = Fault::Invalid("not one of its values");
                let error = WireError::new("shsTransferType", number, fault);
                self.transfer = Some(AgreedTransfer::parse(&word).ok_or(error)?);
            }
            "shsdeliveryconfirmation" => self.confirm = is_yes(value),
            _ => {}
        }
        Ok(())
    }

    fn product(&mut self, value: &str, number: usize) -> Result<(), WireError> {
        let error = |fault| WireError::new("shsProductID", number, fault);
        if self.products.len() == PRODUCTS_MAX {
            return Err(error(Fault::Limit("PRODUCTS_MAX", PRODUCTS_MAX)));
        }
        let product = Produkt::parse(value).map_err(|refused| error(refused.fault))?;
        self.products.push(product);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCT: &str = "5a1e0000-1111-4222-8333-444455556666";
    const ENTRY: [(&str, &str); 6] = [
        ("objectClass", "shsAgreements"),
        ("serialNumber", "9e2d4b60-7a31-4c8e-b5f0-1a2b3c4d5e6f"),
        ("principal", "urn:X-shs:0000000002"),
        ("shsProductID", PRODUCT),
        ("SHSTRANSFERTYPE", "Synch"),
        ("shsDeliveryConfirmation", "yes"),
    ];

    /// The entry with one attribute exchanged; an empty value removes it.
    fn with(name: &str, value: &'static str) -> Result<PublicAgreement, WireError> {
        let entry = ENTRY.into_iter().map(|(one, old)| {
            if one == name {
                (one, value)
            } else {
                (one, old)
            }
        });
        PublicAgreement::from_entry(entry.filter(|(_, value)| !value.is_empty()))
    }

    #[test]
    fn an_entry_is_read_in_any_letter_case() {
        let agreement = PublicAgreement::from_entry(ENTRY).unwrap();
        assert_eq!(agreement.principal.as_str(), "0000000002");
        assert_eq!(agreement.products, [Produkt::parse(PRODUCT).unwrap()]);
        assert_eq!(agreement.transfer, AgreedTransfer::Synch);
        assert!(agreement.confirm);
        assert!(agreement.id.is_some());
    }

    #[test]
    fn what_an_entry_leaves_out_has_a_meaning() {
        let any = with("SHSTRANSFERTYPE", "").unwrap();
        assert_eq!(any.transfer, AgreedTransfer::Any);
        assert!(!with("shsDeliveryConfirmation", "").unwrap().confirm);
        assert_eq!(with("serialNumber", "två ord").unwrap().id, None);
    }

    #[test]
    fn an_entry_that_cannot_be_understood_permits_nothing() {
        for (name, value, element, number) in [
            ("principal", "", "principal", 0),
            ("principal", "Provmyndigheten", "principal", 2),
            ("shsProductID", "", "shsProductID", 0),
            ("shsProductID", "prov", "shsProductID", 3),
            ("SHSTRANSFERTYPE", "both", "shsTransferType", 4),
        ] {
            let error = with(name, value).unwrap_err();
            assert_eq!((error.element, error.offset), (element, number), "{value}");
        }
        let many = std::iter::repeat_n(("shsProductID", PRODUCT), PRODUCTS_MAX + 1);
        let error = PublicAgreement::from_entry(many).unwrap_err();
        assert_eq!(error.fault, Fault::Limit("PRODUCTS_MAX", PRODUCTS_MAX));
    }
}
