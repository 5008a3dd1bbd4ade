//! Everything the node knows of other actors: what an operator has written down goes before what
//! the directory says.

use samsvar_actors::directory::{Directory, Entry, Found};
use shs_schemas::shs::agreement::PublicAgreement;
use shs_schemas::shs::{Organisationsnummer, Produkt};

use super::cached::CachedDirectory;
use super::config::ConfigDirectory;
use super::counted::Counted;

/// Configuration first, then the directory. The directory is not asked about an actor that the
/// configuration lists, not even for an address that it lacks there: a listed actor is the
/// operator's business.
#[derive(Debug)]
pub struct Catalogue {
    config: ConfigDirectory,
    directory: Option<CachedDirectory>,
}

impl Catalogue {
    /// Puts the two together; without a directory, who is not listed does not exist.
    #[must_use]
    pub const fn new(config: ConfigDirectory, directory: Option<CachedDirectory>) -> Self {
        Self { config, directory }
    }

    /// Look-ups in the directory and answers kept; `None` when there is no directory.
    #[must_use]
    pub fn counted(&self) -> Option<Counted> {
        self.directory.as_ref().map(CachedDirectory::counted)
    }

    fn about(&self, of: &Organisationsnummer) -> &dyn Directory {
        match &self.directory {
            Some(directory) if !self.config.lists(of) => directory,
            _ => &self.config,
        }
    }
}

impl Directory for Catalogue {
    fn actor<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<Entry>> {
        self.about(of).actor(of)
    }

    fn address<'a>(
        &'a self,
        of: &'a Organisationsnummer,
        produkt: Produkt,
    ) -> Found<'a, Option<String>> {
        self.about(of).address(of, produkt)
    }

    fn any_address<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<String>> {
        self.about(of).any_address(of)
    }

    /// Also those of actors that the configuration lists: it has no other place for them.
    fn public_agreements<'a>(
        &'a self,
        principal: Option<&'a Organisationsnummer>,
        produkt: Produkt,
    ) -> Found<'a, Vec<PublicAgreement>> {
        match &self.directory {
            Some(directory) => directory.public_agreements(principal, produkt),
            None => self.config.public_agreements(principal, produkt),
        }
    }
}
