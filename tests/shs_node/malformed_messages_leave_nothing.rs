//! Every malformed message of the corpus, sent over real HTTP to one node: each is refused with its own
//! code, none hangs, and nothing is left of any. The name of a file says its code and the element.

use std::path::Path;

use bytes::Bytes;
use samsvar_actors::avvisat::ALL_MAX;
use samsvar_actors::outbox::OutboxCounts;
use samsvar_actors::tally::OutcomeClass;
use shs_schemas::error_code::ErrorCode;
use shs_schemas::mime::Limits;
use shs_schemas::shs::Management;

use crate::exchange::{asynch_question, node, question};
use crate::rig::Rig;
use crate::xmllint::{Kind, assert_valid};

/// Name, code, bytes.
fn corpus() -> Vec<(String, ErrorCode, Bytes)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shs-schemas/tests/corpus/malformed");
    let files = std::fs::read_dir(folder).unwrap();
    let mut corpus: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "mime"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let said = name.split('.').nth(1).unwrap();
            let code = ErrorCode::ALL
                .into_iter()
                .find(|code| code.as_str() == said);
            let code = code.unwrap_or_else(|| panic!("{name} names a code"));
            (name, code, Bytes::from(std::fs::read(path).unwrap()))
        })
        .collect();
    corpus.sort_by(|one, other| one.0.cmp(&other.0));
    corpus
}

#[tokio::test]
async fn each_gets_its_code_and_the_node_goes_on() {
    let rig = Rig::over(node()).await;
    let corpus = corpus();
    assert!(corpus.len() >= 160, "{} samples", corpus.len());
    let mut documents = Vec::new();
    for (name, code, body) in &corpus {
        // To the codec it is broken; to the service it is a question about nobody (ADR 9).
        let code = if name.starts_with("label-alone.") {
            &ErrorCode::IllegalDatapartContent
        } else {
            code
        };
        let answer = rig.post(body.clone()).await;
        let got = (answer.status, answer.header("x-shs-errorcode"));
        assert_eq!(got, (400, Some(code.as_str())), "{name}: {}", answer.text());
        let management = Management::read(&answer.body, None, &Limits::default());
        assert!(management.is_ok(), "{name}");
        documents.push(answer.body.to_vec());
    }
    assert_valid(Kind::Management, &documents);
    assert_eq!(rig.outcome(OutcomeClass::Refused), corpus.len() as u64);
    assert_eq!(rig.asynch().underway().messages(), 0);
    assert_eq!(rig.asynch().outboxes().counts(), OutboxCounts::default());
    assert_eq!(rig.ends(), 0);
    // Of the messages nothing is noted but that they were refused, and that within a bound.
    let ledger = rig.ledger_or_nothing();
    let is_refusal = |line: &&str| line.contains(r#""event":"avvisat","door":"shs","reason":""#);
    let is_start = |line: &str| line.contains(r#""event":"startat""#);
    assert!(
        ledger
            .lines()
            .all(|line| is_refusal(&line) || is_start(line)),
        "{ledger}"
    );
    let refused = ledger.lines().filter(is_refusal).count();
    assert!((1..=usize::from(ALL_MAX)).contains(&refused), "{refused}");
    assert_eq!(rig.asked().count(), 0);
    assert_eq!(rig.post(question().write()).await.status, 200);
    rig.accepted(&asynch_question()).await;
    rig.only("2120009994", "").await;
}
