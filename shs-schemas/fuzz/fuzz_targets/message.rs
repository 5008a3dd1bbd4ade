//! Any bytes as a message that is relayed: never a panic; what is read can be written for every
//! kind of peer, and is the same message from the first relay on.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use shs_schemas::mime::{FileNames, Limits};
use shs_schemas::shs::{Management, Message, WriteOptions};

/// A written message can be longer than the one that was read: in the label every character beyond
/// ASCII becomes a reference.
const GROWTH: usize = 10;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let Ok(message) = Message::read(Bytes::copy_from_slice(bytes), None, &limits) else {
        return;
    };
    let _ = Management::of(&message, &limits);
    assert!(message.misstated_sizes().count() <= message.parts.len());
    // The messages of the corpus are seeds as they are, so the choice is theirs too.
    let file_names = if bytes.len() % 2 == 0 {
        FileNames::Rfc2231
    } else {
        FileNames::Latin1
    };
    let roomy = Limits {
        label_bytes_max: limits.label_bytes_max * GROWTH,
        ..limits
    };
    let relay = |message: &Message| {
        let written = message.write_for(&WriteOptions { file_names });
        let body = written.body.into_exposed();
        assert!(body[..written.label_end].ends_with(b"</shs.label>"));
        Message::read(body, None, &roomy).expect("what is written can be read")
    };
    let once = relay(&message);
    assert_eq!(once.parts.len(), message.parts.len());
    for (once, first) in once.parts.iter().zip(&message.parts) {
        assert_eq!(once.data, first.data);
        assert_eq!(once.filename, first.filename);
        assert_eq!(once.content_type, first.content_type);
        assert_eq!(once.datapart_type, first.datapart_type);
    }
    assert_eq!(relay(&once), once);
});
