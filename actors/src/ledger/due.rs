//! [`Due`]: what the ledger is to do later, and when.
//!
//! All of it hangs on one alarm. While an actor is told to wait, actix looks at one of its timers a round, by
//! turns the first and the last: of three, under notes that never pause, the one in the middle never fires.

use actix::SpawnHandle;
use tokio::time::Instant;

/// When what is to be done; nothing that is not set.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// Lines that are written are to come to disk.
    pub(super) sync: Option<Instant>,
    /// Lines are to get a checkpoint.
    pub(super) checkpoint: Option<Instant>,
    /// A disk that fails is to be tried.
    pub(super) probe: Option<Instant>,
    /// It is to be looked for notes of who has read.
    pub(super) readings: Option<Instant>,
    /// The alarm that is set, and for when.
    pub(super) alarm: Option<(Instant, SpawnHandle)>,
}

impl Due {
    /// When the next alarm is to be set for, if none is that rings early enough.
    pub(super) fn next(&self) -> Option<Instant> {
        let all = [self.sync, self.checkpoint, self.probe, self.readings];
        let first = all.into_iter().flatten().min()?;
        let is_set = self.alarm.is_some_and(|(at, _)| at <= first);
        (!is_set).then_some(first)
    }
}

/// Whether it is time for this; then it is no longer set.
pub(super) fn is_over(due: &mut Option<Instant>, now: Instant) -> bool {
    due.take_if(|at| *at <= now).is_some()
}
