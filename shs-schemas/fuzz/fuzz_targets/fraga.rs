//! Any bytes as a question: nothing panics, and what is accepted is well-formed, splits into
//! sub-questions that are accepted, and is compiled into a well-formed response.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use shs_schemas::ssbtek::{Datum, Fordelning, Fraga, compose};
use shs_schemas::xml::Limits;

const IDAG: Datum = Datum {
    ar: 2026,
    manad: 11,
    dag: 22,
};

fuzz_target!(|data: &[u8]| {
    let limits = Limits {
        bytes_max: 1 << 20,
        ..Limits::default()
    };
    let Ok(fraga) = Fraga::read(Bytes::copy_from_slice(data), &limits) else {
        return;
    };
    let _ = fraga.uppgifter();
    for body in fraga
        .delfragor(&Fordelning::alla(), IDAG)
        .into_iter()
        .filter_map(|delfraga| delfraga.body.ok())
    {
        let sub = Fraga::read(body, &limits).expect("a sub-question is a question");
        assert_eq!(sub.personidentitet(), fraga.personidentitet());
    }
    let response = compose(&fraga, &[]);
    let text = std::str::from_utf8(&response).expect("UTF-8");
    roxmltree::Document::parse(text).expect("a well-formed response");
});
