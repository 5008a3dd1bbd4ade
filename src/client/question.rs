//! A question about one or more persons, as a verksamhetssystem would send it.

use std::fmt::Write as _;

use bytes::Bytes;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::mime::ContentType;
use shs_schemas::shs::label::{
    Actor, Content, Label, MessageType, Product, SequenceType, Status, TransferType,
};
use shs_schemas::shs::{Adress, DataPart, Message, Organisationsnummer, Produkt, time};
use shs_schemas::ssbtek::{Kontrakt, SkvStandard};
use shs_schemas::xml::escape_text;
use shs_schemas::{Svarselement, WireError};

/// Who asks whom, about whom.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Organisation number of the asking municipality: ten digits.
    pub from: String,
    /// Its name.
    pub namn: String,
    /// Organisation number of the node's actor.
    pub to: String,
    /// Product of the SSBTEK question.
    pub product: String,
    /// Version of the contract to ask in.
    pub kontrakt: Kontrakt,
    /// Test or production.
    pub status: Status,
    /// Name or user id of the case worker.
    pub handlaggare: String,
    /// The case.
    pub arendeidentitet: String,
}

impl Default for Asker {
    /// The invented municipality of the demo asking the invented node, in version 10.
    fn default() -> Self {
        Self {
            from: "2120009994".into(),
            namn: "Exempelköpings kommun".into(),
            to: "2021009994".into(),
            product: "urn:X-shs:55b7e000-0010-4000-8000-000000000010".into(),
            kontrakt: Kontrakt::V10,
            status: Status::Production,
            handlaggare: "exk0421".into(),
            arendeidentitet: "EB-2026-004711".into(),
        }
    }
}

/// What to ask LEFI for: some of Försäkringskassan and some of Pensionsmyndigheten.
const LEFI_ASKED: &str = r#""formansinformation":["FK:FP","FK:SJP","FK:BOB"],"ansprak":["PM:AP","PM:EF"],"beslut":["PM:AP","PM:EF"],"preliminaraUtbetalningar":["FK:FP"],"utbetalningar":["FK:FP","FK:SJP","PM:AP","PM:EF"],"ovrigInformation":["FK:GEPI"]"#;

/// A synchronous SHS message with one question for each person.
///
/// # Errors
/// When an identity of the asker cannot be read.
pub fn message(
    asker: &Asker,
    persons: &[String],
    now: DateTime<Utc>,
) -> Result<Message, WireError> {
    let actor = |number: &str, name: Option<&str>| {
        let number = Organisationsnummer::parse(number)?;
        Ok::<_, WireError>(Actor::new(Adress::of(number), name.map(str::to_owned)))
    };
    let tx_id = TxId::fresh();
    let label = Label {
        corr_id: CorrId::parse(tx_id.as_str())?,
        tx_id,
        agreement: None,
        transfer_type: TransferType::Synch,
        message_type: MessageType::Simple,
        sequence_type: SequenceType::Request,
        status: asker.status,
        originator: None,
        from: Some(actor(&asker.from, Some(&asker.namn))?),
        to: Some(actor(&asker.to, None)?),
        end_recipient: None,
        product: Product::from(Produkt::parse(&asker.product)?),
        meta: Vec::new(),
        subject: None,
        datetime: time::swedish(now),
        content: Content {
            id: ContentId::fresh(),
            data: Vec::new(),
            compound: false,
            comment: None,
        },
        history: Vec::new(),
    };
    let parts = persons.iter().enumerate().map(|(place, person)| {
        let document = document(asker, person, now);
        let filename = format!("fraga-{}.xml", place + 1);
        DataPart::new("fraga", filename, ContentType::XML_UTF_8, document)
    });
    Ok(Message {
        label,
        parts: parts.collect(),
    })
}

/// One question as a document of its own: see [`element`].
#[must_use]
pub fn document(asker: &Asker, person: &str, now: DateTime<Utc>) -> Bytes {
    const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
    [DECLARATION, "\n", &element(asker, person, now)]
        .concat()
        .into()
}

/// One question: every party included, the last three months, and for CSN the two that it takes; in
/// version 11 Skatteverket's last two whole years, all but what it knows of companies.
#[must_use]
pub fn element(asker: &Asker, person: &str, now: DateTime<Utc>) -> String {
    let today = time::swedish(now).date();
    let (from, tom) = (first_of_month(today, 2), today);
    let mut xml = format!(
        concat!(
            "<ssbt:hamtaBastjanstInformation xmlns:ssbt=\"{ns}\">",
            "<ssbt:generellaFrageparametrar>",
            "<ssbt:frageTidpunkt>{now}</ssbt:frageTidpunkt>",
            "<ssbt:korrelationsid>{korrelationsid}</ssbt:korrelationsid>",
            "<ssbt:fraganSkallInkluderasISvaret>false</ssbt:fraganSkallInkluderasISvaret>",
            "<ssbt:ingivare><ssbt:organisationsnummer>16{from_number}</ssbt:organisationsnummer>",
            "<ssbt:namn>{namn}</ssbt:namn><ssbt:handlaggare>{handlaggare}</ssbt:handlaggare>",
            "</ssbt:ingivare>",
            "<ssbt:personidentitet>{person}</ssbt:personidentitet>",
            "<ssbt:arendeidentitet>{arende}</ssbt:arendeidentitet>",
            "<ssbt:tidsperiod><ssbt:fromDatum>{from}</ssbt:fromDatum>",
            "<ssbt:tomDatum>{tom}</ssbt:tomDatum></ssbt:tidsperiod>",
            "<ssbt:syfte>Utredning av rätten till ekonomiskt bistånd</ssbt:syfte>",
            "<ssbt:lagtext>Förordning (2008:975) om uppgiftsskyldighet i vissa fall enligt ",
            "socialtjänstlagen</ssbt:lagtext>",
            "</ssbt:generellaFrageparametrar><ssbt:specifikaFrageparametrar>",
        ),
        ns = asker.kontrakt.namespace(),
        now = now.format("%Y-%m-%dT%H:%M:%SZ"),
        korrelationsid = uuid::Uuid::new_v4(),
        from_number = escape_text(&asker.from),
        namn = escape_text(&asker.namn),
        handlaggare = escape_text(&asker.handlaggare),
        person = escape_text(person),
        arende = escape_text(&asker.arendeidentitet),
        from = from,
        tom = tom,
    );
    for element in Svarselement::IN_ORDER {
        xml.push_str(&specific(*element, asker.kontrakt, person, (from, tom)));
    }
    xml.push_str("</ssbt:specifikaFrageparametrar></ssbt:hamtaBastjanstInformation>");
    xml
}

