//! The `samsvar` command: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use samsvar::cli::{self, Cli};

fn main() -> ExitCode {
    // Before anything can open a TLS connection; a second provider would make rustls panic.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match cli::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Standard error is where a command line says what went wrong.
            #[expect(clippy::print_stderr, reason = "the command's own error message")]
            {
                eprintln!("samsvar: {error}");
            }
            ExitCode::FAILURE
        }
    }
}
