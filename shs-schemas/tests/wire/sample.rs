//! A usual message to vary, with invented parties.

use bytes::Bytes;
use shs_schemas::ErrorCode;
use shs_schemas::mime::Limits;
use shs_schemas::shs::{Message, ReadError};

pub(crate) const LABEL: &str = r#"<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE shs.label SYSTEM "shs-label-1.2.dtd">
<shs.label version="1.2" tx.id="0d9b6f2e-5c1a-4f7b-9a31-6e2d0c000001" corr.id="0d9b6f2e-5c1a-4f7b-9a31-6e2d0c000002" transfer-type="asynch" message-type="simple" document-type="simple" sequence-type="event" status="production">
  <from commonName="Provkontoret">urn:X-shs:0000000001</from>
  <to commonName="Provmyndigheten">urn:X-shs:0000000002.ekonomi</to>
  <product>urn:X-shs:5a1e0000-1111-4222-8333-444455557777</product>
  <subject>Underlag</subject>
  <datetime>2031-03-04T10:00:00</datetime>
  <content content.id="0d9b6f2e-5c1a-4f7b-9a31-6e2d0c000003">
    <data datapartType="underlag"/>
  </content>
</shs.label>"#;

/// What the data part of the usual message holds.
pub(crate) const DATA: &[u8] = b"rad;belopp\r\n1;100\n";

/// A message as text blocks, put together by [`Sample::body`].
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) outer: String,
    pub(crate) label_headers: String,
    pub(crate) label: Vec<u8>,
    pub(crate) part_headers: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

impl Sample {
    pub(crate) fn usual() -> Self {
        Self {
            outer: "Subject: SHS Message\r\nMIME-Version: 1.0\r\n\
                    Content-Type: multipart/mixed;\r\n\tboundary=\"=_prov\"\r\n\
                    Content-Transfer-Encoding: binary\r\n"
                .to_owned(),
            label_headers: "Content-Type: text/xml; charset=ISO-8859-1\r\n\
                            Content-Transfer-Encoding: binary\r\n"
                .to_owned(),
            label: LABEL.as_bytes().to_vec(),
            part_headers: b"Content-Type: text/csv; charset=us-ascii\r\n\
                            Content-Transfer-Encoding: binary\r\n\
                            Content-Disposition: attachment\r\n"
                .to_vec(),
            data: DATA.to_vec(),
        }
    }

    /// With one replacement in the label.
    pub(crate) fn with_label(from: &str, to: &str) -> Self {
        assert!(LABEL.contains(from), "{from}");
        Self {
            label: LABEL.replacen(from, to, 1).into_bytes(),
            ..Self::usual()
        }
    }

    /// With other headers on the data part, and its content so encoded.
    pub(crate) fn with_part(headers: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Self {
        Self {
            part_headers: headers.as_ref().to_vec(),
            data: data.as_ref().to_vec(),
            ..Self::usual()
        }
    }

    /// From the first delimiter line to the end.
    pub(crate) fn parts(&self) -> Vec<u8> {
        [
            b"--=_prov\r\n",
            self.label_headers.as_bytes(),
            b"\r\n",
            &self.label,
            b"\r\n--=_prov\r\n",
            &self.part_headers,
            b"\r\n",
            &self.data,
            b"\r\n--=_prov--\r\n",
        ]
        .concat()
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        [self.outer.as_bytes(), b"\r\n", &self.parts()].concat()
    }

    pub(crate) fn read(&self) -> Result<Message, ReadError> {
        read(self.body())
    }

    /// Reads what must be readable.
    pub(crate) fn message(&self) -> Message {
        self.read().unwrap_or_else(|error| panic!("{error}"))
    }
}

pub(crate) fn read(body: impl AsRef<[u8]>) -> Result<Message, ReadError> {
    read_with_http(body, None)
}

pub(crate) fn read_with_http(
    body: impl AsRef<[u8]>,
    http: Option<&str>,
) -> Result<Message, ReadError> {
    let body = Bytes::copy_from_slice(body.as_ref());
    Message::read(body, http, &Limits::default())
}

/// The usual message, read.
pub(crate) fn usual() -> Message {
    Sample::usual().message()
}

/// The element at fault in a message that must be refused for its structure.
pub(crate) fn refused(read: Result<Message, ReadError>) -> &'static str {
    let error = read.map(|_| panic!("it was read")).unwrap_err();
    assert_eq!(error.code, ErrorCode::IllegalMessageStructure, "{error}");
    error.fault.element
}

/// Every line end of the text parts as one line feed.
pub(crate) fn with_line_feeds(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8(bytes.to_vec())
        .expect("a text")
        .replace("\r\n", "\n")
        .into_bytes()
}
