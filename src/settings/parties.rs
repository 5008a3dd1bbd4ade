//! The party register: which authorities are connected, and what each one is given.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use garde::Validate;
use serde::Deserialize;
use shs_schemas::ssbtek::Uppgiftslamnare;

use super::amqp_url::AmqpUrl;
use super::fault::{Fault, Faults};
use super::flow::{Dispatcher, LINE_MAX, WINDOW_MAX};
use super::source::{Environment, Source};
use super::transport::read_url;

/// One authority as the node treats it.
#[derive(Clone, Debug)]
pub struct Party {
    /// Which one.
    pub kod: Uppgiftslamnare,
    /// Whether it is asked; otherwise who asks for it gets `SSBT-EJ-ANSLUTEN`.
    pub connected: bool,
    /// Sub-questions open at once: its own value, or the dispatchers' common one.
    pub window: u32,
    /// Sub-questions waiting behind a full window.
    pub line_max: u32,
    /// RabbitMQ for this party alone; `None` means the common one.
    pub amqp_url: Option<AmqpUrl>,
}

/// An entry as it stands in the register.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[garde(skip)]
    connected: bool,
    #[garde(inner(range(min = 1, max = WINDOW_MAX)))]
    window: Option<u32>,
    #[garde(inner(range(max = LINE_MAX)))]
    line_max: Option<u32>,
    #[garde(skip)]
    amqp_url: Option<AmqpUrl>,
    #[garde(skip)]
    amqp_url_file: Option<PathBuf>,
}

/// Reads the register.
pub(super) fn read_parties(
    source: &Source,
    environment: &Environment,
    common: &Dispatcher,
) -> Result<Vec<Party>, Faults> {
    let entries: BTreeMap<String, Entry> =
        source.document(environment.register())?.deserialise()?;
    let mut faults = Faults::default();
    let mut parties = Vec::with_capacity(entries.len());
    for (kod, entry) in entries {
        match party(source, environment, &kod, entry, common) {
            Ok(party) => parties.push(party),
            Err(more) => faults.append(more),
        }
    }
    if faults.as_slice().is_empty() && !parties.iter().any(|party| party.connected) {
        faults.push(Fault::in_file(&source.file, None, "no party is connected"));
    }
    parties.sort_by_key(|party| party.kod);
    faults.or(parties)
}

fn party(
    source: &Source,
    environment: &Environment,
    kod: &str,
    entry: Entry,
    common: &Dispatcher,
) -> Result<Party, Faults> {
    let fault = |path: &str, message: &str| source.fault_at(path, environment.register(), message);
    let known =
        Uppgiftslamnare::from_kod(kod).ok_or_else(|| fault(kod, "no authority has this code"))?;
    let mut faults = Faults::default();
    if let Err(report) = entry.validate() {
        for (path, error) in report.iter() {
            faults.push(fault(&format!("{kod}.{path}"), error.message()));
        }
    }
    if entry.amqp_url.is_some() && entry.amqp_url_file.is_some() {
        faults.push(fault(
            &format!("{kod}.amqp_url_file"),
            "give either amqp_url or amqp_url_file",
        ));
    }
    let amqp_url = match (entry.amqp_url, entry.amqp_url_file) {
        (None, Some(file)) => {
            let folder = source.file.parent().unwrap_or(Path::new(""));
            read_url(&folder.join(file), &source.file)
                .map_err(|fault| faults.push(fault))
                .ok()
        }
        (url, _) => url,
    };
    faults.or(Party {
        kod: known,
        connected: entry.connected,
        window: entry.window.unwrap_or(common.window),
        line_max: entry.line_max.unwrap_or(common.line_max),
        amqp_url,
    })
}
