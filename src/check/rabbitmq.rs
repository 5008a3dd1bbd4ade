//! Whether RabbitMQ keeps its part of the promise that nothing is stored (design 5): a live one is
//! asked, over its management API when the configuration names it, else over AMQP as far as that goes.
//! What could not be looked at is said. Nothing is changed.
//!
//! ```text
//! Management ──► Snapshot ──► rules ──► findings ──► warnings of `samsvar check`
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use samsvar_actors::transport::amqp::examine::{self, Examined, Found, examine};
use samsvar_actors::transport::in_process::QUEUE_MAX;
use shs_schemas::{Sensitive, Uppgiftslamnare};
use tokio::time::timeout;

use self::management::Management;
use self::rules::{Expected, judge, shared};
use self::snapshot::{Snapshot, Unseen};
use crate::settings::{AmqpUrl, ManagementUrl, Settings, TransportKind};

mod management;
mod rules;
mod snapshot;
mod storage;

/// Longest time for all of it.
const LOOK_MAX: Duration = Duration::from_mins(1);
/// Longest time to connect to one address.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// What a look at RabbitMQ gave.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// What a node starts with all the same, and somebody should look at.
    pub(super) warnings: Vec<String>,
    /// How it was looked at, in short.
    pub(super) how: Vec<String>,
}

/// Asks the RabbitMQ of these settings; nothing when they name none.
pub(super) fn look(settings: &Settings) -> Option<Looked> {
    if settings.transport.kind != TransportKind::Amqp {
        return None;
    }
    // lapin drives its sockets from threads of their own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return Some(Looked::nothing("no runtime to ask it on"));
    };
    let looking = async { timeout(LOOK_MAX, look_within(settings)).await };
    let looked = runtime.block_on(looking);
    runtime.shutdown_background();
    Some(looked.unwrap_or_else(|_| Looked::nothing("no answer in time")))
}

async fn look_within(settings: &Settings) -> Looked {
    let mut looked = Looked::default();
    let common = settings.amqp.url.as_ref();
    let ttl_longest = settings.deadline.longest();
    let (mut of_api, mut of_amqp) = (Vec::new(), Vec::new());
    for place in places(settings) {
        let same = common.is_some_and(|common| common.host() == place.url.host());
        match (&settings.amqp.management_url, same) {
            (Some(_), true) => of_api.push(place),
            _ => of_amqp.push(place),
        }
    }
    if let Some(url) = settings
        .amqp
        .management_url
        .as_ref()
        .filter(|_| !of_api.is_empty())
    {
        let expected = expected(&of_api, ttl_longest);
        let ca = settings.amqp.ca.as_deref();
        match ask_management(url, ca, &expected).await {
            Ok(snapshot) => looked.judged(&snapshot, &expected),
            Err(Unseen(why)) => {
                looked
                    .warnings
                    .push(format!("management API at {url}: {why}"));
                of_amqp.append(&mut of_api);
            }
        }
    }
    for place in of_amqp {
        let ca = settings.amqp.ca.clone();
        let url = Sensitive::new(place.url.expose().to_owned());
        let examined = examine(&url, ca, &place.parties, CONNECT_MAX).await;
        looked.examined(&place, examined.map_err(|error| error.to_string()));
    }
    looked
}

/// The parties that one address leads to.
struct AddressOf<'s> {
    url: &'s AmqpUrl,
    vhost: String,
    parties: Vec<Uppgiftslamnare>,
}

/// The addresses of the connected parties.
fn places(settings: &Settings) -> Vec<AddressOf<'_>> {
    let mut places: BTreeMap<&str, AddressOf<'_>> = BTreeMap::new();
    for party in settings.parties.iter().filter(|party| party.connected) {
        let Some(url) = party.amqp_url.as_ref().or(settings.amqp.url.as_ref()) else {
            continue;
        };
        let Some(vhost) = examine::vhost(&Sensitive::new(url.expose().to_owned())) else {
            continue;
        };
        let parties = Vec::new();
        let of_address = || AddressOf {
            url,
            vhost,
            parties,
        };
        let place = places.entry(url.expose()).or_insert_with(of_address);
        place.parties.push(party.kod);
    }
    places.into_values().collect()
}

fn expected(places: &[AddressOf<'_>], ttl_longest: Duration) -> Expected {
    let mut vhosts: BTreeMap<String, Vec<Uppgiftslamnare>> = BTreeMap::new();
    for place in places {
        let parties = vhosts.entry(place.vhost.clone()).or_default();
        parties.extend(&place.parties);
    }
    Expected {
        vhosts,
        ttl_longest,
        length_max: QUEUE_MAX as u64,
    }
}

async fn ask_management(
    url: &ManagementUrl,
    ca: Option<&str>,
    expected: &Expected,
) -> Result<Snapshot, Unseen> {
    let management = Management::new(url.clone(), ca)?;
    let mut snapshot = management.snapshot(expected).await?;
    if url.is_loopback()
        && let Ok(nodes) = &mut snapshot.nodes
    {
        for node in nodes {
            node.storage = node.db_dir.as_deref().map(storage::of).unwrap_or_default();
        }
    }
    Ok(snapshot)
}

impl Looked {
    fn nothing(why: &str) -> Self {
        Self {
            warnings: vec![format!("not seen: anything of it ({why})")],
            how: vec!["not looked at".to_owned()],
        }
    }

    fn judged(&mut self, snapshot: &Snapshot, expected: &Expected) {
        let version = rules::shown(&snapshot.overview.rabbitmq_version);
        self.how
            .push(format!("{version}, seen by its management API"));
        let findings = judge(snapshot, expected).into_iter();
        self.warnings.extend(findings.map(|finding| finding.text));
    }

    /// What AMQP alone told of one address.
    fn examined(&mut self, place: &AddressOf<'_>, examined: Result<Examined, String>) {
        let AddressOf {
            url,
            vhost,
            parties,
        } = place;
        let vhost = rules::shown(vhost);
        if parties.len() > 1 && !url.is_loopback() {
            self.warnings.push(shared(&vhost, parties));
        }
        let examined = match examined {
            Ok(examined) => examined,
            Err(why) => {
                self.how.push(format!("{url} not reached"));
                self.warnings
                    .push(format!("{url}, {vhost}: not seen: anything of it ({why})"));
                return;
            }
        };
        self.how.push(format!("{url} seen by AMQP alone"));
        let exchange = ("exchange".to_owned(), examined.exchange);
        for (name, found) in std::iter::once(exchange).chain(examined.queues) {
            if let Some(what) = in_words(found) {
                self.warnings.push(format!("{url}, {vhost}: {name} {what}"));
            }
        }
        self.warnings.push(format!(
            "{url}, {vhost}: not seen by AMQP alone: data directory, policies, tracing, shovels, \
             federation, other bindings and consumers, waiting messages, listeners (set \
             amqp.management_url)"
        ));
    }
}

fn in_words(found: Found) -> Option<&'static str> {
    match found {
        Found::Alike => None,
        Found::Otherwise => Some(
            "has another type or other arguments than the node declares (a quorum queue, a stream, \
             lazy, dead-lettered): it may store messages",
        ),
        Found::Missing => Some("is not there yet: the node will declare it"),
        Found::Untold => Some("could not be looked at"),
    }
}

#[cfg(test)]
#[path = "rabbitmq/rabbitmq_tests.rs"]
mod tests;
