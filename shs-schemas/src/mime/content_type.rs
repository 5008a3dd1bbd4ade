//! [`ContentType`]: what a part says it is.

use std::borrow::Cow;

use super::header::Parameters;
use crate::charset;
use crate::sensitive::Sensitive;

/// A content type without the file name that SHS puts into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    essence: Cow<'static, str>,
    charset: Option<Cow<'static, str>>,
    /// Parameters of formats that pass through (`smime-type` and the like).
    others: Sensitive<Vec<(String, String)>>,
}

impl ContentType {
    /// The label and the administrative documents (shs-1.2, 2.3 and 6.2).
    pub const XML_ISO_8859_1: Self = Self::new("text/xml", Some("ISO-8859-1"));
    /// XML in UTF-8.
    pub const XML_UTF_8: Self = Self::new("text/xml", Some("UTF-8"));
    /// What a part without content type is (shs-1.2, 2.4).
    pub const TEXT: Self = Self::new("text/plain", None);
    /// Anything.
    pub const OCTET_STREAM: Self = Self::new("application/octet-stream", None);

    /// A content type of our own.
    #[must_use]
    pub const fn new(essence: &'static str, charset: Option<&'static str>) -> Self {
        Self {
            essence: Cow::Borrowed(essence),
            charset: match charset {
                Some(name) => Some(Cow::Borrowed(name)),
                None => None,
            },
            others: Sensitive::new(Vec::new()),
        }
    }

    /// Type and subtype in lower case, `text/xml`.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The `charset` parameter as received.
    #[must_use]
    pub fn charset(&self) -> Option<&str> {
        self.charset.as_deref()
    }

    /// True for `text/xml` and `application/xml`.
    #[must_use]
    pub fn is_xml(&self) -> bool {
        matches!(self.essence(), "text/xml" | "application/xml")
    }

    /// Reads a header value; what is no type at all is [`ContentType::OCTET_STREAM`].
    pub(super) fn read(parameters: &Parameters<'_>) -> Self {
        let Some(essence) = token_pair(parameters.word) else {
            return Self::OCTET_STREAM;
        };
        let mut charset = None;
        let mut others = Vec::new();
        for parameter in &parameters.list {
            let (Some(name), Ok(value)) = (token(parameter.name), str::from_utf8(&parameter.value))
            else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            let printable = value.bytes().all(|b| matches!(b, b' '..=b'~'));
            if name == "boundary" || name == "name" || name.starts_with("name*") || !printable {
                continue;
            }
            if name == "charset" {
                charset.get_or_insert_with(|| Cow::Owned(value.to_owned()));
            } else {
                others.push((name, value.to_owned()));
            }
        }
        Self {
            essence,
            charset,
            others: Sensitive::new(others),
        }
    }

    /// Writes the header value without file name.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.essence.as_bytes());
        if let Some(charset) = &self.charset {
            write_parameter(out, "charset", charset);
        }
        for (name, value) in self.others.expose() {
            write_parameter(out, name, value);
        }
    }
}

/// Writes one ASCII parameter, quoted only where it must be.
fn write_parameter(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(b"; ");
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    if token(value.as_bytes()).is_some() {
        out.extend_from_slice(value.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in value.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// `type/subtype` in lower case; the usual ones are not copied.
fn token_pair(word: &[u8]) -> Option<Cow<'static, str>> {
    const USUAL: [&str; 4] = [
        "text/xml",
        "text/plain",
        "application/xml",
        "application/octet-stream",
    ];
    let text = str::from_utf8(word).ok()?;
    if let Some(usual) = USUAL
        .into_iter()
        .find(|usual| usual.eq_ignore_ascii_case(text))
    {
        return Some(Cow::Borrowed(usual));
    }
    let (kind, subtype) = text.split_once('/')?;
    token(kind.as_bytes())?;
    token(subtype.as_bytes())?;
    Some(Cow::Owned(text.to_ascii_lowercase()))
}

/// The text of an RFC 2045 token.
fn token(bytes: &[u8]) -> Option<&str> {
    let is_token = |b: &u8| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(b);
    if bytes.is_empty() || !bytes.iter().all(is_token) {
        return None;
    }
    str::from_utf8(bytes).ok()
}

/// Text of a header value: UTF-8 if it is, else ISO-8859-1 (shs-1.2, 2.9).
pub(super) fn header_text(bytes: &[u8]) -> String {
    str::from_utf8(bytes).map_or_else(|_| charset::latin1(bytes), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> ContentType {
        ContentType::read(&Parameters::parse(value.as_bytes()))
    }

    fn written(content_type: &ContentType) -> String {
        let mut out = Vec::new();
        content_type.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn type_and_charset_are_read_in_any_letter_case_and_spacing() {
        let read = read(" Text/XML ;CHARSET = \"ISO-8859-1\" ; name=fil.xml");
        assert_eq!(read, ContentType::XML_ISO_8859_1);
        assert_eq!(written(&read), "text/xml; charset=ISO-8859-1");
    }

    #[test]
    fn other_parameters_pass_through() {
        let value = "application/pkcs7-mime; smime-type=enveloped-data; x=\"a; \\\"b\\\"\"";
        assert_eq!(written(&read(value)), value);
    }

    #[test]
    fn odd_types_are_kept_and_no_type_is_octet_stream() {
        assert_eq!(read("*/*").essence(), "*/*");
        for odd in ["", "xml", "text/", "text/xml text"] {
            assert_eq!(read(odd).essence(), "application/octet-stream", "{odd:?}");
        }
    }
}
