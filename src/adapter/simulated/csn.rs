//! CSN: a whole document of its own schema 4.0, as base64, or one of its refusals
//! (ssbtek-10, 4.2).

use chrono::{Datelike, Months, NaiveDate};

use super::Utfall;
use super::fraga::{Frageunderlag, den_25, manader};
use super::person::{Person, Studiestod};
use super::xml::Xml;

/// Characters that CSN's case identity holds.
const ARENDE_ID_MAX: usize = 31;
/// How far back and ahead CSN answers, in months.
const FONSTER_BAKAT: u32 = 2;
const FONSTER_FRAMAT: u32 = 1;

const DOCUMENT_DECLARATIONS: &[(&str, &str)] = &[
    ("xmlns:k", "http://schema.csn.se/v4.0/kommunfraga"),
    ("xmlns:p", "http://schema.csn.se/v4.0/person"),
    ("xmlns:t", "http://schema.csn.se/v4.0/csntyper"),
    ("xmlns:sm", "http://schema.csn.se/v4.0/studiemedel"),
    ("xmlns:sh", "http://schema.csn.se/v4.0/studiehjalp"),
    ("xmlns:s", "http://www.sambruk.se/SBNyttomeddelanden"),
    ("schemaVersion", "4.0"),
];

/// Exactly ten spaces: a person whom CSN knows.
const STATUS_TRAFF: &str = "          ";
const STATUS_EJ_TRAFF: &str = "Ej träff";

pub(super) fn svara(fraga: &Frageunderlag<'_>, person: &Person) -> Utfall {
    if let Some(fel) = avvisning(fraga, person) {
        return fel;
    }
    let mut xml = Xml::new();
    xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .open_with("k:CSNSvar", DOCUMENT_DECLARATIONS);
    resultat(&mut xml, person);
    fragan_tillbaka(&mut xml, fraga);
    xml.open("k:Personer");
    en_person(&mut xml, fraga, person);
    xml.close("k:Personer").close("k:CSNSvar");
    let document = xml.into_string();
    let mut xml = Xml::new();
    let encoded = base64_simd::STANDARD.encode_to_string(document.as_bytes());
    xml.open("ssbt:svar").raw(&encoded).close("ssbt:svar");
    Utfall::Data {
        declarations: &[],
        content: xml.into_string(),
    }
}

/// CSN's own checks, in the order of their codes.
fn avvisning(fraga: &Frageunderlag<'_>, person: &Person) -> Option<Utfall> {
    let day = person.number().get(6..8).unwrap_or_default();
    if day >= "60" {
        return Some(Utfall::fel("-1004", "Felaktig identitet"));
    }
    if fraga.arendeidentitet().chars().count() > ARENDE_ID_MAX {
        return Some(Utfall::fel("-1005", "Indata följer inte specifikationen"));
    }
    let earliest = fraga.idag.checked_sub_months(Months::new(FONSTER_BAKAT));
    let latest = fraga.idag.checked_add_months(Months::new(FONSTER_FRAMAT));
    let inside = earliest.is_some_and(|earliest| fraga.from >= earliest)
        && latest.is_some_and(|latest| fraga.tom <= latest)
        && fraga.from <= fraga.tom;
    (!inside).then(|| Utfall::fel("-1006", "Felaktigt datumintervall"))
}

fn resultat(xml: &mut Xml, person: &Person) {
    let (kod, text) = if person.known() {
        ("0", "Allt OK, inget att rapportera")
    } else {
        ("-2", "Identiteten finns inte")
    };
    xml.open("k:GemensamtSvarEkbistand")
        .open("k:Resultat")
        .text("k:ResultatKod", kod)
        .text("k:ResultatText", text)
        .close("k:Resultat")
        .close("k:GemensamtSvarEkbistand");
}

