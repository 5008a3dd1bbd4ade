//! The strict reading of a question: one pass that checks every rule of the schema and notes where
//! the subtrees stand (ssbtek-10, 2).

use std::borrow::Cow;
use std::ops::Range;

use super::platser::{Plats, Platser};
use super::uppgifter::{FkFraga, FrageUppgifter, Personuppgiftsbitrade, SkvFraga, Tidsperiod};
use crate::Sensitive;
use crate::error::{Fault, WireError};
use crate::ssbtek::cursor::Cursor;
use crate::ssbtek::personidentitet::{Organisationsnummer, Personidentitet};
use crate::ssbtek::xsd::{self, Datum};
use crate::ssbtek::{Kontrakt, Svarselement};
use crate::xml::{Content, Limits, Start};

/// Root of a question.
pub(in crate::ssbtek) const ROT: &str = "hamtaBastjanstInformation";
const GENERELLA: &str = "generellaFrageparametrar";
const SPECIFIKA: &str = "specifikaFrageparametrar";

type Rule = &'static str;

/// A question, read: its values and its places.
pub(in crate::ssbtek) struct Lasning<'a> {
    pub(in crate::ssbtek) uppgifter: FrageUppgifter<'a>,
    pub(in crate::ssbtek) platser: Platser,
}

/// Reads and checks a question that is a document of its own.
pub(in crate::ssbtek) fn read<'a>(
    document: &'a str,
    limits: &Limits,
) -> Result<Lasning<'a>, WireError> {
    let (mut cursor, start) = Cursor::open(document, ROT, limits)?;
    let kontrakt = start
        .namespace
        .as_deref()
        .and_then(Kontrakt::from_namespace)
        .filter(|_| start.local == ROT)
        .ok_or(WireError::new(ROT, start.span.start, Fault::Missing))?;
    let lasning = read_root(&mut cursor, &start, kontrakt, limits)?;
    cursor.finish()?;
    Ok(lasning)
}

/// Reads and checks a question whose root, in this version, has begun; to the end of the root.
pub(in crate::ssbtek) fn read_root<'a>(
    cursor: &mut Cursor<'a>,
    start: &Start<'a>,
    kontrakt: Kontrakt,
    limits: &Limits,
) -> Result<Lasning<'a>, WireError> {
    cursor.set_kontrakt(kontrakt);
    cursor.check_attributes(ROT, &[])?;
    let mut platser = Platser {
        rot: Plats::new(start),
        ..Platser::default()
    };
    platser.note_declarations(cursor.reader(), kontrakt);
    let attributes = cursor.reader().attributes().len();
    if attributes + platser.deklarationer().count() > limits.attributes_max {
        let limit = Fault::Limit("attributes_max", limits.attributes_max);
        return Err(WireError::new(ROT, start.span.start, limit));
    }

    let generella = cursor.required(ROT, GENERELLA)?;
    let mut uppgifter = read_generella(cursor, kontrakt, &mut platser)?;
    platser.generella = generella.span.start..cursor.end(GENERELLA)?.end;
    platser.specifika = Plats::new(&cursor.required(ROT, SPECIFIKA)?);
    for &element in Svarselement::IN_ORDER {
        read_element(cursor, element, &mut uppgifter, &mut platser)?;
    }
    platser.specifika.slut = cursor.end(SPECIFIKA)?;
    platser.rot.slut = cursor.end(ROT)?;
    platser.bindningar = cursor.take_bindningar();
    Ok(Lasning { uppgifter, platser })
}

#[expect(clippy::unnecessary_wraps, reason = "a check like the others")]
fn string<'a>(content: &Content<'a>) -> Result<Cow<'a, str>, Rule> {
    Ok(content.value.clone())
}

fn non_empty<'a>(content: &Content<'a>) -> Result<Cow<'a, str>, Rule> {
    if content.value.is_empty() {
        Err("must not be empty")
    } else {
        Ok(content.value.clone())
    }
}

fn organisationsnummer(content: &Content<'_>) -> Result<Organisationsnummer, Rule> {
    Organisationsnummer::parse(&xsd::collapse(&content.value)).ok_or("not an organisation number")
}

fn personidentitet(content: &Content<'_>) -> Result<Sensitive<Personidentitet>, Rule> {
    Personidentitet::parse(&xsd::collapse(&content.value))
        .map(Sensitive::new)
        .ok_or("not twelve digits")
}

