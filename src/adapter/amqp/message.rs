//! Questions and answers as AMQP messages (design 5, "question message" and "answer message").

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use samsvar_actors::transport::amqp::contract::{
    SEALED_CONTENT_TYPE, X_SEAL_ANSWER_KEY, X_SEAL_KEY,
};
use samsvar_actors::transport::sealing::{KeyId, Seal};
use samsvar_actors::transport::{Answer, AnswerContent, Question, QuestionKind, Traffic};
use shs_schemas::Sensitive;
use uuid::Uuid;

/// How long a question is of use that says nothing about it.
const EXPIRES_DEFAULT: Duration = Duration::from_secs(12);
/// Largest time to live that is believed.
const EXPIRES_MAX: Duration = Duration::from_hours(1);
/// Delivery mode of messages that RabbitMQ need not keep.
const TRANSIENT: u8 = 1;

/// Why a message is not answered. None of them says anything about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ignored {
    /// No `type` that this version knows.
    Type,
    /// Nowhere to answer.
    ReplyTo,
    /// No correlation id, or none of ours.
    CorrelationId,
    /// Not from the node's user.
    UserId,
    /// Nobody waits for the answer any more.
    Expired,
    /// Sealed, and it does not say to which keys.
    Seal,
}

/// Reads a question and where its answer goes.
pub(super) fn question(
    properties: &BasicProperties,
    body: Vec<u8>,
    traffic: Traffic,
    node_user: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(Question, ShortString), Ignored> {
    if let Some(user) = node_user
        && properties.user_id().as_ref().map(ShortString::as_str) != Some(user)
    {
        return Err(Ignored::UserId);
    }
    let kind = match properties.kind().as_ref().map(ShortString::as_str) {
        Some("fraga.v1") => QuestionKind::Fraga,
        Some("ping.v1") => QuestionKind::Ping,
        _ => return Err(Ignored::Type),
    };
    let reply_to = properties.reply_to().clone().ok_or(Ignored::ReplyTo)?;
    let corr_id = properties
        .correlation_id()
        .as_ref()
        .and_then(|id| Uuid::try_parse(id.as_str()).ok())
        .ok_or(Ignored::CorrelationId)?;
    let (deadline, expires_in) = deadline(properties, now)?;
    let question = Question {
        corr_id,
        traffic,
        kind,
        body: Sensitive::new(Bytes::from(body)),
        expires_in,
        deadline,
        traceparent: header(properties, "traceparent").unwrap_or_default().into(),
        seal: seal(properties)?,
    };
    Ok((question, reply_to))
}

/// The keys of a sealed question; none of one in clear.
fn seal(properties: &BasicProperties) -> Result<Option<Seal>, Ignored> {
    let content_type = properties.content_type().as_ref();
    if content_type.map(ShortString::as_str) != Some(SEALED_CONTENT_TYPE) {
        return Ok(None);
    }
    let key = |name| {
        let id = header(properties, name).and_then(|id| KeyId::parse(id).ok());
        id.ok_or(Ignored::Seal)
    };
    Ok(Some(Seal {
        key: key(X_SEAL_KEY)?,
        answer_key: key(X_SEAL_ANSWER_KEY)?,
    }))
}

/// `x-deadline`, or what `expiration` says from now on.
fn deadline(
    properties: &BasicProperties,
    now: DateTime<Utc>,
) -> Result<(DateTime<Utc>, Duration), Ignored> {
    let stated = header(properties, "x-deadline")
        .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
        .map(|deadline| deadline.with_timezone(&Utc));
    if let Some(deadline) = stated {
        let left = (deadline - now).to_std().map_err(|_| Ignored::Expired)?;
        return Ok((deadline, left.min(EXPIRES_MAX)));
    }
    let left = properties
        .expiration()
        .as_ref()
        .and_then(|text| text.as_str().parse().ok())
        .map_or(EXPIRES_DEFAULT, Duration::from_millis)
        .min(EXPIRES_MAX);
    let later = TimeDelta::from_std(left).unwrap_or_default();
    Ok((now + later, left))
}

fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a str> {
    match properties.headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
        AMQPValue::ShortString(text) => Some(text.as_str()),
        _ => None,
    }
}

