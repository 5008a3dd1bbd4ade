//! What stands in `data`, per answer element (ssbtek-10, 4.0).

use std::ops::Range;

use super::bilaga3;
use super::leaning::Leaning;
use super::structure::{Element, Type};
use super::walk::Walk;
use super::{Falt, af, csn, miv, skv, so, tns};
use crate::error::{Fault, WireError};
use crate::ssbtek::cursor::Cursor;
use crate::ssbtek::{Kontrakt, Svarselement, lefi, xsd};
use crate::xml::{Limits, Start};

/// What was found in `data`.
#[derive(Default)]
pub(super) struct Data {
    /// Place of the base64 in the document, for the parties that answer so.
    pub(super) base64: Option<Range<usize>>,
    /// Fields that the party may not give out.
    pub(super) utanfor_bilaga3: Vec<Falt>,
    /// Why the version of the contract around them cannot be exchanged.
    pub(super) leaning: Option<WireError>,
}

/// Reads `data`, begun last with `start`, to its end, in an answer of this version.
///
/// # Errors
/// When it is not as the party's schema has it, or what its base64 holds cannot be read.
pub(super) fn read(
    cursor: &mut Cursor<'_>,
    element: Svarselement,
    kontrakt: Kontrakt,
    start: &Start<'_>,
    limits: &Limits,
) -> Result<Data, WireError> {
    let inline = |cursor: &mut Cursor<'_>, of| {
        let leaning = Leaning::new(kontrakt, start.span.end);
        inline(cursor, element, of, start.span.start, leaning, limits)
    };
    match element {
        Svarselement::Csn => base64(cursor, "data/svar", |bytes| csn::check(bytes, limits)),
        Svarselement::Fk => base64(cursor, "data/lefiJsonSvar", lefi_svar),
        Svarselement::Af => inline(cursor, &af::DATA),
        Svarselement::Skv => inline(cursor, &skv::DATA),
        Svarselement::So => inline(cursor, &so::DATA),
        Svarselement::Tns => inline(cursor, &tns::DATA),
        Svarselement::Miv => inline(cursor, &miv::DATA),
    }
}

fn inline(
    cursor: &mut Cursor<'_>,
    element: Svarselement,
    of: &'static Type,
    at: usize,
    leaning: Leaning,
    limits: &Limits,
) -> Result<Data, WireError> {
    let mut walk = Walk::new(cursor.reader_mut(), limits);
    walk.leaning = Some(leaning);
    walk.has_list = bilaga3::has_list(element);
    walk.misplaced = (element == Svarselement::Tns).then_some(tns::MISPLACED);
    walk.element(&Element::one(None, "data", of), at)?;
    Ok(Data {
        base64: None,
        leaning: walk.leaning.as_ref().and_then(Leaning::first),
        utanfor_bilaga3: walk.fields,
    })
}

fn base64(
    cursor: &mut Cursor<'_>,
    path: &'static str,
    check: impl FnOnce(&[u8]) -> Result<(), WireError>,
) -> Result<Data, WireError> {
    cursor.check_attributes("data", &[])?;
    let (at, bytes) = cursor.required_text("data", path, |content| {
        xsd::base64_decode(&content.value).map(|bytes| (content.inner.clone(), bytes))
    })?;
    check(&bytes)?;
    cursor.end("data")?;
    Ok(Data {
        base64: Some(at),
        utanfor_bilaga3: Vec::new(),
        leaning: None,
    })
}

/// LEFI's answer is not compared with its schema, which its own examples break (ssbtek-10, 4.3.3);
/// it must be one that the merge can read. Offsets are those of the JSON.
fn lefi_svar(bytes: &[u8]) -> Result<(), WireError> {
    const NAMN: &str = "FK/lefiJsonSvar";
    let json = std::str::from_utf8(bytes)
        .map_err(|error| WireError::new(NAMN, error.valid_up_to(), Fault::Encoding))?;
    if lefi::is_readable(json) {
        Ok(())
    } else {
        let fault = Fault::NotWellFormed("not one JSON object that can be merged");
        Err(WireError::new(NAMN, 0, fault))
    }
}
