//! The strict reader, our own schema and the original schema agree on what a question is; what we
//! compile is valid against the original.
//!
//! The original contract is not part of this repository. It is looked for in
//! `../shared/contract` beside the repository, or where `SAMSVAR_CONTRACT` points; without it, or
//! without xmllint, the tests say so and skip what needs it.

#![allow(clippy::unwrap_used, reason = "helpers of tests, where it is allowed")]

mod support;

use bytes::Bytes;
use shs_schemas::ssbtek::{
    Anslutning, Datum, Delfel, Delsvar, Fordelning, Form, Fraga, Kontrakt, SsbtFelkod,
    Svarselement, Uppgiftslamnare, Utfall, Versioner, sammanstall,
};
use shs_schemas::xml::Limits;
use support::xsd::Schema;

const IDAG: Datum = Datum {
    ar: 2026,
    manad: 11,
    dag: 22,
};
const FRAGA_10: &str = include_str!("corpus/spec/fraga-alla-10.xml");
const FRAGA_11: &str = include_str!("corpus/spec/fraga-skv-11.xml");
const SVAR: &[(&str, &str)] = &[
    ("AF", include_str!("corpus/spec/svar-af.xml")),
    ("CSN", include_str!("corpus/spec/svar-csn.xml")),
    ("FK", include_str!("corpus/spec/svar-fk.xml")),
    ("MIV", include_str!("corpus/spec/svar-miv.xml")),
    ("PM", include_str!("corpus/spec/svar-pm.xml")),
    ("SKV", include_str!("corpus/spec/svar-skv.xml")),
    ("SO", include_str!("corpus/spec/svar-so.xml")),
    ("TNS", include_str!("corpus/spec/svar-tns.xml")),
];

fn fraga(document: &str) -> Fraga {
    Fraga::read(Bytes::from(document.to_owned()), &Limits::default()).unwrap()
}

fn accepts(document: &str) -> bool {
    Fraga::read(Bytes::from(document.to_owned()), &Limits::default()).is_ok()
}

fn svar(kod: &str) -> Utfall {
    let body = SVAR.iter().find(|(known, _)| *known == kod).unwrap().1;
    let ul = Uppgiftslamnare::from_kod(kod).unwrap();
    Delsvar::read(ul, Kontrakt::V10, Bytes::from(body), &Limits::default())
        .unwrap()
        .into()
}

/// A question in which one piece of the text is another.
fn with(from: &str, to: &str) -> String {
    assert!(FRAGA_10.contains(from), "{from}");
    FRAGA_10.replacen(from, to, 1)
}

fn removed(element: &str) -> String {
    let start = FRAGA_10.find(&format!("<b:{element}")).unwrap();
    let end_tag = format!("</b:{element}>");
    let end = FRAGA_10[start..].find(&end_tag).unwrap() + start + end_tag.len();
    format!("{}{}", &FRAGA_10[..start], &FRAGA_10[end..])
}

