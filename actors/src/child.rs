//! How a child is restarted: its specification, its restart budget, its back-off.
//!
//! Pure: the supervisor asks [`Restarts`] what to do about a fall and does it.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// What happens when a child has used up its restart budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverBudget {
    /// It is paused, refuses work, and is tried again at the longest back-off: a dispatcher. Nothing
    /// that a message can cause may stop the node (design 3).
    Pause,
    /// The node stops in order and exits non-zero, so that the service manager starts it clean.
    Escalate,
}

/// Restarts of a child that are its budget when nothing else is set.
pub const RESTARTS: u32 = 5;

/// The period of the budget when nothing else is set, in seconds.
pub const WITHIN_S: u64 = 30;

/// Wait before the second restart in a row when nothing else is set, in milliseconds.
pub const BACKOFF_FIRST_MS: u64 = 100;

/// Longest wait when nothing else is set, in milliseconds.
pub const BACKOFF_LONGEST_MS: u64 = 10_000;

/// Restart budget and back-off of a child.
#[derive(Clone, Copy, Debug)]
pub struct RestartPolicy {
    /// Restarts allowed within [`Self::within`].
    pub restarts_max: usize,
    /// The period of the budget.
    pub within: Duration,
    /// Wait before the second restart in a row; the first comes at once. Doubles from there.
    pub backoff_first: Duration,
    /// Longest wait.
    pub backoff_longest: Duration,
    /// What comes after the budget.
    pub over_budget: OverBudget,
}

impl RestartPolicy {
    /// [`RESTARTS`] within [`WITHIN_S`], [`BACKOFF_FIRST_MS`] doubling to [`BACKOFF_LONGEST_MS`].
    #[must_use]
    pub const fn new(over_budget: OverBudget) -> Self {
        Self {
            restarts_max: RESTARTS as usize,
            within: Duration::from_secs(WITHIN_S),
            backoff_first: Duration::from_millis(BACKOFF_FIRST_MS),
            backoff_longest: Duration::from_millis(BACKOFF_LONGEST_MS),
            over_budget,
        }
    }
}

/// What to do about a fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Start again after this wait.
    Restart(Duration),
    /// Refuse work; start again after this wait.
    Pause(Duration),
    /// Stop the node.
    Escalate,
}

/// A child's falls within its budget's period.
#[derive(Debug)]
pub struct Restarts {
    policy: RestartPolicy,
    falls: VecDeque<Instant>,
}

impl Restarts {
    /// No falls yet.
    #[must_use]
    pub fn new(policy: RestartPolicy) -> Self {
        Self {
            policy,
            falls: VecDeque::with_capacity(policy.restarts_max + 1),
        }
    }

    /// Notes a fall at `now` and says what to do about it.
    pub fn fell(&mut self, now: Instant) -> Decision {
        while self
            .falls
            .front()
            .is_some_and(|&at| now.duration_since(at) > self.policy.within)
        {
            self.falls.pop_front();
        }
        if self.falls.len() > self.policy.restarts_max {
            self.falls.pop_front();
        }
        self.falls.push_back(now);
        if self.falls.len() <= self.policy.restarts_max {
            return Decision::Restart(self.wait());
        }
        match self.policy.over_budget {
            OverBudget::Pause => Decision::Pause(self.policy.backoff_longest),
            OverBudget::Escalate => Decision::Escalate,
        }
    }

    /// At once for the first fall of a period, then doubling.
    fn wait(&self) -> Duration {
        let earlier = self.falls.len().saturating_sub(1);
        if earlier == 0 {
            return Duration::ZERO;
        }
        let doublings = u32::try_from(earlier - 1).unwrap_or(u32::MAX);
        let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
        self.policy
            .backoff_first
            .saturating_mul(factor)
            .min(self.policy.backoff_longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_first_restart_comes_at_once_and_the_wait_doubles() {
        let mut restarts = Restarts::new(RestartPolicy::new(OverBudget::Escalate));
        let now = Instant::now();
        let waits: Vec<_> = (0..5).map(|_| restarts.fell(now)).collect();
        let expected =
            [0, 100, 200, 400, 800].map(|ms| Decision::Restart(Duration::from_millis(ms)));
        assert_eq!(waits, expected);
        assert_eq!(restarts.fell(now), Decision::Escalate);
    }

    #[test]
    fn falls_outside_the_period_are_forgiven() {
        let mut restarts = Restarts::new(RestartPolicy::new(OverBudget::Escalate));
        let start = Instant::now();
        for n in 0..100 {
            let decision = restarts.fell(start + seconds(31 * n));
            assert_eq!(decision, Decision::Restart(Duration::ZERO));
        }
    }

    #[test]
    fn a_dispatcher_over_budget_is_paused_again_and_again_and_never_escalates() {
        let mut restarts = Restarts::new(RestartPolicy::new(OverBudget::Pause));
        let now = Instant::now();
        let decisions: Vec<_> = (0..10).map(|_| restarts.fell(now)).collect();
        assert!(
            decisions[5..]
                .iter()
                .all(|d| *d == Decision::Pause(seconds(10)))
        );
    }

    #[test]
    fn the_wait_never_passes_the_longest() {
        let policy = RestartPolicy {
            restarts_max: 60,
            ..RestartPolicy::new(OverBudget::Pause)
        };
        let mut restarts = Restarts::new(policy);
        let now = Instant::now();
        for _ in 0..60 {
            let Decision::Restart(wait) = restarts.fell(now) else {
                panic!("within budget")
            };
            assert!(wait <= policy.backoff_longest);
        }
    }
}
