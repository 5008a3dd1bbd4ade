//! [`ReplyPort`]: where the one outcome of a request goes, whoever holds the request.
//!
//! It travels with the request from HTTP through ingress and aggregator to egress. It opens and
//! closes the request in the log, counts its outcome, and if it is dropped, because the actor that
//! held it fell, it answers with an error. So between accept and end there is exactly one outcome
//! and never a hanging caller.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use shs_schemas::ids::LocalId;
use shs_schemas::shs::{KnownIds, Label, Organisationsnummer};
use shs_schemas::ssbtek::{Kontrakt, Operation};
use shs_schemas::{Sensitive, WireError};
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

use crate::avvisat::{Ankomst, Avvisade};
use crate::failure::{Anropsplats, Failure, Rejection, Source};
use crate::ledger::Journal;
use crate::tally::{OutcomeClass, Tally};

/// What the caller gets.
#[derive(Debug)]
pub enum Outcome {
    /// The reply.
    Reply(Reply),
    /// An asynchronous message was taken over, or had been before.
    Accepted(Box<Receipt>),
    /// An error.
    Rejected(Box<Rejection>),
}

/// What answers a question: a complete SHS message, or a SOAP envelope.
#[derive(Debug)]
pub struct Reply {
    /// Its bytes.
    pub body: Sensitive<Bytes>,
    /// Its label, when it is asynchronous and has a way of its own.
    pub label: Option<Box<Label>>,
    /// Whether no party was failed by us or by silence.
    pub complete: bool,
}

/// What is told to the sender of an asynchronous message (shs-1.2, 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its identifiers.
    pub ids: KnownIds,
    /// This node's own key of the message; absent for a duplicate.
    pub local_id: Option<LocalId>,
    /// When it arrived; for a duplicate, when the first copy did.
    pub arrived: DateTime<Utc>,
}

impl Receipt {
    /// True when the message had been taken over before.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.local_id.is_none()
    }
}

/// The books of one request: whoever ends it first closes them, and nobody after.
#[derive(Debug)]
struct Account {
    tally: Arc<Tally>,
    received: Instant,
    request_id: Uuid,
    ended: AtomicBool,
    passed_on: AtomicBool,
    answered: AtomicBool,
    journal: OnceLock<Journal>,
    arrival: OnceLock<(Avvisade, Ankomst)>,
}

impl Account {
    /// Leave to end the request; given once.
    fn claim(&self) -> bool {
        !self.ended.swap(true, Ordering::AcqRel)
    }

    /// Notes a refusal, unless the page of the request has its end.
    fn note_refused(&self, refused: &Refused) {
        if self.journal.get().is_some_and(Journal::is_whole) {
            return;
        }
        if let Some((avvisade, ankomst)) = self.arrival.get() {
            let Refused {
                failure,
                ids,
                sender,
            } = refused;
            avvisade.note(self.request_id, ankomst, *failure, ids, sender.as_ref());
        }
    }

    /// Counts, logs and notes the one outcome, with the size of its reply. Only for who has claimed it.
    fn close(&self, class: OutcomeClass, why: Option<Why>, bytes: u64) {
        let took = self.received.elapsed();
        self.tally.count_outcome(class, took);
        let answered = matches!(class, OutcomeClass::Answered | OutcomeClass::Partial);
        self.answered.store(answered, Ordering::Release);
        if let Some(journal) = self.journal.get() {
            journal.end(class, why.map(|why| why.failure), bytes, took);
        }
        let elapsed_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let failure = why.map(|why| why.failure);
        let fault = why.and_then(|why| why.fault);
        tracing::info!(
            request_id = %self.request_id,
            outcome = class.as_str(),
            error_code = failure.map(|failure| failure.row().code.as_str()),
            felkod = failure.map(|failure| failure.felkod().kod()),
            reason = failure.map(Failure::class),
            part = why.and_then(|why| why.part),
            element = fault.map(|fault| fault.element),
            position = fault.map(|fault| fault.offset),
            elapsed_ms,
            "request closed"
        );
    }
}

