//! [`Latency`]: how long an authority takes.

use std::str::FromStr;
use std::time::Duration;

use crate::adapter::draw::Draw;

/// Longest time that an answer can be made to take.
pub const LATENCY_MAX: Duration = Duration::from_hours(1);

/// A fixed time, or one drawn evenly from a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    least: Duration,
    most: Duration,
}

/// Why a text is not a latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LatencyError {
    /// Not a time with a unit.
    #[error("not a time: write 200ms, 1.5s or a range such as 50ms..2s")]
    Unreadable,
    /// The range ends before it begins.
    #[error("the range ends before it begins")]
    Reversed,
    /// More than [`LATENCY_MAX`].
    #[error("longer than an hour")]
    TooLong,
}

impl Latency {
    /// At once.
    pub const NONE: Self = Self {
        least: Duration::ZERO,
        most: Duration::ZERO,
    };

    /// Always the same time.
    #[must_use]
    pub const fn fixed(time: Duration) -> Self {
        Self {
            least: time,
            most: time,
        }
    }

    /// Evenly drawn between two times.
    ///
    /// # Errors
    /// [`LatencyError::Reversed`], [`LatencyError::TooLong`].
    pub fn range(least: Duration, most: Duration) -> Result<Self, LatencyError> {
        if most < least {
            return Err(LatencyError::Reversed);
        }
        if most > LATENCY_MAX {
            return Err(LatencyError::TooLong);
        }
        Ok(Self { least, most })
    }

    pub(super) fn drawn(self, draw: Draw) -> Duration {
        let spread =
            u64::try_from(self.most.saturating_sub(self.least).as_micros()).unwrap_or(u64::MAX);
        self.least + Duration::from_micros(draw.below(spread.saturating_add(1)))
    }
}

impl FromStr for Latency {
    type Err = LatencyError;

    /// Reads `200ms`, `1.5s` or `50ms..2s`.
    fn from_str(text: &str) -> Result<Self, LatencyError> {
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        Self::range(time(least)?, time(most)?)
    }
}

fn time(text: &str) -> Result<Duration, LatencyError> {
    let text = text.trim();
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 0.001),
        (None, Some(number)) => (number, 1.0),
        (None, None) => return Err(LatencyError::Unreadable),
    };
    let number: f64 = number
        .trim()
        .parse()
        .map_err(|_| LatencyError::Unreadable)?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| LatencyError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_times_and_ranges_are_read() {
        let ms = Duration::from_millis;
        assert_eq!("200ms".parse(), Ok(Latency::fixed(ms(200))));
        assert_eq!("1.5s".parse(), Ok(Latency::fixed(ms(1_500))));
        assert_eq!("50ms..2s".parse(), Latency::range(ms(50), ms(2_000)));
        for text in [
            "", "200", "ms", "-1s", "1m", "NaNs", "1s..", "..1s", "1s..2s..",
        ] {
            assert_eq!(
                text.parse::<Latency>(),
                Err(LatencyError::Unreadable),
                "{text}"
            );
        }
        assert_eq!("2s..1s".parse::<Latency>(), Err(LatencyError::Reversed));
        assert_eq!("3601s".parse::<Latency>(), Err(LatencyError::TooLong));
    }

    #[test]
    fn draws_stay_within_the_range() {
        let latency: Latency = "50ms..2s".parse().unwrap();
        for n in 0..1_000 {
            let drawn = latency.drawn(Draw::new(n));
            assert!((Duration::from_millis(50)..=Duration::from_secs(2)).contains(&drawn));
        }
    }
}
