//! A private RabbitMQ for tests: own ports, own directory, own epmd, the definitions of `config/`.
//!
//! It touches no RabbitMQ that the machine runs. Everything it starts dies with the test process,
//! however that ends: a guardian shell waits for the end of its standard input, which the kernel
//! closes with the test process, and then kills the rest and removes the directory. So a panic,
//! Ctrl-C, `kill -9` and a node in a `static` (which is never dropped) all leave nothing behind.
//!
//! Everything here blocks its thread: in an async test that goes on meanwhile, call it from
//! `spawn_blocking`.
//!
//! Without RabbitMQ on the machine a test fails and says how to install it. With
//! `SAMSVAR_SKIP_RABBITMQ=1` it is skipped, and says so.

#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::print_stderr, reason = "a skipped test must say so")]
#![allow(
    clippy::disallowed_methods,
    reason = "real time: it waits for a process"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The scripts themselves: the wrapper in /usr/sbin switches user.
const BIN: &str = "/usr/lib/rabbitmq/bin";
/// How long a node may take to be ready. Five seconds is usual; a loaded machine takes its time.
const START_MAX: Duration = Duration::from_mins(2);
/// How long an orderly stop may take before it becomes a kill.
const STOP_MAX: Duration = Duration::from_secs(30);
/// How often a start is tried again on other ports: another process may take one in between.
const START_TRIES: usize = 3;
/// Pause between two looks at a process or port.
const POLL: Duration = Duration::from_millis(50);
/// How `rabbitmqctl` says that the node is not there yet.
const STILL_STARTING: &str = "'rabbit' app to be running";
/// What a client says first (AMQP 0-9-1, 4.2.2).
const PROTOCOL_HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";
/// First byte of the frame that a ready broker answers with.
const METHOD_FRAME: u8 = 1;

/// Last words for the guardian: a line lists the process groups that live now.
const GUARDIAN: &str = r#"
groups=
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
"#;

/// One queue as `rabbitmqctl list_queues` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) name: String,
    /// Messages that wait.
    pub(crate) messages: u64,
    pub(crate) consumers: u64,
}

/// What a node has beside the usual.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extra {
    /// The management API, on a port of its own.
    pub(crate) management: bool,
    /// Its directory lies on /dev/shm, which is a tmpfs.
    pub(crate) in_memory: bool,
}

/// A running private node.
pub(crate) struct RabbitMq {
    directory: PathBuf,
    ports: Ports,
    epmd: Child,
    server: Option<Child>,
    guardian: Child,
    to_guardian: Option<ChildStdin>,
}

#[derive(Clone, Copy)]
struct Ports {
    amqp: u16,
    epmd: u16,
    distribution: u16,
    management: u16,
}

