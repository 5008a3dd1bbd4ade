//! Examination of one message, in the order of shs-1.2, 7.2: what it asks of the node, or a
//! [`Rejection`] that says what is wrong and where. Pure: nobody is asked and nothing is noted here
//! . What only a directory can say is left open, and named.

mod etikett;
mod fragor;
mod soap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use shs_schemas::shs::label::SequenceType;
use shs_schemas::shs::{Message, Organisationsnummer};
use shs_schemas::{Fault, WireError};

use super::rules::Rules;
use crate::caller::Caller;
use crate::failure::{Failure, Rejection};

pub use fragor::{Asker, datum, fragor};
pub use soap::{ExaminedAnrop, examine_anrop};

/// Largest error message or confirmation, in bytes of its parts.
const ADMINISTRATIVE_BYTES_MAX: usize = 64 * 1024;

/// A message that may be handled.
#[derive(Debug)]
pub struct Examined {
    /// The message.
    pub message: Message,
    /// Its sender.
    pub sender: Organisationsnummer,
    /// What it asks of the node.
    pub route: Route,
    /// What only the directory can say.
    pub open: Open,
    /// Bytes that were received: parts may be slices of them, so all of them stay as long as one does.
    pub bytes_received: usize,
}

/// What a message asks of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To ask the authorities, while the caller waits.
    Fraga,
    /// To answer a connection test, while the caller waits.
    Ping,
    /// To pass it on to the receiver's node, while the caller waits.
    Relay,
    /// To take it over, and see to it later.
    Asynch,
}

/// What the configuration leaves open. Each is asked of the directory before the message is handled;
/// an asynchronous message leaves nothing open here, because its look-ups come after the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Whether the sender is an actor of SHS.
    pub sender: bool,
    /// Whether the receiver is.
    pub receiver: bool,
    /// Whether a public agreement permits the exchange.
    pub agreement: bool,
}

impl Open {
    /// True when the configuration has said everything.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// Reads a whole message of this caller, received at `now`, and checks its label.
///
/// # Errors
/// A [`Rejection`] with the first thing that is wrong.
pub fn examine(
    rules: &Rules,
    caller: &Caller,
    body: Bytes,
    http_content_type: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Examined, Rejection> {
    let bytes_received = body.len();
    let mut message = read(rules, body, http_content_type)?;
    let ids = message.label.known_ids();
    let reject = |failure| Rejection::new(failure, ids.clone());
    check_administrative(&message)?;
    let sender = etikett::sender(rules, caller, &mut message.label).map_err(reject)?;
    let routed = etikett::route(rules, caller, &message.label, &sender, now);
    let (route, open) = routed.map_err(|failure| Rejection {
        sender: Some(sender.clone()),
        ..reject(failure)
    })?;
    Ok(Examined {
        message,
        sender,
        route,
        open,
        bytes_received,
    })
}

/// Errors and confirmations need no agreement, so they are held to what they are: one small document.
fn check_administrative(message: &Message) -> Result<(), Rejection> {
    let administrative = message.label.sequence_type == SequenceType::Adm;
    if !administrative || message.bytes() <= ADMINISTRATIVE_BYTES_MAX {
        return Ok(());
    }
    let fault = Fault::Limit("ADMINISTRATIVE_BYTES_MAX", ADMINISTRATIVE_BYTES_MAX);
    let fault = WireError::new("shs.management", ADMINISTRATIVE_BYTES_MAX, fault);
    let ids = message.label.known_ids();
    Err(Rejection::at(Failure::Parts, ids, None, fault))
}

fn read(rules: &Rules, body: Bytes, http_content_type: Option<&str>) -> Result<Message, Rejection> {
    Message::read(body, http_content_type, &rules.message_limits).map_err(|error| {
        if error.without_parts == Some(rules.product) {
            return Rejection::new(Failure::PersonCount, error.known);
        }
        Rejection::at(
            Failure::Unreadable(error.code),
            error.known,
            None,
            error.fault,
        )
    })
}
