use super::*;

const NS: &str = "http://schema.forsakringskassan.se/integration/ssbt/10";

fn read(ul: Uppgiftslamnare, body: &str) -> Result<Delsvar, WireError> {
    Delsvar::read(
        ul,
        Kontrakt::V10,
        Bytes::from(body.to_owned()),
        &Limits::default(),
    )
}

fn wrap(name: &str, content: &str) -> String {
    format!("<s:{name} xmlns:s=\"{NS}\">{content}</s:{name}>")
}

const ERROR: &str = "<s:error><s:kalla>BT</s:kalla><s:felkod>-1005</s:felkod>\
                     <s:felmeddelande>a</s:felmeddelande><s:felmeddelande/></s:error>";

#[test]
fn an_answer_is_kept_byte_for_byte() {
    let element = wrap(
        "MIV",
        "\r\n<s:data xmlns:o='urn:unused'>\t<response><correlationid\n>&#13;<![CDATA[<]]>\
         </correlationid ></response></s:data>\n",
    );
    let body = format!("\u{FEFF}<?xml version=\"1.0\"?>\n<!-- c -->{element}\n<!-- d -->");
    let bytes = Bytes::from(body);
    let limits = Limits::default();
    let svar = Delsvar::read(Uppgiftslamnare::MIV, Kontrakt::V10, bytes.clone(), &limits).unwrap();
    assert_eq!(svar.element(), &Bytes::from(element));
    assert!(
        bytes.as_ptr_range().contains(&svar.element().as_ptr()),
        "a slice, not a copy"
    );
    assert!(svar.is_data() && svar.felkod().is_none() && svar.base64_content().is_none());
}

#[test]
fn pensionsmyndigheten_answers_as_forsakringskassan() {
    let body = wrap(
        "FK",
        "<s:data><s:lefiJsonSvar> e30\n= </s:lefiJsonSvar></s:data>",
    );
    let svar = read(Uppgiftslamnare::PM, &body).unwrap();
    assert_eq!(svar.base64_content().unwrap(), b"{}");
    assert!(read(Uppgiftslamnare::PM, &body.replace("s:FK", "s:PM")).is_err());
}

#[test]
fn base64_is_found_whatever_is_written_around_it() {
    for written in [
        "<![CDATA[e30=]]>",
        "e3<!-- c -->0=",
        "&#101;30=",
        "<?pi x?>e30=",
    ] {
        let body = wrap(
            "FK",
            &format!("<s:data><s:lefiJsonSvar>{written}</s:lefiJsonSvar></s:data>"),
        );
        assert_eq!(
            read(Uppgiftslamnare::FK, &body)
                .unwrap()
                .base64_content()
                .unwrap(),
            b"{}"
        );
    }
}

#[test]
fn an_error_of_the_authority_gives_its_code() {
    let svar = read(Uppgiftslamnare::SO, &wrap("SO", ERROR)).unwrap();
    assert_eq!((svar.is_data(), svar.felkod()), (false, Some("-1005")));
    let text = ERROR.replace("-1005", "ingen person 199503142383");
    let shown = format!(
        "{:?}",
        read(Uppgiftslamnare::SO, &wrap("SO", &text)).unwrap()
    );
    assert!(!shown.contains("1995"), "{shown}");
}

#[test]
fn an_error_without_code_gets_the_one_that_stands_in() {
    for felkod in [
        "<s:felkod/>",
        "<s:felkod> \n</s:felkod>",
        "<s:felkod><!-- c --></s:felkod>",
    ] {
        let error = ERROR.replace("<s:felkod>-1005</s:felkod>", felkod);
        let svar = read(Uppgiftslamnare::SO, &wrap("SO", &error)).unwrap();
        let fel = svar.utan_kod().unwrap();
        assert_eq!((svar.is_data(), svar.felkod()), (false, Some(fel.felkod())));
        assert_eq!(fel.felkod(), crate::ssbtek::fel::FELKOD_SAKNAS);
        assert_eq!(*fel.felmeddelanden().expose(), ["a", ""]);
    }
    let svar = read(Uppgiftslamnare::SO, &wrap("SO", ERROR)).unwrap();
    assert!(svar.utan_kod().is_none());
    let text = "<s:felmeddelande>b</s:felmeddelande>".repeat(FELMEDDELANDEN_MAX + 1);
    let many = ERROR
        .replace("-1005", "")
        .replace("</s:error>", &format!("{text}</s:error>"));
    let svar = read(Uppgiftslamnare::SO, &wrap("SO", &many)).unwrap();
    let texter = svar.utan_kod().unwrap().felmeddelanden();
    assert_eq!(texter.expose().len(), FELMEDDELANDEN_MAX);
}

