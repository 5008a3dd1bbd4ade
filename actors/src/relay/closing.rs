//! [`Closing`]: the moment from which the tasks of a relay end where they are, because the node stops.
//! Actors end by themselves; a task that waits for its next try does not.

use tokio::sync::watch;

/// Whether the node has begun to stop.
#[derive(Debug)]
pub struct Closing(watch::Sender<bool>);

impl Default for Closing {
    fn default() -> Self {
        Self(watch::channel(false).0)
    }
}

impl Closing {
    /// From now on every task ends at the next point where it waits.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Does this, unless and until the node stops.
    pub(super) async fn unless<T>(&self, task: impl Future<Output = T>) -> Option<T> {
        let mut begun = self.0.subscribe();
        tokio::select! {
            biased;
            _ = begun.wait_for(|begun| *begun) => None,
            done = task => Some(done),
        }
    }
}
