//! `samsvar check`: says what is wrong with a configuration, each fault with file and line, before
//! a node is started with it.

mod directory;
pub mod explain;
mod rabbitmq;
mod summary;
mod warnings;

use std::io::{self, Write};
use std::path::Path;

use chrono::Utc;
use serde::Serialize;
use shs_schemas::shs::time;

use crate::settings::{Fault, Faults, Settings};
use crate::tls::inspection::inspect;
use crate::tls::material::Sources;

pub use summary::Summary;

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

/// Whom a check asks beside the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The SHS directory and RabbitMQ, those that the configuration names.
    Everybody,
    /// Nobody: only what the files say.
    Nobody,
}

/// Checks a configuration and everything that it names.
#[must_use]
pub fn check(file: &Path, asked: Asked) -> Report {
    match Settings::load(file) {
        Ok(settings) => loaded(file, &settings, asked),
        Err(faults) => Report::of_faults(&faults),
    }
}

fn loaded(file: &Path, settings: &Settings, asked: Asked) -> Report {
    let now = Utc::now();
    let found = inspect(&Sources::of(settings), now.timestamp());
    let mut warnings = warnings::of(file, settings, time::swedish(now).date());
    warnings.extend(found.warnings.into_iter().map(|warning| {
        let message = format!("{}: {}", warning.setting, warning.reason);
        Fault::in_file(warning.file, None, message)
    }));
    let mut faults = Vec::new();
    let mut summary = Summary::of(settings, found.lasting);
    if asked == Asked::Everybody {
        match directory::check(settings) {
            Ok(None) => {}
            Ok(Some(warning)) => warnings.push(Fault::in_file(file, None, warning)),
            Err(fault) => faults.push(Fault::in_file(file, None, fault)),
        }
        if let Some(looked) = rabbitmq::look(settings) {
            let warn = |message: String| Settings::fault_at(file, "amqp", &message);
            warnings.extend(looked.warnings.into_iter().map(warn));
            summary.rabbitmq = looked.how;
        }
    }
    Report {
        ok: faults.is_empty(),
        faults,
        warnings,
        summary: Some(summary),
    }
}

impl Report {
    /// A configuration that cannot be read.
    #[must_use]
    pub fn of_faults(faults: &Faults) -> Self {
        Self {
            ok: false,
            faults: faults.as_slice().to_vec(),
            warnings: Vec::new(),
            summary: None,
        }
    }

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

    /// Line numbers change with every comment in the file.
    fn without_lines(text: &str) -> String {
        let mut parts = text.split(".toml:");
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |text, rest| {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{text}.toml{rest}")
        })
    }

    #[test]
    fn the_configuration_of_the_repository_is_ok_and_summed_up() {
        let report = check(&config("samsvar.toml"), Asked::Nobody);
        let folder = config("");
        let text =
            without_lines(&written(&report, false)).replace(folder.to_str().unwrap(), "config/");
        insta::assert_snapshot!(text, @r"
        warning: config/samsvar.toml: node.status: both test and production are taken: a node for real messages takes one
        warning: config/samsvar.toml: listener: plain: whoever reaches it may send as any actor and read every mailbox
        ok
          node         samsvar-1 (Exempelkassan, 2021009994)
          status       production and test
          service      http://127.0.0.1:8585
          callers      none: every caller is believed
          admin        http://127.0.0.1:9585
          transport    amqp, 127.0.0.1:5672
          authorities  AF CSN FK MIV PM SKV SO TNS
          contract     10 and 11; FK and PM are asked for LEFI each by itself
          actors       2: 2 with a mailbox here, 0 with a node of their own
          may send     4 agreements, 1 described products
          ledger       config/../ledger
          time         12 s for one person, 25.5 s for ten at most
        ");
    }

    #[test]
    fn faults_are_one_a_line_and_as_json_have_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("samsvar.toml");
        std::fs::write(&file, "[node]\nfoo = 1\n").unwrap();
        let report = check(&file, Asked::Nobody);
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
        let text = written(&check(Path::new("missing.toml"), Asked::Nobody), false);
        assert!(text.starts_with("missing.toml: cannot be read"), "{text}");
    }

    #[test]
    fn a_fault_in_agreements_products_actors_or_certificates_names_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        let source = std::fs::read_to_string(config("samsvar.toml")).unwrap();
        let tls = "[listener.tls]\ncertificate = 'missing.pem'\nkey = 'k'\nclient_ca = 'c'\n";
        let twin = "[[aktor]]\norganisationsnummer = '2120009994'\nnamn = 'Igen'\n";
        write("samsvar.toml", &format!("{source}\n{twin}{tls}"));
        write(
            "agreements/a.xml",
            "<shs.agreement\n version='9' uuid='x'/>",
        );
        write("products/p.xml", "<shs.product\nuuid='x'/>");
        let register = std::fs::read(config("uppgiftslamnare.toml")).unwrap();
        write(
            "uppgiftslamnare.toml",
            &String::from_utf8(register).unwrap(),
        );
        let report = check(&folder.path().join("samsvar.toml"), Asked::Nobody);
        let text = written(&report, false);
        let lines = source.lines().count();
        for part in [
            format!(
                "samsvar.toml:{}: aktor[2]: an organisationsnummer",
                lines + 2
            ),
            format!("samsvar.toml:{}: listener.tls.certificate: ", lines + 6),
            "agreements/a.xml:2: ".to_owned(),
            "products/p.xml:2: ".to_owned(),
        ] {
            assert!(text.contains(&part), "{part}\n{text}");
        }
    }
}
