//! What was odd about the answers of each Uppgiftslämnare, by class.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use samsvar_actors::tally::Tally;
use shs_schemas::Uppgiftslamnare;

use super::family;

/// Writes them down.
pub(super) fn encode(tally: &Tally, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "What was odd about answers, by class";
    let mut avvikelser = family(encoder, "avvikelser", help, MetricType::Counter)?;
    for ul in Uppgiftslamnare::all() {
        for (klass, count) in tally.party(ul).avvikelser() {
            let labels = [("bastjanst", ul.kod()), ("class", klass.as_str())];
            avvikelser.row(labels, &ConstCounter::new(count))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use prometheus_client::collector::Collector;
    use prometheus_client::registry::Registry;
    use samsvar_actors::avvikelse::{Avvikelse, Avvikelser, Slag};
    use samsvar_actors::dispatcher::ended::Stray;
    use samsvar_actors::ledger::Ids;
    use uuid::Uuid;

    use super::*;

    #[derive(Debug)]
    struct Counted(Arc<Tally>);

    impl Collector for Counted {
        fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
            encode(&self.0, &mut encoder)
        }
    }

    #[test]
    fn each_party_has_a_row_for_each_class() {
        let tally = Tally::new();
        let avvikelser = Avvikelser::new(Arc::clone(&tally), None);
        let withheld = Slag::otillatet_falt("agare".into(), 812, true);
        for slag in [withheld.clone(), withheld, Slag::AndratSvar] {
            let avvikelse = Avvikelse::new(Uppgiftslamnare::TNS, slag);
            avvikelser.note(Uuid::nil(), &Ids::default(), avvikelse);
        }
        avvikelser.note_herrelost(Uppgiftslamnare::AF, Stray::Late);

        let mut registry = Registry::with_prefix("samsvar");
        registry.register_collector(Box::new(Counted(Arc::clone(&tally))));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for row in [
            r#"{bastjanst="TNS",class="otillatet_falt"} 2"#,
            r#"{bastjanst="TNS",class="andrat_svar"} 1"#,
            r#"{bastjanst="TNS",class="sent_svar"} 0"#,
            r#"{bastjanst="AF",class="sent_svar"} 1"#,
        ] {
            let row = format!("samsvar_avvikelser_total{row}\n");
            assert!(text.contains(&row), "{row} in {text}");
        }
        let rows = text.lines().filter(|line| !line.starts_with('#')).count();
        let classes = tally.party(Uppgiftslamnare::AF).avvikelser().count();
        assert_eq!(rows, Uppgiftslamnare::all().len() * classes);
    }
}
