//! Where the ledger is kept, and how long a note may take (design 3 and 4).

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use garde::Validate;
use samsvar_actors::ledger::{GROUP_MAX, MAILBOX_MAX, WAIT_MAX_MS};
use serde::Deserialize;

/// Largest group that can be set: as many notes as may wait.
pub(super) const GROUP_MAX_MAX: u32 = 16_384;
const _: () = assert!(GROUP_MAX_MAX as usize <= MAILBOX_MAX);

/// The ledger.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Ledger {
    /// Its folder, relative to the settings; after loading as it is from here. Without one the node
    /// has no ledger and refuses asynchronous messages.
    #[garde(skip)]
    pub folder: Option<PathBuf>,
    /// Most notes that share one write and one fsync.
    #[garde(range(min = 1, max = GROUP_MAX_MAX))]
    pub group_max: u32,
    /// Longest wait for a note to come to disk, in milliseconds.
    #[garde(range(min = 10, max = 60_000))]
    pub wait_max_ms: u64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            folder: None,
            group_max: GROUP_MAX,
            wait_max_ms: WAIT_MAX_MS,
        }
    }
}

impl Ledger {
    /// Longest wait for a note to come to disk.
    #[must_use]
    pub const fn wait_max(&self) -> Duration {
        Duration::from_millis(self.wait_max_ms)
    }

    /// Resolves the folder, and looks whether the ledger can be kept there. A folder that is missing
    /// is not made yet: then the one it will stand in must be writable. On a fault: what is wrong.
    pub(super) fn find_folder(&mut self, beside: &Path) -> Result<(), String> {
        let Some(folder) = &mut self.folder else {
            return Ok(());
        };
        *folder = beside.join(&*folder);
        match fs::metadata(&*folder) {
            Ok(found) if found.is_dir() => try_to_write(folder),
            Ok(_) => Err("is not a folder".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let parent = folder.parent().filter(|parent| *parent != Path::new(""));
                try_to_write(parent.unwrap_or(Path::new(".")))
                    .map_err(|fault| format!("there is none, and the folder above it {fault}"))
            }
            Err(error) => Err(format!("cannot be read: {error}")),
        }
    }
}

/// Makes a file and removes it. Rights alone do not tell: the disk may be read-only, the user root.
fn try_to_write(folder: &Path) -> Result<(), String> {
    let probe = folder.join(format!(".samsvar-check-{}", std::process::id()));
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&probe)
        .and_then(|_| fs::remove_file(&probe))
        .map_err(|error| format!("cannot be written: {error}"))
}
