//! Who the other actors are and where they receive: configuration first, then the SHS directory
//! (shs-1.2, 8), of which nothing may be asked twice and nothing waited for long.
//!
//! ```text
//!             ┌─ listed ──► ConfigDirectory
//! Catalogue ──┤
//!             └─ others ──► CachedDirectory ── unknown, expired ──► LdapDirectory ──► LDAP
//!                            fresh, stale, away (circuit)            one connection
//! ```

mod cached;
mod catalogue;
mod circuit;
mod config;
mod counted;
#[cfg(feature = "ldap")]
pub mod ldap;
mod question;
mod table;

pub use cached::{CacheSettings, CachedDirectory};
pub use catalogue::Catalogue;
pub use circuit::{AWAY_PAUSE_FIRST, AWAY_PAUSE_LONGEST};
pub use config::ConfigDirectory;
pub use counted::{Counted, Lookup};
#[cfg(feature = "ldap")]
pub use ldap::LdapDirectory;
