//! What a behaviour runs on: a transport with scripted parties behind it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
pub use samsvar_actors::transport::in_process::Reach;
use samsvar_actors::transport::{
    Answer, AnswerContent, Bastjanst, BoxFuture, Question, QuestionKind, Traffic, Transport,
};
use shs_schemas::{Sensitive, Uppgiftslamnare};
use uuid::Uuid;

pub const AF: Uppgiftslamnare = Uppgiftslamnare::AF;
pub const CSN: Uppgiftslamnare = Uppgiftslamnare::CSN;

/// A transport and the parties behind it: [`AF`] and [`CSN`], with the same Bastjänst.
pub trait Rig: Sized {
    async fn start(bastjanst: impl Bastjanst) -> Self;
    fn transport(&self) -> &dyn Transport;
    /// The same, to be put into another one.
    fn shared(&self) -> Arc<dyn Transport>;
    /// Changes whether a party can be reached; returns when it is so.
    async fn set_reach(&self, ul: Uppgiftslamnare, reach: Reach);
}

/// A Bastjänst that answers by a function.
pub struct Scripted<F>(pub F);

impl<F> Bastjanst for Scripted<F>
where
    F: Fn(Question) -> Vec<Answer> + Send + Sync + 'static,
{
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        Box::pin(std::future::ready(self.0(question)))
    }
}

/// Answers another Bastjänst's answers after a while.
pub struct Slow<B>(pub Duration, pub Arc<B>);

impl<B: Bastjanst> Bastjanst for Slow<B> {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        let (wait, bastjanst) = (self.0, Arc::clone(&self.1));
        Box::pin(async move {
            tokio::time::sleep(wait).await;
            bastjanst.besvara(question).await
        })
    }
}

/// Answers each question with its own body.
pub fn echo() -> impl Bastjanst {
    Scripted(|question: Question| vec![svar(question.corr_id, question.body.into_exposed())])
}

/// Never answers.
pub fn silent() -> impl Bastjanst {
    Scripted(|_| Vec::new())
}

pub fn svar(corr_id: Uuid, body: impl Into<Bytes>) -> Answer {
    Answer {
        corr_id,
        content: AnswerContent::Svar(Sensitive::new(body.into())),
    }
}

/// A production question that can wait for 10 s.
pub fn question(body: impl Into<Bytes>) -> Question {
    question_for(Duration::from_secs(10), body)
}

/// A production question that can wait for so long.
pub fn question_for(expires_in: Duration, body: impl Into<Bytes>) -> Question {
    Question {
        corr_id: Uuid::new_v4(),
        traffic: Traffic::Production,
        kind: QuestionKind::Fraga,
        body: Sensitive::new(body.into()),
        expires_in,
        deadline: Utc::now() + expires_in,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        seal: None,
    }
}

/// The body of a `svar.v1`.
pub fn body(answer: &Answer) -> &[u8] {
    match &answer.content {
        AnswerContent::Svar(body) => body.expose(),
        other => panic!("not a svar.v1: {other:?}"),
    }
}
