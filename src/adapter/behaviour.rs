//! Makes a Bastjänst slow, silent or wrong, on purpose and repeatably.
//!
//! Wrapped around any [`Bastjanst`], in process or behind a queue. What befalls a question depends
//! on the seed, the party and how many questions came before it, so that a run with the same seed
//! meets the same faults.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use samsvar_actors::transport::{
    Answer, AnswerContent, Bastjanst, BoxFuture, Question, QuestionKind,
};
use shs_schemas::{Sensitive, Uppgiftslamnare};
use tokio::time::sleep;
use uuid::Uuid;

use crate::adapter::draw::Draw;

pub mod garbage;
mod latency;
mod outside;
mod share;
mod tally;

pub use garbage::Garbage;
pub use latency::{LATENCY_MAX, Latency, LatencyError};
pub use share::{Share, ShareError};
pub use tally::{Tally, TallySnapshot};

/// felkod of a failure on purpose.
const FELKOD_PA_BEGARAN: &str = "SIMULERAT-FEL";

/// One way of not answering as one should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A reported failure: by turns as `fel.v1` and as `svar.v1` with an `error` child.
    Fail,
    /// No answer at all.
    Silent,
    /// An answer that cannot be used, of each kind by turns.
    Garbage,
    /// An unusable answer of one kind.
    GarbageOf(Garbage),
    /// The right answer, twice.
    Twice,
    /// The right answer, so long after the question has expired.
    Late(std::time::Duration),
    /// The right answer under the correlation id of the question before it, or under one that
    /// nobody has.
    AnothersCorrelationId,
    /// The right answer with a field that the agreement does not let the party give out; only for a
    /// party whose fields it lists, TNS and MIV. The others answer as they should.
    ExtraField,
}

/// How often which fault befalls a question; the rest is answered as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    latency: Latency,
    /// Each with its share; together at most one.
    faults: Vec<(Fault, Share)>,
    seed: u64,
}

/// The shares of the faults add up to more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the shares of questions that fail, are met with silence, with garbage or with an extra field \
     exceed 1 together"
)]
pub struct SharesExceedOne;

impl Behaviour {
    /// Answers as it should, at once.
    #[must_use]
    pub const fn good(seed: u64) -> Self {
        Self {
            latency: Latency::NONE,
            faults: Vec::new(),
            seed,
        }
    }

    /// Answers after a while.
    #[must_use]
    pub const fn with_latency(mut self, latency: Latency) -> Self {
        self.latency = latency;
        self
    }

    /// Adds a fault that befalls a share of the questions.
    ///
    /// # Errors
    /// [`SharesExceedOne`] when no such share is left.
    pub fn with_fault(mut self, fault: Fault, share: Share) -> Result<Self, SharesExceedOne> {
        let taken: f64 = self.faults.iter().map(|(_, share)| share.get()).sum();
        // Tenths do not add up exactly in binary.
        if taken + share.get() > 1.0 + 1e-9 {
            return Err(SharesExceedOne);
        }
        self.faults.push((fault, share));
        Ok(self)
    }

    /// Every question meets this fault.
    #[must_use]
    pub fn always(fault: Fault, seed: u64) -> Self {
        Self {
            latency: Latency::NONE,
            faults: vec![(fault, Share::ALL)],
            seed,
        }
    }

    /// Puts this behaviour around the service of a party.
    #[must_use]
    pub fn around(self, ul: Uppgiftslamnare, bastjanst: Arc<dyn Bastjanst>) -> Behaving {
        let draw = Draw::new(self.seed).about(ul.kod().as_bytes());
        Behaving {
            bastjanst,
            behaviour: self,
            ul,
            draw,
            questions: AtomicU64::new(0),
            before: Mutex::new(None),
            tally: Arc::default(),
        }
    }

    /// The fault that a draw hits, of those that can befall the party.
    fn fault(&self, draw: Draw, ul: Uppgiftslamnare) -> Option<Fault> {
        let mut left = draw.share();
        for (fault, share) in &self.faults {
            if left < share.get() {
                let can = *fault != Fault::ExtraField || outside::concerns(ul);
                return can.then_some(*fault);
            }
            left -= share.get();
        }
        None
    }
}

