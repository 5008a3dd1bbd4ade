//! Identifiers that are remembered longer than their message (design 8.4).
//!
//! A tx.id that is a UUID says nothing. One of another form is its sender's choice of characters, which
//! can be a name or an identity number; the ledger has it encrypted only, and memory is not to hold it
//! for a day. What is remembered of it is an HMAC with a key that the process makes up when it starts:
//! it can be compared, and not read.

use std::sync::OnceLock;

use aws_lc_rs::hmac;
use shs_schemas::ids::{ContentId, CorrId, TxId};
use uuid::Uuid;

use crate::ledger::event::PlainId;

static KEY: OnceLock<hmac::Key> = OnceLock::new();

fn key() -> &'static hmac::Key {
    KEY.get_or_init(|| {
        let random = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
        hmac::Key::new(hmac::HMAC_SHA256, &random)
    })
}

/// What stands for an identifier that is no UUID: an NMTOKEN that says what it is.
fn veiled(id: &str) -> Option<String> {
    /// Two hexadecimal digits for each byte.
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    if PlainId::of(id).is_some() {
        return None;
    }
    let tag = hmac::sign(key(), id.as_bytes());
    let digits = tag.as_ref().iter();
    let digits = digits.flat_map(|byte| [byte >> 4, byte & 0xF].map(usize::from));
    let digits = digits.map(|digit| char::from(DIGITS[digit]));
    Some("dold-".chars().chain(digits).collect())
}

/// A tx.id as it is remembered.
pub(crate) fn tx_id(id: &TxId) -> TxId {
    remembered(id, id.as_str(), TxId::parse)
}

/// A corr.id as it is remembered.
pub(crate) fn corr_id(id: &CorrId) -> CorrId {
    remembered(id, id.as_str(), CorrId::parse)
}

/// A content.id as it is remembered.
pub(crate) fn content_id(id: &ContentId) -> ContentId {
    remembered(id, id.as_str(), ContentId::parse)
}

fn remembered<T: Clone, E>(id: &T, text: &str, parse: fn(&str) -> Result<T, E>) -> T {
    // It always parses: letters, digits and a hyphen.
    let veiled = veiled(text).and_then(|veiled| parse(&veiled).ok());
    veiled.unwrap_or_else(|| id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_stays_what_it_is_and_anything_else_can_only_be_compared() {
        let plain = TxId::fresh();
        assert_eq!(tx_id(&plain), plain);
        let named = TxId::parse("198001019999").unwrap();
        let veiled = tx_id(&named);
        assert!(!veiled.as_str().contains("19800101"));
        assert_eq!(veiled.as_str().len(), "dold-".len() + 64);
        assert_eq!(tx_id(&named), veiled);
        assert_ne!(tx_id(&TxId::parse("198001019998").unwrap()), veiled);
        // Whoever sends what it would be remembered as is another one.
        assert_ne!(tx_id(&veiled), veiled);
    }
}
