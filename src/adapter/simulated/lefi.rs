//! What FK and PM have in common: LEFI's question and the frame of its answer (ssbtek-10, 4.3).

use base64_simd::STANDARD;
use chrono::{Datelike, Months, NaiveDate};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shs_schemas::Uppgiftslamnare;

use super::Utfall;
use super::fraga::Frageunderlag;
use super::xml::Xml;

/// An actor that LEFI does not know, so that its 403 can be tried.
const OKAND_AKTOR: &str = "OKAND-AKTOR";
/// Longest period without a contractual exception, in months.
const PERIOD_MAX_MANADER: u32 = 24;
/// Types that a municipality is not given here, so that an `avvikelse` can be seen.
const OBEHORIGA: &[&str] = &["FK:STAV", "PM:PBH"];

/// LEFI's question. Unknown members are nobody's business.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LefiFraga {
    period: Option<Period>,
    formansinformation: Vec<String>,
    ansprak: Vec<String>,
    beslut: Vec<String>,
    preliminara_utbetalningar: Vec<String>,
    utbetalningar: Vec<String>,
    ovrig_information: Vec<String>,
}

#[derive(Deserialize)]
struct Period {
    from: String,
    tom: String,
}

impl Period {
    fn dates(&self) -> Option<(NaiveDate, NaiveDate)> {
        Some((self.from.parse().ok()?, self.tom.parse().ok()?))
    }
}

/// The arrays of a question that name benefit groups or other information.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Del {
    Formansinformation,
    Ansprak,
    Beslut,
    PreliminaraUtbetalningar,
    Utbetalningar,
    OvrigInformation,
}

impl Del {
    const ALL: [Self; 6] = [
        Self::Formansinformation,
        Self::Ansprak,
        Self::Beslut,
        Self::PreliminaraUtbetalningar,
        Self::Utbetalningar,
        Self::OvrigInformation,
    ];

    const fn member(self) -> &'static str {
        match self {
            Self::Formansinformation => "formansinformation",
            Self::Ansprak => "ansprak",
            Self::Beslut => "beslut",
            Self::PreliminaraUtbetalningar => "preliminaraUtbetalningar",
            Self::Utbetalningar => "utbetalningar",
            Self::OvrigInformation => "ovrigInformation",
        }
    }
}

/// A question that one utlämnare may answer.
pub(super) struct Begaran {
    ul: Uppgiftslamnare,
    fraga: LefiFraga,
    pub(super) from: NaiveDate,
    pub(super) tom: NaiveDate,
}

impl Begaran {
    /// Reads the LEFI question within a sub-question.
    ///
    /// # Errors
    /// LEFI's own refusal of the whole call: 400 or 403.
    pub(super) fn read(fraga: &Frageunderlag<'_>, ul: Uppgiftslamnare) -> Result<Self, Utfall> {
        let ogiltig = || Utfall::fel("400", "Frågan är ogiltig");
        let fk = fraga.uppgifter.fk.as_ref().ok_or_else(ogiltig)?;
        let json = fraga.lefi_json.as_ref().ok_or_else(ogiltig)?;
        let lefi: LefiFraga = serde_json::from_slice(json.expose()).map_err(|_| ogiltig())?;
        let (from, tom) = lefi
            .period
            .as_ref()
            .and_then(Period::dates)
            .ok_or_else(ogiltig)?;
        let begaran = Self {
            ul,
            fraga: lefi,
            from,
            tom,
        };
        if begaran.alla_koder().next().is_none() {
            return Err(Utfall::fel(
                "400",
                "Ingen förmånsgrupp eller informationstyp angiven",
            ));
        }
        let longest = from.checked_add_months(Months::new(PERIOD_MAX_MANADER));
        if tom < from || longest.is_none_or(|longest| tom >= longest) {
            return Err(Utfall::fel(
                "400",
                "Perioden är längre än två år eller ogiltig",
            ));
        }
        if fk.aktorsid == OKAND_AKTOR {
            return Err(Utfall::fel("403", "Aktören är okänd"));
        }
        Ok(begaran)
    }

