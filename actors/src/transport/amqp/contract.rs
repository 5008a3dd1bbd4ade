//! The names of the AMQP contract, version 1 (design 5). Both sides of a queue use them.

use chrono::{DateTime, SecondsFormat, Utc};
use shs_schemas::Uppgiftslamnare;

use crate::transport::{QuestionKind, Traffic};

/// The exchange that questions are published to: direct, durable.
pub const EXCHANGE: &str = "samsvar.fraga";

/// The pseudo queue of RabbitMQ's direct reply-to: answers rest in no queue.
pub const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// `type` of a sub-question.
pub const FRAGA_V1: &str = "fraga.v1";
/// `type` of a ping.
pub const PING_V1: &str = "ping.v1";
/// `type` of an answer that holds the party's answer element.
pub const SVAR_V1: &str = "svar.v1";
/// `type` of an answer that reports a failure in its headers.
pub const FEL_V1: &str = "fel.v1";

/// `type` of a message of zeros that the node sends round to overwrite the buffers of its connection.
pub const RINSE_V1: &str = "rinse.v1";
/// The routing key of such a message. Nothing may be bound to it: RabbitMQ gives the message back.
pub const RINSE_KEY: &str = "rinse";

/// `app_id` of every question.
pub const APP_ID: &str = "samsvar";
/// `content_type` of every question.
pub const CONTENT_TYPE: &str = "application/xml";

/// `content_type` of a sealed body, of question or answer (see
/// [`sealing`](crate::transport::sealing)).
pub const SEALED_CONTENT_TYPE: &str = "application/vnd.samsvar.sealed";

/// Header of a sealed body: name of the key that it is sealed to.
pub const X_SEAL_KEY: &str = "x-seal-key";
/// Header of a sealed question: name of the key that its answer is to be sealed to.
pub const X_SEAL_ANSWER_KEY: &str = "x-seal-answer-key";
/// Header of a question: the point in time after which nobody waits for the answer (RFC 3339).
pub const X_DEADLINE: &str = "x-deadline";
/// Header of a question: W3C trace context.
pub const TRACEPARENT: &str = "traceparent";
/// Header of a `fel.v1`: the authority's own code.
pub const FELKOD: &str = "felkod";
/// Header of a `fel.v1`: the authority's texts, a list or a single one.
pub const FELMEDDELANDE: &str = "felmeddelande";

/// Name of the queue of an Uppgiftslämnare for one kind of traffic.
#[must_use]
pub fn queue_name(traffic: Traffic, ul: Uppgiftslamnare) -> String {
    format!("{EXCHANGE}.{}", traffic.routing_key(ul))
}

/// `type` of a question.
#[must_use]
pub const fn type_of(kind: QuestionKind) -> &'static str {
    match kind {
        QuestionKind::Fraga => FRAGA_V1,
        QuestionKind::Ping => PING_V1,
    }
}

/// A deadline as [`X_DEADLINE`] says it: UTC, in milliseconds.
#[must_use]
pub fn deadline_text(deadline: DateTime<Utc>) -> String {
    deadline.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_and_test_have_queues_of_their_own() {
        let csn = Uppgiftslamnare::CSN;
        assert_eq!(queue_name(Traffic::Production, csn), "samsvar.fraga.CSN");
        assert_eq!(queue_name(Traffic::Test, csn), "samsvar.fraga.test.CSN");
    }
}
