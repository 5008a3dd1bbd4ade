//! The SHS directory over LDAP: the look-ups of shs-1.2, 8.4, and what is to be thought of the hits.
//!
//! One connection carries all searches. Every look-up ends within the time to connect and the time to
//! search together, whatever the server does. When to ask again after a failure is the cache's
//! business ([`super::CachedDirectory`]).

mod connection;
mod entry;
mod fault;
mod guard;
mod hits;
mod search;
mod stream;

use std::collections::HashSet;
use std::fmt;
use std::mem::{Discriminant, discriminant};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use samsvar_actors::directory::{Directory, DirectoryAway, Entry, Found};
use shs_schemas::shs::agreement::PublicAgreement;
use shs_schemas::shs::{Organisationsnummer, Produkt};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::settings::{Ldap, LdapUrl, is_usable};
use connection::Link;
use hits::Hits;

pub use entry::DirectoryEntry;
pub use fault::{LdapFault, TlsFault};
pub use search::{Class, Search};

/// Most searches that are with the server at once; others wait, against their time.
const SEARCHES_MAX: usize = 64;
/// Most contradictions of the directory that are remembered as said.
const COMPLAINTS_MAX: usize = 256;

/// The SHS directory over LDAP.
pub struct LdapDirectory {
    link: Link,
    searches: Semaphore,
    /// Time for a whole look-up.
    longest: Duration,
    /// Which contradictions have been logged.
    complaints: Mutex<HashSet<String>>,
    /// Why the last search failed, so that the log says it once.
    failing: Mutex<Option<Discriminant<LdapFault>>>,
}

impl LdapDirectory {
    /// The directory at this address, with these settings. Its connection lives on `runtime`;
    /// nothing is connected before the first look-up.
    ///
    /// # Errors
    /// When the certificates of the settings cannot be used.
    pub fn new(url: &LdapUrl, settings: &Ldap, runtime: Handle) -> Result<Self, TlsFault> {
        Ok(Self {
            link: Link::new(url, settings, runtime)?,
            searches: Semaphore::new(SEARCHES_MAX),
            longest: settings.connect_timeout() + settings.search_timeout(),
            complaints: Mutex::default(),
            failing: Mutex::default(),
        })
    }

    /// Every entry that a search finds below the base. Those that cannot be read are left out.
    ///
    /// # Errors
    /// Why the directory gave no answer.
    pub async fn find(&self, search: &Search) -> Result<Vec<DirectoryEntry>, LdapFault> {
        let found = timeout(self.longest, self.attempts(search)).await;
        let found = found.unwrap_or(Err(LdapFault::SearchTimeout));
        self.note(found.as_ref().err());
        found
    }

    /// A connection that had been open for a while may turn out to be closed: then once more, on a
    /// new one.
    async fn attempts(&self, search: &Search) -> Result<Vec<DirectoryEntry>, LdapFault> {
        let _permit = self.searches.acquire().await;
        let mine = self.link.connection().await?;
        match self.link.search(&mine.connection, search).await {
            Err(LdapFault::Lost) if !mine.new => {
                let mine = self.link.connection().await?;
                self.link.search(&mine.connection, search).await
            }
            found => found,
        }
    }

    /// Logs why searches fail, once for each reason in a row.
    fn note(&self, fault: Option<&LdapFault>) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *failing, fault.map(discriminant));
        drop(failing);
        if let Some(fault) = fault
            && before != Some(discriminant(fault))
        {
            tracing::warn!(directory = self.link.url(), "the SHS directory {fault}");
        }
    }

    async fn hits(&self, search: &Search) -> Result<Hits, DirectoryAway> {
        let entries = self.find(search).await.map_err(|_| DirectoryAway)?;
        Ok(Hits::new(entries, self.link.base()))
    }

    /// Logs, once, that the directory contradicts itself.
    fn complain(&self, search: &Search) {
        let mut complaints = self
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let filter = search.filter();
        if complaints.len() < COMPLAINTS_MAX && complaints.insert(filter.clone()) {
            drop(complaints);
            tracing::error!(
                filter,
                "the SHS directory has entries that contradict each other; the one below the \
                 actor is used"
            );
        }
    }
}

