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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::FutureExt;
    use samsvar_actors::directory::DirectoryAway;
    use shs_schemas::shs::agreement::AgreedTransfer;
    use tokio::runtime::Handle;

    use super::super::cached::CacheSettings;
    use super::super::counted::Lookup;
    use super::*;
    use crate::settings::Settings;

    /// A directory that knows everyone, and has the same address for all.
    struct Generous;

    impl Directory for Generous {
        fn actor<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<Entry>> {
            let entry = Entry {
                organisation: of.clone(),
                name: Some("katalogens namn".to_owned()),
                labeled_uri: None,
            };
            async { Ok(Some(entry)) }.boxed()
        }

        fn address<'a>(
            &'a self,
            of: &'a Organisationsnummer,
            _produkt: Produkt,
        ) -> Found<'a, Option<String>> {
            self.any_address(of)
        }

        fn any_address<'a>(&'a self, _of: &'a Organisationsnummer) -> Found<'a, Option<String>> {
            async { Ok(Some("https://katalog.example/".to_owned())) }.boxed()
        }

        fn public_agreements<'a>(
            &'a self,
            principal: Option<&'a Organisationsnummer>,
            produkt: Produkt,
        ) -> Found<'a, Vec<PublicAgreement>> {
            let agreement = principal.map(|principal| PublicAgreement {
                id: None,
                principal: principal.clone(),
                products: vec![produkt],
                transfer: AgreedTransfer::Any,
                confirm: false,
            });
            async { Ok(agreement.into_iter().collect()) }.boxed()
        }
    }

    fn catalogue(with_directory: bool) -> Catalogue {
        let config = ConfigDirectory::new(&Settings::demo()).unwrap();
        let settings = CacheSettings {
            fresh: Duration::from_secs(1),
            stale: Duration::from_secs(1),
            negative: Duration::from_secs(1),
            entries_max: 10,
        };
        let directory = || CachedDirectory::new(Arc::new(Generous), settings, Handle::current());
        Catalogue::new(config, with_directory.then(directory))
    }

    fn number(text: &str) -> Organisationsnummer {
        Organisationsnummer::parse(text).unwrap()
    }

    #[tokio::test]
    async fn the_directory_is_never_asked_about_an_actor_that_is_listed() {
        let catalogue = catalogue(true);
        for (of, name) in [
            ("2120009994", "Exempelköpings kommun"),
            ("2021009994", "Exempelkassan"),
        ] {
            let of = number(of);
            let entry = catalogue.actor(&of).await.unwrap().unwrap();
            assert_eq!(entry.name.as_deref(), Some(name));
            assert_eq!(catalogue.address(&of, Produkt::Error).await, Ok(None));
            assert_eq!(catalogue.any_address(&of).await, Ok(None));
        }
        let counted = catalogue.counted().unwrap();
        assert!(
            Lookup::ALL
                .iter()
                .all(|lookup| counted.lookups(*lookup) == 0)
        );
    }

    #[tokio::test]
    async fn the_directory_knows_the_others_and_everybodys_public_agreements() {
        let catalogue = catalogue(true);
        let stranger = number("0000000001");
        let entry = catalogue.actor(&stranger).await.unwrap().unwrap();
        assert_eq!(entry.name.as_deref(), Some("katalogens namn"));
        let address = catalogue.address(&stranger, Produkt::Error).await;
        assert!(matches!(address, Ok(Some(_))));
        let listed = number("2120009994");
        let found = catalogue.public_agreements(Some(&listed), Produkt::Confirm);
        assert_eq!(found.await.unwrap().len(), 1);
        assert_eq!(catalogue.counted().unwrap().entries, 3);
    }

    #[tokio::test]
    async fn without_a_directory_who_is_not_listed_does_not_exist() {
        let catalogue = catalogue(false);
        let stranger = number("0000000001");
        let nobody: Result<_, DirectoryAway> = Ok(None);
        assert_eq!(catalogue.actor(&stranger).await, nobody);
        assert_eq!(catalogue.any_address(&stranger).await, Ok(None));
        let found = catalogue.public_agreements(None, Produkt::Error).await;
        assert_eq!(found, Ok(Vec::new()));
        assert_eq!(catalogue.counted(), None);
    }
}
