//! The actors that this node knows by configuration: who they are, where asynchronous messages to them
//! go, and which certificates speak for them.

use std::collections::BTreeMap;
use std::fmt;

use garde::Validate;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use shs_schemas::shs::Produkt;

use super::node::{NAMN_CHARS_MAX, ten_digits};

/// Most actors that can be listed.
pub const AKTORER_MAX: usize = 2000;
/// Longest address of a receive service, in bytes.
const ADDRESS_BYTES_MAX: usize = 1024;
/// Most addresses for single products of one actor.
const ADDRESSES_MAX: usize = 256;
/// Most certificates listed for one actor.
const CERTIFICATES_MAX: usize = 64;

/// An actor: a municipality that may ask, a supplier with a mailbox here, or another node's actor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Aktor {
    /// Its organisation number: ten digits.
    #[garde(custom(ten_digits))]
    pub organisationsnummer: String,
    /// Its name, which fills an empty `commonName` (shs-1.2, 7.3).
    #[garde(length(chars, min = 1, max = NAMN_CHARS_MAX))]
    pub namn: String,
    /// Where asynchronous messages to it go.
    #[serde(default)]
    #[garde(skip)]
    pub delivery: Delivery,
    /// With `push`: URL of its receive service for every product that `addresses` does not name.
    #[serde(default)]
    #[garde(skip)]
    pub address: Option<ServiceUrl>,
    /// With `push`: URLs for single products, by UUID, `error` or `confirm`.
    #[serde(default, deserialize_with = "addresses")]
    #[garde(length(max = ADDRESSES_MAX))]
    pub addresses: BTreeMap<Produkt, ServiceUrl>,
    /// Certificates that speak for it beside those that hold its number: SHA-256 fingerprints, 64
    /// hexadecimal digits. A hosting node's certificate is listed with every actor it sends for.
    #[serde(default)]
    #[garde(length(max = CERTIFICATES_MAX))]
    pub certificates: Vec<Fingerprint>,
    /// How file names beyond ASCII are written in MIME headers of messages that are passed on to it
    /// (shs-1.2, 2.9). Replies of this node's own services are written as `latin1`.
    #[serde(default)]
    #[garde(skip)]
    pub file_names: FileNames,
}

impl Aktor {
    /// Whether one of its addresses is reached over TLS.
    pub(crate) fn is_pushed_to_over_https(&self) -> bool {
        let mut addresses = self.address.iter().chain(self.addresses.values());
        addresses.any(|address| address.as_str().starts_with("https://"))
    }
}

/// Where asynchronous messages to an actor go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Into a mailbox here, in memory; its systems fetch them from the delivery service. Such an actor
    /// is one of our own: its systems may send to anyone.
    #[default]
    Mailbox,
    /// To its own node, over HTTPS.
    Push,
}

/// How file names beyond ASCII are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileNames {
    /// Raw ISO-8859-1 in quotes, as the installed base expects.
    #[default]
    Latin1,
    /// RFC 2231.
    Rfc2231,
}

/// Address of a receive service: `https://…`, or `http://…` for a node on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ServiceUrl(String);

impl ServiceUrl {
    /// The address as it is used, exactly as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ServiceUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() <= ADDRESS_BYTES_MAX && is_usable(&text) {
            Ok(Self(text))
        } else {
            Err("is not an address (https://…, or http:// of a loopback host; at most 1024 bytes)")
        }
    }
}

/// Whether messages may be sent to this address: over TLS, or without leaving this machine.
#[must_use]
pub fn is_usable(url: &str) -> bool {
    let Ok(parsed) = reqwest::Url::parse(url) else {
        return false;
    };
    let host = parsed.host_str().unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    let loopback = || {
        host == "localhost"
            || host
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    };
    match parsed.scheme() {
        "https" => url.starts_with("https://"),
        "http" => url.starts_with("http://") && loopback(),
        _ => false,
    }
}

/// Reads addresses by product. Two spellings of one product are refused: one of the two addresses
/// would silently not count.
fn addresses<'de, D>(deserializer: D) -> Result<BTreeMap<Produkt, ServiceUrl>, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(Addresses)
}

struct Addresses;

impl<'de> Visitor<'de> for Addresses {
    type Value = BTreeMap<Produkt, ServiceUrl>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("addresses by product")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut addresses = BTreeMap::new();
        while let Some(OfProduct(produkt)) = map.next_key()? {
            if addresses.insert(produkt, map.next_value()?).is_some() {
                return Err(A::Error::custom("names a product twice"));
            }
        }
        Ok(addresses)
    }
}

/// A product that messages can be addressed to.
struct OfProduct(Produkt);

impl<'de> Deserialize<'de> for OfProduct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match Produkt::parse(&text) {
            Ok(produkt) if produkt != Produkt::Agreement => Ok(Self(produkt)),
            _ => Err(D::Error::custom(
                "is not the UUID of a product, `error` or `confirm`",
            )),
        }
    }
}

/// SHA-256 fingerprint of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    /// Reads 64 hexadecimal digits, with or without colons between the bytes.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let digits: Option<Vec<u8>> = text.chars().filter(|c| *c != ':').map(digit).collect();
        let bytes = digits.map(|digits| {
            let pairs = digits.chunks_exact(2);
            pairs
                .map(|pair| pair[0] << 4 | pair[1])
                .collect::<Vec<u8>>()
        });
        let wrong = "is not a SHA-256 fingerprint: 64 hexadecimal digits";
        let bytes = bytes.filter(|_| text.chars().filter(|c| *c != ':').count() == 64);
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_openssl_prints_it() {
        let bytes = [0xAB; 32];
        for text in ["ab".repeat(32), ["AB"; 32].join(":")] {
            assert_eq!(Fingerprint::try_from(text), Ok(Fingerprint::new(bytes)));
        }
        for bad in [
            "",
            "ab",
            &"xy".repeat(32),
            &"ab".repeat(33),
            &"ab".repeat(31),
        ] {
            assert!(Fingerprint::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_is_https_or_http_and_kept_as_it_stands() {
        let url = ServiceUrl::try_from("https://shs.example/shs/rs".to_owned()).unwrap();
        assert_eq!(url.as_str(), "https://shs.example/shs/rs");
        for bad in [
            "",
            "ftp://a",
            "https://",
            "shs.example",
            "https://a b",
            "http://shs.example/",
        ] {
            assert!(ServiceUrl::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
