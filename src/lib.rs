//! samsvar: the node in the middle of SSBTEK.