/// A Bastjänst with a [`Behaviour`] around it.
pub struct Behaving {
    bastjanst: Arc<dyn Bastjanst>,
    behaviour: Behaviour,
    ul: Uppgiftslamnare,
    draw: Draw,
    questions: AtomicU64,
    /// Correlation id of the latest question.
    before: Mutex<Option<Uuid>>,
    tally: Arc<Tally>,
}

impl Behaving {
    /// Counts what this party did.
    #[must_use]
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    fn remember(&self, corr_id: Uuid) -> Option<Uuid> {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.replace(corr_id)
    }
}

impl Bastjanst for Behaving {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        // Drawn here and not when awaited: the order of questions decides, not that of answers.
        let place = self.questions.fetch_add(1, Ordering::Relaxed);
        let draw = self.draw.nth(place);
        let before = self.remember(question.corr_id);
        let fault = self.behaviour.fault(draw, self.ul);
        let latency = self.behaviour.latency.drawn(draw.about(b"latency"));
        let befallen = Befallen {
            fault,
            place,
            draw,
            before,
            ul: self.ul,
        };
        let tally = Arc::clone(&self.tally);
        let bastjanst = Arc::clone(&self.bastjanst);
        Box::pin(async move {
            if fault == Some(Fault::Silent) {
                tally.silent();
                return Vec::new();
            }
            if !latency.is_zero() {
                sleep(latency).await;
            }
            let answers = befallen.answer(bastjanst, question).await;
            tally.count(fault);
            answers
        })
    }
}

/// One question and what befalls it.
struct Befallen {
    fault: Option<Fault>,
    place: u64,
    draw: Draw,
    before: Option<Uuid>,
    ul: Uppgiftslamnare,
}

impl Befallen {
    async fn answer(&self, bastjanst: Arc<dyn Bastjanst>, question: Question) -> Vec<Answer> {
        let expires_in = question.expires_in;
        let failure = self.failure(&question);
        let right = bastjanst.besvara(question);
        match self.fault {
            None => right.await,
            Some(Fault::Silent) => Vec::new(),
            Some(Fault::Fail) => vec![failure],
            Some(Fault::Garbage) => self.spoil(right.await, Garbage::by_turns(self.place)),
            Some(Fault::GarbageOf(garbage)) => self.spoil(right.await, garbage),
            Some(Fault::ExtraField) => {
                let add = |answer: Answer| Answer {
                    corr_id: answer.corr_id,
                    content: outside::add(answer.content, self.ul),
                };
                right.await.into_iter().map(add).collect()
            }
            Some(Fault::Twice) => {
                let mut answers = right.await;
                answers.extend(answers.clone());
                answers
            }
            Some(Fault::Late(by)) => {
                sleep(expires_in + by).await;
                right.await
            }
            Some(Fault::AnothersCorrelationId) => {
                let nobodys = Uuid::from_u64_pair(self.draw.bits(), self.draw.nth(1).bits());
                let corr_id = self.before.unwrap_or(nobodys);
                right
                    .await
                    .into_iter()
                    .map(|answer| Answer { corr_id, ..answer })
                    .collect()
            }
        }
    }

    fn spoil(&self, right: Vec<Answer>, garbage: Garbage) -> Vec<Answer> {
        right
            .into_iter()
            .map(|answer| Answer {
                corr_id: answer.corr_id,
                content: garbage.spoil(answer.content, self.ul, self.draw),
            })
            .collect()
    }

    /// A ping has no element to put an error in: it fails as `fel.v1`.
    fn failure(&self, question: &Question) -> Answer {
        const TEXT: &str = "Bastjänsten fick ett tekniskt fel (simulerat)";
        let content = if self.place.is_multiple_of(2) || question.kind == QuestionKind::Ping {
            AnswerContent::Fel {
                felkod: FELKOD_PA_BEGARAN.to_owned(),
                felmeddelande: Sensitive::new(vec![TEXT.to_owned()]),
            }
        } else {
            let namnrymd = garbage::namnrymd(question.body.expose());
            garbage::error_element(self.ul, namnrymd, "BT", FELKOD_PA_BEGARAN, TEXT)
        };
        Answer {
            corr_id: question.corr_id,
            content,
        }
    }
}

#[cfg(test)]
mod tests;
