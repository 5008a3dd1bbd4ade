//! What the party register says about each party beside its dispatcher (ssbtek-10, 1.3 and 4.0).

use shs_schemas::Uppgiftslamnare;

/// How one party is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partvillkor {
    /// Whether an answer with a field that it may not give out is withheld; otherwise it is noted and
    /// forwarded.
    pub withhold: bool,
    /// Whether it has a test service.
    pub ping: bool,
}

impl Default for Partvillkor {
    fn default() -> Self {
        Self {
            withhold: false,
            ping: true,
        }
    }
}

/// How every party is treated; by default all alike.
#[derive(Clone, Debug, Default)]
pub struct Parter(Vec<(Uppgiftslamnare, Partvillkor)>);

impl Parter {
    /// These, and the default for the others.
    #[must_use]
    pub fn new(parter: impl IntoIterator<Item = (Uppgiftslamnare, Partvillkor)>) -> Self {
        Self(parter.into_iter().collect())
    }

    /// How this party is treated.
    #[must_use]
    pub fn of(&self, ul: Uppgiftslamnare) -> Partvillkor {
        let mut parter = self.0.iter();
        let found = parter.find(|(part, _)| *part == ul);
        found.map_or_else(Partvillkor::default, |(_, villkor)| *villkor)
    }
}
