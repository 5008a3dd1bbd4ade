//! `samsvar ledger show`.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::process::ExitCode;

use samsvar_actors::ledger::event::Command;

use super::super::table::table;
use super::access::{NoteArgs, Visit};
use super::filters::{Fields, FilterArgs};
use super::{Source, rows};

/// Arguments of `samsvar ledger show`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    note: NoteArgs,
    /// Lines of the table, the last ones: 1 to 100000
    #[arg(long, value_name = "N", default_value_t = 200,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    last: u32,
    /// JSON lines for programs, without a bound
    #[arg(long, conflicts_with = "last")]
    json: bool,
}

/// Shows lines.
pub(super) fn run(args: &ShowArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let found = args.source.find()?;
    let visit = Visit {
        folder: &found.folder,
        args: args.note,
        command: Command::Show,
        filters: args.filters.kinds(),
    };
    let filters = args.filters.with_keys(&found.custody.keys);
    let filters = filters.map_err(|error| visit.refused(error))?;
    visit.shows()?;
    let mut out = io::stdout().lock();
    if args.json {
        rows::read(&found.folder, &filters, |line| {
            serde_json::to_writer(&mut out, &line)?;
            out.write_all(b"\n")
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let (mut last, mut more) = (VecDeque::new(), 0_u64);
    rows::read(&found.folder, &filters, |line| {
        if last.len() == args.last as usize {
            last.pop_front();
            more += 1;
        }
        last.push_back(row(&line));
        Ok(())
    })?;
    let header = [
        "SEQ", "TIME", "EVENT", "MESSAGE", "WHO", "WHAT", "MS", "BYTES",
    ];
    writeln!(out, "{}", table(&header, &[0, 6, 7], last))?;
    if more > 0 {
        writeln!(out, "… and {more} lines before these (--last, --json)")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(line: &Fields) -> Vec<String> {
    let message = if line.contains_key("tx_id") {
        rows::cell(line, "tx_id")
    } else {
        rows::cell(line, "request_id")
    };
    let what = [
        "felkod",
        "code",
        "reason",
        "way",
        "outcome",
        "direction",
        "day",
        "command",
        "beslut",
        "forra",
        "kvar",
        "bakat_ms",
        "torn_bytes",
        "class",
        "last_seq",
        "product",
        "owed",
    ];
    // What was delivered, acknowledged or wiped, and how.
    let what = [rows::cell(line, "slag"), rows::first(line, &what)];
    vec![
        rows::cell(line, "seq"),
        rows::cell(line, "time"),
        rows::cell(line, "event"),
        message,
        rows::first(
            line,
            &[
                "from",
                "certifikat",
                "bastjanst",
                "handlaggare",
                "uid",
                "aktor",
                "anropare",
                "door",
            ],
        ),
        what.join(" ").trim().to_owned(),
        rows::cell(line, "ms"),
        rows::cell(line, "bytes"),
    ]
}
