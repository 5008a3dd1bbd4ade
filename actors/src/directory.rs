//! What the node knows of other actors: the trait behind which configuration and LDAP directory stand
//! (shs-1.2, 8). Actors ask it; they know neither files nor LDAP.

use futures_util::future::BoxFuture;
use shs_schemas::shs::agreement::PublicAgreement;
use shs_schemas::shs::{Organisationsnummer, Produkt};

/// An actor of SHS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub organisation: Organisationsnummer,
    /// Its name, which becomes `commonName` in a label that has none (shs-1.2, 7.3).
    pub name: Option<String>,
    /// Its link, which becomes `labeledURI` of `from` together with the name.
    pub labeled_uri: Option<String>,
}

/// The directory could not be asked, and what is needed is not in the cache. What was asked may exist
/// or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the directory does not answer")]
pub struct DirectoryAway;

/// What a look-up gives.
pub type Found<'a, T> = BoxFuture<'a, Result<T, DirectoryAway>>;

/// Look-ups that a node makes (shs-1.2, 8.4). Every one ends within a bounded time.
pub trait Directory: Send + Sync + 'static {
    /// Whether an actor exists, and what it is called.
    fn actor<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<Entry>>;

    /// The URL at which an actor receives a product; `error` and `confirm` have their own (7.7).
    fn address<'a>(
        &'a self,
        of: &'a Organisationsnummer,
        produkt: Produkt,
    ) -> Found<'a, Option<String>>;

    /// Any URL of an actor: the last resort for errors and confirmations (7.7).
    fn any_address<'a>(&'a self, of: &'a Organisationsnummer) -> Found<'a, Option<String>>;

    /// The public agreements for a product: those of one principal, or of everyone (7.4 step 3 and
    /// 7.5 step 3).
    fn public_agreements<'a>(
        &'a self,
        principal: Option<&'a Organisationsnummer>,
        produkt: Produkt,
    ) -> Found<'a, Vec<PublicAgreement>>;
}
