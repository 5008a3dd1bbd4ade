//! What carries sub-questions to an Uppgiftslämnare and answers back: one trait, two
//! implementations, one contract.
//!
//! The contract, which the suite in `tests/transport_contract.rs` holds both implementations to:
//!
//! * A [`Line`] belongs to one Uppgiftslämnare and to one dispatcher. Dropping it closes it.
//! * [`Line::send`] never waits and never blocks. What it takes is either answered, refused with
//!   [`LineEvent::Refused`], lost with [`LineEvent::Down`], or met with silence: the dispatcher's
//!   deadline covers the last.
//! * A question leaves at most once. A line never sends again by itself: every question is a
//!   disclosure that the authority logs (ssbtek-10, 5.3).
//! * [`LineEvent::Down`] means that everything outstanding on the line is lost. The line comes back
//!   by itself and says [`LineEvent::Up`]; reconnecting is the transport's affair.
//! * An [`Answer`] is passed on as it came. Whether somebody waits for its correlation id, whether
//!   it came twice or too late, is the dispatcher's to judge.
//! * Nothing is stored and nothing is queued beyond the bounds named here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use shs_schemas::{Fault, Sensitive, Uppgiftslamnare, WireError};
use tokio::sync::mpsc;
use uuid::Uuid;

use self::sealing::{KeyId, Seal};
use crate::room::{NoRoom, Room};

pub mod amqp;
pub mod in_process;
pub mod sealing;

/// Events that wait for one dispatcher. Answers beyond it are dropped and counted (an adapter that
/// floods harms its own line only); the few other events wait for their turn.
pub const LINE_EVENTS_MAX: usize = 4_096;

/// A boxed future, for traits that are used as objects.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Opens lines to Uppgiftslämnare.
pub trait Transport: Send + Sync + 'static {
    /// Opens the line to one Uppgiftslämnare and returns at once. What happens on it is told
    /// through `events`, first of all [`LineEvent::Up`].
    fn open(&self, ul: Uppgiftslamnare, events: LineEvents) -> Box<dyn Line>;

    /// Name for logs and metrics: `amqp`, `in-process`.
    fn name(&self) -> &'static str;

    /// What it has counted since it started; nothing when it counts nothing.
    fn counted(&self) -> Vec<Counted> {
        Vec::new()
    }
}

/// A monotonic counter of a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Name for metrics: lower case with underscores.
    pub name: &'static str,
    /// What is counted, in English.
    pub help: &'static str,
    /// How often so far.
    pub count: u64,
}

/// The way to one Uppgiftslämnare.
pub trait Line: Send + 'static {
    /// Takes one question to be sent.
    ///
    /// # Errors
    /// [`Refusal`] when the line can tell at once that it will not go.
    fn send(&self, question: Question) -> Result<(), Refusal>;
}

/// Which traffic a message belongs to: the label's `status`. Test questions go to queues of their
/// own (`test.AF` …).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Traffic {
    /// Real questions.
    Production,
    /// Test questions.
    Test,
}

impl Traffic {
    /// Both kinds, for tables.
    pub const ALL: [Self; 2] = [Self::Production, Self::Test];

