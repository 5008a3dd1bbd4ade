//! Messages by which nodes tell each other what became of a message: built whole from the label
//! of the message they are about (shs-1.2, 6.2, 7.8, 7.10), and read (3.3, 7.9).

use chrono::{DateTime, Utc};

use super::{DataPart, Message};
use crate::error::{Fault, WireError};
use crate::error_code::ErrorCode;
use crate::mime::Limits;
use crate::sensitive::Sensitive;
use crate::shs::label::{Actor, Administrative, Label, SequenceType};
use crate::shs::management::{AppInfo, Management, Outcome};
use crate::shs::time;
use crate::shs::urn::Produkt;

impl Message {
    /// The error message about a message that could not be delivered (shs-1.2, 6.2). `own` signs
    /// when the message named no receiver. Never make one about an `adm` message.
    #[must_use]
    pub fn error_about(
        original: &Label,
        own: &Actor,
        code: ErrorCode,
        info: &str,
        appinfo: Vec<AppInfo>,
        now: DateTime<Utc>,
    ) -> Self {
        let info = (!info.is_empty()).then(|| Sensitive::new(info.to_owned()));
        let outcome = Outcome::Error {
            code,
            info,
            appinfo,
        };
        Self::about(original, Administrative::Error, own, outcome, now)
    }

    /// The confirmation that a message was delivered (shs-1.2, 7.10). Never make one about an
    /// `adm` message.
    #[must_use]
    pub fn confirmation_of(original: &Label, own: &Actor, now: DateTime<Utc>) -> Self {
        let outcome = Outcome::Confirmation;
        Self::about(original, Administrative::Confirm, own, outcome, now)
    }

    fn about(
        original: &Label,
        kind: Administrative,
        own: &Actor,
        outcome: Outcome,
        now: DateTime<Utc>,
    ) -> Self {
        let document = Management {
            corr_id: original.corr_id.clone(),
            content_id: original.content.id.clone(),
            datetime: time::swedish(now),
            outcome,
        };
        Self {
            label: original.administrative(kind, own, now),
            parts: vec![DataPart::management(&document)],
        }
    }
}

