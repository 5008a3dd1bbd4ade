//! What the kernel says of a running node: no core dumps, memory that other processes of its user
//! cannot read, all of it locked if that is wanted; and what the log says when it is lifted
//! (design 8.2).

#![cfg(target_os = "linux")]
#![allow(
    unreachable_pub,
    dead_code,
    reason = "what several test binaries share"
)]
#![allow(clippy::print_stderr, reason = "says that a test is skipped")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::disallowed_methods,
    reason = "real time: these tests wait for a process"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use rustix::process::{Resource, getrlimit, getuid};
use rustix::thread::{CapabilitySet, capabilities};
use serde_json::Value;
use tempfile::TempDir;

#[path = "with_rabbitmq/process.rs"]
mod process;

use self::process::Process;

/// A user that is nobody: root sees every memory and may lock any amount.
const NOBODY: u32 = 65_534;
/// What a system often lets a user lock, in bytes.
const MEMLOCK: u32 = 8 * 1024 * 1024;

/// `samsvar serve` as another user than root, if this is root.
struct Node {
    process: Process,
    _folder: TempDir,
}

/// Who runs the node.
#[derive(Clone, Copy, PartialEq)]
enum User {
    /// Another one than root, who may lock so many bytes at most, or as many as this user.
    Nobody(Option<u32>),
    /// Who runs the tests.
    Own,
}

fn command(folder: &Path, settings: &str, user: User) -> Command {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let file = folder.join("samsvar.toml");
    let text = format!(
        "[node]\norganisationsnummer = \"2021009994\"\nnamn = \"Exempelkassan\"\n\
         node_id = \"samsvar-test\"\n[transport]\nkind = \"in-process\"\n[registers]\n\
         uppgiftslamnare = \"{0}/uppgiftslamnare.toml\"\nagreements = \"{0}/agreements\"\n\
         [listener]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"127.0.0.1:0\"\n{settings}\n",
        config.display()
    );
    fs::write(&file, text).unwrap();
    // Readable by everybody: the kernel shuts the memory of a program that its user cannot read.
    let program = folder.join("samsvar");
    if fs::hard_link(env!("CARGO_BIN_EXE_samsvar"), &program).is_err() {
        fs::copy(env!("CARGO_BIN_EXE_samsvar"), &program).unwrap();
    }
    let mut command = process::command("env");
    // Lower than it is: not even root may raise a limit everywhere.
    if let User::Nobody(Some(memlock)) = user {
        command.args(["prlimit", &format!("--memlock={memlock}")]);
    }
    command.arg("setpriv");
    if user != User::Own && getuid().is_root() {
        let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
        command.args([&user, &group, "--clear-groups"]);
    }
    command.args(["--pdeathsig", "KILL", "--"]);
    command.arg(program).args(["serve", "--config"]).arg(file);
    command.env("RUST_LOG", "warn,samsvar=info");
    command
}

impl Node {
    fn start(settings: &str, without: Option<&str>) -> Self {
        Self::start_as(User::Nobody(None), settings, without)
    }

    fn start_as(user: User, settings: &str, without: Option<&str>) -> Self {
        let without = without.map(|without| ("SAMSVAR_PROOF_WITHOUT", without));
        Self::start_with(user, settings, without.as_slice())
    }

    fn start_with(user: User, settings: &str, variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut command = command(folder.path(), settings, user);
        command.envs(variables.iter().copied());
        let process = Process::start(&mut command);
        process.err.find(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["message"] == "node started").then_some(())
        });
        Self {
            process,
            _folder: folder,
        }
    }

    fn proc(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.process.id())
    }

    /// Whether its own user may look into it: what the kernel shuts belongs to root.
    fn is_open_to_its_user(&self) -> bool {
        let user = if getuid().is_root() {
            NOBODY
        } else {
            getuid().as_raw()
        };
        fs::metadata(self.proc("mem")).unwrap().uid() == user
    }

    fn has_core_dumps(&self) -> bool {
        let limits = fs::read_to_string(self.proc("limits")).unwrap();
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let words: Vec<&str> = line.unwrap().split_ascii_whitespace().collect();
        words[4..6] != ["0", "0"]
    }

    /// Locked memory, in KiB.
    fn locked_kib(&self) -> u64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:"));
        line.unwrap()
            .trim()
            .strip_suffix(" kB")
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }

    fn log(&self) -> String {
        self.process.err.text()
    }
}

