//! The rig on RabbitMQ: a plain adapter of a few lines, and a proxy between node and broker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, QueueBindOptions,
};
use lapin::types::{AMQPValue, FieldArray, FieldTable, LongString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use samsvar_actors::transport::amqp::contract::{self, queue_name};
use samsvar_actors::transport::amqp::{Amqp, AmqpSettings};
use samsvar_actors::transport::sealing::{KeyId, Seal};
use samsvar_actors::transport::{
    Answer, AnswerContent, Bastjanst, Question, QuestionKind, Traffic, Transport,
};
use shs_schemas::{Sensitive, Uppgiftslamnare};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::rabbitmq::RabbitMq;
use crate::rig::{AF, CSN, Reach, Rig};
use crate::vhosts;

/// Settings for a test: everything that waits, waits less.
pub fn settings(url: String) -> AmqpSettings {
    let mut settings = AmqpSettings::new(url.into());
    settings.consumer_check = Duration::from_millis(100);
    settings.reconnect_first = Duration::from_millis(50);
    settings.reconnect_longest = Duration::from_millis(200);
    settings
}

pub struct AmqpRig {
    pub amqp: Arc<Amqp>,
    pub vhost: String,
    pub proxy: Proxy,
    pub admin: Admin,
    _adapter: Connection,
    adapters: Vec<(Uppgiftslamnare, Adapter)>,
}

impl AmqpRig {
    pub async fn start_on(
        broker: &RabbitMq,
        vhost: String,
        bastjanst: impl Bastjanst,
        change: impl FnOnce(&mut AmqpSettings),
    ) -> Self {
        let proxy = Proxy::start(broker.port()).await;
        let mut settings = settings(proxy.url("samsvar", &vhost));
        change(&mut settings);
        let amqp = Amqp::start(settings, tokio::runtime::Handle::current()).unwrap();
        let connection = connect(&url(broker.port(), "simulator", &vhost)).await;
        let bastjanst: Arc<dyn Bastjanst> = Arc::new(bastjanst);
        let mut adapters = Vec::new();
        for ul in [AF, CSN] {
            let channel = connection.create_channel().await.unwrap();
            let adapter = Adapter::new(ul, channel, Arc::clone(&bastjanst));
            adapter.consume().await;
            adapters.push((ul, adapter));
        }
        Self {
            amqp: Arc::new(amqp),
            admin: Admin::connect(broker, &vhost).await,
            vhost,
            proxy,
            _adapter: connection,
            adapters,
        }
    }
}

impl Rig for AmqpRig {
    async fn start(bastjanst: impl Bastjanst) -> Self {
        let broker = vhosts::broker().expect("run_on_rabbitmq skips without one");
        Self::start_on(broker, vhosts::take(), bastjanst, |_| {}).await
    }

    fn transport(&self) -> &dyn Transport {
        &*self.amqp
    }

    fn shared(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.amqp) as Arc<dyn Transport>
    }

    async fn set_reach(&self, ul: Uppgiftslamnare, reach: Reach) {
        let (_, adapter) = self.adapters.iter().find(|(of, _)| *of == ul).unwrap();
        adapter.cancel().await;
        match reach {
            Reach::Consuming => {
                self.admin.bind(ul).await;
                adapter.consume().await;
            }
            Reach::NoConsumer => {}
            Reach::NoQueue => self.admin.unbind(ul).await,
            Reach::NoBroker => adapter.consume().await,
        }
        self.proxy.set_open(reach != Reach::NoBroker);
    }
}

/// Address for a user of the definitions, whose password is the name.
pub fn url(port: u16, user: &str, vhost: &str) -> String {
    format!("amqp://{user}:{user}@127.0.0.1:{port}/{vhost}")
}

pub async fn connect(url: &str) -> Connection {
    Connection::connect(url, ConnectionProperties::default())
        .await
        .unwrap()
}

/// A hand on the broker, beside the transport.
pub struct Admin {
    pub channel: Channel,
    _connection: Connection,
}

impl Admin {
    pub async fn connect(broker: &RabbitMq, vhost: &str) -> Self {
        let connection = connect(&url(broker.port(), "guest", vhost)).await;
        Self {
            channel: connection.create_channel().await.unwrap(),
            _connection: connection,
        }
    }

    async fn bind(&self, ul: Uppgiftslamnare) {
        for traffic in Traffic::ALL {
            self.channel
                .queue_bind(
                    queue_name(traffic, ul).into(),
                    contract::EXCHANGE.into(),
                    traffic.routing_key(ul).into(),
                    QueueBindOptions::default(),
                    FieldTable::default(),
                )
                .await
                .unwrap();
        }
    }

    async fn unbind(&self, ul: Uppgiftslamnare) {
        for traffic in Traffic::ALL {
            self.channel
                .queue_unbind(
                    queue_name(traffic, ul).into(),
                    contract::EXCHANGE.into(),
                    traffic.routing_key(ul).into(),
                    FieldTable::default(),
                )
                .await
                .unwrap();
        }
    }
}

/// What an authority writes to take part: consume, answer, done.
struct Adapter {
    ul: Uppgiftslamnare,
    channel: Channel,
    bastjanst: Arc<dyn Bastjanst>,
}

impl Adapter {
    fn new(ul: Uppgiftslamnare, channel: Channel, bastjanst: Arc<dyn Bastjanst>) -> Self {
        Self {
            ul,
            channel,
            bastjanst,
        }
    }

