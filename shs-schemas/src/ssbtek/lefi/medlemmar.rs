//! The members of a JSON object in their order, values as raw text, no name twice.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Members of one object at most: those of two answers, and what the merge adds of its own.
const MEMBERS_MAX: usize = 2 * ANSWER_MEMBERS_MAX + 16;
/// Members of one object in an answer at most, so that what is merged from two can be read again.
pub(super) const ANSWER_MEMBERS_MAX: usize = 256;

/// The members of one JSON object.
pub(super) struct Medlemmar<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Medlemmar<'a> {
    /// Reads the object; `None` for anything else, also when a name comes twice.
    pub(super) fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The raw value of a member.
    pub(super) fn get(&self, namn: &str) -> Option<&'a RawValue> {
        self.0
            .iter()
            .find(|(name, _)| name == namn)
            .map(|(_, value)| *value)
    }
}

impl<'de> Deserialize<'de> for Medlemmar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MedlemmarVisitor)
    }
}

struct MedlemmarVisitor;

impl<'de> Visitor<'de> for MedlemmarVisitor {
    type Value = Medlemmar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::with_capacity(8);
        while let Some(Namn(name)) = map.next_key()? {
            if members.len() == MEMBERS_MAX || members.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom("a name twice, or too many"));
            }
            members.push((name, map.next_value()?));
        }
        Ok(Medlemmar(members))
    }
}

/// A member name, borrowed when it has no escapes.
struct Namn<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Namn<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NamnVisitor)
    }
}

struct NamnVisitor;

impl<'de> Visitor<'de> for NamnVisitor {
    type Value = Namn<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Namn(Cow::Borrowed(name)))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Namn(Cow::Owned(name.to_owned())))
    }
}

/// Objects and arrays within each other at most, in what [`has_unique_names`] looks through.
const DEPTH_MAX: usize = 64;

/// True when no object at any depth has a name twice. Two readers may take different ones of a
/// pair: what we checked must be what the authority reads. Values are not converted, so a number
/// beyond what we could hold is as good as any other.
pub(super) fn has_unique_names(json: &str) -> bool {
    serde_json::from_str::<&RawValue>(json).is_ok_and(|value| is_unique(value, DEPTH_MAX))
}

fn is_unique(value: &RawValue, depth_left: usize) -> bool {
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return false;
    };
    match value.get().as_bytes().first() {
        Some(b'{') => Medlemmar::parse(value.get()).is_some_and(|members| {
            members
                .0
                .iter()
                .all(|(_, value)| is_unique(value, depth_left))
        }),
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(value.get())
            .is_ok_and(|values| values.iter().all(|value| is_unique(value, depth_left))),
        _ => true,
    }
}

/// Appends a JSON string.
pub(super) fn push_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string can be written to memory");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_order_and_raw_text() {
        let json = r#"{"b": 11340.50, "a\u0062":[ 1 ,2], "c":null}"#;
        let members = Medlemmar::parse(json).unwrap();
        let seen: Vec<_> = members
            .0
            .iter()
            .map(|(n, v)| (n.as_ref(), v.get()))
            .collect();
        assert_eq!(seen, [("b", "11340.50"), ("ab", "[ 1 ,2]"), ("c", "null")]);
    }

    #[test]
    fn a_name_twice_is_refused_at_every_depth() {
        assert!(Medlemmar::parse(r#"{"a":1,"\u0061":2}"#).is_none());
        assert!(!has_unique_names(r#"{"a":[{"b":{"c":1,"c":2}}]}"#));
        assert!(has_unique_names(
            r#"{"a":[{"b":1.5,"c":-2},{"b":"x","c":null}],"d":true}"#
        ));
        assert!(!has_unique_names(&"[".repeat(10_000)));
        let nested = |depth| format!("{}1e400{}", "[".repeat(depth), "]".repeat(depth));
        assert!(has_unique_names(&nested(DEPTH_MAX - 1)));
        assert!(!has_unique_names(&nested(DEPTH_MAX)));
        assert!(!has_unique_names(&nested(100_000)));
        for bad in ["", "[]", "1", "{", "{} {}", "\u{FEFF}{}"] {
            assert!(Medlemmar::parse(bad).is_none(), "{bad}");
        }
    }
}
