//! What only a broker can do: the wire itself, refused declares, alarms, restarts.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ExchangeDeleteOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, message::Delivery};
use samsvar_actors::transport::amqp::contract::{self, queue_name};
use samsvar_actors::transport::amqp::{Amqp, may_be_logged};
use samsvar_actors::transport::{LineEvent, QuestionKind, Refusal, Traffic};
use tokio::time::{Instant, sleep};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::amqp_rig::{Admin, AmqpRig, connect, settings, url};
use crate::ear::{open, open_and_wait};
use crate::rabbitmq::RabbitMq;
use crate::rig::{AF, CSN, Reach, Rig, body, echo, question, question_for, silent};
use crate::{run, run_on_rabbitmq, vhosts};

/// Takes messages from a queue by hand.
async fn take(channel: &lapin::Channel, queue: String) -> lapin::Consumer {
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    channel
        .basic_consume(queue.into(), "".into(), options, FieldTable::default())
        .await
        .unwrap()
}

async fn messages(admin: &Admin, queue: String) -> u32 {
    let options = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let looked = admin
        .channel
        .queue_declare(queue.into(), options, FieldTable::default());
    looked.await.unwrap().message_count()
}

#[test]
fn a_question_on_the_wire_is_what_the_contract_says() {
    run_on_rabbitmq(async {
        let rig = AmqpRig::start(silent()).await;
        let (line, _ear) = open_and_wait(rig.transport(), CSN).await;
        rig.set_reach(CSN, Reach::NoConsumer).await;
        for (traffic, kind, kind_on_the_wire) in [
            (Traffic::Production, QuestionKind::Fraga, "fraga.v1"),
            (Traffic::Test, QuestionKind::Ping, "ping.v1"),
        ] {
            let mut sent = question_for(Duration::from_millis(9_500), "<fråga/>");
            (sent.traffic, sent.kind) = (traffic, kind);
            let mut taken = take(&rig.admin.channel, queue_name(traffic, CSN)).await;
            line.send(sent.clone()).unwrap();
            let message = taken.next().await.unwrap().unwrap();
            assert_eq!(message.data, "<fråga/>".as_bytes());
            assert_eq!(message.exchange.as_str(), "samsvar.fraga");
            assert_eq!(message.routing_key.as_str(), traffic.routing_key(CSN));
            let properties = &message.properties;
            assert_eq!(
                texts(properties),
                [
                    ("content_type", "application/xml"),
                    ("expiration", "9500"),
                    ("correlation_id", &*sent.corr_id.to_string()),
                    ("type", kind_on_the_wire),
                    ("user_id", "samsvar"),
                    ("app_id", "samsvar"),
                ]
            );
            assert_eq!(*properties.delivery_mode(), Some(1));
            // RabbitMQ puts the address in the place of the pseudo queue.
            let reply_to = properties.reply_to().as_ref().unwrap().as_str();
            assert!(reply_to.starts_with("amq.rabbitmq.reply-to."), "{reply_to}");
            let age =
                Utc::now().timestamp() - i64::try_from(properties.timestamp().unwrap()).unwrap();
            assert!((0..=2).contains(&age), "stamped {age} s ago");
            let headers = headers(&message);
            assert_eq!(headers.len(), 2);
            assert_eq!(headers["traceparent"], &*sent.traceparent);
            let deadline = DateTime::parse_from_rfc3339(&headers["x-deadline"]).unwrap();
            assert_eq!(
                deadline.timestamp_millis(),
                sent.deadline.timestamp_millis()
            );
        }
    });
}

/// The properties that are texts, those that are set, `reply_to` left out.
fn texts(properties: &BasicProperties) -> Vec<(&'static str, &str)> {
    [
        ("content_type", properties.content_type()),
        ("content_encoding", properties.content_encoding()),
        ("expiration", properties.expiration()),
        ("message_id", properties.message_id()),
        ("correlation_id", properties.correlation_id()),
        ("type", properties.kind()),
        ("user_id", properties.user_id()),
        ("app_id", properties.app_id()),
        ("cluster_id", properties.cluster_id()),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((name, text.as_ref()?.as_str())))
    .collect()
}

