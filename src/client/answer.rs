//! Reads a compiled answer: per authority its data or its error. Lenient about everything that is
//! not needed to show it; the checks were the node's.

use bytes::Bytes;
use serde::Deserialize;
use shs_schemas::ssbtek::Kontrakt;
use shs_schemas::xml::{Event, Limits, Options, Reader, Start};
use shs_schemas::{Fault, Sensitive, Svarselement, Uppgiftslamnare, WireError};

/// What was answered about one person.
#[derive(Clone, Debug)]
pub enum PersonAnswer {
    /// A response: what each element of the contract holds, in the order it came.
    Response(Vec<(Svarselement, ElementAnswer)>),
    /// The question was valid and nobody was asked.
    Fault {
        /// Code.
        felkod: String,
        /// Texts.
        felmeddelanden: Sensitive<Vec<String>>,
    },
}

/// What one element holds.
#[derive(Clone, Debug)]
pub enum ElementAnswer {
    /// `data`: the element as it came.
    Data(Sensitive<Bytes>),
    /// `error`.
    Error {
        /// `SSBT` or `BT`.
        kalla: String,
        /// Code.
        felkod: String,
        /// Texts.
        felmeddelanden: Sensitive<Vec<String>>,
    },
}

/// What one authority said, as far as the answer tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Data, of this many bytes.
    Data(usize),
    /// An error: `SSBT` or `BT`, and its code.
    Error(String, String),
    /// It stands among those that LEFI could not reach.
    Unavailable(String),
    /// Nobody asked it.
    NotAsked,
}

impl PersonAnswer {
    /// What each Uppgiftslämnare said. Försäkringskassan and Pensionsmyndigheten share an element;
    /// the rows of `utlamnare` in LEFI's answer tell them apart (ssbtek-10, 4.3.3).
    #[must_use]
    pub fn per_party(&self) -> Vec<(Uppgiftslamnare, Said)> {
        let Self::Response(elements) = self else {
            return Vec::new();
        };
        Uppgiftslamnare::all()
            .map(|ul| {
                let element = elements
                    .iter()
                    .find(|(element, _)| *element == ul.element());
                (
                    ul,
                    element.map_or(Said::NotAsked, |(_, answer)| said(ul, answer)),
                )
            })
            .collect()
    }
}

fn said(ul: Uppgiftslamnare, answer: &ElementAnswer) -> Said {
    match answer {
        ElementAnswer::Error { kalla, felkod, .. } => Said::Error(kalla.clone(), felkod.clone()),
        ElementAnswer::Data(data) if ul.element() == Svarselement::Fk => {
            lefi_said(ul, data.expose())
        }
        ElementAnswer::Data(data) => Said::Data(data.expose().len()),
    }
}

/// The members of LEFI's answer that say who contributed.
#[derive(Deserialize)]
struct LefiAnswer {
    #[serde(default)]
    utlamnare: Vec<LefiRow>,
}

#[derive(Deserialize)]
struct LefiRow {
    utlamnare: LefiCode,
    tillstand: LefiCode,
}

#[derive(Deserialize)]
struct LefiCode {
    kod: String,
}

fn lefi_said(ul: Uppgiftslamnare, element: &[u8]) -> Said {
    let Some(answer) = lefi_json(element) else {
        return Said::Data(element.len());
    };
    let row = answer
        .utlamnare
        .iter()
        .find(|row| row.utlamnare.kod == ul.kod());
    match row {
        Some(row) if row.tillstand.kod == "OK" => Said::Data(element.len()),
        Some(row) => Said::Unavailable(row.tillstand.kod.clone()),
        None => Said::NotAsked,
    }
}

fn lefi_json(element: &[u8]) -> Option<LefiAnswer> {
    let text = std::str::from_utf8(element).ok()?;
    let start = text.find("lefiJsonSvar>")? + "lefiJsonSvar>".len();
    let end = start + text[start..].find('<')?;
    let base64: String = text[start..end].split_ascii_whitespace().collect();
    serde_json::from_slice(&base64_simd::STANDARD.decode_to_vec(base64).ok()?).ok()
}

