//! From settings to parts: what the configuration says, in the terms of the actors.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use samsvar_actors::child::{OverBudget, RestartPolicy};
use samsvar_actors::deadline::{DeadlineSettings, Policy};
use samsvar_actors::dispatcher::DispatcherSettings;
use samsvar_actors::dispatcher::circuit::CircuitSettings;
use samsvar_actors::ingress::rules::Rules;
use samsvar_actors::ledger::LedgerSettings;
use samsvar_actors::load::LoadSettings;
use samsvar_actors::node::{AsynchSettings, NodeSettings};
use samsvar_actors::parter::{Parter, Partvillkor};
use samsvar_actors::transport::Transport;
use samsvar_actors::transport::amqp::{AddressError, Amqp, AmqpSettings};
use samsvar_actors::transport::sealing::{SealKeys, Sealing};
use shs_schemas::ids::NodeId;
use shs_schemas::shs::label::{Actor, Status as LabelStatus};
use shs_schemas::shs::{Adress, Agreements, Organisationsnummer, Products};
use shs_schemas::ssbtek::personidentitet::Identitetskontroll;
use shs_schemas::ssbtek::{Anslutning, Fordelning, Versioner};
use shs_schemas::{Sensitive, Uppgiftslamnare, WireError, mime, xml};
use tokio::runtime::Handle;

use crate::directory::{CachedDirectory, Catalogue, ConfigDirectory};
use crate::settings::{
    Aktor, DeadlinePolicy, Delivery, FileNames, Party, PersonCheck, Settings, Status,
};

/// Messages that may wait for one ingress or egress: as many as may be open, and some.
const WORKER_MAILBOX_MAX: usize = 4_096;

/// Deepest nesting of a question or an answer.
const DEPTH_MAX: usize = 64;

/// Attributes and namespace declarations of one element of a question or an answer: generated programs
/// declare every namespace that they know on the envelope.
const ATTRIBUTES_MAX: usize = 128;

