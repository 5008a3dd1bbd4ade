//! Messages to send, and what comes back.

use bytes::Bytes;
use chrono::Utc;
use shs_schemas::Sensitive;
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::mime::{ContentType, Limits, TransferEncoding};
use shs_schemas::shs::label::{
    Actor, Content, Label, MessageType, Product, SequenceType, Status, TransferType,
};
use shs_schemas::shs::management::Outcome;
use shs_schemas::shs::{Adress, DataPart, Management, Message, Produkt, time};

use crate::sandbox::{DEMO, question_about};

/// Every value that a byte can have.
pub fn every_byte() -> Vec<u8> {
    (0..=u8::MAX).collect()
}

pub fn adress(text: &str) -> Adress {
    Adress::parse(text).unwrap()
}

pub fn produkt(text: &str) -> Produkt {
    Produkt::parse(text).unwrap()
}

/// An asynchronous event with one binary part that holds every byte.
pub fn event(from: &str, to: &str, product: &str) -> Message {
    let tx_id = TxId::fresh();
    let label = Label {
        corr_id: CorrId::parse(tx_id.as_str()).unwrap(),
        tx_id,
        agreement: None,
        transfer_type: TransferType::Asynch,
        message_type: MessageType::Simple,
        sequence_type: SequenceType::Event,
        status: Status::Production,
        originator: None,
        from: Some(Actor::new(adress(from), None)),
        to: Some(Actor::new(adress(to), None)),
        end_recipient: None,
        product: Product::from(produkt(product)),
        meta: Vec::new(),
        subject: None,
        datetime: time::swedish(Utc::now()),
        content: Content {
            id: ContentId::fresh(),
            data: Vec::new(),
            compound: false,
            comment: None,
        },
        history: Vec::new(),
    };
    Message {
        label,
        parts: vec![part(TransferEncoding::Binary, every_byte())],
    }
}

/// A part that travels so.
pub fn part(encoding: TransferEncoding, data: Vec<u8>) -> DataPart {
    DataPart {
        encoding,
        ..DataPart::new(
            "underlag",
            "underlag.bin",
            ContentType::OCTET_STREAM,
            data.into(),
        )
    }
}

/// A synchronous request with the same part.
pub fn request(from: &str, to: &str, product: &str) -> Message {
    let mut message = event(from, to, product);
    message.label.transfer_type = TransferType::Synch;
    message.label.sequence_type = SequenceType::Request;
    message
}

/// The same message addressed by product.
pub fn without_receiver(mut message: Message) -> Message {
    message.label.to = None;
    message
}

/// An asynchronous SSBTEK question of the demo's municipality.
pub fn asynchronous_question() -> Message {
    let mut message = read(question_about(&[DEMO]));
    message.label.transfer_type = TransferType::Asynch;
    message
}

/// A message of any size, read.
pub fn read(body: Bytes) -> Message {
    let limits = Limits {
        body_bytes_max: usize::MAX,
        ..Limits::default()
    };
    Message::read(body, None, &limits).unwrap()
}

/// The document in an error message or a confirmation.
pub fn management(message: &Message) -> Management {
    let read = Management::of(message, &Limits::default());
    read.expect("an administrative message").unwrap()
}

/// The code of an error message.
pub fn error_code(message: &Message) -> &'static str {
    match management(message).outcome {
        Outcome::Error { code, .. } => code.as_str(),
        Outcome::Confirmation => panic!("a confirmation"),
    }
}

/// An `appinfo` of an error message.
pub fn appinfo(document: &Management, name: &str) -> Option<String> {
    let Outcome::Error { appinfo, .. } = &document.outcome else {
        return None;
    };
    let found = appinfo.iter().find(|appinfo| appinfo.name == name);
    found.map(|appinfo| appinfo.text.expose().clone())
}

/// The bytes of a part.
pub fn data(message: &Message, part: usize) -> &Bytes {
    message.parts[part].data.expose()
}

/// A text of the label.
pub fn text(value: &str) -> Sensitive<String> {
    Sensitive::new(value.to_owned())
}

/// Bytes with one text in them replaced, which must be there.
pub fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut at = bytes.windows(from.len());
    let at = at.position(|at| at == from.as_bytes()).expect(from);
    let (before, after) = (&bytes[..at], &bytes[at + from.len()..]);
    [before, to.as_bytes(), after].concat()
}
