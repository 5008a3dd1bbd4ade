//! SSBTEK: the question, its sub-questions, the answers and the compiled response.

pub mod bastjanst;
mod cursor;
pub mod delfraga;
pub mod fel;
pub mod fraga;
pub mod kontrakt;
pub mod lefi;
mod lefi_front;
pub mod personidentitet;
pub mod sammanstallning;
pub mod svar;
mod xsd;

pub use bastjanst::{Svarselement, Uppgiftslamnare};
pub use delfraga::Delfraga;
pub use fel::{Avvisning, Delfel, FaultFelkod, Kalla, SsbtFelkod};
pub use fraga::{Fraga, FrageUppgifter, Tidsperiod};
pub use kontrakt::Kontrakt;
pub use personidentitet::{Identitetskontroll, Organisationsnummer, Personidentitet};
pub use sammanstallning::{Sammanstallning, Utfall, compose, sammanstall};
pub use svar::Delsvar;
pub use xsd::Datum;
