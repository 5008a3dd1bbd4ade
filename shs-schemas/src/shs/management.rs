//! `shs.management`: what an `error` or `confirm` message says, and the body of a refusal
//! (shs-1.2, 3.3 and 6.2).

use chrono::{DateTime, NaiveDateTime, Utc};

use super::document::{Document, Output};
use super::fault::KnownIds;
use super::time;
use crate::charset;
use crate::error::{Fault, WireError};
use crate::error_code::ErrorCode;
use crate::ids::{ContentId, CorrId};
use crate::mime::Limits;
use crate::sensitive::Sensitive;

const ROOT: &str = "shs.management";
const DTD: &str = "shs-management-1.2.dtd";

/// An administrative document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Management {
    /// `corr.id` of the message it is about.
    pub corr_id: CorrId,
    /// `content.id` of the message it is about.
    pub content_id: ContentId,
    /// When it happened, in Swedish local time.
    pub datetime: NaiveDateTime,
    /// What happened.
    pub outcome: Outcome,
}

/// What an administrative document tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The message was delivered.
    Confirmation,
    /// The message could not be delivered.
    Error {
        /// Why, in the one vocabulary that all nodes share.
        code: ErrorCode,
        /// Why, for people. Text of other nodes may hold anything.
        info: Option<Sensitive<String>>,
        /// More about it.
        appinfo: Vec<AppInfo>,
    },
}

/// `appinfo`: extra information with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppInfo {
    /// Its name, an `NMTOKEN`.
    pub name: String,
    /// Its text.
    pub text: Sensitive<String>,
}

/// Name of the `appinfo` that repeats what the next node said (shs-1.2, 6.2).
pub const REMOTE_ERROR_CODE: &str = "remoteErrorcode";

impl AppInfo {
    /// Information under this name.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: Sensitive::new(text.to_owned()),
        }
    }
}

impl Management {
    /// The body of a refusal before the HTTP answer. Identifiers that are not known are written
    /// as `unknown`.
    #[must_use]
    pub fn refusal(known: &KnownIds, code: ErrorCode, info: &str, now: DateTime<Utc>) -> Self {
        Self {
            corr_id: known.corr_id.clone().unwrap_or_else(CorrId::unknown),
            content_id: known.content_id.clone().unwrap_or_else(ContentId::unknown),
            datetime: time::swedish(now),
            outcome: Outcome::Error {
                code,
                info: Some(Sensitive::new(info.to_owned())),
                appinfo: Vec::new(),
            },
        }
    }

    /// The document as bytes of XML: valid against the DTD, ASCII only, with an explicit
    /// `<confirmation/>` (shs-1.2, 3.3).
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Output::new(ROOT, DTD, true);
        out.attribute("version", "1.2");
        out.attribute("corr.id", self.corr_id.as_str());
        out.attribute("content.id", self.content_id.as_str());
        out.children();
        out.leaf("datetime", &time::write(self.datetime));
        match &self.outcome {
            Outcome::Confirmation => {
                out.open("confirmation");
                out.empty();
            }
            Outcome::Error {
                code,
                info,
                appinfo,
            } => write_error(&mut out, *code, info.as_ref(), appinfo),
        }
        out.close(ROOT);
        out.finish().into_bytes()
    }

    /// Reads a document. One with neither `confirmation` nor `error` is a confirmation: some
    /// nodes write so (shs-1.2, 3.3).
    ///
    /// # Errors
    /// When it is not well-formed, or an identifier or the time is missing or unreadable.
    pub fn read(
        bytes: &[u8],
        mime_charset: Option<&str>,
        limits: &Limits,
    ) -> Result<Self, WireError> {
        let max = limits.label_bytes_max;
        if bytes.len() > max {
            return Err(WireError::new(
                ROOT,
                max,
                Fault::Limit("label_bytes_max", max),
            ));
        }
        let text = charset::decode(bytes, mime_charset);
        let mut document = Document::open(&text, ROOT, max.saturating_mul(2))?;
        let corr_id = id(&document, "corr.id", CorrId::parse)?;
        let content_id = id(&document, "content.id", ContentId::parse)?;
        let mut datetime = None;
        let mut outcome = Outcome::Confirmation;
        while let Some(start) = document.child()? {
            match start.local {
                "datetime" => {
                    let read = time::read(&document.text("datetime")?);
                    let fault = Fault::Invalid("not a timestamp");
                    let error = WireError::new("datetime", start.span.start, fault);
                    datetime = Some(read.ok_or(error)?);
                }
                "error" => outcome = read_error(&mut document)?,
                _ => document.skip()?,
            }
        }
        document.finish()?;
        Ok(Self {
            corr_id,
            content_id,
            datetime: datetime.ok_or(WireError::new("datetime", 0, Fault::Missing))?,
            outcome,
        })
    }
}

fn id<T>(
    document: &Document<'_>,
    name: &'static str,
    parse: fn(&str) -> Result<T, WireError>,
) -> Result<T, WireError> {
    let value = document
        .attribute(name)
        .ok_or(WireError::new(name, 0, Fault::Missing))?;
    parse(&value.text).map_err(|error| WireError::new(name, value.offset, error.fault))
}

