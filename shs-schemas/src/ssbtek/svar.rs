//! The answer of one Uppgiftslämnare: its element of the contract, checked and kept as received
//! (ssbtek-10, 3 and 4.0).

mod af;
mod bilaga3;
mod csn;
mod csn_arende;
mod csn_typer;
mod data;
mod falt;
mod leaning;
mod miv;
mod open;
mod simple;
mod skv;
mod so;
mod structure;
mod tns;
mod walk;

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

pub use falt::{Falt, Faltnamn};

use data::Data;

use super::cursor::Cursor;
use super::fel::{Delfel, FELMEDDELANDEN_MAX, felkod_for_log};
use super::passage::Kontrollsumma;
use super::versionsbyte::Bindningar;
use super::{Kontrakt, Uppgiftslamnare, xsd};
use crate::error::{Fault, WireError};
use crate::xml::{self, Content, Limits};

/// A checked answer: the root element of an `svar.v1`, to be spliced as it is.
///
/// It is a document of its own, so all namespace declarations it needs are in it.
#[derive(Clone)]
pub struct Delsvar {
    uppgiftslamnare: Uppgiftslamnare,
    kontrakt: Kontrakt,
    element: Bytes,
    kontrollsumma: Kontrollsumma,
    innehall: Innehall,
    utanfor_bilaga3: Vec<Falt>,
    bindningar: Bindningar,
    leaning: Option<WireError>,
}

#[derive(Clone)]
enum Innehall {
    /// `data`; for base64 answers the place of the base64 within the element.
    Data(Option<Range<usize>>),
    /// `error`, and its `felkod`.
    Error(String),
    /// `error` with an empty `felkod`, which may not be sent on, as what is given out instead.
    UtanKod(Delfel),
}

impl Delsvar {
    /// Reads an answer to a question in `kontrakt`. XML declaration and byte order mark are
    /// dropped; what surrounds the root goes with them.
    ///
    /// # Errors
    /// When the document is not well-formed, has a DTD or is beyond `limits`; when its root is not
    /// the element that `uppgiftslamnare` answers in; when it has not exactly one of `data` and
    /// `error`; when `error` claims to come from the composite service or breaks the schema; when
    /// `data` is not as the authority's schema has it (what the base64 of CSN and the text of
    /// Skatteverket hold included), or LEFI's JSON cannot be merged. An element named `X/svar/…` is
    /// one of the document within `X`'s answer, and the offset is one of that document.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what is kept is a slice of it"
    )]
    pub fn read(
        uppgiftslamnare: Uppgiftslamnare,
        kontrakt: Kontrakt,
        body: Bytes,
        limits: &Limits,
    ) -> Result<Self, WireError> {
        let name = uppgiftslamnare.element().local_name();
        let document = xml::decode(&body, None, name, limits)?;
        let found = read_document(&document, uppgiftslamnare, kontrakt, limits)?;
        let element = xml::kept(&body, document).slice(found.element);
        Ok(Self {
            uppgiftslamnare,
            kontrakt,
            kontrollsumma: Kontrollsumma::of(&element),
            element,
            innehall: found.innehall,
            utanfor_bilaga3: found.utanfor_bilaga3,
            bindningar: found.bindningar,
            leaning: found.leaning,
        })
    }

    /// Whose answer it is.
    #[must_use]
    pub const fn uppgiftslamnare(&self) -> Uppgiftslamnare {
        self.uppgiftslamnare
    }

    /// Version of the contract that it is in.
    #[must_use]
    pub const fn kontrakt(&self) -> Kontrakt {
        self.kontrakt
    }

    /// Whether it can be given out in the version `to`: exchanging its own for that must change
    /// nothing that the authority said. Better an error than something else than was delivered
    /// (ssbtek-10, 0.2; R-015).
    ///
    /// # Errors
    /// The first name inside its data that is one of the contract because an element of the
    /// contract around the data says so. Never for an answer that is in that version.
    pub fn check_exchange(&self, to: Kontrakt) -> Result<(), WireError> {
        match self.leaning {
            Some(error) if to != self.kontrakt => Err(error),
            _ => Ok(()),
        }
    }

    /// Where its elements of the contract bind the namespace of the contract.
    pub(super) const fn bindningar(&self) -> &Bindningar {
        &self.bindningar
    }

    /// Fields with content that the agreement does not list, up to a bound.
    #[must_use]
    pub fn utanfor_bilaga3(&self) -> &[Falt] {
        &self.utanfor_bilaga3
    }

    /// The whole element as received: personal data.
    #[must_use]
    pub const fn element(&self) -> &Bytes {
        &self.element
    }

    /// Digest of the element, taken when it arrived: to be compared with that of what leaves,
    /// and to be noted, keyed, in the ledger.
    #[must_use]
    pub const fn kontrollsumma(&self) -> &Kontrollsumma {
        &self.kontrollsumma
    }

    /// True when the element still is what arrived.
    pub(super) fn is_intact(&self) -> bool {
        Kontrollsumma::of(&self.element) == self.kontrollsumma
    }

    /// Flips the lowest bit of one byte of the element, counted around its end, as faulty memory
    /// would: for tests that show that such an answer is withheld.
    #[cfg(any(test, debug_assertions))]
    #[doc(hidden)]
    pub fn flip_a_bit(&mut self, at: usize) {
        let mut changed = self.element.to_vec();
        if let Some(place) = at.checked_rem(changed.len()) {
            changed[place] ^= 1;
        }
        self.element = Bytes::from(changed);
    }

    /// True when it holds data, false when it holds an error.
    #[must_use]
    pub const fn is_data(&self) -> bool {
        matches!(self.innehall, Innehall::Data(_))
    }

    /// The authority's own code, when it reports an error; when that is empty, the one that stands in
    /// for it. Log it through [`felkod_for_log`].
    #[must_use]
    pub fn felkod(&self) -> Option<&str> {
        match &self.innehall {
            Innehall::Error(felkod) => Some(felkod),
            Innehall::UtanKod(fel) => Some(fel.felkod()),
            Innehall::Data(_) => None,
        }
    }

    /// What is given out instead of an error without code: an empty `felkod` is valid, but is not to
    /// be sent (ssbtek-10, 3).
    pub(super) const fn utan_kod(&self) -> Option<&Delfel> {
        match &self.innehall {
            Innehall::UtanKod(fel) => Some(fel),
            Innehall::Data(_) | Innehall::Error(_) => None,
        }
    }

    /// The bytes inside the base64 of CSN (a document) and LEFI (JSON): personal data. `None` for
    /// errors and inline data.
    #[must_use]
    pub fn base64_content(&self) -> Option<Vec<u8>> {
        let Innehall::Data(Some(at)) = &self.innehall else {
            return None;
        };
        let raw = std::str::from_utf8(&self.element[at.clone()]).ok()?;
        xml::text_of(raw).and_then(|text| xsd::base64_decode(&text).ok())
    }
}