/// Settings that are well-formed one by one and cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// An identity in the settings cannot be read.
    #[error("{setting}: {fault}")]
    Identity {
        /// Which setting.
        setting: &'static str,
        /// What is wrong with it.
        fault: WireError,
    },
    /// An address of RabbitMQ cannot be used.
    #[error("amqp: {0}")]
    Address(#[from] AddressError),
    /// A party has a key, and the node's own cannot be used.
    #[error("sealing.key_files: a node that seals has one or two keys with names of their own")]
    SealKeys,
    /// The certificates of the SHS directory cannot be used.
    #[cfg(feature = "ldap")]
    #[error(transparent)]
    Directory(#[from] crate::directory::ldap::TlsFault),
    /// The settings name a directory, and this build knows no LDAP.
    #[cfg(not(feature = "ldap"))]
    #[error("ldap.url: this samsvar was built without LDAP (feature `ldap`)")]
    NoLdap,
}

/// What a node is made from.
///
/// # Errors
/// When an identity cannot be read.
pub fn node(settings: &Settings) -> Result<NodeSettings, WiringError> {
    let answer_bytes_max = settings.dispatcher.answer_bytes_max as usize;
    Ok(NodeSettings {
        rules: rules(settings)?,
        deadlines: deadlines(settings),
        load: LoadSettings {
            open_max: settings.load.open_requests_max as usize,
            open_per_sender_max: settings.load.open_per_sender_max as usize,
            answers_bytes_max: settings.load.answers_limit(),
        },
        parties: connected(settings)
            .map(|party| (party.kod, dispatcher(settings, party)))
            .collect(),
        answer_limits: xml::Limits {
            bytes_max: answer_bytes_max,
            depth_max: DEPTH_MAX,
            attributes_max: ATTRIBUTES_MAX,
            ..xml::Limits::default()
        },
        worker_mailbox_max: WORKER_MAILBOX_MAX,
        restart: RestartPolicy {
            restarts_max: settings.supervision.restarts as usize,
            within: settings.supervision.within(),
            backoff_first: settings.supervision.backoff_first(),
            backoff_longest: settings.supervision.backoff_longest(),
            over_budget: OverBudget::Escalate,
        },
        asynch: asynch(settings)?,
    })
}

/// How asynchronous messages are handled; a node without a ledger takes none.
fn asynch(settings: &Settings) -> Result<Option<AsynchSettings>, WiringError> {
    let Some(folder) = settings.ledger.folder.clone() else {
        return Ok(None);
    };
    Ok(Some(AsynchSettings {
        ledger: LedgerSettings {
            custody: settings.ledger.custody(&folder),
            folder,
            node_id: node_id(settings)?,
            group_max: settings.ledger.group_max as usize,
            wait_max: settings.ledger.wait_max(),
            person_pseudonyms: settings.ledger.person_pseudonyms,
        },
        transfers: settings.transfers.register(),
        outboxes: settings.outbox.parts(),
        underway: settings.relay.underway(),
        relay: settings.relay.parts(),
    }))
}

fn node_id(settings: &Settings) -> Result<NodeId, WiringError> {
    NodeId::parse(&settings.node.node_id).map_err(|fault| WiringError::Identity {
        setting: "node.node_id",
        fault,
    })
}

/// The parties that are connected.
fn connected(settings: &Settings) -> impl Iterator<Item = &Party> {
    settings.parties.iter().filter(|party| party.connected)
}

fn rules(settings: &Settings) -> Result<Rules, WiringError> {
    let own = number(
        "node.organisationsnummer",
        &settings.node.organisationsnummer,
    )?;
    let aktorer = |wanted: &dyn Fn(&Aktor) -> bool| {
        let wanted = settings.aktorer.iter().filter(|aktor| wanted(aktor));
        let numbers =
            wanted.map(|aktor| number("aktor.organisationsnummer", &aktor.organisationsnummer));
        numbers.collect::<Result<HashSet<_>, _>>()
    };
    let mut known = aktorer(&|_| true)?;
    let mut local = aktorer(&|aktor| aktor.delivery == Delivery::Mailbox)?;
    known.insert(own.clone());
    local.insert(own.clone());
    let products = settings.products.iter().map(|file| file.product.clone());
    Ok(Rules {
        own: Actor::new(Adress::of(own), Some(settings.node.namn.clone())),
        node_id: node_id(settings)?,
        product: settings.ssbtek.product,
        ping_product: settings.ssbtek.ping_product,
        local,
        known,
        rfc2231: aktorer(&|aktor| aktor.file_names == FileNames::Rfc2231)?,
        directory: settings.ldap.url.is_some(),
        products: Products::new(products.collect()),
        agreements: agreements(settings),
        statuses: settings
            .node
            .status
            .iter()
            .copied()
            .map(label_status)
            .collect::<HashSet<_>>(),
        fordelning: fordelning(settings),
        parter: parter(settings),
        message_limits: mime::Limits {
            body_bytes_max: settings.listener.body_limit(),
            ..mime::Limits::default()
        },
        question_limits: xml::Limits {
            bytes_max: settings.listener.body_limit(),
            depth_max: DEPTH_MAX,
            attributes_max: ATTRIBUTES_MAX,
            ..xml::Limits::default()
        },
        person_check: match settings.ssbtek.person_check {
            PersonCheck::Strict => Identitetskontroll::Strict,
            PersonCheck::Pattern => Identitetskontroll::Pattern,
        },
    })
}

/// How each party is treated beside its dispatcher.
fn parter(settings: &Settings) -> Parter {
    let villkor = |party: &Party| Partvillkor {
        withhold: party.withhold,
        ping: party.ping,
    };
    Parter::new(
        settings
            .parties
            .iter()
            .map(|party| (party.kod, villkor(party))),
    )
}

/// How a question is spread: to whom, in which versions, and what stands in for what it cannot say.
fn fordelning(settings: &Settings) -> Fordelning {
    // Also for parties that are not connected now: who is, the dispatchers tell at each question.
    let parties = settings.parties.iter();
    let spoken = parties.map(|party| (party.kod, party.kontrakt));
    let spoken: HashMap<Uppgiftslamnare, Versioner> = spoken.collect();
    let anslutna = Uppgiftslamnare::all().map(|ul| {
        let kontrakt = spoken.get(&ul).copied().unwrap_or_else(Versioner::alla);
        (ul, Anslutning { kontrakt })
    });
    let mut fordelning = Fordelning::new(anslutna);
    fordelning.lefi = settings.ssbtek.lefi.into();
    fordelning.skv = settings.ssbtek.skv.into();
    fordelning
}

fn number(setting: &'static str, text: &str) -> Result<Organisationsnummer, WiringError> {
    Organisationsnummer::parse(text).map_err(|fault| WiringError::Identity { setting, fault })
}

fn label_status(status: Status) -> LabelStatus {
    match status {
        Status::Production => LabelStatus::Production,
        Status::Test => LabelStatus::Test,
    }
}

fn agreements(settings: &Settings) -> Agreements {
    let files = settings.agreements.iter();
    Agreements::new(files.map(|file| file.agreement.clone()).collect())
}

fn deadlines(settings: &Settings) -> DeadlineSettings {
    let deadline = &settings.deadline;
    DeadlineSettings {
        policy: match deadline.policy {
            DeadlinePolicy::Fixed => Policy::Fixed,
            DeadlinePolicy::Budget => Policy::Budget {
                share_max: deadline.budget_share,
            },
        },
        promise: deadline.promise(),
        limit: deadline.limit(),
        per_person: deadline.per_person(),
        margin: deadline.margin(),
        history: deadline.budget_history as usize,
    }
}

fn dispatcher(settings: &Settings, party: &Party) -> DispatcherSettings {
    DispatcherSettings {
        window: party.window as usize,
        line_max: party.line_max as usize,
        circuit: CircuitSettings {
            timeouts_in_a_row: settings.dispatcher.circuit_timeouts_in_a_row,
            impatient_after: settings.dispatcher.circuit_impatient_after,
            pause: settings.dispatcher.circuit_pause(),
        },
    }
}

/// The AMQP transport that the settings describe; its connections live on `runtime`.
///
/// # Errors
/// When an address cannot be used.
pub fn amqp(settings: &Settings, runtime: Handle) -> Result<Arc<Amqp>, WiringError> {
    let of_party = |party: &Party| {
        let url = party.amqp_url.as_ref()?;
        Some((party.kod, Sensitive::new(url.expose().to_owned())))
    };
    let urls: HashMap<Uppgiftslamnare, Sensitive<String>> =
        connected(settings).filter_map(of_party).collect();
    let url = settings
        .amqp
        .url
        .as_ref()
        .map_or_else(String::new, |url| url.expose().to_owned());
    let amqp = AmqpSettings {
        urls,
        connect_timeout: settings.amqp.connect_timeout(),
        publish_timeout: settings.amqp.publish_timeout(),
        consumer_check: settings.amqp.consumer_check(),
        reconnect_first: settings.amqp.reconnect_first(),
        reconnect_longest: settings.amqp.reconnect_longest(),
        ttl_longest: settings.deadline.longest(),
        tls_ca: settings.amqp.ca.clone(),
        answer_bytes_max: settings.dispatcher.answer_bytes_max as usize,
        heartbeat: settings.amqp.heartbeat(),
        rinse_after: settings.amqp.rinse_after(),
        ..AmqpSettings::new(Sensitive::new(url))
    };
    Ok(Arc::new(Amqp::start(amqp, runtime)?))
}

/// The transport with its bodies sealed, for the parties that have a key.
///
/// # Errors
/// When a party has a key and the node has none, or more than may be live.
pub fn sealed(
    settings: &Settings,
    transport: Arc<dyn Transport>,
) -> Result<Arc<dyn Transport>, WiringError> {
    let of_party = |party: &Party| Some((party.kod, party.seal.clone()?));
    let parties: HashMap<_, _> = connected(settings).filter_map(of_party).collect();
    if parties.is_empty() {
        return Ok(transport);
    }
    let own = settings.sealing.keys.clone();
    let keys = SealKeys::new(own, parties).ok_or(WiringError::SealKeys)?;
    Ok(Arc::new(Sealing::new(transport, keys)))
}

/// What the node knows of other actors; the connection to the SHS directory, if there is one, lives
/// on `runtime`, which must be multi-threaded: an arbiter stops it when it is busy.
///
/// # Errors
/// When an actor's number cannot be read, or the directory's certificates cannot be used.
pub fn directory(settings: &Settings, runtime: Handle) -> Result<Arc<Catalogue>, WiringError> {
    let config = ConfigDirectory::new(settings).map_err(|fault| WiringError::Identity {
        setting: "aktor.organisationsnummer",
        fault,
    })?;
    let directory = shs_directory(settings, runtime)?;
    Ok(Arc::new(Catalogue::new(config, directory)))
}

#[cfg(feature = "ldap")]
fn shs_directory(
    settings: &Settings,
    runtime: Handle,
) -> Result<Option<CachedDirectory>, WiringError> {
    use crate::directory::{CacheSettings, LdapDirectory};

    let ldap = &settings.ldap;
    let Some(url) = &ldap.url else {
        return Ok(None);
    };
    let directory = LdapDirectory::new(url, ldap, runtime.clone())?;
    let cache = CacheSettings {
        fresh: ldap.cache(),
        stale: ldap.stale(),
        negative: ldap.negative_cache(),
        entries_max: ldap.cache_entries_max as usize,
    };
    let cached = CachedDirectory::new(Arc::new(directory), cache, runtime);
    Ok(Some(cached))
}

#[cfg(not(feature = "ldap"))]
fn shs_directory(settings: &Settings, _: Handle) -> Result<Option<CachedDirectory>, WiringError> {
    match settings.ldap.url {
        Some(_) => Err(WiringError::NoLdap),
        None => Ok(None),
    }
}

#[cfg(test)]
#[path = "wiring_tests.rs"]
mod tests;
