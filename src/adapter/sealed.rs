//! [`Sealed`]: a Bastjänst behind sealed bodies, the other side of
//! [`sealing`](samsvar_actors::transport::sealing). It opens each question, asks the service within,
//! and seals what that answers.

use std::sync::Arc;

use bytes::Bytes;
use samsvar_actors::transport::sealing::{KeyPair, PublicKey, open_question, seal_answer};
use samsvar_actors::transport::{
    Answer, AnswerContent, Bastjanst, BoxFuture, Question, QuestionKind,
};
use shs_schemas::ssbtek::Delfel;
use shs_schemas::{Sensitive, Uppgiftslamnare};

use super::behaviour::garbage::namnrymd;

/// felkod of a question that does not open here.
pub const FELKOD_EJ_OPPNAD: &str = "EJ-OPPNAD";

/// The keys of a party, and those of the node that it answers.
#[derive(Clone, Debug)]
pub struct PartyKeys {
    /// Its own pairs: any of them opens.
    pub own: Vec<KeyPair>,
    /// The node's keys: the question says which one its answer is sealed to.
    pub node: Vec<PublicKey>,
}

/// A service that is asked, and answers, in sealed bodies only.
pub struct Sealed {
    ul: Uppgiftslamnare,
    keys: Arc<PartyKeys>,
    inner: Arc<dyn Bastjanst>,
}

impl Sealed {
    /// Puts the keys of a party before its service.
    #[must_use]
    pub fn new(ul: Uppgiftslamnare, keys: Arc<PartyKeys>, inner: Arc<dyn Bastjanst>) -> Self {
        Self { ul, keys, inner }
    }

    /// The question in clear, and the node's key for its answer.
    fn open(&self, mut question: Question) -> Option<(Question, PublicKey)> {
        let seal = question.seal.as_ref()?;
        let own = self.keys.own.iter().find(|own| *own.id() == seal.key)?;
        let node = self.keys.node.iter();
        let node = node
            .clone()
            .find(|key| *key.id() == seal.answer_key)?
            .clone();
        let body = open_question(&question, self.ul, own).ok()?;
        question.body = Sensitive::new(body);
        question.seal = None;
        Some((question, node))
    }
}

impl Bastjanst for Sealed {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        let corr_id = question.corr_id;
        let Some((question, node)) = self.open(question) else {
            tracing::warn!(bastjanst = %self.ul, "a question does not open");
            let content = ej_oppnad();
            return Box::pin(std::future::ready(vec![Answer { corr_id, content }]));
        };
        let (ul, kind) = (self.ul, question.kind);
        let namnrymd = namnrymd(question.body.expose());
        let answering = self.inner.besvara(question);
        Box::pin(async move {
            let answers = answering.await.into_iter();
            answers
                .map(|answer| sealed(answer, ul, kind, namnrymd, &node))
                .collect()
        })
    }
}

/// The node does not take this one in clear, either: its slot fails at once instead of in time.
fn ej_oppnad() -> AnswerContent {
    AnswerContent::Fel {
        felkod: FELKOD_EJ_OPPNAD.to_owned(),
        felmeddelande: Sensitive::new(vec!["Frågan kunde inte öppnas".to_owned()]),
    }
}

/// A failure becomes an `error` element, as its headers would say it in clear. That of a ping has no
/// element: it goes as it is, and is a failure either way.
fn sealed(
    answer: Answer,
    ul: Uppgiftslamnare,
    kind: QuestionKind,
    namnrymd: &str,
    node: &PublicKey,
) -> Answer {
    let Answer { corr_id, content } = answer;
    let body = match content {
        AnswerContent::Svar(body) => body.into_exposed(),
        AnswerContent::Fel {
            felkod,
            felmeddelande,
        } if kind == QuestionKind::Fraga => {
            let texter = felmeddelande.into_exposed();
            error_element(&Delfel::bt(&felkod, texter, ul), ul, namnrymd)
        }
        other => {
            let content = other;
            return Answer { corr_id, content };
        }
    };
    // A key that cannot be sealed to is refused when it is read.
    seal_answer(corr_id, &body, node).unwrap_or(Answer {
        corr_id,
        content: AnswerContent::of_another_type(),
    })
}

fn error_element(fel: &Delfel, ul: Uppgiftslamnare, namnrymd: &str) -> Bytes {
    let element = ul.element().local_name();
    let mut out = format!("<ssbt:{element} xmlns:ssbt=\"{namnrymd}\">").into_bytes();
    fel.write(&mut out);
    out.extend_from_slice(format!("</ssbt:{element}>").as_bytes());
    out.into()
}

#[cfg(test)]
#[path = "sealed_tests.rs"]
mod tests;
