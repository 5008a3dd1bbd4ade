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
}

impl Circuit {
    /// A closed circuit: the party is asked.
    #[must_use]
    pub const fn new(settings: CircuitSettings) -> Self {
        Self {
            settings,
            phase: Phase::Closed,
            timeouts: 0,
        }
    }

    /// True when the party may be asked at `now`. After a pause this lets exactly one through until
    /// it is known how that one ended.
    pub fn admits(&mut self, now: Instant) -> bool {
        match self.phase {
            Phase::Closed => true,
            Phase::Open { until } if now >= until => {
                self.phase = Phase::Probing;
                true
            }
            Phase::Open { .. } | Phase::Probing => false,
        }
    }

    /// How long to wait for this party when `whole` is what the request has left.
    #[must_use]
    pub fn patience(&self, whole: Duration) -> Duration {
        if self.timeouts >= self.settings.impatient_after {
            whole / 2
        } else {
            whole
        }
    }

    /// The party answered, in time or late: it is alive.
    pub fn answered(&mut self) {
        self.timeouts = 0;
        self.phase = Phase::Closed;
    }

    /// The party was silent to a question for as long as it was waited for.
    pub fn timed_out(&mut self, now: Instant) {
        self.timeouts = self.timeouts.saturating_add(1);
        let probe_failed = self.phase == Phase::Probing;
        if probe_failed || self.timeouts >= self.settings.timeouts_in_a_row {
            self.phase = Phase::Open {
                until: now + self.settings.pause,
            };
        }
    }

    /// The question that was let through came to nothing that tells of the party (cancelled,
    /// refused by the broker): another may try.
    pub fn inconclusive(&mut self, now: Instant) {
        if self.phase == Phase::Probing {
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

    #[test]
    fn five_timeouts_in_a_row_open_it_for_thirty_seconds_and_then_one_question_goes() {
        let (mut circuit, now) = (circuit(), Instant::now());
        for _ in 0..5 {
            assert!(circuit.admits(now));
            circuit.timed_out(now);
        }
        assert!(!circuit.admits(now + Duration::from_millis(29_999)));
        let later = now + Duration::from_secs(30);
        assert!(circuit.admits(later));
        assert!(!circuit.admits(later), "only one probe");
        circuit.timed_out(later);
        assert!(!circuit.admits(later + Duration::from_secs(29)));
        assert!(circuit.admits(later + Duration::from_secs(30)));
        circuit.answered();
        assert!(circuit.admits(later));
        assert!(!circuit.is_open());
    }

    #[test]
    fn an_answer_between_timeouts_starts_the_count_anew() {
        let (mut circuit, now) = (circuit(), Instant::now());
        for _ in 0..20 {
            for _ in 0..4 {
                circuit.timed_out(now);
            }
            circuit.answered();
        }
        assert!(circuit.admits(now));
    }

    #[test]
    fn a_party_that_keeps_timing_out_is_waited_for_half_as_long() {
        let (mut circuit, now) = (circuit(), Instant::now());
        let whole = Duration::from_secs(11);
        for expected in [whole, whole, whole, whole / 2, whole / 2] {
            assert_eq!(circuit.patience(whole), expected);
            circuit.timed_out(now);
        }
    }

    #[test]
    fn a_probe_that_tells_nothing_lets_another_through() {
        let (mut circuit, now) = (circuit(), Instant::now());
        for _ in 0..5 {
            circuit.timed_out(now);
        }
        let later = now + Duration::from_secs(30);
        assert!(circuit.admits(later));
        circuit.inconclusive(later);
        assert!(circuit.admits(later));
    }
}
