//! Asking asynchronously: the question is sent, and its reply fetched from the delivery service, to
//! which it comes as a message of its own (shs-1.2, 5.3, 5.7, 7.9).

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use shs_schemas::error_code::ErrorCode;
use shs_schemas::ids::TxId;
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::management::Outcome;
use shs_schemas::shs::{Label, Management, Message, ReadError};
use shs_schemas::{Sensitive, mime};
use tokio::time::Instant;

use super::delivery::{DeliveryError, Outbox};
use super::sending::{BODY_BYTES_MAX, ExchangeError, HttpAnswer};
use super::{AskError, Client};

/// First wait before the delivery service is asked again; it doubles.
pub const POLL_FIRST: Duration = Duration::from_millis(100);

/// Longest wait before it is asked again.
pub const POLL_LONGEST: Duration = Duration::from_secs(2);

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum LaterError {
    /// The receive service gave no answer.
    #[error(transparent)]
    Sending(#[from] ExchangeError),
    /// The receive service refused the message, or its answer makes no sense.
    #[error(transparent)]
    Refused(#[from] AskError),
    /// The delivery service did not give what it listed.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// A message in the outbox cannot be read.
    #[error("message {tx_id} in the outbox cannot be read: {fault}")]
    Unreadable {
        /// Which; it is not acknowledged.
        tx_id: TxId,
        /// What is wrong with it.
        fault: ReadError,
    },
    /// Nothing came in time.
    #[error("no reply within {} s; it may come later: its corr.id is {corr_id}", waited.as_secs())]
    NotInTime {
        /// How long was waited.
        waited: Duration,
        /// What a later reply has in its label.
        corr_id: String,
    },
}

/// What came back about a message.
#[derive(Debug)]
pub struct Came {
    /// What the outbox calls it: acknowledge it with this once it has been taken care of.
    pub tx_id: TxId,
    /// What it is.
    pub what: What,
}

/// A reply, or why there is none.
#[derive(Debug)]
pub enum What {
    /// The reply, as it came.
    Reply(Sensitive<Bytes>),
    /// An error message.
    Error {
        /// Its code.
        code: ErrorCode,
        /// Its text, which may hold anything.
        info: Option<Sensitive<String>>,
    },
}

impl Client {
    /// Sends a message that is answered later.
    ///
    /// # Errors
    /// When there is no answer, or it is not one of success: see [`LaterError`].
    pub async fn send_asynch(&self, url: &str, message: Bytes) -> Result<HttpAnswer, LaterError> {
        let answer = self.send(url, message).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        let refusal = answer.refusal();
        let info = refusal.info;
        Err(LaterError::Refused(AskError::Refused {
            status: answer.status,
            code: refusal.code,
            info: info.unwrap_or_else(|| "no reason given".to_owned()),
        }))
    }
}

impl Outbox {
    /// Waits until the reply to a message, or an error message about it, is there. Confirmations of
    /// the message are acknowledged and passed over, anything else is left where it is.
    ///
    /// # Errors
    /// See [`LaterError`].
    pub async fn wait_for(&self, about: &Label, longest: Duration) -> Result<Came, LaterError> {
        let until = Instant::now() + longest;
        let mut pause = POLL_FIRST;
        let mut seen = HashSet::new();
        loop {
            if let Some(came) = self.look_for(about, &mut seen).await? {
                return Ok(came);
            }
            if Instant::now() + pause > until {
                return Err(LaterError::NotInTime {
                    waited: longest,
                    corr_id: about.corr_id.to_string(),
                });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(POLL_LONGEST);
        }
    }

    /// Looks once at what is new.
    async fn look_for(
        &self,
        about: &Label,
        seen: &mut HashSet<TxId>,
    ) -> Result<Option<Came>, LaterError> {
        let parameters = [
            ("filter", "noack"),
            ("status", about.status.as_str()),
            ("corrid", about.corr_id.as_str()),
        ];
        let list = self.list(&parameters).await?;
        for tx_id in list.messages.into_iter().map(|listed| listed.tx_id) {
            if !seen.insert(tx_id.clone()) {
                continue;
            }
            let bytes = match self.fetch(&tx_id).await {
                // Somebody else was faster.
                Err(error) if error.is_not_there() => continue,
                fetched => fetched?,
            };
            match read(about, &tx_id, bytes)? {
                Read::Wanted(what) => return Ok(Some(Came { tx_id, what })),
                Read::Confirmation => self.acknowledge(&tx_id).await?,
                Read::Other => {}
            }
        }
        Ok(None)
    }
}

/// What a message in the outbox is to who waits for a reply.
enum Read {
    Wanted(What),
    Confirmation,
    Other,
}

fn read(about: &Label, tx_id: &TxId, bytes: Sensitive<Bytes>) -> Result<Read, LaterError> {
    let limits = mime::Limits {
        body_bytes_max: BODY_BYTES_MAX,
        ..mime::Limits::default()
    };
    let unreadable = |fault| LaterError::Unreadable {
        tx_id: tx_id.clone(),
        fault,
    };
    let message = Message::read(bytes.expose().clone(), None, &limits).map_err(unreadable)?;
    let label = &message.label;
    match label.sequence_type {
        SequenceType::Reply if label.corr_id == about.corr_id => {
            Ok(Read::Wanted(What::Reply(bytes)))
        }
        SequenceType::Adm => Ok(administrative(about, &message, &limits)),
        _ => Ok(Read::Other),
    }
}

/// An error or confirmation; what it is about stands in its document, not in its label (7.8).
fn administrative(about: &Label, message: &Message, limits: &mime::Limits) -> Read {
    let Some(Ok(document)) = Management::of(message, limits) else {
        return Read::Other;
    };
    if document.corr_id != about.corr_id || document.content_id != about.content.id {
        return Read::Other;
    }
    match document.outcome {
        Outcome::Confirmation => Read::Confirmation,
        Outcome::Error { code, info, .. } => Read::Wanted(What::Error { code, info }),
    }
}