impl fmt::Debug for LdapDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LdapDirectory({})", self.link.url())
    }
}

impl Directory for LdapDirectory {
    fn actor<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<Entry>> {
        let found = async move {
            let search = Search::of(Class::Actor).and("organizationNumber", of.as_str());
            let actor = self.hits(&search).await?.one(|entry| {
                Some(Entry {
                    organisation: of.clone(),
                    name: entry.first("o").map(ToOwned::to_owned),
                    labeled_uri: entry.first("labeledURI").map(ToOwned::to_owned),
                })
            });
            if actor.contradicted {
                self.complain(&search);
            }
            Ok(actor.value)
        };
        found.boxed()
    }

    fn address<'a>(
        &'a self,
        of: &'a Organisationsnummer,
        produkt: Produkt,
    ) -> Found<'a, Option<String>> {
        let found = async move {
            let search = Search::of(Class::Address)
                .and("organizationNumber", of.as_str())
                .and("serialNumber", &produkt.bare());
            let address = self.hits(&search).await?.one(url);
            if address.contradicted {
                self.complain(&search);
            }
            Ok(address.value)
        };
        found.boxed()
    }

    /// An address for `error` or `confirm` if there is one, as it takes administrative messages.
    fn any_address<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<String>> {
        let found = async move {
            let search = Search::of(Class::Address).and("organizationNumber", of.as_str());
            let hits = self.hits(&search).await?;
            let administrative = |entry: &DirectoryEntry| {
                let product = entry.first("serialNumber").map(Produkt::parse);
                matches!(product, Some(Ok(Produkt::Error | Produkt::Confirm)))
            };
            let first = hits.one(|entry| url(entry).filter(|_| administrative(entry)));
            Ok(first.value.or_else(|| hits.one(url).value))
        };
        found.boxed()
    }

    fn public_agreements<'a>(
        &'a self,
        principal: Option<&'a Organisationsnummer>,
        produkt: Produkt,
    ) -> Found<'a, Vec<PublicAgreement>> {
        let found = async move {
            let mut search = Search::of(Class::Agreement);
            if let Some(principal) = principal {
                search = search.and("principal", &format!("urn:X-shs:{principal}"));
            }
            let search = search.and("shsProductID", &produkt.bare());
            let agreements = self
                .hits(&search)
                .await?
                .each(agreement, |one| one.id.clone());
            if agreements.contradicted {
                self.complain(&search);
            }
            Ok(agreements.value)
        };
        found.boxed()
    }
}

/// The URL of an address entry: over TLS only. An address on this machine is an operator's to give:
/// from the directory it would lead messages back to our own listeners, which take them as our own.
fn url(entry: &DirectoryEntry) -> Option<String> {
    let text = entry.first("shsDeliveryMethods")?;
    if text.starts_with("https://") && is_usable(text) {
        return Some(text.to_owned());
    }
    tracing::warn!("an address in the SHS directory is left out: it is not https://…");
    None
}

fn agreement(entry: &DirectoryEntry) -> Option<PublicAgreement> {
    match PublicAgreement::from_entry(entry.attributes()) {
        Ok(agreement) => Some(agreement),
        Err(fault) => {
            let (element, fault) = (fault.element, fault.fault);
            tracing::warn!(
                "a public agreement in the SHS directory is left out: {element} {fault}"
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::entry::tests::entry;
    use super::url;

    #[test]
    fn the_directory_leads_no_message_to_a_listener_of_this_machine() {
        let url = |text| url(&entry("l=SHS", &[("shsDeliveryMethods", text)]));
        let https = "https://shs.example/shs/rs";
        assert_eq!(url(https).as_deref(), Some(https));
        for bad in [
            "http://127.0.0.1:8585/shs/rs",
            "http://localhost:8585/shs/rs",
            "http://[::1]:8585/shs/rs",
            "http://shs.example/shs/rs",
            "https://",
        ] {
            assert_eq!(url(bad), None, "{bad}");
        }
    }
}
