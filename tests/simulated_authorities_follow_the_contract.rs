//! Every simulated authority, asked about every kind of person, answers as the contract says.
//!
//! What is asked here is what the node asks: the sub-questions that a question splits into. What
//! comes back is read as the node reads it, and checked with xmllint against the original schemas
//! of all authorities where they are at hand.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use samsvar::adapter::simulated::{EXEMPELPERSONER, SEED_DEFAULT, alla};
use samsvar_actors::transport::{AnswerContent, Bastjanst, Question, QuestionKind, Traffic};
use shs_schemas::ssbtek::{Datum, Delsvar, Fordelning, Fraga, Kontrakt};

const IDAG: Datum = Datum {
    ar: 2026,
    manad: 11,
    dag: 22,
};
use shs_schemas::xml::Limits;
use shs_schemas::{Sensitive, Svarselement, Uppgiftslamnare};
use uuid::Uuid;

#[path = "simulated/versions_and_fields.rs"]
mod versions_and_fields;

const DEMO: &str = EXEMPELPERSONER[0].0;
const SEEDS: [u64; 3] = [SEED_DEFAULT, 2, 4_711];
/// People whose situation the seed decides: young, middle-aged, old, and a child.
const OTHERS: [&str; 4] = [
    "200907212383",
    "198202292389",
    "195007212382",
    "201507212385",
];

/// What one question says; the rest is always the same.
#[derive(Clone)]
struct Asked {
    kontrakt: Kontrakt,
    person: String,
    arende: String,
    csn_period: (&'static str, &'static str),
    lefi: String,
    aktorsid: &'static str,
}

impl Asked {
    fn about(person: &str) -> Self {
        Self {
            kontrakt: Kontrakt::V10,
            person: person.to_owned(),
            arende: "EB-2026-004711".to_owned(),
            csn_period: ("2026-02-01", "2026-03-31"),
            lefi: lefi(person, ("2026-01-01", "2026-03-31")),
            aktorsid: "EXK-01",
        }
    }

    fn document(&self) -> Bytes {
        let skv = if self.kontrakt.has_skv_fraga() {
            "<s:SKV inkludera=\"true\"><s:fraga><s:ar>2024</s:ar><s:ar>2025</s:ar>\
             <s:foretagsinformation>false</s:foretagsinformation>\
             <s:individuppgifter>true</s:individuppgifter><s:skattekonto>true</s:skattekonto>\
             <s:skatteuppgifter>true</s:skatteuppgifter>\
             <s:beskattningsbilagor>true</s:beskattningsbilagor></s:fraga></s:SKV>"
        } else {
            "<s:SKV inkludera=\"true\"/>"
        };
        let text = format!(
            "<s:hamtaBastjanstInformation xmlns:s=\"{namespace}\"><s:generellaFrageparametrar>\
             <s:frageTidpunkt>2026-03-16T09:15:00+01:00</s:frageTidpunkt>\
             <s:korrelationsid>k &amp; 1</s:korrelationsid>\
             <s:fraganSkallInkluderasISvaret>false</s:fraganSkallInkluderasISvaret>\
             <s:ingivare><s:organisationsnummer>162120009994</s:organisationsnummer>\
             <s:namn>Exempelköpings &lt;kommun></s:namn><s:handlaggare>exk0421</s:handlaggare>\
             </s:ingivare><s:personidentitet>{person}</s:personidentitet>\
             <s:arendeidentitet>{arende}</s:arendeidentitet>\
             <s:tidsperiod><s:fromDatum>2026-01-01</s:fromDatum><s:tomDatum>2026-03-31</s:tomDatum>\
             </s:tidsperiod>\
             <s:personuppgiftsbitrade><s:ordningsnummer>2</s:ordningsnummer>\
             <s:organisationsnummer>165599992228</s:organisationsnummer><s:namn>Andra AB</s:namn>\
             </s:personuppgiftsbitrade>\
             <s:personuppgiftsbitrade><s:ordningsnummer>1</s:ordningsnummer>\
             <s:organisationsnummer>165599991113</s:organisationsnummer><s:namn>Första AB</s:namn>\
             </s:personuppgiftsbitrade>\
             <s:syfte>Ekonomiskt bistånd</s:syfte><s:lagtext>Förordning (2008:975)</s:lagtext>\
             </s:generellaFrageparametrar><s:specifikaFrageparametrar><s:AF inkludera=\"true\"/>\
             <s:CSN inkludera=\"true\"><s:tidsperiod><s:fromDatum>{csn_from}</s:fromDatum>\
             <s:tomDatum>{csn_tom}</s:tomDatum></s:tidsperiod></s:CSN>\
             <s:FK inkludera=\"true\"><s:fraga><s:aktorsid>{aktorsid}</s:aktorsid>\
             <s:lefiJsonFraga>{lefi}</s:lefiJsonFraga></s:fraga></s:FK>{skv}\
             <s:SO inkludera=\"true\"/><s:TNS inkludera=\"true\"/><s:MIV inkludera=\"true\"/>\
             </s:specifikaFrageparametrar></s:hamtaBastjanstInformation>",
            namespace = self.kontrakt.namespace(),
            person = self.person,
            arende = self.arende,
            csn_from = self.csn_period.0,
            csn_tom = self.csn_period.1,
            aktorsid = self.aktorsid,
            lefi = base64_simd::STANDARD.encode_to_string(&self.lefi),
        );
        Bytes::from(text)
    }

