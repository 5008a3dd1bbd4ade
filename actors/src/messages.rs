//! Every message between the actors.
//!
//! A message that somebody waits for carries a port, and a port that is dropped answers by itself:
//! a [`ReplyPort`] with an error reply, a [`SlotPort`] with `SSBT-INTERNT-FEL`. So no
//! crash leaves anybody waiting.

use std::sync::Arc;

use actix::Recipient;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use shs_schemas::Sensitive;
use shs_schemas::shs::{Message, Organisationsnummer};
use shs_schemas::ssbtek::SsbtFelkod;
use tokio::time::Instant;
use uuid::Uuid;

use crate::caller::Caller;
use crate::insamling::{Compiled, SlotId};
use crate::load::Admission;
use crate::observation::OpenGuard;
use crate::reply::ReplyPort;
use crate::transport::{AnswerContent, QuestionKind, Traffic};

/// HTTP → ingress: one received body.
pub struct Inkommande {
    /// The whole body, as it came.
    pub body: Sensitive<Bytes>,
    /// The door it came through.
    pub through: Through,
    /// Who sent it.
    pub caller: Caller,
    /// When the last byte of the body had been read: the request's clock starts here.
    pub received: Instant,
    /// W3C trace context of the caller.
    pub traceparent: Option<String>,
    /// Where the one outcome goes.
    pub port: ReplyPort,
}

/// The door that a body came through, and what its HTTP header says of it.
#[derive(Clone, Debug)]
pub enum Through {
    /// An SHS message.
    Shs {
        /// `Content-Type`, which may hold the boundary (shs-1.2, 2.13).
        content_type: Option<String>,
    },
    /// A SOAP call.
    Soap {
        /// The character set that it names.
        charset: Option<String>,
    },
}

/// Relay → ingress: an asynchronous question that has been accepted and checked, to be asked.
pub struct AcceptedQuestion {
    /// The message.
    pub message: Message,
    /// Its sender.
    pub sender: Organisationsnummer,
    /// Who brought it.
    pub caller: Caller,
    /// When its turn came: the question's clock starts here.
    pub received: Instant,
    /// Where the one outcome goes.
    pub port: ReplyPort,
}

/// Aggregator → dispatcher: one sub-question.
pub struct Delfraga {
    /// Identity of the sub-question on the wire.
    pub corr_id: Uuid,
    /// Production or test.
    pub traffic: Traffic,
    /// Sub-question or ping.
    pub kind: QuestionKind,
    /// A valid `hamtaBastjanstInformation` for this party alone; nothing in a ping.
    pub body: Sensitive<Bytes>,
    /// When the request stops waiting.
    pub deadline: Instant,
    /// The same on the wall clock, for the adapter.
    pub deadline_wall: DateTime<Utc>,
    /// W3C trace context of this sub-question.
    pub traceparent: Arc<str>,
    /// Where its one outcome goes.
    pub port: SlotPort,
}

/// Aggregator → dispatcher: nobody waits for these any more.
#[derive(Debug)]
pub struct Aterkallelse {
    /// The sub-questions.
    pub corr_ids: Vec<Uuid>,
    /// Why.
    pub because: Recalled,
}

/// Why sub-questions are recalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recalled {
    /// The request's deadline came: for the party this is a timeout.
    Deadline,
    /// The caller hung up: this says nothing about the party.
    CallerGone,
    /// The aggregator fell: neither does this.
    RequestLost,
}

/// Dispatcher → aggregator: what became of one sub-question.
#[derive(Debug, actix::Message)]
#[rtype(result = "()")]
pub struct SlotFilled {
    /// Which slot.
    pub slot: SlotId,
    /// What the party said, or why it said nothing.
    pub outcome: Result<AnswerContent, SsbtFelkod>,
}

/// Aggregator → egress: all slots have their outcome.
pub struct Sammanstall {
    /// Question, label and outcomes.
    pub compiled: Compiled,
    /// Keeps the request counted as open until the reply has left.
    pub admission: Admission,
    /// Keeps the request visible until then.
    pub visible: OpenGuard,
    /// Where the reply goes.
    pub port: ReplyPort,
}

/// Where the one outcome of a sub-question goes. Dropped unused, it answers
/// `SSBT-INTERNT-FEL`: the actor that held the question failed.
pub struct SlotPort {
    slot: SlotId,
    aggregator: Option<Recipient<SlotFilled>>,
}

impl SlotPort {
    /// A port into one slot of an aggregator.
    #[must_use]
    pub fn new(slot: SlotId, aggregator: Recipient<SlotFilled>) -> Self {
        Self {
            slot,
            aggregator: Some(aggregator),
        }
    }

    /// The party answered.
    pub fn answer(self, content: AnswerContent) {
        self.fill(Ok(content));
    }

    /// The party was not asked, or did not answer.
    pub fn fail(self, felkod: SsbtFelkod) {
        self.fill(Err(felkod));
    }

    fn fill(mut self, outcome: Result<AnswerContent, SsbtFelkod>) {
        self.send(outcome);
    }

    fn send(&mut self, outcome: Result<AnswerContent, SsbtFelkod>) {
        if let Some(aggregator) = self.aggregator.take() {
            // Nobody there: the request is over. Its mailbox has room for every slot.
            let _ = aggregator.try_send(SlotFilled {
                slot: self.slot,
                outcome,
            });
        }
    }
}

impl Drop for SlotPort {
    fn drop(&mut self) {
        self.send(Err(SsbtFelkod::InterntFel));
    }
}
