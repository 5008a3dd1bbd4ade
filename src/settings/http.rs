//! The two listeners, and what a caller may send and take its time for.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use garde::Validate;
use serde::Deserialize;

use super::tls::{ListenerTls, Terminator};

/// Most worker threads.
pub(super) const WORKERS_MAX: u16 = 64;
/// Most open connections of one worker.
pub(super) const CONNECTIONS_MAX: u32 = 100_000;
/// Smallest limit on bodies and headers that can be set, in bytes.
pub(super) const BYTES_MIN: u32 = 1024;
/// Largest limit on request bodies that can be set, in bytes.
pub(super) const BODY_BYTES_MAX: u32 = 1024 * 1024 * 1024;
/// Largest limit on all bodies together that can be set, in bytes.
pub(super) const BODIES_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// Largest limit on header blocks that can be set, in bytes: the HTTP library's own.
pub(super) const HEADER_BYTES_MAX: u32 = 128 * 1024;
/// Longest time that a slow sender can be given for the header block, in milliseconds.
pub(super) const SLOW_HEADER_MS_MAX: u64 = 60_000;
/// Longest time that a slow sender can be given for a body, in milliseconds.
pub(super) const SLOW_BODY_MS_MAX: u64 = 600_000;

/// Why a plain listener is refused.
pub(super) const PLAIN_IS_LOOPBACK: &str =
    "a listener without TLS may only have a loopback address";

/// The service listener.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Listener {
    /// Where it listens. Without TLS only loopback is accepted.
    #[garde(skip)]
    pub address: SocketAddr,
    /// Worker threads; 0 means one for each core.
    #[garde(range(max = WORKERS_MAX))]
    pub workers: u16,
    /// Open connections of one worker.
    #[garde(range(min = 1, max = CONNECTIONS_MAX))]
    pub connections_per_worker_max: u32,
    /// Largest request body, in bytes.
    #[garde(range(min = BYTES_MIN, max = BODY_BYTES_MAX))]
    pub body_bytes_max: u32,
    /// Memory that the bodies of all open requests may take together, in bytes.
    #[garde(range(min = u64::from(BYTES_MIN), max = BODIES_BYTES_MAX))]
    pub bodies_bytes_max: u64,
    /// Largest header block, in bytes.
    #[garde(range(min = BYTES_MIN, max = HEADER_BYTES_MAX))]
    pub header_bytes_max: u32,
    /// Time for the header block, in milliseconds.
    #[garde(range(min = 100, max = SLOW_HEADER_MS_MAX))]
    pub client_request_timeout_ms: u64,
    /// Time for the whole body, in milliseconds.
    #[garde(range(min = 100, max = SLOW_BODY_MS_MAX))]
    pub body_timeout_ms: u64,
    /// How long an idle connection is kept, in milliseconds, and a busy one at least; its buffers are wiped
    /// only then.
    #[garde(range(max = 60_000))]
    pub keep_alive_ms: u64,
    /// How long a connection is kept on which nothing goes on although it is not idle, in milliseconds: its
    /// caller has sent the beginning of a request, or does not read its answer.
    #[garde(range(min = 100, max = 600_000))]
    pub linger_max_ms: u64,
    /// Time for a connection to close in order, in milliseconds.
    #[garde(range(min = 1, max = 60_000))]
    pub client_disconnect_timeout_ms: u64,
    /// TLS with client certificates; without it the listener is plain.
    #[garde(dive)]
    pub tls: Option<ListenerTls>,
    /// A TLS terminator in front of it.
    #[garde(dive)]
    pub terminator: Option<Terminator>,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 8585).into(),
            workers: 0,
            connections_per_worker_max: 4096,
            body_bytes_max: 32 * 1024 * 1024,
            bodies_bytes_max: 512 * 1024 * 1024,
            header_bytes_max: 16 * 1024,
            client_request_timeout_ms: 5000,
            body_timeout_ms: 30_000,
            keep_alive_ms: 2000,
            linger_max_ms: 30_000,
            client_disconnect_timeout_ms: 1000,
            tls: None,
            terminator: None,
        }
    }
}

impl Listener {
    /// Worker threads, with 0 read as one for each core.
    #[must_use]
    pub fn worker_threads(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers.into(),
        }
    }

    /// Largest request body, in bytes.
    #[must_use]
    pub const fn body_limit(&self) -> usize {
        self.body_bytes_max as usize
    }

    pub(super) fn resolve(&mut self, folder: &Path) {
        if let Some(tls) = &mut self.tls {
            tls.resolve(folder);
        }
        if let Some(terminator) = &mut self.terminator {
            terminator.resolve(folder);
        }
    }

    /// [`Self::bodies_bytes_max`] as a size in memory.
    #[must_use]
    pub fn bodies_limit(&self) -> usize {
        usize::try_from(self.bodies_bytes_max).unwrap_or(usize::MAX)
    }

    /// Largest header block, in bytes.
    #[must_use]
    pub const fn header_limit(&self) -> usize {
        self.header_bytes_max as usize
    }

    /// Time for the header block.
    #[must_use]
    pub const fn client_request_timeout(&self) -> Duration {
        Duration::from_millis(self.client_request_timeout_ms)
    }

    /// Time for the whole body.
    #[must_use]
    pub const fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    /// How long an idle connection is kept.
    #[must_use]
    pub const fn keep_alive(&self) -> Duration {
        Duration::from_millis(self.keep_alive_ms)
    }

    /// How long a connection is kept on which nothing goes on.
    #[must_use]
    pub const fn linger_max(&self) -> Duration {
        Duration::from_millis(self.linger_max_ms)
    }

    /// Time for a connection to close in order.
    #[must_use]
    pub const fn client_disconnect_timeout(&self) -> Duration {
        Duration::from_millis(self.client_disconnect_timeout_ms)
    }
}

/// The admin listener. It has no login yet, hence loopback only.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Where it listens.
    #[garde(custom(loopback))]
    pub address: SocketAddr,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 9585).into(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde's signature")]
fn loopback(address: &SocketAddr, _: &()) -> garde::Result {
    if address.ip().is_loopback() {
        Ok(())
    } else {
        Err(garde::Error::new(PLAIN_IS_LOOPBACK))
    }
}
