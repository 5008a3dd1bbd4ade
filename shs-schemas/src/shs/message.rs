//! [`Message`]: a label and its data parts, to and from the bytes of an HTTP body.
//!
//! A message that is read and written again keeps the bytes of its parts, their content types and
//! roles, and all of its label (shs-1.2, 2.10): what a relay may lose elsewhere, it does not lose
//! here. Only names and sizes are made right, and an encoding nobody should send becomes base64.

mod administrative;

use bytes::Bytes;

use super::fault::{KnownIds, ReadError};
use super::label::{Data, Label, MessageType, SequenceType};
use super::management::{Management, Outcome};
use super::urn::Produkt;
use crate::error::{Fault, WireError};
use crate::error_code::ErrorCode;
use crate::mime::{
    self, ContentType, FileNames, Limits, OutgoingPart, Part, TransferEncoding, safe_filename,
};
use crate::sensitive::Sensitive;

pub use crate::mime::Written;

/// How a message is written for one peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// How file names beyond ASCII stand in MIME headers (shs-1.2, 2.9).
    pub file_names: FileNames,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The envelope.
    pub label: Label,
    /// The payloads, at least one: other nodes refuse a message without (shs-1.2, 2.5). Parts
    /// beyond the label's `data` elements are kept, without a role.
    pub parts: Vec<DataPart>,
}

/// A payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPart {
    /// Its role in the product; empty when the label gives none.
    pub datapart_type: String,
    /// Its file name, made harmless: the label's, else that of the MIME headers (shs-1.2, 2.9).
    pub filename: Option<Sensitive<String>>,
    /// What it is.
    pub content_type: ContentType,
    /// How it travelled, or shall travel; quoted-printable is sent as base64.
    pub encoding: TransferEncoding,
    /// `no-of-records` of the label.
    pub no_of_records: Option<u64>,
    /// The bytes, transfer encoding undone: a slice of the body if there was none.
    pub data: Sensitive<Bytes>,
}

impl DataPart {
    /// Its size in bytes, transfer encoding undone.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.data.expose().len()
    }

    /// A part to be sent as base64, which survives every path (shs-1.2, 2.8).
    #[must_use]
    pub fn new(
        datapart_type: impl Into<String>,
        filename: impl Into<String>,
        content_type: ContentType,
        data: Bytes,
    ) -> Self {
        Self {
            datapart_type: datapart_type.into(),
            filename: Some(Sensitive::new(filename.into())),
            content_type,
            encoding: TransferEncoding::Base64,
            no_of_records: None,
            data: Sensitive::new(data),
        }
    }

    /// The one part of an error message or a confirmation (shs-1.2, 6.2 and 7.10).
    #[must_use]
    pub fn management(document: &Management) -> Self {
        let role = match document.outcome {
            Outcome::Confirmation => "confirm",
            Outcome::Error { .. } => "error",
        };
        let data = Bytes::from(document.write());
        Self {
            encoding: TransferEncoding::Binary,
            ..Self::new(
                role,
                format!("{role}.xml"),
                ContentType::XML_ISO_8859_1,
                data,
            )
        }
    }

    /// A part described by its `data` element, if it has one.
    fn paired(part: &Part, data: Option<&Data>, bytes: Bytes) -> Self {
        let of_label = data.and_then(|data| safe_filename(data.filename.as_ref()?.expose()));
        Self {
            datapart_type: data
                .map(|data| data.datapart_type.clone())
                .unwrap_or_default(),
            filename: of_label
                .map(Sensitive::new)
                .or_else(|| part.filename.clone()),
            content_type: part.content_type.clone(),
            encoding: part.encoding,
            no_of_records: data.and_then(|data| data.no_of_records),
            data: Sensitive::new(bytes),
        }
    }

    fn element(&self) -> Data {
        let name = self.filename.as_ref();
        Data {
            datapart_type: self.datapart_type.clone(),
            filename: name
                .and_then(|name| safe_filename(name.expose()))
                .map(Sensitive::new),
            no_of_bytes: Some(self.data.expose().len() as u64),
            no_of_records: self.no_of_records,
        }
    }

    fn outgoing(&self) -> OutgoingPart<'_> {
        OutgoingPart {
            content_type: &self.content_type,
            filename: self.filename.as_ref().map(|name| name.expose().as_str()),
            encoding: self.encoding,
            data: self.data.expose(),
        }
    }
}

impl Message {
    /// The label as it is written: with a `data` element for each part.
    #[must_use]
    pub fn label_as_written(&self) -> Label {
        let mut label = self.label.clone();
        label.content.data = self.parts.iter().map(DataPart::element).collect();
        label
    }