/// What was found in a document.
struct Found {
    /// Where the answer's element stands.
    element: Range<usize>,
    innehall: Innehall,
    utanfor_bilaga3: Vec<Falt>,
    bindningar: Bindningar,
    leaning: Option<WireError>,
}

fn read_document(
    document: &str,
    ul: Uppgiftslamnare,
    kontrakt: Kontrakt,
    limits: &Limits,
) -> Result<Found, WireError> {
    let name = ul.element().local_name();
    let (mut cursor, root) = Cursor::open(document, name, limits)?;
    let start = root.span.start;
    if !root.is(kontrakt.namespace(), name) {
        return Err(WireError::new(name, start, Fault::Missing));
    }
    cursor.set_kontrakt(kontrakt);
    cursor.check_attributes(name, &[])?;
    let (innehall, data) = read_content(&mut cursor, ul, kontrakt, start, limits)?;
    let element = start..cursor.end(name)?.end;
    let bindningar = cursor.take_bindningar().counted_from(start);
    cursor.finish()?;
    Ok(Found {
        element,
        innehall,
        utanfor_bilaga3: data.utanfor_bilaga3,
        bindningar,
        leaning: data.leaning,
    })
}

fn read_content(
    cursor: &mut Cursor<'_>,
    ul: Uppgiftslamnare,
    kontrakt: Kontrakt,
    base: usize,
    limits: &Limits,
) -> Result<(Innehall, Data), WireError> {
    let name = ul.element().local_name();
    if let Some(start) = cursor.optional_raw(name, "data")? {
        let data = data::read(cursor, ul.element(), kontrakt, &start, limits)?;
        let at = data.base64.as_ref();
        let at = at.map(|at| at.start - base..at.end - base);
        return Ok((Innehall::Data(at), data));
    }
    if cursor.optional(name, "error")?.is_some() {
        return Ok((read_error(cursor, ul)?, Data::default()));
    }
    Err(cursor.missing("data"))
}

fn read_error(cursor: &mut Cursor<'_>, ul: Uppgiftslamnare) -> Result<Innehall, WireError> {
    cursor.required_text("error", "error/kalla", |kalla| match &*kalla.value {
        "BT" => Ok(()),
        "SSBT" => Err("only the composite service may say SSBT"),
        _ => Err("not a kalla"),
    })?;
    let felkod = cursor.required_text("error", "error/felkod", |felkod| {
        Ok(felkod.value.clone().into_owned())
    })?;
    // The texts are needed only where the element is not spliced as it is.
    let is_without = xml::trim(&felkod).is_empty();
    let text = |text: &Content<'_>| Ok(is_without.then(|| text.value.clone().into_owned()));
    let first = cursor.required_text("error", "error/felmeddelande", text)?;
    let mut texter: Vec<String> = first.into_iter().collect();
    while let Some(next) = cursor.optional_text("error", "error/felmeddelande", text)? {
        texter.extend(next.filter(|_| texter.len() < FELMEDDELANDEN_MAX));
    }
    cursor.end("error")?;
    Ok(if is_without {
        Innehall::UtanKod(Delfel::bt(&felkod, texter, ul))
    } else {
        Innehall::Error(felkod)
    })
}

impl fmt::Debug for Delsvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delsvar")
            .field("uppgiftslamnare", &self.uppgiftslamnare)
            .field("kontrakt", &self.kontrakt)
            .field("bytes", &self.element.len())
            .field("felkod", &self.felkod().map(felkod_for_log))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "svar_tests.rs"]
mod tests;
