//! Arbetsförmedlingen: gives the question back, then who the person is as a job seeker
//! (ssbtek-10, 4.1).

use super::Utfall;
use super::fraga::Frageunderlag;
use super::person::{Livssituation, Person};
use super::xml::Xml;

const DECLARATIONS: &[(&str, &str)] = &[(
    "xmlns:af",
    "http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2",
)];

/// Codes of `AktivitetsRapportMeddelande`.
const RAPPORT_INLAMNAD: &str = "200";
const FINNS_INTE_I_REGISTRET: &str = "500";
const INGEN_RAPPORT: &str = "501";

pub(super) fn svara(fraga: &Frageunderlag<'_>, person: &Person) -> Utfall {
    let mut xml = Xml::new();
    fragan_tillbaka(&mut xml, fraga);
    svar(&mut xml, fraga, person);
    Utfall::Data {
        declarations: DECLARATIONS,
        content: xml.into_string(),
    }
}

fn fragan_tillbaka(xml: &mut Xml, fraga: &Frageunderlag<'_>) {
    xml.open("af:Fraga")
        .text(
            "af:OrganisationsnummerForIngivare",
            fraga.uppgifter.ingivare.as_str(),
        )
        .text("af:NamnPaIngivare", &fraga.uppgifter.ingivare_namn)
        .text("af:KontonamnForHandlaggare", fraga.handlaggare())
        .text("af:Referensnummer", fraga.arendeidentitet())
        .date("af:From", fraga.from)
        .date("af:Tom", fraga.tom)
        .text("af:SyfteMedFraga", &fraga.uppgifter.syfte)
        .text("af:LagParagraf", &fraga.uppgifter.lagtext);
    // There is room for one biträde only.
    if let Some(bitrade) = fraga.uppgifter.personuppgiftsbitraden.first() {
        xml.text(
            "af:OrganisationsnummerForPersonuppgiftsbitrade",
            bitrade.organisationsnummer.as_str(),
        )
        .text("af:NamnPaPersonuppgiftsbitrade", &bitrade.namn);
    }
    xml.text(
        "af:IdentitetsbeteckningFysiskPerson",
        fraga.personidentitet(),
    )
    .close("af:Fraga");
}

fn svar(xml: &mut Xml, fraga: &Frageunderlag<'_>, person: &Person) {
    xml.open("af:Svar")
        .text("af:Schemaversion", "2.0")
        .text("af:Referensnummer", fraga.arendeidentitet())
        .text("af:LagParagraf", &fraga.uppgifter.lagtext)
        .text("af:IdentitetsbeteckningFysiskPerson", person.number());
    if let Some(omfattning) = person.arbetssoker() {
        xml.text("af:Fornamn", person.fornamn())
            .text("af:Efternamn", person.efternamn())
            .boolean("af:Sekretessmarkering", false);
        arbetssokande(xml, fraga, person, omfattning);
        beslut(xml, fraga, person);
        if let Some(akassa) = person.akassa() {
            xml.text("af:Akassetillhorighet", akassa);
        }
    } else {
        xml.open("af:ArbetssokandeInfo")
            .boolean("af:Arbetssokande", false);
        aktivitetsrapport(xml, FINNS_INTE_I_REGISTRET);
        xml.close("af:AktivetetsRapportDatum")
            .close("af:ArbetssokandeInfo");
    }
    xml.text("af:StatusSokandeinformationKod", "0")
        .text("af:StatusSokandeinformationKodText", "Svar levererat")
        .close("af:Svar");
}

fn arbetssokande(xml: &mut Xml, fraga: &Frageunderlag<'_>, person: &Person, omfattning: u32) {
    xml.open("af:ArbetssokandeInfo")
        .boolean("af:Arbetssokande", true)
        .date_with_zone(
            "af:ArbetssokandeRegistrerad",
            person.days_ago("af-inskriven", 20, 300),
        )
        .number("af:ArbetssokandeOmfattning", omfattning);
    // Reports are handed in between the 1st and the 14th for the month before.
    let senaste_manaden = fraga.manader_till_idag().pop();
    match senaste_manaden {
        Some((first, last)) if person.draw("aktivitetsrapport").below(5) > 0 => {
            let lamnad = first + chrono::Days::new(person.draw("rapportdag").below(10));
            aktivitetsrapport(xml, RAPPORT_INLAMNAD);
            xml.date_with_zone("af:SenasteAktivitetsRapportDatum", lamnad.min(last));
        }
        _ => aktivitetsrapport(xml, INGEN_RAPPORT),
    }
    xml.close("af:AktivetetsRapportDatum")
        .close("af:ArbetssokandeInfo");
}

/// Opens the element, spelled as in the contract, and writes its code.
fn aktivitetsrapport(xml: &mut Xml, kod: &str) {
    xml.open("af:AktivetetsRapportDatum")
        .text("af:AktivitetsRapportMeddelande", kod);
}

fn beslut(xml: &mut Xml, fraga: &Frageunderlag<'_>, person: &Person) {
    xml.open("af:BeslutInfo").open("af:EkonomiskaBeslut");
    if person.situation() == Livssituation::Nyanland {
        xml.open("af:Beslut")
            .text("af:ErsattningTyp", "Etableringsersättning")
            .number("af:Omfattning", 100)
            .date_with_zone("af:BeslutFrom", fraga.from)
            .date_with_zone("af:BeslutTom", fraga.tom)
            .close("af:Beslut");
    }
    xml.close("af:EkonomiskaBeslut").close("af:BeslutInfo");
}
