//! Overwrites what an idle connection still holds of content (design 8.2).
//!
//! lapin keeps two ring buffers for each connection, 32 frames each, and never clears them: the last
//! questions and answers lie there for as long as the connection lives, which no allocator can help.
//! So zeros are sent round, as many as a ring holds: `mandatory` messages to a key that nothing is bound to,
//! which RabbitMQ gives back. On the way out they overwrite one ring, on the way back the other;
//! under TLS, the library's buffers as well.
//!
//! One frame at a time, each awaited: a question that comes in the midst of it waits behind one
//! frame and not behind four megabytes, no limit of the broker on messages is met, and the rest of
//! the round is left for the next time that the connection is idle.
//!
//! The messages go over a channel of their own: what comes back there cannot be taken for a question
//! of a line, nor its confirms for those of one.

use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Connection};
use tokio::time::{Instant, timeout};

use super::activity::Activity;
use super::contract::{APP_ID, EXCHANGE, RINSE_KEY, RINSE_V1};
use super::counts::Counts;

/// Frames that a ring buffer of lapin holds (`FRAMES_STORAGE` in its I/O loop; 4.12).
const RING_FRAMES: usize = 32;

/// What a body frame takes besides its payload, in bytes.
const FRAME_OVERHEAD: usize = 8;

/// Longest time for a round. A connection that takes longer is not idle, or not well.
const ROUND_LONGEST: Duration = Duration::from_secs(10);

/// Pause after a round that failed: RabbitMQ logs each refusal.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What became of a round.
enum Round {
    /// Everything is overwritten.
    Whole,
    /// Content passed meanwhile, or the broker takes nothing for now.
    LeftOff,
}

#[derive(Debug, thiserror::Error)]
enum RinseError {
    #[error("it took more than {} s", ROUND_LONGEST.as_secs())]
    Timeout,
    #[error("RabbitMQ did not give back a message to {EXCHANGE} with the key {RINSE_KEY}")]
    NotReturned,
    #[error(transparent)]
    Lapin(#[from] lapin::Error),
}

/// Rinses one connection, whenever that is due.
pub(super) struct Rinser {
    connection: Arc<Connection>,
    activity: Arc<Activity>,
    counts: Arc<Counts>,
    after: Duration,
    /// What had passed when the last whole round began.
    clean_at: u64,
    not_before: Instant,
    failed: bool,
}

impl Rinser {
    /// For a connection that has just come about, over which nothing has passed.
    pub(super) fn new(
        connection: Arc<Connection>,
        activity: Arc<Activity>,
        counts: Arc<Counts>,
        after: Duration,
    ) -> Self {
        Self {
            clean_at: activity.passed(),
            connection,
            activity,
            counts,
            after,
            not_before: Instant::now(),
            failed: false,
        }
    }

    /// Rinses if content has passed since the last time and the connection is idle.
    pub(super) async fn look(&mut self) {
        let (now, passed) = (Instant::now(), self.activity.passed());
        let due = passed != self.clean_at
            && now >= self.not_before
            && self.activity.is_idle(now, self.after)
            && !self.connection.status().blocked();
        if !due {
            return;
        }
        let round = timeout(ROUND_LONGEST, self.round(passed)).await;
        match round.unwrap_or(Err(RinseError::Timeout)) {
            Ok(Round::Whole) => {
                self.clean_at = passed;
                self.failed = false;
                self.counts.connection_rinsed();
            }
            Ok(Round::LeftOff) => {}
            Err(error) => self.note(&error),
        }
    }

    /// Sends a ring's worth of zeros round, unless more than `passed` has passed.
    async fn round(&self, passed: u64) -> Result<Round, RinseError> {
        let frame = usize::try_from(self.connection.configuration().frame_max());
        let frame = frame.unwrap_or(usize::MAX);
        let zeros = vec![0; frame.saturating_sub(FRAME_OVERHEAD).max(1)];
        let channel = self.connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        for _ in 0..RING_FRAMES {
            if self.activity.passed() != passed || self.connection.status().blocked() {
                close(&channel).await?;
                return Ok(Round::LeftOff);
            }
            send_round(&channel, &zeros).await?;
        }
        close(&channel).await?;
        // What passed while the last frame was on its way may lie where it had been already.
        Ok(if self.activity.passed() == passed {
            Round::Whole
        } else {
            Round::LeftOff
        })
    }

    /// Says it once: attempts go on for as long as it takes.
    fn note(&mut self, error: &RinseError) {
        self.not_before = Instant::now() + RETRY_AFTER;
        // A connection that is being lost takes its buffers with it.
        if !std::mem::replace(&mut self.failed, true) && self.connection.status().connected() {
            tracing::warn!(%error, "an idle connection to the broker is not rinsed: it holds content");
        }
    }
}

/// One message of a whole frame, out and back.
async fn send_round(channel: &Channel, zeros: &[u8]) -> Result<(), RinseError> {
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let properties = BasicProperties::default()
        .with_type(RINSE_V1.into())
        .with_app_id(APP_ID.into())
        .with_delivery_mode(1)
        // Should somebody bind the key after all.
        .with_expiration("1".into());
    let publish = channel.basic_publish(
        EXCHANGE.into(),
        RINSE_KEY.into(),
        options,
        zeros,
        properties,
    );
    match publish.await?.await?.take_message() {
        Some(_) => Ok(()),
        None => Err(RinseError::NotReturned),
    }
}

async fn close(channel: &Channel) -> lapin::Result<()> {
    /// AMQP's code for an end without a fault.
    const REPLY_SUCCESS: u16 = 200;
    channel.close(REPLY_SUCCESS, "".into()).await
}
