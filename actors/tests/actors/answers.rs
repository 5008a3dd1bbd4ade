//! Answers of the authorities that are valid by their schemas, each with its person and party in it.

use shs_schemas::Uppgiftslamnare;
use shs_schemas::ssbtek::{Kontrakt, Svarselement};

use crate::base64;

macro_rules! corpus {
    ($file:literal) => {
        include_str!(concat!("../../../shs-schemas/tests/corpus/", $file))
    };
}

/// What stands nowhere else than in this party's answer about this person.
pub fn marker(ul: Uppgiftslamnare, place: usize) -> String {
    format!("SVAR-{ul}-{place}.")
}

/// The answer element with data, in this version. `full` has every field of the authority's schema, also
/// those that the agreement does not list.
pub fn data(
    ul: Uppgiftslamnare,
    kontrakt: Kontrakt,
    place: usize,
    number: &str,
    full: bool,
) -> String {
    let marker = marker(ul, place);
    let text = if ul == Uppgiftslamnare::PM {
        base64_answer("FK", "lefiJsonSvar", &lefi_json(ul, &marker))
    } else {
        match ul.element() {
            Svarselement::Fk => base64_answer("FK", "lefiJsonSvar", &lefi_json(ul, &marker)),
            Svarselement::Csn => csn(&marker),
            Svarselement::Af if full => corpus!("answers/af-full.xml").replace("PROV-1", &marker),
            Svarselement::Af => corpus!("spec/svar-af.xml").replace("PROV-1", &marker),
            Svarselement::So if full => corpus!("answers/so-full.xml").replace("PROV-1", &marker),
            Svarselement::So => corpus!("spec/svar-so.xml").replace("PROV-1", &marker),
            Svarselement::Tns if full => corpus!("answers/tns-full.xml").replace("PRO001", &marker),
            Svarselement::Tns => corpus!("spec/svar-tns.xml").replace("PRO001", &marker),
            Svarselement::Miv if full => corpus!("answers/miv-full.xml").replace("prov-1", &marker),
            Svarselement::Miv => corpus!("spec/svar-miv.xml").replace("prov-1", &marker),
            Svarselement::Skv => {
                corpus!("spec/svar-skv.xml").replace(">1<", &format!(">{marker}<"))
            }
        }
    };
    in_version(&text, kontrakt).replace("199503142383", number)
}

/// The same element in this version: the namespace of the contract stands in its declaration alone.
pub fn in_version(element: &str, kontrakt: Kontrakt) -> String {
    Kontrakt::all().fold(element.to_owned(), |text, other| {
        text.replace(other.namespace(), kontrakt.namespace())
    })
}

/// What the node keeps of an answer: its root element.
pub fn element(answer: &str) -> &str {
    let start = answer.find("?>").filter(|_| answer.starts_with("<?xml"));
    answer[start.map_or(0, |at| at + 2)..].trim()
}

/// An answer in which the authority reports a failure.
pub fn error(ul: Uppgiftslamnare, kontrakt: Kontrakt, place: usize, felkod: &str) -> String {
    let (name, namespace) = (ul.element().local_name(), kontrakt.namespace());
    let marker = marker(ul, place);
    format!(
        "<k:{name} xmlns:k=\"{namespace}\"><k:error><k:kalla>BT</k:kalla><k:felkod>{felkod}\
         </k:felkod><k:felmeddelande>{marker}</k:felmeddelande></k:error></k:{name}>"
    )
}

/// The content of `data` in base64.
fn base64_answer(name: &str, child: &str, content: &str) -> String {
    let (namespace, content) = (Kontrakt::V10.namespace(), base64::encode(content));
    format!(
        "<p:{name} xmlns:p='{namespace}'><p:data><p:{child}>{content}</p:{child}></p:data></p:{name}>"
    )
}

fn csn(marker: &str) -> String {
    let document = corpus!("answers/csn-full.inner.xml");
    let text = format!("<k:ResultatText>{marker}</k:ResultatText>");
    let document = document.replace("<k:ResultatText>Prov</k:ResultatText>", &text);
    assert!(document.contains(marker));
    base64_answer("CSN", "svar", &document)
}

/// The answer of CSN with this text where the question is repeated, which may be anything.
pub fn csn_with(text: &str) -> String {
    let document = corpus!("answers/csn-full.inner.xml");
    let end = "text</k:GemensamtFragaEkbistand>";
    assert!(document.contains(end));
    let document = document.replace(end, &format!("{text}</k:GemensamtFragaEkbistand>"));
    base64_answer("CSN", "svar", &document)
}

/// An answer of LEFI with members of this authority's own.
pub fn lefi_json(ul: Uppgiftslamnare, marker: &str) -> String {
    let own = if ul == Uppgiftslamnare::PM {
        format!(r#""beslut":[{{"grad": 1.0,"id":"{marker}"}}],"utbetalningar":[]"#)
    } else {
        format!(
            r#""formansinformation":{{"sjukpenning":[{{"belopp": 11340.50,"id":"{marker}"}}]}}"#
        )
    };
    format!(
        r#"{{"utlamnare":[{{"utlamnare":{{"kod":"{ul}","namn":"{}"}},"tillstand":{{"kod":"OK","beskrivning":"Tillgänglig"}}}}],{own}}}"#,
        ul.namn()
    )
}
