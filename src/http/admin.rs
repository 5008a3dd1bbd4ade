//! The admin listener: health, metrics and the supervision tree.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use prometheus_client::registry::Registry;
use samsvar_actors::node::Node;
use samsvar_actors::observation::{ActorLine, Kind, Snapshot, State};
use serde::Serialize;

use super::metrics;
use crate::settings::Settings;

/// What the admin handlers share.
#[derive(Clone)]
pub struct Desk {
    node: Arc<Node>,
    node_id: Arc<str>,
    registry: Arc<Mutex<Registry>>,
}

impl Desk {
    /// A desk that looks at this node.
    #[must_use]
    pub fn new(node: Arc<Node>, settings: &Settings) -> Self {
        let registry = metrics::registry(Arc::clone(&node));
        let node_id = settings.node.node_id.as_str().into();
        Self {
            node,
            node_id,
            registry: Arc::new(Mutex::new(registry)),
        }
    }
}

/// The paths of the admin listener.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/health/live", web::get().to(live))
        .route("/health/ready", web::get().to(ready))
        .route("/metrics", web::get().to(metrics_text))
        .route("/api/v1/tree", web::get().to(tree));
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
fn is_up(line: &ActorLine) -> bool {
    matches!(
        line.state,
        State::Starting | State::Running | State::Impaired | State::Restarting
    )
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

/// Ready: ingress and egress are up, not draining, and the transport reaches its broker. A single
/// party that is away does not make the node unready: its part of the answers says so.
async fn ready(desk: web::Data<Desk>) -> HttpResponse {
    let lines = long_lived(&desk.node);
    let dispatchers = || lines.iter().filter(|line| line.kind == Kind::Dispatcher);
    let cut_off = |line: &ActorLine| matches!(line.detail, Some("no broker" | "line opening"));
    let transport_ok = dispatchers().count() == 0 || !dispatchers().all(cut_off);
    let mut components = vec![Component {
        name: format!("transport-{}", desk.node.transport_name()),
        ok: transport_ok,
        state: if transport_ok {
            State::Running
        } else {
            State::Impaired
        },
        detail: (!transport_ok).then_some("no broker"),
    }];
    components.extend(lines.iter().map(|line| Component {
        name: line.name.clone(),
        ok: line.kind == Kind::Dispatcher || is_up(line),
        state: line.state,
        detail: line.detail,
    }));
    Health::of(&desk, components).answer()
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
