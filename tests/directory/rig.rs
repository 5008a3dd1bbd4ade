//! Settings and directories for the tests.

use std::sync::Arc;
use std::time::Duration;

use samsvar::directory::ldap::LdapFault;
use samsvar::directory::{Catalogue, LdapDirectory};
use samsvar::settings::{Ldap, LdapUrl, Settings};
use samsvar::wiring;
use shs_schemas::shs::{Organisationsnummer, Produkt};
use tokio::runtime::Handle;

pub const PROVMYNDIGHETEN: &str = "0000000002";
pub const FIKTIVKONTORET: &str = "0000000001";
/// Products of `entries.ldif`.
pub const P6: &str = "5a1e0000-1111-4222-8333-444455556666";
pub const P7: &str = "5a1e0000-1111-4222-8333-444455557777";
pub const P8: &str = "5a1e0000-1111-4222-8333-444455558888";

/// Time to connect and time to search in these tests.
pub const TIMEOUT: Duration = Duration::from_millis(500);
/// The longest look-up: both.
pub const LONGEST: Duration = Duration::from_secs(1);
/// What a busy machine may add.
pub const SLACK: Duration = Duration::from_secs(2);

pub fn number(text: &str) -> Organisationsnummer {
    Organisationsnummer::parse(text).unwrap()
}

pub fn produkt(text: &str) -> Produkt {
    Produkt::parse(text).unwrap()
}

pub fn url(text: &str) -> LdapUrl {
    LdapUrl::try_from(text.to_owned()).unwrap()
}

/// Settings with short times for a directory at this address.
pub fn ldap(text: &str) -> Ldap {
    let timeout_ms = u64::try_from(TIMEOUT.as_millis()).unwrap();
    Ldap {
        url: Some(url(text)),
        connect_timeout_ms: timeout_ms,
        search_timeout_ms: timeout_ms,
        ..Ldap::default()
    }
}

/// The directory of these settings, without a memory.
pub fn directory(settings: &Ldap) -> LdapDirectory {
    let url = settings.url.as_ref().unwrap();
    LdapDirectory::new(url, settings, Handle::current()).unwrap()
}

/// Configuration, memory and directory, as a node has them.
pub fn catalogue(ldap: Ldap) -> Arc<Catalogue> {
    let settings = Settings {
        ldap,
        ..Settings::demo()
    };
    wiring::directory(&settings, Handle::current()).unwrap()
}

/// Whether the server answers a search with these settings.
pub async fn answers(settings: &Ldap) -> Result<(), LdapFault> {
    use samsvar::directory::ldap::{Class, Search};

    let search = Search::of(Class::Actor).and("organizationNumber", PROVMYNDIGHETEN);
    let found = directory(settings).find(&search).await?;
    assert_eq!(found.len(), 1);
    Ok(())
}
