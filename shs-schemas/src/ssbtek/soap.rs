//! SOAP 1.1 around the documents of the contract: envelopes and faults (ssbtek-10, 1.1 and 1.2).

use bytes::Bytes;

use super::Kontrakt;
use super::anrop::Operation;
use super::fel::FaultFelkod;

/// Why a whole call is refused, as the SOAP layer says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Faultcode {
    /// The asker must change something.
    Client,
    /// The node failed, or has too much to do.
    Server,
    /// A header that must be understood and is not.
    MustUnderstand,
    /// An envelope of another version.
    VersionMismatch,
}

/// A fault about what the body holds: an envelope with `felkod` and texts in its detail.
#[must_use]
pub fn write_fault(
    kontrakt: Kontrakt,
    operation: Operation,
    felkod: FaultFelkod,
    felmeddelanden: &[impl AsRef<str>],
) -> Bytes {
    let _ = (kontrakt, operation, felkod, felmeddelanden.len());
    Bytes::new()
}

/// A fault about the envelope itself, which has no detail (SOAP 1.1, 4.4).
#[must_use]
pub fn write_envelope_fault(faultcode: Faultcode, faultstring: &str) -> Bytes {
    let _ = (faultcode, faultstring);
    Bytes::new()
}
