//! [`Garbage`]: answers that cannot be used, each wrong in one way.

use bytes::Bytes;
use samsvar_actors::transport::AnswerContent;
use shs_schemas::ssbtek::Kontrakt;
use shs_schemas::{Sensitive, Uppgiftslamnare};

use crate::adapter::draw::Draw;

/// Bytes of a binary answer.
const BINARY_BYTES: u64 = 512;

/// Ways in which an answer can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Garbage {
    /// No XML at all.
    NotXml,
    /// The answer element of another party.
    WrongRoot,
    /// A right answer behind a document type declaration.
    Doctype,
    /// A right answer that stops in the middle.
    Truncated,
    /// A right answer in a namespace of no version.
    WrongNamespace,
    /// An error that claims to come from Driftsparten itself.
    ErrorFromSsbt,
    /// Bytes that are no text.
    Binary,
}

impl Garbage {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::NotXml,
        Self::WrongRoot,
        Self::Doctype,
        Self::Truncated,
        Self::WrongNamespace,
        Self::ErrorFromSsbt,
        Self::Binary,
    ];

    /// Each kind in its turn.
    pub(super) fn by_turns(place: u64) -> Self {
        let kinds = Self::ALL.len() as u64;
        Self::ALL[usize::try_from(place % kinds).unwrap_or(0)]
    }

    /// Spoils a right answer.
    pub(super) fn spoil(
        self,
        right: AnswerContent,
        ul: Uppgiftslamnare,
        draw: Draw,
    ) -> AnswerContent {
        let right = match right {
            AnswerContent::Svar(right) => right.into_exposed(),
            AnswerContent::Fel { .. }
            | AnswerContent::Sealed { .. }
            | AnswerContent::Unreadable(_) => Bytes::new(),
        };
        let namnrymd = namnrymd(&right);
        let spoiled = match self {
            Self::NotXml => Bytes::from_static(b"503 Service Unavailable\r\n"),
            Self::WrongRoot => wrong_root(ul, namnrymd),
            Self::Doctype => [&b"<!DOCTYPE svar [<!ENTITY e \"e\">]>"[..], &right]
                .concat()
                .into(),
            Self::Truncated => right.slice(..right.len() * 2 / 3),
            Self::WrongNamespace => in_no_version(&right),
            Self::ErrorFromSsbt => {
                return error_element(ul, namnrymd, "SSBT", "SSBT-TIMEOUT", "Inte från SSBT");
            }
            Self::Binary => (0..BINARY_BYTES)
                .flat_map(|n| [0, 0xff, draw.nth(n).bits().to_le_bytes()[0]])
                .collect(),
        };
        AnswerContent::Svar(Sensitive::new(spoiled))
    }
}

fn wrong_root(ul: Uppgiftslamnare, namnrymd: &str) -> Bytes {
    let other = if ul == Uppgiftslamnare::AF {
        "SO"
    } else {
        "AF"
    };
    Bytes::from(format!(
        "<ssbt:{other} xmlns:ssbt=\"{namnrymd}\"><ssbt:error><ssbt:kalla>BT</ssbt:kalla>\
         <ssbt:felkod>0</ssbt:felkod><ssbt:felmeddelande>Fel element</ssbt:felmeddelande>\
         </ssbt:error></ssbt:{other}>"
    ))
}

/// The same bytes with the namespace's version exchanged for one that never was.
fn in_no_version(right: &Bytes) -> Bytes {
    let current = namnrymd(right);
    let nameless = current.trim_end_matches(|c: char| c.is_ascii_digit());
    let text = String::from_utf8_lossy(right);
    Bytes::from(text.replacen(current, &format!("{nameless}00"), 1))
}

/// The ssbt namespace that a question or answer is in, told by its bytes; version 10 if by none.
pub(in crate::adapter) fn namnrymd(bytes: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(bytes);
    Kontrakt::all()
        .map(Kontrakt::namespace)
        .find(|namespace| text.contains(namespace))
        .unwrap_or(Kontrakt::V10.namespace())
}

/// A `svar.v1` with an `error` child.
pub(super) fn error_element(
    ul: Uppgiftslamnare,
    namnrymd: &str,
    kalla: &str,
    felkod: &str,
    text: &str,
) -> AnswerContent {
    let element = ul.element().local_name();
    let svar = format!(
        "<ssbt:{element} xmlns:ssbt=\"{namnrymd}\"><ssbt:error><ssbt:kalla>{kalla}</ssbt:kalla>\
         <ssbt:felkod>{felkod}</ssbt:felkod><ssbt:felmeddelande>{text}</ssbt:felmeddelande>\
         </ssbt:error></ssbt:{element}>"
    );
    AnswerContent::Svar(Sensitive::new(Bytes::from(svar)))
}
