//! Whatever comes, in whatever order: every message that was accepted has exactly one end, the counters
//! add up, and nothing is held afterwards. The order is drawn from a seed, which a failure prints.

use std::collections::HashMap;

use futures_util::StreamExt;
use futures_util::stream;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use samsvar_actors::tally::{OutcomeClass, TransferEnd};
use samsvar_actors::transfers::TransferState;
use shs_schemas::ids::{AgreementId, CorrId, TxId};
use shs_schemas::shs::Message;
use shs_schemas::shs::label::{SequenceType, Status};

use crate::exchange::{
    CIRCULAR, DESCRIBED, EXEMPELKOPING, Further, NEIGHBOUR, NOBODY, PROVSTAD, STRANGER, actor,
    asynch_question, file, file_to, node, ping, produkt,
};
use crate::next_node::{NextNode, Says};
use crate::rig::Rig;

const MESSAGES: usize = 100;
/// Posts that are open at the same time.
const AT_ONCE: usize = 8;

/// What may be sent.
#[derive(Clone, Copy, Debug)]
enum Kind {
    File,
    Question,
    Ping,
    Pushed,
    Circular,
    Error,
    /// Accepted, and then an error.
    NoAgreement,
    NamedAgreement,
    UnknownReceiver,
    WrongParts,
    NoRequest,
    NoQuestion,
    /// Not accepted.
    Combination,
    Unreadable,
    /// One that was sent before, if there is any.
    Copy(usize),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::File),
        2 => Just(Kind::Question),
        2 => Just(Kind::Ping),
        2 => Just(Kind::Pushed),
        1 => Just(Kind::Circular),
        1 => Just(Kind::Error),
        1 => Just(Kind::NoAgreement),
        1 => Just(Kind::NamedAgreement),
        1 => Just(Kind::UnknownReceiver),
        1 => Just(Kind::WrongParts),
        1 => Just(Kind::NoRequest),
        1 => Just(Kind::NoQuestion),
        1 => Just(Kind::Combination),
        1 => Just(Kind::Unreadable),
        5 => (0..MESSAGES).prop_map(Kind::Copy),
    ]
}

impl Kind {
    fn message(self) -> Message {
        let mut message = match self {
            Self::File | Self::Circular | Self::NamedAgreement | Self::WrongParts => file(),
            Self::Pushed => file_to(Some(NEIGHBOUR)),
            Self::NoAgreement => file_to(Some(STRANGER)),
            Self::UnknownReceiver => file_to(Some(NOBODY)),
            Self::Ping => {
                let mut message = ping();
                message.label.transfer_type = asynch_question().label.transfer_type;
                message
            }
            Self::Error => {
                let label = file().label;
                let to = label.to.clone().unwrap();
                Message::confirmation_of(&label, &to, chrono::Utc::now())
            }
            _ => asynch_question(),
        };
        let label = &mut message.label;
        label.tx_id = TxId::fresh();
        label.corr_id = CorrId::parse(label.tx_id.as_str()).unwrap();
        match self {
            Self::Circular => {
                label.product.produkt = produkt(CIRCULAR);
                label.to = None;
            }
            Self::NamedAgreement => label.agreement = Some(AgreementId::parse("nowhere").unwrap()),
            Self::WrongParts => {
                label.product.produkt = produkt(DESCRIBED);
                message.parts[0].datapart_type = "annat".to_owned();
            }
            Self::NoRequest => label.sequence_type = SequenceType::Event,
            Self::NoQuestion => message.parts = file().parts,
            Self::Combination => label.sequence_type = SequenceType::Adm,
            _ => {}
        }
        message
    }

    fn is_refused(self) -> bool {
        matches!(self, Self::Combination | Self::Unreadable)
    }

    fn body(self, message: &Message) -> bytes::Bytes {
        let whole = message.write();
        match self {
            Self::Unreadable => whole.slice(..whole.len() / 2),
            _ => whole,
        }
    }

    /// Where and as what the end can be seen: outbox and product.
    fn end(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::File => (PROVSTAD, ""),
            Self::Question | Self::Ping => (EXEMPELKOPING, ""),
            Self::Error => (EXEMPELKOPING, "confirm"),
            Self::NoAgreement
            | Self::NamedAgreement
            | Self::UnknownReceiver
            | Self::WrongParts
            | Self::NoRequest
            | Self::NoQuestion => (EXEMPELKOPING, "error"),
            _ => return None,
        })
    }
}

