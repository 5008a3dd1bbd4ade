//! An adapter: lets a [`Bastjanst`] answer questions from RabbitMQ (design 5).
//!
//! One connection, and on it one channel per queue, so that a queue that is missing costs nobody
//! but itself. Questions come with automatic acknowledgement; each is answered in a task of its
//! own; answers go to the question's reply address on the default exchange, transient, unconfirmed
//! and not mandatory (a mandatory answer to a direct reply-to is delivered *and* returned). Nothing
//! is declared: the queue belongs to the definitions file and the dispatcher. What goes away is
//! waited for: connection, queue and channel alike, forever.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use samsvar_actors::transport::{Bastjanst, Traffic};
use shs_schemas::{Sensitive, Uppgiftslamnare};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

mod message;
mod queue;

/// Questions of one queue that are answered at once: as many as the queue may hold. More are told
/// at once that it is too much.
pub const CONCURRENT_ANSWERS_MAX: usize = 1_000;
/// Shortest and longest wait before connecting again; each wait is twice the one before.
pub const RECONNECT_WAIT: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(2);
/// Wait before looking for a missing queue again.
pub const QUEUE_WAIT: Duration = Duration::from_millis(500);
/// Longest wait for a connection to come about.
pub const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Longest wait for RabbitMQ to take an answer: a blocked broker takes none and says nothing.
pub const PUBLISH_MAX: Duration = Duration::from_secs(10);
/// Longest wait, when stopping, for answers that are under way.
pub const DRAIN_MAX: Duration = Duration::from_secs(2);
/// Seconds between heartbeats, unless the address says otherwise: how a dead connection is noticed.
const HEARTBEAT_SECONDS: u16 = 10;

/// Where and for whom an adapter answers.
#[derive(Clone, Debug)]
pub struct AdapterSettings {
    /// `amqp://user:password@host:port/vhost` or `amqps://…`.
    pub url: Sensitive<String>,
    /// Which queues of each party are consumed.
    pub traffic: Vec<Traffic>,
    /// The RabbitMQ user that questions must come from (`user_id`, which RabbitMQ vouches for);
    /// any if not set.
    pub node_user: Option<String>,
}

/// Why an adapter cannot start. Nothing that happens later stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// The address cannot be read. It may hold a password, so it is not quoted.
    #[error("the AMQP address cannot be read: write amqp://user:password@host:port/vhost")]
    Url,
}

/// What an adapter is doing, for a status line.
#[derive(Debug, Default)]
pub struct AdapterStatus {
    consuming: AtomicUsize,
    ignored: AtomicU64,
    overloaded: AtomicU64,
    crashed: AtomicU64,
    unsent: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl AdapterStatus {
    /// Queues that are being consumed right now; 0 while RabbitMQ is away.
    #[must_use]
    pub fn consuming(&self) -> usize {
        self.consuming.load(Ordering::Relaxed)
    }

    /// Why there is no connection to RabbitMQ, if that is so: the broker's words or the operating
    /// system's.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Messages that were no question for this adapter: expired, from another user, or unreadable.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.ignored.load(Ordering::Relaxed)
    }

    /// Questions refused because [`CONCURRENT_ANSWERS_MAX`] were being answered.
    #[must_use]
    pub fn overloaded(&self) -> u64 {
        self.overloaded.load(Ordering::Relaxed)
    }

    /// Questions whose Bastjänst panicked.
    #[must_use]
    pub fn crashed(&self) -> u64 {
        self.crashed.load(Ordering::Relaxed)
    }

    /// Answers that RabbitMQ did not take.
    #[must_use]
    pub fn unsent(&self) -> u64 {
        self.unsent.load(Ordering::Relaxed)
    }
}

/// A party and the service that answers for it.
pub type Party = (Uppgiftslamnare, Arc<dyn Bastjanst>);

/// Answers for these parties until it is told to stop. Must run on a tokio runtime.
///
/// # Errors
/// [`AdapterError`] at once, when the settings cannot be used.
pub async fn serve(
    settings: AdapterSettings,
    parties: Vec<Party>,
    status: Arc<AdapterStatus>,
    stop: CancellationToken,
) -> Result<(), AdapterError> {
    let uri = uri(&settings)?;
    let queues = queues(&settings, parties, &status);
    let mut wait = *RECONNECT_WAIT.start();
    while !stop.is_cancelled() {
        match connect(&uri, &stop).await {
            Ok(connection) => {
                tracing::info!("connected to RabbitMQ");
                status.set_trouble(None);
                wait = *RECONNECT_WAIT.start();
                serve_connection(connection, &queues, &stop).await;
            }
            Err(_) if stop.is_cancelled() => break,
            Err(trouble) => {
                tracing::warn!(
                    wait_ms = wait.as_millis(),
                    trouble,
                    "RabbitMQ cannot be reached"
                );
                status.set_trouble(Some(trouble));
            }
        }
        let _ = timeout(wait, stop.cancelled()).await;
        wait = (wait * 2).min(*RECONNECT_WAIT.end());
    }
    Ok(())
}