/// Whoever holds content of the request holds its account: with the last of them it is gone.
impl Drop for Account {
    fn drop(&mut self) {
        if let Some(journal) = self.journal.get() {
            journal.gallrat(*self.answered.get_mut(), self.received.elapsed());
        }
    }
}

/// The bytes of a reply, which hold the account of their request until the last of them is dropped.
struct Held {
    bytes: Bytes,
    _account: Arc<Account>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What the ledger gets to know of a refused call.
struct Refused {
    failure: Failure,
    ids: KnownIds,
    /// Who sent it, if that was proven.
    sender: Option<Organisationsnummer>,
}

/// Why a request ended in an error, and where that was found: what a log may say of it.
#[derive(Clone, Copy, Debug)]
struct Why {
    failure: Failure,
    part: Option<usize>,
    fault: Option<WireError>,
}

impl Why {
    fn of(rejection: &Rejection) -> Self {
        Self {
            failure: rejection.failure,
            part: rejection.part,
            fault: rejection.fault,
        }
    }
}

impl From<Failure> for Why {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            part: None,
            fault: None,
        }
    }
}

/// Ends a request from outside when whoever holds its port does not.
#[derive(Debug)]
pub struct Watchdog(Arc<Account>);

impl Watchdog {
    /// Whether the message was passed on to another node, whose clock is not that of our questions.
    #[must_use]
    pub fn is_passed_on(&self) -> bool {
        self.0.passed_on.load(Ordering::Acquire)
    }

    /// The request is open after its hard limit: it ends here, as a failure of ours, and whatever
    /// its port says later is dropped. False when it has ended, and its outcome is on the way.
    #[must_use]
    pub fn end(self) -> bool {
        if !self.0.claim() {
            return false;
        }
        self.0.tally.count_watchdog();
        tracing::error!(
            request_id = %self.0.request_id,
            "a request was open after its hard limit: this is a defect"
        );
        let why = Why::from(Failure::Watchdog);
        self.0.close(OutcomeClass::Failed, Some(why), 0);
        self.0.note_refused(&Refused {
            failure: Failure::Watchdog,
            ids: KnownIds::default(),
            sender: None,
        });
        true
    }
}

/// The way back to the caller.
#[derive(Debug)]
pub struct ReplyPort {
    answer: Option<oneshot::Sender<Outcome>>,
    account: Arc<Account>,
    ids: KnownIds,
    anrop: Anropsplats,
    /// Who sent it, once that is proven.
    sender: Option<Organisationsnummer>,
    /// Set once the request was admitted: from there on an error is a failure, not a refusal.
    admitted: bool,
}

impl ReplyPort {
    /// A port, and the end that the caller's side waits at.
    #[must_use]
    pub fn new(tally: Arc<Tally>, received: Instant) -> (Self, oneshot::Receiver<Outcome>) {
        Self::of(Uuid::new_v4(), tally, received)
    }

    /// The same for a request that has a name of ours already: that of the message it came as.
    #[must_use]
    pub fn of(
        request_id: Uuid,
        tally: Arc<Tally>,
        received: Instant,
    ) -> (Self, oneshot::Receiver<Outcome>) {
        let (answer, outcome) = oneshot::channel();
        tally.count_received();
        let port = Self {
            answer: Some(answer),
            account: Arc::new(Account {
                tally,
                received,
                request_id,
                ended: AtomicBool::new(false),
                passed_on: AtomicBool::new(false),
                answered: AtomicBool::new(false),
                journal: OnceLock::new(),
                arrival: OnceLock::new(),
            }),
            ids: KnownIds::default(),
            anrop: Anropsplats::default(),
            sender: None,
            admitted: false,
        };
        (port, outcome)
    }

    /// Our own name for the request: the one that stands in every log line.
    #[must_use]
    pub fn request_id(&self) -> Uuid {
        self.account.request_id
    }

    /// The means to end this request when its port does not.
    #[must_use]
    pub fn watchdog(&self) -> Watchdog {
        Watchdog(Arc::clone(&self.account))
    }

    /// A refusal of this request is noted there.
    pub fn came(&self, avvisade: Avvisade, ankomst: Ankomst) {
        // Once for each request: it comes through one door.
        let _ = self.account.arrival.set((avvisade, ankomst));
    }

