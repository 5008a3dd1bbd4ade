//! SSBTEK: the question, its sub-questions, the answers and the compiled response.

pub mod anrop;
pub mod bastjanst;
mod cursor;
pub mod delfraga;
pub mod fel;
pub mod fordelning;
pub mod fraga;
pub mod kontrakt;
mod kuvert;
pub mod lefi;
mod lefi_front;
pub mod passage;
pub mod personidentitet;
pub mod sammanstallning;
pub mod soap;
pub mod svar;
pub mod testsvar;
mod versionsbyte;
pub mod wsdl;
mod xsd;

pub use anrop::{Anrop, Anropsfel, Form, Operation, Orsak};
pub use bastjanst::{Svarselement, Uppgiftslamnare};
pub use fel::{Avvisning, Delfel, FaultFelkod, Kalla, SsbtFelkod};
pub use fordelning::{Anslutning, Delfraga, Fordelning, LefiVag, SkvStandard, Versioner};
pub use fraga::{Fraga, FrageUppgifter, Tidsperiod};
pub use kontrakt::Kontrakt;
pub use passage::Kontrollsumma;
pub use personidentitet::{Identitetskontroll, Organisationsnummer, Personidentitet};
pub use sammanstallning::{Sammanstallning, Utfall, sammanstall};
pub use svar::{Delsvar, Falt, Faltnamn};
pub use testsvar::{Testutfall, write_testsvar};
pub use xsd::Datum;
