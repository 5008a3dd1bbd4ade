//! Checkpoints: signed statements of how far the ledger reached, and what its last line was (design
//! 8.5; R-087). A chain alone shows no end that was cut off, and can be made anew from the changed line
//! on by whoever may write the files. A checkpoint that is kept elsewhere shows both.
//!
//! A checkpoint is a line of the ledger, about the line before it; then a line of a file of its own; then
//! a line of the log. The file never says more than what is on disk in the ledger.

use std::fmt;
use std::io;
use std::path::Path;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use super::chain::{Hash, Head, from_hex, to_hex};
use super::private;

/// What is signed, and by whom. Reads the same in the ledger and in the file beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Number of the line that it is about.
    pub last_seq: u64,
    /// The hash of that line.
    pub hash: String,
    /// Ed25519 public key, in hexadecimal digits.
    pub public_key: String,
    /// Ed25519 signature, in hexadecimal digits.
    pub signature: String,
}

/// A checkpoint with when and where: a line of the file beside the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// When, as it stands in the ledger.
    pub time: String,
    /// Which node.
    pub node: String,
    /// What.
    #[serde(flatten)]
    pub checkpoint: Checkpoint,
}

impl Stated {
    /// Whether the signature is right for this key, in hexadecimal digits.
    #[must_use]
    pub fn is_signed_by(&self, public_key: &str) -> bool {
        let text = signed(
            &self.node,
            &self.time,
            self.checkpoint.last_seq,
            &self.checkpoint.hash,
        );
        let (Some(key), Some(signature)) =
            (from_hex(public_key), from_hex(&self.checkpoint.signature))
        else {
            return false;
        };
        UnparsedPublicKey::new(&ED25519, key)
            .verify(text.as_bytes(), &signature)
            .is_ok()
    }

    /// The line that it is about.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        Some(Head {
            seq: self.checkpoint.last_seq,
            hash: Hash::parse(&self.checkpoint.hash)?,
        })
    }
}

/// The text that is signed.
fn signed(node: &str, time: &str, seq: u64, hash: &str) -> String {
    format!("samsvar ledger checkpoint 1\n{node}\n{time}\n{seq}\n{hash}\n")
}

/// Signs checkpoints.
pub struct Signer {
    pair: Ed25519KeyPair,
    public_key: String,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// With the key in this file: PKCS #8, DER, as `openssl pkey -inform DER` reads it.
    ///
    /// # Errors
    /// When it cannot be read, others may read it, or it holds no Ed25519 key.
    pub fn load(path: &Path) -> io::Result<Self> {
        let no_key = |_| io::Error::new(io::ErrorKind::InvalidData, "holds no Ed25519 key");
        let content = private::read(path)?;
        Ok(Self::of(
            Ed25519KeyPair::from_pkcs8(&content).map_err(no_key)?,
        ))
    }

    /// The same; when there is no file it is made, with a new key.
    ///
    /// # Errors
    /// When it can be neither read nor made.
    pub fn load_or_make(path: &Path) -> io::Result<Self> {
        match Self::load(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let failed = |_| io::Error::other("no key could be made");
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                private::create(path, pair.to_pkcs8v1().map_err(failed)?.as_ref())?;
                Ok(Self::of(pair))
            }
            found => found,
        }
    }

    fn of(pair: Ed25519KeyPair) -> Self {
        let public_key = to_hex(pair.public_key().as_ref());
        Self { pair, public_key }
    }

    /// Its public key, in hexadecimal digits.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// States that the ledger of this node reached this line at this time.
    #[must_use]
    pub fn state(&self, node: &str, time: String, head: Head) -> Stated {
        let hash = head.hash.to_string();
        let signature = self
            .pair
            .sign(signed(node, &time, head.seq, &hash).as_bytes());
        Stated {
            time,
            node: node.to_owned(),
            checkpoint: Checkpoint {
                last_seq: head.seq,
                hash,
                public_key: self.public_key.clone(),
                signature: to_hex(signature.as_ref()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_every_word_of_a_checkpoint_is_signed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(Signer::load(&path).is_err());
        let signer = Signer::load_or_make(&path).unwrap();
        let again = Signer::load_or_make(&path).unwrap();
        assert_eq!(signer.public_key(), again.public_key());
        let head = Head {
            seq: 7,
            hash: Hash::of(b"line"),
        };
        let stated = signer.state("n1", "2026-11-22T10:00:00.000Z".to_owned(), head);
        assert!(stated.is_signed_by(again.public_key()));
        assert_eq!(stated.head(), Some(head));
        let change = |change: fn(&mut Stated)| {
            let mut changed = stated.clone();
            change(&mut changed);
            changed.is_signed_by(again.public_key())
        };
        assert!(!change(|it| it.time.push('0')));
        assert!(!change(|it| it.node.push('0')));
        assert!(!change(|it| it.checkpoint.last_seq += 1));
        assert!(!change(|it| it.checkpoint.hash.insert(0, '0')));
        assert!(!change(|it| it.checkpoint.signature = "00".repeat(64)));
        let other = Signer::load_or_make(&folder.path().join("other")).unwrap();
        assert!(!stated.is_signed_by(other.public_key()));
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        private::create(&path, b"something").unwrap();
        let refused = Signer::load_or_make(&path).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
        assert_eq!(std::fs::read(&path).unwrap(), b"something");
        let shown = format!(
            "{:?}",
            Signer::load_or_make(&folder.path().join("k")).unwrap()
        );
        assert!(shown.ends_with(".. }") && shown.len() < 120, "{shown}");
    }
}
