//! The circuit breaker of one Uppgiftslämnare: a party that keeps timing out is waited for a shorter
//! time and then paused, so that one dead authority never costs everyone the whole limit
//! (design 7; ssbtek-10, 5.3).

use std::time::Duration;

use tokio::time::Instant;

/// When a circuit shortens its patience, opens, and tries again.
#[derive(Clone, Copy, Debug)]
pub struct CircuitSettings {
    /// Timeouts in a row that open it.
    pub timeouts_in_a_row: u32,
    /// Timeouts in a row from which the party is waited for half as long.
    pub impatient_after: u32,
    /// How long it stays open before one question is let through.
    pub pause: Duration,
}

impl Default for CircuitSettings {
    fn default() -> Self {
        Self {
            timeouts_in_a_row: 5,
            impatient_after: 3,
            pause: Duration::from_secs(30),
        }
    }
}

/// Leave to put one question to the party. How the question ended is told with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The party is believed to answer.
    Ordinary,
    /// The one question after a pause that shows whether the party is back.
    Trial,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Open {
        until: Instant,
    },
    /// One question is out to see whether the party is back.
    Probing,
}

/// Says whether a party may be asked, and how long to wait for it.
#[derive(Debug)]
pub struct Circuit {
    settings: CircuitSettings,
    phase: Phase,
    timeouts: u32,
    /// When the party last answered in time.
    heard: Option<Instant>,
}

impl Circuit {
    /// A closed circuit: the party is asked.
    #[must_use]
    pub const fn new(settings: CircuitSettings) -> Self {
        Self {
            settings,
            phase: Phase::Closed,
            timeouts: 0,
            heard: None,
        }
    }

    /// Leave to ask the party at `now`, or none. After a pause this lets exactly one through until
    /// it is known how that one ended.
    pub fn admits(&mut self, now: Instant) -> Option<Pass> {
        match self.phase {
            Phase::Closed => Some(Pass::Ordinary),
            Phase::Open { until } if now >= until => {
                self.phase = Phase::Probing;
                Some(Pass::Trial)
            }
            Phase::Open { .. } | Phase::Probing => None,
        }
    }

    /// True when [`Self::admits`] would give no leave at `now`.
    #[must_use]
    pub fn refuses(&self, now: Instant) -> bool {
        match self.phase {
            Phase::Closed => false,
            Phase::Open { until } => now < until,
            Phase::Probing => true,
        }
    }

    /// How long to wait for this party when `whole` is what the request has left. The trial question
    /// gets all of it: cut short, a party that is merely slow could never come back.
    #[must_use]
    pub fn patience(&self, pass: Pass, whole: Duration) -> Duration {
        if pass == Pass::Ordinary && self.timeouts >= self.settings.impatient_after {
            whole / 2
        } else {
            whole
        }
    }

    /// The party answered in time. (A late answer says nothing here: a party that is always late
    /// would hold its circuit closed and cost every request the whole limit.)
    pub fn answered(&mut self, now: Instant) {
        self.timeouts = 0;
        self.phase = Phase::Closed;
        self.heard = Some(now);
    }

    /// The party was silent to a question, put to it at `asked`, for as long as it was waited for.
    ///
    /// If it has answered another one since, the silence is over and does not count: what an
    /// adapter took with it when it was restarted times out in one burst, long after the next one
    /// answers.
    pub fn timed_out(&mut self, asked: Instant, pass: Pass, now: Instant) {
        if self.heard.is_some_and(|heard| heard > asked) {
            return;
        }
        self.timeouts = self.timeouts.saturating_add(1);
        let opens = match self.phase {
            Phase::Closed => self.timeouts >= self.settings.timeouts_in_a_row,
            // Stragglers from before the pause neither prolong it nor speak for the trial question.
            Phase::Open { .. } => false,
            Phase::Probing => pass == Pass::Trial,
        };
        if opens {
            self.phase = Phase::Open {
                until: now + self.settings.pause,
            };
        }
    }

    /// A question came to nothing that tells of the party (cancelled, refused by the broker). If it
    /// was the trial question, another may try.
    pub fn inconclusive(&mut self, pass: Pass, now: Instant) {
        if pass == Pass::Trial && self.phase == Phase::Probing {
            self.phase = Phase::Open { until: now };
        }
    }