    /// Bytes of all parts together, transfer encodings undone.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(DataPart::bytes).sum()
    }

    /// Reads a message: steps 2 to 4 of shs-1.2, 7.2 (label, MIME, label syntax), and the refusal
    /// of compound messages. `http_content_type` is only needed for a body without header block.
    ///
    /// # Errors
    /// A [`ReadError`] with the code to answer with, and the identifiers that could be read.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "the parts take over the body: they are slices of it"
    )]
    pub fn read(
        body: Bytes,
        http_content_type: Option<&str>,
        limits: &Limits,
    ) -> Result<Self, ReadError> {
        let parts = mime::split(body.clone(), http_content_type, limits)
            .map_err(|fault| ReadError {
                known: ids_of_broken(&body, limits),
                ..ReadError::structure(fault)
            })?
            .parts;
        let Some((first, parts)) = parts.split_first() else {
            let fault = WireError::new("shs.label", 0, Fault::Missing);
            return Err(ReadError::structure(fault));
        };
        let label = read_label(first, limits)?;
        match pair(&label, parts, body.len()) {
            Ok(parts) => Ok(Self { label, parts }),
            Err(fault) => Err(ReadError {
                known: label.known_ids(),
                without_parts: parts.is_empty().then_some(label.product.produkt),
                ..ReadError::structure(fault)
            }),
        }
    }

    /// The message as it is sent to a usual peer; see [`Message::write_for`].
    #[must_use]
    pub fn write(&self) -> Bytes {
        let written = self.write_for(&WriteOptions::default());
        written.body.into_exposed()
    }

    /// The message as it is sent to one peer, in one buffer. The `data` elements of the label are
    /// made from the parts.
    ///
    /// The label ends within the first 4,096 bytes, without line breaks if need be (shs-1.2,
    /// 2.11). When its own texts (`meta`, `subject`, the history of a long way) are too long for
    /// that, nothing is left out and nothing is refused: the message is right, and only part of
    /// the installed base cannot take it. [`Written::fits_every_node`] tells, for the log.
    #[must_use]
    pub fn write_for(&self, options: &WriteOptions) -> Written {
        let elements: Vec<Data> = self.parts.iter().map(DataPart::element).collect();
        let parts: Vec<OutgoingPart<'_>> = self.parts.iter().map(DataPart::outgoing).collect();
        let label = self.label.write_with(&elements);
        mime::write_for(&label, &parts, options.file_names)
    }

    /// The parts, counted from 0, whose size is not the `no-of-bytes` of the label as it was read:
    /// something for the log, never for a refusal (shs-1.2, 2.12).
    pub fn misstated_sizes(&self) -> impl Iterator<Item = usize> {
        let pairs = self.label.content.data.iter().zip(&self.parts);
        pairs.enumerate().filter_map(|(number, (data, part))| {
            let stated = data.no_of_bytes?;
            (stated != part.data.expose().len() as u64).then_some(number)
        })
    }
}

impl Label {
    /// True for an error message: the only sign of it that counts, also in a synchronous reply
    /// (shs-1.2, 5.4).
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.sequence_type == SequenceType::Adm && self.product.produkt == Produkt::Error
    }

    /// The identifiers, as a refusal of the message tells them.
    #[must_use]
    pub fn known_ids(&self) -> KnownIds {
        KnownIds {
            tx_id: Some(self.tx_id.clone()),
            corr_id: Some(self.corr_id.clone()),
            content_id: Some(self.content.id.clone()),
        }
    }
}

fn read_label(part: &Part, limits: &Limits) -> Result<Label, ReadError> {
    if !part.content_type.is_xml() {
        let fault = Fault::Invalid("the first part is not XML");
        let fault = WireError::new("shs.label", part.offset, fault);
        return Err(ReadError::structure(fault));
    }
    let bytes = part.decoded().map_err(ReadError::structure)?;
    Label::read(&bytes, part.content_type.charset(), limits)
}

/// Pairs parts and `data` elements in order (shs-1.2, 2.5).
fn pair(label: &Label, parts: &[Part], end: usize) -> Result<Vec<DataPart>, WireError> {
    let elements = &label.content.data;
    if label.content.compound || label.message_type == MessageType::Compound {
        let fault = Fault::Invalid("compound messages are not supported");
        return Err(WireError::new("message-type", 0, fault));
    }
    if parts.is_empty() || elements.len() > parts.len() {
        return Err(WireError::new("data part", end, Fault::Missing));
    }
    let mut paired = Vec::with_capacity(parts.len());
    for (number, part) in parts.iter().enumerate() {
        let element = elements.get(number);
        let bytes = match part.decoded() {
            Ok(bytes) => bytes,
            // Nothing refers to a surplus part, so it never makes a message fail.
            Err(_) if element.is_none() => part.encoded().clone(),
            Err(fault) => return Err(fault),
        };
        paired.push(DataPart::paired(part, element, bytes));
    }
    Ok(paired)
}

/// The identifiers of a message whose MIME structure is broken: its label is looked for as plain
/// text near the start, as other nodes do (shs-1.2, 2.11).
fn ids_of_broken(body: &[u8], limits: &Limits) -> KnownIds {
    const END: &[u8] = b"</shs.label>";
    let head = &body[..body
        .len()
        .min(limits.header_bytes_max + limits.label_bytes_max)];
    let label = memchr::memmem::find(head, b"<shs.label").and_then(|start| {
        let length = memchr::memmem::find(&head[start..], END)?;
        Some(&head[start..start + length + END.len()])
    });
    match label.map(|label| Label::read(label, None, limits)) {
        Some(Ok(label)) => label.known_ids(),
        Some(Err(error)) => error.known,
        None => KnownIds::default(),
    }
}

impl ReadError {
    /// True when the body was too large, which HTTP has a status of its own for (shs-1.2, 5.5).
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.code == ErrorCode::IllegalMessageStructure
            && matches!(self.fault.fault, Fault::Limit("body_bytes_max", _))
    }
}

#[cfg(test)]
mod tests;
