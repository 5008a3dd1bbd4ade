//! The full chain of SSBTEK with nothing of ours at its end: zeep calls the SOAP door over TLS, the
//! questions go over RabbitMQ to adapters of different versions, and zeep reads every answer in the
//! version it asked in (ssbtek-10, 0.2, 1.3 and 3; C-31). Then the same with our own command line.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Instant;

use chrono::{Datelike, Utc};
use roxmltree::Document;
use serde_json::{Value, json};
use shs_schemas::Svarselement;
use shs_schemas::shs::time;
use shs_schemas::ssbtek::Kontrakt;
use tempfile::TempDir;

use crate::ask::PERSON;
use crate::process::{Process, SOON, run, samsvar};
use crate::stage::{Place, authorities, repository};
use crate::zeep::{Files, Zeep, changed, connection_test, question};

/// Knows version 10 only, and the register says so.
const ONLY_10: &str = "AF";
/// Knows version 11 only.
const ONLY_11: &str = "SKV";

/// A node that takes SOAP over TLS, with certificates of `samsvar dev-certs`.
struct Node {
    folder: TempDir,
    _process: Process,
    /// `https://localhost:…`
    base: String,
}

impl Node {
    fn start(place: &Place, register: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificates = folder.path().join("certs");
        let made = run(samsvar()
            .args(["dev-certs", "--client=2120009994=exempelkoping", "--out"])
            .arg(&certificates));
        assert!(made.status.success(), "{made:?}");
        let config = repository().join("config");
        let file = folder.path().join("samsvar.toml");
        let tls = String::from_utf8(made.stdout).unwrap();
        let text = format!(
            "[node]\norganisationsnummer = \"2021009994\"\nnamn = \"Exempelkassan\"\n\
             node_id = \"samsvar-test\"\nstatus = [\"production\"]\n[[aktor]]\n\
             organisationsnummer = \"2120009994\"\nnamn = \"Exempelköpings kommun\"\n\
             [registers]\nuppgiftslamnare = \"{}\"\nagreements = \"{}\"\n\
             [listener]\naddress = \"127.0.0.1:0\"\nworkers = 2\nkeep_alive_ms = 30000\n\
             [admin]\naddress = \"127.0.0.1:0\"\n{tls}",
            config.join("uppgiftslamnare.toml").display(),
            config.join("agreements").display(),
        );
        fs::write(&file, text).unwrap();
        let mut command = samsvar();
        command.args(["serve", "--config"]).arg(&file);
        command.env("SAMSVAR_AMQP__URL", place.url("samsvar"));
        for (name, value) in register {
            command.env(format!("SAMSVAR_UPPGIFTSLAMNARE__{name}"), value);
        }
        let process = Process::start(&mut command);
        let port = process.err.find(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let (_, port) = line.get("service")?.as_str()?.rsplit_once(':')?;
            Some(port.to_owned())
        });
        Self {
            folder,
            _process: process,
            base: format!("https://localhost:{port}"),
        }
    }

    fn certificate(&self, name: &str) -> PathBuf {
        self.folder.path().join("certs").join(name)
    }

    fn zeep(&self, kontrakt: Kontrakt) -> Option<Zeep> {
        let files = Files {
            ca: self.certificate("ca.pem"),
            certificate: self.certificate("exempelkoping.pem"),
            key: self.certificate("exempelkoping.key"),
        };
        let address = format!("{}/ssbt/{}", self.base, kontrakt.version());
        Zeep::load(&format!("{address}?wsdl"), &address, Some(&files))
    }

    /// `samsvar ask --soap --json`.
    fn ask(&self, more: &[&str]) -> (Output, Value) {
        let mut command: Command = samsvar();
        command.args(["ask", "--soap", "--json", "--to", &self.base]);
        command
            .args(more)
            .arg("--ca")
            .arg(self.certificate("ca.pem"));
        command
            .arg("--cert")
            .arg(self.certificate("exempelkoping.pem"));
        command
            .arg("--key")
            .arg(self.certificate("exempelkoping.key"));
        let output = run(&mut command);
        let shown = serde_json::from_slice(&output.stdout);
        let shown = shown.unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (output, shown)
    }
}

/// Calls until the answer is so, as it will be: a node learns in a moment who consumes.
fn until(zeep: &mut Zeep, call: &Value, enough: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let svar = zeep.svar(call);
        if enough(&svar) {
            return svar;
        }
        assert!(begun.elapsed() < SOON, "{svar:#}");
    }
}

fn all_give_data(svar: &Value) -> bool {
    let part = |element: &Svarselement| &svar["svarsdata"][element.local_name()];
    Svarselement::IN_ORDER
        .iter()
        .all(|element| part(element)["data"].is_object())
}

fn decoded(base64: &Value) -> String {
    let bytes = base64_simd::STANDARD.decode_to_vec(base64.as_str().unwrap());
    String::from_utf8(bytes.unwrap()).unwrap()
}