#[test]
fn what_is_no_answer_is_refused() {
    let csn = |svar: &str| wrap("CSN", &format!("<s:data>{svar}</s:data>"));
    let cases = [
        String::new(),
        "<html><body>502</body></html>".into(),
        wrap("AF", "<s:data/>"),
        wrap("CSN", ""),
        wrap("CSN", "<s:data/>"),
        wrap("CSN", "text"),
        wrap("CSN", "<data><s:svar/></data>"),
        format!("<CSN>{ERROR}</CSN>").replace("s:", ""),
        wrap("CSN", ERROR).replace("ssbt/10", "ssbt/11"),
        csn("<s:svar>Y</s:svar>"),
        csn("<svar>YQ==</svar>"),
        csn("<s:svar>YQ==</s:svar><s:svar>YQ==</s:svar>"),
        csn("<s:svar><s:x/></s:svar>"),
        csn("<s:svar>YQ==</s:svar>text"),
        wrap("CSN", "<s:data x='1'><s:svar/></s:data>"),
        wrap(
            "CSN",
            "<s:data><s:svar/></s:data><s:data><s:svar/></s:data>",
        ),
        wrap("CSN", &format!("<s:data><s:svar/></s:data>{ERROR}")),
        wrap("CSN", &format!("{ERROR}<s:data><s:svar/></s:data>")),
        wrap("CSN", &ERROR.replace(">BT<", ">SSBT<")),
        wrap("CSN", &ERROR.replace(">BT<", "> BT <")),
        wrap("CSN", &ERROR.replace("<s:felkod>-1005</s:felkod>", "")),
        wrap(
            "CSN",
            "<s:error><s:kalla>BT</s:kalla><s:felkod>1</s:felkod></s:error>",
        ),
        wrap("CSN", ERROR).replace("<s:CSN ", "<s:CSN x='1' "),
        format!("<!DOCTYPE a>{}", wrap("CSN", ERROR)),
        wrap("CSN", &ERROR.replace("-1005", "&x;")),
        wrap("CSN", ERROR) + "x",
        wrap("CSN", ERROR) + "<a/>",
        wrap("CSN", &ERROR.replace("-1005", "\u{1}")),
        wrap("CSN", &ERROR.replace("s:felkod", "t:felkod")),
    ];
    for body in cases {
        assert!(read(Uppgiftslamnare::CSN, &body).is_err(), "{body}");
    }
    let latin1 = Bytes::from_static(b"<a>\xE5</a>");
    let limits = Limits::default();
    assert!(Delsvar::read(Uppgiftslamnare::AF, Kontrakt::V10, latin1, &limits).is_err());
}

