//! Notes that will share a write.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::chain::LINK_BYTES_MAX;
use super::{LedgerTally, NotNoted};
use crate::observation::FailureClass;

/// Events that are to be written together, and who waits for them.
pub(super) struct Group {
    /// Objects of JSON, one behind the other.
    events: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    waiting: Vec<oneshot::Sender<Result<(), NotNoted>>>,
    tally: Arc<LedgerTally>,
}

impl Group {
    pub(super) fn new(tally: &Arc<LedgerTally>) -> Self {
        Self {
            events: Vec::new(),
            ends: Vec::new(),
            waiting: Vec::new(),
            tally: Arc::clone(tally),
        }
    }

    pub(super) fn notes(&self) -> usize {
        self.ends.len()
    }

    /// Whether somebody waits until it is on disk.
    pub(super) fn is_waited_for(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Bytes of its lines, at most.
    pub(super) fn bytes(&self) -> usize {
        self.events.len() + self.notes() * LINK_BYTES_MAX
    }

    /// Adds an event that `write` writes, and who waits for it. False when it cannot be written.
    pub(super) fn add(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> bool,
        durable: Option<oneshot::Sender<Result<(), NotNoted>>>,
    ) -> bool {
        if !write(&mut self.events) {
            match durable {
                Some(one) => drop(one.send(Err(NotNoted::Failed("no line")))),
                None => LedgerTally::count(&self.tally.lost, 1),
            }
            return false;
        }
        self.ends.push(self.events.len());
        self.waiting.extend(durable);
        true
    }

    /// The events.
    pub(super) fn events(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins
            .zip(&self.ends)
            .map(|(begin, end)| &self.events[begin..*end])
    }

    /// They are written, and on disk when somebody waits for one of them. Returns how many.
    pub(super) fn written(mut self) -> usize {
        let notes = self.notes();
        LedgerTally::count(&self.tally.noted, notes);
        LedgerTally::count(&self.tally.groups, 1);
        for one in self.waiting.drain(..) {
            // Who waited may be gone; the note is on disk all the same.
            let _ = one.send(Ok(()));
        }
        self.ends.clear();
        notes
    }

    /// They are not. Returns how many nobody waited for.
    pub(super) fn failed(mut self, class: FailureClass) -> usize {
        let lost = self.notes() - self.waiting.len();
        LedgerTally::count(&self.tally.lost, lost);
        for one in self.waiting.drain(..) {
            let _ = one.send(Err(NotNoted::Failed(class)));
        }
        self.ends.clear();
        lost
    }
}

/// A group that falls with its actor: who waits is told by the dropped channel, the rest is lost.
impl Drop for Group {
    fn drop(&mut self) {
        LedgerTally::count(&self.tally.lost, self.notes() - self.waiting.len());
    }
}
