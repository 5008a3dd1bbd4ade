use super::*;
use crate::ssbtek::Versioner;
use crate::xml::Limits;

const ALLA_10: &str = include_str!("../../tests/corpus/spec/fraga-alla-10.xml");
const SKV_11: &str = include_str!("../../tests/corpus/spec/fraga-skv-11.xml");
const NS10: &str = "http://schema.forsakringskassan.se/integration/ssbt/10";
const NS11: &str = "http://schema.forsakringskassan.se/integration/ssbt/11";
const IDAG: Datum = Datum {
    ar: 2026,
    manad: 11,
    dag: 22,
};

fn fraga(document: &str) -> Fraga {
    Fraga::read(Bytes::from(document.to_owned()), &Limits::default()).unwrap()
}

/// Everybody speaks this version and no other.
fn only(kontrakt: Kontrakt) -> Fordelning {
    let kontrakt = Versioner::of([kontrakt]).unwrap();
    Fordelning::new(Uppgiftslamnare::all().map(|ul| (ul, Anslutning { kontrakt })))
}

fn asked(document: &str, fordelning: &Fordelning) -> Vec<Delfraga> {
    fraga(document).delfragor(fordelning, IDAG)
}

fn body(delfraga: &Delfraga) -> String {
    String::from_utf8(delfraga.body.clone().unwrap().to_vec()).unwrap()
}

/// The sub-question to one party.
fn to(document: &str, fordelning: &Fordelning, ul: Uppgiftslamnare) -> (Delfraga, String) {
    let delfraga = asked(document, fordelning)
        .into_iter()
        .find(|delfraga| delfraga.uppgiftslamnare == ul)
        .unwrap();
    let body = body(&delfraga);
    (delfraga, body)
}

#[test]
fn nothing_but_the_namespace_differs_between_versions() {
    let same = asked(ALLA_10, &Fordelning::alla());
    let other = asked(ALLA_10, &only(Kontrakt::V11));
    assert_eq!(same.len(), other.len());
    for (same, other) in same.iter().zip(&other) {
        assert_eq!(same.uppgiftslamnare, other.uppgiftslamnare);
        assert_eq!(
            (same.kontrakt, other.kontrakt),
            (Kontrakt::V10, Kontrakt::V11)
        );
        let is_skv = same.uppgiftslamnare == Uppgiftslamnare::SKV;
        assert_eq!((same.skv_standard, other.skv_standard), (false, is_skv));
        if !is_skv {
            assert_eq!(body(same).replace(NS10, NS11), body(other));
        }
        assert_eq!(fraga(&body(other)).kontrakt(), Kontrakt::V11);
    }
}

#[test]
fn each_party_is_asked_in_a_version_of_its_own() {
    let fordelning = Fordelning::new(Uppgiftslamnare::all().map(|ul| {
        let kontrakt = match ul.kod() {
            "AF" | "PM" => Versioner::of([Kontrakt::V11]).unwrap(),
            _ => Versioner::alla(),
        };
        (ul, Anslutning { kontrakt })
    }));
    for delfraga in asked(ALLA_10, &fordelning) {
        let expected = match delfraga.uppgiftslamnare.kod() {
            "AF" | "PM" => Kontrakt::V11,
            _ => Kontrakt::V10,
        };
        assert_eq!(delfraga.kontrakt, expected);
        assert_eq!(fraga(&body(&delfraga)).kontrakt(), expected);
    }
}

