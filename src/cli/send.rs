//! `samsvar send`: sends an SHS message made from files, or a ready one, and shows the answer.

mod message;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use shs_schemas::ids::TxId;
use shs_schemas::mime;
use shs_schemas::shs::Message;

use super::table::table;
use super::tls::TlsArgs;
use super::{FOUND_FAULTS, saved, shown};
use crate::client::sending::{BODY_BYTES_MAX, HttpAnswer};

/// Arguments of `samsvar send`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a command line are independent"
)]
#[derive(Clone, Debug, clap::Args)]
pub struct SendArgs {
    /// Receive service of the node
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8585/shs/rs"
    )]
    to: String,
    #[command(flatten)]
    tls: TlsArgs,
    /// A ready message to send as it is
    #[arg(long, value_name = "FILE", conflicts_with = "datapart")]
    message: Option<PathBuf>,
    /// A data part: its type in the product, and the file; give it again for each further part
    #[arg(long, value_name = "TYPE=FILE", value_parser = pair, required_unless_present = "message")]
    datapart: Vec<(String, String)>,
    /// Sending actor: organisation number, perhaps with an inner id
    #[arg(long, value_name = "ADDRESS", required_unless_present = "message")]
    from_actor: Option<String>,
    /// Its name
    #[arg(long, value_name = "NAMN")]
    from_name: Option<String>,
    /// Receiving actor; without it the node finds the receivers by the product
    #[arg(long, value_name = "ADDRESS")]
    to_actor: Option<String>,
    /// Product: a UUID
    #[arg(long, value_name = "PRODUCT", required_unless_present = "message")]
    product: Option<String>,
    /// Question and answer in one exchange
    #[arg(long, conflicts_with = "asynch")]
    synch: bool,
    /// Store and forward (the default)
    #[arg(long)]
    asynch: bool,
    /// By default request with --synch, else event
    #[arg(long, value_name = "TYPE", value_parser = ["event", "request", "reply"])]
    sequence_type: Option<String>,
    /// Test or production
    #[arg(long, value_name = "STATUS", value_parser = ["production", "test"], default_value = "production")]
    status: String,
    /// A meta element; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    meta: Vec<(String, String)>,
    /// Subject
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// Inner sender
    #[arg(long, value_name = "TEXT")]
    originator: Option<String>,
    /// Inner receiver
    #[arg(long, value_name = "TEXT")]
    end_recipient: Option<String>,
    /// Conversation that the message belongs to; by default a new one
    #[arg(long, value_name = "ID")]
    corr_id: Option<String>,
    /// Agreement that alone decides
    #[arg(long, value_name = "UUID")]
    agreement: Option<String>,
    /// Content type of all parts; by default by the end of each file's name
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Send parts as they are instead of as base64
    #[arg(long)]
    binary: bool,
    /// Folder to put the parts of a reply in
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the message to standard output instead of sending it
    #[arg(long)]
    print: bool,
}

/// Reads `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    if name.is_empty() || value.is_empty() {
        return Err("must be NAME=VALUE");
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Sends and shows: exit code 0 when the node took the message, or answered it.
///
/// # Errors
/// When the message cannot be made or the node cannot be reached.
pub async fn run(args: &SendArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let message = args.bytes()?;
    if args.print {
        io::stdout().write_all(&message)?;
        return Ok(ExitCode::SUCCESS);
    }
    let client = args.tls.client(&args.to)?;
    let answer = client.send(&args.to, message).await?;
    let mut out = io::stdout().lock();
    let taken = show(&mut out, &answer, args.out.as_deref())?;
    Ok(if taken {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_FAULTS)
    })
}

/// Shows an answer; false when it is an error.
fn show(out: &mut dyn Write, answer: &HttpAnswer, folder: Option<&Path>) -> io::Result<bool> {
    writeln!(out, "status {}", answer.status)?;
    let headers = answer.headers.iter();
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| name.starts_with("x-shs-"))
        .collect();
    headers.sort();
    for (name, value) in headers {
        writeln!(out, "{name}: {}", shown::printable(value))?;
    }
    if !answer.is_success() {
        let refusal = answer.refusal();
        let info = refusal.info.unwrap_or_else(|| "no reason given".to_owned());
        writeln!(
            out,
            "refused: {}: {}",
            refusal.code,
            shown::printable(&info)
        )?;
        return Ok(false);
    }
    let limits = mime::Limits {
        body_bytes_max: BODY_BYTES_MAX,
        ..mime::Limits::default()
    };
    let body = answer.body.expose();
    match Message::read(body.clone(), None, &limits) {
        Ok(reply) => show_reply(out, &reply, body.len(), folder),
        // The receipt of an asynchronous message is its tx.id and nothing else.
        Err(_) => match str::from_utf8(body)
            .ok()
            .and_then(|id| TxId::parse(id).ok())
        {
            Some(tx_id) => writeln!(out, "accepted: {tx_id}").map(|()| true),
            None => writeln!(out, "the answer is neither a reply nor a receipt").map(|()| false),
        },
    }
}

fn show_reply(
    out: &mut dyn Write,
    reply: &Message,
    bytes: usize,
    folder: Option<&Path>,
) -> io::Result<bool> {
    let place = match folder {
        Some(folder) => saved::message(folder, reply, false)?.display().to_string(),
        None => "nowhere (--out)".to_owned(),
    };
    let data = &reply.label.content.data;
    let row = shown::row(&reply.label, data, bytes, &place);
    let (header, right) = shown::FETCHED;
    writeln!(out, "\n{}", table(header, right, [row]))?;
    if let Some(text) = shown::administrative(reply) {
        writeln!(out, "\n{text}")?;
    }
    Ok(!reply.label.is_error())
}

#[cfg(test)]
mod tests;