    /// True while the party is not asked.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.phase != Phase::Closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circuit() -> Circuit {
        Circuit::new(CircuitSettings::default())
    }

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Five questions put at `now`, none answered.
    fn fall_silent(circuit: &mut Circuit, now: Instant) {
        for _ in 0..5 {
            circuit.timed_out(now, Pass::Ordinary, now);
        }
    }

    #[test]
    fn five_timeouts_in_a_row_open_it_for_thirty_seconds_and_then_one_question_goes() {
        let (mut circuit, now) = (circuit(), Instant::now());
        for _ in 0..5 {
            assert_eq!(circuit.admits(now), Some(Pass::Ordinary));
            circuit.timed_out(now, Pass::Ordinary, now);
        }
        assert_eq!(circuit.admits(now + Duration::from_millis(29_999)), None);
        let later = now + seconds(30);
        assert!(!circuit.refuses(later));
        assert_eq!(circuit.admits(later), Some(Pass::Trial));
        assert!(circuit.refuses(later), "only one trial question");
        assert_eq!(circuit.admits(later), None, "only one trial question");
        circuit.timed_out(later, Pass::Trial, later);
        assert_eq!(circuit.admits(later + seconds(29)), None);
        assert_eq!(circuit.admits(later + seconds(30)), Some(Pass::Trial));
        circuit.answered(later);
        assert_eq!(circuit.admits(later), Some(Pass::Ordinary));
        assert!(!circuit.is_open());
    }

    #[test]
    fn an_answer_between_timeouts_starts_the_count_anew() {
        let (mut circuit, now) = (circuit(), Instant::now());
        for _ in 0..20 {
            for _ in 0..4 {
                circuit.timed_out(now, Pass::Ordinary, now);
            }
            circuit.answered(now);
        }
        assert_eq!(circuit.admits(now), Some(Pass::Ordinary));
    }

    #[test]
    fn a_party_that_keeps_timing_out_is_waited_for_half_as_long_except_by_the_trial_question() {
        let (mut circuit, now) = (circuit(), Instant::now());
        let whole = seconds(11);
        for expected in [whole, whole, whole, whole / 2, whole / 2] {
            assert_eq!(circuit.patience(Pass::Ordinary, whole), expected);
            circuit.timed_out(now, Pass::Ordinary, now);
        }
        assert_eq!(circuit.patience(Pass::Trial, whole), whole);
    }

    #[test]
    fn a_trial_question_that_tells_nothing_lets_another_through() {
        let (mut circuit, now) = (circuit(), Instant::now());
        fall_silent(&mut circuit, now);
        let later = now + seconds(30);
        assert_eq!(circuit.admits(later), Some(Pass::Trial));
        circuit.inconclusive(Pass::Trial, later);
        assert_eq!(circuit.admits(later), Some(Pass::Trial));
    }

    #[test]
    fn questions_from_before_the_pause_neither_prolong_it_nor_end_the_trial() {
        let (mut circuit, now) = (circuit(), Instant::now());
        fall_silent(&mut circuit, now);
        circuit.timed_out(now, Pass::Ordinary, now + seconds(20));
        let later = now + seconds(30);
        assert_eq!(circuit.admits(later), Some(Pass::Trial));
        circuit.timed_out(now, Pass::Ordinary, later);
        circuit.inconclusive(Pass::Ordinary, later);
        assert_eq!(
            circuit.admits(later),
            None,
            "the trial question is still out"
        );
    }

    #[test]
    fn questions_lost_with_an_adapter_do_not_pause_a_party_that_has_answered_since() {
        let (mut circuit, now) = (circuit(), Instant::now());
        circuit.answered(now + seconds(2));
        for _ in 0..100 {
            circuit.timed_out(now, Pass::Ordinary, now + seconds(11));
        }
        assert_eq!(circuit.admits(now + seconds(11)), Some(Pass::Ordinary));
        assert_eq!(circuit.patience(Pass::Ordinary, seconds(11)), seconds(11));
    }
}