fn first_of_month(today: NaiveDate, months_back: u32) -> NaiveDate {
    let day = today
        .checked_sub_days(Days::new(u64::from(today.day0())))
        .unwrap_or(today);
    day.checked_sub_months(Months::new(months_back))
        .unwrap_or(day)
}

/// What is asked of one element.
fn specific(
    element: Svarselement,
    kontrakt: Kontrakt,
    person: &str,
    (from, tom): (NaiveDate, NaiveDate),
) -> String {
    let name = element.local_name();
    let content = match element {
        Svarselement::Csn => {
            let from = first_of_month(tom, 1);
            format!(
                "<ssbt:tidsperiod><ssbt:fromDatum>{from}</ssbt:fromDatum>\
                 <ssbt:tomDatum>{tom}</ssbt:tomDatum></ssbt:tidsperiod>"
            )
        }
        Svarselement::Skv if kontrakt.has_skv_fraga() => skv(tom.year()),
        Svarselement::Fk => {
            let person: String = person.chars().filter(char::is_ascii_digit).collect();
            let lefi = format!(
                r#"{{"personnummer":"{person}","period":{{"from":"{from}","tom":"{tom}"}},{LEFI_ASKED}}}"#
            );
            let lefi = base64_simd::STANDARD.encode_to_string(lefi);
            format!(
                "<ssbt:fraga><ssbt:version>v9</ssbt:version><ssbt:aktorsid>EXK-01</ssbt:aktorsid>\
                 <ssbt:lefiJsonFraga>{lefi}</ssbt:lefiJsonFraga></ssbt:fraga>"
            )
        }
        _ => return format!(r#"<ssbt:{name} inkludera="true"/>"#),
    };
    format!(r#"<ssbt:{name} inkludera="true">{content}</ssbt:{name}>"#)
}

/// What Skatteverket is asked for, in a year.
fn skv(year: i32) -> String {
    let usual = SkvStandard::default();
    let years = (1..=i32::from(usual.antal_ar)).map(|back| year - back);
    let mut xml = String::from("<ssbt:fraga>");
    for ar in years {
        // Writing to a String does not fail.
        let _ = write!(xml, "<ssbt:ar>{ar}</ssbt:ar>");
    }
    for (flag, value) in [
        ("foretagsinformation", usual.foretagsinformation),
        ("individuppgifter", usual.individuppgifter),
        ("skattekonto", usual.skattekonto),
        ("skatteuppgifter", usual.skatteuppgifter),
        ("beskattningsbilagor", usual.beskattningsbilagor),
    ] {
        let _ = write!(xml, "<ssbt:{flag}>{value}</ssbt:{flag}>");
    }
    xml.push_str("</ssbt:fraga>");
    xml
}

#[cfg(test)]
mod tests {
    use shs_schemas::ssbtek::{Datum, Fordelning, Fraga, Identitetskontroll};
    use shs_schemas::xml::Limits;

    use super::*;

    #[test]
    fn a_question_is_valid_in_every_version_and_asks_everybody() {
        let now = "2026-01-15T23:30:00Z".parse().unwrap();
        for kontrakt in Kontrakt::all() {
            let asker = Asker {
                kontrakt,
                namn: "A & <B>".into(),
                ..Asker::default()
            };
            let document = document(&asker, "199503142383", now);
            let fraga = Fraga::read(document, &Limits::default()).unwrap();
            assert_eq!(fraga.kontrakt(), kontrakt);
            let idag = Datum {
                ar: 2026,
                manad: 1,
                dag: 16,
            };
            assert_eq!(fraga.avvisning(Identitetskontroll::Strict, idag), None);
            assert!(fraga.lefi_json().is_ok());
            let all = Svarselement::IN_ORDER.iter();
            assert!(all.copied().all(|element| fraga.inkluderar(element)));
            let delfragor = fraga.delfragor(&Fordelning::alla(), idag);
            assert!(delfragor.iter().all(|delfraga| delfraga.body.is_ok()));
            let skv = fraga.uppgifter().skv;
            assert_eq!(skv.is_some(), kontrakt.has_skv_fraga());
            if let Some(skv) = skv {
                assert_eq!(skv.ar, [2025, 2024]);
                assert!(!skv.foretagsinformation && skv.beskattningsbilagor);
            }
        }
    }
}
