//! The one connection to the directory: made when it is needed, by one for all who wait for it, and
//! given up when it is lost, stuck, or has been idle for so long that a firewall may have forgotten
//! it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use ldap3::{
    LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchOptions, StdStream,
};
use shs_schemas::Sensitive;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::entry::DirectoryEntry;
use super::fault::{LdapFault, TlsFault};
use super::search::Search;
use super::stream::{Guarded, Route};
use crate::settings::{Ldap, LdapUrl};

/// Most entries that a search may give, references to other directories included.
const ENTRIES_MAX: usize = 1000;
/// A connection that has been idle for longer is not trusted.
const IDLE_MAX: Duration = Duration::from_mins(1);
/// LDAP results (RFC 4511, 4.1.9).
const SUCCESS: u32 = 0;
const SIZE_LIMIT_EXCEEDED: u32 = 4;
/// Tells the LDAP library that it gets a stream that is open.
const OPEN_STREAM: &str = "ldapi:///";

/// How to get a connection, and the one there is.
pub(super) struct Link {
    plan: Arc<Plan>,
    runtime: Handle,
    state: Mutex<State>,
}

struct Plan {
    url: String,
    base: String,
    bind: Option<(String, Sensitive<String>)>,
    route: Route,
    connect_timeout: Duration,
    search_timeout: Duration,
}

type Connecting = Shared<BoxFuture<'static, Result<Arc<Connection>, LdapFault>>>;

enum State {
    Down,
    Connecting(Connecting),
    Up(Arc<Connection>),
}

/// A connection that somebody may search on.
pub(super) struct Mine {
    pub(super) connection: Arc<Connection>,
    /// Whether it was made for this caller: such a one is not expected to be lost.
    pub(super) new: bool,
}

