//! The versions of the SSBTEK contract, as a table (ssbtek-10, 0.2).
//!
//! A version is carried only by the namespace of its elements. A new version is a new row; what
//! differs between versions is a column, not a path through the code.

use std::fmt;

struct Row {
    version: u8,
    namespace: &'static str,
    skv_fraga: bool,
}

static VERSIONS: &[Row] = &[
    Row {
        version: 10,
        namespace: "http://schema.forsakringskassan.se/integration/ssbt/10",
        skv_fraga: false,
    },
    Row {
        version: 11,
        namespace: "http://schema.forsakringskassan.se/integration/ssbt/11",
        skv_fraga: true,
    },
];

/// One version of the contract.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kontrakt(u8);

impl Kontrakt {
    /// Version 10.
    pub const V10: Self = Self(0);
    /// Version 11.
    pub const V11: Self = Self(1);

    /// Every version that is served.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        (0..u8::try_from(VERSIONS.len()).unwrap_or(u8::MAX)).map(Self)
    }

    /// The version with this namespace.
    #[must_use]
    pub fn from_namespace(namespace: &str) -> Option<Self> {
        Self::all().find(|kontrakt| kontrakt.namespace() == namespace)
    }

    /// The version with this number.
    #[must_use]
    pub fn from_version(version: u8) -> Option<Self> {
        Self::all().find(|kontrakt| kontrakt.version() == version)
    }

    /// Place in the table.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    fn row(self) -> &'static Row {
        &VERSIONS[usize::from(self.0)]
    }

    /// Its number, as in the path `/ssbt/10`.
    #[must_use]
    pub fn version(self) -> u8 {
        self.row().version
    }

    /// Namespace of all its elements ("ssbt").
    #[must_use]
    pub fn namespace(self) -> &'static str {
        self.row().namespace
    }

    /// True when the element of Skatteverket holds a block of parameters, which is then required
    /// to ask it.
    #[must_use]
    pub fn has_skv_fraga(self) -> bool {
        self.row().skv_fraga
    }
}

impl fmt::Display for Kontrakt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ssbt/{}", self.version())
    }
}

impl fmt::Debug for Kontrakt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_by_namespace_and_by_number() {
        for (kontrakt, version) in [(Kontrakt::V10, 10), (Kontrakt::V11, 11)] {
            assert_eq!(kontrakt.version(), version);
            assert_eq!(Kontrakt::from_version(version), Some(kontrakt));
            assert_eq!(
                Kontrakt::from_namespace(kontrakt.namespace()),
                Some(kontrakt)
            );
        }
        assert_eq!(Kontrakt::from_namespace("urn:other"), None);
        assert_eq!(Kontrakt::from_version(9), None);
    }
}
