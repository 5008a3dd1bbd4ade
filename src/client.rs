//! The asking side: builds a question, sends it, reads the compiled answer. `samsvar ask`, the demo,
//! the load program and the tests use it as a verksamhetssystem would.

pub mod answer;
pub mod asynchronous;
pub mod delivery;
pub mod question;
pub mod sending;
pub mod soap;

#[cfg(test)]
pub(crate) mod canned;

use std::time::Duration;

use bytes::Bytes;
use shs_schemas::error_code::ErrorCode;
use shs_schemas::shs::management::{Management, Outcome};
use shs_schemas::shs::{Message, ReadError};
use shs_schemas::{WireError, mime, xml};

use self::answer::PersonAnswer;

/// Longest wait for an answer: above the limit for ten persons (ssbtek-10, 5.2).
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// Idle connections are kept for less than the node keeps them (design 8: 2 s). A question on one
/// that the node is just closing would be lost.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// Why there is no answer to show.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The node could not be reached, or the connection broke.
    #[error("no answer from the node: {0}")]
    Http(#[from] reqwest::Error),
    /// The node refused the message.
    #[error("the node refused the message ({status}, {code}): {info}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// SHS error code.
        code: ErrorCode,
        /// The node's text.
        info: String,
    },
    /// The reply is not an SHS message.
    #[error("the reply cannot be read: {0}")]
    Reply(#[from] ReadError),
    /// A part of the reply is not an SSBTEK response.
    #[error("part {part} of the reply cannot be read: {fault}")]
    Part {
        /// Which part, from 1.
        part: usize,
        /// What is wrong with it.
        fault: WireError,
    },
}

/// A reply, read.
pub struct Answered {
    /// The message as it came.
    pub raw: Bytes,
    /// The same, read.
    pub message: Message,
    /// One for each person asked about, in the order of the question.
    pub persons: Vec<PersonAnswer>,
}

/// An SHS client over HTTP.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
}

impl Client {
    /// A client that talks to the address it is given and to no other: a redirect or a proxy from the
    /// environment would be handed the message with the person in it.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new() -> Result<Self, AskError> {
        Self::from_builder(reqwest::Client::builder())
    }

    /// The same with certificates of its own: see [`crate::tls::client::from_files`].
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn with_tls(config: rustls::ClientConfig) -> Result<Self, AskError> {
        Self::from_builder(reqwest::Client::builder().tls_backend_preconfigured(config))
    }

    fn from_builder(builder: reqwest::ClientBuilder) -> Result<Self, AskError> {
        let builder = builder
            .timeout(ANSWER_TIME_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_idle_timeout(IDLE_MAX)
            .http1_only();
        Ok(Self {
            http: builder.build()?,
        })
    }

    /// Sends a message to a receive service and reads the reply.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn ask(&self, url: &str, message: Bytes) -> Result<Answered, AskError> {
        let request = self
            .http
            .post(url)
            .header("content-type", "message/rfc822")
            .body(message);
        let response = request.send().await?;
        let status = response.status();
        let code = response
            .headers()
            .get("x-shs-errorcode")
            .and_then(|code| code.to_str().ok());
        let code = code.map_or(ErrorCode::OtherError, ErrorCode::parse);
        let body = response.bytes().await?;
        if !status.is_success() {
            let info = refusal_text(&body);
            return Err(AskError::Refused {
                status: status.as_u16(),
                code,
                info,
            });
        }
        Answered::read(body)
    }
}

impl Answered {
    /// Reads a reply that has been received.
    ///
    /// # Errors
    /// When it is no SHS message, or a part of it is no SSBTEK response.
    pub fn read(raw: Bytes) -> Result<Self, AskError> {
        let message = Message::read(raw.clone(), None, &mime::Limits::default())?;
        let mut persons = Vec::with_capacity(message.parts.len());
        for (place, part) in message.parts.iter().enumerate() {
            let person = answer::read(part.data.expose(), &xml::Limits::default());
            persons.push(person.map_err(|fault| AskError::Part {
                part: place + 1,
                fault,
            })?);
        }
        Ok(Self {
            raw,
            message,
            persons,
        })
    }
}

/// The text of a refusal: of its management document, or nothing that can be shown.
fn refusal_text(body: &[u8]) -> String {
    let document = Management::read(body, None, &mime::Limits::default());
    match document.map(|document| document.outcome) {
        Ok(Outcome::Error {
            info: Some(info), ..
        }) => info.into_exposed(),
        _ => String::from("no reason given"),
    }
}
