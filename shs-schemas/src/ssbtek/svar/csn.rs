//! The answer of Centrala studiestödsnämnden: the document inside the base64 (ssbtek-10, 4.2).
//! Offsets in errors are those of that document. Its result code decides nothing here: a partial
//! result is data, and what is a refusal its adapter reports as an error.

use super::csn_arende::{
    HEMUTRUSTNINGSLAN, OMSTALLNINGSSTUDIESTOD, STUDIEHJALP, STUDIEMEDEL, STUDIESTARTSSTOD,
};
use super::csn_typer::{FORTECKNING, limited, simple};
use super::simple::{decimal, digits};
use super::structure::{Attribute, Content, Element, Open, Type};
use super::walk::Walk;
use crate::error::{Fault, WireError};
use crate::ssbtek::xsd::Rule;
use crate::xml::{self, Event, Limits, Options, Reader};

const NS: &str = "http://schema.csn.se/v4.0/kommunfraga";
const PERSON_NS: &str = "http://schema.csn.se/v4.0/person";
const NAMN: &str = "CSN/svar";

/// Persons in one answer at most.
const PERSONS_MAX: u32 = 10;

/// Checks the document that was inside the base64.
///
/// The adapter promised UTF-8 and its reader takes it for UTF-8 whatever the declaration says, so
/// that is tried first; another declared encoding is read as such.
///
/// # Errors
/// When it is not well-formed, has a document type declaration, is beyond `limits`, or breaks the
/// schema of CSN.
pub(super) fn check(bytes: &[u8], limits: &Limits) -> Result<(), WireError> {
    let decoded;
    let document = match std::str::from_utf8(bytes) {
        // UTF-16 without mark is UTF-8 with zeros.
        Ok(text) if !text.as_bytes().iter().take(2).any(|&b| b == 0) => text,
        _ => {
            decoded = xml::decode(bytes, None, NAMN, limits)?;
            &*decoded
        }
    };
    let mut reader = Reader::new(document, Options::new(NAMN), *limits)?;
    let Event::Start(root) = reader.next_event()? else {
        return Err(WireError::new(NAMN, 0, Fault::Missing));
    };
    if !ROOT.is(&root) {
        return Err(WireError::new(ROOT.path, root.span.start, Fault::Missing));
    }
    Walk::new(&mut reader, limits).element(&ROOT, root.span.start)?;
    reader.next_event().map(|_| ())
}

const fn one(path: &'static str, of: &'static Type) -> Element {
    Element::one(Some(NS), path, of)
}

static ROOT: Element = one("CSN/svar/CSNSvar", &SVAR);

static SVAR: Type = Type::of(&[
    one("CSN/svar/GemensamtSvarEkbistand", &GEMENSAMT),
    // Of a type of Sambruk whose schema is not part of the contract.
    one(
        "CSN/svar/GemensamtFragaEkbistand",
        &Type::anonymous(Content::Free),
    ),
    one("CSN/svar/Personer", &PERSONER),
])
.with(&[Attribute {
    namn: "schemaVersion",
    required: true,
    check: decimal,
}]);

static GEMENSAMT: Type = Type::of(&[one("CSN/svar/Resultat", &RESULTAT)]);

static RESULTAT: Type = Type::of(&[
    one("CSN/svar/ResultatKod", &RESULTAT_KOD),
    one("CSN/svar/ResultatText", &RESULTAT_TEXT),
]);

static RESULTAT_KOD: Type = simple("ResultatKod", |text| limited(text, 20));
static RESULTAT_TEXT: Type = simple("ResultatText", |text| limited(text, 100));

static PERSONER: Type = Type::of(&[one("CSN/svar/Person", &PERSON).up_to(PERSONS_MAX)]);

const fn of_person(path: &'static str, of: &'static Type) -> Element {
    Element::one(Some(PERSON_NS), path, of)
}

static PERSON: Type = Type::named(
    PERSON_NS,
    "Person",
    &[
        of_person("CSN/svar/Studiestodstypforteckning", &FORTECKNING),
        of_person("CSN/svar/Studiemedel", &STUDIEMEDEL),
        of_person("CSN/svar/Studiehjalp", &STUDIEHJALP),
        of_person("CSN/svar/HemutrustningsLan", &HEMUTRUSTNINGSLAN),
        of_person("CSN/svar/Studiestartsstod", &STUDIESTARTSSTOD),
        of_person("CSN/svar/Omstallningsstudiestod", &OMSTALLNINGSSTUDIESTOD),
    ],
    Open::Closed,
)
.with(&[
    Attribute {
        namn: "personnummer",
        required: true,
        check: personnummer,
    },
    Attribute {
        namn: "Status",
        required: false,
        check: status,
    },
    Attribute {
        namn: "sekretess",
        required: false,
        check: |text| limited(text, 2),
    },
    Attribute {
        namn: "sekel",
        required: false,
        check: sekel,
    },
]);

/// Ten digits whose month begins with 0 or 1 and whose day begins with 0 to 3: no
/// samordningsnummer.
fn personnummer(text: &str) -> Result<(), Rule> {
    let bytes = text.as_bytes();
    let fits = bytes.len() == 10 && digits(text) && bytes[2] <= b'1' && bytes[4] <= b'3';
    if fits {
        Ok(())
    } else {
        Err("not a personnummer of ten digits")
    }
}

/// Ten blanks, or the words for nobody.
fn status(text: &str) -> Result<(), Rule> {
    match text {
        "          " | "Ej träff" => Ok(()),
        _ => Err("no Status of a person"),
    }
}

fn sekel(text: &str) -> Result<(), Rule> {
    match text {
        "18" | "19" | "20" => Ok(()),
        _ => Err("not a century"),
    }
}

#[cfg(test)]
#[path = "csn_tests.rs"]
mod tests;
