//! What a question says, in values: for those who answer it.

use std::borrow::Cow;

use crate::Sensitive;
use crate::ssbtek::personidentitet::{Organisationsnummer, Personidentitet};
use crate::ssbtek::xsd::Datum;
use crate::ssbtek::{Kontrakt, Svarselement};

/// A period, both ends inclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tidsperiod {
    /// First day.
    pub fran: Datum,
    /// Last day.
    pub tom: Datum,
}

impl Tidsperiod {
    /// True when it ends before it begins; the schema allows that (ssbtek-10, 2.1).
    #[must_use]
    pub fn is_reversed(self) -> bool {
        self.fran > self.tom
    }
}

/// An ombud that the asker uses.
#[derive(Clone, PartialEq, Eq)]
pub struct Personuppgiftsbitrade<'a> {
    /// Number by which several are put in order.
    pub ordningsnummer: Option<i16>,
    /// Organisation number.
    pub organisationsnummer: Organisationsnummer,
    /// Name.
    pub namn: Cow<'a, str>,
}

/// The question to LEFI as it stands in the element of Försäkringskassan (ssbtek-10, 2.3).
#[derive(Clone, PartialEq, Eq)]
pub struct FkFraga<'a> {
    /// Version segment of LEFI's path; absent means `v9`.
    pub version: Option<Cow<'a, str>>,
    /// Identity of the board with LEFI.
    pub aktorsid: Cow<'a, str>,
    /// The question to LEFI in base64, white space included.
    pub lefi_json_base64: Sensitive<Cow<'a, str>>,
}

/// Parameters for Skatteverket (version 11; ssbtek-10, 0.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "as many as the contract has")]
pub struct SkvFraga {
    /// Years asked for.
    pub ar: Vec<i32>,
    /// Company information.
    pub foretagsinformation: bool,
    /// Information about the person.
    pub individuppgifter: bool,
    /// Tax account.
    pub skattekonto: bool,
    /// Tax information.
    pub skatteuppgifter: bool,
    /// Annexes on taxation.
    pub beskattningsbilagor: bool,
}

/// Everything that a question says. White space is collapsed where the type says so.
#[derive(Clone, PartialEq, Eq)]
pub struct FrageUppgifter<'a> {
    /// Version of the contract.
    pub kontrakt: Kontrakt,
    /// When the asker says that the question was put.
    pub frage_tidpunkt: Option<Cow<'a, str>>,
    /// The asker's own pairing key, blanks kept.
    pub korrelationsid: Option<Sensitive<Cow<'a, str>>>,
    /// True when the question is wanted back in the response.
    pub fragan_skall_inkluderas: bool,
    /// Organisation number of the asking body.
    pub ingivare: Organisationsnummer,
    /// Name of the asking body.
    pub ingivare_namn: Cow<'a, str>,
    /// Name or user id of the case worker.
    pub handlaggare: Sensitive<Cow<'a, str>>,
    /// The person asked about.
    pub personidentitet: Sensitive<Personidentitet>,
    /// Case identity.
    pub arendeidentitet: Sensitive<Cow<'a, str>>,
    /// The general period.
    pub tidsperiod: Tidsperiod,
    /// Ombud, in the order of ssbtek-10, 2.1: by number, those without last.
    pub personuppgiftsbitraden: Vec<Personuppgiftsbitrade<'a>>,
    /// Purpose.
    pub syfte: Cow<'a, str>,
    /// The legal rule that the disclosure rests on.
    pub lagtext: Cow<'a, str>,
    /// The question to LEFI.
    pub fk: Option<FkFraga<'a>>,
    /// Parameters for Skatteverket.
    pub skv: Option<SkvFraga>,
    /// For each element, in its place: asked?
    pub(super) inkludera: [bool; Svarselement::IN_ORDER.len()],
    /// For each element, in its place: a period of its own.
    pub(super) egna_perioder: [Option<Tidsperiod>; Svarselement::IN_ORDER.len()],
}

impl FrageUppgifter<'_> {
    /// True when the bastjänst behind this element is asked.
    #[must_use]
    pub fn inkluderar(&self, element: Svarselement) -> bool {
        self.inkludera[element.index()]
    }

    /// The period that holds for this element: its own, else the general one. (Försäkringskassan's
    /// stands in the question to LEFI instead.)
    #[must_use]
    pub fn period(&self, element: Svarselement) -> Tidsperiod {
        self.egna_perioder[element.index()].unwrap_or(self.tidsperiod)
    }
}
