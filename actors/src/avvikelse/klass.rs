//! The classes of avvikelser: a fixed list of words.

use crate::dispatcher::ended::Stray;

/// Class of an avvikelse: what is counted, and how it is called in log, metrics and ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Klass {
    /// The answer could not be used.
    OgiltigtSvar,
    /// A field outside Bilaga 3.
    OtillatetFalt,
    /// Not the same at departure as at arrival.
    AndratSvar,
    /// Skatteverket was asked for what is usual.
    SkvStandard,
    /// A member of a LEFI answer in the wrong authority's answer.
    LefiFelplacerad,
    /// An answer to a question that had timed out.
    SentSvar,
    /// An answer to a question that had been answered.
    UpprepatSvar,
    /// An answer to a question never asked.
    OkantSvar,
}

impl Klass {
    /// Every class.
    pub const ALL: [Self; 8] = [
        Self::OgiltigtSvar,
        Self::OtillatetFalt,
        Self::AndratSvar,
        Self::SkvStandard,
        Self::LefiFelplacerad,
        Self::SentSvar,
        Self::UpprepatSvar,
        Self::OkantSvar,
    ];

    /// The word for log, metrics and ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OgiltigtSvar => "ogiltigt_svar",
            Self::OtillatetFalt => "otillatet_falt",
            Self::AndratSvar => "andrat_svar",
            Self::SkvStandard => "skv_standard",
            Self::LefiFelplacerad => "lefi_felplacerad",
            Self::SentSvar => "sent_svar",
            Self::UpprepatSvar => "upprepat_svar",
            Self::OkantSvar => "okant_svar",
        }
    }

    /// Place in [`Self::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl From<Stray> for Klass {
    fn from(stray: Stray) -> Self {
        match stray {
            Stray::Late => Self::SentSvar,
            Stray::Repeated => Self::UpprepatSvar,
            Stray::Unknown => Self::OkantSvar,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_class_has_its_place_and_a_word_of_its_own() {
        let places: Vec<_> = Klass::ALL.iter().map(|klass| klass.index()).collect();
        assert_eq!(places, (0..Klass::ALL.len()).collect::<Vec<_>>());
        let words: HashSet<_> = Klass::ALL.iter().map(|klass| klass.as_str()).collect();
        assert_eq!(words.len(), Klass::ALL.len());
        let plain = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(words.iter().all(|word| plain(word)), "{words:?}");
    }
}
