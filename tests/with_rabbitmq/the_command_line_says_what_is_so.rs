//! Commands as a person or a script uses them: what they print, and their exit codes.

use std::fs;
use std::net::TcpListener;
use std::process::Output;

use serde_json::Value;
use shs_schemas::Uppgiftslamnare;

use crate::ask::{Caller, PERSON};
use crate::process::{run, samsvar};
use crate::stage::{Node, Place, all_authorities, repository};

fn samsvar_with(arguments: &[&str]) -> Output {
    run(samsvar().args(arguments).current_dir(repository()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn ask_shows_a_table_or_json_and_a_refusal_with_its_reason() {
    let Some(place) = Place::take() else { return };
    let node = Node::start(&place, &[]);
    let _authorities = all_authorities(&place);
    Caller::new().until_all_give_data(&node);

    let ask = ["ask", "--shs", "--person", PERSON, "--to", &node.service];
    let output = samsvar_with(&ask);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}");
    for ul in Uppgiftslamnare::all() {
        assert!(shown.contains(ul.namn()), "{ul}:\n{shown}");
    }
    assert_eq!(shown.matches(" data ").count(), 8, "{shown}");

    let output = samsvar_with(&[&ask[..], &["--json"]].concat());
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let parties = shown["persons"][0]["parties"].as_array().unwrap();
    assert_eq!(parties.len(), 8);
    assert!(
        parties.iter().all(|party| party["answer"] == "data"),
        "{shown:#}"
    );

    // Nobody by this number may ask.
    let output = samsvar_with(&[&ask[..], &["--from", "2120009978"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("refused") && said.contains("400"), "{said}");

    // A check digit that is wrong: answered, and nobody was asked.
    let wrong = [
        "ask",
        "--shs",
        "--person",
        "199503142384",
        "--to",
        &node.service,
    ];
    let output = samsvar_with(&wrong);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("nobody was asked"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn ask_says_that_nobody_is_there() {
    let nobody = [
        "ask",
        "--person",
        PERSON,
        "--to",
        "http://127.0.0.1:1/shs/rs",
    ];
    let output = samsvar_with(&nobody);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("no answer from the node"), "{said}");
    assert!(!said.contains(PERSON), "{said}");
}

#[test]
fn check_accepts_the_configuration_of_the_repository() {
    let output = samsvar_with(&["check", "--config", "config/samsvar.toml"]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    let shown = text(&output.stdout);
    assert!(shown.lines().any(|line| line == "ok"), "{shown}");
}

#[test]
fn the_demo_asks_everybody_and_ends() {
    let output = samsvar_with(&["demo", "--once"]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}\n{}", text(&output.stderr));
    assert_eq!(shown.matches(" data ").count(), 8, "{shown}");
}

#[test]
fn serve_names_the_fault_of_a_bad_configuration_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("samsvar.toml");
    let file_name = file.to_str().unwrap();
    fs::write(&file, "[node]\nfoo = 1\n").unwrap();
    let output = samsvar_with(&["serve", "--config", file_name]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains("samsvar.toml:2: unknown field `foo`"),
        "{said}"
    );

    let output = samsvar_with(&["serve", "--config", "missing.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("missing.toml: cannot be read"));
}

#[test]
fn serve_names_the_address_that_is_taken_and_ends() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let free = "127.0.0.1:0".to_owned();
    for (service, admin) in [(&address, &free), (&free, &address)] {
        let mut command = samsvar();
        command
            .args(["serve", "--config", "config/samsvar.toml"])
            .current_dir(repository());
        command.env("SAMSVAR_LISTENER__ADDRESS", service);
        let output = run(command.env("SAMSVAR_ADMIN__ADDRESS", admin));
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(
            said.contains(&format!("cannot listen on {address}")),
            "{said}"
        );
    }
}