    /// Notes who sent it, which has been proven.
    pub fn is_from(&mut self, sender: Organisationsnummer) {
        self.sender = Some(sender);
    }

    /// Notes which operation is called, so that a fault can say it whatever comes.
    pub fn calls(&mut self, anrop: Anropsplats) {
        self.anrop = anrop;
    }

    /// Notes that the request was admitted, and opens it in the log.
    pub fn admit(&mut self, ids: KnownIds, persons: usize, slots: usize) {
        tracing::info!(
            request_id = %self.request_id(),
            tx_id = ids.tx_id.as_ref().and_then(|id| loggable(id.as_str())),
            corr_id = ids.corr_id.as_ref().and_then(|id| loggable(id.as_str())),
            operation = self.anrop.operation.map(Operation::element),
            kontrakt = self.anrop.kontrakt.map(Kontrakt::version),
            persons,
            slots,
            "request opened"
        );
        self.ids = ids;
        self.admitted = true;
    }

    /// Notes that the message is passed on to another node, which has a clock of its own, and opens
    /// the request in the log.
    pub fn relay(&mut self, ids: KnownIds) {
        self.account.passed_on.store(true, Ordering::Release);
        self.admit(ids, 0, 0);
    }

    /// From now on what becomes of the request is noted here, to its one end.
    pub fn keep(&self, journal: Journal) {
        // Once for each request: a second one would be about the same.
        let _ = self.account.journal.set(journal);
    }

    /// Where what becomes of the request is noted.
    #[must_use]
    pub fn journal(&self) -> Option<&Journal> {
        self.account.journal.get()
    }

    /// Sends the reply.
    pub fn reply(mut self, mut reply: Reply) {
        if self.journal().is_some_and(Journal::is_whole) {
            let held = Held {
                bytes: reply.body.into_exposed(),
                _account: Arc::clone(&self.account),
            };
            reply.body = Sensitive::new(Bytes::from_owner(held));
        }
        let class = if reply.complete {
            OutcomeClass::Answered
        } else {
            OutcomeClass::Partial
        };
        self.end(Outcome::Reply(reply), class, None);
    }

    /// Tells the sender of an asynchronous message that it has been taken over.
    pub fn accept(mut self, receipt: Receipt) {
        self.end(
            Outcome::Accepted(Box::new(receipt)),
            OutcomeClass::Accepted,
            None,
        );
    }

    /// Refuses with this reason.
    pub fn reject(mut self, rejection: Rejection) {
        self.end_with(rejection);
    }

    /// Ends a request whose caller hung up. Nothing is sent.
    pub fn caller_gone(mut self) {
        self.answer = None;
        if self.account.claim() {
            self.account.close(OutcomeClass::CallerGone, None, 0);
        }
    }

    /// True when the caller has hung up.
    #[must_use]
    pub fn is_caller_gone(&self) -> bool {
        self.answer.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    /// Ready when the caller hung up.
    pub fn poll_caller_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.answer {
            Some(answer) => answer.poll_closed(cx),
            None => Poll::Ready(()),
        }
    }

    fn end_with(&mut self, mut rejection: Rejection) {
        if rejection.ids == KnownIds::default() {
            rejection.ids = std::mem::take(&mut self.ids);
        }
        rejection.anrop = rejection.anrop.or(self.anrop);
        let failure = rejection.failure;
        let refused = !self.admitted && failure.row().source != Source::Us;
        let class = if refused {
            OutcomeClass::Refused
        } else {
            OutcomeClass::Failed
        };
        let why = Why::of(&rejection);
        let refused = Refused {
            failure,
            ids: rejection.ids.clone(),
            sender: rejection.sender.clone().or_else(|| self.sender.take()),
        };
        if self.end(Outcome::Rejected(Box::new(rejection)), class, Some(why)) {
            self.account.note_refused(&refused);
        }
    }

