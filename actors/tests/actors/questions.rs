//! Questions about invented persons, in every way in which they may be written.

use bytes::Bytes;
use shs_schemas::mime::ContentType;
use shs_schemas::shs::DataPart;
use shs_schemas::ssbtek::{Form, Kontrakt, Svarselement};

use crate::base64;

/// Skatteverket's test series (ssbtek-10, 7.3).
pub const PERSONS: [&str; 6] = [
    "199503142383",
    "200411062383",
    "199503022387",
    "199503032394",
    "189001019802",
    "198706872382",
];
/// Twelve digits that no person can have.
pub const IMPOSSIBLE: &str = "199001011234";
/// Number of elements.
pub const ELEMENTS: usize = Svarselement::IN_ORDER.len();

/// What the question says of LEFI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lefi {
    /// Codes of both authorities.
    Both,
    /// Codes of Försäkringskassan.
    FkOnly,
    /// Codes of Pensionsmyndigheten.
    PmOnly,
    /// No `fraga` at all, which the schema allows.
    Absent,
    /// It names another person.
    OtherPerson,
}

/// How the question is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// With this prefix, declared on its root.
    Prefix(&'static str),
    /// Without prefix.
    Default,
    /// With a prefix that the envelope declares; without envelope on its root.
    Inherited,
}

/// One person's question.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what a question may or may not have"
)]
pub struct Asked {
    /// Place in the message, from one; stands in everything that is the person's own.
    pub place: usize,
    pub number: &'static str,
    pub form: Form,
    pub style: Style,
    pub echo: bool,
    pub frage_tidpunkt: bool,
    pub korrelationsid: bool,
    /// In the order of the elements.
    pub inkludera: [bool; ELEMENTS],
    /// Whether also those that are not asked have parameters.
    pub surplus: bool,
    pub lefi: Lefi,
    pub named: bool,
}

impl Asked {
    /// A question to everybody about the person of this place.
    pub fn all(place: usize) -> Self {
        Self {
            place,
            number: PERSONS[(place - 1) % PERSONS.len()],
            form: Form::Bar,
            style: Style::Prefix("b"),
            echo: true,
            frage_tidpunkt: true,
            korrelationsid: true,
            inkludera: [true; ELEMENTS],
            surplus: false,
            lefi: Lefi::Both,
            named: true,
        }
    }

    /// Identity of the case: tells persons with the same number apart.
    pub fn arende(&self) -> String {
        format!("ARENDE-{};", self.place)
    }

    /// Its `korrelationsid`, as written.
    pub fn korrelationsid(&self) -> String {
        format!(" k&amp;{} ", self.place)
    }

    fn prefix(&self) -> String {
        match self.style {
            Style::Prefix(prefix) => format!("{prefix}:"),
            Style::Default => String::new(),
            Style::Inherited => "arvd:".to_owned(),
        }
    }

    /// The declaration of the namespace of the contract.
    fn declaration(&self, kontrakt: Kontrakt) -> String {
        let name = match self.style {
            Style::Prefix(prefix) => format!("xmlns:{prefix}"),
            Style::Default => "xmlns".to_owned(),
            Style::Inherited => "xmlns:arvd".to_owned(),
        };
        format!(" {name}=\"{}\"", kontrakt.namespace())
    }

    /// `generellaFrageparametrar`, whole.
    pub fn generella(&self) -> String {
        let (number, place) = (self.number, self.place);
        let optional = |given: bool, name: &str, value: &str| {
            if given {
                format!("<@{name}>{value}</@{name}>")
            } else {
                String::new()
            }
        };
        format!(
            "<@generellaFrageparametrar>{}{}\
             <@fraganSkallInkluderasISvaret>{}</@fraganSkallInkluderasISvaret><@ingivare>\
             <@organisationsnummer>162120009994</@organisationsnummer><@namn>Exempelköpings kommun\
             </@namn><@handlaggare>prov{place}</@handlaggare></@ingivare>\
             <@personidentitet> {number} </@personidentitet>\
             <@arendeidentitet>{}</@arendeidentitet><@tidsperiod>\
             <@fromDatum>2026-09-01Z</@fromDatum><@tomDatum>2026-11-30</@tomDatum></@tidsperiod>\
             <@syfte/><@lagtext>Provlagen 1 §</@lagtext></@generellaFrageparametrar>",
            optional(self.frage_tidpunkt, "frageTidpunkt", FRAGE_TIDPUNKT),
            optional(
                self.korrelationsid,
                "korrelationsid",
                &self.korrelationsid()
            ),
            if self.echo { "1" } else { "false" },
            self.arende(),
        )
        .replace('@', &self.prefix())
    }

