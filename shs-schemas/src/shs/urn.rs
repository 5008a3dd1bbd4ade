//! SHS URNs (shs-1.2, section 4): addresses of actors and product types. Values are kept without
//! the prefix `urn:X-shs:`; it is written always and read in any letter case or not at all.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::error::{Fault, WireError};

/// The prefix, exactly as it is written.
pub const URN_PREFIX: &str = "urn:X-shs:";

/// Longest address that is accepted, without prefix and blanks around it, in bytes: what is
/// written with a prefix can be read again.
pub const URN_BYTES_MAX: usize = 256;

/// Most digits of an organisation number. Ten are right, twelve occur in certificates; test
/// systems use shorter ones (shs-1.2, 4.2).
const ORGANISATION_DIGITS_MAX: usize = 12;

/// The text without blanks at its ends and without the prefix.
#[must_use]
pub fn without_prefix(text: &str) -> &str {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    match text.get(..URN_PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(URN_PREFIX) => &text[URN_PREFIX.len()..],
        _ => text,
    }
}

/// The organisation number of an actor. Two are equal when they name the same organisation: the
/// leading `16` of a twelve-digit form does not count (shs-1.2, 4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Organisationsnummer(Arc<str>);

impl Organisationsnummer {
    /// Reads one to twelve digits.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let right = (1..=ORGANISATION_DIGITS_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit());
        if !right {
            let fault = Fault::Invalid("not an organisation number");
            return Err(WireError::new("address", 0, fault));
        }
        let ten = match text.strip_prefix("16") {
            Some(ten) if text.len() == 12 => ten,
            _ => text,
        };
        Ok(Self(ten.into()))
    }

    /// The digits: ten of them for a real organisation.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Organisationsnummer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address: an actor, and perhaps an inner receiver behind it (shs-1.2, 1.5 and 4.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Adress {
    organisation: Organisationsnummer,
    internal: Option<Arc<str>>,
}

impl Adress {
    /// The address of an actor itself.
    #[must_use]
    pub const fn of(organisation: Organisationsnummer) -> Self {
        Self {
            organisation,
            internal: None,
        }
    }

    /// Reads an address with or without prefix. The inner id is everything after the first dot,
    /// opaque and case-sensitive.
    ///
    /// # Errors
    /// When there is no organisation number, or the inner id is empty or holds blanks.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let text = without_prefix(text);
        if text.len() > URN_BYTES_MAX {
            let fault = Fault::Limit("URN_BYTES_MAX", URN_BYTES_MAX);
            return Err(WireError::new("address", 0, fault));
        }
        let (organisation, internal) = match text.split_once('.') {
            Some((organisation, internal)) => (organisation, Some(internal)),
            None => (text, None),
        };
        let blank = |c: char| c.is_whitespace() || c.is_control();
        if internal.is_some_and(|id| id.is_empty() || id.contains(blank)) {
            let fault = Fault::Invalid("the inner id is empty or holds blanks");
            return Err(WireError::new("address", 0, fault));
        }
        Ok(Self {
            organisation: Organisationsnummer::parse(organisation)?,
            internal: internal.map(Arc::from),
        })
    }

    /// The actor: what directory, agreements and certificates know.
    #[must_use]
    pub const fn organisation(&self) -> &Organisationsnummer {
        &self.organisation
    }

    /// The inner id, if there is one.
    #[must_use]
    pub fn internal(&self) -> Option<&str> {
        self.internal.as_deref()
    }

    /// The address without prefix, as messages in a mailbox are found by.
    #[must_use]
    pub fn bare(&self) -> String {
        self.to_string().split_off(URN_PREFIX.len())
    }
}

/// The full form, `urn:X-shs:0000000002.ekonomi`.
impl fmt::Display for Adress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{URN_PREFIX}{}", self.organisation)?;
        match &self.internal {
            Some(internal) => write!(f, ".{internal}"),
            None => Ok(()),
        }
    }
}

/// A product type (shs-1.2, 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Produkt {
    /// An ordinary product: a UUID.
    Uuid(Uuid),
    /// The special product `error`.
    Error,
    /// The special product `confirm`.
    Confirm,
    /// The special product `agreement`.
    Agreement,
}

