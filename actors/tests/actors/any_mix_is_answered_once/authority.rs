//! The parties of a plan, and what they were asked.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use samsvar_actors::transport::{
    Answer, AnswerContent, Bastjanst, BoxFuture, Question, QuestionKind,
};
use shs_schemas::Uppgiftslamnare;
use tokio::time::Instant;

use super::plan::{Behaviour, Person, Plan, Says};
use crate::answers;

/// One question as it came to a party.
#[derive(Clone, Debug)]
pub struct Put {
    pub ul: Uppgiftslamnare,
    /// Place of the person in the message, from one.
    pub place: usize,
    pub body: Bytes,
    pub at: Instant,
}

/// Everything that all parties were asked.
pub type Log = Arc<Mutex<Vec<Put>>>;

/// A party that does as planned.
pub struct Authority {
    pub ul: Uppgiftslamnare,
    pub plan: Arc<Plan>,
    pub log: Log,
}

/// Whose question it is, by the identity of the case.
fn place_of(body: &[u8]) -> usize {
    let body = std::str::from_utf8(body).unwrap();
    let (_, after) = body.split_once("ARENDE-").unwrap();
    let (place, _) = after.split_once(';').unwrap();
    place.parse().unwrap()
}

impl Authority {
    fn content(&self, person: &Person) -> Option<AnswerContent> {
        let fel = |felkod: &str, text: String| AnswerContent::Fel {
            felkod: felkod.to_owned(),
            felmeddelande: vec![text].into(),
        };
        match person.behaviours[self.ul.index()].says {
            Says::Nothing => None,
            Says::Unreadable => Some(AnswerContent::of_another_type()),
            Says::Fel(felkod) => Some(fel(felkod, answers::marker(self.ul, person.asked.place))),
            _ => {
                let text = self.plan.says(self.ul, person);
                text.map(|text| AnswerContent::Svar(Bytes::from(text).into()))
            }
        }
    }
}

impl Bastjanst for Authority {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        assert_eq!(question.kind, QuestionKind::Fraga);
        let body = question.body.expose().clone();
        let place = place_of(&body);
        self.log.lock().unwrap().push(Put {
            ul: self.ul,
            place,
            body,
            at: Instant::now(),
        });
        let person = &self.plan.persons[place - 1];
        let Behaviour { delay, twice, .. } = person.behaviours[self.ul.index()];
        let corr_id = question.corr_id;
        let first = self.content(person);
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            let again = AnswerContent::Fel {
                felkod: "BT-ANDRA".to_owned(),
                felmeddelande: vec!["kommer för sent".to_owned()].into(),
            };
            let again = (twice && first.is_some()).then_some(again);
            let contents = first.into_iter().chain(again);
            contents
                .map(|content| Answer { corr_id, content })
                .collect()
        })
    }
}
