//! Builds a node in order and takes it down in reverse: transport, actors, service listener, admin
//! listener. `main` and the tests start the same thing.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use samsvar_actors::directory::Directory;
use samsvar_actors::failpoint::Failpoints;
use samsvar_actors::ingress::Neighbours;
use samsvar_actors::node::{Links, Node};
use samsvar_actors::room::Room;
use samsvar_actors::transport::Transport;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::http::{self, admin::LookedAt};
use crate::next_node::HttpsNextNode;
use crate::settings::{ListenerTls, RELOAD_EVERY, Settings};
use crate::tls::material::Sources;
use crate::tls::reload::keep_up;
use crate::tls::{Store, TlsFault};
use crate::wiring::{self, WiringError};

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings cannot be used.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
    /// A listener without TLS on an address that others reach.
    #[error("{0}: a listener without TLS may only have a loopback address")]
    PlainBeyondLoopback(SocketAddr),
    /// Certificates, keys or revocation lists cannot be used.
    #[error("{}", all_of(.0))]
    Tls(Vec<TlsFault>),
}

/// A listener that has been started.
struct Listening {
    address: SocketAddr,
    handle: ServerHandle,
    task: JoinHandle<std::io::Result<()>>,
}

/// What a node is started over.
pub struct Outside {
    /// Carries questions to the authorities.
    pub transport: Arc<dyn Transport>,
    /// Where the connection to the SHS directory lives.
    pub connections: Handle,
}

/// A running node with its listeners.
pub struct App {
    node: Arc<Node>,
    service: Listening,
    admin: Listening,
    certificates: Option<Arc<Store>>,
    /// Keeps `certificates` up to date.
    upkeep: Option<JoinHandle<()>>,
    drain_max: Duration,
}

impl App {
    /// Starts a node over these connections. Must be called within an actix system.
    ///
    /// # Errors
    /// When the settings cannot be used, or an address cannot be listened on.
    pub fn start(
        settings: &Settings,
        outside: Outside,
        failpoints: Failpoints,
    ) -> Result<Self, StartError> {
        let node_settings = wiring::node(settings)?;
        let certificates = certificates(settings)?;
        let catalogue = wiring::directory(settings, outside.connections)?;
        let next_node = HttpsNextNode::new(settings.next_node.clone(), certificates.clone());
        let links = Links {
            transport: outside.transport,
            neighbours: Neighbours {
                directory: Arc::clone(&catalogue) as Arc<dyn Directory>,
                next_node: Some(Arc::new(next_node)),
            },
        };
        let service = bind(settings.listener.address, settings.listener.tls.is_some())?;
        let admin = bind(settings.admin.address, false)?;
        let node = Node::start(node_settings, links, failpoints);
        let bodies = Room::new(settings.listener.bodies_limit());
        let service = listen(service, |listener| {
            let (node, bodies) = (Arc::clone(&node), Arc::clone(&bodies));
            http::service(listener, node, bodies, certificates.as_ref(), settings)
        })?;
        let admin = listen(admin, |listener| {
            let looked_at = LookedAt {
                node: Arc::clone(&node),
                bodies,
                catalogue,
                certificates: certificates.clone(),
            };
            http::admin(listener, looked_at, settings)
        })?;
        tracing::info!(
            node = %settings.node.node_id,
            transport = node.transport_name(),
            service = %service.address,
            tls = settings.listener.tls.is_some(),
            admin = %admin.address,
            "node started"
        );
        Ok(Self {
            node,
            service,
            admin,
            upkeep: certificates.clone().map(|store| {
                let every = settings.listener.tls.as_ref();
                let every = every.map_or(RELOAD_EVERY, ListenerTls::reload_every);
                actix_rt::spawn(keep_up(store, every))
            }),
            certificates,
            drain_max: settings.drain.time(),
        })
    }

    /// Where messages are received.
    #[must_use]
    pub fn service_address(&self) -> SocketAddr {
        self.service.address
    }

    /// Where operators look.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.address
    }

    /// The node behind the listeners.
    #[must_use]
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Certificates, keys and revocation lists of this moment; `None` when none are configured.
    #[must_use]
    pub fn certificates(&self) -> Option<&Arc<Store>> {
        self.certificates.as_ref()
    }

    /// Takes the node down: nothing new is admitted (503), what is open is finished within the drain
    /// time, then the listeners close and the actors end. Returns how many requests were left.
    pub async fn stop(self) -> usize {
        tracing::info!(open = self.node.open(), "node drains");
        let left = self.node.drain(self.drain_max).await;
        if let Some(upkeep) = self.upkeep {
            upkeep.abort();
        }
        for listening in [self.service, self.admin] {
            listening.handle.stop(true).await;
            let _ = listening.task.await;
        }
        // Before the transport goes: a line that ends is otherwise a fall, with a restart.
        self.node.stop().await;
        tracing::info!(left, "node stopped");
        left
    }

    /// Waits until a child that the node cannot be without has used up its restart budget, and names
    /// it.
    pub async fn escalated(&self) -> String {
        let mut escalation = self.node.escalation();
        match escalation.wait_for(Option::is_some).await {
            Ok(name) => name.clone().unwrap_or_default(),
            // The supervisor itself is gone.
            Err(_) => "supervisor".to_owned(),
        }
    }
}

/// What the files hold that the settings name, when they name any.
fn certificates(settings: &Settings) -> Result<Option<Arc<Store>>, StartError> {
    let sources = Sources::of(settings);
    if sources.are_none() {
        return Ok(None);
    }
    Store::open(sources).map(Some).map_err(StartError::Tls)
}

fn all_of(faults: &[TlsFault]) -> String {
    let lines = faults
        .iter()
        .map(|fault| format!("{}: {fault}", fault.setting));
    lines.collect::<Vec<_>>().join("\n")
}

fn bind(address: SocketAddr, has_tls: bool) -> Result<TcpListener, StartError> {
    if !has_tls && !address.ip().is_loopback() {
        return Err(StartError::PlainBeyondLoopback(address));
    }
    TcpListener::bind(address).map_err(|error| StartError::Listen { address, error })
}

fn listen(
    listener: TcpListener,
    serve: impl FnOnce(TcpListener) -> std::io::Result<actix_web::dev::Server>,
) -> Result<Listening, StartError> {
    let failed = |address| move |error| StartError::Listen { address, error };
    let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
    let address = listener.local_addr().map_err(failed(unknown))?;
    let server = serve(listener).map_err(failed(address))?;
    let handle = server.handle();
    let task = actix_rt::spawn(server);
    Ok(Listening {
        address,
        handle,
        task,
    })
}
