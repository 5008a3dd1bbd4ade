//! Any bytes as a call, bare or in an envelope: nothing panics, and a question that is accepted is
//! well-formed, splits into sub-questions that are accepted without the envelope, and is compiled
//! into a well-formed response in either form.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use shs_schemas::ssbtek::{Anrop, Datum, Fordelning, Form, Fraga, sammanstall};
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
    let data = Bytes::copy_from_slice(data);
    let bare = Fraga::read(data.clone(), &limits);
    let (fraga, form) = match Anrop::read(data, None, &limits) {
        Ok((Anrop::Fraga(fraga), form)) => (fraga, form),
        Ok((Anrop::Test(_), _)) => return assert!(bare.is_err(), "a test is no question"),
        Err(_) => return assert!(bare.is_err(), "what is no call is no question"),
    };
    assert_eq!(bare.is_ok(), form == Form::Bar);
    let _ = fraga.uppgifter();
    for body in fraga
        .delfragor(&Fordelning::alla(), IDAG)
        .into_iter()
        .filter_map(|delfraga| delfraga.body.ok())
    {
        let sub = Fraga::read(body, &limits).expect("a sub-question is a question");
        assert_eq!(sub.personidentitet(), fraga.personidentitet());
    }
    for form in [Form::Bar, Form::Kuvert] {
        let response = sammanstall(&fraga, form, &[]).document;
        let text = std::str::from_utf8(&response).expect("UTF-8");
        roxmltree::Document::parse(text).expect("a well-formed response");
    }
});
