//! What a configuration says, in short.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use shs_schemas::ssbtek::{Kontrakt, Versioner};

use crate::settings::{Aktor, Delivery, Lefi, Settings, Status, TransportKind};
use crate::tls::inspection::Lasting;

/// What a configuration says, in short. No secrets: RabbitMQ is named by its host.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The node and its actor.
    pub node: String,
    /// Which label status it takes.
    pub status: String,
    /// Where the service listens.
    pub listener: String,
    /// How callers are told apart.
    pub tls: &'static str,
    /// Where the admin pages are.
    pub admin: String,
    /// How long certificates and revocation lists last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Lasting>,
    /// `in-process`, or where RabbitMQ is.
    pub transport: String,
    /// How each RabbitMQ was looked at, and its version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rabbitmq: Vec<String>,
    /// Codes of the connected authorities.
    pub connected: Vec<&'static str>,
    /// Codes of the authorities that are not connected.
    pub not_connected: Vec<&'static str>,
    /// Versions of the contract that are served.
    pub kontrakt: Vec<u8>,
    /// The connected authorities that do not speak all of them, with those that they speak.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kontrakt_of: BTreeMap<&'static str, Vec<u8>>,
    /// Who is asked for LEFI.
    pub lefi: &'static str,
    /// How many actors are known.
    pub aktorer: usize,
    /// How many of them have a mailbox here.
    pub mailboxes: usize,
    /// How many of them have a node of their own that messages are pushed to.
    pub push_actors: usize,
    /// How many products are described.
    pub products: usize,
    /// Where the ledger is; none: asynchronous messages are refused.
    pub ledger: Option<String>,
    /// Where the SHS directory is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// How many agreements there are.
    pub agreements: usize,
    /// The hard limit of a question about one person, and about as many as one may hold, in
    /// seconds.
    pub limit_s: (f64, f64),
}

impl Summary {
    pub(super) fn of(settings: &Settings, certificates: Vec<Lasting>) -> Self {
        let scheme = match settings.listener.tls {
            Some(_) => "https",
            None => "http",
        };
        let codes = |connected: bool| {
            shs_schemas::ssbtek::Uppgiftslamnare::all()
                .filter(|kod| settings.party(*kod).is_some_and(|p| p.connected) == connected)
                .map(shs_schemas::ssbtek::Uppgiftslamnare::kod)
                .collect()
        };
        let node = &settings.node;
        let delivered = |way: Delivery| {
            let with = |aktor: &&Aktor| aktor.delivery == way;
            settings.aktorer.iter().filter(with).count()
        };
        Self {
            node: format!(
                "{} ({}, {})",
                node.node_id, node.namn, node.organisationsnummer
            ),
            status: statuses(&settings.node.status),
            tls: callers(settings),
            listener: format!("{scheme}://{}", settings.listener.address),
            admin: format!("http://{}", settings.admin.address),
            certificates,
            transport: transport(settings),
            rabbitmq: Vec::new(),
            connected: codes(true),
            not_connected: codes(false),
            kontrakt: numbers(Versioner::alla()),
            kontrakt_of: settings
                .parties
                .iter()
                .filter(|party| party.connected && party.kontrakt != Versioner::alla())
                .map(|party| (party.kod.kod(), numbers(party.kontrakt)))
                .collect(),
            lefi: match settings.ssbtek.lefi {
                Lefi::Split => "FK and PM are asked for LEFI each by itself",
                Lefi::Unsplit => "FK is asked for LEFI for PM too",
            },
            aktorer: settings.aktorer.len(),
            mailboxes: delivered(Delivery::Mailbox),
            push_actors: delivered(Delivery::Push),
            products: settings.products.len(),
            ledger: settings
                .ledger
                .folder
                .as_ref()
                .map(|folder| folder.display().to_string()),
            directory: settings.ldap.url.as_ref().map(ToString::to_string),
            agreements: settings.agreements.len(),
            limit_s: (
                settings.deadline.limit().as_secs_f64(),
                settings.deadline.longest().as_secs_f64(),
            ),
        }
    }
}