fn fragan_tillbaka(xml: &mut Xml, fraga: &Frageunderlag<'_>) {
    let ingivare = fraga.uppgifter.ingivare.without_prefix();
    let kommun = match ingivare.split_at_checked(6) {
        Some((first, last)) => format!("{first}-{last}"),
        None => ingivare.to_owned(),
    };
    xml.open("k:GemensamtFragaEkbistand")
        .text("s:SchemaVersion", "4.0")
        .open("s:BegarData")
        .text("s:Kommun", &kommun)
        .text("s:AppNamn", "SSBTEK")
        .text("s:AppVersion", "10");
    if let Some(id) = fraga.korrelationsid().filter(|id| !id.is_empty()) {
        xml.text("s:AnropsId", id);
    }
    xml.close("s:BegarData");
    if fraga.handlaggare().chars().count() <= ARENDE_ID_MAX {
        xml.text("s:HandlaggareId", fraga.handlaggare());
    }
    let (sekel, nummer) = sekel_och_nummer(fraga.personidentitet());
    xml.text("s:ArendeId", fraga.arendeidentitet())
        .text("s:HushallsId", fraga.arendeidentitet())
        .digits_date("s:FromDatum", fraga.from)
        .digits_date("s:TomDatum", fraga.tom)
        .open("s:Hushallsmedlemmar")
        .open("s:Hushallsmedlem")
        .text("s:HushallsMedlemsIdSekel", sekel)
        .text("s:HushallsMedlemsId", nummer)
        .close("s:Hushallsmedlem")
        .close("s:Hushallsmedlemmar")
        .close("k:GemensamtFragaEkbistand");
}

fn sekel_och_nummer(personidentitet: &str) -> (&str, &str) {
    personidentitet
        .split_at_checked(2)
        .unwrap_or(("", personidentitet))
}

fn en_person(xml: &mut Xml, fraga: &Frageunderlag<'_>, person: &Person) {
    let (sekel, nummer) = sekel_och_nummer(person.number());
    let status = if person.known() {
        STATUS_TRAFF
    } else {
        STATUS_EJ_TRAFF
    };
    xml.open_with(
        "k:Person",
        &[
            ("personnummer", nummer),
            ("Status", status),
            ("sekretess", ""),
            ("sekel", sekel),
        ],
    );
    let stod = person.studiestod();
    let has = |studiehjalp: bool| stod.is_some_and(|stod| stod.studiehjalp == studiehjalp);
    let flag = |there: bool| if there { "1" } else { "0" };
    xml.open("p:Studiestodstypforteckning")
        .text("t:studiemedel", flag(has(false)))
        .text("t:studiehjalp", flag(has(true)))
        .text("t:hemutrustningslan", "0")
        .text("t:studiestartsstod", "0")
        .text("t:omstallningsstudiestod", "0")
        .close("p:Studiestodstypforteckning");
    arenden(
        xml,
        "p:Studiemedel",
        stod.filter(|_| has(false)),
        fraga,
        person,
    );
    arenden(
        xml,
        "p:Studiehjalp",
        stod.filter(|_| has(true)),
        fraga,
        person,
    );
    xml.empty("p:HemutrustningsLan")
        .empty("p:Studiestartsstod")
        .empty("p:Omstallningsstudiestod")
        .close("k:Person");
}

fn arenden(
    xml: &mut Xml,
    element: &str,
    stod: Option<Studiestod>,
    fraga: &Frageunderlag<'_>,
    person: &Person,
) {
    let Some(stod) = stod else {
        xml.empty(element);
        return;
    };
    let lopnummer = (1 + person.small("csn-lopnummer", 9)).to_string();
    xml.open(element)
        .open("p:Arenden")
        .open_with("p:Arende", &[("lopnummer", &lopnummer)]);
    Arende::new(stod, fraga).write(xml);
    xml.close("p:Arende").close("p:Arenden").close(element);
}

/// One case: a term, what is granted for it, and when it is paid.
struct Arende<'a> {
    stod: Studiestod,
    fraga: &'a Frageunderlag<'a>,
    /// Prefix of the kind of aid: each has a namespace of its own.
    prefix: &'static str,
    termin: (NaiveDate, NaiveDate),
}

impl<'a> Arende<'a> {
    fn new(stod: Studiestod, fraga: &'a Frageunderlag) -> Self {
        let prefix = if stod.studiehjalp { "sh" } else { "sm" };
        Self {
            stod,
            fraga,
            prefix,
            termin: termin(fraga.tom),
        }
    }

    fn name(&self, local: &str) -> String {
        format!("{}:{local}", self.prefix)
    }

    fn write(&self, xml: &mut Xml) {
        let (stodform, klartext) = if self.stod.studiehjalp {
            ("SH", "Studiehjälp läsår Sverige")
        } else {
            ("GRUND", "Studiemedel för studier i Sverige")
        };
        xml.text(&self.name("stodform"), stodform)
            .text(&self.name("klartext"), klartext)
            .text(&self.name("status"), "BESLUTAT");
        self.sokt(xml);
        self.beviljat(xml);
        self.utbetalningar(xml);
    }

