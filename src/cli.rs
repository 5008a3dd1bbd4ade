//! The subcommands of `samsvar`.

pub mod simulate;
