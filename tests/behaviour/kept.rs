//! The ledger that a node has kept: its lines, and the commands on it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::sandbox::{Sandbox, eventually};

/// The lines of the node's ledger, in their order.
pub fn lines(sandbox: &Sandbox) -> Vec<Value> {
    let lines = sandbox.ledger();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Those of one event.
pub fn of_event<'l>(lines: &'l [Value], event: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

/// `samsvar ledger`, on the ledger in this folder.
pub fn ledger(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_samsvar"))
        .args(["ledger", args[0], "--folder"])
        .arg(folder.join("ledger"))
        .args(&args[1..])
        .output()
        .unwrap()
}

/// Everything that a command printed.
pub fn said(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(all).unwrap()
}

/// Takes the node down, and waits until the ledger has let go of its file.
pub async fn stop(sandbox: &Sandbox) {
    sandbox.stop().await;
    let is_free = || {
        let files = fs::read_dir(sandbox.folder().join("ledger")).unwrap();
        let mut files = files.map(|file| fs::File::open(file.unwrap().path()).unwrap());
        files.all(|file| file.try_lock().is_ok())
    };
    eventually("the ledger is closed", is_free).await;
}
