//! Wiping can be switched off, once and for the whole process: to show that a search for what is left
//! behind finds something when nothing is wiped, and to measure what wiping costs.
//!
//! A load of a flag that never changes costs each free about as much as a predicted branch; a second
//! build without the wrapper would prove something about another binary.

use std::sync::atomic::{AtomicBool, Ordering};

static ON: AtomicBool = AtomicBool::new(true);

/// Whether freed memory is wiped.
#[inline]
#[must_use]
pub fn is_on() -> bool {
    // Nothing is ordered by it: a free on another thread may be wiped a moment longer.
    ON.load(Ordering::Relaxed)
}

/// Freed memory is not wiped from now on, in this process. There is no way back: what was freed in
/// between would stay where it is.
pub fn switch_off() {
    ON.store(false, Ordering::Relaxed);
}
