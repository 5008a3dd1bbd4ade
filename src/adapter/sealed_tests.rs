//! A node that seals, and a party behind its keys, over the transport in the process.

#![allow(
    clippy::cloned_ref_to_slice_refs,
    reason = "the same keys are given away in the next argument"
)]

use std::collections::HashMap;
use std::time::Duration;

use chrono::DateTime;
use samsvar_actors::room::Room;
use samsvar_actors::transport::in_process::InProcess;
use samsvar_actors::transport::sealing::{KeyId, SealKeys, Sealing};
use samsvar_actors::transport::{Line, LineEvent, LineEvents, Traffic, Transport};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::*;
use crate::adapter::behaviour::{Behaviour, Fault};
use crate::adapter::simulated::Simulerad;

const TNS: Uppgiftslamnare = Uppgiftslamnare::TNS;
const FRAGA: &str = "<ssbt:hamtaBastjanstInformation \
    xmlns:ssbt=\"http://schema.forsakringskassan.se/integration/ssbt/11\"/>";

fn pair(id: &str) -> KeyPair {
    KeyPair::generate(KeyId::parse(id).unwrap())
}

struct Rig {
    line: Box<dyn Line>,
    events: mpsc::Receiver<LineEvent>,
}

impl Rig {
    /// A party with these keys, asked by a node with those.
    fn new(party: &[KeyPair], known: &[KeyPair], node: Vec<KeyPair>, to: &KeyPair) -> Self {
        let keys = PartyKeys {
            own: party.to_vec(),
            node: known.iter().map(|pair| pair.public().clone()).collect(),
        };
        let simulerad = Arc::new(Simulerad::new(TNS, 1));
        let failing = Arc::new(Behaviour::always(Fault::Fail, 1).around(TNS, simulerad));
        let sealed = Sealed::new(TNS, Arc::new(keys), failing);
        let inner = InProcess::new().with(TNS, Arc::new(sealed));
        let parties = HashMap::from([(TNS, to.public().clone())]);
        let sealing = Sealing::new(Arc::new(inner), SealKeys::new(node, parties).unwrap());
        let (told, events) = LineEvents::channel(Room::new(64 * 1024));
        let line = sealing.open(TNS, told);
        Self { line, events }
    }

    async fn ask(&mut self, kind: QuestionKind) -> AnswerContent {
        let body = match kind {
            QuestionKind::Fraga => Bytes::from_static(FRAGA.as_bytes()),
            QuestionKind::Ping => Bytes::new(),
        };
        let question = Question {
            corr_id: Uuid::from_u128(3),
            traffic: Traffic::Test,
            kind,
            body: body.into(),
            expires_in: Duration::from_secs(9),
            deadline: DateTime::UNIX_EPOCH,
            traceparent: "".into(),
            seal: None,
        };
        self.line.send(question).unwrap();
        loop {
            if let LineEvent::Answer(answer) = self.events.recv().await.unwrap() {
                return answer.content;
            }
        }
    }
}

#[tokio::test]
async fn a_failure_comes_as_an_error_element_in_the_version_of_the_question() {
    let (party, node) = (pair("tns-1"), pair("nod-1"));
    let mut rig = Rig::new(&[party.clone()], &[node.clone()], vec![node], &party);
    // The first failure is fel.v1, the second has its element already.
    for _ in 0..2 {
        let AnswerContent::Svar(svar) = rig.ask(QuestionKind::Fraga).await else {
            panic!("not opened");
        };
        let text = String::from_utf8(svar.expose().to_vec()).unwrap();
        assert!(text.starts_with("<ssbt:TNS xmlns:ssbt=\"http://schema.forsakringskassan.se/integration/ssbt/11\"><ssbt:error>"), "{text}");
        assert!(
            text.contains("SIMULERAT-FEL") && text.contains(">BT<"),
            "{text}"
        );
    }
    let ping = rig.ask(QuestionKind::Ping).await;
    assert!(matches!(ping, AnswerContent::Unreadable(_)), "{ping:?}");
}

#[tokio::test]
async fn keys_are_changed_without_a_pause() {
    let (old, new) = (pair("tns-1"), pair("tns-2"));
    let (node_old, node_new) = (pair("nod-1"), pair("nod-2"));
    let known = [node_old.clone(), node_new.clone()];
    let both = [new.clone(), old.clone()];
    // The party has both; the node goes over from the one to the other, in questions and answers.
    for (to, node) in [
        (&old, vec![node_old.clone()]),
        (&new, vec![node_old.clone()]),
        (&new, vec![node_old.clone(), node_new.clone()]),
        (&new, vec![node_new.clone(), node_old.clone()]),
        (&new, vec![node_new.clone()]),
    ] {
        let mut rig = Rig::new(&both, &known, node, to);
        assert!(matches!(
            rig.ask(QuestionKind::Fraga).await,
            AnswerContent::Svar(_)
        ));
    }
}

#[tokio::test]
async fn a_question_to_another_key_or_from_an_unknown_node_fails_at_once() {
    let (party, node) = (pair("tns-1"), pair("nod-1"));
    let (other, namesake) = (pair("tns-2"), pair("tns-1"));
    for to in [&other, &namesake] {
        let mut rig = Rig::new(&[party.clone()], &[node.clone()], vec![node.clone()], to);
        assert!(matches!(
            rig.ask(QuestionKind::Fraga).await,
            AnswerContent::Unreadable(_)
        ));
    }
    let mut rig = Rig::new(
        &[party.clone()],
        &[pair("nod-2")],
        vec![node.clone()],
        &party,
    );
    assert!(matches!(
        rig.ask(QuestionKind::Fraga).await,
        AnswerContent::Unreadable(_)
    ));
    // The node's key at the party is another of the same name: the answer does not open.
    let mut rig = Rig::new(&[party.clone()], &[pair("nod-1")], vec![node], &party);
    assert!(matches!(
        rig.ask(QuestionKind::Fraga).await,
        AnswerContent::Unreadable(_)
    ));
}
