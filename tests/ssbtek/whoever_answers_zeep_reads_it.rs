//! What zeep reads when the answers differ: in the version that their authority knows, about people of all
//! kinds, and with fields that are not described (ssbtek-10, 0.2, 3 and 4).

use std::sync::Arc;

use samsvar::adapter::behaviour::{Behaviour, Fault};
use samsvar::adapter::simulated::{EXEMPELPERSONER, SEED_DEFAULT, Simulerad};
use serde_json::json;
use shs_schemas::ssbtek::{Kontrakt, Versioner};
use shs_schemas::{Svarselement, Uppgiftslamnare};

use crate::read_by_zeep::{Answers, assert_same, json_in};
use crate::sandbox::{Builder, Sandbox};
use crate::zeep::{Zeep, changed, original_wsdl, question};

fn zeep_of(sandbox: &Sandbox, kontrakt: Kontrakt) -> Option<Zeep> {
    let address = format!("http://{}/ssbt/{}", sandbox.service(), kontrakt.version());
    Zeep::load(&format!("{address}?wsdl"), &address, None)
}

/// Every second authority knows one version only, the others the other one; `odd` says which.
fn of_one_version_each(answers: &Answers, odd: Kontrakt, even: Kontrakt) -> Builder {
    let version = |ul: Uppgiftslamnare| {
        let knows = if ul.index() % 2 == 1 { odd } else { even };
        Versioner::of([knows]).unwrap()
    };
    let builder = Sandbox::new().with(|settings| {
        for party in &mut settings.parties {
            party.kontrakt = version(party.kod);
        }
    });
    Uppgiftslamnare::all().fold(builder, |builder, ul| {
        let knows = Simulerad::new(ul, SEED_DEFAULT).with_kontrakt(version(ul));
        builder.played_by(ul, answers.kept(ul, Arc::new(knows)))
    })
}

#[tokio::test]
async fn in_the_version_of_its_question_whichever_the_authority_knows() {
    let (v10, v11) = (Kontrakt::V10, Kontrakt::V11);
    for (odd, even) in [(v10, v11), (v11, v10)] {
        let answers = Answers::default();
        let sandbox = of_one_version_each(&answers, odd, even).start().await;
        for kontrakt in Kontrakt::all() {
            let Some(mut zeep) = zeep_of(&sandbox, kontrakt) else {
                return;
            };
            let svar = zeep.svar(&question(kontrakt));
            for ul in Uppgiftslamnare::all() {
                let element = answers.last(ul);
                let knows = if ul.index() % 2 == 1 { odd } else { even };
                assert!(element.contains(knows.namespace()), "{ul}");
                let data = &svar["svarsdata"][ul.element().local_name()]["data"];
                if ul.element() == Svarselement::Fk {
                    let lefi = json_in(&data["lefiJsonSvar"]);
                    let rows = lefi["utlamnare"].as_array().unwrap();
                    assert!(
                        rows.iter().all(|row| row["tillstand"]["kod"] == "OK"),
                        "{lefi}"
                    );
                    assert_eq!(rows.len(), 2);
                } else {
                    assert_same(&element, data);
                }
            }
            // An error is exchanged, too.
            let long = json!({"arendeidentitet": "EB-2026-0047110047110047110047114"});
            let svar = zeep.svar(&changed(question(kontrakt), &long));
            assert_eq!(
                svar["svarsdata"]["CSN"]["error"]["felkod"], "-1005",
                "{svar}"
            );
        }
        let skv = if Uppgiftslamnare::SKV.index() % 2 == 1 {
            odd
        } else {
            even
        };
        let noted = r#"samsvar_avvikelser_total{bastjanst="SKV",class="skv_standard"}"#;
        // Both questions of version 10, when Skatteverket knows 11 alone.
        let expected = if skv == v11 { 2 } else { 0 };
        assert_eq!(sandbox.metric(noted).await, expected);
    }
}

#[tokio::test]
async fn about_people_of_all_kinds() {
    let answers = Answers::default();
    let sandbox = answers.of_all(Sandbox::new()).start().await;
    for kontrakt in Kontrakt::all() {
        let Some(mut zeep) = zeep_of(&sandbox, kontrakt) else {
            return;
        };
        let mut refusals = 0;
        for (person, _) in EXEMPELPERSONER {
            let mut call = changed(question(kontrakt), &json!({"personidentitet": person}));
            call["lefi"]["personnummer"] = (*person).into();
            let svar = zeep.svar(&call);
            for ul in Uppgiftslamnare::all().filter(|ul| ul.element() != Svarselement::Fk) {
                let (element, part) = (answers.last(ul), &svar["svarsdata"][ul.kod()]);
                if let Some(error) = part.get("error") {
                    let felkod = error["felkod"].as_str().unwrap();
                    assert!(element.contains(&format!(">{felkod}</")), "{element}");
                    assert_eq!(error["kalla"], "BT");
                    refusals += 1;
                } else {
                    assert_same(&element, &part["data"]);
                }
            }
            let lefi = json_in(&svar["svarsdata"]["FK"]["data"]["lefiJsonSvar"]);
            assert_eq!(lefi["utlamnare"].as_array().unwrap().len(), 2);
        }
        // CSN cannot carry a samordningsnummer, nor Transportstyrelsen who was born before 1900.
        assert!(refusals >= 5, "{refusals}");
    }
}

#[tokio::test]
async fn with_fields_that_the_agreement_does_not_list() {
    let extra = Behaviour::always(Fault::ExtraField, SEED_DEFAULT);
    let sandbox = Sandbox::new().all_behaving(&extra).start().await;
    for kontrakt in Kontrakt::all() {
        let address = format!("http://{}/ssbt/{}", sandbox.service(), kontrakt.version());
        let ours = Some(format!("{address}?wsdl"));
        for wsdl in ours.into_iter().chain(original_wsdl(kontrakt)) {
            let Some(mut zeep) = Zeep::load(&wsdl, &address, None) else {
                return;
            };
            let svar = zeep.svar(&question(kontrakt));
            let parts = &svar["svarsdata"];
            assert_eq!(parts["MIV"]["data"]["response"]["hemland"], "Exempelland");
            let tns = parts["TNS"]["data"].to_string();
            assert!(tns.contains("Exempel Exempelsson"), "{wsdl}: {tns}");
            assert!(parts["TNS"]["data"]["fordonsinnehav"]["fordon"][0]["regnr"].is_string());
        }
    }
}
