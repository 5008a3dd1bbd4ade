//! The actors of the configuration: those that an operator has written down need no directory.

use std::collections::HashMap;
use std::future::ready;

use futures_util::FutureExt;
use samsvar_actors::directory::{Directory, Entry, Found};
use shs_schemas::WireError;
use shs_schemas::shs::agreement::PublicAgreement;
use shs_schemas::shs::{Organisationsnummer, Produkt};

use crate::settings::{Aktor, Delivery, Settings};

/// The node's own actor and those of `[[aktor]]`.
#[derive(Debug)]
pub struct ConfigDirectory {
    actors: HashMap<Organisationsnummer, Known>,
}

#[derive(Debug)]
struct Known {
    entry: Entry,
    /// For every product that `addresses` does not name.
    address: Option<String>,
    addresses: HashMap<Produkt, String>,
}

impl ConfigDirectory {
    /// The actors that these settings list.
    ///
    /// # Errors
    /// When an organisation number cannot be read: settings that were loaded have none such.
    pub fn new(settings: &Settings) -> Result<Self, WireError> {
        let mut actors = HashMap::with_capacity(settings.aktorer.len() + 1);
        for aktor in &settings.aktorer {
            let known = Known::of(aktor)?;
            actors.insert(known.entry.organisation.clone(), known);
        }
        let own = Organisationsnummer::parse(&settings.node.organisationsnummer)?;
        actors.entry(own.clone()).or_insert_with(|| Known {
            entry: entry(own, &settings.node.namn),
            address: None,
            addresses: HashMap::new(),
        });
        Ok(Self { actors })
    }

    /// Whether the configuration lists this actor. What it says of one is all there is to say.
    #[must_use]
    pub fn lists(&self, of: &Organisationsnummer) -> bool {
        self.actors.contains_key(of)
    }

    fn any(&self, of: &Organisationsnummer) -> Option<String> {
        let known = self.actors.get(of)?;
        let first = || known.addresses.iter().min_by_key(|(produkt, _)| **produkt);
        let address = known.address.as_ref();
        address.or_else(|| first().map(|(_, url)| url)).cloned()
    }
}

impl Known {
    fn of(aktor: &Aktor) -> Result<Self, WireError> {
        let organisation = Organisationsnummer::parse(&aktor.organisationsnummer)?;
        // An actor with a mailbox here has no other address.
        let pushed = aktor.delivery == Delivery::Push;
        let address = aktor.address.iter().filter(|_| pushed);
        let addresses = aktor.addresses.iter().filter(|_| pushed);
        Ok(Self {
            entry: entry(organisation, &aktor.namn),
            address: address.map(|url| url.as_str().to_owned()).next(),
            addresses: addresses
                .map(|(produkt, url)| (*produkt, url.as_str().to_owned()))
                .collect(),
        })
    }
}

fn entry(organisation: Organisationsnummer, name: &str) -> Entry {
    Entry {
        organisation,
        name: Some(name.to_owned()),
        labeled_uri: None,
    }
}

impl Directory for ConfigDirectory {
    fn actor<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<Entry>> {
        let known = self.actors.get(of).map(|known| known.entry.clone());
        ready(Ok(known)).boxed()
    }

    fn address<'a>(
        &'a self,
        of: &'a Organisationsnummer,
        produkt: Produkt,
    ) -> Found<'a, Option<String>> {
        let known = self.actors.get(of);
        let address = known.and_then(|known| {
            let own = known.addresses.get(&produkt);
            own.or(known.address.as_ref()).cloned()
        });
        ready(Ok(address)).boxed()
    }

    fn any_address<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<String>> {
        ready(Ok(self.any(of))).boxed()
    }

    /// None: the agreements of the configuration are local ones.
    fn public_agreements<'a>(
        &'a self,
        _principal: Option<&'a Organisationsnummer>,
        _produkt: Produkt,
    ) -> Found<'a, Vec<PublicAgreement>> {
        ready(Ok(Vec::new())).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ServiceUrl;

    const PRODUCT: &str = "5a1e0000-1111-4222-8333-444455556666";

    fn number(text: &str) -> Organisationsnummer {
        Organisationsnummer::parse(text).unwrap()
    }

    fn url(text: &str) -> ServiceUrl {
        ServiceUrl::try_from(text.to_owned()).unwrap()
    }

    /// The demo's two municipalities, the second with a node of its own.
    fn directory(address: Option<&str>) -> ConfigDirectory {
        let mut settings = Settings::demo();
        let aktor = &mut settings.aktorer[1];
        aktor.delivery = Delivery::Push;
        aktor.address = address.map(url);
        aktor.addresses = [
            (Produkt::parse(PRODUCT).unwrap(), url("https://a.example/p")),
            (Produkt::Error, url("https://a.example/e")),
        ]
        .into();
        // Not to be used: the first one fetches from its mailbox.
        settings.aktorer[0].address = Some(url("https://b.example/"));
        ConfigDirectory::new(&settings).unwrap()
    }

    #[tokio::test]
    async fn the_address_of_a_product_goes_before_the_address_of_the_actor() {
        let directory = directory(Some("https://a.example/rs"));
        let of = number("2120009986");
        for (produkt, expected) in [
            (PRODUCT, "https://a.example/p"),
            ("error", "https://a.example/e"),
            ("confirm", "https://a.example/rs"),
        ] {
            let address = directory.address(&of, Produkt::parse(produkt).unwrap());
            assert_eq!(address.await.unwrap().as_deref(), Some(expected));
        }
        let any = directory.any_address(&of).await.unwrap();
        assert_eq!(any.as_deref(), Some("https://a.example/rs"));
    }

    #[tokio::test]
    async fn without_an_address_of_the_actor_only_the_listed_products_have_one() {
        let directory = directory(None);
        let of = number("2120009986");
        let confirm = directory.address(&of, Produkt::Confirm).await;
        assert_eq!(confirm, Ok(None));
        let any = directory.any_address(&of).await.unwrap();
        assert_eq!(any.as_deref(), Some("https://a.example/p"));
    }

    #[tokio::test]
    async fn an_actor_with_a_mailbox_here_has_no_address() {
        let directory = directory(None);
        let of = number("2120009994");
        assert!(directory.lists(&of));
        assert_eq!(directory.address(&of, Produkt::Error).await, Ok(None));
        assert_eq!(directory.any_address(&of).await, Ok(None));
    }

    #[tokio::test]
    async fn the_nodes_own_actor_is_known_by_name_and_strangers_are_not() {
        let directory = directory(None);
        let own = directory.actor(&number("2021009994")).await.unwrap();
        assert_eq!(own.unwrap().name.as_deref(), Some("Exempelkassan"));
        assert_eq!(directory.actor(&number("0000000001")).await, Ok(None));
        assert!(!directory.lists(&number("0000000001")));
    }
}
