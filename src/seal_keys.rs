//! Files of keys for sealed bodies: one line each, the name of the key and the key in base64.
//!
//! ```text
//! csn-2026-11 mKIFfvhSEJ…=
//! ```
//!
//! `NAME.pub` is for the other side; `NAME.key` opens, and is for its owner alone.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64_simd::STANDARD;
use samsvar_actors::transport::sealing::{KeyId, KeyPair, NotAKey, PublicKey};
use shs_schemas::Sensitive;

use crate::settings::read_bounded;

/// Largest file of a key, in bytes.
const FILE_BYTES_MAX: u64 = 256;
/// File mode of keys that open.
const KEY_MODE: u32 = 0o600;
/// File mode of keys that are sealed to.
const PUBLIC_MODE: u32 = 0o644;
/// Rights of others than the owner.
const OF_OTHERS: u32 = 0o077;

/// Why a key cannot be used. Nothing of it is quoted.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The line.
    #[error("is not the name of a key and the key in base64")]
    Line,
    /// The name or the key.
    #[error(transparent)]
    Key(#[from] NotAKey),
    /// The file.
    #[error("{0}")]
    File(String),
    /// The file of a key that opens.
    #[error("can be read by others than its owner: chmod 600")]
    Mode,
}

/// Reads a key that is sealed to, as it stands in a `.pub` file.
///
/// # Errors
/// What is wrong.
pub fn public_key(line: &str) -> Result<PublicKey, KeyFault> {
    let (id, bytes) = name_and_bytes(line)?;
    Ok(PublicKey::new(id, bytes.expose())?)
}

/// Reads a `.pub` file.
///
/// # Errors
/// What is wrong.
pub fn read_public(file: &Path) -> Result<PublicKey, KeyFault> {
    public_key(line_of(file)?.expose())
}

/// Reads a `.key` file, which nobody but its owner may read.
///
/// # Errors
/// What is wrong.
pub fn read_private(file: &Path) -> Result<KeyPair, KeyFault> {
    let metadata = fs::metadata(file);
    let metadata = metadata.map_err(|error| KeyFault::File(format!("cannot be read: {error}")))?;
    if metadata.permissions().mode() & OF_OTHERS != 0 {
        return Err(KeyFault::Mode);
    }
    let (id, bytes) = name_and_bytes(line_of(file)?.expose())?;
    Ok(KeyPair::new(id, bytes.expose())?)
}

fn line_of(file: &Path) -> Result<Sensitive<String>, KeyFault> {
    let bytes = read_bounded(file, FILE_BYTES_MAX);
    let bytes = bytes.map_err(|fault| KeyFault::File(fault.message))?;
    let text = String::from_utf8(bytes).map_err(|_| KeyFault::Line)?;
    Ok(Sensitive::new(text))
}

fn name_and_bytes(line: &str) -> Result<(KeyId, Sensitive<Vec<u8>>), KeyFault> {
    let (name, key) = line.trim().split_once(' ').ok_or(KeyFault::Line)?;
    let id = KeyId::parse(name)?;
    let bytes = STANDARD.decode_to_vec(key.trim());
    Ok((id, Sensitive::new(bytes.map_err(|_| KeyFault::Line)?)))
}

/// What stands in the `.pub` file of a key.
#[must_use]
pub fn public_line(key: &PublicKey) -> String {
    format!("{} {}", key.id(), STANDARD.encode_to_string(key.to_bytes()))
}

/// Writes `NAME.key` and `NAME.pub` of a pair into a folder, where neither may be yet.
///
/// # Errors
/// When a file cannot be written; then neither is left.
pub fn write(folder: &Path, pair: &KeyPair) -> Result<(PathBuf, PathBuf), KeyFault> {
    let place = |ending: &str| folder.join(format!("{}.{ending}", pair.id()));
    let (key, public) = (place("key"), place("pub"));
    let secret = pair.private_bytes();
    let secret = STANDARD.encode_to_string(secret.expose());
    write_new(&key, KEY_MODE, &format!("{} {secret}\n", pair.id()))?;
    let written = write_new(
        &public,
        PUBLIC_MODE,
        &format!("{}\n", public_line(pair.public())),
    );
    if written.is_err() {
        let _ = fs::remove_file(&key);
    }
    written.map(|()| (key, public))
}

fn write_new(file: &Path, mode: u32, text: &str) -> Result<(), KeyFault> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let written = options.open(file).and_then(|mut open| {
        open.write_all(text.as_bytes())
            .and_then(|()| open.sync_all())
    });
    written.map_err(|error| KeyFault::File(format!("{}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> KeyPair {
        KeyPair::generate(KeyId::parse("csn-1").unwrap())
    }

    #[test]
    fn what_is_written_is_read_again_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let pair = pair();
        let (key, public) = write(folder.path(), &pair).unwrap();
        assert_eq!(read_private(&key).unwrap().public(), pair.public());
        assert_eq!(read_public(&public).unwrap(), *pair.public());
        assert!(matches!(
            write(folder.path(), &pair),
            Err(KeyFault::File(_))
        ));
        fs::remove_file(&key).unwrap();
        // The other one is there: neither is left.
        assert!(write(folder.path(), &pair).is_err());
        assert!(!key.exists());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (key, public) = write(folder.path(), &pair()).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o601] {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            assert!(
                matches!(read_private(&key), Err(KeyFault::Mode)),
                "{mode:o}"
            );
        }
        assert!(read_public(&public).is_ok());
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_quoted() {
        let short = STANDARD.encode_to_string([7; 31]);
        let low = STANDARD.encode_to_string([0; 32]);
        for line in [
            "",
            "hemlig",
            "hemlig hemlig",
            " ",
            &format!("hemlig {short}"),
            &format!("hemlig {low}"),
            &format!("hemlig/x {short}"),
        ] {
            let fault = public_key(line).unwrap_err();
            assert!(
                !format!("{fault} {fault:?}").contains("hemlig"),
                "{line}: {fault}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let large = folder.path().join("large.pub");
        fs::write(&large, "x".repeat(257)).unwrap();
        assert!(matches!(read_public(&large), Err(KeyFault::File(_))));
    }
}
