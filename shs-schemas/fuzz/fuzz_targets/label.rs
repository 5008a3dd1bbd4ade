//! Any bytes as a label: never a panic; what is read can be written, and what is written is read
//! as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shs_schemas::mime::Limits;
use shs_schemas::shs::Label;

/// A written label can be longer than the one that was read: every character beyond ASCII
/// becomes a reference.
const GROWTH: usize = 10;

fuzz_target!(|input: (&[u8], bool)| {
    let (bytes, said_utf8) = input;
    let charset = said_utf8.then_some("UTF-8");
    let limits = Limits::default();
    let Ok(label) = Label::read(bytes, charset, &limits) else {
        return;
    };
    let written = label.write();
    assert!(written.is_ascii());
    let roomy = Limits {
        label_bytes_max: limits.label_bytes_max * GROWTH,
        ..limits
    };
    let again = Label::read(&written, None, &roomy).expect("what is written can be read");
    assert_eq!(again.write(), written);
});
