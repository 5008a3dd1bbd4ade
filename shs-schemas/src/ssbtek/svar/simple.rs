//! Simple types that several authorities' schemas use, as rules and as the types that `xsi:type`
//! can name.

use super::structure::{Content, QName, Type};
use crate::ssbtek::xsd::{self, Datum, Rule};

/// Namespace of the types of XML Schema itself.
const XSD: &str = "http://www.w3.org/2001/XMLSchema";

const fn builtin(local: &'static str, content: Content) -> Type {
    Type {
        namn: Some(QName {
            namespace: XSD,
            local,
        }),
        attributes: &[],
        content,
    }
}

pub(super) static STRING: Type = builtin("string", Content::Text);
pub(super) static NORMALIZED: Type = builtin("normalizedString", Content::Text);
pub(super) static BOOLEAN: Type = builtin("boolean", Content::Checked(boolean));
pub(super) static INT: Type = builtin("int", Content::Checked(int));
pub(super) static DATE: Type = builtin("date", Content::Checked(date));
pub(super) static DECIMAL: Type = builtin("decimal", Content::Checked(decimal));
static SHORT: Type = builtin("short", Content::Checked(short));
static DATE_TIME: Type = builtin("dateTime", Content::Checked(xsd::date_time));
static BASE64: Type = builtin("base64Binary", Content::Checked(xsd::base64));

/// Anything.
pub(super) static ANY: Type = builtin("anyType", Content::Free);

/// Types that an element of open content may say that it has.
pub(super) static BUILTIN: &[&Type] = &[
    &STRING,
    &NORMALIZED,
    &BOOLEAN,
    &INT,
    &DATE,
    &DECIMAL,
    &SHORT,
    &DATE_TIME,
    &BASE64,
];

pub(super) fn boolean(text: &str) -> Result<(), Rule> {
    xsd::boolean(text).map(|_| ())
}

fn int(text: &str) -> Result<(), Rule> {
    xsd::int(text).map(|_| ())
}

fn short(text: &str) -> Result<(), Rule> {
    xsd::short(text).map(|_| ())
}

fn date(text: &str) -> Result<(), Rule> {
    Datum::parse(text).map(|_| ())
}

/// xsd:decimal: a sign, digits, at most one point, at least one digit.
pub(super) fn decimal(text: &str) -> Result<(), Rule> {
    let text = crate::xml::trim(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if digits(whole) && digits(fraction) && whole.len() + fraction.len() > 0 {
        Ok(())
    } else {
        Err("not a decimal number")
    }
}

/// Exactly twelve digits. The schemas let digits of other scripts through (`\d`); we do not
/// (ssbtek-10, 2.1).
pub(super) fn twelve_digits(text: &str) -> Result<(), Rule> {
    if text.len() == 12 && digits(text) {
        Ok(())
    } else {
        Err("not twelve digits")
    }
}

/// True when there is nothing but ASCII digits.
pub(super) fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// True when `text` has at most `max` characters. Characters count, not bytes.
pub(super) fn at_most(text: &str, max: usize) -> bool {
    text.len() <= max || text.chars().nth(max).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_digits_on_one_side_of_its_point_at_least() {
        for good in ["0", "-1.50", "+.5", "5.", " 12 ", "0001"] {
            assert!(decimal(good).is_ok(), "{good}");
        }
        for bad in [
            "", ".", "-", "1,5", "1.2.3", "1e3", "--1", "1 2", "INF", "٣",
        ] {
            assert!(decimal(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lengths_count_characters() {
        assert!(at_most("ååå", 3) && at_most("", 0));
        assert!(!at_most("åååå", 3) && !at_most("a", 0));
        assert!(twelve_digits("199503142383").is_ok());
        for bad in ["19950314-2383", "1995031423", " 199503142383", "١٩٩٥٠٣"] {
            assert!(twelve_digits(bad).is_err(), "{bad}");
        }
    }
}