    fn koder_in(&self, del: Del) -> impl Iterator<Item = &str> {
        let codes = match del {
            Del::Formansinformation => &self.fraga.formansinformation,
            Del::Ansprak => &self.fraga.ansprak,
            Del::Beslut => &self.fraga.beslut,
            Del::PreliminaraUtbetalningar => &self.fraga.preliminara_utbetalningar,
            Del::Utbetalningar => &self.fraga.utbetalningar,
            Del::OvrigInformation => &self.fraga.ovrig_information,
        };
        let kod = self.ul.kod();
        codes.iter().map(String::as_str).filter(move |code| {
            code.split_once(':')
                .is_some_and(|(prefix, _)| prefix == kod)
        })
    }

    fn alla_koder(&self) -> impl Iterator<Item = &str> {
        Del::ALL.into_iter().flat_map(|del| self.koder_in(del))
    }

    /// True if this utlämnare is asked for anything there.
    pub(super) fn asks(&self, del: Del) -> bool {
        self.koder_in(del).next().is_some()
    }

    /// True if this type is asked for there and may be given out.
    pub(super) fn asks_for(&self, del: Del, kod: &str) -> bool {
        !OBEHORIGA.contains(&kod) && self.koder_in(del).any(|code| code == kod)
    }

    /// The frame of an answer: this utlämnare's state, and the types that may not be given out.
    pub(super) fn svar(&self) -> Map<String, Value> {
        let mut svar = Map::new();
        svar.insert(
            "utlamnare".to_owned(),
            json!([{
                "utlamnare": {"kod": self.ul.kod(), "namn": self.ul.namn()},
                "tillstand": {"kod": "OK", "beskrivning": "Tillgänglig"},
            }]),
        );
        let avvikelser = self.avvikelser();
        if !avvikelser.is_empty() {
            svar.insert("avvikelser".to_owned(), Value::Object(avvikelser));
        }
        svar
    }

    fn avvikelser(&self) -> Map<String, Value> {
        let mut avvikelser = Map::new();
        for del in Del::ALL {
            let named = if del == Del::OvrigInformation {
                "ovrigInformationstyp"
            } else {
                "formansgrupp"
            };
            let rows: Vec<Value> = self
                .koder_in(del)
                .filter(|kod| OBEHORIGA.contains(kod))
                .map(|kod| {
                    json!({
                        "avvikelse": {
                            "kod": "OBEHORIG",
                            "beskrivning": "Aktören saknar behörighet till informationstypen",
                        },
                        named: typ(kod),
                    })
                })
                .collect();
            if !rows.is_empty() {
                avvikelser.insert(del.member().to_owned(), Value::Array(rows));
            }
        }
        avvikelser
    }
}

/// Code and description of a benefit group or a type of information.
pub(super) fn typ(kod: &str) -> Value {
    let beskrivning = match kod {
        "FK:ABB" => "Barnbidrag",
        "FK:BOB" => "Bostadsbidrag",
        "FK:FP" => "Föräldrapenning",
        "FK:GEPI" => "Generell personinformation",
        "FK:SJP" => "Sjukpenning",
        "PM:AP" => "Allmän pension",
        "PM:BTI" => "Bostads- och inkomststöd",
        "PM:EF" => "Efterlevandeförmåner",
        "PM:LINT" => "Levnadsintyg",
        "PM:PBH" => "Pensionsbehållning",
        "PM:PU" => "Pensionsunderlag",
        other => other,
    };
    json!({"kod": kod, "beskrivning": beskrivning})
}

/// Puts a LEFI answer into `lefiJsonSvar`.
pub(super) fn data(svar: Map<String, Value>) -> Utfall {
    let encoded = STANDARD.encode_to_string(Value::Object(svar).to_string());
    let mut xml = Xml::new();
    xml.open("ssbt:lefiJsonSvar")
        .raw(&encoded)
        .close("ssbt:lefiJsonSvar");
    Utfall::Data {
        declarations: &[],
        content: xml.into_string(),
    }
}

/// A date as LEFI writes it.
pub(super) fn iso(date: NaiveDate) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}
