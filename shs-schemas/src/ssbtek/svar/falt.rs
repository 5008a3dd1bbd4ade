//! A field of an answer by a name that may be shown: in logs, on pages, in errors.

use std::borrow::Cow;
use std::fmt;

/// Stands for a name that could be anything.
const OKANT: &str = "[okänt fält]";

/// A field that the agreement does not let the authority give out (Bilaga 3; ).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Falt {
    /// Its name.
    pub namn: Faltnamn,
    /// Offset in the answer, in bytes.
    pub offset: usize,
}

/// Name of a field, vetted: one of the authority's schema, or one that only the answer knows if it
/// consists of letters, at most 64; else a stand-in. A name can be made of anything, an identity
/// number included.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Faltnamn(Cow<'static, str>);

impl Faltnamn {
    /// The longest name that is shown, in characters.
    pub const CHARS_MAX: usize = 64;

    /// A name of an authority's schema.
    pub(super) fn of_schema(namn: &'static str) -> Self {
        let is_short = namn.chars().count() <= Faltnamn::CHARS_MAX;
        Self(Cow::Borrowed(if is_short { namn } else { OKANT }))
    }

    /// A name that only the answer knows.
    pub(super) fn of_answer(local: &str) -> Self {
        Self(match shown(local) {
            OKANT => Cow::Borrowed(OKANT),
            harmless => Cow::Owned(harmless.to_owned()),
        })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What [`Faltnamn::of_answer`] makes of a name.
pub(super) fn shown(local: &str) -> &str {
    if local.len() <= Faltnamn::CHARS_MAX && local.bytes().all(|b| b.is_ascii_alphabetic()) {
        local
    } else {
        OKANT
    }
}

impl fmt::Display for Faltnamn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Faltnamn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A name of our own tables.
impl From<&'static str> for Faltnamn {
    fn from(namn: &'static str) -> Self {
        Self::of_schema(namn)
    }
}

impl From<Faltnamn> for Cow<'static, str> {
    fn from(namn: Faltnamn) -> Self {
        namn.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_names_of_an_answer_are_shown() {
        let longest = "a".repeat(Faltnamn::CHARS_MAX);
        for good in ["agare", "AgarensNamn", &longest] {
            assert_eq!(Faltnamn::of_answer(good).as_str(), good);
        }
        let long = "a".repeat(Faltnamn::CHARS_MAX + 1);
        for bad in ["p199503142383", "ägare", "a-b", "a_b", "a.b", "a b", &long] {
            let namn = Faltnamn::of_answer(bad);
            assert_eq!(namn.as_str(), OKANT, "{bad}");
            assert_eq!(format!("{namn} {namn:?}"), "[okänt fält] \"[okänt fält]\"");
        }
    }

    #[test]
    fn a_name_of_a_schema_is_bounded_too() {
        const LONG: &str = "ååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååå";
        assert_eq!(Faltnamn::of_schema("hemland").as_str(), "hemland");
        assert_eq!(LONG.chars().count(), Faltnamn::CHARS_MAX + 1);
        assert_eq!(Faltnamn::of_schema(LONG).as_str(), OKANT);
    }
}
