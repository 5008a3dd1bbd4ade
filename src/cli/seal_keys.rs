//! `samsvar seal-keys`: a key pair for sealed bodies.

use std::io::{self, Write};
use std::path::PathBuf;

use samsvar_actors::transport::sealing::{KeyId, KeyPair};

use crate::seal_keys::{public_line, write};

/// Arguments of `samsvar seal-keys`.
#[derive(Clone, Debug, clap::Args)]
pub struct SealKeysArgs {
    /// Folder for the two files; nothing that is there is written over
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the key, which travels with what is sealed to it: nod-2026-11
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: KeyId,
}

fn name(text: &str) -> Result<KeyId, String> {
    KeyId::parse(text).map_err(|fault| fault.to_string())
}

/// Makes a pair and says where each part of it belongs.
///
/// # Errors
/// When a file is there already or cannot be written.
pub fn run(args: &SealKeysArgs) -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::path::absolute(&args.out)?;
    std::fs::create_dir_all(&folder)?;
    let pair = KeyPair::generate(args.name.clone());
    let (key, public) = write(&folder, &pair)?;
    let mut out = io::stdout().lock();
    writeln!(out, "# new  {}: for the other side", public.display())?;
    writeln!(out, "# new  {}: opens; for its owner alone", key.display())?;
    writeln!(
        out,
        "# As the node's own, in its configuration:\n\
         # [sealing]\n\
         # key_files = [\"{}\"]\n\
         # As a party's, in the party register:\n\
         # seal = \"{}\"",
        key.display(),
        public_line(pair.public())
    )?;
    Ok(())
}