    /// The sub-question to every authority, in the order of the contract.
    fn bodies(&self) -> Vec<(Uppgiftslamnare, Bytes)> {
        let fraga = Fraga::read(self.document(), &Limits::default()).expect("a valid question");
        let delfragor = fraga.delfragor(&Fordelning::alla(), IDAG).into_iter();
        delfragor
            .map(|delfraga| {
                let body = delfraga.body.expect("everybody is connected");
                (delfraga.uppgiftslamnare, body)
            })
            .collect()
    }

    /// The answer element of every authority, in the order of the contract.
    async fn answers(&self, seed: u64) -> Vec<(Uppgiftslamnare, Bytes)> {
        let mut answers = Vec::new();
        for (ul, body) in self.bodies() {
            answers.push((ul, ask(ul, seed, body).await));
        }
        assert_eq!(answers.len(), Uppgiftslamnare::all().len());
        answers
    }

    async fn answer(&self, ul: Uppgiftslamnare) -> String {
        let answers = self.answers(SEED_DEFAULT).await;
        let (_, answer) = answers
            .into_iter()
            .find(|(of, _)| *of == ul)
            .expect("it was asked");
        String::from_utf8(answer.to_vec()).expect("UTF-8")
    }
}

/// Asks for everything that LEFI gives out to anybody.
fn lefi(person: &str, (from, tom): (&str, &str)) -> String {
    format!(
        "{{\"personnummer\":\"{person}\",\"period\":{{\"from\":\"{from}\",\"tom\":\"{tom}\"}},\
         \"formansinformation\":[\"FK:FP\",\"FK:BOB\",\"FK:ABB\",\"FK:MABB\",\"FK:AS\",\"FK:SJP\",\
         \"FK:TFP\"],\
         \"ansprak\":[\"PM:AP\",\"PM:EF\",\"PM:BTI\"],\"beslut\":[\"PM:AP\",\"PM:EF\",\"PM:BTI\"],\
         \"preliminaraUtbetalningar\":[\"FK:FP\",\"PM:AP\"],\
         \"utbetalningar\":[\"FK:FP\",\"FK:ABB\",\"FK:BOB\",\"PM:AP\",\"PM:EF\",\"PM:BTI\"],\
         \"ovrigInformation\":[\"FK:GEPI\",\"FK:SGI\",\"FK:STAV\",\"PM:PU\",\"PM:PBH\"]}}"
    )
}

fn deadline() -> DateTime<Utc> {
    "2026-03-16T08:15:11Z".parse().expect("a time")
}

async fn ask(ul: Uppgiftslamnare, seed: u64, body: Bytes) -> Bytes {
    let bastjanst = alla(seed)
        .into_iter()
        .find(|(of, _)| *of == ul)
        .expect("all are simulated")
        .1;
    match content(&*bastjanst, body).await {
        AnswerContent::Svar(element) => element.into_exposed(),
        other => panic!("{ul} does not answer a valid question: {other:?}"),
    }
}

/// What one bastjänst says to one question.
async fn content(bastjanst: &dyn Bastjanst, body: Bytes) -> AnswerContent {
    let question = question(body, QuestionKind::Fraga);
    let corr_id = question.corr_id;
    let mut answers = bastjanst.besvara(question).await;
    assert_eq!(answers.len(), 1);
    let answer = answers.remove(0);
    assert_eq!(answer.corr_id, corr_id);
    answer.content
}

