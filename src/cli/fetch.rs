//! `samsvar fetch`: fetches messages from a delivery service, puts them on disk, and acknowledges them
//! once they are there.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use shs_schemas::ids::TxId;
use shs_schemas::mime;
use shs_schemas::shs::{Adress, Message};

use super::table::table;
use super::tls::TlsArgs;
use super::{FOUND_FAULTS, saved, shown};
use crate::client::delivery::Outbox;
use crate::client::sending::BODY_BYTES_MAX;

/// Arguments of `samsvar fetch`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a command line are independent"
)]
#[derive(Clone, Debug, clap::Args)]
pub struct FetchArgs {
    /// Delivery service of the node
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8585/shs/ds"
    )]
    from: String,
    #[command(flatten)]
    tls: TlsArgs,
    /// Outbox: the address that messages were sent to, inner id included
    #[arg(long, value_name = "ADDRESS")]
    outbox: String,
    /// Only messages of this product: UUID, error or confirm
    #[arg(long, value_name = "PRODUCT")]
    product: Option<String>,
    /// Test or production messages
    #[arg(long, value_name = "STATUS", value_parser = ["production", "test"], default_value = "production")]
    status: String,
    /// Only show what is there
    #[arg(long, conflicts_with_all = ["all", "tx_id", "out"])]
    list: bool,
    /// Everything that is there; otherwise the oldest message
    #[arg(long, conflicts_with = "tx_id")]
    all: bool,
    /// The message with this tx.id
    #[arg(long, value_name = "ID")]
    tx_id: Option<String>,
    /// Folder to put messages in, each in a folder of its own; `-` writes the parts to standard output
    #[arg(long, value_name = "DIR", required_unless_present = "list")]
    out: Option<PathBuf>,
    /// Call files as the sender called them; such names may tell about a person
    #[arg(long)]
    own_names: bool,
    /// Leave messages at the node: they are listed again later
    #[arg(long)]
    no_ack: bool,
}

/// Fetches and shows: exit code 0 when everything that was fetched could be read, else 1.
///
/// # Errors
/// When the service cannot be reached or refuses, or a file cannot be written.
pub async fn run(args: &FetchArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let client = args.tls.client(&args.from)?;
    let outbox = Outbox::new(client, &args.from, &Adress::parse(&args.outbox)?)?;
    if args.list {
        let list = outbox.list(&args.parameters()).await?;
        writeln!(io::stdout().lock(), "{}", shown::list(&list))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut fetching = Fetching {
        args,
        outbox,
        rows: Vec::new(),
        told: Vec::new(),
        unreadable: 0,
    };
    // What was fetched is shown also when the next message fails.
    let fetched = fetching.fetch().await;
    fetching.show()?;
    fetched?;
    Ok(if fetching.unreadable == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_FAULTS)
    })
}

impl FetchArgs {
    fn parameters(&self) -> Vec<(&str, &str)> {
        let mut parameters = vec![("filter", "noack"), ("status", self.status.as_str())];
        parameters.extend(
            self.product
                .as_deref()
                .map(|product| ("producttype", product)),
        );
        if !self.list && !self.all {
            parameters.push(("maxhits", "1"));
        }
        parameters
    }

    /// Where messages go; nothing for standard output.
    fn folder(&self) -> Option<&Path> {
        self.out.as_deref().filter(|out| *out != Path::new("-"))
    }
}

/// What has been done so far.
struct Fetching<'a> {
    args: &'a FetchArgs,
    outbox: Outbox,
    rows: Vec<Vec<String>>,
    /// What administrative and unreadable messages are about.
    told: Vec<String>,
    unreadable: usize,
}

impl Fetching<'_> {
    async fn fetch(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        if let Some(tx_id) = &self.args.tx_id {
            return self.take(&TxId::parse(tx_id)?, true).await;
        }
        let mut seen = HashSet::new();
        loop {
            let list = self.outbox.list(&self.args.parameters()).await?;
            let ids = list.messages.into_iter().map(|listed| listed.tx_id);
            // A node may list again what is not acknowledged.
            let new: Vec<TxId> = ids.filter(|id| seen.insert(id.clone())).collect();
            for tx_id in &new {
                self.take(tx_id, false).await?;
            }
            if new.is_empty() || !self.args.all {
                return Ok(());
            }
        }
    }

    /// Takes one message: fetched, on disk, acknowledged, in this order, so that none is lost.
    async fn take(
        &mut self,
        tx_id: &TxId,
        must_be_there: bool,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let bytes = match self.outbox.fetch(tx_id).await {
            // Somebody else was faster.
            Err(error) if error.is_not_there() && !must_be_there => return Ok(()),
            fetched => fetched?.into_exposed(),
        };
        let limits = mime::Limits {
            body_bytes_max: BODY_BYTES_MAX,
            ..mime::Limits::default()
        };
        let size = bytes.len();
        match Message::read(bytes.clone(), None, &limits) {
            Ok(message) => {
                self.keep(&message, size)?;
                if !self.args.no_ack {
                    self.outbox.acknowledge(tx_id).await?;
                }
            }
            Err(fault) => self.keep_unreadable(tx_id, &bytes, &fault.to_string())?,
        }
        Ok(())
    }

    fn keep(&mut self, message: &Message, size: usize) -> io::Result<()> {
        let place = if let Some(folder) = self.args.folder() {
            let saved = saved::message(folder, message, self.args.own_names)?;
            saved.display().to_string()
        } else {
            let mut out = io::stdout().lock();
            for part in &message.parts {
                out.write_all(part.data.expose())?;
            }
            out.flush()?;
            "-".to_owned()
        };
        let label = &message.label;
        self.rows
            .push(shown::row(label, &label.content.data, size, &place));
        let told = shown::administrative(message);
        self.told
            .extend(told.map(|text| format!("{}: {text}", label.tx_id)));
        Ok(())
    }

    /// A message that is no message is kept as it came, and stays at the node: somebody has to look.
    fn keep_unreadable(&mut self, tx_id: &TxId, bytes: &[u8], fault: &str) -> io::Result<()> {
        self.unreadable += 1;
        let place = match self.args.folder() {
            Some(folder) => {
                let saved = saved::unreadable(folder, tx_id, bytes)?;
                format!("; kept in {}", saved.display())
            }
            None => String::new(),
        };
        let text = format!("{tx_id}: cannot be read and is not acknowledged: {fault}{place}");
        self.told.push(text);
        Ok(())
    }

    /// On standard output, or beside it when the parts are there.
    fn show(&self) -> io::Result<()> {
        let mut out: Box<dyn Write> = match self.args.folder() {
            Some(_) => Box::new(io::stdout().lock()),
            None => Box::new(io::stderr().lock()),
        };
        if self.rows.is_empty() && self.told.is_empty() {
            return writeln!(out, "no messages");
        }
        let (header, right) = shown::FETCHED;
        if !self.rows.is_empty() {
            writeln!(out, "{}", table(header, right, self.rows.iter().cloned()))?;
        }
        for text in &self.told {
            writeln!(out, "\n{text}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
