//! The way to another SHS node: the trait behind which HTTPS stands. Actors hand over bytes and an
//! address and learn what became of them.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use shs_schemas::Sensitive;
use shs_schemas::error_code::ErrorCode;

/// What another node answered with a status of success.
#[derive(Debug)]
pub struct Posted {
    /// The body: of a synchronous message its reply, of an asynchronous one nothing that matters
    /// (shs-1.2, 5.6).
    pub body: Sensitive<Bytes>,
}

/// Why a message was not taken by another node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// No connection, no answer in time, or the connection broke: whether the message arrived is not
    /// known, which does no harm (shs-1.2, 5.3: duplicates).
    #[error("the next node cannot be reached: {0}")]
    Unreachable(&'static str),
    /// It answered with an error.
    #[error("the next node refused the message with HTTP status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// `X-shs-errorcode`, when it said one.
        code: Option<ErrorCode>,
    },
    /// It took the message, with a status of success, and its answer was larger than this node takes.
    #[error("the answer of the next node is too large")]
    TooLarge,
    /// The address cannot be used.
    #[error("the address of the next node cannot be used")]
    Address,
}

impl PostError {
    /// Whether the same message may be taken later (shs-1.2, 5.6: trouble with the connection, 408,
    /// 429 and 5xx).
    #[must_use]
    pub fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            Self::TooLarge | Self::Address => false,
        }
    }
}

/// Sends messages to other nodes. One call is one try and ends within a bounded time.
pub trait NextNode: Send + Sync + 'static {
    /// Posts a whole message to a receive service (shs-1.2, 5.2).
    fn post<'a>(
        &'a self,
        url: &'a str,
        message: Sensitive<Bytes>,
    ) -> BoxFuture<'a, Result<Posted, PostError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_on_the_way_is_worth_another_try_and_a_refusal_is_not() {
        let refused = |status| PostError::Refused { status, code: None };
        for status in [408, 429, 500, 503, 599] {
            assert!(refused(status).is_worth_another_try(), "{status}");
        }
        for status in [301, 400, 403, 404, 413] {
            assert!(!refused(status).is_worth_another_try(), "{status}");
        }
        assert!(PostError::Unreachable("no connection").is_worth_another_try());
        assert!(!PostError::Address.is_worth_another_try());
    }
}
