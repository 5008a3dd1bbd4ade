//! The code lists of LEFI, as data (ssbtek-10, 4.3.1 and 4.8).

use crate::ssbtek::Uppgiftslamnare;

struct Kod {
    kod: &'static str,
    /// Where the contract describes it; else the code stands in.
    beskrivning: Option<&'static str>,
}

const fn kod(kod: &'static str) -> Kod {
    Kod {
        kod,
        beskrivning: None,
    }
}

const fn text(kod: &'static str, beskrivning: &'static str) -> Kod {
    Kod {
        kod,
        beskrivning: Some(beskrivning),
    }
}

/// Benefit groups of Försäkringskassan.
static FK_FORMANER: &[Kod] = &[
    text("FK:ABB", "Barnbidrag"),
    kod("FK:AP"),
    kod("FK:AS"),
    kod("FK:BOB"),
    kod("FK:BST"),
    kod("FK:BTI"),
    kod("FK:DPE"),
    kod("FK:EJO"),
    kod("FK:ET"),
    text("FK:FP", "Föräldrapenning"),
    kod("FK:FSJP"),
    kod("FK:GP"),
    kod("FK:HE"),
    kod("FK:MABB"),
    kod("FK:MEK"),
    kod("FK:NP"),
    kod("FK:OMV"),
    kod("FK:PJOB"),
    kod("FK:PROG"),
    kod("FK:RBE"),
    kod("FK:SA"),
    kod("FK:SBP"),
    text("FK:SJP", "Sjukpenning"),
    kod("FK:TFP"),
    kod("FK:US"),
    kod("FK:VB"),
    text("FK:YL", "Yrkesskadelivränta"),
];

/// Benefit groups of Pensionsmyndigheten.
static PM_FORMANER: &[Kod] = &[
    text("PM:AP", "Allmän pension"),
    text("PM:BTI", "Bostads- och inkomststöd"),
    text("PM:EF", "Efterlevandeförmåner"),
];

/// Other information of Försäkringskassan.
static FK_OVRIGT: &[Kod] = &[
    text("FK:GEPI", "Generell personinformation"),
    kod("FK:PANV"),
    kod("FK:SGI"),
    kod("FK:SKUP"),
    kod("FK:STAV"),
];

/// Other information of Pensionsmyndigheten.
static PM_OVRIGT: &[Kod] = &[
    text("PM:LINT", "Levnadsintyg"),
    text("PM:PBH", "Pensionsbehållning"),
    text("PM:PU", "Pensionsunderlag"),
];

struct Row {
    namn: &'static str,
    listor: &'static [&'static [Kod]],
    /// Name of the second member of a row under `avvikelser`.
    typ: &'static str,
    /// Whose answer holds the member of this name.
    svarande: Uppgiftslamnare,
}

/// In the order in which an answer is written.
static MEDLEMMAR: &[Row] = &[
    Row {
        namn: "formansinformation",
        listor: &[FK_FORMANER],
        typ: "formansgrupp",
        svarande: Uppgiftslamnare::FK,
    },
    Row {
        namn: "ansprak",
        listor: &[PM_FORMANER],
        typ: "formansgrupp",
        svarande: Uppgiftslamnare::PM,
    },
    Row {
        namn: "beslut",
        listor: &[PM_FORMANER],
        typ: "formansgrupp",
        svarande: Uppgiftslamnare::PM,
    },
    Row {
        namn: "preliminaraUtbetalningar",
        listor: &[FK_FORMANER, PM_FORMANER],
        typ: "formansgrupp",
        svarande: Uppgiftslamnare::PM,
    },
    Row {
        namn: "utbetalningar",
        listor: &[FK_FORMANER, PM_FORMANER],
        typ: "formansgrupp",
        svarande: Uppgiftslamnare::PM,
    },
    Row {
        namn: "ovrigInformation",
        listor: &[FK_OVRIGT, PM_OVRIGT],
        typ: "ovrigInformationstyp",
        svarande: Uppgiftslamnare::PM,
    },
];

/// One of the members that hold codes in the question and rows in the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LefiMedlem(u8);

impl LefiMedlem {
    /// Every such member, in the order in which an answer is written.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        (0..u8::try_from(MEDLEMMAR.len()).unwrap_or(u8::MAX)).map(Self)
    }

    /// The member with this name.
    #[must_use]
    pub fn from_namn(namn: &str) -> Option<Self> {
        Self::all().find(|medlem| medlem.namn() == namn)
    }

    fn row(self) -> &'static Row {
        &MEDLEMMAR[usize::from(self.0)]
    }

    /// Its name in question and answer.
    #[must_use]
    pub fn namn(self) -> &'static str {
        self.row().namn
    }

    /// The authority whose answer holds the member (ssbtek-10, 4.3.3).
    #[must_use]
    pub fn svarande(self) -> Uppgiftslamnare {
        self.row().svarande
    }

    /// Name beside `avvikelse` in a row under `avvikelser`.
    #[must_use]
    pub fn typ(self) -> &'static str {
        self.row().typ
    }

    /// The code as it stands in the list of this member, if it may stand there.
    #[must_use]
    pub fn find_kod(self, kod: &str) -> Option<&'static str> {
        self.row()
            .listor
            .iter()
            .copied()
            .flatten()
            .map(|row| row.kod)
            .find(|&known| known == kod)
    }

    /// Every code that may stand in this member.
    pub fn koder(self) -> impl Iterator<Item = &'static str> {
        self.row()
            .listor
            .iter()
            .copied()
            .flatten()
            .map(|row| row.kod)
    }
}

/// What a code means, or the code itself where the contract does not say.
#[must_use]
pub fn beskrivning(kod: &'static str) -> &'static str {
    [FK_FORMANER, PM_FORMANER, FK_OVRIGT, PM_OVRIGT]
        .into_iter()
        .flatten()
        .find(|row| row.kod == kod)
        .and_then(|row| row.beskrivning)
        .unwrap_or(kod)
}

/// The authority that answers for a code, by its prefix.
pub(super) fn svarande(kod: &str) -> Option<Uppgiftslamnare> {
    Uppgiftslamnare::from_kod(kod.split_once(':')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_as_long_as_the_contract_says() {
        assert_eq!(FK_FORMANER.len(), 27);
        assert_eq!(
            (PM_FORMANER.len(), FK_OVRIGT.len(), PM_OVRIGT.len()),
            (3, 5, 3)
        );
        for medlem in LefiMedlem::all() {
            assert_eq!(LefiMedlem::from_namn(medlem.namn()), Some(medlem));
            for kod in medlem.koder() {
                assert!(matches!(
                    svarande(kod),
                    Some(Uppgiftslamnare::FK | Uppgiftslamnare::PM)
                ));
            }
        }
    }

    #[test]
    fn a_code_is_known_in_its_own_members_only() {
        let medlem = |namn| LefiMedlem::from_namn(namn).unwrap();
        assert!(medlem("formansinformation").find_kod("PM:EF").is_none());
        assert!(medlem("ansprak").find_kod("FK:AP").is_none());
        assert_eq!(medlem("utbetalningar").find_kod("PM:EF"), Some("PM:EF"));
        assert_eq!(beskrivning("PM:EF"), "Efterlevandeförmåner");
        assert_eq!(beskrivning("FK:VB"), "FK:VB");
    }
}