impl RabbitMq {
    /// Starts a node with `config/rabbitmq-definitions.json` and waits until it is ready. `None`
    /// means that the caller is to skip its test, which has been said on stderr.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(Extra::default())
    }

    /// The same with something more.
    pub(crate) fn start_with(extra: Extra) -> Option<Self> {
        if !Path::new(BIN).join("rabbitmq-server").exists() {
            assert!(
                std::env::var_os("SAMSVAR_SKIP_RABBITMQ").is_some_and(|value| value == "1"),
                "RabbitMQ is not installed: run scripts/setup-debian, or set \
                 SAMSVAR_SKIP_RABBITMQ=1 to do without these tests"
            );
            eprintln!("SKIPPED: RabbitMQ is not installed and SAMSVAR_SKIP_RABBITMQ=1 is set");
            return None;
        }
        let mut last = String::new();
        for _ in 0..START_TRIES {
            let mut node = Self::prepare(extra);
            match node.launch() {
                Ok(()) => return Some(node),
                Err(why) => last = why,
            }
        }
        panic!("RabbitMQ did not start: {last}");
    }

    /// One node for the whole test binary, for tests that neither stop it nor block it.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<RabbitMq>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// Where it is, for one of the users of the definitions (their passwords are their names):
    /// `samsvar`, `ul-af` … `ul-tns`, `simulator`, `guest`.
    pub(crate) fn url(&self, user: &str) -> String {
        format!("amqp://{user}:{user}@127.0.0.1:{}/%2f", self.ports.amqp)
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// The port of its management API, when it has one.
    pub(crate) fn management_port(&self) -> u16 {
        self.ports.management
    }

    /// Everything it writes lies below this directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Stops it in order.
    pub(crate) fn stop(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        signal("TERM", &server.id().to_string());
        if !wait_at_most(&mut server, STOP_MAX) {
            kill_group(&mut server);
        }
        self.tell_guardian();
    }

    /// Kills it with SIGKILL: no farewell to anybody. The port is closed afterwards.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            kill_group(&mut server);
            self.wait_until_silent();
        }
        self.tell_guardian();
    }

    /// Starts it again after [`Self::stop`] or [`Self::kill`]: same ports, same data.
    pub(crate) fn start_again(&mut self) {
        assert!(self.server.is_none(), "the node still runs");
        if let Err(why) = self.launch() {
            panic!("RabbitMQ did not start again: {why}");
        }
    }

    /// Raises the memory alarm, which blocks every publisher, or lifts it.
    pub(crate) fn set_memory_alarm(&self, raised: bool) {
        if raised {
            self.control(&["set_vm_memory_high_watermark", "0"]);
        } else {
            self.control(&["set_vm_memory_high_watermark", "absolute", "2GiB"]);
        }
    }

    /// Every queue of the virtual host `/`, in order of the names.
    pub(crate) fn list_queues(&self) -> Vec<Queue> {
        let columns = [
            "list_queues",
            "--no-table-headers",
            "name",
            "messages",
            "consumers",
        ];
        let mut queues: Vec<Queue> = self.control(&columns).lines().map(queue).collect();
        queues.sort_by(|a, b| a.name.cmp(&b.name));
        queues
    }

    /// Runs `rabbitmqctl` and gives what it printed. A node that has only just opened its port does
    /// not take orders yet: that is waited for.
    pub(crate) fn control(&self, arguments: &[&str]) -> String {
        let begun = Instant::now();
        loop {
            let mut command = self.command("rabbitmqctl");
            command.arg("-q").args(arguments).stdin(Stdio::null());
            let Output {
                status,
                stdout,
                stderr,
            } = command.output().expect("rabbitmqctl runs");
            if status.success() {
                return String::from_utf8(stdout).expect("rabbitmqctl writes UTF-8");
            }
            let stderr = String::from_utf8_lossy(&stderr);
            let starting = stderr.contains(STILL_STARTING) && begun.elapsed() < START_MAX;
            assert!(starting, "rabbitmqctl {arguments:?}: {stderr}");
        }
    }

    /// Directory, files and epmd; the server itself is for [`Self::launch`].
    fn prepare(extra: Extra) -> Self {
        let ports = Ports::free();
        let directory = new_directory(extra);
        write_files(&directory, ports, extra);
        let mut guardian = Command::new("sh")
            .args(["-c", GUARDIAN, "guardian"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh runs");
        let to_guardian = guardian.stdin.take();
        let epmd = Command::new("epmd")
            .args(["-port", &ports.epmd.to_string(), "-address", "127.0.0.1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("epmd runs: it comes with Erlang");
        let mut node = Self {
            directory,
            ports,
            epmd,
            server: None,
            guardian,
            to_guardian,
        };
        node.tell_guardian();
        node
    }

    fn launch(&mut self) -> Result<(), String> {
        let out = fs::File::create(self.directory.join("out")).expect("own directory");
        let err = out.try_clone().expect("a second handle");
        let server = self
            .command("rabbitmq-server")
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .map_err(|error| error.to_string())?;
        self.server = Some(server);
        self.tell_guardian();
        self.wait_until_ready()
    }

    /// RabbitMQ opens its listeners only after it has imported the definitions; a broker that
    /// answers the protocol header has them.
    fn wait_until_ready(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            if self.answers() {
                return Ok(());
            }
            let ended = self
                .server
                .as_mut()
                .and_then(|s| s.try_wait().ok().flatten());
            if ended.is_some() || begun.elapsed() > START_MAX {
                self.kill();
                return Err(self.last_words());
            }
            sleep(POLL);
        }
    }

    /// The leader of the group is a shell, and only its end can be waited for; the node itself is
    /// gone when the kernel has closed its port.
    fn wait_until_silent(&self) {
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.amqp)).is_ok()
            && begun.elapsed() < STOP_MAX
        {
            sleep(POLL);
        }
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.amqp)) else {
            return false;
        };
        let mut first = [0];
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .is_ok()
            && stream.write_all(PROTOCOL_HEADER).is_ok()
            && stream.read_exact(&mut first).is_ok()
            && first[0] == METHOD_FRAME
    }

    fn last_words(&self) -> String {
        let out = fs::read_to_string(self.directory.join("out")).unwrap_or_default();
        let lines: Vec<&str> = out.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// One of RabbitMQ's scripts, pointed at this node and away from the machine's own.
    fn command(&self, script: &str) -> Command {
        let in_directory = |name: &str| self.directory.join(name);
        let mut command = Command::new(Path::new(BIN).join(script));
        command
            .env("HOME", &self.directory)
            .env("ERL_EPMD_PORT", self.ports.epmd.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env(
                "RABBITMQ_NODENAME",
                format!("t{}@localhost", self.ports.amqp),
            )
            .env("RABBITMQ_DIST_PORT", self.ports.distribution.to_string())
            .env("RABBITMQ_MNESIA_BASE", in_directory("mnesia"))
            .env("RABBITMQ_LOG_BASE", in_directory("log"))
            .env("RABBITMQ_CONFIG_FILE", in_directory("rabbitmq.conf"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", in_directory("none"))
            .env(
                "RABBITMQ_ENABLED_PLUGINS_FILE",
                in_directory("enabled_plugins"),
            )
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
            );
        command
    }

    /// Which process groups the guardian is to kill when this process is gone.
    fn tell_guardian(&mut self) {
        let server = self
            .server
            .as_ref()
            .map_or_else(String::new, |s| s.id().to_string());
        if let Some(to_guardian) = &mut self.to_guardian {
            let line = format!("{} {server}\n", self.epmd.id());
            to_guardian
                .write_all(line.as_bytes())
                .expect("the guardian listens");
        }
    }
}

impl Drop for RabbitMq {
    /// Kills both processes and lets the guardian remove the directory.
    fn drop(&mut self) {
        self.kill();
        kill_group(&mut self.epmd);
        self.to_guardian = None;
        let _ = self.guardian.wait();
    }
}

impl Ports {
    /// Ports that were free a moment ago, held together so that they differ.
    fn free() -> Self {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = |listener: &TcpListener| listener.local_addr().expect("bound").port();
        let (amqp, epmd, distribution, management) = (bind(), bind(), bind(), bind());
        Self {
            amqp: port(&amqp),
            epmd: port(&epmd),
            distribution: port(&distribution),
            management: port(&management),
        }
    }
}

fn new_directory(extra: Extra) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("samsvar-rabbitmq-{}-{number}", std::process::id());
    let directory = if extra.in_memory {
        Path::new("/dev/shm").join(name)
    } else {
        std::env::temp_dir().join(name)
    };
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("the temporary directory can be written");
    directory
}

fn write_files(directory: &Path, ports: Ports, extra: Extra) {
    let definitions = repository().join("config/rabbitmq-definitions.json");
    let (management, plugins) = if extra.management {
        let port = ports.management;
        let conf = format!("management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n");
        let plugins = "[rabbitmq_management,rabbitmq_shovel,rabbitmq_shovel_management].\n";
        (conf, plugins)
    } else {
        (String::new(), "[].\n")
    };
    let conf = format!(
        "listeners.tcp.1 = 127.0.0.1:{}\n\
         log.file.level = warning\n\
         vm_memory_high_watermark.absolute = 2GiB\n\
         disk_free_limit.absolute = 100MB\n\
         load_definitions = {}\n{management}",
        ports.amqp,
        definitions.display()
    );
    let cookie = directory.join(".erlang.cookie");
    let write = |name: &str, text: &str| fs::write(directory.join(name), text);
    write("rabbitmq.conf", &conf).expect("own directory");
    write("enabled_plugins", plugins).expect("own directory");
    // Only this user's processes on this machine can use it, and only while the test runs.
    fs::write(&cookie, format!("SAMSVARTEST{}", std::process::id())).expect("own directory");
    fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400)).expect("own file");
}

/// The root of the repository, also when another crate's tests include this file.
fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .find(|folder| folder.join("config/rabbitmq-definitions.json").exists())
        .expect("the definitions are part of the repository")
        .to_owned()
}

fn queue(line: &str) -> Queue {
    let mut columns = line.split('\t');
    let mut next = || columns.next().expect("three columns");
    let name = next().to_owned();
    let mut number = || next().parse().expect("a number");
    Queue {
        name,
        messages: number(),
        consumers: number(),
    }
}

/// Sends a signal by the shell's own `kill`: no unsafe code, no further crate.
fn signal(name: &str, to: &str) {
    let _ = Command::new("sh")
        .args([
            "-c",
            "kill -s \"$1\" -- \"$2\" 2>/dev/null",
            "kill",
            name,
            to,
        ])
        .status();
}

fn kill_group(leader: &mut Child) {
    signal("KILL", &format!("-{}", leader.id()));
    let _ = leader.kill();
    let _ = leader.wait();
}

fn wait_at_most(child: &mut Child, longest: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < longest {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return true;
        }
        sleep(POLL);
    }
    false
}
