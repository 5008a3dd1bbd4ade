//! [`Board`]: what the tree shows of the relay. Its work is done by tasks, so that its own line is
//! written by whoever begins, waits or ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::transit::Underway;
use crate::observation::{FailureClass, Observed};

/// Messages wait for a directory that does not answer.
const DIRECTORY_AWAY: FailureClass = "directory away";
/// The last message could not be noted.
const NOT_NOTED: FailureClass = "ledger fails";

/// The relay's line in the tree.
#[derive(Debug)]
pub struct Board {
    observed: Arc<Observed>,
    underway: Arc<Underway>,
    pausing: AtomicUsize,
    without_directory: AtomicUsize,
    not_noted: AtomicBool,
}

impl Board {
    /// Shows there what is under way.
    #[must_use]
    pub fn new(observed: Arc<Observed>, underway: Arc<Underway>) -> Arc<Self> {
        Arc::new(Self {
            observed,
            underway,
            pausing: AtomicUsize::new(0),
            without_directory: AtomicUsize::new(0),
            not_noted: AtomicBool::new(false),
        })
    }

    pub(super) fn observed(&self) -> &Observed {
        &self.observed
    }

    pub(super) fn underway(&self) -> &Arc<Underway> {
        &self.underway
    }

    /// Brings the line up to date.
    pub(super) fn show(&self) {
        let waiting = self.pausing.load(Ordering::Relaxed) + self.underway.waiting();
        let in_flight = self.underway.messages().saturating_sub(waiting);
        self.observed.set_load(in_flight, waiting);
        let why = if self.not_noted.load(Ordering::Relaxed) {
            Some(NOT_NOTED)
        } else {
            let some = self.without_directory.load(Ordering::Relaxed) > 0;
            some.then_some(DIRECTORY_AWAY)
        };
        self.observed.set_impaired(why);
    }

    /// A message waits for its next try, until this is dropped.
    pub(super) fn pausing(self: &Arc<Self>) -> Counted {
        Counted::one(self, |board| &board.pausing)
    }

    /// A message waits for the directory, until this is dropped.
    pub(super) fn without_directory(self: &Arc<Self>) -> Counted {
        Counted::one(self, |board| &board.without_directory)
    }

    /// Whether the last message that was to be accepted could be noted.
    pub(super) fn noted(&self, noted: bool) {
        if self.not_noted.swap(!noted, Ordering::Relaxed) == noted {
            self.show();
        }
    }
}

/// One that is counted.
pub(super) struct Counted {
    board: Arc<Board>,
    counter: fn(&Board) -> &AtomicUsize,
}

impl Counted {
    fn one(board: &Arc<Board>, counter: fn(&Board) -> &AtomicUsize) -> Self {
        counter(board).fetch_add(1, Ordering::Relaxed);
        board.show();
        Self {
            board: Arc::clone(board),
            counter,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.counter)(&self.board).fetch_sub(1, Ordering::Relaxed);
        self.board.show();
    }
}