/// Reads one part of a reply.
///
/// # Errors
/// When it is not well-formed, or neither a response nor a fault.
pub fn read(document: &Bytes, limits: &Limits) -> Result<PersonAnswer, WireError> {
    let text = shs_schemas::xml::decode_bytes(document.clone(), None, "svar", limits)?;
    let text = std::str::from_utf8(&text)
        .map_err(|error| WireError::new("svar", error.valid_up_to(), Fault::Encoding))?;
    let mut reader = Reader::new(text, Options::new("svar"), *limits)?;
    let root = loop {
        if let Event::Start(start) = reader.next_event()? {
            break start;
        }
    };
    match root.local {
        "hamtaBastjanstInformationResponse" if is_ours(&root) => response(&mut reader),
        "hamtaBastjanstInformationFault" if is_ours(&root) => {
            let (_, felkod, texts) = error_fields(&mut reader)?;
            Ok(PersonAnswer::Fault {
                felkod,
                felmeddelanden: Sensitive::new(texts),
            })
        }
        _ => Err(WireError::new("svar", root.span.start, Fault::Unexpected)),
    }
}

/// Whether an element is one of the contract, in any version.
pub(super) fn is_ours(start: &Start<'_>) -> bool {
    let namespace = start.namespace.as_deref();
    namespace.is_some_and(|namespace| Kontrakt::from_namespace(namespace).is_some())
}

/// The next child of the element that is open, or nothing when it ends.
pub(super) fn child<'a>(reader: &mut Reader<'a>) -> Result<Option<Start<'a>>, WireError> {
    loop {
        match reader.next_event()? {
            Event::Start(start) => return Ok(Some(start)),
            Event::End { .. } | Event::Eof => return Ok(None),
            _ => {}
        }
    }
}

/// Reads a response whose root is open, to its end.
pub(super) fn response(reader: &mut Reader<'_>) -> Result<PersonAnswer, WireError> {
    let mut elements = None;
    while let Some(start) = child(reader)? {
        if start.local != "svarsdata" {
            reader.skip_element()?;
        } else if elements.replace(svarsdata(reader)?).is_some() {
            let twice = WireError::new("svarsdata", start.span.start, Fault::Unexpected);
            return Err(twice);
        }
    }
    elements
        .map(PersonAnswer::Response)
        .ok_or(WireError::new("svarsdata", 0, Fault::Missing))
}

fn svarsdata(reader: &mut Reader<'_>) -> Result<Vec<(Svarselement, ElementAnswer)>, WireError> {
    let mut elements = Vec::new();
    while let Some(party) = child(reader)? {
        let Some(element) = Svarselement::from_local_name(party.local) else {
            return Err(WireError::new(
                "svarsdata",
                party.span.start,
                Fault::Unexpected,
            ));
        };
        let mut answer = None;
        while let Some(inner) = child(reader)? {
            answer = Some(if inner.local == "error" {
                let (kalla, felkod, texts) = error_fields(reader)?;
                ElementAnswer::Error {
                    kalla,
                    felkod,
                    felmeddelanden: Sensitive::new(texts),
                }
            } else {
                let end = reader.skip_element()?.end;
                let slice = &reader.document()[inner.span.start..end];
                ElementAnswer::Data(Sensitive::new(Bytes::copy_from_slice(slice.as_bytes())))
            });
        }
        let missing = WireError::new(element.local_name(), party.span.start, Fault::Missing);
        elements.push((element, answer.ok_or(missing)?));
    }
    Ok(elements)
}

/// `kalla`, `felkod` and every `felmeddelande` of the element that is open.
pub(super) fn error_fields(
    reader: &mut Reader<'_>,
) -> Result<(String, String, Vec<String>), WireError> {
    let (mut kalla, mut felkod, mut texts) = (String::new(), String::new(), Vec::new());
    while let Some(field) = child(reader)? {
        let value = reader.read_text("error")?.value.into_owned();
        match field.local {
            "kalla" => kalla = value,
            "felkod" => felkod = value,
            _ => texts.push(value),
        }
    }
    Ok((kalla, felkod, texts))
}
