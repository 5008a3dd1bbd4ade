//! Any bytes as a message: never a panic; parts lie within the body; a message that is read can
//! be written and has the same parts afterwards.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use shs_schemas::mime::{self, Limits};
use shs_schemas::shs::Message;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let body = Bytes::copy_from_slice(bytes);
    let http = Some("multipart/mixed; boundary=b");
    if let Ok(message) = mime::split(body.clone(), http, &limits) {
        for part in &message.parts {
            assert!(part.offset + part.encoded().len() <= body.len());
            let _ = part.decoded();
        }
    }
    let Ok(message) = Message::read(body, http, &limits) else {
        return;
    };
    let roomy = Limits {
        label_bytes_max: limits.label_bytes_max * 10,
        ..limits
    };
    let again = Message::read(message.write(), None, &roomy).expect("what is written can be read");
    assert_eq!(again.parts.len(), message.parts.len());
    for (again, first) in again.parts.iter().zip(&message.parts) {
        assert_eq!(again.data, first.data);
    }
});
