//! What the agreement lets an authority give out, where it says so (Villkor, Bilaga 3; R-231,
//! R-232), as data. For the other six parties nobody has a list, so nothing is noted.

use super::falt::{Falt, Faltnamn, shown};
use crate::ssbtek::Svarselement;

/// Names noted in one answer at most.
pub(super) const FIELDS_MAX: usize = 16;

/// The list of one party.
pub(super) struct Bilaga3 {
    /// Elements of its schema (paths of the structure table) and the items that cover them. The
    /// words are ours, short for those of the agreement.
    items: &'static [(&'static str, &'static [&'static str])],
    /// Elements that say nothing about the person's matter: identity, correlation, how it went.
    technical: &'static [&'static str],
}

const BEVILJAT: &str = "beviljat beslut";
const ATERKALLELSE: &str = "beslut om återkallelse";
const PERMANENT: &str = "permanent eller tidsbegränsat";
const GILTIGHETSTID: &str = "giltighetstid";
const BESLUTSDATUM: &str = "datum för beslut";
const ATERKALLELSEDATUM: &str = "datum för beslut om återkallelse";

/// five fields per vehicle.
static TNS: Bilaga3 = Bilaga3 {
    items: &[
        ("fordon/regnr", &["registreringsnummer"]),
        ("fordon/fabrikat", &["fabrikat"]),
        ("fordon/fordonsar", &["fordonsår"]),
        ("fordon/fordonsslag", &["fordonsslag"]),
        ("fordon/handelsbeteckning", &["handelsbeteckning"]),
    ],
    technical: &["resultat", "felresultat/felkod", "felresultat/feltext"],
};

/// Its seventh item, when a matter of revocation began, has no element in this schema. What
/// no item covers (C-56: `hemland`, `inresedatum`, `ansokningsdatum`, `anledning`,
/// `anledningNamn`) is in neither list until the contract's parties decide otherwise.
static MIV: Bilaga3 = Bilaga3 {
    items: &[
        ("svar/arendeTyp", &[BEVILJAT, ATERKALLELSE]),
        ("svar/arendeTypNamn", &[BEVILJAT, ATERKALLELSE]),
        ("svar/beslutsKod", &[BEVILJAT, ATERKALLELSE]),
        ("svar/beslutsKodNamn", &[BEVILJAT, ATERKALLELSE]),
        ("svar/beslutsTyp", &[BEVILJAT, ATERKALLELSE]),
        ("svar/beslutsTypNamn", &[BEVILJAT, ATERKALLELSE]),
        ("svar/giltighetstid", &[PERMANENT]),
        ("svar/fromDatum", &[GILTIGHETSTID]),
        ("svar/tomDatum", &[GILTIGHETSTID]),
        ("svar/beslutsdatum", &[BESLUTSDATUM, ATERKALLELSEDATUM]),
    ],
    technical: &[
        "response/korrelationsid",
        "response/correlationid",
        "response/efternamn",
        "response/fornamn",
        "response/personnummer",
    ],
};

impl Bilaga3 {
    /// The list of the party that answers in `element`.
    pub(super) const fn of(element: Svarselement) -> Option<&'static Self> {
        match element {
            Svarselement::Tns => Some(&TNS),
            Svarselement::Miv => Some(&MIV),
            Svarselement::Af
            | Svarselement::Csn
            | Svarselement::Fk
            | Svarselement::Skv
            | Svarselement::So => None,
        }
    }

    /// True when the element with this path may have a value.
    pub(super) fn allows(&self, path: &str) -> bool {
        self.items
            .iter()
            .any(|(known, items)| *known == path && !items.is_empty())
            || self.technical.contains(&path)
    }
}

/// Notes an element of the schema once, up to [`FIELDS_MAX`] names.
pub(super) fn note(fields: &mut Vec<Falt>, namn: &'static str, offset: usize) {
    if is_new(fields, namn) {
        let namn = Faltnamn::of_schema(namn);
        fields.push(Falt { namn, offset });
    }
}

/// Notes an element that only the answer knows, by the name that may be shown.
pub(super) fn note_foreign(fields: &mut Vec<Falt>, local: &str, offset: usize) {
    if is_new(fields, shown(local)) {
        let namn = Faltnamn::of_answer(local);
        fields.push(Falt { namn, offset });
    }
}

fn is_new(fields: &[Falt], namn: &str) -> bool {
    fields.len() < FIELDS_MAX && fields.iter().all(|known| known.namn.as_str() != namn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_noted_once_and_their_number_is_bounded() {
        let mut fields = Vec::new();
        for n in 0..100_u8 {
            note(&mut fields, "a", 1);
            note_foreign(&mut fields, &format!("x{}", char::from(b'a' + n % 26)), 2);
        }
        assert_eq!(fields.len(), FIELDS_MAX);
        assert_eq!((fields[0].namn.as_str(), fields[0].offset), ("a", 1));
    }
}
