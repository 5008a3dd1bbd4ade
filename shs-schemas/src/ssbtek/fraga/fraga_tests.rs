use super::*;
use crate::ssbtek::fel::{Kalla, SsbtFelkod};
use crate::ssbtek::{Anslutning, FaultFelkod, Fordelning, Uppgiftslamnare};

const ALLA: &str = include_str!("../../../tests/corpus/spec/fraga-alla-10.xml");
const SKV_11: &str = include_str!("../../../tests/corpus/spec/fraga-skv-11.xml");
const IDAG: Datum = Datum {
    ar: 2026,
    manad: 11,
    dag: 21,
};

fn read(document: &str) -> Result<Fraga, WireError> {
    Fraga::read(Bytes::from(document.to_owned()), &Limits::default())
}

fn with(from: &str, to: &str) -> String {
    assert!(ALLA.contains(from), "{from}");
    ALLA.replacen(from, to, 1)
}

/// The same question with another JSON inside.
fn with_lefi(json: &str) -> String {
    let start = ALLA.find("<b:lefiJsonFraga>").unwrap() + "<b:lefiJsonFraga>".len();
    let end = ALLA.find("</b:lefiJsonFraga>").unwrap();
    let base64 = base64_simd::STANDARD.encode_to_string(json);
    format!("{}{base64}{}", &ALLA[..start], &ALLA[end..])
}

#[test]
fn a_question_says_what_it_says() {
    let fraga = read(ALLA).unwrap();
    assert_eq!(fraga.kontrakt(), Kontrakt::V10);
    assert_eq!(fraga.personidentitet().expose().as_str(), "199503142383");
    assert_eq!(
        fraga.ingivare_organisationsnummer().as_str(),
        "162120009994"
    );
    assert!(fraga.fragan_skall_inkluderas());
    assert_eq!(
        fraga.frage_tidpunkt().unwrap(),
        "2026-11-21T08:30:00.250+01:00"
    );
    assert_eq!(fraga.korrelationsid().unwrap(), " k&amp;1 ");
    let uppgifter = fraga.uppgifter();
    assert_eq!(
        *uppgifter.korrelationsid.as_ref().unwrap().expose(),
        " k&1 "
    );
    assert_eq!(uppgifter.ingivare_namn, "Exempelköpings kommun");
    assert_eq!(*uppgifter.handlaggare.expose(), "prov01");
    assert_eq!(*uppgifter.arendeidentitet.expose(), "PROV-1");
    assert_eq!(
        (&*uppgifter.syfte, &*uppgifter.lagtext),
        ("", "Provlagen 1 §")
    );
    assert_eq!(
        uppgifter.period(Svarselement::Af).fran.to_string(),
        "2026-09-01"
    );
    assert_eq!(
        uppgifter.period(Svarselement::Csn).fran.to_string(),
        "2026-10-01"
    );
    let fk = uppgifter.fk.as_ref().unwrap();
    assert_eq!(
        (fk.version.as_deref(), &*fk.aktorsid),
        (Some("v9"), "PROV-01")
    );
    assert!(
        fraga
            .lefi_json()
            .unwrap()
            .starts_with(b"{\"personnummer\":\"9503142383\"")
    );
}

#[test]
fn ombud_come_in_the_order_of_their_numbers() {
    let fraga = read(ALLA).unwrap();
    let uppgifter = fraga.uppgifter();
    let names: Vec<_> = uppgifter
        .personuppgiftsbitraden
        .iter()
        .map(|b| b.namn.as_ref())
        .collect();
    assert_eq!(names, ["Första & AB", "Andra AB", "Utan nummer AB"]);
}

