//! The way a stranger would try it (issue "Shows"; ): the example message, plain
//! curl, and authorities behind their queues; one of them may be written in anything.

use std::fs;
use std::process::Command;

use samsvar::client::Answered;
use samsvar::client::answer::{ElementAnswer, PersonAnswer};
use shs_schemas::{Svarselement, Uppgiftslamnare};

use crate::ask::{Caller, all_said, is_data, read};
use crate::process::run;
use crate::stage::{
    Node, Place, adapter_in_python, all_authorities, all_but, contract, repository,
};

const HEAD_END: &[u8] = b"\r\n\r\n";

/// Sends the example message as it is; gives the head of the response and its body.
fn curl(node: &Node) -> (String, Vec<u8>) {
    let mut command = Command::new("curl");
    command.args([
        "-sS",
        "--include",
        "--data-binary",
        "@examples/question.mime",
    ]);
    let output = run(command.arg(&node.service).current_dir(repository()));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let response = output.stdout;
    let found = response
        .windows(HEAD_END.len())
        .position(|part| part == HEAD_END);
    let end = found.expect("a response has a head");
    let head = String::from_utf8(response[..end].to_vec()).unwrap();
    (head, response[end + HEAD_END.len()..].to_vec())
}

fn assert_full_answer(node: &Node) -> Answered {
    let (head, body) = curl(node);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(
        head.to_lowercase().contains("content-type: message/rfc822"),
        "{head}"
    );
    let answered = read(body);
    let label = &answered.message.label;
    assert_eq!(
        label.corr_id.to_string(),
        "e0a3b1e5-0001-4000-8000-000000000001"
    );
    let said = all_said(&answered);
    assert!(said.values().all(is_data), "{said:?}");
    answered
}

fn validate(answered: &Answered) {
    let Some(contract) = contract() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("svar.xml");
    fs::write(&file, answered.message.parts[0].data.expose()).unwrap();
    let schema = contract.join(
        "ssbtek-v10/se/forsakringskassan/schema/integration/ssbt/_10/sammansatt_bastjanst_v10.xsd",
    );
    let mut command = Command::new("xmllint");
    let output = run(command
        .args(["--nonet", "--noout", "--schema"])
        .args([schema, file]));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn by_eight_simulated_authorities_and_nothing_of_it_is_logged() {
    let Some(place) = Place::take() else { return };
    let node = Node::start(&place, &[]);
    let _authorities = all_authorities(&place);
    Caller::new().until_all_give_data(&node);
    validate(&assert_full_answer(&node));
    let log = node.process.err.text();
    for said in [
        "connected to the broker",
        "request opened",
        "request closed",
    ] {
        assert!(log.contains(said), "{said} not in the log:\n{log}");
    }
    for content in ["199503142383", "EX-2026-0001", "exempelhandl", "exempel-1"] {
        assert!(!log.contains(content), "{content} in the log");
    }
}

#[test]
fn also_when_one_authority_is_an_adapter_in_python() {
    let Some(place) = Place::take() else { return };
    let node = Node::start(&place, &[]);
    let _others = all_but(&place, Uppgiftslamnare::TNS);
    let mut python = adapter_in_python(&place);
    Caller::new().until_all_give_data(&node);
    let answered = assert_full_answer(&node);
    validate(&answered);
    let PersonAnswer::Response(elements) = &answered.persons[0] else {
        panic!("somebody was asked");
    };
    let tns = elements
        .iter()
        .find(|(element, _)| *element == Svarselement::Tns);
    let Some((_, ElementAnswer::Data(data))) = tns else {
        panic!("TNS gave data");
    };
    let data = String::from_utf8(data.expose().to_vec()).unwrap();
    assert!(data.contains("QVI042"), "{data}");
    assert!(python.is_running(), "{}", python.err.text());
}
