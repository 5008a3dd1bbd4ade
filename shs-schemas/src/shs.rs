//! SHS 1.2: the envelope and its administrative documents.

pub mod agreement;
mod document;
mod fault;
pub mod label;
pub mod management;
pub mod message;
pub mod message_list;
pub mod product;
mod strict;
pub mod time;
pub mod urn;

pub use agreement::{Agreement, Agreements, PublicAgreement};
pub use fault::{KnownIds, ReadError};
pub use label::{Actor, Administrative, Label};
pub use management::Management;
pub use message::{DataPart, Message, WriteOptions, Written};
pub use message_list::MessageList;
pub use product::{ProductType, Products};
pub use urn::{Adress, Organisationsnummer, Produkt};
