//! HTTP: the service listener that callers use, and the admin listener that operators use.
//!
//! Only this folder and [`crate::cli`] know HTTP; actors know ports and outcomes.

pub mod admin;
pub mod body;
pub mod caller;
pub mod delivery;
pub mod metrics;
pub mod shs;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_rt::Arbiter;
use actix_web::dev::Server;
use actix_web::{App, HttpResponse, HttpServer, web};
use samsvar_actors::node::Node;
use samsvar_actors::room::Room;

use crate::settings::Settings;

/// Seconds that open connections get to close when a server stops; the drain came before.
const SHUTDOWN_S: u64 = 2;

/// The service listener: one worker thread each with an ingress and an egress of its own. The
/// bodies of all requests share the memory `bodies`.
///
/// # Errors
/// When the listener cannot be used.
pub fn service(
    listener: TcpListener,
    node: Arc<Node>,
    bodies: Arc<Room>,
    settings: &Settings,
) -> std::io::Result<Server> {
    let limits = settings.listener.clone();
    let next_worker = Arc::new(AtomicUsize::new(0));
    let common = Arc::new(shs::Common::new(&node, bodies, settings));
    let server = HttpServer::new(move || {
        let worker = next_worker.fetch_add(1, Ordering::Relaxed);
        let ingress = node.attach_worker(worker, &Arbiter::current());
        let door = shs::Door::new(ingress, Arc::clone(&common));
        App::new()
            .app_data(web::Data::new(door))
            .service(web::resource(shs::PATH).to(shs::receive))
            .default_service(web::to(HttpResponse::NotFound))
    });
    let server = server
        .workers(limits.worker_threads())
        .max_connections(limits.connections_per_worker_max as usize)
        .keep_alive(limits.keep_alive())
        .client_request_timeout(limits.client_request_timeout())
        .client_disconnect_timeout(limits.client_disconnect_timeout())
        // A caller that hangs up is seen while its request waits, which is then cancelled.
        .h1_allow_half_closed(false)
        .shutdown_timeout(SHUTDOWN_S)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

/// The admin listener. It reads counters; it never sends an actor a message.
///
/// # Errors
/// When the listener cannot be used.
pub fn admin(
    listener: TcpListener,
    node: &Arc<Node>,
    bodies: Arc<Room>,
    settings: &Settings,
) -> std::io::Result<Server> {
    let desk = admin::Desk::new(Arc::clone(node), bodies, settings);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(desk.clone()))
            .configure(admin::routes)
    });
    Ok(server
        .workers(1)
        .shutdown_timeout(SHUTDOWN_S)
        .disable_signals()
        .listen(listener)?
        .run())
}
