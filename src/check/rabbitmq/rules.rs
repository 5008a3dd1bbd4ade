//! What a RabbitMQ must not do with questions and answers: store them, or hand a copy to somebody
//! (design 5, "memory-only also covers RabbitMQ"). Each rule reads the snapshot and says what it finds.

use std::collections::BTreeMap;
use std::time::Duration;

use samsvar_actors::transport::Traffic;
use samsvar_actors::transport::amqp::contract::{EXCHANGE, queue_name};
use shs_schemas::Uppgiftslamnare;

use super::snapshot::{Place, Queue, Seen, Snapshot, Unseen};

mod broker;
mod exchange;
mod queue;

pub(super) use self::broker::shared;

/// Tag of the users of `config/rabbitmq-definitions.json`, whose passwords everybody knows.
pub(super) const DEVELOPMENT: &str = "development";
/// Longest name of something in RabbitMQ that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 80;

/// What the configuration of the node says of its RabbitMQ.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// The connected parties, by the virtual host that they are in.
    pub(super) vhosts: BTreeMap<String, Vec<Uppgiftslamnare>>,
    /// The longest deadline that a question can have.
    pub(super) ttl_longest: Duration,
    /// Most messages that a queue should hold.
    pub(super) length_max: u64,
}

impl Expected {
    /// The queues of the parties in a virtual host, with their routing keys.
    fn queues(&self, vhost: &str) -> Vec<(String, String)> {
        let parties = self.vhosts.get(vhost).map_or(&[][..], Vec::as_slice);
        let both = |ul: &Uppgiftslamnare| {
            let ul = *ul;
            Traffic::ALL.map(|traffic| (queue_name(traffic, ul), traffic.routing_key(ul)))
        };
        parties.iter().flat_map(both).collect()
    }
}

/// Something that a rule does not want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Name of the rule.
    pub(super) rule: &'static str,
    /// What was found, and why it matters.
    pub(super) text: String,
}

/// A rule reads everything and tells each thing that it does not want.
type Rule = fn(&Snapshot, &Expected, &mut dyn FnMut(String));

/// Every rule, by its name.
const RULES: [(&str, Rule); 17] = [
    ("development", broker::development),
    ("storage", broker::storage),
    ("listener", broker::listeners),
    ("tracing", broker::tracing),
    ("shovel", broker::shovels),
    ("federation", broker::federation),
    ("default-queue-type", broker::default_queue_type),
    ("shared-vhost", broker::shared_vhosts),
    ("exchange", exchange::kind),
    ("alternate-exchange", exchange::alternate),
    ("binding", exchange::bindings),
    ("queue-type", queue::kind),
    ("queue-argument", queue::arguments),
    ("mirror", queue::mirrors),
    ("policy", queue::policy),
    ("persistent", queue::persistent),
    ("consumer", queue::consumers),
];

/// Everything that some rule does not want, and then what could not be looked at.
pub(super) fn judge(snapshot: &Snapshot, expected: &Expected) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, rule) in RULES {
        rule(snapshot, expected, &mut |text| {
            findings.push(Finding { rule: name, text });
        });
    }
    findings.extend(unseen(snapshot).into_iter().map(|text| Finding {
        rule: "not-seen",
        text,
    }));
    findings
}

/// What could not be looked at, and why.
fn unseen(snapshot: &Snapshot) -> Vec<String> {
    let mut not_seen = Vec::new();
    let mut note = |what: String, why: Option<&Unseen>| {
        not_seen.extend(why.map(|Unseen(why)| format!("not seen: {what} ({why})")));
    };
    note(
        "nodes and their data directories".into(),
        snapshot.nodes.as_ref().err(),
    );
    note(
        "virtual hosts and tracing".into(),
        snapshot.vhosts.as_ref().err(),
    );
    note(
        "policies of the exchange".into(),
        snapshot.policies.as_ref().err(),
    );
    note("federation".into(), snapshot.parameters.as_ref().err());
    note("shovels".into(), snapshot.shovels.as_ref().err());
    if snapshot.overview.listeners.is_none() {
        let why = Unseen("its user needs the tag monitoring".to_owned());
        note("listeners".into(), Some(&why));
    }
    for (vhost, place) in &snapshot.places {
        let vhost = shown(vhost);
        note(
            format!("exchanges of {vhost}"),
            place.exchanges.as_ref().err(),
        );
        note(format!("queues of {vhost}"), place.queues.as_ref().err());
        note(
            format!("bindings of {EXCHANGE} in {vhost}"),
            place.bindings.as_ref().err(),
        );
        note(
            format!("consumers in {vhost}"),
            place.consumers.as_ref().err(),
        );
    }
    not_seen
}

/// The places that the node's parties are in, with what is seen of one thing there.
fn of_places<'s, T: 's>(
    snapshot: &'s Snapshot,
    what: fn(&Place) -> &Seen<Vec<T>>,
) -> impl Iterator<Item = (&'s String, &'s Vec<T>)> {
    let places = snapshot.places.iter();
    places.filter_map(move |(vhost, place)| Some((vhost, what(place).as_ref().ok()?)))
}

/// The node's own queues that are there: those that its parties are asked through.
fn own_queues<'s>(snapshot: &'s Snapshot, expected: &Expected) -> Vec<(&'s String, &'s Queue)> {
    of_places(snapshot, |place| &place.queues)
        .flat_map(|(vhost, queues)| {
            let own = expected.queues(vhost);
            let is_own = move |queue: &&Queue| own.iter().any(|(name, _)| *name == queue.name);
            queues
                .iter()
                .filter(is_own)
                .map(move |queue| (vhost, queue))
        })
        .collect()
}

/// A name that somebody gave in RabbitMQ, safe to show: bounded, and without control characters.
pub(super) fn shown(name: &str) -> String {
    let sign = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut text: String = name.chars().take(SHOWN_CHARS_MAX).map(sign).collect();
    if name.chars().nth(SHOWN_CHARS_MAX).is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
