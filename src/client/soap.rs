//! The SOAP service as a caller meets it: one person in an envelope, and an envelope back
//! (ssbtek-10, 1).
//!
//! A fault comes with status 500, or 503 when there is too much to do; what went wrong is in its
//! detail, unless the envelope itself was refused.

use bytes::Bytes;
use shs_schemas::ssbtek::{Kontrakt, Operation};
use shs_schemas::xml::{Event, Limits, Options, Reader, Start, decode_bytes};
use shs_schemas::{Fault as Wrong, Sensitive, Svarselement, WireError};

use super::answer::{self, PersonAnswer, child, error_fields, is_ours};
use super::sending::{ExchangeError, exchange_within};
use super::{ANSWER_TIME_MAX, Client};

/// Calls that one asker has open at once: as many persons as a question by SHS may hold.
pub const CALLS_MAX: usize = 10;

/// Longest envelope that is read, in bytes: above what eight authorities may answer together.
pub const ENVELOPE_BYTES_MAX: usize = 64 * 1024 * 1024;

const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const CONTENT_TYPE: &str = "text/xml; charset=utf-8";
/// Empty for both operations (ssbtek-10, 1.1).
const SOAP_ACTION: &str = "\"\"";

/// Why there is no reply to show.
#[derive(Debug, thiserror::Error)]
pub enum SoapError {
    /// The node could not be reached, or its answer passes a bound.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// What came is no envelope, and its status says why.
    #[error("the node refused the call with status {0} and no SOAP fault")]
    Status(u16),
    /// What came as an answer is none.
    #[error("the answer cannot be read: {0}")]
    Unreadable(#[from] WireError),
}

/// What an envelope holds.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The answer about one person.
    Svar(PersonAnswer),
    /// The answer to a connection test: what each element says, in the order it came.
    Test(Vec<(Svarselement, Tested)>),
    /// The whole call is refused.
    Fault(SoapFault),
}

/// What became of the test of one element's authorities.
#[derive(Clone, Debug)]
pub enum Tested {
    /// None was called.
    NotCalled,
    /// It answered.
    Answered,
    /// It was called, and something went wrong.
    Error {
        /// `SSBT` or `BT`.
        kalla: String,
        /// Code.
        felkod: String,
        /// Texts.
        felmeddelanden: Sensitive<Vec<String>>,
    },
}

/// Why a call is refused.
#[derive(Clone, Debug)]
pub struct SoapFault {
    /// `Client`, `Server`, `MustUnderstand` or `VersionMismatch`, without its prefix.
    pub faultcode: String,
    /// Text of the SOAP layer.
    pub faultstring: Sensitive<String>,
    /// Code of the contract; none when the envelope itself was refused.
    pub felkod: Option<String>,
    /// Texts of the contract.
    pub felmeddelanden: Sensitive<Vec<String>>,
}

impl SoapFault {
    /// The most exact code that there is, and its texts.
    #[must_use]
    pub fn said(self) -> (String, Sensitive<Vec<String>>) {
        if let Some(felkod) = self.felkod {
            return (felkod, self.felmeddelanden);
        }
        let text = vec![self.faultstring.into_exposed()];
        (self.faultcode, Sensitive::new(text))
    }
}

/// A reply, read.
#[derive(Debug)]
pub struct Replied {
    /// HTTP status.
    pub status: u16,
    /// When to try again, as the node says it.
    pub retry_after: Option<String>,
    /// The envelope as it came: personal data.
    pub raw: Sensitive<Bytes>,
    /// The same, read.
    pub reply: Reply,
}

/// An envelope around one element of the contract.
#[must_use]
pub fn envelope(element: &str) -> Bytes {
    let envelope = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"{ENVELOPE}\">\
         <soap:Body>{element}</soap:Body></soap:Envelope>"
    );
    envelope.into()
}

/// The envelope of a connection test: its element is empty, and names nobody.
#[must_use]
pub fn connection_test(kontrakt: Kontrakt) -> Bytes {
    let name = Operation::Testa.element();
    envelope(&format!(
        "<ssbt:{name} xmlns:ssbt=\"{}\"/>",
        kontrakt.namespace()
    ))
}

impl Client {
    /// Sends an envelope to a SOAP service and reads the reply. A fault is a reply.
    ///
    /// # Errors
    /// See [`SoapError`].
    pub async fn call(&self, url: &str, envelope: Bytes) -> Result<Replied, SoapError> {
        let url = reqwest::Url::parse(url).map_err(|_| ExchangeError::Url)?;
        let request = self.http.post(url).header("content-type", CONTENT_TYPE);
        let request = request.header("soapaction", SOAP_ACTION).body(envelope);
        let answer = exchange_within(request, ENVELOPE_BYTES_MAX, ANSWER_TIME_MAX).await?;
        let reply = match read(answer.body.expose()) {
            Ok(reply) if answer.is_success() || matches!(reply, Reply::Fault(_)) => reply,
            Err(fault) if answer.is_success() => return Err(fault.into()),
            _ => return Err(SoapError::Status(answer.status)),
        };
        Ok(Replied {
            status: answer.status,
            retry_after: answer.header("retry-after").map(str::to_owned),
            reply,
            raw: answer.body,
        })
    }
}

