//! What was wrong with received bytes, where, and against which limit.
//!
//! A [`WireError`] can be shown to a caller and written to a log as it is: it holds names and
//! numbers from *our* tables and offsets into the input, never a piece of the input itself.

use std::fmt;

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The bytes break the grammar of the format (XML, MIME, JSON, base64).
    NotWellFormed(&'static str),
    /// A document type declaration where none is allowed, or one with an internal subset.
    Doctype,
    /// An entity reference beyond the five predefined ones and character references.
    Entity,
    /// The bytes are not text in the encoding they should be in.
    Encoding,
    /// Something required is absent.
    Missing,
    /// Something is present that may not be here.
    Unexpected,
    /// A value breaks the rule of its type; the text names the rule.
    Invalid(&'static str),
    /// A named limit was passed: its name and value.
    Limit(&'static str, usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWellFormed(rule) => write!(f, "is not well-formed: {rule}"),
            Self::Doctype => f.write_str("has a document type declaration that is not allowed"),
            Self::Entity => f.write_str("has an entity reference that is not allowed"),
            Self::Encoding => f.write_str("is not valid text in its encoding"),
            Self::Missing => f.write_str("is missing"),
            Self::Unexpected => f.write_str("is not allowed here"),
            Self::Invalid(rule) => write!(f, "is invalid: {rule}"),
            Self::Limit(name, max) => write!(f, "passes the limit {name} = {max}"),
        }
    }
}

/// A fault in received bytes: which element, where, what.
///
/// `element` is always a name of our own tables (a schema element, a header, a part), so the error
/// is safe to show and to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{element} at offset {offset} {fault}")]
pub struct WireError {
    /// The known element, header or part that the fault belongs to.
    pub element: &'static str,
    /// Offset in bytes from the start of the document (or message) that was read.
    pub offset: usize,
    /// What was wrong.
    pub fault: Fault,
}

impl WireError {
    /// A fault in `element` at `offset` bytes from the start of its document.
    #[must_use]
    pub const fn new(element: &'static str, offset: usize, fault: Fault) -> Self {
        Self {
            element,
            offset,
            fault,
        }
    }
}
