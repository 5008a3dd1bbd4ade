//! The wire formats of samsvar: SHS 1.2 on the outside, SSBTEK inside it.
//!
//! Everything here is pure: bytes in, values or bytes out; no I/O, no clock, no async. Received
//! bytes are never copied whole: parts, subtrees and answers are slices ([`bytes::Bytes`]) of what
//! was received. Every reader is bounded, refuses DTD processing, and answers bad input with a
//! [`WireError`] that names element and offset and never quotes the input.
//!
//! ```text
//! HTTP body ─ mime ─┬─ part 0 ─ shs::label
//!                   └─ part n ─ ssbtek::fraga ─► sub-question per Uppgiftslämnare
//!                               ssbtek::svar  ◄─ answer element per Uppgiftslämnare
//! HTTP body ◄ mime ─┬─ shs::label
//!                   └─ ssbtek::svar (compiled response)
//! ```

pub mod charset;
pub mod error;
pub mod error_code;
pub mod ids;
pub mod mime;
pub mod sensitive;
pub mod shs;
pub mod ssbtek;
pub mod xml;

pub use error::{Fault, WireError};
pub use error_code::ErrorCode;
pub use sensitive::Sensitive;
pub use ssbtek::{Svarselement, Uppgiftslamnare};
