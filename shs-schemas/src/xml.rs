//! Reading and writing XML: strict, bounded, one pass, nothing copied.
//!
//! quick-xml finds the events; this module refuses what quick-xml lets through (unclosed or second
//! roots, text outside the root, illegal characters, undeclared prefixes, repeated attributes,
//! entities, DTDs) in the same pass. After [`Event::Eof`] the document was well-formed XML 1.0
//! with namespaces, so that its subtrees can be spliced into other documents byte for byte.
//!
//! Deliberately absent: DTD processing, entities beyond the five predefined ones, external
//! anything. Every reader has [`Limits`].

mod chars;
mod decode;
mod escape;
mod prolog;
mod reader;
mod reference;
mod tag;

pub use chars::{is_whitespace, trim};
pub use decode::{decode, decode_bytes, decode_declared, kept};
pub use escape::{escape_attribute, escape_text, push_attribute, push_text};
pub use prolog::DoctypeName;
pub use reader::{Content, Event, Namespaces, Options, Reader, Start, Text};
pub use reference::text_of;
pub use tag::{Attribute, Declaration};

/// Namespace that the prefix `xml` is always bound to.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// Namespace that the prefix `xmlns` is always bound to; nothing else may be.
pub const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";
/// Namespace of `xsi:type`, `xsi:nil` and `xsi:schemaLocation`.
pub const XSI_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What every document that we write begins with.
pub(crate) const XML_DECLARATION: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// What a reader takes at most. Each field is named in the error when it is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the document in bytes, decoded to UTF-8.
    pub bytes_max: usize,
    /// Elements open at the same time.
    pub depth_max: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes_max: usize,
    /// Namespace declarations in scope at the same time.
    pub namespaces_max: usize,
    /// Length of one element or attribute name in bytes, prefix included.
    pub name_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 16 * 1024 * 1024,
            depth_max: 64,
            attributes_max: 32,
            namespaces_max: 64,
            name_bytes_max: 256,
        }
    }
}

/// What to do with a document type declaration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doctype {
    /// Refuse the document (SSBTEK and SOAP; ssbtek-10, 8 item 14).
    #[default]
    Refuse,
    /// Accept one that only names an external DTD, and never load it (SHS documents carry one).
    /// An internal subset is refused.
    SkipExternal,
}
