//! `/metrics`: the node's counters as OpenMetrics. Read at each scrape from the counters that the
//! actors write; labels are words of ours, so no personal data can get in.

mod asynch;
mod avvikelser;
mod certificates;
mod directory;

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use samsvar_actors::dispatcher::ended::Stray;
use samsvar_actors::node::Node;
use samsvar_actors::observation::{ActorLine, Kind};
use samsvar_actors::room::Room;
use samsvar_actors::tally::{LATENCY_BUCKETS_MS, Latency, OutcomeClass};
use samsvar_actors::transport::Counted;
use shs_schemas::Uppgiftslamnare;

/// Media type of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub use certificates::register_certificates;
pub use directory::register_directory;

/// A registry that reads this node, and the memory that its request bodies share.
#[must_use]
pub fn registry(node: Arc<Node>, bodies: Arc<Room>) -> Registry {
    let mut registry = Registry::with_prefix("samsvar");
    registry.register_collector(Box::new(NodeMetrics { node, bodies }));
    registry
}

struct NodeMetrics {
    node: Arc<Node>,
    bodies: Arc<Room>,
}

impl fmt::Debug for NodeMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeMetrics")
    }
}

/// One family of metrics: its rows are written label by label.
struct Family<'a> {
    metric: MetricEncoder<'a>,
}

impl Family<'_> {
    fn row<const N: usize>(
        &mut self,
        labels: [(&str, &str); N],
        value: &impl EncodeMetric,
    ) -> fmt::Result {
        value.encode(self.metric.encode_family(&labels)?)
    }
}

fn family<'a>(
    encoder: &'a mut DescriptorEncoder<'_>,
    name: &'a str,
    help: &str,
    kind: MetricType,
) -> Result<Family<'a>, fmt::Error> {
    Ok(Family {
        metric: encoder.encode_descriptor(name, help, None, kind)?,
    })
}

impl Collector for NodeMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        self.requests(&mut encoder)?;
        self.parties(&mut encoder)?;
        avvikelser::encode(self.node.tally(), &mut encoder)?;
        self.memory(&mut encoder)?;
        self.ledger(&mut encoder)?;
        asynch::encode(&self.node, &mut encoder)?;
        transport(&self.node.transport_counted(), &mut encoder)?;
        self.actors(&mut encoder)
    }
}

