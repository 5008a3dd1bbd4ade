//! A call as it comes through either door: one of the two operations of the contract, bare or in a
//! SOAP envelope, in any version that is served (ssbtek-10, 0.2, 1.1 and 6.2).
//!
//! The operation is told by the name of the document's root, or of the only child of the envelope's
//! body; `SOAPAction` is empty for both and says nothing.

#[cfg(test)]
pub(super) mod samples;

use bytes::Bytes;

use super::Kontrakt;
use super::fraga::{self, Fraga, lasning};
use super::kuvert::{self, Opened};
use crate::error::{Fault, WireError};
use crate::xml::{self, Limits};

/// An operation of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `hamtaBastjanstInformation`: the question.
    Hamta,
    /// `testaBastjanstInformation`: are the bastjänster there?
    Testa,
}

impl Operation {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Hamta, Self::Testa];

    /// Name of the request's root; `Response` and `Fault` are appended for the answers.
    #[must_use]
    pub const fn element(self) -> &'static str {
        match self {
            Self::Hamta => "hamtaBastjanstInformation",
            Self::Testa => "testaBastjanstInformation",
        }
    }

    /// The operation whose request has this local name.
    #[must_use]
    pub fn from_element(local: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.element() == local)
    }

    /// Root of the response.
    #[must_use]
    pub const fn response_element(self) -> &'static str {
        match self {
            Self::Hamta => "hamtaBastjanstInformationResponse",
            Self::Testa => "testaBastjanstInformationResponse",
        }
    }

    /// Root of the fault detail.
    #[must_use]
    pub const fn fault_element(self) -> &'static str {
        match self {
            Self::Hamta => "hamtaBastjanstInformationFault",
            Self::Testa => "testaBastjanstInformationFault",
        }
    }
}

/// The form a document came in, in which it is answered (ssbtek-10, 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// A document of its own.
    Bar,
    /// In a SOAP 1.1 envelope.
    Kuvert,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Anrop {
    /// A question about one person.
    Fraga(Box<Fraga>),
    /// A test of the bastjänster, which names nobody.
    Test(Kontrakt),
}

impl Anrop {
    /// Version of the contract that it is in.
    #[must_use]
    pub fn kontrakt(&self) -> Kontrakt {
        match self {
            Self::Fraga(fraga) => fraga.kontrakt(),
            Self::Test(kontrakt) => *kontrakt,
        }
    }

    /// Its operation.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Fraga(_) => Operation::Hamta,
            Self::Test(_) => Operation::Testa,
        }
    }

    /// Reads a call, in either form. `charset` is what the part's or the HTTP header names; it
    /// counts only for bytes that are no text without it (shs-1.2, 2.7).
    ///
    /// # Errors
    /// An [`Anropsfel`] with the first thing that is wrong, and as much as was known of the call by
    /// then.
    pub fn read(
        document: Bytes,
        charset: Option<&str>,
        limits: &Limits,
    ) -> Result<(Self, Form), Anropsfel> {
        let unknown = |form, orsak| Anropsfel {
            form,
            kontrakt: None,
            operation: None,
            orsak,
        };
        let unreadable = |error| unknown(Form::Bar, Orsak::Ogiltig(error));
        let document = xml::decode_declared(document, charset, Operation::Hamta.element(), limits)
            .map_err(unreadable)?;
        let text = fraga::text(&document).map_err(unreadable)?;
        let opened = kuvert::open(text, limits).map_err(|(form, orsak)| unknown(form, orsak))?;

        let start = &opened.start;
        let form = opened.form;
        let kontrakt = start
            .namespace
            .as_deref()
            .and_then(Kontrakt::from_namespace);
        let operation = Operation::from_element(start.local);
        let fel = |orsak| Anropsfel {
            form,
            kontrakt,
            operation,
            orsak,
        };
        let (Some(served), Some(known)) = (kontrakt, operation) else {
            let name = operation.unwrap_or(Operation::Hamta).element();
            let error = WireError::new(name, start.span.start, Fault::Missing);
            return Err(fel(Orsak::OkandOperation(error)));
        };
        let anrop = match known {
            Operation::Hamta => read_fraga(&document, opened, served, limits),
            Operation::Testa => read_test(opened, served),
        };
        Ok((anrop.map_err(|error| fel(Orsak::Ogiltig(error)))?, form))
    }
}

fn read_fraga(
    document: &Bytes,
    mut opened: Opened<'_>,
    kontrakt: Kontrakt,
    limits: &Limits,
) -> Result<Anrop, WireError> {
    let lasning = lasning::read_root(&mut opened.cursor, &opened.start, kontrakt, limits)?;
    kuvert::close(opened.cursor, opened.form)?;
    let fraga = Fraga::new(document, lasning, limits);
    Ok(Anrop::Fraga(Box::new(fraga)))
}

/// The type is an empty sequence: not even white space may stand in it (ssbtek-10, 1.3).
fn read_test(mut opened: Opened<'_>, kontrakt: Kontrakt) -> Result<Anrop, WireError> {
    let name = Operation::Testa.element();
    opened.cursor.check_attributes(name, &[])?;
    opened.cursor.end_of_empty(name)?;
    kuvert::close(opened.cursor, opened.form)?;
    Ok(Anrop::Test(kontrakt))
}

/// Why a document is no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anropsfel {
    /// The form it came in, as far as that was seen.
    pub form: Form,
    /// Its version, when its root told one.
    pub kontrakt: Option<Kontrakt>,
    /// Its operation, when the name of its root told one, in whatever namespace.
    pub operation: Option<Operation>,
    /// What was wrong.
    pub orsak: Orsak,
}

/// What was wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orsak {
    /// It is not well-formed, not valid, or beyond a limit.
    Ogiltig(WireError),
    /// Its root, or the child of its body, is no operation of a version that is served.
    OkandOperation(WireError),
    /// A header that must be understood and is not (SOAP 1.1, 4.2.3).
    MustUnderstand(WireError),
    /// An envelope of another version of SOAP (SOAP 1.1, 4.1.2).
    SoapVersion(WireError),
}

impl Orsak {
    /// Where it was wrong.
    #[must_use]
    pub const fn fault(&self) -> WireError {
        match self {
            Self::Ogiltig(error)
            | Self::OkandOperation(error)
            | Self::MustUnderstand(error)
            | Self::SoapVersion(error) => *error,
        }
    }
}

impl From<WireError> for Orsak {
    fn from(error: WireError) -> Self {
        Self::Ogiltig(error)
    }
}

#[cfg(test)]
#[path = "anrop_tests.rs"]
mod tests;