    /// Place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Routing key of an Uppgiftslämnare for this traffic: its code, or `test.` and its code.
    #[must_use]
    pub fn routing_key(self, ul: Uppgiftslamnare) -> String {
        match self {
            Self::Production => ul.kod().to_owned(),
            Self::Test => format!("test.{}", ul.kod()),
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuestionKind {
    /// `fraga.v1`: a sub-question.
    Fraga,
    /// `ping.v1`: is the bastjänst there? Its body is empty.
    Ping,
}

/// One question on its way to an Uppgiftslämnare (design 5, "question message").
#[derive(Clone, Debug)]
pub struct Question {
    /// Identity of the sub-question; the answer repeats it.
    pub corr_id: Uuid,
    /// Production or test.
    pub traffic: Traffic,
    /// Sub-question or ping.
    pub kind: QuestionKind,
    /// A valid ssbt `hamtaBastjanstInformation`, or nothing in a ping.
    pub body: Sensitive<Bytes>,
    /// How long an answer is of use: the expiration of the message.
    pub expires_in: Duration,
    /// The same as a point in time, for the adapter.
    pub deadline: DateTime<Utc>,
    /// W3C trace context.
    pub traceparent: Arc<str>,
    /// How the body is sealed; `None`: it is in clear.
    pub seal: Option<Seal>,
}

/// One answer as it came from the line (design 5, "answer message").
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the adapter says it answers.
    pub corr_id: Uuid,
    /// What it says.
    pub content: AnswerContent,
}

/// The two forms of an answer.
#[derive(Clone, Debug)]
pub enum AnswerContent {
    /// `svar.v1`: the party's answer element, unread.
    Svar(Sensitive<Bytes>),
    /// `fel.v1`: the Bastjänst reports a failure; becomes an error with kalla BT.
    Fel {
        /// The authority's own code.
        felkod: String,
        /// Its texts, which may quote the question: never logged.
        felmeddelande: Sensitive<Vec<String>>,
    },
    /// `svar.v1` with a sealed body: [`sealing`] opens it, nobody else can.
    Sealed {
        /// The key that it is sealed to.
        key: KeyId,
        /// What is sealed.
        body: Bytes,
    },
    /// Neither: another `type`, properties that cannot be read, or a body beyond its bound.
    Unreadable(WireError),
}

impl AnswerContent {
    /// A message of a `type` that is not of the contract.
    #[must_use]
    pub const fn of_another_type() -> Self {
        Self::Unreadable(WireError::new("type", 0, Fault::Unexpected))
    }
}

/// Why a question did not go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No queue: the broker returned it (`SSBT-INGEN-KONTAKT`).
    Unroutable,
    /// The party's queue is full: the broker rejected it (`SSBT-OVERLAST`).
    QueueFull,
    /// The broker is away, blocks its publishers or does not take it in time
    /// (`SSBT-MEDDELANDESYSTEM`).
    Broker,
}

/// What happens on a line.
#[derive(Clone, Debug)]
pub enum LineEvent {
    /// The line takes questions.
    Up,
    /// The line is gone and all that was outstanding on it with it.
    Down,
    /// How many consumers stand at the party's queue for one kind of traffic.
    Consumers {
        /// Whose queue: production or test.
        traffic: Traffic,
        /// Consumers on it.
        count: u32,
    },
    /// A question that `send` took was refused after all.
    Refused {
        /// The question.
        corr_id: Uuid,
        /// Why.
        refusal: Refusal,
    },
    /// Somebody answered something.
    Answer(Answer),
    /// Somebody answered something that was dropped: all answers of the node together take the
    /// memory that they may (`SSBT-OVERLAST`).
    NoRoom {
        /// What was answered.
        corr_id: Uuid,
    },
}

/// The transport's end of a dispatcher's events.
#[derive(Clone, Debug)]
pub struct LineEvents {
    events: mpsc::Sender<LineEvent>,
    answers: Arc<Room>,
    opener: Option<sealing::Opener>,
}

impl LineEvents {
    /// A bounded channel of events ([`LINE_EVENTS_MAX`]): the end for the transport, and the one
    /// for the dispatcher. Answers take of the room `answers` from here until they are dropped.
    #[must_use]
    pub fn channel(answers: Arc<Room>) -> (Self, mpsc::Receiver<LineEvent>) {
        let (events, receiver) = mpsc::channel(LINE_EVENTS_MAX);
        let opener = None;
        let line_events = Self {
            events,
            answers,
            opener,
        };
        (line_events, receiver)
    }

    /// The same end, with answers opened on the way.
    fn opened_by(mut self, opener: sealing::Opener) -> Self {
        self.opener = Some(opener);
        self
    }

    /// Tells the dispatcher something, waiting until there is place for it.
    ///
    /// Returns false when the dispatcher is gone: the line should close.
    pub async fn tell(&self, event: LineEvent) -> bool {
        self.events.send(self.within_room(event)).await.is_ok()
    }

    /// Tells the dispatcher something without waiting. Returns false when it was dropped because
    /// [`LINE_EVENTS_MAX`] events wait already, or because the dispatcher is gone.
    pub fn tell_now(&self, event: LineEvent) -> bool {
        self.events.try_send(self.within_room(event)).is_ok()
    }

    /// The event, with the body of an answer counted in the room that all answers share.
    fn within_room(&self, event: LineEvent) -> LineEvent {
        let event = match (event, &self.opener) {
            (LineEvent::Answer(answer), Some(opener)) => LineEvent::Answer(opener.open(answer)),
            (event, _) => event,
        };
        match event {
            LineEvent::Answer(Answer {
                corr_id,
                content: AnswerContent::Svar(body),
            }) => match self.answers.hold(body.into_exposed()) {
                Ok(body) => LineEvent::Answer(Answer {
                    corr_id,
                    content: AnswerContent::Svar(Sensitive::new(body)),
                }),
                Err(NoRoom) => LineEvent::NoRoom { corr_id },
            },
            other => other,
        }
    }

    /// True when the dispatcher is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.events.is_closed()
    }
}

/// What stands on the other side of a queue: an authority's service, simulated or real.
///
/// One question may be met with no answer, one, or several: faults are part of the contract.
pub trait Bastjanst: Send + Sync + 'static {
    /// Answers one question. The future may take its time; it is dropped when the line closes.
    fn besvara(&self, question: Question) -> BoxFuture<Vec<Answer>>;
}
