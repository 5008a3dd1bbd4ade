//! Whether the SHS directory answers, and knows the node's own actor.

use crate::settings::Settings;

/// Asks the directory once, for a short time. `Ok` with a warning when it does not answer: a node
/// starts all the same.
///
/// # Errors
/// What a node does not start with.
#[cfg(feature = "ldap")]
pub(super) fn check(settings: &Settings) -> Result<Option<String>, String> {
    use std::time::Duration;

    use crate::directory::LdapDirectory;
    use crate::directory::ldap::{Class, Search};

    /// Longest time to connect, and for the answer, in milliseconds.
    const WAIT_MS_MAX: u64 = 2000;
    /// What else runs when the check ends is not waited for.
    const SHUTDOWN_MAX: Duration = Duration::ZERO;

    let mut ldap = settings.ldap.clone();
    let Some(url) = ldap.url.take() else {
        return Ok(None);
    };
    ldap.connect_timeout_ms = ldap.connect_timeout_ms.min(WAIT_MS_MAX);
    ldap.search_timeout_ms = ldap.search_timeout_ms.min(WAIT_MS_MAX);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime to ask the SHS directory on: {error}"))?;
    let directory = LdapDirectory::new(&url, &ldap, runtime.handle().clone())
        .map_err(|error| error.to_string())?;
    let own = &settings.node.organisationsnummer;
    let search = Search::of(Class::Actor).and("organizationNumber", own);
    let found = runtime.block_on(directory.find(&search));
    drop(directory);
    runtime.shutdown_timeout(SHUTDOWN_MAX);
    Ok(match found {
        Ok(entries) if !entries.is_empty() => None,
        Ok(_) => Some("the SHS directory does not know this node's actor".to_owned()),
        Err(fault) => Some(format!("the SHS directory {fault}")),
    })
}

/// Without LDAP a node with a directory does not start.
#[cfg(not(feature = "ldap"))]
pub(super) fn check(settings: &Settings) -> Result<Option<String>, String> {
    match settings.ldap.url {
        Some(_) => Err(crate::wiring::WiringError::NoLdap.to_string()),
        None => Ok(None),
    }
}
