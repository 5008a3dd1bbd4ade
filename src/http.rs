//! HTTP: the service listener that callers use, and the admin listener that operators use.
//!
//! Only this folder and [`crate::cli`] know HTTP; actors know ports and outcomes.

pub mod admin;
pub mod body;
pub mod caller;
pub mod delivery;
pub mod door;
mod head;
mod lingering;
pub mod metrics;
pub mod shs;
pub mod soap;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_rt::Arbiter;
use actix_web::dev::{Server, Service, ServiceResponse};
use actix_web::{App, HttpResponse, HttpServer, web};
use samsvar_actors::node::Node;
use samsvar_actors::relay::Kvitterat;
use samsvar_actors::room::Room;
use samsvar_actors::stack;

use self::caller::Callers;
use self::delivery::{Acknowledgement, DeliveryDesk};
use self::lingering::{Answer, Watched};
use crate::settings::Settings;
use crate::tls::{self, Store};

/// Seconds that open connections get to close when a server stops; the drain came before.
const SHUTDOWN_S: u64 = 2;

/// The service listener: one worker thread each with an ingress and an egress of its own. The
/// bodies of all requests share the memory `bodies`. With `[listener.tls]` callers are let in by the
/// certificates of `store`.
///
/// # Errors
/// When the listener cannot be used.
pub fn service(
    listener: TcpListener,
    node: Arc<Node>,
    bodies: Arc<Room>,
    store: Option<&Arc<Store>>,
    settings: &Settings,
) -> std::io::Result<Server> {
    let limits = settings.listener.clone();
    let callers = Arc::new(Callers::new(settings, store.cloned()));
    let avvisade = node.avvisade().clone();
    let next_worker = Arc::new(AtomicUsize::new(0));
    let common = Arc::new(door::Common::new(&node, bodies, settings));
    let address = soap::PublicAddress(settings.ssbtek.soap_address.clone());
    let desk = delivery_desk(&node);
    let (connection_longest, linger_max) = (limits.keep_alive(), limits.linger_max());
    let server = HttpServer::new(move || {
        let worker = next_worker.fetch_add(1, Ordering::Relaxed);
        // Called on the worker's own thread.
        actix_rt::spawn(stack::keep_scrubbed());
        let ingress = node.attach_worker(worker, &Arbiter::current());
        let door = door::Door::new(ingress, Arc::clone(&common));
        let (desk, address) = (desk.clone(), address.clone());
        App::new()
            .app_data(web::Data::new(door))
            .configure(|config| {
                if let Some(desk) = desk {
                    delivery::routes(config, desk);
                }
            })
            .wrap_fn(move |mut request, inner| {
                head::move_out(&mut request);
                let going_on = request.conn_data::<Watched>().map(Watched::begin);
                let answer = inner.call(request);
                async move {
                    let answer = hung_up_if_due(answer.await?, connection_longest);
                    Ok(answer.map_body(|_, body| Answer::new(body, going_on)))
                }
            })
            .configure(|config| soap::routes(config, &address))
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
        .tls_handshake_timeout(limits.client_request_timeout())
        .on_connect(move |io, data| {
            callers.note(io, data);
            lingering::watch(io, data, linger_max);
        });
    let server = if limits.tls.is_some() {
        let store = store.ok_or_else(|| std::io::Error::other("TLS without certificates"))?;
        let config = tls::server::config(store, avvisade).map_err(std::io::Error::other)?;
        server.listen_rustls_0_23(listener, config)?
    } else {
        server.listen(listener)?
    };
    Ok(server.run())
}

/// The delivery service, on a node that takes asynchronous messages.
fn delivery_desk(node: &Arc<Node>) -> Option<Arc<DeliveryDesk>> {
    let outboxes = Arc::clone(node.asynch()?.outboxes());
    let (node, avvisade) = (Arc::clone(node), node.avvisade().clone());
    let acknowledged = move |acknowledgement: Acknowledgement| {
        if let Some(asynch) = node.asynch() {
            asynch.acknowledged(Kvitterat {
                label: acknowledgement.label,
                confirm: acknowledgement.confirm,
                origin: acknowledgement.origin,
                lay_for: acknowledgement.lay_for,
            });
        }
    };
    Some(DeliveryDesk::new(
        outboxes,
        Arc::new(acknowledged),
        avvisade,
    ))
}

fn hung_up_if_due<B>(mut answer: ServiceResponse<B>, longest: Duration) -> ServiceResponse<B> {
    caller::hang_up_if_due(&mut answer, longest);
    answer
}

/// The admin listener. It reads counters; it never sends an actor a message.
///
/// # Errors
/// When the listener cannot be used.
pub fn admin(
    listener: TcpListener,
    looked_at: admin::LookedAt,
    settings: &Settings,
) -> std::io::Result<Server> {
    let desk = admin::Desk::new(looked_at, settings);
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
