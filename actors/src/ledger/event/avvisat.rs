//! How a refused call stands in the ledger: what was refused, why, and who called as far as that
//! is known. Nothing of it is a stranger's choice of words.

use serde::{Serialize, Serializer};
use shs_schemas::ErrorCode;
use shs_schemas::shs::Adress;

use super::words::{Word, text_if_any, word};
use crate::failure::Source;

/// A call was refused before anything was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AvvisatLine {
    /// At which door.
    #[serde(serialize_with = "word")]
    pub door: Dorr,
    /// Why, in a word of ours: the one that the log has.
    #[serde(rename = "reason")]
    pub skal: &'static str,
    /// The code that the caller was told, where the door has codes.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "text_if_any"
    )]
    pub code: Option<ErrorCode>,
    /// Whose fault, where that is not the caller's by the nature of the door.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "word_if_any"
    )]
    pub class: Option<Source>,
    /// Who called, as far as TLS could tell.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "word_if_any"
    )]
    pub anropare: Option<Anropare>,
    /// Who sent, when that was proven and is an actor of the configuration.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "text_if_any"
    )]
    pub from: Option<Adress>,
    /// The actors of the configuration that the caller's certificate stands for, where the sender is not
    /// proven.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "texts")]
    pub certifikat: Vec<Adress>,
    /// Size of what was sent, in bytes, when it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How many refusals the line stands for, when it is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub antal: Option<u64>,
}

/// The doors at which a call can be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dorr {
    /// The SHS receive service.
    Shs,
    /// The SOAP service.
    Soap,
    /// The SHS delivery service.
    Leverans,
    /// TLS, before any of them.
    Tls,
}

impl Dorr {
    /// Every door.
    pub const ALL: [Self; 4] = [Self::Shs, Self::Soap, Self::Leverans, Self::Tls];

    /// Place in [`Self::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl Word for Dorr {
    fn word(&self) -> &'static str {
        match self {
            Self::Shs => "shs",
            Self::Soap => "soap",
            Self::Leverans => "leverans",
            Self::Tls => "tls",
        }
    }
}

/// Who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anropare {
    /// A program on this machine, on the plain listener.
    Intern,
    /// A certificate that stands for an actor of the configuration.
    Kand,
    /// A certificate that stands for none.
    Okand,
}

impl Word for Anropare {
    fn word(&self) -> &'static str {
        match self {
            Self::Intern => "intern",
            Self::Kand => "kand",
            Self::Okand => "okand",
        }
    }
}

#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn word_if_any<T: Word, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => word(value, serializer),
        None => serializer.serialize_none(),
    }
}

fn texts<S: Serializer>(values: &[Adress], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}
