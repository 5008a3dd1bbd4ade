//! `POST /ssbt/10`, `POST /ssbt/11`: the SOAP door of SSBTEK, and its WSDL (ssbtek-10, 0.2, 1.1 and 1.2).
//!
//! All paths are the same door: the namespace of the body's child decides the version. The path counts
//! for the WSDL, and for faults about calls whose version could not be read.

use std::future::ready;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HOST, RETRY_AFTER};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use samsvar_actors::failure::{Failure, Rejection, Source};
use samsvar_actors::ledger::event::Dorr;
use samsvar_actors::messages::{Inkommande, Through};
use samsvar_actors::reply::Outcome;
use shs_schemas::mime::ContentType;
use shs_schemas::ssbtek::soap::{self, Faultcode};
use shs_schemas::ssbtek::{Form, Kontrakt, Operation, fel, wsdl};

use super::door::{Common, Door, Received};
use super::{caller, head};
use crate::settings::SoapAddress;

const XML: &str = "text/xml; charset=utf-8";

/// Where the WSDL says that the service is, when not where it was asked for.
#[derive(Clone, Debug, Default)]
pub struct PublicAddress(pub Option<SoapAddress>);

/// One resource for each version that is served.
pub fn routes(config: &mut ServiceConfig, address: &PublicAddress) {
    for kontrakt in Kontrakt::all() {
        let address = address.clone();
        let describing = move |request: HttpRequest| ready(describe(&request, kontrakt, &address));
        let resource = web::resource(path(kontrakt))
            .route(web::get().to(describing.clone()))
            .route(web::head().to(describing))
            .default_service(web::to(move |request, payload, door| {
                call(request, payload, door, kontrakt)
            }));
        config.service(resource);
    }
}

/// Where a version is served.
#[must_use]
pub fn path(kontrakt: Kontrakt) -> String {
    format!("/ssbt/{}", kontrakt.version())
}

/// Answers one call.
async fn call(
    request: HttpRequest,
    payload: Payload,
    door: Data<Door>,
    kontrakt: Kontrakt,
) -> HttpResponse {
    let anrop = |received: Received| Inkommande {
        through: Through::Soap {
            charset: received.content_type.as_deref().and_then(charset),
        },
        body: received.body,
        caller: received.caller,
        received: received.at,
        traceparent: received.traceparent,
        port: received.port,
    };
    let outcome = door.handle(&request, payload, Dorr::Soap, anrop).await;
    match outcome {
        Outcome::Reply(reply) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, XML))
            .body(reply.body.into_exposed()),
        Outcome::Rejected(rejection) => fault(&rejection, kontrakt, &door.common),
        // Ingress takes nothing over from this door.
        Outcome::Accepted(_) => {
            let ids = shs_schemas::shs::KnownIds::default();
            fault(
                &Rejection::new(Failure::Content, ids),
                kontrakt,
                &door.common,
            )
        }
    }
}

/// The character set that the HTTP header names.
fn charset(content_type: &str) -> Option<String> {
    let content_type = ContentType::parse(content_type)?;
    content_type.charset().map(str::to_owned)
}

/// The status of a fault: 500, because a client's SOAP library reads a fault from nothing else; load is
/// 503, so that what stands before the node can tell it apart (ssbtek-10, 1.2).
fn status(failure: Failure) -> StatusCode {
    match failure.row().source {
        Source::Caller if failure == Failure::Method => StatusCode::METHOD_NOT_ALLOWED,
        Source::Load => StatusCode::SERVICE_UNAVAILABLE,
        Source::Caller | Source::TooLarge | Source::NextNode | Source::Us => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// A refused call.
fn fault(rejection: &Rejection, kontrakt: Kontrakt, common: &Common) -> HttpResponse {
    let failure = rejection.failure;
    let mut response = HttpResponse::build(status(failure));
    response.insert_header((CONTENT_TYPE, XML));
    if failure.row().source == Source::Load {
        response.insert_header((RETRY_AFTER, common.retry_after_s.to_string()));
    }
    if failure == Failure::Method {
        response.insert_header((ALLOW, "GET, POST"));
    }
    let text = rejection.felmeddelande();
    response.body(match failure {
        Failure::MustUnderstand => soap::write_envelope_fault(Faultcode::MustUnderstand, &text),
        Failure::SoapVersion => soap::write_envelope_fault(Faultcode::VersionMismatch, &text),
        _ => {
            let kontrakt = rejection.anrop.kontrakt.unwrap_or(kontrakt);
            let operation = rejection.anrop.operation.unwrap_or(Operation::Hamta);
            let felkod = failure.felkod();
            fel::write_fault(kontrakt, operation, Form::Kuvert, felkod, &[&text])
        }
    })
}

/// `GET …?wsdl` and `GET …?xsd=<name>`: the description of the service, to whoever may call it.
fn describe(
    request: &HttpRequest,
    kontrakt: Kontrakt,
    PublicAddress(address): &PublicAddress,
) -> HttpResponse {
    if caller::of(request).is_err() {
        return HttpResponse::Forbidden().finish();
    }
    let head = head::of(request);
    let query = head.uri.query().unwrap_or_default();
    let set = address.as_ref().map(|address| address.as_str().to_owned());
    let address = set.unwrap_or_else(|| asked_at(request)) + &path(kontrakt);
    let xml = |text: String| {
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, XML))
            .body(text)
    };
    let asked = query.split(['&', '=']).next().unwrap_or_default();
    if asked.eq_ignore_ascii_case("wsdl") {
        return xml(wsdl::wsdl(kontrakt, &address));
    }
    let schema = query.strip_prefix("xsd=");
    match schema.and_then(|name| wsdl::schema(kontrakt, name, &address)) {
        Some(schema) => xml(schema),
        None => HttpResponse::NotFound().finish(),
    }
}

/// Where the caller found the service. What a proxy may say of it in headers of its own anybody can say:
/// for a service behind one there is the setting.
fn asked_at(request: &HttpRequest) -> String {
    let config = request.app_config();
    let scheme = if config.secure() { "https" } else { "http" };
    let head = head::of(request);
    let named = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    format!("{scheme}://{}", named.unwrap_or_else(|| config.host()))
}
