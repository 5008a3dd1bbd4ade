//! Adapters behind real queues: the simulated ones and the Python one that people copy.

#[path = "support/rabbitmq.rs"]
mod rabbitmq;

use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{SecondsFormat, Utc};
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use samsvar::adapter::amqp::{self, AdapterSettings, AdapterStatus, Party};
use samsvar::adapter::behaviour::{Behaviour, Fault, Latency};
use samsvar::adapter::simulated::{SEED_DEFAULT, alla};
use samsvar_actors::transport::{Answer, Bastjanst, BoxFuture, Question, Traffic};
use shs_schemas::ssbtek::{Delsvar, Kontrakt};
use shs_schemas::xml::Limits;
use shs_schemas::{Sensitive, Uppgiftslamnare};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use rabbitmq::RabbitMq;

const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";
const DEMO: &str = "199503142383";
/// Longest wait for what should be there at once, on a loaded machine.
const SOON: Duration = Duration::from_secs(20);
/// How long nothing must come for silence to be believed.
const SILENCE: Duration = Duration::from_millis(700);

/// Tests that share a broker take turns: they use the same queues.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The asking side: as the node asks, as a user of the definitions.
struct Asker {
    _connection: Connection,
    channel: Channel,
    answers: Consumer,
}

impl Asker {
    async fn connect(url: &str) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default())
            .await
            .expect("connected");
        let channel = connection.create_channel().await.expect("a channel");
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let (queue, tag) = (DIRECT_REPLY_TO.into(), ShortString::default());
        let answers = channel
            .basic_consume(queue, tag, options, FieldTable::default())
            .await
            .expect("direct reply-to");
        Self {
            _connection: connection,
            channel,
            answers,
        }
    }

    async fn ask(&self, key: &str, kind: &str, expires_in: chrono::TimeDelta) -> Uuid {
        let corr_id = Uuid::new_v4();
        let deadline = (Utc::now() + expires_in).to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut headers = FieldTable::default();
        headers.insert("x-deadline".into(), AMQPValue::LongString(deadline.into()));
        let properties = BasicProperties::default()
            .with_type(kind.into())
            .with_user_id("samsvar".into())
            .with_reply_to(DIRECT_REPLY_TO.into())
            .with_correlation_id(corr_id.to_string().into())
            .with_headers(headers);
        let body = if kind == "fraga.v1" {
            question()
        } else {
            String::new()
        };
        self.channel
            .basic_publish(
                "samsvar.fraga".into(),
                key.into(),
                BasicPublishOptions::default(),
                body.as_bytes(),
                properties,
            )
            .await
            .expect("published")
            .await
            .expect("not in confirm mode");
        corr_id
    }

    async fn question(&self, key: &str) -> Uuid {
        self.ask(key, "fraga.v1", chrono::TimeDelta::seconds(60))
            .await
    }

    async fn answer(&mut self) -> Delivery {
        let answer = timeout(SOON, self.answers.next())
            .await
            .expect("an answer in time");
        answer.expect("the channel lives").expect("an answer")
    }

    /// Asks until an adapter is there: a question to a queue without one waits in it.
    async fn wait_for(&mut self, key: &str) {
        let asked = self
            .ask(key, "ping.v1", chrono::TimeDelta::seconds(60))
            .await;
        assert_eq!(corr_id(&self.answer().await), asked);
    }

    async fn hears_nothing(&mut self) -> bool {
        timeout(SILENCE, self.answers.next()).await.is_err()
    }
}

fn corr_id(answer: &Delivery) -> Uuid {
    let text = answer
        .properties
        .correlation_id()
        .as_ref()
        .expect("a correlation id");
    text.as_str().parse().expect("a UUID")
}

fn kind(answer: &Delivery) -> &str {
    answer.properties.kind().as_ref().expect("a type").as_str()
}

