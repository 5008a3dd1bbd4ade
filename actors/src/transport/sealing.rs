//! Sealed bodies (design 5): what a question or an answer says about a person is encrypted between the
//! node and one party, so that RabbitMQ, and whatever it may write down, holds noise.
//!
//! [`Sealing`] stands around a transport. It seals questions to the parties that have a key, opens
//! their answers, and lets the rest through; both transports work within it. HPKE (RFC 9180), base
//! mode: whoever has a public key can seal, so a seal says who may read and not who wrote. That is
//! RabbitMQ's `user_id`, and TLS.
//!
//! ```text
//! dispatcher ─► SealingLine ─ sealed ─► Line ┄┄► adapter opens, answers, seals
//!     ▲                                                      │
//!     └── LineEvents ◄─ Opener ◄──────── sealed answer ◄┄┄┄┄┄┘
//! ```
//!
//! A party with a key must answer sealed, one without must not: everything else, and what does not
//! open, is [`AnswerContent::Unreadable`] (`SSBT-OGILTIGT-SVAR` in that slot) and counted. `fel.v1`
//! says its failure in clear headers, so a party with a key reports one as a sealed `svar.v1` with an
//! `error` child.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shs_schemas::{Fault, Sensitive, Uppgiftslamnare, WireError};

mod envelope;
mod keys;

pub use envelope::{NotOpened, open_question, seal_answer};
pub use keys::{KEY_BYTES, KEY_ID_BYTES_MAX, KeyId, KeyPair, NotAKey, PublicKey};

use super::{Answer, AnswerContent, Counted, Line, LineEvents, Question, Refusal, Transport};

/// What is noted of an answer that is sealed as it must not be, or not as it must.
pub(crate) const WRONG_SEAL: WireError = WireError::new("seal", 0, Fault::Unexpected);

/// Private keys that are live at once: the current one, and one that is on its way in or out.
pub const LIVE_KEYS_MAX: usize = 2;

/// How the body of a question is sealed: the headers that tell the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The key that it is sealed to: one of the party's.
    pub key: KeyId,
    /// The key that the answer is to be sealed to: one of the node's.
    pub answer_key: KeyId,
}

/// The keys of a node: its own, and each party's.
#[derive(Clone, Debug)]
pub struct SealKeys {
    /// The node's own pairs. Answers are asked for with the first and opened with any.
    own: Arc<[KeyPair]>,
    /// The parties whose bodies are sealed.
    parties: HashMap<Uppgiftslamnare, PublicKey>,
}

impl SealKeys {
    /// Keys with which these parties' questions are sealed and their answers opened. Nothing when
    /// there is no own key, more than [`LIVE_KEYS_MAX`], or two with the same name.
    #[must_use]
    pub fn new(own: Vec<KeyPair>, parties: HashMap<Uppgiftslamnare, PublicKey>) -> Option<Self> {
        let number = own.len();
        let mut ids: Vec<&KeyId> = own.iter().map(KeyPair::id).collect();
        ids.sort();
        ids.dedup();
        let usable = (1..=LIVE_KEYS_MAX).contains(&number) && ids.len() == number;
        usable.then(|| Self {
            own: own.into(),
            parties,
        })
    }
}

/// A transport whose bodies are sealed for the parties that have keys.
pub struct Sealing {
    inner: Arc<dyn Transport>,
    keys: SealKeys,
    counts: Arc<SealCounts>,
}

/// Answers that were refused for their seal.
#[derive(Debug, Default)]
struct SealCounts {
    unsealed: AtomicU64,
    unopened: AtomicU64,
    unasked: AtomicU64,
}

impl Sealing {
    /// Seals what goes over `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>, keys: SealKeys) -> Self {
        Self {
            inner,
            keys,
            counts: Arc::default(),
        }
    }
}

impl Transport for Sealing {
    fn open(&self, ul: Uppgiftslamnare, events: LineEvents) -> Box<dyn Line> {
        let to = self.keys.parties.get(&ul).cloned();
        let opener = Opener {
            sealed: to.is_some(),
            ul,
            own: Arc::clone(&self.keys.own),
            counts: Arc::clone(&self.counts),
        };
        let line = self.inner.open(ul, events.opened_by(opener));
        match to {
            None => line,
            Some(to) => Box::new(SealingLine {
                line,
                ul,
                to,
                answer_key: self.keys.own[0].id().clone(),
            }),
        }
    }

    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn counted(&self) -> Vec<Counted> {
        let counted = |name, help, count: &AtomicU64| Counted {
            name,
            help,
            count: count.load(Ordering::Relaxed),
        };
        let mut all = self.inner.counted();
        all.extend([
            counted(
                "answers_unsealed",
                "Answers refused because their party must seal them and did not",
                &self.counts.unsealed,
            ),
            counted(
                "answers_unopened",
                "Sealed answers refused because they do not open: wrong key, or changed",
                &self.counts.unopened,
            ),
            counted(
                "answers_sealed_unasked",
                "Sealed answers refused because their party has no key",
                &self.counts.unasked,
            ),
        ]);
        all
    }
}

/// A line whose questions are sealed.
struct SealingLine {
    line: Box<dyn Line>,
    ul: Uppgiftslamnare,
    to: PublicKey,
    answer_key: KeyId,
}

impl Line for SealingLine {
    fn send(&self, mut question: Question) -> Result<(), Refusal> {
        question.seal = Some(Seal {
            key: self.to.id().clone(),
            answer_key: self.answer_key.clone(),
        });
        // A key that cannot be sealed to is refused when it is read. In clear nothing goes.
        let sealed = envelope::seal_question(&question, self.ul, &self.to)
            .map_err(|NotOpened| Refusal::Unroutable)?;
        question.body = Sensitive::new(sealed);
        self.line.send(question)
    }
}

/// Opens the answers of one line, on their way to its dispatcher.
#[derive(Clone, Debug)]
pub(super) struct Opener {
    /// Whether the party must seal.
    sealed: bool,
    ul: Uppgiftslamnare,
    own: Arc<[KeyPair]>,
    counts: Arc<SealCounts>,
}

impl Opener {
    /// The answer in clear, or as unreadable.
    pub(super) fn open(&self, answer: Answer) -> Answer {
        let Answer { corr_id, content } = answer;
        let content = match (content, self.sealed) {
            (AnswerContent::Sealed { key, body }, true) => {
                let own = self.own.iter().find(|own| *own.id() == key);
                let opened = own
                    .ok_or(NotOpened)
                    .and_then(|own| envelope::open_answer(corr_id, body, own));
                match opened {
                    Ok(body) => AnswerContent::Svar(Sensitive::new(body)),
                    Err(NotOpened) => self.refuse(&self.counts.unopened, "does not open"),
                }
            }
            (AnswerContent::Sealed { .. }, false) => {
                self.refuse(&self.counts.unasked, "is sealed, and the party has no key")
            }
            (AnswerContent::Svar(_) | AnswerContent::Fel { .. }, true) => {
                self.refuse(&self.counts.unsealed, "is not sealed")
            }
            (content, _) => content,
        };
        Answer { corr_id, content }
    }

    fn refuse(&self, count: &AtomicU64, why: &'static str) -> AnswerContent {
        count.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(bastjanst = %self.ul, why, "an answer is refused for its seal");
        AnswerContent::Unreadable(WRONG_SEAL)
    }
}

#[cfg(test)]
#[path = "sealing/sealing_tests.rs"]
mod tests;
