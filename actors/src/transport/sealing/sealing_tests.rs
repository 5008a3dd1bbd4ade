//! What is sealed opens with the right key and nothing changed, and with nothing else; on both sides.

use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::*;
use crate::room::Room;
use crate::transport::in_process::InProcess;
use crate::transport::{Bastjanst, BoxFuture, LineEvent, QuestionKind, Traffic};

const CSN: Uppgiftslamnare = Uppgiftslamnare::CSN;
const CONTENT: &[u8] = b"<ssbt:fraga>199503142383</ssbt:fraga>";

fn pair(id: &str) -> KeyPair {
    KeyPair::generate(KeyId::parse(id).unwrap())
}

fn question() -> Question {
    Question {
        corr_id: Uuid::from_u128(7),
        traffic: Traffic::Production,
        kind: QuestionKind::Fraga,
        body: Bytes::from_static(CONTENT).into(),
        expires_in: Duration::from_secs(10),
        deadline: DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap(),
        traceparent: "".into(),
        seal: None,
    }
}

/// A question sealed to `party`, its answer to be sealed to `node`.
fn sealed(party: &KeyPair, node: &KeyPair) -> Question {
    let mut question = question();
    question.seal = Some(Seal {
        key: party.id().clone(),
        answer_key: node.id().clone(),
    });
    let body = envelope::seal_question(&question, CSN, party.public()).unwrap();
    question.body = Sensitive::new(body);
    question
}

#[test]
fn the_suite_is_that_of_the_rfc() {
    // RFC 9180, A.1.1, with the AES-128-GCM of that vector: the same code with another key length.
    use hpke::aead::AesGcm128;
    use hpke::kdf::HkdfSha256;
    use hpke::kem::X25519HkdfSha256 as Kem;
    use hpke::{Deserializable, Kem as _, OpModeR, setup_receiver};
    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }
    let private = "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8";
    let encapsulated = "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431";
    let private = <Kem as hpke::Kem>::PrivateKey::from_bytes(&bytes(private)).unwrap();
    let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(&bytes(encapsulated)).unwrap();
    let public = hpke::Serializable::to_bytes(&Kem::sk_to_pk(&private));
    let known = "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d";
    assert_eq!(public[..], bytes(known));
    let info = bytes("4f6465206f6e2061204772656369616e2055726e");
    let mut context = setup_receiver::<AesGcm128, HkdfSha256, Kem>(
        &OpModeR::Base,
        &private,
        &encapsulated,
        &info,
    )
    .unwrap();
    let mut body = bytes(
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9\
         6d8770ac83d07bea87e13c512a",
    );
    let tag = body.split_off(body.len() - 16);
    let tag = hpke::aead::AeadTag::<AesGcm128>::from_bytes(&tag).unwrap();
    context
        .open_inout_detached(hpke::inout::InOutBuf::from(&mut body[..]), b"Count-0", &tag)
        .unwrap();
    assert_eq!(body, b"Beauty is truth, truth beauty");
}

#[test]
fn a_question_opens_with_the_party_s_key_and_holds_nothing_in_clear() {
    let (party, node) = (pair("csn-1"), pair("nod-1"));
    let question = sealed(&party, &node);
    let body = question.body.expose();
    assert_eq!(body.len(), 32 + CONTENT.len() + 16);
    assert!(!body.windows(12).any(|part| part == b"199503142383"));
    assert_eq!(open_question(&question, CSN, &party).unwrap(), CONTENT);
    // The same question sealed again is another one.
    assert_ne!(sealed(&party, &node).body, question.body);
    let mut empty = question.clone();
    empty.body = Bytes::new().into();
    let body = envelope::seal_question(&empty, CSN, party.public()).unwrap();
    empty.body = Sensitive::new(body);
    assert_eq!(open_question(&empty, CSN, &party).unwrap(), b""[..]);
}

