//! The connection to one address: kept up for as long as somebody uses it.
//!
//! lapin's own recovery is not used: it replays channels and publishes behind our back and tells
//! nobody when, while the contract wants [`LineEvent::Down`](crate::transport::LineEvent::Down) at
//! the moment of loss, a question sent at most once, and attempts without end.

use std::sync::Arc;
use std::time::Duration;

use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use lapin::{Connect, Connection, ConnectionProperties};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::activity::Activity;
use super::counts::Counts;
use super::rinse::Rinser;
use super::settings::{AmqpSettings, Backoff};

/// How often a connection is looked at. Its lines notice a loss by themselves; this only decides
/// when the next attempt begins.
pub(super) const CONNECTION_CHECK: Duration = Duration::from_millis(50);

/// Where a connection stands.
#[derive(Clone, Debug)]
pub(super) enum LinkState {
    /// The first attempt is under way.
    Connecting,
    /// Connected.
    Up(Arc<Connection>),
    /// Lost, or never reached; attempts go on.
    Away,
}

/// One connection. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Link {
    state: watch::Receiver<LinkState>,
    activity: Arc<Activity>,
    keeper: AbortHandle,
}

impl Link {
    /// Begins to connect, on the runtime given.
    pub(super) fn start(
        uri: AMQPUri,
        settings: &AmqpSettings,
        counts: Arc<Counts>,
        runtime: &Handle,
    ) -> Self {
        let (told, state) = watch::channel(LinkState::Connecting);
        let activity = Arc::new(Activity::new());
        let keeper = Keeper {
            uri: with_timing(uri, settings),
            tls_ca: settings.tls_ca.clone(),
            connect_timeout: settings.connect_timeout,
            backoff: Backoff::new(settings),
            state: told,
            counts,
            activity: Arc::clone(&activity),
            rinse_after: settings.rinse_after,
        };
        let keeper = runtime.spawn(keeper.keep()).abort_handle();
        Self {
            state,
            activity,
            keeper,
        }
    }

    /// What the lines of this connection tell of what passes over it.
    pub(super) fn activity(&self) -> Arc<Activity> {
        Arc::clone(&self.activity)
    }

    pub(super) fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Puts heartbeat and connection timeout where lapin looks for them; what the address itself says
/// is left alone.
fn with_timing(mut uri: AMQPUri, settings: &AmqpSettings) -> AMQPUri {
    let heartbeat = u16::try_from(settings.heartbeat.as_secs().max(1)).unwrap_or(u16::MAX);
    let wait = u64::try_from(settings.connect_timeout.as_millis()).unwrap_or(u64::MAX);
    uri.query.heartbeat.get_or_insert(heartbeat);
    uri.query.connection_timeout.get_or_insert(wait);
    uri
}

/// A connection to an address, within a time. The runtime that this runs on drives it.
pub(super) async fn connect(
    uri: AMQPUri,
    tls_ca: Option<String>,
    wait: Duration,
) -> Result<Connection, ConnectError> {
    let properties =
        ConnectionProperties::default().with_connection_name("samsvar".to_owned().into());
    let tls = OwnedTLSConfig {
        identity: None,
        cert_chain: tls_ca,
    };
    let runtime = lapin::runtime::default_runtime()?;
    let connecting = uri.connect_with_config(properties, tls, runtime);
    timeout(wait, connecting)
        .await
        .map_err(|_| ConnectError::Timeout)?
        .map_err(ConnectError::from)
}

struct Keeper {
    uri: AMQPUri,
    tls_ca: Option<String>,
    connect_timeout: Duration,
    backoff: Backoff,
    state: watch::Sender<LinkState>,
    counts: Arc<Counts>,
    activity: Arc<Activity>,
    rinse_after: Duration,
}

impl Keeper {
    async fn keep(mut self) {
        let mut said = false;
        loop {
            let begun = Instant::now();
            match self.connect().await {
                Ok(connection) => {
                    said = false;
                    self.stand(connection).await;
                }
                // Once: attempts go on for as long as it takes.
                Err(error) if !said => {
                    said = true;
                    tracing::warn!(%error, "no connection to the broker");
                }
                Err(error) => tracing::debug!(%error, "still no connection to the broker"),
            }
            self.state.send_replace(LinkState::Away);
            sleep(self.backoff.after(begun.elapsed())).await;
        }
    }

    async fn connect(&self) -> Result<Connection, ConnectError> {
        connect(self.uri.clone(), self.tls_ca.clone(), self.connect_timeout).await
    }

    /// Holds the connection until it is lost, and rinses it when it is idle.
    async fn stand(&self, connection: Connection) {
        let status = connection.status().clone();
        tracing::info!("connected to the broker");
        self.counts.connected();
        let connection = Arc::new(connection);
        let mut rinser = Rinser::new(
            Arc::clone(&connection),
            Arc::clone(&self.activity),
            Arc::clone(&self.counts),
            self.rinse_after,
        );
        self.state.send_replace(LinkState::Up(connection));
        while status.connected() {
            sleep(CONNECTION_CHECK).await;
            rinser.look().await;
        }
        tracing::warn!("the connection to the broker is lost");
    }
}

/// Why no connection comes about, in words that hold no password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The broker takes its time.
    #[error("no answer in time")]
    Timeout,
    /// The broker's words, or the operating system's.
    #[error(transparent)]
    Lapin(#[from] lapin::Error),
}