/// What is sent, in order: copies are what they are copies of.
fn sent(kinds: &[Kind]) -> Vec<(Kind, Message)> {
    let mut sent: Vec<(Kind, Message)> = Vec::new();
    for kind in kinds {
        let of = |place: usize| sent.get(place % sent.len().max(1)).cloned();
        let one = match *kind {
            Kind::Copy(place) => of(place).unwrap_or_else(|| (Kind::File, Kind::File.message())),
            kind => (kind, kind.message()),
        };
        sent.push(one);
    }
    sent
}

async fn everything_ends_once(kinds: Vec<Kind>) {
    let says = [
        Says::status(202),
        Says::status(503),
        Says::status(202),
        Says::status(400),
    ];
    // The last answer is given from then on, so it is a good one.
    let says: Vec<_> = says
        .iter()
        .cycle()
        .take(200)
        .cloned()
        .chain([Says::status(202)])
        .collect();
    let next = NextNode::that(says).await;
    let rig = Rig::over(node().neighbour(Some(next.url()))).await;
    let sent = sent(&kinds);
    let posts = sent
        .iter()
        .map(|(kind, message)| rig.post(kind.body(message)));
    let answers: Vec<_> = stream::iter(posts).buffered(AT_ONCE).collect().await;

    let mut taken: HashMap<TxId, (Kind, usize)> = HashMap::new();
    for ((kind, message), answer) in sent.iter().zip(&answers) {
        if kind.is_refused() {
            assert_eq!(answer.status, 400, "{kind:?}");
            continue;
        }
        assert_eq!(answer.status, 202, "{kind:?}: {}", answer.text());
        let (_, firsts) = taken
            .entry(message.label.tx_id.clone())
            .or_insert((*kind, 0));
        *firsts += usize::from(answer.header("x-shs-duplicatemsg") == Some("no"));
    }
    assert!(
        taken.values().all(|(_, firsts)| *firsts == 1),
        "one of all copies is the first"
    );
    rig.settled().await;

    let of = |wanted: fn(&Kind) -> bool| taken.values().filter(|(kind, _)| wanted(kind)).count();
    let circulars = of(|kind| matches!(kind, Kind::Circular));
    assert_eq!(rig.end(TransferEnd::Split), circulars as u64);
    assert_eq!(
        rig.ends(),
        (taken.len() + 2 * circulars) as u64,
        "one end each"
    );
    let refused = sent.iter().filter(|(kind, _)| kind.is_refused()).count();
    assert_eq!(
        rig.outcome(OutcomeClass::Refused),
        (refused + of(|kind| matches!(kind, Kind::NoQuestion))) as u64
    );
    assert_eq!(
        rig.outcome(OutcomeClass::Accepted),
        (sent.len() - refused) as u64
    );

    let query = "?maxhits=1000";
    let mut mailboxes = HashMap::new();
    for outbox in [EXEMPELKOPING, PROVSTAD] {
        mailboxes.insert(outbox, rig.list(outbox, query).await);
    }
    for (tx_id, (kind, _)) in &taken {
        let (state, _) = rig.state(tx_id).unwrap();
        assert_ne!(state, TransferState::New, "{kind:?}");
        let about = |outbox: &str, product: &str| {
            let listed = mailboxes[outbox].iter();
            let about =
                listed.filter(|one| one.corr_id.as_ref().unwrap().as_str() == tx_id.as_str());
            about
                .filter(|one| product.is_empty() || one.product.unwrap().bare() == product)
                .count()
        };
        if let Some((outbox, product)) = kind.end() {
            assert_eq!(about(outbox, product), 1, "{kind:?} in {outbox}");
            assert_eq!(
                about(EXEMPELKOPING, "") + about(PROVSTAD, ""),
                1,
                "{kind:?}"
            );
        }
        if matches!(kind, Kind::Pushed) {
            let errors = about(EXEMPELKOPING, "error");
            let is_sent = usize::from(state == TransferState::Sent);
            assert_eq!(errors + is_sent, 1, "it was taken or its sender told");
        }
    }
    rig.assert_no_place_is_held().await;
    assert_eq!(rig.node().load().open(), 0);
    assert_eq!(rig.list(PROVSTAD, "?status=test").await, []);
    assert_eq!(sent[0].1.label.status, Status::Production);
    assert!(actor(EXEMPELKOPING).common_name.is_none());
}

#[test]
fn every_accepted_message_comes_to_exactly_one_end() {
    let config = Config {
        cases: 3,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let strategy = proptest::collection::vec(kind(), MESSAGES);
    let run = TestRunner::new(config).run(&strategy, |kinds| {
        runtime.block_on(everything_ends_once(kinds));
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}
