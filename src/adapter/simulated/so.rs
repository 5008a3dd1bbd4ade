//! Sveriges a-kassor: repeats the eleven fields of the question, then one row per unemployment
//! fund (ssbtek-10, 4.5).

use chrono::{Days, NaiveDate};

use super::Utfall;
use super::fraga::Frageunderlag;
use super::person::Person;
use super::xml::Xml;

const DECLARATIONS: &[(&str, &str)] = &[
    ("xmlns:so", "http://INT014.UBPService.Schemas"),
    // A date that is not there yet is nil.
    ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
];

pub(super) fn svara(fraga: &Frageunderlag<'_>, person: &Person) -> Utfall {
    let mut xml = Xml::new();
    fragan_tillbaka(&mut xml, fraga);
    xml.open("so:ArbetsloshetsersattningLista");
    if person.known() {
        for kassa in Person::akassor() {
            akassa(&mut xml, fraga, person, kassa);
        }
    }
    xml.close("so:ArbetsloshetsersattningLista");
    Utfall::Data {
        declarations: DECLARATIONS,
        content: xml.into_string(),
    }
}

fn fragan_tillbaka(xml: &mut Xml, fraga: &Frageunderlag<'_>) {
    xml.text(
        "so:OrganisationsnummerIngivare",
        fraga.uppgifter.ingivare.as_str(),
    )
    .text("so:NamnIngivare", &fraga.uppgifter.ingivare_namn)
    .text("so:KontonamnHandlaggare", fraga.handlaggare())
    .text("so:Referensnummer", fraga.arendeidentitet())
    .date("so:From", fraga.from)
    .date("so:Tom", fraga.tom)
    .text("so:Syfte", &fraga.uppgifter.syfte)
    .text("so:Paragraf", &fraga.uppgifter.lagtext);
    // All numbers first, then all names: pairs are not valid.
    for bitrade in &fraga.uppgifter.personuppgiftsbitraden {
        xml.text(
            "so:OrganisationsnummerPersonuppgiftsbitrade",
            bitrade.organisationsnummer.as_str(),
        );
    }
    for bitrade in &fraga.uppgifter.personuppgiftsbitraden {
        xml.text("so:NamnPersonuppgiftsbitrade", &bitrade.namn);
    }
    xml.text("so:IdentificationNumber", fraga.personidentitet());
}

fn akassa(xml: &mut Xml, fraga: &Frageunderlag<'_>, person: &Person, kassa: &str) {
    xml.open("so:Arbetsloshetsersattning")
        .text("so:SvarandeOrganisation", kassa);
    if person.akassa() == Some(kassa) {
        xml.text("so:StatusSvarandeOrganisation", "Uppgifter finns");
        medlem(xml, fraga, person);
    } else {
        xml.text("so:StatusSvarandeOrganisation", "Uppgifter saknas");
    }
    xml.close("so:Arbetsloshetsersattning");
}

/// Either paid, or applied for and not decided yet.
fn medlem(xml: &mut Xml, fraga: &Frageunderlag<'_>, person: &Person) {
    let vantar = person.draw("so-vantar").below(4) == 0;
    let avstangd = !vantar && person.draw("so-avstangd").below(4) == 0;
    if !vantar {
        for (first, last) in fraga.manader_till_idag() {
            utbetalning(xml, person, first, last);
        }
    }
    if avstangd {
        xml.open("so:Avstangningar")
            .date("so:AvstangdFrom", fraga.from)
            .date(
                "so:AvstangdTom",
                (fraga.from + Days::new(13)).min(fraga.tom),
            )
            .close("so:Avstangningar");
    }
    xml.open("so:AnsoktOmErsattning");
    if vantar {
        xml.raw("<so:BeslutOmRattTillErsattning xsi:nil=\"true\"/>");
    } else {
        xml.date(
            "so:BeslutOmRattTillErsattning",
            person.days_ago("so-beslut", 5, 200),
        );
    }
    xml.boolean("so:AnsokanOmUtbetalningInlamnad", true)
        .close("so:AnsoktOmErsattning");
}

fn utbetalning(xml: &mut Xml, person: &Person, first: NaiveDate, last: NaiveDate) {
    let hela = person.arbetssoker().unwrap_or(100) == 100;
    // Days are paid Monday to Friday, 22 in a whole month.
    let dagar = u32::try_from((last - first).num_days() + 1).unwrap_or(0) * 22 / 31;
    let dagar = if hela { dagar } else { dagar / 2 };
    let per_dag = 510 + 10 * person.small("so-dagpenning", 40);
    let netto = dagar * per_dag * 7 / 10;
    xml.open("so:Utbetalningar")
        .date("so:Utbetalningsdatum", last)
        .text("so:NettoEfterSkatt", &format!("{netto}.00"))
        .text("so:NettoEfterAvdrag", &format!("{netto}.00"))
        .number("so:Ersattningsdagar", dagar)
        .date("so:AvserFrom", first)
        .date("so:AvserTom", last)
        .close("so:Utbetalningar");
}
