//! The SOAP 1.1 envelope that a call may stand in: walked through down to the only child of its
//! body, in the same pass that reads the call (ssbtek-10, 1.1).
//!
//! Names are told by namespace, never by prefix. Attributes of `Envelope` and `Body` say nothing
//! to us and are ignored, as are headers that need not be understood; processing instructions,
//! which SOAP forbids, are skipped like comments. What SOAP allows to follow the body nobody sends:
//! it is refused, since nobody here would read it.

use super::anrop::{Form, Operation, Orsak};
use super::cursor::Cursor;
use crate::error::{Fault, WireError};
use crate::xml::{self, Limits, Start};

/// Namespace of SOAP 1.1.
pub(super) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The actor that every node is (SOAP 1.1, 4.2.2).
const ACTOR_NEXT: &str = "http://schemas.xmlsoap.org/soap/actor/next";

const ENVELOPE: &str = "Envelope";
const HEADER: &str = "Header";
const BODY: &str = "Body";

/// A document opened at the element that is the call.
pub(super) struct Opened<'a> {
    /// Stands behind the start tag of that element.
    pub(super) cursor: Cursor<'a>,
    /// That element, whatever its name is.
    pub(super) start: Start<'a>,
    /// Whether there was an envelope around it.
    pub(super) form: Form,
}

/// Opens a document of either form. An error tells the form as far as that was seen.
pub(super) fn open<'a>(document: &'a str, limits: &Limits) -> Result<Opened<'a>, (Form, Orsak)> {
    let name = Operation::Hamta.element();
    let (mut cursor, root) =
        Cursor::open(document, name, limits).map_err(|error| (Form::Bar, Orsak::Ogiltig(error)))?;
    if root.local != ENVELOPE {
        return Ok(Opened {
            cursor,
            start: root,
            form: Form::Bar,
        });
    }
    let start = if root.namespace.as_deref() == Some(SOAP) {
        walk(&mut cursor)
    } else {
        let fault = Fault::Invalid("an envelope of another version of SOAP");
        let error = WireError::new(ENVELOPE, root.span.start, fault);
        Err(Orsak::SoapVersion(error))
    };
    let form = Form::Kuvert;
    match start {
        Ok(start) => Ok(Opened {
            cursor,
            start,
            form,
        }),
        Err(orsak) => Err((form, orsak)),
    }
}

/// From the start of the envelope to the start of the only child of its body.
fn walk<'a>(cursor: &mut Cursor<'a>) -> Result<Start<'a>, Orsak> {
    cursor.set_namespace(SOAP);
    if cursor.optional_raw(ENVELOPE, HEADER)?.is_some() {
        read_headers(cursor)?;
    }
    let Some(body) = cursor.optional_raw(ENVELOPE, BODY)? else {
        return Err(Orsak::Ogiltig(cursor.missing(BODY)));
    };
    let fault = Fault::Invalid("holds no element");
    let empty = WireError::new(BODY, body.span.start, fault);
    Ok(cursor.any_child(BODY)?.ok_or(empty)?)
}

fn read_headers(cursor: &mut Cursor<'_>) -> Result<(), Orsak> {
    while let Some(entry) = cursor.any_child(HEADER)? {
        if must_understand(cursor) {
            let fault = Fault::Invalid("an entry that must be understood and is not");
            let error = WireError::new(HEADER, entry.span.start, fault);
            return Err(Orsak::MustUnderstand(error));
        }
        cursor.skip()?;
    }
    cursor.end(HEADER)?;
    Ok(())
}

/// True when the header entry begun last is for us and has to be understood (SOAP 1.1, 4.2.2 and
/// 4.2.3). We understand none.
fn must_understand(cursor: &Cursor<'_>) -> bool {
    let value = |local: &str| {
        cursor
            .reader()
            .attributes()
            .iter()
            .find(|attribute| {
                attribute.local == local && attribute.namespace.as_deref() == Some(SOAP)
            })
            .map(|attribute| xml::trim(&attribute.value()).to_owned())
    };
    // SOAP 1.1 knows "1" and "0" only; "true" is what some stacks write.
    let must = value("mustUnderstand").is_some_and(|must| matches!(must.as_str(), "1" | "true"));
    must && value("actor").is_none_or(|actor| actor.is_empty() || actor == ACTOR_NEXT)
}

/// Checks that nothing follows the call in its document.
pub(super) fn close(mut cursor: Cursor<'_>, form: Form) -> Result<(), WireError> {
    if form == Form::Kuvert {
        cursor.end(BODY)?;
        cursor.end(ENVELOPE)?;
    }
    cursor.finish()
}

#[cfg(test)]
#[path = "kuvert_tests.rs"]
mod tests;
