//! SHS 1.2: the envelope and its administrative documents.
pub mod urn;
