//! The log: what it looks like, what may be in it.
//!
//! Everything goes to stderr. `SAMSVAR_LOG` says how much, in the syntax of `RUST_LOG`
//! (`info,samsvar_actors=debug`); `RUST_LOG` itself is read when it is not set.
//!
//! Fixed fields, values rather than prose:
//!
//! | field | is |
//! |---|---|
//! | `request_id` | ours, one for each request |
//! | `tx_id`, `corr_id` | of the label, when they are UUIDs: another text could name a person |
//! | `bastjanst` | code of the Uppgiftslämnare |
//! | `actor`, `generation` | which actor, and how often it has been started |
//! | `avvikelse`, `element`, `position`, `fault` | what was odd about an answer: words and names of ours |
//! | `attempt`, `elapsed_ms`, `error_code` | numbers and codes from our own tables |
//!
//! Three doors through which content could slip are closed here. Libraries log whole frames and
//! buffers below `info`, so below `info` only this project's own lines pass, whatever `SAMSVAR_LOG`
//! says. lapin logs every returned message with its body as a warning: of lapin only errors pass.
//! And a panic message can quote the text it failed on (slicing a string does), so the panic hook
//! logs where, never what.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use samsvar_actors::transport::amqp;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Registry};

use crate::settings::LogFormat;

/// The variables that set the filter, the first one that is set.
const FILTER_VARIABLES: [&str; 2] = ["SAMSVAR_LOG", "RUST_LOG"];
/// The filter when none is set. lapin repeats at every attempt why RabbitMQ cannot be reached, in
/// three lines; our own transport says it once. So does our directory in the place of ldap3. actix-server describes its own start.
const FILTER_DEFAULT: &str = "info,lapin=off,ldap3=off,actix_server=warn";
/// The filter of quiet commands when none is set.
const FILTER_QUIET: &str = "warn,lapin=off,ldap3=off";
/// Targets of this project: only these may log below [`LIBRARY_LEVEL`].
const OWN_TARGETS: [&str; 2] = ["samsvar", "shs_schemas"];
/// The most detailed level of every library.
const LIBRARY_LEVEL: Level = Level::INFO;

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter does not parse.
    #[error("{variable} is not a log filter: {source}")]
    Filter {
        /// The variable it came from.
        variable: &'static str,
        /// What the parser said.
        source: tracing_subscriber::filter::ParseError,
    },
    /// There is a log already in this process.
    #[error("the log is set up already")]
    Twice(#[from] TryInitError),
}

/// Sets up the log of this process and the panic hook. Call it once, first thing.
///
/// # Errors
/// When the filter does not parse, or when there is a log already.
pub fn start(format: LogFormat) -> Result<(), TelemetryError> {
    start_at(format, FILTER_DEFAULT)
}

/// As [`start`], but unless a variable says otherwise only warnings are shown: for commands whose
/// own output is what people look at.
///
/// # Errors
/// As [`start`].
pub fn start_quiet(format: LogFormat) -> Result<(), TelemetryError> {
    start_at(format, FILTER_QUIET)
}

/// As [`start`], with everything that `filter` lets through, as JSON, into another writer: tests read
/// there what a log would hold.
///
/// # Errors
/// When there is a log already.
pub fn start_into<W>(filter: &str, writer: W) -> Result<(), TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    subscriber(EnvFilter::new(filter), true, false, writer).try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn start_at(format: LogFormat, filter_default: &str) -> Result<(), TelemetryError> {
    let json = match format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    let colours = std::io::stderr().is_terminal();
    subscriber(filter(filter_default)?, json, colours, std::io::stderr).try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn filter(default: &str) -> Result<EnvFilter, TelemetryError> {
    let set = FILTER_VARIABLES
        .into_iter()
        .find_map(|variable| Some((variable, std::env::var(variable).ok()?)));
    let Some((variable, text)) = set else {
        return Ok(EnvFilter::new(default));
    };
    EnvFilter::try_new(text).map_err(|source| TelemetryError::Filter { variable, source })
}

fn subscriber<W>(
    filter: EnvFilter,
    json: bool,
    colours: bool,
    writer: W,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let registry = Registry::default().with(OwnDetailsOnly).with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    if json {
        Box::new(registry.with(lines.json().flatten_event(true).with_ansi(false)))
    } else {
        Box::new(registry.with(lines.compact().with_ansi(colours)))
    }
}

/// Lets libraries log down to [`LIBRARY_LEVEL`] and no further, and lapin only what holds no body.
struct OwnDetailsOnly;

impl<S: Subscriber> Layer<S> for OwnDetailsOnly {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let own = OWN_TARGETS
            .iter()
            .any(|own| metadata.target().starts_with(own));
        own || (*metadata.level() <= LIBRARY_LEVEL && amqp::may_be_logged(metadata))
    }
}

/// Says where a panic happened. Its message stays unsaid: it may quote content.
fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info
        .location()
        .map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
    let thread = std::thread::current();
    tracing::error!(at = %place, thread = thread.name().unwrap_or("-"), "panic");
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged by `log` under this filter.
    fn logged(filter: &str, json: bool, log: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber(EnvFilter::new(filter), json, false, move || writer.clone());
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn libraries_never_log_details_whatever_the_filter_says() {
        let text = logged("trace,lapin=trace", false, || {
            tracing::trace!(target: "lapin::frames", "199503142383");
            tracing::debug!(target: "hyper", "199503142383");
            // As lapin does with every message that comes back.
            tracing::warn!(target: "lapin::returned_messages", "199503142383");
            tracing::warn!(target: "actix_server", "connection lost");
            tracing::trace!(target: "samsvar_actors::dispatcher", "slot opened");
        });
        assert!(!text.contains("199503142383"), "{text}");
        assert!(text.contains("connection lost"), "{text}");
        assert!(text.contains("slot opened"), "{text}");
    }

    #[test]
    fn a_json_line_carries_the_fields() {
        let text = logged("info", true, || {
            tracing::info!(request_id = 7, bastjanst = "CSN", "answered");
            tracing::debug!("too much");
        });
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(line["request_id"], 7);
        assert_eq!(line["bastjanst"], "CSN");
        assert_eq!(line["message"], "answered");
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn a_panic_says_where_and_not_what() {
        let text = logged("info", false, || {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(log_panic));
            let panicked = std::panic::catch_unwind(|| {
                // Quotes the text in its message.
                let text = String::from("å199503142383");
                text[1..].len()
            });
            std::panic::set_hook(before);
            assert!(panicked.is_err());
        });
        assert!(text.contains("src/telemetry.rs:"), "{text}");
        assert!(!text.contains("199503142383"), "{text}");
    }
}
