//! What a question leaves in the ledger beside its beginning and its end (design 8.4; ): who
//! asked, and what became of each part. People stand there under their pseudonym of the month, which
//! only the ledger makes: here they are still who they are, and are neither printed nor serialised.

use std::time::Duration;

use serde::Serialize;
use shs_schemas::shs::Organisationsnummer;
use shs_schemas::ssbtek::Utfall;
use shs_schemas::{Sensitive, Uppgiftslamnare};

use super::ms;
use super::words::{Word, text, text_if_any, word};
use crate::ledger::chain::Hash;

/// A handläggare asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FragaLine {
    /// Who.
    #[serde(skip)]
    pub handlaggare: Sensitive<Box<str>>,
    /// For which nämnd, where that is the sender or an actor of the configuration.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "text_if_any"
    )]
    pub ingivare: Option<Organisationsnummer>,
    /// Questions of this handläggare in the message: one for each person.
    pub personer: u16,
    /// About whom; noted only where the controllers have decided so (C-13).
    #[serde(skip)]
    pub person: Vec<Sensitive<Box<str>>>,
}

/// What became of the question to one authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delutfall {
    /// It answered.
    Svar,
    /// A ping was answered.
    Ping,
    /// It answered with an error of its own.
    BtFel,
    /// It was not asked, did not answer, or not usably.
    SsbtFel,
    /// Nobody waits for it any more: the caller hung up, or what held the question fell.
    Aterkallad,
}

impl Word for Delutfall {
    fn word(&self) -> &'static str {
        match self {
            Self::Svar => "svar",
            Self::Ping => "ping",
            Self::BtFel => "bt_fel",
            Self::SsbtFel => "ssbt_fel",
            Self::Aterkallad => "aterkallad",
        }
    }
}

/// What became of the question to one authority about one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DelsvarLine {
    /// Which authority.
    #[serde(serialize_with = "text")]
    pub bastjanst: Uppgiftslamnare,
    /// What.
    #[serde(serialize_with = "word")]
    pub outcome: Delutfall,
    /// Why not, in a code of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub felkod: Option<&'static str>,
    /// From receipt of the request, in milliseconds.
    pub ms: u64,
    /// Size of the part, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The SHA-256 of the part; the line has a digest that is keyed.
    #[serde(skip)]
    pub sha256: Option<Hash>,
}

impl DelsvarLine {
    const fn plain(bastjanst: Uppgiftslamnare, outcome: Delutfall, ms: u64) -> Self {
        Self {
            bastjanst,
            outcome,
            felkod: None,
            ms,
            bytes: None,
            sha256: None,
        }
    }

    /// Nobody waits for it any more, so long after the request was received.
    #[must_use]
    pub fn recalled(bastjanst: Uppgiftslamnare, took: Duration) -> Self {
        Self::plain(bastjanst, Delutfall::Aterkallad, ms(took))
    }

    /// This outcome, so long after the request was received.
    #[must_use]
    pub fn of(bastjanst: Uppgiftslamnare, utfall: &Utfall, took: Duration) -> Self {
        let plain = |outcome| Self::plain(bastjanst, outcome, ms(took));
        match utfall {
            Utfall::Svar(svar) => Self {
                bytes: Some(svar.element().len() as u64),
                sha256: Some(Hash::from(*svar.kontrollsumma().as_bytes())),
                ..plain(if svar.felkod().is_some() {
                    Delutfall::BtFel
                } else {
                    Delutfall::Svar
                })
            },
            Utfall::Svarade => plain(Delutfall::Ping),
            Utfall::Fel(fel) => match fel.ssbt_felkod() {
                Some(felkod) => Self {
                    felkod: Some(felkod.kod()),
                    ..plain(Delutfall::SsbtFel)
                },
                None => plain(Delutfall::BtFel),
            },
        }
    }
}
