//! Reading a message list as other nodes write it.

use super::{Listed, MessageList};
use crate::charset;
use crate::error::{Fault, WireError};
use crate::ids::{ContentId, CorrId, TxId};
use crate::sensitive::Sensitive;
use crate::shs::document::Document;
use crate::shs::label::{SequenceType, Status, data_element, meta};
use crate::shs::time;
use crate::shs::urn::{Adress, Produkt};

const ROOT: &str = "shs.message-list";
/// What version 1.1 calls it (shs-1.2, 3.7).
const ROOT_OLD: &str = "shs.document-list";

/// Longest list, in bytes.
pub const LIST_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most elements of a list: messages, and what is told about them.
pub const LIST_ELEMENTS_MAX: usize = 200_000;

impl MessageList {
    /// Reads a list; `http_charset` is the parameter of its HTTP content type.
    ///
    /// Unknown elements are passed over, and optional values that cannot be understood. What a
    /// message is fetched by (`tx.id`) and sorted by (`sequence-type`, `status`) is not guessed.
    ///
    /// # Errors
    /// When it is not well-formed, too large, or a message has no readable `tx.id`, or an unknown
    /// sequence type or status.
    pub fn read(bytes: &[u8], http_charset: Option<&str>) -> Result<Self, WireError> {
        let max = LIST_BYTES_MAX;
        if bytes.len() > max {
            let fault = Fault::Limit("LIST_BYTES_MAX", max);
            return Err(WireError::new(ROOT, max, fault));
        }
        let text = charset::decode(bytes, http_charset);
        // ISO-8859-1 grows to at most twice its length in UTF-8.
        let roots = [ROOT, ROOT_OLD];
        let mut document = Document::open_one_of(&text, ROOT, &roots, max.saturating_mul(2))?;
        let mut elements = Elements(0);
        let mut messages = Vec::new();
        while let Some(start) = document.child()? {
            let at = start.span.start;
            elements.one_more(at)?;
            match start.local {
                "message" | "document" => {
                    messages.push(Listed::read(&mut document, at, &mut elements)?);
                }
                _ => document.skip()?,
            }
        }
        document.finish()?;
        Ok(Self { messages })
    }
}

/// Elements counted so far: a small one on the wire is a large one in memory.
struct Elements(usize);

impl Elements {
    fn one_more(&mut self, at: usize) -> Result<(), WireError> {
        if self.0 == LIST_ELEMENTS_MAX {
            let fault = Fault::Limit("LIST_ELEMENTS_MAX", LIST_ELEMENTS_MAX);
            return Err(WireError::new(ROOT, at, fault));
        }
        self.0 += 1;
        Ok(())
    }
}

impl Listed {
    /// The message that was entered last, at `at`.
    fn read(
        document: &mut Document<'_>,
        at: usize,
        elements: &mut Elements,
    ) -> Result<Self, WireError> {
        let mut listed = Self::attributes(document, at)?;
        while let Some(start) = document.child()? {
            elements.one_more(start.span.start)?;
            match start.local {
                "meta" => listed.meta.push(meta(document)?),
                "subject" => {
                    let subject = document.text("subject")?.into_owned();
                    listed.subject = Some(Sensitive::new(subject));
                }
                "data" => {
                    listed.data.push(data_element(document));
                    document.skip()?;
                }
                _ => document.skip()?,
            }
        }
        Ok(listed)
    }

    fn attributes(document: &Document<'_>, at: usize) -> Result<Self, WireError> {
        let text = |name| document.attribute_text(name);
        let tx_id =
            document
                .attribute("tx.id")
                .ok_or(WireError::new("tx.id", at, Fault::Missing))?;
        let tx_id = TxId::parse(&tx_id.text)
            .map_err(|error| WireError::new("tx.id", tx_id.offset, error.fault))?;
        let status = keyword(document, "status", Status::parse)?;
        Ok(Self {
            tx_id,
            timestamp: text("timestamp").and_then(|text| time::read(&text)),
            corr_id: text("corr.id").and_then(|text| CorrId::parse(&text).ok()),
            content_id: text("content.id").and_then(|text| ContentId::parse(&text).ok()),
            size: text("size").and_then(|text| text.trim().parse().ok()),
            originator: text("originator").map(Sensitive::new),
            from: text("from").and_then(|text| Adress::parse(&text).ok()),
            to: text("to").and_then(|text| Adress::parse(&text).ok()),
            end_recipient: text("end-recipient").map(Sensitive::new),
            product: text("product").and_then(|text| Produkt::parse(&text).ok()),
            sequence_type: keyword(document, "sequence-type", SequenceType::parse)?,
            status: status.unwrap_or(Status::Production),
            meta: Vec::new(),
            subject: None,
            data: Vec::new(),
        })
    }
}

fn keyword<T>(
    document: &Document<'_>,
    name: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Result<Option<T>, WireError> {
    let Some(value) = document.attribute(name) else {
        return Ok(None);
    };
    let fault = Fault::Invalid("not one of its values");
    let word = parse(&value.text).ok_or(WireError::new(name, value.offset, fault))?;
    Ok(Some(word))
}
