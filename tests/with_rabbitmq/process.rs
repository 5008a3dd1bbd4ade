//! A process of a test: what it writes is kept, and it dies with the test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to say what is expected of it, or to end: far more than it needs on
/// an idle machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);

const POLL: Duration = Duration::from_millis(10);

/// The binary under test.
pub(crate) fn samsvar() -> Command {
    command(env!("CARGO_BIN_EXE_samsvar"))
}

/// A command whose process the kernel kills with the thread that started it, so that also a test
/// process that is killed leaves nothing behind.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", program]);
    // Settings of the machine are not settings of the test.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("SAMSVAR_") || text == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Output {
    let command = command.stdin(Stdio::null());
    command.output().expect("setpriv is part of Debian")
}

/// A running process.
pub(crate) struct Process {
    child: Child,
    pub(crate) out: Lines,
    pub(crate) err: Lines,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("setpriv is part of Debian");
        let out = Lines::of(child.stdout.take().unwrap());
        let err = Lines::of(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// Its number.
    #[allow(dead_code, reason = "only some test binaries measure")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it has not been waited for");
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < SOON, "it does not end");
            sleep(POLL);
        }
    }

    /// Kills it: no farewell to anybody.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Lines that a process has written.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let written = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                written.0.0.lock().unwrap().push(line);
                written.0.1.notify_all();
            }
        });
        lines
    }

    /// Everything up to now.
    pub(crate) fn text(&self) -> String {
        self.0.0.lock().unwrap().join("\n")
    }

    /// The first thing that `find` finds in a line, waited for.
    pub(crate) fn find<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        let (lines, written) = &*self.0;
        let mut lines = lines.lock().unwrap();
        let begun = Instant::now();
        let mut seen = 0;
        loop {
            if let Some(found) = lines[seen..].iter().find_map(|line| find(line)) {
                return found;
            }
            seen = lines.len();
            let left = SOON.saturating_sub(begun.elapsed());
            assert!(
                !left.is_zero(),
                "never written; written:\n{}",
                lines.join("\n")
            );
            lines = written.wait_timeout(lines, left).unwrap().0;
        }
    }
}
