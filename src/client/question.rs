//! A question about one or more persons, as a verksamhetssystem would send it.

use bytes::Bytes;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use shs_schemas::ids::{ContentId, CorrId, TxId};
use shs_schemas::mime::ContentType;
use shs_schemas::shs::label::{
    Actor, Content, Label, MessageType, Product, SequenceType, Status, TransferType,
};
use shs_schemas::shs::{Adress, DataPart, Message, Organisationsnummer, Produkt, time};
use shs_schemas::ssbtek::Kontrakt;
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
    /// Test or production.
    pub status: Status,
    /// Name or user id of the case worker.
    pub handlaggare: String,
    /// The case.
    pub arendeidentitet: String,
}

impl Default for Asker {
    /// The invented municipality of the demo asking the invented node.
    fn default() -> Self {
        Self {
            from: "2120009994".into(),
            namn: "Exempelköpings kommun".into(),
            to: "2021009994".into(),
            product: "urn:X-shs:55b7e000-0010-4000-8000-000000000010".into(),
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

/// One question: every party included, the last three months, and for CSN the two that it takes.
#[must_use]
pub fn document(asker: &Asker, person: &str, now: DateTime<Utc>) -> Bytes {
    let today = time::swedish(now).date();
    let (from, tom) = (first_of_month(today, 2), today);
    let csn_from = first_of_month(today, 1);
    let mut xml = format!(
        concat!(
            r#"<?xml version="1.0" encoding="UTF-8"?>"#,
            "\n<ssbt:hamtaBastjanstInformation xmlns:ssbt=\"{ns}\">",
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
        ns = Kontrakt::V10.namespace(),
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
        xml.push_str(&specific(*element, person, (from, tom), csn_from));
    }
    xml.push_str("</ssbt:specifikaFrageparametrar></ssbt:hamtaBastjanstInformation>");
    xml.into()
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
    person: &str,
    (from, tom): (NaiveDate, NaiveDate),
    csn_from: NaiveDate,
) -> String {
    let name = element.local_name();
    let content = match element {
        Svarselement::Csn => format!(
            "<ssbt:tidsperiod><ssbt:fromDatum>{csn_from}</ssbt:fromDatum>\
             <ssbt:tomDatum>{tom}</ssbt:tomDatum></ssbt:tidsperiod>"
        ),
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
