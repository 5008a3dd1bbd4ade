//! How a question is spread over the authorities: who is connected, who speaks which version of the
//! contract, and whether LEFI is asked once or by its two authorities apart (ssbtek-10, 0.2, 4.0
//! and 4.8; R-002).

use std::fmt;

use bytes::Bytes;

use super::fel::Delfel;
use super::{Kontrakt, Uppgiftslamnare};

/// Versions of the contract that a party speaks: never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versioner(u32);

impl Versioner {
    /// Every version that is served.
    #[must_use]
    pub fn alla() -> Self {
        Self::of(Kontrakt::all()).unwrap_or(Self(1))
    }

    /// These versions; `None` when there are none.
    #[must_use]
    pub fn of(versioner: impl IntoIterator<Item = Kontrakt>) -> Option<Self> {
        let bits = versioner
            .into_iter()
            .fold(0, |bits, kontrakt| bits | 1 << kontrakt.index());
        (bits != 0).then_some(Self(bits))
    }

    /// Whether the party speaks this version.
    #[must_use]
    pub fn contains(self, kontrakt: Kontrakt) -> bool {
        self.0 & (1 << kontrakt.index()) != 0
    }

    /// The version to ask the party in: that of the question when it speaks it, else its newest.
    #[must_use]
    pub fn for_fraga(self, fraga: Kontrakt) -> Kontrakt {
        if self.contains(fraga) {
            return fraga;
        }
        Kontrakt::all()
            .filter(|kontrakt| self.contains(*kontrakt))
            .last()
            .unwrap_or(fraga)
    }
}

/// A party that is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anslutning {
    /// The versions it speaks (setting `kontrakt`).
    pub kontrakt: Versioner,
}

impl Default for Anslutning {
    fn default() -> Self {
        Self {
            kontrakt: Versioner::alla(),
        }
    }
}

/// Who is asked for LEFI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LefiVag {
    /// Försäkringskassan and Pensionsmyndigheten, each for its own codes.
    #[default]
    Delad,
    /// Försäkringskassan alone, which gathers from Pensionsmyndigheten itself: one call with the
    /// question as it is.
    Odelad,
}

/// What Skatteverket is asked for when the question's version has no block for it and its own version
/// needs one (ssbtek-10, 0.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the contract's five flags")]
pub struct SkvStandard {
    /// How many of the latest whole calendar years, at least one.
    pub antal_ar: u8,
    /// `foretagsinformation`.
    pub foretagsinformation: bool,
    /// `individuppgifter`.
    pub individuppgifter: bool,
    /// `skattekonto`.
    pub skattekonto: bool,
    /// `skatteuppgifter`.
    pub skatteuppgifter: bool,
    /// `beskattningsbilagor`.
    pub beskattningsbilagor: bool,
}

impl Default for SkvStandard {
    fn default() -> Self {
        Self {
            antal_ar: 2,
            foretagsinformation: false,
            individuppgifter: true,
            skattekonto: true,
            skatteuppgifter: true,
            beskattningsbilagor: true,
        }
    }
}

/// How questions are spread.
#[derive(Clone, Debug, Default)]
pub struct Fordelning {
    anslutna: Vec<(Uppgiftslamnare, Anslutning)>,
    /// Who is asked for LEFI.
    pub lefi: LefiVag,
    /// What Skatteverket is asked for by default.
    pub skv: SkvStandard,
}

impl Fordelning {
    /// These parties, and what is usual for the rest.
    #[must_use]
    pub fn new(anslutna: impl IntoIterator<Item = (Uppgiftslamnare, Anslutning)>) -> Self {
        Self {
            anslutna: anslutna.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Everybody is connected and speaks every version.
    #[must_use]
    pub fn alla() -> Self {
        Self::new(Uppgiftslamnare::all().map(|ul| (ul, Anslutning::default())))
    }

    /// The party, when it is connected.
    #[must_use]
    pub fn anslutning(&self, ul: Uppgiftslamnare) -> Option<&Anslutning> {
        let mut anslutna = self.anslutna.iter();
        anslutna
            .find(|(ansluten, _)| *ansluten == ul)
            .map(|(_, anslutning)| anslutning)
    }
}

/// One Uppgiftslämnare that is asked.
#[derive(Clone)]
pub struct Delfraga {
    /// Who.
    pub uppgiftslamnare: Uppgiftslamnare,
    /// In which version; the answer comes in the same.
    pub kontrakt: Kontrakt,
    /// The body of its sub-question (personal data), or the error that takes the place of its answer.
    pub body: Result<Bytes, Delfel>,
    /// True when Skatteverket is asked for what is usual, because the question could not say.
    pub skv_standard: bool,
}

impl fmt::Debug for Delfraga {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delfraga")
            .field("uppgiftslamnare", &self.uppgiftslamnare)
            .field("kontrakt", &self.kontrakt)
            .field("bytes", &self.body.as_ref().map(Bytes::len))
            .field("skv_standard", &self.skv_standard)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_is_asked_in_the_version_of_the_question_when_it_speaks_it() {
        let only = |kontrakt| Versioner::of([kontrakt]).unwrap();
        for (spoken, asked, expected) in [
            (Versioner::alla(), Kontrakt::V10, Kontrakt::V10),
            (Versioner::alla(), Kontrakt::V11, Kontrakt::V11),
            (only(Kontrakt::V10), Kontrakt::V10, Kontrakt::V10),
            (only(Kontrakt::V10), Kontrakt::V11, Kontrakt::V10),
            (only(Kontrakt::V11), Kontrakt::V10, Kontrakt::V11),
            (only(Kontrakt::V11), Kontrakt::V11, Kontrakt::V11),
        ] {
            assert_eq!(spoken.for_fraga(asked), expected, "{spoken:?} {asked}");
            assert!(spoken.contains(expected));
        }
    }

    #[test]
    fn versions_are_a_set_that_is_never_empty() {
        assert_eq!(Versioner::of([]), None);
        let ten = Versioner::of([Kontrakt::V10, Kontrakt::V10]).unwrap();
        assert!(ten.contains(Kontrakt::V10) && !ten.contains(Kontrakt::V11));
        let both = Versioner::of([Kontrakt::V11, Kontrakt::V10]).unwrap();
        assert_eq!(both, Versioner::alla());
        assert_ne!(both, ten);
        assert_eq!(Anslutning::default().kontrakt, both);
    }

    #[test]
    fn debug_shows_no_content() {
        let delfraga = Delfraga {
            uppgiftslamnare: Uppgiftslamnare::AF,
            kontrakt: Kontrakt::V10,
            body: Ok(Bytes::from_static(b"199503142383")),
            skv_standard: false,
        };
        let shown = format!("{delfraga:?}");
        assert!(
            shown.contains("bytes: Ok(12)") && !shown.contains("1995"),
            "{shown}"
        );
    }

    #[test]
    fn who_is_connected_is_found_by_party() {
        let ten = Anslutning {
            kontrakt: Versioner::of([Kontrakt::V10]).unwrap(),
        };
        let fordelning = Fordelning::new([(Uppgiftslamnare::AF, ten)]);
        assert_eq!(fordelning.anslutning(Uppgiftslamnare::AF), Some(&ten));
        assert_eq!(fordelning.anslutning(Uppgiftslamnare::SO), None);
        assert_eq!(fordelning.lefi, LefiVag::Delad);
        let alla = Fordelning::alla();
        assert!(Uppgiftslamnare::all().all(|ul| alla.anslutning(ul).is_some()));
    }
}
