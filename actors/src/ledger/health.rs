//! Whether the ledger can write: looked at by everybody who would start something that must be noted.

use std::sync::atomic::{AtomicBool, Ordering};

/// Set by the ledger, read at both doors. While it fails nothing new is taken, since what cannot be
/// noted may not happen; what is open is answered.
#[derive(Debug, Default)]
pub struct LedgerHealth(AtomicBool);

impl LedgerHealth {
    /// True while the ledger cannot write.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The ledger can write, or cannot.
    pub(crate) fn set_failing(&self, failing: bool) {
        self.0.store(failing, Ordering::Release);
    }
}
