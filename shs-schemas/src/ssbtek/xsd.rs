//! The simple types of XML Schema that the contract uses, by their lexical rules. What XML Schema
//! leaves open and a schema validator lets through (digits of other scripts) is closed here
//! (ssbtek-10, 2.1).

use std::borrow::Cow;

/// A value breaks the rule of its type; the text names the rule.
pub(crate) type Rule = &'static str;

/// White space collapsed as for xsd:token and all types that are not strings.
pub(crate) fn collapse(text: &str) -> Cow<'_, str> {
    let trimmed = crate::xml::trim(text);
    let plain = |pair: &[u8]| !(pair[0] == b' ' && pair[1] == b' ');
    let odd = |b: u8| matches!(b, b'\t' | b'\n' | b'\r');
    if trimmed.as_bytes().windows(2).all(plain) && !trimmed.bytes().any(odd) {
        return Cow::Borrowed(trimmed);
    }
    let words = trimmed
        .split([' ', '\t', '\n', '\r'])
        .filter(|word| !word.is_empty());
    Cow::Owned(words.collect::<Vec<_>>().join(" "))
}

/// xsd:boolean: four spellings, white space around them.
pub(crate) fn boolean(text: &str) -> Result<bool, Rule> {
    match crate::xml::trim(text) {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("not a boolean"),
    }
}

/// xsd:short.
pub(crate) fn short(text: &str) -> Result<i16, Rule> {
    integer(text).ok_or("not a short integer")
}

/// xsd:int.
pub(crate) fn int(text: &str) -> Result<i32, Rule> {
    integer(text).ok_or("not an integer")
}

fn integer<T: std::str::FromStr>(text: &str) -> Option<T> {
    let text = crate::xml::trim(text);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A calendar date as written; a zone after it is allowed and has no effect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Datum {
    /// Year.
    pub ar: i32,
    /// Month, 1 to 12.
    pub manad: u8,
    /// Day of the month, 1 to 31.
    pub dag: u8,
}

impl Datum {
    /// Reads an xsd:date.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const BAD: Rule = "not a date";
        let (datum, rest) = Self::read(crate::xml::trim(text)).ok_or(BAD)?;
        if is_zone(rest) { Ok(datum) } else { Err(BAD) }
    }

    /// Reads `-?YYYY-MM-DD` and returns what follows.
    fn read(text: &str) -> Option<(Self, &str)> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        // More than four digits may not begin with zero; nine are more than any calendar needs.
        if !(4..=9).contains(&length) || (length > 4 && digits.starts_with('0')) {
            return None;
        }
        let (year, rest) = digits.split_at(length);
        let year: i32 = year.parse().ok()?;
        let (manad, rest) = two_digits(rest.strip_prefix('-')?)?;
        let (dag, rest) = two_digits(rest.strip_prefix('-')?)?;
        let ar = if negative { -year } else { year };
        let exists =
            year != 0 && (1..=12).contains(&manad) && dag >= 1 && dag <= days_in(ar, manad);
        exists.then_some((Self { ar, manad, dag }, rest))
    }

    /// True when the day is in the calendar.
    #[must_use]
    pub const fn exists(self) -> bool {
        self.manad >= 1
            && self.manad <= 12
            && self.dag >= 1
            && self.dag <= days_in(self.ar, self.manad)
    }
}

impl std::fmt::Display for Datum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.ar, self.manad, self.dag)
    }
}

const fn days_in(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn two_digits(text: &str) -> Option<(u8, &str)> {
    let (&[tens, ones], _) = text.as_bytes().split_first_chunk()?;
    if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    Some(((tens - b'0') * 10 + ones - b'0', &text[2..]))
}

/// Nothing, `Z`, or an offset of at most fourteen hours.
fn is_zone(text: &str) -> bool {
    if text.is_empty() || text == "Z" {
        return true;
    }
    let offset = || {
        let (hours, rest) = two_digits(text.strip_prefix(['+', '-'])?)?;
        let (minutes, rest) = two_digits(rest.strip_prefix(':')?)?;
        Some(rest.is_empty() && (hours < 14 && minutes < 60 || hours == 14 && minutes == 0))
    };
    offset().unwrap_or(false)
}

/// xsd:dateTime; only checked, it is echoed as written.
pub(crate) fn date_time(text: &str) -> Result<(), Rule> {
    let read = || {
        let (_, rest) = Datum::read(crate::xml::trim(text))?;
        let (hours, rest) = two_digits(rest.strip_prefix('T')?)?;
        let (minutes, rest) = two_digits(rest.strip_prefix(':')?)?;
        let (seconds, rest) = two_digits(rest.strip_prefix(':')?)?;
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
            None => ("0", rest),
        };
        let midnight =
            hours == 24 && minutes == 0 && seconds == 0 && fraction.bytes().all(|b| b == b'0');
        let in_day = hours < 24 && minutes < 60 && seconds < 60;
        Some(!fraction.is_empty() && (in_day || midnight) && is_zone(rest))
    };
    if read().unwrap_or(false) {
        Ok(())
    } else {
        Err("not a date with time")
    }
}

