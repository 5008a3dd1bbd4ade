//! `/shs/ds`: the SHS delivery service, from which an actor's own systems fetch asynchronous messages
//! (shs-1.2, 5.7).
//!
//! ```text
//! GET  /shs/ds/{outbox}[/{product}]?…      list
//! GET  /shs/ds/{outbox}/{tx.id}            fetch
//! POST /shs/ds/{outbox}/{tx.id}?action=ack acknowledge
//! ```
//!
//! A caller whose certificate does not stand for the outbox's organisation gets 403, whether the outbox
//! exists or not: organisation numbers are public, so nothing is given away, and who has configured the
//! wrong certificate sees what is wrong instead of an outbox that seems empty for ever.

mod parameters;
mod path;
mod transfer;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{ALLOW, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use samsvar_actors::avvisat::{Ankomst, Avvisade};
use samsvar_actors::caller::Caller;
use samsvar_actors::ledger::event::{Dorr, Origin};
use samsvar_actors::outbox::{Acknowledged, Outboxes};
use samsvar_actors::reply::loggable;
use shs_schemas::ids::TxId;
use shs_schemas::shs::message_list::{self, Entry};
use shs_schemas::shs::{Adress, KnownIds, Label, Produkt};
use uuid::Uuid;

use self::parameters::{Parameters, list_query};
use self::path::{Rest, Target};
use self::transfer::{Absent, Transfer};
use super::{caller, head};

/// Where the delivery service is.
pub const PATH: &str = "/shs/ds";

const MESSAGE_LIST: &str = "application/xml; charset=ISO-8859-1";
const MESSAGE: &str = "message/rfc822";
const TEXT: &str = "text/plain; charset=UTF-8";

/// Word of the ledger for a caller whose certificate does not stand for the outbox's organisation.
const NOT_THE_OWNER: &str = "not_the_owner";

/// A message that was acknowledged for the first time.
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    /// Its label.
    pub label: Arc<Label>,
    /// Whether its sender is to get a confirmation (shs-1.2, 7.10).
    pub confirm: bool,
    /// To which accepted message it belongs.
    pub origin: Origin,
    /// How long it lay in the mailbox.
    pub lay_for: Duration,
}

/// What is done about such a message. It is called on an HTTP worker and must not block.
pub type OnAcknowledged = Arc<dyn Fn(Acknowledgement) + Send + Sync>;

/// What the workers of the delivery service share.
pub struct DeliveryDesk {
    outboxes: Arc<Outboxes>,
    acknowledged: OnAcknowledged,
    avvisade: Avvisade,
}

impl fmt::Debug for DeliveryDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryDesk").finish_non_exhaustive()
    }
}

/// Adds the delivery service to a listener.
pub fn routes(config: &mut ServiceConfig, desk: Arc<DeliveryDesk>) {
    let below = format!("{PATH}/{{rest:.*}}");
    config
        .app_data(Data::from(desk))
        .service(web::resource([PATH.to_owned(), below]).to(serve));
}

async fn serve(request: HttpRequest, desk: Data<DeliveryDesk>) -> HttpResponse {
    match caller::of(&request) {
        Ok(caller) => desk.answer(&request, &caller),
        Err(failure) => {
            let ankomst = Ankomst {
                door: Dorr::Leverans,
                caller: None,
                bytes: None,
            };
            let ids = KnownIds::default();
            desk.avvisade
                .note(Uuid::nil(), &ankomst, failure, &ids, None);
            refuse(StatusCode::FORBIDDEN, failure.row().text)
        }
    }
}

impl DeliveryDesk {
    /// A desk before these outboxes; whom it turns away is noted there.
    #[must_use]
    pub fn new(
        outboxes: Arc<Outboxes>,
        acknowledged: OnAcknowledged,
        avvisade: Avvisade,
    ) -> Arc<Self> {
        Arc::new(Self {
            outboxes,
            acknowledged,
            avvisade,
        })
    }

