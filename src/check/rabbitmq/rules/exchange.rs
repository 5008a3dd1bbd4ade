//! Rules about the exchange that questions are published to, and where it leads.

use samsvar_actors::transport::amqp::contract::EXCHANGE;

use super::super::snapshot::{Exchange, Snapshot};
use super::{Expected, of_places, shown};

const ALTERNATE: &str = "alternate-exchange";

/// The exchange of each virtual host, where it is there.
fn exchanges(snapshot: &Snapshot) -> impl Iterator<Item = (&String, &Exchange)> {
    of_places(snapshot, |place| &place.exchanges).filter_map(|(vhost, exchanges)| {
        let exchange = exchanges.iter().find(|one| one.name == EXCHANGE)?;
        Some((vhost, exchange))
    })
}

/// Another kind hands one question to several queues, or keeps it.
pub(super) fn kind(snapshot: &Snapshot, _: &Expected, find: &mut dyn FnMut(String)) {
    for (vhost, exchange) in exchanges(snapshot) {
        if exchange.kind != "direct" {
            let (vhost, kind) = (shown(vhost), shown(&exchange.kind));
            find(format!(
                "{EXCHANGE} in {vhost} is of type {kind}, not direct: it may copy or keep messages"
            ));
        }
        for argument in exchange.arguments.keys().filter(|one| *one != ALTERNATE) {
            let (vhost, argument) = (shown(vhost), shown(argument));
            find(format!("{EXCHANGE} in {vhost} has the argument {argument}"));
        }
    }
}

/// Questions that no queue takes would go there, and rest, instead of coming back.
pub(super) fn alternate(snapshot: &Snapshot, _: &Expected, find: &mut dyn FnMut(String)) {
    for (vhost, exchange) in exchanges(snapshot) {
        let by_policy = snapshot.policies.iter().flatten().any(|policy| {
            policy.vhost == *vhost
                && Some(&policy.name) == exchange.policy.as_ref()
                && policy.definition.contains_key(ALTERNATE)
        });
        if by_policy || exchange.arguments.contains_key(ALTERNATE) {
            let vhost = shown(vhost);
            find(format!(
                "{EXCHANGE} in {vhost} has an alternate exchange: questions without a queue go \
                 there instead of coming back"
            ));
        }
    }
}

/// One queue for each routing key, and nothing else.
pub(super) fn bindings(snapshot: &Snapshot, expected: &Expected, find: &mut dyn FnMut(String)) {
    for (vhost, bindings) in of_places(snapshot, |place| &place.bindings) {
        for binding in bindings {
            let own_name = format!("{EXCHANGE}.{}", binding.routing_key);
            let to_queue = binding.destination_type == "queue";
            if to_queue && binding.destination == own_name {
                continue;
            }
            let keys = expected.queues(vhost);
            let asked = keys.iter().any(|(_, key)| *key == binding.routing_key);
            let consequence = if asked { "is copied" } else { "would go" };
            find(format!(
                "a question with routing key {} {consequence} to {} {} in {}",
                shown(&binding.routing_key),
                shown(&binding.destination_type),
                shown(&binding.destination),
                shown(vhost)
            ));
        }
    }
}
