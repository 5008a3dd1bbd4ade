//! The question `hamtaBastjanstInformation` about one person (ssbtek-10, 2).
//!
//! [`Fraga::read`] checks the document against every rule of the schema in one pass and keeps it
//! as it was received; echo, sub-questions and answer are spliced from it. What is valid but not
//! to be asked is told by [`Fraga::avvisning`].

pub(super) mod lasning;
mod platser;
mod uppgifter;

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

pub use uppgifter::{FkFraga, FrageUppgifter, Personuppgiftsbitrade, SkvFraga, Tidsperiod};

use super::fel::{Avvisning, SsbtFelkod};
use super::kuvert;
use super::lefi;
use super::personidentitet::{Identitetskontroll, Organisationsnummer, Personidentitet};
use super::xsd::{self, Datum};
use super::{Kontrakt, Svarselement};
use crate::Sensitive;
use crate::error::{Fault, WireError};
use crate::xml::{self, Limits};
use lasning::Lasning;
pub(super) use lasning::ROT;
use platser::Platser;

/// A valid question.
#[derive(Clone)]
pub struct Fraga {
    document: Bytes,
    kontrakt: Kontrakt,
    personidentitet: Sensitive<Personidentitet>,
    ingivare: Organisationsnummer,
    fragan_skall_inkluderas: bool,
    inkludera: [bool; Svarselement::IN_ORDER.len()],
    omvand_period: bool,
    /// Whether LEFI can be asked, as far as the elements around its question tell.
    lefi: Result<(), SsbtFelkod>,
    limits: Limits,
    platser: Platser,
}

impl Fraga {
    /// Reads a question. UTF-16, and ISO-8859-1 where the XML declaration says so, are transcoded;
    /// UTF-8 is kept as it is. For a character set named outside the document there is
    /// [`Fraga::read_declared`].
    ///
    /// # Errors
    /// For everything that is not well-formed, not valid, or beyond `limits`. A root of another
    /// name or namespace is [`Fault::Missing`] `hamtaBastjanstInformation`.
    pub fn read(document: Bytes, limits: &Limits) -> Result<Self, WireError> {
        Self::read_declared(document, None, limits)
    }

    /// As [`Fraga::read`], for a data part whose header may name a character set: it counts only
    /// for bytes that are no text without it (shs-1.2, 2.7).
    ///
    /// # Errors
    /// As [`Fraga::read`].
    pub fn read_declared(
        document: Bytes,
        charset: Option<&str>,
        limits: &Limits,
    ) -> Result<Self, WireError> {
        let document = xml::decode_declared(document, charset, ROT, limits)?;
        let lasning = lasning::read(text(&document)?, limits)?;
        Ok(Self::new(&document, lasning, limits))
    }

    /// The question that was read from `document`.
    pub(super) fn new(document: &Bytes, lasning: Lasning<'_>, limits: &Limits) -> Self {
        let uppgifter = &lasning.uppgifter;
        let omvand_period = Svarselement::IN_ORDER
            .iter()
            .filter(|&&element| uppgifter.inkluderar(element))
            .map(|&element| uppgifter.period(element))
            .any(Tidsperiod::is_reversed);
        Self {
            kontrakt: uppgifter.kontrakt,
            personidentitet: uppgifter.personidentitet.clone(),
            ingivare: uppgifter.ingivare,
            fragan_skall_inkluderas: uppgifter.fragan_skall_inkluderas,
            inkludera: uppgifter.inkludera,
            lefi: check_lefi(uppgifter),
            omvand_period: omvand_period || uppgifter.tidsperiod.is_reversed(),
            limits: *limits,
            platser: lasning.platser,
            document: document.clone(),
        }
    }

    /// Version of the contract that the question is in.
    #[must_use]
    pub const fn kontrakt(&self) -> Kontrakt {
        self.kontrakt
    }

    /// The person asked about, white space collapsed.
    #[must_use]
    pub const fn personidentitet(&self) -> &Sensitive<Personidentitet> {
        &self.personidentitet
    }

    /// Organisation number of the asking body.
    #[must_use]
    pub const fn ingivare_organisationsnummer(&self) -> Organisationsnummer {
        self.ingivare
    }

