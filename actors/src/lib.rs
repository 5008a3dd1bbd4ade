//! The actors of samsvar and the two transports that carry their questions.

pub mod transport;
