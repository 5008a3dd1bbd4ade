//! What the SHS door and the SOAP door share: a body in under its bounds, one outcome out.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::web::Payload;
use bytes::Bytes;
use samsvar_actors::avvisat::{Ankomst, Avvisade};
use samsvar_actors::caller::Caller;
use samsvar_actors::failure::{Failure, Rejection};
use samsvar_actors::ingress::Ingress;
use samsvar_actors::ingress::rules::PERSONS_MAX;
use samsvar_actors::ledger::event::Dorr;
use samsvar_actors::mailbox::{Mailbox, Undelivered};
use samsvar_actors::messages::Inkommande;
use samsvar_actors::node::Node;
use samsvar_actors::reply::{Outcome, ReplyPort, Watchdog};
use samsvar_actors::room::Room;
use samsvar_actors::tally::Tally;
use shs_schemas::Sensitive;
use shs_schemas::error_code::ErrorCode;
use shs_schemas::shs::KnownIds;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::body::{self, BodyError, Bounds};
use super::{caller, head};
use crate::settings::Settings;

/// How long after the hard limit of the largest request the door still waits for an outcome before
/// it answers by itself and counts a defect.
const WATCHDOG: Duration = Duration::from_millis(500);

/// What the doors of all workers share.
pub struct Common {
    /// The node's name, for headers.
    pub(super) node_id: String,
    /// What a refused caller is told to wait.
    pub(super) retry_after_s: u64,
    header_bytes_max: usize,
    body: Bounds,
    answer_time_max: Duration,
    next_node_time_max: Duration,
    tally: Arc<Tally>,
    avvisade: Avvisade,
}

impl Common {
    /// What the settings say.
    #[must_use]
    pub fn new(node: &Node, bodies: Arc<Room>, settings: &Settings) -> Self {
        let longest = node.deadlines().settings.limit_for(PERSONS_MAX);
        Self {
            node_id: settings.node.node_id.clone(),
            header_bytes_max: settings.listener.header_limit(),
            body: Bounds {
                bytes_max: settings.listener.body_limit(),
                time_max: settings.listener.body_timeout(),
                room: bodies,
            },
            retry_after_s: settings.load.retry_after_s,
            answer_time_max: longest + WATCHDOG,
            next_node_time_max: settings.next_node.time_max() + WATCHDOG,
            tally: Arc::clone(node.tally()),
            avvisade: node.avvisade().clone(),
        }
    }
}

/// One worker's way in.
pub struct Door {
    ingress: Mailbox<Ingress>,
    pub(super) common: Arc<Common>,
}

/// What came in, for ingress.
pub(super) struct Received {
    pub(super) body: Sensitive<Bytes>,
    /// The HTTP header `Content-Type`.
    pub(super) content_type: Option<String>,
    /// W3C trace context.
    pub(super) traceparent: Option<String>,
    pub(super) caller: Caller,
    /// When the last byte of the body had been read.
    pub(super) at: Instant,
    pub(super) port: ReplyPort,
}

impl Door {
    /// A door before this ingress.
    #[must_use]
    pub fn new(ingress: Mailbox<Ingress>, common: Arc<Common>) -> Self {
        Self { ingress, common }
    }

    /// Reads the request's body, has ingress handle it as `message`, and waits for its one outcome. The
    /// port is dropped with this future when the caller hangs up, which cancels the request.
    pub(super) async fn handle(
        &self,
        request: &HttpRequest,
        payload: Payload,
        door: Dorr,
        message: fn(Received) -> Inkommande,
    ) -> Outcome {
        let common = &self.common;
        let mut ankomst = Ankomst {
            door,
            caller: None,
            bytes: None,
        };
        let caller = match admitted(request, common) {
            Ok(caller) => caller,
            Err(failure) => return self.refuse(failure, ankomst),
        };
        ankomst.caller = Some(caller.clone());
        let head = head::of(request);
        let headers = &head.headers;
        // `_held` counts the body's memory until the outcome is there.
        let (body, _held) = match body::read(headers, payload, &common.body).await {
            Ok(read) => read,
            Err(error) => return self.refuse(error.into(), ankomst),
        };
        // A body may take its time, in which a certificate can be revoked: it is asked again.
        if let Err(failure) = caller::of(request) {
            return self.refuse(failure, ankomst);
        }
        ankomst.bytes = Some(body.len() as u64);
        let at = Instant::now();
        let (reply_port, outcome) = ReplyPort::new(Arc::clone(&common.tally), at);
        reply_port.came(common.avvisade.clone(), ankomst);
        let watchdog = reply_port.watchdog();
        let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let received = Received {
            body: Sensitive::new(body),
            content_type: text("content-type"),
            traceparent: text("traceparent"),
            caller,
            at,
            port: reply_port,
        };
        if let Err(undelivered) = self.ingress.deliver(message(received)) {
            let failure = match &undelivered {
                Undelivered::Full(_) => Failure::NodeOverload,
                Undelivered::Closed(_) => Failure::Draining,
            };
            reject(undelivered.into_message().port, failure);
        }
        self.wait(outcome, watchdog).await
    }

    async fn wait(&self, mut outcome: oneshot::Receiver<Outcome>, watchdog: Watchdog) -> Outcome {
        let mut in_time = tokio::time::timeout(self.common.answer_time_max, &mut outcome).await;
        if in_time.is_err() && watchdog.is_passed_on() {
            // It waits for another node, which has a longer time.
            let more = self.common.next_node_time_max;
            in_time = tokio::time::timeout(more, &mut outcome).await;
        }
        let outcome = match in_time {
            Ok(outcome) => outcome,
            Err(_) if watchdog.end() => return rejected(Failure::Watchdog),
            // Ended in this very moment: it is about to be here.
            Err(_) => outcome.await,
        };
        outcome.unwrap_or_else(|_| rejected(Failure::ActorLost))
    }

    /// Refuses before anything is read, counts and notes it.
    fn refuse(&self, failure: Failure, ankomst: Ankomst) -> Outcome {
        let (port, mut outcome) = ReplyPort::new(Arc::clone(&self.common.tally), Instant::now());
        port.came(self.common.avvisade.clone(), ankomst);
        reject(port, failure);
        outcome.try_recv().unwrap_or_else(|_| rejected(failure))
    }
}

fn reject(port: ReplyPort, failure: Failure) {
    port.reject(Rejection::new(failure, KnownIds::default()));
}

fn rejected(failure: Failure) -> Outcome {
    Outcome::Rejected(Box::new(Rejection::new(failure, KnownIds::default())))
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

/// What is decided before the body is read: who calls.
fn admitted(request: &HttpRequest, common: &Common) -> Result<Caller, Failure> {
    if request.method() != Method::POST {
        return Err(Failure::Method);
    }
    if header_bytes(&head::of(request).headers) > common.header_bytes_max {
        return Err(Failure::HeadersTooLarge);
    }
    caller::of(request)
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::NoRoom => Self::NodeOverload,
            BodyError::TooLarge => Self::BodyTooLarge,
            BodyError::Slow => Self::SlowSender,
            BodyError::Broken => Self::Unreadable(ErrorCode::IllegalMessageStructure),
        }
    }
}