fn uri(settings: &AdapterSettings) -> Result<AMQPUri, AdapterError> {
    let mut uri: AMQPUri = settings
        .url
        .expose()
        .parse()
        .map_err(|_| AdapterError::Url)?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    if uri.vhost.is_empty() {
        // Strictly, a trailing slash names a vhost without a name; everybody means the usual one.
        "/".clone_into(&mut uri.vhost);
    }
    Ok(uri)
}

fn queues(
    settings: &AdapterSettings,
    parties: Vec<Party>,
    status: &Arc<AdapterStatus>,
) -> Vec<queue::Queue> {
    let mut queues = Vec::new();
    for (ul, bastjanst) in parties {
        for traffic in &settings.traffic {
            queues.push(queue::Queue {
                ul,
                traffic: *traffic,
                bastjanst: Arc::clone(&bastjanst),
                node_user: settings.node_user.as_deref().map(Into::into),
                status: Arc::clone(status),
            });
        }
    }
    queues
}

/// A connection, or why none comes about, in words that hold no password.
async fn connect(uri: &AMQPUri, stop: &CancellationToken) -> Result<Connection, String> {
    let name = format!("samsvar-adapter-{}", std::process::id());
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let connecting = timeout(
        CONNECT_MAX,
        Connection::connect_uri(uri.clone(), properties),
    );
    tokio::select! {
        connected = connecting => match connected {
            Ok(connected) => connected.map_err(|error| error.to_string()),
            Err(_) => Err("no answer".to_owned()),
        },
        () = stop.cancelled() => Err("stopped".to_owned()),
    }
}

/// Answers on one connection, until it is lost or the adapter is told to stop.
async fn serve_connection(
    connection: Connection,
    queues: &[queue::Queue],
    stop: &CancellationToken,
) {
    let connection = Arc::new(connection);
    let mut serving = JoinSet::new();
    for queue in queues {
        serving.spawn(queue.clone().serve(Arc::clone(&connection), stop.clone()));
    }
    while serving.join_next().await.is_some() {}
    if stop.is_cancelled() {
        // An unanswered goodbye changes nothing.
        let _ = timeout(DRAIN_MAX, connection.close(200, "stopped".into())).await;
    } else {
        tracing::warn!("connection to RabbitMQ lost");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vhost(url: &str) -> Result<String, AdapterError> {
        let url = Sensitive::new(url.to_owned());
        uri(&AdapterSettings {
            url,
            traffic: Vec::new(),
            node_user: None,
        })
        .map(|uri| uri.vhost)
    }

    #[test]
    fn the_usual_vhost_is_meant_unless_another_is_named() {
        assert_eq!(vhost("amqp://u:p@localhost").as_deref(), Ok("/"));
        assert_eq!(vhost("amqp://u:p@localhost/").as_deref(), Ok("/"));
        assert_eq!(vhost("amqp://u:p@localhost/%2f").as_deref(), Ok("/"));
        assert_eq!(vhost("amqp://u:p@localhost/csn").as_deref(), Ok("csn"));
        assert_eq!(vhost("localhost"), Err(AdapterError::Url));
    }

    #[tokio::test]
    async fn a_broker_that_is_away_is_waited_for_and_said_why() {
        let status = Arc::new(AdapterStatus::default());
        let stop = CancellationToken::new();
        // Nothing listens on port 1.
        let url = Sensitive::new("amqp://u:hemligt@127.0.0.1:1/".to_owned());
        let settings = AdapterSettings {
            url,
            traffic: Traffic::ALL.to_vec(),
            node_user: None,
        };
        let serving = serve(settings, Vec::new(), Arc::clone(&status), stop.clone());
        let serving = tokio::spawn(serving);
        while status.trouble().is_none() {
            tokio::task::yield_now().await;
        }
        assert!(
            !status
                .trouble()
                .is_some_and(|trouble| trouble.contains("hemligt"))
        );
        assert_eq!(status.consuming(), 0);
        stop.cancel();
        assert_eq!(serving.await.expect("no panic"), Ok(()));
    }
}
