use proptest::prelude::*;

use super::*;
use crate::ssbtek::Kalla;
use crate::xml::Limits;

const ALLA: &str = include_str!("../../tests/corpus/spec/fraga-alla-10.xml");
const NS: &str = "http://schema.forsakringskassan.se/integration/ssbt/10";
const FK: Uppgiftslamnare = Uppgiftslamnare::FK;
const PM: Uppgiftslamnare = Uppgiftslamnare::PM;

fn fraga(document: &str) -> Fraga {
    Fraga::read(Bytes::from(document.to_owned()), &Limits::default()).unwrap()
}

/// An answer of LEFI; one that cannot be read becomes an error, as where answers arrive.
fn lefi(ul: Uppgiftslamnare, json: &str) -> Utfall {
    let base64 = base64_simd::STANDARD.encode_to_string(json);
    let body = format!(
        "<x:FK xmlns:x=\"{NS}\"><x:data><x:lefiJsonSvar>{base64}</x:lefiJsonSvar></x:data></x:FK>"
    );
    Delsvar::read(ul, Kontrakt::V10, Bytes::from(body), &Limits::default())
        .map_or_else(|_| ours(ul, SsbtFelkod::OgiltigtSvar), Into::into)
}

/// What a party answers, as it came.
fn data(ul: Uppgiftslamnare) -> Utfall {
    let document = match ul.kod() {
        "FK" | "PM" => return lefi(ul, "{}"),
        "AF" => include_str!("../../tests/corpus/spec/svar-af.xml"),
        "CSN" => include_str!("../../tests/corpus/spec/svar-csn.xml"),
        "SKV" => include_str!("../../tests/corpus/spec/svar-skv.xml"),
        "SO" => include_str!("../../tests/corpus/spec/svar-so.xml"),
        "TNS" => include_str!("../../tests/corpus/spec/svar-tns.xml"),
        _ => include_str!("../../tests/corpus/spec/svar-miv.xml"),
    };
    let body = Bytes::from(document.replacen("><", ">\r\n<!-- & --><", 1));
    let svar = Delsvar::read(ul, Kontrakt::V10, body, &Limits::default());
    svar.unwrap().into()
}

fn bt(ul: Uppgiftslamnare, felkod: &str) -> Utfall {
    Delfel::bt(felkod, ["text".to_owned()], ul).into()
}

fn ours(ul: Uppgiftslamnare, felkod: SsbtFelkod) -> Utfall {
    Delfel::ssbt(felkod, ul).into()
}

fn response(fraga: &Fraga, utfall: &[(Uppgiftslamnare, Utfall)]) -> String {
    text(&sammanstall(fraga, Form::Bar, utfall)).to_owned()
}

#[test]
fn answers_stand_in_the_order_of_the_contract_byte_for_byte() {
    let short = ALLA.replace("> 1 <", ">0<");
    let fraga = fraga(&short);
    let utfall: Vec<_> = Uppgiftslamnare::all()
        .filter(|ul| *ul != PM)
        .map(|ul| (ul, if ul == FK { bt(ul, "500") } else { data(ul) }))
        .collect();
    let mut expected = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ssbt:hamtaBastjanstInformationResponse \
         xmlns:ssbt=\"{NS}\"><ssbt:frageTidpunkt>2026-11-21T08:30:00.250+01:00\
         </ssbt:frageTidpunkt><ssbt:korrelationsid> k&amp;1 </ssbt:korrelationsid><ssbt:svarsdata>"
    );
    for element in Svarselement::IN_ORDER {
        let (_, utfall) = utfall
            .iter()
            .find(|(ul, _)| ul.element() == *element)
            .unwrap();
        match utfall {
            Utfall::Svar(svar) => expected += std::str::from_utf8(svar.element()).unwrap(),
            Utfall::Svarade => panic!("not an outcome of a question"),
            Utfall::Fel(_) => {
                expected += "<ssbt:FK><ssbt:error><ssbt:kalla>BT</ssbt:kalla><ssbt:felkod>500\
                             </ssbt:felkod><ssbt:felmeddelande>text</ssbt:felmeddelande>\
                             </ssbt:error></ssbt:FK>";
            }
        }
    }
    expected += "</ssbt:svarsdata></ssbt:hamtaBastjanstInformationResponse>";
    assert_eq!(response(&fraga, &utfall), expected);
}