impl Management {
    /// The document of an error message or a confirmation; `None` for any other message.
    ///
    /// The product decides what it means: under `error` nothing is a confirmation, whatever the
    /// document says or leaves out; under `confirm` a document without `error` is one (shs-1.2,
    /// 3.3). Correlate by the document's identifiers, not by the label's (7.9).
    ///
    /// # Errors
    /// When the first part is no readable document; offsets count from its start.
    #[must_use]
    pub fn of(message: &Message, limits: &Limits) -> Option<Result<Self, WireError>> {
        let Label {
            sequence_type,
            product,
            ..
        } = &message.label;
        let is_error = product.produkt == Produkt::Error;
        let is_known = is_error || product.produkt == Produkt::Confirm;
        if *sequence_type != SequenceType::Adm || !is_known {
            return None;
        }
        let Some(part) = message.parts.first() else {
            return Some(Err(WireError::new("data part", 0, Fault::Missing)));
        };
        let document = Self::read(part.data.expose(), part.content_type.charset(), limits);
        Some(document.map(|document| match document.outcome {
            Outcome::Confirmation if is_error => Self {
                outcome: Outcome::Error {
                    code: ErrorCode::OtherError,
                    info: None,
                    appinfo: Vec::new(),
                },
                ..document
            },
            _ => document,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shs::label::TransferType;
    use crate::shs::urn::Adress;

    /// shs-1.2, 9.4.
    const EVENT: &str = r#"<shs.label version="1.2" tx.id="c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01" corr.id="c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01" shs.agreement="9e2d4b60-7a31-4c8e-b5f0-1a2b3c4d5e6f" transfer-type="asynch" sequence-type="event">
  <from commonName="Fiktivkontoret">urn:X-shs:0000000001</from>
  <to commonName="Provmyndigheten">urn:X-shs:0000000002.ekonomi</to>
  <product commonName="Provunderlag">urn:X-shs:5a1e0000-1111-4222-8333-444455557777</product>
  <datetime>2031-03-04T10:00:00</datetime>
  <content content.id="c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c02"><data datapartType="underlag"/></content>
</shs.label>"#;

    fn event() -> Label {
        Label::read(EVENT.as_bytes(), None, &Limits::default()).unwrap()
    }

    fn own() -> Actor {
        Actor::new(Adress::parse("0000000002").unwrap(), None)
    }

    fn now() -> DateTime<Utc> {
        "2031-03-04T09:00:07Z".parse().unwrap()
    }

    fn error() -> Message {
        let appinfo = |name: &str, text: &str| AppInfo {
            name: name.to_owned(),
            text: Sensitive::new(text.to_owned()),
        };
        Message::error_about(
            &event(),
            &own(),
            ErrorCode::MissingAgreement,
            "Inget giltigt avtal för produkten",
            vec![
                appinfo("detectedBy", "0000000002"),
                appinfo("txId", "c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01"),
            ],
            now(),
        )
    }

    fn of(message: &Message) -> Option<Result<Management, WireError>> {
        Management::of(message, &Limits::default())
    }

    fn with_document(mut message: Message, document: &str) -> Message {
        message.parts[0].data = Sensitive::new(document.to_owned().into());
        message
    }

    /// The label as 9.5 and 9.6 have it, all but the fresh `tx.id`.
    fn label_of_the_specification(tx_id: &str, product: &str, time: &str, size: usize) -> String {
        format!(
            r#"<shs.label version="1.2" tx.id="{tx_id}" corr.id="c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01" shs.agreement="9e2d4b60-7a31-4c8e-b5f0-1a2b3c4d5e6f" transfer-type="asynch" message-type="simple" document-type="simple" sequence-type="adm" status="production">
  <from commonName="Provmyndigheten">urn:X-shs:0000000002.ekonomi</from>
  <to commonName="Fiktivkontoret">urn:X-shs:0000000001</to>
  <product>urn:X-shs:{product}</product>
  <datetime>{time}</datetime>
  <content content.id="c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c02">
    <data datapartType="{product}" filename="{product}.xml" no-of-bytes="{size}"/>
  </content>
</shs.label>"#
        )
    }

    fn text_of(message: &Message) -> String {
        String::from_utf8(message.write().to_vec()).unwrap()
    }

    #[test]
    fn an_error_message_is_that_of_9_5() {
        let error = error();
        let text = text_of(&error);
        let tx_id = error.label.tx_id.as_str();
        let label = label_of_the_specification(tx_id, "error", "2031-03-04T10:00:07", 515);
        assert!(text.contains(&label), "{text}");
        let part = "Content-Type: text/xml; charset=ISO-8859-1; name=\"error.xml\"\r\n\
            Content-Transfer-Encoding: binary\r\n\
            Content-Disposition: attachment; filename=\"error.xml\"\r\n\r\n<?xml ";
        assert!(text.contains(part), "{text}");
        let document = r#"  <error errorcode="MissingAgreement" errorinfo="Inget giltigt avtal f&#246;r produkten">
    <appinfo name="detectedBy">0000000002</appinfo>
    <appinfo name="txId">c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01</appinfo>
  </error>
</shs.management>"#;
        assert!(text.contains(document), "{text}");
    }

    #[test]
    fn a_confirmation_is_that_of_9_6() {
        let now = "2031-03-04T10:30:00Z".parse().unwrap();
        let confirmation = Message::confirmation_of(&event(), &own(), now);
        let text = text_of(&confirmation);
        let tx_id = confirmation.label.tx_id.as_str();
        let label = label_of_the_specification(tx_id, "confirm", "2031-03-04T11:30:00", 308);
        assert!(text.contains(&label), "{text}");
        assert!(
            text.contains("  <confirmation/>\n</shs.management>"),
            "{text}"
        );
        assert!(text.contains("filename=\"confirm.xml\""), "{text}");
    }

    #[test]
    fn what_is_made_is_read_back_with_the_identifiers_of_the_original() {
        for message in [error(), Message::confirmation_of(&event(), &own(), now())] {
            let read = Message::read(message.write(), None, &Limits::default()).unwrap();
            let document = of(&read).unwrap().unwrap();
            assert_eq!(Some(Ok(document.clone())), of(&message));
            assert_eq!(document.corr_id, event().corr_id);
            assert_eq!(document.content_id, event().content.id);
        }
    }

    #[test]
    fn an_error_about_a_synchronous_message_is_its_answer() {
        let mut request = event();
        request.transfer_type = TransferType::Synch;
        let code = ErrorCode::OtherError;
        let error = Message::error_about(&request, &own(), code, "", Vec::new(), now());
        assert_eq!(error.label.transfer_type, TransferType::Synch);
        assert_eq!(error.label.tx_id, request.tx_id);
        assert!(error.label.is_error());
        assert!(!text_of(&error).contains("errorinfo"));
    }

    #[test]
    fn under_the_product_confirm_a_document_without_error_is_a_confirmation() {
        let confirmation = || Message::confirmation_of(&event(), &own(), now());
        let bare = "<shs.management corr.id='a' content.id='b'><datetime>2013-06-17</datetime></shs.management>";
        let document = of(&with_document(confirmation(), bare)).unwrap().unwrap();
        assert_eq!(document.outcome, Outcome::Confirmation);
        assert_eq!(document.corr_id.as_str(), "a");
        let error = bare.replace("</shs.", "<error errorcode='OtherError'/></shs.");
        let document = of(&with_document(confirmation(), &error)).unwrap().unwrap();
        assert!(matches!(document.outcome, Outcome::Error { .. }));
    }

    #[test]
    fn under_the_product_error_nothing_is_a_confirmation() {
        for child in ["", "<confirmation/>"] {
            let document = format!(
                "<shs.management corr.id='a' content.id='b'><datetime>2013-06-17</datetime>{child}</shs.management>"
            );
            let document = of(&with_document(error(), &document)).unwrap().unwrap();
            let Outcome::Error { code, .. } = document.outcome else {
                panic!("a confirmation")
            };
            assert_eq!(code, ErrorCode::OtherError);
        }
    }

    #[test]
    fn other_messages_have_no_such_document_and_a_broken_one_is_an_error() {
        let mut event = error();
        event.label.sequence_type = SequenceType::Event;
        assert_eq!(of(&event), None);
        let mut agreement = error();
        agreement.label.product = Produkt::Agreement.into();
        assert_eq!(of(&agreement), None);
        let broken = with_document(error(), "<shs.management corr.id='a'/>");
        assert_eq!(of(&broken).unwrap().unwrap_err().element, "content.id");
        let mut empty = error();
        empty.parts.clear();
        assert_eq!(of(&empty).unwrap().unwrap_err().element, "data part");
    }
}
