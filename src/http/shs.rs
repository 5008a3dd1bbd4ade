//! `POST /shs/rs`: the SHS receive service (shs-1.2, 5.2 to 5.5).
//!
//! A body in, one outcome out: the reply message; for an asynchronous message 202 and its tx.id; or an
//! error with `X-shs-errorcode` and a `shs.management` document that says what is wrong and where and
//! quotes nothing.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use chrono::Utc;
use samsvar_actors::failure::{Failure, Rejection, Source};
use samsvar_actors::ledger::event::Dorr;
use samsvar_actors::messages::{Inkommande, Through};
use samsvar_actors::reply::{Outcome, Receipt};
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::shs::management::{AppInfo, Outcome as Said, REMOTE_ERROR_CODE};
use shs_schemas::shs::{KnownIds, Management, time};

use super::door::{Common, Door, Received};

/// Where messages are received.
pub const PATH: &str = "/shs/rs";

const MESSAGE: &str = "message/rfc822";
const MANAGEMENT: &str = "text/xml; charset=ISO-8859-1";

/// Receives one message and answers it.
pub async fn receive(request: HttpRequest, payload: Payload, door: Data<Door>) -> HttpResponse {
    let common = &door.common;
    let message = |received: Received| Inkommande {
        body: received.body,
        through: Through::Shs {
            content_type: received.content_type,
        },
        caller: received.caller,
        received: received.at,
        traceparent: received.traceparent,
        port: received.port,
    };
    let outcome = door.handle(&request, payload, Dorr::Shs, message).await;
    match outcome {
        Outcome::Reply(reply) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, MESSAGE))
            .body(reply.body.into_exposed()),
        Outcome::Accepted(receipt) => accepted(&receipt, common),
        Outcome::Rejected(rejection) => refusal(&rejection, common),
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
