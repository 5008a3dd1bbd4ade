//! LEFI: one JSON question in the element of Försäkringskassan that two authorities answer
//! (ssbtek-10, 4.3 and 4.8). It is split into a part for Försäkringskassan and one for
//! Pensionsmyndigheten, and their answers are merged into one. Values are kept as raw JSON text,
//! so that no number and no order is rewritten.

mod delning;
mod koder;
mod medlemmar;
mod provning;
mod sammanslagning;

pub use delning::{Delning, LEFI_VERSIONER, check_aktorsid, check_version, split};
pub use koder::{LefiMedlem, beskrivning};
pub(super) use provning::changed;
pub(super) use sammanslagning::{LefiUtfall, is_readable, merge};
