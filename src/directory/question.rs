//! A look-up as a value: what is asked, and what came out, so that both can be kept.

use samsvar_actors::directory::{Directory, DirectoryAway, Entry};
use shs_schemas::shs::agreement::PublicAgreement;
use shs_schemas::shs::{Organisationsnummer, Produkt};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Question {
    Actor(Organisationsnummer),
    Address(Organisationsnummer, Produkt),
    AnyAddress(Organisationsnummer),
    PublicAgreements(Option<Organisationsnummer>, Produkt),
}

/// What came out: the kind that belongs to the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Actor(Option<Entry>),
    Address(Option<String>),
    PublicAgreements(Vec<PublicAgreement>),
}

impl Question {
    /// Puts the question to a directory.
    pub(super) async fn ask(&self, directory: &dyn Directory) -> Result<Answer, DirectoryAway> {
        Ok(match self {
            Self::Actor(of) => Answer::Actor(directory.actor(of).await?),
            Self::Address(of, produkt) => Answer::Address(directory.address(of, *produkt).await?),
            Self::AnyAddress(of) => Answer::Address(directory.any_address(of).await?),
            Self::PublicAgreements(principal, produkt) => {
                let found = directory.public_agreements(principal.as_ref(), *produkt);
                Answer::PublicAgreements(found.await?)
            }
        })
    }
}

impl Answer {
    /// Whether there is something: "there is none" is believed for a shorter time.
    pub(super) const fn is_something(&self) -> bool {
        match self {
            Self::Actor(found) => found.is_some(),
            Self::Address(found) => found.is_some(),
            Self::PublicAgreements(found) => !found.is_empty(),
        }
    }

    pub(super) fn into_actor(self) -> Option<Entry> {
        match self {
            Self::Actor(found) => found,
            _ => None,
        }
    }

    pub(super) fn into_address(self) -> Option<String> {
        match self {
            Self::Address(found) => found,
            _ => None,
        }
    }

    pub(super) fn into_agreements(self) -> Vec<PublicAgreement> {
        match self {
            Self::PublicAgreements(found) => found,
            _ => Vec::new(),
        }
    }
}