#[test]
fn a_question_does_not_open_when_a_fact_was_changed() {
    let (party, node) = (pair("csn-1"), pair("nod-1"));
    let opens = |change: fn(&mut Question)| {
        let mut question = sealed(&party, &node);
        change(&mut question);
        open_question(&question, CSN, &party).is_ok()
    };
    assert!(opens(|_| {}));
    // What is no fact of the routing may change: time left, trace context.
    assert!(opens(|question| question.expires_in = Duration::ZERO));
    assert!(!opens(|question| question.corr_id = Uuid::from_u128(8)));
    assert!(!opens(|question| question.traffic = Traffic::Test));
    assert!(!opens(|question| question.kind = QuestionKind::Ping));
    assert!(!opens(
        |question| question.deadline += Duration::from_millis(1)
    ));
    assert!(!opens(|question| question.seal = None));
    assert!(!opens(
        |question| question.seal.as_mut().unwrap().key = KeyId::parse("x").unwrap()
    ));
    assert!(!opens(|question| {
        question.seal.as_mut().unwrap().answer_key = KeyId::parse("x").unwrap();
    }));
    let question = sealed(&party, &node);
    assert_eq!(
        open_question(&question, Uppgiftslamnare::FK, &party),
        Err(NotOpened)
    );
    assert_eq!(
        open_question(&question, CSN, &pair("csn-1")),
        Err(NotOpened)
    );
}

#[test]
fn a_body_changed_in_any_byte_or_cut_anywhere_does_not_open() {
    let (party, node) = (pair("csn-1"), pair("nod-1"));
    let question = sealed(&party, &node);
    let whole = question.body.expose().clone();
    let opens = |body: Bytes| {
        let mut question = question.clone();
        question.body = Sensitive::new(body);
        open_question(&question, CSN, &party).is_ok()
    };
    assert!(opens(whole.clone()));
    for at in 0..whole.len() {
        let mut changed = whole.to_vec();
        changed[at] ^= 1;
        assert!(!opens(changed.into()), "byte {at}");
        assert!(!opens(whole.slice(..at)), "cut at {at}");
    }
    assert!(!opens([&whole[..], b"x"].concat().into()));
}

/// An adapter with the keys of its party, which answers with this.
struct Adapter {
    party: KeyPair,
    node: PublicKey,
    answer: fn(&Adapter, Uuid) -> AnswerContent,
}

impl Adapter {
    fn sealed(&self, corr_id: Uuid) -> AnswerContent {
        seal_answer(corr_id, b"<svar/>", &self.node)
            .unwrap()
            .content
    }
}

impl Bastjanst for Adapter {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        let opened = open_question(&question, CSN, &self.party);
        assert!(question.seal.is_none() || opened.unwrap() == CONTENT);
        let corr_id = question.corr_id;
        let content = (self.answer)(self, corr_id);
        Box::pin(std::future::ready(vec![Answer { corr_id, content }]))
    }
}

struct Rig {
    sealing: Sealing,
    line: Box<dyn Line>,
    events: mpsc::Receiver<LineEvent>,
}

impl Rig {
    /// A node that seals to CSN, or not, over the transport in the process.
    fn new(seals: bool, answer: fn(&Adapter, Uuid) -> AnswerContent) -> Self {
        let (party, own) = (pair("csn-1"), vec![pair("nod-2"), pair("nod-1")]);
        let parties = seals.then(|| (CSN, party.public().clone()));
        let node = own[0].public().clone();
        let adapter = Adapter {
            party,
            node,
            answer,
        };
        let inner = InProcess::new().with(CSN, Arc::new(adapter));
        let keys = SealKeys::new(own, parties.into_iter().collect()).unwrap();
        let sealing = Sealing::new(Arc::new(inner), keys);
        let (told, events) = LineEvents::channel(Room::new(1024));
        let line = sealing.open(CSN, told);
        Self {
            sealing,
            line,
            events,
        }
    }

    async fn answer(&mut self) -> AnswerContent {
        self.line.send(question()).unwrap();
        loop {
            if let LineEvent::Answer(answer) = self.events.recv().await.unwrap() {
                return answer.content;
            }
        }
    }

