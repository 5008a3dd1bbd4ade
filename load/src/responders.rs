//! The eight parties: each answers every question with its prepared answer, at once. They cost as
//! little as they can and the same whoever asks, so that what is compared is who asks.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, future};
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use samsvar_actors::transport::amqp::contract::{PING_V1, SVAR_V1, queue_name};
use samsvar_actors::transport::in_process::InProcess;
use samsvar_actors::transport::{
    Answer, AnswerContent, Bastjanst, BoxFuture, Question, QuestionKind, Traffic,
};
use shs_schemas::Sensitive;

use crate::measure::Failed;
use crate::workload::{Part, Workload};

/// Answers of one party that may be under way.
const UNDER_WAY_MAX: usize = 256;
/// Transient: RabbitMQ is not asked to keep it.
const TRANSIENT: u8 = 1;

/// Consumes the eight queues, and calls `ready` when all are consumed. Ends with the connection.
///
/// # Errors
/// When the queues cannot be consumed, or the connection breaks.
pub(crate) async fn serve(
    url: &str,
    workload: Workload,
    ready: impl FnOnce(),
) -> Result<(), Failed> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let mut parties = Vec::with_capacity(workload.parts.len());
    for part in workload.parts {
        let channel = connection.create_channel().await?;
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let queue = queue_name(Traffic::Production, part.ul).into();
        let consumer = channel
            .basic_consume(queue, "".into(), options, FieldTable::default())
            .await?;
        parties.push(answer_all(channel, consumer, part.answer));
    }
    ready();
    future::try_join_all(parties).await?;
    Err("the connection of the responders was closed".into())
}

async fn answer_all(channel: Channel, consumer: Consumer, answer: Bytes) -> Result<(), Failed> {
    consumer
        .for_each_concurrent(UNDER_WAY_MAX, |delivery| {
            let (channel, answer) = (&channel, &answer);
            async move {
                if let Ok(delivery) = delivery {
                    // A reply that is not taken is a request that is not complete: it shows there.
                    let _ = reply(channel, &delivery, answer).await;
                }
            }
        })
        .await;
    Ok(())
}

async fn reply(channel: &Channel, delivery: &Delivery, answer: &[u8]) -> lapin::Result<()> {
    let asked = &delivery.properties;
    let (Some(reply_to), Some(corr_id)) = (asked.reply_to(), asked.correlation_id()) else {
        return Ok(());
    };
    let is_ping = asked.kind().as_ref().map(ShortString::as_str) == Some(PING_V1);
    let body = if is_ping { &[] } else { answer };
    let properties = BasicProperties::default()
        .with_correlation_id(corr_id.clone())
        .with_content_type("application/xml".into())
        .with_type(SVAR_V1.into())
        .with_delivery_mode(TRANSIENT);
    let options = BasicPublishOptions::default();
    let confirm = channel
        .basic_publish("".into(), reply_to.clone(), options, body, properties)
        .await?;
    // Not in confirm mode, so there already.
    confirm.await?;
    Ok(())
}

/// The same parties without a broker.
pub(crate) fn in_process(workload: Workload) -> InProcess {
    let parties: HashMap<_, _> = workload
        .parts
        .into_iter()
        .map(|Part { ul, answer, .. }| (ul, answer))
        .collect();
    parties
        .into_iter()
        .fold(InProcess::new(), |transport, (ul, answer)| {
            transport.with(ul, Arc::new(Prepared(answer)))
        })
}

/// Answers with these bytes.
struct Prepared(Bytes);

impl Bastjanst for Prepared {
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>> {
        let body = match question.kind {
            QuestionKind::Fraga => self.0.clone(),
            QuestionKind::Ping => Bytes::new(),
        };
        Box::pin(future::ready(vec![Answer {
            corr_id: question.corr_id,
            content: AnswerContent::Svar(Sensitive::new(body)),
        }]))
    }
}