impl NodeMetrics {
    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (tally, load) = (self.node.tally(), self.node.load());
        let open = ConstGauge::new(i64::try_from(load.open()).unwrap_or(i64::MAX));
        open.encode(encoder.encode_descriptor(
            "requests_open",
            "Requests that wait for their outcome",
            None,
            MetricType::Gauge,
        )?)?;
        ConstCounter::new(tally.received()).encode(encoder.encode_descriptor(
            "requests_received",
            "Messages received",
            None,
            MetricType::Counter,
        )?)?;
        let help = "Requests by their one outcome";
        let mut outcomes = family(encoder, "requests_ended", help, MetricType::Counter)?;
        for class in OutcomeClass::ALL {
            let count = ConstCounter::new(tally.outcome(class));
            outcomes.row([("outcome", class.as_str())], &count)?;
        }
        let lost = self.node.observatory().snapshot().aggregators_lost;
        let plain: [(&str, &str, u64); 3] = [
            (
                "aggregators_lost",
                "Aggregators that fell, each with its one request",
                lost,
            ),
            (
                "requests_overdue",
                "Requests still open after their hard limit: defects",
                tally.watchdog(),
            ),
            (
                "lefi_members_misplaced",
                "Members of LEFI answers dropped because they stood in the wrong authority's answer",
                tally.lefi_felplacerade(),
            ),
        ];
        for (name, help, value) in plain {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(metric)?;
        }
        Buckets(&tally.latency).encode(encoder.encode_descriptor(
            "request_seconds",
            "Time from receipt to reply",
            None,
            MetricType::Histogram,
        )?)
    }

    /// Nothing on a node without a ledger.
    fn ledger(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(ledger) = self.node.ledger() else {
            return Ok(());
        };
        let counted = ledger.tally().read();
        let plain = [
            ("ledger_notes", "Notes on disk", counted.noted),
            ("ledger_groups", "Writes with their fsync", counted.groups),
            (
                "ledger_notes_lost",
                "Notes that nobody waited for and that are not on disk",
                counted.lost,
            ),
            (
                "ledger_notes_refused",
                "Durable notes that were answered with an error",
                counted.not_noted,
            ),
            (
                "ledger_lines_torn",
                "Torn last lines that were closed",
                counted.torn,
            ),
        ];
        for (name, help, value) in plain {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(metric)?;
        }
        Ok(())
    }

    fn parties(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let tally = self.node.tally();
        let help = "Time from sub-question to answer";
        let mut answers = family(encoder, "answer_seconds", help, MetricType::Histogram)?;
        for ul in Uppgiftslamnare::all() {
            answers.row(
                [("bastjanst", ul.kod())],
                &Buckets(&tally.party(ul).latency),
            )?;
        }
        let help = "Sub-questions without an answer, by felkod";
        let mut errors = family(encoder, "subquestions_failed", help, MetricType::Counter)?;
        for ul in Uppgiftslamnare::all() {
            for (felkod, count) in tally.party(ul).felkoder() {
                let labels = [("bastjanst", ul.kod()), ("felkod", felkod.kod())];
                errors.row(labels, &ConstCounter::new(count))?;
            }
        }
        let help = "Answers that nobody waited for";
        let mut strays = family(encoder, "answers_dropped", help, MetricType::Counter)?;
        for ul in Uppgiftslamnare::all() {
            for (stray, count) in tally.party(ul).strays() {
                let labels = [("bastjanst", ul.kod()), ("class", stray_word(stray))];
                strays.row(labels, &ConstCounter::new(count))?;
            }
        }
        Ok(())
    }

    fn memory(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut rooms = vec![("bodies", &self.bodies), ("answers", self.node.answers())];
        if let Some(asynch) = self.node.asynch() {
            rooms.push(("underway", asynch.underway().room()));
        }
        let gauges: [Gauge<Room>; 2] = [
            ("held_bytes", "Memory that is held by messages", Room::used),
            (
                "held_bytes_max",
                "Memory that they may hold",
                Room::bytes_max,
            ),
        ];
        for (name, help, value) in gauges {
            let mut rows = family(encoder, name, help, MetricType::Gauge)?;
            for (what, room) in &rooms {
                let value = ConstGauge::new(i64::try_from(value(room)).unwrap_or(i64::MAX));
                rows.row([("what", *what)], &value)?;
            }
        }
        Ok(())
    }

    fn actors(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let lines = self.node.observatory().snapshot().actors;
        let lines: Vec<_> = lines
            .iter()
            .filter(|l| l.kind != Kind::Aggregator)
            .collect();
        let gauges: [Gauge<ActorLine>; 3] = [
            (
                "actor_mailbox_depth",
                "Messages that wait for an actor",
                |l| l.mailbox_depth,
            ),
            ("actor_in_flight", "Work an actor has given out", |l| {
                l.in_flight
            }),
            ("actor_waiting", "Work in an actor's own line", |l| {
                l.waiting
            }),
        ];
        for (name, help, value) in gauges {
            let mut rows = family(encoder, name, help, MetricType::Gauge)?;
            for line in &lines {
                let value = ConstGauge::new(i64::try_from(value(line)).unwrap_or(i64::MAX));
                rows.row([("actor", line.name.as_str())], &value)?;
            }
        }
        let help = "Restarts of an actor";
        let mut restarts = family(encoder, "actor_restarts", help, MetricType::Counter)?;
        for line in &lines {
            let count = ConstCounter::new(u64::from(line.restarts));
            restarts.row([("actor", line.name.as_str())], &count)?;
        }
        Ok(())
    }
}

/// What the transport counts, whichever it is.
fn transport(counted: &[Counted], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    for Counted { name, help, count } in counted {
        let name = format!("transport_{name}");
        let metric = encoder.encode_descriptor(&name, help, None, MetricType::Counter)?;
        ConstCounter::new(*count).encode(metric)?;
    }
    Ok(())
}

fn stray_word(stray: Stray) -> &'static str {
    match stray {
        Stray::Late => "late",
        Stray::Repeated => "repeated",
        Stray::Unknown => "unknown",
    }
}

/// Name, help and value of a gauge that every one of its kind has.
type Gauge<T> = (&'static str, &'static str, fn(&T) -> usize);

/// A latency as a histogram.
struct Buckets<'a>(&'a Latency);

impl EncodeMetric for Buckets<'_> {
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        let (counts, sum) = self.0.read();
        #[expect(
            clippy::cast_precision_loss,
            reason = "bounds are small whole milliseconds"
        )]
        let bounds = LATENCY_BUCKETS_MS.iter().map(|&ms| ms as f64 / 1_000.0);
        let bounds = bounds.chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(counts.iter().copied()).collect();
        encoder.encode_histogram::<NoLabelSet>(sum, counts.iter().sum(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Transported(Vec<Counted>);

    impl fmt::Debug for Transported {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Transported")
        }
    }

    impl Collector for Transported {
        fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
            transport(&self.0, &mut encoder)
        }
    }

    #[test]
    fn what_the_transport_counts_is_shown_under_its_own_names() {
        let mut registry = Registry::with_prefix("samsvar");
        registry.register_collector(Box::new(Transported(vec![Counted {
            name: "connections",
            help: "Connections made",
            count: 3,
        }])));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert!(
            text.contains("samsvar_transport_connections_total 3\n"),
            "{text}"
        );
    }
}