#[test]
fn data_of_another_party_or_in_another_namespace_are_refused() {
    use Uppgiftslamnare as Ul;
    let tns = "<t:resultat xmlns:t=\
               'http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1'>OK</t:resultat>";
    let miv = "<response><correlationid/></response>";
    let data = |ul: Ul, content: &str| {
        let body = wrap(
            ul.element().local_name(),
            &format!("<s:data>{content}</s:data>"),
        );
        read(ul, &body).is_ok()
    };
    for (ul, content) in [
        (Ul::SKV, "<svar><![CDATA[<a/>]]></svar>"),
        (Ul::TNS, tns),
        (Ul::TNS, &format!("\n{tns}<x xmlns='urn:x'/>")),
        (Ul::MIV, miv),
        (Ul::MIV, ""),
        (Ul::MIV, " \n<!-- c -->&#32;"),
    ] {
        assert!(data(ul, content), "{ul} {content}");
    }
    for (ul, content) in [
        (Ul::AF, ""),
        (Ul::SO, ""),
        (Ul::TNS, ""),
        (Ul::SKV, "<s:svar/>"),
        (Ul::SKV, "<svar xmlns='urn:x'/>"),
        (Ul::SKV, "text<svar/>"),
        (Ul::TNS, miv),
        (Ul::TNS, &format!("{tns}<x/>")),
        (Ul::SO, tns),
        (Ul::MIV, tns),
        (Ul::MIV, "<html/>"),
        (Ul::MIV, "<response/>"),
        (Ul::MIV, "text"),
        (Ul::MIV, "<![CDATA[]]>"),
    ] {
        assert!(!data(ul, content), "{ul} {content}");
    }
    // The default namespace of the party's own element captures what should be in none.
    let captured = format!("<MIV xmlns=\"{NS}\"><data>{miv}</data></MIV>");
    assert!(read(Ul::MIV, &captured).is_err());
    let repaired = captured.replace("<response", "<response xmlns=''");
    assert!(read(Ul::MIV, &repaired).is_ok());
    assert!(read(Ul::MIV, &wrap("MIV", "<s:data x='1'/>")).is_err());
}

#[test]
fn the_text_of_skatteverket_is_a_document_or_blank() {
    let svar = |text: &str| {
        let body = wrap("SKV", &format!("<s:data><svar>{text}</svar></s:data>"));
        read(Uppgiftslamnare::SKV, &body)
    };
    for good in [
        "",
        " \n",
        "<![CDATA[<?xml version='1.0' encoding='ISO-8859-1'?><a>å</a>]]>",
        "\n <![CDATA[<?xml version='1.0'?><a b=']]]]><![CDATA[>'/>]]> ",
        "&lt;a/>",
    ] {
        assert!(svar(good).is_ok(), "{good}");
    }
    for (bad, fault) in [
        ("text", Fault::NotWellFormed("text outside the root")),
        ("&lt;a>", Fault::NotWellFormed("element without end")),
        ("<![CDATA[<!DOCTYPE a><a/>]]>", Fault::Doctype),
        ("&lt;a>&amp;e;&lt;/a>", Fault::Entity),
    ] {
        let error = svar(bad).unwrap_err();
        assert_eq!((error.element, error.fault), ("SKV/svar", fault), "{bad}");
    }
    assert_eq!(svar("<a/>").unwrap_err().fault, Fault::Unexpected);
}

#[test]
fn the_json_of_lefi_must_be_one_that_can_be_merged() {
    let svar = |json: &[u8]| {
        let base64 = base64_simd::STANDARD.encode_to_string(json);
        let body = format!("<s:data><s:lefiJsonSvar>{base64}</s:lefiJsonSvar></s:data>");
        read(Uppgiftslamnare::PM, &wrap("FK", &body)).map(|_| ())
    };
    let deep = |depth: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth));
    for good in [
        "{}",
        " {\"a\":[{\"b\":1.50}]}\n",
        r#"{"avvikelser":[]}"#,
        r#"{"avvikelser":null}"#,
        r#"{"avvikelser":{"utbetalningar":[{"x":1}]}}"#,
        r#"{"a":"[[[{\"[["}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        &deep(63),
    ] {
        assert_eq!(svar(good.as_bytes()), Ok(()), "{good}");
    }
    for bad in [
        "",
        "[]",
        "null",
        "{",
        "{} {}",
        "\u{FEFF}{}",
        r#"{"a":1,"a":2}"#,
        r#"{"avvikelser":[1]}"#,
        r#"{"avvikelser":{"a":1}}"#,
        r#"{"avvikelser":1}"#,
        &deep(64),
        &deep(100_000),
    ] {
        let error = svar(bad.as_bytes()).unwrap_err();
        assert_eq!(error.element, "FK/lefiJsonSvar", "{bad}");
    }
    let latin1 = svar(b"{\"a\":\"\xE5\"}").unwrap_err();
    assert_eq!((latin1.offset, latin1.fault), (6, Fault::Encoding));
}

