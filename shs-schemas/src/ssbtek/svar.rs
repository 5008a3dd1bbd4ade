//! The answer of one Uppgiftslämnare: its element of the contract, checked and kept as received
//! (ssbtek-10, 3 and 4.0).

mod af;
mod bilaga3;
mod csn;
mod csn_arende;
mod csn_typer;
mod data;
mod miv;
mod open;
mod simple;
mod skv;
mod so;
mod structure;
mod tns;
mod walk;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;

use super::cursor::Cursor;
use super::fel::felkod_for_log;
use super::passage::Kontrollsumma;
use super::{Kontrakt, Svarselement, Uppgiftslamnare, xsd};
use crate::error::{Fault, WireError};
use crate::xml::{self, Limits};

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
}

/// A field that the agreement does not let the authority give out (Bilaga 3; ).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Falt {
    /// Its name: one of the authority's schema, or a stand-in for a name that only the answer knows
    /// and that could be anything.
    pub namn: Cow<'static, str>,
    /// Offset in the answer.
    pub offset: usize,
}

#[derive(Clone)]
enum Innehall {
    /// `data`; for base64 answers the place of the base64 within the element.
    Data(Option<Range<usize>>),
    /// `error`, and its `felkod`.
    Error(String),
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
    pub fn read(
        uppgiftslamnare: Uppgiftslamnare,
        kontrakt: Kontrakt,
        body: Bytes,
        limits: &Limits,
    ) -> Result<Self, WireError> {
        let name = uppgiftslamnare.element().local_name();
        let body = xml::decode_bytes(body, None, name, limits)?;
        let document = std::str::from_utf8(&body)
            .map_err(|error| WireError::new(name, error.valid_up_to(), Fault::Encoding))?;
        let (mut cursor, root) = Cursor::open(document, name, limits)?;
        if !root.is(kontrakt.namespace(), name) {
            return Err(WireError::new(name, root.span.start, Fault::Missing));
        }
        cursor.set_kontrakt(kontrakt);
        cursor.check_attributes(name, &[])?;
        let (innehall, utanfor_bilaga3) = read_content(
            &mut cursor,
            uppgiftslamnare.element(),
            name,
            root.span.start,
            limits,
        )?;
        let end = cursor.end(name)?;
        cursor.finish()?;
        let element = body.slice(root.span.start..end.end);
        Ok(Self {
            uppgiftslamnare,
            kontrakt,
            kontrollsumma: Kontrollsumma::of(&element),
            element,
            innehall,
            utanfor_bilaga3,
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

    /// Digest of the element, taken when it arrived.
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

    /// The authority's own code, when it reports an error. Log it through
    /// [`felkod_for_log`].
    #[must_use]
    pub fn felkod(&self) -> Option<&str> {
        match &self.innehall {
            Innehall::Error(felkod) => Some(felkod),
            Innehall::Data(_) => None,
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

fn read_content(
    cursor: &mut Cursor<'_>,
    element: Svarselement,
    name: &'static str,
    base: usize,
    limits: &Limits,
) -> Result<(Innehall, Vec<Falt>), WireError> {
    if let Some(start) = cursor.optional_raw(name, "data")? {
        let data = data::read(cursor, element, start.span.start, limits)?;
        let at = data.base64.map(|at| at.start - base..at.end - base);
        return Ok((Innehall::Data(at), data.utanfor_bilaga3));
    }
    if cursor.optional(name, "error")?.is_some() {
        return read_error(cursor).map(|felkod| (Innehall::Error(felkod), Vec::new()));
    }
    Err(cursor.missing("data"))
}

fn read_error(cursor: &mut Cursor<'_>) -> Result<String, WireError> {
    cursor.required_text("error", "error/kalla", |kalla| match &*kalla.value {
        "BT" => Ok(()),
        "SSBT" => Err("only the composite service may say SSBT"),
        _ => Err("not a kalla"),
    })?;
    let felkod = cursor.required_text("error", "error/felkod", |felkod| {
        Ok(felkod.value.clone().into_owned())
    })?;
    cursor.required_text("error", "error/felmeddelande", |_| Ok(()))?;
    while cursor
        .optional_text("error", "error/felmeddelande", |_| Ok(()))?
        .is_some()
    {}
    cursor.end("error")?;
    Ok(felkod)
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
