//! What look-ups in the directory came to, counted for operators.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a look-up came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The directory was asked and answered.
    Fresh,
    /// The answer was kept and still fresh.
    Cached,
    /// The directory was away, and an older answer served.
    Stale,
    /// The directory was away, and there was no answer.
    Away,
}

impl Lookup {
    /// Every one, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Fresh, Self::Cached, Self::Stale, Self::Away];

    /// Its word in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Cached => "cached",
            Self::Stale => "stale",
            Self::Away => "away",
        }
    }
}

/// Look-ups since the start, and what is kept now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Look-ups by [`Lookup`], in the order of [`Lookup::ALL`].
    pub lookups: [u64; Lookup::ALL.len()],
    /// Answers that are kept, "there is none" included.
    pub entries: usize,
}

impl Counted {
    /// How many look-ups came to this.
    #[must_use]
    pub const fn lookups(&self, lookup: Lookup) -> u64 {
        self.lookups[lookup as usize]
    }
}

/// The counters behind [`Counted`].
#[derive(Debug, Default)]
pub(super) struct Tally([AtomicU64; Lookup::ALL.len()]);

impl Tally {
    pub(super) fn count(&self, lookup: Lookup) {
        self.0[lookup as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> [u64; Lookup::ALL.len()] {
        self.0.each_ref().map(|count| count.load(Ordering::Relaxed))
    }
}
