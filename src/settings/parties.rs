//! The party register: which authorities are connected, and what each one is given.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use garde::Validate;
use samsvar_actors::transport::sealing::PublicKey;
use serde::Deserialize;
use shs_schemas::ssbtek::{Kontrakt, Uppgiftslamnare, Versioner};

use super::amqp_url::AmqpUrl;
use super::fault::{Fault, Faults};
use super::flow::{Dispatcher, LINE_MAX, WINDOW_MAX};
use super::node::check;
use super::source::{Environment, Source};
use super::transport::read_url;
use crate::seal_keys::public_key;

/// One authority as the node treats it.
#[derive(Clone, Debug)]
pub struct Party {
    /// Which one.
    pub kod: Uppgiftslamnare,
    /// Whether it is asked; otherwise who asks for it gets `SSBT-EJ-ANSLUTEN`.
    pub connected: bool,
    /// Versions of the contract that it is asked in (ssbtek-10, 0.2).
    pub kontrakt: Versioner,
    /// Whether an answer with a field that it may not give out is withheld; otherwise the field is
    /// noted and the answer forwarded (Bilaga 3; design 8.6).
    pub withhold: bool,
    /// Whether it is connected and has a test service, which a connection test calls (ssbtek-10,
    /// 1.3).
    pub ping: bool,
    /// Sub-questions open at once: its own value, or the dispatchers' common one.
    pub window: u32,
    /// Sub-questions waiting behind a full window.
    pub line_max: u32,
    /// RabbitMQ for this party alone; `None` means the common one.
    pub amqp_url: Option<AmqpUrl>,
    /// The key that its questions are sealed to; it must seal its answers. `None`: in clear.
    pub seal: Option<PublicKey>,
}

/// An entry as it stands in the register.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[garde(skip)]
    connected: bool,
    #[garde(inner(custom(versions)))]
    kontrakt: Option<Vec<i64>>,
    #[serde(default)]
    #[garde(skip)]
    withhold: bool,
    #[serde(default = "has_test_service")]
    #[garde(skip)]
    ping: bool,
    #[garde(inner(range(min = 1, max = WINDOW_MAX)))]
    window: Option<u32>,
    #[garde(inner(range(max = LINE_MAX)))]
    line_max: Option<u32>,
    #[garde(skip)]
    amqp_url: Option<AmqpUrl>,
    #[garde(skip)]
    amqp_url_file: Option<PathBuf>,
    #[garde(skip)]
    seal: Option<String>,
}

const fn has_test_service() -> bool {
    true
}

// The signature is garde's: a context, and a reference to the field's type.
#[expect(clippy::ptr_arg, clippy::trivially_copy_pass_by_ref)]
fn versions(versions: &Vec<i64>, _: &()) -> garde::Result {
    let served = |version: i64| of_number(version).is_some();
    check(!versions.is_empty(), "names no version of the contract")?;
    check(
        versions.iter().copied().all(served),
        "names a version of the contract that is not served",
    )?;
    let seen: HashSet<&i64> = versions.iter().collect();
    check(seen.len() == versions.len(), "names a version twice")
}

fn of_number(version: i64) -> Option<Kontrakt> {
    Kontrakt::from_version(u8::try_from(version).ok()?)
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
    let seal = entry.seal.and_then(|line| {
        let key = public_key(&line);
        let path = format!("{kod}.seal");
        key.map_err(|error| faults.push(fault(&path, &error.to_string())))
            .ok()
    });
    // Without the setting it is all that is served; what cannot be read is a fault already.
    let kontrakt = entry
        .kontrakt
        .and_then(|versions| Versioner::of(versions.into_iter().filter_map(of_number)));
    faults.or(Party {
        kod: known,
        connected: entry.connected,
        kontrakt: kontrakt.unwrap_or_else(Versioner::alla),
        withhold: entry.withhold,
        ping: entry.connected && entry.ping,
        window: entry.window.unwrap_or(common.window),
        line_max: entry.line_max.unwrap_or(common.line_max),
        amqp_url,
        seal,
    })
}

#[cfg(test)]
#[path = "parties_tests.rs"]
mod tests;