/// One thing from each authority that only the right answer holds: it is about this person and this case.
fn assert_is_about(svar: &Value, case: &str, years: [i32; 2]) {
    let data = |name: &str| &svar["svarsdata"][name]["data"];
    let af = &data("AF")["Svar"];
    assert_eq!(af["IdentitetsbeteckningFysiskPerson"], PERSON);
    assert_eq!(
        (&af["Referensnummer"], &af["Efternamn"]),
        (&case.into(), &"Exempelsson".into())
    );
    let csn = decoded(&data("CSN")["svar"]);
    let csn = Document::parse(&csn).unwrap();
    let person = csn
        .descendants()
        .find(|node| node.has_attribute("personnummer"));
    assert_eq!(
        person.unwrap().attribute("personnummer"),
        Some(&PERSON[2..])
    );
    let lefi: Value = serde_json::from_str(&decoded(&data("FK")["lefiJsonSvar"])).unwrap();
    let state = |row: usize| &lefi["utlamnare"][row];
    assert_eq!(state(0)["utlamnare"]["kod"], "FK");
    assert_eq!(state(1)["utlamnare"]["kod"], "PM");
    assert!((0..2).all(|row| state(row)["tillstand"]["kod"] == "OK"));
    assert!(lefi["formansinformation"].is_object() && lefi["utbetalningar"].is_array());
    let skv = data("SKV")["svar"].as_str().unwrap();
    let skv = Document::parse(skv).unwrap();
    let fields = skv.descendants();
    let told = fields.filter(|node| node.tag_name().name() == "Taxeringsar");
    let told = told.filter_map(|node| node.text()?.parse().ok());
    assert_eq!(told.collect::<Vec<i32>>(), years);
    let so = data("SO");
    assert_eq!(
        (&so["Referensnummer"], &so["IdentificationNumber"]),
        (&case.into(), &PERSON.into())
    );
    assert_eq!(data("TNS")["resultat"], "OK");
    assert!(data("TNS")["fordonsinnehav"]["fordon"][0]["regnr"].is_string());
    let miv = &data("MIV")["response"];
    assert_eq!(
        (&miv["personnummer"], &miv["korrelationsid"]),
        (&PERSON.into(), &case.into())
    );
}

/// Adapters of both versions, of one, and of the other.
fn adapters(place: &Place) -> [Process; 3] {
    let others = "CSN,FK,MIV,PM,SO,TNS";
    [
        authorities(place, "ul-af", &["--kod", ONLY_10, "--kontrakt", "10"], 2),
        authorities(place, "ul-skv", &["--kod", ONLY_11, "--kontrakt", "11"], 2),
        authorities(place, "simulator", &["--kod", others], 12),
    ]
}

const REGISTER: [(&str, &str); 2] = [("AF__KONTRAKT", "[10]"), ("SKV__KONTRAKT", "[11]")];

#[test]
fn in_the_version_of_its_question_whatever_version_each_adapter_knows() {
    let Some(place) = Place::take() else { return };
    let node = Node::start(&place, &REGISTER);
    let _adapters = adapters(&place);
    let zeeps = Kontrakt::all().map(|kontrakt| Some((kontrakt, node.zeep(kontrakt)?)));
    let Some(mut zeeps) = zeeps.collect::<Option<Vec<_>>>() else {
        return;
    };
    for (kontrakt, zeep) in &mut zeeps {
        until(zeep, &question(*kontrakt), all_give_data);
    }
    // Mixed: a question of the one version, then of the other, each about a case of its own.
    for round in 0..3 {
        for (kontrakt, zeep) in &mut zeeps {
            let case = format!("FALL-{round}-{}", kontrakt.version());
            let fields = json!({"arendeidentitet": case, "korrelationsid": case});
            let svar = zeep.svar(&changed(question(*kontrakt), &fields));
            assert!(all_give_data(&svar), "{svar:#}");
            assert_eq!(svar["korrelationsid"], case);
            // Version 10 cannot say which years: the node asked for the last two whole ones.
            let years = if kontrakt.has_skv_fraga() {
                [2023, 2024]
            } else {
                let year = time::swedish(Utc::now()).year();
                [year - 2, year - 1]
            };
            assert_is_about(&svar, &case, years);
        }
    }
}

