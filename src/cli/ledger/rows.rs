//! The lines of a ledger, file by file.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use chrono::NaiveDate;
use samsvar_actors::ledger::folder::Folder;
use serde_json::Value;

use super::filters::{Fields, Filters};

/// Gives every line that is meant to `each`, in order. What is no whole line is left out: `verify` says
/// what it is.
pub(super) fn read(
    folder: &Path,
    filters: &Filters<'_>,
    mut each: impl FnMut(Fields) -> io::Result<()>,
) -> io::Result<()> {
    let days = |day| filters.may_be_on(day);
    read_days(folder, days, |line| match filters.take(line) {
        Some(line) => each(line),
        None => Ok(()),
    })
}

/// Gives every whole line of these days to `each`, in order.
pub(super) fn read_days(
    folder: &Path,
    is_meant: impl Fn(NaiveDate) -> bool,
    mut each: impl FnMut(Fields) -> io::Result<()>,
) -> io::Result<()> {
    let folder = Folder::at(folder);
    let days = folder.days()?;
    for day in days.into_iter().filter(|day| is_meant(*day)) {
        for line in BufReader::new(File::open(folder.file(day))?).split(b'\n') {
            if let Ok(Value::Object(fields)) = serde_json::from_slice(&line?) {
                each(fields)?;
            }
        }
    }
    Ok(())
}

/// A value as it stands in a cell.
pub(super) fn cell(line: &Fields, field: &str) -> String {
    match line.get(field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => {
            let texts = values.iter().map(|value| match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            });
            texts.collect::<Vec<_>>().join(" ")
        }
        Some(value) => value.to_string(),
    }
}

/// The first of these fields that a line has.
pub(super) fn first(line: &Fields, fields: &[&str]) -> String {
    let has = fields.iter().find(|field| line.contains_key(**field));
    has.map_or_else(String::new, |field| cell(line, field))
}
