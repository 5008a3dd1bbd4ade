//! What is searched for, written as LDAP wants it (RFC 4515). Values come from messages: whatever
//! they hold, they stay values.

use std::fmt::Write;

use ldap3::ldap_escape;

/// A kind of entry (shs-1.2, 8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `shsOrgExtension`.
    Actor,
    /// `shsAddresses`.
    Address,
    /// `shsAgreement`.
    Agreement,
}

impl Class {
    const fn name(self) -> &'static str {
        match self {
            Self::Actor => "shsOrgExtension",
            Self::Address => "shsAddresses",
            Self::Agreement => "shsAgreement",
        }
    }

    /// The attributes that are read.
    pub(super) const fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::Actor => &["organizationNumber", "o", "labeledURI"],
            Self::Address => &["organizationNumber", "serialNumber", "shsDeliveryMethods"],
            Self::Agreement => &[
                "serialNumber",
                "principal",
                "shsProductID",
                "shsTransferType",
                "shsDeliveryConfirmation",
            ],
        }
    }
}

/// Entries of one kind whose attributes have given values, letter case aside.
#[derive(Clone, Debug)]
pub struct Search {
    class: Class,
    conditions: Vec<(&'static str, String)>,
}

impl Search {
    /// Every entry of this kind.
    #[must_use]
    pub const fn of(class: Class) -> Self {
        Self {
            class,
            conditions: Vec::new(),
        }
    }

    /// Only those with this value.
    #[must_use]
    pub fn and(mut self, attribute: &'static str, value: &str) -> Self {
        self.conditions.push((attribute, value.to_owned()));
        self
    }

    pub(super) const fn class(&self) -> Class {
        self.class
    }

    /// The filter, its values escaped.
    #[must_use]
    pub fn filter(&self) -> String {
        let mut filter = format!("(&(objectClass={})", self.class.name());
        for (attribute, value) in &self.conditions {
            // Writing to a string cannot fail.
            let _ = write!(filter, "({attribute}={})", ldap_escape(value.as_str()));
        }
        filter.push(')');
        filter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_those_of_the_specification() {
        let actor = Search::of(Class::Actor).and("organizationNumber", "0000000002");
        assert_eq!(
            actor.filter(),
            "(&(objectClass=shsOrgExtension)(organizationNumber=0000000002))"
        );
        let address = Search::of(Class::Address)
            .and("organizationNumber", "0000000002")
            .and("serialNumber", "error");
        assert_eq!(
            address.filter(),
            "(&(objectClass=shsAddresses)(organizationNumber=0000000002)(serialNumber=error))"
        );
        let agreement = Search::of(Class::Agreement)
            .and("principal", "urn:X-shs:0000000002")
            .and("shsProductID", "5a1e0000-1111-4222-8333-444455556666");
        assert_eq!(
            agreement.filter(),
            "(&(objectClass=shsAgreement)(principal=urn:X-shs:0000000002)\
             (shsProductID=5a1e0000-1111-4222-8333-444455556666))"
        );
    }

    #[test]
    fn a_value_cannot_become_a_filter() {
        let hostile = Search::of(Class::Actor).and("organizationNumber", "*)(\\o=\0)");
        assert_eq!(
            hostile.filter(),
            "(&(objectClass=shsOrgExtension)(organizationNumber=\\2a\\29\\28\\5co=\\00\\29))"
        );
        let filter = hostile.filter();
        assert!(ldap3::parse_filter(filter).is_ok());
    }
}
