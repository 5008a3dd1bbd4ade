//! samsvar: the node in the middle of SSBTEK.
//!
//! The library is what the `samsvar` command, the tests and the load program start: settings
//! ([`settings`]), a node with its listeners ([`app`]), the other side of the queue ([`adapter`]),
//! and the asking side ([`client`]).

pub mod adapter;
pub mod app;
pub mod check;
pub mod cli;
pub mod client;
pub mod dev_ca;
pub mod directory;
pub mod hardening;
pub mod http;
pub mod next_node;
pub mod seal_keys;
pub mod settings;
pub mod telemetry;
pub mod tls;
pub mod wiring;
