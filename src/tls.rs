//! Certificates and keys: what this node shows, whom it believes, and how both change while it runs.
//!
//! ```text
//! files ──► Material ──► Store ◄── every `reload_every_s`, and at SIGHUP
//!                          │
//!          ┌───────────────┼──────────────────────┐
//!       server          http::caller           next_node
//!   (each handshake)   (each request)       (each connection)
//! ```
//!
//! Everything asks the [`Store`] at the moment of use, so that a new certificate or revocation list
//! counts at once and no connection is dropped for it. Revocation would have no effect on a session
//! that is resumed or a connection that is kept alive: sessions are never resumed (`server`), and a
//! kept-alive connection is judged again at each request ([`crate::http::caller`]).
//!
//! There is one crypto provider, aws-lc-rs, named explicitly wherever one is needed.

pub mod actors;
pub mod client;
pub mod files;
pub mod inspection;
pub mod material;
pub mod reload;
pub mod server;
pub mod store;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub use files::TlsFault;
pub use material::Material;
pub use store::Store;

/// The one crypto provider.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