#[test]
fn and_a_register_that_is_wrong_about_a_version_costs_that_party_alone() {
    let Some(place) = Place::take() else { return };
    let node = Node::start(&place, &[]);
    let _adapters = adapters(&place);
    for kontrakt in Kontrakt::all() {
        let Some(mut zeep) = node.zeep(kontrakt) else {
            return;
        };
        let (wrong, right) = if kontrakt.has_skv_fraga() {
            (ONLY_10, ONLY_11)
        } else {
            (ONLY_11, ONLY_10)
        };
        let call = question(kontrakt);
        let svar = until(&mut zeep, &call, |svar| {
            let parts = svar["svarsdata"].as_object().unwrap();
            parts.values().all(|part| part["error"]["kalla"] != "SSBT")
        });
        for element in Svarselement::IN_ORDER {
            let name = element.local_name();
            let part = &svar["svarsdata"][name];
            if name == wrong {
                let error = &part["error"];
                let said = (&error["kalla"], &error["felkod"]);
                assert_eq!(said, (&"BT".into(), &"FEL-KONTRAKT".into()), "{part}");
            } else {
                assert!(part["data"].is_object(), "{name}: {part}");
            }
        }
        assert!(svar["svarsdata"][right]["data"].is_object());
    }
}

#[test]
fn the_connection_test_tells_who_is_away_who_fails_and_who_has_none() {
    let Some(place) = Place::take() else { return };
    let node = Node::start(&place, &[("SO__PING", "false")]);
    let _well = authorities(&place, "simulator", &["--kod", "AF,FK,MIV,PM,SKV,SO"], 12);
    let _failing = authorities(&place, "ul-tns", &["--kod", "TNS", "--fail"], 2);
    let csn = authorities(&place, "ul-csn", &["--kod", "CSN"], 2);
    for kontrakt in Kontrakt::all() {
        let Some(mut zeep) = node.zeep(kontrakt) else {
            return;
        };
        let call = connection_test();
        let names = Svarselement::IN_ORDER
            .iter()
            .map(|element| element.local_name());
        let tested = until(&mut zeep, &call, |svar| {
            names
                .clone()
                .all(|name| svar[name]["error"]["kalla"] != "SSBT" || name == "CSN")
        });
        for name in names {
            let said = &tested[name];
            // CSN's adapter may not be there yet: then it is not called either.
            let is_called = name != "SO" && (name != "CSN" || said.get("error").is_none());
            assert_eq!(said["anropad"], is_called, "{tested:#}");
            let errs = name == "TNS" || (name == "CSN" && said.get("error").is_some());
            assert_eq!(said.get("error").is_some(), errs, "{tested:#}");
        }
        assert_eq!(tested["TNS"]["error"]["kalla"], "BT");
        assert_eq!(tested["TNS"]["error"]["felkod"], "SIMULERAT-FEL");
    }
    let mut zeep = node.zeep(Kontrakt::V10).unwrap();
    let answers = |svar: &Value| svar["CSN"].get("error").is_none();
    until(&mut zeep, &connection_test(), answers);
    csn.kill();
    let tested = until(&mut zeep, &connection_test(), |svar| !answers(svar));
    let error = &tested["CSN"]["error"];
    assert_eq!(error["kalla"], "SSBT", "{tested:#}");
    assert!(tested["AF"].get("error").is_none(), "{tested:#}");

    let (output, shown) = node.ask(&["--ping"]);
    assert_eq!(output.status.code(), Some(1), "two of them failed");
    let elements = shown["elements"].as_array().unwrap();
    let said = |name: &str| {
        let mut elements = elements.iter();
        elements.find(|shown| shown["element"] == name).unwrap()
    };
    assert_eq!(elements.len(), 7);
    assert_eq!(said("AF")["answer"], "answered");
    assert_eq!(said("SO")["answer"], "not called");
    let failed = |name: &str| (said(name)["answer"].clone(), said(name)["kalla"].clone());
    assert_eq!(failed("TNS"), ("error".into(), "BT".into()));
    assert_eq!(failed("CSN"), ("error".into(), "SSBT".into()));
}

#[test]
fn the_command_line_asks_in_either_version() {
    let Some(place) = Place::take() else { return };
    let node = Node::start(&place, &REGISTER);
    let _adapters = adapters(&place);
    let persons = ["--person", PERSON, "--person", "200411062383"];
    for version in ["10", "11"] {
        let ask = [&persons[..], &["--kontrakt", version]].concat();
        let begun = Instant::now();
        let shown = loop {
            let (output, shown) = node.ask(&ask);
            if output.status.success() {
                break shown;
            }
            assert!(begun.elapsed() < SOON, "{shown:#}");
        };
        let shown = shown["persons"].as_array().unwrap();
        assert_eq!(shown.len(), 2);
        for person in shown {
            let parties = person["parties"].as_array().unwrap();
            assert_eq!(parties.len(), 8);
            assert!(
                parties.iter().all(|party| party["answer"] == "data"),
                "{person:#}"
            );
        }
    }
    let (output, shown) = node.ask(&["--ping", "--kontrakt", "11"]);
    assert!(output.status.success(), "{shown:#}");
    // Nobody is asked about a number that no person has.
    let (output, shown) = node.ask(&["--person", "199503142384"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        shown.to_string().contains("SSBT-PERSONIDENTITET"),
        "{shown:#}"
    );
}
