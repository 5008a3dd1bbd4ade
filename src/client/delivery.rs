//! The client of a delivery service: lists, fetches, acknowledges (shs-1.2, 5.7). Of any node, so
//! colons in addresses are sent as they are (5.7.1).

use bytes::Bytes;
use shs_schemas::ids::TxId;
use shs_schemas::shs::Adress;
use shs_schemas::shs::message_list::{LIST_BYTES_MAX, MessageList};
use shs_schemas::{Sensitive, WireError};

use super::Client;
use super::sending::{BODY_BYTES_MAX, ExchangeError, HttpAnswer, exchange};

/// Why a delivery service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// There is no answer.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The service refused.
    #[error("the delivery service refused ({status}): {reason}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its text.
        reason: String,
    },
    /// What it gave is no message list.
    #[error("the message list cannot be read: {0}")]
    List(#[from] WireError),
}

impl DeliveryError {
    /// True when the message is not there (any more).
    #[must_use]
    pub const fn is_not_there(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}

/// One outbox of a delivery service.
#[derive(Clone, Debug)]
pub struct Outbox {
    client: Client,
    /// Without a slash at its end.
    url: reqwest::Url,
}

impl Outbox {
    /// The outbox of this address at the delivery service with this URL.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn new(client: Client, service: &str, address: &Adress) -> Result<Self, ExchangeError> {
        let url = format!(
            "{}/{}",
            service.trim_end_matches('/'),
            segment(&address.to_string())
        );
        let url = reqwest::Url::parse(&url).map_err(|_| ExchangeError::Url)?;
        Ok(Self { client, url })
    }

    /// The messages that the parameters ask for (5.7.3).
    ///
    /// # Errors
    /// See [`DeliveryError`].
    pub async fn list(&self, parameters: &[(&str, &str)]) -> Result<MessageList, DeliveryError> {
        let mut url = self.url.clone();
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        let answer = exchange(self.client.http.get(url), LIST_BYTES_MAX).await?;
        let answer = accepted(answer)?;
        let charset = answer.header("content-type").and_then(charset);
        Ok(MessageList::read(answer.body.expose(), charset)?)
    }

    /// A whole message.
    ///
    /// # Errors
    /// See [`DeliveryError`].
    pub async fn fetch(&self, tx_id: &TxId) -> Result<Sensitive<Bytes>, DeliveryError> {
        let request = self.client.http.get(self.message(tx_id)?);
        Ok(accepted(exchange(request, BODY_BYTES_MAX).await?)?.body)
    }

    /// Says that a message has been taken care of. It is gone afterwards.
    ///
    /// # Errors
    /// See [`DeliveryError`].
    pub async fn acknowledge(&self, tx_id: &TxId) -> Result<(), DeliveryError> {
        let mut url = self.message(tx_id)?;
        url.set_query(Some("action=ack"));
        accepted(exchange(self.client.http.post(url), BODY_BYTES_MAX).await?)?;
        Ok(())
    }

    fn message(&self, tx_id: &TxId) -> Result<reqwest::Url, ExchangeError> {
        let url = format!("{}/{}", self.url, segment(tx_id.as_str()));
        reqwest::Url::parse(&url).map_err(|_| ExchangeError::Url)
    }
}

/// A text as one segment of a path: only what would end it is encoded, because existing nodes decode
/// nothing.
fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '/' => out.push_str("%2F"),
            '?' => out.push_str("%3F"),
            '#' => out.push_str("%23"),
            '%' => out.push_str("%25"),
            '\\' => out.push_str("%5C"),
            other => out.push(other),
        }
    }
    out
}

fn charset(content_type: &str) -> Option<&str> {
    let (_, charset) = content_type.split_once("charset=")?;
    let charset = charset.split(';').next()?;
    Some(charset.trim_matches([' ', '"']))
}

fn accepted(answer: HttpAnswer) -> Result<HttpAnswer, DeliveryError> {
    if answer.is_success() {
        return Ok(answer);
    }
    let reason = answer.refusal().info;
    Err(DeliveryError::Refused {
        status: answer.status,
        reason: reason.unwrap_or_else(|| "no reason given".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sent_plain_and_cannot_leave_their_segment() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let outbox = |address| {
            let address = Adress::parse(address).unwrap();
            Outbox::new(Client::new().unwrap(), "http://node/shs/ds/", &address).unwrap()
        };
        let url = "http://node/shs/ds/urn:X-shs:0000000002.ekonomi";
        let plain = outbox("0000000002.ekonomi");
        assert_eq!(plain.url.as_str(), url);
        let tx_id = TxId::parse("urn:a-1").unwrap();
        assert_eq!(
            plain.message(&tx_id).unwrap().as_str(),
            format!("{url}/urn:a-1")
        );
        let odd = outbox("0000000002.a/../b?c#d%2e");
        assert_eq!(
            odd.url.as_str(),
            "http://node/shs/ds/urn:X-shs:0000000002.a%2F..%2Fb%3Fc%23d%252e"
        );
    }

    #[test]
    fn the_charset_of_a_list_is_read_from_its_content_type() {
        assert_eq!(
            charset("application/xml; charset=ISO-8859-1"),
            Some("ISO-8859-1")
        );
        assert_eq!(
            charset("application/xml;charset=\"utf-8\"; x=y"),
            Some("utf-8")
        );
        assert_eq!(charset("application/xml"), None);
    }
}
