//! [`Gate`]: lets a few through in a period and counts the others, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a period lasts. It begins with the first that is let through.
pub const PERIOD: Duration = Duration::from_secs(10);

/// Bits of the word that count those let through; the others hold milliseconds, enough for
/// thousands of years.
const PASSED_BITS: u32 = 16;

/// Whether one more is let through. Any number of threads may ask.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// When the period began and how many it has let through; zero before the first.
    window: AtomicU64,
    /// How many were held back since one was let through.
    held: AtomicU64,
}

impl Gate {
    /// Lets one through at `now`, a time since the node started, unless `passed_max` have been in this
    /// period; says how many were held back before it.
    pub(crate) fn pass(&self, passed_max: u16, now: Duration) -> Option<u64> {
        let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX) & (u64::MAX >> PASSED_BITS);
        let passed = self
            .window
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |window| {
                next(window, passed_max, now_ms)
            });
        if passed.is_err() {
            self.held.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.held.swap(0, Ordering::Relaxed))
    }

    /// Counts so many as held back that were let through here and stopped elsewhere.
    pub(crate) fn hold(&self, more: u64) {
        self.held.fetch_add(more, Ordering::Relaxed);
    }
}

/// The window with one more in it; `None` when it is full.
fn next(window: u64, passed_max: u16, now_ms: u64) -> Option<u64> {
    let (began_ms, passed) = (window >> PASSED_BITS, window & u64::from(u16::MAX));
    let over = u128::from(now_ms.saturating_sub(began_ms)) >= PERIOD.as_millis();
    if passed == 0 || over {
        return (passed_max > 0).then_some((now_ms << PASSED_BITS) | 1);
    }
    (passed < u64::from(passed_max)).then_some(window + 1)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const ALMOST: Duration = PERIOD.saturating_sub(MS);

    #[test]
    fn a_period_lets_its_number_through_and_the_next_says_how_many_it_held() {
        let gate = Gate::default();
        let began = Duration::from_secs(3);
        assert_eq!(gate.pass(2, began), Some(0));
        assert_eq!(gate.pass(2, began), Some(0));
        assert_eq!(gate.pass(2, began), None);
        assert_eq!(gate.pass(2, began + ALMOST), None);
        assert_eq!(gate.pass(2, began + PERIOD), Some(2));
        assert_eq!(gate.pass(2, began + PERIOD), Some(0));
        assert_eq!(gate.pass(2, began + PERIOD), None);
        assert_eq!(gate.pass(2, began + 9 * PERIOD), Some(1));
    }

    #[test]
    fn the_first_moment_of_a_node_is_a_moment_like_others() {
        let gate = Gate::default();
        assert_eq!(gate.pass(1, Duration::ZERO), Some(0));
        assert_eq!(gate.pass(1, Duration::ZERO), None);
        assert_eq!(gate.pass(1, PERIOD), Some(1));
    }

    #[test]
    fn limits_at_their_ends() {
        let shut = Gate::default();
        assert_eq!(shut.pass(0, Duration::ZERO), None);
        assert_eq!(shut.pass(0, PERIOD * 2), None);
        let wide = Gate::default();
        let passed = (0..70_000).filter(|_| wide.pass(u16::MAX, MS).is_some());
        assert_eq!(passed.count(), usize::from(u16::MAX));
        assert_eq!(wide.pass(u16::MAX, MS + PERIOD), Some(70_000 - 65_535));
        // Past what the word holds it only has to stay whole.
        let late = Gate::default();
        assert_eq!(late.pass(1, Duration::MAX), Some(0));
        assert_eq!(late.pass(1, Duration::MAX), None);
    }

    #[test]
    fn many_threads_pass_no_more_than_one_would_and_lose_no_count() {
        let gate = Gate::default();
        let (threads, each) = (4_u64, 5_000_u64);
        let run = |now: Duration| -> (u64, u64) {
            let ask = || {
                let passed: Vec<_> = (0..each).filter_map(|_| gate.pass(3, now)).collect();
                (passed.len() as u64, passed.iter().sum::<u64>())
            };
            thread::scope(|scope| {
                let asking: Vec<_> = (0..threads).map(|_| scope.spawn(ask)).collect();
                let told = asking.into_iter().map(|one| one.join().unwrap());
                told.fold((0, 0), |(n, held), (m, more)| (n + m, held + more))
            })
        };
        let (passed, told) = run(MS);
        assert_eq!(passed, 3);
        assert_eq!(told + gate.held.load(Ordering::Relaxed), threads * each - 3);
    }
}
