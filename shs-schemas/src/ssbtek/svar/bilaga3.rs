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
pub(super) const TNS: Bilaga3 = Bilaga3 {
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
pub(super) const MIV: Bilaga3 = Bilaga3 {
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
    /// True when the element with this path may have a value; for the structure tables, which hold
    /// the answer for each row.
    pub(super) const fn allows(&self, path: &str) -> bool {
        let mut at = 0;
        while at < self.items.len() {
            let (known, items) = self.items[at];
            if is_equal(known, path) && !items.is_empty() {
                return true;
            }
            at += 1;
        }
        at = 0;
        while at < self.technical.len() {
            if is_equal(self.technical[at], path) {
                return true;
            }
            at += 1;
        }
        false
    }
}

/// `==` where it cannot be used: when tables are built.
const fn is_equal(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// True when there is a list for the party that answers in `element`: what it does not name is
/// noted.
pub(super) const fn has_list(element: Svarselement) -> bool {
    matches!(element, Svarselement::Tns | Svarselement::Miv)
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
    fn a_list_allows_its_own_paths_and_no_others() {
        for allowed in ["fordon/regnr", "resultat", "felresultat/feltext"] {
            assert!(TNS.allows(allowed), "{allowed}");
        }
        for other in [
            "",
            "regnr",
            "fordon/regn",
            "fordon/regnrx",
            "svar/fromDatum",
        ] {
            assert!(!TNS.allows(other), "{other}");
        }
        assert!(MIV.allows("svar/fromDatum") && MIV.allows("response/personnummer"));
        assert!(!MIV.allows("response/hemland") && !MIV.allows("svar/anledning"));
    }

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
