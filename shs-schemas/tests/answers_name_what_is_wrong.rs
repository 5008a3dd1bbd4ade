//! Whoever sends a broken answer is told which element of the schema is missing or wrong: for
//! every element of the answers that hold all of them.

#![allow(clippy::unwrap_used, reason = "helpers of tests, where it is allowed")]

use bytes::Bytes;
use shs_schemas::error::{Fault, WireError};
use shs_schemas::ssbtek::{Delsvar, Kontrakt, Uppgiftslamnare};
use shs_schemas::xml::Limits;

mod mutation;

use mutation::mutations;

/// Party, answer, the element that its schema begins in, and how many elements cannot be missed.
const ANSWERS: &[(&str, &str, &str, usize)] = &[
    ("AF", include_str!("corpus/answers/af-full.xml"), "data", 25),
    (
        "CSN",
        include_str!("corpus/answers/csn-full.inner.xml"),
        "CSNSvar",
        63,
    ),
    (
        "MIV",
        include_str!("corpus/answers/miv-full.xml"),
        "data",
        2,
    ),
    ("SKV", include_str!("corpus/spec/svar-skv.xml"), "data", 2),
    ("SO", include_str!("corpus/answers/so-full.xml"), "data", 27),
    (
        "TNS",
        include_str!("corpus/answers/tns-full.xml"),
        "data",
        14,
    ),
];
const SSBT: &str = "http://schema.forsakringskassan.se/integration/ssbt/10";

fn read(kod: &str, document: &str) -> Result<(), WireError> {
    let body = if kod == "CSN" {
        let base64 = base64_simd::STANDARD.encode_to_string(document);
        format!("<s:CSN xmlns:s=\"{SSBT}\"><s:data><s:svar>{base64}</s:svar></s:data></s:CSN>")
    } else {
        document.to_owned()
    };
    let ul = Uppgiftslamnare::from_kod(kod).unwrap();
    Delsvar::read(ul, Kontrakt::V10, Bytes::from(body), &Limits::default()).map(|_| ())
}

/// The last part of a path.
fn local(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[test]
fn a_required_element_that_is_gone_is_named() {
    for (kod, document, root, required) in ANSWERS {
        let mut refused = 0;
        for change in mutations(document, root) {
            if change.kind != "deleted" {
                continue;
            }
            let Err(error) = read(kod, &change.document) else {
                continue;
            };
            refused += 1;
            if local(&change.at) != *root {
                assert_eq!(
                    local(error.element),
                    local(&change.at),
                    "{kod} {}",
                    change.at
                );
                assert_eq!(error.fault, Fault::Missing, "{kod} {}", change.at);
            }
        }
        assert_eq!(refused, *required, "{kod}");
    }
}

#[test]
fn a_wrong_value_is_named_with_its_element() {
    for (kod, document, root, _) in ANSWERS {
        let mut refused = 0;
        for change in mutations(document, root) {
            if change.kind != "forty-one letters" || *kod == "SKV" {
                continue;
            }
            if let Err(error) = read(kod, &change.document) {
                refused += 1;
                let (parent, own) = change.at.split_once('/').unwrap();
                // Of an element that holds elements, only text between them is wrong.
                let named = local(error.element);
                assert!(
                    named == own || named == parent,
                    "{kod} {}: {error}",
                    change.at
                );
                assert!(
                    matches!(error.fault, Fault::Invalid(_) | Fault::Missing),
                    "{error}"
                );
            }
        }
        assert!(refused > 0 || *kod == "SKV", "{kod}");
    }
}

#[test]
fn an_element_out_of_place_is_refused_where_it_stands() {
    for (kod, document, root, _) in ANSWERS {
        let whole = mutations(document, root);
        let kinds = ["renamed", "in a foreign namespace", "swapped"];
        for change in whole.iter().filter(|change| kinds.contains(&change.kind)) {
            let Err(error) = read(kod, &change.document) else {
                continue;
            };
            assert!(error.offset <= change.document.len(), "{kod} {error}");
            // Not where nothing has changed yet.
            let same = change
                .document
                .bytes()
                .zip(whole[0].document.bytes())
                .take_while(|(one, other)| one == other)
                .count();
            let begins = change.document[..=same.min(change.document.len() - 1)]
                .rfind('<')
                .unwrap();
            assert!(error.offset >= begins, "{kod} {} {error}", change.at);
        }
    }
}
