//! Any bytes as an answer, for any party: nothing panics, and what is accepted can be spliced.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use shs_schemas::ssbtek::{Delsvar, Fraga, Kontrakt, Uppgiftslamnare, compose};
use shs_schemas::xml::Limits;

const FRAGA: &[u8] = include_bytes!("../../tests/corpus/spec/fraga-alla-10.xml");

fuzz_target!(|data: &[u8]| {
    let limits = Limits {
        bytes_max: 1 << 20,
        ..Limits::default()
    };
    let body = Bytes::copy_from_slice(data);
    let read = Uppgiftslamnare::all().filter_map(|ul| {
        let svar = Delsvar::read(ul, Kontrakt::V10, body.clone(), &limits).ok()?;
        Some((ul, svar.into()))
    });
    let utfall: Vec<_> = read.collect();
    if utfall.is_empty() {
        return;
    }
    let fraga = Fraga::read(Bytes::from_static(FRAGA), &limits).expect("a valid question");
    let response = compose(&fraga, &utfall);
    let text = std::str::from_utf8(&response).expect("UTF-8");
    roxmltree::Document::parse(text).expect("a well-formed response");
});
