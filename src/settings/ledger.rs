//! Where the ledger is kept, and how long a note may take (design 3 and 4).

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use garde::Validate;
use samsvar_actors::ledger::{Custody, GROUP_MAX, MAILBOX_MAX, WAIT_MAX_MS};
use serde::Deserialize;

/// Largest group that can be set: as many notes as may wait.
pub(super) const GROUP_MAX_MAX: u32 = 16_384;
const _: () = assert!(GROUP_MAX_MAX as usize <= MAILBOX_MAX);

/// Longest retention that can be set, in days.
pub(super) const RETENTION_DAYS_MAX: u32 = 3_660;

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
    /// Days that are kept beside today. Required where real people are asked about.
    #[garde(range(min = 1, max = RETENTION_DAYS_MAX))]
    pub retention_days: Option<u32>,
    /// Whether persons asked about are noted, under a pseudonym: only where the controllers have
    /// decided so (C-13).
    #[garde(skip)]
    pub person_pseudonyms: bool,
    /// The key that signs checkpoints; beside the folder when nothing is set. Relative to the settings;
    /// after loading as it is from here, like those below.
    #[garde(skip)]
    pub signing_key: Option<PathBuf>,
    /// The file of checkpoints.
    #[garde(skip)]
    pub checkpoints: Option<PathBuf>,
    /// The keys of the months.
    #[garde(skip)]
    pub keys: Option<PathBuf>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            folder: None,
            group_max: GROUP_MAX,
            wait_max_ms: WAIT_MAX_MS,
            retention_days: None,
            person_pseudonyms: false,
            signing_key: None,
            checkpoints: None,
            keys: None,
        }
    }
}

impl Ledger {
    /// Longest wait for a note to come to disk.
    #[must_use]
    pub const fn wait_max(&self) -> Duration {
        Duration::from_millis(self.wait_max_ms)
    }

    /// What is kept beside the lines, for a ledger in this folder.
    #[must_use]
    pub fn custody(&self, folder: &Path) -> Custody {
        let beside = Custody::beside(folder);
        let or = |set: &Option<PathBuf>, default| set.clone().unwrap_or(default);
        Custody {
            signing_key: or(&self.signing_key, beside.signing_key),
            checkpoints: or(&self.checkpoints, beside.checkpoints),
            keys: or(&self.keys, beside.keys),
            retention_days: self.retention_days,
        }
    }

    /// Resolves the files that are kept beside the lines. Each fault: the setting, and what is wrong.
    pub(super) fn find_custody(&mut self, beside: &Path) -> Vec<(&'static str, String)> {
        for set in [&mut self.signing_key, &mut self.checkpoints, &mut self.keys] {
            *set = set.take().map(|path| beside.join(path));
        }
        let Some(folder) = self.folder.clone() else {
            return Vec::new();
        };
        let files = [
            ("ledger.signing_key", &self.signing_key),
            ("ledger.checkpoints", &self.checkpoints),
            ("ledger.keys", &self.keys),
        ];
        let fault = |path: &Path| {
            if path.starts_with(&folder) {
                return Some("may not lie in the folder of the ledger".to_owned());
            }
            let parent = path.parent().filter(|parent| *parent != Path::new(""));
            let fault = try_to_write(parent.unwrap_or(Path::new("."))).err()?;
            Some(format!("the folder it is in {fault}"))
        };
        let set = files
            .into_iter()
            .filter_map(|(name, path)| Some((name, path.as_ref()?)));
        set.filter_map(|(name, path)| Some((name, fault(path)?)))
            .collect()
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
