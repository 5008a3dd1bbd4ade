//! The bare client: the same eight publishes and replies as the node makes, with the same flags,
//! properties and bytes, and nothing around them. It is what the node is measured against.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, future};
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::uri::AMQPUri;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer, PublisherConfirm,
};
use samsvar_actors::transport::Traffic;
use samsvar_actors::transport::amqp::contract::{
    APP_ID, CONTENT_TYPE, DIRECT_REPLY_TO, EXCHANGE, FRAGA_V1, SVAR_V1, TRACEPARENT, X_DEADLINE,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::measure::{Failed, Worker};
use crate::workload::Workload;

/// Transient: RabbitMQ is not asked to keep it.
const TRANSIENT: u8 = 1;
/// What the node's questions carry with one person asked about, in milliseconds.
const EXPIRATION: &str = "11000";

/// Who waits for which sub-question: answers go to a worker as party and size.
type Waiting = Arc<Mutex<HashMap<Uuid, mpsc::UnboundedSender<Reply>>>>;

/// One reply: its sub-question, and how many bytes it held.
type Reply = (Uuid, usize);

/// One connection with one channel, shared by all workers.
pub(crate) struct Bare {
    shared: Arc<Shared>,
    /// Kept open.
    _connection: Connection,
}

struct Shared {
    channel: Channel,
    waiting: Waiting,
    confirms: mpsc::UnboundedSender<PublisherConfirm>,
    /// Publishes that RabbitMQ rejected or returned.
    refused: Arc<AtomicU64>,
    parts: Vec<Asked>,
    next: AtomicU64,
}

/// What is published to one party each time.
struct Asked {
    routing_key: ShortString,
    question: Bytes,
    answer_bytes: usize,
    properties: BasicProperties,
}

impl Bare {
    /// Connects, with a channel in confirm mode and a consumer of its direct replies.
    ///
    /// # Errors
    /// When RabbitMQ is not there.
    pub(crate) async fn connect(url: &str, workload: &Workload) -> Result<Self, Failed> {
        let uri: AMQPUri = url.parse()?;
        let user = uri.authority.userinfo.username.clone();
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let replies = channel
            .basic_consume(
                DIRECT_REPLY_TO.into(),
                "".into(),
                options,
                FieldTable::default(),
            )
            .await?;
        let (confirms, confirmed) = mpsc::unbounded_channel();
        let (waiting, refused) = (Waiting::default(), Arc::<AtomicU64>::default());
        tokio::spawn(collect(confirmed, Arc::clone(&refused)));
        tokio::spawn(pass_on(replies, Arc::clone(&waiting)));
        let shared = Shared {
            channel,
            waiting,
            confirms,
            refused,
            parts: asked(workload, &user, Utc::now()),
            next: AtomicU64::new(1),
        };
        Ok(Self {
            shared: Arc::new(shared),
            _connection: connection,
        })
    }

    /// One that has one request open at a time.
    pub(crate) fn worker(&self) -> Asker {
        let (told, replies) = mpsc::unbounded_channel();
        Asker {
            shared: Arc::clone(&self.shared),
            told,
            replies,
        }
    }
}

fn asked(workload: &Workload, user: &str, now: DateTime<Utc>) -> Vec<Asked> {
    let long = |text: String| AMQPValue::LongString(LongString::from(text));
    let mut headers = FieldTable::default();
    let deadline = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    headers.insert(X_DEADLINE.into(), long(deadline));
    let trace = format!("00-{}-{:016x}-01", Uuid::new_v4().simple(), 1);
    headers.insert(TRACEPARENT.into(), long(trace));
    let properties = BasicProperties::default()
        .with_content_type(CONTENT_TYPE.into())
        .with_delivery_mode(TRANSIENT)
        .with_reply_to(DIRECT_REPLY_TO.into())
        .with_user_id(user.into())
        .with_app_id(APP_ID.into())
        .with_type(FRAGA_V1.into())
        .with_expiration(EXPIRATION.into())
        .with_timestamp(u64::try_from(now.timestamp()).unwrap_or_default())
        .with_headers(headers);
    let parts = workload.parts.iter();
    parts
        .map(|part| Asked {
            routing_key: Traffic::Production.routing_key(part.ul).into(),
            question: part.question.clone(),
            answer_bytes: part.answer.len(),
            properties: properties.clone(),
        })
        .collect()
}

/// Takes confirms as they come: one that is dropped would never be freed.
async fn collect(
    mut confirmed: mpsc::UnboundedReceiver<PublisherConfirm>,
    refused: Arc<AtomicU64>,
) {
    let mut open = FuturesUnordered::new();
    loop {
        tokio::select! {
            fresh = confirmed.recv() => match fresh {
                Some(fresh) => open.push(fresh),
                None => return,
            },
            Some(confirm) = open.next() => {
                let taken = confirm
                    .is_ok_and(|confirm| confirm.is_ack() && confirm.take_message().is_none());
                if !taken {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

async fn pass_on(mut replies: Consumer, waiting: Waiting) {
    while let Some(Ok(delivery)) = replies.next().await {
        if let Some((corr_id, bytes)) = read(&delivery)
            && let Some(worker) = lock(&waiting).remove(&corr_id)
        {
            let _ = worker.send((corr_id, bytes));
        }
    }
}

fn read(delivery: &Delivery) -> Option<Reply> {
    let properties = &delivery.properties;
    let corr_id = Uuid::try_parse(properties.correlation_id().as_ref()?.as_str()).ok()?;
    let is_answer = properties.kind().as_ref()?.as_str() == SVAR_V1;
    is_answer.then_some((corr_id, delivery.data.len()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A worker of the bare client.
pub(crate) struct Asker {
    shared: Arc<Shared>,
    told: mpsc::UnboundedSender<Reply>,
    replies: mpsc::UnboundedReceiver<Reply>,
}

impl Asker {
    async fn publish(&self, asked: &Asked, corr_id: Uuid) -> lapin::Result<()> {
        let shared = &self.shared;
        lock(&shared.waiting).insert(corr_id, self.told.clone());
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let corr_id = ShortString::from(&*corr_id.hyphenated().encode_lower(&mut text));
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let confirm = shared
            .channel
            .basic_publish(
                EXCHANGE.into(),
                asked.routing_key.clone(),
                options,
                &asked.question,
                asked.properties.clone().with_correlation_id(corr_id),
            )
            .await?;
        let _ = shared.confirms.send(confirm);
        Ok(())
    }
}

impl Worker for Asker {
    async fn ask(&mut self) -> Result<(), Failed> {
        let shared = Arc::clone(&self.shared);
        let parts = &shared.parts;
        let count = parts.len() as u64;
        let first = shared.next.fetch_add(count, Ordering::Relaxed);
        let corr_id = |party: usize| Uuid::from_u128(u128::from(first) + party as u128);
        let publishing = parts.iter().enumerate();
        let publishing = publishing.map(|(party, asked)| self.publish(asked, corr_id(party)));
        future::try_join_all(publishing).await?;
        let mut open = parts.len();
        while open > 0 {
            let (replied, bytes) = self.replies.recv().await.ok_or("the bare client ended")?;
            let place = (0..parts.len()).find(|place| corr_id(*place) == replied);
            let place = place.ok_or("a reply to another request")?;
            if bytes != parts[place].answer_bytes {
                return Err("a reply of another size".into());
            }
            open -= 1;
        }
        match shared.refused.load(Ordering::Relaxed) {
            0 => Ok(()),
            refused => Err(format!("RabbitMQ did not take {refused} questions").into()),
        }
    }
}
