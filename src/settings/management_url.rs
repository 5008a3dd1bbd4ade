//! [`ManagementUrl`]: where RabbitMQ's management API is, with the password that opens it.

use std::fmt;

use reqwest::Url;
use serde::Deserialize;
use shs_schemas::Sensitive;

use super::amqp_url::{URL_BYTES_MAX, is_loopback};

/// Address of a management API. It holds a password, so it shows its host and nothing else.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ManagementUrl {
    whole: Sensitive<Url>,
    place: String,
    loopback: bool,
}

impl ManagementUrl {
    /// Reads an address: `https://user:password@host:port`, or `http://` when the host is a loopback
    /// address. A path is that of `management.path_prefix`.
    ///
    /// # Errors
    /// What is wrong, without quoting the address.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "is not the address of a management API (https://user:password@host)";
        if text.len() > URL_BYTES_MAX {
            return Err("the address of the management API is too long");
        }
        let url = Url::parse(text).map_err(|_| WRONG)?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or(WRONG)?;
        let loopback = is_loopback(host.trim_matches(['[', ']']));
        if url.query().is_some() || url.fragment().is_some() {
            return Err(WRONG);
        }
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err("plain http:// is for a loopback host only: use https://"),
            _ => return Err(WRONG),
        }
        if url.username().is_empty() || url.password().is_none() {
            return Err("the address of the management API names no user and password");
        }
        let port = url
            .port()
            .map_or_else(String::new, |port| format!(":{port}"));
        Ok(Self {
            place: format!("{host}{port}"),
            loopback,
            whole: Sensitive::new(url),
        })
    }

    /// The address of what stands at `segments` below `/api`, with the password. Never log it.
    #[must_use]
    pub fn below_api(&self, segments: &[&str]) -> Url {
        let mut url = self.whole.expose().clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("api").extend(segments);
        }
        url
    }

    /// Whether it is on this machine, as far as the address tells.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl TryFrom<String> for ManagementUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl fmt::Display for ManagementUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl fmt::Debug for ManagementUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ManagementUrl({})", self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_its_host_only_and_leads_to_what_is_below() {
        let url = ManagementUrl::parse("https://i:h%40mlig@mq.example:15671/rabbit/").unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "mq.example:15671 ManagementUrl(mq.example:15671)"
        );
        assert!(!url.is_loopback());
        assert_eq!(
            url.below_api(&["queues", "/"]).path(),
            "/rabbit/api/queues/%2F"
        );
        let plain = ManagementUrl::parse("http://i:i@[::1]:15672").unwrap();
        assert!(plain.is_loopback());
        assert_eq!(plain.below_api(&["overview"]).path(), "/api/overview");
    }

    #[test]
    fn what_is_no_address_or_goes_in_clear_is_refused_and_not_quoted() {
        for bad in [
            "",
            "mq.example",
            "amqp://i:hemlig@mq.example",
            "http://i:hemlig@mq.example",
            "http://127.0.0.1:hemlig@mq.example",
            "https://mq.example",
            "https://hemlig@mq.example",
            "https://i:hemlig@mq.example?x",
            "https://i:hemlig@mq.example#x",
            "https://:hemlig@mq.example",
        ] {
            let fault = ManagementUrl::parse(bad).unwrap_err();
            assert!(!fault.contains("hemlig"), "{fault}");
        }
    }
}
