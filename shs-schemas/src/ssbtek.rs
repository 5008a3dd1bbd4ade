//! SSBTEK: the question, its sub-questions, the answers and the compiled response.

pub mod bastjanst;

pub use bastjanst::{Svarselement, Uppgiftslamnare};
