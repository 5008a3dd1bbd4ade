//! Keys of sealed bodies: X25519, each with a name that travels with what is sealed to it.

use std::fmt;
use std::sync::Arc;

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeS, Serializable, setup_sender};
use shs_schemas::Sensitive;

/// Longest name of a key, in bytes.
pub const KEY_ID_BYTES_MAX: usize = 32;
/// Length of a public and of a private key, in bytes.
pub const KEY_BYTES: usize = 32;

pub(super) type Suite = X25519HkdfSha256;

/// Name of a key: letters, digits and `.`, `_`, `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is empty, longer than [`KEY_ID_BYTES_MAX`], or holds another sign.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let good = (1..=KEY_ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(sign);
        good.then(|| Self(text.into())).ok_or(NotAKey::Name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why something is no key. Nothing of it is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// The name.
    #[error("the name of a key is 1 to 32 letters, digits, full stops, hyphens or underscores")]
    Name,
    /// The bytes.
    #[error("is not an X25519 key of 32 bytes")]
    Bytes,
}

/// A key that can be sealed to.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    pub(super) key: <Suite as Kem>::PublicKey,
}

impl PublicKey {
    /// A key with its name.
    ///
    /// # Errors
    /// When nothing can be sealed to it: not 32 bytes, or a point that makes every secret the same.
    pub fn new(id: KeyId, bytes: &[u8]) -> Result<Self, NotAKey> {
        let key = <Suite as Kem>::PublicKey::from_bytes(bytes).map_err(|_| NotAKey::Bytes)?;
        setup_sender::<AesGcm256, HkdfSha256, Suite>(&OpModeS::Base, &key, b"")
            .map_err(|_| NotAKey::Bytes)?;
        Ok(Self { id, key })
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; KEY_BYTES] {
        self.key.to_bytes().into()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id)
    }
}

/// A key that opens, with the one that is sealed to. The private one is wiped when it is dropped.
#[derive(Clone)]
pub struct KeyPair {
    public: PublicKey,
    pub(super) private: <Suite as Kem>::PrivateKey,
}

impl KeyPair {
    /// A new pair, from the randomness of the operating system.
    #[must_use]
    pub fn generate(id: KeyId) -> Self {
        let (private, key) = Suite::gen_keypair();
        let public = PublicKey { id, key };
        Self { public, private }
    }

    /// The pair of a private key.
    ///
    /// # Errors
    /// When it is not 32 bytes.
    pub fn new(id: KeyId, private: &[u8]) -> Result<Self, NotAKey> {
        let read = <Suite as Kem>::PrivateKey::from_bytes(private);
        let private = read.map_err(|_| NotAKey::Bytes)?;
        let key = Suite::sk_to_pk(&private);
        let public = PublicKey { id, key };
        Ok(Self { public, private })
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        &self.public.id
    }

    /// What is sealed to.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The private key, for the file that keeps it.
    #[must_use]
    pub fn private_bytes(&self) -> Sensitive<[u8; KEY_BYTES]> {
        Sensitive::new(self.private.to_bytes().into())
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.public.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> KeyId {
        KeyId::parse("csn-2026").unwrap()
    }

    #[test]
    fn a_pair_is_what_its_private_key_makes_it_and_shows_its_name_only() {
        let pair = KeyPair::generate(id());
        let private = pair.private_bytes();
        let again = KeyPair::new(id(), private.expose()).unwrap();
        assert_eq!(again.public(), pair.public());
        let read = PublicKey::new(id(), &pair.public().to_bytes()).unwrap();
        assert_eq!(read, *pair.public());
        let shown = format!("{pair:?} {read:?} {private:?}");
        assert_eq!(shown, "KeyPair(csn-2026) PublicKey(csn-2026) [redacted]");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for bytes in [&[][..], &[7; 31], &[7; 33]] {
            assert_eq!(KeyPair::new(id(), bytes).unwrap_err(), NotAKey::Bytes);
            assert_eq!(PublicKey::new(id(), bytes).unwrap_err(), NotAKey::Bytes);
        }
        // Points of low order: whatever is sealed to them, anybody opens.
        let mut one = [0; 32];
        one[0] = 1;
        for low in [[0; 32], one] {
            assert_eq!(PublicKey::new(id(), &low).unwrap_err(), NotAKey::Bytes);
        }
    }

    #[test]
    fn a_name_is_short_and_plain() {
        for bad in ["", "a b", "a\nb", "nyckel-å", "a/b", &"x".repeat(33)] {
            assert_eq!(KeyId::parse(bad), Err(NotAKey::Name), "{bad}");
        }
        assert_eq!(KeyId::parse(&"x".repeat(32)).unwrap().as_str().len(), 32);
    }
}
