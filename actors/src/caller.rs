//! Who is at the other end of a connection, as far as it has been proven (shs-1.2, 7.6).
//!
//! HTTP finds it out, from the TLS layer or from a trusted terminator; here it is only asked what it
//! permits.

use std::sync::Arc;

use shs_schemas::shs::Organisationsnummer;

/// The caller of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// It came over the plain listener, which only this machine reaches: one of our own systems. It
    /// may send for any actor, also without a `from`.
    Internal,
    /// It has shown a certificate that stands for these actors; for none, when nothing in it names
    /// one.
    Certified(Arc<[Organisationsnummer]>),
}

impl Caller {
    /// A caller whose certificate stands for these actors.
    #[must_use]
    pub fn certified(actors: impl IntoIterator<Item = Organisationsnummer>) -> Self {
        Self::Certified(actors.into_iter().collect())
    }

    /// Whether it may send as this actor, or open this actor's mailbox.
    #[must_use]
    pub fn speaks_for(&self, aktor: &Organisationsnummer) -> bool {
        match self {
            Self::Internal => true,
            Self::Certified(actors) => actors.contains(aktor),
        }
    }

    /// The actors that its certificate stands for; none named for one of our own systems, which may be
    /// any.
    #[must_use]
    pub fn actors(&self) -> &[Organisationsnummer] {
        match self {
            Self::Internal => &[],
            Self::Certified(actors) => actors,
        }
    }

    /// Whether it is one of our own systems on the internal listener.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        *self == Self::Internal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_speaks_for_its_actors_and_for_nobody_else() {
        let number = |text| Organisationsnummer::parse(text).unwrap();
        let caller = Caller::certified([number("2120009994"), number("162021009994")]);
        assert!(caller.speaks_for(&number("162120009994")));
        assert!(caller.speaks_for(&number("2021009994")));
        assert!(!caller.speaks_for(&number("2120009986")));
        assert!(!Caller::certified([]).speaks_for(&number("2120009986")));
        assert!(Caller::Internal.speaks_for(&number("2120009986")));
    }
}
