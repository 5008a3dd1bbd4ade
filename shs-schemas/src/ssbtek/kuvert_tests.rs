use super::*;
use crate::ssbtek::anrop::samples::*;
use crate::ssbtek::sammanstall;

#[test]
fn the_public_client_is_understood() {
    let body = question().replace("<b:", "<ns2:").replace("</b:", "</ns2:");
    let body = body.replace("xmlns:b=", "xmlns:ns2=");
    let soap = SOAP;
    let document = format!(
        "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"{soap}\"><SOAP-ENV:Header/><SOAP-ENV:Body>{body}\
         </SOAP-ENV:Body></SOAP-ENV:Envelope>"
    );
    assert_self_contained(&fraga(&document));
}

#[test]
fn what_the_envelope_declares_goes_along_with_what_is_cut_out_of_it() {
    let soap = SOAP;
    let default = undeclared().replace("<b:", "<").replace("</b:", "</");
    for document in [
        format!(
            "<s:Envelope xmlns:s='{soap}' xmlns:b='{NS}'><s:Body>{}</s:Body></s:Envelope>",
            undeclared()
        ),
        format!(
            "<s:Envelope xmlns:s='{soap}'><s:Body xmlns:b=\"{NS}\">{}</s:Body></s:Envelope>",
            undeclared()
        ),
        // A default namespace, inherited.
        format!(
            "<s:Envelope xmlns:s='{soap}' xmlns='{NS}'><s:Body>{default}</s:Body></s:Envelope>"
        ),
        // SOAP as the default, undone and declared anew.
        format!(
            "<Envelope xmlns='{soap}'><Body xmlns:b='{NS}'>{}</Body></Envelope>",
            undeclared()
        ),
        format!(
            "<Envelope xmlns='{soap}'><s:Body xmlns='' xmlns:s='{soap}' xmlns:b='{NS}'>{}</s:Body></Envelope>",
            undeclared()
        ),
        format!(
            "<s:Envelope xmlns:s='{soap}' xmlns='urn:x'><s:Body xmlns='{NS}'>{default}</s:Body></s:Envelope>"
        ),
        // The inner declaration of a prefix counts.
        format!(
            "<s:Envelope xmlns:s='{soap}' xmlns:b='urn:x'><s:Body xmlns:b='{NS}'>{}</s:Body></s:Envelope>",
            undeclared()
        ),
        format!(
            "<s:Envelope xmlns:s='{soap}' xmlns:b='urn:x'><s:Body xmlns:b='urn:y'>{}</s:Body></s:Envelope>",
            question()
        ),
        format!(
            "<b:Envelope xmlns:b='{soap}'><b:Body>{}</b:Body></b:Envelope>",
            question()
        ),
        // Our own prefix means something else outside.
        format!(
            "<ssbt:Envelope xmlns:ssbt='{soap}' xmlns:b='{NS}'><ssbt:Body>{}</ssbt:Body></ssbt:Envelope>",
            undeclared()
        ),
        format!(
            "<s:Envelope xmlns:s='{soap}' xmlns:ssbt='urn:x'><s:Body xmlns='{NS}'>{default}</s:Body></s:Envelope>"
        ),
        format!(
            "<s:Envelope xmlns:s='{soap}' xmlns:ssbt='urn:x'><s:Body xmlns:ssbt='{NS}'>{}</s:Body></s:Envelope>",
            question()
        ),
    ] {
        assert_self_contained(&fraga(&document));
    }
}

#[test]
fn a_declaration_that_is_out_of_scope_is_left_behind() {
    let soap = SOAP;
    let document = format!(
        "<s:Envelope xmlns:s='{soap}' xmlns='urn:a' xmlns:c='urn:b'>\
         <s:Body xmlns='' xmlns:c='urn:c'>{}</s:Body></s:Envelope>",
        question()
    );
    let fraga = fraga(&document);
    for body in sub_questions(&fraga) {
        let text = std::str::from_utf8(&body).unwrap();
        let root = format!(
            "<b:hamtaBastjanstInformation xmlns:c='urn:c' xmlns:s='{soap}' xmlns:b=\"{NS}\">"
        );
        assert!(text.contains(&root), "{text}");
    }
}

#[test]
fn values_are_kept_as_written_in_an_envelope_too() {
    let question = question().replace(" k&amp;1 ", "<![CDATA[ k&1 ]]><!-- c -->");
    let fraga = fraga(&in_body(&question));
    let uppgifter = fraga.uppgifter();
    assert_eq!(
        *uppgifter.korrelationsid.as_ref().unwrap().expose(),
        " k&1 "
    );
    assert_eq!(
        fraga.korrelationsid().unwrap(),
        "<![CDATA[ k&1 ]]><!-- c -->"
    );
    let generella = |text: &str| {
        let (start, end) = (
            text.find("<b:generella").unwrap(),
            text.find("</b:generella").unwrap(),
        );
        text[start..end].to_owned()
    };
    for made in sub_questions(&fraga)
        .into_iter()
        .chain([sammanstall(&fraga, Form::Bar, &[]).document])
    {
        let made = std::str::from_utf8(&made).unwrap();
        assert_eq!(generella(made), generella(&question));
    }
}

