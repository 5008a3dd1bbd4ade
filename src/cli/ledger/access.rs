//! Reading is noted, before anything is shown.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use chrono::Utc;
use samsvar_actors::ledger::event::{Avlast, Command, Filter};
use samsvar_actors::ledger::reading::{Reading, Readings};
use samsvar_actors::ledger::verify::files;

/// Whether reading is noted.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct NoteArgs {
    /// Leave no note that the ledger was read: for a copy; refused where a node keeps it
    #[arg(long)]
    no_note: bool,
}

/// Leaves a note of who reads, and by which kinds of filter.
pub(super) fn note(
    folder: &Path,
    args: NoteArgs,
    command: Command,
    filters: Vec<Filter>,
) -> Result<(), Box<dyn std::error::Error>> {
    if args.no_note {
        return if is_kept(folder)? {
            Err("a node keeps this ledger: reading it is noted".into())
        } else {
            Ok(())
        };
    }
    let sudo = std::env::var("SUDO_UID").ok();
    let reading = Reading {
        time: Utc::now(),
        what: Avlast {
            uid: rustix::process::getuid().as_raw(),
            sudo_uid: sudo.and_then(|uid| uid.parse().ok()),
            command,
            filters,
        },
    };
    let left = Readings::of(folder).leave(&reading);
    left.map_err(|error| {
        format!("that the ledger is read cannot be noted, so it is not shown: {error}").into()
    })
}

/// Whether a node writes here now.
fn is_kept(folder: &Path) -> io::Result<bool> {
    let Some(last) = files(folder)?.pop() else {
        return Ok(false);
    };
    match File::open(last)?.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
