//! How long certificates and revocation lists last. Without any there is nothing to show.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::family;
use crate::tls::Store;
use crate::tls::inspection::Lasting;

/// Shows how long what this store holds lasts. The files are looked at anew for each scrape.
pub fn register_certificates(registry: &mut Registry, certificates: Arc<Store>) {
    registry.register_collector(Box::new(CertificateMetrics(certificates)));
}

struct CertificateMetrics(Arc<Store>);

impl fmt::Debug for CertificateMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateMetrics")
    }
}

impl Collector for CertificateMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        encode(&self.0.inspect().lasting, &mut encoder)
    }
}

/// Of several files behind one setting the first to end counts.
fn encode(lasting: &[Lasting], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let mut first = BTreeMap::new();
    for one in lasting {
        let days = first.entry(one.setting).or_insert(one.days_left);
        *days = one.days_left.min(*days);
    }
    let help =
        "Whole days until a certificate or revocation list ends, by the setting that names it";
    let mut rows = family(encoder, "certificate_days_left", help, MetricType::Gauge)?;
    for (setting, days) in first {
        rows.row([("setting", setting)], &ConstGauge::new(days))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Shown(Vec<Lasting>);

    impl Collector for Shown {
        fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
            encode(&self.0, &mut encoder)
        }
    }

    #[test]
    fn the_first_to_end_of_a_setting_is_shown_also_when_it_has_ended() {
        let lasting = |setting, days_left| Lasting {
            setting,
            file: "x.pem".into(),
            days_left,
        };
        let mut registry = Registry::with_prefix("samsvar");
        registry.register_collector(Box::new(Shown(vec![
            lasting("listener.tls.ca_files", 90),
            lasting("listener.tls.ca_files", -2),
            lasting("listener.tls.cert_file", 31),
        ])));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            "samsvar_certificate_days_left{setting=\"listener.tls.ca_files\"} -2\n",
            "samsvar_certificate_days_left{setting=\"listener.tls.cert_file\"} 31\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
