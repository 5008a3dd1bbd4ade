//! When a directory that is away is asked again. Only the first callers wait for its timeouts; after
//! them one at a time finds out whether it is back, and everyone else is answered at once.

use std::time::Duration;

use tokio::time::Instant;

/// Pause after the first failure.
pub const AWAY_PAUSE_FIRST: Duration = Duration::from_secs(1);
/// Longest pause: each failure after a pause doubles the next one up to here.
pub const AWAY_PAUSE_LONGEST: Duration = Duration::from_secs(30);

/// Whether the directory may be asked now.
#[derive(Debug, Default)]
pub(super) struct Circuit(Option<Outage>);

#[derive(Debug)]
struct Outage {
    since: Instant,
    pause: Duration,
    until: Instant,
    /// Somebody is asking whether it is back.
    probing: bool,
}

impl Circuit {
    /// Whether to ask now. Whoever is told yes must report with [`Self::answered`] or
    /// [`Self::failed`].
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        match &mut self.0 {
            None => true,
            Some(outage) if outage.probing || now < outage.until => false,
            Some(outage) => {
                outage.probing = true;
                true
            }
        }
    }

    /// It answered. Gives how long it was away, when this ends an outage.
    pub(super) fn answered(&mut self, now: Instant) -> Option<Duration> {
        self.0.take().map(|outage| now - outage.since)
    }

    /// It did not answer. True when this begins an outage.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        match &mut self.0 {
            None => {
                self.0 = Some(Outage {
                    since: now,
                    pause: AWAY_PAUSE_FIRST,
                    until: now + AWAY_PAUSE_FIRST,
                    probing: false,
                });
                true
            }
            Some(outage) => {
                // Look-ups that began before the outage fail after it; only a probe says more.
                if outage.probing {
                    outage.pause = (outage.pause * 2).min(AWAY_PAUSE_LONGEST);
                    outage.until = now + outage.pause;
                    outage.probing = false;
                }
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn after_a_failure_nobody_asks_for_a_pause_and_then_one_does() {
        let mut circuit = Circuit::default();
        let now = Instant::now();
        assert!(circuit.admits(now) && circuit.admits(now));
        assert!(circuit.failed(now));
        assert!(!circuit.admits(now + SECOND / 2));
        assert!(circuit.admits(now + SECOND), "the probe");
        assert!(!circuit.admits(now + SECOND), "one probe only");
        assert_eq!(circuit.answered(now + SECOND * 2), Some(SECOND * 2));
        assert!(circuit.admits(now + SECOND * 2));
        assert_eq!(circuit.answered(now + SECOND * 2), None);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut circuit = Circuit::default();
        let mut now = Instant::now();
        circuit.failed(now);
        for expected in [1, 2, 4, 8, 16, 30, 30] {
            assert!(!circuit.admits(now + SECOND * expected - SECOND / 10));
            now += SECOND * expected;
            assert!(circuit.admits(now), "{expected}");
            assert!(!circuit.failed(now));
        }
    }

    #[test]
    fn late_failures_of_the_same_outage_do_not_lengthen_the_pause() {
        let mut circuit = Circuit::default();
        let now = Instant::now();
        assert!(circuit.failed(now));
        assert!(!circuit.failed(now + SECOND / 2));
        assert!(circuit.admits(now + SECOND));
    }
}
