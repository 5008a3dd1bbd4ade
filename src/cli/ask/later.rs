//! `samsvar ask --async`: the question goes out, and its reply is fetched, shown and acknowledged.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use shs_schemas::shs::{Adress, Message};
use tokio::time::Instant;

use super::super::{FOUND_FAULTS, shown};
use super::{AskArgs, waiting};
use crate::client::Answered;
use crate::client::asynchronous::{Came, LaterError, What};
use crate::client::delivery::Outbox;

/// How paths of the two services usually end.
const RECEIVE: &str = "/shs/rs";
const DELIVERY: &str = "/shs/ds";

/// Why nothing can be fetched.
#[derive(Debug, thiserror::Error)]
#[error("--to does not end with {RECEIVE}: say with --ds where the delivery service is")]
struct NoDeliveryService;

/// Asks and shows: exit code 0 when every authority that was asked gave data, else 1, as for an error
/// message.
pub(super) async fn ask(
    args: &AskArgs,
    question: &Message,
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let service = delivery_service(args)?;
    let address = Adress::parse(&args.from)?;
    let outbox = Outbox::new(args.tls.client(&service)?, &service, &address)?;
    let client = args.tls.client(&args.to)?;
    let started = Instant::now();
    let waiting = waiting();
    let came = async {
        client.send_asynch(&args.to, question.write()).await?;
        let longest = Duration::from_secs(args.wait_s);
        outbox.wait_for(&question.label, longest).await
    };
    let came: Result<Came, LaterError> = came.await;
    waiting.finish_and_clear();
    let (came, took) = (came?, started.elapsed());
    let code = match came.what {
        What::Reply(bytes) => args.show(&Answered::read(bytes.into_exposed())?, took)?,
        What::Error { code, info } => {
            let info = info.map_or_else(String::new, |info| shown::printable(info.expose()));
            let mut out = io::stdout().lock();
            if args.json {
                let error = serde_json::json!({ "error_code": code.as_str(), "text": info });
                writeln!(out, "{error}")?;
            } else {
                writeln!(out, "error {code}: {info}")?;
            }
            ExitCode::from(FOUND_FAULTS)
        }
    };
    // Not before it is shown: what is not acknowledged can be fetched again.
    outbox.acknowledge(&came.tx_id).await?;
    Ok(code)
}

/// Where replies are fetched.
fn delivery_service(args: &AskArgs) -> Result<String, NoDeliveryService> {
    if let Some(ds) = &args.ds {
        return Ok(ds.clone());
    }
    let beginning = args.to.trim_end_matches('/').strip_suffix(RECEIVE);
    let beginning = beginning.ok_or(NoDeliveryService)?;
    Ok(format!("{beginning}{DELIVERY}"))
}

#[cfg(test)]
mod tests;
