//! The admin listener: health, metrics and the supervision tree.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, Resource, Route, web};
use chrono::{DateTime, Utc};
use prometheus_client::registry::Registry;
use samsvar_actors::node::Node;
use samsvar_actors::observation::{ActorLine, Kind, Snapshot, State};
use samsvar_actors::room::Room;
use samsvar_actors::transfers::{SNAPSHOT_MAX, TransferLine, TransferState};
use serde::{Deserialize, Serialize};

use super::metrics;
use crate::directory::Catalogue;
use crate::settings::Settings;
use crate::tls::Store;

/// Lines of `/api/v1/transfers` when nothing else is asked for.
const TRANSFERS_DEFAULT: usize = 100;

/// What operators look at.
pub struct LookedAt {
    /// The node.
    pub node: Arc<Node>,
    /// The memory that its request bodies share.
    pub bodies: Arc<Room>,
    /// What it knows of other actors.
    pub catalogue: Arc<Catalogue>,
    /// Its certificates, if it has any.
    pub certificates: Option<Arc<Store>>,
}

/// What the admin handlers share.
#[derive(Clone)]
pub struct Desk {
    node: Arc<Node>,
    node_id: Arc<str>,
    registry: Arc<Mutex<Registry>>,
}

impl Desk {
    /// A desk that looks at these.
    #[must_use]
    pub fn new(looked_at: LookedAt, settings: &Settings) -> Self {
        let node = looked_at.node;
        let mut registry = metrics::registry(Arc::clone(&node), looked_at.bodies);
        metrics::register_directory(&mut registry, looked_at.catalogue);
        if let Some(certificates) = looked_at.certificates {
            metrics::register_certificates(&mut registry, certificates);
        }
        let node_id = settings.node.node_id.as_str().into();
        Self {
            node,
            node_id,
            registry: Arc::new(Mutex::new(registry)),
        }
    }
}

/// The paths of the admin listener. They are read: GET and HEAD, nothing else.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(read_only("/health/live", web::to(live), web::to(live)))
        .service(read_only("/health/ready", web::to(ready), web::to(ready)))
        .service(read_only(
            "/metrics",
            web::to(metrics_text),
            web::to(metrics_text),
        ))
        .service(read_only("/api/v1/tree", web::to(tree), web::to(tree)))
        .service(read_only(
            "/api/v1/transfers",
            web::to(transfers),
            web::to(transfers),
        ));
}

/// A path that answers GET and HEAD, and 405 to any other method.
fn read_only(path: &str, get: Route, head: Route) -> Resource {
    let refused = || async {
        HttpResponse::MethodNotAllowed()
            .insert_header((ALLOW, "GET, HEAD"))
            .finish()
    };
    web::resource(path)
        .route(get.method(Method::GET))
        .route(head.method(Method::HEAD))
        .default_service(web::to(refused))
}

/// One component of the health report.
#[derive(Serialize)]
struct Component {
    name: String,
    ok: bool,
    state: State,
    detail: Option<&'static str>,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    node: String,
    draining: bool,
    components: Vec<Component>,
}

impl Health {
    fn of(desk: &Desk, components: Vec<Component>) -> Self {
        let draining = desk.node.load().is_draining();
        let ok = !draining && components.iter().all(|component| component.ok);
        let status = if ok { "ok" } else { "unavailable" };
        Self {
            status,
            node: desk.node_id.to_string(),
            draining,
            components,
        }
    }

    fn answer(self) -> HttpResponse {
        let mut response = if self.status == "ok" {
            HttpResponse::Ok()
        } else {
            HttpResponse::ServiceUnavailable()
        };
        response
            .insert_header((CACHE_CONTROL, "no-store"))
            .json(self)
    }
}

/// True when this actor does its work, or can do without what it lacks.
fn is_at_work(line: &ActorLine) -> bool {
    matches!(
        line.state,
        State::Starting | State::Running | State::Impaired
    )
}

/// True when this dispatcher cannot reach its party through no fault of the party's.
fn is_cut_off(line: &ActorLine) -> bool {
    matches!(line.state, State::Paused | State::Stopped)
        || matches!(line.detail, Some("no broker" | "line opening"))
}

