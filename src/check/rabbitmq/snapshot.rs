//! What was learnt of a RabbitMQ: facts without judgement, in the words of its management API.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// Values of arguments and policies, by their names.
pub(super) type Table = Map<String, Value>;

/// What was looked at; or why it could not be.
pub(super) type Seen<T> = Result<T, Unseen>;

/// Why something could not be looked at: the words come from here or from the operating system,
/// never from an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unseen(pub(super) String);

/// A RabbitMQ as its management API told of it.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// Whom it took the reader for.
    pub(super) user: User,
    pub(super) overview: Overview,
    pub(super) nodes: Seen<Vec<Node>>,
    pub(super) vhosts: Seen<Vec<Vhost>>,
    pub(super) policies: Seen<Vec<Policy>>,
    pub(super) parameters: Seen<Vec<Parameter>>,
    /// Dynamic and static ones; none when the plugin that tells is not there.
    pub(super) shovels: Seen<Vec<Shovel>>,
    /// By the name of the virtual host: those that the node's parties are in.
    pub(super) places: BTreeMap<String, Place>,
}

/// What there is in one virtual host.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) exchanges: Seen<Vec<Exchange>>,
    pub(super) queues: Seen<Vec<Queue>>,
    /// Where `samsvar.fraga` leads to.
    pub(super) bindings: Seen<Vec<Binding>>,
    pub(super) consumers: Seen<Vec<Consumer>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct User {
    pub(super) name: String,
    /// A list; one text with commas before 3.9.
    pub(super) tags: Value,
}

impl User {
    pub(super) fn has_tag(&self, tag: &str) -> bool {
        match &self.tags {
            Value::Array(tags) => tags.iter().any(|one| one == tag),
            Value::String(tags) => tags.split(',').any(|one| one.trim() == tag),
            _ => false,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Overview {
    pub(super) rabbitmq_version: String,
    /// Left out for users who may not see it.
    pub(super) listeners: Option<Vec<Listener>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Listener {
    pub(super) protocol: String,
    pub(super) ip_address: String,
    pub(super) port: u16,
    /// A table, or an empty list.
    #[serde(default)]
    pub(super) socket_opts: Value,
}

impl Listener {
    /// The address that it is bound to. Of HTTP listeners `ip_address` is a guess.
    pub(super) fn address(&self) -> &str {
        let bound = self.socket_opts.get("ip").and_then(Value::as_str);
        bound.unwrap_or(&self.ip_address)
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Node {
    pub(super) name: String,
    /// Comes with the first statistics, some seconds after the start.
    pub(super) db_dir: Option<String>,
    pub(super) enabled_plugins: Option<Vec<String>>,
    /// Seen by the machine that looks, not told by RabbitMQ.
    #[serde(skip)]
    pub(super) storage: Storage,
}

/// What a data directory lies on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Storage {
    /// In memory only, and there is no swap that it could be written to.
    Memory,
    /// In memory, which may be written to swap.
    Swappable,
    /// On a file system of this type.
    Disk(String),
    /// On another machine, or not told.
    #[default]
    Unseen,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Vhost {
    pub(super) name: String,
    #[serde(default)]
    pub(super) tracing: bool,
    /// Kind of a queue that is declared without one.
    #[serde(default)]
    pub(super) default_queue_type: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Policy {
    pub(super) vhost: String,
    pub(super) name: String,
    pub(super) definition: Table,
}

/// A runtime parameter, without its value: that may hold a password.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Parameter {
    pub(super) component: String,
    /// Missing in global ones.
    #[serde(default)]
    pub(super) vhost: String,
    pub(super) name: String,
}

/// A shovel, without its addresses.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Shovel {
    pub(super) name: String,
    /// Static ones belong to none.
    #[serde(default)]
    pub(super) vhost: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Exchange {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) arguments: Table,
    /// Name of the policy that reaches it.
    #[serde(default)]
    pub(super) policy: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Queue {
    pub(super) name: String,
    #[serde(rename = "type", default)]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) durable: bool,
    #[serde(default)]
    pub(super) exclusive: Option<bool>,
    #[serde(default)]
    pub(super) arguments: Table,
    /// User and operator policies taken together; comes with statistics. An empty list when none
    /// reaches it.
    pub(super) effective_policy_definition: Option<Value>,
    /// Waiting messages that their sender wants kept; comes with statistics.
    pub(super) messages_persistent: Option<u64>,
    /// Mirrors on other nodes, before 4.0.
    #[serde(default)]
    pub(super) slave_nodes: Option<Vec<String>>,
}

impl Queue {
    /// Whether its statistics are there.
    pub(super) const fn is_counted(&self) -> bool {
        self.effective_policy_definition.is_some() && self.messages_persistent.is_some()
    }

    /// What the policies say; nothing while that is not told.
    pub(super) fn policy(&self) -> Option<Table> {
        match self.effective_policy_definition.as_ref()? {
            Value::Object(definition) => Some(definition.clone()),
            _ => Some(Table::new()),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Binding {
    pub(super) destination: String,
    pub(super) destination_type: String,
    pub(super) routing_key: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Consumer {
    pub(super) queue: NamedQueue,
    pub(super) ack_required: bool,
    /// Empty while the channel is not known any more.
    #[serde(default)]
    pub(super) channel_details: Value,
}

impl Consumer {
    /// Who consumes, when that is told.
    pub(super) fn user(&self) -> Option<&str> {
        self.channel_details.get("user")?.as_str()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct NamedQueue {
    pub(super) name: String,
}
