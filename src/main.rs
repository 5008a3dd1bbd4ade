//! The `samsvar` command.
fn main() {}
