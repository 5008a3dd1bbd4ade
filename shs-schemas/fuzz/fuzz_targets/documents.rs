//! Any bytes as an agreement, a product description, a management document and a message list:
//! never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shs_schemas::mime::Limits;
use shs_schemas::shs::{Agreement, Management, MessageList, ProductType};

fuzz_target!(|input: (&[u8], bool)| {
    let (bytes, said_utf8) = input;
    let charset = said_utf8.then_some("UTF-8");
    let _ = Agreement::read(bytes);
    let _ = ProductType::read(bytes);
    let _ = MessageList::read(bytes, charset);
    let Ok(document) = Management::read(bytes, charset, &Limits::default()) else {
        return;
    };
    assert!(document.write().is_ascii());
});
