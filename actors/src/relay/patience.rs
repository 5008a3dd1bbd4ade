//! [`Patience`]: how long and how often something is tried again.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

use super::RelaySettings;
use super::board::Board;

/// Waits between tries: doubling, with jitter, up to the longest; the last try is made when the time is
/// up.
pub(super) struct Patience {
    pauses: ExponentialBackoff,
    longest: Duration,
    until: Instant,
    board: Arc<Board>,
}

impl Patience {
    pub(super) fn new(settings: &RelaySettings, lasts: Duration, board: &Arc<Board>) -> Self {
        Self {
            pauses: ExponentialBuilder::default()
                .with_min_delay(settings.retry_first)
                .with_max_delay(settings.retry_longest)
                .with_jitter()
                .without_max_times()
                .build(),
            longest: settings.retry_longest,
            until: Instant::now() + lasts,
            board: Arc::clone(board),
        }
    }

    /// When it ends.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Waits until the next try; false, at once, when there is none.
    pub(super) async fn wait(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        let pause = self.pauses.next().unwrap_or(self.longest);
        let _seen = self.board.pausing();
        // The jitter comes on top of the longest.
        tokio::time::sleep(pause.min(self.longest).min(left)).await;
        true
    }
}
