//! Panics on purpose, for tests of supervision. In a release build there is nothing here to arm:
//! [`Failpoints`] is empty and [`Failpoints::hit`] compiles to nothing.

#[cfg(debug_assertions)]
use std::collections::HashMap;
#[cfg(debug_assertions)]
use std::sync::{Arc, Mutex, PoisonError};

/// The places of one node at which a test can make an actor panic.
#[derive(Clone, Debug, Default)]
pub struct Failpoints {
    #[cfg(debug_assertions)]
    armed: Arc<Mutex<HashMap<String, usize>>>,
}

impl Failpoints {
    /// Makes the next `times` visits to `place` panic: an actor's name (`dispatcher-AF`) or kind.
    #[cfg(debug_assertions)]
    pub fn arm(&self, place: &str, times: usize) {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.insert(place.to_owned(), times);
    }

    /// Visits of `place` that will still panic.
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
        let due = {
            let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
            armed.get_mut(place).is_some_and(|left| {
                let due = *left > 0;
                *left = left.saturating_sub(1);
                due
            })
        };
        assert!(!due, "armed by a test");
    }

    /// Does nothing: a release build has no means of forcing a panic.
    #[cfg(not(debug_assertions))]
    #[inline(always)]
    #[allow(clippy::unused_self)]
    pub fn hit(&self, _place: &str) {}
}