#[test]
fn version_11_has_a_block_for_skatteverket() {
    let fraga = read(SKV_11).unwrap();
    assert_eq!(fraga.kontrakt(), Kontrakt::V11);
    let skv = fraga.uppgifter().skv.unwrap();
    assert_eq!(skv.ar, [2024, 2025]);
    assert!(skv.individuppgifter && !skv.foretagsinformation && !skv.beskattningsbilagor);
    let without = SKV_11.replace("inkludera=\"true\"><fraga>", "inkludera=\"false\"><fraga>");
    assert!(read(&without).is_ok());
    let error = read(&ALLA.replace("ssbt/10", "ssbt/11")).unwrap_err();
    assert_eq!((error.element, error.fault), ("SKV/fraga", Fault::Missing));
}

#[test]
fn other_encodings_are_transcoded() {
    let utf16: Vec<u8> = format!("\u{FEFF}{ALLA}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let utf16 = Fraga::read(Bytes::from(utf16), &Limits::default());
    // The declaration says UTF-8, the mark says UTF-16: the mark decides.
    assert_eq!(
        utf16.unwrap().uppgifter().ingivare_namn,
        "Exempelköpings kommun"
    );
    let latin1: Vec<u8> = ALLA
        .replace("UTF-8", "ISO-8859-1")
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let latin1 = Fraga::read(Bytes::from(latin1), &Limits::default()).unwrap();
    assert_eq!(latin1.uppgifter().ingivare_namn, "Exempelköpings kommun");
    let kept = Bytes::from(ALLA);
    let fraga = Fraga::read(kept.clone(), &Limits::default()).unwrap();
    assert_eq!(fraga.document().as_ptr(), kept.as_ptr());
}

#[test]
fn the_header_of_a_part_tells_the_character_set_of_bytes_that_do_not() {
    let limits = Limits::default();
    let latin1 = |document: &str| -> Vec<u8> {
        let chars = document.chars();
        chars.map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
    };
    let undeclared = ALLA.replace("encoding=\"UTF-8\"", "");
    for (document, charset) in [
        (latin1(ALLA), Some("ISO-8859-1")),
        (latin1(&undeclared), Some("iso-8859-1")),
        (latin1(&ALLA.replace("UTF-8", "ISO-8859-1")), Some("utf-8")),
        (ALLA.as_bytes().to_vec(), Some("iso-8859-1")),
        (ALLA.as_bytes().to_vec(), Some("koi8-r")),
        (ALLA.as_bytes().to_vec(), None),
    ] {
        let fraga = Fraga::read_declared(Bytes::from(document), charset, &limits).unwrap();
        assert_eq!(fraga.uppgifter().ingivare_namn, "Exempelköpings kommun");
    }
    let charsets = [None, Some("utf-8"), Some("koi8-r")];
    for charset in charsets {
        let document = Bytes::from(latin1(ALLA));
        let error = Fraga::read_declared(document, charset, &limits).unwrap_err();
        assert_eq!(error.fault, Fault::Encoding);
    }
}

#[test]
fn an_error_names_the_element_and_quotes_nothing() {
    let long = format!("<b:syfte>{}</b:syfte>", "x".repeat(100));
    for (document, element) in [
        (
            with("<b:arendeidentitet>PROV-1<", "<b:arendeidentitet><"),
            "arendeidentitet",
        ),
        (
            with("> 199503142383 <", ">19950314238X<"),
            "personidentitet",
        ),
        (
            with("<b:namn>Exempel", "<b:x/><b:namn>Exempel"),
            "ingivare/namn",
        ),
        (
            with("<b:syfte/>", "<b:syfte/>199503142383"),
            "generellaFrageparametrar",
        ),
        (
            with(
                "<b:MIV inkludera=\"true\"></b:MIV>",
                "<b:MIV inkludera=\"true\">\n</b:MIV>",
            ),
            "MIV",
        ),
        (with("<b:AF inkludera=\"true\"/>", "<b:AF/>"), "AF"),
        (
            with("</b:specifika", "<b:X/></b:specifika"),
            "specifikaFrageparametrar",
        ),
        (ALLA.replacen("<!--", "<!DOCTYPE x><!--", 1), ROT),
        (ALLA.replace("ssbt/10", "ssbt/12"), ROT),
        (
            ALLA.replace("hamtaBastjanstInformation", "annanOperation"),
            ROT,
        ),
        (long, ROT),
    ] {
        let error = read(&document).unwrap_err();
        assert_eq!(error.element, element);
        assert!(!error.to_string().contains("1995031423"), "{error}");
    }
}

#[test]
fn a_question_cut_short_is_refused_at_every_byte() {
    for end in 0..ALLA.trim_end().len() {
        let cut = Bytes::from_static(ALLA.as_bytes()).slice(..end);
        assert!(
            Fraga::read(cut, &Limits::default()).is_err(),
            "cut at {end}"
        );
    }
}

#[test]
fn limits_are_kept() {
    let limits = Limits {
        bytes_max: 1000,
        ..Limits::default()
    };
    let error = Fraga::read(Bytes::from(ALLA), &limits).unwrap_err();
    assert_eq!(error.fault, Fault::Limit("bytes_max", 1000));
}

#[test]
fn what_is_valid_but_not_to_be_asked_is_told() {
    let avvisning = |document: &str, kontroll| read(document).unwrap().avvisning(kontroll, IDAG);
    let strict = |document: &str| avvisning(document, Identitetskontroll::Strict);
    assert_eq!(strict(ALLA), None);
    let nobody = with("> 199503142383 <", ">199001011234<");
    assert_eq!(strict(&nobody), Some(Avvisning::Personidentitet));
    assert_eq!(avvisning(&nobody, Identitetskontroll::Pattern), None);
    let general = with("2026-11-30", "2026-08-31");
    assert_eq!(strict(&general), Some(Avvisning::Tidsperiod));
    assert_eq!(Avvisning::Tidsperiod.felkod(), FaultFelkod::Tidsperiod);
    let own = with("2026-10-01", "2026-12-01");
    assert_eq!(strict(&own), Some(Avvisning::Tidsperiod));
    // A period of somebody who is not asked has no effect.
    assert_eq!(
        strict(&own.replace("inkludera=\" 1 \"", "inkludera=\"0\"")),
        None
    );
}

#[test]
fn debug_shows_no_content() {
    let shown = format!("{:?}", read(ALLA).unwrap());
    assert!(
        shown.starts_with("Fraga { kontrakt: ssbt/10, bytes: "),
        "{shown}"
    );
    assert!(!shown.contains("1995") && !shown.contains("PROV"));
}

type Fel = (SsbtFelkod, Kalla);

fn delfragor(document: &str) -> Vec<(Uppgiftslamnare, Result<Bytes, Fel>)> {
    let delfragor = read(document).unwrap().delfragor(&Fordelning::alla(), IDAG);
    let code = |fel: crate::ssbtek::Delfel| (fel.ssbt_felkod().unwrap(), fel.kalla());
    delfragor
        .into_iter()
        .map(|delfraga| (delfraga.uppgiftslamnare, delfraga.body.map_err(code)))
        .collect()
}

#[test]
fn each_party_gets_a_question_for_itself_alone() {
    let all: Vec<_> = delfragor(ALLA);
    let koder: Vec<_> = all.iter().map(|(ul, _)| ul.kod()).collect();
    assert_eq!(koder, ["AF", "CSN", "FK", "PM", "SKV", "SO", "TNS", "MIV"]);
    for (ul, body) in all {
        let fraga = Fraga::read(body.unwrap(), &Limits::default()).unwrap();
        for &element in Svarselement::IN_ORDER {
            assert_eq!(fraga.inkluderar(element), element == ul.element());
        }
        assert_eq!(fraga.korrelationsid().unwrap(), " k&amp;1 ");
        let uppgifter = fraga.uppgifter();
        let own = uppgifter.egna_perioder.iter().flatten().count();
        assert_eq!(own, usize::from(ul == Uppgiftslamnare::CSN));
        assert_eq!(uppgifter.fk.is_some(), ul.element() == Svarselement::Fk);
        if let Ok(json) = fraga.lefi_json() {
            let other = if ul == Uppgiftslamnare::FK {
                "PM:"
            } else {
                "FK:"
            };
            assert!(!String::from_utf8(json).unwrap().contains(other));
        }
    }
}

#[test]
fn the_general_part_of_a_sub_question_is_the_askers_own_text() {
    let start = ALLA.find("<b:generella").unwrap();
    let end = ALLA.find("</b:generellaFrageparametrar>").unwrap();
    for (_, body) in delfragor(ALLA) {
        let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
        assert!(body.contains(&ALLA[start..end]));
        assert!(
            !body.contains("odd but legal"),
            "comments beside the parts stay behind"
        );
    }
}

#[test]
fn who_is_not_connected_gets_an_error_in_its_place() {
    let fraga = read(ALLA).unwrap();
    let anslutna = Uppgiftslamnare::all()
        .filter(|&ul| ul != Uppgiftslamnare::PM && ul != Uppgiftslamnare::SO)
        .map(|ul| (ul, Anslutning::default()));
    for delfraga in fraga.delfragor(&Fordelning::new(anslutna), IDAG) {
        let (ul, body) = (delfraga.uppgiftslamnare, delfraga.body);
        let connected = !matches!(ul, Uppgiftslamnare::PM | Uppgiftslamnare::SO);
        assert_eq!(body.is_ok(), connected, "{ul}");
        if let Err(fel) = body {
            assert_eq!(fel.felkod(), "SSBT-EJ-ANSLUTEN");
        }
    }
}

#[test]
fn a_fault_in_the_question_to_lefi_concerns_forsakringskassan_alone() {
    let fraga_start = ALLA.find("<b:fraga>").unwrap();
    let fraga_end = ALLA.find("</b:fraga>").unwrap() + "</b:fraga>".len();
    let without = format!("{}{}", &ALLA[..fraga_start], &ALLA[fraga_end..]);
    let period = r#""period":{"from":"2026-01-01","tom":"2026-03-31"},"beslut":["PM:AP"]"#;
    for (document, felkod) in [
        (without, SsbtFelkod::FkFragaSaknas),
        (
            with("<b:version>v9<", "<b:version>v10<"),
            SsbtFelkod::FkVersion,
        ),
        (
            with("<b:aktorsid>PROV-01<", "<b:aktorsid>..<"),
            SsbtFelkod::FkFragaOgiltig,
        ),
        (with_lefi("{}"), SsbtFelkod::FkFragaOgiltig),
        (with_lefi(""), SsbtFelkod::FkFragaOgiltig),
        (
            with_lefi(&format!(r#"{{"personnummer":"200411012396",{period}}}"#)),
            SsbtFelkod::FkPersonAvviker,
        ),
    ] {
        let all = delfragor(&document);
        assert_eq!(all.len(), 7);
        for (ul, body) in all {
            if ul == Uppgiftslamnare::FK {
                assert_eq!(body.unwrap_err(), (felkod, Kalla::Ssbt));
            } else {
                assert!(body.is_ok(), "{ul}");
            }
        }
    }
    // Without version the newest one is meant; Försäkringskassan without codes is not asked.
    let only_pm = with_lefi(&format!(r#"{{"personnummer":"199503142383",{period}}}"#))
        .replace("<b:version>v9</b:version>", "");
    let asked: Vec<_> = delfragor(&only_pm)
        .into_iter()
        .map(|(ul, _)| ul.kod())
        .collect();
    assert_eq!(asked, ["AF", "CSN", "PM", "SKV", "SO", "TNS", "MIV"]);
}

#[test]
fn nobody_asked_is_nobody_asked() {
    let none = ALLA
        .replace("inkludera=\"true\"", "inkludera=\"false\"")
        .replace("\" 1 \"", "\"0\"");
    assert!(delfragor(&none).is_empty());
}
