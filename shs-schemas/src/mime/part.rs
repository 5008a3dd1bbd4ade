//! [`Part`]: one part of a message, decoded when it is asked for.

use std::sync::OnceLock;

use bytes::Bytes;

use super::content_type::ContentType;
use super::filename;
use super::header::{HeaderBlock, Parameters};
use super::quoted_printable;
use crate::error::{Fault, WireError};
use crate::sensitive::Sensitive;

/// The names that uuencode goes by. It is refused by name: no SHS product may use it, and what it
/// encodes cannot be told from a broken part (shs-1.2, 2.8).
const UUENCODE: [&[u8]; 5] = [b"uuencode", b"x-uuencode", b"uue", b"x-uue", b"uu"];

/// How the content of a part is encoded for transfer (shs-1.2, 2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEncoding {
    /// `binary`, `8bit`, `7bit` or nothing said: the bytes as they are.
    Binary,
    /// `base64`.
    Base64,
    /// `quoted-printable`; read, never written.
    QuotedPrintable,
}

impl TransferEncoding {
    /// Reads the header value, in any letter case; `offset` is for the error.
    pub(super) fn read(value: Option<&[u8]>, offset: usize) -> Result<Self, WireError> {
        // A stray parameter after the word is ignored.
        let word = value.unwrap_or_default().split(|&b| b == b';').next();
        let word = word.unwrap_or_default().trim_ascii().to_ascii_lowercase();
        match &*word {
            b"" | b"binary" | b"8bit" | b"7bit" => Ok(Self::Binary),
            b"base64" => Ok(Self::Base64),
            b"quoted-printable" => Ok(Self::QuotedPrintable),
            name => {
                let fault = Fault::Invalid(if UUENCODE.contains(&name) {
                    "uuencode is not supported"
                } else {
                    "unknown transfer encoding"
                });
                Err(WireError::new("Content-Transfer-Encoding", offset, fault))
            }
        }
    }

    /// True when the bytes of the part are not those of its content.
    #[must_use]
    pub const fn is_encoded(self) -> bool {
        !matches!(self, Self::Binary)
    }
}

/// One part of a message: a slice of the body and what its headers say.
#[derive(Clone, Debug)]
pub struct Part {
    /// What the part says it is; `text/plain` when it says nothing.
    pub content_type: ContentType,
    /// How its content is encoded.
    pub encoding: TransferEncoding,
    /// Its file name, made harmless; from the disposition, else from the content type.
    pub filename: Option<Sensitive<String>>,
    /// Offset of its content in the body, in bytes.
    pub offset: usize,
    content: Sensitive<Bytes>,
    decoded: Sensitive<OnceLock<Result<Bytes, WireError>>>,
}

impl Part {
    pub(super) fn new(
        block: &HeaderBlock<'_>,
        encoding: TransferEncoding,
        content: Bytes,
        offset: usize,
    ) -> Self {
        let content_type = block.content_type.as_deref().map(Parameters::parse);
        let disposition = block.disposition.as_deref().map(Parameters::parse);
        Self {
            filename: filename::read(disposition.as_ref(), content_type.as_ref())
                .map(Sensitive::new),
            content_type: content_type.map_or(ContentType::TEXT, |parameters| {
                ContentType::read(&parameters)
            }),
            encoding,
            offset,
            content: Sensitive::new(content),
            decoded: Sensitive::new(OnceLock::new()),
        }
    }

    /// The content as it was received, transfer encoding included.
    #[must_use]
    pub fn encoded(&self) -> &Bytes {
        self.content.expose()
    }

    /// The content: a slice of the body when it is not encoded, else decoded, once.
    ///
    /// # Errors
    /// When the content is not in the encoding its header names.
    pub fn decoded(&self) -> Result<Bytes, WireError> {
        let content = self.content.expose();
        let fault = match self.encoding {
            TransferEncoding::Binary => return Ok(content.clone()),
            TransferEncoding::Base64 => Fault::NotWellFormed("base64"),
            TransferEncoding::QuotedPrintable => Fault::NotWellFormed("quoted-printable"),
        };
        let decode = || {
            let bytes = match self.encoding {
                TransferEncoding::Base64 => base64_simd::forgiving_decode_to_vec(content).ok(),
                _ => quoted_printable::decode(content),
            };
            bytes
                .map(Bytes::from)
                .ok_or(WireError::new("part", self.offset, fault))
        };
        self.decoded.expose().get_or_init(decode).clone()
    }
}