fn long_lived(node: &Node) -> Vec<ActorLine> {
    let lines = node.observatory().snapshot().actors;
    lines
        .into_iter()
        .filter(|line| line.kind != Kind::Aggregator)
        .collect()
}

/// Alive: the process answers, and no actor that the node cannot be without has ended for good.
async fn live(desk: web::Data<Desk>) -> HttpResponse {
    let vital = long_lived(&desk.node)
        .into_iter()
        .filter(|line| line.kind != Kind::Dispatcher);
    let components = vital
        .map(|line| Component {
            ok: line.state != State::Stopped,
            state: line.state,
            detail: line.detail,
            name: line.name,
        })
        .collect();
    let mut health = Health::of(&desk, components);
    if health.draining && health.components.iter().all(|component| component.ok) {
        health.status = "ok";
    }
    health.answer()
}

/// Ready: not draining, messages can come in and replies go out, and the transport reaches its
/// broker. A single party that is away does not make the node unready: its part of the answers says
/// so. Nor does a single ingress or egress that is being restarted, while another one is at work. Nor
/// does a directory that is away: it stands here as impaired, with the reason, and asynchronous messages
/// get 503 while synchronous questions, which do not need it, go on. A ledger that cannot write does:
/// nothing new is taken then.
async fn ready(desk: web::Data<Desk>) -> HttpResponse {
    let components = readiness(desk.node.transport_name(), &long_lived(&desk.node));
    Health::of(&desk, components).answer()
}

fn readiness(transport: &str, lines: &[ActorLine]) -> Vec<Component> {
    let of = |kind: Kind| lines.iter().filter(move |line| line.kind == kind);
    let reaches = of(Kind::Dispatcher).count() == 0 || !of(Kind::Dispatcher).all(is_cut_off);
    let transport = Component {
        name: format!("transport-{transport}"),
        ok: reaches,
        state: if reaches {
            State::Running
        } else {
            State::Impaired
        },
        detail: (!reaches).then_some("no broker"),
    };
    let actors = lines.iter().map(|line| Component {
        name: line.name.clone(),
        ok: match line.kind {
            Kind::Dispatcher => true,
            Kind::Ledger => is_at_work(line) && line.state != State::Impaired,
            kind if line.state == State::Restarting => of(kind).any(is_at_work),
            _ => is_at_work(line),
        },
        state: line.state,
        detail: line.detail,
    });
    std::iter::once(transport).chain(actors).collect()
}

async fn metrics_text(desk: web::Data<Desk>) -> HttpResponse {
    let registry = desk.registry.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &registry) {
        Ok(()) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, metrics::CONTENT_TYPE))
            .body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// The tree as `samsvar tree` and the console read it.
#[derive(Serialize)]
struct Tree {
    node: String,
    transport: &'static str,
    open_requests: usize,
    draining: bool,
    #[serde(flatten)]
    snapshot: Snapshot,
}

async fn tree(desk: web::Data<Desk>) -> HttpResponse {
    let tree = Tree {
        node: desk.node_id.to_string(),
        transport: desk.node.transport_name(),
        open_requests: desk.node.load().open(),
        draining: desk.node.load().is_draining(),
        snapshot: desk.node.observatory().snapshot(),
    };
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(tree)
}

#[derive(Deserialize)]
struct Wanted {
    limit: Option<usize>,
}

/// What is remembered of asynchronous messages: how many are in each state, and the newest.
#[derive(Serialize)]
struct Remembered {
    node: String,
    captured: DateTime<Utc>,
    underway: usize,
    states: BTreeMap<&'static str, usize>,
    transfers: Vec<TransferLine>,
}

