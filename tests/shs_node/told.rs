//! How an error is told: before the answer by status, header and document (shs-1.2, 5.5 and 6.2), after
//! it by a message in the sender's mailbox (6.2 and 7.8).

use bytes::Bytes;
use shs_schemas::ErrorCode;
use shs_schemas::mime::{Limits, TransferEncoding};
use shs_schemas::shs::label::{MessageType, SequenceType, TransferType};
use shs_schemas::shs::management::{AppInfo, Outcome};
use shs_schemas::shs::{Label, Management, Message, Produkt};

use samsvar_actors::transfers::TransferState;

use crate::exchange::OWN;
use crate::rig::{Answer, Rig};
use crate::xmllint::{Kind, assert_valid};

const MANAGEMENT: &str = "text/xml; charset=ISO-8859-1";

/// The refusal of a message, which the caller can do something about.
pub fn assert_refused(answer: &Answer, code: ErrorCode, label: &Label) -> Management {
    assert_refused_with(answer, 400, code, Some(label))
}

/// A refusal with this status; `label` is that of a message whose identifiers were read.
pub fn assert_refused_with(
    answer: &Answer,
    status: u16,
    code: ErrorCode,
    label: Option<&Label>,
) -> Management {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    assert_eq!(
        answer.header("x-shs-errorcode"),
        Some(code.as_str()),
        "{text}"
    );
    assert_eq!(answer.header("content-type"), Some(MANAGEMENT));
    assert_eq!(answer.header("x-shs-nodeid"), Some("samsvar-demo"));
    for absent in ["x-shs-localid", "x-shs-arrivaldate", "x-shs-duplicatemsg"] {
        assert_eq!(answer.header(absent), None, "{absent}");
    }
    let retry_after = (status == 503).then_some("5");
    assert_eq!(answer.header("retry-after"), retry_after);
    let management = Management::read(&answer.body, None, &Limits::default()).unwrap();
    if let Some(label) = label {
        assert_eq!(answer.header("x-shs-txid"), Some(label.tx_id.as_str()));
        assert_eq!(answer.header("x-shs-corrid"), Some(label.corr_id.as_str()));
        assert_eq!(
            answer.header("x-shs-contentid"),
            Some(label.content.id.as_str())
        );
        assert_eq!(management.corr_id, label.corr_id);
        assert_eq!(management.content_id, label.content.id);
    }
    assert_eq!(code_of(&management), code);
    assert_valid(Kind::Management, &[answer.body.to_vec()]);
    management
}

pub fn code_of(management: &Management) -> ErrorCode {
    match &management.outcome {
        Outcome::Error { code, info, .. } => {
            assert!(info.is_some(), "people are told too");
            *code
        }
        Outcome::Confirmation => panic!("an error is no confirmation"),
    }
}

pub fn appinfo<'a>(management: &'a Management, name: &str) -> Option<&'a str> {
    let Outcome::Error { appinfo, .. } = &management.outcome else {
        panic!("an error has appinfo")
    };
    let found = appinfo.iter().find(|info: &&AppInfo| info.name == name)?;
    Some(found.text.expose())
}

/// The label part of a message, as it stands in its bytes.
pub fn label_in(message: &Bytes) -> Vec<u8> {
    let text = String::from_utf8_lossy(message);
    let (begin, end) = (
        text.find("<?xml").unwrap(),
        text.find("</shs.label>").unwrap(),
    );
    text[begin..end + "</shs.label>".len()].as_bytes().to_vec()
}

/// Sends a message that is accepted and cannot be delivered, and looks at everything that its sender is
/// told.
pub async fn assert_told(rig: &Rig, original: &Message, code: ErrorCode) -> Management {
    rig.accepted(original).await;
    assert_error_lies(rig, original, code).await
}

/// The sender's mailbox holds one error message, and it is about this message.
pub async fn assert_error_lies(rig: &Rig, original: &Message, code: ErrorCode) -> Management {
    let sender = original.label.from.as_ref().unwrap().address.bare();
    let status = format!(
        "?producttype=error&status={}",
        original.label.status.as_str()
    );
    let (error, bytes) = rig.only(&sender, &status).await;
    let document = error.parts[0].data.expose().to_vec();
    assert_valid(Kind::Label, &[label_in(&bytes)]);
    assert_valid(Kind::Management, std::slice::from_ref(&document));
    let management = Management::read(&document, None, &Limits::default()).unwrap();
    assert_about(&error, &original.label, Produkt::Error);
    assert_eq!(management.corr_id, original.label.corr_id);
    assert_eq!(management.content_id, original.label.content.id);
    assert_eq!(code_of(&management), code);
    assert_eq!(appinfo(&management, "detectedBy"), Some(OWN));
    assert_eq!(
        appinfo(&management, "txId"),
        Some(original.label.tx_id.as_str())
    );
    let quarantined = TransferState::Quarantined { code };
    assert_eq!(rig.state(&original.label.tx_id), Some((quarantined, false)));
    rig.assert_no_place_is_held().await;
    management
}

/// Every field of the label and the one part of an error or a confirmation (7.8).
pub fn assert_about(told: &Message, original: &Label, produkt: Produkt) {
    let (label, role) = (&told.label, produkt.bare());
    assert_ne!(label.tx_id, original.tx_id);
    assert_eq!(label.corr_id, original.corr_id);
    assert_eq!(label.content.id, original.content.id);
    assert_eq!(label.agreement, original.agreement);
    assert_eq!(label.transfer_type, TransferType::Asynch);
    assert_eq!(label.message_type, MessageType::Simple);
    assert_eq!(label.sequence_type, SequenceType::Adm);
    assert_eq!(label.status, original.status);
    let signed = original
        .to
        .as_ref()
        .map_or(OWN.to_owned(), |to| to.address.bare());
    assert_eq!(label.from.as_ref().unwrap().address.bare(), signed);
    let to = &label.to.as_ref().unwrap().address;
    assert_eq!(to, &original.from.as_ref().unwrap().address);
    assert_eq!(label.originator, original.end_recipient);
    assert_eq!(label.end_recipient, original.originator);
    assert_eq!(label.product.produkt, produkt);
    assert_eq!((label.meta.len(), label.history.len()), (0, 0));
    assert!(label.subject.is_none());
    let [part] = &told.parts[..] else {
        panic!("one part")
    };
    assert_eq!(part.datapart_type, role);
    assert_eq!(
        part.filename.as_ref().unwrap().expose(),
        &format!("{role}.xml")
    );
    assert_eq!(part.content_type.essence(), "text/xml");
    assert_eq!(part.content_type.charset(), Some("ISO-8859-1"));
    assert_eq!(part.encoding, TransferEncoding::Binary);
}
