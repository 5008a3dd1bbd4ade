//! When content last passed over a connection, and whether more of it is awaited: what rinsing waits
//! for (`rinse.rs`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Counters that the lines of a connection write and its keeper reads. They are a hint, not a
/// ledger: an answer that comes twice, or a question counted while they are read, brings a rinse
/// forward or puts it off.
#[derive(Debug)]
pub(super) struct Activity {
    began: Instant,
    /// Questions and answers so far.
    passed: AtomicU64,
    /// Questions that neither an answer nor a refusal has come to.
    open: AtomicU64,
    /// When the last one passed, in milliseconds since `began`.
    last_ms: AtomicU64,
    /// When the last question that was asked expires, in milliseconds since `began`.
    awaited_until_ms: AtomicU64,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            passed: AtomicU64::new(0),
            open: AtomicU64::new(0),
            last_ms: AtomicU64::new(0),
            awaited_until_ms: AtomicU64::new(0),
        }
    }

    /// A question is put, which may be answered for so long.
    pub(super) fn asked(&self, now: Instant, expires_in: Duration) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.awaited_until_ms
            .fetch_max(self.ms(now + expires_in), Ordering::Relaxed);
        self.pass(now);
    }

    /// A message came: an answer, or what should have been one.
    pub(super) fn came(&self, now: Instant) {
        self.settled();
        self.pass(now);
    }

    /// A question will not be answered: the broker refused it.
    pub(super) fn settled(&self) {
        let less = |open: u64| open.checked_sub(1);
        let _ = self
            .open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Questions and answers so far. Two equal numbers: nothing passed in between.
    pub(super) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Acquire)
    }

    /// Whether nothing passed for so long, and nothing is awaited.
    pub(super) fn is_idle(&self, now: Instant, at_least: Duration) -> bool {
        let now_ms = self.ms(now);
        let last_ms = self.last_ms.load(Ordering::Relaxed);
        if now_ms < last_ms.saturating_add(whole_ms(at_least)) {
            return false;
        }
        if self.open.load(Ordering::Relaxed) == 0 {
            return true;
        }
        // What is open now is answered too late, if at all.
        let expired = now_ms > self.awaited_until_ms.load(Ordering::Relaxed);
        if expired {
            self.open.store(0, Ordering::Relaxed);
        }
        expired
    }

    fn pass(&self, now: Instant) {
        self.last_ms.fetch_max(self.ms(now), Ordering::Relaxed);
        self.passed.fetch_add(1, Ordering::Release);
    }

    fn ms(&self, at: Instant) -> u64 {
        whole_ms(at.saturating_duration_since(self.began))
    }
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(1);
    const DEADLINE: Duration = Duration::from_secs(8);

    fn later(activity: &Activity, ms: u64) -> Instant {
        activity.began + Duration::from_millis(ms)
    }

    #[test]
    fn idle_is_an_answer_to_everything_and_then_silence() {
        let activity = Activity::new();
        let at = |ms| later(&activity, ms);
        assert!(activity.is_idle(at(1_000), AFTER));
        activity.asked(at(1_000), DEADLINE);
        activity.asked(at(1_100), DEADLINE);
        activity.came(at(1_500));
        assert!(!activity.is_idle(at(4_000), AFTER), "one is awaited");
        activity.came(at(5_000));
        assert!(!activity.is_idle(at(5_999), AFTER));
        assert!(activity.is_idle(at(6_000), AFTER));
        assert_eq!(activity.passed(), 4);
    }

    #[test]
    fn nobody_waits_for_an_answer_that_is_too_late_or_refused() {
        let activity = Activity::new();
        let at = |ms| later(&activity, ms);
        activity.asked(at(0), DEADLINE);
        assert!(!activity.is_idle(at(8_000), AFTER));
        assert!(activity.is_idle(at(8_001), AFTER));
        // It comes all the same: content has passed again, and nothing is awaited below zero.
        activity.came(at(9_000));
        assert!(!activity.is_idle(at(9_500), AFTER));
        assert!(activity.is_idle(at(10_000), AFTER));
        activity.asked(at(10_000), DEADLINE);
        activity.settled();
        assert!(activity.is_idle(at(11_000), AFTER));
        activity.settled();
        activity.asked(at(11_000), DEADLINE);
        assert!(!activity.is_idle(at(12_500), AFTER), "this one is awaited");
    }
}