/// The schema's default holds for an empty element, not for a blank one (ssbtek-10, 2.1).
fn boolean_default_false(content: &Content<'_>) -> Result<bool, Rule> {
    if content.value.is_empty() {
        Ok(false)
    } else {
        xsd::boolean(&content.value)
    }
}

fn date_time<'a>(content: &Content<'a>) -> Result<(Cow<'a, str>, Range<usize>), Rule> {
    xsd::date_time(&content.value)?;
    Ok((content.value.clone(), content.inner.clone()))
}

fn read_generella<'a>(
    cursor: &mut Cursor<'a>,
    kontrakt: Kontrakt,
    platser: &mut Platser,
) -> Result<FrageUppgifter<'a>, WireError> {
    let frage_tidpunkt = cursor
        .optional_text(GENERELLA, "frageTidpunkt", date_time)?
        .map(|(value, inner)| {
            platser.frage_tidpunkt = Some(inner);
            value
        });
    let korrelationsid = cursor.optional_text(GENERELLA, "korrelationsid", |content| {
        platser.korrelationsid = Some(content.inner.clone());
        string(content).map(Sensitive::new)
    })?;
    let fragan_skall_inkluderas = cursor.required_text(
        GENERELLA,
        "fraganSkallInkluderasISvaret",
        boolean_default_false,
    )?;
    cursor.required(GENERELLA, "ingivare")?;
    let ingivare = cursor.required_text(
        "ingivare",
        "ingivare/organisationsnummer",
        organisationsnummer,
    )?;
    let ingivare_namn = cursor.required_text("ingivare", "ingivare/namn", non_empty)?;
    let handlaggare = cursor.required_text("ingivare", "ingivare/handlaggare", non_empty)?;
    cursor.end("ingivare")?;
    Ok(FrageUppgifter {
        kontrakt,
        frage_tidpunkt,
        korrelationsid,
        fragan_skall_inkluderas,
        ingivare,
        ingivare_namn,
        handlaggare: Sensitive::new(handlaggare),
        personidentitet: cursor.required_text(GENERELLA, "personidentitet", personidentitet)?,
        arendeidentitet: Sensitive::new(cursor.required_text(
            GENERELLA,
            "arendeidentitet",
            non_empty,
        )?),
        tidsperiod: {
            cursor.required(GENERELLA, "tidsperiod")?;
            read_tidsperiod(cursor)?
        },
        personuppgiftsbitraden: read_bitraden(cursor)?,
        syfte: cursor.required_text(GENERELLA, "syfte", string)?,
        lagtext: cursor.required_text(GENERELLA, "lagtext", string)?,
        fk: None,
        skv: None,
        inkludera: [false; Svarselement::IN_ORDER.len()],
        egna_perioder: [None; Svarselement::IN_ORDER.len()],
    })
}

fn read_tidsperiod(cursor: &mut Cursor<'_>) -> Result<Tidsperiod, WireError> {
    let datum = |content: &Content<'_>| Datum::parse(&content.value);
    let fran = cursor.required_text("tidsperiod", "tidsperiod/fromDatum", datum)?;
    let tom = cursor.required_text("tidsperiod", "tidsperiod/tomDatum", datum)?;
    cursor.end("tidsperiod")?;
    Ok(Tidsperiod { fran, tom })
}

fn read_bitraden<'a>(cursor: &mut Cursor<'a>) -> Result<Vec<Personuppgiftsbitrade<'a>>, WireError> {
    const ELEMENT: &str = "personuppgiftsbitrade";
    let mut bitraden = Vec::new();
    while cursor.optional(GENERELLA, ELEMENT)?.is_some() {
        let short = |content: &Content<'_>| xsd::short(&content.value);
        bitraden.push(Personuppgiftsbitrade {
            ordningsnummer: cursor.optional_text(
                ELEMENT,
                "personuppgiftsbitrade/ordningsnummer",
                short,
            )?,
            organisationsnummer: cursor.required_text(
                ELEMENT,
                "personuppgiftsbitrade/organisationsnummer",
                organisationsnummer,
            )?,
            namn: cursor.required_text(ELEMENT, "personuppgiftsbitrade/namn", non_empty)?,
        });
        cursor.end(ELEMENT)?;
    }
    bitraden.sort_by_key(|bitrade| (bitrade.ordningsnummer.is_none(), bitrade.ordningsnummer));
    Ok(bitraden)
}

