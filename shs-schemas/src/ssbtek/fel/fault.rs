//! Why a whole question is refused: codes and texts (ssbtek-10, 1.2 and 6.2).

use crate::error::{Fault, WireError};

/// Who must change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skuld {
    /// The asker (`soap:Client`).
    Client,
    /// The node (`soap:Server`).
    Server,
}

/// Code of a refused question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultFelkod {
    /// Not readable, or not valid against the schema.
    OgiltigFraga,
    /// An operation or a version that is not served.
    OkandOperation,
    /// No person can have this number.
    Personidentitet,
    /// A period that ends before it begins.
    Tidsperiod,
    /// The sender may not ask for this body.
    Obehorig,
    /// None or too many persons in one message.
    AntalPersoner,
    /// Over the set load, or shutting down.
    Overlast,
    /// Anything unexpected.
    InterntFel,
}

struct Row {
    felkod: FaultFelkod,
    kod: &'static str,
    skuld: Skuld,
    text: &'static str,
}

const fn row(felkod: FaultFelkod, kod: &'static str, skuld: Skuld, text: &'static str) -> Row {
    Row {
        felkod,
        kod,
        skuld,
        text,
    }
}

/// In the order of [`FaultFelkod`].
static FAULTS: &[Row] = &[
    row(
        FaultFelkod::OgiltigFraga,
        "SSBT-OGILTIG-FRAGA",
        Skuld::Client,
        "Frågan följer inte schemat",
    ),
    row(
        FaultFelkod::OkandOperation,
        "SSBT-OKAND-OPERATION",
        Skuld::Client,
        "Operationen eller versionen stöds inte",
    ),
    row(
        FaultFelkod::Personidentitet,
        "SSBT-PERSONIDENTITET",
        Skuld::Client,
        "Personidentiteten är inte ett möjligt personnummer eller samordningsnummer",
    ),
    row(
        FaultFelkod::Tidsperiod,
        "SSBT-TIDSPERIOD",
        Skuld::Client,
        "Tidsperiodens slut ligger före dess början",
    ),
    row(
        FaultFelkod::Obehorig,
        "SSBT-OBEHORIG",
        Skuld::Client,
        "Avsändaren får inte fråga för denna ingivare",
    ),
    row(
        FaultFelkod::AntalPersoner,
        "SSBT-ANTAL-PERSONER",
        Skuld::Client,
        "Meddelandet har inga eller för många personer",
    ),
    row(
        FaultFelkod::Overlast,
        "SSBT-OVERLAST",
        Skuld::Server,
        "Tjänsten är överlastad eller på väg att stängas",
    ),
    row(
        FaultFelkod::InterntFel,
        "SSBT-INTERNT-FEL",
        Skuld::Server,
        "Ett internt fel inträffade",
    ),
];

impl FaultFelkod {
    /// Every code of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        FAULTS.iter().map(|row| row.felkod)
    }

    /// The code as it stands in `felkod`.
    #[must_use]
    pub fn kod(self) -> &'static str {
        FAULTS[self as usize].kod
    }

    /// Who must change something.
    #[must_use]
    pub fn skuld(self) -> Skuld {
        FAULTS[self as usize].skuld
    }

    /// What an operator is told when there is nothing more exact to say, in Swedish.
    #[must_use]
    pub fn text(self) -> &'static str {
        FAULTS[self as usize].text
    }
}

/// Why a valid question is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Avvisning {
    /// No person can have this number.
    Personidentitet,
    /// A period ends before it begins.
    Tidsperiod,
}

impl Avvisning {
    /// The code of the fault that answers it.
    #[must_use]
    pub const fn felkod(self) -> FaultFelkod {
        match self {
            Self::Personidentitet => FaultFelkod::Personidentitet,
            Self::Tidsperiod => FaultFelkod::Tidsperiod,
        }
    }

    /// What an operator is told, in Swedish.
    #[must_use]
    pub fn felmeddelande(self) -> &'static str {
        self.felkod().text()
    }
}

/// What an operator is told about a question that could not be read, in Swedish: which element,
/// where, what; never what stood there.
#[must_use]
pub fn felmeddelande(error: &WireError) -> String {
    let WireError {
        element,
        offset,
        fault,
    } = error;
    match fault {
        Fault::NotWellFormed(_) => {
            format!("Frågan är inte välformad XML (position {offset})")
        }
        Fault::Doctype => {
            format!(
                "Frågan har en dokumenttypsdeklaration, vilket inte tillåts (position {offset})"
            )
        }
        Fault::Entity => {
            format!("Frågan har en entitetsreferens, vilket inte tillåts (position {offset})")
        }
        Fault::Encoding => format!("Frågans teckenkodning är felaktig (position {offset})"),
        Fault::Missing => {
            format!("Frågan följer inte schemat: elementet {element} saknas (position {offset})")
        }
        Fault::Unexpected => format!(
            "Frågan följer inte schemat: elementet {element} har ett otillåtet innehåll (position \
             {offset})"
        ),
        Fault::Invalid(_) => format!(
            "Frågan följer inte schemat: elementet {element} är ogiltigt (position {offset})"
        ),
        Fault::Limit(name, max) => format!("Frågan är för stor: gränsen {name} är {max}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_finds_its_own_row() {
        for (place, felkod) in FaultFelkod::all().enumerate() {
            assert_eq!(felkod as usize, place);
            let ours = matches!(felkod, FaultFelkod::Overlast | FaultFelkod::InterntFel);
            assert_eq!(felkod.skuld() == Skuld::Server, ours);
        }
    }

    #[test]
    fn an_operator_is_told_what_and_where() {
        let error = WireError::new("arendeidentitet", 812, Fault::Invalid("must not be empty"));
        assert_eq!(
            felmeddelande(&error),
            "Frågan följer inte schemat: elementet arendeidentitet är ogiltigt (position 812)"
        );
    }
}