fn question(body: Bytes, kind: QuestionKind) -> Question {
    Question {
        corr_id: Uuid::from_u128(17),
        traffic: Traffic::Test,
        kind,
        body: Sensitive::new(body),
        expires_in: Duration::from_secs(11),
        deadline: deadline(),
        traceparent: "".into(),
        seal: None,
    }
}

/// Every kind of person with every seed, in both versions.
fn everybody() -> Vec<(Asked, u64)> {
    let numbers = EXEMPELPERSONER
        .iter()
        .map(|(number, _)| *number)
        .chain(OTHERS);
    let mut all = Vec::new();
    for number in numbers {
        for seed in SEEDS {
            for kontrakt in Kontrakt::all() {
                all.push((
                    Asked {
                        kontrakt,
                        ..Asked::about(number)
                    },
                    seed,
                ));
            }
        }
    }
    all
}

#[tokio::test]
async fn the_node_can_read_every_answer() {
    for (asked, seed) in everybody() {
        for (ul, answer) in asked.answers(seed).await {
            let size = answer.len();
            assert!(size < 16 * 1024, "{ul} answers with {size} bytes");
            Delsvar::read(ul, asked.kontrakt, answer, &Limits::default())
                .unwrap_or_else(|error| panic!("{ul} about {}: {error}", asked.person));
        }
    }
}

#[tokio::test]
async fn the_same_person_and_seed_give_the_same_bytes_and_another_seed_gives_others() {
    let asked = Asked::about(DEMO);
    assert_eq!(asked.answers(7).await, asked.answers(7).await);
    assert_ne!(asked.answers(7).await, asked.answers(8).await);
}

#[tokio::test]
async fn everybody_answers_about_the_demo_person_with_data() {
    for (ul, answer) in Asked::about(DEMO).answers(SEED_DEFAULT).await {
        let svar = Delsvar::read(ul, Kontrakt::V10, answer, &Limits::default()).expect("readable");
        assert!(svar.is_data(), "{ul}: {:?}", svar.felkod());
    }
    let asked = Asked::about(DEMO);
    let tns = asked.answer(Uppgiftslamnare::TNS).await;
    assert_eq!(tns.matches("<fordon:fordon>").count(), 1);
    let csn = inner(&asked, Uppgiftslamnare::CSN).await;
    assert!(csn.contains("<t:studiemedel>1<") && csn.contains("<t:utbetstatus>Utbetald<"));
    let fk = inner(&asked, Uppgiftslamnare::FK).await;
    assert!(fk.contains("foraldrapenningarende") && fk.contains("nettobelopp"));
    assert!(fk.contains("OBEHORIG") && fk.contains("FK:STAV"));
    let pm = inner(&asked, Uppgiftslamnare::PM).await;
    assert!(pm.contains("utbetalningsrader") && pm.contains("Efterlevandepension"));
    assert!(!pm.contains("FK:"), "PM answers for itself only");
}

/// What the base64 of CSN, FK and PM holds.
async fn inner(asked: &Asked, ul: Uppgiftslamnare) -> String {
    let answer = Bytes::from(asked.answer(ul).await);
    let svar = Delsvar::read(ul, asked.kontrakt, answer, &Limits::default()).expect("readable");
    let content = svar.base64_content().expect("data");
    String::from_utf8(content).expect("UTF-8")
}

#[tokio::test]
async fn an_unknown_person_is_met_by_each_in_its_own_way() {
    let mut asked = Asked::about("201507212385");
    asked.lefi = lefi("201507212385", ("2026-01-01", "2026-03-31"));
    let csn = inner(&asked, Uppgiftslamnare::CSN).await;
    assert!(csn.contains("Status=\"Ej träff\"") && csn.contains(">-2<"));
    let so = asked.answer(Uppgiftslamnare::SO).await;
    assert!(so.contains("<so:ArbetsloshetsersattningLista></so:ArbetsloshetsersattningLista>"));
    let af = asked.answer(Uppgiftslamnare::AF).await;
    assert!(af.contains("<af:AktivitetsRapportMeddelande>500<") && !af.contains("af:Fornamn"));
    let tns = asked.answer(Uppgiftslamnare::TNS).await;
    assert!(tns.contains("<tns:fordonsinnehav></tns:fordonsinnehav>"));
    let miv = asked.answer(Uppgiftslamnare::MIV).await;
    assert!(miv.contains("<correlationid>miv-") && !miv.contains("<personnummer>"));
    let fk = inner(&asked, Uppgiftslamnare::FK).await;
    assert!(fk.contains("\"generellPersoninformation\":[]") && fk.contains("Tillgänglig"));
    let skv = asked.answer(Uppgiftslamnare::SKV).await;
    assert!(skv.contains("<PersonuppgiftLista/>"));
}

