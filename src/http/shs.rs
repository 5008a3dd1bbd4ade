//! `POST /shs/rs`: the SHS receive service for synchronous messages (shs-1.2, 5.2, 5.4, 5.5).
//!
//! A body in, one outcome out: the reply message, or an error with `X-shs-errorcode` and a
//! `shs.management` document that says what is wrong and where and quotes nothing.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use chrono::Utc;
use samsvar_actors::failure::{Failure, Rejection, Source};
use samsvar_actors::ingress::Ingress;
use samsvar_actors::ingress::rules::PERSONS_MAX;
use samsvar_actors::mailbox::{Mailbox, Undelivered};
use samsvar_actors::messages::Inkommande;
use samsvar_actors::node::Node;
use samsvar_actors::reply::{Outcome, ReplyPort, Watchdog};
use samsvar_actors::room::Room;
use samsvar_actors::tally::Tally;
use shs_schemas::Sensitive;
use shs_schemas::error_code::ErrorCode;
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::shs::{KnownIds, Management};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::body::{self, BodyError, Bounds};
use super::caller;
use crate::settings::Settings;

/// Where messages are received.
pub const PATH: &str = "/shs/rs";

/// How long after the hard limit of the largest request the door still waits for an outcome before
/// it answers by itself and counts a defect.
const WATCHDOG: Duration = Duration::from_millis(500);

const MESSAGE: &str = "message/rfc822";
const MANAGEMENT: &str = "text/xml; charset=ISO-8859-1";

/// What the doors of all workers share.
pub struct Common {
    node_id: String,
    header_bytes_max: usize,
    body: Bounds,
    retry_after_s: u64,
    answer_time_max: Duration,
    tally: Arc<Tally>,
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
            tally: Arc::clone(node.tally()),
        }
    }
}

/// One worker's way in.
pub struct Door {
    ingress: Mailbox<Ingress>,
    common: Arc<Common>,
}

impl Door {
    /// A door before this ingress.
    #[must_use]
    pub fn new(ingress: Mailbox<Ingress>, common: Arc<Common>) -> Self {
        Self { ingress, common }
    }

    /// Gives the message to ingress and waits for its one outcome. The port is dropped with this
    /// future when the caller hangs up, which cancels the request.
    async fn ask(&self, body: Bytes, http: Http) -> Outcome {
        let received = Instant::now();
        let (port, outcome) = ReplyPort::new(Arc::clone(&self.common.tally), received);
        let watchdog = port.watchdog();
        let inkommande = Inkommande {
            body: Sensitive::new(body),
            http_content_type: http.content_type,
            received,
            traceparent: http.traceparent,
            port,
        };
        if let Err(undelivered) = self.ingress.deliver(inkommande) {
            let failure = match &undelivered {
                Undelivered::Full(_) => Failure::NodeOverload,
                Undelivered::Closed(_) => Failure::Draining,
            };
            reject(undelivered.into_message().port, failure);
        }
        self.wait(outcome, watchdog).await
    }

    async fn wait(&self, mut outcome: oneshot::Receiver<Outcome>, watchdog: Watchdog) -> Outcome {
        let in_time = tokio::time::timeout(self.common.answer_time_max, &mut outcome).await;
        let outcome = match in_time {
            Ok(outcome) => outcome,
            Err(_) if watchdog.end() => return rejected(Failure::Watchdog),
            // Ended in this very moment: it is about to be here.
            Err(_) => outcome.await,
        };
        outcome.unwrap_or_else(|_| rejected(Failure::ActorLost))
    }

    /// Refuses before anything is read, and counts it.
    fn refuse(&self, failure: Failure) -> Outcome {
        let (port, mut outcome) = ReplyPort::new(Arc::clone(&self.common.tally), Instant::now());
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

/// What is of use in the HTTP headers.
struct Http {
    content_type: Option<String>,
    traceparent: Option<String>,
}

impl Http {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        Self {
            content_type: text("content-type"),
            traceparent: text("traceparent"),
        }
    }
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

/// Receives one message and answers it.
pub async fn receive(request: HttpRequest, payload: Payload, door: Data<Door>) -> HttpResponse {
    let common = &door.common;
    let outcome = if request.method() != Method::POST {
        door.refuse(Failure::Method)
    } else if header_bytes(request.headers()) > common.header_bytes_max {
        door.refuse(Failure::HeadersTooLarge)
    } else if let Err(failure) = caller::of(&request) {
        door.refuse(failure)
    } else {
        let headers = request.headers();
        match body::read(headers, payload, &common.body).await {
            // `_held` counts the body's memory until the outcome is there.
            Ok((body, _held)) => door.ask(body, Http::of(headers)).await,
            Err(BodyError::NoRoom) => door.refuse(Failure::NodeOverload),
            Err(BodyError::TooLarge) => door.refuse(Failure::BodyTooLarge),
            Err(BodyError::Slow) => door.refuse(Failure::SlowSender),
            Err(BodyError::Broken) => {
                door.refuse(Failure::Unreadable(ErrorCode::IllegalMessageStructure))
            }
        }
    };
    match outcome {
        Outcome::Reply { body } => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, MESSAGE))
            .body(body.into_exposed()),
        Outcome::Rejected(rejection) => refusal(&rejection, common),
    }
}

/// The status of each kind of refusal (shs-1.2, 5.5).
fn status(failure: Failure) -> StatusCode {
    match failure.row().source {
        Source::Caller if failure == Failure::Method => StatusCode::METHOD_NOT_ALLOWED,
        Source::Caller => StatusCode::BAD_REQUEST,
        Source::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Source::Load => StatusCode::SERVICE_UNAVAILABLE,
        Source::Us => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An error answer (shs-1.2, 6.2).
fn refusal(rejection: &Rejection, common: &Common) -> HttpResponse {
    let row = rejection.failure.row();
    let mut response = HttpResponse::build(status(rejection.failure));
    response
        .insert_header((CONTENT_TYPE, MANAGEMENT))
        .insert_header(("X-shs-errorcode", row.code.as_str()))
        .insert_header(("X-shs-nodeid", common.node_id.as_str()));
    let ids = &rejection.ids;
    let known = [
        ("X-shs-txid", ids.tx_id.as_ref().map(TxId::as_str)),
        ("X-shs-corrid", ids.corr_id.as_ref().map(CorrId::as_str)),
        (
            "X-shs-contentid",
            ids.content_id.as_ref().map(ContentId::as_str),
        ),
    ];
    for (name, id) in known {
        if let Some(id) = id {
            response.insert_header((name, id));
        }
    }
    match row.source {
        Source::Load => {
            response.insert_header((RETRY_AFTER, common.retry_after_s.to_string()));
        }
        Source::Caller if rejection.failure == Failure::Method => {
            response.insert_header((ALLOW, "POST"));
        }
        _ => {}
    }
    let text = rejection.to_string();
    response.body(Management::refusal(ids, row.code, &text, Utc::now()).write())
}
