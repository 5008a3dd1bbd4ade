//! The header in which a TLS terminator hands over the caller's certificate. Terminators write it in
//! different ways: PEM with its line ends percent-encoded (nginx), turned into blanks (others), or
//! DER in base64.

use actix_web::http::header::{HeaderMap, HeaderName};
use rustls::pki_types::CertificateDer;

/// Longest value, in bytes.
const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Most certificates in one value: the caller's own and intermediates.
const CERTIFICATES_MAX: usize = 8;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The header is there and holds no certificate, or is there twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The certificates in the header, the caller's own first; `None` when the header is absent or empty,
/// which is how terminators say that there was none.
pub(super) fn chain(
    headers: &HeaderMap,
    name: &HeaderName,
) -> Result<Option<Vec<CertificateDer<'static>>>, Unreadable> {
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    // One of two may have come through the terminator from its caller.
    if values.next().is_some() || value.len() > VALUE_BYTES_MAX {
        return Err(Unreadable);
    }
    let value = value.to_str().map_err(|_| Unreadable)?.trim();
    if value.is_empty() || value == "-" {
        return Ok(None);
    }
    certificates(&without_percents(value)?).map(Some)
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, Unreadable> {
    if !text.contains(BEGIN) {
        return Ok(vec![der(text)?]);
    }
    let mut certificates = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (inner, after) = rest
            .strip_prefix(BEGIN)
            .and_then(|inner| inner.split_once(END))
            .ok_or(Unreadable)?;
        if certificates.len() == CERTIFICATES_MAX {
            return Err(Unreadable);
        }
        certificates.push(der(inner)?);
        rest = after.trim();
    }
    Ok(certificates)
}

fn der(text: &str) -> Result<CertificateDer<'static>, Unreadable> {
    let compact: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let der = base64_simd::STANDARD.decode_to_vec(compact);
    let der = der.map_err(|_| Unreadable)?;
    if x509_parser::parse_x509_certificate(&der).is_ok_and(|(rest, _)| rest.is_empty()) {
        Ok(CertificateDer::from(der))
    } else {
        Err(Unreadable)
    }
}

/// Decodes `%0A` and the like. A `+` stays: it is a digit of base64.
fn without_percents(text: &str) -> Result<String, Unreadable> {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.get(..2).ok_or(Unreadable)?;
        let byte = u8::from_str_radix(digits, 16).map_err(|_| Unreadable)?;
        if !byte.is_ascii() {
            return Err(Unreadable);
        }
        decoded.push(char::from(byte));
        decoded.push_str(&piece[2..]);
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(values: &[&str]) -> (HeaderMap, HeaderName) {
        let name = HeaderName::from_static("x-client-cert");
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        (headers, name)
    }

    fn read(values: &[&str]) -> Result<Option<Vec<CertificateDer<'static>>>, Unreadable> {
        let (headers, name) = headers(values);
        chain(&headers, &name)
    }

    fn certificate() -> rcgen::Certificate {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.self_signed(&key).unwrap()
    }

    fn escaped(text: &str) -> String {
        let escape = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' | '~' => c.to_string(),
            other => format!("%{:02X}", u32::from(other)),
        };
        text.chars().map(escape).collect()
    }

    #[test]
    fn every_way_to_write_a_certificate_is_read() {
        let certificate = certificate();
        let pem = certificate.pem();
        let with_blanks = pem.replace("\r\n", " ").replace('\n', " ");
        let with_tabs = with_blanks.replace("----- M", "-----\tM");
        let base64 = base64_simd::STANDARD.encode_to_string(certificate.der());
        for value in [escaped(&pem), with_blanks, with_tabs, base64] {
            let read = read(&[&value]).unwrap().unwrap();
            assert_eq!(read, [certificate.der().clone()], "{value}");
        }
    }

    #[test]
    fn intermediates_follow_the_callers_own() {
        let (own, issuer) = (certificate(), certificate());
        let value = escaped(&format!("{}{}", own.pem(), issuer.pem()));
        let expected = [own.der().clone(), issuer.der().clone()];
        assert_eq!(read(&[&value]).unwrap().unwrap(), expected);
        let many = escaped(&own.pem().repeat(CERTIFICATES_MAX + 1));
        assert_eq!(read(&[&many]), Err(Unreadable));
    }

    #[test]
    fn no_header_and_an_empty_one_hold_no_certificate() {
        for values in [&[][..], &[""], &["  "], &["-"]] {
            assert_eq!(read(values), Ok(None), "{values:?}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_unreadable() {
        let certificate = certificate();
        let base64 = base64_simd::STANDARD.encode_to_string(certificate.der());
        let pem = escaped(&certificate.pem());
        let cut = &base64[..base64.len() - 8];
        let longer =
            base64_simd::STANDARD.encode_to_string([certificate.der(), &[0; 3][..]].concat());
        for value in [
            "x",
            "AAAA",
            "%",
            "%0",
            "%zz",
            "%C3%A5",
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN CERTIFICATE----------END CERTIFICATE-----",
            cut,
            &longer,
            &pem[..pem.len() - 10],
            &format!("{pem}x"),
            &format!("x{pem}"),
            &pem.repeat(100),
        ] {
            assert_eq!(read(&[value]), Err(Unreadable), "{value}");
        }
    }

    #[test]
    fn a_header_that_is_there_twice_is_believed_in_neither_place() {
        let base64 = base64_simd::STANDARD.encode_to_string(certificate().der());
        assert_eq!(read(&[&base64, &base64]), Err(Unreadable));
        assert_eq!(read(&["", &base64]), Err(Unreadable));
    }
}
