//! A private SHS directory for tests: a slapd on ports of its own, in a directory of its own,
//! with the schema and entries of `tests/directory/schema/`.
//!
//! It touches no directory that the machine runs. Everything it starts dies with the test process,
//! however that ends: a guardian shell waits for the end of its standard input, which the kernel
//! closes with the test process, and then kills the server and removes the directory.
//!
//! Everything here blocks its thread: in an async test that goes on meanwhile, call it from
//! `spawn_blocking`.
//!
//! Without slapd on the machine a test fails and says how to install it. With `SAMSVAR_SKIP_SLAPD=1`
//! it is skipped, and says so.

#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::print_stderr, reason = "a skipped test must say so")]
#![allow(
    clippy::disallowed_methods,
    reason = "real time: it waits for a process"
)]

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SLAPD: &str = "/usr/sbin/slapd";
/// Where some systems confine slapd to the directories of the machine's own service.
const APPARMOR_PROFILE: &str = "/etc/apparmor.d/usr.sbin.slapd";
/// How long slapd may take to listen, and to stop.
const START_MAX: Duration = Duration::from_secs(30);
const STOP_MAX: Duration = Duration::from_secs(10);
/// How often a start is tried again on other ports: another process may take one in between.
const START_TRIES: usize = 3;
/// Pause between two looks at a process or port.
const POLL: Duration = Duration::from_millis(20);

/// The only user of the directory.
pub(crate) const BIND_DN: &str = "cn=nod,l=SHS";
pub(crate) const PASSWORD: &str = "lösen ord";

/// Last words for the guardian: a line is the process group that lives now.
const GUARDIAN: &str = r#"
group=
while read -r line; do group=$line; done
[ -z "$group" ] || kill -s KILL -- "-$group" 2>/dev/null
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
"#;

/// Who may read the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    Anyone,
    /// Those who bind as [`BIND_DN`].
    Bound,
}

/// A running private directory.
pub(crate) struct Slapd {
    directory: PathBuf,
    program: PathBuf,
    plain: u16,
    tls: u16,
    server: Option<Child>,
    guardian: Child,
    to_guardian: Option<ChildStdin>,
}

impl Slapd {
    /// Starts a directory and waits until it listens. `None` means that the caller is to skip its
    /// test, which has been said on stderr.
    pub(crate) fn start(readers: Readers) -> Option<Self> {
        if !Path::new(SLAPD).exists() {
            assert!(
                std::env::var_os("SAMSVAR_SKIP_SLAPD").is_some_and(|value| value == "1"),
                "slapd is not installed: run scripts/setup-debian, or set SAMSVAR_SKIP_SLAPD=1 to \
                 do without these tests"
            );
            eprintln!("SKIPPED: slapd is not installed and SAMSVAR_SKIP_SLAPD=1 is set");
            return None;
        }
        let mut last = String::new();
        for _ in 0..START_TRIES {
            let mut slapd = Self::prepare(readers);
            match slapd.launch() {
                Ok(()) => return Some(slapd),
                Err(why) => last = why,
            }
        }
        panic!("slapd did not start: {last}");
    }