/// The properties and the body of an answer.
pub(super) fn answer(answer: Answer) -> (BasicProperties, Bytes) {
    let properties = BasicProperties::default()
        .with_correlation_id(answer.corr_id.to_string().into())
        .with_content_type("application/xml".into())
        .with_delivery_mode(TRANSIENT);
    match answer.content {
        AnswerContent::Svar(body) => (properties.with_type("svar.v1".into()), body.into_exposed()),
        AnswerContent::Sealed { key, body } => {
            let mut headers = FieldTable::default();
            let key = AMQPValue::LongString(key.as_str().into());
            headers.insert(X_SEAL_KEY.into(), key);
            let properties = properties
                .with_type("svar.v1".into())
                .with_content_type(SEALED_CONTENT_TYPE.into())
                .with_headers(headers);
            (properties, body)
        }
        AnswerContent::Fel {
            felkod,
            felmeddelande,
        } => {
            let texts: Vec<AMQPValue> = felmeddelande
                .into_exposed()
                .into_iter()
                .map(|text| AMQPValue::LongString(LongString::from(text)))
                .collect();
            let mut headers = FieldTable::default();
            headers.insert("felkod".into(), AMQPValue::LongString(felkod.into()));
            headers.insert("felmeddelande".into(), AMQPValue::FieldArray(texts.into()));
            (
                properties.with_type("fel.v1".into()).with_headers(headers),
                Bytes::new(),
            )
        }
        // A type of no version: what a wrong adapter would send.
        AnswerContent::Unreadable(_) => (properties.with_type("okand".into()), Bytes::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORR_ID: &str = "b3c8a1f6-5d0e-4c47-9a51-7f0e2c9d4411";

    fn now() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-11-21T12:00:00Z")
            .unwrap()
            .with_timezone(&Utc)
    }

    fn sent() -> BasicProperties {
        let mut headers = FieldTable::default();
        let deadline = AMQPValue::LongString("2026-11-21T13:00:11+01:00".into());
        headers.insert("x-deadline".into(), deadline);
        headers.insert(
            "traceparent".into(),
            AMQPValue::LongString("00-a-b-01".into()),
        );
        BasicProperties::default()
            .with_type("fraga.v1".into())
            .with_reply_to("amq.rabbitmq.reply-to.x".into())
            .with_correlation_id(CORR_ID.into())
            .with_user_id("samsvar".into())
            .with_headers(headers)
    }

    fn read(properties: &BasicProperties) -> Result<(Question, ShortString), Ignored> {
        question(
            properties,
            b"body".to_vec(),
            Traffic::Test,
            Some("samsvar"),
            now(),
        )
    }

    #[test]
    fn a_question_is_read_with_its_deadline() {
        let (question, reply_to) = read(&sent()).unwrap();
        assert_eq!(question.corr_id.to_string(), CORR_ID);
        assert_eq!(question.expires_in, Duration::from_secs(11));
        assert_eq!(
            (question.kind, question.traffic),
            (QuestionKind::Fraga, Traffic::Test)
        );
        assert_eq!(&*question.traceparent, "00-a-b-01");
        assert_eq!(question.body.expose().as_ref(), b"body");
        assert_eq!(reply_to.as_str(), "amq.rabbitmq.reply-to.x");
    }

    #[test]
    fn without_a_deadline_the_expiration_counts() {
        let properties = sent()
            .with_headers(FieldTable::default())
            .with_expiration("2500".into());
        let (question, _) = read(&properties).unwrap();
        assert_eq!(question.expires_in, Duration::from_millis(2_500));
        assert_eq!(question.deadline, now() + TimeDelta::milliseconds(2_500));
    }

    #[test]
    fn what_is_no_question_for_us_is_ignored() {
        let late = now() + TimeDelta::seconds(12);
        let answer = question(&sent(), Vec::new(), Traffic::Test, None, late);
        assert_eq!(answer.err(), Some(Ignored::Expired));
        let stranger = sent().with_user_id("csn".into());
        assert_eq!(read(&stranger).err(), Some(Ignored::UserId));
        let other = sent().with_type("fraga.v2".into());
        assert_eq!(read(&other).err(), Some(Ignored::Type));
        let unpaired = sent().with_correlation_id("17".into());
        assert_eq!(read(&unpaired).err(), Some(Ignored::CorrelationId));
        let lost = BasicProperties::default().with_type("ping.v1".into());
        let answer = question(&lost, Vec::new(), Traffic::Test, None, now());
        assert_eq!(answer.err(), Some(Ignored::ReplyTo));
    }

    #[test]
    fn a_sealed_question_names_its_keys() {
        let sealed = |keys: &[(&str, &str)]| {
            let mut headers = sent().headers().clone().unwrap();
            for (name, key) in keys {
                let key = AMQPValue::LongString((*key).into());
                headers.insert((*name).into(), key);
            }
            let content_type = SEALED_CONTENT_TYPE.into();
            read(&sent().with_headers(headers).with_content_type(content_type))
        };
        let both = [(X_SEAL_KEY, "csn-1"), (X_SEAL_ANSWER_KEY, "nod-1")];
        let seal = sealed(&both).unwrap().0.seal.unwrap();
        assert_eq!(
            (seal.key.as_str(), seal.answer_key.as_str()),
            ("csn-1", "nod-1")
        );
        assert_eq!(sealed(&both[..1]).err(), Some(Ignored::Seal));
        assert_eq!(sealed(&both[1..]).err(), Some(Ignored::Seal));
        let wrong = [(X_SEAL_KEY, "csn 1"), both[1]];
        assert_eq!(sealed(&wrong).err(), Some(Ignored::Seal));
        assert_eq!(read(&sent()).unwrap().0.seal, None);
    }

    #[test]
    fn a_sealed_answer_names_its_key() {
        let content = AnswerContent::Sealed {
            key: KeyId::parse("nod-1").unwrap(),
            body: Bytes::from_static(b"sealed"),
        };
        let corr_id = Uuid::from_u128(1);
        let (properties, body) = answer(Answer { corr_id, content });
        assert_eq!(&body[..], b"sealed");
        assert_eq!(header(&properties, X_SEAL_KEY), Some("nod-1"));
        let text = |text: &Option<ShortString>| text.as_ref().unwrap().as_str().to_owned();
        assert_eq!(text(properties.kind()), "svar.v1");
        assert_eq!(text(properties.content_type()), SEALED_CONTENT_TYPE);
    }

    #[test]
    fn an_error_travels_in_the_headers_of_an_empty_message() {
        let corr_id = Uuid::try_parse(CORR_ID).unwrap();
        let felmeddelande = Sensitive::new(vec!["ett".to_owned(), "två".to_owned()]);
        let content = AnswerContent::Fel {
            felkod: "-1005".to_owned(),
            felmeddelande,
        };
        let (properties, body) = answer(Answer { corr_id, content });
        assert!(body.is_empty());
        assert_eq!(header(&properties, "felkod"), Some("-1005"));
        assert_eq!(properties.kind().as_ref().unwrap().as_str(), "fel.v1");
        assert_eq!(
            properties.correlation_id().as_ref().unwrap().as_str(),
            CORR_ID
        );
        assert_eq!(*properties.delivery_mode(), Some(1));
        let headers = properties.headers().as_ref().unwrap().inner();
        let Some(AMQPValue::FieldArray(texts)) = headers.get("felmeddelande") else {
            panic!("felmeddelande is no array")
        };
        assert_eq!(texts.as_slice().len(), 2);
    }
}