#[tokio::test]
async fn csn_refuses_in_its_own_terms() {
    let demo = Asked::about(DEMO);
    let long = |length| Asked {
        arende: "x".repeat(length),
        ..demo.clone()
    };
    let period = |from, tom| Asked {
        csn_period: (from, tom),
        ..demo.clone()
    };
    for (asked, felkod) in [
        (Asked::about("198706872382"), Some("-1004")),
        (long(31), None),
        (long(32), Some("-1005")),
        // The question is put on 16 March 2026.
        (period("2026-01-16", "2026-04-16"), None),
        (period("2026-01-15", "2026-03-31"), Some("-1006")),
        (period("2026-02-01", "2026-04-17"), Some("-1006")),
    ] {
        let answer = Bytes::from(asked.answer(Uppgiftslamnare::CSN).await);
        let limits = Limits::default();
        let svar = Delsvar::read(Uppgiftslamnare::CSN, Kontrakt::V10, answer, &limits);
        assert_eq!(svar.expect("readable").felkod(), felkod);
    }
}

#[tokio::test]
async fn lefi_refuses_the_whole_call() {
    let demo = Asked::about(DEMO);
    let period = |from, tom| Asked {
        lefi: lefi(DEMO, (from, tom)),
        ..demo.clone()
    };
    let unknown = Asked {
        aktorsid: "OKAND-AKTOR",
        ..demo.clone()
    };
    for (asked, felkod) in [
        (period("2024-04-01", "2026-03-31"), None),
        (period("2024-03-31", "2026-03-31"), Some("400")),
        (unknown, Some("403")),
    ] {
        for ul in [Uppgiftslamnare::FK, Uppgiftslamnare::PM] {
            let answer = Bytes::from(asked.answer(ul).await);
            let svar = Delsvar::read(ul, Kontrakt::V10, answer, &Limits::default());
            assert_eq!(svar.expect("readable").felkod(), felkod, "{ul}");
        }
    }
}

#[tokio::test]
async fn transportstyrelsen_cannot_be_asked_about_who_was_born_before_1900() {
    let answer = Asked::about("189001019802")
        .answer(Uppgiftslamnare::TNS)
        .await;
    assert!(answer.contains("<ssbt:felkod>EJ-STALLBAR<"), "{answer}");
}

/// Open content lets vehicles in the wrong namespace through a validator.
#[tokio::test]
async fn names_stand_in_the_namespaces_of_the_contract() {
    let asked = Asked::about(DEMO);
    let tns = asked.answer(Uppgiftslamnare::TNS).await;
    let document = roxmltree::Document::parse(&tns).expect("well-formed");
    for name in [
        "fordon",
        "regnr",
        "fabrikat",
        "fordonsar",
        "fordonsslag",
        "handelsbeteckning",
    ] {
        let namespace = "http://schema.transportstyrelsen.se/ssbtek/fordon/1";
        assert!(
            document
                .descendants()
                .any(|node| node.has_tag_name((namespace, name))),
            "{name}"
        );
        assert_eq!(
            tns.matches(&format!(":{name}>")).count(),
            2,
            "{name} only there"
        );
    }
    for (ul, name, namespace) in [
        (
            Uppgiftslamnare::CSN,
            "svar",
            Some(Kontrakt::V10.namespace()),
        ),
        (Uppgiftslamnare::SKV, "svar", None),
        (Uppgiftslamnare::MIV, "response", None),
        (Uppgiftslamnare::MIV, "svar", None),
    ] {
        let answer = asked.answer(ul).await;
        let document = roxmltree::Document::parse(&answer).expect("well-formed");
        let node = document
            .descendants()
            .find(|node| node.tag_name().name() == name);
        assert_eq!(
            node.expect("there").tag_name().namespace(),
            namespace,
            "{ul} {name}"
        );
    }
}

