//! What a configuration says, in short.

use std::io::{self, Write};

use serde::Serialize;

use crate::settings::{Aktor, Delivery, Settings, Status, TransportKind};
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
    /// Codes of the connected authorities.
    pub connected: Vec<&'static str>,
    /// Codes of the authorities that are not connected.
    pub not_connected: Vec<&'static str>,
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
            connected: codes(true),
            not_connected: codes(false),
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
        writeln!(
            out,
            "  authorities  {}{not_connected}",
            self.connected.join(" ")
        )?;
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
