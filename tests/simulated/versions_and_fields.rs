//! What shows a node that routes wrongly or lets too much through: versions that an authority does not
//! speak, years that it is asked for, and fields that it may not give out.

use std::sync::Arc;

use samsvar::adapter::behaviour::{Behaviour, Fault};
use samsvar::adapter::simulated::Simulerad;
use shs_schemas::ssbtek::Versioner;

use super::*;

#[tokio::test]
async fn a_question_in_a_version_that_an_authority_does_not_speak_is_told_apart() {
    for asked_in in Kontrakt::all() {
        let asked = Asked {
            kontrakt: asked_in,
            ..Asked::about(DEMO)
        };
        for spoken in Kontrakt::all() {
            let versions = Versioner::of([spoken]).expect("one");
            for (ul, body) in asked.bodies() {
                let simulerad = Simulerad::new(ul, SEED_DEFAULT).with_kontrakt(versions);
                match content(&simulerad, body).await {
                    AnswerContent::Svar(element) if asked_in == spoken => {
                        let element = element.into_exposed();
                        Delsvar::read(ul, spoken, element, &Limits::default())
                            .unwrap_or_else(|error| panic!("{ul} in {spoken}: {error}"));
                    }
                    AnswerContent::Fel { felkod, .. } if asked_in != spoken => {
                        assert_eq!(felkod, "FEL-KONTRAKT", "{ul}");
                    }
                    other => panic!("{ul}, which speaks {spoken}, to {asked_in}: {other:?}"),
                }
            }
        }
    }
}

/// Version 11 says which years and what of them; version 10 cannot.
#[tokio::test]
async fn skatteverket_answers_about_the_years_that_it_is_asked_for() {
    let years = async |body: Bytes| {
        let answer = ask(Uppgiftslamnare::SKV, SEED_DEFAULT, body).await;
        let text = String::from_utf8(answer.to_vec()).expect("UTF-8");
        let parts = text.split("<besko:Taxeringsar>").skip(1);
        parts.map(|part| part[..4].to_owned()).collect::<Vec<_>>()
    };
    let skv = |asked: &Asked| {
        let mut bodies = asked.bodies().into_iter();
        let (_, body) = bodies
            .find(|(ul, _)| *ul == Uppgiftslamnare::SKV)
            .expect("asked");
        body
    };
    assert_eq!(years(skv(&Asked::about(DEMO))).await, ["2025"]);
    let eleven = Asked {
        kontrakt: Kontrakt::V11,
        ..Asked::about(DEMO)
    };
    let body = skv(&eleven);
    assert_eq!(years(body.clone()).await, ["2024", "2025"]);
    let text = String::from_utf8(body.to_vec()).expect("UTF-8");
    let one = text.replace("<s:ar>2024</s:ar>", "");
    assert_eq!(years(one.into()).await, ["2025"]);
    let none = text.replace("<s:skatteuppgifter>true", "<s:skatteuppgifter>false");
    assert_ne!(none, text);
    assert!(years(none.into()).await.is_empty());
}

/// Each person's answer with the field that the agreement does not list, for TNS and MIV.
pub(super) async fn with_extra_field(asked: &Asked, seed: u64) -> Vec<(Uppgiftslamnare, Bytes)> {
    let mut answers = Vec::new();
    for (ul, body) in asked.bodies() {
        let behaving = Behaviour::always(Fault::ExtraField, seed)
            .around(ul, Arc::new(Simulerad::new(ul, seed)));
        match content(&behaving, body).await {
            AnswerContent::Svar(element) => answers.push((ul, element.into_exposed())),
            other => panic!("{ul}: {other:?}"),
        }
    }
    answers
}

#[tokio::test]
async fn only_an_extra_field_is_outside_what_may_be_given_out() {
    const FIELDS: [&str; 7] = [
        "agare",
        "<hemland>",
        "<inresedatum>",
        "<ansokningsdatum>",
        "<anledning>",
        "<anledningNamn>",
        "urn:samsvar:simulerat:extra",
    ];
    for (asked, seed) in everybody() {
        let right = asked.answers(seed).await;
        for ((ul, right), (_, extra)) in right.into_iter().zip(with_extra_field(&asked, seed).await)
        {
            let outside = |answer: &Bytes| {
                let text = String::from_utf8_lossy(answer);
                FIELDS.iter().any(|field| text.contains(field))
            };
            let refused = String::from_utf8_lossy(&right).contains("EJ-STALLBAR");
            let listed = [Uppgiftslamnare::TNS, Uppgiftslamnare::MIV].contains(&ul);
            assert!(!outside(&right), "{ul}");
            assert_eq!(
                outside(&extra),
                listed && !refused,
                "{ul} about {}",
                asked.person
            );
            Delsvar::read(ul, asked.kontrakt, extra, &Limits::default()).expect("readable");
        }
    }
}
