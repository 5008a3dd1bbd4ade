//! samsvar: the node in the middle of SSBTEK.

pub mod check;
pub mod settings;
pub mod telemetry;