fn question() -> String {
    let today = Utc::now().date_naive();
    let from = today - chrono::Days::new(40);
    format!(
        "<s:hamtaBastjanstInformation xmlns:s=\"{}\"><s:generellaFrageparametrar>\
         <s:fraganSkallInkluderasISvaret>0</s:fraganSkallInkluderasISvaret>\
         <s:ingivare><s:organisationsnummer>162120009994</s:organisationsnummer>\
         <s:namn>Exempelköpings kommun</s:namn><s:handlaggare>exk0421</s:handlaggare>\
         </s:ingivare><s:personidentitet>{DEMO}</s:personidentitet>\
         <s:arendeidentitet>EB-2026-004711</s:arendeidentitet>\
         <s:tidsperiod><s:fromDatum>{from}</s:fromDatum><s:tomDatum>{today}</s:tomDatum>\
         </s:tidsperiod><s:syfte/><s:lagtext/></s:generellaFrageparametrar>\
         <s:specifikaFrageparametrar><s:AF inkludera=\"0\"/><s:CSN inkludera=\"0\"/>\
         <s:FK inkludera=\"0\"/><s:SKV inkludera=\"0\"/><s:SO inkludera=\"0\"/>\
         <s:TNS inkludera=\"1\"/><s:MIV inkludera=\"0\"/></s:specifikaFrageparametrar>\
         </s:hamtaBastjanstInformation>",
        Kontrakt::V10.namespace()
    )
}

/// A running adapter; stopped when it is dropped.
struct Adapter {
    stop: CancellationToken,
    status: Arc<AdapterStatus>,
}

