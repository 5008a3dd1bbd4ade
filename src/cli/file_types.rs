//! What a file is by the end of its name, and the other way round.

use std::path::Path;

use shs_schemas::mime::ContentType;

/// Ends of names and content types; the first of a content type is the one that is written.
const TYPES: &[(&str, &str)] = &[
    ("xml", "text/xml"),
    ("xml", "application/xml"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("json", "application/json"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("gz", "application/gzip"),
    ("p7m", "application/pkcs7-mime"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
];

/// The content type of a file by its name; plain text that is UTF-8 says so.
pub(super) fn content_type(path: &Path, data: &[u8]) -> ContentType {
    let end = path
        .extension()
        .and_then(|end| end.to_str())
        .unwrap_or_default();
    let known = TYPES
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(end));
    let Some((end, essence)) = known else {
        return ContentType::OCTET_STREAM;
    };
    // XML names its charset itself.
    let is_plain = matches!(*end, "txt" | "csv");
    let charset = (is_plain && str::from_utf8(data).is_ok()).then_some("UTF-8");
    ContentType::new(essence, charset)
}

/// The end of a name for a part of this type.
pub(super) fn name_end(content_type: &ContentType) -> &'static str {
    let known = TYPES
        .iter()
        .find(|(_, essence)| *essence == content_type.essence());
    known.map_or("bin", |(end, _)| end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_the_end_of_the_name_and_back() {
        let of = |name, data: &[u8]| content_type(Path::new(name), data);
        assert_eq!(of("a.XML", b""), ContentType::new("text/xml", None));
        assert_eq!(
            of("a.csv", "å".as_bytes()),
            ContentType::new("text/csv", Some("UTF-8"))
        );
        assert_eq!(of("a.txt", b"\xE5"), ContentType::new("text/plain", None));
        for unknown in ["a", ".xml", "a.xyz"] {
            assert_eq!(of(unknown, b""), ContentType::OCTET_STREAM);
        }
        assert_eq!(name_end(&of("a.jpeg", b"")), "jpg");
        assert_eq!(name_end(&ContentType::OCTET_STREAM), "bin");
    }
}