pub(super) struct Connection {
    ldap: ldap3::Ldap,
    driver: AbortHandle,
    guard: AbortHandle,
    used: Mutex<Instant>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    pub(super) fn new(url: &LdapUrl, settings: &Ldap, runtime: Handle) -> Result<Self, TlsFault> {
        let bind = settings.bind_dn.clone().zip(settings.password.clone());
        let plan = Plan {
            url: url.as_str().to_owned(),
            base: settings.base.clone(),
            bind,
            route: Route::new(url, settings)?,
            connect_timeout: settings.connect_timeout(),
            search_timeout: settings.search_timeout(),
        };
        Ok(Self {
            plan: Arc::new(plan),
            runtime,
            state: Mutex::new(State::Down),
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.plan.url
    }

    pub(super) fn base(&self) -> &str {
        &self.plan.base
    }

    /// The connection there is, or a new one.
    pub(super) async fn connection(&self) -> Result<Mine, LdapFault> {
        let (connecting, new) = {
            let mut state = locked(&self.state);
            match &*state {
                State::Up(connection) if connection.is_usable() => {
                    let connection = Arc::clone(connection);
                    return Ok(Mine {
                        connection,
                        new: false,
                    });
                }
                State::Connecting(connecting) => (connecting.clone(), false),
                State::Up(_) | State::Down => {
                    let connecting = self.connect();
                    *state = State::Connecting(connecting.clone());
                    (connecting, true)
                }
            }
        };
        let connected = connecting.clone().await;
        self.settle(&connecting, &connected);
        connected.map(|connection| Mine { connection, new })
    }

    /// The first who sees the outcome writes it down.
    fn settle(&self, connecting: &Connecting, connected: &Result<Arc<Connection>, LdapFault>) {
        let mut state = locked(&self.state);
        if matches!(&*state, State::Connecting(one) if one.ptr_eq(connecting)) {
            *state = match connected {
                Ok(connection) => State::Up(Arc::clone(connection)),
                Err(_) => State::Down,
            };
        }
    }

    fn connect(&self) -> Connecting {
        let plan = Arc::clone(&self.plan);
        let task = self.runtime.spawn(async move {
            let longest = plan.connect_timeout;
            let connected = timeout(longest, Connection::open(&plan)).await;
            connected.unwrap_or(Err(LdapFault::ConnectTimeout))
        });
        task.map(|joined| joined.unwrap_or(Err(LdapFault::Lost)))
            .boxed()
            .shared()
    }

    /// Searches on this connection, which is given up when it fails.
    pub(super) async fn search(
        &self,
        connection: &Arc<Connection>,
        search: &Search,
    ) -> Result<Vec<DirectoryEntry>, LdapFault> {
        let found = timeout(
            self.plan.search_timeout,
            connection.search(&self.plan, search),
        );
        let found = found.await.unwrap_or(Err(LdapFault::SearchTimeout));
        let unusable = matches!(
            &found,
            Err(LdapFault::Lost
                | LdapFault::SearchTimeout
                | LdapFault::Refused(SIZE_LIMIT_EXCEEDED))
        );
        if unusable {
            self.discard(connection);
        }
        found
    }

    fn discard(&self, connection: &Arc<Connection>) {
        let mut state = locked(&self.state);
        if matches!(&*state, State::Up(one) if Arc::ptr_eq(one, connection)) {
            *state = State::Down;
        }
    }
}

impl Connection {
    async fn open(plan: &Plan) -> Result<Arc<Self>, LdapFault> {
        let unreachable = |error: std::io::Error| LdapFault::Unreachable(error.to_string());
        let Guarded { stream, guard } = plan.route.open().await.map_err(unreachable)?;
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(stream));
        let opened = LdapConnAsync::with_settings(settings, OPEN_STREAM).await;
        let (connection, ldap) = opened.map_err(lost)?;
        // Its end shows in the searches; what the library says of it is said there.
        let driver = tokio::spawn(async move { drop(connection.drive().await) });
        let connection = Self {
            ldap,
            driver: driver.abort_handle(),
            guard,
            used: Mutex::new(Instant::now()),
        };
        if let Some((name, password)) = &plan.bind {
            let mut ldap = connection.ldap.clone();
            let bound = ldap.simple_bind(name, password.expose()).await;
            match bound.map_err(lost)?.rc {
                SUCCESS => {}
                code => return Err(LdapFault::Bind(code)),
            }
        }
        Ok(Arc::new(connection))
    }

    fn is_usable(&self) -> bool {
        !self.driver.is_finished() && locked(&self.used).elapsed() < IDLE_MAX
    }

    async fn search(&self, plan: &Plan, search: &Search) -> Result<Vec<DirectoryEntry>, LdapFault> {
        let seconds = i32::try_from(plan.search_timeout.as_secs()).unwrap_or(i32::MAX);
        let limits = SearchOptions::new()
            .sizelimit(i32::try_from(ENTRIES_MAX).unwrap_or(i32::MAX))
            .timelimit(seconds.saturating_add(1));
        let mut ldap = self.ldap.clone();
        ldap.with_search_options(limits);
        let (filter, attributes) = (search.filter(), search.class().attributes());
        let stream = ldap.streaming_search(&plan.base, Scope::Subtree, &filter, attributes);
        let mut stream = stream.await.map_err(lost)?;
        let mut entries = Vec::new();
        let (mut seen, mut unread) = (0, 0_u32);
        while let Some(found) = stream.next().await.map_err(lost)? {
            seen += 1;
            if seen > ENTRIES_MAX {
                // The server does not keep to the limit: nobody reads on.
                return Err(LdapFault::Refused(SIZE_LIMIT_EXCEEDED));
            }
            if found.is_ref() || found.is_intermediate() {
                continue;
            }
            match DirectoryEntry::read(found.0) {
                Some(entry) => entries.push(entry),
                None => unread += 1,
            }
        }
        let ended = stream.finish().await;
        *locked(&self.used) = Instant::now();
        if unread > 0 {
            tracing::warn!(
                unread,
                "entries of the SHS directory are left out: no LDAP entries"
            );
        }
        Self::judged(&ended, entries)
    }

    fn judged(
        ended: &LdapResult,
        entries: Vec<DirectoryEntry>,
    ) -> Result<Vec<DirectoryEntry>, LdapFault> {
        match ended.rc {
            SUCCESS => Ok(entries),
            SIZE_LIMIT_EXCEEDED if !entries.is_empty() => {
                let read = entries.len();
                tracing::warn!(read, "the SHS directory has more entries than it gives");
                Ok(entries)
            }
            code => Err(LdapFault::Refused(code)),
        }
    }
}

fn lost(_: LdapError) -> LdapFault {
    LdapFault::Lost
}

impl Drop for Connection {
    /// Both would end by themselves, unless they hang in a write that nobody reads.
    fn drop(&mut self) {
        self.driver.abort();
        self.guard.abort();
    }
}