#[test]
fn nobody_but_root_reads_it_and_no_core_is_written() {
    let node = Node::start("", None);
    assert!(!node.is_open_to_its_user());
    assert!(!node.has_core_dumps());
    assert_eq!(node.locked_kib(), 0);
    for word in ["dumpable", "wipe"] {
        assert!(!node.log().contains(word), "{}", node.log());
    }
}

#[test]
fn a_setting_lifts_it_and_the_log_says_so() {
    let node = Node::start("[process]\ndumpable = true", None);
    assert!(node.is_open_to_its_user());
    assert!(!node.has_core_dumps());
    assert!(node.log().contains("process.dumpable: other processes"));
    assert!(!node.log().contains("not wiped"));
}

#[test]
fn only_what_is_there_to_be_looked_into_can_go_without_the_wipe() {
    let node = Node::start("[process]\ndumpable = true", Some("wipe"));
    assert!(node.log().contains("freed memory is not wiped"));
    let node = Node::start("[process]\ndumpable = true", Some("rinse,wipe"));
    for what in ["freed memory is not wiped", "no connection is rinsed"] {
        assert!(node.log().contains(what), "{}", node.log());
    }
    for (settings, without) in [
        ("", "wipe"),
        ("", "rinse"),
        ("[process]\ndumpable = true", "vipe"),
    ] {
        let node = Node::start(settings, Some(without));
        assert!(node.log().contains("SAMSVAR_PROOF_WITHOUT is ignored"));
        assert!(!node.log().contains("not wiped") && !node.log().contains("rinsed"));
    }
}

#[test]
fn only_what_is_there_to_be_looked_into_lets_its_actors_fall_on_purpose() {
    let start = |settings: &str, falls: &str| {
        Node::start_with(
            User::Nobody(None),
            settings,
            &[("SAMSVAR_PROOF_FALLS", falls)],
        )
    };
    let dumpable = "[process]\ndumpable = true";
    let node = start(dumpable, "aggregator:2,dispatcher-AF:1");
    assert!(node.log().contains("actors fall on purpose"));
    for (settings, falls) in [
        ("", "aggregator:2"),
        (dumpable, "aggregator"),
        (dumpable, "aggregator:x"),
    ] {
        let node = start(settings, falls);
        assert!(node.log().contains("SAMSVAR_PROOF_FALLS is ignored"));
        assert!(!node.log().contains("on purpose"));
    }
}

#[test]
fn all_memory_is_locked_where_that_is_allowed() {
    let limit = getrlimit(Resource::Memlock).current;
    let privileged =
        capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    if limit.is_some() && !privileged {
        eprintln!("SKIPPED: this user may lock {limit:?} bytes only (ulimit -l)");
        return;
    }
    let node = Node::start_as(User::Own, "[process]\nmlockall = true", None);
    assert!(node.locked_kib() > 0);
    assert!(node.log().contains("all memory of this process is locked"));
}

#[test]
fn a_node_that_may_not_lock_its_memory_says_what_it_needs_and_does_not_start() {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let settings = "[process]\nmlockall = true";
    let mut command = command(folder.path(), settings, User::Nobody(Some(MEMLOCK)));
    let ended = process::run(&mut command);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success(), "{said}");
    for part in [
        "process.mlockall: RLIMIT_MEMLOCK is 8 MiB",
        "MiB are needed",
        "LimitMEMLOCK=infinity",
    ] {
        assert!(said.contains(part), "{said}");
    }
}
