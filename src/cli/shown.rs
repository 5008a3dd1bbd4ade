//! Messages for people, without what they say about persons: identities, products, sizes, and what
//! administrative messages tell.

use shs_schemas::mime;
use shs_schemas::shs::label::{Data, SequenceType};
use shs_schemas::shs::management::{Management, Outcome};
use shs_schemas::shs::message_list::MessageList;
use shs_schemas::shs::{Label, Message};

use super::table::table;

/// Most characters shown of a text that another node wrote.
const TEXT_CHARS_MAX: usize = 500;

/// A text of somebody else's, safe for a terminal: without control characters, and cut off.
pub(super) fn printable(text: &str) -> String {
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(TEXT_CHARS_MAX).map(blank).collect()
}

/// What waits in an outbox.
pub(super) fn list(list: &MessageList) -> String {
    let rows = list.messages.iter().map(|listed| {
        vec![
            listed.tx_id.to_string(),
            listed
                .product
                .map_or_else(String::new, |produkt| produkt.bare()),
            listed
                .sequence_type
                .map_or("", SequenceType::as_str)
                .to_owned(),
            listed.status.as_str().to_owned(),
            listed
                .size
                .map_or_else(String::new, |size| size.to_string()),
            parts(&listed.data),
        ]
    });
    table(
        &["TX.ID", "PRODUCT", "SEQUENCE", "STATUS", "BYTES", "PARTS"],
        &[4],
        rows,
    )
}

/// One row about a message that has been fetched.
pub(super) fn row(label: &Label, data: &[Data], bytes: usize, place: &str) -> Vec<String> {
    vec![
        label.tx_id.to_string(),
        label.product.produkt.bare(),
        label.sequence_type.as_str().to_owned(),
        label.status.as_str().to_owned(),
        bytes.to_string(),
        parts(data),
        place.to_owned(),
    ]
}

/// The header of such rows, and the columns to be aligned to the right.
pub(super) const FETCHED: (&[&str], &[usize]) = (
    &[
        "TX.ID", "PRODUCT", "SEQUENCE", "STATUS", "BYTES", "PARTS", "SAVED IN",
    ],
    &[4],
);

/// Types and sizes of parts: `underlag 26, bilaga 8`.
fn parts(data: &[Data]) -> String {
    let part = |data: &Data| {
        let kind = printable(&data.datapart_type);
        match data.no_of_bytes {
            Some(bytes) => format!("{kind} {bytes}"),
            None => kind,
        }
    };
    data.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// What an administrative message tells, in clear text; nothing for any other message.
pub(super) fn administrative(message: &Message) -> Option<String> {
    if message.label.sequence_type != SequenceType::Adm {
        return None;
    }
    let part = message.parts.first()?;
    let charset = part.content_type.charset();
    let read = Management::read(part.data.expose(), charset, &mime::Limits::default());
    let Ok(document) = read else {
        return Some("an administrative message whose document cannot be read".to_owned());
    };
    let about = format!(
        "corr.id {}, content.id {}",
        document.corr_id, document.content_id
    );
    Some(match document.outcome {
        Outcome::Confirmation => format!("confirmation of {about}"),
        Outcome::Error {
            code,
            info,
            appinfo,
        } => {
            let mut text = format!("error {code} about {about}");
            if let Some(info) = info {
                text = format!("{text}: {}", printable(info.expose()));
            }
            for more in appinfo {
                let (name, value) = (printable(&more.name), printable(more.text.expose()));
                text = format!("{text}\n    {name}: {value}");
            }
            text
        }
    })
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use shs_schemas::Sensitive;
    use shs_schemas::error_code::ErrorCode;
    use shs_schemas::shs::management::AppInfo;
    use shs_schemas::shs::{DataPart, time};

    use super::*;
    use crate::client::question::{self, Asker};

    fn adm(outcome: Outcome) -> Message {
        let mut message = question::message(&Asker::default(), &[], Utc::now()).unwrap();
        message.label.sequence_type = SequenceType::Adm;
        let document = Management {
            corr_id: shs_schemas::ids::CorrId::parse("c-1").unwrap(),
            content_id: shs_schemas::ids::ContentId::parse("d-1").unwrap(),
            datetime: time::swedish(Utc::now()),
            outcome,
        };
        message.parts = vec![DataPart::management(&document)];
        message
    }

    #[test]
    fn errors_and_confirmations_are_told_in_clear_text() {
        let confirmation = administrative(&adm(Outcome::Confirmation)).unwrap();
        assert_eq!(confirmation, "confirmation of corr.id c-1, content.id d-1");
        let error = administrative(&adm(Outcome::Error {
            code: ErrorCode::MissingAgreement,
            info: Some(Sensitive::new("Avtal\u{9b}31m saknas".into())),
            appinfo: vec![AppInfo {
                name: "detectedBy".into(),
                text: Sensitive::new("0000000002".into()),
            }],
        }));
        assert_eq!(
            error.unwrap(),
            "error MissingAgreement about corr.id c-1, content.id d-1: Avtal 31m saknas\n    \
             detectedBy: 0000000002"
        );
        let mut broken = adm(Outcome::Confirmation);
        broken.parts[0].data = Sensitive::new(bytes::Bytes::from_static(b"x"));
        assert!(administrative(&broken).unwrap().contains("cannot be read"));
        broken.label.sequence_type = SequenceType::Event;
        assert_eq!(administrative(&broken), None);
    }

    #[test]
    fn a_foreign_text_cannot_steer_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\nc"), "a [2Jb c");
        assert_eq!(printable(&"x".repeat(1000)).len(), TEXT_CHARS_MAX);
    }
}