#[test]
fn the_namespace_is_exchanged_wherever_it_is_declared_and_nowhere_else() {
    let referenced = NS10.replace("ssbt/10", "ssbt/&#49;0");
    let document = ALLA_10
        .replace(
            &format!("xmlns:b=\"{NS10}\""),
            &format!("xmlns:b = '{NS10}'\n xmlns:unused=\"{referenced}\" xmlns:x='urn:x'"),
        )
        .replace(
            "<b:generellaFrageparametrar>",
            &format!("<b:generellaFrageparametrar xmlns:b=\"{referenced}\">"),
        )
        .replace(
            "<b:specifikaFrageparametrar>",
            &format!("<c:specifikaFrageparametrar xmlns:c='{NS10}'>"),
        )
        .replace("</b:specifika", "</c:specifika")
        .replace("<b:syfte/>", &format!("<b:syfte>{NS10}</b:syfte>"))
        .replace(
            "<b:CSN inkludera=\" 1 \">\n      <b:tidsperiod><b:fromDatum>2026-10-01</b:fromDatum>",
            &format!(
                "<b:CSN inkludera=\" 1 \">\n      <b:tidsperiod><fromDatum xmlns=\"{NS10}\" \
                 xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' \
                 xsi:schemaLocation='{NS10} x.xsd'>2026-10-01</fromDatum>"
            ),
        );
    let fordelning = only(Kontrakt::V11);
    let (_, csn) = to(&document, &fordelning, Uppgiftslamnare::CSN);
    assert_eq!(fraga(&csn).kontrakt(), Kontrakt::V11);
    // What is left is text and the hint where a schema lies, which are the asker's own words.
    assert_eq!(csn.matches("ssbt/10").count(), 2, "{csn}");
    assert!(csn.contains(&format!("<b:syfte>{NS10}</b:syfte>")));
    assert_eq!(csn.matches(NS11).count(), 5, "{csn}");
    assert!(!csn.contains("&#49;"));
    for delfraga in asked(&document, &fordelning) {
        assert_eq!(fraga(&body(&delfraga)).kontrakt(), Kontrakt::V11);
    }
}

#[test]
fn skatteverket_gets_the_usual_block_when_the_question_has_none() {
    let (delfraga, text) = to(ALLA_10, &only(Kontrakt::V11), Uppgiftslamnare::SKV);
    assert!(delfraga.skv_standard);
    assert!(
        text.contains(
            "<b:SKV inkludera=\"true\"><b:fraga><b:ar>2024</b:ar><b:ar>2025</b:ar>\
             <b:foretagsinformation>false</b:foretagsinformation>\
             <b:individuppgifter>true</b:individuppgifter><b:skattekonto>true</b:skattekonto>\
             <b:skatteuppgifter>true</b:skatteuppgifter>\
             <b:beskattningsbilagor>true</b:beskattningsbilagor></b:fraga></b:SKV>"
        ),
        "{text}"
    );
}

#[test]
fn the_usual_block_follows_the_setting_and_the_way_the_element_is_written() {
    let mut fordelning = only(Kontrakt::V11);
    for (written, antal_ar, ar) in [
        ("<b:SKV inkludera='1'></b:SKV>", 0, vec![2025]),
        ("<b:SKV inkludera = 'true' />", 1, vec![2025]),
        (
            "<b:SKV inkludera='true'><!-- c --></b:SKV >",
            3,
            vec![2023, 2024, 2025],
        ),
        (
            &format!("<q:SKV xmlns:q='{NS10}' xmlns:b='urn:other' inkludera='true'/>"),
            2,
            vec![2024, 2025],
        ),
        (
            &format!("<SKV xmlns='{NS10}' inkludera='true'/>"),
            255,
            (2026 - 255..2026).collect(),
        ),
    ] {
        let document = ALLA_10.replace("<b:SKV inkludera=\"true\"/>", written);
        fordelning.skv = SkvStandard {
            antal_ar,
            foretagsinformation: true,
            skattekonto: false,
            ..SkvStandard::default()
        };
        let (delfraga, text) = to(&document, &fordelning, Uppgiftslamnare::SKV);
        assert!(delfraga.skv_standard);
        let asked = fraga(&text);
        let skv = asked.uppgifter().skv.unwrap();
        assert_eq!(skv.ar, ar, "{written}");
        assert!(skv.foretagsinformation && skv.individuppgifter && !skv.skattekonto);
    }
}

#[test]
fn skatteverket_gets_no_block_where_its_version_has_none() {
    for written in ["<SKV inkludera=\"true\">", "<SKV inkludera = '1' >"] {
        let document = SKV_11.replace("<SKV inkludera=\"true\">", written);
        let (delfraga, text) = to(&document, &only(Kontrakt::V10), Uppgiftslamnare::SKV);
        assert!(!delfraga.skv_standard);
        assert_eq!(delfraga.kontrakt, Kontrakt::V10);
        let asked = fraga(&text);
        assert_eq!(asked.kontrakt(), Kontrakt::V10);
        assert!(asked.inkluderar(Svarselement::Skv));
        assert!(!text.contains("<ar>"), "{text}");
    }
    // In its own version it gets what was asked.
    let (delfraga, text) = to(SKV_11, &Fordelning::alla(), Uppgiftslamnare::SKV);
    assert!(!delfraga.skv_standard && text.contains("<ar>2024</ar><ar>2025</ar>"));
}

