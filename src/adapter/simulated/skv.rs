//! Skatteverket: a whole XML document as text, in an element of no namespace (ssbtek-10, 4.4).

use chrono::Datelike;

use super::Utfall;
use super::fraga::Frageunderlag;
use super::person::{Livssituation, Person};
use super::xml::Xml;

const DOCUMENT: &str = "SvarBeskattningsuppgifterEnligtSFS2008-975";
const DOCUMENT_DECLARATIONS: &[(&str, &str)] = &[
    (
        "xmlns",
        "http://xmls.skatteverket.se/se/skatteverket/zg/instans/standardiseradInformation/1.0",
    ),
    (
        "xmlns:besko",
        "http://xmls.skatteverket.se/se/skatteverket/zg/komponent/infoForBeskattning/1.0",
    ),
    (
        "xmlns:folko",
        "http://xmls.skatteverket.se/se/skatteverket/zg/komponent/infoForFolkbokforing/1.0",
    ),
];

/// Income years in an answer, however many are asked for.
const AR_MAX: usize = 10;

pub(super) fn svara(fraga: &Frageunderlag<'_>, person: &Person) -> Utfall {
    let mut xml = Xml::new();
    // Values are escaped with `>` as well, so that no `]]>` can end the section early.
    xml.open("svar")
        .raw("<![CDATA[<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.open_with(DOCUMENT, DOCUMENT_DECLARATIONS);
    if person.known() {
        personuppgift(&mut xml, fraga, person);
    } else {
        xml.empty("PersonuppgiftLista");
    }
    xml.close(DOCUMENT).raw("]]>").close("svar");
    Utfall::Data {
        declarations: &[],
        content: xml.into_string(),
    }
}

fn personuppgift(xml: &mut Xml, fraga: &Frageunderlag<'_>, person: &Person) {
    xml.open("PersonuppgiftLista")
        .open("Personuppgift")
        .text("folko:IdentitetsbeteckningFysiskPerson", person.number())
        .text("folko:Fornamn", person.fornamn())
        .text("folko:Efternamn", person.efternamn())
        .text("StatusPersonuppgiftKod", "1");
    for ar in inkomstar(fraga) {
        let kapital = person.draw("kapital").nth(u64::from(ar.unsigned_abs()));
        let sparare = matches!(
            person.situation(),
            Livssituation::Bilagare | Livssituation::Pensionar
        );
        let kronor = kapital.below(if sparare { 9_000 } else { 400 });
        xml.open("Kapitaluppgift")
            .text("besko:Taxeringsar", &ar.to_string())
            .text("besko:SummaIntakterPaKapital", &kronor.to_string())
            .close("Kapitaluppgift");
    }
    xml.close("Personuppgift").close("PersonuppgiftLista");
}

/// The years asked for (version 11); version 10 cannot ask, and gets the last whole year.
fn inkomstar(fraga: &Frageunderlag<'_>) -> Vec<i32> {
    match &fraga.uppgifter.skv {
        Some(skv) if !skv.skatteuppgifter => Vec::new(),
        Some(skv) => skv.ar.iter().copied().take(AR_MAX).collect(),
        None => vec![fraga.idag.year() - 1],
    }
}