fn statuses(taken: &[Status]) -> String {
    let word = |status: &Status| match status {
        Status::Production => "production",
        Status::Test => "test",
    };
    taken.iter().map(word).collect::<Vec<_>>().join(" and ")
}

/// The numbers of these versions, in order.
fn numbers(versioner: Versioner) -> Vec<u8> {
    let spoken = Kontrakt::all().filter(|kontrakt| versioner.contains(*kontrakt));
    spoken.map(Kontrakt::version).collect()
}

/// `10 and 11`
fn in_words(versions: &[u8]) -> String {
    let words = versions.iter().map(ToString::to_string);
    words.collect::<Vec<_>>().join(" and ")
}

/// How callers of the service listener are told apart.
fn callers(settings: &Settings) -> &'static str {
    let listener = &settings.listener;
    match (listener.tls.is_some(), listener.terminator.is_some()) {
        (true, false) => "client certificates",
        (true, true) => "client certificates, or those that a terminator hands over",
        (false, true) => "client certificates that a terminator hands over",
        (false, false) => "none: every caller is believed",
    }
}

fn transport(settings: &Settings) -> String {
    match (settings.transport.kind, &settings.amqp.url) {
        (TransportKind::InProcess, _) => "in-process".to_owned(),
        (TransportKind::Amqp, Some(url)) => format!("amqp, {url}"),
        (TransportKind::Amqp, None) => "amqp".to_owned(),
    }
}

impl Summary {
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let not_connected = match self.not_connected.as_slice() {
            [] => String::new(),
            codes => format!(" (not connected: {})", codes.join(" ")),
        };
        writeln!(out, "ok")?;
        writeln!(out, "  node         {}", self.node)?;
        writeln!(out, "  status       {}", self.status)?;
        writeln!(out, "  service      {}", self.listener)?;
        writeln!(out, "  callers      {}", self.tls)?;
        writeln!(out, "  admin        {}", self.admin)?;
        for lasting in &self.certificates {
            writeln!(out, "  certificate  {lasting}")?;
        }
        writeln!(out, "  transport    {}", self.transport)?;
        for looked in &self.rabbitmq {
            writeln!(out, "  rabbitmq     {looked}")?;
        }
        writeln!(
            out,
            "  authorities  {}{not_connected}",
            self.connected.join(" ")
        )?;
        write!(out, "  contract     {}", in_words(&self.kontrakt))?;
        for (kod, versions) in &self.kontrakt_of {
            write!(out, ", {kod} only {}", in_words(versions))?;
        }
        writeln!(out, "; {}", self.lefi)?;
        writeln!(
            out,
            "  actors       {}: {} with a mailbox here, {} with a node of their own",
            self.aktorer, self.mailboxes, self.push_actors
        )?;
        writeln!(
            out,
            "  may send     {} agreements, {} described products",
            self.agreements, self.products
        )?;
        let ledger = self.ledger.as_deref();
        writeln!(out, "  ledger       {}", ledger.unwrap_or("none"))?;
        if let Some(directory) = &self.directory {
            writeln!(out, "  directory    {directory}")?;
        }
        let (one, most) = self.limit_s;
        writeln!(
            out,
            "  time         {one} s for one person, {most} s for ten at most"
        )
    }
}

#[cfg(test)]
mod tests {
    use shs_schemas::Uppgiftslamnare;

    use super::*;

    #[test]
    fn who_speaks_fewer_versions_is_named_with_those_that_it_speaks() {
        let mut settings = Settings::demo();
        for party in &mut settings.parties {
            if [Uppgiftslamnare::SKV, Uppgiftslamnare::AF].contains(&party.kod) {
                party.kontrakt = Versioner::of([Kontrakt::V11]).unwrap();
                party.connected = party.kod == Uppgiftslamnare::SKV;
            }
        }
        settings.ssbtek.lefi = Lefi::Unsplit;
        let summary = Summary::of(&settings, Vec::new());
        let mut out = Vec::new();
        summary.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let line = "\n  contract     10 and 11, SKV only 11; FK is asked for LEFI for PM too\n";
        assert!(text.contains(line), "{text}");
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!(json["kontrakt_of"], serde_json::json!({ "SKV": [11] }));
    }
}
