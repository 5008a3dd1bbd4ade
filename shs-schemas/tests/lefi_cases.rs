//! LEFI as a table of cases: one question split in two, two answers merged into one (ssbtek-10, 2.3
//! and 4.8). Each case is named as a sentence and is run from the whole question to its
//! sub-questions, or from the answers to the compiled response.

#![allow(clippy::unwrap_used, reason = "helpers of tests, where it is allowed")]

use bytes::Bytes;
use shs_schemas::ssbtek::{
    Anslutning, Datum, Delfel, Delsvar, Fordelning, Form, Fraga, Kontrakt, LefiVag, SsbtFelkod,
    Uppgiftslamnare, Utfall, Versioner, sammanstall,
};
use shs_schemas::xml::Limits;

const FRAGA: &str = include_str!("corpus/spec/fraga-alla-10.xml");
const FK: Uppgiftslamnare = Uppgiftslamnare::FK;
const PM: Uppgiftslamnare = Uppgiftslamnare::PM;
const IDAG: Datum = Datum {
    ar: 2026,
    manad: 11,
    dag: 22,
};

/// A question about the right person in a right period, with these members after them.
fn q(members: &str) -> String {
    format!("{P}{members}}}")
}

/// How a question begins that is about the right person in a right period.
const P: &str =
    r#"{"personnummer":"199503142383","period":{"from":"2026-01-01","tom":"2026-03-31"},"#;
/// A code for Försäkringskassan, and one for Pensionsmyndigheten.
const ONE_EACH: &str = r#""formansinformation":["FK:FP"],"ansprak":["PM:EF"]"#;

fn with_lefi(json: &[u8]) -> String {
    let start = FRAGA.find("<b:lefiJsonFraga>").unwrap() + "<b:lefiJsonFraga>".len();
    let end = FRAGA.find("</b:lefiJsonFraga>").unwrap();
    let base64 = base64_simd::STANDARD.encode_to_string(json);
    format!("{}{base64}{}", &FRAGA[..start], &FRAGA[end..])
}

fn fraga(document: String) -> Fraga {
    Fraga::read(Bytes::from(document), &Limits::default()).unwrap()
}

/// What Försäkringskassan and Pensionsmyndigheten are asked, or the code of the error.
type Split = Result<(Option<String>, Option<String>), String>;

fn split_by(document: String, fordelning: &Fordelning) -> Split {
    let mut asked = (None, None);
    for delfraga in fraga(document).delfragor(fordelning, IDAG) {
        let place = match delfraga.uppgiftslamnare {
            FK => &mut asked.0,
            PM => &mut asked.1,
            _ => continue,
        };
        let body = delfraga.body.map_err(|fel| fel.felkod().to_owned())?;
        let sub = Fraga::read(body, &Limits::default()).unwrap();
        *place = Some(String::from_utf8(sub.lefi_json().unwrap()).unwrap());
    }
    Ok(asked)
}

fn split(json: &[u8]) -> Split {
    split_by(with_lefi(json), &Fordelning::alla())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one of the two things that are expected"
)]
fn asks(fk: Option<&str>, pm: Option<&str>) -> Split {
    let whole = |members: &str| q(members);
    Ok((fk.map(whole), pm.map(whole)))
}