/// A value of xsd:base64Binary without white space. Borrowed when there was none.
pub(crate) fn base64_compact(text: &str) -> Cow<'_, str> {
    if text.bytes().any(crate::xml::is_whitespace) {
        Cow::Owned(text.split([' ', '\t', '\n', '\r']).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// xsd:base64Binary: standard alphabet, padding required, white space anywhere.
pub(crate) fn base64(text: &str) -> Result<(), Rule> {
    base64_simd::STANDARD
        .check(base64_compact(text).as_bytes())
        .map_err(|_| "not base64")
}

/// The bytes of a value of xsd:base64Binary.
pub(crate) fn base64_decode(text: &str) -> Result<Vec<u8>, Rule> {
    base64_simd::STANDARD
        .decode_to_vec(base64_compact(text).as_bytes())
        .map_err(|_| "not base64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_collapse() {
        for (text, token) in [
            ("a", "a"),
            (" a\n", "a"),
            ("a  b\t\nc", "a b c"),
            (" ", ""),
            ("", ""),
        ] {
            assert_eq!(collapse(text), token);
        }
    }

    #[test]
    fn a_boolean_has_four_spellings() {
        assert_eq!(boolean(" true\n"), Ok(true));
        assert_eq!(boolean("1"), Ok(true));
        assert_eq!(boolean("0"), Ok(false));
        assert_eq!(boolean("false"), Ok(false));
        for bad in ["", " ", "True", "TRUE", "yes", "01", "t rue"] {
            assert!(boolean(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn integers_have_their_range() {
        assert_eq!(short(" -32768 "), Ok(i16::MIN));
        assert_eq!(short("+007"), Ok(7));
        for bad in ["", "32768", "1.0", "1 2", "٣", "-", "+-1", "0x1"] {
            assert!(short(bad).is_err(), "{bad}");
        }
        assert_eq!(int("2147483647"), Ok(i32::MAX));
        assert!(int("2147483648").is_err());
    }

    #[test]
    fn a_date_may_carry_a_zone_and_keeps_its_day() {
        let day = Datum {
            ar: 2026,
            manad: 1,
            dag: 1,
        };
        for text in [
            "2026-01-01",
            "2026-01-01Z",
            " 2026-01-01+01:00\n",
            "2026-01-01-14:00",
        ] {
            assert_eq!(Datum::parse(text), Ok(day), "{text}");
        }
        assert!(Datum::parse("2024-02-29").is_ok() && Datum::parse("2000-02-29").is_ok());
        assert!(Datum::parse("-0044-03-15").unwrap() < day);
        assert!(Datum::parse("12026-01-01").unwrap() > day);
        for bad in [
            "",
            "2026-1-1",
            "26-01-01",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "2026-04-31",
            "02026-01-01",
            "0000-01-01",
            "2026-01-01+15:00",
            "2026-01-01+14:01",
            "2026-01-01z",
            "2026-01-01 Z",
            "2026-01-01T00:00:00",
            "20260101",
            "+2026-01-01",
            "٢٠٢٦-01-01",
            "2026-01-01+0100",
        ] {
            assert!(Datum::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_date_with_time_is_checked() {
        for good in [
            "2026-03-16T09:15:00+01:00",
            " 2026-03-16T09:15:00Z ",
            "2026-03-16T09:15:00.123456789",
            "2026-03-16T24:00:00",
            "2026-03-16T23:59:59.0",
        ] {
            assert_eq!(date_time(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "2026-03-16",
            "2026-03-16T09:15",
            "2026-03-16t09:15:00",
            "2026-03-16 09:15:00",
            "2026-03-16T24:00:01",
            "2026-03-16T09:60:00",
            "2026-03-16T09:15:60",
            "2026-03-16T09:15:00.",
            "2026-03-16T9:15:00",
            "2026-03-16T09:15:00+1:00",
        ] {
            assert!(date_time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn base64_takes_white_space_and_wants_its_padding() {
        for good in ["", " ", "YWI=", "YW\r\nJj", " Y W I = ", "YQ=="] {
            assert_eq!(base64(good), Ok(()), "{good}");
        }
        for bad in ["YWI", "Y", "YW-_", "YWI=YWI=", "=", "YQ=", "å", "YR=="] {
            assert!(base64(bad).is_err(), "{bad}");
        }
        assert_eq!(base64_decode("YW\nI=").unwrap(), b"ab");
    }
}