#[test]
fn headers_are_ignored_unless_they_must_be_understood_here() {
    let read = |entry: &str| read(&with_header(&format!("<s:Header>{entry}</s:Header>"), TEST));
    for ignored in [
        "",
        " <!-- c --> ",
        "<x xmlns='urn:x'>text<y/></x>",
        "<x:x xmlns:x='urn:x' s:mustUnderstand='0'/>",
        "<x:x xmlns:x='urn:x' s:mustUnderstand=''/>",
        "<x:x xmlns:x='urn:x' mustUnderstand='1'/>",
        "<x:x xmlns:x='urn:x' x:mustUnderstand='1'/>",
        "<x:x xmlns:x='urn:x' s:mustUnderstand='1' s:actor='urn:somebody'/>",
        "<x:x xmlns:x='urn:x'><x:y s:mustUnderstand='1'/></x:x>",
    ] {
        assert!(read(ignored).is_ok(), "{ignored}");
    }
    let next = "http://schemas.xmlsoap.org/soap/actor/next";
    for refused in [
        "<x:x xmlns:x='urn:x' s:mustUnderstand='1'/>".to_owned(),
        "<x:x xmlns:x='urn:x' s:mustUnderstand=' true '><x:y/></x:x>".to_owned(),
        "<x:x xmlns:x='urn:x' s:mustUnderstand='&#49;' s:actor=''/>".to_owned(),
        format!("<x:x xmlns:x='urn:x' s:mustUnderstand='1' s:actor='{next}'/>"),
        "<a/><x:x xmlns:x='urn:x' xmlns:t='http://schemas.xmlsoap.org/soap/envelope/' \
         t:mustUnderstand='1'/>"
            .to_owned(),
    ] {
        let fel = read(&refused).unwrap_err();
        assert!(
            matches!(fel.orsak, Orsak::MustUnderstand(_)),
            "{refused}: {fel:?}"
        );
        assert_eq!(fel.form, Form::Kuvert);
    }
}

#[test]
fn another_version_of_soap_is_told_as_such() {
    for namespace in ["http://www.w3.org/2003/05/soap-envelope", "urn:x", NS] {
        let document = in_body(TEST).replace(SOAP, namespace);
        let fel = refused(&document);
        assert!(matches!(fel.orsak, Orsak::SoapVersion(_)), "{fel:?}");
        assert_eq!(fel.form, Form::Kuvert);
    }
    let fel = refused("<Envelope><Body/></Envelope>");
    assert!(matches!(fel.orsak, Orsak::SoapVersion(_)), "{fel:?}");
}

#[test]
fn an_envelope_that_is_not_one_is_refused_at_its_place() {
    let soap = SOAP;
    let envelope = |content: &str| format!("<s:Envelope xmlns:s='{soap}'>{content}</s:Envelope>");
    let body = format!("<s:Body>{TEST}</s:Body>");
    for (document, element, at) in [
        (in_body(&format!("{TEST}<x/>")), "Body", "<x/>"),
        (in_body(&format!("{TEST}{TEST}")), "Body", ""),
        (in_body(&format!("text{TEST}")), "Body", "text"),
        (in_body(&format!("{TEST}text")), "Body", "text"),
        (
            in_body(&format!("<![CDATA[ ]]>{TEST}")),
            "Body",
            "<![CDATA[",
        ),
        (in_body(&format!("&#97;{TEST}")), "Body", "&#97;"),
        (in_body(""), "Body", "<s:Body"),
        (in_body(" <!-- c --> "), "Body", "<s:Body"),
        (envelope(""), "Body", "</s:Envelope"),
        (envelope("<s:Header/>"), "Body", "</s:Envelope"),
        (
            envelope(&format!("{body}<s:Header/>")),
            "Envelope",
            "<s:Header",
        ),
        (
            envelope(&format!("<s:Header/><s:Header/>{body}")),
            "Body",
            "<s:Header/><s:Body",
        ),
        (envelope(&format!("{body}{body}")), "Envelope", ""),
        (
            envelope(&format!("{body}<x:x xmlns:x='urn:x'/>")),
            "Envelope",
            "<x:x",
        ),
        (envelope(&format!("<Body>{TEST}</Body>")), "Body", "<Body"),
        (envelope(&format!("text{body}")), "Envelope", "text"),
        (
            envelope(&format!("<s:Header>text</s:Header>{body}")),
            "Header",
            "text",
        ),
        (format!("<s:Envelope xmlns:s='{soap}'/>"), "Body", ""),
    ] {
        let fel = refused(&document);
        assert!(
            matches!(fel.orsak, Orsak::Ogiltig(_)),
            "{document}: {fel:?}"
        );
        assert_eq!(
            (fel.form, fel.orsak.fault().element),
            (Form::Kuvert, element),
            "{document}"
        );
        if !at.is_empty() {
            assert_eq!(
                fel.orsak.fault().offset,
                document.find(at).unwrap(),
                "{document}"
            );
        }
    }
}

/// What the root inherits stands on it in the sub-questions, and counts there.
#[test]
fn what_is_inherited_counts_as_the_roots_own() {
    let with = |count: usize| {
        let declarations = |from: usize, to: usize| -> String {
            (from..to).fold(String::new(), |declared, n| {
                declared + " xmlns:p" + &n.to_string() + "='urn:x'"
            })
        };
        let half = count / 2;
        in_body(question())
            .replace(
                "<s:Envelope",
                &format!("<s:Envelope{}", declarations(0, half)),
            )
            .replace("<s:Body", &format!("<s:Body{}", declarations(half, count)))
    };
    let max = Limits::default().attributes_max;
    // The prefixes `s` and `b` are declared besides.
    assert_self_contained(&fraga(&with(max - 2)));
    let fel = refused(&with(max - 1));
    assert_eq!(fel.orsak.fault().fault, Fault::Limit("attributes_max", max));
}
