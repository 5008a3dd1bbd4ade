//! Typed configuration. One file names everything; the party register and the folder of agreements
//! lie beside it.
//!
//! Every number has a unit in its name and a bound here; unknown names are refused; a fault names
//! file and line. Values never travel into fault texts when they may be secret: addresses of
//! RabbitMQ are [`AmqpUrl`], which shows its host and nothing else.
//!
//! ```text
//! samsvar.toml ──┬─► Settings ◄── SAMSVAR_<SECTION>__<KEY>
//!                ├─ registers.uppgiftslamnare ─► Settings::parties
//!                └─ registers.agreements      ─► Settings::agreements
//! ```

mod agreements;
mod aktor;
mod amqp_url;
mod contradictions;
mod fault;
mod flow;
mod folder;
mod http;
mod ldap;
mod ledger;
mod management_url;
mod node;
mod outbox;
mod parties;
mod process;
mod products;
mod relay;
mod sealing;
mod source;
mod ssbtek;
mod timing;
mod tls;
mod transfers;
mod transport;

use std::path::{Path, PathBuf};

use garde::Validate;
use serde::Deserialize;
use shs_schemas::ssbtek::Uppgiftslamnare;

pub use agreements::{AGREEMENTS_MAX, AgreementFile};
pub use aktor::{AKTORER_MAX, Aktor, Delivery, FileNames, Fingerprint, ServiceUrl, is_usable};
pub use amqp_url::AmqpUrl;
pub use fault::{Fault, Faults, Origin};
pub use flow::{Dispatcher, Load, Supervision};
pub use http::{Admin, Listener};
pub use ldap::{Ldap, LdapUrl};
pub use ledger::Ledger;
pub use management_url::ManagementUrl;
pub use node::{Node, Registers, Status};
pub use outbox::Outbox;
pub use parties::Party;
pub use process::Process;
pub use products::{PRODUCTS_MAX, ProductFile};
pub use relay::Relay;
pub use sealing::Sealing;
pub(crate) use source::read_bounded;
pub use ssbtek::{Lefi, PersonCheck, Skv, SoapAddress, Ssbtek};
pub use timing::{Deadline, DeadlinePolicy, Drain, PERSONS_MAX};
pub(crate) use tls::RELOAD_EVERY;
pub use tls::{CRL_FILES_MAX, ListenerTls, NextNode, Terminator};
pub use transfers::Transfers;
pub use transport::{Amqp, Transport, TransportKind};

use agreements::read_agreements;
use contradictions::contradictions;
use parties::read_parties;
use products::read_products;
use source::{Environment, Overlay, Source};

use crate::tls::material::{Material, Sources};

/// Name of the file that the demo's settings are built from, as it stands in faults.
const DEMO_FILE: &str = "demo.toml";
const DEMO: &str = include_str!("../config/demo.toml");
const DEMO_PARTIES: &str = include_str!("../config/uppgiftslamnare.toml");

