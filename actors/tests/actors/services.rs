//! Parties that say what a test tells them to, and remember what they were asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use samsvar_actors::transport::{
    Answer, AnswerContent, Bastjanst, BoxFuture, Question, QuestionKind,
};
use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::Kontrakt;
use tokio::time::Instant;

use crate::answers;

/// One question as it came.
#[derive(Clone, Debug)]
pub struct Put {
    pub ul: Uppgiftslamnare,
    pub kind: QuestionKind,
    pub body: Bytes,
    pub at: Instant,
}

impl Put {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// What is answered, and after how long; nothing for silence.
pub type Said = Option<(Duration, AnswerContent)>;

type Says = Arc<dyn Fn(Uppgiftslamnare) -> Said + Send + Sync>;

/// All parties of a test.
#[derive(Clone)]
pub struct Services {
    says: Says,
    put: Arc<Mutex<Vec<Put>>>,
}

impl Services {
    /// Each party answers as this says.
    pub fn new(says: impl Fn(Uppgiftslamnare) -> Said + Send + Sync + 'static) -> Self {
        Self {
            says: Arc::new(says),
            put: Arc::default(),
        }
    }

    /// Each answers at once with this element.
    pub fn saying(element: impl Fn(Uppgiftslamnare) -> String + Send + Sync + 'static) -> Self {
        Self::new(move |ul| Some((Duration::ZERO, svar(element(ul)))))
    }

    /// Each answers at once with data by its schema, about the first person.
    pub fn with_data() -> Self {
        Self::saying(first_data)
    }

    /// One for each party.
    pub fn all(&self) -> Vec<(Uppgiftslamnare, Arc<dyn Bastjanst>)> {
        let each = |ul| {
            let services = self.clone();
            let service: Arc<dyn Bastjanst> = Arc::new(Service { ul, services });
            (ul, service)
        };
        Uppgiftslamnare::all().map(each).collect()
    }

    /// What has been asked so far.
    pub fn put(&self) -> Vec<Put> {
        self.put.lock().unwrap().clone()
    }

    /// What this party has been asked so far.
    pub fn put_to(&self, ul: Uppgiftslamnare) -> Vec<Put> {
        let all = self.put().into_iter();
        all.filter(|put| put.ul == ul).collect()
    }
}

/// Data of a party about the first person, by its schema.
pub fn first_data(ul: Uppgiftslamnare) -> String {
    let number = crate::questions::PERSONS[0];
    answers::data(ul, Kontrakt::V10, 1, number, false)
}

/// `svar.v1` with this element.
pub fn svar(element: String) -> AnswerContent {
    AnswerContent::Svar(Bytes::from(element).into())
}

/// `fel.v1`.
pub fn fel(felkod: &str, text: &str) -> AnswerContent {
    AnswerContent::Fel {
        felkod: felkod.to_owned(),
        felmeddelande: vec![text.to_owned()].into(),
    }
}

struct Service {
    ul: Uppgiftslamnare,
    services: Services,
}

impl Bastjanst for Service {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        self.services.put.lock().unwrap().push(Put {
            ul: self.ul,
            kind: question.kind,
            body: question.body.expose().clone(),
            at: Instant::now(),
        });
        let said = (self.services.says)(self.ul);
        Box::pin(async move {
            let Some((after, content)) = said else {
                return Vec::new();
            };
            if !after.is_zero() {
                tokio::time::sleep(after).await;
            }
            let corr_id = question.corr_id;
            vec![Answer { corr_id, content }]
        })
    }
}
