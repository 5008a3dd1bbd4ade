//! Skatteverket's answer: a whole document as text (ssbtek-10, 4.4).

use super::simple::STRING;
use super::structure::{Content, Element, Open, Type};

/// Namespace of the names of its types; its elements are in none.
const TYPES: &str = "http://beskattningws.ws.service.bs.zg.rsv.se/";

/// `data`.
pub(super) static DATA: Type = Type::named(
    TYPES,
    "BeskattningsuppgifterResponseTYPE",
    &[Element::one(None, "svar", &SVAR)],
    Open::Closed,
);

/// A string to the contract; whoever reads it reads a document, so it must be one
/// (ssbtek-10, 8 item 14).
static SVAR: Type = Type {
    namn: STRING.namn,
    attributes: &[],
    content: Content::Document("SKV/svar"),
};