/// Everything that can be set, checked.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who this node is.
    #[garde(dive)]
    pub node: Node,
    /// Where the party register and the agreements lie.
    #[serde(default)]
    #[garde(skip)]
    pub registers: Registers,
    /// Products, checks and ways of SSBTEK.
    #[serde(default)]
    #[garde(dive)]
    pub ssbtek: Ssbtek,
    /// The actors that are known by configuration: municipalities that may ask, and others.
    #[serde(default, rename = "aktor")]
    #[garde(length(max = AKTORER_MAX), dive)]
    pub aktorer: Vec<Aktor>,
    /// The SHS directory, which knows the actors that are not listed here.
    #[serde(default)]
    #[garde(dive)]
    pub ldap: Ldap,
    /// The service listener.
    #[serde(default)]
    #[garde(dive)]
    pub listener: Listener,
    /// The admin listener.
    #[serde(default)]
    #[garde(dive)]
    pub admin: Admin,
    /// Asynchronous messages between their acceptance and their end.
    #[serde(default)]
    #[garde(dive)]
    pub relay: Relay,
    /// Outboxes: where asynchronous messages wait for who fetches them.
    #[serde(default)]
    #[garde(dive)]
    pub outbox: Outbox,
    /// The way to other nodes.
    #[serde(default)]
    #[garde(dive)]
    pub next_node: NextNode,
    /// Which transport carries the questions.
    #[serde(default)]
    #[garde(skip)]
    pub transport: Transport,
    /// RabbitMQ.
    #[serde(default)]
    #[garde(dive)]
    pub amqp: Amqp,
    /// The node's own keys for sealed bodies.
    #[serde(default)]
    #[garde(dive)]
    pub sealing: Sealing,
    /// Windows, waiting lines and circuits of the dispatchers.
    #[serde(default)]
    #[garde(dive)]
    pub dispatcher: Dispatcher,
    /// How long a question may take.
    #[serde(default)]
    #[garde(dive)]
    pub deadline: Deadline,
    /// How long open requests may take after SIGTERM.
    #[serde(default)]
    #[garde(dive)]
    pub drain: Drain,
    /// How much is admitted.
    #[serde(default)]
    #[garde(dive)]
    pub load: Load,
    /// Where the ledger is kept.
    #[serde(default)]
    #[garde(dive)]
    pub ledger: Ledger,
    /// How much is remembered of asynchronous messages.
    #[serde(default)]
    #[garde(dive)]
    pub transfers: Transfers,
    /// Restart budget and back-off.
    #[serde(default)]
    #[garde(dive)]
    pub supervision: Supervision,
    /// Who may look into the process, and whether its memory is locked.
    #[serde(default)]
    #[garde(dive)]
    pub process: Process,
    /// Form of the log.
    #[serde(default)]
    #[garde(skip)]
    pub log: Log,
    /// The party register, in alphabetical order of the code. A party that is absent is not
    /// connected.
    #[serde(skip)]
    #[garde(skip)]
    pub parties: Vec<Party>,
    /// The agreements, in order of their files' names.
    #[serde(skip)]
    #[garde(skip)]
    pub agreements: Vec<AgreementFile>,
    /// The product descriptions, in order of their files' names.
    #[serde(skip)]
    #[garde(skip)]
    pub products: Vec<ProductFile>,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// See [`LogFormat`].
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal, else JSON.
    #[default]
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// Reads `file`, the register and agreements that it names, and the environment.
    ///
    /// # Errors
    /// Every fault that could be found, each with file and line, or with the name of the variable.
    pub fn load(file: &Path) -> Result<Self, Faults> {
        Self::load_with(file, &Environment::of_this_process())
    }

    fn load_with(file: &Path, environment: &Environment) -> Result<Self, Faults> {
        let source = Source::read(file)?;
        let mut settings: Self = source.document(environment.main())?.deserialise()?;
        let mut faults = settings.faults(&source, environment);
        let folder = file.parent().unwrap_or(Path::new(""));
        collect(&mut faults, settings.amqp.read_url_files(folder, file));
        if let Err(fault) = settings.amqp.read_ca_file(folder) {
            faults.push(source.fault_at("amqp.ca_file", environment.main(), &fault));
        }
        if let Err(fault) = settings.sealing.read_files(folder) {
            faults.push(source.fault_at("sealing.key_files", environment.main(), &fault));
        }
        settings.listener.resolve(folder);
        settings.next_node.resolve(folder);
        for fault in Material::faults(&Sources::of(&settings)) {
            let (path, message) = (fault.setting, fault.to_string());
            faults.push(source.fault_at(path, environment.main(), &message));
        }
        find_ledger(&mut settings.ledger, folder, |setting, fault| {
            faults.push(source.fault_at(setting, environment.main(), fault));
        });
        for (setting, fault) in settings.ldap.read_files(folder) {
            faults.push(source.fault_at(setting, environment.main(), &fault));
        }
        let register = folder.join(&settings.registers.uppgiftslamnare);
        let parties = Source::read(&register)
            .and_then(|source| read_parties(&source, environment, &settings.dispatcher));
        settings.parties = collect(&mut faults, parties).unwrap_or_default();
        if let Some((path, fault)) = settings.unsealable() {
            faults.push(source.fault_at(path, environment.main(), fault));
        }
        let agreements = read_agreements(&folder.join(&settings.registers.agreements));
        settings.agreements = collect(&mut faults, agreements).unwrap_or_default();
        let products = read_products(&folder.join(&settings.registers.products));
        settings.products = collect(&mut faults, products).unwrap_or_default();
        faults.or(settings)
    }

    /// Only where the ledger is: whoever reads it needs no key, certificate or address of the node, and
    /// may not be allowed to read them.
    ///
    /// # Errors
    /// When the file is none of settings, or its ledger cannot be found.
    pub fn load_ledger(file: &Path) -> Result<Ledger, Faults> {
        let environment = Environment::of_this_process();
        let source = Source::read(file)?;
        let settings: Self = source.document(environment.main())?.deserialise()?;
        let (mut ledger, mut faults) = (settings.ledger, Faults::default());
        let folder = file.parent().unwrap_or(Path::new(""));
        find_ledger(&mut ledger, folder, |setting, fault| {
            faults.push(source.fault_at(setting, environment.main(), fault));
        });
        faults.or(ledger)
    }

    /// A fault of the setting at a dotted path (`aktor[2]`), with the line in `file` where it stands,
    /// or with the variable that it comes from.
    pub(crate) fn fault_at(file: &Path, path: &str, message: &str) -> Fault {
        let environment = Environment::of_this_process();
        Self::fault_within(file, environment.main(), path, message)
    }

    /// The same of a setting in the party register (`CSN.kontrakt`) that `file` names.
    pub(crate) fn register_fault_at(&self, file: &Path, path: &str, message: &str) -> Fault {
        let environment = Environment::of_this_process();
        let folder = file.parent().unwrap_or(Path::new(""));
        let register = folder.join(&self.registers.uppgiftslamnare);
        Self::fault_within(&register, environment.register(), path, message)
    }

    fn fault_within(file: &Path, overlay: Overlay<'_>, path: &str, message: &str) -> Fault {
        match Source::read(file) {
            Ok(source) => source.fault_at(path, overlay, message),
            Err(_) => Fault::in_file(file, None, format!("{path}: {message}")),
        }
    }

    /// The settings of `samsvar demo`, from files built into the binary.
    ///
    /// # Panics
    /// Never in a build whose tests passed: the files are part of it.
    #[must_use]
    pub fn demo() -> Self {
        Self::built_in().expect("the built-in demo settings are valid")
    }

    fn built_in() -> Result<Self, Faults> {
        let nothing = Environment::empty();
        let source = Source::from_text(PathBuf::from(DEMO_FILE), DEMO.to_owned());
        let mut settings: Self = source.document(nothing.main())?.deserialise()?;
        let faults = settings.faults(&source, &nothing);
        let register = Source::from_text(
            settings.registers.uppgiftslamnare.clone(),
            DEMO_PARTIES.to_owned(),
        );
        settings.parties = read_parties(&register, &nothing, &settings.dispatcher)?;
        settings.agreements = agreements::built_in()?;
        faults.or(settings)
    }

    /// The entry of one party; `None` when the register does not list it.
    #[must_use]
    pub fn party(&self, kod: Uppgiftslamnare) -> Option<&Party> {
        self.parties.iter().find(|party| party.kod == kod)
    }

    /// What keeps the bodies of a party with a key from being sealed.
    fn unsealable(&self) -> Option<(&'static str, &'static str)> {
        if !self.parties.iter().any(|party| party.seal.is_some()) {
            return None;
        }
        if self.transport.kind == TransportKind::InProcess {
            return Some((
                "transport.kind",
                "simulated authorities here have no keys (seal)",
            ));
        }
        let keyless = self.sealing.key_files.is_empty();
        keyless.then_some((
            "sealing.key_files",
            "a party has a key (seal), the node has none",
        ))
    }

    /// Bounds of single values, then the rules between values.
    fn faults(&self, source: &Source, environment: &Environment) -> Faults {
        let mut faults = Faults::default();
        if let Err(report) = self.validate() {
            for (path, error) in report.iter() {
                // In the file the list `aktorer` is `[[aktor]]`.
                let path = path.to_string().replacen("aktorer", "aktor", 1);
                faults.push(source.fault_at(&path, environment.main(), error.message()));
            }
        }
        for (path, message) in contradictions(self) {
            faults.push(source.fault_at(&path, environment.main(), message));
        }
        faults
    }
}

/// Finds the ledger's files, and tells what is wrong with where.
fn find_ledger(ledger: &mut Ledger, folder: &Path, mut wrong: impl FnMut(&str, &str)) {
    if let Err(fault) = ledger.find_folder(folder) {
        wrong("ledger.folder", &fault);
    }
    for (setting, fault) in ledger.find_custody(folder) {
        wrong(setting, &fault);
    }
}

/// Keeps what came out; what went wrong joins the other faults.
fn collect<T>(faults: &mut Faults, result: Result<T, Faults>) -> Option<T> {
    result.map_err(|more| faults.append(more)).ok()
}

#[cfg(test)]
mod tests;
