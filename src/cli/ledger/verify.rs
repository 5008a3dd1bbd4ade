//! `samsvar ledger verify`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use samsvar_actors::ledger::checkpoint::Signer;
use samsvar_actors::ledger::event::{Command, Resultat};
use samsvar_actors::ledger::verify::{Subject, Verified, verify};

use super::super::FOUND_FAULTS;
use super::Source;
use super::access::{NoteArgs, Visit};

/// Arguments of `samsvar ledger verify`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    source: Source,
    /// Checkpoints that were kept outside the ledger; by default those beside it
    #[arg(long, value_name = "FILE")]
    checkpoints: Option<PathBuf>,
    /// Public key that must have signed, in hexadecimal digits; by default the node's own key, where
    /// it can be read
    #[arg(long, value_name = "HEX")]
    public_key: Option<String>,
    #[command(flatten)]
    note: NoteArgs,
    /// JSON for programs
    #[arg(long)]
    json: bool,
}

/// Looks, and says what it found. The exit code says whether that was good.
pub(super) fn run(args: &VerifyArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let found = args.source.find()?;
    let visit = Visit {
        folder: &found.folder,
        args: args.note,
        command: Command::Verify,
        filters: Vec::new(),
    };
    visit.begin()?;
    let own = || Signer::load(&found.custody.signing_key).ok();
    let public_key = args.public_key.as_ref().map(|key| key.to_lowercase());
    let expected = public_key.or_else(|| own().map(|own| own.public_key().to_owned()));
    let subject = Subject {
        folder: found.folder.clone(),
        checkpoints: Some(
            args.checkpoints
                .clone()
                .unwrap_or(found.custody.checkpoints),
        ),
        public_key: expected.clone(),
    };
    let verified = verify(&subject);
    visit.tell(match &verified {
        Ok(Verified { finding: None, .. }) => Resultat::Helt,
        Ok(_) => Resultat::Andrat,
        Err(_) => Resultat::Avbrutet,
    });
    let verified = verified.map_err(|error| format!("{}: {error}", found.folder.display()))?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", json(&verified))?;
    } else {
        tell(&mut out, &verified, expected.is_some())?;
    }
    Ok(match verified.finding {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::from(FOUND_FAULTS),
    })
}

fn json(verified: &Verified) -> serde_json::Value {
    serde_json::json!({
        "whole": verified.finding.is_none(),
        "finding": verified.finding.as_ref().map(|finding| serde_json::json!({
            "file": finding.file.display().to_string(),
            "line": finding.line,
            "what": finding.act.to_string(),
        })),
        "files": verified.files,
        "lines": verified.lines,
        "first_seq": verified.first_seq,
        "last_seq": verified.last_seq,
        "checkpoints": verified.checkpoints,
        "checkpoints_beside": verified.stated,
        "stated_seq": verified.stated_seq,
        "public_keys": verified.public_keys,
        "mended": verified.mended,
        "half_written": verified.half_written,
    })
}

fn tell(out: &mut dyn Write, verified: &Verified, is_expected: bool) -> io::Result<()> {
    if let Some(finding) = &verified.finding {
        writeln!(out, "{finding}")?;
        writeln!(
            out,
            "{} lines before it are as they were written",
            verified.lines
        )?;
    } else {
        writeln!(
            out,
            "whole: {} lines, number {} to {}, in {} files",
            verified.lines, verified.first_seq, verified.last_seq, verified.files
        )?;
    }
    writeln!(
        out,
        "checkpoints: {} in the ledger, {} beside it; the last covers number {}",
        verified.checkpoints, verified.stated, verified.stated_seq
    )?;
    for key in &verified.public_keys {
        writeln!(out, "signed by {key}")?;
    }
    if !is_expected && !verified.public_keys.is_empty() {
        writeln!(
            out,
            "note: the key is the one that the ledger names; compare it with one that you keep"
        )?;
    }
    if verified.public_keys.len() > 1 {
        writeln!(out, "note: more than one key signed")?;
    }
    if verified.stated == 0 {
        writeln!(
            out,
            "note: there are no checkpoints beside the ledger: an end that was cut off is not seen"
        )?;
    }
    if verified.mended > 0 {
        writeln!(out, "note: {} torn pieces were mended", verified.mended)?;
    }
    if verified.half_written {
        writeln!(
            out,
            "note: the last line is not whole: it is being written, or a crash tore it"
        )?;
    }
    Ok(())
}