fn read_element<'a>(
    cursor: &mut Cursor<'a>,
    element: Svarselement,
    uppgifter: &mut FrageUppgifter<'a>,
    platser: &mut Platser,
) -> Result<(), WireError> {
    let name = element.local_name();
    let Some(start) = cursor.optional_raw(SPECIFIKA, name)? else {
        return Err(cursor.missing(name));
    };
    cursor.check_attributes(name, &["inkludera"])?;
    let inkludera = read_inkludera(cursor, name, start.span.start)?;
    uppgifter.inkludera[element.index()] = inkludera;
    let end = match element {
        Svarselement::Fk => read_fk(cursor, uppgifter, platser)?,
        Svarselement::Skv if uppgifter.kontrakt.has_skv_fraga() => {
            uppgifter.skv = read_skv(cursor)?;
            if inkludera && uppgifter.skv.is_none() {
                return Err(cursor.missing("SKV/fraga"));
            }
            cursor.end(name)?
        }
        Svarselement::Skv | Svarselement::Miv => cursor.end_of_empty(name)?,
        Svarselement::Af | Svarselement::Csn | Svarselement::So | Svarselement::Tns => {
            if cursor.optional(name, "tidsperiod")?.is_some() {
                uppgifter.egna_perioder[element.index()] = Some(read_tidsperiod(cursor)?);
            }
            cursor.end(name)?
        }
    };
    platser.element[element.index()] = start.span.start..end.end;
    if element == Svarselement::Skv {
        platser.skv = Plats {
            slut: end,
            ..Plats::new(&start)
        };
        platser.skv_fraga = uppgifter.skv.is_some();
    }
    Ok(())
}

fn read_inkludera(
    cursor: &Cursor<'_>,
    name: &'static str,
    offset: usize,
) -> Result<bool, WireError> {
    let attribute = cursor
        .reader()
        .attributes()
        .iter()
        .find(|attribute| attribute.namespace.is_none() && attribute.local == "inkludera")
        .ok_or(WireError::new(
            name,
            offset,
            Fault::Invalid("the attribute inkludera is missing"),
        ))?;
    xsd::boolean(&attribute.value())
        .map_err(|rule| WireError::new(name, attribute.offset, Fault::Invalid(rule)))
}

fn read_fk<'a>(
    cursor: &mut Cursor<'a>,
    uppgifter: &mut FrageUppgifter<'a>,
    platser: &mut Platser,
) -> Result<Range<usize>, WireError> {
    if cursor.optional("FK", "FK/fraga")?.is_some() {
        let version = cursor.optional_text("FK/fraga", "FK/fraga/version", string)?;
        let aktorsid = cursor.required_text("FK/fraga", "FK/fraga/aktorsid", string)?;
        let lefi = cursor.required_text("FK/fraga", "FK/fraga/lefiJsonFraga", |content| {
            xsd::base64(&content.value)?;
            platser.lefi_json = Some(content.inner.clone());
            string(content)
        })?;
        cursor.end("FK/fraga")?;
        uppgifter.fk = Some(FkFraga {
            version,
            aktorsid,
            lefi_json_base64: Sensitive::new(lefi),
        });
    }
    cursor.end("FK")
}

fn read_skv(cursor: &mut Cursor<'_>) -> Result<Option<SkvFraga>, WireError> {
    const FRAGA: &str = "SKV/fraga";
    if cursor.optional("SKV", FRAGA)?.is_none() {
        return Ok(None);
    }
    let int = |content: &Content<'_>| xsd::int(&content.value);
    let boolean = |content: &Content<'_>| xsd::boolean(&content.value);
    let mut ar = vec![cursor.required_text(FRAGA, "SKV/fraga/ar", int)?];
    while let Some(next) = cursor.optional_text(FRAGA, "SKV/fraga/ar", int)? {
        ar.push(next);
    }
    let fraga = SkvFraga {
        ar,
        foretagsinformation: cursor.required_text(
            FRAGA,
            "SKV/fraga/foretagsinformation",
            boolean,
        )?,
        individuppgifter: cursor.required_text(FRAGA, "SKV/fraga/individuppgifter", boolean)?,
        skattekonto: cursor.required_text(FRAGA, "SKV/fraga/skattekonto", boolean)?,
        skatteuppgifter: cursor.required_text(FRAGA, "SKV/fraga/skatteuppgifter", boolean)?,
        beskattningsbilagor: cursor.required_text(
            FRAGA,
            "SKV/fraga/beskattningsbilagor",
            boolean,
        )?,
    };
    cursor.end(FRAGA)?;
    Ok(Some(fraga))
}