    /// One directory for the whole test binary, for tests that do not stop it.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Slapd>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Readers::Anyone)).as_ref()
    }

    /// Where it is in clear.
    pub(crate) fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.plain)
    }

    /// Where it is with TLS. Its certificate is for `localhost`.
    pub(crate) fn tls_url(&self) -> String {
        format!("ldaps://localhost:{}", self.tls)
    }

    /// The certificate that it is to be trusted by.
    pub(crate) fn ca(&self) -> String {
        fs::read_to_string(self.directory.join("certificate.pem")).expect("made at the start")
    }

    /// Publishes entries.
    pub(crate) fn publish(&self, ldif: &str) {
        let mut publishing = Command::new("ldapmodify")
            .args(["-a", "-x", "-H", &self.url(), "-D", BIND_DN, "-w", PASSWORD])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("ldapmodify runs: it comes with ldap-utils");
        let mut stdin = publishing.stdin.take().expect("piped");
        stdin.write_all(ldif.as_bytes()).expect("it reads");
        drop(stdin);
        let ended = publishing.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "entries refused: {stderr}");
    }

    /// Connections that it has had since it started, this look included.
    pub(crate) fn connections(&self) -> u64 {
        let output = Command::new("ldapsearch")
            .args(["-x", "-LLL", "-H", &self.url(), "-s", "base"])
            .args(["-b", "cn=Total,cn=Connections,cn=Monitor", "monitorCounter"])
            .output()
            .expect("ldapsearch runs: it comes with ldap-utils");
        let text = String::from_utf8(output.stdout).expect("LDIF is text");
        let count = text
            .lines()
            .find_map(|l| l.strip_prefix("monitorCounter: "));
        count.expect("a counter").trim().parse().expect("a number")
    }

    /// Stops it in order: it says goodbye to everyone.
    pub(crate) fn stop(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        signal("TERM", &server.id().to_string());
        let begun = Instant::now();
        while matches!(server.try_wait(), Ok(None)) {
            if begun.elapsed() > STOP_MAX {
                let _ = server.kill();
                let _ = server.wait();
            }
            sleep(POLL);
        }
        self.tell_guardian();
    }

    /// Starts it again after [`Self::stop`]: same ports, same entries.
    pub(crate) fn start_again(&mut self) {
        assert!(self.server.is_none(), "slapd still runs");
        if let Err(why) = self.launch() {
            panic!("slapd did not start again: {why}");
        }
    }

    /// Lets it stand still: it keeps its connections and takes new ones, and says nothing.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
        let begun = Instant::now();
        while !self.is_frozen() {
            assert!(begun.elapsed() < STOP_MAX, "slapd does not stand still");
            sleep(POLL);
        }
    }

    /// Whether every thread has noticed the signal.
    fn is_frozen(&self) -> bool {
        let server = self.server.as_ref().expect("slapd runs").id();
        let threads = fs::read_dir(format!("/proc/{server}/task")).expect("a process");
        threads.flatten().all(|thread| {
            let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            // The state follows the name, which stands in brackets (proc(5)).
            let state = stat.rsplit(')').next();
            state.is_some_and(|rest| rest.trim_start().starts_with('T'))
        })
    }

    /// Lets it go on after [`Self::freeze`].
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let server = self.server.as_ref().expect("slapd runs");
        signal(name, &server.id().to_string());
    }

    /// Directory, files and entries; the server itself is for [`Self::launch`].
    fn prepare(readers: Readers) -> Self {
        let directory = new_directory();
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
        let (plain, tls) = free_ports();
        let slapd = Self {
            program: program(&directory),
            directory,
            plain,
            tls,
            server: None,
            guardian,
            to_guardian,
        };
        slapd.make_certificate();
        slapd.write_configuration(readers);
        slapd.load_entries();
        slapd
    }

    fn make_certificate(&self) {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"])
            .args([
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-subj",
                "/CN=localhost",
            ])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(&self.directory)
            .output()
            .expect("openssl runs");
        let stderr = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "no certificate: {stderr}");
    }

    fn write_configuration(&self, readers: Readers) {
        fs::create_dir(self.directory.join("data")).expect("own directory");
        let here = self.directory.display();
        let schema = schema("shs.schema");
        let schema = schema.display();
        let access = match readers {
            Readers::Anyone => "access to * by * read",
            Readers::Bound => "access to * by users read by anonymous auth",
        };
        let text = format!(
            "include /etc/ldap/schema/core.schema\n\
             include \"{schema}\"\n\
             modulepath /usr/lib/ldap\n\
             moduleload back_mdb\n\
             TLSCertificateFile \"{here}/certificate.pem\"\n\
             TLSCertificateKeyFile \"{here}/key.pem\"\n\
             database monitor\n\
             access to * by * read\n\
             database mdb\n\
             suffix \"l=SHS\"\n\
             rootdn \"{BIND_DN}\"\n\
             rootpw \"{PASSWORD}\"\n\
             directory \"{here}/data\"\n\
             maxsize 16777216\n\
             dbnosync\n\
             {access}\n"
        );
        fs::write(self.directory.join("slapd.conf"), text).expect("own directory");
    }

    fn load_entries(&self) {
        let loaded = Command::new(&self.program)
            .args(["-T", "a", "-f"])
            .arg(self.directory.join("slapd.conf"))
            .arg("-l")
            .arg(schema("entries.ldif"))
            .output()
            .expect("slapd runs");
        let stderr = String::from_utf8_lossy(&loaded.stderr);
        assert!(loaded.status.success(), "entries refused: {stderr}");
    }

    fn launch(&mut self) -> Result<(), String> {
        let err = fs::File::create(self.directory.join("err")).expect("own directory");
        let listen = format!(
            "ldap://127.0.0.1:{} ldaps://127.0.0.1:{}",
            self.plain, self.tls
        );
        let server = Command::new(&self.program)
            // A debug level, 0 too, keeps it in the foreground.
            .args(["-d", "0", "-h", &listen, "-f"])
            .arg(self.directory.join("slapd.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(err)
            .process_group(0)
            .spawn()
            .map_err(|error| error.to_string())?;
        self.server = Some(server);
        self.tell_guardian();
        self.wait_until_it_listens()
    }

    fn wait_until_it_listens(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        let listens = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        while !(listens(self.plain) && listens(self.tls)) {
            let ended = self
                .server
                .as_mut()
                .and_then(|s| s.try_wait().ok().flatten());
            if ended.is_some() || begun.elapsed() > START_MAX {
                self.stop();
                let err = fs::read_to_string(self.directory.join("err"));
                return Err(err.unwrap_or_default());
            }
            sleep(POLL);
        }
        Ok(())
    }

    fn tell_guardian(&mut self) {
        let server = self.server.as_ref();
        let server = server.map_or_else(String::new, |server| server.id().to_string());
        if let Some(to_guardian) = &mut self.to_guardian {
            let line = format!("{server}\n");
            to_guardian
                .write_all(line.as_bytes())
                .expect("the guardian listens");
        }
    }
}

impl Drop for Slapd {
    /// Kills the server and lets the guardian remove the directory.
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        self.tell_guardian();
        self.to_guardian = None;
        let _ = self.guardian.wait();
    }
}

/// The program to run: a copy where the original is confined, as a profile is bound to a path.
fn program(directory: &Path) -> PathBuf {
    if !Path::new(APPARMOR_PROFILE).exists() {
        return SLAPD.into();
    }
    let copy = directory.join("slapd");
    fs::copy(SLAPD, &copy).expect("slapd can be read");
    copy
}

/// Two ports that were free a moment ago, held together so that they differ.
fn free_ports() -> (u16, u16) {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = |listener: &TcpListener| listener.local_addr().expect("bound").port();
    let (plain, tls) = (bind(), bind());
    (port(&plain), port(&tls))
}

fn new_directory() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("samsvar-slapd-{}-{number}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("the temporary directory can be written");
    directory
}

fn schema(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/directory/schema").join(name)
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