/// Names and offsets of what the agreement does not list.
fn outside(ul: Uppgiftslamnare, body: &str) -> Vec<(String, usize)> {
    let svar = read(ul, body).unwrap();
    let falt = svar.utanfor_bilaga3();
    falt.iter()
        .map(|falt| (falt.namn.to_string(), falt.offset))
        .collect()
}

#[test]
fn fields_that_transportstyrelsen_may_not_give_out_are_noted() {
    let usual = include_str!("../../tests/corpus/spec/svar-tns.xml");
    assert_eq!(outside(Uppgiftslamnare::TNS, usual), []);
    let full = include_str!("../../tests/corpus/answers/tns-full.xml");
    let at = |tag: &str| full.find(tag).unwrap();
    assert_eq!(
        outside(Uppgiftslamnare::TNS, full),
        [
            ("agare".to_owned(), at("<z:agare")),
            ("antal".to_owned(), at("<z:antal")),
            ("mer".to_owned(), at("<z:mer")),
            ("inre".to_owned(), at("<inre")),
        ]
    );
    let named = full.replace("z:agare", "z:p199503142383");
    assert_eq!(outside(Uppgiftslamnare::TNS, &named)[0].0, "[okänt fält]");
    // Who writes a field of its own schema where open content is, gives out something else.
    let again = usual.replace(
        "</f:fordon>",
        "<x:regnr xmlns:x='urn:x' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' \
         xmlns:xs='http://www.w3.org/2001/XMLSchema' xsi:type='xs:string'>a</x:regnr></f:fordon>",
    );
    assert_eq!(outside(Uppgiftslamnare::TNS, &again)[0].0, "regnr");
}

#[test]
fn fields_that_migrationsverket_may_not_give_out_are_noted_when_they_have_a_value() {
    let full = include_str!("../../tests/corpus/answers/miv-full.xml");
    let at = |name: &str| (name.to_owned(), full.find(&format!("<{name}>")).unwrap());
    let uncovered = [
        "hemland",
        "inresedatum",
        "anledning",
        "anledningNamn",
        "ansokningsdatum",
    ];
    assert_eq!(
        outside(Uppgiftslamnare::MIV, full),
        uncovered.map(at),
        "each item of R-232, and what is technical, passes"
    );
    let mut covered = full.to_owned();
    for name in uncovered {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        let from = covered.find(&start).unwrap();
        let to = covered.find(&end).unwrap() + end.len();
        covered.replace_range(from..to, "");
    }
    assert_eq!(outside(Uppgiftslamnare::MIV, &covered), []);
    let empty = covered.replace("<personnummer>", "<hemland> \n</hemland><personnummer>");
    assert_eq!(outside(Uppgiftslamnare::MIV, &empty), []);
}

#[test]
fn for_the_other_parties_nobody_has_a_list() {
    let full = include_str!("../../tests/corpus/answers/af-full.xml");
    assert_eq!(outside(Uppgiftslamnare::AF, full), []);
    assert_eq!(outside(Uppgiftslamnare::SO, &wrap("SO", ERROR)), []);
}

#[test]
fn the_number_of_noted_fields_is_bounded() {
    let usual = include_str!("../../tests/corpus/spec/svar-tns.xml");
    let many = ('a'..='z').fold(String::new(), |many, c| {
        many + &format!("<z{c} xmlns='urn:z'/>")
    });
    let body = usual.replace("</q:data>", &format!("{many}{many}</q:data>"));
    assert_eq!(outside(Uppgiftslamnare::TNS, &body).len(), 16);
}

#[test]
fn an_answer_cut_short_is_refused_at_every_byte() {
    let body = Bytes::from(wrap("MIV", ERROR));
    for end in 0..body.len() {
        let cut = body.slice(..end);
        let read = Delsvar::read(Uppgiftslamnare::MIV, Kontrakt::V10, cut, &Limits::default());
        assert!(read.is_err(), "cut at {end}");
    }
}
