//! What is asked and answered: one SHS message about one person, its eight sub-questions, and one
//! prepared answer to each. Every way that is measured moves these same bytes.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use samsvar::adapter::simulated::{SEED_DEFAULT, Simulerad};
use samsvar::client::question::{self, Asker};
use samsvar_actors::transport::{AnswerContent, Bastjanst, Question, QuestionKind, Traffic};
use shs_schemas::ssbtek::{Datum, Fordelning, Fraga};
use shs_schemas::{Sensitive, Uppgiftslamnare, xml};
use uuid::Uuid;

use crate::measure::Failed;
use crate::stretch::stretch;

/// Parties that are asked.
pub(crate) const PARTIES: usize = 8;
/// Mean size of a sub-question, in bytes.
const QUESTION_BYTES: usize = 1536;
/// Size of each answer, in bytes; one that is larger by itself stays so.
const ANSWER_BYTES: usize = 4096;
/// An invented person with several benefits.
const PERSON: &str = "199503142383";
/// Where the question has room for more text.
const ROOM_IN_QUESTION: &str = "</ssbt:lagtext>";

/// One party: what it is asked, and what it answers.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) ul: Uppgiftslamnare,
    pub(crate) question: Bytes,
    pub(crate) answer: Bytes,
}

/// Everything that moves in one request.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    /// The SHS message that the node gets.
    pub(crate) message: Bytes,
    /// Its tx.id.
    pub(crate) tx_id: String,
    /// One for each party.
    pub(crate) parts: Vec<Part>,
}

impl Workload {
    /// Makes question and answers.
    ///
    /// # Errors
    /// When the simulators do not answer the question, which is a defect.
    pub(crate) fn make(now: DateTime<Utc>) -> Result<Self, Failed> {
        let persons = [PERSON.to_owned()];
        let mut message = question::message(&Asker::default(), &persons, now)?;
        let part = message.parts.first_mut().ok_or("a message without parts")?;
        let document = lengthened(part.data.expose())?;
        let asked = sub_questions(&document)?;
        part.data = Sensitive::new(document);
        let parts: Result<Vec<Part>, Failed> = asked
            .into_iter()
            .map(|(ul, question)| {
                let answer = stretch(ul, &simulated(ul, &question, now)?, ANSWER_BYTES)?;
                Ok(Part {
                    ul,
                    question,
                    answer,
                })
            })
            .collect();
        Ok(Self {
            message: message.write(),
            tx_id: message.label.tx_id.as_str().to_owned(),
            parts: parts?,
        })
    }

    /// Mean size of question and answer, in bytes.
    pub(crate) fn mean_bytes(&self) -> (usize, usize) {
        let mean = |size: fn(&Part) -> usize| {
            self.parts.iter().map(size).sum::<usize>() / self.parts.len().max(1)
        };
        (
            mean(|part| part.question.len()),
            mean(|part| part.answer.len()),
        )
    }
}

/// The question with as much more text in it as brings its sub-questions to their size.
fn lengthened(document: &Bytes) -> Result<Bytes, Failed> {
    let asked = sub_questions(document)?;
    let sizes: usize = asked.iter().map(|(_, question)| question.len()).sum();
    let missing = QUESTION_BYTES.saturating_sub(sizes / asked.len().max(1));
    let text = std::str::from_utf8(document)?;
    let more = " uppgifter".repeat(missing / " uppgifter".len());
    let longer = text.replacen(ROOM_IN_QUESTION, &(more + ROOM_IN_QUESTION), 1);
    Ok(Bytes::from(longer))
}

/// A day for questions that do not depend on it.
const IDAG: Datum = Datum {
    ar: 2026,
    manad: 11,
    dag: 22,
};

fn sub_questions(document: &Bytes) -> Result<Vec<(Uppgiftslamnare, Bytes)>, Failed> {
    let fraga = Fraga::read(document.clone(), &xml::Limits::default())?;
    let mut asked = Vec::with_capacity(PARTIES);
    for delfraga in fraga.delfragor(&Fordelning::alla(), IDAG) {
        let ul = delfraga.uppgiftslamnare;
        let body = delfraga
            .body
            .map_err(|_| format!("no sub-question for {ul}"))?;
        asked.push((ul, body));
    }
    if asked.len() == PARTIES {
        Ok(asked)
    } else {
        Err(format!("{} sub-questions instead of {PARTIES}", asked.len()).into())
    }
}

/// What the simulated authority answers.
fn simulated(ul: Uppgiftslamnare, body: &Bytes, now: DateTime<Utc>) -> Result<Bytes, Failed> {
    let patience = std::time::Duration::from_secs(11);
    let question = Question {
        corr_id: Uuid::nil(),
        traffic: Traffic::Production,
        kind: QuestionKind::Fraga,
        body: Sensitive::new(body.clone()),
        expires_in: patience,
        deadline: now + TimeDelta::from_std(patience)?,
        traceparent: "".into(),
        seal: None,
    };
    let answers = Simulerad::new(ul, SEED_DEFAULT).besvara(question);
    let answer = answers
        .now_or_never()
        .and_then(|answers| answers.into_iter().next());
    match answer.map(|answer| answer.content) {
        Some(AnswerContent::Svar(element)) => Ok(element.into_exposed()),
        _ => Err(format!("the simulated {ul} gave no answer").into()),
    }
}

#[cfg(test)]
mod tests {
    use shs_schemas::ssbtek::{Delsvar, Kontrakt};

    use super::*;

    #[test]
    fn questions_and_answers_have_their_sizes_and_are_valid() {
        let workload = Workload::make(Utc::now()).unwrap();
        let (question, _) = workload.mean_bytes();
        assert!(question.abs_diff(QUESTION_BYTES) < 32, "{question}");
        for part in workload.parts {
            // What a simulator answers by itself may be longer.
            let size = part.answer.len();
            assert!(
                (ANSWER_BYTES - 8..6_000).contains(&size),
                "{}: {size}",
                part.ul
            );
            let limits = xml::Limits::default();
            let read = Delsvar::read(part.ul, Kontrakt::V10, part.answer, &limits).unwrap();
            assert!(read.is_data(), "{}", part.ul);
        }
    }
}
