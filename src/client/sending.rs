//! Sending any message to a receive service (shs-1.2, 5.2 to 5.5).

use std::time::Duration;

use bytes::Bytes;
use shs_schemas::error_code::ErrorCode;
use shs_schemas::shs::management::{Management, Outcome};
use shs_schemas::{Sensitive, mime, shs};

use super::Client;

/// Longest wait for an answer: what other nodes wait for one another (shs-1.2, 5.1).
pub const EXCHANGE_TIME_MAX: Duration = Duration::from_mins(5);

/// Longest answer that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The address cannot be used.
    #[error("not an address of a service (http://… or https://…)")]
    Url,
    /// The node could not be reached, or the connection broke.
    #[error("no answer from the node: {0}")]
    Http(#[from] reqwest::Error),
    /// The answer passes a bound.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// An answer as HTTP gives it.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// HTTP status.
    pub status: u16,
    /// Its headers: names in lower case, values as far as they are text.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Sensitive<Bytes>,
}

/// A node's refusal in words of SHS (shs-1.2, 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `X-shs-errorcode`, else the code in the body.
    pub code: ErrorCode,
    /// The node's text, which may hold anything.
    pub info: Option<String>,
}

impl HttpAnswer {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the status says success.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// What the node says about its refusal: in the header, in a management document, in an error
    /// message, or in plain text for people.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        let body = self.body.expose();
        let limits = mime::Limits::default();
        let management = Management::read(body, None, &limits).ok().or_else(|| {
            let message = shs::Message::read(body.clone(), None, &limits).ok()?;
            let part = message.parts.first()?;
            Management::read(part.data.expose(), part.content_type.charset(), &limits).ok()
        });
        let (in_body, info) = match management.map(|document| document.outcome) {
            Some(Outcome::Error { code, info, .. }) => {
                (Some(code), info.map(Sensitive::into_exposed))
            }
            _ => (None, self.plain_text()),
        };
        let in_header = self.header("x-shs-errorcode").map(ErrorCode::parse);
        Refusal {
            code: in_header.or(in_body).unwrap_or(ErrorCode::OtherError),
            info,
        }
    }

    fn plain_text(&self) -> Option<String> {
        let is_text = self.header("content-type")?.starts_with("text/plain");
        let text = str::from_utf8(self.body.expose())
            .ok()
            .filter(|_| is_text)?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }
}

impl Client {
    /// Sends a message to a receive service, and gives whatever comes back.
    ///
    /// # Errors
    /// See [`ExchangeError`]. A refusal is an answer.
    pub async fn send(&self, url: &str, message: Bytes) -> Result<HttpAnswer, ExchangeError> {
        let url = reqwest::Url::parse(url).map_err(|_| ExchangeError::Url)?;
        let request = self.http.post(url).header("content-type", "message/rfc822");
        exchange(request.body(message), BODY_BYTES_MAX).await
    }
}

/// One request, one answer of at most so many bytes.
pub(super) async fn exchange(
    request: reqwest::RequestBuilder,
    bytes_max: usize,
) -> Result<HttpAnswer, ExchangeError> {
    exchange_within(request, bytes_max, EXCHANGE_TIME_MAX).await
}

/// The same, within a time.
pub(super) async fn exchange_within(
    request: reqwest::RequestBuilder,
    bytes_max: usize,
    time_max: Duration,
) -> Result<HttpAnswer, ExchangeError> {
    let mut response = request.timeout(time_max).send().await?;
    let text = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = response.headers().iter().filter_map(text).collect();
    let status = response.status().as_u16();
    let mut body = bytes::BytesMut::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > bytes_max {
            return Err(ExchangeError::TooLarge(bytes_max));
        }
        body.extend_from_slice(&piece);
    }
    Ok(HttpAnswer {
        status,
        headers,
        body: Sensitive::new(body.freeze()),
    })
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use shs_schemas::shs::KnownIds;

    use super::*;

    fn answer(headers: &[(&str, &str)], body: impl Into<Bytes>) -> HttpAnswer {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        HttpAnswer {
            status: 400,
            headers: headers.iter().map(pair).collect(),
            body: Sensitive::new(body.into()),
        }
    }

    fn refusal(code: ErrorCode, info: Option<&str>) -> Refusal {
        Refusal {
            code,
            info: info.map(str::to_owned),
        }
    }

    #[test]
    fn a_refusal_is_read_from_header_document_or_plain_text() {
        let code = ("x-shs-errorcode", "missingagreement");
        let plain = ("content-type", "text/plain; charset=UTF-8");
        let document = Management::refusal(
            &KnownIds::default(),
            ErrorCode::UnknownReceiver,
            "Ingen sådan",
            Utc::now(),
        );
        let document = document.write();
        let cases = [
            (answer(&[], ""), refusal(ErrorCode::OtherError, None)),
            (answer(&[], "text"), refusal(ErrorCode::OtherError, None)),
            (
                answer(&[code, plain], " för sent\n"),
                refusal(ErrorCode::MissingAgreement, Some("för sent")),
            ),
            (
                answer(&[code], document.clone()),
                refusal(ErrorCode::MissingAgreement, Some("Ingen sådan")),
            ),
            (
                answer(&[], document),
                refusal(ErrorCode::UnknownReceiver, Some("Ingen sådan")),
            ),
        ];
        for (answer, expected) in cases {
            assert_eq!(answer.refusal(), expected);
        }
    }
}
