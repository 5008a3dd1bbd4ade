//! The ledger as far as it is needed to judge the node: its lines in their order.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::record::Record;
use crate::stage::days;

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    pub seq: u64,
    /// When it happened, since the beginning.
    pub happened: Duration,
    pub event: String,
    pub request_id: String,
    pub tx_id: String,
    pub corr_id: String,
    all: Value,
}

impl Line {
    /// A further field, when it is a text.
    pub fn text(&self, name: &str) -> &str {
        self.all[name].as_str().unwrap_or_default()
    }

    /// A further field, when it is a number.
    pub fn number(&self, name: &str) -> usize {
        let number = self.all[name].as_u64().unwrap_or_default();
        usize::try_from(number).unwrap()
    }
}

/// Every whole line. Pieces of lines, which a crash left, are none.
pub fn read(ledger: &Path, record: &Record) -> Vec<Line> {
    let mut lines = Vec::new();
    for day in days(ledger) {
        let text = fs::read_to_string(day).unwrap();
        lines.extend(text.lines().filter_map(|text| line(text, record)));
    }
    lines
}

fn line(line: &str, record: &Record) -> Option<Line> {
    let all: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| all[name].as_str().unwrap_or_default().to_owned();
    Some(Line {
        seq: all["seq"].as_u64()?,
        happened: record.since_beginning(all["time"].as_str()?.parse().ok()?),
        event: text("event"),
        request_id: text("request_id"),
        tx_id: text("tx_id"),
        corr_id: text("corr_id"),
        all,
    })
}

/// What the ledger says of one message that was taken over: every line under its `request_id`, by number.
#[derive(Clone, Debug, Default)]
pub struct Accepted {
    /// When it was.
    pub seq: u64,
    /// Copies that took its place.
    copies: usize,
    /// It, its copies or its reply reached whom they were for.
    served: Vec<u64>,
    /// Its sender has an error.
    told: Vec<u64>,
    /// A node that was started anew found it without an end.
    pub resumed: Vec<u64>,
    /// It was never promised, or its sender sent it again and that one counts.
    pub is_void: bool,
}

impl Accepted {
    /// When it was served in full.
    pub fn served(&self) -> Option<u64> {
        let last = self.copies.max(1) - 1;
        self.served.get(last).copied()
    }

    /// When it came to its end: each copy did, or its sender was told that the node was started anew.
    pub fn ended(&self) -> Option<u64> {
        let last = self.copies.max(1) - 1;
        let mut ends = [&self.served[..], &self.told[..]].concat();
        ends.sort_unstable();
        let resumed = self.resumed.first();
        let told = self
            .told
            .iter()
            .find(|told| resumed.is_some_and(|resumed| *told > resumed));
        let by_copies = ends.get(last);
        by_copies.into_iter().chain(told).min().copied()
    }

    fn take(&mut self, line: &Line) {
        let is_end =
            line.event == "kvitterat" || (line.event == "levererat" && line.text("way") == "push");
        match line.event.as_str() {
            "delat" => self.copies = line.number("copies"),
            "aterupptaget" => self.resumed.push(line.seq),
            "avbrutet" => {
                self.is_void |= ["ej_antecknat", "omsand"].contains(&line.text("reason"));
            }
            _ if is_end => match line.text("slag") {
                "meddelande" | "svar" => self.served.push(line.seq),
                "fel" => self.told.push(line.seq),
                _ => {}
            },
            _ => {}
        }
    }
}

/// Every asynchronous message that was taken over and is not administrative: how often, by tx.id.
pub fn accepted(lines: &[Line]) -> HashMap<String, Vec<Accepted>> {
    let mut all = HashMap::new();
    for line in lines {
        let begins = line.event == "mottaget"
            && line.text("transfer_type") == "asynch"
            && line.text("sequence_type") != "adm";
        if begins {
            let accepted = Accepted {
                seq: line.seq,
                ..Accepted::default()
            };
            all.insert(line.request_id.as_str(), (&line.tx_id, accepted));
        } else if let Some((_, accepted)) = all.get_mut(line.request_id.as_str()) {
            accepted.take(line);
        }
    }
    let mut by_tx_id: HashMap<String, Vec<Accepted>> = HashMap::new();
    for (tx_id, accepted) in all.into_values() {
        by_tx_id.entry(tx_id.clone()).or_default().push(accepted);
    }
    for accepted in by_tx_id.values_mut() {
        accepted.sort_by_key(|accepted| accepted.seq);
    }
    by_tx_id
}
