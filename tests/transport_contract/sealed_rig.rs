//! Sealed bodies over another rig: the transport seals what it sends, the parties open it, and seal
//! what they answer. Between the two everything passes the transport within.

use std::collections::HashMap;
use std::sync::Arc;

use samsvar_actors::transport::sealing::{
    KeyId, KeyPair, PublicKey, SealKeys, Sealing, open_question, seal_answer,
};
use samsvar_actors::transport::{Answer, AnswerContent, Bastjanst, BoxFuture, Question, Transport};
use shs_schemas::{Sensitive, Uppgiftslamnare};

use crate::rig::{AF, CSN, Reach, Rig};

pub struct SealedRig<R> {
    transport: Arc<Sealing>,
    inner: R,
}

impl<R: Rig> Rig for SealedRig<R> {
    async fn start(bastjanst: impl Bastjanst) -> Self {
        let pair = |name| KeyPair::generate(KeyId::parse(name).unwrap());
        let (node, party) = (pair("nod-1"), pair("part-1"));
        let opening = Opening {
            own: party.clone(),
            node: node.public().clone(),
            inner: Arc::new(bastjanst),
        };
        let inner = R::start(opening).await;
        let parties = [AF, CSN].map(|ul| (ul, party.public().clone()));
        let keys = SealKeys::new(vec![node], HashMap::from(parties)).unwrap();
        Self {
            transport: Arc::new(Sealing::new(inner.shared(), keys)),
            inner,
        }
    }

    fn transport(&self) -> &dyn Transport {
        &*self.transport
    }

    fn shared(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport) as Arc<dyn Transport>
    }

    async fn set_reach(&self, ul: Uppgiftslamnare, reach: Reach) {
        self.inner.set_reach(ul, reach).await;
    }
}

/// A party behind its key. What it answers in another form than `svar.v1` goes as it is.
struct Opening<B> {
    own: KeyPair,
    node: PublicKey,
    inner: Arc<B>,
}

impl<B> Opening<B> {
    fn seal(answer: Answer, node: &PublicKey) -> Answer {
        match answer.content {
            AnswerContent::Svar(body) => seal_answer(answer.corr_id, body.expose(), node).unwrap(),
            _ => answer,
        }
    }
}

impl<B: Bastjanst> Bastjanst for Opening<B> {
    fn besvara(&self, mut question: Question) -> BoxFuture<Vec<Answer>> {
        let seal = question.seal.as_ref().expect("nothing goes in clear");
        assert_eq!(
            (&seal.key, &seal.answer_key),
            (self.own.id(), self.node.id())
        );
        // Which of the two parties was asked is one of the facts that the body is bound to.
        let opened = [AF, CSN].map(|ul| open_question(&question, ul, &self.own));
        let opened = opened.into_iter().find_map(Result::ok);
        question.body = Sensitive::new(opened.expect("it was sealed to this key"));
        question.seal = None;
        let (inner, node) = (Arc::clone(&self.inner), self.node.clone());
        Box::pin(async move {
            let answers = inner.besvara(question).await.into_iter();
            answers.map(|answer| Self::seal(answer, &node)).collect()
        })
    }
}