fn headers(message: &Delivery) -> BTreeMap<String, String> {
    let headers = message.properties.headers().as_ref().unwrap().inner();
    let text = |(name, value): (&_, &_)| match value {
        AMQPValue::LongString(text) => (String::from(Clone::clone(name)), text.to_string()),
        other => panic!("{name}: {other:?}"),
    };
    headers.iter().map(text).collect()
}

#[test]
fn nothing_is_left_in_a_queue_after_its_expiration() {
    run_on_rabbitmq(async {
        let rig = AmqpRig::start(silent()).await;
        let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
        rig.set_reach(AF, Reach::NoConsumer).await;
        ear.consumers(0).await;
        for _ in 0..5 {
            line.send(question_for(Duration::from_millis(400), "x"))
                .unwrap();
        }
        sleep(Duration::from_millis(100)).await;
        let queue = queue_name(Traffic::Production, AF);
        assert_eq!(messages(&rig.admin, queue.clone()).await, 5);
        sleep(Duration::from_millis(600)).await;
        assert_eq!(messages(&rig.admin, queue).await, 0);
    });
}

#[test]
fn a_dropped_line_closes_its_channels() {
    run_on_rabbitmq(async {
        let broker = vhosts::broker().unwrap();
        let rig = AmqpRig::start(silent()).await;
        let channels = || {
            let listed = broker.control(&["list_channels", "-p", &rig.vhost, "user"]);
            listed.lines().filter(|line| *line == "samsvar").count()
        };
        let kept = open_and_wait(rig.transport(), CSN).await;
        let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
        assert_eq!(channels(), 4, "two for each line");
        drop(line);
        ear.gone().await;
        sleep(Duration::from_millis(200)).await;
        assert_eq!(channels(), 2, "those of the other line");
        drop(kept);
    });
}

#[test]
fn an_answer_whose_correlation_id_is_no_uuid_is_counted_and_dropped() {
    run_on_rabbitmq(async {
        let rig = AmqpRig::start(silent()).await;
        let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
        rig.set_reach(AF, Reach::NoConsumer).await;
        let queue = queue_name(Traffic::Production, AF);
        let mut taken = take(&rig.admin.channel, queue).await;
        let sent = question("x");
        line.send(sent.clone()).unwrap();
        let asked = taken.next().await.unwrap().unwrap();
        let reply_to = asked.properties.reply_to().clone().unwrap();
        for correlation_id in [Some("17"), None, Some(&*sent.corr_id.to_string())] {
            let mut properties = BasicProperties::default().with_type(contract::SVAR_V1.into());
            if let Some(correlation_id) = correlation_id {
                properties = properties.with_correlation_id(correlation_id.into());
            }
            let answered = rig.admin.channel.basic_publish(
                "".into(),
                reply_to.clone(),
                BasicPublishOptions::default(),
                b"svar",
                properties,
            );
            answered.await.unwrap();
        }
        let answer = ear.answer().await;
        assert_eq!(
            (answer.corr_id, body(&answer)),
            (sent.corr_id, &b"svar"[..])
        );
        assert_eq!(rig.amqp.counts().answers_of_nobody(), 2);
    });
}

#[test]
fn a_queue_that_the_operator_declared_otherwise_is_used_as_it_is() {
    run_on_rabbitmq(async {
        let rig = AmqpRig::start(silent()).await;
        rig.set_reach(AF, Reach::NoConsumer).await;
        for traffic in Traffic::ALL {
            let queue = queue_name(traffic, AF);
            let deleted = rig
                .admin
                .channel
                .queue_delete(queue.clone().into(), QueueDeleteOptions::default());
            deleted.await.unwrap();
            let mut arguments = FieldTable::default();
            arguments.insert("x-max-length".into(), AMQPValue::LongInt(7));
            let options = QueueDeclareOptions {
                durable: true,
                ..QueueDeclareOptions::default()
            };
            let declared = rig
                .admin
                .channel
                .queue_declare(queue.into(), options, arguments);
            declared.await.unwrap();
        }
        let (line, mut ear) = open(rig.transport(), AF);
        ear.up().await;
        ear.consumers(0).await;
        rig.set_reach(AF, Reach::Consuming).await;
        ear.consumers(1).await;
        line.send(question("x")).unwrap();
        ear.hears_nothing_of_questions().await;
        assert_eq!(ear.downs, 0, "a refused declare costs the line nothing");
    });
}

