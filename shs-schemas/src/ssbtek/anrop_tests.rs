use super::samples::*;
use super::*;

#[test]
fn both_operations_are_read_bare_and_enveloped() {
    for (document, operation, kontrakt) in [
        (question(), Operation::Hamta, Kontrakt::V10),
        (TEST, Operation::Testa, Kontrakt::V11),
    ] {
        for (document, expected) in [
            (document.to_owned(), Form::Bar),
            (in_body(document), Form::Kuvert),
            (
                in_body(&format!("\n <!-- c -->{document}<?p i?>\n")),
                Form::Kuvert,
            ),
            (
                format!("<?xml version='1.0'?>\n{}\n<!-- c -->", in_body(document)),
                Form::Kuvert,
            ),
        ] {
            let (anrop, form) = read(&document).unwrap();
            assert_eq!(
                (anrop.operation(), anrop.kontrakt(), form),
                (operation, kontrakt, expected)
            );
        }
    }
}

#[test]
fn an_envelope_is_decoded_like_a_bare_question() {
    let utf16 = |mark: &str| -> Vec<u8> {
        let text = format!("{mark}{}", in_body(question()));
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    };
    let latin1 = |declaration: &str| -> Vec<u8> {
        let text = format!("{declaration}{}", in_body(question()));
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect()
    };
    let declaration = "<?xml version='1.0' encoding='ISO-8859-1'?>";
    for (document, charset) in [
        (utf16("\u{FEFF}"), None),
        (utf16(""), Some("utf-8")),
        (latin1(declaration), None),
        (latin1(declaration), Some("utf-8")),
        (latin1(""), Some("iso-8859-1")),
        (in_body(question()).into_bytes(), Some("koi8-r")),
        (
            format!("\u{FEFF}{}", in_body(question())).into_bytes(),
            None,
        ),
    ] {
        match read_bytes(document, charset).unwrap() {
            (Anrop::Fraga(fraga), Form::Kuvert) => assert_self_contained(&fraga),
            other => panic!("{other:?}"),
        }
    }
    for charset in [None, Some("utf-8"), Some("koi8-r")] {
        let fel = read_bytes(latin1(""), charset).unwrap_err();
        assert_eq!(fel.orsak.fault().fault, Fault::Encoding);
        assert!(matches!(fel.orsak, Orsak::Ogiltig(_)), "{fel:?}");
    }
}

#[test]
fn what_is_no_operation_is_told_with_what_is_known_of_it() {
    let v9 = NS.replace("ssbt/10", "ssbt/9");
    let hamta = Some(Operation::Hamta);
    let testa = Some(Operation::Testa);
    for (child, kontrakt, operation) in [
        (
            format!("<a:hamtaBastjanstInformation xmlns:a='{v9}'/>"),
            None,
            hamta,
        ),
        (
            format!("<a:testaBastjanstInformation xmlns:a='{v9}'/>"),
            None,
            testa,
        ),
        ("<hamtaBastjanstInformation/>".to_owned(), None, hamta),
        (
            format!("<a:taBortBastjanstInformation xmlns:a='{NS}'/>"),
            Some(Kontrakt::V10),
            None,
        ),
        (
            format!("<a:hamtaBastjanstInformationResponse xmlns:a='{NS}'/>"),
            Some(Kontrakt::V10),
            None,
        ),
        ("<x xmlns='urn:x'/>".to_owned(), None, None),
    ] {
        for (document, form) in [(child.clone(), Form::Bar), (in_body(&child), Form::Kuvert)] {
            let fel = refused(&document);
            assert!(matches!(fel.orsak, Orsak::OkandOperation(_)), "{fel:?}");
            assert_eq!(
                (fel.form, fel.kontrakt, fel.operation),
                (form, kontrakt, operation)
            );
            assert_eq!(fel.orsak.fault().offset, document.find(&child).unwrap());
        }
    }
    // An envelope in an envelope, and an answer.
    for child in [
        in_body(TEST),
        format!("<s:Fault xmlns:s='{}'/>", kuvert::SOAP),
    ] {
        assert!(matches!(
            refused(&in_body(&child)).orsak,
            Orsak::OkandOperation(_)
        ));
    }
}

#[test]
fn what_is_not_well_formed_around_or_after_the_call_is_refused() {
    let good = in_body(TEST);
    for bad in [
        format!("<!DOCTYPE x>{good}"),
        format!("<!DOCTYPE s:Envelope [<!ENTITY e 'x'>]>{good}"),
        format!("{good}<x/>"),
        format!("{good}text"),
        format!(" <?xml version='1.0'?>{good}"),
        good.replace("</s:Body>", ""),
        good.replace("</s:Envelope>", "</s:Body>"),
        good.replace("<s:Body>", "<s:Body>&e;"),
        good.replace("<s:Body>", "<s:Body x='1' x='2'>"),
        good.replace("<s:Body>", "<s:Body u:x='1'>"),
        good.replace("<s:Body>", "<s:Body>\u{1}"),
        with_header("<s:Header><a></b></s:Header>", TEST),
        with_header(
            "<s:Header><a s:mustUnderstand='1' s:mustUnderstand='1'/></s:Header>",
            TEST,
        ),
        String::new(),
        "{}".to_owned(),
    ] {
        let fel = refused(&bad);
        assert!(matches!(fel.orsak, Orsak::Ogiltig(_)), "{bad}: {fel:?}");
    }
    // A mark in front of attributes that say nothing to us is no matter.
    let odd = good.replace("<s:Body>", "<s:Body s:encodingStyle='urn:x' id='b'>");
    assert!(read(&odd).is_ok());
}