    /// Sends the one outcome. False when there has been one before.
    fn end(&mut self, outcome: Outcome, class: OutcomeClass, why: Option<Why>) -> bool {
        let Some(answer) = self.answer.take() else {
            return false;
        };
        if !self.account.claim() {
            return false;
        }
        let bytes = match &outcome {
            Outcome::Reply(reply) => reply.body.expose().len() as u64,
            Outcome::Accepted(_) | Outcome::Rejected(_) => 0,
        };
        match answer.send(outcome) {
            Ok(()) => self.account.close(class, why, bytes),
            Err(_) => self.account.close(OutcomeClass::CallerGone, why, 0),
        }
        true
    }
}

/// An identifier of the caller's that may stand in a log: a UUID. Any other is free text to us, and
/// some would number their conversations by identity number.
#[must_use]
pub fn loggable(id: &str) -> Option<&str> {
    let uuid = id.len() == uuid::fmt::Hyphenated::LENGTH && Uuid::try_parse(id).is_ok();
    uuid.then_some(id)
}

impl Drop for ReplyPort {
    fn drop(&mut self) {
        if self.answer.is_some() {
            self.end_with(Rejection::new(Failure::ActorLost, KnownIds::default()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port() -> (Arc<Tally>, ReplyPort, oneshot::Receiver<Outcome>) {
        let tally = Tally::new();
        let (port, receiver) = ReplyPort::new(Arc::clone(&tally), Instant::now());
        (tally, port, receiver)
    }

    fn empty() -> Reply {
        Reply {
            body: Sensitive::new(Bytes::new()),
            label: None,
            complete: true,
        }
    }

    #[test]
    fn a_dropped_port_answers_with_an_error_and_counts_one_outcome() {
        let (tally, mut port, mut receiver) = port();
        port.admit(KnownIds::default(), 1, 8);
        drop(port);
        let Ok(Outcome::Rejected(rejection)) = receiver.try_recv() else {
            panic!("an error")
        };
        assert_eq!(rejection.failure, Failure::ActorLost);
        assert_eq!(tally.outcome(OutcomeClass::Failed), 1);
    }

    #[test]
    fn a_reply_to_a_caller_that_hung_up_counts_as_caller_gone_only() {
        let (tally, port, receiver) = port();
        drop(receiver);
        port.reply(empty());
        let counts = OutcomeClass::ALL.map(|class| tally.outcome(class));
        assert_eq!(counts, [0, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn what_is_open_after_its_hard_limit_ends_once_as_a_failure() {
        let (tally, mut port, receiver) = port();
        port.admit(KnownIds::default(), 1, 8);
        assert!(port.watchdog().end());
        drop(receiver);
        port.reply(empty());
        assert_eq!(
            (tally.watchdog(), tally.outcome(OutcomeClass::Failed)),
            (1, 1)
        );
        let all = OutcomeClass::ALL.map(|class| tally.outcome(class));
        assert_eq!(all.iter().sum::<u64>(), 1, "exactly one outcome");
    }

    #[test]
    fn the_watchdog_of_a_request_that_has_ended_does_nothing() {
        let (tally, port, mut receiver) = port();
        let watchdog = port.watchdog();
        port.reply(empty());
        assert!(!watchdog.end());
        assert!(matches!(receiver.try_recv(), Ok(Outcome::Reply { .. })));
        assert_eq!(
            (tally.watchdog(), tally.outcome(OutcomeClass::Failed)),
            (0, 0)
        );
        assert_eq!(tally.outcome(OutcomeClass::Answered), 1);
    }

    #[test]
    fn only_a_uuid_of_the_callers_is_logged() {
        let uuid = "8c1b6f0e-3a55-4c3e-9a41-0d6a4a1f0b11";
        assert_eq!(loggable(uuid), Some(uuid));
        for id in ["199503142383", "arende-199503142383", "unknown", ""] {
            assert_eq!(loggable(id), None);
        }
        assert_eq!(loggable("19950314238300000000000000000000"), None);
    }

    #[test]
    fn a_refusal_is_not_a_failure() {
        let (tally, port, _receiver) = port();
        port.reject(Rejection::new(Failure::NoAgreement, KnownIds::default()));
        assert_eq!(tally.outcome(OutcomeClass::Refused), 1);
        assert_eq!(tally.outcome(OutcomeClass::Failed), 0);
    }
}
