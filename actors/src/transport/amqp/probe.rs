//! Declares a party's queues and counts their consumers, on a channel for that alone.
//!
//! RabbitMQ says nothing when nobody consumes a queue; declaring it again tells (limits of the
//! broker, design 5). A declare that RabbitMQ refuses closes the channel it came on: here, that
//! costs one count and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ExchangeKind};
use shs_schemas::Uppgiftslamnare;
use tokio::time::{MissedTickBehavior, interval};

use super::contract::{EXCHANGE, queue_name};
use crate::transport::{LineEvent, LineEvents, Traffic};

/// Consumers of each of a party's queues, as far as they could be counted.
pub(super) type Consumers = [Option<u32>; Traffic::ALL.len()];

pub(super) struct Probe {
    ul: Uppgiftslamnare,
    connection: Arc<Connection>,
    channel: Option<Channel>,
    /// Only look at the queue: RabbitMQ refused to declare it (it stands with arguments of its own,
    /// or the node may not).
    passive: [bool; Traffic::ALL.len()],
    counted: Consumers,
}

impl Probe {
    pub(super) fn new(ul: Uppgiftslamnare, connection: Arc<Connection>) -> Self {
        Self {
            ul,
            connection,
            channel: None,
            passive: [false; Traffic::ALL.len()],
            counted: [None; Traffic::ALL.len()],
        }
    }

    /// Declares exchange, queues and bindings, and counts. What RabbitMQ refuses is logged: the
    /// definitions may be the operator's alone.
    pub(super) async fn declare(&mut self) -> Consumers {
        if let Err(error) = self.declare_exchange().await {
            self.note("exchange not declared", &error);
        }
        for traffic in Traffic::ALL {
            self.counted[traffic.index()] = self.count(traffic).await;
            if let Err(error) = self.bind(traffic).await {
                self.note("queue not bound", &error);
            }
        }
        self.counted
    }

    /// Counts every `every` and tells changes, until the dispatcher is gone. Declares anew when
    /// `unroutable` says that a question came back.
    pub(super) async fn run(
        mut self,
        every: Duration,
        unroutable: Arc<AtomicBool>,
        events: LineEvents,
    ) {
        let mut tick = interval(every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.tick().await;
        loop {
            tick.tick().await;
            let before = self.counted;
            if unroutable.swap(false, Ordering::AcqRel) {
                self.declare().await;
            } else {
                for traffic in Traffic::ALL {
                    self.counted[traffic.index()] = self.count(traffic).await;
                }
            }
            if !tell(&events, before, &mut self.counted).await {
                return;
            }
        }
    }

    async fn count(&mut self, traffic: Traffic) -> Option<u32> {
        let options = QueueDeclareOptions {
            passive: self.passive[traffic.index()],
            durable: true,
            ..QueueDeclareOptions::default()
        };
        match self.declare_queue(traffic, options).await {
            Ok(consumers) => Some(consumers),
            Err(error) => {
                // Refused: the other way may do, from the next time on.
                self.passive[traffic.index()] = !options.passive;
                self.note("consumers not counted", &error);
                None
            }
        }
    }

    async fn declare_queue(
        &mut self,
        traffic: Traffic,
        options: QueueDeclareOptions,
    ) -> lapin::Result<u32> {
        let name = queue_name(traffic, self.ul).into();
        let channel = self.channel().await?;
        let queue = channel
            .queue_declare(name, options, FieldTable::default())
            .await?;
        Ok(queue.consumer_count())
    }

    async fn declare_exchange(&mut self) -> lapin::Result<()> {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        self.channel()
            .await?
            .exchange_declare(
                EXCHANGE.into(),
                ExchangeKind::Direct,
                options,
                FieldTable::default(),
            )
            .await
    }

    async fn bind(&mut self, traffic: Traffic) -> lapin::Result<()> {
        let queue = queue_name(traffic, self.ul).into();
        let key = traffic.routing_key(self.ul).into();
        self.channel()
            .await?
            .queue_bind(
                queue,
                EXCHANGE.into(),
                key,
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await
    }

    /// The channel, opened anew when a refusal closed it.
    async fn channel(&mut self) -> lapin::Result<Channel> {
        match &self.channel {
            Some(channel) if channel.status().connected() => Ok(channel.clone()),
            _ => {
                let channel = self.connection.create_channel().await?;
                self.channel = Some(channel.clone());
                Ok(channel)
            }
        }
    }

    fn note(&mut self, what: &'static str, error: &lapin::Error) {
        tracing::debug!(bastjanst = %self.ul, %error, "{what}");
        // Whatever state lapin has it in, RabbitMQ may have closed it.
        self.channel = None;
    }
}

/// Tells what changed; a count that could not be made leaves the last one standing.
async fn tell(events: &LineEvents, before: Consumers, now: &mut Consumers) -> bool {
    for traffic in Traffic::ALL {
        let (before, now) = (before[traffic.index()], &mut now[traffic.index()]);
        match *now {
            Some(count) if before != Some(count) => {
                if !events.tell(LineEvent::Consumers { traffic, count }).await {
                    return false;
                }
            }
            Some(_) => {}
            None => *now = before,
        }
    }
    !events.is_closed()
}
