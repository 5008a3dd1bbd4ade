//! Writes a question as an AMQP message (design 5, "question message").

use std::time::Duration;

use chrono::{DateTime, Utc};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use shs_schemas::Uppgiftslamnare;
use uuid::Uuid;

use super::contract::{
    APP_ID, CONTENT_TYPE, DIRECT_REPLY_TO, SEALED_CONTENT_TYPE, TRACEPARENT, X_DEADLINE,
    X_SEAL_ANSWER_KEY, X_SEAL_KEY, deadline_text, type_of,
};
use crate::transport::{Question, Traffic};

/// Transient: RabbitMQ is not asked to keep it.
const DELIVERY_MODE_TRANSIENT: u8 = 1;

/// What all questions to one party have in common.
#[derive(Debug)]
pub(super) struct QuestionForm {
    routing_keys: [ShortString; Traffic::ALL.len()],
    common: BasicProperties,
    ttl_longest: Duration,
}

impl QuestionForm {
    pub(super) fn new(ul: Uppgiftslamnare, user: &str, ttl_longest: Duration) -> Self {
        Self {
            routing_keys: Traffic::ALL.map(|traffic| traffic.routing_key(ul).into()),
            common: BasicProperties::default()
                .with_delivery_mode(DELIVERY_MODE_TRANSIENT)
                .with_reply_to(DIRECT_REPLY_TO.into())
                .with_user_id(user.into())
                .with_app_id(APP_ID.into()),
            ttl_longest,
        }
    }

    pub(super) fn routing_key(&self, traffic: Traffic) -> ShortString {
        self.routing_keys[traffic.index()].clone()
    }

    /// The properties of one question, sent at `now`.
    pub(super) fn properties(&self, question: &Question, now: DateTime<Utc>) -> BasicProperties {
        // RabbitMQ drops what expires in 0 ms unless a consumer is ready that instant.
        let expiration = question.expires_in.min(self.ttl_longest).as_millis().max(1);
        let content_type = match question.seal {
            Some(_) => SEALED_CONTENT_TYPE,
            None => CONTENT_TYPE,
        };
        self.common
            .clone()
            .with_content_type(content_type.into())
            .with_type(type_of(question.kind).into())
            .with_correlation_id(correlation_id(question.corr_id))
            .with_expiration(expiration.to_string().into())
            .with_timestamp(u64::try_from(now.timestamp()).unwrap_or_default())
            .with_headers(headers(question))
    }
}

fn correlation_id(corr_id: Uuid) -> ShortString {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    ShortString::from(&*corr_id.hyphenated().encode_lower(&mut text))
}

fn headers(question: &Question) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(X_DEADLINE.into(), long(deadline_text(question.deadline)));
    headers.insert(TRACEPARENT.into(), long(&*question.traceparent));
    if let Some(seal) = &question.seal {
        headers.insert(X_SEAL_KEY.into(), long(seal.key.as_str()));
        headers.insert(X_SEAL_ANSWER_KEY.into(), long(seal.answer_key.as_str()));
    }
    headers
}

fn long(text: impl Into<String>) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text.into()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::transport::QuestionKind;

    fn question(expires_in: Duration) -> Question {
        Question {
            corr_id: Uuid::from_u128(7),
            traffic: Traffic::Test,
            kind: QuestionKind::Ping,
            body: Bytes::new().into(),
            expires_in,
            deadline: DateTime::from_timestamp(1_700_000_000, 500_000_000).unwrap(),
            traceparent: "00-1-2-01".into(),
            seal: None,
        }
    }

    #[test]
    fn the_expiration_is_what_is_left_within_its_bounds() {
        let form = QuestionForm::new(Uppgiftslamnare::SO, "noden", Duration::from_mins(1));
        for (left, expiration) in [(0, "1"), (11_000, "11000"), (90_000, "60000")] {
            let properties =
                form.properties(&question(Duration::from_millis(left)), DateTime::UNIX_EPOCH);
            assert_eq!(
                properties.expiration().as_ref().unwrap().as_str(),
                expiration
            );
        }
        assert_eq!(form.routing_key(Traffic::Test).as_str(), "test.SO");
    }
}
