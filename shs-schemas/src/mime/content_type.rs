//! [`ContentType`]: what a part says it is.

use std::borrow::Cow;

use super::header::Parameters;
use crate::charset;
use crate::sensitive::Sensitive;

/// Longest `type/subtype`, in bytes: 127 for each name (RFC 6838, 4.2), and the slash.
const ESSENCE_BYTES_MAX: usize = 255;

/// Most bytes of parameters, names and values, that a content type keeps; those that do not fit
/// are passed over. What was read can so be written and stays within a header block.
const PARAMETERS_BYTES_MAX: usize = 4096;

/// A content type without the file name that SHS puts into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    essence: Cow<'static, str>,
    charset: Option<Cow<'static, str>>,
    /// Parameters of formats that pass through (`smime-type`, the `boundary` of a signed part):
    /// names in lower case, values as bytes, because real traffic has raw ISO-8859-1 in them.
    others: Sensitive<Vec<(String, Vec<u8>)>>,
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

    /// Reads a content type of one's own, `text/csv; charset=UTF-8`; nothing when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parameters = Parameters::parse(text.as_bytes());
        token_pair(parameters.word)?;
        Some(Self::read(&parameters))
    }

    /// Reads a header value; what is no type at all is [`ContentType::OCTET_STREAM`].
    pub(super) fn read(parameters: &Parameters<'_>) -> Self {
        let Some(essence) = token_pair(parameters.word) else {
            return Self::OCTET_STREAM;
        };
        let mut charset = None;
        let mut others = Vec::new();
        let mut room = PARAMETERS_BYTES_MAX;
        for parameter in &parameters.list {
            let Some(name) = token(parameter.name).map(str::to_ascii_lowercase) else {
                continue;
            };
            let value = &*parameter.value;
            let length = name.len() + value.len();
            let control = |b: &u8| b.is_ascii_control() && *b != b'\t';
            if is_file_name(&name) || length > room || value.iter().any(control) {
                continue;
            }
            room -= length;
            if name != "charset" {
                others.push((name, value.to_vec()));
            } else if let Ok(value) = str::from_utf8(value)
                && charset.is_none()
            {
                charset = Some(Cow::Owned(value.to_owned()));
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
            write_parameter(out, "charset", charset.as_bytes());
        }
        for (name, value) in self.others.expose() {
            write_parameter(out, name, value);
        }
    }
}

/// `name` and its forms by RFC 2231: the file name is a field of its own.
fn is_file_name(parameter: &str) -> bool {
    parameter == "name" || parameter.starts_with("name*")
}

/// Writes one parameter, quoted only where it must be.
fn write_parameter(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(b"; ");
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    if token(value).is_some() {
        out.extend_from_slice(value);
        return;
    }
    out.push(b'"');
    for &byte in value {
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
    if text.len() > ESSENCE_BYTES_MAX {
        return None;
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
    fn a_signed_part_keeps_its_own_boundary() {
        let value = "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha1; \
                     boundary=\"=_inner 1\"";
        assert_eq!(written(&read(value)), value);
    }

    #[test]
    fn raw_8_bit_values_pass_through_and_control_characters_do_not() {
        let read = |value: &[u8]| ContentType::read(&Parameters::parse(value));
        let mut out = Vec::new();
        read(b"text/x; titel=fr\xE5ga 1; a=\x01; b=\"\t\"").write(&mut out);
        assert_eq!(out, b"text/x; titel=\"fr\xE5ga 1\"; b=\"\t\"");
    }

    #[test]
    fn what_would_not_fit_into_a_header_block_is_passed_over() {
        let long = "x".repeat(PARAMETERS_BYTES_MAX);
        assert_eq!(written(&read(&format!("a/b; c={long}; d=e"))), "a/b; d=e");
        assert_eq!(
            read(&format!("a/{long}")).essence(),
            "application/octet-stream"
        );
    }

    #[test]
    fn odd_types_are_kept_and_no_type_is_octet_stream() {
        assert_eq!(read("*/*").essence(), "*/*");
        for odd in ["", "xml", "text/", "text/xml text"] {
            assert_eq!(read(odd).essence(), "application/octet-stream", "{odd:?}");
        }
    }

    #[test]
    fn a_type_of_ones_own_is_a_type_or_refused() {
        let parsed = ContentType::parse("Text/CSV; charset=UTF-8").unwrap();
        assert_eq!(written(&parsed), "text/csv; charset=UTF-8");
        for bad in ["", "csv", "text/", "a b/c", "text/csv\r\nX: y"] {
            assert_eq!(ContentType::parse(bad), None, "{bad:?}");
        }
    }
}
