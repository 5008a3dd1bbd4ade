//! `samsvar check`: says what is wrong with a configuration, each fault with file and line, before
//! a node is started with it.

mod directory;

use std::io::{self, Write};
use std::path::Path;

use chrono::{NaiveDate, Utc};
use serde::Serialize;
use shs_schemas::shs::agreement::Exchange;
use shs_schemas::shs::label::{SequenceType, TransferType};
use shs_schemas::shs::{Organisationsnummer, time};

use crate::settings::{AgreementFile, Aktor, Delivery, Fault, Settings, TransportKind};
use crate::tls::inspection::{Lasting, inspect};
use crate::tls::material::Sources;

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether a node can be started with this configuration.
    pub ok: bool,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// What a node starts with all the same, and somebody should look at.
    pub warnings: Vec<Fault>,
    /// What the configuration says; absent when it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
}

/// What a configuration says, in short. No secrets: RabbitMQ is named by its host.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The node and its actor.
    pub node: String,
    /// Where the service listens.
    pub listener: String,
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
    /// How many agreements there are.
    pub agreements: usize,
    /// The hard limit of a question about one person, and about as many as one may hold, in
    /// seconds.
    pub limit_s: (f64, f64),
}

/// Checks a configuration and everything that it names.
#[must_use]
pub fn check(file: &Path) -> Report {
    match Settings::load(file) {
        Ok(settings) => loaded(file, &settings),
        Err(faults) => Report {
            ok: false,
            faults: faults.as_slice().to_vec(),
            warnings: Vec::new(),
            summary: None,
        },
    }
}

fn loaded(file: &Path, settings: &Settings) -> Report {
    let now = Utc::now();
    let found = inspect(&Sources::of(settings), now.timestamp());
    let mut warnings = warnings(file, settings, time::swedish(now).date());
    warnings.extend(found.warnings.into_iter().map(|warning| {
        let message = format!("{}: {}", warning.setting, warning.reason);
        Fault::in_file(warning.file, None, message)
    }));
    let mut faults = Vec::new();
    match directory::check(settings) {
        Ok(None) => {}
        Ok(Some(warning)) => warnings.push(Fault::in_file(file, None, warning)),
        Err(fault) => faults.push(Fault::in_file(file, None, fault)),
    }
    Report {
        ok: faults.is_empty(),
        faults,
        warnings,
        summary: Some(Summary::of(settings, found.lasting)),
    }
}

/// Agreements that permit nothing here, and actors that no agreement lets ask.
fn warnings(file: &Path, settings: &Settings, today: NaiveDate) -> Vec<Fault> {
    let mut warnings = Vec::new();
    for AgreementFile { file, agreement } in &settings.agreements {
        let mut warn = |message: &str| warnings.push(Fault::in_file(file, None, message));
        if !is_known(settings, &agreement.principal) {
            warn("the principal is neither this node's actor nor an [[aktor]]");
        }
        if agreement.valid_to.is_some_and(|last| last < today) {
            warn("has ended");
        }
        if agreement.valid_from > today {
            warn("is not valid yet");
        }
    }
    for aktor in &settings.aktorer {
        if !is_agreed_with(settings, aktor, today) {
            let number = &aktor.organisationsnummer;
            let message = format!("aktor {number}: no agreement lets it ask today");
            warnings.push(Fault::in_file(file, None, message));
        }
    }
    warnings
}

/// Whether the configuration knows an actor.
fn is_known(settings: &Settings, number: &Organisationsnummer) -> bool {
    let listed = settings
        .aktorer
        .iter()
        .map(|aktor| &aktor.organisationsnummer);
    let mut known = listed.chain([&settings.node.organisationsnummer]);
    known.any(|known| known == number.as_str())
}

/// Whether some agreement names an actor, or covers its SSBTEK question.
fn is_agreed_with(settings: &Settings, aktor: &Aktor, today: NaiveDate) -> bool {
    let number = &aktor.organisationsnummer;
    let named = settings
        .agreements
        .iter()
        .any(|AgreementFile { agreement, .. }| {
            let customer = agreement.customer.as_ref();
            agreement.principal.as_str() == number
                || (aktor.delivery == Delivery::Push
                    && customer.is_some_and(|customer| customer.as_str() == number))
        });
    named || may_ask(settings, aktor, today)
}

/// Whether some agreement covers this actor's SSBTEK question, synchronous or not.
fn may_ask(settings: &Settings, aktor: &Aktor, today: NaiveDate) -> bool {
    let number = |text: &str| Organisationsnummer::parse(text).ok();
    let (Some(sender), Some(receiver)) = (
        number(&aktor.organisationsnummer),
        number(&settings.node.organisationsnummer),
    ) else {
        return false;
    };
    [TransferType::Synch, TransferType::Asynch]
        .into_iter()
        .any(|transfer_type| {
            let exchange = Exchange {
                sender: sender.clone(),
                receiver: receiver.clone(),
                produkt: settings.ssbtek.product,
                transfer_type,
                sequence_type: SequenceType::Request,
                today,
            };
            settings
                .agreements
                .iter()
                .any(|one| one.agreement.covers(&exchange).is_ok())
        })
}