#[test]
fn a_question_that_is_invalid_tells_its_version_and_operation() {
    let bad = question().replace("<b:arendeidentitet>PROV-1<", "<b:arendeidentitet><");
    for (document, form) in [(bad.clone(), Form::Bar), (in_body(&bad), Form::Kuvert)] {
        let fel = refused(&document);
        assert_eq!(fel.form, form);
        assert_eq!(
            (fel.kontrakt, fel.operation),
            (Some(Kontrakt::V10), Some(Operation::Hamta))
        );
        assert_eq!(fel.orsak.fault().element, "arendeidentitet");
    }
    let fel = refused(&in_body(&TEST.replace("/>", " x='1'/>")));
    assert_eq!(
        (fel.kontrakt, fel.operation),
        (Some(Kontrakt::V11), Some(Operation::Testa))
    );
}

#[test]
fn a_test_holds_nothing() {
    let open = TEST.replace("/>", ">");
    let test = |content: &str| format!("{open}{content}</t:testaBastjanstInformation>");
    for good in ["", "<!-- c -->", "<?p i?>"] {
        assert!(
            read(&test(good)).is_ok() && read(&in_body(&test(good))).is_ok(),
            "{good}"
        );
    }
    for bad in [
        " ",
        "\n",
        "<!-- c --> ",
        "x",
        "&#32;",
        "<![CDATA[ ]]>",
        "<t:AF/>",
    ] {
        for document in [test(bad), in_body(&test(bad))] {
            let fel = refused(&document);
            assert!(matches!(fel.orsak, Orsak::Ogiltig(_)), "{bad}");
            assert_eq!(fel.orsak.fault().element, "testaBastjanstInformation");
        }
    }
}

#[test]
fn a_call_that_is_cut_short_anywhere_is_refused() {
    let header = "<s:Header><x s:mustUnderstand='0'>å</x></s:Header>";
    let question = with_header(
        header,
        &question().replace("<b:syfte/>", "<b:syfte><![CDATA[å]]></b:syfte>"),
    );
    for whole in [TEST.to_owned(), in_body(TEST), question] {
        let whole = Bytes::from(whole.trim_end().to_owned());
        let limits = Limits::default();
        assert!(Anrop::read(whole.clone(), None, &limits).is_ok());
        for end in 0..whole.len() {
            for charset in [None, Some("iso-8859-1")] {
                let read = Anrop::read(whole.slice(..end), charset, &limits);
                assert!(read.is_err(), "cut at {end}");
            }
        }
    }
}

#[test]
fn limits_hold_for_the_envelope() {
    let document = Bytes::from(in_body(question()));
    let read = |limits: &Limits| Anrop::read(document.clone(), None, limits).map(|_| ());
    let fault = |limits: &Limits| read(limits).unwrap_err().orsak.fault().fault;
    let default = Limits::default();
    let bytes_max = document.len();
    assert_eq!(
        read(&Limits {
            bytes_max,
            ..default
        }),
        Ok(())
    );
    let bytes_max = bytes_max - 1;
    assert_eq!(
        fault(&Limits {
            bytes_max,
            ..default
        }),
        Fault::Limit("bytes_max", bytes_max)
    );
    let depth_max = 3;
    assert_eq!(
        fault(&Limits {
            depth_max,
            ..default
        }),
        Fault::Limit("depth_max", 3)
    );
}

#[test]
fn an_enveloped_call_is_no_bare_question() {
    let error = Fraga::read(Bytes::from(in_body(question())), &Limits::default()).unwrap_err();
    assert_eq!(error.fault, Fault::Missing);
    assert_eq!(error.element, Operation::Hamta.element());
}

#[test]
fn nothing_that_was_written_is_told_or_printed() {
    const SECRET: &str = "199503142383";
    let invalid = question().replace("PROV-1<", "PROV-1<b:x/><");
    let cases = [
        in_body(&invalid),
        in_body(&format!("<x{SECRET} xmlns='urn:{SECRET}'/>")),
        in_body(SECRET),
        with_header(
            &format!("<s:Header><x{SECRET} s:mustUnderstand='1'/></s:Header>"),
            TEST,
        ),
        in_body(TEST).replace(kuvert::SOAP, SECRET),
    ];
    for document in cases {
        let fel = refused(&document);
        let told = format!("{fel:?} {}", fel.orsak.fault());
        assert!(!told.contains(SECRET), "{told}");
        assert!(told.contains("offset"), "{told}");
    }
    let printed = format!("{:?}", read(&in_body(question())).unwrap());
    assert!(
        printed.len() < 100 && !printed.contains(SECRET),
        "{printed}"
    );
}
