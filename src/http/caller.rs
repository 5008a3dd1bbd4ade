//! Who calls, as far as TLS or a trusted terminator can tell (shs-1.2, 7.6).
//!
//! What a connection showed is kept with it when it is accepted. At each request it is judged by the
//! certificates and revocation lists of that moment, because a kept-alive connection outlives both:
//!
//! | connection | caller |
//! |---|---|
//! | plain, on loopback | [`Caller::Internal`] |
//! | TLS | the actors of its certificate |
//! | from a terminator's address | the actors of the certificate in its header; without one, nobody |
//! | of which nothing is known | nobody |

mod connection;
mod header;

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::{Extensions, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::HeaderName;
use actix_web::rt::net::TcpStream;
use samsvar_actors::caller::Caller;
use samsvar_actors::failure::Failure;

use self::connection::Connection;
use super::head;
use crate::settings::Settings;
use crate::tls::Store;
use crate::tls::actors::CertificateTable;

/// The caller of this request. To be asked once a request, before the body is read.
///
/// # Errors
/// With the reason for refusing it: its certificate is no longer accepted, or what a terminator says
/// cannot be read. The connection is closed after the answer.
pub fn of(request: &HttpRequest) -> Result<Caller, Failure> {
    match request.conn_data::<Connection>() {
        Some(connection) => connection.caller(&head::of(request).headers),
        None => Ok(Caller::certified([])),
    }
}

/// Closes a connection after this answer, whoever wrote that: when its certificate is refused, and when it
/// has been open for `longest`. Its buffers still hold what came and went, and nothing overwrites that for
/// as long as small requests keep the connection from being idle.
pub fn hang_up_if_due<B>(response: &mut ServiceResponse<B>, longest: Duration) {
    let connection = response.request().conn_data::<Connection>();
    if connection.is_some_and(|it| it.is_refused() || it.age() >= longest) {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
}

/// The TCP stream of a connection that a listener of ours accepted.
pub(super) fn tcp(io: &dyn Any) -> Option<&TcpStream> {
    let of_tls = io.downcast_ref::<TlsStream<TcpStream>>();
    let of_tls = of_tls.map(|stream| stream.get_ref().0);
    of_tls.or_else(|| io.downcast_ref::<TcpStream>())
}

/// How callers of the service listener are told apart.
#[derive(Debug)]
pub struct Callers {
    store: Option<Arc<Store>>,
    table: CertificateTable,
    terminator: Option<Terminator>,
}

#[derive(Debug)]
struct Terminator {
    addresses: Vec<IpAddr>,
    header: HeaderName,
}

impl Callers {
    /// As the settings say, by the certificates of `store`.
    #[must_use]
    pub fn new(settings: &Settings, store: Option<Arc<Store>>) -> Self {
        let terminator = settings.listener.terminator.as_ref();
        Self {
            store,
            table: CertificateTable::of(&settings.aktorer),
            terminator: terminator.and_then(|terminator| {
                let addresses = terminator.addresses.iter();
                Some(Terminator {
                    addresses: addresses.map(IpAddr::to_canonical).collect(),
                    header: HeaderName::from_bytes(terminator.header.as_bytes()).ok()?,
                })
            }),
        }
    }

    /// Notes what a new connection showed.
    pub fn note(self: &Arc<Self>, io: &dyn Any, data: &mut Extensions) {
        if let Some(connection) = Connection::of(io, Arc::clone(self)) {
            data.insert(connection);
        }
    }

    /// The terminator, when the connection comes from it.
    fn terminator_at(&self, peer: IpAddr) -> Option<&Terminator> {
        let peer = peer.to_canonical();
        let terminator = self.terminator.as_ref();
        terminator.filter(|terminator| terminator.addresses.contains(&peer))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_connection_of_which_nothing_is_known_is_nobodys() {
        let request = TestRequest::default()
            .insert_header(("X-Client-Cert", "x"))
            .to_http_request();
        assert_eq!(of(&request), Ok(Caller::certified([])));
    }
}
