//! Reads an AMQP message as an answer (design 5, "answer message").

use bytes::Bytes;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use shs_schemas::{Fault, Sensitive, WireError};
use uuid::Uuid;

use super::contract::{FEL_V1, FELKOD, FELMEDDELANDE, SEALED_CONTENT_TYPE, SVAR_V1, X_SEAL_KEY};
use crate::transport::sealing::KeyId;
use crate::transport::{Answer, AnswerContent};

/// Largest bound on the body of an answer that can be set, in bytes.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The sub-question that a message belongs to, if its correlation id is a UUID.
pub(super) fn corr_id(delivery: &Delivery) -> Option<Uuid> {
    let text = delivery.properties.correlation_id().as_ref()?;
    Uuid::try_parse(text.as_str()).ok()
}

/// Reads an answer; the body is taken over, not copied. Nothing when the message does not say what
/// it answers. A body larger than `bytes_max` is let go at once.
pub(super) fn read_answer(delivery: Delivery, bytes_max: usize) -> Option<Answer> {
    Some(Answer {
        corr_id: corr_id(&delivery)?,
        content: read_content(delivery, bytes_max),
    })
}

fn read_content(delivery: Delivery, bytes_max: usize) -> AnswerContent {
    match delivery.properties.kind().as_ref().map(ShortString::as_str) {
        Some(SVAR_V1) if delivery.data.len() > bytes_max => {
            unreadable(BODY, Fault::Limit("answer_bytes_max", bytes_max))
        }
        Some(SVAR_V1) if is_sealed(&delivery) => read_sealed(delivery),
        Some(SVAR_V1) => AnswerContent::Svar(Sensitive::new(Bytes::from(delivery.data))),
        Some(FEL_V1) => delivery
            .properties
            .headers()
            .as_ref()
            .and_then(read_fel)
            .unwrap_or_else(|| unreadable(FELKOD, Fault::Missing)),
        _ => AnswerContent::of_another_type(),
    }
}

fn is_sealed(delivery: &Delivery) -> bool {
    let content_type = delivery.properties.content_type().as_ref();
    content_type.is_some_and(|content_type| content_type.as_str() == SEALED_CONTENT_TYPE)
}

/// A sealed body needs the name of its key.
fn read_sealed(delivery: Delivery) -> AnswerContent {
    let headers = delivery.properties.headers().as_ref();
    let key = headers
        .and_then(|headers| text(headers.inner().get(X_SEAL_KEY)?))
        .and_then(|key| KeyId::parse(&key).ok());
    match key {
        Some(key) => AnswerContent::Sealed {
            key,
            body: Bytes::from(delivery.data),
        },
        None => unreadable(X_SEAL_KEY, Fault::Missing),
    }
}

/// Where a message that is no answer is wrong.
const BODY: &str = "body";

fn unreadable(element: &'static str, fault: Fault) -> AnswerContent {
    AnswerContent::Unreadable(WireError::new(element, 0, fault))
}

