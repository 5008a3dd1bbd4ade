//! samsvar: the node in the middle of SSBTEK.

pub mod adapter;
pub mod check;
pub mod cli;
pub mod settings;
pub mod telemetry;