    fn sokt(&self, xml: &mut Xml) {
        let soktatider = self.name("soktaTider");
        let sokttid = self.name("soktTid");
        xml.open(&soktatider)
            .open(&sokttid)
            .digits_date("t:soktfrom", self.termin.0)
            .digits_date("t:sokttom", self.termin.1)
            .number("t:soktomfattning", self.stod.takt)
            .text("t:soktlan", if self.stod.lan { "J" } else { " " })
            .close(&sokttid)
            .close(&soktatider);
    }

    fn beviljat(&self, xml: &mut Xml) {
        let tider = self.name("BeviljadeTider");
        let tid = self.name("BeviljadTid");
        let manader = u32::try_from(manader(self.termin.0, self.termin.1).len()).unwrap_or(0);
        xml.open(&tider)
            .open(&tid)
            .digits_date("t:starttid", self.termin.0)
            .digits_date("t:sluttid", self.termin.1)
            .number("t:takt", self.stod.takt);
        self.belopp(xml, manader);
        xml.number("t:totbelopp", self.per_manad() * manader)
            .close(&tid)
            .close(&tider);
    }

    /// `Beloppen` for a number of months: grant and, if taken, loan.
    fn belopp(&self, xml: &mut Xml, manader: u32) {
        xml.open("t:Beloppen");
        let (typ, klartext) = if self.stod.studiehjalp {
            ("STUDB", "Studiebidrag")
        } else {
            ("GRUNDB", "Bidrag")
        };
        let rows = [
            (typ, klartext, self.bidrag()),
            ("GRUNDL", "Lån", self.lan()),
        ];
        for (typ, klartext, belopp) in rows.into_iter().filter(|row| row.2 > 0) {
            xml.open("t:Belopp")
                .text("t:beloppstyp", typ)
                .text("t:klartext", klartext)
                .number("t:belopp", belopp * manader)
                .number("t:totbelopp", belopp * manader)
                .close("t:Belopp");
        }
        xml.close("t:Beloppen");
    }

    /// Kronor a month, invented but of the usual size.
    fn bidrag(&self) -> u32 {
        if self.stod.studiehjalp {
            1_250
        } else {
            4_200 * self.stod.takt / 100
        }
    }

    fn lan(&self) -> u32 {
        if self.stod.studiehjalp || !self.stod.lan {
            0
        } else {
            9_600 * self.stod.takt / 100
        }
    }

    fn per_manad(&self) -> u32 {
        self.bidrag() + self.lan()
    }

    /// The paydays of the term in the months asked for.
    fn utbetalningar(&self, xml: &mut Xml) {
        let plan = self.name("UtbetalningsPlan");
        xml.open(&plan);
        let from = self.fraga.from.max(self.termin.0);
        let tom = self.fraga.tom.min(self.termin.1);
        let paydays = manader(from, tom)
            .into_iter()
            .map(|(first, _)| den_25(first));
        for dag in paydays.filter(|dag| (self.termin.0..=self.termin.1).contains(dag)) {
            self.utbetalning(xml, dag);
        }
        xml.close(&plan);
    }

    fn utbetalning(&self, xml: &mut Xml, dag: NaiveDate) {
        let utbetalning = self.name("Utbetalning");
        let status = if dag <= self.fraga.idag {
            "Utbetald"
        } else {
            "Planerad"
        };
        xml.open(&utbetalning)
            .digits_date("t:utbetdatum", dag)
            .text("t:utbetstatus", status)
            .open("t:Utbetaldatider")
            .open("t:Utbetaldtid");
        self.belopp(xml, 1);
        xml.number("t:totbelopp", self.per_manad())
            .close("t:Utbetaldtid")
            .close("t:Utbetaldatider")
            .number("t:totbelopp", self.per_manad())
            .close(&utbetalning);
    }
}

/// The term that holds a day, or the next one in summer.
fn termin(day: NaiveDate) -> (NaiveDate, NaiveDate) {
    let date = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    let year = day.year();
    match (day.month(), day.day()) {
        (1, ..=18) => (date(year - 1, 8, 31), date(year, 1, 18)),
        (1..=6, _) => (date(year, 1, 19), date(year, 6, 7)),
        _ => (date(year, 8, 31), date(year + 1, 1, 18)),
    }
}
