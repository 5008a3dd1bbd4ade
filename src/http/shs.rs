//! `POST /shs/rs`: the SHS receive service (shs-1.2, 5.2 to 5.5).
//!
//! A body in, one outcome out: the reply message; for an asynchronous message 202 and its tx.id; or an
//! error with `X-shs-errorcode` and a `shs.management` document that says what is wrong and where and
//! quotes nothing.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use chrono::Utc;
use samsvar_actors::caller::Caller;
use samsvar_actors::failure::{Failure, Rejection, Source};
use samsvar_actors::ingress::Ingress;
use samsvar_actors::ingress::rules::PERSONS_MAX;
use samsvar_actors::mailbox::{Mailbox, Undelivered};
use samsvar_actors::messages::Inkommande;
use samsvar_actors::node::Node;
use samsvar_actors::reply::{Outcome, Receipt, ReplyPort, Watchdog};
use samsvar_actors::room::Room;
use samsvar_actors::tally::Tally;
use shs_schemas::Sensitive;
use shs_schemas::error_code::ErrorCode;
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::shs::management::{AppInfo, Outcome as Said, REMOTE_ERROR_CODE};
use shs_schemas::shs::{KnownIds, Management, time};
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
    next_node_time_max: Duration,
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
            next_node_time_max: settings.next_node.time_max() + WATCHDOG,
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
    async fn ask(&self, body: Bytes, http: Http, caller: Caller) -> Outcome {
        let received = Instant::now();
        let (port, outcome) = ReplyPort::new(Arc::clone(&self.common.tally), received);
        let watchdog = port.watchdog();
        let inkommande = Inkommande {
            body: Sensitive::new(body),
            http_content_type: http.content_type,
            caller,
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
    let outcome = match admitted(&request, common) {
        Err(failure) => door.refuse(failure),
        Ok(caller) => {
            let headers = request.headers();
            match body::read(headers, payload, &common.body).await {
                // A body may take its time, in which a certificate can be revoked: it is asked again.
                // `_held` counts the body's memory until the outcome is there.
                Ok((body, _held)) => match caller::of(&request) {
                    Ok(_) => door.ask(body, Http::of(headers), caller).await,
                    Err(failure) => door.refuse(failure),
                },
                Err(error) => door.refuse(error.into()),
            }
        }
    };
    match outcome {
        Outcome::Reply(reply) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, MESSAGE))
            .body(reply.body.into_exposed()),
        Outcome::Accepted(receipt) => accepted(&receipt, common),
        Outcome::Rejected(rejection) => refusal(&rejection, common),
    }
}

/// What is decided before the body is read: who calls.
fn admitted(request: &HttpRequest, common: &Common) -> Result<Caller, Failure> {
    if request.method() != Method::POST {
        return Err(Failure::Method);
    }
    if header_bytes(request.headers()) > common.header_bytes_max {
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

/// An asynchronous message was taken over, or had been before (shs-1.2, 5.3).
fn accepted(receipt: &Receipt, common: &Common) -> HttpResponse {
    let mut response = HttpResponse::Accepted();
    response
        .insert_header((CONTENT_TYPE, "text/plain"))
        .insert_header(("X-shs-nodeid", common.node_id.as_str()));
    insert_ids(&mut response, &receipt.ids);
    if let Some(local_id) = &receipt.local_id {
        response.insert_header(("X-shs-localid", local_id.as_str()));
    }
    let duplicate = if receipt.is_duplicate() { "yes" } else { "no" };
    let arrived = time::write(time::swedish(receipt.arrived));
    response
        .insert_header(("X-shs-arrivaldate", arrived))
        .insert_header(("X-shs-duplicatemsg", duplicate));
    let tx_id = receipt.ids.tx_id.as_ref();
    response.body(tx_id.map_or_else(String::new, ToString::to_string))
}

/// The identifiers that are known.
fn insert_ids(response: &mut HttpResponseBuilder, ids: &KnownIds) {
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
}

/// The status of each kind of refusal (shs-1.2, 5.5).
fn status(failure: Failure) -> StatusCode {
    match failure.row().source {
        Source::Caller if failure == Failure::Method => StatusCode::METHOD_NOT_ALLOWED,
        Source::Caller | Source::NextNode => StatusCode::BAD_REQUEST,
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
    insert_ids(&mut response, ids);
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
    let mut management = Management::refusal(ids, row.code, &text, Utc::now());
    if let (Some(code), Said::Error { appinfo, .. }) =
        (rejection.remote_code, &mut management.outcome)
    {
        appinfo.push(AppInfo::new(REMOTE_ERROR_CODE, code.as_str()));
    }
    response.body(management.write())
}
