//! How an avvikelse stands in the ledger (design 8.6; R-015, R-085, R-231, R-232).

use serde::Serialize;
use shs_schemas::ssbtek::Faltnamn;
use shs_schemas::{Fault, Uppgiftslamnare};

use super::words::{Word, text, text_if_any, word};
use crate::avvikelse::Klass;

/// Something odd about one authority's answer: words and names of our tables, numbers, and the name of
/// a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AvvikelseLine {
    /// Whose answer.
    #[serde(serialize_with = "text")]
    pub bastjanst: Uppgiftslamnare,
    /// Its class.
    #[serde(serialize_with = "word")]
    pub slag: Klass,
    /// The element, part or field that it is about.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "text_if_any"
    )]
    pub element: Option<Faltnamn>,
    /// Where in the answer, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// What was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultWord>,
    /// How many the line stands for, where it can be more than one: members of an answer that were
    /// dropped, or answers of this class since the last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub antal: Option<u64>,
    /// True when the answer did not go on to the caller.
    pub withheld: bool,
}

impl Word for Klass {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

/// What was wrong with an answer, in one word. Which rule it broke, the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultWord {
    /// It breaks the grammar of its format.
    NotWellFormed,
    /// A document type declaration.
    Doctype,
    /// An entity.
    Entity,
    /// No text in its encoding.
    Encoding,
    /// Something is absent.
    Missing,
    /// Something is there that may not be.
    Unexpected,
    /// A value breaks the rule of its type.
    Invalid,
    /// A limit was passed.
    Limit,
}

impl From<Fault> for FaultWord {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotWellFormed(_) => Self::NotWellFormed,
            Fault::Doctype => Self::Doctype,
            Fault::Entity => Self::Entity,
            Fault::Encoding => Self::Encoding,
            Fault::Missing => Self::Missing,
            Fault::Unexpected => Self::Unexpected,
            Fault::Invalid(_) => Self::Invalid,
            Fault::Limit(..) => Self::Limit,
        }
    }
}

#[cfg(test)]
mod tests {

    use shs_schemas::ids::{ContentId, CorrId, TxId};
    use uuid::Uuid;

    use super::super::{Event, Ids, LINE_BYTES_MAX, What};
    use super::*;

    const PLAIN: AvvikelseLine = AvvikelseLine {
        bastjanst: Uppgiftslamnare::CSN,
        slag: Klass::SkvStandard,
        element: None,
        position: None,
        fault: None,
        antal: None,
        withheld: false,
    };

    fn written(node: &str, ids: Ids, line: AvvikelseLine) -> String {
        let event = Event {
            happened: "2026-11-22T23:59:59.9996Z".parse().unwrap(),
            request_id: Uuid::from_u128(7),
            ids,
            what: What::Avvikelse(line),
        };
        let mut out = Vec::new();
        event.write(node, None, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_reads_like_this() {
        let ogiltigt = AvvikelseLine {
            slag: Klass::OgiltigtSvar,
            element: Some("data/svar".into()),
            position: Some(512),
            fault: Some(Fault::Limit("depth", 64).into()),
            withheld: true,
            ..PLAIN
        };
        assert_eq!(
            written("samsvar-1", Ids::default(), ogiltigt),
            concat!(
                r#"{"time":"2026-11-22T23:59:59.999Z","event":"avvikelse","bastjanst":"CSN","#,
                r#""slag":"ogiltigt_svar","element":"data/svar","position":512,"fault":"limit","#,
                r#""withheld":true,"node":"samsvar-1","#,
                r#""request_id":"00000000-0000-0000-0000-000000000007"}"#,
            )
        );
        let line = written("samsvar-1", Ids::default(), PLAIN);
        assert!(
            line.contains(r#""bastjanst":"CSN","slag":"skv_standard","withheld":false,"node""#),
            "{line}"
        );
    }

    #[test]
    fn every_fault_has_a_word_that_quotes_no_rule() {
        let faults = [
            (Fault::NotWellFormed("rule"), "not_well_formed"),
            (Fault::Doctype, "doctype"),
            (Fault::Entity, "entity"),
            (Fault::Encoding, "encoding"),
            (Fault::Missing, "missing"),
            (Fault::Unexpected, "unexpected"),
            (Fault::Invalid("rule"), "invalid"),
            (Fault::Limit("rule", 1), "limit"),
        ];
        for (fault, expected) in faults {
            let word = serde_json::to_string(&FaultWord::from(fault)).unwrap();
            assert_eq!(word, format!("{expected:?}"));
        }
    }

    #[test]
    fn the_longest_line_is_within_its_bound() {
        let id = "c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01";
        let tx = TxId::parse(id).unwrap();
        let (corr, content) = (CorrId::parse(id).unwrap(), ContentId::parse("x").unwrap());
        // Six bytes for each character: the most that JSON makes of one.
        let name: &'static str = Box::leak("\u{1}".repeat(Faltnamn::CHARS_MAX).into_boxed_str());
        let longest = AvvikelseLine {
            slag: Klass::LefiFelplacerad,
            element: Some(name.into()),
            position: Some(u64::MAX),
            fault: Some(FaultWord::NotWellFormed),
            antal: Some(u64::MAX),
            withheld: false,
            ..PLAIN
        };
        let ids = Ids::new(Some(&tx), Some(&corr), Some(&content));
        let line = written("samsvar-1", ids, longest);
        assert!(line.len() > 6 * Faltnamn::CHARS_MAX + 256, "{line}");
        assert!(line.len() <= LINE_BYTES_MAX - 256, "{}", line.len());
    }
}
