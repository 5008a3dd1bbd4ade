//! What the AMQP transport is told when it starts.

use std::collections::HashMap;
use std::time::Duration;

use lapin::uri::AMQPUri;
use shs_schemas::{Sensitive, Uppgiftslamnare};

use super::answer::ANSWER_BYTES_MAX;

/// Longest wait for the opening of a line on a connection.
pub(super) const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is idle before it is rinsed, unless it is set.
pub const RINSE_AFTER: Duration = Duration::from_secs(1);

/// Settings of the AMQP transport. [`AmqpSettings::new`] gives the defaults named at each field.
#[derive(Clone, Debug)]
pub struct AmqpSettings {
    /// Address of the RabbitMQ that parties without an entry in `urls` are reached by:
    /// `amqp(s)://user:password@host:port/vhost`.
    pub url: Sensitive<String>,
    /// Addresses of parties with a vhost (or a broker) of their own. Parties with the same address
    /// share one connection.
    pub urls: HashMap<Uppgiftslamnare, Sensitive<String>>,
    /// What questions carry as `user_id`; RabbitMQ refuses any other name than that of the user
    /// who is logged in. Default: the user in the address. Needed where a client certificate logs
    /// in and the address names nobody.
    pub user: Option<String>,
    /// Longest time for a connection to come about (default 10 s).
    pub connect_timeout: Duration,
    /// Longest time from a publish to its confirm before the question is refused (default 2 s).
    pub publish_timeout: Duration,
    /// How often the consumers of a queue are counted (default 500 ms).
    pub consumer_check: Duration,
    /// Wait before the first attempt to connect again (default 100 ms); doubled at each further one.
    pub reconnect_first: Duration,
    /// Longest wait between two attempts (default 2 s).
    pub reconnect_longest: Duration,
    /// Longest expiration that a question carries (default 60 s): the longest deadline.
    pub ttl_longest: Duration,
    /// Largest body of an answer, in bytes (default [`ANSWER_BYTES_MAX`]). What is larger is
    /// unreadable.
    pub answer_bytes_max: usize,
    /// AMQP heartbeat (default 10 s): a broker that is silent for twice that is away.
    pub heartbeat: Duration,
    /// How long a connection must be idle before its buffers are overwritten (default
    /// [`RINSE_AFTER`]).
    pub rinse_after: Duration,
    /// Certificates (PEM) that an `amqps` broker is trusted by, besides those of the system.
    pub tls_ca: Option<String>,
}

impl AmqpSettings {
    /// Settings with defaults for everything but the address.
    #[must_use]
    pub fn new(url: Sensitive<String>) -> Self {
        Self {
            url,
            urls: HashMap::new(),
            user: None,
            connect_timeout: Duration::from_secs(10),
            publish_timeout: Duration::from_secs(2),
            consumer_check: Duration::from_millis(500),
            reconnect_first: Duration::from_millis(100),
            reconnect_longest: Duration::from_secs(2),
            ttl_longest: Duration::from_mins(1),
            answer_bytes_max: ANSWER_BYTES_MAX,
            heartbeat: Duration::from_secs(10),
            rinse_after: RINSE_AFTER,
            tls_ca: None,
        }
    }

    /// The address that a party is reached by.
    pub(super) fn url_of(&self, ul: Uppgiftslamnare) -> &Sensitive<String> {
        self.urls.get(&ul).unwrap_or(&self.url)
    }
}

/// An address that cannot be read. It does not say what stood there: an address holds a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The address for parties without one of their own.
    #[error("the amqp address is not of the form amqp(s)://user:password@host:port/vhost")]
    Common,
    /// The address of one party.
    #[error("the amqp address of {0} is not of the form amqp(s)://user:password@host:port/vhost")]
    Party(Uppgiftslamnare),
}

/// Reads every address once, so that a fault is told at start and not at the first question.
pub(super) fn check_addresses(settings: &AmqpSettings) -> Result<(), AddressError> {
    read_address(&settings.url).ok_or(AddressError::Common)?;
    for (ul, url) in &settings.urls {
        read_address(url).ok_or(AddressError::Party(*ul))?;
    }
    Ok(())
}

/// Reads an address.
pub(super) fn read_address(url: &Sensitive<String>) -> Option<AMQPUri> {
    url.expose().parse().ok()
}

/// Growing waits between attempts.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(settings: &AmqpSettings) -> Self {
        Self {
            first: settings.reconnect_first,
            longest: settings.reconnect_longest,
            next: settings.reconnect_first,
        }
    }

    /// The wait before the next attempt, after one that held for `stood`. What stood longer than
    /// the longest wait starts anew.
    pub(super) fn after(&mut self, stood: Duration) -> Duration {
        if stood > self.longest {
            self.next = self.first;
        }
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_read_is_named_by_its_party_and_never_quoted() {
        let mut settings = AmqpSettings::new("amqp://node:hemligt@localhost/%2f".to_owned().into());
        assert_eq!(check_addresses(&settings), Ok(()));
        let bad = "http://node:hemligt@localhost".to_owned();
        settings.urls.insert(Uppgiftslamnare::PM, bad.into());
        let error = check_addresses(&settings).unwrap_err();
        assert_eq!(error, AddressError::Party(Uppgiftslamnare::PM));
        assert!(!format!("{error} {error:?} {settings:?}").contains("hemligt"));
    }

    #[test]
    fn waits_double_up_to_the_longest_and_start_anew_after_a_good_while() {
        let mut settings = AmqpSettings::new(String::new().into());
        settings.reconnect_first = Duration::from_millis(100);
        settings.reconnect_longest = Duration::from_millis(300);
        let mut backoff = Backoff::new(&settings);
        let waits: Vec<_> = (0..4)
            .map(|_| backoff.after(Duration::ZERO).as_millis())
            .collect();
        assert_eq!(waits, [100, 200, 300, 300]);
        assert_eq!(backoff.after(Duration::from_secs(1)).as_millis(), 100);
    }
}
