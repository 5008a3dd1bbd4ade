//! How values of other types stand in a line.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serializer;
use shs_schemas::shs::label::{SequenceType, Status, TransferType};

use crate::failure::Source;
use crate::tally::OutcomeClass;

/// As its `Display` has it.
pub(super) fn text<T: fmt::Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// The same, where there is one.
#[expect(clippy::ref_option, reason = "the signature is serde's")]
pub(super) fn text_if_any<T: fmt::Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

/// A time, to the millisecond.
pub(super) fn stamp<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&super::stamped(*time))
}

/// As its own word.
pub(super) fn word<T: Word, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.word())
}

/// A value with a word of its own.
pub(super) trait Word {
    /// The word.
    fn word(&self) -> &'static str;
}

impl Word for Status {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Word for TransferType {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Word for SequenceType {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Word for OutcomeClass {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

impl Word for Source {
    fn word(&self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::TooLarge => "too_large",
            Self::Load => "load",
            Self::NextNode => "next_node",
            Self::Us => "us",
        }
    }
}
