//! The bastjänster of SSBTEK as data: who they are, and in which element of the contract each one
//! is asked and answers (ssbtek-10, 4.0; R-007).
//!
//! The contract has seven elements, the agreement has eight Uppgiftslämnare: Pensionsmyndigheten
//! lives inside the element of Försäkringskassan (ssbtek-10, 4.8). No code counts them: add a row
//! and the rest follows.

use std::fmt;

/// An element of the contract in which a bastjänst is asked and answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Svarselement {
    /// Arbetsförmedlingen.
    Af,
    /// Centrala studiestödsnämnden.
    Csn,
    /// LEFI: Försäkringskassan, and within it Pensionsmyndigheten.
    Fk,
    /// Skatteverket.
    Skv,
    /// Sveriges a-kassor.
    So,
    /// Transportstyrelsen.
    Tns,
    /// Migrationsverket.
    Miv,
}

impl Svarselement {
    /// Every element, in the order that the contract fixes (ssbtek-10, 2.2 and 3).
    pub const IN_ORDER: &'static [Self] = &[
        Self::Af,
        Self::Csn,
        Self::Fk,
        Self::Skv,
        Self::So,
        Self::Tns,
        Self::Miv,
    ];

    /// Local name of the element in the ssbt namespace.
    #[must_use]
    pub const fn local_name(self) -> &'static str {
        match self {
            Self::Af => "AF",
            Self::Csn => "CSN",
            Self::Fk => "FK",
            Self::Skv => "SKV",
            Self::So => "SO",
            Self::Tns => "TNS",
            Self::Miv => "MIV",
        }
    }

    /// Place in [`Self::IN_ORDER`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The element with this local name.
    #[must_use]
    pub fn from_local_name(name: &str) -> Option<Self> {
        Self::IN_ORDER
            .iter()
            .copied()
            .find(|element| element.local_name() == name)
    }
}

struct Row {
    kod: &'static str,
    namn: &'static str,
    element: Svarselement,
}

const fn row(kod: &'static str, namn: &'static str, element: Svarselement) -> Row {
    Row { kod, namn, element }
}

/// In alphabetical order of the code, as the agreement lists them.
static UPPGIFTSLAMNARE: &[Row] = &[
    row("AF", "Arbetsförmedlingen", Svarselement::Af),
    row("CSN", "CSN", Svarselement::Csn),
    row("FK", "Försäkringskassan", Svarselement::Fk),
    row("MIV", "Migrationsverket", Svarselement::Miv),
    row("PM", "Pensionsmyndigheten", Svarselement::Fk),
    row("SKV", "Skatteverket", Svarselement::Skv),
    row("SO", "Sveriges a-kassor", Svarselement::So),
    row("TNS", "Transportstyrelsen", Svarselement::Tns),
];

/// One authority that answers questions: a row of the table of bastjänster.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uppgiftslamnare(u8);

impl Uppgiftslamnare {
    /// Arbetsförmedlingen.
    pub const AF: Self = Self(0);
    /// Centrala studiestödsnämnden.
    pub const CSN: Self = Self(1);
    /// Försäkringskassan.
    pub const FK: Self = Self(2);
    /// Migrationsverket.
    pub const MIV: Self = Self(3);
    /// Pensionsmyndigheten.
    pub const PM: Self = Self(4);
    /// Skatteverket.
    pub const SKV: Self = Self(5);
    /// Sveriges a-kassor.
    pub const SO: Self = Self(6);
    /// Transportstyrelsen.
    pub const TNS: Self = Self(7);

    /// Every Uppgiftslämnare of the table.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        (0..u8::try_from(UPPGIFTSLAMNARE.len()).unwrap_or(u8::MAX)).map(Self)
    }

    /// The one with this code (`AF` … `TNS`, upper case).
    #[must_use]
    pub fn from_kod(kod: &str) -> Option<Self> {
        Self::all().find(|ul| ul.kod() == kod)
    }

    /// Place in the table, for arrays indexed by Uppgiftslämnare.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Short code: routing key, queue suffix and name in logs.
    #[must_use]
    pub fn kod(self) -> &'static str {
        UPPGIFTSLAMNARE[self.index()].kod
    }

    /// Name of the authority in Swedish, as it stands in texts for people.
    #[must_use]
    pub fn namn(self) -> &'static str {
        UPPGIFTSLAMNARE[self.index()].namn
    }

    /// The element of the contract that it is asked and answers in.
    #[must_use]
    pub fn element(self) -> Svarselement {
        UPPGIFTSLAMNARE[self.index()].element
    }
}

impl fmt::Display for Uppgiftslamnare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kod())
    }
}

impl fmt::Debug for Uppgiftslamnare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kod())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_name_their_rows() {
        let named = [
            (Uppgiftslamnare::AF, "AF"),
            (Uppgiftslamnare::CSN, "CSN"),
            (Uppgiftslamnare::FK, "FK"),
            (Uppgiftslamnare::MIV, "MIV"),
            (Uppgiftslamnare::PM, "PM"),
            (Uppgiftslamnare::SKV, "SKV"),
            (Uppgiftslamnare::SO, "SO"),
            (Uppgiftslamnare::TNS, "TNS"),
        ];
        assert_eq!(named.len(), Uppgiftslamnare::all().len());
        for (ul, kod) in named {
            assert_eq!(ul.kod(), kod);
            assert_eq!(Uppgiftslamnare::from_kod(kod), Some(ul));
        }
    }

    #[test]
    fn every_element_has_someone_behind_it_and_knows_its_place() {
        for (place, element) in Svarselement::IN_ORDER.iter().enumerate() {
            assert_eq!(element.index(), place);
            assert!(Uppgiftslamnare::all().any(|ul| ul.element() == *element));
            assert_eq!(
                Svarselement::from_local_name(element.local_name()),
                Some(*element)
            );
        }
    }

    #[test]
    fn pensionsmyndigheten_answers_inside_the_element_of_forsakringskassan() {
        assert_eq!(Uppgiftslamnare::PM.element(), Svarselement::Fk);
    }
}
