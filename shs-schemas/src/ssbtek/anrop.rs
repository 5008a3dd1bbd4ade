//! A call as it comes through either door: one of the two operations of the contract, bare or in a
//! SOAP envelope, in any version that is served (ssbtek-10, 0.2, 1.1 and 6.2).
//!
//! The operation is told by the name of the document's root, or of the only child of the envelope's
//! body; `SOAPAction` is empty for both and says nothing.

use bytes::Bytes;

use super::Kontrakt;
use super::fraga::Fraga;
use crate::error::{Fault, WireError};
use crate::xml::Limits;

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

    /// Reads a call, in either form. `charset` is what the part's or the HTTP header names; it counts
    /// only for bytes that are no text without it (shs-1.2, 2.7).
    ///
    /// # Errors
    /// A [`Anropsfel`] with the first thing that is wrong, and as much as was known of the call by then.
    pub fn read(
        document: Bytes,
        charset: Option<&str>,
        limits: &Limits,
    ) -> Result<(Self, Form), Anropsfel> {
        let read = Fraga::read_declared(document, charset, limits);
        match read {
            Ok(fraga) => Ok((Self::Fraga(Box::new(fraga)), Form::Bar)),
            Err(error) => Err(Anropsfel {
                form: Form::Bar,
                kontrakt: None,
                operation: None,
                orsak: Orsak::Ogiltig(error),
            }),
        }
    }
}

/// Why a document is no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anropsfel {
    /// The form it came in, as far as that was seen.
    pub form: Form,
    /// Its version, when its root told one.
    pub kontrakt: Option<Kontrakt>,
    /// Its operation, when its root told one.
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

/// An error for a document that cannot be read at all, for callers that have no more exact one.
impl From<WireError> for Orsak {
    fn from(error: WireError) -> Self {
        match error.fault {
            Fault::Missing if error.element == Operation::Hamta.element() => {
                Self::OkandOperation(error)
            }
            _ => Self::Ogiltig(error),
        }
    }
}
