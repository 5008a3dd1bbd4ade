//! The node's own keys for sealed bodies.

use std::path::{Path, PathBuf};

use garde::Validate;
use samsvar_actors::transport::sealing::{KeyPair, LIVE_KEYS_MAX};
use serde::Deserialize;

use crate::seal_keys;

/// The node's own keys: what parties seal their answers to.
#[derive(Clone, Debug, Default, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Sealing {
    /// Files of keys that open, relative to the settings. Answers are asked for with the first; the
    /// other is on its way in or out.
    #[garde(length(max = LIVE_KEYS_MAX))]
    pub key_files: Vec<PathBuf>,
    /// Their content after loading.
    #[serde(skip)]
    #[garde(skip)]
    pub keys: Vec<KeyPair>,
}

impl Sealing {
    /// Reads the files. On a fault: what is wrong with which, never what stands in it.
    pub(super) fn read_files(&mut self, folder: &Path) -> Result<(), String> {
        for file in &self.key_files {
            let file = folder.join(file);
            let key = seal_keys::read_private(&file);
            let key = key.map_err(|fault| format!("{}: {fault}", file.display()))?;
            if self.keys.iter().any(|other| other.id() == key.id()) {
                return Err("two keys have the same name".to_owned());
            }
            self.keys.push(key);
        }
        Ok(())
    }
}