fn read_error(document: &mut Document<'_>) -> Result<Outcome, WireError> {
    let code = document.attribute("errorcode");
    let info = document.attribute_text("errorinfo").map(Sensitive::new);
    let mut appinfo = Vec::new();
    while let Some(start) = document.child()? {
        if start.local == "appinfo" {
            let name = document.attribute_text("name").unwrap_or_default();
            let text = Sensitive::new(document.text("appinfo")?.into_owned());
            appinfo.push(AppInfo { name, text });
        } else {
            document.skip()?;
        }
    }
    Ok(Outcome::Error {
        code: code.map_or(ErrorCode::OtherError, |code| ErrorCode::parse(&code.text)),
        info,
        appinfo,
    })
}

fn write_error(
    out: &mut Output,
    code: ErrorCode,
    info: Option<&Sensitive<String>>,
    appinfo: &[AppInfo],
) {
    out.open("error");
    out.attribute("errorcode", code.as_str());
    out.attribute_if("errorinfo", info.map(|info| info.expose().as_str()));
    if appinfo.is_empty() {
        out.empty();
        return;
    }
    out.children();
    for AppInfo { name, text } in appinfo {
        out.open("appinfo");
        out.attribute("name", &nmtoken(name));
        out.text("appinfo", text.expose());
    }
    out.close("error");
}

/// The name with an underscore for everything that an `NMTOKEN` may not hold.
fn nmtoken(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let token: String = name
        .chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect();
    if token.is_empty() {
        "_".to_owned()
    } else {
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn management(outcome: Outcome) -> Management {
        Management {
            corr_id: CorrId::parse("c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01").unwrap(),
            content_id: ContentId::parse("c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c02").unwrap(),
            datetime: time::read("2031-03-04T10:00:07").unwrap(),
            outcome,
        }
    }

    fn error() -> Management {
        management(Outcome::Error {
            code: ErrorCode::MissingAgreement,
            info: Some(Sensitive::new(
                "Inget giltigt avtal för \"produkten\" <€>".to_owned(),
            )),
            appinfo: vec![AppInfo {
                name: "detectedBy".to_owned(),
                text: Sensitive::new("0000000002 & co".to_owned()),
            }],
        })
    }

    fn read(text: &str) -> Result<Management, WireError> {
        Management::read(text.as_bytes(), None, &Limits::default())
    }

    #[test]
    fn an_error_and_a_confirmation_are_written_like_this() {
        insta::assert_snapshot!("error", String::from_utf8(error().write()).unwrap());
        let confirmation = management(Outcome::Confirmation);
        insta::assert_snapshot!(
            "confirmation",
            String::from_utf8(confirmation.write()).unwrap()
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        for document in [error(), management(Outcome::Confirmation)] {
            let read = Management::read(&document.write(), None, &Limits::default());
            assert_eq!(read.unwrap(), document);
        }
    }

    #[test]
    fn a_document_with_neither_confirmation_nor_error_is_a_confirmation() {
        let text = "<shs.management corr.id='a' content.id='b'><datetime>2013-06-17</datetime></shs.management>";
        let read = read(text).unwrap();
        assert_eq!(read.outcome, Outcome::Confirmation);
        assert_eq!(time::write(read.datetime), "2013-06-17T00:00:00");
    }

    #[test]
    fn a_code_is_read_in_any_letter_case_and_an_unknown_one_is_other_error() {
        for (code, expected) in [
            ("errorcode='missingagreement'", ErrorCode::MissingAgreement),
            ("errorcode=''", ErrorCode::OtherError),
            ("", ErrorCode::OtherError),
        ] {
            let text = format!(
                "<shs.management corr.id='a' content.id='b'><datetime>2013-06-17</datetime>\
                 <error {code}/></shs.management>"
            );
            let outcome = read(&text).unwrap().outcome;
            assert!(matches!(outcome, Outcome::Error { code, .. } if code == expected));
        }
    }

    #[test]
    fn what_cannot_be_correlated_is_refused() {
        for (text, element) in [
            (
                "<shs.management content.id='b'><datetime>2013-06-17</datetime></shs.management>",
                "corr.id",
            ),
            (
                "<shs.management corr.id='a' content.id='b c'/>",
                "content.id",
            ),
            ("<shs.management corr.id='a' content.id='b'/>", "datetime"),
            ("<shs.label/>", "shs.management"),
        ] {
            assert_eq!(read(text).unwrap_err().element, element);
        }
    }

    #[test]
    fn a_refusal_is_valid_without_known_identifiers() {
        let now = "2031-03-04T08:15:01Z".parse().unwrap();
        let refusal = Management::refusal(
            &KnownIds::default(),
            ErrorCode::IllegalMessageStructure,
            "boundary is missing",
            now,
        );
        let text = String::from_utf8(refusal.write()).unwrap();
        assert!(text.contains("corr.id=\"unknown\" content.id=\"unknown\""));
        assert!(text.contains("<datetime>2031-03-04T09:15:01</datetime>"));
    }
}