impl Produkt {
    /// Reads a product with or without prefix; letters count as lower case.
    ///
    /// # Errors
    /// When the text is neither a UUID in its 8-4-4-4-12 form nor a special name.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let text = without_prefix(text);
        for special in [Self::Error, Self::Confirm, Self::Agreement] {
            if special
                .name()
                .is_some_and(|name| name.eq_ignore_ascii_case(text))
            {
                return Ok(special);
            }
        }
        // Uuid::parse_str also takes forms without hyphens, in braces and with its own prefix.
        match Uuid::try_parse(text) {
            Ok(uuid) if text.len() == uuid::fmt::Hyphenated::LENGTH => Ok(Self::Uuid(uuid)),
            _ => {
                let fault = Fault::Invalid("neither a UUID nor a special product");
                Err(WireError::new("product", 0, fault))
            }
        }
    }

    /// The name of a special product.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Uuid(_) => None,
            Self::Error => Some("error"),
            Self::Confirm => Some("confirm"),
            Self::Agreement => Some("agreement"),
        }
    }

    /// The value without prefix, as the directory and agreements know it.
    #[must_use]
    pub fn bare(&self) -> String {
        self.to_string().split_off(URN_PREFIX.len())
    }
}

/// The full form, `urn:X-shs:` and the lower-case UUID or the name.
impl fmt::Display for Produkt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => write!(f, "{URN_PREFIX}{}", uuid.hyphenated()),
            special => write!(f, "{URN_PREFIX}{}", special.name().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_leniently_and_written_in_full() {
        for text in [
            "0000000002.a.b",
            "urn:X-shs:0000000002.a.b",
            " URN:x-SHS:0000000002.a.b\n",
        ] {
            let address = Adress::parse(text).unwrap();
            assert_eq!(address.to_string(), "urn:X-shs:0000000002.a.b");
            assert_eq!(address.bare(), "0000000002.a.b");
            assert_eq!(address.internal(), Some("a.b"));
            assert_eq!(address.organisation().as_str(), "0000000002");
        }
    }

    #[test]
    fn the_longest_address_is_read_again_when_it_is_written() {
        let longest = format!("0000000002.{}", "x".repeat(URN_BYTES_MAX - 11));
        let address = Adress::parse(&format!("\n    {longest}\n    ")).unwrap();
        assert_eq!(Adress::parse(&address.to_string()).unwrap(), address);
        assert!(Adress::parse(&format!("{longest}x")).is_err());
    }

    #[test]
    fn the_twelve_digit_form_names_the_same_organisation() {
        let twelve = Organisationsnummer::parse("162120009994").unwrap();
        assert_eq!(twelve, Organisationsnummer::parse("2120009994").unwrap());
        assert_ne!(twelve, Organisationsnummer::parse("1621200099").unwrap());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("0000000002.{}", "x".repeat(URN_BYTES_MAX));
        for bad in [
            "",
            "urn:X-shs:",
            "abc",
            "000000-0002",
            "1.",
            "1.a b",
            ".a",
            "1234567890123",
            &long,
        ] {
            assert!(Adress::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_product_is_a_lower_case_uuid_or_a_special_name() {
        let uuid = "urn:x-shs:5A1E0000-1111-4222-8333-444455556666";
        let product = Produkt::parse(uuid).unwrap();
        assert_eq!(
            product.to_string(),
            "urn:X-shs:5a1e0000-1111-4222-8333-444455556666"
        );
        assert_eq!(product.bare(), "5a1e0000-1111-4222-8333-444455556666");
        for (text, special) in [
            ("urn:X-shs:error", Produkt::Error),
            (" confirm", Produkt::Confirm),
        ] {
            assert_eq!(Produkt::parse(text).unwrap(), special);
        }
    }

    #[test]
    fn other_product_forms_are_refused() {
        for bad in [
            "",
            "errors",
            "5a1e0000111142228333444455556666",
            "{5a1e0000-1111-4222-8333-444455556666}",
            "urn:uuid:5a1e0000-1111-4222-8333-444455556666",
            "5a1e0000-1111-4222-8333-44445555666",
            "5a1e0000 1111-4222-8333-444455556666",
        ] {
            assert!(Produkt::parse(bad).is_err(), "{bad:?}");
        }
    }
}
