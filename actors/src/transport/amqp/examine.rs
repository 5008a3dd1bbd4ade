//! What AMQP alone tells of a RabbitMQ before a node is started with it: whether exchange and queues
//! are there, and such as the node would declare them. Nothing is made and nothing is changed.
//!
//! Declaring again what is there changes nothing either: RabbitMQ confirms it when it is alike and
//! refuses it (406) when it has another type, other arguments or another durability. That is how a
//! quorum queue, a lazy one or one with dead-lettering in its arguments is known without asking the
//! management API. Policies, tracing, shovels and other bindings cannot be seen so.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ErrorKind, ExchangeKind};
use shs_schemas::{Sensitive, Uppgiftslamnare};
use tokio::time::timeout;

use super::contract::{EXCHANGE, queue_name};
pub use super::link::ConnectError;
use super::link::connect;
use super::settings::read_address;
use crate::transport::Traffic;

/// Longest time for one question to the broker.
const ANSWER_MAX: Duration = Duration::from_secs(5);
const NOT_FOUND: u16 = 404;
const PRECONDITION_FAILED: u16 = 406;

/// How something stands in RabbitMQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// As the node declares it.
    Alike,
    /// With another type, other arguments or another durability.
    Otherwise,
    /// Not there.
    Missing,
    /// RabbitMQ does not say: the user may not ask, or the connection broke.
    Untold,
}

/// What was found at one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The exchange that questions are published to.
    pub exchange: Found,
    /// The parties' queues, by name.
    pub queues: Vec<(String, Found)>,
}

/// The virtual host of an address; nothing when the address cannot be read.
#[must_use]
pub fn vhost(url: &Sensitive<String>) -> Option<String> {
    Some(read_address(url)?.vhost)
}

/// Looks at the exchange and at these parties' queues. Must run on a multi-thread runtime.
///
/// # Errors
/// When there is no connection within `connect_timeout`, or the address cannot be read.
pub async fn examine(
    url: &Sensitive<String>,
    tls_ca: Option<String>,
    parties: &[Uppgiftslamnare],
    connect_timeout: Duration,
) -> Result<Examined, ExamineError> {
    let uri = read_address(url).ok_or(ExamineError::Address)?;
    let connection = connect(uri, tls_ca, connect_timeout).await?;
    let mut queues = Vec::new();
    let exchange = within(exchange(&connection)).await;
    for ul in parties {
        for traffic in Traffic::ALL {
            let name = queue_name(traffic, *ul);
            let found = within(queue(&connection, &name)).await;
            queues.push((name, found));
        }
    }
    // An unanswered goodbye changes nothing.
    let _ = timeout(ANSWER_MAX, connection.close(200, "examined".into())).await;
    Ok(Examined { exchange, queues })
}

/// Why nothing could be looked at. No address is quoted: it holds a password.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    /// It is none.
    #[error("the address cannot be read")]
    Address,
    /// Nobody answers there, or nobody is let in.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

async fn within(looking: impl Future<Output = lapin::Result<()>>) -> Found {
    match timeout(ANSWER_MAX, looking).await {
        Ok(Ok(())) => Found::Alike,
        Ok(Err(error)) => refused(&error),
        Err(_) => Found::Untold,
    }
}

fn refused(error: &lapin::Error) -> Found {
    match error.kind() {
        ErrorKind::ProtocolError(amqp) => match amqp.get_id() {
            NOT_FOUND => Found::Missing,
            PRECONDITION_FAILED => Found::Otherwise,
            _ => Found::Untold,
        },
        _ => Found::Untold,
    }
}

/// First only asked for, so that nothing is made; a refusal closes its channel.
async fn exchange(connection: &Connection) -> lapin::Result<()> {
    let channel = connection.create_channel().await?;
    for passive in [true, false] {
        let options = ExchangeDeclareOptions {
            passive,
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let (kind, none) = (ExchangeKind::Direct, FieldTable::default());
        channel
            .exchange_declare(EXCHANGE.into(), kind, options, none)
            .await?;
    }
    channel.close(200, "examined".into()).await
}

async fn queue(connection: &Connection, name: &str) -> lapin::Result<()> {
    let channel = connection.create_channel().await?;
    for passive in [true, false] {
        let options = QueueDeclareOptions {
            passive,
            durable: true,
            ..QueueDeclareOptions::default()
        };
        channel
            .queue_declare(name.into(), options, FieldTable::default())
            .await?;
    }
    channel.close(200, "examined".into()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_virtual_host_is_what_the_transport_uses() {
        let of = |url: &str| vhost(&url.to_owned().into());
        assert_eq!(of("amqp://u:p@localhost").as_deref(), Some("/"));
        assert_eq!(of("amqp://u:p@localhost/%2f").as_deref(), Some("/"));
        assert_eq!(of("amqps://u:p@localhost/csn").as_deref(), Some("csn"));
        assert_eq!(of("localhost"), None);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn where_nobody_answers_nothing_is_found_and_no_password_is_told() {
        // Nothing listens on port 1.
        let url = "amqp://u:hemligt@127.0.0.1:1/".to_owned().into();
        let wait = Duration::from_secs(5);
        let error = examine(&url, None, &[], wait).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hemligt"));
    }
}
