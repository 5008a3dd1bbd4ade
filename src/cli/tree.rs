//! `samsvar tree`: the supervision tree of a running node, in the terminal.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;

use super::stop::Orders;
use super::table::table;

/// How often `--watch` looks again.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Longest wait for a node's answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);

/// Live aggregators that are shown by name; of the others the number.
const AGGREGATORS_SHOWN_MAX: usize = 20;

/// Arguments of `samsvar tree`.
#[derive(Clone, Debug, clap::Args)]
pub struct TreeArgs {
    /// Admin listener of the node
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9585")]
    admin: String,
    /// Look again every second until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// JSON for programs
    #[arg(long)]
    json: bool,
}

/// The tree as the node tells it.
#[derive(Debug, Deserialize)]
struct Tree {
    node: String,
    transport: String,
    open_requests: usize,
    draining: bool,
    sequence: u64,
    captured: String,
    aggregators_lost: u64,
    actors: Vec<Actor>,
}

#[derive(Debug, Deserialize)]
struct Actor {
    name: String,
    kind: String,
    state: String,
    detail: Option<String>,
    parent: Option<String>,
    generation: u32,
    restarts: u32,
    mailbox_depth: usize,
    in_flight: usize,
    waiting: usize,
    handled: u64,
    failed: u64,
    last_failure: Option<String>,
    uptime_ms: u64,
}

/// Shows the tree.
///
/// # Errors
/// When the node cannot be reached or tells something else than a tree.
pub async fn run(args: &TreeArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let http = reqwest::Client::builder()
        .timeout(ANSWER_TIME_MAX)
        .no_proxy()
        .build()?;
    let url = format!("{}/api/v1/tree", args.admin.trim_end_matches('/'));
    if !args.watch {
        show(&http, &url, args).await?;
        return Ok(ExitCode::SUCCESS);
    }
    // Heard, not left to the shell: a shell lets its background jobs ignore Ctrl-C.
    let mut orders = Orders::listen()?;
    tokio::select! {
        () = orders.stop() => Ok(ExitCode::SUCCESS),
        shown = watch(&http, &url, args) => shown,
    }
}

async fn watch(
    http: &reqwest::Client,
    url: &str,
    args: &TreeArgs,
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    loop {
        show(http, url, args).await?;
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

/// Shows the tree as it is now.
async fn show(
    http: &reqwest::Client,
    url: &str,
    args: &TreeArgs,
) -> Result<(), Box<dyn std::error::Error>> {
    let response = http.get(url).send().await?.error_for_status()?;
    let text = response.text().await?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{text}")?;
    } else {
        let tree: Tree = serde_json::from_str(&text)?;
        if args.watch {
            // Clears the screen and starts at its top.
            write!(out, "\x1b[2J\x1b[H")?;
        }
        write_tree(&mut out, &tree)?;
    }
    Ok(out.flush()?)
}

fn write_tree(out: &mut dyn Write, tree: &Tree) -> io::Result<()> {
    let draining = if tree.draining { ", draining" } else { "" };
    writeln!(
        out,
        "{} over {}{draining}, open requests: {} (snapshot {} at {})\n",
        tree.node, tree.transport, tree.open_requests, tree.sequence, tree.captured
    )?;
    let header = [
        "ACTOR",
        "STATE",
        "GEN",
        "RESTARTS",
        "MAILBOX",
        "IN FLIGHT",
        "WAITING",
        "HANDLED",
        "FAILED",
        "LAST FAILURE",
        "UP",
    ];
    writeln!(
        out,
        "{}",
        table(&header, &[2, 3, 4, 5, 6, 7, 8, 10], rows(tree))
    )?;
    if tree.aggregators_lost > 0 {
        writeln!(out, "{} aggregators have fallen", tree.aggregators_lost)?;
    }
    let aggregators = tree
        .actors
        .iter()
        .filter(|actor| actor.kind == "aggregator")
        .count();
    if aggregators > AGGREGATORS_SHOWN_MAX {
        writeln!(
            out,
            "… and {} more aggregators",
            aggregators - AGGREGATORS_SHOWN_MAX
        )?;
    }
    Ok(())
}

/// Parents before their children, children indented.
fn rows(tree: &Tree) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut aggregators = 0;
    for parent in tree.actors.iter().filter(|actor| actor.parent.is_none()) {
        add(tree, parent, 0, &mut aggregators, &mut rows);
    }
    rows
}

fn add(
    tree: &Tree,
    actor: &Actor,
    depth: usize,
    aggregators: &mut usize,
    rows: &mut Vec<Vec<String>>,
) {
    if actor.kind == "aggregator" {
        *aggregators += 1;
        if *aggregators > AGGREGATORS_SHOWN_MAX {
            return;
        }
    }
    rows.push(row(actor, depth));
    for child in tree
        .actors
        .iter()
        .filter(|child| child.parent.as_ref() == Some(&actor.name))
    {
        add(tree, child, depth + 1, aggregators, rows);
    }
}

fn row(actor: &Actor, depth: usize) -> Vec<String> {
    let branch = if depth == 0 {
        String::new()
    } else {
        format!("{}└ ", "  ".repeat(depth - 1))
    };
    let state = match &actor.detail {
        Some(detail) => format!("{} ({detail})", actor.state),
        None => actor.state.clone(),
    };
    vec![
        format!("{branch}{}", actor.name),
        state,
        actor.generation.to_string(),
        actor.restarts.to_string(),
        actor.mailbox_depth.to_string(),
        actor.in_flight.to_string(),
        actor.waiting.to_string(),
        actor.handled.to_string(),
        actor.failed.to_string(),
        actor.last_failure.clone().unwrap_or_default(),
        uptime(actor.uptime_ms),
    ]
}

fn uptime(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{ms} ms"),
        10_000..600_000 => format!("{} s", ms / 1_000),
        _ => format!("{} min", ms / 60_000),
    }
}
