//! [`Share`]: how large a part of the questions something befalls.

use std::str::FromStr;

/// A share of all questions, from none to all.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(f64);

/// Why a text is not a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a share: write a number from 0 to 1, or a percentage such as 25%")]
pub struct ShareError;

impl Share {
    /// Every question.
    pub const ALL: Self = Self(1.0);

    /// A share between 0 and 1.
    ///
    /// # Errors
    /// [`ShareError`] outside those bounds.
    pub fn new(share: f64) -> Result<Self, ShareError> {
        if (0.0..=1.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err(ShareError)
        }
    }

    /// The share as a number from 0 to 1.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = ShareError;

    /// Reads `0.25` or `25%`.
    fn from_str(text: &str) -> Result<Self, ShareError> {
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| ShareError);
        match text.strip_suffix('%') {
            Some(percent) => Self::new(number(percent)? / 100.0),
            None => Self::new(number(text)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_percentages_are_read() {
        for (text, share) in [
            ("0", 0.0),
            ("0.25", 0.25),
            ("1", 1.0),
            ("25%", 0.25),
            ("100 %", 1.0),
        ] {
            assert_eq!(text.parse(), Share::new(share), "{text}");
        }
        for text in ["", "%", "25", "1.01", "-0.1", "101%", "NaN", "inf", "half"] {
            assert_eq!(text.parse::<Share>(), Err(ShareError), "{text}");
        }
    }
}