#[test]
fn a_deleted_queue_is_declared_again() {
    run_on_rabbitmq(async {
        let rig = AmqpRig::start(silent()).await;
        let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
        rig.set_reach(AF, Reach::NoConsumer).await;
        ear.consumers(0).await;
        for traffic in Traffic::ALL {
            let queue = queue_name(traffic, AF).into();
            let deleted = rig
                .admin
                .channel
                .queue_delete(queue, QueueDeleteOptions::default());
            deleted.await.unwrap();
        }
        let sent = question("x");
        assert_eq!(
            ear.refusal(line.send(sent.clone()), sent.corr_id).await,
            Refusal::Unroutable
        );
        sleep(Duration::from_millis(500)).await;
        line.send(question_for(Duration::from_secs(10), "y"))
            .unwrap();
        ear.hears_nothing_of_questions().await;
        let queue = queue_name(Traffic::Production, AF);
        assert_eq!(messages(&rig.admin, queue).await, 1);
    });
}

#[test]
fn a_channel_that_is_closed_alone_is_opened_again() {
    run_on_rabbitmq(async {
        let rig = AmqpRig::start(echo()).await;
        let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
        let (_other, mut other_ear) = open_and_wait(rig.transport(), CSN).await;
        let deleted = rig
            .admin
            .channel
            .exchange_delete(contract::EXCHANGE.into(), ExchangeDeleteOptions::default());
        deleted.await.unwrap();
        // A publish to an exchange that is not there closes the channel.
        line.send(question("x")).unwrap();
        ear.down().await;
        ear.up().await;
        ear.consumers(1).await;
        let sent = question("y");
        line.send(sent.clone()).unwrap();
        assert_eq!(ear.answer().await.corr_id, sent.corr_id);
        assert_eq!(rig.amqp.counts().connections(), 1);
        other_ear.hears_nothing_of_questions().await;
        assert_eq!(other_ear.downs, 0, "its neighbour notices nothing");
    });
}

#[test]
fn a_user_id_that_rabbitmq_refuses_takes_the_line_down_and_not_the_node() {
    run_on_rabbitmq(async {
        let broker = vhosts::broker().unwrap();
        let wrong = |settings: &mut samsvar_actors::transport::amqp::AmqpSettings| {
            settings.user = Some("annan".to_owned());
        };
        let rig = AmqpRig::start_on(broker, vhosts::take(), echo(), wrong).await;
        let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
        for _ in 0..2 {
            line.send(question("x")).unwrap();
            ear.down().await;
            ear.up().await;
        }
        assert_eq!(rig.amqp.counts().connections(), 1);
    });
}

#[test]
fn parties_with_addresses_of_their_own_have_connections_of_their_own() {
    run_on_rabbitmq(async {
        let broker = vhosts::broker().unwrap();
        let elsewhere = AmqpRig::start(echo()).await;
        let rig = AmqpRig::start(echo()).await;
        let mut settings = settings(url(broker.port(), "samsvar", &rig.vhost));
        let url = elsewhere.proxy.url("samsvar", &elsewhere.vhost);
        settings.urls.insert(CSN, url.into());
        let amqp = Amqp::start(settings, tokio::runtime::Handle::current()).unwrap();
        let (near, mut near_ear) = open_and_wait(&amqp, AF).await;
        let (_far, mut far_ear) = open_and_wait(&amqp, CSN).await;
        assert_eq!(amqp.counts().connections(), 2);
        elsewhere.set_reach(CSN, Reach::NoBroker).await;
        far_ear.down().await;
        let sent = question("x");
        near.send(sent.clone()).unwrap();
        assert_eq!(near_ear.answer().await.corr_id, sent.corr_id);
        assert_eq!(near_ear.downs, 0);
    });
}

