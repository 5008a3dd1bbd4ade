//! Passage without change: what leaves the node is what came to it.
//!
//! When an answer arrives a digest is taken over its element. When the compiled document has been
//! written, the digest of each part where it now stands is compared with that (an exchange of its
//! version undone); of a merged answer of LEFI each source is compared before, and each of its
//! values after. Whatever differs is
//! withheld: an error takes its place, and the party is named.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::sammanstallning::Utfall;
use super::svar::Delsvar;
use super::{Kontrakt, Svarselement, Uppgiftslamnare};

/// SHA-256 over a part as it was delivered.
///
/// It is held as long as the answer is, and never printed. Keep or write down only what a key was
/// put into ([`Kontrollsumma::as_bytes`]): a plain digest of so regular a text can be guessed back
/// to the person (design 8.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Kontrollsumma([u8; 32]);

impl Kontrollsumma {
    /// Over one run of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_pieces(&[bytes])
    }

    /// Over several runs of bytes as if they were one.
    #[must_use]
    pub fn of_pieces(pieces: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for piece in pieces {
            digest.update(piece);
        }
        Self(digest.finalize().into())
    }

    /// Its bytes, to be the message of a keyed digest and nothing else.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Kontrollsumma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kontrollsumma([redacted])")
    }
}

/// Parties whose answer has changed since it came, among those that will be merged: after that they
/// can no longer be compared with what arrived. All others are compared where they stand.
pub(super) fn changed_before(utfall: &[(Uppgiftslamnare, Utfall)]) -> Vec<Uppgiftslamnare> {
    let mut changed = Vec::new();
    // What Försäkringskassan alone was asked is spliced as it is.
    if utfall.iter().all(|(ul, _)| *ul != Uppgiftslamnare::PM) {
        return changed;
    }
    for (ul, utfall) in utfall {
        if let Utfall::Svar(svar) = utfall
            && ul.element() == Svarselement::Fk
            && !changed.contains(ul)
            && !svar.is_intact()
        {
            changed.push(*ul);
        }
    }
    changed
}

/// Whether `written` is the answer that arrived, but for the exchange of its version.
pub(super) fn is_same(kontrakt: Kontrakt, svar: &Delsvar, written: &[u8]) -> bool {
    let summa = if svar.kontrakt() == kontrakt {
        Some(Kontrollsumma::of(written))
    } else {
        svar.bindningar()
            .undo(svar.element(), written, kontrakt)
            .map(|pieces| Kontrollsumma::of_pieces(&pieces))
    };
    summa.as_ref() == Some(svar.kontrollsumma())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sha_256_over_all_pieces() {
        let abc = Kontrollsumma::of(b"abc");
        assert_eq!(abc, Kontrollsumma::of_pieces(&[b"a", b"", b"bc"]));
        assert_ne!(abc, Kontrollsumma::of(b"abd"));
        // The example of FIPS 180-4.
        assert_eq!(abc.as_bytes()[..4], [0xba, 0x78, 0x16, 0xbf]);
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        let shown = format!("{:?}", Kontrollsumma::of(b"abc"));
        assert_eq!(shown, "Kontrollsumma([redacted])");
    }
}