#[tokio::test]
async fn csn_pads_the_status_of_a_person_it_knows_to_ten_spaces() {
    let csn = inner(&Asked::about(DEMO), Uppgiftslamnare::CSN).await;
    assert!(csn.contains("Status=\"          \""), "{csn}");
}

#[tokio::test]
async fn so_names_every_bitrade_and_af_the_first() {
    let asked = Asked::about(DEMO);
    let so = asked.answer(Uppgiftslamnare::SO).await;
    let places: Vec<_> = ["165599991113", "165599992228", "Första AB", "Andra AB"]
        .iter()
        .map(|text| so.find(text).expect("repeated"))
        .collect();
    assert!(places.is_sorted(), "all numbers, then all names");
    let af = asked.answer(Uppgiftslamnare::AF).await;
    assert!(af.contains("Första AB") && !af.contains("Andra AB"));
}

/// The checks above are worth what they are tried on.
#[tokio::test]
async fn every_branch_of_an_answer_is_seen_by_somebody() {
    let mut seen = String::new();
    for (asked, seed) in everybody() {
        for (ul, answer) in asked.answers(seed).await {
            let svar = Delsvar::read(ul, asked.kontrakt, answer.clone(), &Limits::default());
            let content = svar.expect("readable").base64_content().unwrap_or_default();
            seen.push_str(&String::from_utf8_lossy(&answer));
            seen.push_str(&String::from_utf8_lossy(&content));
        }
    }
    for mark in [
        "<sh:stodform>SH<",
        "<sm:stodform>GRUND<",
        "GRUNDL",
        "Ej träff",
        "xsi:nil",
        "<so:Avstangningar>",
        "<so:Utbetalningar>",
        "Etableringsersättning",
        "PERMANENT",
        "TIDBEGRANSAT",
        "PM:AP38",
        "PM:BTP",
        "sjukpenningarende\":[{",
        "aktivitetsstodsarende\":[{",
        "<fordon:fordon>",
        "Kapitaluppgift",
        ">501<",
        ">200<",
        "EJ-STALLBAR",
        "-1004",
    ] {
        assert!(seen.contains(mark), "nobody's answer has {mark}");
    }
}

#[tokio::test]
async fn a_ping_is_answered_empty_and_nonsense_with_an_error() {
    for (ul, bastjanst) in alla(SEED_DEFAULT) {
        let pong = bastjanst
            .besvara(question(Bytes::new(), QuestionKind::Ping))
            .await
            .remove(0);
        assert!(
            matches!(&pong.content, AnswerContent::Svar(body) if body.expose().is_empty()),
            "{ul}"
        );
        let nonsense = question(Bytes::from_static(b"<x/>"), QuestionKind::Fraga);
        let answer = bastjanst.besvara(nonsense).await.remove(0);
        assert!(matches!(answer.content, AnswerContent::Fel { .. }), "{ul}");
    }
}

/// The original schemas, if they are at hand; says so aloud if not.
fn contract() -> Option<PathBuf> {
    let root = std::env::var_os("SAMSVAR_CONTRACT").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/contract"),
        PathBuf::from,
    );
    let schemas = root.join("ssbtek-v10/se");
    let xmllint = Command::new("xmllint").arg("--version").output().is_ok();
    if schemas.is_dir() && xmllint {
        return schemas.canonicalize().ok();
    }
    // Past the capture of the test harness.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: answers are not validated, the original schemas or xmllint are not at hand \
         (set SAMSVAR_CONTRACT)"
    );
    None
}

