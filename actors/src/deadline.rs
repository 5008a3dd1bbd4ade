//! How long a request may take: the agreement's figures and the two policies (design 7;
//! ssbtek-10, 5.1 and 5.2; R-110).

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

/// When the node stops waiting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Policy {
    /// Completeness first: every party is waited for until D(n) less the margin.
    Fixed,
    /// Stop at T(n) less the margin; wait on towards D(n) only while the share of slow answers is
    /// under what the agreement allows.
    Budget {
        /// Share of slow answers that is allowed: 0.10.
        share_max: f64,
    },
}

/// The agreement's figures.
#[derive(Clone, Copy, Debug)]
pub struct DeadlineSettings {
    /// Which policy.
    pub policy: Policy,
    /// T(1): 90 % of the requests are answered within it.
    pub promise: Duration,
    /// D(1): all are.
    pub limit: Duration,
    /// Added to both for each further person.
    pub per_person: Duration,
    /// What is kept for compiling and sending.
    pub margin: Duration,
    /// Answers that the share of slow ones is taken over.
    pub history: usize,
}

impl Default for DeadlineSettings {
    fn default() -> Self {
        Self {
            policy: Policy::Fixed,
            promise: Duration::from_secs(7),
            limit: Duration::from_secs(12),
            per_person: Duration::from_millis(1_500),
            margin: Duration::from_secs(1),
            history: 500,
        }
    }
}

