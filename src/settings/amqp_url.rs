//! [`AmqpUrl`]: where RabbitMQ is, with the password that opens it.

use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;
use shs_schemas::Sensitive;

/// Longest address, in bytes.
pub(super) const URL_BYTES_MAX: usize = 2048;

/// An AMQP address. It holds a password, so it shows its host and nothing else.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct AmqpUrl {
    whole: Sensitive<String>,
    host: String,
}

impl AmqpUrl {
    /// Reads an address: `amqps://user:password@host:port/vhost`, or `amqp://` when the host is a
    /// loopback address (design: TLS everywhere but within one machine).
    ///
    /// # Errors
    /// What is wrong, without quoting the address.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > URL_BYTES_MAX {
            return Err("the AMQP address is too long");
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("the AMQP address has white space in it");
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("an AMQP address begins with amqp:// or amqps://")?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let place = authority
            .rsplit_once('@')
            .map_or(authority, |(_, place)| place);
        let host = host_of(place).ok_or("the AMQP address names no host")?;
        match scheme {
            "amqps" => {}
            "amqp" if is_loopback(host) => {}
            "amqp" => return Err("plain amqp:// is for a loopback host only: use amqps://"),
            _ => return Err("an AMQP address begins with amqp:// or amqps://"),
        }
        Ok(Self {
            host: place.to_owned(),
            whole: Sensitive::new(text.to_owned()),
        })
    }

    /// The address with its password, to connect with. Never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.whole.expose()
    }

    /// Whether it is on this machine, as far as the address tells.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        host_of(&self.host).is_some_and(is_loopback)
    }

    /// Host and port as they stand in the address: what may be shown.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// The host in `host`, `host:port` or `[v6]:port`.
pub(super) fn host_of(place: &str) -> Option<&str> {
    let host = match place.strip_prefix('[') {
        Some(v6) => v6.split_once(']')?.0,
        None => place.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

impl TryFrom<String> for AmqpUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmqpUrl({})", self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_its_host_only() {
        let url = AmqpUrl::parse("amqps://nod:h%40mlig@mq.example:5671/ssbtek").unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "mq.example:5671 AmqpUrl(mq.example:5671)"
        );
        assert_eq!(url.expose(), "amqps://nod:h%40mlig@mq.example:5671/ssbtek");
    }

    #[test]
    fn plain_amqp_is_for_loopback_only() {
        for good in [
            "amqp://localhost",
            "amqp://a:b@127.0.0.1:5672/%2f",
            "amqp://[::1]:5672",
        ] {
            assert!(AmqpUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "amqp://a:b@10.0.0.1/",
            "amqp://a:127.0.0.1@mq.example/",
            "amqp://mq.example?x=@127.0.0.1",
        ] {
            let error = AmqpUrl::parse(bad).unwrap_err();
            assert!(error.contains("loopback"), "{error}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "hemlig",
            "http://a",
            "amqps://",
            "amqps://a:b@/x",
            "amqps://a b",
        ] {
            assert!(AmqpUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
