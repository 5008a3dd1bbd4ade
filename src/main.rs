//! The `samsvar` command: arguments in, exit code out.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use samsvar::cli::{self, Cli};
use samsvar_wiping::Wiping;

/// The one within gives memory back to the system when a mailbox is emptied. That of glibc does not:
/// what is freed between two small pieces that live on stays resident (docs/adr/0014,
/// tests/mailboxes). The one around it leaves nothing in what is given back (docs/adr/0017).
#[global_allocator]
static ALLOCATOR: Wiping<MiMalloc> = Wiping::around(MiMalloc);

fn main() -> ExitCode {
    // Before anything can open a TLS connection; a second provider would make rustls panic.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match cli::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Standard error is where a command line says what went wrong.
            #[expect(clippy::print_stderr, reason = "the command's own error message")]
            {
                eprintln!("samsvar: {}", harmless(&with_causes(error.as_ref())));
            }
            ExitCode::FAILURE
        }
    }
}

/// The error and what caused it, each text once: libraries often repeat their cause in their own.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

/// A text that may hold what another node wrote, for a terminal: it breaks lines and does nothing else.
fn harmless(text: &str) -> String {
    let blank = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    text.chars().map(blank).collect()
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn the_reason_of_another_node_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2J\u{9b}31m\nb\r"), "a [2J 31m\nb ");
    }
}
