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
        "AF",
        "\r\n<s:data xmlns='http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2'>\
         <Fraga b = 'c'/>&#13;<![CDATA[<]]></s:data>\n",
    );
    let body = format!("\u{FEFF}<?xml version=\"1.0\"?>\n<!-- c -->{element}\n<!-- d -->");
    let bytes = Bytes::from(body);
    let limits = Limits::default();
    let svar = Delsvar::read(Uppgiftslamnare::AF, Kontrakt::V10, bytes.clone(), &limits).unwrap();
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
            "CSN",
            &format!("<s:data><s:svar>{written}</s:svar></s:data>"),
        );
        assert_eq!(
            read(Uppgiftslamnare::CSN, &body)
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
fn inline_data_begins_as_the_schema_of_the_authority_has_it() {
    use Uppgiftslamnare as Ul;
    let so = "<OrganisationsnummerIngivare xmlns='http://INT014.UBPService.Schemas'/>";
    let tns = "<t:resultat \
               xmlns:t='http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1'/>";
    let data = |ul: Ul, content: &str| {
        let body = wrap(
            ul.element().local_name(),
            &format!("<s:data>{content}</s:data>"),
        );
        read(ul, &body).is_ok()
    };
    for (ul, content) in [
        (Ul::SKV, "<svar><![CDATA[<a/>]]></svar>"),
        (Ul::SO, so),
        (Ul::TNS, tns),
        (Ul::TNS, &format!("\n{tns}<x/>text")),
        (Ul::MIV, "<response/>"),
        (Ul::MIV, ""),
    ] {
        assert!(data(ul, content), "{ul} {content}");
    }
    for (ul, content) in [
        (Ul::AF, ""),
        (Ul::SO, ""),
        (Ul::SKV, "<s:svar/>"),
        (Ul::SKV, "<svar xmlns='urn:x'/>"),
        (Ul::SKV, "text<svar/>"),
        (Ul::TNS, so),
        (Ul::SO, tns),
        (Ul::MIV, "<html/>"),
        (Ul::MIV, "text"),
    ] {
        assert!(!data(ul, content), "{ul} {content}");
    }
    // The default namespace of the party's own element captures what should be in none.
    let captured = format!("<MIV xmlns=\"{NS}\"><data><response/></data></MIV>");
    assert!(read(Ul::MIV, &captured).is_err());
    let attribute = wrap("MIV", "<s:data x='1'/>");
    assert!(read(Ul::MIV, &attribute).is_err());
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