impl Adapter {
    /// Waits until it consumes so many queues.
    async fn consumes(&self, queues: usize) {
        while self.status.consuming() < queues {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn adapter(url: &str, node_user: Option<&str>, parties: Vec<Party>) -> Adapter {
    let (stop, status) = (CancellationToken::new(), Arc::new(AdapterStatus::default()));
    let settings = AdapterSettings {
        url: Sensitive::new(url.to_owned()),
        traffic: Traffic::ALL.to_vec(),
        node_user: node_user.map(str::to_owned),
    };
    let serving = amqp::serve(settings, parties, Arc::clone(&status), stop.clone());
    tokio::spawn(serving);
    Adapter { stop, status }
}

fn behaving(ul: Uppgiftslamnare, behaviour: &Behaviour) -> Party {
    let party = alla(SEED_DEFAULT)
        .into_iter()
        .find(|(of, _)| *of == ul)
        .expect("simulated");
    (ul, Arc::new(behaviour.clone().around(ul, party.1)))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_party_answers_on_both_queues_with_its_own_rights_only() {
    let _alone = ALONE.lock().await;
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    let mut asker = Asker::connect(&node.url("samsvar")).await;
    for party in alla(SEED_DEFAULT) {
        let ul = party.0;
        let url = node.url(&format!("ul-{}", ul.kod().to_lowercase()));
        let _adapter = adapter(&url, Some("samsvar"), vec![party]);
        for traffic in Traffic::ALL {
            let key = traffic.routing_key(ul);
            asker.wait_for(&key).await;
            let sent = asker.question(&key).await;
            let answer = asker.answer().await;
            assert_eq!(
                (corr_id(&answer), kind(&answer)),
                (sent, "svar.v1"),
                "{key}"
            );
            let properties = &answer.properties;
            assert_eq!(
                properties.content_type().as_ref().unwrap().as_str(),
                "application/xml"
            );
            assert_eq!(*properties.delivery_mode(), Some(1), "transient");
            let body = Bytes::from(answer.data);
            Delsvar::read(ul, Kontrakt::V10, body, &Limits::default()).expect("an answer");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_answers_are_given_side_by_side_and_failures_in_headers() {
    let _alone = ALONE.lock().await;
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    let mut asker = Asker::connect(&node.url("samsvar")).await;
    let slow = Behaviour::good(1).with_latency(Latency::fixed(Duration::from_secs(1)));
    let failing = Behaviour::always(Fault::Fail, 1);
    let parties = vec![
        behaving(Uppgiftslamnare::TNS, &slow),
        behaving(Uppgiftslamnare::AF, &failing),
    ];
    let _adapter = adapter(&node.url("simulator"), None, parties);
    asker.wait_for("TNS").await;
    let begun = Instant::now();
    for _ in 0..50 {
        asker.question("TNS").await;
    }
    for _ in 0..50 {
        asker.answer().await;
    }
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "50 s one after another"
    );

    asker.question("AF").await;
    let answer = asker.answer().await;
    assert_eq!(kind(&answer), "fel.v1");
    assert!(answer.data.is_empty());
    let headers = answer
        .properties
        .headers()
        .as_ref()
        .expect("headers")
        .inner();
    assert!(matches!(
        headers.get("felkod"),
        Some(AMQPValue::LongString(_))
    ));
    assert!(matches!(
        headers.get("felmeddelande"),
        Some(AMQPValue::FieldArray(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_questions_and_strangers_are_met_with_silence() {
    let _alone = ALONE.lock().await;
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    let mut asker = Asker::connect(&node.url("samsvar")).await;
    let good = Behaviour::good(1);
    let tns = adapter(
        &node.url("ul-tns"),
        None,
        vec![behaving(Uppgiftslamnare::TNS, &good)],
    );
    let party = behaving(Uppgiftslamnare::AF, &good);
    let af = adapter(&node.url("ul-af"), Some("somebody-else"), vec![party]);
    asker.wait_for("TNS").await;
    af.consumes(Traffic::ALL.len()).await;
    asker
        .ask("TNS", "fraga.v1", chrono::TimeDelta::seconds(-1))
        .await;
    asker
        .ask("TNS", "fraga.v2", chrono::TimeDelta::seconds(60))
        .await;
    asker.question("AF").await;
    assert!(asker.hears_nothing().await);
    assert_eq!((tns.status.ignored(), af.status.ignored()), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_queue_and_a_killed_broker_are_waited_for() {
    let Some(mut node) = RabbitMq::start() else {
        return;
    };
    node.control(&["delete_queue", "samsvar.fraga.TNS"]);
    let good = Behaviour::good(1);
    let parties = vec![
        behaving(Uppgiftslamnare::TNS, &good),
        behaving(Uppgiftslamnare::AF, &good),
    ];
    let adapter = adapter(&node.url("simulator"), None, parties);
    let mut asker = Asker::connect(&node.url("samsvar")).await;
    // The queue that is missing holds nobody else up.
    asker.wait_for("AF").await;
    // The node's dispatcher declares the queue.
    let declare = lapin::options::QueueDeclareOptions::durable();
    let queue = "samsvar.fraga.TNS".into();
    asker
        .channel
        .queue_declare(queue, declare, FieldTable::default())
        .await
        .expect("declared");
    asker
        .channel
        .queue_bind(
            "samsvar.fraga.TNS".into(),
            "samsvar.fraga".into(),
            "TNS".into(),
            lapin::options::QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .expect("bound");
    asker.wait_for("TNS").await;

    let node = tokio::task::spawn_blocking(move || {
        node.kill();
        node.start_again();
        node
    })
    .await
    .expect("restarted");
    let mut asker = Asker::connect(&node.url("samsvar")).await;
    asker.wait_for("TNS").await;
    assert!(adapter.status.trouble().is_none());
}

/// Panics over every question.
struct Kraschar;

impl Bastjanst for Kraschar {
    fn besvara(&self, _question: Question) -> BoxFuture<Vec<Answer>> {
        Box::pin(async { panic!("on purpose") })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_costs_one_question_and_too_many_questions_are_told_so() {
    let _alone = ALONE.lock().await;
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    let mut asker = Asker::connect(&node.url("samsvar")).await;
    let hour = Latency::fixed(Duration::from_hours(1));
    let slow = behaving(Uppgiftslamnare::SKV, &Behaviour::good(1).with_latency(hour));
    let parties = vec![slow, (Uppgiftslamnare::MIV, Arc::new(Kraschar))];
    let adapter = adapter(&node.url("simulator"), None, parties);
    adapter.consumes(4).await;
    asker.question("MIV").await;
    asker.question("MIV").await;
    for _ in 0..amqp::CONCURRENT_ANSWERS_MAX {
        asker.question("SKV").await;
    }
    let sent = asker.question("SKV").await;
    let answer = asker.answer().await;
    assert_eq!((corr_id(&answer), kind(&answer)), (sent, "fel.v1"));
    assert!(asker.hears_nothing().await);
    assert_eq!(
        (adapter.status.overloaded(), adapter.status.crashed()),
        (1, 2)
    );
}

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_adapter_to_copy_does_the_same() {
    let _alone = ALONE.lock().await;
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/adapter.py");
    let child = Command::new(program)
        .env("SAMSVAR_AMQP__URL", node.url("ul-tns"))
        .spawn()
        .expect("Debian's Python is there");
    let _process = Process(child);
    let mut asker = Asker::connect(&node.url("samsvar")).await;
    asker.wait_for("TNS").await;
    let sent = asker.question("TNS").await;
    let answer = asker.answer().await;
    assert_eq!((corr_id(&answer), kind(&answer)), (sent, "svar.v1"));
    let text = String::from_utf8(answer.data.clone()).expect("UTF-8");
    assert!(text.contains("QVI042"), "{text}");
    let body = Bytes::from(answer.data);
    let svar = Delsvar::read(
        Uppgiftslamnare::TNS,
        Kontrakt::V10,
        body,
        &Limits::default(),
    );
    assert!(svar.expect("an answer").is_data());
}
