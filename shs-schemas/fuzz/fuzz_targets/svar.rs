//! Any bytes as an answer, for any party: nothing panics, and what is accepted can be spliced, also
//! when its version is exchanged, and leaves as it came.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use shs_schemas::ssbtek::{Delsvar, Form, Fraga, Kontrakt, Uppgiftslamnare, sammanstall};
use shs_schemas::xml::Limits;

const FRAGA: &[u8] = include_bytes!("../../tests/corpus/spec/fraga-alla-10.xml");

fuzz_target!(|data: &[u8]| {
    let limits = Limits {
        bytes_max: 1 << 20,
        ..Limits::default()
    };
    let body = Bytes::copy_from_slice(data);
    let read = Uppgiftslamnare::all().flat_map(|ul| {
        let read = |kontrakt| Delsvar::read(ul, kontrakt, body.clone(), &limits).ok();
        Kontrakt::all()
            .filter_map(read)
            .map(move |svar| (ul, svar.into()))
            .collect::<Vec<_>>()
    });
    let utfall: Vec<_> = read.collect();
    if utfall.is_empty() {
        return;
    }
    let fraga = Fraga::read(Bytes::from_static(FRAGA), &limits).expect("a valid question");
    let response = sammanstall(&fraga, Form::Bar, &utfall);
    assert_eq!(response.andrade, [], "nothing changes on its way");
    let response = response.document;
    let text = std::str::from_utf8(&response).expect("UTF-8");
    roxmltree::Document::parse(text).expect("a well-formed response");
});
