//! The other processes: this program again, in another role. Each ends with this one.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use samsvar::hardening;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::http::{self, Connection, Request};
use crate::measure::Failed;
use crate::process::Watched;
use crate::workload::Workload;

/// Longest wait for a process to be ready.
const READY_MAX: Duration = Duration::from_secs(30);
/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What a role prints when it is ready.
pub(crate) const READY: &str = "ready";

/// What a process of this program may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// `samsvar serve` over RabbitMQ.
    Node,
    /// The same node over the in-process transport, with prepared answers.
    InProcessNode,
    /// The eight parties behind their queues.
    Responders,
}

impl Role {
    /// Whether this is what is measured.
    const fn is_node(self) -> bool {
        matches!(self, Self::Node | Self::InProcessNode)
    }

    /// The subcommand.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::InProcessNode => "in-process-node",
            Self::Responders => "responders",
        }
    }
}

/// What a node does for confidentiality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Care {
    /// It wipes what it frees and keeps a ledger, as in service.
    #[value(skip)]
    Full,
    /// It keeps a ledger, and wipes nothing.
    Unwiped,
    /// It wipes nothing and keeps no ledger.
    None,
}

impl Care {
    /// Name in files.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Unwiped => "unwiped",
            Self::None => "none",
        }
    }
}

/// A process in a role. Killed when dropped.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
    /// Where the ledger of a node is.
    _kept: Option<TempDir>,
}

impl Running {
    /// Starts this program in a role. What it logs goes to a file, as it would in service.
    fn start(
        role: Role,
        care: Care,
        url: Option<&str>,
        settings: &[(&str, String)],
    ) -> Result<Self, Failed> {
        let log = std::env::temp_dir().join(format!(
            "samsvar-load-{}-{}-{}.log",
            std::process::id(),
            role.as_str(),
            care.as_str()
        ));
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role.as_str());
        let mut kept = None;
        if role.is_node() && care != Care::None {
            let folder = tempfile::tempdir()?;
            command.arg("--ledger").arg(folder.path().join("ledger"));
            kept = Some(folder);
        }
        command
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);
        if care != Care::Full {
            command.env(hardening::WITHOUT, "wipe");
        }
        if let Some(url) = url {
            command.env("SAMSVAR_AMQP__URL", url);
        }
        let child = command.spawn()?;
        Ok(Self {
            child,
            log,
            _kept: kept,
        })
    }

    /// The responders, once all queues are consumed.
    ///
    /// # Errors
    /// When they do not start.
    pub(crate) fn responders(url: &str) -> Result<Self, Failed> {
        let mut running = Self::start(Role::Responders, Care::Full, Some(url), &[])?;
        let told = running.child.stdout.take();
        let told = told.map_or_else(String::new, first_line);
        if told.trim() == READY {
            return Ok(running);
        }
        Err(format!("the responders did not start: {}", running.last_words()).into())
    }

    pub(crate) fn watched(&self) -> Watched {
        Watched::child(&self.child)
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.log);
    }
}

fn first_line(output: ChildStdout) -> String {
    let mut line = String::new();
    let _ = BufReader::new(output).read_line(&mut line);
    line
}

/// A node that answers.
pub(crate) struct Node {
    running: Running,
    address: SocketAddr,
    request: Request,
    reply_bytes: usize,
}

impl Node {
    /// Starts a node and waits for its first complete reply.
    ///
    /// # Errors
    /// When there is none in time.
    pub(crate) async fn start(
        role: Role,
        url: Option<&str>,
        workload: &Workload,
        care: Care,
    ) -> Result<Self, Failed> {
        let [address, admin] = free_addresses()?;
        let settings = [
            ("SAMSVAR_LISTENER__ADDRESS", address.to_string()),
            ("SAMSVAR_ADMIN__ADDRESS", admin.to_string()),
            // Its peak memory is reset between slices, which who is not root could not; and without
            // it what is freed is wiped, whatever is asked for.
            ("SAMSVAR_PROCESS__DUMPABLE", true.to_string()),
        ];
        let mut node = Self {
            running: Running::start(role, care, url, &settings)?,
            address,
            request: Request::new(&workload.message, &workload.tx_id),
            reply_bytes: 0,
        };
        let until = Instant::now() + READY_MAX;
        loop {
            match node.first_reply().await {
                Ok(bytes) => {
                    node.reply_bytes = bytes;
                    return Ok(node);
                }
                Err(error) if Instant::now() >= until => {
                    let said = node.running.last_words();
                    return Err(format!("the node is not ready: {error}\n{said}").into());
                }
                Err(_) => sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn first_reply(&self) -> Result<usize, Failed> {
        let mut connection = Connection::open(self.address, self.request.clone(), None).await?;
        let reply = connection.exchange().await?;
        let bytes = reply.len();
        http::check(reply)?;
        Ok(bytes)
    }

    /// So many connections.
    ///
    /// # Errors
    /// When the node does not take them.
    pub(crate) async fn connections(&self, open: usize) -> Result<Vec<Connection>, Failed> {
        let mut connections = Vec::with_capacity(open);
        for _ in 0..open {
            let request = self.request.clone();
            let connection = Connection::open(self.address, request, Some(self.reply_bytes));
            connections.push(connection.await?);
        }
        Ok(connections)
    }

    pub(crate) fn watched(&self) -> Watched {
        self.running.watched()
    }

    /// Length of a complete reply.
    pub(crate) fn reply_bytes(&self) -> usize {
        self.reply_bytes
    }
}

/// Two addresses that were free a moment ago.
fn free_addresses() -> std::io::Result<[SocketAddr; 2]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (one, two) = (bind()?, bind()?);
    Ok([one.local_addr()?, two.local_addr()?])
}
