//! Commands on a ledger are noted in it: what shows something before it does, what only looks
//! with what it found.

use std::error::Error;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use chrono::Utc;
use samsvar_actors::ledger::event::{Avlast, Command, Filter, Resultat};
use samsvar_actors::ledger::reading::{Reading, Readings};
use samsvar_actors::ledger::verify::files;

/// Whether the command is noted.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct NoteArgs {
    /// Leave no note in the ledger: for a copy; refused where a node keeps it
    #[arg(long)]
    no_note: bool,
}

/// Somebody's command on a ledger.
pub(super) struct Visit<'l> {
    pub(super) folder: &'l Path,
    pub(super) args: NoteArgs,
    pub(super) command: Command,
    pub(super) filters: Vec<Filter>,
}

impl Visit<'_> {
    /// Looks whether the command may go unnoted, if that was asked for. The refusal is noted.
    pub(super) fn begin(&self) -> Result<(), Box<dyn Error>> {
        if self.args.no_note && is_kept(self.folder)? {
            self.leave(Resultat::Nekat)?;
            return Err("a node keeps this ledger: reading it is noted".into());
        }
        Ok(())
    }

    /// Leaves a note that something is about to be shown. Without it nothing is.
    pub(super) fn shows(&self) -> Result<(), Box<dyn Error>> {
        self.begin()?;
        let noted = self.note(Resultat::Utlamnat);
        noted.map_err(|error| {
            format!("that the ledger is read cannot be noted, so it is not shown: {error}").into()
        })
    }

    /// Leaves a note that the command was refused for this reason.
    pub(super) fn refused(&self, why: impl Into<Box<dyn Error>>) -> Box<dyn Error> {
        self.tell(Resultat::Nekat);
        why.into()
    }

    /// Leaves a note of what was found. It showed nothing of the ledger: that it cannot be noted is said,
    /// and keeps nobody from looking.
    pub(super) fn tell(&self, result: Resultat) {
        if let Err(error) = self.note(result) {
            let _ = writeln!(
                io::stderr(),
                "note: this cannot be noted in the ledger: {error}"
            );
        }
    }

    fn note(&self, result: Resultat) -> io::Result<()> {
        if self.args.no_note {
            return Ok(());
        }
        self.leave(result)
    }

    fn leave(&self, result: Resultat) -> io::Result<()> {
        let sudo = std::env::var("SUDO_UID").ok();
        Readings::of(self.folder).leave(&Reading {
            time: Utc::now(),
            what: Avlast {
                uid: rustix::process::getuid().as_raw(),
                sudo_uid: sudo.and_then(|uid| uid.parse().ok()),
                command: self.command,
                filters: self.filters.clone(),
                result: Some(result),
            },
        })
    }
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
