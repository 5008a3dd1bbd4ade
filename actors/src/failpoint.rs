//! Faults on purpose, for tests: panics of actors, and memory that changes what lies in it. In a release
//! build there is nothing here to arm: [`Failpoints`] is empty and [`Failpoints::hit`] compiles to
//! nothing.

#[cfg(debug_assertions)]
use std::collections::HashMap;
#[cfg(debug_assertions)]
use std::sync::{Arc, Mutex, PoisonError};

/// The places of one node at which a test can make an actor panic, or something go wrong.
#[derive(Clone, Debug, Default)]
pub struct Failpoints {
    #[cfg(debug_assertions)]
    armed: Arc<Mutex<HashMap<String, usize>>>,
}

impl Failpoints {
    /// Makes something go wrong at the next `times` visits to `place`. At an actor's name
    /// (`dispatcher-AF`) or kind it panics; at `passage-AF` a bit of that party's answer flips.
    #[cfg(debug_assertions)]
    pub fn arm(&self, place: &str, times: usize) {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.insert(place.to_owned(), times);
    }

    /// Visits of `place` at which it still will.
    #[cfg(debug_assertions)]
    #[must_use]
    pub fn left(&self, place: &str) -> usize {
        let armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.get(place).copied().unwrap_or(0)
    }

    /// Panics when a test has armed this place.
    ///
    /// # Panics
    /// As armed; never in a release build.
    #[cfg(debug_assertions)]
    pub fn hit(&self, place: &str) {
        let due = self.is_due(place);
        assert!(!due, "armed by a test");
    }

    /// Whether a test has armed this place; counts the visit.
    #[cfg(debug_assertions)]
    #[must_use]
    pub fn is_due(&self, place: &str) -> bool {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.get_mut(place).is_some_and(|left| {
            let due = *left > 0;
            *left = left.saturating_sub(1);
            due
        })
    }

    /// Does nothing: a release build has no means of forcing a panic.
    #[cfg(not(debug_assertions))]
    #[inline(always)]
    #[allow(clippy::unused_self)]
    pub fn hit(&self, _place: &str) {}
}