    async fn consume(&self) {
        for traffic in Traffic::ALL {
            let queue = queue_name(traffic, self.ul);
            let options = BasicConsumeOptions {
                no_ack: true,
                ..BasicConsumeOptions::default()
            };
            let mut questions = self
                .channel
                .basic_consume(
                    queue.clone().into(),
                    queue.into(),
                    options,
                    FieldTable::default(),
                )
                .await
                .unwrap();
            let (channel, bastjanst) = (self.channel.clone(), Arc::clone(&self.bastjanst));
            tokio::spawn(async move {
                while let Some(Ok(delivery)) = questions.next().await {
                    let (channel, bastjanst) = (channel.clone(), Arc::clone(&bastjanst));
                    tokio::spawn(async move {
                        let reply_to = delivery.properties.reply_to().clone().unwrap();
                        for answer in bastjanst.besvara(read(traffic, delivery)).await {
                            let (properties, body) = write(answer);
                            channel
                                .basic_publish(
                                    "".into(),
                                    reply_to.clone(),
                                    BasicPublishOptions::default(),
                                    &body,
                                    properties,
                                )
                                .await
                                .unwrap();
                        }
                    });
                }
            });
        }
    }

    async fn cancel(&self) {
        for traffic in Traffic::ALL {
            let tag = queue_name(traffic, self.ul).into();
            let cancelled = self
                .channel
                .basic_cancel(tag, BasicCancelOptions::default());
            cancelled.await.unwrap();
        }
    }
}

fn read(traffic: Traffic, delivery: Delivery) -> Question {
    let properties = &delivery.properties;
    let headers = properties.headers().as_ref().unwrap().inner();
    let header = |name| match headers.get(name) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        other => panic!("header {name}: {other:?}"),
    };
    let key = |name| KeyId::parse(&header(name)).unwrap();
    let is_sealed = headers.contains_key(contract::X_SEAL_KEY);
    let left = properties.expiration().as_ref().unwrap().as_str().parse();
    Question {
        corr_id: properties
            .correlation_id()
            .as_ref()
            .unwrap()
            .as_str()
            .parse()
            .unwrap(),
        traffic,
        kind: match properties.kind().as_ref().unwrap().as_str() {
            contract::FRAGA_V1 => QuestionKind::Fraga,
            contract::PING_V1 => QuestionKind::Ping,
            other => panic!("type {other}"),
        },
        expires_in: Duration::from_millis(left.unwrap()),
        deadline: DateTime::parse_from_rfc3339(&header(contract::X_DEADLINE))
            .unwrap()
            .to_utc(),
        traceparent: header(contract::TRACEPARENT).into(),
        seal: is_sealed.then(|| Seal {
            key: key(contract::X_SEAL_KEY),
            answer_key: key(contract::X_SEAL_ANSWER_KEY),
        }),
        body: Sensitive::new(Bytes::from(delivery.data)),
    }
}

fn write(answer: Answer) -> (BasicProperties, Bytes) {
    let properties =
        BasicProperties::default().with_correlation_id(answer.corr_id.to_string().into());
    match answer.content {
        AnswerContent::Svar(body) => (
            properties.with_type(contract::SVAR_V1.into()),
            body.into_exposed(),
        ),
        AnswerContent::Fel {
            felkod,
            felmeddelande,
        } => {
            let texts = felmeddelande.into_exposed().into_iter();
            let texts: Vec<AMQPValue> = texts.map(long).collect();
            let mut headers = FieldTable::default();
            headers.insert(contract::FELKOD.into(), long(felkod));
            headers.insert(
                contract::FELMEDDELANDE.into(),
                AMQPValue::FieldArray(FieldArray::from(texts)),
            );
            let properties = properties.with_type(contract::FEL_V1.into());
            (properties.with_headers(headers), Bytes::new())
        }
        AnswerContent::Sealed { key, body } => {
            let mut headers = FieldTable::default();
            headers.insert(contract::X_SEAL_KEY.into(), long(key.as_str().to_owned()));
            let properties = properties
                .with_type(contract::SVAR_V1.into())
                .with_content_type(contract::SEALED_CONTENT_TYPE.into());
            (properties.with_headers(headers), body)
        }
        AnswerContent::Unreadable(_) => (properties.with_type("svar.v9".into()), Bytes::new()),
    }
}

fn long(text: String) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}

/// A TCP proxy before the broker. Closed, it drops what is connected and takes nothing new.
pub struct Proxy {
    port: u16,
    open: watch::Sender<bool>,
    passed: Arc<Passed>,
}

/// Bytes that have passed.
#[derive(Default)]
struct Passed {
    to_broker: AtomicU64,
    to_node: AtomicU64,
}

impl Proxy {
    async fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, opened) = watch::channel(true);
        let passed = Arc::<Passed>::default();
        let counted = Arc::clone(&passed);
        tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                if *opened.borrow() {
                    tokio::spawn(forward(node, to, opened.clone(), Arc::clone(&counted)));
                }
            }
        });
        Self { port, open, passed }
    }

    /// Bytes that have passed to the broker, and to the node.
    pub fn passed(&self) -> [u64; 2] {
        let Passed { to_broker, to_node } = &*self.passed;
        [to_broker, to_node].map(|bytes| bytes.load(Ordering::Relaxed))
    }

    pub fn url(&self, user: &str, vhost: &str) -> String {
        url(self.port, user, vhost)
    }

    pub fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }
}

async fn forward(node: TcpStream, to: u16, mut open: watch::Receiver<bool>, passed: Arc<Passed>) {
    let Ok(broker) = TcpStream::connect(("127.0.0.1", to)).await else {
        return;
    };
    let _ = node.set_nodelay(true);
    let _ = broker.set_nodelay(true);
    let (from_node, to_node) = node.into_split();
    let (from_broker, to_broker) = broker.into_split();
    tokio::select! {
        () = copy(from_node, to_broker, &passed.to_broker) => {}
        () = copy(from_broker, to_node, &passed.to_node) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}

/// Passes on, and counts, until one end is closed.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, passed: &AtomicU64) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
        passed.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