#[test]
fn a_version_11_question_without_the_block_is_refused() {
    let start = SKV_11.find("<fraga>").unwrap();
    let end = SKV_11.find("</fraga>").unwrap() + "</fraga>".len();
    let without = format!("{}{}", &SKV_11[..start], &SKV_11[end..]);
    assert!(Fraga::read(Bytes::from(without), &Limits::default()).is_err());
}

#[test]
fn unsplit_lefi_is_one_question_as_it_was_written() {
    let unsplit = |mut fordelning: Fordelning| {
        fordelning.lefi = LefiVag::Odelad;
        fordelning
    };
    let lefi = &ALLA_10[ALLA_10.find("<b:FK ").unwrap()..ALLA_10.find("<b:SKV").unwrap()];
    let asked_of = |fordelning: &Fordelning, document: &str| -> Vec<Delfraga> {
        asked(document, fordelning)
            .into_iter()
            .filter(|delfraga| delfraga.uppgiftslamnare.element() == Svarselement::Fk)
            .collect()
    };
    let both = asked_of(&unsplit(Fordelning::alla()), ALLA_10);
    assert_eq!(both.len(), 1);
    assert_eq!(both[0].uppgiftslamnare, Uppgiftslamnare::FK);
    assert!(body(&both[0]).contains(lefi.trim_end()));

    let exchanged = asked_of(&unsplit(only(Kontrakt::V11)), ALLA_10);
    assert_eq!(exchanged[0].kontrakt, Kontrakt::V11);
    assert!(body(&exchanged[0]).contains(lefi.trim_end()));

    let only_pm = Fordelning::new([(Uppgiftslamnare::PM, Anslutning::default())]);
    let refused = asked_of(&unsplit(only_pm), ALLA_10);
    assert_eq!(refused.len(), 1);
    let fel = refused[0].body.as_ref().unwrap_err();
    assert_eq!(fel.ssbt_felkod(), Some(SsbtFelkod::EjAnsluten));

    let bad = ALLA_10.replace("<b:aktorsid>PROV-01<", "<b:aktorsid>..<");
    let refused = asked_of(&unsplit(Fordelning::alla()), &bad);
    let fel = refused[0].body.as_ref().unwrap_err();
    assert_eq!(fel.ssbt_felkod(), Some(SsbtFelkod::FkFragaOgiltig));
}

#[test]
fn what_an_envelope_declares_is_exchanged_too() {
    // The question's own declaration moves to the envelope, beside others that stay as they are.
    let declared = format!(" xmlns:b=\"{NS10}\"");
    let root = ALLA_10.find("<b:hamtaBastjanstInformation").unwrap();
    let inner = ALLA_10[root..].replacen(&declared, "", 1);
    let enveloped = format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:b='urn:hidden' \
         xmlns:c='{NS10}'><s:Body{declared}>{inner}</s:Body></s:Envelope>"
    );
    let read = crate::ssbtek::Anrop::read(Bytes::from(enveloped), None, &Limits::default());
    let (crate::ssbtek::Anrop::Fraga(enveloped), _) = read.unwrap() else {
        panic!("a question")
    };
    for fordelning in [Fordelning::alla(), only(Kontrakt::V11)] {
        let of_envelope = enveloped.delfragor(&fordelning, IDAG);
        for (delfraga, bare) in of_envelope.iter().zip(asked(ALLA_10, &fordelning)) {
            let text = body(delfraga);
            let namespace = delfraga.kontrakt.namespace();
            assert_eq!(text.matches(namespace).count(), 2, "{text}");
            assert!(!text.contains("urn:hidden"));
            let sub = fraga(&text);
            assert_eq!(sub.kontrakt(), delfraga.kontrakt);
            let bare = fraga(&body(&bare));
            assert!(sub.uppgifter() == bare.uppgifter(), "{text}");
        }
    }
}
