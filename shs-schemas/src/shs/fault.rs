//! [`ReadError`]: why a message was refused, as the caller gets to know it.

use crate::error::WireError;
use crate::error_code::ErrorCode;
use crate::ids::{ContentId, CorrId, TxId};
use crate::shs::Produkt;

/// Identifiers that could be read although the message was refused; they go into the headers and
/// the management document of the refusal (shs-1.2, 6.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownIds {
    /// `tx.id`.
    pub tx_id: Option<TxId>,
    /// `corr.id`.
    pub corr_id: Option<CorrId>,
    /// `content.id`.
    pub content_id: Option<ContentId>,
}

/// Why a label or message was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {fault}")]
pub struct ReadError {
    /// The SHS error code to answer with.
    pub code: ErrorCode,
    /// What was wrong and where; may be shown and logged. The offset counts from the start of the
    /// label for faults in the label, else from the start of the body.
    pub fault: WireError,
    /// What is known of the message all the same.
    pub known: KnownIds,
    /// The product of a message that has a label and no data part: for some products that is an error of
    /// another kind.
    pub without_parts: Option<Produkt>,
}

impl ReadError {
    /// A message whose structure is unusable, before anything is known of it.
    pub(super) fn structure(fault: WireError) -> Self {
        Self {
            code: ErrorCode::IllegalMessageStructure,
            fault,
            known: KnownIds::default(),
            without_parts: None,
        }
    }
}