#[test]
fn no_body_reaches_a_log_when_a_question_is_returned() {
    const MARKER: &str = "199503142383";
    let log = log();
    run_on_rabbitmq(async {
        let rig = AmqpRig::start(echo()).await;
        let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
        rig.set_reach(AF, Reach::NoQueue).await;
        let sent = question(MARKER);
        let refusal = ear.refusal(line.send(sent.clone()), sent.corr_id).await;
        assert_eq!(refusal, Refusal::Unroutable);
        rig.set_reach(AF, Reach::Consuming).await;
        line.send(question(MARKER)).unwrap();
        ear.answer().await;
        rig.set_reach(AF, Reach::NoBroker).await;
        ear.down().await;
    });
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("line lost"), "{log}");
    // lapin prints a body as numbers.
    let as_numbers = format!("{:?}", &MARKER.as_bytes()[..6]);
    let as_numbers = as_numbers.trim_matches(['[', ']']);
    assert!(!log.contains(MARKER) && !log.contains(as_numbers));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of this process, as talkative as an operator can make it.
fn log() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        tracing_subscriber::registry()
            .with(EnvFilter::new("debug,lapin::returned_messages=trace"))
            .with(filter_fn(may_be_logged))
            .with(layer)
            .init();
        log
    })
    .clone()
}

/// The virtual host of a broker of one's own.
const ROOT: &str = "%2f";

/// One after the other on a broker of their own: an alarm or a restart is everybody's.
#[test]
fn a_broker_that_blocks_or_restarts_costs_refusals_and_no_help() {
    let Some(mut broker) = RabbitMq::start() else {
        return;
    };
    run(blocks_its_publishers(&broker));
    run(restarts(&mut broker));
}

async fn blocks_its_publishers(broker: &RabbitMq) {
    let publish_timeout = Duration::from_millis(500);
    let rig = AmqpRig::start_on(broker, ROOT.to_owned(), echo(), |settings| {
        settings.publish_timeout = publish_timeout;
        settings.heartbeat = Duration::from_secs(1);
    })
    .await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    broker.set_memory_alarm(true);
    // The first is what makes the broker say so, and is lost with the line: at once.
    let begun = Instant::now();
    let _ = line.send(question("x"));
    ear.down().await;
    assert!(begun.elapsed() < publish_timeout * 2);
    assert_eq!(line.send(question("x")), Err(Refusal::Broker));
    // Longer than the heartbeat allows: a blocked broker is not a lost one.
    sleep(Duration::from_secs(4)).await;
    assert_eq!(line.send(question("x")), Err(Refusal::Broker));
    broker.set_memory_alarm(false);
    ear.up().await;
    let sent = question("x");
    line.send(sent.clone()).unwrap();
    while ear.answer().await.corr_id != sent.corr_id {}
    assert_eq!(ear.downs, 1);
}

async fn restarts(broker: &mut RabbitMq) {
    let rig = AmqpRig::start_on(broker, ROOT.to_owned(), echo(), |_| {}).await;
    let (line, mut ear) = open_and_wait(rig.transport(), AF).await;
    broker.kill();
    ear.down().await;
    assert_eq!(line.send(question("x")), Err(Refusal::Broker));
    sleep(Duration::from_secs(2)).await;
    broker.start_again();
    ear.up().await;
    ear.consumers(0).await;
    assert_eq!(ear.downs, 1);
    // Its adapter comes back by its own means.
    let adapter = connect(&url(broker.port(), "simulator", ROOT)).await;
    let channel = adapter.create_channel().await.unwrap();
    let mut taken = take(&channel, queue_name(Traffic::Production, AF)).await;
    let sent = question("y");
    line.send(sent.clone()).unwrap();
    let asked = taken.next().await.unwrap().unwrap();
    let properties = BasicProperties::default()
        .with_type(contract::FEL_V1.into())
        .with_correlation_id(asked.properties.correlation_id().clone().unwrap());
    let reply_to = asked.properties.reply_to().clone().unwrap();
    let answered = channel.basic_publish(
        "".into(),
        reply_to,
        BasicPublishOptions::default(),
        b"",
        properties,
    );
    answered.await.unwrap();
    let corr_id = ear
        .until("answer", |event| match event {
            LineEvent::Answer(answer) => Some(answer.corr_id),
            _ => None,
        })
        .await;
    assert_eq!(corr_id, sent.corr_id);
}
