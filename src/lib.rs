//! samsvar: the node in the middle of SSBTEK.

pub mod settings;
