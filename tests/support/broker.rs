//! A private RabbitMQ: own ports, own directories, gone with the test process.
//!
//! A shell stands between: it runs the broker for as long as its standard input is open, so that
//! also a test process that is killed leaves nothing behind.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// Debian's scripts themselves: the wrapper in `/usr/sbin` switches user.
const BIN: &str = "/usr/lib/rabbitmq/bin";

/// Virtual hosts with the definitions of `config/`, one for each test that shares a broker.
const VHOSTS: usize = 40;

/// Parties whose queues stand in each virtual host.
const PARTIES: [&str; 2] = ["AF", "CSN"];

/// Longest time for RabbitMQ to start.
const START: Duration = Duration::from_secs(60);

const KEEPER: &str = r#"
. "$1/env"
epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1 </dev/null >/dev/null 2>&1 & EPMD=$!
start() { setsid "$BIN/rabbitmq-server" </dev/null >>"$1/out" 2>&1 & SERVER=$!; }
stop() { kill -TERM $SERVER; wait $SERVER; }
start "$1"
while read -r order; do
  case $order in start) start "$1" ;; stop) stop ;; esac
  echo done
done
stop; kill $EPMD; rm -rf "$1"
"#;

/// One broker.
pub struct Broker {
    directory: PathBuf,
    port: u16,
    keeper: Mutex<Keeper>,
    vhosts_taken: AtomicUsize,
}

struct Keeper {
    child: Child,
    orders: Option<ChildStdin>,
    done: BufReader<ChildStdout>,
}

impl Broker {
    /// Starts a broker and waits until it takes connections.
    pub async fn start() -> Self {
        assert!(
            Path::new(BIN).join("rabbitmq-server").exists(),
            "rabbitmq-server is not installed (Debian: apt-get install rabbitmq-server)"
        );
        let directory = tempfile::Builder::new()
            .prefix("samsvar-rabbitmq-")
            .tempdir()
            .unwrap()
            .keep();
        let port = free_port();
        write_configuration(&directory, port);
        let mut child = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let broker = Self {
            directory,
            port,
            keeper: Mutex::new(Keeper {
                orders: child.stdin.take(),
                done: BufReader::new(child.stdout.take().unwrap()),
                child,
            }),
            vhosts_taken: AtomicUsize::new(0),
        };
        broker.wait_until_up().await;
        broker
    }

    /// The broker that the tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(|| {
            std::thread::spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                runtime.unwrap().block_on(Self::start())
            })
            .join()
            .unwrap()
        })
    }

    /// A virtual host that no other test uses.
    pub fn take_vhost(&self) -> String {
        let n = self.vhosts_taken.fetch_add(1, Ordering::Relaxed);
        assert!(n < VHOSTS, "more tests than virtual hosts: raise VHOSTS");
        format!("v{n}")
    }

    /// Port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Address for a user of the definitions, whose password is the name.
    pub fn url(&self, user: &str, vhost: &str) -> String {
        format!("amqp://{user}:{user}@127.0.0.1:{}/{vhost}", self.port)
    }

    /// Stops it in order; what it stored stays.
    pub fn stop(&self) {
        self.order("stop");
    }

    /// Starts it again after [`Self::stop`].
    pub async fn start_again(&self) {
        self.order("start");
        self.wait_until_up().await;
    }

    /// Runs `rabbitmqctl`.
    pub fn ctl(&self, arguments: &[&str]) -> Output {
        let output = Command::new("sh")
            .args(["-c", r#". "$0/env"; exec "$BIN/rabbitmqctl" -q "$@""#])
            .arg(&self.directory)
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "rabbitmqctl {arguments:?}: {output:?}"
        );
        output
    }

    fn order(&self, order: &str) {
        let mut keeper = self.keeper.lock().unwrap();
        writeln!(keeper.orders.as_mut().unwrap(), "{order}").unwrap();
        let mut done = String::new();
        keeper.done.read_line(&mut done).unwrap();
        assert_eq!(done, "done\n", "the keeper of RabbitMQ is gone");
    }

    async fn wait_until_up(&self) {
        let begun = Instant::now();
        let url = self.url("guest", "v0");
        while let Err(error) = lapin::Connection::connect(&url, Default::default()).await {
            assert!(
                begun.elapsed() < START,
                "RabbitMQ does not start: {error}\n{}",
                fs::read_to_string(self.directory.join("out")).unwrap_or_default()
            );
            sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let keeper = self.keeper.get_mut().unwrap();
        keeper.orders = None;
        let _ = keeper.child.wait();
    }
}

fn write_configuration(directory: &Path, port: u16) {
    let d = directory.display();
    let (dist, epmd) = (free_port(), free_port());
    let env = format!(
        "export BIN={BIN} HOME={d} ERL_EPMD_PORT={epmd} ERL_EPMD_ADDRESS=127.0.0.1 \
         RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_NODENAME=t{port}@localhost \
         RABBITMQ_DIST_PORT={dist} RABBITMQ_MNESIA_BASE={d}/mnesia RABBITMQ_LOG_BASE={d}/log \
         RABBITMQ_CONFIG_FILE={d}/rabbitmq.conf RABBITMQ_ADVANCED_CONFIG_FILE={d}/none \
         RABBITMQ_ENABLED_PLUGINS_FILE={d}/enabled_plugins \
         RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+S 1:1 -kernel inet_dist_use_interface {{127,0,0,1}}'\n"
    );
    let conf = format!(
        "listeners.tcp.1 = 127.0.0.1:{port}\nlog.file.level = warning\n\
         vm_memory_high_watermark.absolute = 2GiB\ndisk_free_limit.absolute = 100MB\n\
         load_definitions = {d}/definitions.json\n"
    );
    let write = |name: &str, text: &str| fs::write(directory.join(name), text).unwrap();
    write("env", &env);
    write("rabbitmq.conf", &conf);
    write("enabled_plugins", "[].\n");
    write("definitions.json", &definitions().to_string());
    write(".erlang.cookie", &uuid::Uuid::new_v4().simple().to_string());
    let cookie = directory.join(".erlang.cookie");
    let mut rights = fs::metadata(&cookie).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o400);
    fs::set_permissions(&cookie, rights).unwrap();
}

/// The definitions of `config/`, once for each virtual host.
fn definitions() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rabbitmq-definitions.json");
    let mut definitions: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let vhosts = || (0..VHOSTS).map(|n| json!(format!("v{n}")));
    for kind in ["permissions", "policies", "exchanges", "queues", "bindings"] {
        let originals = definitions[kind].as_array().unwrap().clone();
        let copies = vhosts().flat_map(|vhost| {
            originals
                .iter()
                .filter(|o| is_wanted(o))
                .map(move |original| {
                    let mut copy = original.clone();
                    copy["vhost"] = vhost.clone();
                    copy
                })
        });
        definitions[kind] = copies.collect();
    }
    definitions["vhosts"] = std::iter::once(json!("/"))
        .chain(vhosts())
        .map(|name| json!({ "name": name }))
        .collect();
    definitions
}

/// Queues and bindings only of [`PARTIES`]: every queue costs time at the start.
fn is_wanted(definition: &Value) -> bool {
    let queue = match (&definition["destination"], &definition["durable"]) {
        (Value::String(queue), _) => queue,
        (_, Value::Bool(_)) => definition["name"].as_str().unwrap(),
        _ => return true,
    };
    queue == "samsvar.fraga"
        || PARTIES
            .iter()
            .any(|kod| queue.ends_with(&format!(".{kod}")))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