/// A failure needs its code; texts may be missing, and what is no text among them is left out. Both are
/// bounded by the size of a frame. A code may be a number: those of some authorities are.
fn read_fel(headers: &FieldTable) -> Option<AnswerContent> {
    let felkod = headers.inner().get(FELKOD)?;
    let felkod = text(felkod).or_else(|| number(felkod))?;
    let felmeddelande = match headers.inner().get(FELMEDDELANDE) {
        None | Some(AMQPValue::Void) => Vec::new(),
        Some(AMQPValue::FieldArray(texts)) => texts.as_slice().iter().filter_map(text).collect(),
        Some(single) => text(single).into_iter().collect(),
    };
    Some(AnswerContent::Fel {
        felkod,
        felmeddelande: Sensitive::new(felmeddelande),
    })
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok().map(str::to_owned),
        AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

fn number(value: &AMQPValue) -> Option<String> {
    Some(match value {
        AMQPValue::ShortShortInt(number) => number.to_string(),
        AMQPValue::ShortShortUInt(number) => number.to_string(),
        AMQPValue::ShortInt(number) => number.to_string(),
        AMQPValue::ShortUInt(number) => number.to_string(),
        AMQPValue::LongInt(number) => number.to_string(),
        AMQPValue::LongUInt(number) => number.to_string(),
        AMQPValue::LongLongInt(number) => number.to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use lapin::BasicProperties;
    use lapin::types::{FieldArray, LongString};

    use super::*;

    fn message(kind: &str, headers: &[(&str, AMQPValue)], body: &[u8]) -> Delivery {
        let mut table = FieldTable::default();
        for (name, value) in headers {
            table.insert((*name).into(), value.clone());
        }
        let mut delivery = Delivery::mock(1, "".into(), "".into(), false, body.to_vec());
        delivery.properties = BasicProperties::default()
            .with_correlation_id("8c1b6f0e-3a55-4c3e-9a41-0d6a4a1f0b11".into())
            .with_type(kind.into())
            .with_headers(table);
        delivery
    }

    fn read_answer(delivery: Delivery) -> Option<Answer> {
        super::read_answer(delivery, ANSWER_BYTES_MAX)
    }

    fn long(text: &str) -> AMQPValue {
        AMQPValue::LongString(LongString::from(text))
    }

    fn fel(headers: &[(&str, AMQPValue)]) -> Option<(String, Vec<String>)> {
        match read_answer(message(FEL_V1, headers, b"")).unwrap().content {
            AnswerContent::Fel {
                felkod,
                felmeddelande,
            } => Some((felkod, felmeddelande.into_exposed())),
            AnswerContent::Unreadable(_) => None,
            AnswerContent::Svar(_) | AnswerContent::Sealed { .. } => {
                panic!("fel.v1 read as svar.v1")
            }
        }
    }

    #[test]
    fn a_body_is_taken_over_without_a_copy() {
        let delivery = message(SVAR_V1, &[], b"<ssbt:CSN/>");
        let place = delivery.data.as_ptr();
        let AnswerContent::Svar(body) = read_answer(delivery).unwrap().content else {
            panic!("svar.v1 not read as such");
        };
        assert_eq!(&body.expose()[..], b"<ssbt:CSN/>");
        assert_eq!(body.expose().as_ptr(), place);
    }

    #[test]
    fn a_sealed_body_needs_the_name_of_its_key() {
        let read = |key: Option<AMQPValue>| {
            let headers: Vec<_> = key.into_iter().map(|key| (X_SEAL_KEY, key)).collect();
            let mut delivery = message(SVAR_V1, &headers, b"sealed");
            let properties = delivery.properties.clone();
            delivery.properties = properties.with_content_type(SEALED_CONTENT_TYPE.into());
            read_answer(delivery).unwrap().content
        };
        let AnswerContent::Sealed { key, body } = read(Some(long("nod-1"))) else {
            panic!("a sealed body not read as such");
        };
        assert_eq!((key.as_str(), &body[..]), ("nod-1", &b"sealed"[..]));
        for key in [
            None,
            Some(long("")),
            Some(long("a b")),
            Some(AMQPValue::LongInt(1)),
        ] {
            assert!(matches!(read(key), AnswerContent::Unreadable(_)));
        }
    }

    #[test]
    fn a_body_above_the_bound_is_let_go() {
        let read = |bytes_max| {
            let delivery = message(SVAR_V1, &[], b"<ssbt:CSN/>");
            super::read_answer(delivery, bytes_max).unwrap().content
        };
        assert!(matches!(read(11), AnswerContent::Svar(_)));
        let AnswerContent::Unreadable(fault) = read(10) else {
            panic!("above the bound")
        };
        assert_eq!(fault.fault, Fault::Limit("answer_bytes_max", 10));
    }

    #[test]
    fn texts_of_a_failure_come_as_a_list_as_one_text_or_not_at_all() {
        let list = AMQPValue::FieldArray(FieldArray::from(vec![
            long("ett"),
            AMQPValue::ShortString("två".into()),
        ]));
        let kod = || (FELKOD, long("BT-17"));
        assert_eq!(
            fel(&[kod(), (FELMEDDELANDE, list)]),
            Some(("BT-17".into(), vec!["ett".into(), "två".into()]))
        );
        assert_eq!(
            fel(&[kod(), (FELMEDDELANDE, long("ett"))]),
            Some(("BT-17".into(), vec!["ett".into()]))
        );
        assert_eq!(fel(&[kod()]), Some(("BT-17".into(), vec![])));
    }

    #[test]
    fn a_failure_without_a_code_is_unreadable_and_a_number_is_a_code() {
        assert_eq!(fel(&[]), None);
        assert_eq!(fel(&[(FELKOD, AMQPValue::Boolean(true))]), None);
        for number in [
            AMQPValue::LongInt(403),
            AMQPValue::ShortUInt(403),
            AMQPValue::LongLongInt(403),
        ] {
            assert_eq!(fel(&[(FELKOD, number)]), Some(("403".into(), vec![])));
        }
    }

    #[test]
    fn what_is_no_text_among_the_texts_of_a_failure_is_left_out() {
        let mixed = vec![AMQPValue::Boolean(true), long("ett")];
        for (given, texts) in [
            (AMQPValue::Boolean(true), vec![]),
            (
                AMQPValue::FieldArray(FieldArray::from(mixed)),
                vec!["ett".to_owned()],
            ),
        ] {
            let headers = [(FELKOD, long("BT-17")), (FELMEDDELANDE, given)];
            assert_eq!(fel(&headers), Some(("BT-17".into(), texts)));
        }
    }

    #[test]
    fn another_type_is_unreadable_and_a_correlation_id_that_is_no_uuid_is_nobodys() {
        assert!(matches!(
            read_answer(message("svar.v2", &[], b"x")).unwrap().content,
            AnswerContent::Unreadable(_)
        ));
        let mut delivery = message(SVAR_V1, &[], b"x");
        delivery.properties = delivery.properties.with_correlation_id("17".into());
        assert!(read_answer(delivery).is_none());
    }
}