/// Reads an envelope: an optional header, which is passed over, and a body with one element.
///
/// # Errors
/// When it is not well-formed, no envelope of SOAP 1.1, or holds neither an answer nor a fault.
pub fn read(envelope: &Bytes) -> Result<Reply, WireError> {
    let limits = Limits {
        bytes_max: ENVELOPE_BYTES_MAX,
        ..Limits::default()
    };
    let text = decode_bytes(envelope.clone(), None, "Envelope", &limits)?;
    let text = str::from_utf8(&text)
        .map_err(|error| WireError::new("Envelope", error.valid_up_to(), Wrong::Encoding))?;
    let mut reader = Reader::new(text, Options::new("Envelope"), limits)?;
    let mut reply = None;
    loop {
        match reader.next_event()? {
            Event::Start(root) if root.is(ENVELOPE, "Envelope") => {
                reply = Some(within_envelope(&mut reader)?);
            }
            Event::Start(root) => return Err(unexpected("Envelope", &root)),
            Event::Eof => return reply.ok_or(WireError::new("Envelope", 0, Wrong::Missing)),
            _ => {}
        }
    }
}

fn unexpected(element: &'static str, start: &Start<'_>) -> WireError {
    WireError::new(element, start.span.start, Wrong::Unexpected)
}

fn within_envelope(reader: &mut Reader<'_>) -> Result<Reply, WireError> {
    let mut reply = None;
    while let Some(part) = child(reader)? {
        if part.is(ENVELOPE, "Header") && reply.is_none() {
            reader.skip_element()?;
        } else if part.is(ENVELOPE, "Body") && reply.is_none() {
            reply = Some(within_body(reader)?);
        } else {
            return Err(unexpected("Envelope", &part));
        }
    }
    reply.ok_or(WireError::new("Body", 0, Wrong::Missing))
}

fn within_body(reader: &mut Reader<'_>) -> Result<Reply, WireError> {
    let start = child(reader)?.ok_or(WireError::new("Body", 0, Wrong::Missing))?;
    let reply = if start.is(ENVELOPE, "Fault") {
        Reply::Fault(fault(reader)?)
    } else {
        match operation(&start) {
            Some(Operation::Hamta) => Reply::Svar(answer::response(reader)?),
            Some(Operation::Testa) => Reply::Test(tested(reader)?),
            None => return Err(unexpected("Body", &start)),
        }
    };
    match child(reader)? {
        Some(second) => Err(unexpected("Body", &second)),
        None => Ok(reply),
    }
}

/// The operation that an element of the contract answers.
fn operation(start: &Start<'_>) -> Option<Operation> {
    let name = start.local.strip_suffix("Response")?;
    let mut operations = Operation::ALL.into_iter();
    let found = operations.find(|operation| operation.element() == name);
    found.filter(|_| is_ours(start))
}

fn fault(reader: &mut Reader<'_>) -> Result<SoapFault, WireError> {
    let mut fault = SoapFault {
        faultcode: String::new(),
        faultstring: Sensitive::new(String::new()),
        felkod: None,
        felmeddelanden: Sensitive::new(Vec::new()),
    };
    while let Some(field) = child(reader)? {
        match (field.namespace.as_deref(), field.local) {
            (None, "faultcode") => {
                let code = reader.read_text("faultcode")?.value;
                let code = code.rsplit(':').next().unwrap_or_default().trim();
                code.clone_into(&mut fault.faultcode);
            }
            (None, "faultstring") => {
                let text = reader.read_text("faultstring")?.value.into_owned();
                fault.faultstring = Sensitive::new(text);
            }
            (None, "detail") => {
                if let Some((felkod, texts)) = detail(reader)? {
                    fault.felkod = Some(felkod);
                    fault.felmeddelanden = Sensitive::new(texts);
                }
            }
            _ => {
                reader.skip_element()?;
            }
        }
    }
    if fault.faultcode.is_empty() {
        return Err(WireError::new("faultcode", 0, Wrong::Missing));
    }
    Ok(fault)
}

/// Code and texts of the contract's own element in a detail; other elements are passed over.
fn detail(reader: &mut Reader<'_>) -> Result<Option<(String, Vec<String>)>, WireError> {
    let mut found = None;
    while let Some(start) = child(reader)? {
        let mut operations = Operation::ALL.into_iter();
        let is_fault = operations.any(|operation| operation.fault_element() == start.local);
        if is_fault && is_ours(&start) {
            let (_, felkod, texts) = error_fields(reader)?;
            found = Some((felkod, texts));
        } else {
            reader.skip_element()?;
        }
    }
    Ok(found)
}

fn tested(reader: &mut Reader<'_>) -> Result<Vec<(Svarselement, Tested)>, WireError> {
    let mut elements = Vec::new();
    while let Some(start) = child(reader)? {
        let element = Svarselement::from_local_name(start.local).filter(|_| is_ours(&start));
        let element = element.ok_or_else(|| unexpected("testaBastjanstInformation", &start))?;
        elements.push((element, one_tested(reader)?));
    }
    Ok(elements)
}

fn one_tested(reader: &mut Reader<'_>) -> Result<Tested, WireError> {
    let mut tested = None;
    while let Some(start) = child(reader)? {
        match start.local {
            "anropad" => {
                let anropad = reader.read_text("anropad")?;
                tested = Some(match anropad.value.trim() {
                    "true" | "1" => Tested::Answered,
                    "false" | "0" => Tested::NotCalled,
                    _ => {
                        let fault = Wrong::Invalid("not a boolean");
                        return Err(WireError::new("anropad", anropad.inner.start, fault));
                    }
                });
            }
            "error" => {
                let (kalla, felkod, texts) = error_fields(reader)?;
                tested = tested.map(|_| Tested::Error {
                    kalla,
                    felkod,
                    felmeddelanden: Sensitive::new(texts),
                });
            }
            _ => return Err(unexpected("anropad", &start)),
        }
    }
    tested.ok_or(WireError::new("anropad", 0, Wrong::Missing))
}

#[cfg(test)]
#[path = "soap_tests.rs"]
mod tests;