fn xmllint(schema: &Path, documents: &[PathBuf]) {
    let output = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(schema)
        .args(documents)
        .output()
        .expect("xmllint runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    let invalid: Vec<_> = errors
        .lines()
        .filter(|line| !line.ends_with(" validates"))
        .collect();
    assert!(output.status.success(), "{}", invalid.join("\n"));
}

/// Answer elements are local in the schema: they are valid within a response or not at all.
fn response(kontrakt: Kontrakt, answers: &[(Uppgiftslamnare, Bytes)]) -> Vec<u8> {
    let mut response = format!(
        "<ssbt:hamtaBastjanstInformationResponse xmlns:ssbt=\"{}\"><ssbt:svarsdata>",
        kontrakt.namespace()
    )
    .into_bytes();
    for element in Svarselement::IN_ORDER {
        if let Some((_, answer)) = answers.iter().find(|(ul, _)| ul.element() == *element) {
            response.extend_from_slice(answer);
        }
    }
    response.extend_from_slice(b"</ssbt:svarsdata></ssbt:hamtaBastjanstInformationResponse>");
    response
}

#[tokio::test]
async fn every_answer_about_every_kind_of_person_is_valid() {
    let Some(contract) = contract() else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let ssbt = contract.join("forsakringskassan/schema/integration/ssbt");
    for kontrakt in Kontrakt::all() {
        let mut documents = Vec::new();
        for (asked, seed) in everybody()
            .into_iter()
            .filter(|(asked, _)| asked.kontrakt == kontrakt)
        {
            let (pm, others): (Vec<_>, Vec<_>) = asked
                .answers(seed)
                .await
                .into_iter()
                .partition(|(ul, _)| *ul == Uppgiftslamnare::PM);
            let extra = versions_and_fields::with_extra_field(&asked, seed).await;
            for (name, answers) in [("alla", others), ("pm", pm), ("extra", extra)] {
                let name = format!("{}-{seed}-{name}-{}.xml", asked.person, kontrakt.version());
                let path = directory.path().join(name);
                std::fs::write(&path, response(kontrakt, &answers)).expect("written");
                documents.push(path);
            }
        }
        let version = kontrakt.version();
        let schema = ssbt.join(format!("_{version}/sammansatt_bastjanst_v{version}.xsd"));
        xmllint(&schema, &documents);
    }
}

/// Stands in for a schema that the contract refers to and does not contain; written from CSN's
/// description of the question (ssbtek-10, 4.2).
const SAMBRUK: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
  targetNamespace="http://www.sambruk.se/SBNyttomeddelanden" elementFormDefault="qualified">
  <xs:complexType name="SBNUppgEkBistandBegar"><xs:sequence>
    <xs:element name="SchemaVersion" type="xs:decimal"/>
    <xs:element name="BegarData"><xs:complexType><xs:sequence>
      <xs:element name="Kommun"><xs:simpleType><xs:restriction base="xs:string">
        <xs:pattern value="[0-9]{6}-[0-9]{4}"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="AppNamn" type="xs:string"/><xs:element name="AppVersion" type="xs:string"/>
      <xs:element name="AnropsId" type="xs:string" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="HandlaggareId" type="xs:string" minOccurs="0"/>
    <xs:element name="ArendeId" type="xs:string" minOccurs="0"/>
    <xs:element name="HushallsId" type="xs:string"/>
    <xs:element name="FromDatum" type="xs:string"/><xs:element name="TomDatum" type="xs:string"/>
    <xs:element name="Hushallsmedlemmar"><xs:complexType><xs:sequence>
      <xs:element name="Hushallsmedlem"><xs:complexType><xs:sequence>
        <xs:element name="HushallsMedlemsIdSekel" type="xs:string"/>
        <xs:element name="HushallsMedlemsId" type="xs:string"/>
      </xs:sequence></xs:complexType></xs:element>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType>
</xs:schema>"#;

#[tokio::test]
async fn every_document_inside_csns_base64_is_valid() {
    let Some(contract) = contract() else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let sambruk = directory.path().join("se/sambruk/sbnyttomeddelanden");
    std::fs::create_dir_all(&sambruk).expect("created");
    std::fs::write(sambruk.join("SBNUppgEkBistandBegar_v1_0.xsd"), SAMBRUK).expect("written");
    let csn = directory.path().join("se/csn");
    std::os::unix::fs::symlink(contract.join("csn"), &csn).expect("linked");
    let mut documents = Vec::new();
    for (asked, seed) in everybody() {
        let answers = asked.answers(seed).await;
        let (ul, answer) = answers
            .into_iter()
            .find(|(ul, _)| *ul == Uppgiftslamnare::CSN)
            .expect("asked");
        let svar = Delsvar::read(ul, asked.kontrakt, answer, &Limits::default()).expect("readable");
        // Samordningsnummer are refused.
        if let Some(content) = svar.base64_content() {
            let name = format!("{}-{seed}-{}.xml", asked.person, asked.kontrakt.version());
            let path = directory.path().join(name);
            std::fs::write(&path, content).expect("written");
            documents.push(path);
        }
    }
    assert!(!documents.is_empty());
    xmllint(
        &csn.join("schema/v4_0/kommunfraga/kommunfraga.xsd"),
        &documents,
    );
}