impl DeadlineSettings {
    fn further(&self, persons: usize) -> Duration {
        self.per_person * u32::try_from(persons.saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// T(n): what 90 % of the requests keep.
    #[must_use]
    pub fn promise_for(&self, persons: usize) -> Duration {
        self.promise + self.further(persons)
    }

    /// D(n): what every request keeps.
    #[must_use]
    pub fn limit_for(&self, persons: usize) -> Duration {
        self.limit + self.further(persons)
    }

    /// D(n) less the margin: the latest moment at which the node stops waiting.
    #[must_use]
    pub fn latest_stop(&self, persons: usize) -> Duration {
        self.limit_for(persons).saturating_sub(self.margin)
    }

    /// T(n) less the margin: where the policy `budget` stops as a rule.
    #[must_use]
    pub fn normal_stop(&self, persons: usize) -> Duration {
        self.promise_for(persons).saturating_sub(self.margin)
    }
}

const UNUSED: u8 = 0;
const IN_TIME: u8 = 1;
const SLOW: u8 = 2;

/// Whether the last answers kept T(n): shared by all workers, without a lock.
#[derive(Debug)]
pub struct Punctuality {
    last: Box<[AtomicU8]>,
    next: AtomicUsize,
    /// Requests that wait on now: slow answers to be.
    waiting_on: AtomicUsize,
}

/// One request that waits on past the normal stop, until this is dropped.
#[derive(Debug)]
pub struct WaitsOn(Arc<Punctuality>);

impl Drop for WaitsOn {
    fn drop(&mut self) {
        self.0.waiting_on.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Punctuality {
    /// Remembers as many answers as `history` says, at least one.
    #[must_use]
    pub fn new(history: usize) -> Arc<Self> {
        let last = (0..history.max(1)).map(|_| AtomicU8::new(UNUSED)).collect();
        Arc::new(Self {
            last,
            next: AtomicUsize::new(0),
            waiting_on: AtomicUsize::new(0),
        })
    }

    /// Notes whether an answer was slow, that is, took longer than T(n).
    pub fn note(&self, slow: bool) {
        let place = self.next.fetch_add(1, Ordering::Relaxed) % self.last.len();
        self.last[place].store(if slow { SLOW } else { IN_TIME }, Ordering::Relaxed);
    }

    fn wait_on(self: &Arc<Self>) -> WaitsOn {
        self.waiting_on.fetch_add(1, Ordering::Relaxed);
        WaitsOn(Arc::clone(self))
    }

    /// Share of slow ones among the last answers, or among as many as there are. A request that
    /// waits on counts as slow already: else all that are open at once would see the share of before
    /// and wait on together.
    #[must_use]
    pub fn slow_share(&self) -> f64 {
        let waiting_on = self.waiting_on.load(Ordering::Relaxed);
        let waiting_on = u32::try_from(waiting_on).unwrap_or(u32::MAX / 2);
        let (mut noted, mut slow) = (waiting_on, waiting_on);
        for place in &self.last {
            match place.load(Ordering::Relaxed) {
                UNUSED => {}
                SLOW => (noted, slow) = (noted + 1, slow + 1),
                _ => noted += 1,
            }
        }
        if noted == 0 {
            0.0
        } else {
            f64::from(slow) / f64::from(noted)
        }
    }
}

/// The node's clock rule: settings and what has been kept so far.
#[derive(Clone, Debug)]
pub struct Deadlines {
    /// The agreement's figures.
    pub settings: DeadlineSettings,
    /// How the last answers kept them.
    pub punctuality: Arc<Punctuality>,
}

impl Deadlines {
    /// Nothing noted yet.
    #[must_use]
    pub fn new(settings: DeadlineSettings) -> Self {
        Self {
            settings,
            punctuality: Punctuality::new(settings.history),
        }
    }

    /// How long after its start a request of `persons` is looked at first: the stop of the policy.
    #[must_use]
    pub fn first_stop(&self, persons: usize) -> Duration {
        match self.settings.policy {
            Policy::Fixed => self.settings.latest_stop(persons),
            Policy::Budget { .. } => self.settings.normal_stop(persons),
        }
    }

    /// Leave for a request that has waited for `waited` to wait on, or none. `before` is the leave
    /// that it had until now.
    #[must_use]
    pub fn wait_on(
        &self,
        persons: usize,
        waited: Duration,
        before: Option<WaitsOn>,
    ) -> Option<WaitsOn> {
        // Given back first: a request does not stand in its own way.
        drop(before);
        let may = waited < self.settings.latest_stop(persons)
            && match self.settings.policy {
                Policy::Fixed => true,
                Policy::Budget { share_max } => self.punctuality.slow_share() < share_max,
            };
        may.then(|| self.punctuality.wait_on())
    }

    /// Notes how long an answer took from the receipt of its request.
    pub fn note_answered(&self, persons: usize, took: Duration) {
        self.punctuality
            .note(took > self.settings.promise_for(persons));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Deadlines {
        let policy = Policy::Budget { share_max: 0.10 };
        Deadlines::new(DeadlineSettings {
            policy,
            history: 20,
            ..DeadlineSettings::default()
        })
    }

    fn may_wait_on(deadlines: &Deadlines, waited: Duration) -> bool {
        deadlines.wait_on(1, waited, None).is_some()
    }

    #[test]
    fn the_table_of_the_agreement_holds_for_one_to_ten_persons() {
        let settings = DeadlineSettings::default();
        for n in 1..=10_u32 {
            let more = f64::from(n - 1) * 1.5;
            let n = n as usize;
            assert!((settings.promise_for(n).as_secs_f64() - (7.0 + more)).abs() < 1e-9);
            assert!((settings.limit_for(n).as_secs_f64() - (12.0 + more)).abs() < 1e-9);
            assert!((settings.latest_stop(n).as_secs_f64() - (11.0 + more)).abs() < 1e-9);
            assert!((settings.normal_stop(n).as_secs_f64() - (6.0 + more)).abs() < 1e-9);
        }
    }

    #[test]
    fn fixed_waits_until_the_latest_stop_and_no_longer() {
        let deadlines = Deadlines::new(DeadlineSettings::default());
        assert_eq!(deadlines.first_stop(1), Duration::from_secs(11));
        assert!(!may_wait_on(&deadlines, Duration::from_secs(11)));
    }

    #[test]
    fn requests_that_wait_on_together_do_not_spend_the_budget_twice() {
        let deadlines = budget();
        for _ in 0..20 {
            deadlines.note_answered(1, Duration::from_secs(1));
        }
        let stop = Duration::from_secs(6);
        let leave: Vec<_> = (0..50)
            .filter_map(|_| deadlines.wait_on(1, stop, None))
            .collect();
        assert_eq!(leave.len(), 3, "of 23 answers these are the slow ones");
        for held in leave {
            let held = deadlines.wait_on(1, stop, Some(held));
            assert!(held.is_some(), "leave that was given stands");
        }
        assert!(may_wait_on(&deadlines, stop), "nobody waits on any more");
    }

    #[test]
    fn budget_stops_at_the_promise_and_waits_on_while_few_answers_are_slow() {
        let deadlines = budget();
        assert_eq!(deadlines.first_stop(1), Duration::from_secs(6));
        for _ in 0..19 {
            deadlines.note_answered(1, Duration::from_secs(1));
        }
        deadlines.note_answered(1, Duration::from_secs(8));
        assert!(
            may_wait_on(&deadlines, Duration::from_secs(6)),
            "5 % are slow"
        );
        deadlines.note_answered(1, Duration::from_secs(8));
        assert!(
            !may_wait_on(&deadlines, Duration::from_secs(6)),
            "10 % are slow"
        );
        assert!(!may_wait_on(&deadlines, Duration::from_secs(11)));
    }

    #[test]
    fn old_answers_leave_the_history() {
        let deadlines = budget();
        for _ in 0..20 {
            deadlines.note_answered(1, Duration::from_secs(9));
        }
        assert!((deadlines.punctuality.slow_share() - 1.0).abs() < 1e-9);
        for _ in 0..20 {
            deadlines.note_answered(1, Duration::from_secs(1));
        }
        assert!(deadlines.punctuality.slow_share().abs() < 1e-9);
    }
}
