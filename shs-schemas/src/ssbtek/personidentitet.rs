//! Identity numbers: personnummer and samordningsnummer (ssbtek-10, 7), and organisation numbers
//! (7.4).

use std::fmt;

use super::xsd::Datum;

/// Digits of an identity or organisation number in the contract.
const DIGITS: usize = 12;

/// Twelve ASCII digits that name a person, century first. Valid by the schema; whether such a
/// person can exist is asked with [`Personidentitet::check`].
///
/// On the heap, where freed memory is wiped (design 8.2): an array would be copied to the stack at
/// each move, and nobody wipes stacks.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Personidentitet(Box<str>);

/// How closely an identity number is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identitetskontroll {
    /// Date and check digit: a number that fails belongs to nobody.
    #[default]
    Strict,
    /// Twelve digits are enough; for replaying foreign samples.
    Pattern,
}

impl Personidentitet {
    /// Takes exactly twelve ASCII digits (white space is collapsed before).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_digits(text).then(|| Self(text.into()))
    }

    /// The twelve digits. Personal data: never log them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when the number can belong to a person on the day `today`.
    #[must_use]
    pub fn check(&self, how: Identitetskontroll, today: Datum) -> bool {
        match how {
            Identitetskontroll::Pattern => true,
            Identitetskontroll::Strict => {
                self.has_real_date(today) && luhn(&self.0.as_bytes()[2..])
            }
        }
    }

    /// True for a samordningsnummer: sixty is added to the day of birth.
    #[must_use]
    pub fn is_samordningsnummer(&self) -> bool {
        self.pair(6) >= 60
    }

    fn pair(&self, at: usize) -> u8 {
        let digits = self.0.as_bytes();
        (digits[at] - b'0') * 10 + digits[at + 1] - b'0'
    }

    /// The table of ssbtek-10, 7.1.
    fn has_real_date(&self, today: Datum) -> bool {
        let century = self.pair(0);
        let ar = i32::from(century) * 100 + i32::from(self.pair(2));
        let (manad, day) = (self.pair(4), self.pair(6));
        if !(18..=20).contains(&century) || ar > today.ar || manad > 12 {
            return false;
        }
        if self.is_samordningsnummer() {
            // Unknown parts are zero, and days that the month lacks do occur.
            let day = day - 60;
            let known = manad >= 1 && day >= 1;
            return day <= 31
                && !(known
                    && Datum {
                        ar,
                        manad,
                        dag: day,
                    } > today);
        }
        let birth = Datum {
            ar,
            manad,
            dag: day,
        };
        birth.exists() && birth <= today
    }
}

impl fmt::Debug for Personidentitet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Twelve ASCII digits of which the fifth is at least 2: an organisation number with prefix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Organisationsnummer([u8; DIGITS]);

impl Organisationsnummer {
    /// Takes exactly twelve ASCII digits (white space is collapsed before). Neither the prefix 16
    /// nor the check digit is asked for (ssbtek-10, 7.4).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; DIGITS] = text.as_bytes().try_into().ok()?;
        (is_digits(text) && digits[4] >= b'2').then_some(Self(digits))
    }

    /// The twelve digits.
    ///
    /// # Panics
    /// Never: they are ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("ASCII digits only, checked when read")
    }

    /// The ten digits without prefix, as SHS addresses have them.
    ///
    /// # Panics
    /// Never: they are ASCII.
    #[must_use]
    pub fn without_prefix(&self) -> &str {
        &self.as_str()[2..]
    }
}

impl fmt::Display for Organisationsnummer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Organisationsnummer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_digits(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The check digit of ssbtek-10, 7.2, over ten ASCII digits.
fn luhn(ten: &[u8]) -> bool {
    let sum: u32 = ten
        .iter()
        .enumerate()
        .map(|(place, &digit)| {
            let product = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            product / 10 + product % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Datum = Datum {
        ar: 2026,
        manad: 11,
        dag: 21,
    };

    fn strict(text: &str) -> bool {
        let number = Personidentitet::parse(text).expect(text);
        number.check(Identitetskontroll::Strict, TODAY)
    }

    #[test]
    fn the_published_test_numbers_pass() {
        for number in [
            "199503142383",
            "199503022387",
            "199503032394",
            "200411062383",
            "200411012396",
            "189001019802",
            "198706872382",
            "199304772388",
            "191500722390",
            "192304602390",
        ] {
            assert!(strict(number), "{number}");
        }
        assert!(
            Personidentitet::parse("192304602390")
                .unwrap()
                .is_samordningsnummer()
        );
        assert!(
            !Personidentitet::parse("199503142383")
                .unwrap()
                .is_samordningsnummer()
        );
    }

    #[test]
    fn numbers_that_belong_to_nobody_fail_in_strict_mode_only() {
        for number in [
            "000000000000", // no century
            "199001011234", // check digit
            "199513142381", // month 13
            "199502302381", // 30 February
            "199500142386", // month 00 is for samordningsnummer
            "203503142383", // not yet born
            "170503142383", // too long ago
            "199503922383", // day 92
        ] {
            assert!(!strict(number), "{number}");
            let parsed = Personidentitet::parse(number).unwrap();
            assert!(parsed.check(Identitetskontroll::Pattern, TODAY));
        }
    }

    #[test]
    fn born_today_is_born_and_tomorrow_is_not() {
        // 20041106 is the day of birth.
        let number = Personidentitet::parse("200411062383").unwrap();
        let day = |dag| Datum {
            ar: 2004,
            manad: 11,
            dag,
        };
        assert!(number.check(Identitetskontroll::Strict, day(6)));
        assert!(!number.check(Identitetskontroll::Strict, day(5)));
    }

    #[test]
    fn only_twelve_ascii_digits_are_read() {
        for bad in [
            "",
            "9503142383",
            "19950314-2383",
            "1995031423830",
            "١٩٩٥٠٣١٤٢٣٨٣",
            "19950314238x",
        ] {
            assert!(Personidentitet::parse(bad).is_none(), "{bad}");
        }
        assert!(Organisationsnummer::parse("162120009994").is_some());
        assert!(Organisationsnummer::parse("199503142383").is_none());
    }

    #[test]
    fn a_person_is_not_printed() {
        let number = Personidentitet::parse("199503142383").unwrap();
        assert_eq!(format!("{number:?}"), "[redacted]");
    }
}
