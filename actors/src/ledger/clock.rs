//! [`Clock`]: notices that the machine's clock was put back, which makes times in the ledger
//! misleading; `seq` still says what came first.

use chrono::{DateTime, TimeDelta, Utc};

/// Steps back that are noted. Less than this a clock that is kept in time does now and then.
pub(super) const STEP_MIN: TimeDelta = TimeDelta::seconds(1);

/// Remembers the latest time that was seen.
#[derive(Debug, Default)]
pub(super) struct Clock(Option<DateTime<Utc>>);

impl Clock {
    /// It is now; says by how many milliseconds the clock was put back since it was seen last, if so.
    pub(super) fn look(&mut self, now: DateTime<Utc>) -> Option<u64> {
        let before = self.0.replace(now)?;
        let back = before.signed_duration_since(now);
        (back >= STEP_MIN).then(|| u64::try_from(back.num_milliseconds()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_back_is_told_once_and_a_small_one_or_one_ahead_never() {
        let mut clock = Clock::default();
        let at = |ms: i64| DateTime::from_timestamp_millis(1_795_000_000_000 + ms).unwrap();
        for (ms, expected) in [
            (0, None),
            (5_000, None),
            (4_001, None),
            (3_001, Some(1_000)),
            (3_001, None),
            (86_400_000, None),
            (0, Some(86_400_000)),
        ] {
            assert_eq!(clock.look(at(ms)), expected, "{ms}");
        }
    }
}