    fn answer(&self, request: &HttpRequest, caller: &Caller) -> HttpResponse {
        let head = head::of(request);
        let Target { outbox, rest } = match path::target(head.uri.path()) {
            Ok(target) => target,
            Err(reason) => return refuse(StatusCode::BAD_REQUEST, reason),
        };
        if !caller.speaks_for(outbox.organisation()) {
            self.avvisade
                .note_plain(Dorr::Leverans, NOT_THE_OWNER, Some(caller));
            let reason = "Certifikatet gäller inte för den aktör som utkorgen tillhör";
            return refuse(StatusCode::FORBIDDEN, reason);
        }
        let parameters = Parameters::of(head.uri.query().unwrap_or_default());
        let parameters = match parameters {
            Ok(parameters) => parameters,
            Err(bad) => return refuse(StatusCode::BAD_REQUEST, &bad.to_string()),
        };
        match (request.method(), rest) {
            (&Method::GET | &Method::HEAD, Rest::All) => self.list(&outbox, None, &parameters),
            (&Method::GET | &Method::HEAD, Rest::Product(produkt)) => {
                self.list(&outbox, Some(produkt), &parameters)
            }
            (&Method::GET, Rest::Message(tx_id)) => self.fetch(&outbox, &tx_id),
            (&Method::HEAD, Rest::Message(tx_id)) => self.look(&outbox, &tx_id),
            (&Method::POST, Rest::Message(tx_id)) => self.post(&outbox, &tx_id, &parameters),
            (&Method::GET | &Method::HEAD | &Method::POST, Rest::Nothing) => not_there(),
            (_, Rest::All | Rest::Product(_)) => not_allowed("GET, HEAD"),
            (_, Rest::Message(_) | Rest::Nothing) => not_allowed("GET, HEAD, POST"),
        }
    }

    fn list(
        &self,
        outbox: &Adress,
        produkt: Option<Produkt>,
        parameters: &Parameters,
    ) -> HttpResponse {
        let mut query = match list_query(parameters) {
            Ok(query) => query,
            Err(bad) => return refuse(StatusCode::BAD_REQUEST, &bad.to_string()),
        };
        if let Some(produkt) = produkt {
            query.narrow(produkt);
        }
        let listed = self.outboxes.list(outbox, &query);
        let entries = listed
            .iter()
            .map(|listed| Entry::of(&listed.label, listed.size as u64));
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, MESSAGE_LIST))
            .body(message_list::write(entries))
    }

    fn fetch(&self, outbox: &Adress, tx_id: &TxId) -> HttpResponse {
        let Ok(fetched) = self.outboxes.fetch(outbox, tx_id) else {
            return not_there();
        };
        tracing::info!(tx_id = loggable(tx_id.as_str()), "message is fetched");
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, MESSAGE))
            .body(Transfer::new(fetched))
    }

    /// Says what a fetch would give, and fetches nothing (shs-1.2, 5.7.6).
    fn look(&self, outbox: &Adress, tx_id: &TxId) -> HttpResponse {
        let Ok(bytes) = self.outboxes.look(outbox, tx_id) else {
            return not_there();
        };
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, MESSAGE))
            .body(Absent(bytes as u64))
    }

    fn post(&self, outbox: &Adress, tx_id: &TxId, parameters: &Parameters) -> HttpResponse {
        if !parameters.is_acknowledgement() {
            let reason = "POST kvitterar ett meddelande och ska ha parametern action=ack";
            return refuse(StatusCode::BAD_REQUEST, reason);
        }
        match self.outboxes.acknowledge(outbox, tx_id) {
            Err(_) => return not_there(),
            Ok(Acknowledged::Again) => {}
            Ok(Acknowledged::First {
                label,
                confirm,
                origin,
                lay_for,
            }) => {
                let tx_id = loggable(label.tx_id.as_str());
                tracing::info!(tx_id, "message is acknowledged");
                (self.acknowledged)(Acknowledgement {
                    label,
                    confirm,
                    origin,
                    lay_for,
                });
            }
        }
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "text/plain"))
            .body("OK")
    }
}

fn not_there() -> HttpResponse {
    let reason = "Meddelandet finns inte i utkorgen, är redan hämtat eller har tagits bort";
    refuse(StatusCode::NOT_FOUND, reason)
}

fn not_allowed(allowed: &'static str) -> HttpResponse {
    let mut response = HttpResponse::MethodNotAllowed();
    response
        .insert_header((ALLOW, allowed))
        .insert_header((CONTENT_TYPE, TEXT))
        .body("Metoden finns inte här")
}

/// A refusal with a reason that quotes nothing of the request.
fn refuse(status: StatusCode, reason: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, TEXT))
        .body(reason.to_owned())
}

#[cfg(test)]
pub(crate) mod tests;
