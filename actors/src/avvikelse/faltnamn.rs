//! [`Faltnamn`]: the name of a field, fit to be written down.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

/// Longest name, in characters; a name of our own tables is cut there.
pub const CHARS_MAX: usize = 64;

/// Digits that a name from an answer may have: fewer than any date of birth.
const DIGITS_MAX: usize = 5;

/// Stands for a name that may not be written down, as in the identifiers of the ledger.
const OPAK: &str = "opak";

/// Name of an element, header, part or field.
///
/// A name of our own tables is kept as it is. One that came to be while an answer was read is kept
/// only when it looks like a name and like nothing else: letters, figures and `_-.:/@#[]` of ASCII, at
/// most [`CHARS_MAX`], and at most five figures, so that no identity number passes for one.
/// Whatever else it is, the name reads `opak`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Faltnamn(Cow<'static, str>);

impl Faltnamn {
    /// The name as it may be written down.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Faltnamn {
    fn from(name: &'static str) -> Self {
        let end = name.char_indices().nth(CHARS_MAX).map(|(at, _)| at);
        Self(Cow::Borrowed(&name[..end.unwrap_or(name.len())]))
    }
}

impl From<Cow<'static, str>> for Faltnamn {
    fn from(name: Cow<'static, str>) -> Self {
        match name {
            Cow::Borrowed(ours) => Self::from(ours),
            Cow::Owned(name) if is_plain(&name) => Self(Cow::Owned(name)),
            Cow::Owned(_) => Self(Cow::Borrowed(OPAK)),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/@#[]".contains(&byte);
    (1..=CHARS_MAX).contains(&name.len())
        && name.bytes().all(allowed)
        && name.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_MAX
}

impl fmt::Display for Faltnamn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Faltnamn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn came(name: &str) -> String {
        Faltnamn::from(Cow::Owned(name.to_owned())).to_string()
    }

    #[test]
    fn names_of_schemas_are_kept_and_those_that_could_tell_of_a_person_are_not() {
        for name in ["agare", "fordon/agarNamn", "ns2:Adress1", "okant[3]", "a"] {
            assert_eq!(came(name), name);
        }
        let too_long = "x".repeat(CHARS_MAX + 1);
        for odd in [
            "",
            "Åsa",
            "Anna Exempel",
            "n199503142383",
            "950314-2383",
            "1_9_9_5_0_3",
            "a\nb",
            "a\"b",
            "<a>",
            &too_long,
        ] {
            assert_eq!(came(odd), "opak", "{odd}");
        }
    }

    #[test]
    fn a_name_of_our_tables_is_kept_and_cut_between_characters() {
        assert_eq!(Faltnamn::from("kapitel 4").as_str(), "kapitel 4");
        let long = "ååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååå";
        let cut = Faltnamn::from(long);
        assert_eq!(cut.as_str().chars().count(), CHARS_MAX);
        assert!(long.starts_with(cut.as_str()));
        assert_eq!(Faltnamn::from(Cow::Borrowed(long)), cut);
    }

    proptest! {
        #[test]
        fn whatever_came_is_a_short_plain_name_or_not_shown(name in any::<String>()) {
            let shown = came(&name);
            prop_assert!(shown == name || shown == OPAK);
            prop_assert!(shown.is_ascii() && shown.len() <= CHARS_MAX);
            prop_assert!(!shown.contains(['"', '\\', ' ', '\n', '<', '=']));
        }

        #[test]
        fn no_identity_number_passes_however_it_is_dressed(
            head in "[a-z_]{0,8}",
            birth in "(19|20)?[0-9]{6}",
            between in "[-_./:]?",
            last in "[0-9]{4}",
        ) {
            prop_assert_eq!(came(&format!("{head}{birth}{between}{last}")), OPAK);
        }
    }
}
