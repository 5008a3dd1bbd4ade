//! The head of a request, kept where it is let go of.
//!
//! actix keeps up to 128 requests of each worker for the next ones to reuse, and clears them only then:
//! address and headers, and with the headers, which are slices of it, the whole buffer that the request
//! was read into, its body included. So before anything else looks at a request its head is moved to its
//! extensions, which are cleared with it; what stays behind says at most at which door it was.

use std::rc::Rc;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, Uri};
use actix_web::{HttpMessage, HttpRequest};

use super::{delivery, shs};

/// What stands in the place of an address that is none of ours.
const ELSEWHERE: &str = "/";
/// The doors of SOAP. (A test compares them with what is served.)
const SOAP: [&str; 2] = ["/ssbt/10", "/ssbt/11"];

/// Address and headers of a request.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// The head of a request; as it stands in it when it was not moved, which only tests do not do.
pub(super) fn of(request: &HttpRequest) -> Rc<Head> {
    let moved = request.extensions().get::<Rc<Head>>().cloned();
    moved.unwrap_or_else(|| {
        Rc::new(Head {
            uri: request.uri().clone(),
            headers: request.headers().clone(),
        })
    })
}

/// Moves it out.
pub(super) fn move_out(request: &mut ServiceRequest) {
    let door = Uri::from_static(door(request.match_info().get_ref().path()));
    let head = request.head_mut();
    let moved = Head {
        headers: std::mem::take(&mut head.headers),
        uri: std::mem::replace(&mut head.uri, door.clone()),
    };
    if !is_known(&head.method) {
        // Refused like any but those that are served.
        head.method = Method::TRACE;
    }
    request.match_info_mut().get_mut().update(&door);
    request.extensions_mut().insert(Rc::new(moved));
}

/// Which door a path leads to.
fn door(path: &str) -> &'static str {
    let below = path.strip_prefix(delivery::PATH);
    if below.is_some_and(|below| below.is_empty() || below.starts_with('/')) {
        return delivery::PATH;
    }
    let doors = [shs::PATH].into_iter().chain(SOAP);
    doors
        .into_iter()
        .find(|door| *door == path)
        .unwrap_or(ELSEWHERE)
}

/// Whether the method is a word of HTTP and not of the caller.
fn is_known(method: &Method) -> bool {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
        Method::CONNECT,
        Method::TRACE,
    ];
    known.contains(method)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use shs_schemas::ssbtek::Kontrakt;

    use super::*;
    use crate::http::soap;

    #[test]
    fn nothing_of_the_callers_stays_in_what_is_reused() {
        for (uri, method, left) in [
            (
                "/shs/ds/urn:X-shs:2120009994/198001019999?subject=x",
                "GET",
                "/shs/ds",
            ),
            ("/shs/rs?x", "POST", "/shs/rs"),
            ("/ssbt/11?wsdl", "GET", "/ssbt/11"),
            ("/shs/dsx", "GET", "/"),
            ("/198001019999", "X198001019999", "/"),
        ] {
            let mut request = TestRequest::with_uri(uri)
                .method(Method::from_bytes(method.as_bytes()).unwrap())
                .insert_header(("X-Arende", "198001019999"))
                .to_srv_request();
            move_out(&mut request);
            assert_eq!(request.uri(), left);
            assert_eq!(request.match_info().as_str(), left);
            assert!(request.headers().is_empty());
            assert!(is_known(request.method()));
            let head = of(request.request());
            assert_eq!(
                (head.uri.to_string().as_str(), head.headers.len()),
                (uri, 1)
            );
        }
    }

    #[test]
    fn every_door_is_known_here() {
        let served: Vec<String> = Kontrakt::all().map(soap::path).collect();
        assert_eq!(served, SOAP);
    }
}
