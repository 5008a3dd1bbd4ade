//! What the ledger says of the node that keeps it: that it started and stopped, that an actor was started
//! anew, that its clock was put back.

use serde::{Serialize, Serializer};

use super::words::{Word, word};
use crate::child::Decision;
use crate::observation::FailureClass;

/// The node started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Startat {
    /// In which version.
    pub version: &'static str,
    /// How its life before this one ended.
    #[serde(serialize_with = "word")]
    pub forra: Forra,
}

/// How the life of a node before this one ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forra {
    /// There is no line of one.
    Ingen,
    /// It was stopped in order.
    Stoppad,
    /// It was not: killed, a power cut, or not able to write.
    Avbruten,
}

impl Word for Forra {
    fn word(&self) -> &'static str {
        match self {
            Self::Ingen => "ingen",
            Self::Stoppad => "stoppad",
            Self::Avbruten => "avbruten",
        }
    }
}

/// The node was stopped in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stoppat {
    /// Requests and messages that were still open when the time for ending them was over.
    pub kvar: u64,
    /// The actor that fell so often that the node gave up, if that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aktor: Option<Box<str>>,
}

/// An actor fell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Omstart {
    /// Which, by the name that the node gave it.
    pub aktor: Box<str>,
    /// Which of its lives ended, from 1.
    pub generation: u32,
    /// How.
    pub class: FailureClass,
    /// What the supervisor does about it.
    #[serde(serialize_with = "decision")]
    pub beslut: Decision,
}

fn decision<S: Serializer>(decision: &Decision, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match decision {
        Decision::Restart(_) => "omstart",
        Decision::Pause(_) => "paus",
        Decision::Escalate => "stopp",
    })
}

/// The clock was put back between two groups of lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Klocksteg {
    /// By how much at least, in milliseconds.
    pub bakat_ms: u64,
}
