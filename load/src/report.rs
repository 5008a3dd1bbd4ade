//! What is shown: medians over the rounds with the smallest and the largest, and the ratios.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::children::Care;
use crate::measure::Slice;

/// One way of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The bare AMQP client.
    Bare,
    /// The node over RabbitMQ.
    Node(Care),
    /// The node with answers from within.
    InProcess(Care),
}

impl Way {
    /// Name, and the name in JSON.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Bare => ("bare AMQP client", "bare"),
            Self::Node(Care::Full) => ("node over RabbitMQ", "node"),
            Self::Node(Care::Unwiped) => ("… without the wipe", "node_unwiped"),
            Self::Node(Care::None) => ("… without wipe and ledger", "node_careless"),
            Self::InProcess(Care::Full) => ("node in-process", "in_process"),
            Self::InProcess(Care::Unwiped) => ("… without the wipe", "in_process_unwiped"),
            Self::InProcess(Care::None) => ("… without wipe and ledger", "in_process_careless"),
        }
    }

    /// The processes that are watched, in their order.
    pub(crate) const fn processes(self) -> &'static [&'static str] {
        match self {
            Self::Bare => &["client", "responders", "RabbitMQ"],
            Self::Node(_) => &["generator", "responders", "RabbitMQ", "node"],
            Self::InProcess(_) => &["generator", "node"],
        }
    }
}

/// All rounds of one way with so many requests open.
pub(crate) struct Row {
    pub(crate) way: Way,
    pub(crate) open: usize,
    pub(crate) rounds: Vec<Slice>,
}

/// Median, smallest and largest.
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (values.first(), values.last()) else {
            return Self::default();
        };
        let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
        Self {
            median: f64::midpoint(values[low], values[high]),
            least: *least,
            most: *most,
        }
    }

    fn show(self, digits: usize) -> String {
        let Self {
            median,
            least,
            most,
        } = self;
        format!("{median:.digits$} [{least:.digits$}–{most:.digits$}]")
    }

    fn json(self) -> Value {
        json!({"median": self.median, "min": self.least, "max": self.most})
    }
}

impl Row {
    fn throughput(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|slice| slice.throughput))
    }

    fn latency_ms(&self, which: fn(&Slice) -> Duration) -> Spread {
        Spread::of(self.rounds.iter().map(|slice| ms(which(slice))))
    }

    /// Processor time a request (ms) and peak memory (MiB) of each process, and of all of them.
    fn costs(&self) -> Vec<(&'static str, Spread, Spread)> {
        let names = self.way.processes().iter().enumerate();
        let mut costs: Vec<_> = names
            .map(|(place, name)| {
                let of = |read: fn(&(Duration, u64)) -> f64| {
                    let rounds = self.rounds.iter();
                    Spread::of(rounds.filter_map(|slice| slice.costs.get(place).map(read)))
                };
                (*name, of(|(cpu, _)| ms(*cpu)), of(|(_, peak)| mib(*peak)))
            })
            .collect();
        let peaks = |slice: &Slice| slice.costs.iter().map(|(_, peak)| *peak).sum::<u64>();
        let peaks = Spread::of(self.rounds.iter().map(|slice| mib(peaks(slice))));
        costs.push(("all", Spread::of(self.rounds.iter().map(cpu_ms)), peaks));
        costs
    }
}

