//! Identifiers that travel with a message. Three look alike and mean different things, so they
//! are three types: `tx.id` (one transfer), `corr.id` (one conversation), `content.id` (one
//! payload); shs-1.2, section 1.4.

use std::fmt;
use std::sync::Arc;

use crate::error::{Fault, WireError};

/// Longest identifier that is accepted, in bytes.
pub const ID_BYTES_MAX: usize = 256;

/// True when `text` is an XML `NMTOKEN` of ASCII characters, not longer than [`ID_BYTES_MAX`].
fn is_nmtoken(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= ID_BYTES_MAX
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'))
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $element:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Reads the identifier, white space at its ends removed (shs-1.2, 2.13). The error
            /// carries offset 0: the caller knows where the attribute stood.
            ///
            /// # Errors
            /// When the text is not an `NMTOKEN` of at most [`ID_BYTES_MAX`] ASCII characters.
            pub fn parse(text: &str) -> Result<Self, WireError> {
                let text = text.trim_matches([' ', '\t', '\r', '\n']);
                if is_nmtoken(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(WireError::new($element, 0, Fault::Invalid("not an identifier (NMTOKEN)")))
                }
            }

            /// A fresh identifier: a lower-case UUID, the form every node can take (shs-1.2, 1.4).
            #[must_use]
            pub fn fresh() -> Self {
                Self(uuid::Uuid::new_v4().hyphenated().to_string().into())
            }

            /// Stands for an identifier that could not be read, in documents that must have one.
            #[must_use]
            pub fn unknown() -> Self {
                Self("unknown".into())
            }

            /// The identifier as it stands on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// `tx.id`: one transfer of one message. A synchronous reply keeps that of its request.
    TxId,
    "tx.id"
);
identifier!(
    /// `corr.id`: the conversation; copied unchanged to everything derived from a message.
    CorrId,
    "corr.id"
);
identifier!(
    /// `content.id`: the payload itself. A reply has a new one (shs-1.2, 7.8).
    ContentId,
    "content.id"
);
identifier!(
    /// `uuid` of an agreement, as a label names it in `shs.agreement` (shs-1.2, 3.2 and 3.4).
    AgreementId,
    "shs.agreement"
);
identifier!(
    /// `node.id`: the name of a node in history entries and in `X-shs-nodeid`.
    NodeId,
    "node.id"
);
identifier!(
    /// `local.id`: a node's own key of a message; opaque to others.
    LocalId,
    "local.id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_trimmed_and_otherwise_kept() {
        let id = TxId::parse(" \n7b9d1c52-6f0e.4d3a_X ").unwrap();
        assert_eq!(id.as_str(), "7b9d1c52-6f0e.4d3a_X");
    }

    #[test]
    fn an_identifier_with_blanks_slashes_or_nothing_is_refused_without_being_quoted() {
        for bad in [
            "",
            " ",
            "a b",
            "a/b",
            "a<b",
            "å",
            &"x".repeat(ID_BYTES_MAX + 1),
        ] {
            let error = CorrId::parse(bad).unwrap_err();
            assert_eq!(
                error.to_string(),
                "corr.id at offset 0 is invalid: not an identifier (NMTOKEN)"
            );
        }
    }

    #[test]
    fn a_fresh_identifier_can_be_read_back() {
        let id = ContentId::fresh();
        assert_eq!(ContentId::parse(id.as_str()).unwrap(), id);
    }
}
