use bytes::Bytes;

use super::*;
use crate::ssbtek::{Delsvar, Uppgiftslamnare};
use crate::xml::Limits;

const NS: &str = "http://schema.forsakringskassan.se/integration/ssbt/10";

fn read(element: &str, ul: Uppgiftslamnare) -> Delsvar {
    let body = Bytes::from(format!(
        "\u{FEFF}<?xml version='1.0'?><!-- before -->{element}"
    ));
    Delsvar::read(ul, Kontrakt::V10, body, &Limits::default()).unwrap()
}

fn exchanged(element: &str, ul: Uppgiftslamnare) -> String {
    let svar = read(element, ul);
    let mut out = Vec::new();
    let whole = 0..element.len();
    let bindningar = svar.bindningar();
    bindningar.splice(&mut out, element.as_bytes(), whole, Kontrakt::V11);
    let pieces = bindningar.undo(element.as_bytes(), &out, Kontrakt::V11);
    assert_eq!(pieces.unwrap().concat(), element.as_bytes());
    String::from_utf8(out).unwrap()
}

#[test]
fn outer_declarations_are_exchanged_and_inner_ones_stay() {
    let af = include_str!("../../tests/corpus/spec/svar-af.xml").trim_end();
    let af = &af[af.find("<s:AF").unwrap()..];
    let open = format!("<x xmlns='{NS}'/><s:y xmlns:s='{NS}'><s:z/></s:y></s:data>");
    let element = af
        .replacen("<s:data ", &format!("<s:data xmlns:t=\"{NS}\" "), 1)
        .replacen("</s:data>", &open, 1);
    let expected = element.replacen("ssbt/10", "ssbt/11", 2);
    assert!(expected.contains(&open));
    assert_eq!(exchanged(&element, Uppgiftslamnare::AF), expected);
}

#[test]
fn base64_and_errors_have_elements_of_the_contract_only() {
    let csn = include_str!("../../tests/corpus/spec/svar-csn.xml").trim_end();
    let csn = &csn[csn.find("<CSN").unwrap()..];
    let csn = csn.replacen("<svar>", &format!("<svar xmlns='{NS}'>"), 1);
    let all = csn.replace("ssbt/10", "ssbt/11");
    assert_eq!(all.matches("ssbt/11").count(), 2);
    assert_eq!(exchanged(&csn, Uppgiftslamnare::CSN), all);
    let error = format!(
        "<s:AF xmlns:s='{NS}'><error xmlns='{NS}'><kalla>BT</kalla><t:felkod xmlns:t='{NS}'>1\
         </t:felkod><felmeddelande>{NS}</felmeddelande></error></s:AF>"
    );
    let expected = error.replace("/10'", "/11'");
    assert_eq!(exchanged(&error, Uppgiftslamnare::AF), expected);
}

#[test]
fn undoing_shows_what_was_changed_in_between() {
    let element = format!("<s:SKV xmlns:s='{NS}'><s:data><svar>&lt;a/></svar></s:data></s:SKV>");
    let svar = read(&element, Uppgiftslamnare::SKV);
    let noted = svar.bindningar();
    let source = element.as_bytes();
    let mut out = Vec::new();
    noted.splice(&mut out, source, 0..source.len(), Kontrakt::V11);
    for at in 0..out.len() {
        let mut changed = out.clone();
        changed[at] ^= 1;
        let undone = noted.undo(source, &changed, Kontrakt::V11);
        assert_ne!(undone.map(|pieces| pieces.concat()), Some(source.to_vec()));
    }
    for cut in 0..out.len() {
        assert_eq!(noted.undo(source, &out[..cut], Kontrakt::V11), None);
    }
    out.push(b' ');
    assert_eq!(noted.undo(source, &out, Kontrakt::V11), None);
}
