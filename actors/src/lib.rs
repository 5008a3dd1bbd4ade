//! The actors of samsvar.
