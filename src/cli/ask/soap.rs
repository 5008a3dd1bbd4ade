//! `samsvar ask --soap`: one call for each person, side by side; and the connection test.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use futures_util::{StreamExt, stream};
use shs_schemas::ssbtek::Kontrakt;
use tokio::time::Instant;

use super::super::shown::printable;
use super::shown::{Shown, ShownPerson, write_heading, write_person};
use super::{AskArgs, all_gave_data, connection, exit_code, waiting};
use crate::client::answer::PersonAnswer;
use crate::client::question;
use crate::client::soap::{CALLS_MAX, Replied, Reply, SoapError, connection_test, envelope};

/// How the path of the receive service usually ends, beside which the SOAP service is.
const RECEIVE: &str = "/shs/rs";
/// Below which path the versions are.
const DOOR: &str = "/ssbt";

/// What a call gave.
pub(super) type Called = Result<Replied, SoapError>;

/// An answer to something that was not asked.
#[derive(Debug, thiserror::Error)]
#[error("the node answered another operation than the one that was called")]
pub(super) struct AnotherOperation;

/// Asks and shows: exit code 0 when every authority that was asked gave data (with `--ping`: when none
/// that was called failed), else 1.
///
/// # Errors
/// When nothing can be sent, or no call was answered.
pub(super) async fn ask(args: &AskArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let envelopes = envelopes(args);
    if args.print {
        let mut out = io::stdout().lock();
        for envelope in envelopes {
            out.write_all(&envelope)?;
            writeln!(out)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let url = door(&args.to, args.kontrakt());
    let client = args.tls.client(&url)?;
    let started = Instant::now();
    let waiting = waiting();
    let calls = envelopes
        .into_iter()
        .map(|envelope| client.call(&url, envelope));
    let called: Vec<Called> = stream::iter(calls).buffered(CALLS_MAX).collect().await;
    waiting.finish_and_clear();
    show(args, called, started.elapsed(), &mut io::stdout().lock())
}

/// What is sent: an envelope for each person, or one for the connection test.
fn envelopes(args: &AskArgs) -> Vec<Bytes> {
    if args.ping {
        return vec![connection_test(args.kontrakt())];
    }
    let (asker, now) = (args.asker(), Utc::now());
    let of = |person: &String| envelope(&question::element(&asker, person, now));
    args.person.iter().map(of).collect()
}

/// The service of a version at the node that `to` names, by itself or by one of its services.
fn door(to: &str, kontrakt: Kontrakt) -> String {
    let to = to.trim().trim_end_matches('/');
    let of_version = to.rsplit_once('/').filter(|(before, version)| {
        before.ends_with(DOOR) && version.bytes().all(|b| b.is_ascii_digit())
    });
    let base = of_version.map_or(to, |(before, _)| before);
    let base = base
        .strip_suffix(RECEIVE)
        .or_else(|| base.strip_suffix(DOOR))
        .unwrap_or(base);
    format!("{base}{DOOR}/{}", kontrakt.version())
}

fn show(
    args: &AskArgs,
    mut called: Vec<Called>,
    took: Duration,
    out: &mut dyn Write,
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    if called.iter().all(Result::is_err)
        && let Some(Err(error)) = called.pop()
    {
        return Err(error.into());
    }
    if args.raw {
        for replied in called.iter().flatten() {
            out.write_all(replied.raw.expose())?;
            writeln!(out)?;
        }
    }
    let code = if args.ping {
        connection::show(args, called, took, out)?
    } else {
        show_persons(args, called, took, out)?
    };
    out.flush()?;
    Ok(code)
}

/// What became of one person's call: the answer, and when to try again if it says so; or why there is
/// none.
type Outcome = Result<(PersonAnswer, Option<String>), String>;

fn show_persons(
    args: &AskArgs,
    called: Vec<Called>,
    took: Duration,
    out: &mut dyn Write,
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let bytes: usize = called.iter().flatten().map(length).sum();
    let mut persons = Vec::with_capacity(called.len());
    for called in called {
        persons.push(match called {
            Ok(replied) => Ok((person(replied.reply)?, replied.retry_after)),
            Err(error) => Err(error.to_string()),
        });
    }
    let gave = |person: &Outcome| matches!(person, Ok((person, _)) if all_gave_data(person));
    if args.json {
        write_json(out, &persons, took)?;
    } else if !args.raw {
        write_head(out, args.kontrakt(), took, bytes)?;
        for (place, outcome) in persons.iter().enumerate() {
            write_heading(out, place, persons.len(), &args.person)?;
            match outcome {
                Ok((person, retry_after)) => {
                    write_person(out, person, &|_| None)?;
                    write_retry(out, retry_after.as_deref())?;
                }
                Err(error) => writeln!(out, "no answer: {error}")?,
            }
        }
    }
    Ok(exit_code(persons.iter().all(gave)))
}

fn write_json(out: &mut dyn Write, persons: &[Outcome], took: Duration) -> io::Result<()> {
    let of = |person: &Outcome| match person {
        Ok((person, _)) => ShownPerson::of(person),
        Err(error) => ShownPerson::without(error),
    };
    let shown = Shown {
        tx_id: None,
        corr_id: None,
        elapsed_ms: took.as_millis(),
        persons: persons.iter().map(of).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &shown)?;
    writeln!(out)
}

pub(super) fn length(replied: &Replied) -> usize {
    replied.raw.expose().len()
}

/// The answer about a person in the words that SHS has for it: a fault concerns its one person.
fn person(reply: Reply) -> Result<PersonAnswer, AnotherOperation> {
    match reply {
        Reply::Svar(person) => Ok(person),
        Reply::Fault(fault) => {
            let (felkod, felmeddelanden) = fault.said();
            Ok(PersonAnswer::Fault {
                felkod,
                felmeddelanden,
            })
        }
        Reply::Test(_) => Err(AnotherOperation),
    }
}

pub(super) fn write_head(
    out: &mut dyn Write,
    kontrakt: Kontrakt,
    took: Duration,
    bytes: usize,
) -> io::Result<()> {
    let (version, took) = (kontrakt.version(), took.as_secs_f64() * 1_000.0);
    writeln!(
        out,
        "Answered by SOAP, version {version}, in {took:.0} ms, {bytes} bytes"
    )
}

pub(super) fn write_retry(out: &mut dyn Write, retry_after: Option<&str>) -> io::Result<()> {
    match retry_after {
        Some(after) => writeln!(out, "the node says: try again after {}", printable(after)),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "soap_tests.rs"]
mod tests;
