//! `config/rabbitmq-definitions.json` gives a real RabbitMQ the queues, limits and rights that the
//! design promises: the node may declare and publish but not read, a party may read its own queues
//! and answer, and nothing else.

#[path = "support/rabbitmq.rs"]
mod rabbitmq;

use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use rabbitmq::RabbitMq;
use shs_schemas::ssbtek::Uppgiftslamnare;

const EXCHANGE: &str = "samsvar.fraga";
const REPLY_TO: &str = "amq.rabbitmq.reply-to";
const QUEUE_LENGTH_MAX: usize = 1000;
const ACCESS_REFUSED: u16 = 403;

async fn channel(node: &RabbitMq, user: &str) -> Channel {
    let properties = ConnectionProperties::default();
    let connection = Connection::connect(&node.url(user), properties)
        .await
        .expect("the user of the definitions gets in");
    connection.create_channel().await.expect("a channel")
}

fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    }
}

async fn publish(
    channel: &Channel,
    exchange: &str,
    key: &str,
) -> Result<Confirmation, lapin::Error> {
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let properties = BasicProperties::default().with_delivery_mode(1);
    channel
        .basic_publish(exchange.into(), key.into(), options, b"fraga", properties)
        .await?
        .await
}

/// Whether the broker refused for lack of rights.
fn is_refused<T>(result: Result<T, lapin::Error>) -> bool {
    let Err(error) = result else { return false };
    matches!(
        error.kind(),
        lapin::ErrorKind::ProtocolError(amqp) if amqp.get_id() == ACCESS_REFUSED
    )
}

#[tokio::test]
async fn every_party_has_its_two_queues() {
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    let queues = node.list_queues();
    for ul in Uppgiftslamnare::all() {
        for key in [ul.kod().to_owned(), format!("test.{}", ul.kod())] {
            let name = format!("{EXCHANGE}.{key}");
            assert!(queues.iter().any(|queue| queue.name == name), "{name}");
        }
    }
    assert_eq!(queues.len(), 2 * Uppgiftslamnare::all().len());
}

#[tokio::test]
async fn the_node_declares_alike_and_the_next_message_of_a_full_queue_is_nacked() {
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    let channel = channel(node, "samsvar").await;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    let name = format!("{EXCHANGE}.SKV");
    let queue = channel
        .queue_declare(name.as_str().into(), durable(), FieldTable::default())
        .await
        .expect("the definitions and the node declare alike");
    assert_eq!((queue.message_count(), queue.consumer_count()), (0, 0));
    for _ in 0..QUEUE_LENGTH_MAX {
        let confirmation = publish(&channel, EXCHANGE, "SKV").await.unwrap();
        assert!(
            matches!(confirmation, Confirmation::Ack(None)),
            "{confirmation:?}"
        );
    }
    let confirmation = publish(&channel, EXCHANGE, "SKV").await.unwrap();
    assert!(
        matches!(confirmation, Confirmation::Nack(_)),
        "{confirmation:?}"
    );
}

#[tokio::test]
async fn a_message_that_no_queue_takes_comes_back() {
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    let channel = channel(node, "samsvar").await;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    let confirmation = publish(&channel, EXCHANGE, "INGEN").await.unwrap();
    assert!(
        matches!(confirmation, Confirmation::Ack(Some(_))),
        "{confirmation:?}"
    );
}

#[tokio::test]
async fn a_party_reads_its_own_queue_and_its_answer_arrives() {
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    let asking = channel(node, "samsvar").await;
    let answering = channel(node, "ul-af").await;
    let no_ack = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let consume = async |channel: &Channel, queue: &str| {
        channel
            .basic_consume(queue.into(), "".into(), no_ack, FieldTable::default())
            .await
            .unwrap()
    };
    let mut answers = consume(&asking, REPLY_TO).await;
    let mut questions = consume(&answering, &format!("{EXCHANGE}.AF")).await;
    let question = BasicProperties::default()
        .with_reply_to(REPLY_TO.into())
        .with_correlation_id("c1".into())
        .with_user_id("samsvar".into());
    let options = BasicPublishOptions::default();
    asking
        .basic_publish(EXCHANGE.into(), "AF".into(), options, b"fraga", question)
        .await
        .unwrap();
    let question = questions.next().await.unwrap().unwrap();
    let reply_to = question.properties.reply_to().clone().unwrap();
    let answer = BasicProperties::default().with_correlation_id("c1".into());
    answering
        .basic_publish("".into(), reply_to, options, b"svar", answer)
        .await
        .unwrap();
    assert_eq!(answers.next().await.unwrap().unwrap().data, b"svar");
}

#[tokio::test]
async fn a_party_neither_reads_anothers_queue_nor_declares_nor_asks() {
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    let get = async |user: &str, queue: &str| {
        let channel = channel(node, user).await;
        let options = BasicGetOptions { no_ack: true };
        channel.basic_get(queue.into(), options).await
    };
    assert!(is_refused(get("ul-csn", "samsvar.fraga.FK").await));
    assert!(is_refused(get("ul-csn", "samsvar.fraga.test.FK").await));
    assert!(get("ul-csn", "samsvar.fraga.CSN").await.unwrap().is_none());
    assert!(
        get("ul-csn", "samsvar.fraga.test.CSN")
            .await
            .unwrap()
            .is_none()
    );
    for queue in ["samsvar.fraga.CSN", "samsvar.fraga.ny", "egen"] {
        let channel = channel(node, "ul-csn").await;
        let declared = channel
            .queue_declare(queue.into(), durable(), FieldTable::default())
            .await;
        assert!(is_refused(declared), "{queue}");
    }
    let asking = channel(node, "ul-csn").await;
    asking
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    assert!(is_refused(publish(&asking, EXCHANGE, "FK").await));
}

#[tokio::test]
async fn the_node_cannot_read_a_waiting_question() {
    let Some(node) = RabbitMq::shared() else {
        return;
    };
    let channel = channel(node, "samsvar").await;
    let options = BasicGetOptions { no_ack: true };
    assert!(is_refused(
        channel.basic_get("samsvar.fraga.AF".into(), options).await
    ));
}
