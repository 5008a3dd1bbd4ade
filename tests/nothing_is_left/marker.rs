//! Markers: texts that stand in one field of one message and nowhere else, so that whatever is found of
//! them says where it came from.
//!
//! Two families. A text marker is `åZq7KxWv3Jb`, three letters for the field, five digits for the message,
//! `ö`; as an identifier the same without the two letters beyond ASCII. A field that takes digits only has
//! a personidentitet of 1888 instead: as many people as there are messages, with right check digits.

use std::sync::{Mutex, PoisonError};

/// What every text marker has.
pub(crate) const CORE: &str = "Zq7KxWv3Jb";
/// What every number has: a day of August 1888, the last digit apart.
pub(crate) const PERSON: &str = "1888081";
/// Letters for a field.
pub(crate) const CODE_LETTERS: usize = 3;
/// Digits for a message.
pub(crate) const NUMBER_DIGITS: usize = 5;
/// Digits of a personidentitet.
pub(crate) const PERSON_DIGITS: usize = 12;

static FIELDS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The letters of a field.
pub(crate) fn code(field: &str) -> String {
    let mut fields = FIELDS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = fields.iter().position(|known| known == field);
    let mut place = known.unwrap_or_else(|| {
        fields.push(field.to_owned());
        fields.len() - 1
    });
    let mut letters = Vec::new();
    for _ in 0..CODE_LETTERS {
        letters.push(char::from(b'a' + u8::try_from(place % 26).unwrap()));
        place /= 26;
    }
    assert_eq!(place, 0, "too many fields");
    letters.iter().rev().collect()
}

/// The field that letters stand for.
pub(crate) fn field(code: &str) -> Option<String> {
    let place = code.bytes().try_fold(0, |place: usize, letter| {
        let digit = letter.is_ascii_lowercase().then(|| letter - b'a')?;
        Some(place * 26 + usize::from(digit))
    })?;
    let fields = FIELDS.lock().unwrap_or_else(PoisonError::into_inner);
    fields.get(place).cloned()
}

/// How many fields have been marked.
pub(crate) fn fields() -> usize {
    FIELDS.lock().unwrap_or_else(PoisonError::into_inner).len()
}

/// A marker for a field of any text.
pub(crate) fn text(field: &str, number: usize) -> String {
    format!("å{}ö", id(field, number))
}

/// A marker for an identifier.
pub(crate) fn id(field: &str, number: usize) -> String {
    format!("{CORE}{}{number:05}", code(field))
}

/// A marker for a personidentitet, of a day that was and with the right check digit.
pub(crate) fn person(number: usize) -> String {
    let (day, serial) = (1 + number / 1000, number % 1000);
    assert!(day <= 9, "more messages than people");
    let nine = format!("{PERSON}{day}{serial:03}");
    let digits = nine.bytes().skip(2).enumerate();
    let sum: u32 = digits
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    format!("{nine}{}", (10 - sum % 10) % 10)
}
