//! Who calls, as far as HTTP and TLS can tell.

use actix_web::HttpRequest;
use samsvar_actors::caller::Caller;
use samsvar_actors::failure::Failure;

/// The caller of this request.
///
/// # Errors
/// With the reason for refusing it.
pub fn of(_request: &HttpRequest) -> Result<Caller, Failure> {
    Ok(Caller::Internal)
}