#[test]
fn the_question_is_echoed_as_it_was_written() {
    let text = response(&fraga(ALLA), &[]);
    let generella =
        &ALLA[ALLA.find("<b:generella").unwrap()..ALLA.find("\n  <b:specifika").unwrap()];
    let specifika = &ALLA[ALLA.find("<b:specifika").unwrap()..ALLA.find("\n</b:hamta").unwrap()];
    assert!(text.contains(&format!(
        "<ssbt:fraga xmlns:b=\"{NS}\">{generella}{specifika}</ssbt:fraga><ssbt:frageTidpunkt>"
    )));
}

#[test]
fn nobody_asked_gets_an_empty_answer() {
    let none = ALLA
        .replace("inkludera=\"true\"", "inkludera=\"false\"")
        .replace("\" 1 \"", "\"0\"");
    assert!(response(&fraga(&none), &[]).contains("<ssbt:svarsdata></ssbt:svarsdata>"));
}

#[test]
fn a_lost_or_foreign_outcome_is_a_fault_of_the_node() {
    let utfall = [
        (Uppgiftslamnare::AF, data(Uppgiftslamnare::SO)),
        (Uppgiftslamnare::CSN, data(Uppgiftslamnare::CSN)),
        (Uppgiftslamnare::CSN, bt(Uppgiftslamnare::CSN, "twice")),
    ];
    let text = response(&fraga(ALLA), &utfall);
    assert_eq!(text.matches("SSBT-INTERNT-FEL").count(), 6);
    assert!(!text.contains("twice") && text.contains("<CSN xmlns="));
}

/// What stands in the element of Försäkringskassan: JSON, or the code of its error.
fn fk_element(utfall: &[(Uppgiftslamnare, Utfall)]) -> Result<String, String> {
    let text = response(&fraga(ALLA), utfall);
    let document = roxmltree::Document::parse(&text).unwrap();
    let fk = document
        .descendants()
        .rfind(|node| node.has_tag_name((NS, "FK")))
        .unwrap();
    let find = |name| fk.descendants().find(|node| node.has_tag_name((NS, name)));
    let text = |node: roxmltree::Node<'_, '_>| node.text().unwrap_or_default().to_owned();
    match find("lefiJsonSvar") {
        Some(node) => {
            let json = base64_simd::STANDARD.decode_to_vec(text(node)).unwrap();
            Ok(String::from_utf8(json).unwrap())
        }
        None => Err(text(find("felkod").unwrap())),
    }
}

