//! The ping product: whatever the request holds, it is answered, so that a client can test its
//! connection, certificate and agreement without asking about anybody (shs-1.2, 7.11).

use bytes::Bytes;
use chrono::{DateTime, Utc};
use shs_schemas::Sensitive;
use shs_schemas::ids::ContentId;
use shs_schemas::mime::ContentType;
use shs_schemas::shs::{Actor, DataPart, Message};

use crate::reply::Reply;

/// What is answered.
const PONG: &str = "PONG!";

/// File name of the answer when the request's part has none.
const FILE_NAME: &str = "ping.txt";

/// The reply to a ping, under the name of the request's first part.
#[must_use]
pub fn reply(request: &Message, own: &Actor, now: DateTime<Utc>) -> Reply {
    let asked = request.parts.first();
    let datapart_type = asked.map_or_else(String::new, |part| part.datapart_type.clone());
    let filename = asked.and_then(|part| part.filename.clone());
    let pong = DataPart {
        filename: Some(filename.unwrap_or_else(|| Sensitive::new(FILE_NAME.to_owned()))),
        ..DataPart::new(
            datapart_type,
            FILE_NAME,
            ContentType::TEXT,
            Bytes::from_static(PONG.as_bytes()),
        )
    };
    let message = Message {
        label: request.label.reply(ContentId::fresh(), own, now),
        parts: vec![pong],
    };
    Reply {
        body: Sensitive::new(message.write()),
        label: Some(Box::new(message.label_as_written())),
        complete: true,
    }
}
