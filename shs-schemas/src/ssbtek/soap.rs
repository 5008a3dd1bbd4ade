//! SOAP 1.1 around the documents of the contract: envelopes and faults (ssbtek-10, 1.1 and 1.2).
//! What a fault's detail holds is told by [`super::fel::write_fault`].

use bytes::Bytes;

use super::anrop::Form;
use super::fel::Skuld;
use crate::xml::{self, XML_DECLARATION};

/// Why a whole call is refused, as the SOAP layer says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Faultcode {
    /// The asker must change something.
    Client,
    /// The node failed, or has too much to do.
    Server,
    /// A header that must be understood and is not.
    MustUnderstand,
    /// An envelope of another version.
    VersionMismatch,
}

impl Faultcode {
    /// Every code.
    pub const ALL: [Self; 4] = [
        Self::Client,
        Self::Server,
        Self::MustUnderstand,
        Self::VersionMismatch,
    ];

    /// As it stands in `faultcode`: a name with the prefix of the envelopes that we write.
    #[must_use]
    pub const fn qname(self) -> &'static str {
        match self {
            Self::Client => "soap:Client",
            Self::Server => "soap:Server",
            Self::MustUnderstand => "soap:MustUnderstand",
            Self::VersionMismatch => "soap:VersionMismatch",
        }
    }
}

impl From<Skuld> for Faultcode {
    fn from(skuld: Skuld) -> Self {
        match skuld {
            Skuld::Client => Self::Client,
            Skuld::Server => Self::Server,
        }
    }
}

/// What stands before and after a document in this form, the XML declaration excepted.
pub(super) const fn around(form: Form) -> (&'static [u8], &'static [u8]) {
    match form {
        Form::Bar => (b"", b""),
        Form::Kuvert => (
            b"<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>",
            b"</soap:Body></soap:Envelope>",
        ),
    }
}

/// A fault about the envelope itself, which has no detail (SOAP 1.1, 4.4).
#[must_use]
pub fn write_envelope_fault(faultcode: Faultcode, faultstring: &str) -> Bytes {
    write_fault(faultcode, faultstring, None)
}

/// An envelope with a fault; the children of `soap:Fault` are in no namespace.
pub(super) fn write_fault(faultcode: Faultcode, faultstring: &str, detail: Option<&[u8]>) -> Bytes {
    const FRAME_BYTES: usize = 512;
    let (before, after) = around(Form::Kuvert);
    let mut out = Vec::with_capacity(FRAME_BYTES + detail.map_or(0, <[u8]>::len));
    out.extend_from_slice(XML_DECLARATION);
    out.extend_from_slice(before);
    out.extend_from_slice(b"<soap:Fault><faultcode>");
    out.extend_from_slice(faultcode.qname().as_bytes());
    out.extend_from_slice(b"</faultcode><faultstring>");
    xml::push_text(&mut out, faultstring);
    out.extend_from_slice(b"</faultstring>");
    if let Some(detail) = detail {
        out.extend_from_slice(b"<detail>");
        out.extend_from_slice(detail);
        out.extend_from_slice(b"</detail>");
    }
    out.extend_from_slice(b"</soap:Fault>");
    out.extend_from_slice(after);
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_about_the_envelope_has_no_detail() {
        let fault = write_envelope_fault(Faultcode::VersionMismatch, "1.1 & inget <annat>");
        insta::assert_snapshot!(std::str::from_utf8(&fault).unwrap(), @r#"<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault><faultcode>soap:VersionMismatch</faultcode><faultstring>1.1 &amp; inget &lt;annat&gt;</faultstring></soap:Fault></soap:Body></soap:Envelope>"#);
    }

    #[test]
    fn every_code_is_a_name_of_the_namespace_of_the_envelope() {
        for faultcode in Faultcode::ALL {
            let text = write_envelope_fault(faultcode, "x");
            let document = roxmltree::Document::parse(std::str::from_utf8(&text).unwrap()).unwrap();
            let written = document
                .descendants()
                .find(|node| node.has_tag_name("faultcode"))
                .unwrap();
            let (prefix, local) = written.text().unwrap().split_once(':').unwrap();
            assert_eq!(
                written.lookup_namespace_uri(Some(prefix)),
                Some(crate::ssbtek::kuvert::SOAP)
            );
            assert_eq!(local, format!("{faultcode:?}"));
        }
    }
}
