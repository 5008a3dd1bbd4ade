//! What look-ups in the SHS directory came to. Without a directory there is nothing to show.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::family;
use crate::directory::{Catalogue, Counted, Lookup};

/// Shows what this catalogue counts.
pub fn register_directory(registry: &mut Registry, catalogue: Arc<Catalogue>) {
    registry.register_collector(Box::new(DirectoryMetrics(catalogue)));
}

#[derive(Debug)]
struct DirectoryMetrics(Arc<Catalogue>);

impl Collector for DirectoryMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        match self.0.counted() {
            Some(counted) => encode(&counted, &mut encoder),
            None => Ok(()),
        }
    }
}

fn encode(counted: &Counted, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Look-ups in the SHS directory by what they came to";
    let mut lookups = family(encoder, "directory_lookups", help, MetricType::Counter)?;
    for lookup in Lookup::ALL {
        let count = ConstCounter::new(counted.lookups(lookup));
        lookups.row([("outcome", lookup.as_str())], &count)?;
    }
    let entries = ConstGauge::new(i64::try_from(counted.entries).unwrap_or(i64::MAX));
    entries.encode(encoder.encode_descriptor(
        "directory_entries",
        "Answers of the SHS directory that are kept",
        None,
        MetricType::Gauge,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Shown(Counted);

    impl Collector for Shown {
        fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
            encode(&self.0, &mut encoder)
        }
    }

    #[test]
    fn every_outcome_is_shown_and_how_many_answers_are_kept() {
        let mut registry = Registry::with_prefix("samsvar");
        let counted = Counted {
            lookups: [1, 2, 3, 4],
            entries: 5,
        };
        registry.register_collector(Box::new(Shown(counted)));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            "samsvar_directory_lookups_total{outcome=\"fresh\"} 1\n",
            "samsvar_directory_lookups_total{outcome=\"cached\"} 2\n",
            "samsvar_directory_lookups_total{outcome=\"stale\"} 3\n",
            "samsvar_directory_lookups_total{outcome=\"away\"} 4\n",
            "samsvar_directory_entries 5\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
