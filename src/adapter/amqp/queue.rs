//! One queue of one party: consumed, answered, and waited for when it is missing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::Utc;
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection, Consumer};
use samsvar_actors::transport::{Answer, AnswerContent, Bastjanst, Question, Traffic};
use shs_schemas::{Sensitive, Uppgiftslamnare};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::message::{self, Ignored};
use super::{AdapterStatus, CONCURRENT_ANSWERS_MAX, DRAIN_MAX, PUBLISH_MAX, QUEUE_WAIT};

/// felkod of a question that came on top of [`CONCURRENT_ANSWERS_MAX`] others.
const FELKOD_OVERLAST: &str = "ADAPTER-OVERLAST";

/// A queue, and who answers what comes from it.
#[derive(Clone)]
pub(super) struct Queue {
    pub(super) ul: Uppgiftslamnare,
    pub(super) traffic: Traffic,
    pub(super) bastjanst: Arc<dyn Bastjanst>,
    pub(super) node_user: Option<Arc<str>>,
    pub(super) status: Arc<AdapterStatus>,
}

impl Queue {
    fn name(&self) -> String {
        format!("samsvar.fraga.{}", self.traffic.routing_key(self.ul))
    }

    /// Answers from the queue until the connection is lost or the adapter is told to stop.
    pub(super) async fn serve(self, connection: Arc<Connection>, stop: CancellationToken) {
        let mut missed = false;
        while !stop.is_cancelled() && connection.status().connected() {
            match self.consume(&connection).await {
                Ok((channel, consumer)) => {
                    tracing::info!(bastjanst = %self.ul, traffic = ?self.traffic, "consuming");
                    missed = false;
                    self.status.consuming.fetch_add(1, Ordering::Relaxed);
                    self.answer_all(channel, consumer, &stop).await;
                    self.status.consuming.fetch_sub(1, Ordering::Relaxed);
                }
                Err(_) if missed => {}
                Err(_) => {
                    missed = true;
                    tracing::warn!(bastjanst = %self.ul, traffic = ?self.traffic,
                        "queue cannot be consumed, waiting for it");
                }
            }
            let _ = timeout(QUEUE_WAIT, stop.cancelled()).await;
        }
    }

    /// A channel of its own: consuming a missing queue closes the channel.
    async fn consume(&self, connection: &Connection) -> lapin::Result<(Channel, Consumer)> {
        let channel = connection.create_channel().await?;
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let (queue, any_tag) = (self.name().into(), ShortString::default());
        let consumer = channel
            .basic_consume(queue, any_tag, options, FieldTable::default())
            .await?;
        Ok((channel, consumer))
    }

    async fn answer_all(&self, channel: Channel, mut consumer: Consumer, stop: &CancellationToken) {
        let mut answering = JoinSet::new();
        loop {
            tokio::select! {
                delivery = consumer.next() => match delivery {
                    Some(Ok(delivery)) => self.take(delivery, &channel, &mut answering),
                    // Cancelled by RabbitMQ, or the channel or connection is gone.
                    Some(Err(_)) | None => break,
                },
                Some(ended) = answering.join_next() => self.note(&ended),
                () = stop.cancelled() => {
                    let cancel = BasicCancelOptions::default();
                    let _ = timeout(DRAIN_MAX, channel.basic_cancel(consumer.tag(), cancel)).await;
                    break;
                }
            }
        }
        let drained = async {
            while let Some(ended) = answering.join_next().await {
                self.note(&ended);
            }
        };
        // What is not done by then is dropped with the set.
        let _ = timeout(DRAIN_MAX, drained).await;
    }

    /// Takes one message: starts its answer, or not.
    fn take(&self, delivery: Delivery, channel: &Channel, answering: &mut JoinSet<()>) {
        let Delivery {
            properties, data, ..
        } = delivery;
        let node_user = self.node_user.as_deref();
        match message::question(&properties, data, self.traffic, node_user, Utc::now()) {
            Ok((question, reply_to)) => {
                // Told at once, and in a task as well: twice the bound, at most, are under way.
                let room = answering.len() < CONCURRENT_ANSWERS_MAX;
                if !room {
                    self.status.overloaded.fetch_add(1, Ordering::Relaxed);
                    if answering.len() >= 2 * CONCURRENT_ANSWERS_MAX {
                        return;
                    }
                }
                let bastjanst = room.then(|| Arc::clone(&self.bastjanst));
                let reply = Reply {
                    channel: channel.clone(),
                    address: reply_to,
                    status: Arc::clone(&self.status),
                };
                answering.spawn(reply.to(question, bastjanst));
            }
            Err(ignored) => self.ignore(ignored),
        }
    }

    fn ignore(&self, ignored: Ignored) {
        self.status.ignored.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(bastjanst = %self.ul, reason = ?ignored, "message ignored");
    }

    fn note(&self, ended: &Result<(), JoinError>) {
        if ended.is_err() {
            self.status.crashed.fetch_add(1, Ordering::Relaxed);
            tracing::error!(bastjanst = %self.ul, "a question made the service panic");
        }
    }
}

/// The way back for one question.
struct Reply {
    channel: Channel,
    address: ShortString,
    status: Arc<AdapterStatus>,
}

impl Reply {
    /// Answers one question; without a Bastjänst, that there is no room.
    async fn to(self, question: Question, bastjanst: Option<Arc<dyn Bastjanst>>) {
        let answers = match bastjanst {
            Some(bastjanst) => bastjanst.besvara(question).await,
            None => vec![no_room(&question)],
        };
        for answer in answers {
            let sent = timeout(PUBLISH_MAX, self.publish(answer)).await;
            if !matches!(sent, Ok(Ok(()))) {
                self.status.unsent.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    async fn publish(&self, answer: Answer) -> lapin::Result<()> {
        let (properties, body) = message::answer(answer);
        let (default_exchange, address) = (ShortString::default(), self.address.clone());
        let options = BasicPublishOptions::default();
        let confirm = self
            .channel
            .basic_publish(default_exchange, address, options, &body, properties)
            .await?;
        // Not in confirm mode, so there already; a confirm that is dropped is never freed.
        confirm.await?;
        Ok(())
    }
}

fn no_room(question: &Question) -> Answer {
    let content = AnswerContent::Fel {
        felkod: FELKOD_OVERLAST.to_owned(),
        felmeddelande: Sensitive::new(vec!["Adaptern har för många frågor".to_owned()]),
    };
    Answer {
        corr_id: question.corr_id,
        content,
    }
}