/// Variants of a question whose validity all three must agree on.
#[expect(clippy::too_many_lines, reason = "a table")]
fn variants() -> Vec<String> {
    let day = "<b:fromDatum>2026-09-01Z</b:fromDatum>";
    let date = |text: &str| with(day, &format!("<b:fromDatum>{text}</b:fromDatum>"));
    let time = |text: &str| with("2026-11-21T08:30:00.250+01:00", text);
    let flag = |text: &str| {
        with(
            "<b:AF inkludera=\"true\"/>",
            &format!("<b:AF inkludera=\"{text}\"/>"),
        )
    };
    let echo = |text: &str| with("> 1 </b:fragan", &format!(">{text}</b:fragan"));
    let person = |text: &str| with("> 199503142383 <", &format!(">{text}<"));
    let number = |text: &str| {
        with(
            "<b:ordningsnummer>2<",
            &format!("<b:ordningsnummer>{text}<"),
        )
    };
    let skv = |text: &str| with("<b:SKV inkludera=\"true\"/>", text);
    let lefi_start = FRAGA_10.find("<b:lefiJsonFraga>").unwrap() + "<b:lefiJsonFraga>".len();
    let lefi_end = FRAGA_10.find("</b:lefiJsonFraga>").unwrap();
    let lefi = |text: &str| format!("{}{text}{}", &FRAGA_10[..lefi_start], &FRAGA_10[lefi_end..]);
    let mut variants = vec![FRAGA_10.to_owned()];
    variants.extend(
        [
            "frageTidpunkt",
            "korrelationsid",
            "fraganSkallInkluderasISvaret",
            "ingivare",
            "organisationsnummer",
            "namn",
            "handlaggare",
            "personidentitet",
            "arendeidentitet",
            "tidsperiod",
            "fromDatum",
            "tomDatum",
            "personuppgiftsbitrade",
            "ordningsnummer",
            "lagtext",
            "generellaFrageparametrar",
            "specifikaFrageparametrar",
            "CSN",
            "FK",
            "TNS",
            "MIV",
            "fraga",
            "version",
            "aktorsid",
            "lefiJsonFraga",
        ]
        .map(removed),
    );
    variants.extend(
        [
            "2026-09-01",
            "2026-09-01+14:00",
            "2026-09-01+14:01",
            "2026-9-1",
            "",
            "2026-02-30",
            "12026-09-01",
            "-2026-09-01",
            "2026-09-01T00:00:00",
            "26-09-01",
        ]
        .map(date),
    );
    variants.extend(
        [
            "2026-11-21T08:30:00",
            "2026-11-21T24:00:00Z",
            "2026-11-21",
            "",
            "2026-11-21T08:30:60",
            "2026-11-21T08:30",
            "2026-11-21T25:00:00",
        ]
        .map(time),
    );
    variants.extend(["true", "1", "0", " false ", "True", "", "yes", "01"].map(flag));
    variants.extend(["", " ", "true", "0", "TRUE"].map(echo));
    variants.extend(
        [
            "199503142383",
            "\n199503142383\t",
            "19950314-2383",
            "9503142383",
            "",
            "1995 03142383",
        ]
        .map(person),
    );
    variants.extend(["-32768", "+1", "32768", "", "1.0"].map(number));
    variants.extend(["", " ", "YQ==", "Y Q = =", "YQ", "YQ=", "Y", "YQ==YQ=="].map(lefi));
    variants.extend(
        [
            "<b:SKV inkludera=\"true\"></b:SKV>",
            "<b:SKV inkludera=\"true\"> </b:SKV>",
            "<b:SKV/>",
            "<b:SKV inkludera=\"true\"><!-- c --></b:SKV>",
            "<b:SKV inkludera=\"true\"><b:fraga/></b:SKV>",
            "<b:SKV inkludera=\"true\" x=\"1\"/>",
            "<b:SKV b:inkludera=\"true\"/>",
            "",
        ]
        .map(skv),
    );
    variants.extend([
        with("<b:arendeidentitet>PROV-1<", "<b:arendeidentitet><"),
        with("<b:arendeidentitet>PROV-1<", "<b:arendeidentitet> <"),
        with("<b:namn>Exempelköpings kommun<", "<b:namn><"),
        with("162120009994", "162110009994"),
        with("162120009994", "16212000999"),
        with("<b:syfte/>", "<b:syfte>a<b:x/></b:syfte>"),
        with("<b:syfte/>", "<b:syfte/><b:syfte/>"),
        with("<b:syfte/>", "text<b:syfte/>"),
        with("<b:syfte/>", "<x/><b:syfte/>"),
        with("<b:syfte/>", "<syfte/>"),
        with("<b:syfte/>", "<b:syfte x=\"1\"/>"),
        with("<b:syfte/>", "<b:syfte xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"a b\"/>"),
        with("<b:syfte/>", "<b:syfte xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/>"),
        with("ssbt/10", "ssbt/9"),
        with("<b:korrelationsid> k&amp;1 <", "<b:korrelationsid><"),
        FRAGA_10.replace("hamtaBastjanstInformation", "testaBastjanstInformation"),
        FRAGA_10.replace("tomDatum", "tillDatum"),
        FRAGA_10.replace("inkludera=\"true\"", "inkludera=\"false\""),
    ]);
    variants
}

#[test]
fn the_reader_and_both_schemas_agree_on_every_variant() {
    let variants = variants();
    assert!(variants.len() > 90);
    let read: Vec<bool> = variants.iter().map(|variant| accepts(variant)).collect();
    assert!(read[0] && read.iter().filter(|&&ok| ok).count() > 30);
    for schema in Schema::all(Kontrakt::V10) {
        let judged = schema.valid(&variants);
        let known: Vec<&str> = FRAGA_10.lines().collect();
        let disagree: Vec<_> = (0..variants.len())
            .filter(|&n| read[n] != judged[n])
            .map(|n| {
                let lines = variants[n].lines().filter(|line| !known.contains(line));
                (n, read[n], lines.collect::<Vec<_>>())
            })
            .collect();
        assert!(
            disagree.is_empty(),
            "{}: {disagree:#?}",
            schema.path().display()
        );
    }
}

#[test]
fn the_reader_is_stricter_than_the_schema_where_it_must_be() {
    // Digits of other scripts (ssbtek-10, 2.1) and a version 11 question to Skatteverket without
    // its block (0.2).
    let digits = with("162120009994", "١٦٢١20009994");
    let start = FRAGA_11.find("<fraga>").unwrap();
    let end = FRAGA_11.find("</fraga>").unwrap() + "</fraga>".len();
    let block = format!("{}{}", &FRAGA_11[..start], &FRAGA_11[end..]);
    assert!(!accepts(&digits) && !accepts(&block));
    if let Some(schema) = Schema::original(Kontrakt::V10) {
        assert_eq!(schema.valid(&[&digits]), [true]);
    }
    if let Some(schema) = Schema::original(Kontrakt::V11) {
        assert_eq!(schema.valid(&[&block, FRAGA_11]), [true, true]);
    }
}

