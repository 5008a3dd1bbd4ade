//! The worked examples of LEFI that lie beside the contract: one question split in two, two answers
//! merged into one (ssbtek-10, 4.8). Skipped, aloud, when the contract is not at hand.

#![allow(clippy::unwrap_used, reason = "helpers of tests, where it is allowed")]

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::Value;
use shs_schemas::ssbtek::lefi::split;
use shs_schemas::ssbtek::{
    Delfel, Delsvar, Form, Fraga, Kontrakt, Personidentitet, SsbtFelkod, Uppgiftslamnare, Utfall,
    sammanstall,
};
use shs_schemas::xml::Limits;

const FK: Uppgiftslamnare = Uppgiftslamnare::FK;
const PM: Uppgiftslamnare = Uppgiftslamnare::PM;

#[expect(clippy::print_stderr, reason = "a test that skips must say so")]
fn example(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("SAMSVAR_CONTRACT").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/contract"),
        PathBuf::from,
    );
    let path = root.join("ssbtek-v10/examples").join(name);
    let read = std::fs::read(&path);
    if read.is_err() {
        eprintln!(
            "SKIPPED: the worked example {} is not at hand",
            path.display()
        );
    }
    read.ok()
}

fn value(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}

/// The names of an object in their order, which a [`Value`] does not keep.
fn top_level_names(json: &str, names: &[&str]) -> Vec<usize> {
    names
        .iter()
        .map(|name| json.find(&format!("\"{name}\":")).unwrap_or(usize::MAX))
        .collect()
}

#[test]
fn the_question_is_split_as_in_the_example() {
    let Some(whole) = example("lefi-fraga.json") else {
        return;
    };
    let person = Personidentitet::parse("199503142383").unwrap();
    let delning = split(&whole, &person).unwrap();
    for (ul, name) in [
        (FK, "lefi-fraga-fk-del.json"),
        (PM, "lefi-fraga-pm-del.json"),
    ] {
        let part = delning.del(ul).unwrap();
        assert_eq!(value(part), value(&example(name).unwrap()), "{name}");
    }
}

fn lefi(ul: Uppgiftslamnare, json: &[u8]) -> Utfall {
    let base64 = base64_simd::STANDARD.encode_to_string(json);
    let body = format!(
        "<a:FK xmlns:a=\"{}\"><a:data><a:lefiJsonSvar>{base64}</a:lefiJsonSvar></a:data></a:FK>",
        Kontrakt::V10.namespace()
    );
    Delsvar::read(ul, Kontrakt::V10, Bytes::from(body), &Limits::default())
        .unwrap()
        .into()
}

fn merged(pm: Utfall) -> Option<String> {
    let question = Bytes::from(example("request-all-agencies.xml")?);
    let fraga = Fraga::read(question, &Limits::default()).unwrap();
    let fk = lefi(FK, &example("lefi-svar-fk-del.json")?);
    let response = sammanstall(&fraga, Form::Bar, &[(FK, fk), (PM, pm)]).document;
    let text = std::str::from_utf8(&response).unwrap();
    let (_, rest) = text.split_once("<ssbt:lefiJsonSvar>").unwrap();
    let (base64, _) = rest.split_once("</").unwrap();
    let json = base64_simd::STANDARD.decode_to_vec(base64).unwrap();
    Some(String::from_utf8(json).unwrap())
}

#[test]
fn two_answers_are_merged_as_in_the_example() {
    let Some(pm) = example("lefi-svar-pm-del.json") else {
        return;
    };
    let json = merged(lefi(PM, &pm)).unwrap();
    assert_eq!(
        value(json.as_bytes()),
        value(&example("lefi-svar-sammanslaget.json").unwrap())
    );
    let order = top_level_names(&json, &["utlamnare", "avvikelser", "formansinformation"]);
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn one_silent_authority_is_told_as_in_the_example() {
    let Some(expected) = example("lefi-svar-pm-otillganglig.json") else {
        return;
    };
    let json = merged(Delfel::ssbt(SsbtFelkod::Timeout, PM).into()).unwrap();
    assert_eq!(value(json.as_bytes()), value(&expected));
}
