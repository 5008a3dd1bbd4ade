//! What an authority may not give out, and what it should not have said: noted where an operator sees it,
//! by name and place and nothing else, and held back where that is set (design 8.6; ).

use bytes::Bytes;
use roxmltree::Document;
use samsvar::adapter::behaviour::{Behaviour, Fault};
use samsvar::adapter::simulated::SEED_DEFAULT;
use samsvar_actors::transport::{AnswerContent, Question};
use serde_json::Value;
use shs_schemas::ssbtek::Kontrakt;
use shs_schemas::{Sensitive, Svarselement, Uppgiftslamnare};

use crate::log::MARK;
use crate::sandbox::{Builder, Sandbox, Says, eventually};
use crate::soap::{Door, answered, question};

const MIV: Uppgiftslamnare = Uppgiftslamnare::MIV;
const TNS: Uppgiftslamnare = Uppgiftslamnare::TNS;
const V11: Kontrakt = Kontrakt::V11;

/// The parties whose fields the agreement lists, the name of a field that it does not, and what it holds.
const OUTSIDE: [(Uppgiftslamnare, &str, &str); 2] = [
    (TNS, "agare", "Exempel Exempelsson"),
    (MIV, "hemland", "Exempelland"),
];

fn with_extra_fields() -> Builder {
    let extra = Behaviour::always(Fault::ExtraField, SEED_DEFAULT);
    OUTSIDE
        .iter()
        .fold(Sandbox::new().asynch(), |builder, (ul, ..)| {
            builder.behaving(*ul, &extra)
        })
}

/// Asks everybody by SOAP; gives the element of the answer.
async fn ask(sandbox: &Sandbox) -> String {
    let mut door = Door::to(sandbox).await;
    answered(&door.call(V11, question(V11)).await).2
}

/// What stands in the place of a party: its data, or the source and the code of an error.
type Part = Result<String, (String, String)>;

fn parts(answer: &str) -> Vec<(Svarselement, Part)> {
    let document = Document::parse(answer).unwrap();
    let all = document.descendants();
    let svarsdata = all.filter(|node| node.tag_name().name() == "svarsdata");
    let children = svarsdata.flat_map(|node| node.children());
    let part = |node: roxmltree::Node<'_, '_>| {
        let element = Svarselement::from_local_name(node.tag_name().name())?;
        let inner = node.first_element_child()?;
        let text = |name: &str| {
            let mut fields = inner.children();
            let field = fields.find(|field| field.tag_name().name() == name);
            field
                .and_then(|field| field.text())
                .unwrap_or_default()
                .to_owned()
        };
        let said = match inner.tag_name().name() {
            "data" => Ok(answer[inner.range()].to_owned()),
            _ => Err((text("kalla"), text("felkod"))),
        };
        Some((element, said))
    };
    children.filter_map(part).collect()
}

/// Fails unless the error of the node stands for this party, and data for every other.
fn assert_only(answer: &str, ul: Uppgiftslamnare, felkod: &str) {
    let parts = parts(answer);
    assert_eq!(parts.len(), 7, "{answer}");
    for (element, said) in parts {
        if element == ul.element() {
            assert_eq!(said, Err(("SSBT".to_owned(), felkod.to_owned())));
        } else {
            assert!(said.is_ok(), "{element:?}: {said:?}");
        }
    }
}

/// The ledger's line about a party's answer, when it is there.
async fn noted(sandbox: &Sandbox, ul: Uppgiftslamnare) -> Value {
    let mut found = None;
    eventually("it is noted", || {
        let ledger = sandbox.ledger();
        let lines = ledger
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let about = |line: &Value| line["bastjanst"] == ul.kod() && line["slag"].is_string();
        found = lines.into_iter().find(about);
        found.is_some()
    })
    .await;
    found.unwrap()
}

async fn count(sandbox: &Sandbox, ul: Uppgiftslamnare, class: &str) -> u64 {
    let kod = ul.kod();
    let name = format!("samsvar_avvikelser_total{{bastjanst=\"{kod}\",class=\"{class}\"}}");
    sandbox.metric(&name).await
}

