//! samsvar: the node in the middle of SSBTEK.

pub mod adapter;
pub mod cli;