impl Summary {
    fn of(settings: &Settings, certificates: Vec<Lasting>) -> Self {
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
        Self {
            node: format!(
                "{} ({}, {})",
                node.node_id, node.namn, node.organisationsnummer
            ),
            listener: format!("{scheme}://{}", settings.listener.address),
            admin: format!("http://{}", settings.admin.address),
            certificates,
            transport: transport(settings),
            connected: codes(true),
            not_connected: codes(false),
            aktorer: settings.aktorer.len(),
            agreements: settings.agreements.len(),
            limit_s: (
                settings.deadline.limit().as_secs_f64(),
                settings.deadline.longest().as_secs_f64(),
            ),
        }
    }
}

fn transport(settings: &Settings) -> String {
    match (settings.transport.kind, &settings.amqp.url) {
        (TransportKind::InProcess, _) => "in-process".to_owned(),
        (TransportKind::Amqp, Some(url)) => format!("amqp, {url}"),
        (TransportKind::Amqp, None) => "amqp".to_owned(),
    }
}

impl Report {
    /// Writes the report: for people, or as one JSON object.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, json: bool, out: &mut dyn Write) -> io::Result<()> {
        if json {
            serde_json::to_writer(&mut *out, self)?;
            return writeln!(out);
        }
        for fault in &self.faults {
            writeln!(out, "{fault}")?;
        }
        for warning in &self.warnings {
            writeln!(out, "warning: {warning}")?;
        }
        let Some(summary) = self.summary.as_ref().filter(|_| self.ok) else {
            let count = self.faults.len();
            let faults = if count == 1 { "fault" } else { "faults" };
            return writeln!(out, "{count} {faults}");
        };
        summary.write(out)
    }
}

impl Summary {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let not_connected = match self.not_connected.as_slice() {
            [] => String::new(),
            codes => format!(" (not connected: {})", codes.join(" ")),
        };
        writeln!(out, "ok")?;
        writeln!(out, "  node         {}", self.node)?;
        writeln!(out, "  service      {}", self.listener)?;
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
            "  may ask      {} actors, {} agreements",
            self.aktorer, self.agreements
        )?;
        let (one, most) = self.limit_s;
        writeln!(
            out,
            "  time         {one} s for one person, {most} s for ten at most"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn config(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("config")
            .join(name)
    }

    fn written(report: &Report, json: bool) -> String {
        let mut out = Vec::new();
        report.write(json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_configuration_of_the_repository_is_ok_and_summed_up() {
        let report = check(&config("samsvar.toml"));
        insta::assert_snapshot!(written(&report, false), @r"
        ok
          node         samsvar-1 (Exempelkassan, 2021009994)
          service      http://127.0.0.1:8585
          admin        http://127.0.0.1:9585
          transport    amqp, 127.0.0.1:5672
          authorities  AF CSN FK MIV PM SKV SO TNS
          may ask      2 actors, 4 agreements
          time         12 s for one person, 25.5 s for ten at most
        ");
    }

    #[test]
    fn faults_are_one_a_line_and_as_json_have_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("samsvar.toml");
        std::fs::write(&file, "[node]\nfoo = 1\n").unwrap();
        let report = check(&file);
        let text = written(&report, false);
        assert!(
            text.contains("samsvar.toml:2: unknown field `foo`"),
            "{text}"
        );
        assert!(text.ends_with("\n1 fault\n"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&written(&report, true)).unwrap();
        assert_eq!(json["ok"], false);
        assert_eq!(json["faults"][0]["line"], 2);
        assert_eq!(json["faults"][0]["file"], file.to_str().unwrap());
    }

    #[test]
    fn a_missing_file_is_a_fault() {
        let text = written(&check(Path::new("missing.toml")), false);
        assert!(text.starts_with("missing.toml: cannot be read"), "{text}");
    }

    #[test]
    fn agreements_that_permit_nothing_and_actors_without_one_are_warned_of() {
        let mut settings = Settings::demo();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let warned = |settings: &Settings, today| {
            let warnings = warnings(Path::new("demo.toml"), settings, today);
            warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(warned(&settings, day("2026-11-21")).is_empty());
        settings.agreements[1].agreement.valid_to = Some(day("2026-11-20"));
        assert_eq!(
            warned(&settings, day("2026-11-21")),
            [
                "agreements/exempelkoping-ssbtek.xml: has ended",
                "demo.toml: aktor 2120009994: no agreement lets it ask today",
            ]
        );
        assert!(warned(&settings, day("2026-11-20")).is_empty());
        settings.node.organisationsnummer = "2021009986".into();
        let warnings = warned(&settings, day("2026-11-20"));
        assert_eq!(warnings.len(), 4 + 2, "{warnings:?}");
    }
}