    /// True when the bastjänst behind this element is asked.
    #[must_use]
    pub const fn inkluderar(&self, element: Svarselement) -> bool {
        self.inkludera[element.index()]
    }

    /// True when the question is wanted back in the response.
    #[must_use]
    pub const fn fragan_skall_inkluderas(&self) -> bool {
        self.fragan_skall_inkluderas
    }

    /// Content of `frageTidpunkt` exactly as written, references unresolved.
    #[must_use]
    pub fn frage_tidpunkt(&self) -> Option<Bytes> {
        self.platser
            .frage_tidpunkt
            .clone()
            .map(|at| self.document.slice(at))
    }

    /// Content of `korrelationsid` exactly as written, references unresolved.
    #[must_use]
    pub fn korrelationsid(&self) -> Option<Bytes> {
        self.platser
            .korrelationsid
            .clone()
            .map(|at| self.document.slice(at))
    }

    /// The document as it was received (transcoded to UTF-8 where needed): with its envelope, when
    /// it came in one.
    #[must_use]
    pub const fn document(&self) -> &Bytes {
        &self.document
    }

    /// Everything that the question says; read anew at each call.
    ///
    /// # Panics
    /// Never: the same document was read before.
    #[must_use]
    pub fn uppgifter(&self) -> FrageUppgifter<'_> {
        text(&self.document)
            .ok()
            .and_then(|document| kuvert::open(document, &self.limits).ok())
            .and_then(|mut opened| {
                let (cursor, start) = (&mut opened.cursor, &opened.start);
                lasning::read_root(cursor, start, self.kontrakt, &self.limits).ok()
            })
            .map(|lasning| lasning.uppgifter)
            .expect("the same document was read before")
    }

    /// Why a valid question is not to be asked, if there is a reason (ssbtek-10, 6.2). `idag` is
    /// the day in Sweden: nobody is born after it.
    #[must_use]
    pub fn avvisning(&self, kontroll: Identitetskontroll, idag: Datum) -> Option<Avvisning> {
        if !self.personidentitet.expose().check(kontroll, idag) {
            Some(Avvisning::Personidentitet)
        } else if self.omvand_period {
            Some(Avvisning::Tidsperiod)
        } else {
            None
        }
    }

    /// The question to LEFI as JSON: personal data.
    ///
    /// # Errors
    /// The code with which Försäkringskassan's part fails when there is no usable question
    /// (ssbtek-10, 2.3); the JSON itself is not looked at.
    pub fn lefi_json(&self) -> Result<Vec<u8>, SsbtFelkod> {
        let raw = std::str::from_utf8(self.del(self.lefi_plats()?)).ok();
        raw.and_then(xml::text_of)
            .and_then(|base64| xsd::base64_decode(&base64).ok())
            .ok_or(SsbtFelkod::FkFragaOgiltig)
    }

    /// Where the base64 of the question to LEFI stands.
    pub(super) fn lefi_plats(&self) -> Result<Range<usize>, SsbtFelkod> {
        self.lefi?;
        self.platser
            .lefi_json
            .clone()
            .ok_or(SsbtFelkod::FkFragaSaknas)
    }

    pub(super) const fn platser(&self) -> &Platser {
        &self.platser
    }

    /// A range of the document.
    pub(super) fn del(&self, at: Range<usize>) -> &[u8] {
        &self.document[at]
    }
}

fn check_lefi(uppgifter: &FrageUppgifter<'_>) -> Result<(), SsbtFelkod> {
    let fk = uppgifter.fk.as_ref().ok_or(SsbtFelkod::FkFragaSaknas)?;
    lefi::check_version(fk.version.as_deref())?;
    lefi::check_aktorsid(&fk.aktorsid)
}

pub(super) fn text(document: &Bytes) -> Result<&str, WireError> {
    std::str::from_utf8(document)
        .map_err(|error| WireError::new(ROT, error.valid_up_to(), Fault::Encoding))
}

impl fmt::Debug for Fraga {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fraga")
            .field("kontrakt", &self.kontrakt)
            .field("bytes", &self.document.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "fraga/fraga_tests.rs"]
mod tests;
