//! `samsvar ledger export`.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use samsvar_actors::ledger::event::{Command, Filter};
use shs_schemas::shs::Organisationsnummer;

use super::access::{NoteArgs, Visit};
use super::filters::{Fields, FilterArgs, Filters};
use super::namnd::{self, Utdrag};
use super::{Source, rows};

/// Columns of a CSV file; what else a line has stands in the last one, as JSON.
const COLUMNS: [&str; 32] = [
    "seq",
    "time",
    "event",
    "node",
    "request_id",
    "tx_id",
    "corr_id",
    "content_id",
    "from",
    "to",
    "product",
    "status",
    "transfer_type",
    "sequence_type",
    "bastjanst",
    "outcome",
    "felkod",
    "code",
    "class",
    "where",
    "reason",
    "slag",
    "way",
    "ms",
    "bytes",
    "parts",
    "handlaggare",
    "ingivare",
    "personer",
    "person",
    "digest",
    "prev",
];

/// Arguments of `samsvar ledger export`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    filters: FilterArgs,
    /// The calls of this nämnd, one row each, for its own follow-up: nothing of another's
    #[arg(long, value_name = "ORGNR", value_parser = organisation,
          conflicts_with_all = ["tx_id", "event", "aktor", "bastjanst", "handlaggare", "person"])]
    namnd: Option<Organisationsnummer>,
    #[command(flatten)]
    note: NoteArgs,
    /// Form of the file
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    format: Format,
    /// File to make, for its owner alone; there may be none of this name
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn organisation(text: &str) -> Result<Organisationsnummer, &'static str> {
    Organisationsnummer::parse(text).map_err(|_| "an organisation number such as 2120009994")
}

/// Form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, for spreadsheets
    Csv,
    /// JSON lines, as in the ledger
    Jsonl,
}

/// Writes lines into a new file.
pub(super) fn run(args: &ExportArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let found = args.source.find()?;
    let mut kinds = args.filters.kinds();
    kinds.extend(args.namnd.is_some().then_some(Filter::Namnd));
    let visit = Visit {
        folder: &found.folder,
        args: args.note,
        command: Command::Export,
        filters: kinds,
    };
    let filters = args.filters.with_keys(&found.custody.keys);
    let filters = filters.map_err(|error| visit.refused(error))?;
    let with_name = |error| format!("{}: {error}", args.out.display());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let file = options.open(&args.out).map_err(with_name);
    let file = file.map_err(|error| visit.refused(error))?;
    let written = visit.shows().and_then(|()| {
        let mut out = BufWriter::new(&file);
        let lines = match &args.namnd {
            Some(namnd) => write_calls(&mut out, args.format, &found.folder, namnd, &filters)?,
            None => write(&mut out, args.format, &found.folder, &filters)?,
        };
        out.flush()?;
        file.sync_all()?;
        Ok(lines)
    });
    match written {
        Ok(lines) => writeln!(io::stdout(), "{lines} lines in {}", args.out.display())?,
        Err(error) => {
            // Half an export is none.
            let _ = fs::remove_file(&args.out);
            return Err(error);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(
    out: &mut dyn Write,
    format: Format,
    folder: &Path,
    filters: &Filters<'_>,
) -> io::Result<u64> {
    let mut lines = 0;
    if format == Format::Csv {
        writeln!(out, "{},more\r", COLUMNS.join(","))?;
    }
    rows::read(folder, filters, |line| {
        lines += 1;
        match format {
            Format::Csv => write_row(out, line),
            Format::Jsonl => {
                serde_json::to_writer(&mut *out, &line)?;
                out.write_all(b"\n")
            }
        }
    })?;
    Ok(lines)
}

/// The calls of one nämnd.
fn write_calls(
    out: &mut dyn Write,
    format: Format,
    folder: &Path,
    namnd: &Organisationsnummer,
    filters: &Filters<'_>,
) -> io::Result<u64> {
    let mut lines = 0;
    if format == Format::Csv {
        writeln!(out, "{}\r", namnd::COLUMNS)?;
    }
    let mut each = |anrop: &namnd::Anrop| {
        lines += 1;
        match format {
            Format::Csv => {
                let cells = anrop.cells().map(|cell| quoted(&cell));
                write!(out, "{}\r\n", cells.join(","))
            }
            Format::Jsonl => namnd::write_json(out, anrop),
        }
    };
    let mut utdrag = Utdrag::of(namnd.clone(), filters);
    let days = |day| filters.may_go_on(day);
    rows::read_days(folder, days, |line| utdrag.take(line, &mut each))?;
    utdrag.end(&mut each)?;
    Ok(lines)
}

fn write_row(out: &mut dyn Write, mut line: Fields) -> io::Result<()> {
    for column in COLUMNS {
        write!(out, "{},", quoted(&rows::cell(&line, column)))?;
        line.remove(column);
    }
    let more = if line.is_empty() {
        String::new()
    } else {
        serde_json::to_string(&line)?
    };
    write!(out, "{}\r\n", quoted(&more))
}

/// A cell (RFC 4180). One that a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !is_formula && !cell.contains([',', '"', '\n', '\r']) {
        return cell.to_owned();
    }
    let apostrophe = if is_formula { "'" } else { "" };
    format!("\"{apostrophe}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_a_formula() {
        for (cell, expected) in [
            ("", ""),
            ("mottaget", "mottaget"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("=1+1", "\"'=1+1\""),
            ("@x", "\"'@x\""),
            // A tx.id may begin so.
            ("-1", "\"'-1\""),
        ] {
            assert_eq!(quoted(cell), expected);
        }
    }
}
