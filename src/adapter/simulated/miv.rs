//! Migrationsverket: decisions on permits, in no namespace (ssbtek-10, 4.7). Only what Bilaga 3 lets it
//! give out: neither home country, entry, application nor reason.

use chrono::Months;

use super::Utfall;
use super::fraga::Frageunderlag;
use super::person::{Person, Uppehallstillstand};
use super::xml::Xml;

/// How long a first permit is valid here, in months.
const TILLFALLIGT_MANADER: u32 = 36;

pub(super) fn svara(fraga: &Frageunderlag<'_>, person: &Person) -> Utfall {
    let mut xml = Xml::new();
    xml.open("response");
    if let Some(korrelationsid) = fraga.korrelationsid() {
        xml.text("korrelationsid", korrelationsid);
    }
    // Migrationsverket's own, with no trace of the number in it.
    xml.text(
        "correlationid",
        &format!("miv-{:016x}", person.draw("miv").bits()),
    );
    match person.uppehallstillstand() {
        Some(tillstand) => arende(&mut xml, person, tillstand),
        // Nothing is known of whoever never had a case.
        None => {
            xml.empty("svarCollection");
        }
    }
    xml.close("response");
    Utfall::Data {
        declarations: &[],
        content: xml.into_string(),
    }
}

fn arende(xml: &mut Xml, person: &Person, tillstand: Uppehallstillstand) {
    xml.text("efternamn", &person.efternamn().to_uppercase())
        .text("fornamn", &person.fornamn().to_uppercase())
        .text("personnummer", person.number())
        .open("svarCollection");
    xml.open("svar")
        .text("arendeTyp", "UT")
        .text("arendeTypNamn", "Uppehållstillstånd")
        .text("beslutsKod", "BEV")
        .text("beslutsKodNamn", "Bevilja")
        .date_with_zone("beslutsdatum", tillstand.beslutat)
        .date_with_zone("fromDatum", tillstand.beslutat);
    if tillstand.permanent {
        xml.text("giltighetstid", "PERMANENT");
    } else {
        let tom = tillstand
            .beslutat
            .checked_add_months(Months::new(TILLFALLIGT_MANADER));
        xml.text("giltighetstid", "TIDBEGRANSAT")
            .date_with_zone("tomDatum", tom.unwrap_or(tillstand.beslutat));
    }
    xml.close("svar").close("svarCollection");
}