    /// `specifikaFrageparametrar`, whole.
    pub fn specifika(&self, kontrakt: Kontrakt) -> String {
        let elements = Svarselement::IN_ORDER.iter().map(|&element| {
            let asked = self.inkludera[element.index()];
            let name = element.local_name();
            let own = if asked || self.surplus {
                self.parameters(element, kontrakt)
            } else {
                String::new()
            };
            if own.is_empty() {
                format!("<@{name} inkludera=\"{asked}\"/>\n")
            } else {
                format!("<@{name} inkludera=\" {asked}\">{own}</@{name}>\n")
            }
        });
        let elements: String = elements.collect();
        format!("<@specifikaFrageparametrar>{elements}</@specifikaFrageparametrar>")
            .replace('@', &self.prefix())
    }

    /// Parameters of one element; each has its own place and party in it.
    fn parameters(&self, element: Svarselement, kontrakt: Kontrakt) -> String {
        match element {
            Svarselement::Fk => self.lefi_fraga(),
            Svarselement::Skv if kontrakt.has_skv_fraga() => format!(
                "<@fraga><@ar>{SKV_AR}</@ar><@foretagsinformation>false</@foretagsinformation>\
                 <@individuppgifter>1</@individuppgifter><@skattekonto>true</@skattekonto>\
                 <@skatteuppgifter>true</@skatteuppgifter>\
                 <@beskattningsbilagor>0</@beskattningsbilagor></@fraga>"
            ),
            Svarselement::Skv | Svarselement::Miv => String::new(),
            _ => format!(
                "<@tidsperiod><@fromDatum>{}</@fromDatum><@tomDatum>2026-11-29</@tomDatum>\
                 </@tidsperiod>",
                from_datum(element)
            ),
        }
    }

    fn lefi_fraga(&self) -> String {
        if self.lefi == Lefi::Absent {
            return String::new();
        }
        format!(
            "<@fraga><@aktorsid>AKTOR-{}</@aktorsid><@lefiJsonFraga>{}</@lefiJsonFraga></@fraga>",
            self.place,
            base64::encode(self.lefi_json())
        )
    }

    fn lefi_json(&self) -> String {
        let number = match self.lefi {
            Lefi::OtherPerson => "200411012396",
            _ => self.number,
        };
        let codes = match self.lefi {
            Lefi::FkOnly => r#""formansinformation":["FK:SJP"],"ovrigInformation":["FK:GEPI"]"#,
            Lefi::PmOnly => r#""beslut":["PM:AP"],"utbetalningar":["PM:AP","PM:EF"]"#,
            _ => {
                r#""formansinformation":["FK:SJP"],"beslut":["PM:AP"],"utbetalningar":["PM:AP","FK:SJP"]"#
            }
        };
        format!(
            r#"{{"personnummer":"{number}","period":{{"from":"2026-09-01","tom":"2026-11-30"}},{codes}}}"#
        )
    }

    /// The whole document.
    pub fn document(&self, kontrakt: Kontrakt) -> String {
        let (prefix, declaration) = (self.prefix(), self.declaration(kontrakt));
        let inherits = self.style == Style::Inherited && self.form == Form::Kuvert;
        let (outer, inner) = if inherits {
            (declaration.as_str(), "")
        } else {
            ("", declaration.as_str())
        };
        let root = format!(
            "<{prefix}hamtaBastjanstInformation{inner}>{}\n{}</{prefix}hamtaBastjanstInformation>",
            self.generella(),
            self.specifika(kontrakt)
        );
        match self.form {
            Form::Bar => format!("<?xml version='1.0' encoding='UTF-8'?>\n{root}"),
            Form::Kuvert => format!(
                "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'{outer}>\
                 <e:Header/><e:Body>{root}</e:Body></e:Envelope>"
            ),
        }
    }

    /// The data part that carries it.
    pub fn part(&self, kontrakt: Kontrakt) -> DataPart {
        let kind = if self.place.is_multiple_of(2) {
            "fraga"
        } else {
            "person"
        };
        let name = format!("fraga-{}.xml", self.place);
        let document = Bytes::from(self.document(kontrakt));
        let part = DataPart::new(kind, name, ContentType::XML_UTF_8, document);
        if self.named {
            part
        } else {
            DataPart {
                filename: None,
                ..part
            }
        }
    }
}

/// When the asker says that it asked.
pub const FRAGE_TIDPUNKT: &str = "2026-11-21T08:30:00.250+01:00";
/// The year that Skatteverket alone is asked for.
pub const SKV_AR: &str = "2021";

/// The first day of the period that one element alone has.
pub fn from_datum(element: Svarselement) -> String {
    format!("2026-10-{:02}", 10 + element.index())
}