/// The newest asynchronous messages, newest first: `limit` of them, [`TRANSFERS_DEFAULT`] without one,
/// [`SNAPSHOT_MAX`] at most. A node that takes none has none.
async fn transfers(desk: web::Data<Desk>, request: HttpRequest) -> HttpResponse {
    let Ok(wanted) = web::Query::<Wanted>::from_query(request.query_string()) else {
        return HttpResponse::BadRequest()
            .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
            .body(format!("limit is a number from 0 to {SNAPSHOT_MAX}"));
    };
    let limit = wanted.limit.unwrap_or(TRANSFERS_DEFAULT);
    let asynch = desk.node.asynch();
    let states = asynch.map(|asynch| {
        let states = asynch.transfers().counts().states;
        TransferState::WORDS.into_iter().zip(states).collect()
    });
    let remembered = Remembered {
        node: desk.node_id.to_string(),
        captured: Utc::now(),
        underway: asynch.map_or(0, |asynch| asynch.underway().messages()),
        states: states.unwrap_or_default(),
        transfers: asynch.map_or_else(Vec::new, |asynch| asynch.transfers().snapshot(limit)),
    };
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(remembered)
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_service, init_service};
    use samsvar_actors::observation::Observed;

    use super::*;

    fn line(name: &str, kind: Kind, state: State) -> ActorLine {
        let observed = Observed::new(name, kind);
        observed.set_state(state);
        observed.line()
    }

    fn is_ready(lines: &[ActorLine]) -> bool {
        readiness("amqp", lines)
            .iter()
            .all(|component| component.ok)
    }

    #[test]
    fn one_worker_that_restarts_is_no_matter_and_all_of_them_are() {
        for kind in [Kind::Ingress, Kind::Egress] {
            let one = |state| line("one", kind, state);
            let mixed = [one(State::Running), one(State::Restarting)];
            assert!(is_ready(&mixed));
            for state in [State::Restarting, State::Paused, State::Stopped] {
                assert!(!is_ready(&[one(state), one(state)]), "{kind} {state}");
            }
            assert!(!is_ready(&[one(State::Running), one(State::Stopped)]));
        }
    }

    #[test]
    fn a_ledger_that_fails_is_named_and_makes_the_node_unready() {
        let running = line("ingress-0", Kind::Ingress, State::Running);
        let failing = ActorLine {
            detail: Some("disk full"),
            ..line("ledger", Kind::Ledger, State::Impaired)
        };
        let components = readiness("amqp", &[running, failing]);
        let not_ok = components.iter().filter(|component| !component.ok);
        assert!(not_ok.map(|component| &component.name).eq(["ledger"]));
        let ledger = components
            .iter()
            .find(|component| component.name == "ledger");
        let ledger = ledger.unwrap();
        assert_eq!(
            (ledger.state, ledger.detail),
            (State::Impaired, Some("disk full"))
        );
        let gone = line("ledger", Kind::Ledger, State::Stopped);
        assert!(!is_ready(&[gone]), "a ledger that has ended is a fall");
    }

    #[test]
    fn parties_count_when_all_of_them_are_cut_off() {
        let one = |state, detail| ActorLine {
            detail,
            ..line("dispatcher-AF", Kind::Dispatcher, state)
        };
        let away = one(State::Impaired, Some("no broker"));
        let paused = one(State::Paused, None);
        assert!(!is_ready(&[away.clone(), paused.clone()]));
        assert!(!is_ready(&[paused.clone(), paused.clone()]));
        let silent = one(State::Impaired, Some("no consumer"));
        assert!(is_ready(&[away, paused, silent]));
    }

    #[actix_web::test]
    async fn a_path_is_read_and_nothing_else() {
        let here = || async { HttpResponse::Ok().body("here") };
        let path = read_only("/x", web::to(here), web::to(here));
        let app = init_service(actix_web::App::new().service(path)).await;
        for (method, status) in [
            (Method::GET, StatusCode::OK),
            (Method::HEAD, StatusCode::OK),
            (Method::POST, StatusCode::METHOD_NOT_ALLOWED),
            (Method::DELETE, StatusCode::METHOD_NOT_ALLOWED),
        ] {
            let request = TestRequest::with_uri("/x").method(method.clone());
            let response = call_service(&app, request.to_request()).await;
            assert_eq!(response.status(), status, "{method}");
            let refused = status == StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(response.headers().contains_key(ALLOW), refused);
        }
    }
}
