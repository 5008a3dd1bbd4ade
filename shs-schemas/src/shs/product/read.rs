//! Reading `shs.product`. The files are our own configuration: what decides is read strictly,
//! what is for people (descriptions, links) or between applications (security) is passed over.

use uuid::Uuid;

use super::{DataRule, ProductType};
use crate::error::{Fault, WireError};
use crate::mime::TransferEncoding;
use crate::shs::document::Document;
use crate::shs::strict::{self, Party, once, party, required};
use crate::shs::urn::Produkt;
use crate::xml;

const ROOT: &str = "shs.product";

/// Longest product description, in bytes.
pub const PRODUCT_BYTES_MAX: usize = 256 * 1024;

/// Most `data` elements of one description, and most `reply-data` elements.
pub const DATA_RULES_MAX: usize = 256;

impl ProductType {
    /// Reads a description of version 1.1 or 1.2, which differ in nothing else (shs-1.2, 3.7).
    ///
    /// A role that has two rules is refused: which of them a part should keep to, nobody could
    /// say.
    ///
    /// # Errors
    /// With element and offset; [`line_of`](crate::charset::line_of) turns the offset into a line.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let max = PRODUCT_BYTES_MAX;
        let text = strict::decode(bytes, ROOT, "PRODUCT_BYTES_MAX", max)?;
        let mut document = strict::open(&text, ROOT, max)?;
        let uuid = uuid(&document)?;
        let common_name = document.attribute_text("commonName");
        let resp_required = strict::yes_unless_said(&document, "resp-required");
        let mut draft = Draft::default();
        draft.children(&mut document)?;
        document.finish()?;
        let missing = |element| WireError::new(element, 0, Fault::Missing);
        if draft.data.is_empty() {
            return Err(missing("data"));
        }
        Ok(Self {
            uuid,
            common_name,
            principal: draft.principal.ok_or(missing("principal"))?.organisation,
            resp_required,
            data: draft.data,
            reply_data: draft.reply_data,
        })
    }
}

#[derive(Default)]
struct Draft {
    principal: Option<Party>,
    data: Vec<DataRule>,
    reply_data: Vec<DataRule>,
}

impl Draft {
    fn children(&mut self, document: &mut Document<'_>) -> Result<(), WireError> {
        while let Some(start) = document.child()? {
            let at = start.span.start;
            match start.local {
                "principal" => {
                    let party = party(document, "principal", at)?;
                    once(&mut self.principal, party, "principal", at)?;
                }
                "data" => add(&mut self.data, document, "data", at)?,
                "reply-data" => add(&mut self.reply_data, document, "reply-data", at)?,
                _ => document.skip()?,
            }
        }
        Ok(())
    }
}

fn uuid(document: &Document<'_>) -> Result<Uuid, WireError> {
    let value = required(document, "uuid", 0)?;
    if let Ok(Produkt::Uuid(uuid)) = Produkt::parse(&value.text) {
        return Ok(uuid);
    }
    let fault = Fault::Invalid("not a UUID");
    Err(WireError::new("uuid", value.offset, fault))
}

/// Reads the rule of the element that was entered last, and adds it.
fn add(
    rules: &mut Vec<DataRule>,
    document: &mut Document<'_>,
    element: &'static str,
    at: usize,
) -> Result<(), WireError> {
    if rules.len() == DATA_RULES_MAX {
        let fault = Fault::Limit("DATA_RULES_MAX", DATA_RULES_MAX);
        return Err(WireError::new(element, at, fault));
    }
    let datapart_type = new_role(rules, document, at)?;
    let (min, max) = occurrences(document)?;
    let mut mime = None;
    while let Some(start) = document.child()? {
        if start.local == "mime" {
            let read = Mime::read(document)?;
            once(&mut mime, read, "mime", start.span.start)?;
        }
        document.skip()?;
    }
    let mime = mime.ok_or(WireError::new("mime", at, Fault::Missing))?;
    rules.push(DataRule {
        datapart_type,
        min,
        max,
        mime_type: mime.kind,
        mime_subtype: mime.subtype,
        charset: mime.charset,
        encoding: mime.encoding,
    });
    Ok(())
}

/// `datapartType`, which no other rule has.
fn new_role(rules: &[DataRule], document: &Document<'_>, at: usize) -> Result<String, WireError> {
    let role = required(document, "datapartType", at)?;
    let refused = |rule| WireError::new("datapartType", role.offset, Fault::Invalid(rule));
    if xml::trim(&role.text).is_empty() {
        return Err(refused("empty"));
    }
    if rules.iter().any(|rule| rule.datapart_type == *role.text) {
        return Err(refused("described twice"));
    }
    Ok(role.text.into_owned())
}

/// `minOccurs` and `maxOccurs`, both 1 unless something else is said.
fn occurrences(document: &Document<'_>) -> Result<(u32, Option<u32>), WireError> {
    let refused = |element, offset, rule| WireError::new(element, offset, Fault::Invalid(rule));
    let number = |text: &str| text.parse::<u32>().ok();
    let min = match document.attribute("minOccurs") {
        None => 1,
        Some(value) => number(xml::trim(&value.text)).ok_or(refused(
            "minOccurs",
            value.offset,
            "not a number",
        ))?,
    };
    let Some(value) = document.attribute("maxOccurs") else {
        let at = document.attribute("minOccurs").map_or(0, |min| min.offset);
        return match min {
            0 | 1 => Ok((min, Some(1))),
            _ => Err(refused("minOccurs", at, "more than maxOccurs")),
        };
    };
    let text = xml::trim(&value.text);
    if is_unbounded(text) {
        return Ok((min, None));
    }
    let rule = "neither a number nor one of * n unbounded";
    let max = number(text).ok_or(refused("maxOccurs", value.offset, rule))?;
    if max < min {
        return Err(refused("maxOccurs", value.offset, "less than minOccurs"));
    }
    Ok((min, Some(max)))
}

/// The DTD leaves open how "any number" is written; these are the ways of XML at large.
fn is_unbounded(text: &str) -> bool {
    ["*", "n", "unbounded"]
        .into_iter()
        .any(|word| word.eq_ignore_ascii_case(text))
}

/// `mime`, with the defaults of the DTD.
struct Mime {
    kind: String,
    subtype: String,
    charset: String,
    encoding: TransferEncoding,
}

impl Mime {
    fn read(document: &Document<'_>) -> Result<Self, WireError> {
        let word = |name, default: &str| match document.attribute(name) {
            Some(value) => xml::trim(&value.text).to_owned(),
            None => default.to_owned(),
        };
        let encoding = match document.attribute("transfer-encoding") {
            None => TransferEncoding::Binary,
            Some(value) => match xml::trim(&value.text) {
                "binary" => TransferEncoding::Binary,
                "base64" => TransferEncoding::Base64,
                _ => {
                    let fault = Fault::Invalid("not one of its values");
                    return Err(WireError::new("transfer-encoding", value.offset, fault));
                }
            },
        };
        Ok(Self {
            kind: word("type", "text"),
            subtype: word("subtype", "xml"),
            charset: word("text-charset", "iso-8859-1"),
            encoding,
        })
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