/// White space around every type but strings collapses (XML Schema 1.0, 4.3.6) and base64 has no
/// other letters; libxml2 thinks otherwise.
#[test]
fn the_reader_follows_the_standard_where_xmllint_does_not() {
    assert!(accepts(&with("2026-09-01Z", " 2026-09-01Z\n")));
    assert!(accepts(&with(
        "2026-11-21T08:30:00.250+01:00",
        " 2026-11-21T08:30:00Z "
    )));
    assert!(accepts(&with(
        "<b:ordningsnummer>2<",
        "<b:ordningsnummer> 2 <"
    )));
    assert!(!accepts(&with("<b:lefiJsonFraga>", "<b:lefiJsonFraga>å")));
}

#[test]
fn every_sub_question_is_a_valid_question() {
    for document in [FRAGA_10, FRAGA_11] {
        let fraga = fraga(document);
        let bodies: Vec<Bytes> = fraga
            .delfragor(&Fordelning::alla(), IDAG)
            .into_iter()
            .map(|delfraga| delfraga.body.unwrap())
            .collect();
        for body in &bodies {
            let sub = Fraga::read(body.clone(), &Limits::default()).unwrap();
            let asked = Svarselement::IN_ORDER
                .iter()
                .filter(|&&element| sub.inkluderar(element));
            assert_eq!(asked.count(), 1);
        }
        for schema in Schema::all(fraga.kontrakt()) {
            schema.assert_valid(&bodies);
        }
    }
}

/// Parties that speak one version get valid questions of that version, whatever version they are
/// asked in (ssbtek-10, 0.2).
#[test]
fn every_sub_question_in_another_version_is_a_valid_question() {
    let spread = FRAGA_10.replace(
        "<b:SKV inkludera=\"true\"/>",
        "<b:SKV inkludera=' 1 '></b:SKV>",
    );
    for spoken in Kontrakt::all() {
        let anslutning = Anslutning {
            kontrakt: Versioner::of([spoken]).unwrap(),
        };
        let fordelning = Fordelning::new(Uppgiftslamnare::all().map(|ul| (ul, anslutning)));
        let mut bodies: Vec<Bytes> = Vec::new();
        for document in [FRAGA_10, FRAGA_11, &spread] {
            for delfraga in fraga(document).delfragor(&fordelning, IDAG) {
                assert_eq!(delfraga.kontrakt, spoken);
                bodies.push(delfraga.body.unwrap());
            }
        }
        for schema in [Schema::ours(spoken), Schema::original(spoken)]
            .into_iter()
            .flatten()
        {
            schema.assert_valid(&bodies);
        }
    }
}

#[test]
fn a_response_is_valid_with_any_number_of_authorities_failing() {
    let fraga = fraga(FRAGA_10);
    let bt = |ul| Delfel::bt("403", ["Får ej < & \r".to_owned()], ul);
    let mut responses = Vec::new();
    for failing in 0_u32..1 << Uppgiftslamnare::all().len() {
        let utfall: Vec<(Uppgiftslamnare, Utfall)> = Uppgiftslamnare::all()
            .map(|ul| {
                let utfall = if failing & (1 << ul.index()) == 0 {
                    svar(ul.kod())
                } else if failing % 3 == 0 {
                    bt(ul).into()
                } else {
                    Delfel::ssbt(SsbtFelkod::Timeout, ul).into()
                };
                (ul, utfall)
            })
            .collect();
        responses.push(sammanstall(&fraga, Form::Bar, &utfall).document);
    }
    responses.push(sammanstall(&fraga, Form::Bar, &[]).document);
    for schema in Schema::all(Kontrakt::V10) {
        schema.assert_valid(&responses);
    }
}

#[test]
fn a_question_that_uses_our_prefix_for_something_else_is_echoed_all_the_same() {
    let taken = FRAGA_10
        .replace(
            "<b:hamtaBastjanstInformation ",
            "<b:hamtaBastjanstInformation xmlns:ssbt='urn:x' ",
        )
        .replace("<b:syfte/>", "<b:syfte xmlns:ssbt=\"urn:y\"/>");
    let default = FRAGA_11.replace(
        "<hamtaBastjanstInformation ",
        "<hamtaBastjanstInformation xmlns:ssbt='urn:x' ",
    );
    for document in [&taken, &default] {
        let fraga = fraga(document);
        let response = sammanstall(&fraga, Form::Bar, &[]).document;
        let subtree = |name: &str| {
            let start = document.find(name).unwrap();
            &document[start..document.rfind(name).unwrap()]
        };
        let response_text = std::str::from_utf8(&response).unwrap();
        assert!(response_text.contains(subtree("generellaFrageparametrar")));
        assert!(response_text.contains(subtree("specifikaFrageparametrar")));
        if let Some(schema) = Schema::original(fraga.kontrakt()) {
            schema.assert_valid(&[response]);
        }
    }
}