#[test]
fn questions_are_split() {
    let both = |fk, pm| asks(Some(fk), Some(pm));
    let cases: &[(&str, &str, Split)] = &[
        (
            "each gets its own codes",
            ONE_EACH,
            both(
                r#""formansinformation":["FK:FP"]"#,
                r#""ansprak":["PM:EF"]"#,
            ),
        ),
        (
            "the mixed lists are divided by prefix and keep their order",
            r#""utbetalningar":["PM:EF","FK:VB","PM:AP","FK:ABB"],"preliminaraUtbetalningar":["FK:AP","PM:AP"]"#,
            both(
                r#""utbetalningar":["FK:VB","FK:ABB"],"preliminaraUtbetalningar":["FK:AP"]"#,
                r#""utbetalningar":["PM:EF","PM:AP"],"preliminaraUtbetalningar":["PM:AP"]"#,
            ),
        ),
        (
            "other information is divided by its own list",
            r#""ovrigInformation":["PM:PU","FK:GEPI","FK:STAV","PM:LINT"]"#,
            both(
                r#""ovrigInformation":["FK:GEPI","FK:STAV"]"#,
                r#""ovrigInformation":["PM:PU","PM:LINT"]"#,
            ),
        ),
        (
            "AP and BTI of either are not each other's",
            r#""utbetalningar":["FK:AP","PM:AP","FK:BTI","PM:BTI"]"#,
            both(
                r#""utbetalningar":["FK:AP","FK:BTI"]"#,
                r#""utbetalningar":["PM:AP","PM:BTI"]"#,
            ),
        ),
        (
            "with codes of Försäkringskassan only it alone is asked",
            r#""formansinformation":["FK:SJP"],"ansprak":[],"utbetalningar":["FK:SJP"]"#,
            asks(
                Some(r#""formansinformation":["FK:SJP"],"utbetalningar":["FK:SJP"]"#),
                None,
            ),
        ),
        (
            "with codes of Pensionsmyndigheten only it alone is asked",
            r#""formansinformation":[],"beslut":["PM:BTI"]"#,
            asks(None, Some(r#""beslut":["PM:BTI"]"#)),
        ),
        (
            "an empty list is left out",
            r#""ansprak":[],"formansinformation":["FK:FP"],"beslut":["PM:AP"],"utbetalningar":[]"#,
            both(r#""formansinformation":["FK:FP"]"#, r#""beslut":["PM:AP"]"#),
        ),
        (
            "unknown members go to both where they stood, as raw text",
            r#""a":11340.50,"formansinformation":["FK:FP"],"b":{"c" :[1e400, "\u00e5"]},"ansprak":["PM:EF"],"å":null"#,
            both(
                r#""a":11340.50,"formansinformation":["FK:FP"],"b":{"c" :[1e400, "\u00e5"]},"å":null"#,
                r#""a":11340.50,"b":{"c" :[1e400, "\u00e5"]},"ansprak":["PM:EF"],"å":null"#,
            ),
        ),
        (
            "an escape in a known name or code is read",
            r#""forman\u0073information":["FK\u003aFP"]"#,
            asks(Some(r#""formansinformation":["FK:FP"]"#), None),
        ),
        (
            "the same name in different objects is no name twice",
            r#""x":{"a":1,"b":{"a":1}},"formansinformation":["FK:FP"]"#,
            asks(
                Some(r#""x":{"a":1,"b":{"a":1}},"formansinformation":["FK:FP"]"#),
                None,
            ),
        ),
        (
            "a name in another case is an unknown member",
            r#""Formansinformation":["FK:FP"],"beslut":["PM:AP"]"#,
            asks(
                None,
                Some(r#""Formansinformation":["FK:FP"],"beslut":["PM:AP"]"#),
            ),
        ),
    ];
    for (name, members, expected) in cases {
        assert_eq!(&split(q(members).as_bytes()), expected, "{name}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn questions_that_break_a_rule_are_refused() {
    let good = "\"199503142383\"";
    let period = r#"{"from":"2026-01-01","tom":"2026-03-31"}"#;
    let with = |person: &str, period: &str| {
        format!(r#"{{"personnummer":{person},"period":{period},{ONE_EACH}}}"#)
    };
    let cases: &[(&str, String)] = &[
        ("a prefix of nobody", q(r#""ansprak":["XX:AP"]"#)),
        ("a code of nobody", q(r#""formansinformation":["FK:XX"]"#)),
        ("a code without prefix", q(r#""utbetalningar":["AP"]"#)),
        (
            "a code in lower case",
            q(r#""formansinformation":["fk:fp"]"#),
        ),
        (
            "a code with a blank",
            q(r#""formansinformation":["FK:FP "]"#),
        ),
        (
            "a benefit of PM asked of FK",
            q(r#""formansinformation":["PM:EF"]"#),
        ),
        ("a benefit of FK as ansprak", q(r#""ansprak":["FK:AP"]"#)),
        ("a benefit of FK as beslut", q(r#""beslut":["FK:SJP"]"#)),
        (
            "a benefit as other information",
            q(r#""ovrigInformation":["FK:FP"]"#),
        ),
        (
            "other information as a benefit",
            q(r#""utbetalningar":["FK:GEPI"]"#),
        ),
        (
            "one bad code among good ones",
            q(r#""utbetalningar":["FK:FP","PM:XX"]"#),
        ),
        ("no lists at all", q(r#""x":1"#)),
        (
            "only empty lists",
            q(r#""formansinformation":[],"ansprak":[]"#),
        ),
        (
            "a code twice",
            q(r#""formansinformation":["FK:FP","FK:BOB","FK:FP"]"#),
        ),
        (
            "a code twice, once escaped",
            q(r#""ansprak":["PM:EF","PM\u003aEF"]"#),
        ),
        ("null for a list", q(r#""ansprak":null,"beslut":["PM:AP"]"#)),
        ("a code for a list", q(r#""ansprak":"PM:AP""#)),
        (
            "a number in a list",
            q(r#""formansinformation":["FK:FP",1]"#),
        ),
        ("a list in a list", q(r#""formansinformation":[["FK:FP"]]"#)),
        (
            "a list twice",
            q(&format!(r#"{ONE_EACH},"ansprak":["PM:AP"]"#)),
        ),
        (
            "a list twice, once escaped",
            q(&format!(r#"{ONE_EACH},"\u0061nsprak":[]"#)),
        ),
        (
            "a person twice",
            q(&format!(r#"{ONE_EACH},"personnummer":"200411062383""#)),
        ),
        (
            "an unknown name twice",
            q(&format!(r#"{ONE_EACH},"x":1,"x":1"#)),
        ),
        (
            "a name twice deep down",
            q(&format!(r#"{ONE_EACH},"x":[{{"y":{{"z":1,"z":2}}}}]"#)),
        ),
        (
            "an end of the period twice",
            with(
                good,
                r#"{"from":"2026-01-01","tom":"2026-03-31","tom":"2026-03-30"}"#,
            ),
        ),
        ("a list instead of an object", "[]".into()),
        ("a text instead of an object", "\"{}\"".into()),
        ("null instead of an object", "null".into()),
        ("an empty object", "{}".into()),
        ("nothing", String::new()),
        ("blanks", " \n".into()),
        ("two objects", q(ONE_EACH) + "{}"),
        (
            "an object cut short",
            q(ONE_EACH).trim_end_matches('}').into(),
        ),
        ("a comma too many", q(&format!("{ONE_EACH},"))),
        ("a byte order mark", format!("\u{FEFF}{}", q(ONE_EACH))),
        ("no person", format!(r#"{{"period":{period},{ONE_EACH}}}"#)),
        ("a number for a person", with("199503142383", period)),
        ("a hyphen in the person", with("\"19950314-2383\"", period)),
        ("eleven digits", with("\"99503142383\"", period)),
        (
            "blanks around the person",
            with("\" 199503142383\"", period),
        ),
        ("digits of another script", with("\"١٩٩٥٠٣١٤٢٣٨٣\"", period)),
        ("no person in the text", with("\"\"", period)),
        (
            "no period",
            format!(r#"{{"personnummer":{good},{ONE_EACH}}}"#),
        ),
        ("null for a period", with(good, "null")),
        (
            "a period without end",
            with(good, r#"{"from":"2026-01-01"}"#),
        ),
        (
            "a period without beginning",
            with(good, r#"{"tom":"2026-01-01"}"#),
        ),
        (
            "a period that ends first",
            with(good, r#"{"from":"2026-04-01","tom":"2026-03-31"}"#),
        ),
        (
            "a period with a zone",
            with(good, r#"{"from":"2026-01-01Z","tom":"2026-03-31"}"#),
        ),
        (
            "a period with a time",
            with(good, r#"{"from":"2026-01-01T00:00:00","tom":"2026-03-31"}"#),
        ),
        (
            "a day that does not exist",
            with(good, r#"{"from":"2026-02-30","tom":"2026-03-31"}"#),
        ),
        (
            "a period of numbers",
            with(good, r#"{"from":20260101,"tom":20260331}"#),
        ),
        (
            "a period in the words of the answer",
            with(good, r#"{"fran":"2026-01-01","till":"2026-03-31"}"#),
        ),
    ];
    for (name, json) in cases {
        let refused = split(json.as_bytes());
        assert_eq!(refused, Err("SSBT-FK-FRAGA-OGILTIG".to_owned()), "{name}");
    }
    let mut bad_utf8 = q(&format!(r#"{ONE_EACH},"x":"?""#)).into_bytes();
    let at = bad_utf8.iter().position(|b| *b == b'?').unwrap();
    bad_utf8[at] = 0xE5;
    assert_eq!(split(&bad_utf8), Err("SSBT-FK-FRAGA-OGILTIG".to_owned()));
}

#[test]
fn the_person_of_the_question_is_the_person_of_lefi() {
    let period = r#""period":{"from":"2026-03-31","tom":"2026-03-31"}"#;
    let about = |number: &str| {
        split(format!(r#"{{"personnummer":"{number}",{period},{ONE_EACH}}}"#).as_bytes())
    };
    for (name, number) in [
        ("twelve digits", "199503142383"),
        ("ten digits", "9503142383"),
    ] {
        let (fk, pm) = about(number).unwrap();
        let begins = format!(r#"{{"personnummer":"{number}",{period},"#);
        assert!(fk.unwrap().starts_with(&begins), "{name}");
        assert!(pm.unwrap().starts_with(&begins), "{name}");
    }
    for (name, number) in [
        ("another person", "200411062383"),
        ("another person in ten digits", "0411062383"),
        ("the same digits in another century", "189503142383"),
        ("one digit off", "199503142384"),
    ] {
        let refused = about(number);
        assert_eq!(refused, Err("SSBT-FK-PERSON-AVVIKER".to_owned()), "{name}");
    }
}

#[test]
fn version_and_actor_are_checked_before_anybody_is_asked() {
    let version = "<b:version>v9</b:version>";
    let with = |from: &str, to: &str| {
        assert!(FRAGA.contains(from));
        split_by(FRAGA.replacen(from, to, 1), &Fordelning::alla())
    };
    for (name, to) in [("no version means v9", ""), ("v9 is v9", version)] {
        let (fk, pm) = with(version, to).unwrap();
        assert!(fk.is_some() && pm.is_some(), "{name}");
    }
    for bad in ["v8", "V9", "v10", "9", "", " v9", "v09", "v9/..", "v9999"] {
        let refused = with(version, &format!("<b:version>{bad}</b:version>"));
        assert_eq!(refused, Err("SSBT-FK-VERSION".to_owned()), "{bad}");
    }
    let actor = "<b:aktorsid>PROV-01</b:aktorsid>";
    for good in [
        "a/b",
        "å",
        "...",
        " . ",
        "5f0c0b0e-5c0e-4a53-9a4e-7c7a9e8f0a11",
    ] {
        let asked = with(actor, &format!("<b:aktorsid>{good}</b:aktorsid>"));
        assert!(asked.is_ok(), "{good}");
    }
    for bad in [".", "..", "", "a&#9;b", "a\nb", "&#x85;", "&#x7F;"] {
        let refused = with(actor, &format!("<b:aktorsid>{bad}</b:aktorsid>"));
        assert_eq!(refused, Err("SSBT-FK-FRAGA-OGILTIG".to_owned()), "{bad}");
    }
    let start = FRAGA.find("<b:fraga>").unwrap();
    let end = FRAGA.find("</b:fraga>").unwrap() + "</b:fraga>".len();
    let without = format!("{}{}", &FRAGA[..start], &FRAGA[end..]);
    let refused = split_by(without, &Fordelning::alla());
    assert_eq!(refused, Err("SSBT-FK-FRAGA-SAKNAS".to_owned()));
}

#[test]
fn unsplit_lefi_is_asked_once_and_as_it_was_written() {
    let unsplit = |mut fordelning: Fordelning| {
        fordelning.lefi = LefiVag::Odelad;
        fordelning
    };
    let json = q(r#" "utbetalningar" : ["PM:EF", "FK:VB"],"ansprak":[], "x":1.50 "#);
    let asked = split_by(with_lefi(json.as_bytes()), &unsplit(Fordelning::alla()));
    assert_eq!(asked, Ok((Some(json.clone()), None)));
    let only_pm = with_lefi(q(r#""ansprak":["PM:EF"]"#).as_bytes());
    let asked = split_by(only_pm, &unsplit(Fordelning::alla())).unwrap();
    assert!(asked.0.is_some() && asked.1.is_none());

    let without_fk = Fordelning::new([(PM, Anslutning::default())]);
    let refused = split_by(with_lefi(json.as_bytes()), &unsplit(without_fk));
    assert_eq!(refused, Err("SSBT-EJ-ANSLUTEN".to_owned()));
    let refused = split_by(with_lefi(b"{}"), &unsplit(Fordelning::alla()));
    assert_eq!(refused, Err("SSBT-FK-FRAGA-OGILTIG".to_owned()));
    let other = q(ONE_EACH).replace("199503142383", "200411062383");
    let refused = split_by(with_lefi(other.as_bytes()), &unsplit(Fordelning::alla()));
    assert_eq!(refused, Err("SSBT-FK-PERSON-AVVIKER".to_owned()));

    // The answer for both authorities goes through as it is.
    let answer = r#"{ "utlamnare":[], "ansprak":[ {"a":1e400} ], "formansinformation":{}}"#;
    assert_eq!(compiled(&[(FK, svar(answer))]), Ok(answer.to_owned()));
}

/// What one authority made of its part.
#[derive(Clone, Copy)]
enum Del {
    Svar(&'static str),
    /// An error of its own in `fel.v1`.
    Fel(&'static str),
    /// The same in `svar.v1`.
    SvarFel(&'static str),
    /// No answer.
    Ssbt(SsbtFelkod),
    InteFragad,
}

fn svar(json: &'static str) -> Del {
    Del::Svar(json)
}

fn utfall(ul: Uppgiftslamnare, del: Del, kontrakt: Kontrakt) -> Option<Utfall> {
    let read = |content: String| {
        let body = format!("<s:FK xmlns:s='{}'>{content}</s:FK>", kontrakt.namespace());
        // What is refused when it arrives counts as unreadable.
        Delsvar::read(ul, kontrakt, Bytes::from(body), &Limits::default()).map_or_else(
            |_| Delfel::ssbt(SsbtFelkod::OgiltigtSvar, ul).into(),
            Utfall::from,
        )
    };
    Some(match del {
        Del::Svar(json) => {
            let base64 = base64_simd::STANDARD.encode_to_string(json);
            read(format!(
                "<s:data><s:lefiJsonSvar>{base64}</s:lefiJsonSvar></s:data>"
            ))
        }
        Del::Fel(felkod) => Delfel::bt(felkod, ["text".to_owned()], ul).into(),
        Del::SvarFel(felkod) => read(format!(
            "<s:error><s:kalla>BT</s:kalla><s:felkod>{felkod}</s:felkod>\
             <s:felmeddelande>text</s:felmeddelande></s:error>"
        )),
        Del::Ssbt(felkod) => Delfel::ssbt(felkod, ul).into(),
        Del::InteFragad => return None,
    })
}

/// JSON, or source and code of the error: what stands in the element of Försäkringskassan.
fn compiled_as(delar: &[(Uppgiftslamnare, Del)], kontrakt: Kontrakt) -> Result<String, String> {
    let utfall: Vec<_> = delar
        .iter()
        .filter_map(|&(ul, del)| Some((ul, utfall(ul, del, kontrakt)?)))
        .collect();
    let out = sammanstall(&fraga(FRAGA.to_owned()), Form::Bar, &utfall);
    assert_eq!(out.andrade, []);
    let text = std::str::from_utf8(&out.document).unwrap();
    let document = roxmltree::Document::parse(text).unwrap();
    let fk = document
        .descendants()
        .rfind(|node| node.has_tag_name((Kontrakt::V10.namespace(), "FK")))
        .unwrap();
    let text = |name| {
        let node = fk
            .descendants()
            .find(|node| node.has_tag_name((Kontrakt::V10.namespace(), name)));
        node.map(|node| node.text().unwrap_or_default().to_owned())
    };
    match text("lefiJsonSvar") {
        Some(base64) => {
            let json = base64_simd::STANDARD.decode_to_vec(base64).unwrap();
            Ok(String::from_utf8(json).unwrap())
        }
        None => Err(format!(
            "{} {}",
            text("kalla").unwrap(),
            text("felkod").unwrap()
        )),
    }
}

fn compiled(delar: &[(Uppgiftslamnare, Del)]) -> Result<String, String> {
    compiled_as(delar, Kontrakt::V10)
}

fn both(fk: Del, pm: Del) -> Result<String, String> {
    compiled(&[(FK, fk), (PM, pm)])
}

/// The row that we write about an authority.
fn row(ul: Uppgiftslamnare, tillstand: &str) -> String {
    let beskrivning = match tillstand {
        "OK" => "Tillgänglig",
        "FELANDE" => "Felande",
        _ => "Otillgänglig",
    };
    format!(
        r#"{{"utlamnare":{{"kod":"{}","namn":"{}"}},"tillstand":{{"kod":"{tillstand}","beskrivning":"{beskrivning}"}}}}"#,
        ul.kod(),
        ul.namn()
    )
}

/// A merged answer with the rows that we write, and these members after them.
#[expect(
    clippy::unnecessary_wraps,
    reason = "one of the two things that are expected"
)]
fn merged(fk: &str, pm: &str, members: &str) -> Result<String, String> {
    let (fk, pm) = (row(FK, fk), row(PM, pm));
    Ok(format!(r#"{{"utlamnare":[{fk},{pm}]{members}}}"#))
}

fn obehorig(typ: &str, kod: &str, beskrivning: &str) -> String {
    format!(
        r#"{{"avvikelse":{{"kod":"OBEHORIG","beskrivning":"Aktören är inte behörig till uppgiften"}},"{typ}":{{"kod":"{kod}","beskrivning":"{beskrivning}"}}}}"#
    )
}

const FK_SVAR: Del = Del::Svar(r#"{"formansinformation":{"a":1}}"#);
const PM_SVAR: Del = Del::Svar(r#"{"ansprak":[{"b":2}]}"#);
const FK_DATA: &str = r#","formansinformation":{"a":1}"#;
const PM_DATA: &str = r#","ansprak":[{"b":2}]"#;

#[test]
fn the_table_of_outcomes() {
    use SsbtFelkod as Kod;
    // What the other one gives is kept, whichever of the two it is.
    let lost: &[(&str, Del, &str)] = &[
        ("answers with an internal fault", Del::Fel("500"), "FELANDE"),
        ("says the same in svar.v1", Del::SvarFel("500"), "FELANDE"),
        ("has a code of its own", Del::Fel("Server"), "FELANDE"),
        ("has no code", Del::Fel(""), "FELANDE"),
        ("almost refuses", Del::Fel("4030"), "FELANDE"),
        (
            "is behind a broken gateway",
            Del::SvarFel("HTTP-502"),
            "FELANDE",
        ),
        ("answers no JSON", Del::Svar("no json"), "FELANDE"),
        ("answers nothing", Del::Svar(""), "FELANDE"),
        ("answers a list", Del::Svar("[]"), "FELANDE"),
        ("answers half an object", Del::Svar("{\"a\":"), "FELANDE"),
        (
            "answers a name twice",
            Del::Svar(r#"{"x":1,"x":1}"#),
            "FELANDE",
        ),
        (
            "answers weird avvikelser",
            Del::Svar(r#"{"avvikelser":3}"#),
            "FELANDE",
        ),
        (
            "answers avvikelser in a list",
            Del::Svar(r#"{"avvikelser":[{}]}"#),
            "FELANDE",
        ),
        (
            "answers something invalid",
            Del::Ssbt(Kod::OgiltigtSvar),
            "FELANDE",
        ),
        ("is silent", Del::Ssbt(Kod::Timeout), "OTILLGANGLIG"),
        ("is not there", Del::Ssbt(Kod::IngenKontakt), "OTILLGANGLIG"),
        (
            "is behind a lost RabbitMQ",
            Del::Ssbt(Kod::Meddelandesystem),
            "OTILLGANGLIG",
        ),
        ("is switched off", Del::Ssbt(Kod::Avstangd), "OTILLGANGLIG"),
        (
            "has too much to do",
            Del::Ssbt(Kod::Overlast),
            "OTILLGANGLIG",
        ),
        (
            "is not connected",
            Del::Ssbt(Kod::EjAnsluten),
            "OTILLGANGLIG",
        ),
        (
            "met a fault of ours",
            Del::Ssbt(Kod::InterntFel),
            "OTILLGANGLIG",
        ),
    ];
    for &(name, del, state) in lost {
        assert_eq!(
            both(FK_SVAR, del),
            merged("OK", state, FK_DATA),
            "PM {name}"
        );
        assert_eq!(
            both(del, PM_SVAR),
            merged(state, "OK", PM_DATA),
            "FK {name}"
        );
    }
    assert_eq!(
        both(FK_SVAR, PM_SVAR),
        merged("OK", "OK", &format!("{FK_DATA}{PM_DATA}")),
        "both answer"
    );
    let one_row = format!(r#"{{"utlamnare":[{}]{PM_DATA}}}"#, row(PM, "OK"));
    assert_eq!(both(Del::InteFragad, PM_SVAR), Ok(one_row), "PM alone");
    let Del::Svar(alone) = FK_SVAR else { panic!() };
    assert_eq!(
        both(FK_SVAR, Del::InteFragad),
        Ok(alone.to_owned()),
        "FK alone"
    );
}

#[test]
fn who_may_not_ask_gets_a_row_for_each_type() {
    // As the question of the corpus asks.
    let of_pm = format!(
        r#","avvikelser":{{"beslut":[{}],"utbetalningar":[{}],"ovrigInformation":[{}]}}"#,
        obehorig("formansgrupp", "PM:AP", "Allmän pension"),
        obehorig("formansgrupp", "PM:AP", "Allmän pension"),
        obehorig("ovrigInformationstyp", "PM:PU", "Pensionsunderlag"),
    );
    let of_fk = format!(
        r#","avvikelser":{{"formansinformation":[{},{}],"utbetalningar":[{}],"ovrigInformation":[{}]}}"#,
        obehorig("formansgrupp", "FK:SJP", "Sjukpenning"),
        obehorig("formansgrupp", "FK:BOB", "FK:BOB"),
        obehorig("formansgrupp", "FK:SJP", "Sjukpenning"),
        obehorig(
            "ovrigInformationstyp",
            "FK:GEPI",
            "Generell personinformation"
        ),
    );
    for refused in [
        Del::Fel("403"),
        Del::SvarFel("403"),
        Del::SvarFel(" 403 "),
        Del::Fel("403 "),
    ] {
        let members = format!("{of_pm}{FK_DATA}");
        assert_eq!(both(FK_SVAR, refused), merged("OK", "OK", &members));
        let members = format!("{of_fk}{PM_DATA}");
        assert_eq!(both(refused, PM_SVAR), merged("OK", "OK", &members));
    }
    let own = Del::Svar(r#"{"avvikelser":{"utbetalningar":[{"fk":1}],"beslut":[{"fk":2}]}}"#);
    let members = of_pm
        .replace(r#""utbetalningar":["#, r#""utbetalningar":[{"fk":1},"#)
        .replace(r#""beslut":["#, r#""beslut":[{"fk":2},"#);
    assert_eq!(both(own, Del::Fel("403")), merged("OK", "OK", &members));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn when_nobody_has_data_there_is_an_error() {
    use SsbtFelkod as Kod;
    let silent = Del::Ssbt(Kod::Timeout);
    let unreadable = Del::Svar("[");
    let cases: &[(&str, Del, Del, &str)] = &[
        (
            "PM refuses the question as bad",
            FK_SVAR,
            Del::Fel("400"),
            "BT 400",
        ),
        ("in svar.v1 too", FK_SVAR, Del::SvarFel("400"), "BT 400"),
        (
            "FK refuses the question as bad",
            Del::Fel("400"),
            PM_SVAR,
            "BT 400",
        ),
        (
            "a bad question goes before no right",
            Del::Fel("403"),
            Del::Fel("400"),
            "BT 400",
        ),
        ("and before silence", silent, Del::Fel("400"), "BT 400"),
        (
            "and before a fault",
            Del::Fel("500"),
            Del::Fel("400"),
            "BT 400",
        ),
        (
            "neither may be asked",
            Del::Fel("403"),
            Del::Fel("403"),
            "BT 403",
        ),
        (
            "FK may not, PM fails",
            Del::Fel("403"),
            Del::Fel("500"),
            "BT 403",
        ),
        (
            "FK fails, PM may not",
            Del::Fel("500"),
            Del::Fel("403"),
            "BT 500",
        ),
        (
            "FK's own code goes first",
            Del::Fel("Server"),
            Del::Fel("500"),
            "BT Server",
        ),
        (
            "a code goes before silence",
            silent,
            Del::Fel("403"),
            "BT 403",
        ),
        (
            "and before what cannot be read",
            unreadable,
            Del::Fel("500"),
            "BT 500",
        ),
        (
            "FK alone may not",
            Del::Fel("403"),
            Del::InteFragad,
            "BT 403",
        ),
        (
            "PM alone may not",
            Del::InteFragad,
            Del::SvarFel("403"),
            "BT 403",
        ),
        (
            "PM alone refuses the question",
            Del::InteFragad,
            Del::Fel("400"),
            "BT 400",
        ),
        ("both are silent", silent, silent, "SSBT SSBT-TIMEOUT"),
        (
            "both are out of reach for different reasons",
            silent,
            Del::Ssbt(Kod::EjAnsluten),
            "SSBT SSBT-INGEN-KONTAKT",
        ),
        (
            "neither is connected",
            Del::Ssbt(Kod::EjAnsluten),
            Del::Ssbt(Kod::EjAnsluten),
            "SSBT SSBT-EJ-ANSLUTEN",
        ),
        (
            "PM alone is silent",
            Del::InteFragad,
            silent,
            "SSBT SSBT-TIMEOUT",
        ),
        (
            "FK alone is silent",
            silent,
            Del::InteFragad,
            "SSBT SSBT-TIMEOUT",
        ),
        (
            "neither can be read",
            unreadable,
            unreadable,
            "SSBT SSBT-OGILTIGT-SVAR",
        ),
        (
            "one cannot be read, one is silent",
            silent,
            unreadable,
            "SSBT SSBT-OGILTIGT-SVAR",
        ),
        (
            "PM alone cannot be read",
            Del::InteFragad,
            unreadable,
            "SSBT SSBT-OGILTIGT-SVAR",
        ),
        (
            "FK alone cannot be read",
            unreadable,
            Del::InteFragad,
            "SSBT SSBT-OGILTIGT-SVAR",
        ),
        (
            "nobody has an outcome",
            Del::InteFragad,
            Del::InteFragad,
            "SSBT SSBT-INTERNT-FEL",
        ),
    ];
    for &(name, fk, pm, expected) in cases {
        assert_eq!(both(fk, pm), Err(expected.to_owned()), "{name}");
    }
}

#[test]
fn values_are_merged_as_raw_text() {
    let ok = |members: &str| merged("OK", "OK", members);
    let cases: &[(&str, &'static str, &'static str, Result<String, String>)] = &[
        (
            "numbers are not rewritten",
            r#"{"formansinformation":{"a":11340.50,"b":1e400,"c":-0.0,"d":123456789012345678901234567890}}"#,
            r#"{"utbetalningar":[1.10,1E+2]}"#,
            ok(
                r#","formansinformation":{"a":11340.50,"b":1e400,"c":-0.0,"d":123456789012345678901234567890},"utbetalningar":[1.10,1E+2]"#,
            ),
        ),
        (
            "escapes and blanks stay",
            "{\"formansinformation\" : { \"a\" :\t\"\\u00e5\\/\\n\",\r\n\"b\":\"å\" } }",
            "{\"beslut\":[ ]}",
            ok(
                ",\"formansinformation\":{ \"a\" :\t\"\\u00e5\\/\\n\",\r\n\"b\":\"å\" },\"beslut\":[ ]",
            ),
        ),
        (
            "members come in the order of the contract",
            r#"{"formansinformation":{}}"#,
            r#"{"ovrigInformation":[1],"utbetalningar":[2],"preliminaraUtbetalningar":[3],"beslut":[4],"ansprak":[5]}"#,
            ok(
                r#","formansinformation":{},"ansprak":[5],"beslut":[4],"preliminaraUtbetalningar":[3],"utbetalningar":[2],"ovrigInformation":[1]"#,
            ),
        ),
        (
            "an empty list stays, an absent one stays absent, null stays null",
            r#"{"formansinformation":null}"#,
            r#"{"ansprak":[],"beslut":null}"#,
            ok(r#","formansinformation":null,"ansprak":[],"beslut":null"#),
        ),
        ("nothing is nothing", "{}", "{}", ok("")),
        (
            "avvikelser are FK's rows before PM's, empty lists left out",
            r#"{"avvikelser":{"utbetalningar":[{"f":1},{"f":2}],"formansinformation":[]}}"#,
            r#"{"avvikelser":{"ansprak":[{"p":1}],"utbetalningar":[{"p":2}],"beslut":null}}"#,
            ok(r#","avvikelser":{"ansprak":[{"p":1}],"utbetalningar":[{"f":1},{"f":2},{"p":2}]}"#),
        ),
        (
            "avvikelser that are an empty list or null are none",
            r#"{"avvikelser":[]}"#,
            r#"{"avvikelser":null}"#,
            ok(""),
        ),
        (
            "avvikelser of an unknown list are kept last",
            r#"{"avvikelser":{"okand":[{"f":1}],"beslut":[{"f":2}]}}"#,
            r#"{"avvikelser":{"okand":[{"p":1}]}}"#,
            ok(r#","avvikelser":{"beslut":[{"f":2}],"okand":[{"f":1},{"p":1}]}"#),
        ),
        (
            "unknown members: FK's, then those that only PM has",
            r#"{"z":1,"formansinformation":{},"y":[2]}"#,
            r#"{"y":"hidden","x":{"w":3.0},"ansprak":[]}"#,
            ok(r#","formansinformation":{},"ansprak":[],"z":1,"y":[2],"x":{"w":3.0}"#),
        ),
        (
            "members in the wrong answer are dropped",
            r#"{"ansprak":[1],"beslut":[2],"preliminaraUtbetalningar":[3],"utbetalningar":[4],"ovrigInformation":[5]}"#,
            r#"{"formansinformation":{"p":1},"beslut":[6]}"#,
            ok(r#","beslut":[6]"#),
        ),
    ];
    for (name, fk, pm, expected) in cases {
        assert_eq!(&both(svar(fk), svar(pm)), expected, "{name}");
    }
}

#[test]
fn an_authority_speaks_about_itself_only() {
    let own = r#"{"tillstand":{"kod":"FELANDE","beskrivning":"Egen text"},"utlamnare":{"namn":"x","kod":"PM"} }"#;
    let pm: &'static str = Box::leak(
        format!(r#"{{"utlamnare":[{{"utlamnare":{{"kod":"FK"}}}},{{"utlamnare":{{"kod":"ZZ"}}}},17,{own}]}}"#)
            .into_boxed_str(),
    );
    let expected = format!(r#"{{"utlamnare":[{},{own}]}}"#, row(FK, "OK"));
    assert_eq!(both(svar("{}"), svar(pm)), Ok(expected.clone()));
    let expected = expected.replace(&row(FK, "OK"), &row(FK, "OTILLGANGLIG"));
    let silent = Del::Ssbt(SsbtFelkod::Timeout);
    assert_eq!(both(silent, svar(pm)), Ok(expected));
    for weird in [
        r#"{"utlamnare":{}}"#,
        r#"{"utlamnare":null}"#,
        r#"{"utlamnare":[[]]}"#,
    ] {
        assert_eq!(
            both(svar(weird), svar("{}")),
            merged("OK", "OK", ""),
            "{weird}"
        );
    }
}

#[test]
fn misplaced_members_are_counted() {
    let fk = r#"{"ansprak":[1],"beslut":[2],"x":1}"#;
    let pm = r#"{"formansinformation":{},"x":2}"#;
    let utfall: Vec<_> = [(FK, svar(fk)), (PM, svar(pm))]
        .into_iter()
        .map(|(ul, del)| (ul, utfall(ul, del, Kontrakt::V10).unwrap()))
        .collect();
    let out = sammanstall(&fraga(FRAGA.to_owned()), Form::Bar, &utfall);
    assert_eq!(out.lefi_felplacerade.len(), 3);
}

/// The JSON has no version of the contract; an error has.
#[test]
fn the_version_of_an_answer_does_not_matter() {
    for (fk, pm) in [
        (FK_SVAR, PM_SVAR),
        (FK_SVAR, Del::SvarFel("403")),
        (Del::SvarFel("403"), Del::SvarFel("500")),
        (Del::SvarFel("Server"), Del::InteFragad),
        (FK_SVAR, Del::InteFragad),
        (Del::InteFragad, PM_SVAR),
    ] {
        let delar = [(FK, fk), (PM, pm)];
        assert_eq!(compiled_as(&delar, Kontrakt::V11), compiled(&delar));
    }
    let eleven = Anslutning {
        kontrakt: Versioner::of([Kontrakt::V11]).unwrap(),
    };
    let fordelning = Fordelning::new([(FK, eleven), (PM, Anslutning::default())]);
    let document = with_lefi(q(ONE_EACH).as_bytes());
    assert_eq!(
        split_by(document.clone(), &fordelning),
        split_by(document, &Fordelning::alla())
    );
}