/// Processor time a request of all processes together.
fn cpu_ms(slice: &Slice) -> f64 {
    slice.costs.iter().map(|(cpu, _)| ms(*cpu)).sum()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

/// One way beside another, with as many requests open.
struct Ratio {
    /// Name, and the name in JSON.
    names: (&'static str, &'static str),
    open: usize,
    throughput: Spread,
    /// Processor time of the other's request to that of this one's, all processes counted: what the throughput would be on cores that do nothing else.
    cpu: Spread,
    added_p50_ms: Spread,
    added_p99_ms: Spread,
}

/// What is compared with what: the node with the bare client, and with itself with less care.
const COMPARED: [(Way, Way, &str, &str); 5] = [
    (
        Way::Node(Care::Full),
        Way::Bare,
        "node / bare",
        "node_to_bare",
    ),
    (
        Way::Node(Care::Full),
        Way::Node(Care::Unwiped),
        "node, wiping / not",
        "node_to_unwiped",
    ),
    (
        Way::InProcess(Care::Full),
        Way::InProcess(Care::Unwiped),
        "in-process, wiping / not",
        "in_process_to_unwiped",
    ),
    (
        Way::Node(Care::Full),
        Way::Node(Care::None),
        "node, wipe and ledger / neither",
        "node_to_careless",
    ),
    (
        Way::InProcess(Care::Full),
        Way::InProcess(Care::None),
        "in-process, wipe and ledger / neither",
        "in_process_to_careless",
    ),
];

/// Each round of one way is compared with the slice of the other beside it.
fn ratios(rows: &[Row]) -> Vec<Ratio> {
    let compared = COMPARED.into_iter();
    compared
        .flat_map(|(way, other, name, json)| ratios_of(rows, way, other, (name, json)))
        .collect()
}

fn ratios_of(
    rows: &[Row],
    way: Way,
    other: Way,
    names: (&'static str, &'static str),
) -> Vec<Ratio> {
    let find = |way, open| rows.iter().find(|row| row.way == way && row.open == open);
    let nodes = rows.iter().filter(|row| row.way == way);
    nodes
        .filter_map(|node| {
            let bare = find(other, node.open)?;
            let pairs = || node.rounds.iter().zip(&bare.rounds);
            Some(Ratio {
                names,
                open: node.open,
                throughput: Spread::of(pairs().map(|(n, b)| n.throughput / b.throughput)),
                cpu: Spread::of(pairs().map(|(n, b)| cpu_ms(b) / cpu_ms(n))),
                added_p50_ms: Spread::of(pairs().map(|(n, b)| ms(n.p50) - ms(b.p50))),
                added_p99_ms: Spread::of(pairs().map(|(n, b)| ms(n.p99) - ms(b.p99))),
            })
        })
        .collect()
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}

fn align_right(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// For people.
pub(crate) fn text(rows: &[Row]) -> String {
    let mut speed = table(&["", "open", "requests/s", "p50 ms", "p99 ms"]);
    let mut cost = table(&["", "open", "process", "CPU ms/request", "peak MiB"]);
    for row in rows {
        let (name, open) = (row.way.names().0.to_owned(), row.open.to_string());
        speed.add_row(vec![
            name.clone(),
            open.clone(),
            row.throughput().show(0),
            row.latency_ms(|slice| slice.p50).show(2),
            row.latency_ms(|slice| slice.p99).show(2),
        ]);
        for (process, cpu, peak) in row.costs() {
            let (cpu, peak) = (cpu.show(3), format!("{:.0}", peak.most));
            cost.add_row(vec![
                name.clone(),
                open.clone(),
                process.to_owned(),
                cpu,
                peak,
            ]);
        }
    }
    let mut ratio = table(&[
        "",
        "open",
        "throughput",
        "by CPU time",
        "added p50 ms",
        "added p99 ms",
    ]);
    for one in ratios(rows) {
        ratio.add_row(vec![
            one.names.0.to_owned(),
            one.open.to_string(),
            one.throughput.show(2),
            one.cpu.show(2),
            one.added_p50_ms.show(2),
            one.added_p99_ms.show(2),
        ]);
    }
    align_right(&mut speed, 1);
    align_right(&mut cost, 3);
    align_right(&mut ratio, 1);
    format!("{speed}\n\n{cost}\n\n{ratio}")
}

/// For programs.
pub(crate) fn json(rows: &[Row]) -> Value {
    let measured: Vec<Value> = rows
        .iter()
        .map(|row| {
            let processes: Vec<Value> = row
                .costs()
                .into_iter()
                .map(|(process, cpu, peak)| {
                    json!({
                        "process": process,
                        "cpu_ms_per_request": cpu.json(),
                        "peak_mib": peak.json(),
                    })
                })
                .collect();
            json!({
                "way": row.way.names().1,
                "open": row.open,
                "rounds": row.rounds.len(),
                "requests_per_s": row.throughput().json(),
                "p50_ms": row.latency_ms(|slice| slice.p50).json(),
                "p99_ms": row.latency_ms(|slice| slice.p99).json(),
                "processes": processes,
            })
        })
        .collect();
    let compared: Vec<Value> = ratios(rows)
        .into_iter()
        .map(|one| {
            json!({
                "of": one.names.1,
                "open": one.open,
                "throughput": one.throughput.json(),
                "by_cpu": one.cpu.json(),
                "added_p50_ms": one.added_p50_ms.json(),
                "added_p99_ms": one.added_p99_ms.json(),
            })
        })
        .collect();
    json!({"measured": measured, "ratios": compared})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(way: Way, throughput: &[f64]) -> Row {
        let slice = |throughput: &f64| Slice {
            throughput: *throughput,
            p50: Duration::from_millis(1),
            p99: Duration::from_millis(2),
            costs: Vec::new(),
        };
        Row {
            way,
            open: 16,
            rounds: throughput.iter().map(slice).collect(),
        }
    }

    #[test]
    fn each_round_is_compared_with_the_one_beside_it() {
        let rows = [
            row(Way::Bare, &[100.0, 200.0, 400.0]),
            row(Way::Node(Care::Full), &[90.0, 160.0, 400.0]),
        ];
        let ratios = ratios(&rows);
        assert_eq!(ratios[0].throughput.show(2), "0.90 [0.80–1.00]");
        assert_eq!(ratios.len(), 1, "nothing without its other half");
        assert_eq!(Spread::of([1.0, 2.0].into_iter()).show(1), "1.5 [1.0–2.0]");
    }
}