    fn counted(&self) -> Vec<(&'static str, u64)> {
        let counted = self.sealing.counted().into_iter();
        let pairs = counted.map(|one| (one.name, one.count));
        pairs.filter(|(_, count)| *count > 0).collect()
    }
}

#[tokio::test]
async fn a_sealed_answer_comes_in_clear_to_the_dispatcher() {
    let mut rig = Rig::new(true, Adapter::sealed);
    let AnswerContent::Svar(body) = rig.answer().await else {
        panic!("not opened");
    };
    assert_eq!(body.expose(), &b"<svar/>"[..]);
    assert_eq!(rig.counted(), []);
    assert_eq!(rig.sealing.name(), "in-process");
}

#[tokio::test]
async fn an_answer_that_is_sealed_wrongly_is_unreadable_and_counted() {
    type Answering = fn(&Adapter, Uuid) -> AnswerContent;
    let cases: [(bool, Answering, &str); 8] = [
        (
            true,
            |_, _| AnswerContent::Svar(Bytes::from_static(b"<svar/>").into()),
            "answers_unsealed",
        ),
        (
            true,
            |_, _| AnswerContent::Fel {
                felkod: "1".into(),
                felmeddelande: vec![].into(),
            },
            "answers_unsealed",
        ),
        // For another sub-question.
        (
            true,
            |adapter, _| adapter.sealed(Uuid::from_u128(8)),
            "answers_unopened",
        ),
        // To a key that the node does not have, and to one by the name of its own.
        (
            true,
            |_, id| {
                seal_answer(id, b"x", pair("annan").public())
                    .unwrap()
                    .content
            },
            "answers_unopened",
        ),
        (
            true,
            |_, id| {
                seal_answer(id, b"x", pair("nod-2").public())
                    .unwrap()
                    .content
            },
            "answers_unopened",
        ),
        // Under the name of the node's other key.
        (
            true,
            |adapter, id| match adapter.sealed(id) {
                AnswerContent::Sealed { body, .. } => AnswerContent::Sealed {
                    key: KeyId::parse("nod-1").unwrap(),
                    body,
                },
                other => other,
            },
            "answers_unopened",
        ),
        (
            true,
            |adapter, _| AnswerContent::Sealed {
                key: adapter.node.id().clone(),
                body: Bytes::new(),
            },
            "answers_unopened",
        ),
        (
            false,
            |adapter, id| adapter.sealed(id),
            "answers_sealed_unasked",
        ),
    ];
    for (n, (seals, answer, counted)) in cases.into_iter().enumerate() {
        let mut rig = Rig::new(seals, answer);
        let content = rig.answer().await;
        assert!(
            matches!(content, AnswerContent::Unreadable(_)),
            "{n}: {content:?}"
        );
        assert_eq!(rig.counted(), [(counted, 1)], "{n}");
    }
}

#[tokio::test]
async fn a_party_without_a_key_is_asked_in_clear() {
    let mut rig = Rig::new(false, |_, _| {
        AnswerContent::Svar(Bytes::from_static(b"<svar/>").into())
    });
    assert!(matches!(rig.answer().await, AnswerContent::Svar(_)));
    assert_eq!(rig.counted(), []);
}

#[test]
fn both_live_keys_of_the_node_open() {
    let own = vec![pair("nod-2"), pair("nod-1")];
    let opener = Opener {
        sealed: true,
        ul: CSN,
        own: own.clone().into(),
        counts: Arc::default(),
    };
    for key in &own {
        let answer = seal_answer(Uuid::nil(), b"<svar/>", key.public()).unwrap();
        assert!(matches!(
            opener.open(answer).content,
            AnswerContent::Svar(_)
        ));
    }
}

#[test]
fn a_node_has_one_or_two_keys_with_names_of_their_own() {
    let number = |ids: &[&str]| {
        let own = ids.iter().map(|id| pair(id)).collect();
        SealKeys::new(own, HashMap::new()).is_some()
    };
    assert!(number(&["a"]) && number(&["a", "b"]));
    assert!(!number(&[]) && !number(&["a", "a"]) && !number(&["a", "b", "c"]));
}