#[test]
fn the_table_of_outcomes_of_lefi_holds() {
    let ok = |ul: Uppgiftslamnare| lefi(ul, r#"{"x":1}"#);
    let silent = |ul| ours(ul, SsbtFelkod::Timeout);
    let states = |fk: Utfall, pm: Utfall| {
        let json = fk_element(&[(FK, fk), (PM, pm)]).unwrap();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let rows = value["utlamnare"].as_array().unwrap().clone();
        let koder: Vec<String> = rows
            .iter()
            .map(|row| {
                let text = |a: &str| row[a]["kod"].as_str().unwrap().to_owned();
                format!("{} {}", text("utlamnare"), text("tillstand"))
            })
            .collect();
        (
            koder.join(", "),
            value["avvikelser"].to_string().matches("OBEHORIG").count(),
        )
    };
    let state = |text: &str, rows| (text.to_owned(), rows);
    assert_eq!(states(ok(FK), ok(PM)), state("FK OK, PM OK", 0));
    assert_eq!(
        states(ok(FK), silent(PM)),
        state("FK OK, PM OTILLGANGLIG", 0)
    );
    assert_eq!(
        states(ours(FK, SsbtFelkod::EjAnsluten), ok(PM)),
        state("FK OTILLGANGLIG, PM OK", 0)
    );
    assert_eq!(states(ok(FK), bt(PM, "500")), state("FK OK, PM FELANDE", 0));
    assert_eq!(
        states(bt(FK, "HTTP-502"), ok(PM)),
        state("FK FELANDE, PM OK", 0)
    );
    assert_eq!(
        states(ok(FK), lefi(PM, "no json")),
        state("FK OK, PM FELANDE", 0)
    );
    assert_eq!(
        states(ok(FK), ours(PM, SsbtFelkod::OgiltigtSvar)),
        state("FK OK, PM FELANDE", 0)
    );
    // PM was asked for PM:AP twice and PM:PU; FK for FK:SJP twice, FK:BOB and FK:GEPI.
    assert_eq!(states(ok(FK), bt(PM, "403")), state("FK OK, PM OK", 3));
    assert_eq!(states(bt(FK, "403"), ok(PM)), state("FK OK, PM OK", 4));

    let code = |fk: Utfall, pm: Utfall| fk_element(&[(FK, fk), (PM, pm)]).unwrap_err();
    assert_eq!(code(ok(FK), bt(PM, "400")), "400");
    assert_eq!(code(bt(FK, "400"), bt(PM, "403")), "400");
    assert_eq!(code(bt(FK, "403"), bt(PM, "403")), "403");
    assert_eq!(code(bt(FK, "403"), bt(PM, "500")), "403");
    assert_eq!(code(silent(FK), bt(PM, "Server")), "Server");
    assert_eq!(code(silent(FK), silent(PM)), "SSBT-TIMEOUT");
    assert_eq!(
        code(silent(FK), ours(PM, SsbtFelkod::Avstangd)),
        "SSBT-INGEN-KONTAKT"
    );
    assert_eq!(code(lefi(FK, "["), silent(PM)), "SSBT-OGILTIGT-SVAR");
    assert_eq!(code(lefi(FK, "["), lefi(PM, "")), "SSBT-OGILTIGT-SVAR");

    let one = |ul, utfall| fk_element(&[(ul, utfall)]);
    assert_eq!(
        one(FK, lefi(FK, r#"{ "any":1.50 }"#)).unwrap(),
        r#"{ "any":1.50 }"#
    );
    assert!(one(PM, ok(PM)).unwrap().contains(r#""kod":"PM""#));
    assert_eq!(one(PM, bt(PM, "403")).unwrap_err(), "403");
    assert_eq!(one(PM, silent(PM)).unwrap_err(), "SSBT-TIMEOUT");
    assert_eq!(one(PM, lefi(PM, "x")).unwrap_err(), "SSBT-OGILTIGT-SVAR");
}

#[test]
fn an_error_without_code_is_given_out_with_one() {
    for (ul, kontrakt) in [
        (Uppgiftslamnare::SO, Kontrakt::V10),
        (Uppgiftslamnare::SO, Kontrakt::V11),
        (FK, Kontrakt::V10),
        (PM, Kontrakt::V10),
    ] {
        let (name, ns) = (ul.element().local_name(), kontrakt.namespace());
        let body = format!(
            "<{name} xmlns='{ns}'><error><kalla>BT</kalla><felkod/><felmeddelande>a &lt; b\
             </felmeddelande></error></{name}>"
        );
        let svar = Delsvar::read(ul, kontrakt, Bytes::from(body), &Limits::default()).unwrap();
        let out = sammanstall(&fraga(ALLA), Form::Bar, &[(ul, svar.into())]);
        let expected = format!(
            "<ssbt:{name}><ssbt:error><ssbt:kalla>BT</ssbt:kalla><ssbt:felkod>FELKOD-SAKNAS\
             </ssbt:felkod><ssbt:felmeddelande>a &lt; b</ssbt:felmeddelande></ssbt:error>\
             </ssbt:{name}>"
        );
        assert!(text(&out).contains(&expected), "{ul}: {}", text(&out));
        assert_eq!(out.andrade, []);
    }
}

#[test]
fn misplaced_members_are_counted() {
    let utfall = [(FK, lefi(FK, r#"{"beslut":[]}"#)), (PM, lefi(PM, "{}"))];
    assert_eq!(
        sammanstall(&fraga(ALLA), Form::Bar, &utfall).lefi_felplacerade,
        [FK]
    );
}

fn any_outcome(ul: Uppgiftslamnare) -> impl Strategy<Value = Option<Utfall>> {
    let text = "\\PC{0,20}|[<>&'\"\r\n\t\u{0}\u{FFFE}]{0,5}";
    let json = prop_oneof![Just("{}".to_owned()), text.prop_map(|text| text)];
    prop_oneof![
        Just(None),
        Just(Some(data(ul))),
        (text, prop::collection::vec(text, 0..3))
            .prop_map(move |(felkod, texter)| Some(Delfel::bt(&felkod, texter, ul).into())),
        prop::sample::select(SsbtFelkod::all().collect::<Vec<_>>())
            .prop_map(move |felkod| Some(ours(ul, felkod))),
        json.prop_map(move |json| {
            Some(if ul.element() == Svarselement::Fk {
                lefi(ul, &json)
            } else {
                data(ul)
            })
        }),
    ]
}

proptest! {
    /// Whatever became of the parts, each element stands once and holds data or an error.
    #[test]
    fn any_mix_of_outcomes_makes_a_sound_response(
        utfall in Uppgiftslamnare::all().map(any_outcome).collect::<Vec<_>>(),
        echo in any::<bool>(),
    ) {
        let document = if echo { ALLA.to_owned() } else { ALLA.replace("> 1 <", ">0<") };
        let utfall: Vec<_> =
            Uppgiftslamnare::all().zip(utfall).filter_map(|(ul, u)| Some((ul, u?))).collect();
        let text = response(&fraga(&document), &utfall);
        let parsed = roxmltree::Document::parse(&text).expect("well-formed");
        let svarsdata = parsed.root_element().last_element_child().unwrap();
        let children: Vec<_> = svarsdata.children().collect();
        prop_assert_eq!(children.len(), Svarselement::IN_ORDER.len());
        for (child, element) in children.iter().zip(Svarselement::IN_ORDER) {
            prop_assert!(child.has_tag_name((NS, element.local_name())));
            let inner: Vec<_> = child.children().filter(roxmltree::Node::is_element).collect();
            prop_assert_eq!(inner.len(), 1);
            let kalla = inner[0].first_element_child().and_then(|node| node.text());
            let error = inner[0].has_tag_name((NS, "error"));
            prop_assert!(error == matches!(kalla, Some(k) if k == Kalla::Bt.kod() || k == Kalla::Ssbt.kod()));
            prop_assert!(error || inner[0].has_tag_name((NS, "data")));
        }
    }
}

/// Compiles with one bit flipped in the first document that is written, as by faulty memory: `at` is counted from the beginning of the
/// part in this place, and may be negative to count from its end.
fn with_flipped(
    fraga: &Fraga,
    utfall: &[(Uppgiftslamnare, Utfall)],
    place: usize,
    at: isize,
) -> Sammanstallning {
    let mut is_first = true;
    compile(fraga, Form::Bar, utfall, |document, places| {
        if std::mem::take(&mut is_first) {
            let plats = places[place].clone();
            let base = if at < 0 { plats.end } else { plats.start };
            document[base.checked_add_signed(at).unwrap()] ^= 1;
        }
    })
}

fn all_data() -> Vec<(Uppgiftslamnare, Utfall)> {
    Uppgiftslamnare::all().map(|ul| (ul, data(ul))).collect()
}

fn text(sammanstallning: &Sammanstallning) -> &str {
    std::str::from_utf8(&sammanstallning.document).unwrap()
}

#[test]
fn a_part_that_changed_since_it_came_is_withheld_and_named() {
    let fraga = fraga(ALLA);
    for changed in Uppgiftslamnare::all().filter(|ul| ul.element() != Svarselement::Fk) {
        let mut utfall = all_data();
        let sound = sammanstall(&fraga, Form::Bar, &utfall);
        assert_eq!(sound.andrade, []);
        for (_, utfall) in utfall.iter_mut().filter(|(ul, _)| *ul == changed) {
            let Utfall::Svar(svar) = utfall else { panic!() };
            svar.flip_a_bit(usize::MAX / 3);
        }
        let withheld = sammanstall(&fraga, Form::Bar, &utfall);
        assert_eq!(withheld.andrade, [changed]);
        // All the rest is as if the party had met a fault of ours.
        for (_, utfall) in utfall.iter_mut().filter(|(ul, _)| *ul == changed) {
            *utfall = ours(changed, SsbtFelkod::InterntFel);
        }
        assert_eq!(
            withheld.document,
            sammanstall(&fraga, Form::Bar, &utfall).document
        );
        assert_ne!(withheld.document, sound.document);
    }
}

#[test]
fn every_bit_of_a_part_counts_between_arrival_and_departure() {
    let fraga = fraga(ALLA);
    let so = data(Uppgiftslamnare::SO);
    let Utfall::Svar(svar) = &so else { panic!() };
    for at in 0..svar.element().len() {
        let mut changed = svar.clone();
        changed.flip_a_bit(at);
        let out = sammanstall(&fraga, Form::Bar, &[(Uppgiftslamnare::SO, changed.into())]);
        assert_eq!(out.andrade, [Uppgiftslamnare::SO], "{at}");
        let utfall = [(Uppgiftslamnare::SO, so.clone())];
        let out = with_flipped(&fraga, &utfall, 4, isize::try_from(at).unwrap());
        assert_eq!(out.andrade, [Uppgiftslamnare::SO], "{at}");
        assert!(!text(&out).contains(std::str::from_utf8(svar.element()).unwrap()));
    }
}

#[test]
fn several_changed_parts_are_all_withheld() {
    let fraga = fraga(ALLA);
    let mut utfall = all_data();
    for (ul, utfall) in &mut utfall {
        if ul.element() != Svarselement::Skv
            && let Utfall::Svar(svar) = utfall
        {
            svar.flip_a_bit(40);
        }
    }
    let out = sammanstall(&fraga, Form::Bar, &utfall);
    assert_eq!(out.andrade.len(), Uppgiftslamnare::all().len() - 1);
    assert_eq!(text(&out).matches("SSBT-INTERNT-FEL").count(), 6);
    let Utfall::Svar(skv) = data(Uppgiftslamnare::SKV) else {
        panic!()
    };
    assert!(text(&out).contains(std::str::from_utf8(skv.element()).unwrap()));
}

#[test]
fn a_changed_answer_of_lefi_counts_as_failed() {
    let fraga = fraga(ALLA);
    let flipped = |ul| {
        let Utfall::Svar(mut svar) = lefi(ul, r#"{"x":11340.50}"#) else {
            panic!()
        };
        svar.flip_a_bit(svar.element().len() / 2);
        Utfall::Svar(svar)
    };
    let run = |utfall: &[(Uppgiftslamnare, Utfall)]| {
        (
            fk_element(utfall),
            sammanstall(&fraga, Form::Bar, utfall).andrade,
        )
    };
    for (changed, sound) in [(FK, PM), (PM, FK)] {
        let (json, andrade) = run(&[(changed, flipped(changed)), (sound, lefi(sound, "{}"))]);
        assert!(json.unwrap().contains(&format!(
            "{{\"kod\":\"{}\",\"namn\":\"{}\"}},\"tillstand\":{{\"kod\":\"FELANDE\"",
            changed.kod(),
            changed.namn()
        )));
        assert_eq!(andrade, [changed]);
        let (code, andrade) = run(&[
            (changed, flipped(changed)),
            (sound, ours(sound, SsbtFelkod::Timeout)),
        ]);
        assert_eq!(
            (code.unwrap_err().as_str(), andrade),
            ("SSBT-INTERNT-FEL", vec![changed])
        );
        let (code, _) = run(&[(changed, flipped(changed)), (sound, bt(sound, "400"))]);
        assert_eq!(code.unwrap_err(), "400");
        let (code, andrade) = run(&[(changed, flipped(changed))]);
        assert_eq!(
            (code.unwrap_err().as_str(), andrade),
            ("SSBT-INTERNT-FEL", vec![changed])
        );
    }
    let (code, andrade) = run(&[(FK, flipped(FK)), (PM, flipped(PM))]);
    assert_eq!(
        (code.unwrap_err().as_str(), andrade),
        ("SSBT-INTERNT-FEL", vec![FK, PM])
    );
}

#[test]
fn a_merged_answer_is_looked_at_where_it_stands() {
    let fraga = fraga(ALLA);
    let fk = r#"{"formansinformation":{"a":11340.50}}"#;
    let utfall = [(FK, lefi(FK, fk)), (PM, lefi(PM, r#"{"beslut":[1]}"#))];
    let sound = sammanstall(&fraga, Form::Bar, &utfall);
    let (_, rest) = text(&sound).split_once("<ssbt:FK>").unwrap();
    let length = rest.split_once("</ssbt:FK>").unwrap().0.len();
    let length = isize::try_from(length + "<ssbt:FK></ssbt:FK>".len()).unwrap();
    let mut one = 0;
    for at in 0..length {
        let out = with_flipped(&fraga, &utfall, 2, at);
        assert!(!out.andrade.is_empty(), "{at}");
        one += usize::from(out.andrade.len() == 1);
        assert_ne!(out.document, sound.document);
        assert!(roxmltree::Document::parse(text(&out)).is_ok());
        for ul in &out.andrade {
            assert!(matches!(*ul, FK | PM));
        }
    }
    assert!(one > 0, "a fault in one value takes one party only");
}

#[test]
fn an_answer_in_another_version_is_exchanged_and_still_looked_at() {
    let ns11 = Kontrakt::V11.namespace();
    let fraga = fraga(ALLA);
    let mut utfall = Vec::new();
    for ul in Uppgiftslamnare::all().filter(|ul| *ul != PM) {
        let Utfall::Svar(ten) = data(ul) else {
            panic!()
        };
        let body = String::from_utf8(ten.element().to_vec()).unwrap();
        let body = Bytes::from(body.replace(NS, ns11));
        let svar = Delsvar::read(ul, Kontrakt::V11, body, &Limits::default()).unwrap();
        utfall.push((ul, Utfall::Svar(svar)));
    }
    let same: Vec<_> = all_data().into_iter().filter(|(ul, _)| *ul != PM).collect();
    let out = sammanstall(&fraga, Form::Bar, &utfall);
    assert_eq!(out.document, sammanstall(&fraga, Form::Bar, &same).document);
    assert_eq!(out.andrade, []);

    for at in 0..7 {
        let out = with_flipped(&fraga, &utfall, at, -20);
        assert_eq!(
            out.andrade,
            [utfall
                .iter()
                .find(|(ul, _)| { ul.element() == Svarselement::IN_ORDER[at] })
                .unwrap()
                .0]
        );
    }
    for (_, utfall) in &mut utfall {
        let Utfall::Svar(svar) = utfall else { panic!() };
        svar.flip_a_bit(20);
    }
    let out = sammanstall(&fraga, Form::Bar, &utfall);
    assert_eq!(out.andrade.len(), 7);
    assert_eq!(text(&out).matches("SSBT-INTERNT-FEL").count(), 7);
}

#[test]
fn what_an_exchange_would_change_is_not_given_out() {
    const SVAR: &str = include_str!("../../tests/corpus/spec/svar-af.xml");
    let fraga = fraga(ALLA);
    let af = Uppgiftslamnare::AF;
    // Open content of Arbetsförmedlingen may hold anything.
    let compiled = |open: &str| {
        let body = SVAR
            .replace(NS, Kontrakt::V11.namespace())
            .replace("</s:data>", &format!("{open}</s:data>"));
        let svar = Delsvar::read(af, Kontrakt::V11, Bytes::from(body), &Limits::default());
        sammanstall(&fraga, Form::Bar, &[(af, svar.unwrap().into())])
    };
    let out = compiled("<s:egen/>");
    assert!(text(&out).contains(
        "<ssbt:AF><ssbt:error><ssbt:kalla>SSBT</ssbt:kalla><ssbt:felkod>SSBT-INTERNT-FEL<"
    ));
    assert_eq!(out.andrade, []);
    let out = compiled("<egen xmlns='urn:egen'/>");
    assert!(text(&out).contains("<egen xmlns='urn:egen'/></s:data></s:AF>"));
}

#[test]
fn debug_shows_what_was_odd_and_nothing_else() {
    let out = sammanstall(&fraga(ALLA), Form::Bar, &all_data());
    let shown = format!("{out:?}");
    assert!(shown.contains("andrade: []"), "{shown}");
    assert!(
        !shown.contains("1995") && !shown.contains("PROV"),
        "{shown}"
    );
}