#[tokio::test]
async fn a_field_outside_the_agreement_is_forwarded_and_noted_by_its_name() {
    let sandbox = with_extra_fields().start().await;
    let answer = ask(&sandbox).await;
    let parts = parts(&answer);
    assert!(parts.iter().all(|(_, said)| said.is_ok()), "{answer}");
    for (ul, field, content) in OUTSIDE {
        let (_, data) = parts.iter().find(|(of, _)| *of == ul.element()).unwrap();
        assert!(data.as_ref().unwrap().contains(content), "{ul}: unchanged");
        let line = noted(&sandbox, ul).await;
        assert_eq!(line["slag"], "otillatet_falt", "{line}");
        assert_eq!(
            (&line["element"], &line["withheld"]),
            (&field.into(), &false.into())
        );
        assert!(line["position"].as_u64().unwrap() > 0);
        assert_eq!(count(&sandbox, ul, "otillatet_falt").await, 1);
    }
    for ul in Uppgiftslamnare::all().filter(|ul| ![MIV, TNS].contains(ul)) {
        assert_eq!(count(&sandbox, ul, "otillatet_falt").await, 0, "{ul}");
    }
    assert!(!sandbox.ledger().contains("Exempelland"));
}

#[tokio::test]
async fn with_the_setting_of_the_party_it_is_held_back_and_the_others_are_not() {
    for (ul, field, content) in OUTSIDE {
        let sandbox = with_extra_fields()
            .with(|settings| {
                let mut parties = settings.parties.iter_mut();
                parties.find(|party| party.kod == ul).unwrap().withhold = true;
            })
            .start()
            .await;
        let answer = ask(&sandbox).await;
        assert_only(&answer, ul, "SSBT-OTILLATET-FALT");
        assert!(!answer.contains(content));
        let line = noted(&sandbox, ul).await;
        assert_eq!(
            (&line["element"], &line["withheld"]),
            (&field.into(), &true.into())
        );
        assert_eq!(count(&sandbox, ul, "otillatet_falt").await, 1);
    }
}

/// Namespace of the fields of Transportstyrelsen, in quotes.
const RESPONDER: &str = "'http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1'";

/// An answer of Transportstyrelsen in the namespace of the question.
fn tns(content: String) -> impl Fn(&Question) -> Option<AnswerContent> + Send + Sync {
    move |_| {
        let text = format!("<s:TNS xmlns:s='{}'>{content}</s:TNS>", V11.namespace());
        Some(AnswerContent::Svar(Sensitive::new(Bytes::from(text))))
    }
}

#[tokio::test]
async fn an_answer_of_another_structure_is_replaced_and_noted_by_element_and_place() {
    let head = format!("<s:TNS xmlns:s='{}'>", V11.namespace()).len();
    // The content, the element that is named, and before what the fault is.
    for (content, element, before) in [
        // Neither data nor error.
        ("", "data", ""),
        // Data twice.
        (
            "<s:data><t:resultat xmlns:t='T'>OK</t:resultat></s:data><s:data/>",
            "TNS",
            "<s:data/>",
        ),
        // A field that the schema does not have, in the place of one that must be there.
        (
            "<s:data><t:MARKORD-UR-INNEHALLET xmlns:t='T'/></s:data>",
            "resultat",
            "<t:MARKORD",
        ),
        // A value that is none.
        (
            "<s:data><t:resultat xmlns:t='T'>MARKORD-UR-INNEHALLET</t:resultat></s:data>",
            "resultat",
            "MARKORD",
        ),
    ] {
        let content = content.replace("'T'", RESPONDER);
        let sandbox = Sandbox::new()
            .asynch()
            .played_by(TNS, Says(tns(content.clone())))
            .start()
            .await;
        let answer = ask(&sandbox).await;
        assert_only(&answer, TNS, "SSBT-OGILTIGT-SVAR");
        assert!(!answer.contains(MARK));
        let line = noted(&sandbox, TNS).await;
        assert_eq!(line["slag"], "ogiltigt_svar", "{line}");
        assert_eq!(line["element"], element, "{line}");
        assert_eq!(line["withheld"], true);
        let position = usize::try_from(line["position"].as_u64().unwrap()).unwrap();
        assert_eq!(Some(position - head), content.find(before), "{line}");
        assert_eq!(count(&sandbox, TNS, "ogiltigt_svar").await, 1);
        assert!(!sandbox.ledger().contains(MARK));
    }
}
