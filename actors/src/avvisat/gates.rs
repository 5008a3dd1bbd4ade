//! [`Gates`]: a [`Gate`] for each reason, made when the reason is first met. Without a lock.

use std::sync::OnceLock;

use crate::avvikelse::gate::Gate;

/// Reasons that have a gate of their own. Reasons are words of our own tables, some sixty; those beyond this
/// share one.
pub(super) const REASONS_MAX: usize = 128;

/// The gates of one door.
#[derive(Debug)]
pub(super) struct Gates {
    own: [OnceLock<(&'static str, Gate)>; REASONS_MAX],
    shared: Gate,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            own: [const { OnceLock::new() }; REASONS_MAX],
            shared: Gate::default(),
        }
    }
}

impl Gates {
    /// The gate of this reason.
    pub(super) fn of(&self, reason: &'static str) -> &Gate {
        let begin = reason.bytes().fold(reason.len(), |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(usize::from(byte))
        });
        let places = (0..REASONS_MAX).map(|step| begin.wrapping_add(step) % REASONS_MAX);
        for place in places {
            let (owner, gate) = self.own[place].get_or_init(|| (reason, Gate::default()));
            if *owner == reason {
                return gate;
            }
        }
        &self.shared
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_reason_has_its_own_gate_and_those_beyond_the_bound_share_one() {
        let gates = Gates::default();
        let word = |n: usize| -> &'static str { format!("reason-{n}").leak() };
        for n in 0..REASONS_MAX {
            assert_eq!(gates.of(word(n)).pass(1, Duration::ZERO), Some(0), "{n}");
            assert_eq!(gates.of(word(n)).pass(1, Duration::ZERO), None, "{n}");
        }
        let beyond = gates.of(word(REASONS_MAX));
        assert_eq!(beyond.pass(1, Duration::ZERO), Some(0));
        let other = gates.of(word(REASONS_MAX + 1));
        assert_eq!(other.pass(1, Duration::ZERO), None);
        assert_eq!(gates.of(word(0)).pass(1, Duration::ZERO), None);
    }
}
