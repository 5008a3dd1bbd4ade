//! Reading the documents that are configuration: agreements and product descriptions. Unlike
//! messages they are not taken as they come: what decides must be there, once, and be one of its
//! values, and the error says where to look.

use std::borrow::Cow;

use super::document::{Document, Value};
use super::urn::{Adress, Organisationsnummer};
use crate::charset;
use crate::error::{Fault, WireError};
use crate::xml;

/// The versions whose documents are alike but for the attribute that says so (shs-1.2, 3.7).
const VERSIONS: [&str; 2] = ["1.1", "1.2"];

/// The document as text, if it is not longer than `max` bytes; `limit` is the bound's name.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    root: &'static str,
    limit: &'static str,
    max: usize,
) -> Result<Cow<'a, str>, WireError> {
    if bytes.len() > max {
        return Err(WireError::new(root, max, Fault::Limit(limit, max)));
    }
    Ok(charset::decode(bytes, None))
}

/// Opens a document of version 1.1 or 1.2; one that says nothing is 1.2.
pub(super) fn open<'a>(
    text: &'a str,
    root: &'static str,
    max: usize,
) -> Result<Document<'a>, WireError> {
    // ISO-8859-1 grows to at most twice its length in UTF-8.
    let document = Document::open(text, root, max.saturating_mul(2))?;
    match document.attribute("version") {
        Some(version) if !VERSIONS.contains(&xml::trim(&version.text)) => {
            let fault = Fault::Invalid("neither version 1.1 nor 1.2");
            Err(WireError::new("version", version.offset, fault))
        }
        _ => Ok(document),
    }
}

/// Fills a slot that may be filled once.
pub(super) fn once<T>(
    slot: &mut Option<T>,
    value: T,
    element: &'static str,
    at: usize,
) -> Result<(), WireError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(WireError::new(element, at, Fault::Unexpected)),
    }
}

/// A required attribute of the element at `at`.
pub(super) fn required<'a>(
    document: &Document<'a>,
    name: &'static str,
    at: usize,
) -> Result<Value<'a>, WireError> {
    document
        .attribute(name)
        .ok_or(WireError::new(name, at, Fault::Missing))
}

/// A required attribute that is one of a few words.
pub(super) fn keyword<T>(
    document: &Document<'_>,
    name: &'static str,
    at: usize,
    parse: fn(&str) -> Option<T>,
) -> Result<T, WireError> {
    let value = required(document, name, at)?;
    let fault = Fault::Invalid("not one of its values");
    parse(xml::trim(&value.text)).ok_or(WireError::new(name, value.offset, fault))
}

/// A yes/no attribute; when it is missing, the default of all of them is yes.
pub(super) fn yes_unless_said(document: &Document<'_>, name: &str) -> bool {
    document
        .attribute(name)
        .is_none_or(|value| is_yes(&value.text))
}

/// shs-1.2, 3.1: some words mean yes, everything else means no.
pub(super) fn is_yes(text: &str) -> bool {
    let text = xml::trim(text);
    ["yes", "on", "true"]
        .into_iter()
        .any(|yes| yes.eq_ignore_ascii_case(text))
}

/// `principal` or `customer`.
pub(super) struct Party {
    pub(super) organisation: Organisationsnummer,
    pub(super) name: Option<String>,
}

pub(super) fn party(
    document: &mut Document<'_>,
    element: &'static str,
    at: usize,
) -> Result<Party, WireError> {
    let name = document.attribute_text("commonName");
    let text = document.text(element)?;
    let address = Adress::parse(&text).map_err(|error| WireError::new(element, at, error.fault))?;
    Ok(Party {
        organisation: address.organisation().clone(),
        name,
    })
}
